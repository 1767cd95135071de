"""The photo that is open on the page: one of the set, or one that comes back to see whether boxes are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.ui.photos import at_rest
from repairai.ui.photos.corrected import Drawn, corrected
from repairai.vision.looked import accept, answer_blind, looked_share, next_blind
from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, edit


@dataclass(frozen=True)
class Opened:
    """What is open.

    Args:
        name: Of the photo; empty for none.
        check: Number of the check for which it comes back; None where it is open to be labelled.
        boxes: Of that check.
        after: Name of the photo that is opened behind it.
    """

    name: str = ""
    check: int | None = None
    boxes: tuple[LabelledBox, ...] = ()
    after: str = ""

    def photo(self, photos: PhotoSet) -> LabelledPhoto:
        """Return the photo with the boxes that are shown.

        Raises:
            RepairError: It is gone.
        """
        own = photos.photo(self.name)
        return own if self.check is None else replace(own, boxes=self.boxes)


def keep(photos: PhotoSet, opened: Opened, drawn: Sequence[Drawn], size: tuple[int, int]) -> str:
    """Keep what a person made of the open photo, and say so in a sentence; a check leaves the set as it is.

    Args:
        photos: The set.
        opened: What is open.
        drawn: The boxes on it.
        size: Width and height in px at which it was shown.

    Raises:
        RepairError: A box has no part, the photo is gone, or the disk is full.
    """
    boxes = corrected(opened.photo(photos), drawn, size)
    if opened.check is not None:
        return _answered(photos.folder, opened, boxes)
    edit(photos.folder, lambda now: accept(now, opened.name, boxes))
    at_rest.later(photos.folder)
    n = len(boxes)
    return f"{opened.name} is saved with {n} box{'es' * (n > 1)}" if n else f"{opened.name} is saved: it shows nothing"


def _answered(folder: Path, opened: Opened, boxes: Sequence[LabelledBox]) -> str:
    check = answer_blind(folder, opened.check or 0, boxes)
    if check.altered is None:
        return f"{opened.name} had come back to see whether boxes are looked at; nothing was wrong with it"
    how = "you mended it" if check.noticed else "it was not noticed"
    return f"{opened.name} had come back with a box made wrong on purpose, and {how}; {looked_share(folder).said}"


def next_opened(photos: PhotoSet, opened: Opened, after: str) -> Opened:
    """Return what is opened when a photo was saved: now and then one that comes back, else the next one."""
    if opened.check is None:
        try:
            blind = next_blind(photos.folder, not_now=[name for name in (opened.name, after) if name])
        except RepairError:  # the checks are no reason to stop labelling
            blind = None
        if blind is not None:
            return Opened(blind.photo, blind.id, blind.boxes, after)
    return Opened(after)
