"""What is in a data set, where it came from and how it is loaded, as its README on the Hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from huggingface_hub import DatasetCardData

from repairai.hub.card_words import Origin, cell, fenced, head, licence_section, origins_table, plain, table
from repairai.hub.licences import Passed, passed_on

DataKind = Literal["sop-data", "photos", "states"]
DATA_TAGS: dict[DataKind, str] = {
    "sop-data": "repairai-sop-data", "photos": "repairai-photos", "states": "repairai-states",
}  # fmt: skip
_TASKS: dict[DataKind, list[str]] = {
    "sop-data": ["text-generation"], "photos": ["object-detection"], "states": ["visual-question-answering"],
}  # fmt: skip
_WHAT: dict[DataKind, str] = {
    "sop-data": "examples for an agent that answers from repair guides", "photos": "labelled photos",
    "states": "photos with questions of state and their answers",
}  # fmt: skip
_SHOWN: dict[DataKind, str] = {
    "sop-data": '["messages"][-1]["content"]', "photos": '["objects"]', "states": '["question"]',
}  # fmt: skip
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True)
class DataSplit:
    """One part of a data set.

    Args:
        name: As `load_dataset` calls it: `train`, `validation`, `test`.
        path: Its files, as a pattern.
        rows: How many.
        said: What is in it, in a few words.
        config: Of which configuration; a part whose columns cannot be told from its rows has one of its own.
    """

    name: str
    path: str
    rows: int
    said: str = ""
    config: str = "default"


@dataclass(frozen=True)
class DataFacts:
    """All that a data set's card tells.

    Args:
        name: Of the data set.
        kind: What it is.
        repo: OWNER/NAME.
        said: What it holds, a sentence each.
        splits: Its parts.
        columns: (name, what it holds).
        sources: Where it came from.
        terms: What those who hold the texts say of training on them.
        limits: What is to be known before it is used, a sentence each.
    """

    name: str
    kind: DataKind
    repo: str
    said: tuple[str, ...]
    splits: tuple[DataSplit, ...]
    columns: tuple[tuple[str, str], ...]
    sources: tuple[Origin, ...] = ()
    terms: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


def data_card(facts: DataFacts) -> str:
    """Return a data set's README with its head; the same facts give the same text."""
    passed = passed_on([each.licence for each in facts.sources])
    splits = [(each.name, f"{each.rows:,}", each.said) for each in facts.splits]
    sections = [
        head(_head(facts, passed)),
        f"# {cell(facts.name)}: {_WHAT[facts.kind]}",
        "\n".join(f"- {plain(each)}" for each in facts.said),
        _use(facts),
        "## Splits\n\n" + table(("split", "rows", ""), splits, "lrl"),
        "## Columns\n\n" + table(("column", "what it holds"), facts.columns, "ll"),
        "## Where it comes from\n\n" + origins_table(facts.sources) if facts.sources else "",
        "## Before you use it\n\n" + "\n".join(f"- {plain(each)}" for each in facts.limits) if facts.limits else "",
        licence_section(passed, facts.sources, facts.terms, ""),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _head(facts: DataFacts, passed: Passed) -> DatasetCardData:
    n = sum(each.rows for each in facts.splits)
    configs = dict.fromkeys(each.config for each in facts.splits)
    return DatasetCardData(
        license=passed.id,
        license_name=passed.name or None,
        task_categories=_TASKS[facts.kind],
        size_categories=[next((name for most, name in _SIZES if n < most), "n>1M")],
        tags=["repairai", DATA_TAGS[facts.kind], "repair"],
        pretty_name=facts.name,
        configs=[
            {
                "config_name": config,
                "data_files": [
                    {"split": each.name, "path": each.path} for each in facts.splits if each.config == config
                ],
            }
            for config in configs
        ],
    )


def _use(facts: DataFacts) -> str:
    first = facts.splits[0]
    code = "\n".join([
        "from datasets import load_dataset",
        f"data = load_dataset({json.dumps(facts.repo)})",
        "print({split: len(rows) for split, rows in data.items()})",
        f"print(data[{json.dumps(first.name)}][0]{_SHOWN[facts.kind]})",
    ])  # fmt: skip
    shell = f"python -m repairai data pull {facts.repo}"
    return "\n\n".join([
        "## How to use it", "With `datasets`:", fenced("python", code), "With RepairAI:", fenced("sh", shell),
    ])  # fmt: skip
