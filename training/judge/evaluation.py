"""A judge of states measured: thresholds from validation photos, figures from test photos beside the one in use."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from repairai.errors import RepairError
from repairai.files import read_data
from repairai.inspection import open_reasoner
from repairai.judge import judges
from repairai.judge.classifier import CONFIG, MODEL_TYPE
from repairai.judge.limits import limits_path, write_limits
from repairai.judge.questions import key
from repairai.judge.state_set import Split, StateExample, read_sources, read_state_set
from repairai.runs.folder import read_json
from repairai.runs.judge_scores import JudgeScores, StateFigures, StateMark, write_judge_scores
from repairai.runs.order import Order
from repairai.schema import Reasoner, StateLimits
from repairai.vision import detectors
from training.detector.trained_on import SOURCES as LEARNED_FROM
from training.detector.trained_on import place_of
from training.judge.asking import Answered, Kept, ask_all, fingerprint, from_words
from training.judge.calibration import ESCAPE, Tried, choose
from training.judge.counted import Counting
from training.judge.figures import figures
from training.judge.pictures import read_picture
from training.judge.trained_on import trained_on, unseen
from training.kept_lines import Steps, Tell

DRAWN = "its validation photos are all drawn, and thresholds are chosen on real ones: answer it at kept inspections"
"""Why a question stays undecided that was learned from scenes alone."""


@dataclass(frozen=True)
class Task:
    """What is measured.

    Args:
        name: A run's id, or as a person called it.
        model: Where the judge lies, as `repairai.judge.reasoner.load_reasoner` takes it.
        data: Folder of the states.
        on: Which of them figures are taken from.
        escape: The share of wrong states that may pass.
        limit: Examples at most that figures are taken from; None for all.
        seed: Of the choice of these.
        place: Where answers are kept and scores go; None keeps nothing.
        run: Folder of the training, which says what it has learned from; None where it is none.
    """

    name: str
    model: str
    data: Path
    on: Split = "test"
    escape: float = ESCAPE
    limit: int | None = None
    seed: int = Order.seed
    place: Path | None = None
    run: Path | None = None


def measure(
    task: Task, reasoner: Reasoner, tell: Tell = lambda phase, done, total: None,
    warn: Callable[[str], None] = lambda text: None,
) -> JudgeScores:  # fmt: skip
    """Choose a judge's thresholds, measure it beside the one in use, and write all that is found.

    Drawn photos are no validation photos: what is chosen on drawings would decide what real photos show.

    Args:
        task: What is measured.
        reasoner: The judge, opened.
        tell: Is told how far it is.
        warn: Is told, in a sentence, what the figures do not say.

    Raises:
        RepairError: The set has no such examples, the judge answers none of its questions, or a file cannot be read.
    """
    tell("reading the states", 0, 0)
    val, test, learned = _fresh(task)
    drawn = [each for each in val if each.made_by == "rendered"]
    val = tuple(each for each in val if each.made_by != "rendered")
    before = _in_use(task.name)
    steps = Steps(tell, len(val) + len(test) * (2 if before else 1))

    seen_val = _answers(task, "val", reasoner, val, steps, "asking about the validation photos")
    seen = _answers(task, "after", reasoner, test, steps, f"asking about the {task.on} photos")
    if all(each.answers is None for each in seen):
        raise RepairError(
            f"{task.name} answers none of {len(seen)} questions: {seen[0].fault}", "see what it was taught"
        )
    limits, undecided = thresholds(val, seen_val, task.escape)
    limits = both_ways(val, limits)
    undecided = {each.question: DRAWN for each in drawn if key(each.question) not in limits} | undecided
    none = choose((), task.escape).undecided
    undecided = {each.question: none for each in test if key(each.question) not in limits} | undecided
    write_limits(limits_path(task.model), limits)
    name_before, seen_before, limits_before = "", None, {}
    if before:
        name_before, other = before
        seen_before = _answers(task, "before", other, test, steps, f"asking {name_before}, in use now")
        limits_before = {key(each.question): other.limits(each.question) for each in test}

    tell("comparing", steps.total, steps.total)
    marks = _marks(task, reasoner, test, seen, seen_before)
    scores = JudgeScores(
        run=task.name,
        model=reasoner.name,
        against=name_before,
        split=task.on,
        sha=fingerprint(test),
        escape=task.escape,
        whole=figures(marks, limits),
        questions=by_question(marks, limits),
        before=figures(marks, limits_before, "before") if before else None,
        limits=limits,
        marks=marks,
        undecided=undecided,
        seconds=median([each.seconds for each in seen if each.answers is not None]),
        limits_before=limits_before,
    )
    if task.place:
        write_judge_scores(task.place / "scores.json", scores)
    if learned:
        warn(f"{learned} {task.on} states are left out, since it has seen photos of these in its training")
    if met := backbone_has_met(task):
        warn(met)
    return scores


def backbone_has_met(task: Task) -> str:
    """Return in a sentence which photos the built-in backbone may have learned from; empty where it did not."""
    config = read_json(Path(task.model) / CONFIG)
    if config.get("model_type") != MODEL_TYPE or config.get("backbone") != detectors.BUILTIN.name:
        return ""
    known = read_data(place_of(detectors.BUILTIN.name) / LEARNED_FROM)
    names = {str(each.get(of)) for each in known for of in ("name", "url") if each.get(of)} if known else set()  # type: ignore[attr-defined]
    common = sorted(each.name for each in read_sources(task.data) if names & {each.name, each.url})
    if not common:
        return ""
    return (
        f"the built-in backbone has learned to find parts in photos of {', '.join(common)}, and these may be among "
        "them: photos of your own say more"
    )


# ---- thresholds


def thresholds(
    val: Sequence[StateExample], answered: Sequence[Kept], escape: float
) -> tuple[dict[str, StateLimits], dict[str, str]]:
    """Return the limits of each question by its key, and why a question stays undecided, by its words.

    A question and its opposite are measured together, and so are questions that differ by a place alone.
    """
    groups: dict[str, list[Tried]] = {}
    words: dict[str, StateExample] = {}
    for each, found in zip(val, answered, strict=True):
        own, other = key(each.question), key(each.opposite)
        turned = own not in groups and other in groups
        groups.setdefault(other if turned else own, [])
        words.setdefault(other if turned else own, each)
        if found.answers is not None:
            tried = Tried(each.source, each.answer, *found.answers)
            groups[other if turned else own].append(tried.turned() if turned else tried)
    limits, undecided = {}, {}
    for name, tried in groups.items():
        first = words[name]
        chosen = choose(tried, escape, same_words=key(first.question) == key(first.opposite))
        limits[name] = chosen.limits
        if chosen.undecided:
            undecided[first.question] = chosen.undecided
    return limits, undecided


def both_ways(val: Sequence[StateExample], limits: dict[str, StateLimits]) -> dict[str, StateLimits]:
    """Return limits that hold for the opposites of their questions, too."""
    found = dict(limits)
    for each in val:
        for one, other in ((each.question, each.opposite), (each.opposite, each.question)):
            if key(one) in limits:
                found.setdefault(key(other), replace(limits[key(one)], shift=-limits[key(one)].shift))
    return found


def by_question(marks: Sequence[StateMark], limits: dict[str, StateLimits]) -> dict[str, StateFigures]:
    """Return the figures of each question, as it is asked."""
    names = dict.fromkeys(each.question for each in marks)
    return {name: figures([each for each in marks if each.question == name], limits) for name in names}


# ---- asking


def _fresh(task: Task) -> tuple[tuple[StateExample, ...], tuple[StateExample, ...], int]:
    """Return examples for thresholds and for figures that the training has not seen, and how many of the latter it has.

    Raises:
        RepairError: There are none for figures, or it has seen all of them.
    """
    examples = read_state_set(task.data)
    seen = trained_on(task.run or Path(), task.data)
    val, _ = unseen(examples, "val", seen)
    test, learned = unseen(examples, task.on, seen)
    if not test and learned:
        raise RepairError(
            f"{task.name} has seen all {learned} {task.on} states of {task.data.name} in its training",
            "train again with the set as it is now, or take new photos for the test",
        )
    if not test:
        raise RepairError(f"{task.data.name} has no {task.on} states", "add more photos: some are dealt to each split")
    if task.limit is not None and len(test) > task.limit:
        kept = set(random.Random(task.seed).sample(range(len(test)), task.limit))
        test = tuple(each for number, each in enumerate(test) if number in kept)
    return val, test, learned


def _in_use(name: str) -> tuple[str, Reasoner] | None:
    """Return name and judge that a new one is held against: the one in use, or the one before it; None for nobody."""
    chosen = judges.active()
    if name in (chosen.name, chosen.run_id):
        chosen = judges.before() or judges.NOBODY
    if chosen.kind == "nobody" or name in (chosen.name, chosen.run_id) or judges.missing(chosen):
        return None
    try:
        found = open_reasoner(chosen.name)
    except RepairError:  # it cannot be opened any more, and so answers nothing
        return None
    return (chosen.name, found) if found else None


def _answers(
    task: Task, kind: str, reasoner: Reasoner, examples: Sequence[StateExample], steps: Steps, phase: str
) -> list[Kept]:
    """Return what a judge answers about examples, with what was answered before a stop."""
    kept = Answered(task.place / f"{kind}.jsonl" if task.place else None, f"{reasoner.name} {fingerprint(examples)}")
    steps.done += sum((each.photo, each.question) in kept.by_name for each in examples)
    return ask_all(reasoner, task.data, examples, kept, lambda: steps.step(phase))


def _marks(
    task: Task, reasoner: Reasoner, test: Sequence[StateExample], seen: Sequence[Kept], before: Sequence[Kept] | None
) -> tuple[StateMark, ...]:
    """Return each example with all that was said of it."""
    grey = from_words(reasoner, test)
    counting = Counting()
    found = []
    for number, each in enumerate(test):
        found.append(
            StateMark(
                photo=each.photo,
                source=each.source,
                question=each.question,
                answer=each.answer,
                after=seen[number].answers,
                before=before[number].answers if before else None,
                blank=grey[each.question],
                counted=counting.answer(read_picture(task.data / each.photo), each.question),
                opposite=each.opposite,
            )
        )
    return tuple(found)
