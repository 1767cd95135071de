"""The gate before the bench, for judges of states: a trained one judges only where it is no worse than the one before.

Both have to have been asked the same test examples. States have to be told rightly as often, and may not be decided the
wrong way more often, beyond what luck explains. Where nobody judges yet, it has to be clearly better than a guess; and
in any case its answers have to come from the photo: on grey ones it has to be clearly worse.
"""

from __future__ import annotations

from collections.abc import Mapping

from repairai.errors import RepairError
from repairai.hardware.recipe import read_recipe
from repairai.judge import judges
from repairai.judge.limits import measured_of
from repairai.runs.decision import Decision, Judged, decided
from repairai.runs.figures import count, in_words, is_better, is_worse
from repairai.runs.folder import RunFolder, run_folder, runs_folder
from repairai.runs.judge_score_words import NAMES
from repairai.runs.judge_scores import (
    BALANCED,
    JudgeScores,
    Pair,
    compared_states,
    read_judge_scores,
    told,
)
from repairai.runs.scores import Compared
from repairai.schema import StateLimits

FEWEST = 10
"""Independent test photos below which too little is known of a judge."""
GUESS, BLANK = "a guess", "what it says of a grey photo"


def activate(run_id: str, force: bool = False) -> Decision:
    """Let a run's model judge states where it is no worse than the one before, and say why or why not.

    Args:
        run_id: Of a finished training of a judge.
        force: Let it judge whatever its test says.

    Raises:
        RepairError: There is no such run, it trains no judge or has made none yet, or its scores are damaged.
    """
    folder = run_folder(run_id)
    if not has_model(folder):
        raise RepairError(f"{run_id} has made no model yet", f"let it train to its end first: runs show {run_id}")
    if not folder.recipe.is_file() or read_recipe(folder.recipe).task != "judge":
        raise RepairError(f"{run_id} trains no judge", "give the id of a run that does: runs list")
    return decided(
        run_id, judges.active().run_id, ("judges states", "does not judge"),
        lambda: _judged(run_id, folder), lambda: judges.use(_judge(folder)), force,
    )  # fmt: skip


def has_model(folder: RunFolder) -> bool:
    """Tell whether a training has made a judge: a whole model, or an adapter."""
    return any((folder.model / name).is_file() for name in judges.FILES)


def _judge(folder: RunFolder) -> judges.Judge:
    """Return what the register is to know of a run's model."""
    is_adapter = (folder.model / "adapter_config.json").is_file()
    base = read_recipe(folder.recipe).step.model if is_adapter else ""
    return judges.Judge(folder.id, "local", str(folder.model.absolute()), base=base, run_id=folder.id)


def _judged(run_id: str, folder: RunFolder) -> Judged:
    """Return whether a run's model may judge, why in a clause, and by which differences."""
    if not folder.scores.is_file():
        return False, f"it has not been tested yet; evaluate it first: runs evaluate {run_id}", {}
    new = read_judge_scores(folder.scores)
    if short := _too_little(run_id, new):
        return False, short, {}
    looks = _against_blank(new)
    if looks is None:
        return (
            False,
            f"it was not shown grey photos, which tell whether it looks; evaluate it again: runs evaluate {run_id}",
            {},
        )
    if not is_better(BALANCED, looks):
        return (
            False,
            f"it answers from the words alone, not from the photo: it {in_words(BALANCED, looks, BLANK, NAMES)}",
            {BALANCED: looks},
        )
    pairs, name = _pairs(new)
    if pairs is None:
        other = f"{name} judges now, and was not asked the same examples"
        return False, f"{other}; evaluate it again: runs evaluate {run_id}", {}
    differences = compared_states(pairs)
    if name == GUESS:
        only = {BALANCED: differences[BALANCED]}
        return is_better(BALANCED, only[BALANCED]), f"it {in_words(BALANCED, only[BALANCED], name, NAMES)}", only
    worse = [figure for figure, found in differences.items() if is_worse(figure, found)]
    clauses = " and ".join(in_words(figure, differences[figure], name, NAMES) for figure in worse or [BALANCED])
    return not worse, f"it {clauses}", differences


def _too_little(run_id: str, new: JudgeScores) -> str:
    """Return in a clause why an evaluation says too little; empty where it says enough."""
    if new.split != "test":
        other = f"it was only measured on {new.split} examples, which its thresholds were chosen on"
        return f"{other}; evaluate it on its test examples: runs evaluate {run_id}"
    sources = len({mark.source for mark in new.marks})
    if sources < FEWEST:
        few = f"{count(sources, 'independent photo')} for the test are too few to tell whether it is worse"
        return f"{few}, {FEWEST} are needed; add photos for the test, or insist with --force"
    if not new.whole.decided:
        first = next(iter(new.undecided.values()), "its thresholds decide none of the test's examples")
        return f"it would leave everything undecided: {first}"
    return ""


def _against_blank(new: JudgeScores) -> Compared | None:
    """Return what it says of grey photos held against what it says of the real ones; None where it saw no grey ones."""
    pairs: list[Pair] = []
    for mark in new.marks:
        if mark.blank is not None and mark.after is not None:
            asked = (mark.question, mark.opposite, new.limits)
            pairs.append((mark, told(mark.blank, *asked), told(mark.after, *asked)))
    return compared_states(pairs).get(BALANCED) if pairs else None


def _pairs(new: JudgeScores) -> tuple[list[Pair] | None, str]:
    """Return what is said of each example before and after, and who said it before.

    None where the one that judges now was not asked these examples; where nobody judges, or it knows none of the
    questions, the new one is held against a guess.
    """
    active = judges.active()
    after = {id(mark): mark.after and told(mark.after, mark.question, mark.opposite, new.limits) for mark in new.marks}
    if active.kind == "nobody":
        return [(mark, None, after[id(mark)]) for mark in new.marks], GUESS
    before, limits = _answers(new, active)
    if before is None:
        return None, active.name
    pairs = [
        (mark, told(answers, mark.question, mark.opposite, limits) if answers else None, after[id(mark)])
        for mark, answers in zip(new.marks, before, strict=True)
    ]
    if all(old is None for _, old, _ in pairs):
        return pairs, GUESS
    return [pair for pair in pairs if pair[1] is not None], active.name


def _answers(
    new: JudgeScores, active: judges.Judge
) -> tuple[list[tuple[float, float] | None] | None, Mapping[str, StateLimits]]:
    """Return what the judge in use answered to each example, and its thresholds; None where it was not asked."""
    if new.against == active.name:
        limits: Mapping[str, StateLimits] = new.limits_before or measured_of(active.path)
        return [mark.before for mark in new.marks], limits
    path = RunFolder(runs_folder() / active.run_id).scores
    if active.run_id and path.is_file():
        old = read_judge_scores(path)
        known = {(mark.photo, mark.question): mark.after for mark in old.marks}
        if old.sha == new.sha and all((mark.photo, mark.question) in known for mark in new.marks):
            return [known[mark.photo, mark.question] for mark in new.marks], old.limits
    return None, {}
