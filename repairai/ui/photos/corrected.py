"""What a person's drawing makes of a photo's boxes: what was moved or drawn is theirs, what was kept was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from repairai.errors import RepairError
from repairai.vision.photo_set import PERSON, LabelledBox, LabelledPhoto

SAME_PX = 1.5
"""Of the shown photo: an edge that lies no farther from where it was, was not moved."""
LEAST_PX = 2.0
"""Of the shown photo: a smaller box was a slip of the hand."""


@dataclass(frozen=True)
class Drawn:
    """A box as it is drawn on the page.

    Args:
        part: Its label; empty where none was chosen.
        box: Left, top, right, bottom in px of the photo as it is shown.
    """

    part: str
    box: tuple[float, float, float, float]


def shown(photo: LabelledPhoto, size: tuple[int, int]) -> list[Drawn]:
    """Return a photo's boxes as they are drawn on it.

    Args:
        photo: The photo.
        size: Width and height in px at which it is shown.
    """
    across, down = size[0] / photo.width, size[1] / photo.height
    return [
        Drawn(each.part, (each.box[0] * across, each.box[1] * down, each.box[2] * across, each.box[3] * down))
        for each in photo.boxes
    ]


def corrected(photo: LabelledPhoto, drawn: Sequence[Drawn], size: tuple[int, int]) -> tuple[LabelledBox, ...]:
    """Return the boxes of a photo after a person has gone over it: all of them were looked at.

    A box that lies where it lay keeps who drew it; one that was moved, drawn or given another part is the person's.

    Args:
        photo: As it was.
        drawn: What is on it now.
        size: Width and height in px at which it was shown.

    Raises:
        RepairError: A box has no part.
    """
    if any(not each.part.strip() for each in drawn):
        raise RepairError("a box does not say what it shows", "choose its part, or delete it")
    before = list(zip(photo.boxes, shown(photo, size), strict=True))
    found = []
    for each in drawn:
        own = next((pair for pair in before if _is_same(pair[1], each)), None)
        if own:
            before.remove(own)
            found.append(replace(own[0], checked=True))
        elif (box := _inside(each, photo, size)) is not None:
            found.append(LabelledBox(each.part.strip(), box, PERSON, True))
    return tuple(found)


def _is_same(one: Drawn, other: Drawn) -> bool:
    return one.part == other.part and all(
        abs(edge - moved) <= SAME_PX for edge, moved in zip(one.box, other.box, strict=True)
    )


def _inside(drawn: Drawn, photo: LabelledPhoto, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """Return a box in px of the photo, cut at its edges; None where nothing of it is left."""
    left, right = sorted((min(max(drawn.box[0], 0), size[0]), min(max(drawn.box[2], 0), size[0])))
    top, bottom = sorted((min(max(drawn.box[1], 0), size[1]), min(max(drawn.box[3], 0), size[1])))
    if right - left < LEAST_PX or bottom - top < LEAST_PX:
        return None
    across, down = photo.width / size[0], photo.height / size[1]
    return (round(left * across, 2), round(top * down, 2), round(right * across, 2), round(bottom * down, 2))


def renamed(parts: Sequence[str], names: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the new name of each part that gets one.

    Args:
        parts: Of the set.
        names: Rows of an old and a new name.

    Raises:
        RepairError: A name is empty, or two parts would have the same.
    """
    wished = {str(row[0]).strip(): str(row[1]).strip() for row in names if len(row) >= 2}
    new = {part: wished.get(part, part) or part for part in parts}
    doubled = sorted({name for name in new.values() if list(new.values()).count(name) > 1})
    if doubled:
        raise RepairError(f"two parts would be called {doubled[0]!r:.60}", "give each a name of its own")
    return {old: name for old, name in new.items() if old != name}
