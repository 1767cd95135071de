"""A set of labelled photos as an ImageFolder: what `datasets` loads, and what our own import reads back.

    train/metadata.jsonl       {"file_name", "width", "height", "objects": {"bbox": [[left, top, width, height]], "category": [...]}}
    train/*.jpg                likewise validation and test

A folder takes five thousand photos; more go into numbered folders in it.
"""  # noqa: E501

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.hub.data_card import DataFacts, DataSplit
from repairai.runs.sharing.bare_photo import bare
from repairai.runs.sharing.origins import of_photos
from repairai.runs.sharing.staged import Files, staged
from repairai.vision.photo_set import MODEL, SPLITS, LabelledPhoto, PhotoSet, Split

NAMES: dict[Split, str] = {"train": "train", "val": "validation", "test": "test"}
"""As `datasets` calls them."""
METADATA = "metadata.jsonl"
IN_A_FOLDER = 5000
COLUMNS = (
    ("image", "the photo, upright, at most 2560 px on its longer side; without what cameras note beside it"),
    ("width, height", "its size in px"),
    ("objects", "bbox: left, top, width and height in px of each box; category: the part in it"),
    ("source", "what it was made from: photos of one source show the same thing, and stand in one split alone"),
)


def photo_files(photos: PhotoSet, place: Path) -> Files:
    """Return the files of a set as they go to the Hub, those that have to be written among them.

    Args:
        photos: The set; photos that nobody has labelled stay here.
        place: Where files are written.

    Raises:
        RepairError: No photo shows a part, a photo is gone, or the disk is full.
    """
    if not any(each.boxes for split in SPLITS for each in photos.of(split)):
        raise RepairError(f"no photo of {photos.name} has a box", "label some in the Train tab first")
    files: list[tuple[str, Path]] = []
    for split in SPLITS:
        # One with boxes first: its row tells what the columns hold.
        chosen = sorted(photos.of(split), key=lambda each: not each.boxes)
        if not chosen:
            continue
        names = _names(chosen)
        lines = "".join(_line(each, name) for each, name in zip(chosen, names, strict=True))
        folder = NAMES[split]
        files.append((f"{folder}/{METADATA}", staged(place, f"{folder}/{METADATA}", lines.encode())))
        files += [
            (f"{folder}/{name}", _photo(photos, each, place, f"{folder}/{name}"))
            for each, name in zip(chosen, names, strict=True)
        ]
    return tuple(files)


def _names(photos: list[LabelledPhoto]) -> list[str]:
    if len(photos) <= IN_A_FOLDER:
        return [each.name for each in photos]
    return [f"{number // IN_A_FOLDER:03d}/{each.name}" for number, each in enumerate(photos)]


def _line(photo: LabelledPhoto, name: str) -> str:
    boxes = [
        [round(float(left), 2), round(float(top), 2), round(float(right - left), 2), round(float(bottom - top), 2)]
        for left, top, right, bottom in (each.box for each in photo.boxes)
    ]
    objects = {"bbox": boxes, "category": [each.part for each in photo.boxes]}
    row = {"file_name": name, "width": photo.width, "height": photo.height, "objects": objects, "source": photo.source}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _photo(photos: PhotoSet, photo: LabelledPhoto, place: Path, name: str) -> Path:
    """Return where a photo lies without its camera's notes: its own file where it has none."""
    path = photos.path(photo)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RepairError(f"the photo {photo.name} of {photos.name} is gone", "delete it from the set") from None
    except OSError as error:
        raise disk_error(path, error) from None
    without = bare(content)
    return path if without == content else staged(place, name, without)


def photo_facts(photos: PhotoSet, repo: str) -> DataFacts:
    """Return what is known of a set, for its card."""
    found = {split: photos.of(split) for split in SPLITS}
    boxes = [box for each in found.values() for photo in each for box in photo.boxes]
    counts = Counter(box.part for box in boxes)
    drawn = [box for box in boxes if box.by.startswith(MODEL)]
    looked = sum(box.checked for box in drawn)
    waiting = len(photos.photos) - sum(map(len, found.values()))
    made = sum(photo.made for each in found.values() for photo in each)
    said = [
        f"{len(boxes):,} boxes of {len(counts)} part{'s' * (len(counts) != 1)} on "
        f"{sum(map(len, found.values())):,} photos: {', '.join(f'{part} {n:,}' for part, n in counts.most_common())}.",
        "No source of photos stands in two splits.",
        f"{made:,} photos were not taken but pasted or rendered; all of them are in train." if made else "",
        f"{len(drawn):,} boxes were drawn by a model; a person looked at {looked:,} of these." if drawn else "",
        f"{waiting:,} photos without labels were left out." if waiting else "",
    ]
    limits = [
        "Photos can show more than parts: hands, desks, serial numbers. Look through them before you make them public.",
        "What a photo shows and no box marks counts as background.",
    ]
    return DataFacts(
        name=photos.name,
        kind="photos",
        repo=repo,
        said=tuple(filter(None, said)),
        splits=tuple(_split(split, each) for split, each in found.items() if each),
        columns=COLUMNS,
        sources=of_photos(photos.sources),
        limits=tuple(limits),
    )


def _split(split: Split, photos: tuple[LabelledPhoto, ...]) -> DataSplit:
    boxes = sum(len(each.boxes) for each in photos)
    sources = len({each.source for each in photos})
    said = f"{boxes:,} boxes, {sources:,} source{'s' * (sources != 1)}"
    # Where no photo has a box, nothing tells what that column holds, which `datasets` takes for another one.
    config = "default" if boxes else f"background_{NAMES[split]}"
    return DataSplit(NAMES[split], f"{NAMES[split]}/**", len(photos), said, config)
