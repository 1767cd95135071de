"""What a run's folder tells of the judge of states that it has trained, gathered for a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe
from repairai.hub.contents import CLASSIFIER
from repairai.hub.facts import Figure, Judged, ModelFacts, Threshold
from repairai.judge.limits import STATE_LIMITS, read_limits
from repairai.judge.questions import key
from repairai.judge.state_set import EXAMPLES, read_state_set
from repairai.runs import judge_score_words, judge_scores
from repairai.runs.figures import count, percent
from repairai.runs.folder import RunFolder, read_json
from repairai.runs.judge_scores import JudgeScores
from repairai.runs.sharing.model_facts import (
    BUILTIN,
    BUILTIN_LICENCE,
    data_folder,
    list_in,
    of_any,
    said_of_examples,
)
from repairai.runs.sharing.origins import datasets_among, hub_name, licence_here, of_photos
from repairai.runs.sharing.staged import is_path, last_of

BACKBONE_WORDS = "the backbone of the detector that comes with RepairAI"
FIGURES = (
    ("balanced_accuracy", "states told rightly, yes and no alike", "balanced_accuracy"),
    ("decided", "states decided", "decided"),
    ("escape", "wrong states passed", "escaped"),
    ("false_call", "right states failed", "false_calls"),
    ("agreement", "both phrasings agree", "agreement"),
    ("calibration_error", "calibration error", "calibration_error"),
    ("blank", "told rightly from a grey photo: 0.5 where it looks", "blank_accuracy"),
)
"""Of the figures: its name in the head, in words, and among `StateFigures`."""


def judge_facts(folder: RunFolder, recipe: Recipe, repo: str, base: str) -> ModelFacts:
    """Return what is known of a judge that a run has trained.

    Args:
        folder: Of the run.
        recipe: Of it.
        repo: OWNER/NAME.
        base: What it stands on or began with: its name on the Hub, how it is called here, or `builtin`.
    """
    config = read_json(folder.model / "config.json")
    is_classifier = config.get("model_type") == CLASSIFIER
    is_adapter = (folder.model / "adapter_config.json").is_file()
    known = "" if base == BUILTIN else hub_name(base)
    data = data_folder(folder, recipe)
    sources = of_photos(list_in(folder.model / "sources.json") or list_in(data / "sources.json"))
    found = _scores(folder)
    asked = _questions(config) or _asked_in(folder, recipe)
    return replace(
        of_any(folder, recipe, repo, "judge"),
        does=f"answers {count(len(asked), 'question')} of state about photos of repairs by yes or no"
        if asked
        else "answers questions of state about photos of repairs by yes or no",
        base=BACKBONE_WORDS if base == BUILTIN else known or last_of(base),
        base_repo=known,
        base_licence=BUILTIN_LICENCE if base == BUILTIN else licence_here(recipe.step.model),
        data=said_of_examples(folder, ("data", "states")),
        sources=sources,
        datasets=datasets_among(sources, data),
        judged=_judged(found) if found else None,
        limits=tuple(_limits(found, is_classifier)),
        thresholds=tuple(_thresholds(folder, found, asked)),
        questions=asked,
        library="onnx" if is_classifier else "peft" if is_adapter else "transformers",
        has_onnx=is_classifier,
    )


def _questions(config: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what a classifier was taught, as its settings have it."""
    listed = config.get("questions")
    return tuple(
        (str(each["question"]), str(each.get("opposite", "")))
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and each.get("question")
    )


def _asked_in(folder: RunFolder, recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """Return the questions of the examples that were learned from, each once with its opposite."""
    try:
        place = data_folder(folder, recipe)
        examples = read_state_set(place) if (place / EXAMPLES).is_file() else ()
    except RepairError:  # damaged since: the card names none
        examples = ()
    found: dict[str, tuple[str, str]] = {}
    for each in examples:
        if key(each.opposite) not in found:
            found.setdefault(key(each.question), (each.question, each.opposite))
    return tuple(found.values())


def _scores(folder: RunFolder) -> JudgeScores | None:
    if not judge_scores.is_of_judge(folder.scores):
        return None
    try:
        return judge_scores.read_judge_scores(folder.scores)
    except RepairError:  # of another version: the card says that it was not measured
        return None


def _judged(found: JudgeScores) -> Judged:
    named = replace(found, against=last_of(found.against) if is_path(found.against) else found.against)
    whole, before = named.whole, named.before
    figures = [
        Figure(metric, name, None if before is None else getattr(before, own), after, asked=whole.examples)
        for metric, name, own in FIGURES
        if (after := getattr(whole, own)) is not None
    ]
    return Judged(
        said=judge_score_words.said(named),
        on=f"{count(whole.examples, 'example')} from {count(whole.sources, 'independent photo')}",
        data=f"repairai-states-{found.sha[:12]}",
        split={"val": "validation"}.get(found.split, found.split),
        against=f"{named.against}, the judge in use" if named.against else "nobody judged",
        figures=tuple(figures),
        table=judge_score_words.as_table(named),
    )


def _thresholds(folder: RunFolder, found: JudgeScores | None, asked: tuple[tuple[str, str], ...]) -> list[Threshold]:
    try:
        measured = read_limits(folder.model / STATE_LIMITS)
    except RepairError:  # damaged: it decides nothing, and the card names none
        measured = {}
    words = {key(each): each for pair in asked for each in pair}
    for question, opposite in asked:  # what was measured of one holds for the other, turned round
        if key(question) in measured and key(opposite) != key(question):
            measured.pop(key(opposite), None)
    undecided = {key(question): why for question, why in found.undecided.items()} if found else {}
    return [
        Threshold(
            words.get(question, question), 1.0 - each.sure, None if each.sure >= 1.0 else each.sure, each.sources,
            undecided.get(question, "") if each.sure >= 1.0 else "",
        )
        for question, each in measured.items()
    ]  # fmt: skip


def _limits(found: JudgeScores | None, is_classifier: bool) -> list[str]:
    taught = (
        "It was taught the questions above, and refuses all others."
        if is_classifier
        else "It answers whatever it is asked; where nothing was measured, RepairAI shows that as a hint and decides "
        "nothing."
    )
    said = [
        "It counts badly, so it is asked about states only: parts are counted by a detector.",
        taught,
        "What no photo shows (is the screw tight, is it charged, does it work?) it is not asked.",
    ]
    if found is None:
        return [*said, "Nobody has measured how often it is right, or how many wrong states it lets pass."]
    whole = found.whole
    said.append(
        f"It was measured on {count(whole.sources, 'independent photo')} alone, taken as those that it learned "
        "from. In another light, with another camera or on another device it was not measured: check its answers there "
        "on photos whose answer you know."
    )
    if whole.decided is not None and whole.escaped is not None:
        said.append(
            f"It decides {percent(whole.decided)} of states and leaves the rest to you; of wrong states it passes "
            f"{percent(whole.escaped)}."
        )
    if whole.blank_accuracy is not None and whole.blank_accuracy >= judge_score_words.LOOKS:
        said.append(judge_score_words.blank_words(whole))
    return said
