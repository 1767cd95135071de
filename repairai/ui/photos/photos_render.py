"""Sets of photos to HTML, pure: figures, what the doctor found, photos with their boxes. What came in is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from repairai.ui.box_editor import colour
from repairai.ui.photos import choice
from repairai.ui.photos.scripted import Progress
from repairai.ui.photos.sets import Finding, Report, nameless
from repairai.ui.photos.small import tile
from repairai.ui.runs_render import with_code
from repairai.vision.photo_set import IMPORTED, PERSON, SPLITS, LabelledBox, LabelledPhoto, PhotoSet

NO_PHOTOS = (
    '<p class="fine">No photos were imported yet. Ten with their parts marked are enough to begin; photos without '
    "marks are welcome too: they are marked here.</p>"
)
STALE = (
    '<p class="answer" data-stale="true">Photos or boxes were changed since the doctor looked: what it found then may '
    "hold no longer. Let it look again.</p>"
)
ASKED = "digits"
"""Id of the finding that parts are called by numbers: the page asks for their names instead."""
SIDES = {"train": "to learn from", "val": "to choose with", "test": "to judge with"}
SEVERITIES = {
    "stop": ("✕", "fail", "mend first"),
    "warn": ("!", "uncertain", "look"),
    "note": ("·", "elsewhere", "note"),
}
MOST_CONFUSED = 12


def progress(found: Progress) -> str:
    """Return how far a script is."""
    share = f"{min(100 * found.done / found.total, 100):.0f}" if found.total else ""
    value = f' aria-valuenow="{share}"' if share else ""
    count = f": {found.done:,}" + (f" of {found.total:,}" if found.total else "") if found.done else ""
    return (
        f'<div class="building"><p>{escape(found.title)}: {escape(found.what)}{count}</p><span class="track wide" '
        f'role="progressbar" aria-label="{escape(found.title)}"{value}><span class="tone-busy" '
        f'style="width:{share or 4}%"></span></span></div>'
    )


def said(sentence: str) -> str:
    """Return a sentence for the person."""
    return f'<p class="answer">{escape(sentence)}</p>'


# ---- a set


def report(photos: PhotoSet, found: Report) -> str:
    """Return what is in a set: its parts by what the photos are for, where they came from, who drew the boxes."""
    return (
        f'<section class="report data" data-name="{escape(photos.name)}" data-photos="{len(photos.photos)}">'
        f"{_counts(photos)}{_facts(photos, found)}</section>"
    )


def _counts(photos: PhotoSet) -> str:
    by_part = choice.counts(photos)
    head = "".join(f'<th scope="col">{split} <span class="fine">{SIDES[split]}</span></th>' for split in SPLITS)
    rows = "".join(
        f"<tr><th scope='row'>{_swatch(number)}{escape(part)}</th>"
        + "".join(f"<td>{by_part[part][split][1]:,} on {by_part[part][split][0]:,}</td>" for split in SPLITS)
        + "</tr>"
        for number, part in enumerate(photos.parts)
    )
    whole = "".join(f"<td>{len(photos.of(split)):,}</td>" for split in SPLITS)
    return (
        f'<div class="scroll"><table class="findings counts"><thead><tr><th scope="col">Boxes on photos</th>{head}</tr>'
        f"</thead><tbody>{rows}<tr class=all><th scope='row'>All labelled photos</th>{whole}</tr></tbody></table></div>"
    )


def _facts(photos: PhotoSet, found: Report) -> str:
    boxes = [box for photo in photos.photos for box in photo.boxes]
    unseen = sum(choice.is_in(each, choice.UNSEEN) for each in photos.photos)
    drawn = [
        f"{number:,} {words}"
        for words, number in (
            ("by a person", sum(box.by == PERSON for box in boxes)),
            ("brought in", sum(box.by == IMPORTED for box in boxes)),
            ("by a model", sum(box.by.startswith("model:") for box in boxes)),
        )
        if number
    ]
    sources = ", ".join(
        f"{each.name} ({each.licence or 'licence not told'}, {each.photos:,})" for each in photos.sources
    )
    facts = [
        ("Photos", f"{len(photos.photos):,}"),
        ("Not yet looked at", f"{unseen:,}"),
        ("Background, without any part", f"{sum(each.labelled and not each.boxes for each in photos.photos):,}"),
        ("Boxes drawn", ", ".join(drawn) or "none"),
        ("From", sources or "not told"),
        ("Looked through by the doctor", _looked_through(found)),
    ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="figures">{cells}</dl>'


def _looked_through(found: Report) -> str:
    when = found.made[:16].replace("T", " ") or "not yet"
    return f"{when}, before the last changes" if found.stale else when


def _swatch(number: int) -> str:
    return f'<i class="swatch" style="background:{colour(number)}"></i>'


def doctor(found: Report, shown: str = "") -> str:
    """Return what the doctor wrote down of a set, and whether the set was changed since; empty where it has not looked.

    Args:
        found: It.
        shown: Id of the finding whose photos are shown.
    """
    if not found.made and not found.findings:
        return ""
    told = [each for each in found.findings if each.id != ASKED]
    nothing = found.findings and not told
    return f"{STALE if found.stale else ''}{'' if nothing else findings(told, shown)}"


def findings(found: Sequence[Finding], shown: str = "") -> str:
    """Return what the doctor found, each with a link to its photos and, where there is one, what mends it.

    Args:
        found: The worst first.
        shown: Id of the one whose photos are shown.
    """
    if not found:
        return '<p class="fine">The doctor found nothing to mend.</p>'
    return f'<ul class="doctor">{"".join(_finding(each, each.id == shown) for each in found)}</ul>'


def _finding(each: Finding, is_shown: bool) -> str:
    icon, tone, word = SEVERITIES.get(each.severity, SEVERITIES["note"])
    badge = f'<span class="badge badge-{tone}"><span aria-hidden="true">{icon}</span> {word}</span>'
    show = (
        f'<button type="button" class="link" data-show="{escape(each.id)}" aria-pressed="{str(is_shown).lower()}">'
        f"Show {'the photo' if each.count == 1 else 'its photos'}</button>"
        if each.photos
        else ""
    )
    title = each.mend_said or "Mend it"
    mend = (
        f'<button type="button" class="link mend" data-mend="{escape(each.id)}">{escape(title[:1].upper() + title[1:])}'
        "</button>"
        if each.mend
        else ""
    )
    return (
        f'<li data-finding="{escape(each.id)}" class="{"shown" if is_shown else ""}">{badge}'
        f"<p>{with_code(_sentence(each.said))}</p>"
        f'<div class="links">{show}{mend}</div></li>'
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def names_asked(photos: PhotoSet) -> str:
    """Return the question for names where parts are called by numbers; empty where none is."""
    parts = nameless(photos)
    if not parts:
        return ""
    listed = ", ".join(parts[:8]) + (" …" if len(parts) > 8 else "")
    verb = "is a part that has" if len(parts) == 1 else "are parts that have"
    return f'<p class="answer">{escape(listed)} {verb} a number for a name. Say below what it shows.</p>'


# ---- photos


def grid(photos: PhotoSet, page: Sequence[LabelledPhoto], at: int, n_all: int, opened: str = "") -> str:
    """Return a page of photos with their boxes.

    Args:
        photos: The set.
        page: Those on the page.
        at: Number of the page.
        n_all: How many photos are chosen.
        opened: Name of the one that is open.
    """
    if not page:
        return '<p class="fine">No photo fits.</p>'
    first = at * choice.PAGE_SIZE + 1
    tiles = "".join(_tile(photos, each, each.name == opened) for each in page)
    return (
        f'<p class="fine" data-first="{first}">{first:,} to {first + len(page) - 1:,} of {n_all:,} photos. Press one '
        f'to correct its boxes.</p><div class="tiles">{tiles}</div>'
    )


def _tile(photos: PhotoSet, photo: LabelledPhoto, is_open: bool) -> str:
    address = tile(photos.path(photo))
    boxes = "".join(_rect(photos, each) for each in photo.boxes)
    picture = (
        f'<img src="{address}" alt="" width="{photo.width}" height="{photo.height}" loading="lazy">'
        f'<svg viewBox="0 0 {photo.width} {photo.height}" aria-hidden="true">{boxes}</svg>'
        if address
        else "<span>cannot be read</span>"
    )
    number = "1 box" if len(photo.boxes) == 1 else f"{len(photo.boxes)} boxes" if photo.boxes else "no parts"
    state = "" if photo.labelled else "waits for you" if photo.waits else "no labels"
    if photo.labelled and photo.boxes:
        state = "not looked at" if choice.is_in(photo, choice.UNSEEN) else "✓ looked at"
    facts = " · ".join(filter(None, (number if photo.labelled or photo.boxes else "", photo.split, state)))
    return (
        f'<button type="button" class="tile" data-photo="{escape(photo.name)}" '
        f'aria-label="{escape(photo.name)}: {escape(facts)}"{" aria-current=true" if is_open else ""}>'
        f'<span class="stage">{picture}</span><span class="tile-name">{escape(photo.name)}</span>'
        f'<span class="fine">{escape(facts)}</span></button>'
    )


def _rect(photos: PhotoSet, box: LabelledBox) -> str:
    left, top, right, bottom = box.box
    dashed = ' stroke-dasharray="6 4"' if box.by.startswith("model:") and not box.checked else ""
    number = photos.parts.index(box.part)
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
        f'stroke="{colour(number)}"{dashed}/>'
    )


def who_drew(photo: LabelledPhoto) -> str:
    """Return who drew each box of a photo, and whether a person has looked at it."""
    if not photo.boxes:
        said = "Nothing is marked on it." if photo.labelled else "Nobody has said yet what is on it."
        return f'<p class="fine">{said}</p>'
    rows = "".join(
        f"<li><b>{escape(part)}</b> {escape(_drawn_by(box))}{_score(box)}{_seen(box)}</li>"
        for part, box in ((each.part, each) for each in photo.boxes[:40])
    )
    more = f"<li>and {len(photo.boxes) - 40} more</li>" if len(photo.boxes) > 40 else ""
    return f'<ul class="drawn">{rows}{more}</ul>'


def _drawn_by(box: LabelledBox) -> str:
    if box.by.startswith("model:"):
        return f"by the model {Path(box.by.removeprefix('model:').rstrip('/')).name}"
    return {PERSON: "by a person", IMPORTED: "as it was brought in"}.get(box.by, f"by {box.by}")


def _seen(box: LabelledBox) -> str:
    return "" if box.checked else ", not looked at"


def _score(box: LabelledBox) -> str:
    return "" if box.score is None else f", sure to {box.score:.0%}"


def legend(parts: Sequence[str], numbers: Mapping[str, int]) -> str:
    """Return the colours of the parts, each with how many boxes there are on this photo."""
    return (
        '<p class="legend">'
        + "".join(
            f"<span>{_swatch(number)}{escape(part)} <b>{numbers.get(part, 0)}</b></span>"
            for number, part in enumerate(parts)
        )
        + "</p>"
    )
