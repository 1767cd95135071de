"""A judge's runs on the page: its scores, its buttons, who judges; and its recipe on the Train tab."""

from pathlib import Path

import gradio as gr
import pytest
import yaml

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.judge import judges
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.judge_scores import read_judge_scores
from repairai.runs.state import read_run
from repairai.ui import judge_runs, judge_scores_render, run_actions, run_kinds, runs_tab, runs_view, seeing, start_card
from repairai.ui.foreseen import foresee
from repairai.ui.recipe_text import parsed, written
from repairai.ui.states import judge_recipe
from repairai.ui.watched import Watched
from tests.runs.judge_runs import NO, RECIPE, YES, judged, marks, mostly, right
from tests.ui.test_render import HOSTILE
from tests.ui.test_runs_view import ended
from tests.ui.test_states_card import a_set


def trained(name: str = "states-of-connectors") -> RunFolder:
    """A finished training of a light classifier."""
    folder = new_run(name, "train", ["python"], text=yaml.safe_dump(to_data(RECIPE), sort_keys=False))
    folder.model.mkdir()
    (folder.model / "config.json").write_text("{}")
    return ended(folder)


def test_its_scores_are_shown_beside_those_of_the_judge_in_use(home: Path):
    folder = trained()
    judged(folder, marks(mostly(4), right), against="older")
    html = runs_view._scores(folder.scores)
    for word in ("Told rightly", "Decided", "Escapes", "False calls", "Agree", "Grey photo"):
        assert word in html
    assert "All, by older, in use before" in html
    assert "90.0 %" in html
    assert "states that were told wrongly" in html
    assert "the photo is gone" in html


def test_what_was_told_wrongly_comes_surest_first(home: Path):
    folder = trained()
    own = marks(lambda at, answer: (0.6, 0.4) if at == 3 and answer == "no" else (YES if answer == "yes" else NO), n=12)
    own += marks(lambda at, answer: YES, n=2)
    judged(folder, own)
    wrong = judge_scores_render.wrong_marks(read_judge_scores(folder.scores))
    assert [mark.answer for mark, _ in wrong] == ["no", "no"]
    assert wrong[0][1] > wrong[1][1] > 0.5


def test_a_judge_that_tells_all_rightly_has_nothing_to_look_at(home: Path):
    folder = trained()
    judged(folder, marks(right), undecided={f"{HOSTILE}?": HOSTILE})
    html = judge_runs.scores(folder.scores)
    assert "Every state was told rightly" in html
    assert "<script" not in html


def test_its_buttons_say_what_they_do(home: Path):
    folder = trained()
    names = runs_view.buttons(folder, read_run(folder))
    assert run_kinds.marked(names) is run_kinds.KINDS["judge"]
    assert "back" not in names
    shown = runs_tab._buttons(names, True)
    labels = [each.value for each in shown if isinstance(each, gr.Button)]
    assert "Let it judge" in labels
    assert "Evaluate and calibrate it" in labels
    limit, escape = shown[-2:]
    assert (limit.visible, escape.visible) == (False, True)
    assert "Questions of state are answered by nobody" in runs_view.view(Watched(), folder.id)["answering"]
    assert "thresholds are chosen" in runs_view.view(Watched(), folder.id)["scores"]


def test_it_judges_and_one_step_leads_back(home: Path):
    folder = trained()
    judged(folder, marks(right))
    is_active, html = run_actions.activate(folder.id, False)
    assert is_active
    assert "judges states now" in html
    assert judges.active().run_id == folder.id
    assert seeing.judge_choices()[0] == (f"The one in use: {folder.id}", "")
    assert [name for _, name in seeing.judge_choices()[1:]] == ["nobody", folder.id]
    assert "back" in runs_view.buttons(folder, read_run(folder))
    assert "nobody but the person at the bench" in run_actions.back(folder.id)
    assert judges.active() == judges.NOBODY


def test_it_does_not_judge_where_its_test_says_no(home: Path):
    folder = trained()
    judged(folder, marks(right, n=4))
    is_active, html = run_actions.activate(folder.id, False)
    assert not is_active
    assert "too few" in html
    assert run_actions.activate(folder.id, True)[0]


def test_so_many_wrong_states_may_not_pass(home: Path):
    with pytest.raises(RepairError, match="cannot be what may pass"):
        run_actions.evaluate(trained().id, None, 90.0)


def test_a_damaged_register_is_told(home: Path):
    judges.register_path().parent.mkdir(parents=True)
    judges.register_path().write_text("{")
    assert "damaged" in run_kinds.JUDGE.in_use()
    assert not run_kinds.JUDGE.has_past()
    assert [name for _, name in seeing.judge_choices()] == ["", "nobody"]
    assert seeing.address_of("") == ""


# ---- which judge answers


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("http://192.0.2.7:8000/v1#llava", "192.0.2.7"),
        ("http://127.0.0.1:8000", ""),
        ("nobody", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_server_that_is_not_this_machine_is_said_so(home: Path, name: str | None, said: str):
    html = seeing.away(name)
    assert (said in html and "not this machine" in html) if said else html == ""


def test_the_server_in_use_is_said_so(home: Path):
    judges.use(judges.Judge("far", "server", "https://judge.example/v1"))
    assert "judge.example" in seeing.away("")
    assert "judge.example" in seeing.away("far")
    assert seeing.away("nobody") == ""


# ---- its recipe


def test_a_recipe_for_the_light_classifier_needs_no_plan(home: Path):
    folder = a_set()
    text, *_ = judge_recipe.make(judge_recipe.PROBE, "builtin", None, str(folder))
    recipe = parsed(text)
    assert (recipe.task, recipe.step.method, recipe.step.model) == ("judge", "linear_probe", "builtin")
    assert recipe.data == str(folder)
    said, side, *_ = judge_recipe.check(text, *[None] * len(judge_recipe.FORM.labels))
    assert "Training a light classifier" in said
    assert not side.visible
    assert start_card.usual_name(text) == "builtin-linear_probe"
    found = foresee(recipe, None)
    assert found.faults == ()
    assert found.light
    assert "minutes, on the processor" in start_card.forecast(text, str(folder))


def test_a_recipe_of_something_else_is_told(home: Path):
    text, *_ = judge_recipe.make(judge_recipe.PROBE, "builtin", None, None)
    other = text.replace("task: judge", "task: detector")
    assert "trains another model" in judge_recipe.check(other, *[None] * len(judge_recipe.FORM.labels))[0]
    assert "no model is named" in judge_recipe.make(judge_recipe.PROBE, " ", None, None)[1]


def test_a_model_of_words_and_photos_is_planned_for(home: Path):
    model = "HuggingFaceTB/SmolVLM-256M-Instruct"
    assert model in [name for _, name in judge_recipe.model_choices(judge_recipe.WORDS)]
    text, ways, found, keep, way = judge_recipe.make(judge_recipe.WORDS, model, 12.0, str(a_set()))
    assert found is not None
    assert keep.visible
    assert "LoRA" in ways
    recipe = parsed(judge_recipe.used(found, way.value, str(a_set("others"))))
    assert recipe.task == "judge"
    assert judge_recipe.check(written(recipe), *[None] * len(judge_recipe.FORM.labels))[1].visible
    assert foresee(recipe, None, at_once=True).steps
