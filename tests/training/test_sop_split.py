"""The split: by device, always the same, and nothing on two sides; on the real guides too."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from repairai.sop.prompts import REFUSAL, conversation, passages_of
from training.sop.build import Built, Order, build
from training.sop.examples import Example
from training.sop.sources import Gathered, Wanted, gather
from training.sop.split import (
    SIDES,
    claims,
    key_of,
    leaks,
    near_copies,
    normalised,
    place_of,
    split,
    texts_of,
    without_copies,
    without_leaks,
)

from .sop_guides import guide, guides

SAID = {"role": "assistant", "content": "Take the fan out of its four rubber mounts by hand."}


def silent(done: int, total: int | None, what: str) -> None:
    """Nobody listens."""


@cache
def myfixit(folder: Path) -> Built:
    """All five files as a build, made once."""
    return build(gather([str(folder)], Wanted(), silent), Order("myfixit"), [], None, silent)


def asked(device: str, guide_id: str = "", text: str = "Take the fan out, please, of this old thing.") -> Example:
    return Example("chat", device, guide_id, ({"role": "user", "content": text}, SAID))


def test_real_guides_have_nothing_on_two_sides(shared: Path):
    built = myfixit(shared / "myfixit")
    assert leaks(built.sides) == []
    # The same once more, counted by hand and from other words.
    devices = {side: {example.device.lower() for example in built.sides[side]} for side in SIDES}
    steps: dict[str, set[str]] = {side: set() for side in SIDES}
    for side in SIDES:
        for example in built.sides[side]:
            for message in example.messages[1:]:
                for line in message["content"].splitlines():
                    if line.startswith("[") and "] " in line:
                        steps[side].add(normalised(line.split("] ", 1)[1]))
                    elif line.endswith("]") and " [" in line and line.split(". ", 1)[0].isdecimal():
                        steps[side].add(normalised(line.split(". ", 1)[1].rsplit(" [", 1)[0]))
    for one, other in (("train", "val"), ("train", "exam"), ("val", "exam")):
        assert not devices[one] & devices[other]
        assert steps[one]
        assert steps[one] & steps[other] <= {
            normalised("That was the last step: all the steps that were given are done.")
        }


def test_real_guides_are_split_as_told_and_each_task_is_there(shared: Path):
    built = myfixit(shared / "myfixit")
    report = built.report
    assert report.leaks == 0
    assert report.split_by == "device"
    n_devices = sum(report.devices.values())
    assert 0.06 < report.devices["exam"] / n_devices < 0.14
    assert 0.02 < report.devices["val"] / n_devices < 0.08
    for side in SIDES:
        counts = report.examples[side]
        assert set(counts) == {"how_to", "next_step", "tools", "requirements", "refusal"}
        assert 0.15 <= counts["refusal"] / sum(counts.values()) <= 0.25
    assert sum(report.near_copies.values()) <= 10
    assert report.lengths["train"].answers_cut == 0
    assert report.licences.keys() == {"CC-BY-NC-SA-3.0"}
    assert report.shared_texts > 0, "MyFixit is known to copy steps between devices"


def test_a_leaky_split_is_seen(shared: Path):
    """The check above can fail: rows are put on sides by chance, as other tools do, and it cries out."""
    built = myfixit(shared / "myfixit")
    every = [example for side in SIDES for example in built.sides[side]]
    by_row = {"train": every[::2], "exam": every[1::2], "val": []}
    kinds = Counter(leak.kind for leak in leaks(by_row))
    assert kinds["device"] > 300
    assert kinds["guide"] > 500
    assert kinds["text"] > 1000


def test_each_kind_of_leak_is_seen_alone():
    one, other = asked("Dell"), asked("HP", text="What comes behind the lid of the case?")
    assert leaks({"train": [one], "exam": [other]})[0].kind == "text", "the answers are the same"
    said = {"role": "assistant", "content": "The lid, and then nothing more at all."}
    apart = Example("chat", "HP", "", (other.messages[0], said))
    assert leaks({"train": [one], "exam": [apart]}) == []
    same = Example("chat", "DELL!", "", apart.messages)
    assert [leak.kind for leak in leaks({"train": [one], "exam": [same]})] == ["device"]
    assert leaks({"train": [one], "exam": [same]}, by_device=False) == []
    shown = Example("refusal", "HP", "b", (*conversation("?", passages_of(guide("Dell", "fan"))), {**SAID, "content": REFUSAL}), (("a", 1),))  # fmt: skip  # noqa: E501
    own = Example("refusal", "Dell", "a", (*conversation("?", ()), {**SAID, "content": REFUSAL}))
    assert [leak.kind for leak in leaks({"train": [own], "val": [shown]})] == ["guide"], "it is only shown beside"


def test_a_device_is_where_its_name_puts_it():
    names = [f"device {number}" for number in range(2000)]
    sides = split(names)
    counts = Counter(sides.values())
    assert 0.08 < counts["exam"] / 2000 < 0.12
    assert 0.035 < counts["val"] / 2000 < 0.065
    assert split(reversed(names)) == sides
    some = split(names[::2])
    assert all(sides[name] == side for name, side in some.items()), "others that come or go change nothing"
    assert all(0 <= place_of(name) < 1 for name in names)
    assert place_of("dell xps 13") == pytest.approx(0.1187462, abs=1e-6), "on every machine, in every version"


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_few_devices_leave_no_side_empty(n: int):
    for begin in range(50):
        counts = Counter(split([f"{begin} {number}" for number in range(n)]).values())
        assert set(counts) == set(SIDES)


def test_one_or_two_devices_are_trained_on_first():
    assert split(["a"]) == {"a": "train"}
    assert sorted(split(["a", "b"]).values()) == ["exam", "train"]
    assert split([]) == {}


def test_devices_of_the_fixed_exam_are_never_trained_on():
    names = [f"device {number}" for number in range(20)]
    held = frozenset(names[:5])
    sides = split(names, held)
    assert all(sides[name] == "exam" for name in held)
    assert split(names[:5], held) == dict.fromkeys(names[:5], "exam"), "even if nothing is left"


def test_a_text_stays_on_the_largest_side():
    texts = {"train": ["a", "b"], "exam": ["b", "c", "d"], "val": ["c", "a", "e"]}
    assert claims(texts) == {"a": "train", "b": "train", "c": "exam"}
    assert claims(texts, frozenset({"a", "d", "e", "x"})) == {"a": "exam", "b": "train", "c": "exam", "e": "exam"}


def test_conversations_that_another_side_tells_are_dropped():
    one, other = asked("Dell"), asked("HP", text="What comes behind the lid of the case?")
    left, dropped = without_leaks({"train": [one], "exam": [other], "val": []})
    assert left == {"train": [one], "exam": [], "val": []}
    assert dropped == {"train": 0, "exam": 1, "val": 0}
    left, dropped = without_leaks({"train": [one], "exam": [], "val": []}, texts_of(one))
    assert dropped["train"] == 1, "it stands in the fixed exam"


def test_copies_go_and_the_first_stays():
    one, two = asked("Dell", "1"), asked("Dell", "2")
    assert without_copies([one, two, one]) == ([one], 2)


def test_near_copies_are_found_and_chance_is_not():
    long = "use the plastic spudger to lift the flat cable out of its socket on the main board of the laptop"
    near = long.replace("plastic", "nylon")
    other = "pull the wheel off its axle and put it with the other parts where you will find it again later"
    found = near_copies({"train": [long, other], "val": [near], "exam": [other.replace("wheel", "tyre rim")]})
    assert [(copy.side, copy.text, copy.like) for copy in found] == [("val", near, long)]
    assert found[0].score == pytest.approx(13 / 16, abs=0.001)
    assert near_copies({"train": ["remove the lid"], "val": ["remove the lid"]}) == [], (
        "short texts are alike by chance"
    )


def test_steps_are_read_from_the_words_of_an_example():
    passages = passages_of(guide("Dell", "fan", 2))
    answer = f"Tools: spudger\n1. {passages[1].text} [2]"
    example = Example("how_to", "Dell", "x", (*conversation("How?", passages), {**SAID, "content": answer}))
    assert texts_of(example) == {normalised(passage.text) for passage in passages}
    assert key_of(example) == "dell"
    assert key_of(asked("", "Guide-7")) == "guide 7"
    assert key_of(asked("", "")) == normalised(asked("").messages[0]["content"])


def test_signs_and_case_do_not_hide_a_copy():
    assert normalised("  Remove the FOUR 3-mm_screws!\n") == "remove the four 3 mm screws"


def test_small_guides_are_split_too():
    gathered = Gathered({each.id: (each, "file") for each in guides(6)}, (), (), 0)
    built = build(gathered, Order("small"), [], None, silent)
    assert leaks(built.sides) == []
    assert all(built.sides[side] for side in SIDES)
