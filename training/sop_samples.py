"""Samples of what was built for the SOP agent, as a model sees them, with what is trained on marked.

    python -m training.sop_samples FOLDER [--model NAME] [--n 3] [--json]

Reads a folder that `training.sop_data` wrote; prints its report, and examples through the chat template of the model.
Without a model they are shown as they are, turn by turn.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from repairai.errors import RepairError
from repairai.files import expanded, read_text
from training.sop.data_report import in_words
from training.sop.examples import Example, Span, read_examples
from training.sop.split import Side

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_GREEN, _PLAIN = "\x1b[32m", "\x1b[0m"


def read_report(folder: Path) -> dict[str, Any]:
    """Return the report of a build, as plain data.

    Raises:
        RepairError: There is none that can be read.
    """
    if not (folder / "report.json").is_file():
        raise RepairError(f"{folder} holds no data that were built here", "give a folder that `data build` made")
    try:
        report: dict[str, Any] = json.loads(read_text(folder / "report.json"))
    except ValueError as error:
        raise RepairError(f"{folder / 'report.json'} is damaged: {error}", "build the data again") from None
    return report


def samples(folder: Path, n: int, side: Side = "train") -> list[Example]:
    """Return examples of a build, of as many tasks as can be; the same ones each time.

    Raises:
        RepairError: There are none.
    """
    left = read_examples(folder / f"{side}.jsonl")
    Random(0).shuffle(left)
    found: list[Example] = []
    while left and len(found) < n:
        firsts = list({example.task: example for example in reversed(left)}.values())
        found += sorted(firsts, key=lambda example: example.task)
        left = [example for example in left if all(example is not first for first in firsts)]
    return found[:n]


def spans_of(example: Example, tokenizer: PreTrainedTokenizerBase | None, length_tokens: int) -> list[Span]:
    """Return an example as text with what is trained on told apart.

    Args:
        example: The example.
        tokenizer: Whose chat template is used; None: the turns as they are.
        length_tokens: Where it is cut, if there is a tokenizer.
    """
    if tokenizer is None:
        prompt = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in example.prompt)
        return [Span(f"{prompt}\n\nassistant: ", False), Span(example.answer, True)]
    from training.sop.tokens import preview  # noqa: PLC0415  transformers takes seconds and is not always wanted

    return preview(example, tokenizer, length_tokens)


def marked(spans: Sequence[Span], colour: bool) -> str:
    """Return spans as one text: what is trained on in [[ ]], or in green on a terminal that shows colours."""
    before, behind = (_GREEN, _PLAIN) if colour else ("[[", "]]")
    return "".join(f"{before}{span.text}{behind}" if span.trained else span.text for span in spans)


def shown(folder: Path, model: str, n: int) -> list[dict[str, Any]]:
    """Return samples of a build as plain data: task, device, guide_id, source, and spans of {text, trained}.

    Args:
        folder: That `training.sop_data` wrote.
        model: Whose chat template is used; empty: none.
        n: How many.

    Raises:
        RepairError: There is no such build, or no such model.
    """
    report = read_report(folder)
    tokenizer = None
    if model:
        from training.sop.tokens import load_tokenizer  # noqa: PLC0415

        tokenizer = load_tokenizer(model)
    return [
        {
            "task": example.task,
            "device": example.device,
            "guide_id": example.guide_id,
            "source": asdict(example.source),
            "spans": [asdict(span) for span in spans_of(example, tokenizer, report["length_tokens"])],
        }
        for example in samples(folder, n)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=expanded)
    parser.add_argument("--model", default="", help="whose chat template is used: a name on the Hub, or a folder")
    parser.add_argument("--n", type=int, default=3, help="how many samples (default: 3)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, with `samples` in it")
    chosen = parser.parse_args(arguments)
    try:
        report, found = read_report(chosen.folder), shown(chosen.folder, chosen.model, chosen.n)
    except RepairError as error:
        print(f"repairai: {error}", file=sys.stderr)
        return 2
    if chosen.json:
        print(json.dumps({**report, "samples": found}))
        return 0
    print(in_words(report))
    for each in found:
        spans = [Span(**span) for span in each["spans"]]
        print(f"\n---- {each['task']}: {each['device'] or 'no device'} {each['guide_id']}".rstrip())
        print(marked(spans, sys.stdout.isatty()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
