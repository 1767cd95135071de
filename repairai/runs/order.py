"""What an evaluation is to do, as `order.yaml` in its folder says it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from repairai.errors import RepairError
from repairai.files import home, read_record

On = Literal["val", "test"]
SPANS = {
    "limit": (1, 10**6), "new_tokens": (8, 10**5), "batch": (1, 4096), "seed": (0, 2**32 - 1), "escape": (1e-4, 0.5),
}  # fmt: skip
"""What each number of an order may be, from and to."""


@dataclass(frozen=True)
class Order:
    """An evaluation of one trained model.

    Args:
        run: Id of the training whose model is asked; a detector is shown photos and a judge states instead, which count
            as their questions.
        exam: File with the questions; empty for the person's own fixed exam where there is one, else for the exam of
            the data that it was trained on.
        limit: How many questions at most, as many of each task as there are; None for all.
        new_tokens: Longest answer.
        batch: Answers that are written at once.
        seed: Of the choice of questions.
        escape: For a detector or a judge, the share of wrong steps that may pass; its thresholds are chosen for it on
            the validation photos. None takes what is usual.
        on: For these, which of the photos it is measured on.
    """

    run: str
    exam: str = ""
    limit: int | None = 200
    new_tokens: int = 512
    batch: int = 8
    seed: int = 7
    escape: float | None = None
    on: On = "test"

    def __post_init__(self) -> None:
        for name, (least, most) in SPANS.items():
            got = getattr(self, name)
            if got is not None and not least <= got <= most:
                raise ValueError(f"need {name} from {least} to {most}, got {got}")
        if self.on not in get_args(On):
            raise ValueError(f"need on to be one of {', '.join(get_args(On))}, got {self.on!r}")


def read_order(path: Path) -> Order:
    """Return the order in a YAML file.

    Raises:
        RepairError: It is none.
    """
    order = read_record(path, Order)
    if not order.run:
        raise RepairError(f"{path} names no run", "write the id of a finished training behind run:")
    return order


def own_exam() -> Path:
    """Return where the person's own fixed exam lies, which need not exist: every model is asked it."""
    return home() / "exam" / "sop.jsonl"
