"""A report of a set of states in words, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.detector.findings import n

_MARKS = {"stop": "STOP", "warn": "warn", "note": "note"}


def in_words(report: Mapping[str, Any]) -> str:
    """Return a report as lines."""
    splits = ", ".join(f"{count:,} {split}" for split, count in report["splits"].items())
    of = n(report["sources"], "independent photo")
    lines = [f"{report['name']}: {n(report['examples'], 'example')} ({splits}) from {of}", ""]
    for each in report["questions"]:
        lines.append(f"{each['question']} / {each['opposite']}")
        for split, counts in each["splits"].items():
            of = n(counts["sources"], "independent photo")
            lines.append(f"  {split:5}  {counts['yes']:>6,} yes  {counts['no']:>6,} no  of {of}")
    lines += ["", *(f"{_MARKS[each['severity']]}  {each['said']}" for each in report["findings"])]
    if not report["findings"]:
        lines.append("the doctor found nothing")
    return "\n".join(lines)
