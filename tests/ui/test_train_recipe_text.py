"""A recipe in an editor: read strictly, changed a value at a time, kept for the command line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repairai.errors import RepairError
from repairai.files import read_text
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.ui.recipe_text import (
    changed,
    kept,
    own_recipes,
    parsed,
    problems,
    ready_recipes,
    title_of,
    value_of,
    written,
)

SHORT = "task: sop # which\nstep:\n  model: a/b\n  batch: 2 # at once\nepochs: 1\nlearning_rate: 0.001\n"


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(RepairError) as caught:
        parsed("task: sop\nstep: {model: x, rnk: 3}\nepoch: 1\n")
    found = problems(caught.value)
    assert "unknown key 'step.rnk', did you mean 'rank'?" in found
    assert "learning_rate: Field required" in found
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no recipe yet"),
        ("a: [", "is not YAML"),
        ("version: 99\n", "update RepairAI"),
        ("- a\n", "not a Recipe"),
    ],
)
def test_what_is_no_recipe_is_told_in_a_sentence(text: str, said: str):
    with pytest.raises(RepairError, match=said) as caught:
        parsed(text)
    assert problems(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 2.5), ("learning_rate", 1e-5), ("learning_rate", 1e-4), ("step.batch", 8), ("step.rank", 4),
        ("patience", 0), ("backend", "unsloth"), ("data", "C:\\data: # odd 'name'"), ("step.length_tokens", 4096),
    ],
)  # fmt: skip
def test_one_value_changes_and_the_rest_stays(key: str, value: object):
    text = changed(SHORT, key, value)
    assert value_of(parsed(text), key) == value
    assert "task: sop # which" in text
    assert "# at once" in text


@pytest.mark.parametrize("ready", ready_recipes(), ids=lambda each: each.path.stem)
def test_every_recipe_that_lies_ready_can_be_changed(ready):
    text = read_text(ready.path)
    again = changed(changed(text, "step.batch", 3), "data", "/somewhere")
    assert len(again.splitlines()) == len(text.splitlines())
    assert parsed(again).step.batch == 3
    assert parsed(again).data == "/somewhere"


def test_a_recipe_on_one_line_is_written_anew():
    text = changed("{task: sop, step: {model: x}, epochs: 1, learning_rate: 0.1}", "step.batch", 5)
    assert parsed(text).step.batch == 5


@given(st.floats(1e-9, 1.0))
@settings(max_examples=50, deadline=None)
def test_any_rate_comes_back(rate: float):
    assert parsed(changed(SHORT, "learning_rate", rate)).learning_rate == rate


def test_what_is_no_recipe_is_not_changed():
    for text in ("", "a: [", "just words"):
        with pytest.raises(RepairError):
            changed(text, "epochs", 2)


def test_a_plan_becomes_text_and_back():
    recipe = Recipe("sop", Workload("a/b"), 3.0, 2e-4)
    assert parsed(written(recipe)) == recipe


def test_recipes_lie_ready_the_smallest_first():
    titles = [each.title for each in ready_recipes()]
    assert titles[0] == "smollm2-135m · LoRA · on the processor"
    assert titles[-1].endswith("24 GiB")
    assert title_of(own_recipes() / "odd.yaml") == "odd"


def test_a_recipe_is_kept_and_never_over_another():
    first = kept("My lamps", SHORT, "")
    assert first.name == "my-lamps.yaml"
    assert ready_recipes()[0].path == first
    other = kept("My lamps", SHORT + "# more\n", "")
    assert other.name == "my-lamps-2.yaml"
    assert kept("My lamps", SHORT + "# still more\n", str(other)) == other
    assert first.read_text() == SHORT
    assert kept("My lamps", SHORT, "") == first
    with pytest.raises(RepairError, match="leads elsewhere"):
        kept("../x", SHORT, "")
