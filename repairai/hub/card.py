"""What was trained from what, on which data and how well, as the README of a model on the Hub.

Everything that comes from outside (names, parts, licences, addresses) is escaped: no text of a source becomes a link, a
picture or a heading of the card. `data_card` has the same for data sets, `card_words` what both share.
"""

from __future__ import annotations

from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from repairai.hub.card_use import how_to_use
from repairai.hub.card_words import cell, head, licence_section, origins_table, plain, table
from repairai.hub.facts import Judged, Kind, ModelFacts
from repairai.hub.licences import Passed, passed_on

TAGS: dict[Kind, str] = {
    "adapter": "repairai-adapter", "agent": "repairai-agent", "detector": "repairai-detector",
    "proposer": "repairai-proposer", "judge": "repairai-judge",
}  # fmt: skip
_TASKS: dict[Kind, str] = {
    "adapter": "text-generation", "agent": "text-generation", "detector": "object-detection",
    "proposer": "zero-shot-object-detection", "judge": "visual-question-answering",
}  # fmt: skip
PEFT = "peft"
MOST_QUESTIONS = 40
"""That a card names; `state_limits.json` has all that were measured."""


def model_card(facts: ModelFacts) -> str:
    """Return a model's README with its head; the same facts give the same text."""
    bases = [facts.base_licence] if facts.base_repo or facts.base_licence else []
    passed = passed_on([*(each.licence for each in facts.sources), *bases])
    sections = [
        head(_head(facts, passed)),
        f"# {cell(facts.name)}: {_what(facts)}",
        plain(facts.judged.said) if facts.judged else "It was not measured: check its answers before you rely on them.",
        how_to_use(facts),
        _answers(facts),
        _scores(facts.judged),
        _thresholds(facts),
        "## Limits\n\n" + "\n".join(f"- {plain(each)}" for each in facts.limits) if facts.limits else "",
        _learned_from(facts),
        _trained(facts),
        licence_section(passed, facts.sources, facts.terms, _base_words(facts)),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


# ---- the head


def _head(facts: ModelFacts, passed: Passed) -> ModelCardData:
    library = facts.library or (PEFT if facts.kind == "adapter" else "transformers")
    more: dict[str, Any] = {}
    if facts.base_repo:
        more["base_model_relation"] = "adapter" if library == PEFT else "finetune"
    return ModelCardData(
        license=passed.id,
        license_name=passed.name or None,
        library_name=library,
        pipeline_tag=_TASKS[facts.kind],
        base_model=facts.base_repo or None,
        datasets=list(facts.datasets) or None,
        tags=["repairai", TAGS[facts.kind], "repair", *(["onnx"] if facts.has_onnx else [])],
        model_name=facts.name,
        eval_results=_results(facts) or None,
        **more,
    )


def _results(facts: ModelFacts) -> list[EvalResult]:
    """Return each figure for the head: this model's first, what stood before it behind that."""
    judged = facts.judged
    if judged is None:
        return []
    found = []
    for each in judged.figures:
        for value, when in ((each.after, ""), (each.before, f", before ({judged.against})")):
            if value is not None:
                found.append(
                    EvalResult(
                        task_type=_TASKS[facts.kind],
                        dataset_type=judged.data,
                        dataset_name=judged.on,
                        dataset_split=judged.split,
                        metric_type=each.metric,
                        metric_name=each.name + when,
                        metric_value=round(value, 4),
                    )  # fmt: skip
                )
    return found


def _what(facts: ModelFacts) -> str:
    if facts.kind == "adapter":
        return f"an adapter on {cell(facts.base)} that {facts.does}"
    if facts.kind == "agent":
        return f"a language model that {facts.does}"
    return f"a model that {facts.does}"


def _answers(facts: ModelFacts) -> str:
    if not facts.questions:
        return ""
    said = (
        "## What it answers\n\nYes or no to questions of state, each of which is asked twice: as it is, and the other "
        "way round. Only where both answers agree and both are sure is a state decided."
    )
    more = len(facts.questions) - MOST_QUESTIONS
    rest = f"\n\nand {more:,} more" if more > 0 else ""
    rows = facts.questions[:MOST_QUESTIONS]
    return f"{said}\n\n{table(('question', 'the other way round'), rows, 'll')}{rest}"


# ---- what was measured


def _scores(judged: Judged | None) -> str:
    if judged is None:
        return ""
    on = f"## Scores\n\nOn {plain(judged.on)}. Before: {plain(judged.against)}."
    if judged.table:
        return f"{on}\n\n{judged.table}"
    names = ("", "before", "after", "95 % interval of the difference", "asked")
    rows = [
        (
            each.name,
            "" if each.before is None else f"{each.before:.3f}",
            f"{each.after:.3f}",
            "" if each.low is None or each.high is None else f"{each.low:+.3f} to {each.high:+.3f}",
            f"{each.asked:,}" if each.asked else "",
        )
        for each in judged.figures
    ]
    return f"{on}\n\n{table(names, rows, 'lrrlr')}"


def _thresholds(facts: ModelFacts) -> str:
    if not facts.thresholds:
        return ""
    if facts.kind == "judge":
        return _limits_of_judge(facts)
    rows = [
        (
            each.part, "" if each.photos is None else str(each.photos), f"{each.maybe:.3f}",
            "never" if each.sure is None else f"{each.sure:.3f}",
        )
        for each in facts.thresholds
    ]  # fmt: skip
    on = f"Measured on {plain(facts.measured_on)}. " if facts.measured_on else ""
    why = "\n".join(f"- {cell(each.part)} stays undecided: {plain(each.why)}." for each in facts.thresholds if each.why)
    said = (
        f"## Thresholds\n\n{on}A part counts from `sure` on; from `maybe` on it is in doubt, and the verdict may be "
        "left undecided. They lie in `limits.json`."
    )
    return "\n\n".join(filter(None, [said, table(("part", "photos", "maybe", "sure"), rows, "lrrr"), why]))


def _limits_of_judge(facts: ModelFacts) -> str:
    rows = [
        (each.part or "any other question", "" if each.photos is None else str(each.photos),
         *(("never", "never") if each.sure is None else (f"{each.sure:.3f}", f"{each.maybe:.3f}")))
        for each in facts.thresholds
    ]  # fmt: skip
    why = "\n".join(f"- {cell(each.part)} stays undecided: {plain(each.why)}." for each in facts.thresholds if each.why)
    said = (
        "## Thresholds\n\nThe answer is yes where both probabilities lie from the first on, and no where both lie up "
        "to the second; all else stays undecided. They were chosen on photos that it did not learn from, and lie in "
        "`state_limits.json`."
    )
    names = ("question", "photos", "yes from", "no up to")
    return "\n\n".join(filter(None, [said, table(names, rows, "lrrr"), why]))


# ---- how it came about


def _learned_from(facts: ModelFacts) -> str:
    if not facts.data and not facts.sources:
        return ""
    return "\n\n".join(filter(None, ["## What it learned from", plain(facts.data), origins_table(facts.sources)]))


def _trained(facts: ModelFacts) -> str:
    rows = [("from", facts.base), *facts.recipe]
    if facts.hardware:
        rows.append(("on", facts.hardware))
    if facts.hours is not None:
        rows.append(("took", _hours(facts.hours)))
    if facts.peak_gib is not None:
        rows.append(("memory at most", f"{facts.peak_gib:.1f} GiB"))
    if facts.versions:
        rows.append(("with", ", ".join(f"{name} {version}" for name, version in facts.versions)))
    said = "## How it was trained\n\nWith RepairAI (`python -m repairai train recipe.yaml`); the recipe lies beside."
    return f"{said}\n\n{table(('', ''), rows, 'll')}"


def _hours(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1 else f"{max(hours * 60, 1):.0f} minutes"


def _base_words(facts: ModelFacts) -> str:
    """Return what is to be said of the base model's licence."""
    if not facts.base_repo:
        return ""
    if facts.base_licence:
        return f"The base model, {cell(facts.base_repo)}, is under {cell(facts.base_licence)}."
    return (
        f"The licence of the base model, {cell(facts.base_repo)}, holds for this one, too: it stands on its own card."
    )
