"""A report of a set of photos in words, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.detector.findings import n

_MARKS = {"stop": "STOP", "warn": "warn", "note": "note"}


def in_words(report: Mapping[str, Any]) -> str:
    """Return a report as lines."""
    splits = ", ".join(f"{count:,} {split}" for split, count in report["splits"].items())
    more = [f"{report[key]:,} {word}" for key, word in _MORE if report[key]]
    lines = [f"{report['name']}: {n(report['photos'], 'photo')} ({', '.join([splits, *more])})"]
    if report["parts"]:
        lines += ["", *_table(report["parts"])]
    lines += ["", *(_finding(each, report["name"]) for each in report["findings"])]
    if not report["findings"]:
        lines.append("the doctor found nothing")
    return "\n".join(lines)


_MORE = (("unlabelled", "without labels"), ("background", "with nothing on them"))


def _table(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows: list[Sequence[str]] = [("part", "photos", "boxes", "train", "val", "test")]
    for part, counts in parts.items():
        split = (f"{counts['splits'][each]:,}" for each in ("train", "val", "test"))
        rows.append((part, f"{counts['photos']:,}", f"{counts['boxes']:,}", *split))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def _finding(each: Mapping[str, Any], name: str) -> str:
    line = f"{_MARKS[each['severity']]}  {each['said']}"
    if each["mend"]:
        return f"{line}\n      `photos mend {name} {each['mend']}`: {each['mend_said']}"
    return f"{line}\n      `{each['mend_said']}`" if each["mend_said"] else line
