"""What a model's card tells: gathered of a run by the hall, and put into words by `card`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from repairai.hub.card_words import Origin

Kind = Literal["adapter", "agent", "detector", "proposer", "judge"]
"""An adapter on a base; a whole model that answers; a detector that inspects; one that proposes boxes from words; one
that answers questions of state about photos, in whatever form."""


@dataclass(frozen=True)
class Figure:
    """One figure of a test, before a training and after it.

    Args:
        metric: Its stable name: `exact`, `refused`.
        name: In words.
        before: Of what was there before; None where that was not asked.
        after: Of this model.
        low: Lower end of the 95 % interval of the difference; None where it is not known.
        high: Its upper end.
        asked: How many questions or photos.
    """

    metric: str
    name: str
    before: float | None
    after: float
    low: float | None = None
    high: float | None = None
    asked: int = 0


@dataclass(frozen=True)
class Judged:
    """What was measured.

    Args:
        said: What came of it, in a few sentences.
        on: What it was measured on, in a few words: "20 of 24 test photos of bench".
        data: Name of the test, for the card's head.
        split: Of it.
        against: What stood before: the base model, or the detector in use.
        figures: Before and after.
        table: All figures as Markdown; empty: those above are shown.
    """

    said: str
    on: str
    data: str
    split: str
    against: str
    figures: tuple[Figure, ...]
    table: str = ""


@dataclass(frozen=True)
class Threshold:
    """From which score on a part counts; of a judge, from which probability on an answer to a question does.

    Args:
        part: Its name, or the question.
        maybe: From here on it may be there; of a question, up to here the answer is no.
        sure: From here on it is counted, or the answer is yes; None where the part or question stays undecided.
        photos: On which they were chosen; None where that is not known.
        why: Why it stays undecided; empty where it does not.
    """

    part: str
    maybe: float
    sure: float | None
    photos: int | None = None
    why: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """All that a model's card tells.

    Args:
        name: Of the model.
        kind: What it is.
        repo: OWNER/NAME.
        does: What it does, as a clause: "answers repair questions from your guides".
        base: What it was trained from: a name on the Hub, or in words.
        base_repo: That name, where there is one.
        base_licence: Its licence; empty where that is not known.
        recipe: (what, value).
        data: What it learned from, in a few sentences.
        sources: Where that came from.
        datasets: Names on the Hub among these.
        terms: What those who hold the texts say of training on them.
        hardware: On what it was trained; empty where that is not known.
        hours: That it took; None where that is not known.
        peak_gib: Most memory that the training held; None likewise.
        versions: (package, version).
        judged: What was measured; None where nothing was.
        limits: What it cannot do, a sentence each.
        thresholds: For detectors and judges.
        measured_on: What these were chosen on.
        turns: (role, text) that an agent is asked, as an example; a detector has none.
        parts: That a detector knows.
        has_onnx: The same network lies beside as ONNX.
        questions: (question, its opposite) that a judge was taught.
        library: With which it is loaded, as the Hub calls it; empty: by its kind.
    """

    name: str
    kind: Kind
    repo: str
    does: str
    base: str
    base_repo: str = ""
    base_licence: str = ""
    recipe: tuple[tuple[str, str], ...] = ()
    data: str = ""
    sources: tuple[Origin, ...] = ()
    datasets: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    hardware: str = ""
    hours: float | None = None
    peak_gib: float | None = None
    versions: tuple[tuple[str, str], ...] = ()
    judged: Judged | None = None
    limits: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    measured_on: str = ""
    turns: tuple[tuple[str, str], ...] = ()
    parts: tuple[str, ...] = field(default=())
    has_onnx: bool = False
    questions: tuple[tuple[str, str], ...] = ()
    library: str = ""
