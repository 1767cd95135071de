"""Labelled photos: each box of a part is cut out, and the part that it is answers the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from repairai.errors import RepairError
from repairai.judge.region import padded
from repairai.judge.state_set import MadeBy
from repairai.named_sets import PHOTO_SETS
from repairai.schema import Box
from repairai.vision.photo import Photo, read_photo
from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, read_photo_set
from training.detector.alike import look_of
from training.judge.places import named, place_words
from training.judge.shown import Answer, Offered, Shown, Task, as_file, cut
from training.judge.wanted import Source


def offered(wanted: Source) -> Offered:
    """Return the photos of a set that show one of the two parts; photos that nobody has labelled are left out.

    Raises:
        RepairError: There is no such set, or it does not know the parts.
    """
    photos = read_photo_set(PHOTO_SETS.known(wanted.photos))
    answers: dict[str, Answer] = {}
    for part, answer in ((wanted.yes_part, "yes"), (wanted.no_part, "no")):
        if part and part not in photos.parts:
            raise RepairError(f"{wanted.photos} has no part {part!r:.60}", f"take one of {', '.join(photos.parts)}")
        if part:
            answers[part] = "yes" if answer == "yes" else "no"
    if len(answers) < bool(wanted.yes_part) + bool(wanted.no_part):
        raise RepairError(f"{wanted.yes_part} is to answer yes and no", "give two parts")
    tasks, left = [], {}
    for photo in photos.photos:
        boxes = [box for box in photo.boxes if box.part in answers]
        if not photo.labelled or not boxes:
            continue
        words = place_words([box.box for box in boxes]) if wanted.positions else [""] * len(boxes)
        if words is None:
            left[photo.name] = "its boxes form no grid by which they could be named"
            continue
        tasks.append(Task(photo.name, partial(_shown, photos, photo, boxes, words, answers, wanted)))
    if not tasks:
        why = next(iter(left.values()), f"none of its labelled photos shows {' or '.join(answers)}")
        raise RepairError(f"nothing is taken from {wanted.photos}: {why}", "take other parts, or leave positions out")
    licences = {each.licence for each in photos.sources if each.licence}
    urls = [each.url for each in photos.sources if each.url]
    return Offered(wanted.photos, tasks, left, " and ".join(sorted(licences)), urls[0] if len(urls) == 1 else "")


def _shown(
    photos: PhotoSet, photo: LabelledPhoto, boxes: Sequence[LabelledBox], words: Sequence[str],
    answers: Mapping[str, Answer], wanted: Source,
) -> list[Shown]:  # fmt: skip
    opened = read_photo(photos.path(photo))
    look = None if photo.made else look_of(opened.pixels)
    made_by: MadeBy = "rendered" if photo.made else "import"
    split = {"": "train" if photo.made else photo.split, "shared": ""}.get(wanted.split, wanted.split)
    found = []
    for box, place in zip(boxes, words, strict=True):
        region, identity = _region(opened, box)
        pixels = cut(opened.pixels, region)
        content, suffix = as_file(pixels)
        found.append(
            Shown(
                f"{wanted.photos}/{photo.name}", identity, content, suffix, (pixels.shape[1], pixels.shape[0]),
                _source(photo), look, named(wanted.question, place), named(wanted.opposite, place),
                answers[box.part], split, made_by,
            )
        )  # fmt: skip
    return found


def _source(photo: LabelledPhoto) -> str:
    """Return what a photo was made from; scenes that were made show each a thing of their own, and are trained on."""
    return f"{photo.source}/{photo.name}" if photo.made else photo.source or photo.name


def _region(opened: Photo, box: LabelledBox) -> tuple[Box, str]:
    """Return where a reasoner would look if the detector had found the box, and by what this is met again."""
    height, width = opened.pixels.shape[:2]
    edges = ",".join(f"{edge:.0f}" for edge in box.box)
    return padded(box.box, width, height), f"{opened.sha256}:{edges}"
