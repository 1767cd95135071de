"""A photo with the parts that are on it, who drew each, and what the photo is for; and a set of such photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from repairai.errors import RepairError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
PHOTOS = "photos"
"""Folder of a set in which the photos themselves lie."""
PERSON, IMPORTED = "person", "import"
MODEL = "model:"
"""What `by` of a box begins with that a model drew."""
PASTED, RENDERED = "pasted", "rendered"
"""What `source` of a made photo says."""


@dataclass(frozen=True)
class LabelledBox:
    """One part on a photo.

    Args:
        part: One of the set's.
        box: Left, top, right, bottom in px of the photo.
        by: Who drew it: `person`, `import`, or `model:` with a model's name.
        checked: Whether a person has looked at it.
        score: Of the model that drew it; None for others.
    """

    part: str
    box: tuple[float, float, float, float]
    by: str = IMPORTED
    checked: bool = False
    score: float | None = None

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not (left < right and top < bottom):
            raise ValueError(f"need left < right and top < bottom, got {self.box}")


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo with its parts.

    Args:
        name: Of its file in `photos`, no path.
        width: px.
        height: px.
        boxes: None of them for a photo of background.
        split: What it is for.
        source: `<collection>/<what it was made from>`: photos with the same source show the same thing, and never stand
            in two splits; of a made photo `pasted` or `rendered`: these are to train on alone.
        origin: Where it came from: a file's name, for the person.
        labelled: Whether somebody said what is on it; a photo that nobody has labelled trains nothing.
    """

    name: str
    width: int
    height: int
    boxes: tuple[LabelledBox, ...] = ()
    split: Split = "train"
    source: str = ""
    origin: str = ""
    labelled: bool = True

    def __post_init__(self) -> None:
        if Path(self.name).name != self.name or not self.name or "\\" in self.name:
            raise ValueError(f"need a file's name without a path, got {self.name!r}")
        if self.split not in SPLITS:
            raise ValueError(f"need split to be one of {', '.join(SPLITS)}, got {self.split!r}")

    @property
    def made(self) -> bool:
        """Return whether no camera took it: a scene that was pasted or rendered."""
        return self.source in (PASTED, RENDERED)

    @property
    def waits(self) -> bool:
        """Return whether a model drew boxes on it that wait for a person's yes."""
        return not self.labelled and any(box.by.startswith(MODEL) and not box.checked for box in self.boxes)


@dataclass(frozen=True)
class PhotoSource:
    """Where photos came from, as it goes into the card of whatever is trained on them.

    Args:
        name: Of the dataset, or the folder.
        licence: As it is given; empty where nobody said.
        url: Where it can be found; empty for a person's own.
        photos: How many.
    """

    name: str
    licence: str = ""
    url: str = ""
    photos: int = 0


@dataclass(frozen=True)
class PhotoSet:
    """Labelled photos.

    Args:
        folder: Where they lie.
        parts: Names of what is labelled; the place of each is its number for the detector.
        photos: In the order of their names.
        sources: Where they came from.
        original_ids: For each part the id that it had where it came from; empty where there was none.
    """

    folder: Path
    parts: tuple[str, ...]
    photos: tuple[LabelledPhoto, ...]
    sources: tuple[PhotoSource, ...] = ()
    original_ids: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Return the set's name, which is its folder's."""
        return self.folder.name

    def path(self, photo: LabelledPhoto) -> Path:
        """Return where a photo lies."""
        return self.folder / PHOTOS / photo.name

    def of(self, split: Split) -> tuple[LabelledPhoto, ...]:
        """Return the labelled photos of a split."""
        return tuple(each for each in self.photos if each.split == split and each.labelled)

    def photo(self, name: str) -> LabelledPhoto:
        """Return a photo by its name.

        Raises:
            RepairError: There is none of it.
        """
        for each in self.photos:
            if each.name == name:
                return each
        raise RepairError(f"{self.name} holds no photo {name}", "reload the page; it may have been deleted")
