"""The exam of the SOP agent: which questions are asked, and what was answered so far.

Each answer is a line of its own in a file as soon as it is there, so that an exam that was stopped goes on from there.
What a base model answers is kept for all runs that begin with it.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from repairai.errors import RepairError
from repairai.files import disk_error, expanded, home
from repairai.hardware.recipe import Recipe
from repairai.runs.folder import RunFolder, read_json
from repairai.runs.lines import append_line, mend_tail
from repairai.runs.order import Order, own_exam
from repairai.runs.scores import ExamSheet
from training.sop.examples import TASKS, Example, as_data, read_examples


@dataclass(frozen=True)
class Question:
    """A question of an exam; its id follows from what it says."""

    id: str
    example: Example


@dataclass(frozen=True)
class Exam:
    """The questions that are asked, and where they come from."""

    sheet: ExamSheet
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Answered:
    """What a model answered.

    Args:
        id: Of the question.
        text: The answer.
        tokens: How long it is.
        expected_tokens: How long the expected one is.
        ended: Whether it ended by its end token within its limit.
        loss: Of the expected answer, summed over its tokens, in nats.
        loss_tokens: How many these are, the end token among them.
    """

    id: str
    text: str
    tokens: int
    expected_tokens: int
    ended: bool
    loss: float
    loss_tokens: int


# ---- questions


def read_exam(order: Order, recipe: Recipe, trained: RunFolder) -> Exam:
    """Return the questions that an order asks of a trained model.

    Args:
        order: What is to be evaluated.
        recipe: Of the training.
        trained: Its run.

    Raises:
        RepairError: There is no such exam, or it holds no questions.
    """
    path, own = exam_path(order, recipe, trained)
    examples = list({question_id(example): example for example in read_examples(path)}.values())
    chosen = choose(examples, order.limit, order.seed)
    questions = tuple(Question(question_id(example), example) for example in chosen)
    said = json.dumps([order.new_tokens, *(_told(each.example) for each in questions)], sort_keys=True)
    sheet = ExamSheet(_sha(said), str(path), len(questions), len(examples), own)
    return Exam(sheet, questions)


def exam_path(order: Order, recipe: Recipe, trained: RunFolder) -> tuple[Path, bool]:
    """Return the file of the exam, and whether it is the person's own.

    Raises:
        RepairError: No exam is named, and the training's data have none.
    """
    if order.exam:
        path = expanded(order.exam)
        return path, path == own_exam()
    if own_exam().is_file():
        return own_exam(), True
    # The recipe's paths relate to where the training was started.
    path = Path(str(read_json(trained.about).get("directory", ""))) / expanded(recipe.data) / "exam.jsonl"
    if not recipe.data or not path.is_file():
        raise RepairError(
            f"{trained.id} has no exam: {path} does not exist" if recipe.data else f"{trained.id} names no data",
            "name a file of questions with --exam",
        )
    return path, False


def choose(examples: Sequence[Example], limit: int | None, seed: int) -> list[Example]:
    """Return so many examples at most, as many of each task as there are, and always the same.

    The tasks take turns, so that a task of which there are few is not lost among the others.
    """
    if limit is None or limit >= len(examples):
        return list(examples)
    piles: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        piles[example.task].append(example)
    for task, pile in piles.items():
        Random(f"{seed}:{task}").shuffle(pile)
    turns = [
        (place, TASKS.index(example.task), example) for pile in piles.values() for place, example in enumerate(pile)
    ]
    return [example for _, _, example in sorted(turns, key=lambda turn: turn[:2])[:limit]]


def question_id(example: Example) -> str:
    """Return the name of a question: the same words have the same name."""
    return _sha(json.dumps(_told(example), sort_keys=True))[:16]


def _told(example: Example) -> list[Any]:
    return [example.task, as_data(example)["messages"]]


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- answers


class Answers:
    """Answers in a file, a line each, that grows as they come.

    Args:
        path: The file, which need not exist; a last line that was cut is taken away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        mend_tail(path)
        self.by_id = {each.id: each for each in _read(path)}

    def add(self, answered: Answered) -> None:
        """Keep an answer.

        Raises:
            RepairError: The disk is full.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, json.dumps(asdict(answered), ensure_ascii=False))
        except OSError as error:
            raise disk_error(self.path, error) from error
        self.by_id[answered.id] = answered

    def missing(self, questions: Iterable[Question]) -> list[Question]:
        """Return the questions that have no answer yet."""
        return [each for each in questions if each.id not in self.by_id]


def base_answers(recipe: Recipe, settings: dict[str, str]) -> Path:
    """Return where the answers of a recipe's base model are kept, for all runs that begin with it.

    Args:
        recipe: It names the model.
        settings: How answers are made; others have another file.
    """
    model = recipe.step.model
    folder = expanded(model)
    files = sorted(folder.glob("*")) if folder.is_dir() else []
    # A folder may hold another model tomorrow.
    told = [(each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in files if each.is_file()]
    key = _sha(json.dumps([model, recipe.revision, told, settings], sort_keys=True))[:32]
    return home() / "exam" / "answers" / f"{key}.jsonl"


def _read(path: Path) -> Iterable[Answered]:
    """Yield the answers in a file; lines that were damaged are asked anew."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return
    for line in filter(None, lines):
        try:
            yield Answered(**json.loads(line))
        except (ValueError, TypeError):
            continue
