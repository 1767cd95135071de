"""What the doctor finds in parts: names that are none, parts without boxes or on few photos, parts that are rare."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from repairai.vision.photo_set import PhotoSet
from training.detector.findings import Finding, few, finding

FEW_PHOTOS = 10
RARE = 20
"""A part with less than a twentieth of the boxes of the most frequent one is rarely learned."""


def part_findings(photos: PhotoSet, name: str) -> Iterator[Finding]:
    """Yield what is wrong with parts.

    Args:
        photos: The set.
        name: Of the set, as a command says it.
    """
    boxes = Counter(box.part for each in photos.photos for box in each.boxes)
    yield from _names(photos, name)
    bare = [part for part in photos.parts if not boxes[part]]
    if bare and len(bare) < len(photos.parts):
        yield finding(
            "empty-part", "warn", f"no box is of {few(bare, 5)}", (), len(bare), "empty-part", "drop what has no box"
        )
    taken = [each for each in photos.photos if not each.made]
    having = {part: sum(any(box.part == part for box in each.boxes) for each in taken) for part in boxes}
    some = {part: count for part, count in sorted(having.items(), key=lambda each: each[1]) if count < FEW_PHOTOS}
    if some:
        named = few([f"{part} on {count}" for part, count in some.items()], 5)
        yield finding(
            "few", "warn", f"few photos show {named}: {FEW_PHOTOS} are a beginning, 50 are good", (), len(some)
        )
    rare = [part for part, count in boxes.items() if count * RARE < max(boxes.values())]
    if rare:
        most, count = boxes.most_common(1)[0]
        scarce = few([f"{part} has {boxes[part]:,}" for part in rare], 5)
        said = f"{scarce} of the boxes, and {most} {count:,}: photograph what is rare"
        yield finding("balance", "note", said, (), len(rare))


def _names(photos: PhotoSet, name: str) -> Iterator[Finding]:
    digits = [part for part in photos.parts if re.fullmatch(r"[\d\W_]+", part)]
    if digits:
        words = " ".join(f"{part}=NAME" for part in digits)
        yield finding(
            "digits", "warn",
            f"{few(digits, 6)} {'is no name' if len(digits) == 1 else 'are no names'} of a part: say what it shows",
            (), len(digits), "", f"photos names {name} {words}",
        )  # fmt: skip
    alike = [group for group in same_names(photos.parts) if len(group) > 1]
    if alike:
        told = few([" and ".join(map(repr, group)) for group in alike], 3)
        yield finding(
            "same-name", "warn", f"{told} look like one part", (), len(alike), "same-name", "make them one part"
        )


def same_names(parts: Sequence[str]) -> list[list[str]]:
    """Return parts in groups of those whose names differ in case, spaces, hyphens or an s at the end alone."""
    groups: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        key = re.sub(r"[\W_]+", "", part.casefold())
        groups[re.sub(r"(?<=[^s\d])s$", "", key) or part].append(part)
    return list(groups.values())
