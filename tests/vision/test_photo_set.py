"""Labelled photos are kept whole, as plain COCO, and two who change them at once lose nothing."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from faster_coco_eval import COCO
from filelock import FileLock

from repairai import named_sets
from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import (
    ANNOTATIONS,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    edit,
    read_photo_set,
    with_boxes,
    write_photo_set,
)  # fmt: skip


@pytest.fixture
def photos(home) -> PhotoSet:
    boxes = (
        LabelledBox("screw", (1.5, 2, 11.25, 12), "person", True),
        LabelledBox("hole", (3, 4, 9, 9), "model:builtin", False, 0.625),
    )
    folder = PHOTO_SETS.folder("bench")
    made = PhotoSet(
        folder,
        ("screw", "hole"),
        (
            LabelledPhoto("a.jpg", 640, 480, boxes, "val", "a", "a.rf.123.jpg"),
            LabelledPhoto("b.jpg", 64, 48),
            LabelledPhoto("c.jpg", 64, 48, labelled=False),
        ),
        (PhotoSource("mine", "CC0-1.0", "", 3),),
        (7, 2),
    )
    write_photo_set(made)
    return made


def test_what_is_written_is_read_back(photos):
    assert read_photo_set(photos.folder) == photos
    assert PHOTO_SETS.names() == ("bench",)


def test_it_is_plain_coco(photos):
    coco = COCO(str(photos.folder / ANNOTATIONS))
    assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == ["screw", "hole"]
    (first, _) = coco.loadAnns(coco.getAnnIds(imgIds=[0]))
    assert (first["bbox"], first["area"]) == ([1.5, 2, 9.75, 10], 97.5)


def test_only_labelled_photos_train(photos):
    assert [each.name for each in photos.of("train")] == ["b.jpg"]


def test_a_new_part_becomes_the_last(photos):
    changed = with_boxes(photos, "b.jpg", (LabelledBox("clip", (0, 0, 5, 5), "person", True),))
    assert changed.parts == ("screw", "hole", "clip")
    write_photo_set(changed)
    assert read_photo_set(photos.folder).photo("b.jpg").boxes[0].part == "clip"


def test_changes_at_once_lose_nothing(photos):
    def one_more(each: PhotoSet) -> PhotoSet:
        number = len(each.photos)
        return replace(each, photos=(*each.photos, LabelledPhoto(f"n{number}.jpg", 9, 9)))

    workers = [threading.Thread(target=edit, args=(photos.folder, one_more)) for _ in range(12)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(read_photo_set(photos.folder).photos) == 15


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "x"}]}', '{"images": 3}'],
)
def test_a_damaged_file_is_one_sentence(photos, text):
    (photos.folder / ANNOTATIONS).write_text(text)
    with pytest.raises(RepairError, match=r"annotations.coco.json is damaged"):
        read_photo_set(photos.folder)


def test_a_photo_outside_the_folder_is_refused(photos):
    path = photos.folder / ANNOTATIONS
    data = json.loads(path.read_text())
    data["images"][0]["file_name"] = "../../secret.jpg"
    path.write_text(json.dumps(data))
    with pytest.raises(RepairError, match="without a path"):
        read_photo_set(photos.folder)


def test_no_folder_is_one_sentence(tmp_path: Path):
    with pytest.raises(RepairError, match="holds no annotations"):
        read_photo_set(tmp_path)


def test_whoever_is_long_at_a_set_is_told_of(home, monkeypatch):
    made = PhotoSet(PHOTO_SETS.folder("bench"), (), ())
    write_photo_set(made)
    monkeypatch.setattr(named_sets, "LOCK_SECONDS", 0.05)
    with FileLock(made.folder / ".lock"), pytest.raises(RepairError, match="bench is being changed"):
        edit(made.folder, lambda photos: photos)


@pytest.mark.parametrize("text", ['{"info": [], "images": [], "annotations": [], "categories": []}', "[]", "1"])
def test_a_file_of_another_make_is_called_damaged(home, text):
    folder = PHOTO_SETS.folder("bench")
    folder.mkdir(parents=True)
    (folder / ANNOTATIONS).write_text(text)
    with pytest.raises(RepairError, match="damaged"):
        read_photo_set(folder)
