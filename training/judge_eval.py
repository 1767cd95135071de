"""Step 3 of a judge of states: thresholds from the validation photos, figures from the test photos, before and after.

    python -m training.judge_eval RUN [--escape 0.05] [--on test] [--limit N]
    python -m training.judge_eval calibrate SET --judge NAME|FOLDER|http://... [--escape 0.05] [--out FOLDER]

RUN is a trained run, by its folder or its id, or the folder of an evaluation to go on with. Every question and its
opposite are asked about every photo. The thresholds are chosen on the validation photos for the share of wrong states
that may pass, and written beside the weights (`state_limits.json`). Then the judge in use and the new one are asked
about the same test photos, and the new one about a grey one, which shows what it says from the words alone; judge A
counts where counts tell the answer. Writes a run's folder of its own: what was answered (`*.jsonl`) and `scores.json`,
which the trained run's folder gets, too. `calibrate` measures any judge on the states of a set, by its folder or name:
a model that was never trained here, or a server.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded, home
from repairai.judge import judges
from repairai.judge.limits import limits_path
from repairai.judge.reasoner import load_reasoner
from repairai.named_sets import STATE_SETS
from repairai.runs.folder import RunFolder, read_json
from repairai.runs.journal import Journal
from repairai.runs.judge_score_words import as_table, said
from repairai.runs.judge_scores import JudgeScores, write_judge_scores
from repairai.runs.metrics import Metric
from repairai.runs.order import Order, read_order
from training.evaluation_script import add_order, ended, evaluated, teller, trained_run
from training.judge.calibration import ESCAPE
from training.judge.evaluation import Task, measure

COMMAND = [sys.executable, "-m", "training.judge_eval", "{run}"]


def evaluate(folder: RunFolder, journal: Journal) -> JudgeScores:
    """Do what the order of an evaluation says, as far as it is not done yet, and write the scores.

    Args:
        folder: Of the evaluation, with its `order.yaml`.
        journal: Open.

    Raises:
        RepairError: There is no such run, it has no states, or no model yet.
        Asked: It was asked to stop or to pause; answers that were given are kept.
    """
    order = read_order(folder.order)
    trained, recipe = trained_run(order, "judge", judges.FILES, "states")
    data = STATE_SETS.meant(recipe.data, Path(str(read_json(trained.about).get("directory", ""))))
    escape = ESCAPE if order.escape is None else order.escape
    model = str(trained.model.absolute())
    task = Task(
        trained.id, model, data, order.on, escape, order.limit, order.seed, folder.path, trained.path
    )  # fmt: skip
    tell = teller(journal)
    tell("opening the judge", 0, 0)
    scores = measure(task, load_reasoner(model, trained.id), tell, lambda text: journal.event("warning", text))
    write_judge_scores(trained.scores, scores)
    journal.metric(Metric(scores.whole.examples, time.time()))
    for question, why in scores.undecided.items():
        journal.event("undecided", f"{question} stays undecided: {why}")
    journal.end("finished", "finished", said(scores))
    return scores


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="RUN", help="a trained run, or an evaluation to go on with")
    add_order(parser, "states", "states", ESCAPE)
    return parser


def _of_run(words: list[str]) -> str:
    """Evaluate a run, and return what is to be said of it."""
    order = {name: each for name, each in vars(_parser().parse_args(words)).items() if each is not None}
    path = expanded(order.pop("path"))
    return _told(evaluated(path, order, COMMAND, evaluate)[1])


def _calibrate(words: list[str]) -> str:
    """Measure any judge on a set, and return what is to be said of it."""
    parser = argparse.ArgumentParser(prog="training.judge_eval calibrate")
    parser.add_argument("set", metavar="SET", help="a set of states, by its name or folder")
    parser.add_argument("--judge", required=True, help="a registered judge, a run, a folder, a Hub name, or an address")
    parser.add_argument("--base", default="", help="what an adapter stands on; the model asked for on a server")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for the scores, and the answers to go on from")
    add_order(parser, "states", "states", ESCAPE)
    chosen = {name: value for name, value in vars(parser.parse_args(words)).items() if value is not None}
    data, name, base, out = (chosen.pop(each, None) for each in ("set", "judge", "base", "out"))
    made = Order(name, **{"limit": None, **chosen})
    trained = home() / "runs" / name
    run = trained if any((trained / "model" / each).is_file() for each in judges.FILES) else None
    judge = judges.Judge(name, "local", str(run / "model"), base) if run else judges.named(name, base)
    if judge.kind == "nobody":
        raise RepairError("nobody is no judge that could be measured", "name one: see `models list`")
    if judge.kind == "server" and not (judge.base or "#" in judge.path):
        raise RepairError(
            f"{judge.path} may serve another model tomorrow, and what is measured is of one",
            f"name it: --judge {judge.path}#MODEL",
        )
    task = Task(
        judge.name, judge.path, STATE_SETS.meant(data), made.on, ESCAPE if made.escape is None else made.escape,
        made.limit, made.seed, out, run,
    )  # fmt: skip
    last = [0.0]

    def tell(phase: str, done: int, total: int) -> None:
        if time.monotonic() - last[0] > 1:
            last[0] = time.monotonic()
            print(f"{phase}: {done} of {total}", file=sys.stderr)

    reasoner = load_reasoner(judge.path, judge.name, judge.base or base)
    scores = measure(task, reasoner, tell, lambda text: print(f"note: {text}", file=sys.stderr))
    return f"{_told(scores)}\n\nthe limits are in {limits_path(judge.path)}"


def _told(scores: JudgeScores) -> str:
    why = "".join(f"\n\n{question} stays undecided: {why}" for question, why in scores.undecided.items())
    return f"{said(scores)}\n\n{as_table(scores)}{why}"


def main(arguments: list[str] | None = None) -> int:
    """Run the step; see the module's first lines."""
    words = sys.argv[1:] if arguments is None else arguments
    script = (lambda: _calibrate(words[1:])) if words[:1] == ["calibrate"] else (lambda: _of_run(words))
    return ended("training.judge_eval", script)


if __name__ == "__main__":
    sys.exit(main())
