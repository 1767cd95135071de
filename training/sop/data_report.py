"""What was built for the SOP agent, in figures: `report.json`, and the same for a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from training.sop.examples import Example
from training.sop.tasks import estimated_tokens

BIN_TOKENS = 128
"""Width of a bar of the histogram."""
MANY_CUT = 0.02
"""Share of cut answers from which on the report warns: each teaches a model to begin and not to end."""
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Lengths:
    """How long the examples of one side are.

    Args:
        histogram: How many examples have 0 to 127 tokens, 128 to 255, and so on.
        median_tokens: Of all.
        p95_tokens: Nineteen in twenty are no longer.
        longest_tokens: Of all.
        answer_tokens: Trained on, in all.
        answers_cut: Examples whose answer's end does not fit.
        prompts_cut: Examples whose prompt's middle does not fit.
    """

    histogram: tuple[int, ...]
    median_tokens: int
    p95_tokens: int
    longest_tokens: int
    answer_tokens: int
    answers_cut: int
    prompts_cut: int


@dataclass(frozen=True)
class Report:
    """What a build did.

    Args:
        name: Of the folder.
        made: When, ISO 8601 with its offset from UTC.
        sources: What it was built from.
        seed: Of every choice.
        length_tokens: That examples are to fit in.
        counted_with: The model whose tokenizer counted, or how it was estimated.
        split_by: `device`; `guide` where there were too few devices.
        examples: side -> task -> how many.
        devices: side -> how many.
        guides: side -> how many.
        lengths: side -> how long.
        steps_left_out: Why -> how many steps of guides were not used.
        shared_texts: Texts of steps that stood on more than one side; each stays on one of them.
        steps_dropped: side -> steps that were dropped for that.
        examples_dropped: side -> conversations that were dropped for that.
        leaks: What still stands on two sides, which is nothing.
        copies: side -> exact copies that were left out.
        near_copies: side -> texts that stand in train in almost the same words; they are kept.
        near_score: The share of a text's runs of five words from which on it is a near copy.
        nearest: The worst of them: {side, text, like, score}.
        origins: Where guides were read from -> how many examples.
        licences: Licence -> how many examples.
        terms: What those who hold the texts say of training on them.
        notes: Sentences for the person.
        problems: What could not be read, the first fifty.
        n_problems: How many of them there were.
        seconds: That the build took.
    """

    name: str
    made: str
    sources: tuple[str, ...]
    seed: int
    length_tokens: int
    split_by: str
    examples: dict[str, dict[str, int]]
    devices: dict[str, int]
    guides: dict[str, int]
    lengths: dict[str, Lengths]
    steps_left_out: dict[str, int]
    shared_texts: int
    steps_dropped: dict[str, int]
    leaks: int
    near_copies: dict[str, int]
    near_score: float
    nearest: tuple[dict[str, Any], ...]
    origins: dict[str, int]
    licences: dict[str, int]
    terms: tuple[str, ...]
    counted_with: str = ""
    examples_dropped: dict[str, int] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    n_problems: int = 0
    seconds: float = 0.0

    def as_json(self) -> str:
        """Return the report as JSON for people and pages."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def estimated(examples: Iterable[Example], length_tokens: int) -> Lengths:
    """Return how long examples are, without a tokenizer; an answer counts as cut where prompt and answer do not fit."""
    pairs = [(estimated_tokens(each.messages), estimated_tokens(each.messages[-1:])) for each in examples]
    return lengths_of(pairs, sum(total > length_tokens for total, _ in pairs), 0)


def lengths_of(pairs: Sequence[tuple[int, int]], answers_cut: int, prompts_cut: int) -> Lengths:
    """Return how long examples are.

    Args:
        pairs: Of each, its tokens and those of its answer.
        answers_cut: See `Lengths`.
        prompts_cut: See `Lengths`.
    """
    totals = sorted(total for total, _ in pairs) or [0]
    bins = Counter(total // BIN_TOKENS for total in totals)
    return Lengths(
        tuple(bins[place] for place in range(totals[-1] // BIN_TOKENS + 1)) if pairs else (),
        totals[len(totals) // 2],
        totals[min(len(totals) - 1, int(len(totals) * 0.95))],
        totals[-1],
        sum(answer for _, answer in pairs),
        answers_cut,
        prompts_cut,
    )


def in_words(report: Mapping[str, Any]) -> str:
    """Return a report as text for a terminal.

    Args:
        report: As plain data.
    """
    lines = [f"{report['name']}: examples for the SOP agent, split by {report['split_by']}, seed {report['seed']}"]
    lines += ["", *_table(report), "", f"tokens ({report['counted_with']}), bars of {BIN_TOKENS}:"]
    for side, found in report["lengths"].items():
        n_all = max(1, sum(found["histogram"]))
        lines.append(
            f"  {side:>5} {_bars(found['histogram'])}  median {found['median_tokens']}, 19 in 20 up to "
            f"{found['p95_tokens']}, longest {found['longest_tokens']}; cut at {report['length_tokens']}: "
            f"{found['answers_cut']} answers ({found['answers_cut'] / n_all:.1%}), {found['prompts_cut']} prompts"
        )
    dropped = {side: report["steps_dropped"][side] + report["examples_dropped"][side] for side in report["examples"]}
    lines += [
        "",
        f"leaks: {report['shared_texts']} texts stood on more than one side; dropped: {_each(dropped)}; "
        f"left: {report['leaks']}",
        f"copies left out: {_each(report['copies'])}; near copies of train, which are kept: "
        f"{_each(report['near_copies'])} (at least {report['near_score']:.0%} of the runs of five words)",
        f"steps not used: {_each(report['steps_left_out'])}",
        f"origins: {_each(report['origins'])}; licences: {_each(report['licences'])}",
        *(f"note: {note}" for note in (*report["terms"], *report["notes"])),
    ]
    if report["n_problems"]:
        lines.append(f"{report['n_problems']} entries could not be read; the first: {report['problems'][0]}")
    return "\n".join(lines)


def _table(report: Mapping[str, Any]) -> list[str]:
    tasks = sorted({task for counts in report["examples"].values() for task in counts})
    heads = [*tasks, "all", "devices", "guides"]
    lines = [" " * 7 + "".join(f"{head:>13}" for head in heads)]
    for side, counts in report["examples"].items():
        row = [*(counts.get(task, 0) for task in tasks), sum(counts.values())]
        row += [report["devices"][side], report["guides"][side]]
        lines.append(f"{side:>7}" + "".join(f"{number:>13,}" for number in row))
    return lines


def _each(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items() if number) or "none"


def _bars(histogram: Sequence[int]) -> str:
    most = max(histogram, default=1) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] if count else " " for count in histogram)
