"""A person's own photos become a set: every format and every layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets
import numpy as np
import pytest
import supervision as sv
from PIL import Image

from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import SPLITS, PhotoSet, read_photo_set
from training import detector_data
from training.detector.photos_in import LONGEST_PX

from .imported import FILES, ONE, boxes, findings, refused, rows, taken
from .labelled_photos import BOX, HEIGHT, SIDEWAYS, WIDTH, YOLO, as_bytes, coco, photo, voc, write, yolo, zipped

# ---- the real sets, against supervision's reading of them


def same_as(read: sv.DetectionDataset, photos: PhotoSet, folder: str) -> None:
    own = {each.origin.rpartition("/")[2]: each for each in photos.photos if each.origin.startswith(folder)}
    assert len(own) == len(read.image_paths)
    for path in read.image_paths:
        theirs, ours = read.annotations[path], own[Path(path).name]
        assert [read.classes[number] for number in theirs.class_id] == [box.part for box in ours.boxes]
        edges = np.array([box.box for box in ours.boxes]).reshape(-1, 4)
        np.testing.assert_allclose(edges, np.clip(theirs.xyxy, 0, [ours.width, ours.height] * 2), atol=1.01)


def test_a_roboflow_export_in_yolo(shared: Path):
    folder = shared / "screws_amv"
    photos = taken(folder)
    for part in ("train", "valid"):
        place = folder / part
        read = sv.DetectionDataset.from_yolo(str(place / "images"), str(place / "labels"), str(folder / "data.yaml"))
        same_as(read, photos, part)
    assert photos.parts == ("Black screw", "Long screw", "Medium screw", "Short screw")
    assert photos.original_ids == (0, 1, 2, 3)
    assert (photos.sources[0].licence, photos.sources[0].photos) == ("CC BY 4.0", 230)
    assert photos.sources[0].url.startswith("https://universe.roboflow.com/amv-ycxdl/screw-detection")
    sources = {split: {each.source for each in photos.of(split)} for split in SPLITS}
    assert len(sources["train"] | sources["test"]) == 70, "each photo stands there three times"
    assert not sources["train"] & sources["test"]
    assert {each.origin.split("/")[0] for each in photos.of("val")} == {"valid"}, "its own split is kept"


def test_a_roboflow_export_in_coco_with_its_dirt(shared: Path):
    photos = taken(shared / "ewaste_coco")
    place = shared / "ewaste_coco" / "valid"
    same_as(sv.DetectionDataset.from_coco(str(place), str(place / "_annotations.coco.json")), photos, "valid")
    assert photos.parts == ("0", "1", "2", "3", "4", "5"), "its class 0, which stands above them, is none"
    assert photos.original_ids == (1, 2, 3, 4, 5, 6)
    assert photos.sources[0].licence == "CC BY 4.0"
    assert photos.sources[0].url == "https://universe.roboflow.com/object-detection/e-waste-mx8fq"
    assert findings()["digits"]["mend_said"].startswith("photos names mine 0=NAME 1=NAME")
    assert all(len(photos.of(split)) > 20 for split in SPLITS), "its one split is no split"


def test_coco_beside_its_folder_of_photos(shared: Path):
    folder = shared / "screws_presence"
    photos = taken(folder, "--url", "https://example.org/screws")
    same_as(sv.DetectionDataset.from_coco(str(folder / "photos"), str(folder / "annotations.coco.json")), photos, "")
    assert sum(len(each.boxes) for each in photos.photos) == 400
    assert (photos.sources[0].licence, photos.sources[0].url) == ("Apache-2.0", "https://example.org/screws")
    assert "leak" not in findings(), "photos of one block are not copies of one photo"


# ---- formats


def moved(files: dict[str, bytes | str], *pairs: tuple[str, str]) -> dict[str, bytes | str]:
    for old, new in pairs:
        files = {new + name.removeprefix(old) if name.startswith(old) else name: what for name, what in files.items()}
    return files


LAYOUTS = {
    "images with labels": yolo(),
    "a folder above": {f"export/{name}": what for name, what in yolo().items()},
    "splits below": moved(yolo(), ("images/p", "images/train/p"), ("labels/p", "labels/train/p")),
    "labels beside": moved(yolo(), ("labels/", "images/")),
    "names as a dict": yolo(names="nc: 2\nnames:\n  0: screw\n  1: hole\n"),
    "classes.txt": {**yolo(names=""), "classes.txt": "screw\nhole\n\n"},
    "darknet": moved({**yolo(names=""), "data/obj.names": "screw\nhole"}, ("images/", "obj/"), ("labels/", "obj/")),
    "label studio": {
        **yolo(names=""), "notes.json": '{"categories": [{"id": 0, "name": "screw"}, {"id": 1, "name": "hole"}]}'
    },
    "with scores": yolo(line=f"0 {YOLO} 0.9\n"),
    "polygons": yolo(line="0 0.125 0.125 0.5 0.125 0.5 0.625 0.125 0.625\n"),
    "capital letters": moved(yolo(), ("images/p", "Images/P"), ("labels/", "Labels/")),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_every_layout_of_yolo(layout: str, packed: bool, tmp_path: Path):
    place = zipped(tmp_path / "x.zip", LAYOUTS[layout]) if packed else write(tmp_path / "x", LAYOUTS[layout])
    photos = taken(place)
    assert photos.parts == ("screw", "hole")
    found = {stem.lower(): own for stem, own in boxes(photos).items()}
    assert found == {f"p{number}": [(("screw", "hole")[number % 2], BOX)] for number in range(6)}


def test_splits_by_lists_and_by_folders_of_another_name(tmp_path: Path):
    lists = {"train.txt": "./images/p0.jpg\n./images/p1.jpg\n", "val.txt": "/home/me/images/p2.jpg\nimages/p3.jpg\n"}
    names = "train: train.txt\nval: val.txt\ntest: images/last\nnames: [screw, hole]\n"
    files = moved(yolo(names=names), ("images/p5", "images/last/p5"), ("labels/p5", "labels/last/p5"))
    photos = taken(write(tmp_path / "x", {**files, **lists}))
    splits = {each.origin.rpartition("/")[2]: each.split for each in photos.photos}
    assert splits == {
        "p0.jpg": "train", "p1.jpg": "train", "p2.jpg": "val", "p3.jpg": "val", "p4.jpg": "train", "p5.jpg": "test"
    }  # fmt: skip


def test_two_photos_of_one_name_keep_their_own_labels(tmp_path: Path):
    files = {}
    for number, split in enumerate(("train", "val", "test")):
        files[f"{split}/images/a.jpg"] = as_bytes(photo(number))
        files[f"{split}/labels/a.txt"] = f"{number} {YOLO}\n"
    photos = taken(write(tmp_path / "x", {**files, "data.yaml": "names: [a, b, c]"}))
    assert sorted((each.split, each.boxes[0].part) for each in photos.photos) == [
        ("test", "c"), ("train", "a"), ("val", "b")
    ]  # fmt: skip
    assert sorted(each.name for each in photos.photos) == ["a-2.jpg", "a-3.jpg", "a.jpg"]


def test_coco_with_a_file_for_each_split(tmp_path: Path):
    files: dict[str, bytes | str] = {}
    for number, split in enumerate(("train", "val")):
        name = f"00{number}.jpg"
        part = coco({name: as_bytes(photo(number))}, [(name, 1, ONE)])
        files[f"{split}2017/{name}"] = part[name]
        files[f"annotations/instances_{split}2017.json"] = part["_annotations.coco.json"]
    files["annotations/captions.json"] = '{"hello": 1}'
    photos = taken(write(tmp_path / "x", files))
    assert [(each.split, each.boxes[0].box) for each in photos.photos] == [("train", BOX), ("val", BOX)]
    assert photos.parts == ("screw", "hole")
    assert "empty-part" in findings()


def test_polygons_and_paths_of_another_machine_in_coco(tmp_path: Path):
    files = coco({"p0.jpg": FILES["p0.jpg"]}, [("p0.jpg", 2, ())])
    data = json.loads(files["_annotations.coco.json"])
    data["annotations"][0]["segmentation"] = [[12, 9, 48, 9], [48, 45, 12, 45]]
    data["images"][0]["file_name"] = "C:\\Users\\me\\P0.JPG"
    files["_annotations.coco.json"] = json.dumps(data)
    assert boxes(taken(write(tmp_path / "x", files))) == {"p0": [("hole", BOX)]}


def test_nothing_in_coco_is_lost_without_a_word(tmp_path: Path):
    files = coco({"p0.jpg": FILES["p0.jpg"]}, [("p0.jpg", 1, ONE), ("p0.jpg", 2, ONE), ("p0.jpg", 2, ONE)])
    data = json.loads(files["_annotations.coco.json"])
    data["annotations"][1]["iscrowd"] = 1
    data["annotations"][2]["image_id"] = 99
    files |= {"p1.jpg": FILES["p1.jpg"], "_annotations.coco.json": json.dumps(data)}
    photos = taken(write(tmp_path / "x", files))
    assert boxes(photos) == {"p0": [("screw", BOX)], "p1": []}
    assert findings()["crowds"]["photos"] == ["p0.jpg"]
    assert findings()["photos-absent"]["photos"] == ["image 99 of annotation 2"]
    assert findings()["unlabelled"]["photos"] == ["p1.jpg"]


def test_names_that_a_mac_writes_in_another_way(tmp_path: Path):
    apart, whole = "mu\u0308ll", "m\u00fcll"
    files = {f"images/{apart}.jpg": FILES["p0.jpg"], f"labels/{whole}.txt": f"0 {YOLO}", "classes.txt": "screw"}
    assert list(boxes(taken(zipped(tmp_path / "x.zip", files))).values()) == [[("screw", BOX)]]


def test_pascal_voc(tmp_path: Path):
    files: dict[str, bytes | str] = {"ImageSets/Main/val.txt": "p1\n", "ImageSets/Main/train.txt": "p0\np2\np3\n"}
    for number in range(4):
        files[f"JPEGImages/p{number}.jpg"] = FILES[f"p{number}.jpg"]
        files[f"Annotations/p{number}.xml"] = voc("renamed.jpg", ("screw", "hole")[number % 2])
    files["JPEGImages/bare.jpg"] = as_bytes(photo(9))
    photos = taken(zipped(tmp_path / "x.zip", files))
    assert photos.parts == ("hole", "screw")
    assert boxes(photos) == {
        "bare": [], "p0": [("screw", BOX)], "p1": [("hole", BOX)], "p2": [("screw", BOX)], "p3": [("hole", BOX)]
    }  # fmt: skip
    assert next(each.split for each in photos.photos if each.name == "p1.jpg") == "val"
    assert findings()["unlabelled"]["photos"] == ["bare.jpg"]


@pytest.mark.parametrize("corners", [False, True], ids=["xywh", "xyxy"])
def test_an_image_folder_tells_by_its_boxes_what_they_are(corners: bool, tmp_path: Path):
    photos = taken(
        write(tmp_path / "x", {**{f"train/{n}": FILES[n] for n in FILES}, "train/metadata.jsonl": rows(corners)})
    )
    assert boxes(photos)["p1"] == [("screw", BOX), ("hole", (50.0, 40.0, 90.0, 70.0))]
    assert photos.parts == ("hole", "screw")
    assert findings()["unlabelled"]["photos"] == ["p3.jpg"]


@pytest.mark.parametrize("listed", [False, True], ids=["columns", "objects"])
def test_a_dataset_of_the_hub(listed: bool, tmp_path: Path):
    kind = datasets.ClassLabel(names=["screw", "hole"])
    each = {"bbox": datasets.List(datasets.Value("float32"), 4), "category": kind}
    columns = {name: datasets.List(value) for name, value in each.items()}
    features = datasets.Features(
        {"image": datasets.Image(), "width": datasets.Value("int32"), "height": datasets.Value("int32"),
         "objects": datasets.List(each) if listed else columns}
    )  # fmt: skip
    one = [{"bbox": ONE, "category": 1}] if listed else {"bbox": [ONE], "category": [1]}
    found = [{"image": photo(n), "width": WIDTH, "height": HEIGHT, "objects": one} for n in range(4)]
    for name, part in (("train", found[:3]), ("validation", found[3:])):
        path = tmp_path / "repo" / "data" / f"{name}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        datasets.Dataset.from_list(part, features=features).to_parquet(path)
    (tmp_path / "repo" / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    photos = taken(f"hub:{tmp_path / 'repo'}")
    assert (photos.parts, photos.original_ids) == (("screw", "hole"), (0, 1))
    assert [[box.box for box in own.boxes] for own in photos.photos] == [[BOX]] * 4
    assert len(photos.of("val")) == 1
    assert photos.sources[0].licence == "cc-by-4.0"
    assert photos.sources[0].name == "repo"


def test_a_hub_repository_of_yolo_files_is_read_as_its_files(tmp_path: Path):
    assert taken(f"hub:{write(tmp_path / 'repo', yolo())}").parts == ("screw", "hole")


# ---- classes


def test_classes_are_renamed_dropped_and_numbered_from_0(tmp_path: Path):
    notes = [("p0.jpg", 7, ONE), ("p1.jpg", 3, ONE), ("p2.jpg", 9, ONE)]
    files = coco({name: FILES[name] for name in list(FILES)[:3]}, notes, [(7, "0"), (3, "7"), (9, "other")])
    photos = taken(write(tmp_path / "x", files), "--rename", "0=screw", "--rename", "7=hole", "--drop", "9")
    assert photos.parts == ("hole", "screw"), "a name goes before a number"
    assert photos.original_ids == (3, 7)
    assert boxes(photos) == {"p0": [("screw", BOX)], "p1": [("hole", BOX)], "p2": []}


def test_two_classes_of_one_name_are_merged_where_that_is_wanted(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    notes = [("p0.jpg", 1, ONE), ("p1.jpg", 4, ONE)]
    folder = write(
        tmp_path / "x", coco({name: FILES[name] for name in list(FILES)[:2]}, notes, [(1, "nut"), (4, "nut")])
    )
    said = refused(capsys, folder)
    assert said == (
        "classes 1 and 4 of x have one name, 'nut'; make them one part with --merge, "
        "or give one another name, as --rename 4=NAME.\n"
    )  # fmt: skip
    assert boxes(taken(folder, "--merge")) == {"p0": [("nut", BOX)], "p1": [("nut", BOX)]}
    shutil.rmtree(PHOTO_SETS.folder("mine"))
    assert taken(folder, "--rename", "4=bolt").parts == ("nut", "bolt")


# ---- photos


def turned(size: tuple[int, int], box: tuple[float, ...], orientation: int = SIDEWAYS) -> dict[str, bytes | str]:
    stored = photo(1)  # 96 x 72 as it is stored; 72 x 96 when it is upright
    return coco({"a.jpg": as_bytes(stored, orientation=orientation)}, [("a.jpg", 1, box)], sizes={"a.jpg": size})


UPRIGHT = (27.0, 12.0, 63.0, 48.0)
"""Where BOX of the stored photo lies when a quarter turn to the right has made it upright."""


def test_boxes_of_turned_photos_are_told_by_the_size_that_goes_with_them(tmp_path: Path):
    photos = taken(write(tmp_path / "x", turned((WIDTH, HEIGHT), ONE)))
    assert boxes(photos) == {"a": [("screw", UPRIGHT)]}
    assert (photos.photos[0].width, photos.photos[0].height) == (HEIGHT, WIDTH)
    stored = Image.open(photos.path(photos.photos[0]))
    assert stored.size == (HEIGHT, WIDTH)
    assert 0x0112 not in stored.getexif()
    assert "exif" not in findings()
    shutil.rmtree(photos.folder)
    assert boxes(taken(write(tmp_path / "y", turned((HEIGHT, WIDTH), (27, 12, 36, 36))))) == {"a": [("screw", UPRIGHT)]}


def test_where_nothing_tells_a_person_is_asked_and_mends_it(tmp_path: Path):
    files: dict[str, bytes | str] = {
        "images/a.jpg": as_bytes(photo(1), orientation=SIDEWAYS), "labels/a.txt": f"0 {YOLO}\n", "classes.txt": "screw"
    }  # fmt: skip
    photos = taken(write(tmp_path / "x", files))
    assert boxes(photos)["a"] == [("screw", (9.0, 12.0, 36.0, 60.0))], "the shares are taken of the upright photo"
    assert findings()["exif"]["mend"] == "exif"
    assert detector_data.main(["mend", "mine", "exif"]) == 0
    assert boxes(read_photo_set(photos.folder))["a"] == [("screw", UPRIGHT)]
    assert "exif" not in findings()
    detector_data.main(["mend", "mine", "exif"])
    assert boxes(read_photo_set(photos.folder))["a"] == [("screw", UPRIGHT)], "they are turned once"


def test_large_photos_are_shrunk_with_their_boxes(tmp_path: Path):
    large = as_bytes(photo(1, (5120, 2560)))
    box = (1000.0, 500.0, 2000.0, 800.0)
    small = (100, 50, 200, 80)  # labelled on a small copy
    files = coco(
        {"large.jpg": large, "copy.jpg": as_bytes(photo(2, (5120, 2560)))},
        [("large.jpg", 1, box), ("copy.jpg", 1, small)],
        sizes={"large.jpg": (5120, 2560), "copy.jpg": (512, 256)},
    )
    photos = taken(write(tmp_path / "x", files))
    assert boxes(photos) == dict.fromkeys(("large", "copy"), [("screw", (500.0, 250.0, 1500.0, 650.0))])
    assert Image.open(photos.path(photos.photos[0])).size == (LONGEST_PX, LONGEST_PX // 2)
    assert {"shrunk", "resized"} <= findings().keys()
    assert findings()["shrunk"]["count"] == 2


def test_a_photo_of_48_megapixels_comes_in(tmp_path: Path):
    image = Image.new("RGB", (8000, 6000), (90, 120, 60))
    files = coco({"a.jpg": as_bytes(image)}, [("a.jpg", 1, (4000, 3000, 800, 600))], sizes={"a.jpg": (8000, 6000)})
    photos = taken(write(tmp_path / "x", files))
    assert boxes(photos) == {"a": [("screw", (1280.0, 960.0, 1536.0, 1152.0))]}


def test_kinds_of_photos_and_what_they_tell_of_places(tmp_path: Path):
    files = {
        "w.webp": as_bytes(photo(1), "WEBP"), "b.bmp": as_bytes(photo(2), "BMP"), "p.png": as_bytes(photo(3), "PNG"),
        "see.png": as_bytes(photo(4).convert("RGBA"), "PNG"), "gps.jpg": as_bytes(photo(5), gps=True),
        "plain.jpg": FILES["p0.jpg"],
    }  # fmt: skip
    photos = taken(write(tmp_path / "x", coco(files, [(name, 1, ONE) for name in files])))
    assert [each.name for each in photos.photos] == ["b.jpg", "gps.jpg", "p.png", "plain.jpg", "see.png", "w.jpg"]
    assert photos.path(photos.photo("plain.jpg")).read_bytes() == FILES["p0.jpg"], "what needs no change has none"
    assert photos.path(photos.photo("p.png")).read_bytes() == files["p.png"]
    assert 0x8825 not in Image.open(photos.path(photos.photo("gps.jpg"))).getexif()
    assert Image.open(photos.path(photos.photo("see.png"))).mode == "RGB"


def test_the_same_bytes_come_in_once(tmp_path: Path):
    files = {"a.jpg": FILES["p0.jpg"], "b.jpg": FILES["p0.jpg"], "c.jpg": FILES["p1.jpg"], "d.jpg": FILES["p1.jpg"]}
    notes = [("a.jpg", 1, ONE), ("b.jpg", 2, ONE), ("c.jpg", 1, ONE), ("d.jpg", 1, ONE)]
    photos = taken(write(tmp_path / "x", coco(files, notes)))
    assert [each.name for each in photos.photos] == ["a.jpg", "c.jpg"]
    assert findings()["same-files"]["count"] == 2
    assert findings()["same-files-differ"]["photos"] == ["b.jpg"]


def test_names_are_safe_and_unique(tmp_path: Path):
    names = ["con.jpg", "a b*c.jpg", "A B+C.jpg", "müll.jpg", "x" * 200 + ".jpg"]
    files = {name: as_bytes(photo(n)) for n, name in enumerate(names)}
    photos = taken(write(tmp_path / "x", coco(files, [(name, 1, ONE) for name in names])))
    own = {each.origin: each.name for each in photos.photos}
    assert list(map(own.get, names)) == ["photo-con.jpg", "a-b-c.jpg", "A-B-C-2.jpg", "müll.jpg", "x" * 80 + ".jpg"]


# ---- adding


def test_photos_are_added_to_a_set_and_go_where_their_copies_are(tmp_path: Path):
    first = taken(write(tmp_path / "x", yolo(8)))
    copies = {f"again{n}.jpg": as_bytes(photo(n), "JPEG", gps=True) for n in range(8)}
    files = coco(
        {**copies, "p1.jpg": FILES["p1.jpg"], "new.jpg": as_bytes(photo(50))}, [("new.jpg", 1, ONE)], [(1, "nut")]
    )
    assert detector_data.main([str(write(tmp_path / "y", files)), "--add", "mine"]) == 0
    photos = read_photo_set(PHOTO_SETS.folder("mine"))
    assert photos.parts == ("screw", "hole", "nut")
    assert len(photos.photos) == 8 + 8 + 1, "p1.jpg was there already"
    for n in range(8):
        assert photos.photo(f"again{n}.jpg").split == first.photo(f"p{n}.jpg").split
    assert [source.name for source in photos.sources] == ["x", "y"]
    assert all(photos.path(each).is_file() for each in photos.photos)
    assert "leak" not in findings()


def test_photos_without_labels_are_taken_where_that_is_wanted(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    folder = write(tmp_path / "x", dict(FILES))
    assert refused(capsys, folder).startswith(f"{folder} holds 4 photos and no labels; give COCO, YOLO")
    photos = taken(folder, "--unlabelled")
    assert (len(photos.photos), photos.parts, len(photos.of("train"))) == (4, (), 0)
    assert findings()["no-labels"]["severity"] == "stop"
