"""Photos whose answers are known become a set of states: from folders, labelled photos, records and drawn scenes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from repairai.inspection import BUILTIN, inspect, open_detector
from repairai.judge.region import padded
from repairai.judge.state_set import (
    StateExample,
    read_sources,
    read_state_set,
)
from repairai.named_sets import PHOTO_SETS, STATE_SETS
from repairai.records import Records
from repairai.schema import Count, State
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import read_photo_set
from training import detector_data, judge_data
from training.judge.balance import balanced
from training.judge.dealing import Dealt, deal
from training.judge.places import named, place_words
from training.judge.wanted import from_words

from .labelled_photos import as_bytes, coco, photo, write

LATCH = ("--question", "Is the latch open?")
SAMPLES = Path(__file__).parents[2] / "repairai" / "builtin" / "photos"


def built(*words: object, name: str = "mine") -> tuple[StateExample, ...]:
    assert judge_data.main(["build", name, *map(str, words)]) == 0
    return read_state_set(STATE_SETS.folder(name))


def refused(capsys: pytest.CaptureFixture[str], *words: object, name: str = "mine") -> str:
    before = STATE_SETS.names()
    assert judge_data.main(["build", name, *map(str, words)]) == 2
    said = capsys.readouterr().err.split("repairai: ")[-1]
    left = {path.name for path in STATE_SETS.place().glob("*")} if STATE_SETS.place().exists() else set()
    assert left == set(before), "nothing stays behind"
    assert said.count("\n") == 1
    return said


def findings(name: str = "mine") -> dict[str, dict[str, object]]:
    report = json.loads((STATE_SETS.folder(name) / "report.json").read_text())
    return {each["id"]: each for each in report["findings"]}


def pair(tmp_path: Path, yes: int = 20, no: int = 20, first: int = 0) -> tuple[object, ...]:
    """Two folders of photos that look like no other."""
    write(tmp_path / "open", {f"open{n}.jpg": as_bytes(photo(first + n)) for n in range(yes)})
    write(tmp_path / "closed", {f"closed{n}.jpg": as_bytes(photo(first + yes + n)) for n in range(no)})
    return ("--yes", tmp_path / "open", "--no", tmp_path / "closed")


# ---- folders


def test_two_folders_become_examples_with_their_part_of_each_answer_in_each_split(tmp_path: Path):
    examples = built(*pair(tmp_path), *LATCH, "--licence", "MIT", "--url", "https://example.org")
    assert {(each.question, each.opposite) for each in examples} == {("Is the latch open?", "Is the latch closed?")}
    assert all(("open" in each.photo) == (each.answer == "yes") for each in examples)
    assert Counter((each.split, each.answer) for each in examples) == {
        ("train", "yes"): 14, ("train", "no"): 14, ("val", "yes"): 3, ("val", "no"): 3, ("test", "yes"): 3,
        ("test", "no"): 3,
    }  # fmt: skip
    assert len({each.source for each in examples}) == 40
    assert {each.made_by for each in examples} == {"import"}
    (source,) = read_sources(STATE_SETS.folder("mine"))
    assert (source.licence, source.url, source.photos) == ("MIT", "https://example.org", 40)
    for each in examples:
        read_photo(STATE_SETS.folder("mine") / each.photo)
    assert built(*pair(tmp_path), *LATCH, name="again") == examples, "the same seed gives the same set"
    assert {"few-in-val", "few-in-test"} <= set(findings())


def test_photos_are_turned_as_exif_says_and_small_ones_are_no_smaller_than_a_photo_may_be(tmp_path: Path):
    write(tmp_path / "open", {"side.jpg": as_bytes(photo(1), orientation=6), "gps.jpg": as_bytes(photo(2), gps=True)})
    write(
        tmp_path / "closed", {"a.png": as_bytes(photo(3, (64, 200)), "PNG"), "b.jpg": as_bytes(photo(4, (4000, 2000)))}
    )
    examples = built("--yes", tmp_path / "open", "--no", tmp_path / "closed", *LATCH)
    sizes = {}
    for each in examples:
        with Image.open(STATE_SETS.folder("mine") / each.photo) as image:
            sizes[Path(each.photo).stem] = image.size
            assert not image.getexif()
    assert sizes == {"side": (72, 96), "gps": (96, 72), "a": (64, 200), "b": (1280, 640)}


def test_what_cannot_be_read_is_named_and_left_and_what_came_twice_is_taken_once(tmp_path: Path):
    words = pair(tmp_path)
    write(tmp_path, {
        "open/broken.jpg": b"no photo", "open/empty.png": b"", "open/open1-copy.jpg": as_bytes(photo(1)),
        "open/both.jpg": as_bytes(photo(90)), "closed/both.jpg": as_bytes(photo(90)), "open/notes.txt": b"x",
    })  # fmt: skip
    examples = built(*words, *LATCH)
    assert len(examples) == 40
    assert not [each for each in examples if "both" in each.photo]
    assert set(findings()["unreadable"]["photos"]) == {"open/broken.jpg", "open/empty.png"}
    assert findings()["doubled"]["count"] == 1
    assert set(findings()["differing"]["photos"]) == {"open/both.jpg", "closed/both.jpg"}
    assert len(list((STATE_SETS.folder("mine") / "photos").iterdir())) == 40, "no picture lies there without an example"


def test_copies_of_a_photo_are_one_source_and_lie_in_one_split(tmp_path: Path):
    words = pair(tmp_path)
    small = photo(3).resize((88, 66))
    write(tmp_path / "open", {"smaller.jpg": as_bytes(small), "turned.jpg": as_bytes(photo(3).rotate(90, expand=True))})
    examples = {Path(each.photo).stem: each for each in built(*words, *LATCH)}
    assert len({examples[name].source for name in ("open3", "smaller", "turned")}) == 1
    assert len({examples[name].split for name in ("open3", "smaller", "turned")}) == 1


def test_splits_that_photos_come_with_stay_and_the_missing_one_is_filled(tmp_path: Path):
    first, second = pair(tmp_path / "a"), pair(tmp_path / "b", 5, 5, first=50)
    examples = built(*first, *LATCH, "--split", "train", *second, "--split", "test")
    assert Counter(each.split for each in examples) == {"train": 34, "val": 6, "test": 10}
    assert {each.source.partition("/")[0] for each in examples if each.split == "test"} == {"b"}
    assert findings()["moved"]["count"] == 6


def test_a_photo_that_comes_in_two_splits_is_trained_on(tmp_path: Path):
    first, second = pair(tmp_path / "a"), pair(tmp_path / "b", 5, 5, first=50)
    write(tmp_path / "b" / "open", {"like.jpg": as_bytes(photo(3).resize((90, 68)))})
    examples = {
        Path(each.photo).stem: each for each in built(*first, *LATCH, "--split", "train", *second, "--split", "test")
    }
    assert examples["like"].split == examples["open3"].split == "train"
    assert findings()["leaks"]["count"] == 1


# ---- adding


def test_what_is_added_leaves_what_is_there_as_it_is(tmp_path: Path):
    before = built(*pair(tmp_path / "a"), *LATCH)
    copy = write(
        tmp_path / "b", {"open/near.jpg": as_bytes(photo(2).resize((90, 68))), "closed/new.jpg": as_bytes(photo(70))}
    )
    after = built("--add", "--yes", copy / "open", "--no", copy / "closed", *LATCH)
    assert after[: len(before)] == before
    near, new = after[len(before) :]
    twin = next(each for each in before if Path(each.photo).stem == "open2")
    assert (near.source, near.split) == (twin.source, twin.split)
    assert new.source == "b/new"
    assert [each.photos for each in read_sources(STATE_SETS.folder("mine"))] == [40, 2]


def test_what_is_all_there_already_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    before = built(*pair(tmp_path), *LATCH)
    assert "all that is there is in the set already" in refused(capsys, "--add", *pair(tmp_path), *LATCH)
    assert read_state_set(STATE_SETS.folder("mine")) == before


def test_the_same_question_asked_the_other_way_round_is_one_question(tmp_path: Path):
    first, second = pair(tmp_path / "a", 3, 3), pair(tmp_path / "b", 3, 3, first=50)
    other = ("--question", "Is the latch closed?", "--opposite", "Is the latch open?")
    built(*first, *LATCH)
    examples = built("--add", *second, *other)
    assert {each.question for each in examples} == {"Is the latch open?"}
    assert {each.answer for each in examples if each.source.startswith("b/open")} == {"no"}


# ---- labelled photos


def corners(n: int, part: str = "1011") -> dict[str, bytes | str]:
    """Photos with four places in a grid, 1 = screw and 2 = hole."""
    places = ((10, 10), (70, 12), (11, 50), (71, 51))
    notes = [
        (f"p{number}.jpg", 1 if (part[place] == "1") == bool(number % 3) else 2, (*at, 16.0, 16.0))
        for number in range(n)
        for place, at in enumerate(places)
    ]
    return coco({f"p{number}.jpg": as_bytes(photo(number)) for number in range(n)}, notes)


def labelled(tmp_path: Path, n: int = 12) -> None:
    write(tmp_path / "bench", corners(n))
    assert detector_data.main([str(tmp_path / "bench"), "--name", "bench", "--licence", "CC0-1.0"]) == 0


SCREWS = ("--photos", "bench", "--yes-part", "screw", "--no-part", "hole", "--question", "Is the screw in place?",
          "--opposite", "Is the screw missing?")  # fmt: skip


def test_each_box_of_labelled_photos_is_cut_out_as_a_reasoner_would_see_it(tmp_path: Path):
    labelled(tmp_path)
    examples = built(*SCREWS)
    photos = read_photo_set(PHOTO_SETS.folder("bench"))
    assert len(examples) == 48
    assert {each.source: each.split for each in examples} == {each.source: each.split for each in photos.photos}
    one = photos.photos[1]
    cut = padded(one.boxes[0].box, one.width, one.height)
    whole = read_photo(photos.path(one)).pixels
    wanted = whole[int(cut[1]) : int(cut[3]), int(cut[0]) : int(cut[2])]
    kept = [
        np.asarray(Image.open(STATE_SETS.folder("mine") / each.photo)) for each in examples if each.source == one.source
    ]
    small = Image.fromarray(wanted).resize(kept[0].shape[1::-1], Image.Resampling.BICUBIC)
    assert np.abs(kept[0].astype(int) - np.asarray(small)).max() <= 1
    (source,) = read_sources(STATE_SETS.folder("mine"))
    assert (source.name, source.licence) == ("bench", "CC0-1.0")


def test_places_are_named_in_the_question(tmp_path: Path):
    labelled(tmp_path, 3)
    examples = built(*SCREWS, "--positions")
    said = Counter((each.question, each.opposite) for each in examples)
    assert said == {
        (f"Is the {place} screw in place?", f"Is the {place} screw missing?"): 3
        for place in ("top-left", "top-right", "bottom-left", "bottom-right")
    }


@pytest.mark.parametrize(
    ("middles", "words"),
    [
        ([(10, 10), (90, 12)], ["left", "right"]),
        ([(10, 90), (12, 10)], ["bottom", "top"]),
        ([(90, 90), (10, 10), (92, 8), (11, 88)], ["bottom-right", "top-left", "top-right", "bottom-left"]),
        ([(10, 10), (50, 10), (90, 10)], ["left", "middle", "right"]),
        ([(x, y) for y in (10, 50, 90) for x in (10, 50, 90)][4:5] + [(10, 10)], None),
        ([(10, 10), (50, 60), (90, 10)], None),
        ([(10, 10)], None),
        ([(10, 10), (14, 12)], None),
    ],
)
def test_places_of_a_grid(middles: list[tuple[float, float]], words: list[str] | None):
    assert place_words([(x - 8, y - 8, x + 8, y + 8) for x, y in middles]) == words


def test_the_nine_places_of_three_by_three():
    grid = [(x, y, x + 10, y + 10) for y in (0, 40, 80) for x in (0, 40, 80)]
    words = place_words(grid)
    assert words is not None
    assert (words[0], words[1], words[4], words[8]) == ("top-left", "top-middle", "middle", "bottom-right")


def test_a_question_names_its_place_before_the_part():
    assert named("Is the screw in place?", "top-left") == "Is the top-left screw in place?"
    assert named("Is a screw there?", "left") == "Is the left screw there?"
    assert named("Are screws there?", "left") == "Are the left screws there?"
    assert named("Is the screw in place?", "") == "Is the screw in place?"


def test_photos_without_a_grid_are_left_and_named(tmp_path: Path):
    files = coco(
        {"a.jpg": as_bytes(photo(1)), "b.jpg": as_bytes(photo(2))},
        [("a.jpg", 1, (10, 10, 16, 16)), ("a.jpg", 2, (70, 10, 16, 16)), ("b.jpg", 1, (10, 10, 16, 16))],
    )
    write(tmp_path / "bench", files)
    detector_data.main([str(tmp_path / "bench"), "--name", "bench"])
    assert len(built(*SCREWS, "--positions")) == 2
    assert findings()["left"]["photos"] == ["bench/b.jpg"]


# ---- records


def answered(sample: str, requirement: State, answer: str) -> int:
    path = SAMPLES / sample
    seen = inspect(path, [Count("screw", 1, None), requirement], open_detector(BUILTIN))
    records = Records()
    kept = records.keep(seen, path)
    records.answer(kept.id, requirement.question, "yes" if answer == "yes" else "no")
    return kept.id


UNPLUGGED = State("Is the connector unplugged?", "yes", "Is the connector plugged in?")
LIT = State("Is the lamp on?", "yes", "Is the lamp off?")


def test_what_people_answered_becomes_examples_cut_to_where_the_judge_would_look():
    first = answered("battery-unplugged.jpg", UNPLUGGED, "yes")
    answered("block-four-screws.jpg", LIT, "no")
    examples = {each.question: each for each in built("--records")}
    assert {each.made_by for each in examples.values()} == {"person"}
    assert (examples[UNPLUGGED.question].answer, examples[LIT.question].answer) == ("yes", "no")
    whole = read_photo(SAMPLES / "block-four-screws.jpg").pixels
    with Image.open(STATE_SETS.folder("mine") / examples[LIT.question].photo) as image:
        assert image.width / image.height == pytest.approx(whole.shape[1] / whole.shape[0], rel=0.01)
    with Image.open(STATE_SETS.folder("mine") / examples[UNPLUGGED.question].photo) as image:
        assert max(image.size) < 0.6 * max(whole.shape)

    Records().answer(first, UNPLUGGED.question, "no")
    examples = {each.question: each for each in built("--records", "--add")}
    assert examples[UNPLUGGED.question].answer == "no", "the last answer counts"
    assert len(examples) == 2


def test_a_photo_without_the_place_that_is_meant_is_shown_whole_which_is_told():
    answered("block-four-screws.jpg", UNPLUGGED, "no")
    (example,) = built("--records")
    whole = read_photo(SAMPLES / "block-four-screws.jpg").pixels
    with Image.open(STATE_SETS.folder("mine") / example.photo) as image:
        assert image.width / image.height == pytest.approx(whole.shape[1] / whole.shape[0], rel=0.01)
    assert findings()["whole"]["photos"] == ["inspection 1"]


def test_what_a_judge_looked_at_is_what_is_learned_from():
    path = SAMPLES / "battery-unplugged.jpg"
    seen = inspect(path, [UNPLUGGED], open_detector(BUILTIN))
    finding = replace(seen.verdict.findings[0], probability=0.4, region=(10.0, 20.0, 110.0, 220.0))
    kept = Records().keep(replace(seen, verdict=replace(seen.verdict, findings=(finding,))), path)
    Records().answer(kept.id, UNPLUGGED.question, "yes")
    (example,) = built("--records")
    with Image.open(STATE_SETS.folder("mine") / example.photo) as image:
        assert image.size == (100, 200)


def test_a_photo_that_was_not_kept_is_told(home: Path):
    answered("block-four-screws.jpg", LIT, "no")
    answered("block-three-screws.jpg", LIT, "yes")
    digest = read_photo(SAMPLES / "block-three-screws.jpg").sha256
    next((home / "photos").glob(f"{digest}*")).unlink()
    assert [each.answer for each in built("--records")] == ["no"]
    assert findings()["left"]["photos"] == ["records/inspection 2"]
    assert findings()["one-answer"]["severity"] == "stop"


def test_records_in_which_nobody_answered(capsys: pytest.CaptureFixture[str]):
    assert "nobody has answered a question of state" in refused(capsys, "--records")


# ---- drawn scenes


@pytest.mark.parametrize("kind", ["connector", "battery", "lid"])
def test_drawn_scenes_show_both_states_and_are_trained_on_alone(kind: str):
    examples = built("--rendered", kind, "--scenes", 6)
    assert Counter(each.answer for each in examples) == {"yes": 3, "no": 3}
    assert {(each.split, each.made_by) for each in examples} == {("train", "rendered")}
    assert len({each.source for each in examples}) == 6
    again = built("--rendered", kind, "--scenes", 6, name="again")
    one, other = (STATE_SETS.folder(name) / examples[0].photo for name in ("mine", "again"))
    assert one.read_bytes() == other.read_bytes()
    assert again == examples


def test_drawn_scenes_may_be_shared_out_which_is_told():
    examples = built("--rendered", "lid", "--scenes", 20, "--split", "shared", "--question", "Is the lid on?")
    assert {each.split for each in examples} == {"train", "val", "test"}
    assert {each.opposite for each in examples} == {"Is the lid off?"}
    assert {"val-drawn", "test-drawn"} <= set(findings())


def test_a_question_that_no_scene_answers(capsys: pytest.CaptureFixture[str]):
    words = ("--rendered", "lid", "--scenes", 4, "--question", "Is the lid red?", "--opposite", "Is the lid blue?")
    assert "says that the lid is out or off" in refused(capsys, *words)


# ---- several sources


def test_words_of_sources_are_told_apart_by_their_order():
    found = from_words(
        [
            ("question", "Is the latch open?"), ("yes", "a"), ("no", "b"), ("licence", "MIT"), ("yes", "c"),
            ("split", "test"), ("rendered", "lid"), ("scenes", 5), ("records", True), ("no", "d"), ("yes", "e"),
            ("question", "Is the fan on?"),
        ]
    )  # fmt: skip
    assert [each.kind for each in found] == ["folders", "folders", "rendered", "records", "folders"]
    assert [(each.yes, each.no, each.split) for each in found if each.kind == "folders"] == [
        ("a", "b", ""), ("c", "", "test"), ("e", "d", ""),
    ]  # fmt: skip
    assert [each.question for each in found] == [
        "Is the latch open?", "Is the latch open?", "Is the lid removed?", "", "Is the fan on?",
    ]  # fmt: skip
    assert [each.opposite for each in found][-1] == "Is the fan off?"
    assert [each.licence for each in found] == ["MIT", "MIT", "", "", "MIT"]


def test_a_yaml_file_lists_sources(tmp_path: Path):
    pair(tmp_path / "photos", 3, 3)
    (tmp_path / "sources.yaml").write_text(
        "- yes: photos/open\n  no: photos/closed\n  question: Is the latch open?\n- rendered: lid\n  scenes: 4\n"
    )
    assert Counter(each.made_by for each in built("--file", tmp_path / "sources.yaml")) == {"import": 6, "rendered": 4}


def test_balance_draws_as_many_of_both_to_train_on(tmp_path: Path):
    examples = built(*pair(tmp_path, 30, 10), *LATCH, "--balance")
    counts = Counter((each.split, each.answer) for each in examples)
    assert counts["train", "yes"] == counts["train", "no"] == 7
    assert counts["val", "yes"] + counts["test", "yes"] == 9
    assert findings()["balanced"]["count"] == 14
    assert len(list((STATE_SETS.folder("mine") / "photos").iterdir())) == len(examples)


def test_what_is_there_stays_when_a_set_is_balanced():
    one = StateExample("photos/a.jpg", "Is the latch open?", "Is the latch closed?", "yes", "a", "train")
    there = [StateExample(f"photos/{n}.jpg", one.question, one.opposite, "yes", f"a{n}", "train") for n in range(5)]
    other = StateExample("photos/b.jpg", one.question, one.opposite, "no", "b", "train")
    assert balanced([*there, one, other], 1, there) == (*there, other)


def test_sources_that_are_fixed_stay_and_each_split_gets_its_part():
    many = [Dealt(f"s{n}", "Is it on?", "yes" if n % 2 else "no") for n in range(20)]
    shares = deal(many, {"s0": "test", "s1": "test", "s2": "test"}, 1)
    assert all(shares.splits[name] == "test" for name in ("s0", "s1", "s2"))
    assert Counter(shares.splits.values())["train"] == 14
    assert deal([Dealt("a", "Is it on?", "yes")], {}, 1).splits == {"a": "train"}


# ---- what is wrong


def test_what_a_training_cannot_bear_is_told(tmp_path: Path):
    built("--yes", pair(tmp_path, 12, 1)[1], *LATCH)
    assert findings()["one-answer"]["severity"] == "stop"
    words = pair(tmp_path / "b", 12, 2, first=40)
    built(*words, "--question", "Is the screw tight?", "--opposite", "Is the screw loose?", name="tight")
    assert "no photo shows how tight something is" in str(findings("tight")["not-observable"]["said"])
    assert "few-to-train" in findings("tight")
    assert "lopsided" in findings("tight")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "need a source of examples"),
        (["--question", "Is it on?"], "need photos beside --question"),
        (["--yes", "OPEN"], "need the question that open answer"),
        (["--yes", "OPEN", "--question", "latch open"], "is no question"),
        (["--yes", "OPEN", "--question", "Is the frobnicator frobnicated?"], "no opposite of"),
        (["--yes", "OPEN", "--question", "Is it on?", "--opposite", "Is it on?"], "is its own opposite"),
        (["--yes", "OPEN", "--question", "Is the left fan on?", "--opposite", "Is the fan on?"], "is its own opposite"),
        (["--yes", "OPEN", "--no", "OPEN", *LATCH], "is given for yes and for no"),
        (["--yes", "nowhere", *LATCH], "there is no folder nowhere"),
        (["--yes", "EMPTY", *LATCH], "there are no photos in"),
        (["--photos", "bench", *LATCH], "need a set of photos and the part"),
        (["--photos", "bench", "--yes-part", "screw", *LATCH], "there are no photos named 'bench'"),
        (["--rendered", "lid"], "1 to 20,000 scenes"),
        (["--rendered", "lid", "--scenes", "0"], "1 to 20,000 scenes"),
        (["--rendered", "fan", "--scenes", "3"], "invalid choice"),
        (["--records", "--question", "Is it on?"], "need no question for records"),
        (["--add", "--yes", "OPEN", *LATCH], "there are no states named mine"),
        (["--file", "nowhere.yaml"], "does not exist"),
        (["--yes", "BROKEN", *LATCH], "none of the photos can be read"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):  # fmt: skip
    pair(tmp_path, 1, 1)
    write(tmp_path, {"broken/a.jpg": b"x"})
    (tmp_path / "empty").mkdir()
    places = {"OPEN": tmp_path / "open", "EMPTY": tmp_path / "empty", "BROKEN": tmp_path / "broken"}
    assert said in refused(capsys, *(places.get(word, word) for word in words))


@pytest.mark.parametrize("text", ["yes: a", "[]", "- yess: a", "- yes: [", "- {yes: a, scenes: 3}"])
def test_a_yaml_file_that_lists_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str):
    (tmp_path / "sources.yaml").write_text(text)
    assert "sources" in refused(capsys, "--file", tmp_path / "sources.yaml") or text == "- {yes: a, scenes: 3}"


def test_a_name_that_is_taken_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = (*pair(tmp_path, 2, 2), *LATCH)
    built(*words)
    assert "there are states named mine already" in refused(capsys, *words)
    assert "is no name for states" in refused(capsys, *words, name="../x")


def test_a_full_disk_is_told_and_nothing_stays(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    noise = np.random.default_rng(1).integers(0, 255, (8, 300, 300, 3), dtype=np.uint8)
    write(tmp_path / "open", {f"{n}.png": as_bytes(Image.fromarray(each), "PNG") for n, each in enumerate(noise)})
    assert "the disk is full" in refused(capsys, "--yes", tmp_path / "open", *LATCH)


def test_a_build_that_is_stopped_leaves_nothing(home: Path):
    words = ["build", "mine", "--rendered", "lid", "--scenes", "3000", "--progress-json"]
    process = subprocess.Popen([sys.executable, "-m", "training.judge_data", *words], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while True:
        line = process.stderr.readline()
        assert line, "it ended by itself"
        if json.loads(line)["done"]:
            break
    assert list(STATE_SETS.place().glob(".mine.*/photos/*"))
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.communicate()
    assert (process.returncode, time.monotonic() - began < 10) == (143, True)
    assert not list(STATE_SETS.place().iterdir())


# ---- real photos


def test_crops_of_screws_and_holes(shared: Path):
    place = shared / "screws_drew"
    question = ("--question", "Is the screw in place?", "--opposite", "Is the screw missing?")
    examples = built(
        "--yes", place / "validate" / "screw", "--no", place / "validate" / "hole", *question, "--split", "test"
    )
    assert Counter(each.answer for each in examples) == {"yes": 172, "no": 90}, "one came twice"
    assert {each.split for each in examples} == {"test"}
    assert {each.source.partition("/")[0] for each in examples} == {"screws_drew"}


def test_four_places_on_a_real_block(shared: Path):
    place = shared / "screws_presence"
    assert detector_data.main([str(place), "--name", "bench"]) == 0
    examples = built(*SCREWS, "--positions")
    assert len(examples) == 400
    names = {str(each.source): "" for each in examples}
    assert len(names) >= 95
    told = {"top-left": 0, "top-right": 1, "bottom-left": 2, "bottom-right": 3}
    for each in examples:  # the file's name says which screws are there
        filled = Path(each.photo).stem.split("_")[1][:4]
        spot = next(spot for word, spot in told.items() if word in each.question)
        assert (filled[spot] == "1") == (each.answer == "yes"), each
