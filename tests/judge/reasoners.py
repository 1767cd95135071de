"""What the tests share of reasoners: one that answers what it is told to."""

from dataclasses import dataclass, field

import numpy as np

from repairai.errors import RepairError
from repairai.schema import StateLimits


@dataclass
class Told:
    """Answers by question, and remembers what it was shown."""

    answers: dict[str, float]
    measured: StateLimits = StateLimits(0.9, sources=50)
    name: str = "told@1"
    asked: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)

    def limits(self, question: str) -> StateLimits:
        return self.measured

    def ask(self, photo: np.ndarray, question: str) -> float:
        self.asked.append((question, photo.shape))
        self.shown.append(id(photo))
        if question not in self.answers:
            raise RepairError(f"{self.name} was never taught '{question}'", "train it on that question")
        return self.answers[question]
