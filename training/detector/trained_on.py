"""Which photos a detector has learned from, kept with its run: a set may be changed and split anew afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import repairai.builtin
from repairai.files import expanded, from_data, read_data, read_record, write_record
from repairai.hardware.recipe import read_recipe
from repairai.vision import detectors
from repairai.vision.photo_set import LabelledPhoto, PhotoSet, PhotoSource, Split

FILE = "trained_on.json"
SOURCES = "sources.json"
"""Beside a model's weights: where the photos came from that it has learned from."""


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
    for before in (trained_on(place_of(model).parent, photos.folder), trained_on(run, photos.folder)):
        learned, judged = {**before.learned, **learned}, {**before.judged, **judged}
    made = TrainedOn(_place(photos), learned, judged, photos.sources)
    write_record(run / FILE, made)
    return made


def unseen(photos: Sequence[LabelledPhoto], on: Split, seen: TrainedOn) -> tuple[list[LabelledPhoto], int]:
    """Return the photos that a training has not seen, and how many it has."""
    left = [each for each in photos if not seen.has_seen(each, on)]
    return left, len(photos) - len(left)


# ---- who has an advantage


def knows(model: Path, photos: PhotoSet, shown: Sequence[LabelledPhoto]) -> str:
    """Return in a clause how a detector knows photos from its training, or may; empty where it does not.

    What it began with counts for it, too: a run's list tells each photo, and for others their sources tell whether
    these may be among those that they have learned from.

    Args:
        model: The folder of its weights.
        photos: The set.
        shown: Its photos that the detector is measured on.
    """
    for at, folder in enumerate(_began_with(model)):
        who = "it" if at == 0 else f"it began with {_called(folder)}, which"
        if (folder.parent / FILE).is_file() and read_record(folder.parent / FILE, TrainedOn).data == _place(photos):
            seen = len(unseen(shown, "test", trained_on(folder.parent, photos.folder))[0])
            if seen < len(shown):
                return f"{who} has learned from {len(shown) - seen} of these {len(shown)} photos, or versions of them"
        elif common := _sources(folder) & {name for each in photos.sources for name in (each.name, each.url) if name}:
            named = ", ".join(sorted(each.name for each in photos.sources if {each.name, each.url} & common))
            return f"{who} has learned from photos of {named}, and these may be among them"
    return ""


def place_of(model: str) -> Path:
    """Return the folder of a model that a recipe names; where it is one of the Hub that folder is not there."""
    return Path(repairai.builtin.__file__).parent / "detector" if model == detectors.BUILTIN.name else expanded(model)


def _began_with(model: Path) -> Iterator[Path]:
    """Yield a model's folder, and those of the models that its training began with, the last one first."""
    met: set[Path] = set()
    while model not in met:
        met.add(model)
        yield model
        recipe = model.parent / "recipe.yaml"
        if recipe.is_file():
            model = place_of(read_recipe(recipe).step.model)


def _called(folder: Path) -> str:
    """Return a model's name for people: of a run's the run's."""
    if folder == place_of(detectors.BUILTIN.name):
        return detectors.BUILTIN.name
    return folder.parent.name if (folder.parent / "recipe.yaml").is_file() else folder.name


def _sources(folder: Path) -> set[str]:
    """Return names and addresses of the photos that a model has learned from; none where nobody said."""
    path = folder / SOURCES
    rows = from_data(read_data(path), tuple[PhotoSource, ...], path.name) if path.is_file() else ()
    return {name for each in rows for name in (each.name, each.url) if name}


def _place(photos: PhotoSet) -> str:
    return str(photos.folder.absolute())


def _sourced(photos: PhotoSet, split: Split) -> dict[str, str]:
    """Return the photos of a split with those sources that stand in it alone."""
    elsewhere = {each.source for each in photos.photos if each.labelled and each.split != split}
    return {each.name: "" if each.source in elsewhere else each.source for each in photos.of(split)}
