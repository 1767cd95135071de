import json
from pathlib import Path

import pytest

from benchmarks import support as benchmark
from repairai.sop.prompts import Passage, answer_text, passages_of
from repairai.sop.samples import samples
from repairai.sop.support import Checked, check
from tests.conftest import SHARED

GOLD = json.loads(Path(__file__).with_name("support_gold.json").read_text())
GUIDES = {guide.id: passages_of(guide) for guide in samples()}
TEXTS = (
    "Remove the four 4.0 mm Phillips screws from the left cover and the two T5 Torx screws from the right cover.",
    "Do not remove the tape. Disconnect the fan connector before you lift the fan out.",
    "Turn the knob clockwise to loosen it. Caution: Pull at the plug, never at the wires.",
)
STEPS = tuple(
    Passage("g-1", "Toaster fan replacement", "Toaster 9", n, text, ("Phillips #0 screwdriver", "T5 Torx screwdriver"))
    for n, text in enumerate(TEXTS, 1)
)


def only(text: str) -> Checked:
    checked = check(text, STEPS)
    assert len(checked) == 1, checked
    return checked[0]


@pytest.mark.parametrize(("guide", "true", "text"), [row for row in GOLD["sentences"] if not row[1]])
def test_what_no_step_says_is_caught(guide: str, true: bool, text: str):
    assert not all(each.supported for each in check(text, GUIDES[guide]))


def test_most_of_what_the_steps_say_in_other_words_is_kept():
    true = [(guide, text) for guide, is_true, text in GOLD["sentences"] if is_true]
    kept = [all(each.supported for each in check(text, GUIDES[guide])) for guide, text in true]
    assert sum(kept) / len(kept) >= 0.9


@pytest.mark.parametrize("guide", GUIDES)
def test_the_steps_themselves_are_kept_with_their_numbers(guide: str):
    passages = GUIDES[guide]
    text = answer_text([(each.text, number) for number, each in enumerate(passages, 1)], passages[0].tools)
    checked = check(text, passages)
    assert [each for each in checked if not each.supported or each.why] == []
    said = [each for each in checked if each.kind == "sentence"]
    assert {each.cited for each in said} == {(number,) for number in range(1, len(passages) + 1)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Remove the five 4.0 mm Phillips screws from the left cover. [1]", "five"),
        ("Remove the four 5.0 mm Phillips screws from the left cover. [1]", "5.0mm"),
        ("Remove the two T6 Torx screws from the right cover. [1]", "t6"),
        ("Remove the two 4.0 mm Phillips screws. [1]", "of something else"),
        ("Install the four 4.0 mm Phillips screws. [1]", "install"),
        ("Remove the tape. [2]", "the opposite"),
        ("Lift the fan out before you disconnect the fan connector. [2]", "only says when"),
        ("Turn the knob counterclockwise to loosen it. [3]", "counterclockwise"),
        ("Turn the knob clockwise to tighten it. [3]", "tighten"),
        ("Pull at the wires, never at the plug. [3]", "opposite"),
        ("Remove the battery. [1]", "battery"),
        ("The moon is made of cheese.", "no step that was found says this"),
    ],
)
def test_why_it_is_not_supported(text: str, why: str):
    checked = only(text)
    assert not checked.supported
    assert why in checked.why


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Take out the four Phillips screws (4 mm) of the left cover [1]", (1,)),
        ("Carefully unplug the fan connector.", (2,)),
        ("Remove the 2 T5 screws from the right cover. [3]", (1,)),
        ("Don't remove the tape. [7]", (2,)),
        ("Next, you should loosen the knob by turning it clockwise. (step 3)", (3,)),
        ("**Step 2:** Disconnect the fan connector. [Step 2]", (2,)),
        ("This is how to replace the fan of the Toaster 9:", ()),
        ("Good luck!", ()),
    ],
)
def test_what_is_supported_names_its_step(text: str, cited: tuple[int, ...]):
    checked = only(text)
    assert checked.supported, checked.why
    assert checked.cited == cited


def test_a_wrong_number_is_mended_and_told():
    checked = only("Remove the two T5 Torx screws. [2]")
    assert (checked.supported, checked.cited) == (True, (1,))
    assert "the answer names 2, but 1 says it" in checked.why


def test_a_wrong_number_of_a_step_that_says_otherwise_is_not_mended():
    """Another step may ask for what the named one forbids; it stays unsupported."""
    more = (*STEPS, Passage("g-1", "Toaster fan replacement", "Toaster 9", 4, "Remove the tape."))
    assert not check("Remove the tape. [2]", more)[0].supported
    assert check("Remove the tape. [4]", more)[0].supported


def test_tools_are_those_of_the_guide():
    checked = check("Tools: Phillips #0 screwdriver, T5 screwdriver, hammer\n1. Remove the tape. [2]", STEPS)
    assert [(each.text, each.supported) for each in checked if each.kind == "tool"] == [
        ("Phillips #0 screwdriver", True),
        ("T5 screwdriver", True),
        ("hammer", False),
    ]
    assert "hammer" in checked[2].why


def test_lines_are_told_apart():
    checked = check("Tools: hammer\n1. Good luck! Be careful.\n2. Remove the tape. [2]", STEPS)
    assert [each.item for each in checked] == [0, 1, 1, 2]


def test_a_refusal_is_one():
    checked = only("I have no guide for that.")
    assert checked.kind == "refusal"
    assert checked.supported


@pytest.mark.parametrize("rubbish", ["", "\n\n", "[1]", "1.", "]]][[ 0 \x00 ½ 🛠", "a" * 5000, "1 2 3 " * 500, "Tools:"])
def test_rubbish_is_read(rubbish: str):
    for each in check(rubbish, STEPS):
        assert each.text
    check(rubbish, ())


def test_without_steps_nothing_is_supported():
    assert not check("Remove the four screws. [1]", ())[0].supported


def test_on_real_steps(capsys: pytest.CaptureFixture[str]):
    """A part of benchmarks/support.py; the whole of it prints what CHANGELOG says."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not part of the repository")
    guides = benchmark.read_guides(SHARED / "myfixit")[::7]
    cases = benchmark.cases(guides, benchmark.random.Random(3))
    caught = benchmark.measure(cases, benchmark.SPOILT, 120, errors=False, caught=True)
    kept = benchmark.measure(cases, benchmark.TRUE, 120, errors=False, caught=False)
    caught.pop("half a name", None)  # of these there are only a handful
    assert sum(caught.values()) / len(caught) >= 0.96, caught
    assert min(kept.values()) >= 0.97, kept
