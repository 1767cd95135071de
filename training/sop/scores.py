"""How good one answer of the SOP agent is: held against what the exam expects and the passages that were shown.

What is expected, and which passages were shown, is read from the example itself. Each figure is in [0, 1], and which
figures a question has follows from the question alone, never from the answer: so the same question has the same figures
before and after a training. The score is their mean, weighted as in `WEIGHTS`.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from repairai.sop.actions import read_actions
from repairai.sop.prompts import Answer, AnswerLine, read_answer
from training.sop.answer_words import NOT, overlap, share_in, stems
from training.sop.examples import Example

MOSTLY = 0.6
"""Share of the words of a step from which on it counts as said."""
SOME = 0.3
"""Share of the words of a line that each of several passages that it names has to hold."""
WEIGHTS = {
    "steps_recalled": 2.0, "lines_needed": 1.0, "order_kept": 1.0, "tools_f1": 0.5, "tools_exact": 0.5,
    "counts_exact": 1.0, "sizes_exact": 1.0, "cited_right": 1.0, "warnings_kept": 1.0, "refused": 1.0,
    "json_valid": 0.5, "actions_f1": 0.5, "actions_exact": 1.0, "words_f1": 1.0,
}  # fmt: skip
"""What a score is the weighted mean of.

`answered` and `ended` are only looked at: an answer that refuses, or never ends, already loses its steps or has lines
that nobody needs.
"""
_PASSAGE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)
_FENCED = re.compile(r"^```(?:json)?\s*\n(.*?)\n?```$", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_MARK = re.compile(r"\b(caution|warning|danger)[:.!]+", re.IGNORECASE)
_WARNS = re.compile(
    r"^(?:caution|warning|danger)\b|\b(?:be (?:very )?careful|take care|do not|don['’]t|never|avoid)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Marked:
    """An answer with its score in [0, 1] and the figures that it is made of."""

    score: float
    figures: dict[str, float]


def mark(example: Example, text: str, ended: bool) -> Marked:
    """Return how good an answer is.

    Args:
        example: What was asked, with the answer that is expected.
        text: The answer.
        ended: Whether it ended by itself, by its end token.
    """
    if example.task == "requirements":
        figures = _mark_actions(example.answer, text)
    elif example.task == "chat":
        figures = {"words_f1": overlap(stems(example.answer), stems(text))}
    else:
        wanted, said = read_answer(example.answer), read_answer(text)
        if wanted.refused:
            figures = {"refused": float(said.refused)}
        else:
            tools_alone = example.task == "tools" or not wanted.lines
            figures = {"answered": float(bool(text.strip()) and not said.refused)} | _mark_tools(
                wanted, said, tools_alone
            )
            if not tools_alone:
                figures |= mark_steps(wanted, said, shown(example))
    weighed = {name: WEIGHTS[name] for name in figures if name in WEIGHTS}
    score = sum(figures[name] * weight for name, weight in weighed.items()) / sum(weighed.values())
    return Marked(score, figures | {"ended": float(ended)})


def shown(example: Example) -> tuple[str, ...]:
    """Return the passages of the last user's turn, in order, as `prompts.question_text` puts them there."""
    asked = next((turn["content"] for turn in reversed(example.prompt) if turn["role"] == "user"), "")
    return tuple(text for _, text in _PASSAGE.findall(asked))


# ---- steps


def mark_steps(wanted: Answer, said: Answer, passages: Sequence[str]) -> dict[str, float]:
    """Return the figures of an answer that is to hold steps.

    - `steps_recalled`: share of the expected steps of which a line of the answer holds 60 % of the words that carry
      something; a line counts for one step only.
    - `lines_needed`: share of the answer's lines that recall a step.
    - `order_kept`, where two steps or more are expected: of n recalled steps the longest run in the right order, m of
      them, as (m - 1) / (n - 1); 0 where fewer than two are recalled.
    - `counts_exact`, where steps say how many of a part: whether the answer says just these, and no other.
    - `sizes_exact`, where they say the sizes of parts, likewise.
    - `cited_right`, where steps name passages: share of the answer's lines whose passages hold what they say, or that
      name the same ones as the step that they recall.
    - `warnings_kept`, where steps warn: share of the warnings that are in the answer, with their "not".
    """
    steps, lines = [line.text for line in wanted.lines], [line.text for line in said.lines]
    places = recalled(steps, lines)
    found = [place for place in places if place is not None]
    figures = {
        "steps_recalled": len(found) / len(steps),
        "lines_needed": len(found) / len(lines) if lines else 0.0,
    }
    if len(steps) > 1:
        figures["order_kept"] = (_longest_rising(found) - 1) / (len(found) - 1) if len(found) > 1 else 0.0
    counts, sizes = counts_in(steps), sizes_in(steps)
    if counts:
        figures["counts_exact"] = float(counts_in(lines) == counts)
    if sizes:
        figures["sizes_exact"] = float(sizes_in(lines) == sizes)
    if any(line.cited for line in wanted.lines):
        same = {place for line, place in zip(wanted.lines, places, strict=True) if _cites_the_same(line, said, place)}
        right = sum(
            place in same or _is_cited_right(line.text, line.cited, passages) for place, line in enumerate(said.lines)
        )
        figures["cited_right"] = right / len(said.lines) if said.lines else 0.0
    warnings = warnings_in(steps)
    if warnings:
        figures["warnings_kept"] = sum(_is_kept(each, lines) for each in warnings) / len(warnings)
    return figures


