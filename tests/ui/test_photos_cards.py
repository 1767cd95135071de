"""What the page does with a person's photos, without a browser: chosen, corrected, named, asked for and shown."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.named_sets import PHOTO_SETS
from repairai.runs.folder import new_run
from repairai.ui import box_editor
from repairai.ui.deletion import PHOTOS, doomed
from repairai.ui.foreseen import photo_steps
from repairai.ui.photos import (
    at_rest,
    choice,
    dropped,
    photos_card,
    photos_render,
    photos_work,
    propose_card,
    scripted,
    sets,
    small,
)
from repairai.ui.photos.corrected import Drawn, corrected, renamed, shown
from repairai.ui.photos.detector_recipe import KEYS, check
from repairai.ui.photos.opened import Opened, keep
from repairai.ui.photos.scripted import Progress, Scripted
from repairai.ui.photos.usual import usual
from repairai.ui.recipe_text import changed, parsed, value_of, written
from repairai.vision import photo_set
from repairai.vision.photo_set import (
    PERSON,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    digest_of_annotations,
    read_photo_set,
    write_photo_set,
)

HOSTILE = "<img src=x onerror=alert(1)>"


def boxed(number: int, *boxes: LabelledBox, **more: object) -> LabelledPhoto:
    split = ("train", "val", "test")[number % 3]
    return LabelledPhoto(f"p{number}.jpg", 200, 100, boxes, split, f"s{number}", **more)  # type: ignore[arg-type]


@pytest.fixture
def photos() -> PhotoSet:
    folder = PHOTO_SETS.folder("bench")
    (folder / "photos").mkdir(parents=True)
    screw = LabelledBox("screw", (10, 10, 30, 30))
    seen = LabelledBox("screw", (10, 10, 30, 30), PERSON, True)
    guessed = LabelledBox(HOSTILE, (50, 50, 90, 90), f"model:{HOSTILE}", False, 0.5)
    every = (boxed(0, screw, guessed), boxed(1, seen), boxed(2), boxed(3, labelled=False))
    for each in every:
        Image.new("RGB", (200, 100), "grey").save(folder / "photos" / each.name)
    made = PhotoSet(folder, ("screw", HOSTILE), every)
    write_photo_set(made)
    return made


# ---- chosen


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (choice.Wanted(), "0123"), (choice.Wanted(part=HOSTILE), "0"), (choice.Wanted(split="val"), "1"),
        (choice.Wanted(state=choice.UNSEEN), "03"), (choice.Wanted(state=choice.BY_MODEL), "0"),
        (choice.Wanted(state=choice.EMPTY), "23"), (choice.Wanted(state=choice.BARE), "3"),
        (choice.Wanted(finding="leak"), "12"), (choice.Wanted(part="screw", split="train"), "0"),
    ],
)  # fmt: skip
def test_photos_are_chosen(photos: PhotoSet, wanted: choice.Wanted, names: str):
    findings = (sets.Finding("leak", "leak", "warn", "said", ("p1.jpg", "p2.jpg")),)
    assert [each.name for each in choice.chosen(photos, wanted, findings)] == [f"p{name}.jpg" for name in names]


def test_pages_and_neighbours_end(photos: PhotoSet):
    assert choice.page_of(photos.photos, 9, 3) == (photos.photos[3:], 1)
    assert choice.page_of([], 4) == ([], 0)
    assert choice.beside(photos.photos, "p1.jpg", 1) == "p2.jpg"
    assert choice.beside(photos.photos, "p3.jpg", 1) == ""
    assert choice.beside(photos.photos, "gone.jpg", 1) == "p0.jpg"


def test_a_page_of_many_photos_holds_few(photos: PhotoSet):
    many = PhotoSet(photos.folder, photos.parts, photos.photos * 5000)
    page, at = choice.page_of(choice.chosen(many, choice.Wanted()), 3)
    assert len(photos_render.grid(many, page, at, len(many.photos))) < 200_000


# ---- corrected


def test_what_was_not_moved_keeps_who_drew_it(photos: PhotoSet):
    photo, size = photos.photos[0], (100, 50)
    drawn = shown(photo, size)
    assert drawn[0] == Drawn("screw", (5, 5, 15, 15))
    moved = Drawn(HOSTILE, (26, 25, 48, 45))
    found = corrected(
        photo, [drawn[0], moved, Drawn("screw", (60.4, 1, 61, 30)), Drawn("nut", (90, 40, 120, 60))], size
    )
    assert [(each.part, each.by, each.checked) for each in found] == [
        ("screw", "import", True), (HOSTILE, PERSON, True), ("nut", PERSON, True),
    ]  # fmt: skip
    assert found[0].box == (10, 10, 30, 30)
    assert found[2].box == (180, 80, 200, 100)


def test_a_box_that_shows_nothing_is_refused(photos: PhotoSet):
    with pytest.raises(RepairError, match="does not say what it shows"):
        corrected(photos.photos[0], [Drawn(" ", (1, 1, 9, 9))], (200, 100))


def test_what_is_kept_is_on_the_disk(photos: PhotoSet):
    opened = Opened("p0.jpg")
    assert "saved with 1 box" in keep(photos, opened, [Drawn("nut", (1, 1, 40, 40))], (200, 100))
    now = read_photo_set(photos.folder)
    assert now.parts == ("screw", HOSTILE, "nut")
    assert "it shows nothing" in keep(now, opened, [], (200, 100))
    assert read_photo_set(photos.folder).photo("p0.jpg") == boxed(0)


def test_the_editor_gives_back_what_it_was_given():
    value = {
        "image": "x",
        "boxes": [{"xmin": 1, "ymin": 2, "xmax": 30, "ymax": 40, "label": "screw"}],
        "orientation": 0,
    }
    assert box_editor.drawn_in(value) == [Drawn("screw", (1, 2, 30, 40))]
    assert box_editor.drawn_in(None) == []
    with pytest.raises(RepairError, match="was turned"):
        box_editor.drawn_in({**value, "orientation": 1})


def test_handles_do_not_hide_small_boxes():
    small, large = Drawn("hole", (0, 0, 60, 90)), Drawn("screw", (0, 0, 300, 200))
    assert box_editor.handle_px([]) == 16
    assert box_editor.handle_px([large] * 5) == 16
    assert box_editor.handle_px([large, large, small, small]) == 10
    assert box_editor.handle_px([*[large] * 8, small]) == 16
    assert box_editor.handle_px([Drawn("speck", (0, 0, 3, 3))]) == 6


def test_without_its_package_the_boxes_stand_in_a_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(box_editor, "image_annotator", None)
    rows = [["screw", "1", "2", "30", "40"], ["", "", "", "", ""]]
    assert box_editor.drawn_in(rows) == [Drawn("screw", (1, 2, 30, 40))]
    with pytest.raises(RepairError, match="is no number"):
        box_editor.drawn_in([["screw", "left", 2, 3, 4]])
    table = box_editor.box_editor(Image.new("RGB", (90, 60)), [Drawn("screw", (1, 2, 30, 40))], ("screw",), "boxes")
    assert table.elem_id == box_editor.ELEM_ID


def test_names_are_taken_once():
    assert renamed(("1", "2"), [["1", "screw"], ["2", ""]]) == {"1": "screw"}
    with pytest.raises(RepairError, match="would be called 'screw'"):
        renamed(("1", "screw"), [["1", "screw"]])


# ---- sets


def test_only_the_name_of_a_set_counts(photos: PhotoSet, tmp_path: Path):
    assert sets.chosen_set(str(tmp_path / "elsewhere" / "bench")) == photos
    assert sets.chosen_set(None) is None
    assert sets.chosen_set("/no/such/one") is None
    with pytest.raises(RepairError, match="no photos yet"):
        sets.the_set("gone")
    with pytest.raises(RepairError, match="no name for photos"):
        sets.the_set("/home/..")


def test_a_set_that_changes_is_read_anew(photos: PhotoSet):
    keep(photos, Opened("p2.jpg"), [Drawn("nut", (1, 1, 40, 40))], (200, 100))
    assert sets.the_set("bench").photo("p2.jpg").boxes[0].part == "nut"
    assert sets.listed()[0][0].startswith("bench · 1 train, 1 val, 1 test, 1 without labels · screw")


def test_a_damaged_report_is_none(photos: PhotoSet):
    for text in ("", "[]", '{"findings": 3}', '{"findings": [{"id": 1}]}', "\x00"):
        (photos.folder / "report.json").write_text(text)
        assert sets.report_of(photos.folder) == sets.Report()


def test_numbers_ask_for_names(photos: PhotoSet):
    bare = PhotoSet(photos.folder, ("1", "screw"), ())
    assert sets.nameless(bare) == ("1",)
    assert "number for a name" in photos_render.names_asked(bare)
    assert photos_render.names_asked(photos) == ""


# ---- shown


def test_nothing_that_came_in_is_live(photos: PhotoSet):
    findings = (sets.Finding(HOSTILE, HOSTILE, "stop", HOSTILE, (HOSTILE,), 1, HOSTILE, HOSTILE),)
    pages = (
        photos_render.report(photos, sets.Report(HOSTILE, findings)), photos_render.findings(findings),
        photos_render.grid(photos, photos.photos, 0, 4), photos_render.who_drew(photos.photos[0]),
        photos_render.names_asked(PhotoSet(photos.folder, ("1", HOSTILE), ())),
        photos_render.progress(Progress(HOSTILE, HOSTILE, HOSTILE, 1, 2)),
    )  # fmt: skip
    for page in pages:
        assert HOSTILE not in page
    assert "data-show=" in pages[1]
    assert "data-mend=" in pages[1]


def test_the_card_says_what_is_wrong_with_a_set(photos: PhotoSet):
    shown_ = photos_card.of_set(str(photos.folder), "")
    assert 'data-name="bench"' in shown_[0]
    (photos.folder / "annotations.coco.json").write_text("{")
    assert "is damaged" in photos_card.of_set(str(photos.folder), "")[0]
    assert "No photos were imported" in photos_card.of_set(None, "")[0]


def test_a_photo_that_is_gone_is_no_tile(photos: PhotoSet):
    path = photos.path(photos.photos[0])
    assert small.tile(path).startswith("data:image/jpeg;base64,")
    path.unlink()
    assert small.tile(path) == ""
    path.write_bytes(b"\xff\xd8\xff no photo")
    with pytest.raises(RepairError, match="cannot be read"):
        small.large(path)


# ---- brought in, proposed


def test_what_is_dropped_becomes_sources(tmp_path: Path):
    loose, packed = tmp_path / "a" / "one.jpg", tmp_path / "b" / "all.zip"
    for path in (loose, packed):
        path.parent.mkdir()
        path.write_bytes(b"x")
    beside = tmp_path / "beside"
    beside.mkdir()
    assert dropped.gathered([str(packed)], beside) == [str(packed)]
    assert dropped.gathered([str(loose), str(packed)], beside) == [str(packed), str(beside / "photos")]
    assert (beside / "photos" / "one.jpg").read_bytes() == b"x"
    for given, said in (
        ((dropped.DROPPED, [], ""), "nothing was dropped"), ((dropped.HUB, [], " "), "no dataset is named"),
        ((dropped.HERE, [], ""), "no folder is named"), ((dropped.HERE, [], "/no/such/place"), "nothing at"),
    ):  # fmt: skip
        with pytest.raises(RepairError, match=said):
            dropped.sources(*given, beside)
    assert dropped.sources(dropped.HUB, [], "hub:me/screws", beside) == ["hub:me/screws"]
    assert dropped.sources(dropped.HERE, [], f'"{tmp_path}"', beside) == [str(tmp_path)]


def test_what_is_said_of_photos_is_passed_on():
    assert dropped.flags("bench", " ", False) == ["--name=bench", "--progress-json"]
    assert dropped.flags("bench", "CC0-1.0 ", True)[2:] == ["--licence=CC0-1.0", "--unlabelled"]


def test_what_is_proposed_is_asked_for(photos: PhotoSet):
    assert propose_card.asked([["screw", "a metal screw"], ["", ""]], "shadow, ", ()) == [
        "--prompt=screw: a metal screw", "--without=shadow",
    ]  # fmt: skip
    assert propose_card.asked([["", ""]], "", ("nut",)) == ["--prompt=nut: nut"]
    assert propose_card.asked([["screw_hole", "screw hole"]], "", (), "builtin") == ["--prompt=screw_hole: screw_hole"]
    assert propose_card.asked([["", ""]], "", (), "builtin") == []
    with pytest.raises(RepairError, match="nothing is looked for"):
        propose_card.asked([], "", ())
    words = propose_card.alike(photos, propose_card.MODELS[0], "p1.jpg")
    assert words == [f"--model={propose_card.FINDS_ALIKE}", "--like", "screw", "p1.jpg", "#1"]
    for name, said in (("", "no photo is open"), ("p2.jpg", "no box on p2.jpg")):
        with pytest.raises(RepairError, match=said):
            propose_card.alike(photos, "builtin", name)


def test_how_boxes_are_proposed_goes_with_words_and_with_what_is_shown():
    assert propose_card.flags(False, " ", "") == []
    assert propose_card.flags(True, " facebook/sam2.1-hiera-tiny ", " 0,25 ") == [
        "--all", "--masks=facebook/sam2.1-hiera-tiny", "--floor=0.25",
    ]  # fmt: skip
    assert [propose_card.flags(False, "", each) for each in ("0", ".5", "1.0")] == [
        ["--floor=0"], ["--floor=.5"], ["--floor=1.0"],
    ]  # fmt: skip
    for wrong in ("30", "a few", "-1", "1.5"):
        with pytest.raises(RepairError, match="is no score"):
            propose_card.flags(False, "", wrong)


def test_what_libraries_draw_is_not_what_a_script_says(monkeypatch: pytest.MonkeyPatch):
    noisy = "print('Loading weights: 100%|██████████| 66/66 [00:00<00:00]'); print('few: 3 boxes, 50 % of all')"
    monkeypatch.setattr(scripted, "script", lambda *_: [sys.executable, "-c", noisy])
    work = Scripted()
    work.start("Finding more on few", "few", "x", [], tells=True)
    while not (found := work.progress()) or not found.ended:
        pass
    assert found.said == ("few: 3 boxes, 50 % of all",)


def test_a_script_is_watched_and_ends(tmp_path: Path):
    work = Scripted()
    assert work.progress() is None
    beside = dropped.own_place()
    words = ["nothing-here.zip", "--name=bench", "--progress-json"]
    work.start("Bringing in bench", "bench", photos_work.SCRIPT, words, beside)
    with pytest.raises(RepairError, match="something else is going on"):
        work.start("Another", "bench", photos_work.SCRIPT, words)
    while not (found := work.progress()) or not found.ended:
        pass
    assert "nothing-here.zip" in found.fault
    work.forget()
    assert not beside.exists()
    with pytest.raises(RepairError, match="is not there"):
        work.start("None", "", "training.no_such_script", [])


def test_what_a_test_by_heart_said_is_shown():
    from repairai.ui.photos.try_card import answer

    right = json.dumps({"right": True, "said": ["All 8 photos were learned.", HOSTILE]})
    assert 'data-right="true"' in answer(Progress("t", said=("noise", right), ended=True))
    assert HOSTILE not in answer(Progress("t", said=(right,), ended=True))
    assert "it broke" in answer(Progress("t", said=("x",), ended=True, fault="it broke"))


def test_the_usual_recipe_fits_the_photos(photos: PhotoSet):
    for method in ("full", "few_shot"):
        recipe = usual("builtin", method, "strong", photos)
        assert (recipe.task, recipe.step.method, recipe.data) == ("detector", method, str(photos.folder))
        assert (recipe.step.batch, recipe.step.image_px, recipe.detecting.augmentation) == (1, 320, "strong")
    assert photo_steps(recipe) == recipe.epochs
    text = written(recipe)
    assert "Training the head of the built-in detector" in check(text, *[None] * 10)[0]
    assert "another model" in check(text.replace("task: detector", "task: judge"), *[None] * 10)[0]
    assert value_of(parsed(changed(text, "detecting.judged", "ap")), "detecting.judged") == "ap"


# ---- changed since the doctor looked; at rest


def doctored(folder: Path) -> None:
    words = {"made": "2026-11-23T08:00:00", "digest": digest_of_annotations(folder), "findings": []}
    (folder / "report.json").write_text(json.dumps(words))


def test_a_set_that_was_changed_since_the_doctor_looked_says_so(photos: PhotoSet):
    folder = str(photos.folder)
    assert "data-stale" not in "".join(map(str, photos_card.of_set(folder, "")))
    doctored(photos.folder)
    report, doctor, *_, again, _, _ = photos_card.of_set(folder, "")
    assert "before the last changes" not in report
    assert "data-stale" not in doctor
    assert again.variant == "secondary"
    keep(photos, Opened("p0.jpg"), [Drawn("nut", (1, 1, 40, 40))], (200, 100))
    report, doctor, *_, again, _, _ = photos_card.of_set(folder, "")
    assert "2026-11-23 08:00, before the last changes" in report
    assert "changed since the doctor looked" in doctor
    assert "found nothing to mend" in doctor
    assert again.variant == "primary"


def test_a_large_set_is_written_whole_once_nobody_corrects_it(photos: PhotoSet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(photo_set, "WHOLE_BYTES", 0)
    monkeypatch.setattr(photo_set, "MOST_CHANGED", 100)
    monkeypatch.setattr(at_rest, "REST_SECONDS", 600.0)
    for number in (0, 1):
        keep(photos, Opened(f"p{number}.jpg"), [Drawn("nut", (1, 1, 40, 40))], (200, 100))
    (waits,) = at_rest._waiting.values()  # the second save put off what the first one began
    assert waits.interval == 600
    assert "nut" not in (photos.folder / "annotations.coco.json").read_text()
    monkeypatch.setattr(at_rest, "REST_SECONDS", 0.0)
    photos_card.of_set(str(photos.folder), "")
    deadline = time.monotonic() + 20
    while (photos.folder / "changes.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (photos.folder / "annotations.coco.json").read_text().count('"person"') == 2
    assert not at_rest._waiting


def test_whoever_ends_the_page_leaves_sets_whole(photos: PhotoSet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(photo_set, "WHOLE_BYTES", 0)
    monkeypatch.setattr(photo_set, "MOST_CHANGED", 100)
    keep(photos, Opened("p0.jpg"), [Drawn("nut", (1, 1, 40, 40))], (200, 100))
    at_rest._write_all()
    assert "nut" in (photos.folder / "annotations.coco.json").read_text()
    assert not (photos.folder / "changes.jsonl").exists()


def test_a_recipe_says_which_boxes_are_too_small_for_it(photos: PhotoSet):
    def said(recipe: Recipe) -> str:
        return check(written(recipe), *[None] * len(KEYS))[0]

    recipe = usual("builtin", "full", "bench", photos)
    assert "px at the closest look" not in said(recipe)
    tiny = replace(recipe, step=replace(recipe.step, image_px=32))
    assert "under 16 px at the closest look of a detector with an input of 32 px" in said(tiny)
    assert "train with image_px: 320." in said(tiny)
    assert "px at the closest look" not in said(replace(tiny, data="/nowhere/else"))


def test_deleting_photos_tells_what_would_be_lost(photos: PhotoSet):
    said = doomed(PHOTOS, str(photos.folder))
    assert "Delete the photos bench and all their boxes: less than 0.1 MiB? This cannot be undone." in said
    new_run("eyes", "train", ["python"], text=f"task: detector\ndata: {photos.folder}\n")
    assert "Without them cannot go on: eyes." in doomed(PHOTOS, str(photos.folder))
    with pytest.raises(RepairError, match="no photos named"):
        doomed(PHOTOS, "/nowhere/gone")
