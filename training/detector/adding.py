"""Photos that were brought in, put into a set that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from repairai.errors import RepairError
from repairai.vision.photo_set import PHOTOS, LabelledPhoto, PhotoSet, PhotoSource, Split, edit
from training.detector.alike import Look, looks, with_sources, write_looks
from training.detector.doctor import write_report
from training.detector.facts import Facts, Unsure, read_facts, write_facts
from training.detector.findings import Finding
from training.detector.labels import Said, SaidSplit
from training.detector.parts import Numbered
from training.detector.seen import Seen, findings
from training.detector.splits import Parted, part


@dataclass
class Brought:
    """Photos that were brought into a folder.

    Args:
        photos: What is known of them.
        own: The split that each came with; empty for none.
        looks: Name -> what it looks like.
        digests: Name -> SHA-256 of the file that it came from.
        unsure: Photos whose boxes may have to be turned.
        seen: What happened on the way.
    """

    photos: list[LabelledPhoto] = field(default_factory=list)
    own: list[SaidSplit] = field(default_factory=list)
    looks: dict[str, Look] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    unsure: dict[str, Unsure] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)


def added(
    before: PhotoSet, beside: Path, brought: Brought, numbered: Numbered, said: Sequence[Said],
    sources: Sequence[PhotoSource], seed: int,
) -> PhotoSet:  # fmt: skip
    """Put photos into a set that is there: those that show what it shows already go to the same split.

    Args:
        before: The set as it was read.
        beside: Folder in which the photos lie.
        brought: They.
        numbered: Their parts.
        said: What the sources said.
        sources: They, as they go into the set.
        seed: Of the splits.

    Raises:
        RepairError: The set has changed meanwhile, or cannot be written; then it is as it was.
    """
    known, _ = looks(before)
    facts = read_facts(before.folder)
    moved: list[Path] = []
    parted = Parted(())

    def change(now: PhotoSet) -> PhotoSet:
        nonlocal parted
        every = with_sources([*now.photos, *brought.photos], {**known, **brought.looks})
        old, new = every[: len(now.photos)], every[len(now.photos) :]
        splits: dict[str, Split] = {photo.source: photo.split for photo in old}
        fresh = [photo for photo in new if photo.source not in splits]
        own = dict(zip((photo.name for photo in brought.photos), brought.own, strict=True))
        parted = part(fresh, [own[photo.name] for photo in fresh], seed)
        placed = {photo.name: photo for photo in parted.photos}
        new = tuple(placed.get(each.name) or replace(each, split=splits[each.source]) for each in new)
        for photo in new:
            target = now.folder / PHOTOS / photo.name
            if target.exists():
                raise RepairError(f"{now.name} was changed meanwhile, and has a {photo.name} now", "import them again")
            (beside / PHOTOS / photo.name).rename(target)
            moved.append(target)
        photos = tuple(sorted((*old, *new), key=lambda each: each.name))
        parts = tuple(dict.fromkeys((*now.parts, *numbered.parts)))
        ids = now.original_ids if len(parts) == len(now.parts) else ()
        return replace(now, parts=parts, photos=photos, sources=(*now.sources, *sources), original_ids=ids)

    try:
        made = edit(before.folder, change)
    except (RepairError, OSError, KeyboardInterrupt, SystemExit):
        for path in moved:
            path.unlink(missing_ok=True)
        raise
    write_looks(made, {**known, **brought.looks})
    told = _together(facts.findings, findings(brought.seen, said, parted))
    write_facts(
        made.folder, Facts(told, {**facts.unsure, **brought.unsure}, {**facts.digests, **brought.digests})
    )  # fmt: skip
    write_report(made)
    return made


def _together(old: Sequence[Finding], new: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of two imports; of one kind the later is kept, since it names photos that are new."""
    return tuple({each.id: each for each in (*old, *new)}.values())
