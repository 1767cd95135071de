"""What may be wrong with a person's own photos: each is one sentence, and nothing is left or lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import SPLITS, PhotoSet, edit, read_photo_set
from training import detector_data
from training.detector import import_photos
from training.detector.voc import _pixels as voc_pixels

from .imported import FILES, ONE, findings, refused, rows, taken
from .labelled_photos import HEIGHT, WIDTH, YOLO, as_bytes, coco, photo, write, yolo, zipped

# ---- bad input


BOMB = {"a.jpg": b"\0" * (300 << 20)}
LABELS_ALONE = {name: what for name, what in yolo().items() if not name.endswith(".jpg")}
NO_BOX = "<annotation><object><name>a</name></object></annotation>"
BAD = {
    "no photo": ({"readme.txt": "hello"}, "x holds no photo"),
    "labels for photos that are not there": (
        {**LABELS_ALONE, "images/other.jpg": FILES["p0.jpg"]},
        "x has labels for 6 photos, such as labels/p0.txt, and none of them is there",
    ),
    "a class without a name": (
        yolo(line=f"5 {YOLO}\n"), "line 1 of labels/p0.txt is of class 5, but data.yaml names 2 parts, numbered 0 to 1"
    ),
    "a line that is none": (
        {**yolo(), "labels/p3.txt": f"0 {YOLO}\n0 nan 1 1 1\n"}, "line 2 of labels/p3.txt is no box"
    ),
    "no JSON": ({**FILES, "metadata.jsonl": rows(False) + "\n{"}, "line 4 of metadata.jsonl is no JSON"),
    "a class without a name in COCO": (
        coco({"p0.jpg": FILES["p0.jpg"]}, [("p0.jpg", 9, ONE)]),
        "is of class 9, which has no name; its classes are 1, 2",
    ),
    "half a COCO": (
        {**FILES, "c.json": '{"images": [{"id": 1}], "annotations": [], "categories": []}'},
        "c.json is no whole COCO file: 'file_name' is missing",
    ),
    "entities in XML": (
        {**FILES, "p0.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><annotation/>"}, "p0.xml defines entities"
    ),
    "no box in XML": (
        {**FILES, "p0.xml": NO_BOX}, "an object in p0.xml has no box"
    ),
    "no photo that opens": (
        {"images/a.jpg": b"junk", "labels/a.txt": f"0 {YOLO}", "classes.txt": "screw"},
        "of 1 photo none can be read: a.jpg is not a photo that can be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_nothing_is_left(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    files, wanted = BAD[case]
    assert wanted in refused(capsys, write(tmp_path / "x", files))
    assert wanted in refused(capsys, zipped(tmp_path / "x.zip", files)).replace("x.zip", "x")


def test_zips_that_are_no_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "corrupt.zip").write_bytes(zipped(tmp_path / "whole.zip", yolo()).read_bytes()[:-200])
    assert "corrupt.zip is no zip that can be read" in refused(capsys, tmp_path / "corrupt.zip")
    for name in ("../out.jpg", "/etc/out.jpg", "..\\out.jpg", "C:\\out.jpg"):
        said = refused(capsys, zipped(tmp_path / "climbs.zip", {**yolo(), name: FILES["p0.jpg"]}))
        assert "which climbs out of its folder" in said
    assert "would unpack to 0.3 GiB, as a trap does" in refused(capsys, zipped(tmp_path / "bomb.zip", BOMB))
    packed = zipped(tmp_path / "locked.zip", yolo()).read_bytes()
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flag that says it is locked
        start = packed.find(mark) + at
        packed = packed[:start] + b"\x01" + packed[start + 1 :]
    (tmp_path / "locked.zip").write_bytes(packed)
    assert "locked.zip is locked with a password" in refused(capsys, tmp_path / "locked.zip")
    assert "there is nothing at" in refused(capsys, tmp_path / "absent.zip")


def test_a_photo_damaged_in_the_zip_is_left_out_and_told(tmp_path: Path):
    path = zipped(tmp_path / "x.zip", yolo())
    content = path.read_bytes()
    start = (
        content.find(FILES["p2.jpg"][200:220]) if FILES["p2.jpg"][200:220] in content else content.find(b"p2.jpg") + 300
    )
    path.write_bytes(content[:start] + b"\xff\x00\xff\x00" + content[start + 4 :])
    assert len(taken(path).photos) == 5
    assert findings()["unreadable-files"]["photos"] == ["images/p2.jpg"]


def test_some_labels_without_photos_and_some_photos_that_do_not_open(tmp_path: Path):
    files = {**yolo(), "labels/gone.txt": f"0 {YOLO}", "images/bad.jpg": FILES["p0.jpg"][:400], "labels/bad.txt": ""}
    assert len(taken(write(tmp_path / "x", files)).photos) == 6
    assert findings()["photos-absent"]["photos"] == ["labels/gone.txt"]
    assert findings()["unreadable-files"]["photos"] == ["images/bad.jpg"]


def test_a_name_that_is_taken_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = write(tmp_path / "x", yolo())
    taken(folder)
    before = (PHOTO_SETS.folder("mine") / "annotations.coco.json").read_bytes()
    assert detector_data.main([str(folder), "--name", "mine"]) == 2
    assert "there are photos named mine already; take another name, or --add to them" in capsys.readouterr().err
    assert (PHOTO_SETS.folder("mine") / "annotations.coco.json").read_bytes() == before
    assert detector_data.main([str(folder), "--name", "../mine"]) == 2
    assert "'../mine' is no name for photos" in capsys.readouterr().err
    assert detector_data.main([str(folder)]) == 0
    assert PHOTO_SETS.folder("x").is_dir(), "without a name it takes the source's"


def test_a_full_disk(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    noise = np.random.default_rng(0).integers(0, 255, (8, 200, 300, 3), dtype=np.uint8)
    files = {f"n{n}.png": as_bytes(Image.fromarray(each), "PNG") for n, each in enumerate(noise)}
    said = refused(capsys, write(tmp_path / "x", coco(files, [("n0.png", 1, ONE)])))
    assert said.startswith("the disk is full")
    assert "free some space" in said


def test_an_import_that_is_stopped_leaves_nothing(home: Path, tmp_path: Path):
    folder = write(tmp_path / "x", yolo(40))
    for n in range(40):
        (folder / f"images/p{n}.jpg").write_bytes(as_bytes(photo(n, (1600, 1200))))
    words = [sys.executable, "-m", "training.detector_data", str(folder), "--name", "mine", "--progress-json"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    while '"done": 0' in (line := process.stderr.readline()) or '"done"' not in line:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert list(PHOTO_SETS.place().iterdir()) == []


def test_memory_does_not_grow_with_the_number_of_photos(tmp_path: Path):
    code = (
        "import resource, sys; from training import detector_data;"
        "detector_data.main(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (10, 80):
        folder = write(tmp_path / str(count), yolo(count))
        for n in range(count):
            (folder / f"images/p{n}.jpg").write_bytes(as_bytes(photo(n, (640, 480))))
        words = [sys.executable, "-c", code, str(folder), "--name", f"n{count}"]
        peaks.append(int(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-1]))
    assert peaks[1] - peaks[0] < 20_000, "KiB; the photos alone would be 62 MiB more"


def test_halves_of_imports_that_were_killed_are_taken_away(tmp_path: Path):
    half = PHOTO_SETS.place() / ".old.0123abcd"
    young = PHOTO_SETS.place() / ".new.0123abcd"
    for each in (half, young):
        (each / "photos").mkdir(parents=True)
    old = time.time() - 7200
    os.utime(half, (old, old))
    taken(write(tmp_path / "x", yolo()))
    assert (half.exists(), young.exists()) == (False, True)


# ---- values that are none


def coco_with(**changes: object) -> dict[str, object]:
    image = {"id": 0, "file_name": "p0.jpg", "width": WIDTH, "height": HEIGHT}
    note = {"id": 0, "image_id": 0, "category_id": 1, "bbox": list(ONE)}
    image |= {key: value for key, value in changes.items() if key in image}
    note |= {key: value for key, value in changes.items() if key in note}
    return {"images": [image], "annotations": [note], "categories": [{"id": 1, "name": "screw"}]}


@pytest.mark.parametrize(
    "changes", [{"width": float("inf")}, {"category_id": float("inf")}, {"bbox": [10**400, 1, 2, 3]}]
)
def test_numbers_without_an_end_are_refused_in_a_sentence(tmp_path: Path, home: Path, capsys, changes):
    folder = write(tmp_path / "in", {**FILES, "a.json": json.dumps(coco_with(**changes))})
    assert "a.json is no whole COCO file" in refused(capsys, folder)


def test_one_id_for_two_photos_is_refused(tmp_path: Path, home: Path, capsys):
    said = coco_with()
    said["images"].append({**said["images"][0], "file_name": "p1.jpg"})
    folder = write(tmp_path / "in", {**FILES, "a.json": json.dumps(said)})
    assert "two photos the id 0, p0.jpg and p1.jpg" in refused(capsys, folder)


@pytest.mark.parametrize(
    ("objects", "what"),
    [
        ({"bbox": [list(ONE)], "category": [["a"]]}, "has the category ['a']"),
        ({"bbox": [list(ONE)], "category": [None]}, "has the category None"),
        ({"bbox": [list(ONE)], "category": [float("nan")]}, "has the category nan"),
        ({"bbox": 3, "category": ["a"]}, "has 3 for its boxes"),
        ({"bbox": [[10**400, 1, 2, 3]], "category": ["a"]}, "which is none"),
    ],
)
def test_objects_that_are_none_are_refused(tmp_path: Path, home: Path, capsys, objects, what):
    row = {"file_name": "p0.jpg", "objects": objects}
    folder = write(tmp_path / "in", {**FILES, "metadata.jsonl": json.dumps(row)})
    assert what in refused(capsys, folder)


def test_sizes_that_are_none_and_empty_columns_are_borne(tmp_path: Path, home: Path):
    rows = [
        {"file_name": "p0.jpg", "width": "wide", "height": 1e999, "objects": {"bbox": [list(ONE)], "category": ["a"]}},
        {"file_name": "p1.jpg", "objects": {"bbox": None, "category": None}},
    ]
    folder = write(tmp_path / "in", {**FILES, "metadata.jsonl": "\n".join(map(json.dumps, rows))})
    made = taken(folder)
    assert len(made.photo("p0.jpg").boxes) == 1
    assert made.photo("p1.jpg").boxes == ()


def test_a_voc_size_and_a_yolo_split_that_are_none_are_borne(tmp_path: Path, home: Path):
    labels = {f"p{n}.txt": f"0 {YOLO}" for n in range(4)}
    folder = write(tmp_path / "in", {**FILES, **labels, "data.yaml": "names: [screw]\ntrain: 5\n"})
    assert taken(folder).parts == ("screw",)
    assert voc_pixels("inf") == voc_pixels("wide") == 0


def test_links_to_what_is_gone_and_pipes_are_passed_over(tmp_path: Path, home: Path):
    folder = write(tmp_path / "in", {**FILES, "a.json": json.dumps(coco_with())})
    (folder / "b.json").symlink_to("/nowhere/b.json")
    (folder / "q.jpg").symlink_to("/nowhere/q.jpg")
    os.mkfifo(folder / "c.json")
    assert len(taken(folder).photos) == 4


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_zip_is_told_however_it_is_packed(tmp_path: Path, home: Path, capsys, method):
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w", method) as packed:
        packed.writestr("a.json", json.dumps(coco_with()))
        packed.writestr("p0.jpg", FILES["p0.jpg"])
    content = bytearray(path.read_bytes())
    for place in range(60, 140):
        content[place] ^= 0x5A
    path.write_bytes(content)
    said = refused(capsys, path)
    assert "a.json" in said
    assert "None" not in said


def test_the_place_in_xmp_is_left_out(tmp_path: Path, home: Path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d exif:GPSLatitude="48,8N"/></x:xmpmeta>'
    path = tmp_path / "in" / "p0.jpg"
    write(path.parent, {**FILES, "a.json": json.dumps(coco_with())})
    photo(0).save(path, "JPEG", quality=95, xmp=xmp)
    assert b"GPSLatitude" in path.read_bytes()
    made = taken(path.parent)
    assert not any(b"GPSLatitude" in made.path(each).read_bytes() for each in made.photos)


def test_the_address_in_a_readme_is_none_of_a_picture(tmp_path: Path, home: Path):
    readme = '<img src="https://a.example/x/95.jpg"> ![](https://a.example/b.svg) see "https://a.example/data".'
    write(tmp_path / "in", {**FILES, "a.json": json.dumps(coco_with()), "README.md": readme})
    assert taken(tmp_path / "in").sources[0].url == "https://a.example/data"


def test_photos_added_later_leave_made_ones_where_they_are(tmp_path: Path, home: Path):
    taken(write(tmp_path / "in", yolo(12)))

    def with_scenes(now: PhotoSet) -> PhotoSet:
        first = next(each for each in now.photos if each.split == "train")
        for number in range(3):
            name = f"pasted-{number:06}.jpg"
            shutil.copy(now.path(first), now.folder / "photos" / name)
            scene = replace(first, name=name, source="pasted")
            now = replace(now, photos=(*now.photos, scene))
        return now

    edit(PHOTO_SETS.folder("mine"), with_scenes)
    more = {f"new{n}.jpg": as_bytes(photo(50 + n)) for n in range(3)}
    write(tmp_path / "more", {**more, **{f"new{n}.txt": f"0 {YOLO}" for n in range(3)}, "classes.txt": "screw"})
    assert detector_data.main([str(tmp_path / "more"), "--add", "mine"]) == 0
    after = read_photo_set(PHOTO_SETS.folder("mine"))
    assert [(each.source, each.split) for each in after.photos if each.name.startswith("pasted")] == [
        ("pasted", "train")
    ] * 3
    assert len(after.photos) == 18


def test_labels_of_folders_are_kept_where_nobody_has_labelled_yet(tmp_path: Path, home: Path):
    files = {f"{split}/{split}{n}.jpg": as_bytes(photo(10 * k + n)) for k, split in enumerate(SPLITS) for n in range(2)}
    write(tmp_path / "in", files)
    made = taken(tmp_path / "in", "--unlabelled")
    assert all(each.name.startswith(each.split) for each in made.photos)


@pytest.mark.parametrize("source", ["", " ", "hub:"])
def test_a_source_without_a_name_is_not_the_folder_one_is_in(home: Path, capsys, source):
    assert "a source has no name" in refused(capsys, source)


def test_what_a_killed_import_left_is_neither_overwritten_nor_in_the_way(tmp_path: Path, home: Path):
    folder = taken(write(tmp_path / "in", yolo(6))).folder
    (folder / "photos" / "new.jpg").write_bytes(b"left")
    write(tmp_path / "more", {"new.jpg": as_bytes(photo(50)), "new.txt": f"0 {YOLO}", "classes.txt": "screw"})
    assert detector_data.main([str(tmp_path / "more"), "--add", "mine"]) == 0
    assert (folder / "photos" / "new.jpg").read_bytes() == b"left"
    assert len(read_photo_set(folder).photo("new-2.jpg").boxes) == 1


def test_photos_that_came_in_meanwhile_are_not_overwritten(tmp_path: Path, home: Path, capsys, monkeypatch):
    folder = taken(write(tmp_path / "in", yolo(6))).folder
    write(tmp_path / "more", {"new.jpg": as_bytes(photo(50)), "new.txt": f"0 {YOLO}", "classes.txt": "screw"})
    was = import_photos.number

    def meanwhile(*words):
        monkeypatch.setattr(import_photos, "_taken_names", lambda before: set())
        (folder / "photos" / "new.jpg").write_bytes(b"another's")
        return was(*words)

    monkeypatch.setattr(import_photos, "number", meanwhile)
    assert detector_data.main([str(tmp_path / "more"), "--add", "mine"]) == 2
    assert "was changed meanwhile" in capsys.readouterr().err
    assert (folder / "photos" / "new.jpg").read_bytes() == b"another's"
    assert len(read_photo_set(folder).photos) == 6
