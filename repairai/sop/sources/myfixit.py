"""One line of the MyFixit dataset as our `Guide`: the same guides as iFixit's API, in another dress.

Source:
    Nabizadeh, Kolossa and Heckmann, MyFixit: An Annotated Dataset, Annotation Tool, and Baseline Methods for
    Information Extraction from Repair Manuals, LREC 2020. Their README says that `Toolbox[].Name` is a list, their
    files hold text, and `Order` starts at 0 or at 1: both are read.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from repairai.schema import Guide, Line, Step
from repairai.sop.sources.ifixit import (
    as_text,
    guide_number,
    lines_or_placeholder,
    make_guide,
    tool_names,
    web_addresses,
)
from repairai.sop.sources.plain_text import wiki_to_plain


def read_myfixit(data: dict[str, Any], where: str) -> Guide:
    """Return the guide that a line of MyFixit describes.

    Args:
        data: An object with `Guidid`, `Title`, `Category`, `Subject`, `Toolbox`, `Url` and `Steps`.
        where: Named in the error.

    Raises:
        RepairError: It has no number, no title or no steps.
    """
    number = guide_number(data.get("Guidid"), where)
    steps = data.get("Steps")
    found = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    if all(isinstance(step.get("Order"), int) for step in found):
        found.sort(key=lambda step: int(step["Order"]))
    return make_guide(
        number,
        where,
        title=data.get("Title"),
        device=data.get("Category"),
        subject=data.get("Subject"),
        url=data.get("Url"),
        tools=tool_names(data.get("Toolbox")),
        steps=tuple(_read_step(step, place) for place, step in enumerate(found, 1)),
    )


def _read_step(step: dict[str, Any], number: int) -> Step:
    lines = step.get("Lines")
    texts = [as_text(line.get("Text")) for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    raw = as_text(step.get("Text_raw"))
    pieces = cut_like(raw, texts) if raw else texts
    read = tuple(Line(text) for text in map(wiki_to_plain, pieces) if text)
    photos = web_addresses(step.get("Images"))
    return Step(
        number=number,
        lines=lines_or_placeholder(read, bool(photos)),
        tools=tool_names(step.get("Tools_annotated") or step.get("Tools_extracted")),
        image_urls=photos,
        source_id=as_text(step.get("StepId")),
    )


def cut_like(raw: str, lines: list[str]) -> list[str]:
    """Return `raw` cut where the lines begin; joined again it is the whole of `raw`.

    `Text_raw` keeps the case and the links but runs on; `Lines` are cut but lower-cased, tokenised and at times changed
    ("#2" to "2", a link to its kind). So the letters and digits of both are walked in step, and where they differ, the
    beginnings are found by matching.

    Args:
        raw: A step's `Text_raw`.
        lines: Its lines' `Text`.
    """
    if len(lines) < 2:
        return [raw]
    places = [place for place, sign in enumerate(raw) if sign.isalnum()]
    letters = "".join([raw[place] for place in places]).lower()
    bare = ["".join(filter(str.isalnum, line)).lower() for line in lines]
    offsets = [len("".join(bare[:n])) for n in range(1, len(bare))]
    if letters != "".join(bare):
        offsets = _matching(letters, "".join(bare), offsets)
    cuts = sorted({0, len(raw), *(_start_of_word(raw, places[offset]) for offset in offsets if offset < len(places))})
    pieces = [raw[start:end].strip() for start, end in zip(cuts, cuts[1:], strict=False)]
    return [piece for piece in pieces if piece]


def _matching(letters: str, bare: str, offsets: list[int]) -> list[int]:
    """Return where the offsets of `bare` stand in `letters`; an offset that has no match is left out."""
    blocks = difflib.SequenceMatcher(None, letters, bare, autojunk=False).get_matching_blocks()
    found = []
    for offset in offsets:
        found += [block.a + offset - block.b for block in blocks if block.b <= offset < block.b + block.size]
    return found


def _start_of_word(raw: str, place: int) -> int:
    """Return the place moved back to where its word begins ("(see photo)"), and out of a link."""
    for link in re.finditer(r"\[[^\[\]]*\|[^\[\]]*\]", raw):
        if link.start() < place < link.end():
            place = link.start()
    while place > 0 and not raw[place - 1].isspace():
        place -= 1
    return place
