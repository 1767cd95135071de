"""`photos`: what a detector learns from: imported, looked through, mended, labelled, listed, shown and deleted."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands import label, sets, transfer
from repairai.commands.deletion import delete
from repairai.commands.script import run_script
from repairai.commands.words import noun, print_json, verb, whole

if TYPE_CHECKING:
    from repairai.vision.photo_set import PhotoSet

SCRIPT = "training.detector_data"
FORMATS = ("auto", "coco", "yolo", "voc", "imagefolder", "hub")
_MOST = 10**9
_SPLITS = ("train", "val", "test")


def add_words(verbs: Any) -> None:
    """Add `photos` and its verbs to the command line."""
    verbs = noun(verbs, "photos", "what a detector learns from: your own photos with boxes", __doc__ or "")
    _add_import(verbs)
    verb(verbs, "list", _list, "the sets of photos")
    show = verb(verbs, "show", _show, "a set's parts, splits, sources and findings; or the boxes on one of its photos")
    _name(show)
    show.add_argument("photo", nargs="?", metavar="PHOTO")
    doctor = verb(verbs, "doctor", _doctor, "look through a set for what would spoil a training")
    _name(doctor)
    doctor.add_argument(
        "--image-px", type=whole(32, 4096), metavar="PX",
        help="side of the detector's input, as its recipe says it (default: as the last time; 640 at first)",
    )  # fmt: skip
    mend = verb(verbs, "mend", _mend, "mend what the doctor found")
    _name(mend)
    mend.add_argument("findings", nargs="+", metavar="FINDING")
    names = verb(verbs, "names", _names, "give parts other names, as in `photos names bench 0=screw 1=hole`")
    _name(names)
    names.add_argument("names", nargs="+", metavar="OLD=NEW")
    _name(verb(verbs, "delete", _delete, "delete a set; refused while a run that needs it is at work or waits"))
    transfer.add_push(verbs, _push, "send a set to the Hub, with its card; `data pull` brings one back")
    label.add_words(verbs)


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _add_import(verbs: Any) -> None:
    parser = verb(verbs, "import", _import, "make a set of photos from COCO, YOLO, Pascal VOC, ImageFolder or the Hub")
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="a folder, a zip, or hub:OWNER/NAME")
    into = parser.add_mutually_exclusive_group()
    into.add_argument("--name", help="of the new set (default: the source's)")
    into.add_argument("--add", metavar="NAME", help="put the photos into this set, which is there already")
    add("--format", choices=FORMATS, help="of the labels (default: found out)")
    add("--licence", help="of sources that do not say one; goes onto the card of what is trained")
    add("--url", help="where the photos can be found; the same")
    add("--rename", action="append", metavar="OLD=NEW", help="a class, by name or number; may be given again")
    add("--drop", action="append", metavar="PART", help="leave a class out, by name or number; may be given again")
    add("--merge", action="store_true", help="make classes of one name one part")
    add("--unlabelled", action="store_true", help="take photos without any labels, to draw boxes later")
    add("--seed", type=whole(0, _MOST), help="of the splits (default: 7)")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what} on standard error")


# ---- what the script does


def _import(chosen: argparse.Namespace) -> int:
    words: list[str] = []
    for name, value in vars(chosen).items():
        flag = f"--{name.replace('_', '-')}"
        if name in ("run", "sources") or value is None or value is False:
            continue
        words += (
            [flag] if value is True else [f"{flag}={each}" for each in (value if isinstance(value, list) else [value])]
        )
    return run_script(SCRIPT, [*words, "--", *chosen.sources])


def _doctor(chosen: argparse.Namespace) -> int:
    side = [] if chosen.image_px is None else [f"--image-px={chosen.image_px}"]
    return _started("doctor", chosen, [], side)


def _mend(chosen: argparse.Namespace) -> int:
    return _started("mend", chosen, chosen.findings)


def _names(chosen: argparse.Namespace) -> int:
    return _started("names", chosen, chosen.names)


def _started(word: str, chosen: argparse.Namespace, more: list[str], flags: Sequence[str] = ()) -> int:
    from repairai.named_sets import PHOTO_SETS

    PHOTO_SETS.known(chosen.name)
    return run_script(SCRIPT, [word, *(["--json"] if chosen.json else []), *flags, "--", chosen.name, *more])


# ---- looking


def _list(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import PHOTO_SETS

    none = "there are no photos yet: `photos import SOURCE`"
    names, folder = PHOTO_SETS.names(), PHOTO_SETS.folder
    return sets.print_sets(names, lambda name: _about(folder(name)), _line, none, chosen.json)


def _line(about: sets.About) -> str:
    return f"{about['name']}  {_counts(about)}; {', '.join(about['parts']) or 'no parts yet'}; {_found(about)}"


def _about(folder: Path) -> sets.About:
    """Return the report of a set; of one that was changed since, what its photos tell, with the findings of before."""
    from repairai.runs.folder import read_json
    from repairai.vision.photo_set import REPORT, SPLITS, is_report_stale, read_photo_set

    report = read_json(folder / REPORT)
    stale = is_report_stale(folder, report)
    own = {"name": folder.name, "folder": str(folder), "stale": stale}
    if not stale:
        return {**report, **own}
    photos = read_photo_set(folder)
    findings = report.get("findings")
    return {
        **own, "photos": len(photos.photos),
        "parts": {part: _part(photos, part) for part in photos.parts},
        "splits": {split: len(photos.of(split)) for split in SPLITS},
        "sources": [vars(each) for each in photos.sources],
        "findings": findings if isinstance(findings, list) else None,
    }  # fmt: skip


def _part(photos: PhotoSet, part: str) -> dict[str, Any]:
    having = [each for each in photos.photos if any(box.part == part for box in each.boxes)]
    boxes = sum(box.part == part for each in having for box in each.boxes)
    splits = {split: sum(each.split == split for each in having) for split in _SPLITS}
    return {"photos": len(having), "boxes": boxes, "splits": splits}


def _counts(about: sets.About) -> str:
    return f"{about['photos']:,} photos ({sets.splits_in_words(about['splits'])})"


def _found(about: sets.About) -> str:
    if about["findings"] is None:
        return "not looked through yet"
    if about["stale"]:
        return "changed since the doctor looked"
    return sets.findings_in_words(about["findings"])


def _show(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import PHOTO_SETS

    folder = PHOTO_SETS.known(chosen.name)
    if chosen.photo:
        return _show_photo(folder, chosen.photo, chosen.json)
    about = _about(folder)
    if chosen.json:
        print_json(about)
        return 0
    print(f"{about['name']}: {_counts(about)}\n{about['folder']}\n")
    for part, counts in about["parts"].items():
        splits = sets.splits_in_words(counts["splits"])
        print(f"{part}: {counts['boxes']:,} boxes on {counts['photos']:,} photos ({splits})")
    sets.print_sources(about["sources"])
    if about["stale"]:
        print(f"changed since the doctor looked: `photos doctor {about['name']}` looks again")
    for each in about["findings"] or ():
        print(f"{each['severity']}  {each['id']}: {each['said']}")
    return 0


def _show_photo(folder: Path, name: str, as_json: bool) -> int:
    from repairai.files import to_data
    from repairai.vision.photo_set import read_photo_set

    photos = read_photo_set(folder)
    photo = photos.photo(name)
    if as_json:
        print_json({**to_data(photo), "path": str(photos.path(photo))})
        return 0
    print(f"{photo.name}: {photo.width} x {photo.height} px, {photo.split}, from {photo.origin or 'here'}")
    print(photos.path(photo))
    for box in photo.boxes:
        edges = ", ".join(f"{edge:g}" for edge in box.box)
        print(f"{box.part}: {edges}, by {box.by}{', checked' if box.checked else ''}")
    if not photo.boxes:
        print("nothing is on it" if photo.labelled else "nobody said yet what is on it")
    return 0


def _push(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import PHOTO_SETS
    from repairai.runs import parcels

    PHOTO_SETS.known(chosen.source)
    return transfer.push(chosen, parcels.of_photo_set(chosen.source, chosen.repo))


def _delete(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import PHOTO_SETS

    return delete(PHOTO_SETS, chosen)
