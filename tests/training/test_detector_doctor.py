"""The doctor of labelled photos: what it finds, what mends it, and how photos are split."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from repairai.named_sets import PHOTO_SETS
from repairai.vision.looked import accept
from repairai.vision.photo_set import (
    PHOTOS,
    REPORT,
    SPLITS,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    Split,
    edit,
    is_report_stale,
    read_photo_set,
    write_photo_set,
)
from training import detector_data
from training.detector.alike import look_of, with_sources
from training.detector.doctor import examine
from training.detector.mends import MENDS
from training.detector.part_checks import same_names
from training.detector.splits import anew, base_name, leaking, part

from .labelled_photos import BOX, HEIGHT, WIDTH, YOLO, as_bytes, photo, write

BOXES = (LabelledBox("screw", BOX),)


def one(name: str, boxes: tuple[LabelledBox, ...] = BOXES, split: Split = "train", **more: object) -> LabelledPhoto:
    own = {"source": f"mine/{name}", "origin": f"{name}.jpg", **more}
    return LabelledPhoto(f"{name}.jpg", WIDTH, HEIGHT, boxes, split, **own)


WHOLE = tuple(one(f"p{n}", split=SPLITS[min(n // 10, 2)]) for n in range(30))
"""A set of which nothing is to be said."""


def made(*changed: LabelledPhoto, parts: tuple[str, ...] = ("screw",), ids: tuple[int, ...] = ()) -> PhotoSet:
    """Write a set: the whole one, some photos of which are others."""
    folder = PHOTO_SETS.folder("mine")
    names = {each.name for each in changed}
    photos = (*changed, *(each for each in WHOLE if each.name not in names))
    (folder / PHOTOS).mkdir(parents=True, exist_ok=True)
    for n, each in enumerate(sorted(photos, key=lambda each: each.name)):
        (folder / PHOTOS / each.name).write_bytes(as_bytes(photo(n)))
    made_set = PhotoSet(folder, parts, photos, (), ids)
    write_photo_set(made_set)
    return made_set


def findings(photos: PhotoSet | None = None) -> dict[str, dict[str, object]]:
    report = examine(photos or read_photo_set(PHOTO_SETS.folder("mine")))
    return {each["id"]: each for each in json.loads(json.dumps(report))["findings"]}


def mended(finding: str) -> PhotoSet:
    assert findings()[finding]["mend"] == finding
    assert detector_data.main(["mend", "mine", finding]) == 0
    report = json.loads((PHOTO_SETS.folder("mine") / "report.json").read_text())
    assert finding not in {each["id"] for each in report["findings"]}
    return read_photo_set(PHOTO_SETS.folder("mine"))


def test_a_set_that_is_whole(capsys: pytest.CaptureFixture[str]):
    assert findings(made()) == {}
    assert detector_data.main(["doctor", "mine", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["parts"] == {"screw": {"photos": 30, "boxes": 30, "splits": dict.fromkeys(SPLITS, 10)}}
    assert report["splits"] == dict.fromkeys(SPLITS, 10)
    assert (report["photos"], report["unlabelled"], report["background"]) == (30, 0, 0)


# ---- findings with their mends


def test_photos_that_cannot_be_read_are_taken_out():
    photos = made()
    photos.path(photos.photo("p3.jpg")).write_bytes(b"junk")
    photos.path(photos.photo("p4.jpg")).unlink()
    assert findings()["unreadable"]["photos"] == ["p3.jpg", "p4.jpg"]
    assert findings()["unreadable"]["severity"] == "stop"
    assert len(mended("unreadable").photos) == 28
    assert not photos.path(photos.photo("p3.jpg")).exists()


def test_photos_without_a_label_become_background():
    made(one("p1", (), labelled=False))
    assert "p1.jpg" in findings()["unlabelled"]["said"]
    assert mended("unlabelled").photo("p1.jpg").labelled


def test_boxes_outside_are_clipped():
    boxes = (LabelledBox("screw", (-20, 5, 40, 50)), LabelledBox("screw", (WIDTH + 5, 5, WIDTH + 20, 20)))
    made(one("p1", boxes))
    assert [box.box for box in mended("outside").photo("p1.jpg").boxes] == [(0, 5, 40, 50)]


def test_of_doubled_boxes_the_checked_one_stays():
    near = (BOX[0] + 0.3, *BOX[1:])
    boxes = (
        LabelledBox("screw", near),
        LabelledBox("screw", BOX, checked=True),
        LabelledBox("screw", (50, 50, 60, 60)),
    )
    made(one("p1", boxes))
    assert findings()["doubled"]["count"] == 1
    assert [box.box for box in mended("doubled").photo("p1.jpg").boxes] == [BOX, (50, 50, 60, 60)]


def test_categories_of_one_name_are_merged():
    others = (one("p1", (LabelledBox("Screws", BOX),)), one("p2", (LabelledBox("hex nut", BOX),)))
    made(*others, parts=("screw", "hex nut", "Screws", "hexnut"), ids=(4, 5, 6, 7))
    photos = mended("same-name")
    assert (photos.parts, photos.original_ids) == (("screw", "hex nut"), (4, 5))
    assert photos.photo("p1.jpg").boxes[0].part == "screw"


def test_same_names():
    assert same_names(["a screw", "A-Screw", "glass", "Glass", "gas", "clips", "clip", "M2", "M2s"]) == [
        ["a screw", "A-Screw"], ["glass", "Glass"], ["gas"], ["clips", "clip"], ["M2"], ["M2s"],
    ]  # fmt: skip


def test_a_class_without_any_box_is_dropped():
    made(parts=("hole", "screw"), ids=(1, 2))
    photos = mended("empty-part")
    assert (photos.parts, photos.original_ids) == (("screw",), (2,))


def test_names_that_are_digits_are_given(capsys: pytest.CaptureFixture[str]):
    made(*(replace(each, boxes=(LabelledBox("0", BOX),)) for each in WHOLE), parts=("0", "1.5"))
    found = findings()["digits"]
    assert (found["mend"], found["mend_said"]) == ("", "photos names mine 0=NAME 1.5=NAME")
    assert detector_data.main(["names", "mine", "0=screw", "1.5=hole"]) == 0
    assert read_photo_set(PHOTO_SETS.folder("mine")).parts == ("screw", "hole")
    assert detector_data.main(["names", "mine", "screw=hole", "hole=screw"]) == 0
    photos = read_photo_set(PHOTO_SETS.folder("mine"))
    assert photos.parts == ("hole", "screw")
    assert photos.photos[0].boxes[0].part == "hole", "two parts may change names"
    capsys.readouterr()
    for words, said in (
        (["nut=bolt"], "mine has no part 'nut'; its parts are hole and screw."),
        (["hole=screw"], "two parts would be named 'screw'; take another name, or drop one of them."),
    ):
        assert detector_data.main(["names", "mine", *words]) == 2
        assert capsys.readouterr().err == f"repairai: {said}\n"


def test_splits_that_are_missing_are_made_and_rare_parts_reach_each():
    rare = tuple(
        one(f"p{n}", (LabelledBox("nut", BOX),) if n in (3, 7, 21) else BOXES, "train") for n in range(30)
    )  # fmt: skip
    made(*rare, parts=("screw", "nut"))
    assert findings()["splits"]["said"] == "there is no labelled photo in val and test"
    photos = mended("splits")
    assert [len(photos.of(split)) for split in SPLITS] == [21, 5, 4] or all(photos.of(split) for split in SPLITS)
    for split in SPLITS:
        assert {box.part for each in photos.of(split) for box in each.boxes} == {"screw", "nut"}


def test_a_part_that_a_split_never_shows():
    made(*(one(f"p{n}", (LabelledBox("nut", BOX),)) for n in (1, 2, 3)), parts=("screw", "nut"))
    assert findings()["part-not-in-split"]["said"] == "no photo shows nut in val and test"
    assert findings()["few"]["said"].startswith("few photos show nut on 3")
    photos = mended("part-not-in-split")
    assert all(any(box.part == "nut" for each in photos.of(split) for box in each.boxes) for split in SPLITS)


def test_copies_across_splits_are_found_by_their_looks_and_brought_together():
    photos = made()
    picture = Image.open(photos.path(photos.photo("p0.jpg")))
    smaller = picture.resize((WIDTH // 2, HEIGHT // 2)).point(lambda value: value * 0.7 + 30)
    smaller.rotate(90, expand=True).resize((HEIGHT, WIDTH)).save(photos.path(photos.photo("p25.jpg")), quality=60)
    assert findings()["leak"]["photos"] == ["p0.jpg", "p25.jpg"]
    now = mended("leak")
    assert now.photo("p0.jpg").split == now.photo("p25.jpg").split
    same = [each for each in now.photos if each.name not in ("p0.jpg", "p25.jpg")]
    assert {each.name: each.split for each in same} == {each.name: each.split for each in WHOLE if each in same}


# ---- findings for a person


def test_what_only_a_person_can_mend():
    two = (LabelledBox("screw", BOX), LabelledBox("nut", (BOX[0] + 0.2, *BOX[1:])))
    small = tuple(LabelledBox("screw", (n * 3.0, 2, n * 3.0 + 2, 4)) for n in range(5))
    drawn = (LabelledBox("screw", BOX, "model:owl", score=0.4),)
    made(one("p1", two), one("p2", small), one("p3", drawn), parts=("screw", "nut"))
    found = findings()
    assert found["two-parts"]["photos"] == ["p1.jpg"]
    assert found["small"]["photos"] == ["p2.jpg"]
    assert (
        "5 boxes are under 16 px at the closest look of a detector with an input of 640 px, 14% of all"
        in (found["small"]["said"])
    )
    assert found["unchecked"]["count"] == 1
    assert found["balance"]["said"] == "nut has 1 of the boxes, and screw 34: photograph what is rare"
    assert not any(found[each]["mend"] for each in ("two-parts", "small", "unchecked", "balance"))


def test_what_is_too_small_is_told_for_the_detector_that_is_trained(capsys: pytest.CaptureFixture[str]):
    small = tuple(LabelledBox("screw", (n * 12.0, 2, n * 12.0 + 10, 12)) for n in range(5))
    folder = made(one("p2", small)).folder

    def told(*words: str) -> str:
        assert detector_data.main(["doctor", "mine", "--json", *words]) == 0
        return {each["id"]: each["said"] for each in json.loads(capsys.readouterr().out)["findings"]}.get("small", "")

    assert "16 px" not in told(), "640 px see 10 px of these photos as 25 px and more"
    assert told("--image-px", "64").endswith(
        "with an input of 64 px, 15% of all: go closer, or train with `image_px: 320`"
    )
    assert "input of 64 px" in told(), "as the last time"
    edit(folder, lambda photos: replace(photos, photos=(*photos.photos[:-1], one("p9", small * 9))))
    assert detector_data.main(["mend", "mine", "doubled"]) == 0
    assert json.loads((folder / REPORT).read_text())["image_px"] == 64, "a mend keeps what it holds for"
    assert detector_data.main(["doctor", "mine", "--image-px", "8"]) == 2


def test_nothing_mends_what_is_not_known(capsys: pytest.CaptureFixture[str]):
    photos = made()
    before = (photos.folder / "annotations.coco.json").read_bytes()
    assert detector_data.main(["mend", "mine", "doubled", "leaks"]) == 2
    assert "nothing mends 'leaks', did you mean 'leak'?" in capsys.readouterr().err
    assert detector_data.main(["mend", "other", "leak"]) == 2
    assert (photos.folder / "annotations.coco.json").read_bytes() == before


@pytest.mark.parametrize("mend", MENDS)
def test_a_mend_of_a_whole_set_loses_nothing(mend: str):
    before = made()
    assert detector_data.main(["mend", "mine", mend]) == 0
    after = read_photo_set(before.folder)
    assert [(each.name, each.boxes) for each in after.photos] == [(each.name, each.boxes) for each in before.photos]


def test_findings_of_the_import_stay(tmp_path: Path):
    files = {
        "images/a.jpg": as_bytes(photo(1)),
        "labels/a.txt": f"0 {YOLO}\n0 0.9 0.5 0.4 0.2\n",
        "classes.txt": "screw",
    }
    detector_data.main([str(write(tmp_path / "x", files)), "--name", "mine"])
    assert findings()["clipped"]["photos"] == ["a.jpg"]
    assert findings()["splits"]["mend"] == "", "one photo makes no three splits"


# ---- what is alike


def test_looks_are_alike_for_copies_alone(shared: Path):
    paths = sorted((shared / "ewaste_coco" / "valid").glob("*.jpg"))
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    looks = {f"{n}.jpg": look_of(pixels) for n, pixels in enumerate(pictures)}
    copies = {
        f"{n}-copy.jpg": look_of(np.asarray(Image.fromarray(pixels[::-1]).resize((300, 200)).point(lambda v: v * 0.8)))
        for n, pixels in enumerate(pictures)
    }
    photos = [one(name.removesuffix(".jpg")) for name in (*looks, *copies)]
    found = with_sources(photos, {**looks, **copies})
    groups: dict[str, set[str]] = {}
    for each in found:
        groups.setdefault(each.source, set()).add(each.name.split("-")[0].removesuffix(".jpg"))
    assert len(groups) == len(pictures)
    assert all(len(names) == 1 for names in groups.values())


def test_photos_from_a_camera_on_a_stand_are_not_taken_for_one():
    still = photo(1, (320, 240))
    looks = {}
    for n in range(40):
        picture = still.copy()
        picture.paste((200, 30, 30), (n * 7, 100, n * 7 + 12, 112))
        looks[f"p{n}.jpg"] = look_of(np.asarray(picture))
    found = with_sources([one(f"p{n}") for n in range(40)], looks)
    assert len({each.source for each in found}) > 10


# ---- splits


def test_names_of_roboflow_tell_the_photo():
    assert base_name("picture_7_jpg.rf.0b40f08e4f4ab815e7ab57c13103f575") == "picture_7"
    assert base_name("IMG_1.JPG.rf.0b40f08e4f4ab815e7ab57c13103f575") == "IMG_1"
    assert base_name("surf.rf.board") == "surf.rf.board"


PHOTOS_OF = st.lists(
    st.tuples(st.integers(0, 20), st.sets(st.sampled_from("abcd"), max_size=3), st.sampled_from(["", *SPLITS])),
    min_size=1, max_size=60,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(PHOTOS_OF, st.integers(0, 3))
def test_no_split_ever_sees_what_another_has(drawn: list[tuple[int, set[str], str]], seed: int):
    photos = [
        one(str(n), tuple(LabelledBox(name, BOX) for name in sorted(names)), source=f"s{source}")
        for n, (source, names, _) in enumerate(drawn)
    ]  # fmt: skip
    for found in (part(photos, [own for _, _, own in drawn], seed).photos, anew(photos, seed)):
        assert not leaking(found)
        assert [each.name for each in found] == [each.name for each in photos]
        if len({each.source for each in photos}) >= 3:
            assert {each.split for each in anew(photos, seed)} == set(SPLITS)
    assert anew(photos, seed) == anew(photos, seed)


def test_shares_are_kept_to():
    photos = [one(f"p{n}", (LabelledBox("ab"[n % 7 == 0], BOX),)) for n in range(200)]
    found = anew(photos, 1)
    counts = [sum(each.split == split for each in found) for split in SPLITS]
    assert counts == pytest.approx([140, 30, 30], abs=2)
    rare = [sum(each.split == split and each.boxes[0].part == "b" for each in found) for split in SPLITS]
    assert rare == pytest.approx([20, 4, 4], abs=1.5)


def test_splits_of_the_source_are_kept_but_for_what_leaks():
    own = ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    photos = [one(f"p{n}") for n in range(12)]
    assert [each.split for each in part(photos, own, 7).photos] == own
    leaky = [*photos[:11], replace(photos[11], source=photos[0].source)]
    parted = part(leaky, own, 7)
    assert parted.leaks == ("p0.jpg", "p11.jpg")
    assert [each.split for each in parted.photos] == [*own[:11], "train"]


# ---- what a model drew, and what was made


PROPOSED = (LabelledBox("screw", BOX, "model:tiny", False, 0.9),)


def test_photos_whose_boxes_wait_for_a_person_are_never_labelled_by_a_mend(home: Path):
    made(one("bare", (), labelled=False), one("drawn", PROPOSED, labelled=False))
    found = findings()
    assert found["unlabelled"]["photos"] == ["bare.jpg"]
    assert "those with boxes of a model stay" in found["unlabelled"]["mend_said"]
    assert found["waiting"]["photos"] == ["drawn.jpg"]
    assert not found["waiting"]["mend"]
    after = mended("unlabelled")
    assert after.photo("bare.jpg").labelled
    assert not after.photo("drawn.jpg").labelled
    made(one("drawn", PROPOSED))
    assert "unchecked" in findings()
    assert "waiting" not in findings()


def test_a_set_in_which_no_photo_has_a_box_is_told(home: Path):
    made(*(replace(each, boxes=()) for each in WHOLE))
    assert findings()["no-boxes"]["severity"] == "stop"


def scenes(n: int, like: int = 0, kind: str = "pasted") -> list[LabelledPhoto]:
    """Made photos that look just like photo `like` of the set."""
    return [one(f"{kind}-{number:06}", source=kind, origin=f"p{like}.jpg") for number in range(n)]


def test_made_photos_stay_to_train_on_whatever_they_look_like(home: Path):
    pasted = scenes(5)
    rendered = scenes(3, kind="rendered")
    photos = (*WHOLE, *pasted, *rendered)
    seen = {each.name: look_of(np.asarray(photo(n))) for n, each in enumerate(WHOLE)}
    seen |= {each.name: seen["p0.jpg"] for each in (*pasted, *rendered)}
    grouped = with_sources(photos, seen)
    assert [each.source for each in grouped[30:]] == ["pasted"] * 5 + ["rendered"] * 3
    assert grouped[0].source == WHOLE[0].source
    assert not leaking(grouped)
    for seed in range(5):
        for after in (anew(grouped, seed), part(grouped, ["test"] * len(photos), seed).photos):
            assert {each.split for each in after if each.made} == {"train"}
            assert {each.split for each in after if not each.made} == set(SPLITS)


def test_pasted_scenes_go_where_what_they_show_may_be_measured_with(home: Path):
    old = made(*(replace(each, split="train") for each in WHOLE), *scenes(2), *scenes(2, kind="rendered"))
    assert "pasted scenes" in findings()["splits"]["mend_said"]
    after = mended("splits")
    assert [each.name for each in after.photos if each.made] == ["rendered-000000.jpg", "rendered-000001.jpg"]
    assert not any(path.name.startswith("pasted") for path in (old.folder / PHOTOS).iterdir())


def test_pasted_scenes_do_not_hide_that_a_part_is_on_few_photos(home: Path):
    rare = LabelledBox("clip", BOX)
    made(one("a", (rare,)), *(replace(each, boxes=(rare,)) for each in scenes(20)), parts=("screw", "clip"))
    assert "clip on 1" in findings()["few"]["said"]


def test_a_report_tells_whether_the_set_was_changed_since(home: Path):
    folder = made().folder
    assert is_report_stale(folder, {})
    detector_data.main(["doctor", "mine"])
    report = json.loads((folder / REPORT).read_text())
    assert not is_report_stale(folder, report)
    edit(folder, lambda photos: accept(photos, "p0.jpg", ()))
    assert is_report_stale(folder, report)


@pytest.mark.parametrize("words", [("mend", "none", "leak"), ("names", "none", "a=b")])
def test_a_set_that_is_not_there_is_not_begun_by_changing_it(home: Path, words: tuple[str, ...]):
    assert detector_data.main(words) == 2
    assert not PHOTO_SETS.folder("none").exists()
