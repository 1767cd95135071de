"""Step 3 of the SOP agent: a trained model and its base take the same exam, and what came of it is held side by side.

    python -m training.sop_eval RUN [--limit N] [--exam FILE] [--new-tokens N] [--batch N]

RUN is a trained run, by its folder or its id, or the folder of an evaluation to go on with. Asked are the person's own
fixed exam (`exam/sop.jsonl` in RepairAI's home) where there is one, else `exam.jsonl` of the data that the run was
trained on. Writes a run's folder of its own: `answers.jsonl` (the trained model's), `scores.json` and `worst.md`; the
last two go into the trained run's folder too. What the base model answers is kept for the next evaluation. The plain
steps, which need no model, take the same exam: a model has to beat them too, where they are what answers now.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.hardware.recipe import Recipe, read_recipe
from repairai.runs.folder import RunFolder, run_folder
from repairai.runs.journal import Asked, Journal, is_out_of_memory
from repairai.runs.metrics import Metric
from repairai.runs.order import Order, read_order
from repairai.runs.score_words import as_table, said
from repairai.runs.scores import Scores, write_scores
from training.given import evaluation_run
from training.out_of_memory import let_go
from training.sop.exam import Answered, Answers, Exam, Question, base_answers, read_exam
from training.sop.exam_report import report, worst_page
from training.sop.generate import answer_loss, replies
from training.sop.model import DTYPES, load_base, load_trained
from training.sop.tokens import IGNORED, tokens
from training.watch import held_gib

COMMAND = [sys.executable, "-m", "training.sop_eval", "{run}"]
LONGEST = 8192
"""Tokens of a question with its answer."""
ROOM = 64
"""Tokens that an answer may have beyond half as many again as the expected one."""


def evaluate(folder: RunFolder, journal: Journal) -> Scores:
    """Ask base and trained model the exam of an order, as far as they have not answered yet, and write the scores.

    Args:
        folder: Of the evaluation, with its `order.yaml`.
        journal: Open.

    Raises:
        RepairError: There is no such run, no exam, or no model yet.
        Asked: It was asked to stop or to pause; what was answered is kept.
    """
    began = time.monotonic()
    journal.phase("reading the exam")
    order = read_order(folder.order)
    trained = run_folder(order.run)
    recipe = read_recipe(trained.recipe)
    if not trained.model.is_dir():
        raise RepairError(f"{trained.id} has made no model yet", "let it train to its end first")
    exam = read_exam(order, recipe, trained)
    settings = _settings(order, recipe)
    before, after = Answers(base_answers(recipe, settings)), Answers(folder.path / "answers.jsonl")
    progress = Progress(journal, exam, before, after)
    four_bit = recipe.step.method == "qlora"
    precision, step = settings["precision"], recipe.step
    journal.event("exam", f"{exam.sheet.examples} of the {exam.sheet.of} questions in {exam.sheet.path}")

    if missing := before.missing(exam.questions):
        progress.phase("loading the base model")
        model, tokenizer = load_base(
            step.model, recipe.revision, precision, four_bit, step.double_quant, step.attention
        )
        progress.phase("asking the base model")
        ask(model, tokenizer, missing, order, before, progress)
        del model
        let_go()
    if missing := after.missing(exam.questions):
        progress.phase("loading the trained model")
        model, tokenizer = load_trained(trained.path, precision, four_bit)
        for weight in model.parameters():  # adapters come in fp32, which makes a prompt take twice the time
            if weight.dtype == torch.float32:
                weight.data = weight.data.to(DTYPES[precision])
        progress.phase("asking the trained model")
        ask(model, tokenizer, missing, order, after, progress)

    progress.phase("comparing")
    scores = report(trained.id, step.model, exam, before.by_id, after.by_id, settings, time.monotonic() - began)
    for place in (folder, trained):
        write_scores(place.scores, scores)
        write_whole(place.path / "worst.md", worst_page(scores).encode())
    journal.end("finished", "finished", said(scores))
    return scores


def _settings(order: Order, recipe: Recipe) -> dict[str, str]:
    """Return how answers are made, as far as it can change them."""
    half_on_cpu = recipe.step.precision == "fp16" and not torch.cuda.is_available()  # which is very slow there
    return {
        "precision": "fp32" if half_on_cpu else recipe.step.precision,
        "weights": "4 bits" if recipe.step.method == "qlora" else "16 or 32 bits",
        "new_tokens": f"{order.new_tokens}, at most half again as many as expected and {ROOM}",
        "choice": "greedy",
        "device": "cuda" if torch.cuda.is_available() else "cpu",
    }


# ---- asking


@dataclass(frozen=True)
class Prepared:
    """A question as tokens.

    Args:
        question: It.
        input_ids: The prompt and the expected answer.
        labels: As many; -100 on the prompt.
        limit: Longest answer to it.
    """

    question: Question
    input_ids: list[int]
    labels: list[int]
    limit: int

    @property
    def prompt(self) -> list[int]:
        """Return the tokens before the answer."""
        return self.input_ids[: len(self.input_ids) - self.expected]

    @property
    def expected(self) -> int:
        """Return how many tokens are expected."""
        return sum(label != IGNORED for label in self.labels)


def prepared(question: Question, tokenizer: Any, new_tokens: int) -> Prepared:
    """Return a question as tokens.

    An answer may be half as long again as the expected one and 64 tokens more: a good one is no longer, and one that
    does not end costs no more time than that.
    """
    found = tokens(question.example, tokenizer, LONGEST)
    expected = sum(label != IGNORED for label in found.labels)
    return Prepared(question, found.input_ids, found.labels, min(new_tokens, expected * 3 // 2 + ROOM))


def ask(
    model: Any, tokenizer: Any, questions: Sequence[Question], order: Order, answers: Answers, progress: Progress
) -> None:
    """Let a model answer questions, several at once, the longest first; each batch is kept as soon as it is there.

    Where memory runs out, half as many go through at once from then on.
    """
    model.eval()
    todo = sorted(
        (prepared(question, tokenizer, order.new_tokens) for question in questions),
        key=lambda each: (-(each.limit // 32), -len(each.prompt)),
    )
    batch = order.batch
    while todo:
        progress.check()
        now = todo[:batch]
        try:
            written = replies(
                model, tokenizer, [each.prompt for each in now], [each.limit for each in now], progress.check
            )
            losses = [answer_loss(model, each.input_ids, each.labels) for each in now]
        except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is one of the latter
            if batch == 1 or not is_out_of_memory(error):
                raise
            batch //= 2
            progress.journal.event("halved", f"memory ran out: {batch} answers at once from now on", batch=batch)
            let_go()
            continue
        for each, reply, (loss, n_tokens) in zip(now, written, losses, strict=True):
            answers.add(
                Answered(each.question.id, reply.text, reply.tokens, each.expected, reply.ended, loss, n_tokens)
            )
        todo = todo[len(now) :]
        progress.tell(sum(reply.tokens for reply in written))


class Progress:
    """Says how far an exam is, in answers of both models.

    Args:
        journal: Of the evaluation.
        exam: The questions.
        before: Answers of the base model.
        after: Answers of the trained one.
    """

    def __init__(self, journal: Journal, exam: Exam, before: Answers, after: Answers) -> None:
        self.journal = journal
        self.check = journal.check
        self._exam, self._sides = exam, (before, after)
        self._phase, self._tokens, self._at = "", 0, time.monotonic()

    def phase(self, name: str) -> None:
        """Say what it is at, and leave where that is asked.

        Raises:
            Asked: To stop or to pause.
        """
        self.check()
        self._phase, self._at = name, time.monotonic()
        self.journal.phase(name, self._step(), 2 * len(self._exam.questions))

    def tell(self, n_tokens: int) -> None:
        """Write down that a batch was answered.

        Args:
            n_tokens: That were written.
        """
        now = time.monotonic()
        self._tokens += n_tokens
        speed, self._at = n_tokens / max(now - self._at, 1e-6), now
        self.journal.phase(self._phase, self._step())
        self.journal.metric(
            Metric(self._step(), time.time(), tokens=self._tokens, tokens_per_second=speed, memory_gib=held_gib())
        )

    def _step(self) -> int:
        return sum(len(self._exam.questions) - len(side.missing(self._exam.questions)) for side in self._sides)


# ---- the command


def main(arguments: list[str] | None = None) -> int:
    """Run the step; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="RUN", help="a trained run, or an evaluation to go on with")
    parser.add_argument("--limit", type=int, metavar="N", help=f"questions at most, 0 for all (usual: {Order.limit})")
    parser.add_argument("--exam", metavar="FILE", help="with the questions, in place of the usual exam")
    parser.add_argument("--new-tokens", type=int, metavar="N", help=f"longest answer (usual: {Order.new_tokens})")
    parser.add_argument("--batch", type=int, metavar="N", help=f"answers written at once (usual: {Order.batch})")
    chosen = vars(parser.parse_args(arguments))
    path = chosen.pop("path")
    order = {name: value for name, value in chosen.items() if value is not None}
    if "exam" in order:
        order["exam"] = str(Path(order["exam"]).absolute())
    if order.get("limit") == 0:
        order["limit"] = None
    transformers.logging.set_verbosity_error()
    try:
        folder = evaluation_run(path, order, COMMAND)
        with Journal(folder) as journal:
            scores = evaluate(folder, journal)
    except Asked as asked:
        print(f"it was asked to {asked}; go on with: python -m training.sop_eval {folder.path}")
        return 1
    except RepairError as error:
        print(f"training.sop_eval: {error}", file=sys.stderr)
        return 2
    print(f"{said(scores)}\n\n{as_table(scores)}\n\nthe worst answers are in {folder.path / 'worst.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
