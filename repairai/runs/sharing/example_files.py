"""Examples for the SOP agent as they go to the Hub: JSON lines, with their sources and their report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.hub.data_card import DataFacts, DataSplit
from repairai.runs.sharing.origins import of_guides
from repairai.runs.sharing.staged import Files, as_json, json_of, staged, without_paths

SIDES = {"train": "train", "val": "validation", "exam": "test"}
"""Our names of the sides, and those of `datasets`."""
TOLD = ("sources.json", "report.json")
COLUMNS = (
    ("task", "what is asked: how_to, next_step, tools, requirements, refusal, or chat"),
    ("device", "what is repaired: all examples of a device stand in one split"),
    ("guide_id", "the guide that it was made from; empty for chat"),
    ("messages", "the conversation, role and content of each turn; the last turn is the answer that is learned"),
    ("passages", "[guide, step] of each step in the prompt"),
    ("source", "url, licence, author and origin of the text"),
)


def example_files(folder: Path, place: Path) -> Files:
    """Return the files of built data as they go to the Hub.

    Args:
        folder: Of the data.
        place: Where files are written that have to be written anew.

    Raises:
        RepairError: There are no examples to train on, a file is damaged, or the disk is full.
    """
    if not (folder / "train.jsonl").is_file():
        raise RepairError(f"{folder.name} holds no train.jsonl", "build the data again")
    files = [(f"{side}.jsonl", folder / f"{side}.jsonl") for side in SIDES if (folder / f"{side}.jsonl").is_file()]
    for name in TOLD:
        if (folder / name).is_file():
            files.append((name, staged(place, name, as_json(without_paths(json_of(folder / name))))))
    return tuple(files)


def example_facts(folder: Path, repo: str) -> DataFacts:
    """Return what is known of built data, for their card."""
    told = {name: json_of(folder / name) if (folder / name).is_file() else {} for name in TOLD}
    report: Mapping[str, Any] = told["report.json"]
    examples: Mapping[str, Mapping[str, int]] = report.get("examples") or {}
    splits = tuple(
        DataSplit(name, f"{side}.jsonl", _rows(folder, side, examples), _tasks(examples.get(side) or {}))
        for side, name in SIDES.items()
        if (folder / f"{side}.jsonl").is_file()
    )
    by = report.get("split_by", "")
    leaks = report.get("leaks")
    near = sum((report.get("near_copies") or {}).values())
    said = [
        f"Conversations in which {report.get('length_tokens', 'some')} tokens hold the steps of a guide, a question "
        "and its answer, with the step behind each sentence.",
        f"Split by {by}: no {by} stands on two sides." if by else "",
        f"Steps that stand on two sides in the same words: {leaks}. Steps of validation and test that stand in train "
        f"in almost the same words: {near}." if leaks is not None else "",
    ]  # fmt: skip
    return DataFacts(
        name=folder.name,
        kind="sop-data",
        repo=repo,
        said=tuple(filter(None, said)),
        splits=splits,
        columns=COLUMNS,
        sources=of_guides(told["sources.json"]),
        terms=tuple(str(each) for each in report.get("terms") or ()),
        limits=(
            "The answers were made from the steps by rules, not written by people: they copy, order and cite.",
            "An agent that learns from `test` can no longer be measured by it.",
            *(str(each)[:1].upper() + str(each)[1:] + "." for each in report.get("notes") or ()),
        ),
    )


def _rows(folder: Path, side: str, examples: Mapping[str, Mapping[str, int]]) -> int:
    if side in examples:
        return sum(examples[side].values())
    with (folder / f"{side}.jsonl").open("rb") as file:
        return sum(bool(line.strip()) for line in file)


def _tasks(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{task} {n:,}" for task, n in counts.items())
