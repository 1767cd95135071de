"""A question to the steps that may answer it, in windows that a small model can read; or to nothing, and the nearest.

A guide answers only where the device that was asked about is its own: a number, a brand or a name in the question that
the guide's device does not have means another device, however well the rest fits. Of what is asked about the device the
guide has to hold most, and where a part is to be replaced the guide has to be about that part.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from repairai.schema import Guide
from repairai.sop.asked import AskedWord, Question, read_question
from repairai.sop.claims import read_claims
from repairai.sop.index.files import analyzer
from repairai.sop.index.ranking import Hit
from repairai.sop.prompts import Passage, passages_of
from repairai.sop.search import Search

TOKENS_A_WORD = 1.35
"""Of guide text, about, in the tokenizers of today's models."""
STEPS_A_WINDOW = 6
"""The agent is trained on windows of up to so many steps."""
BUDGET_TOKENS = 450
_LOOKED_AT = 20
_NEAR = 3
_AROUND = 1
_STEP_SHARE = 0.3
"""What a whole step counts beside its best sentence: "the screws of the bracket" stand together or not at all."""
_TOPIC_SHARE = 0.5
"""Of what is asked about a device, by weight, that a guide has to hold where it is known to be meant."""
_ABOUT_SHARE = 0.6
"""Likewise in its title, where something is to be replaced."""
_STRICT_SHARE = 0.85
"""Likewise where the question does not name the guide's device, and what it names beside may be another one."""
_NAMED = 0.65
"""A misspelt or joined word holds a name from this weight on."""
_YEARS = re.compile(r"\b((?:19|20)\d\d)\s*-\s*((?:19|20)\d\d|present)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """What was found for a question.

    Args:
        windows: Steps of one guide, in order, cut so that each window can be answered by itself; empty: no guide fits.
        near: The guides that come nearest, best first, where none fits.
        why: Why none does, in a clause; empty where one fits.
        whole_guide: Whether all steps were asked for.
    """

    windows: tuple[tuple[Passage, ...], ...]
    near: tuple[Hit, ...] = ()
    why: str = ""
    whole_guide: bool = False


@dataclass(frozen=True)
class _Fit:
    """How well a guide fits a question; `why_not` is empty where it answers."""

    score: float
    why_not: str


def find_passages(
    question: str, search: Search, device: str | None = None, budget_tokens: int = BUDGET_TOKENS
) -> Found:
    """Return the steps that may answer a question.

    Args:
        question: Whatever a person typed.
        search: Over the library that is to answer.
        device: Only guides for this one; None: any.
        budget_tokens: For each window, about; a single step may be longer.

    Raises:
        ValueError: `budget_tokens` is below 1.
        RepairError: The library cannot be read, or the index not be written.
    """
    if budget_tokens < 1:
        raise ValueError(f"need budget_tokens from 1, got {budget_tokens}")
    asked = read_question(question, search.open())
    query = asked.query or (device or "")
    hits = search.search_guides(query, device or None, _LOOKED_AT) if query else ()
    if not asked.words and not device:
        return Found((), (), "the question names no device and no part")
    best: tuple[float, Guide] | None = None
    why = ""
    for place, hit in enumerate(hits):
        guide = search.library.guide(hit.guide_id)
        fit = _fit(asked, guide, named=device is not None)
        why = why or fit.why_not
        score = fit.score - 0.02 * place
        if not fit.why_not and (best is None or score > best[0]):
            best = (score, guide)
    if best is None:
        near = hits or search.search_guides(query, None, _NEAR) if query else ()
        about = f"there is no guide for the device “{device}”" if device and not hits else why
        return Found((), near[:_NEAR], about or "no guide of the library holds these words")
    cut = windows(asked, passages_of(best[1]), budget_tokens)
    return Found(cut, whole_guide=asked.kind == "how_to")


def windows(asked: Question, passages: Sequence[Passage], budget_tokens: int) -> tuple[tuple[Passage, ...], ...]:
    """Return the steps of a guide that a question means, cut into windows."""
    if asked.kind in ("step", "next_step"):
        at = _step_meant(asked, passages)
        if at is not None and asked.kind == "next_step":
            return (tuple(passages[at : at + 2]),)
        if at is not None:
            return ((passages[at],) if asked.step else _around(passages, at, budget_tokens),)
    cut = _cut(passages, budget_tokens)
    return cut[:1] if asked.kind == "tools" else cut


def tokens_of(passages: Iterable[Passage]) -> int:
    """Return about how many tokens passages take, with the line that names their guide and its tools."""
    shown = list(passages)
    head = f"{shown[0].title} {shown[0].device} {' '.join(shown[0].tools)}" if shown else ""
    return math.ceil(TOKENS_A_WORD * sum(len(text.split()) + 2 for text in (head, *(each.text for each in shown))))


def _cut(passages: Sequence[Passage], budget_tokens: int) -> tuple[tuple[Passage, ...], ...]:
    """Return all steps in order, in as few windows as hold them, about equally long."""
    least = max(math.ceil(tokens_of(passages) / budget_tokens), math.ceil(len(passages) / STEPS_A_WINDOW), 1)
    for n_windows in range(least, len(passages) + 1):
        each = math.ceil(len(passages) / n_windows)
        cut = [tuple(passages[start : start + each]) for start in range(0, len(passages), each)]
        if all(len(window) == 1 or tokens_of(window) <= budget_tokens for window in cut):
            return tuple(cut)
    return tuple((passage,) for passage in passages)


def _around(passages: Sequence[Passage], at: int, budget_tokens: int) -> tuple[Passage, ...]:
    """Return a step with its neighbours as far as they fit."""
    first = last = at
    for reach in range(1, _AROUND + 1):
        for one in (at + reach, at - reach):
            wider = passages[min(first, one) : max(last, one) + 1]
            if 0 <= one < len(passages) and tokens_of(wider) <= budget_tokens:
                first, last = min(first, one), max(last, one)
    return tuple(passages[first : last + 1])


def _step_meant(asked: Question, passages: Sequence[Passage]) -> int | None:
    """Return the place of the step that holds most of what is asked; None where it says nothing about a step."""
    if asked.step:
        return asked.step - 1 if asked.step <= len(passages) else None
    texts = [_stems(passage.text) for passage in passages]
    topics = [word for word in asked.words if word.role in ("topic", "stranger")]
    n_steps = {word.word: sum(1 for text in texts if _holds(word, text)) for word in topics}

    def held(text: str) -> float:
        stems = _stems(text)
        return sum(_holds(word, stems) * word.weight / math.sqrt(max(1, n_steps[word.word])) for word in topics)

    shares = [
        max((held(claim.text) for claim in read_claims(passage.text)), default=0.0) + _STEP_SHARE * held(passage.text)
        for passage in passages
    ]
    best = max(range(len(passages)), key=lambda place: (shares[place], -place))
    return best if shares[best] > 0 else None


def _fit(asked: Question, guide: Guide, named: bool) -> _Fit:
    """Return how well a guide fits, or why it does not.

    Args:
        asked: The question.
        guide: One that was found.
        named: Whether the device was chosen beside the question.
    """
    device, title = _stems(guide.device), _stems(f"{guide.title} {guide.subject}")
    text = _stems(" ".join([guide.introduction, *guide.tools, *(step.text for step in guide.steps)]))
    years = [(int(a), 9999 if b.lower() == "present" else int(b)) for a, b in _YEARS.findall(guide.device)]
    for word in asked.words:
        if word.role in ("name", "stranger") and _holds(word, device | title) < _NAMED:
            said = word.role == "stranger" and _holds(word, text) == 1
            if not said and not _in_years(word.word, years):
                return _Fit(0.0, f"no guide of the library is for “{word.word}”")
    topics = [word for word in asked.words if word.role in ("topic", "stranger") and _holds(word, device) < _NAMED]
    about, held = _share(topics, title), _share(topics, title | text)
    is_named = named or len(topics) < len([word for word in asked.words if word.role != "figure"])
    if not topics:
        return _Fit(0.5 + 0.1 * len(asked.words) / (1 + len(device)), "")
    meant = any(word.word == asked.replaces and _holds(word, title) for word in topics)
    if asked.replaces and about < _ABOUT_SHARE and not (meant and held >= _STRICT_SHARE):
        return _Fit(0.0, f"no guide of the library is about {_quoted(topics, title)}")
    lenient = is_named or (about > 0 and all(word.known for word in topics))
    if held < (_TOPIC_SHARE if lenient else _STRICT_SHARE):
        return _Fit(0.0, f"no guide of the library speaks of {_quoted(topics, title | text)}")
    return _Fit(0.5 * about + 0.5 * held, "")


def _share(words: Sequence[AskedWord], stems: frozenset[str]) -> float:
    total = sum(word.weight for word in words)
    return sum(word.weight * _holds(word, stems) for word in words) / total if total else 0.0


def _holds(word: AskedWord, stems: frozenset[str]) -> float:
    return max((weight for stem, weight in word.stems.items() if stem in stems), default=0.0)


def _in_years(word: str, years: Sequence[tuple[int, int]]) -> bool:
    return len(word) == 4 and word.isdigit() and any(first <= int(word) <= last for first, last in years)


def _quoted(words: Sequence[AskedWord], stems: frozenset[str]) -> str:
    return " and ".join(f"“{word.word}”" for word in words if _holds(word, stems) < _NAMED) or "this"


def _stems(text: str) -> frozenset[str]:
    return frozenset(analyzer(stems=True).analyze(text))
