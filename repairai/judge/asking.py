"""Puts the questions of one photo to a reasoner: each once, the question first and then its opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repairai.errors import RepairError
from repairai.judge.region import region
from repairai.judge.state import Answered, check_state, unasked
from repairai.schema import Finding, Reasoner, Sight, State

if TYPE_CHECKING:
    import numpy as np


class Asking:
    """A reasoner before one photo."""

    def __init__(self, reasoner: Reasoner | None, photo: np.ndarray) -> None:
        """Take a photo.

        Args:
            reasoner: Answers; None where nobody does.
            photo: RGB uint8 (H, W, 3).
        """
        self._reasoner = reasoner
        self._photo = photo
        self._answered = False

    @property
    def models(self) -> tuple[str, ...]:
        """Return `name@revision` of the reasoner, once it has answered; nothing before."""
        return (self._reasoner.name,) if self._reasoner and self._answered else ()

    def check(self, requirement: State, sight: Sight) -> Finding:
        """Return the finding for a state; whatever the reasoner cannot answer stays UNCERTAIN."""
        height, width = self._photo.shape[:2]
        where = region(requirement.question, sight, width, height)
        if self._reasoner is None:
            return check_state(requirement, sight, where, None)
        if unseen := unasked(requirement, sight, where):
            return unseen
        left, top, right, bottom = (round(each) for each in where.box or (0, 0, width, height))
        # One array for both questions: what is costly of a photo is then done once.
        part = self._photo[top:bottom, left:right].copy()
        return check_state(requirement, sight, where, self._ask(self._reasoner, part, requirement))

    def _ask(self, reasoner: Reasoner, part: np.ndarray, requirement: State) -> Answered:
        try:
            yes = float(reasoner.ask(part, requirement.question))
            opposite = float(reasoner.ask(part, requirement.opposite))
            limits = reasoner.limits(requirement.question)
        except RepairError as error:
            return Answered(fault=str(error))
        if not (0.0 <= yes <= 1.0 and 0.0 <= opposite <= 1.0):
            return Answered(fault=f"{reasoner.name} answered {yes:g} and {opposite:g}, which are no probabilities")
        self._answered = True
        return Answered(yes, opposite, limits)
