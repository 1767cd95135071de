"""Trainings of judges and their scores, made by hand, for whatever is tested of them."""

import json
from collections.abc import Callable

from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.judge.questions import key
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.judge_scores import Answers, JudgeScores, StateFigures, StateMark, write_judge_scores
from repairai.schema import StateLimits
from tests.runs.states import ASKED, OPPOSITE

RECIPE = Recipe("judge", Workload("builtin", "linear_probe"), 1.0, 1e-3)
YES, NO, HARDLY, NEITHER = (0.95, 0.05), (0.05, 0.95), (0.55, 0.45), (0.5, 0.5)
LIMITS = {key(ASKED): StateLimits(sure=0.9, sources=40)}
Says = Callable[[int, str], Answers | None]


def trained(name: str, recipe: Recipe = RECIPE, model: str = "config.json") -> RunFolder:
    """A finished training, as far as the gate looks at it."""
    folder = new_run(name, "train", ["python"], text=json.dumps(to_data(recipe)))
    folder.model.mkdir()
    (folder.model / model).write_text("{}")
    return folder


def right(at: int, answer: str) -> Answers:
    """Says what is so, surely."""
    return YES if answer == "yes" else NO


def mostly(every: int, instead: Callable[[str], Answers] | None = None) -> Says:
    """Say what is so, but every so often what is not."""
    wrong = instead or (lambda answer: NO if answer == "yes" else YES)
    return lambda at, answer: wrong(answer) if at % every == 0 else right(at, answer)


def marks(after: Says, before: Says = lambda at, answer: None, n: int = 42, copies: int = 1, blank: Says | None = None):
    """Two examples of each source, one of each answer."""
    found = []
    for at in range(n):
        answer = "yes" if at % 2 else "no"
        grey = (blank or (lambda at, answer: NEITHER))(at, answer)
        found += [
            StateMark(f"photos/{at}-{copy}.jpg", f"s{at // 2}", ASKED, answer, after(at // 2, answer),
                      before(at // 2, answer), grey, None, OPPOSITE)
            for copy in range(copies)
        ]  # fmt: skip
    return found


def judged(folder: RunFolder, own: list[StateMark], against: str = "", split: str = "test", sha: str = "examples",
           decided: float = 0.8, undecided: dict[str, str] | None = None, whole: StateFigures | None = None,
           ) -> JudgeScores:  # fmt: skip
    """Give a run scores made by hand."""
    n = len({each.source for each in own})
    whole = whole or StateFigures(len(own), n, 0.9, 0.03, decided, 0.01, 0.02, 0.97, 0.5, 0.4, 0.98, 0.96)
    scores = JudgeScores(
        run=folder.id, model=folder.id, against=against, split=split, sha=sha, escape=0.05, whole=whole,
        questions={ASKED: whole}, before=whole if against else None, limits=LIMITS, marks=tuple(own),
        undecided=undecided or {}, limits_before=LIMITS if against else {},
    )  # fmt: skip
    write_judge_scores(folder.scores, scores)
    return scores
