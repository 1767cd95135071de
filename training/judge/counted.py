"""What judge A says of a question of state, where the counts of the detector in use tell its answer."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from repairai.errors import RepairError
from repairai.inspection import open_detector
from repairai.judge.count import tally
from repairai.judge.questions import labels_for
from repairai.schema import Detector, Sight
from repairai.vision.visibility import look

_THERE = re.compile(
    r"\b(in place|present|there|installed|inserted|plugged in|connected|attached|seated|screwed in|in)\b"
)
_GONE = re.compile(
    r"\b(missing|absent|gone|removed|taken out|empty|unplugged|disconnected|detached|lifted|unscrewed|out)\b"
)


class Counting:
    """Asks the detector in use; nothing where it cannot be opened.

    Args:
        detector: None for the one in use.
    """

    def __init__(self, detector: Detector | None = None) -> None:
        try:
            self.detector: Detector | None = detector or open_detector()
        except RepairError:
            self.detector = None
        self._last: tuple[bytes, Sight] | None = None

    def answer(self, photo: np.ndarray, question: str) -> Literal["yes", "no"] | None:
        """Return what counting says of a question about a photo; None where it cannot tell.

        Args:
            photo: RGB uint8 (H, W, 3): what a reasoner is shown.
            question: As it is asked.
        """
        if self.detector is None:
            return None
        filled, empty = states_of(question, self.detector)
        if not filled or not empty:
            return None
        sight = self._sight(photo)
        if sight.visibility.problem:
            return None
        there, gone = tally(filled, sight), tally(empty, sight)
        asks = _asks_for_there(question)
        if there.fewest and not gone.most:
            return "yes" if asks else "no"
        if gone.fewest and not there.most:
            return "no" if asks else "yes"
        return None

    def _sight(self, photo: np.ndarray) -> Sight:
        assert self.detector is not None
        known = photo.tobytes()
        if self._last is None or self._last[0] != known:
            self._last = known, Sight(self.detector.detect(photo), self.detector.limits, look(photo))
        return self._last[1]


def states_of(question: str, detector: Detector) -> tuple[str, str]:
    """Return the labels of a part that is there and of its empty place; empty where counting cannot tell the question.

    Args:
        question: As it is asked.
        detector: Any.
    """
    if _asks_for_there(question) is None:
        return "", ""
    labels = labels_for(question, detector.limits)
    for filled, limits in detector.limits.items():
        empty = limits.empty_place
        if empty in detector.limits and (filled in labels or empty in labels):
            if filled.startswith("un") or min(limits.sure, detector.limits[empty or ""].sure) >= 1:
                continue
            return filled, empty or ""
    return "", ""


def _asks_for_there(question: str) -> bool | None:
    """Return whether a question asks if a part is there, or else if it is gone; None for neither."""
    gone, there = _GONE.search(question.lower()), _THERE.search(question.lower())
    if gone or " no " in question.lower():
        return False
    return True if there else None
