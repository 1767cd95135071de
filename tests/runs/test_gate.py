"""A trained model answers people only where it is no worse than the one before; one step back restores that one."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.gate import activate
from repairai.runs.score_words import as_table, said
from repairai.runs.scores import (
    Compared,
    ExamSheet,
    Lengths,
    Loss,
    Mark,
    Scores,
    against_steps,
    compared,
    interval,
    read_scores,
    write_scores,
)
from repairai.sop import agents

RECIPE = Recipe("sop", Workload("HuggingFaceTB/SmolLM2-135M-Instruct", "lora", length_tokens=512), 1.0, 1e-3)


def trained(name: str) -> RunFolder:
    """A finished training, as far as the gate looks at it."""
    folder = new_run(name, "train", ["python"], text=json.dumps(to_data(RECIPE)))
    folder.model.mkdir()
    (folder.model / "adapter_config.json").write_text("{}")
    return folder


def marks(
    before: float, after: float, n: int = 40, spread: float = 0.1, figures: dict | None = None, steps: float = 0.1
) -> list[Mark]:
    """`n` questions whose marks lie around two means; `figures` gives (before, after) for some of them.

    The plain steps score `steps` on each, and in the figures what the base scores.
    """
    own = {name: ({name: pair[0]}, {name: pair[1]}) for name, pair in (figures or {}).items()}
    found = []
    for at in range(n):
        off = spread * (at % 5 - 2) / 2
        old, new = list(own.values())[at % len(own)] if own else ({}, {})
        found.append(Mark(f"q{at}", "how_to", "Kettle", before + off, after - off, old, new, steps, old))
    return found


def evaluated(folder: RunFolder, own: list[Mark], exam: str = "e1") -> Scores:
    """Give a run scores made by hand."""
    all_of_them = compared([each.before for each in own], [each.after for each in own])
    scores = Scores(
        run=folder.id, model="SmolLM2", exam=ExamSheet(exam, "exam.jsonl", len(own), 100), made="2026-01-01",
        overall=all_of_them, tasks={"how_to": all_of_them}, figures={}, loss=Loss(3.0, 2.0, 900),
        lengths=Lengths(60, 80, 61), marks=tuple(own),
    )  # fmt: skip
    write_scores(folder.scores, scores)
    return scores


# ---- the gate


def test_better_than_the_plain_steps_is_made_active_and_back_restores(home: Path):
    folder = trained("first")
    evaluated(folder, marks(0.2, 0.7, steps=0.4))
    decision = activate("first")
    assert decision.active
    assert decision.said.startswith(
        "first is the active agent now: it is better than the plain steps, which need no model and answer now: on 40 "
        "questions such as ask gives an agent it scores 0.70 on average against 0.40 (+0.300, "
    )
    assert decision.differences["overall"].difference == pytest.approx(0.3)
    active = agents.active()
    assert (active.name, active.run_id, active.kind, active.length_tokens) == ("first", "first", "local", 512)
    assert (active.path, active.base) == (str(folder.model), RECIPE.step.model)
    assert agents.back() == agents.STEPS
    assert agents.active() == agents.STEPS


def test_better_than_its_base_but_worse_than_the_plain_steps_is_refused(home: Path):
    evaluated(trained("first"), marks(0.02, 0.6, steps=0.8))
    decision = activate("first")
    assert not decision.active
    assert agents.active() == agents.STEPS
    assert decision.said.startswith(
        "first is not made active: it is worse than the plain steps, which need no model and answer now: on 40 "
        "questions such as ask gives an agent it scores 0.60 on average against 0.80 (-0.200, "
    )
    assert activate("first", force=True).active


def test_only_what_ask_gives_an_agent_is_held_against_the_plain_steps(home: Path):
    asked = marks(0.0, 0.6, n=24, steps=0.8)
    kinds = ("how_to", "next_step", "tools", "refusal")
    asked = [replace(each, task=kinds[at % 4]) for at, each in enumerate(asked)]
    learnt_beside = [replace(each, task="requirements") for each in marks(0.0, 1.0, n=60, steps=0.0)]
    scores = evaluated(trained("first"), [*asked, *learnt_beside])
    decision = activate("first")
    assert not decision.active
    assert "on 24 questions such as ask gives an agent it scores 0.60 on average against 0.80" in decision.said
    assert "It is worse than the plain steps, which need no model: on 24 questions" in said(scores)
    evaluated(trained("second"), [*asked[:19], *learnt_beside])
    few = activate("second")
    assert not few.active
    assert "it answered 19 questions such as ask gives an agent, and 20 are needed" in few.said


def test_steps_that_warn_are_not_replaced_by_a_model_that_does_not(home: Path):
    own = marks(0.0, 0.9, steps=0.5)
    own = [replace(each, steps_figures={"warnings_kept": 1.0}, after_figures={"warnings_kept": 0.0}) for each in own]
    evaluated(trained("first"), own)
    decision = activate("first")
    assert not decision.active
    assert decision.said.startswith(
        "first is not made active: it is worse at warnings kept (1.00 before, 0.00 now, 40 questions); on the whole it "
        "is better than the plain steps"
    )


def test_one_kind_of_question_is_not_given_up_for_another(home: Path):
    """As a model of ours did: it refused most of what it was asked, also where the guide was right."""
    how_to = marks(0.1, 0.3, n=12, steps=0.9)
    refusal = [replace(each, task="refusal") for each in marks(0.1, 0.9, n=14, steps=0.1)]
    evaluated(trained("first"), [*how_to, *refusal])
    decision = activate("first")
    assert not decision.active
    assert not decision.differences["overall"].is_worse
    assert decision.said.startswith(
        "first is not made active: it is worse at how-to questions (0.90 before, 0.31 now, 12 questions); on the whole "
        "it is not clearly apart from the plain steps, which need no model and answer now: on 26 questions such as"
    )


def test_scores_from_before_the_steps_took_the_exam_ask_to_evaluate_again(home: Path):
    folder = trained("first")
    evaluated(folder, marks(0.2, 0.9))
    data = json.loads(folder.scores.read_text())
    for mark in data["marks"]:
        del mark["steps"], mark["steps_figures"]
    folder.scores.write_text(json.dumps(data | {"version": 1}))
    old = read_scores(folder.scores)
    assert (old.version, old.marks[0].steps) == (1, None)
    assert "plain steps" not in said(old) + as_table(old)
    decision = activate("first")
    assert not decision.active
    assert "its scores are from before the plain steps took the exam too" in decision.said
    assert decision.said.endswith("evaluate it again: runs evaluate first.")


def test_worse_than_the_active_one_is_refused_with_figures(home: Path):
    evaluated(trained("first"), marks(0.2, 0.7))
    evaluated(trained("second"), marks(0.2, 0.5))
    activate("first")
    decision = activate("second")
    assert not decision.active
    assert agents.active().name == "first"
    assert decision.said.startswith(
        "second is not made active: it is worse than first: on 40 questions it scores 0.50 on average against 0.70 "
        "(-0.200, 95 % interval -0.200 to -0.200; 0 won, 40 lost, 0 tied)."
    )


def test_equal_is_made_active(home: Path):
    evaluated(trained("first"), marks(0.2, 0.7))
    evaluated(trained("second"), marks(0.2, 0.7))
    activate("first")
    decision = activate("second")
    assert decision.active
    assert decision.differences["overall"].ties == 40
    assert agents.back().name == "first"


def test_a_little_worse_by_luck_is_made_active(home: Path):
    evaluated(trained("first"), marks(0.2, 0.7, spread=0.4))
    own = marks(0.2, 0.7, spread=0.4)
    evaluated(trained("second"), [replace(each, after=each.after - 0.3 * (at == 3)) for at, each in enumerate(own)])
    activate("first")
    decision = activate("second")
    assert decision.differences["overall"].difference < 0
    assert decision.active


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("refused", "saying so where there is no guide (1.00 before, 0.00 now, 40 questions)"),
        ("warnings_kept", "warnings kept"),
        ("counts_exact", "counts of parts exact"),
    ],
)
def test_better_on_the_whole_but_less_safe_is_refused(home: Path, figure: str, words: str):
    evaluated(trained("first"), marks(0.2, 0.5, figures={figure: (0.0, 1.0)}))
    evaluated(trained("second"), marks(0.2, 0.9, figures={figure: (0.0, 0.0)}))
    activate("first")
    decision = activate("second")
    assert not decision.active
    assert decision.differences["overall"].is_better
    assert decision.differences[figure].is_worse
    assert f"second is not made active: it is worse at {words}" in decision.said


def test_safety_is_not_judged_by_few_questions(home: Path):
    own = [replace(each, before_figures={"refused": 1.0}, after_figures={"refused": 0.0}) for each in marks(0.2, 0.9)]
    evaluated(trained("first"), [*own[:4], *marks(0.2, 0.9)[4:]])
    decision = activate("first")
    assert decision.active
    assert "refused" not in decision.differences


def test_another_exam_asks_to_evaluate_again(home: Path):
    evaluated(trained("first"), marks(0.2, 0.7))
    evaluated(trained("second"), marks(0.2, 0.9), exam="e2")
    activate("first")
    decision = activate("second")
    assert not decision.active
    assert "was asked another exam" in decision.said
    assert "runs evaluate first" in decision.said
    assert agents.active().name == "first"


def test_in_place_of_an_active_one_without_scores_stand_the_plain_steps(home: Path):
    evaluated(trained("first"), marks(0.2, 0.7)), activate("first")
    RunFolder(home / "runs" / "first").scores.unlink()
    evaluated(trained("second"), marks(0.3, 0.5, steps=0.4))
    decision = activate("second")
    assert decision.active
    assert "the plain steps, which need no model (the active agent, first, has no scores): on 40" in decision.said
    RunFolder(home / "runs" / "second").scores.unlink()
    evaluated(trained("third"), marks(0.1, 0.3, steps=0.4))
    assert not activate("third").active


def test_force_makes_active_what_is_worse_and_says_so(home: Path):
    evaluated(trained("first"), marks(0.1, 0.2, steps=0.7))
    assert not activate("first").active
    decision = activate("first", force=True)
    assert decision.active
    assert decision.said.startswith("first is the active agent now because you insist: it is worse than")
    assert agents.active().name == "first"


def test_no_scores_and_few_questions_are_refused_with_what_to_do(home: Path):
    folder = trained("first")
    assert (
        activate("first").said
        == "first is not made active: it has no scores yet; evaluate it first: runs evaluate first."
    )
    evaluated(folder, marks(0.2, 0.9, n=19))
    decision = activate("first")
    assert not decision.active
    assert "19 questions are too few" in decision.said
    assert activate("first", force=True).active
    assert activate("first").said == "first is the active agent already."


def test_what_is_no_model_is_an_error(home: Path):
    new_run("bare", "train", ["python"], text=json.dumps(to_data(RECIPE)))
    with pytest.raises(RepairError, match="bare has made no model yet"):
        activate("bare")
    with pytest.raises(RepairError, match="no run '../bare'"):
        activate("../bare")
    trained("broken").scores.write_text('{"run": 1')
    with pytest.raises(RepairError, match="not JSON"):
        activate("broken")


def test_a_whole_model_needs_no_base(home: Path):
    folder = trained("full")
    (folder.model / "adapter_config.json").unlink()
    evaluated(folder, marks(0.2, 0.7))
    activate("full")
    assert agents.active().base == ""


# ---- scores


def test_scores_come_back_as_they_were_written(home: Path):
    folder = trained("first")
    scores = evaluated(folder, marks(0.2, 0.7, figures={"refused": (0.0, 1.0)}))
    assert read_scores(folder.scores) == scores
    assert said(scores).startswith(
        "first is better than SmolLM2: on 40 questions it scores 0.70 on average against 0.20"
    )
    assert "| held-out loss | 900 tokens | 3.000 | 2.000 | -1.000 |" in as_table(scores)
    data = json.loads(folder.scores.read_text())
    assert data["version"] == 2
    folder.scores.write_text(json.dumps(data | {"version": 3, "what": "nobody knows yet"}))
    with pytest.raises(RepairError, match="of version 3, and this RepairAI knows version 2"):
        read_scores(folder.scores)


def test_the_table_shows_the_plain_steps_beside_the_model(home: Path):
    own = [
        replace(each, task="tools") for each in marks(0.2, 0.7, n=10, figures={"tools_exact": (0.5, 1.0)}, steps=0.4)
    ]
    beside = [replace(each, task="requirements") for each in marks(0.2, 0.7, n=30, steps=0.0)]
    scores = evaluated(trained("first"), [*own, *beside])
    found = against_steps(scores)
    assert {name: (row.examples, row.before) for name, row in found.items()} == {
        "overall": (10, pytest.approx(0.4)), "tools": (10, pytest.approx(0.4)), "tools_exact": (10, 0.5),
    }  # fmt: skip
    table = as_table(scores)
    assert "| against the plain steps | questions | plain steps | after |" in table
    assert "| **questions such as ask gives an agent** | 10 | 0.400 | 0.700 | +0.300 |" in table
    assert against_steps(evaluated(trained("second"), beside)) == {}


def test_the_interval_is_that_of_the_mean():
    differences = [0.0, 1.0] * 50
    low, high = interval(differences)
    # The mean's standard error is 0.05: 1.96 of them on each side.
    assert low == pytest.approx(0.5 - 0.098, abs=0.015)
    assert high == pytest.approx(0.5 + 0.098, abs=0.015)
    assert interval(differences) == (low, high)
    assert interval(differences, seed=8) != (low, high)
    assert interval([0.25] * 30) == (0.25, 0.25)


def test_wins_and_losses_are_counted_beyond_a_tie():
    found = compared([0.5, 0.5, 0.5, 0.5], [0.5, 0.505, 0.9, 0.1])
    assert (found.wins, found.losses, found.ties) == (1, 1, 2)
    assert found == replace(found, examples=4, before=0.5)
    assert isinstance(found, Compared)
    with pytest.raises(ValueError, match="got 0 and 0"):
        compared([], [])
    with pytest.raises(ValueError, match="got 1 and 2"):
        compared([1.0], [1.0, 1.0])


def test_the_gate_is_light():
    code = "import sys, repairai.runs.gate; print([m for m in ('torch', 'numpy', 'gradio') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
