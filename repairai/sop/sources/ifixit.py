"""One guide of iFixit's API 2.0 as our `Guide`; what an iFixit page may look like as its number."""

from __future__ import annotations

import re
from typing import Any, Literal

from repairai.errors import RepairError
from repairai.schema import Guide, Line, Step
from repairai.sop.sources.plain_text import html_to_plain, one_line, storable, wiki_to_plain

LICENCE = "CC-BY-NC-SA-3.0"
"""Source: https://www.ifixit.com/Info/Licensing; MyFixit's LICENSE file is the same one."""
_KINDS: dict[str, Literal["note", "caution", "reminder"]] = {
    "icon_note": "note",
    "icon_caution": "caution",
    "icon_reminder": "reminder",
}
_PHOTO_SIZES = ("standard", "large", "original", "medium", "thumbnail")


def read_ifixit(data: dict[str, Any], where: str) -> Guide:
    """Return the guide that an object of iFixit's API 2.0 describes.

    Args:
        data: What `/api/2.0/guides/{id}` answers.
        where: Named in the error.

    Raises:
        RepairError: It has no number, no title or no steps with words or photos.
    """
    number = guide_number(data.get("guideid"), where)
    steps = tuple(_read_step(step, place) for place, step in enumerate(_in_order(data.get("steps")), 1))
    author = data.get("author")
    return make_guide(
        number,
        where,
        title=data.get("title"),
        device=data.get("category"),
        subject=data.get("subject"),
        url=data.get("url"),
        author=author.get("username") if isinstance(author, dict) else author,
        tools=tool_names(data.get("tools")),
        introduction=_plain(data, "introduction"),
        steps=steps,
    )


def make_guide(  # noqa: D417 - the fields are those of Guide
    number: int, where: str, *, title: object, device: object, steps: tuple[Step, ...], **fields: Any
) -> Guide:
    """Return a guide of iFixit with its licence and address.

    Raises:
        RepairError: A guide without a title or without steps.
    """
    name = wiki_to_plain(as_text(title))
    if not name:
        raise RepairError(f"{where} has no title", "leave it out or fetch it again")
    if not steps:
        raise RepairError(f"{where} ('{name}') has no steps", "leave it out or fetch it again")
    return Guide(
        id=f"ifixit-{number}",
        title=name,
        device=wiki_to_plain(as_text(device)),
        licence=LICENCE,
        steps=steps,
        subject=wiki_to_plain(as_text(fields.get("subject"))),
        url=next(iter(web_addresses([fields.get("url")])), f"https://www.ifixit.com/Guide/-/{number}"),
        author=one_line(as_text(fields.get("author"))),
        tools=fields.get("tools", ()),
        introduction=fields.get("introduction", ""),
    )


def guide_number(value: object, where: str) -> int:
    """Return a guide's number at iFixit.

    Raises:
        RepairError: It is not a whole number above 0.
    """
    text = as_text(value)
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) == 0:
        raise RepairError(f"{where} has no guide number, got {value!r}", "give a guide of iFixit")
    return int(text)


def as_text(value: object) -> str:
    """Return text or a number as stripped text that can be stored, anything else (null, a list) as none."""
    if isinstance(value, str):
        return storable(value).strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def tool_names(tools: object) -> tuple[str, ...]:
    """Return the names in a list of tools, each once; a tool is text, or says `name`, `Name` or `text`, one or many."""
    names: list[str] = []
    for tool in tools if isinstance(tools, list) else []:
        named = (
            next((tool[key] for key in ("name", "Name", "text") if tool.get(key)), "")
            if isinstance(tool, dict)
            else tool
        )
        names += [wiki_to_plain(as_text(name)) for name in (named if isinstance(named, list) else [named])]
    return tuple(dict.fromkeys(name for name in names if name and name != "NA"))


def web_addresses(values: object) -> tuple[str, ...]:
    """Return the web addresses in a list, each once, in order."""
    texts = [as_text(value) for value in values] if isinstance(values, list) else []
    return tuple(dict.fromkeys(text for text in texts if text.startswith(("https://", "http://"))))


def lines_or_placeholder(lines: tuple[Line, ...], has_photos: bool) -> tuple[Line, ...]:
    """Return the lines; where there are none, one that says so, so that steps keep the numbers of their source."""
    return lines or (Line("See the photo." if has_photos else "This step has no words."),)


def _in_order(steps: object) -> list[dict[str, Any]]:
    found = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    orders = [step.get("orderby") for step in found]
    if all(isinstance(order, int) for order in orders):
        found.sort(key=lambda step: int(step["orderby"]))
    return found


def _read_step(step: dict[str, Any], number: int) -> Step:
    lines = step.get("lines")
    read = [_read_line(line) for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    photos = _photos(step.get("media"))
    return Step(
        number=number,
        lines=lines_or_placeholder(tuple(line for line in read if line.text), bool(photos)),
        title=wiki_to_plain(as_text(step.get("title"))),
        image_urls=photos,
        source_id=as_text(step.get("stepid")),
    )


def _read_line(line: dict[str, Any]) -> Line:
    level = line.get("level")
    return Line(
        text=_plain(line, "text"),
        kind=_KINDS.get(as_text(line.get("bullet")), "step"),
        level=max(0, level) if isinstance(level, int) else 0,
    )


def _plain(data: dict[str, Any], name: str) -> str:
    """Return `<name>_raw` or else `<name>_rendered` as plain text.

    Raw first: it is what the writer typed, and the only one that MyFixit has too.
    """
    return wiki_to_plain(as_text(data.get(f"{name}_raw"))) or html_to_plain(as_text(data.get(f"{name}_rendered")))


def _photos(media: object) -> tuple[str, ...]:
    if not isinstance(media, dict) or media.get("type") != "image":
        return ()
    data = media.get("data")
    photos = [photo for photo in data if isinstance(photo, dict)] if isinstance(data, list) else []
    return web_addresses([next((photo[size] for size in _PHOTO_SIZES if photo.get(size)), "") for photo in photos])
