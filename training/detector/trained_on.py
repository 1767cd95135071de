"""Which photos a detector has learned from, kept with its run: a set may be changed and split anew afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repairai.files import expanded, read_record, write_record
from repairai.vision.photo_set import LabelledPhoto, PhotoSet, PhotoSource, Split

FILE = "trained_on.json"


@dataclass(frozen=True)
class TrainedOn:
    """What a training has seen of a set.

    Args:
        data: The set's folder.
        learned: Photos that the weights were changed by, by name, each with its source; the source is empty where it
            stood in another split as well, so that it tells nothing of other photos.
        judged: Likewise those by which the best weights were chosen.
        sources: Where the set's photos came from.
    """

    data: str
    learned: dict[str, str]
    judged: dict[str, str]
    sources: tuple[PhotoSource, ...] = ()

    def has_seen(self, photo: LabelledPhoto, on: Split) -> bool:
        """Tell whether a photo may not say what the detector is worth on photos that it has never seen.

        Args:
            photo: Of the same set.
            on: What it is to be measured for: thresholds may be chosen on what weights were chosen on.
        """
        seen = self.learned if on == "val" else {**self.judged, **self.learned}
        return photo.name in seen or bool(photo.source and photo.source in seen.values())


def trained_on(run: Path, data: Path) -> TrainedOn:
    """Return what a run has seen of a set; nothing where it was trained on another one, or kept no list.

    Args:
        run: Its folder, which need not be one.
        data: The set's folder.

    Raises:
        RepairError: The list is damaged.
    """
    path, place = run / FILE, str(data.absolute())
    if path.is_file():
        kept = read_record(path, TrainedOn)
        if kept.data == place:
            return kept
    return TrainedOn(place, {}, {})


def keep(run: Path, photos: PhotoSet, model: str) -> TrainedOn:
    """Write down which photos a run is about to learn from, beside those that it did before, and return it.

    Args:
        run: Its folder.
        photos: The set as it is split now.
        model: What it begins with: what another run's detector has seen of the set counts for this one, too.

    Raises:
        RepairError: The disk is full, or an earlier list is damaged.
    """
    now = {split: _sourced(photos, split) for split in ("train", "val")}
    learned, judged = now["train"], now["val"]
    for before in (trained_on(expanded(model).parent, photos.folder), trained_on(run, photos.folder)):
        learned, judged = {**before.learned, **learned}, {**before.judged, **judged}
    made = TrainedOn(str(photos.folder.absolute()), learned, judged, photos.sources)
    write_record(run / FILE, made)
    return made


def unseen(photos: Sequence[LabelledPhoto], on: Split, seen: TrainedOn) -> tuple[list[LabelledPhoto], int]:
    """Return the photos that a training has not seen, and how many it has."""
    left = [each for each in photos if not seen.has_seen(each, on)]
    return left, len(photos) - len(left)


def _sourced(photos: PhotoSet, split: Split) -> dict[str, str]:
    """Return the photos of a split with those sources that stand in it alone."""
    elsewhere = {each.source for each in photos.photos if each.labelled and each.split != split}
    return {each.name: "" if each.source in elsewhere else each.source for each in photos.of(split)}