def recalled(steps: Sequence[str], lines: Sequence[str]) -> list[int | None]:
    """Return for each step the place of the line that recalls it, best pairs first; None where none does."""
    said = [stems(line) for line in lines]
    pairs = []
    for step, words in enumerate(map(stems, steps)):
        for line, other in enumerate(said):
            share = share_in(words, other) if words else float(steps[step] == lines[line])
            if share >= MOSTLY:
                # Of lines that hold it alike, the one that says least besides, then the first.
                pairs.append((-share, -overlap(words, other), step, line))
    places: list[int | None] = [None] * len(steps)
    taken: set[int] = set()
    for _, _, step, line in sorted(pairs):
        if places[step] is None and line not in taken:
            places[step] = line
            taken.add(line)
    return places


def counts_in(lines: Iterable[str]) -> Counter[tuple[object, ...]]:
    """Return how many of which part the lines ask to be handled, as (part, count, most, or more, kept).

    One of a part is left out: "the base" says no number.
    """
    found = (each for line in lines for each in read_actions(line) if each.count is not None and each.count != 1)
    return Counter((each.part, each.count, each.count_max, each.or_more, each.action == "keep") for each in found)


def sizes_in(lines: Iterable[str]) -> Counter[tuple[str, str]]:
    """Return the sizes of the parts that the lines ask to be handled."""
    found = (each for line in lines for each in read_actions(line) if each.size)
    return Counter((each.part, str(each.size).lower().replace(" ", "")) for each in found)


def warnings_in(lines: Iterable[str]) -> list[str]:
    """Return the sentences that warn: after "Caution:", or with words such as "do not" and "be careful"."""
    return [each for line in lines for each in _sentences(line) if _WARNS.search(each) and stems(_without_mark(each))]


def _is_kept(warning: str, lines: Iterable[str]) -> bool:
    """Tell whether a sentence of the answer holds most of a warning, and forbids where it forbids."""
    wanted = stems(_without_mark(warning))
    for each in (sentence for line in lines for sentence in _sentences(line)):
        said = stems(_without_mark(each))
        if share_in(wanted, said) >= MOSTLY and (NOT in said) == (NOT in wanted):
            return True
    return False


def _sentences(line: str) -> list[str]:
    """Return the sentences of a line; "Danger!" belongs to the one behind it."""
    return _SENTENCE.split(_MARK.sub(r"\1:", line))


def _without_mark(sentence: str) -> str:
    return _MARK.sub("", sentence)


def _cites_the_same(step: AnswerLine, said: Answer, place: int | None) -> bool:
    return place is not None and bool(step.cited) and set(step.cited) == set(said.lines[place].cited)


def _is_cited_right(text: str, cited: Sequence[int], passages: Sequence[str]) -> bool:
    """Tell whether the passages that a line names are there, hold it together, and each a good part of it."""
    words = stems(text)
    if not cited or not words or not all(1 <= number <= len(passages) for number in cited):
        return False
    held = [stems(passages[number - 1]) for number in cited]
    together = share_in(words, frozenset().union(*held)) >= MOSTLY
    return together and all(share_in(words, each) >= SOME for each in held)


def _longest_rising(places: Sequence[int]) -> int:
    """Return the length of the longest rising subsequence.

    Source: patience sorting, Fredman 1975, "On computing the length of longest increasing subsequences".
    """
    ends: list[int] = []
    for place in places:
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends)


# ---- tools


def _mark_tools(wanted: Answer, said: Answer, alone: bool) -> dict[str, float]:
    """Return `tools_exact` and `tools_f1`, where tools are expected or asked for.

    Args:
        wanted: The expected answer.
        said: The answer.
        alone: Tools are all that was asked for: then an answer that goes on with steps is not exact.
    """
    if not wanted.tools and not alone:
        return {}
    first, other = tool_names(wanted.tools), tool_names(said.tools)
    if not wanted.tools:  # the answer says in words that none are named
        return {"tools_exact": float(not other and not said.refused and bool(said.lines)), "tools_f1": float(not other)}
    exact = first == other and not (alone and said.lines)
    return {"tools_exact": float(exact), "tools_f1": overlap(first, other)}


def tool_names(tools: Iterable[str]) -> frozenset[frozenset[str]]:
    """Return tools by their words, whatever their order, case and ending."""
    return frozenset(words for tool in tools if (words := stems(tool)))


# ---- requirements


def _mark_actions(wanted: str, text: str) -> dict[str, float]:
    """Return whether an answer is JSON, and how far its actions agree with the expected ones."""
    expected, found = _actions(_parsed(wanted)), _actions(_parsed(text))
    figures = {
        "json_valid": float(_parsed(text) is not None and found is not None),
        "actions_f1": 0.0 if found is None else _overlap_of(Counter(expected), Counter(found)),
        "actions_exact": float(found is not None and Counter(expected) == Counter(found)),
    }
    counts = _counted(expected or ())
    if counts:
        figures["counts_exact"] = float(found is not None and _counted(found) == counts)
    return figures


def _parsed(text: str) -> Any:
    """Return what JSON holds, bare or in a fence of Markdown; None where it is none."""
    bare = text.strip()
    fenced = _FENCED.match(bare)
    try:
        return json.loads(fenced[1] if fenced else bare)
    except (ValueError, RecursionError):
        return None


def _actions(data: Any) -> list[tuple[str, ...]] | None:
    """Return the actions as (action, part, count, size) in words; None where the data are not of this form."""
    rows = data.get("actions") if isinstance(data, dict) else data
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return [tuple(str(row.get(name)) for name in ("action", "part", "count", "size")) for row in rows]


def _counted(actions: Iterable[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    return Counter((part, count) for _, part, count, _ in actions if count != "None")


def _overlap_of(first: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> float:
    """Return F1 of two multisets; two empty ones agree."""
    both, all_of_them = (first & other).total(), first.total() + other.total()
    return 2 * both / all_of_them if all_of_them else 1.0
