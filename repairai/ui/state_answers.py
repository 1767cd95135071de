"""What a person at the bench answers to questions of state: kept with the inspection, and judged with at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path

from repairai.errors import RepairError
from repairai.judge.state import Answer
from repairai.records import Answered, Kept, Records
from repairai.schema import Inspection, State
from repairai.ui import render
from repairai.ui.overlay import data_url
from repairai.vision.photo import read_photo

CROP_PX = 320
"""Longest side of the picture of where a judge looked: sharp where it stands 160 px wide on a phone."""
NOT_KEPT = 0
"""Number of an inspection that is not in the records."""


@dataclass(frozen=True)
class Judged:
    """An inspection as it stands on the page.

    Args:
        kept: It, with what the person has answered.
        crops: By number of a finding: the address of a picture of where a judge of states looked.
    """

    kept: Kept
    crops: Mapping[int, str] = field(default_factory=dict)

    @property
    def html(self) -> str:
        """Return the verdict with what the person has answered, and the buttons for it."""
        return render.verdict(replace(self.kept.inspection, verdict=self.kept.verdict), self.crops, asks=True)


def crops_of(done: Inspection, photo: Path) -> dict[int, str]:
    """Return pictures of where a judge of states looked, by number of the finding.

    Args:
        done: The inspection.
        photo: Its photo.

    Raises:
        RepairError: The photo cannot be read any more.
    """
    asked = {at: each for at, each in enumerate(done.verdict.findings) if each.probability is not None}
    if not asked:
        return {}
    pixels = read_photo(photo).pixels
    found = {}
    for at, each in asked.items():
        left, top, right, bottom = each.region or (0, 0, pixels.shape[1], pixels.shape[0])
        cut = pixels[max(int(top), 0) : max(round(bottom), 1), max(int(left), 0) : max(round(right), 1)]
        if cut.size:
            found[at] = data_url(cut, CROP_PX)
    return found


def answered(records: Records, judged: Judged | None, at: object, answer: object) -> tuple[Judged | None, str]:
    """Take a person's answer; return the inspection with it, and the verdict as HTML.

    Args:
        records: Where it is kept.
        judged: What stands on the page; None for nothing.
        at: Number of the finding, as the page sends it.
        answer: Likewise.

    Raises:
        RepairError: There is nothing to answer, or the answer cannot be kept.
    """
    if judged is None:
        raise RepairError("there is no verdict to answer to", "check a photo first")
    kept = judged.kept
    findings = kept.inspection.verdict.findings
    number = int(str(at)) if str(at).isdecimal() else -1
    asked = findings[number].requirement if 0 <= number < len(findings) else None
    if not isinstance(asked, State) or answer not in ("yes", "no"):
        raise RepairError("that is no answer to a question of this photo", "press one of the buttons below it")
    said: Answer = "yes" if answer == "yes" else "no"
    if kept.id != NOT_KEPT:
        kept = records.answer(kept.id, asked.question, said)
    else:
        others = (each for each in kept.answers if each.question != asked.question)
        kept = replace(kept, answers=(*others, Answered(NOT_KEPT, asked.question, asked.opposite, said, "")))
    new = replace(judged, kept=kept)
    return new, kept_as(kept, said) + new.html


def kept_as(kept: Kept, said: Answer) -> str:
    """Return what became of an answer, as HTML."""
    if kept.id == NOT_KEPT:
        words = f"You said {said}. It is not kept, since this inspection is not in the records."
    else:
        words = f"You said {said}: kept with inspection {kept.id}. A judge of states can learn from it."
    return f'<p class="answer" data-kept="{kept.id}">{escape(words)}</p>'
