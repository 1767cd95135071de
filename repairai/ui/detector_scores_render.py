"""What an evaluation of a detector found, and which detector inspects, to HTML: pure but for the small photos."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from repairai.runs.detector_score_words import said
from repairai.runs.detector_scores import (
    Confusion,
    CurvePoint,
    DetectorScores,
    PartScores,
    WorstPhoto,
)
from repairai.runs.figures import is_better, is_worse, percent
from repairai.runs.scores import Compared
from repairai.ui.photos.small import tile
from repairai.vision.detectors import Inspector

FIGURES = {
    "exact": "Counts exact", "decided": "Verdicts decided", "escape": "Escapes: wrong steps passed",
    "false_call": "False calls: right steps failed",
}  # fmt: skip
NO_SCORES = (
    '<p class="fine">It was not evaluated yet: then its thresholds are chosen, and it is held against the detector '
    "that inspects now.</p>"
)
MOST_WORST, MOST_PARTS = 12, 12
LARGE_TILES, TALL = "grid-template-columns:repeat(auto-fill,minmax(min(100%,260px),1fr))", "height:300px"
"""Larger than photos that are only chosen from: what was found is to be seen on them."""
WORST = "worst"
"""Folder beside the scores, with the worst photos drawn."""


def scores(found: DetectorScores, place: Path) -> str:
    """Return an evaluation: in sentences, beside the detector in use, each part, risk, confusion, the worst photos.

    Args:
        found: It.
        place: The folder in which its `worst` lies.
    """
    shown = found.shown
    asked = f"{shown.photos:,} of {shown.of:,} {shown.split} photos from {shown.sources:,} sources"
    chosen = f"; thresholds were chosen for {percent(found.escape)} of escapes" if found.escape is not None else ""
    undecided = "".join(f"<li>{escape(part)}: {escape(why)}</li>" for part, why in found.undecided.items())
    return (
        f'<p class="scores-said">{escape(said(found))}</p>{_compared(found)}{_parts(found)}'
        f"{f'<ul class=remarks>{undecided}</ul>' if undecided else ''}"
        f'<div class="plots">{_curve(found.curve.points, found.curve.area)}{_confusion(found.confusion)}</div>'
        f'<p class="fine">{escape(asked + chosen)}. A step is wrong where there is one part more or fewer.</p>'
        f"{worst(found.worst, place / WORST)}"
    )


def _compared(found: DetectorScores) -> str:
    if not found.figures:
        return f'<p class="fine">{escape(found.model)} knows none of these parts, so that there is no before.</p>'
    rows = "".join(_row(name, each) for name, each in found.figures.items())
    heads = ("", "Before", "After", "Difference", "95 % interval")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        f'<div class="scroll"><table class="findings scores"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        f'</table></div><p class="fine">On the parts that both know; before is {escape(found.model)}.</p>'
    )


def _row(name: str, each: Compared) -> str:
    better, worse = is_better(name, each), is_worse(name, each)
    icon, tone, word = ("▲", "pass", "better") if better else ("▼", "fail", "worse") if worse else ("", "", "")
    mark = f' <span class="badge badge-{tone}"><span aria-hidden="true">{icon}</span> {word}</span>' if word else ""
    return (
        f"<tr class=task data-figure={escape(name)}><td>{escape(FIGURES.get(name, name))}</td>"
        f"<td>{percent(each.before)}</td><td>{percent(each.after)}</td><td>{100 * each.difference:+.1f}{mark}</td>"
        f"<td>{100 * each.low:+.1f} to {100 * each.high:+.1f}</td></tr>"
    )


def _parts(found: DetectorScores) -> str:
    heads = ("Part", "Photos with it", "Counts exact", "Decided", "Escapes", "False calls", "AP", "AP at 0.5")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "".join(_part(name, each) for name, each in found.parts.items())
    whole = _part("All parts at once", found.whole, found.average)
    return (
        f'<div class="scroll"><table class="findings scores"><thead><tr>{head}</tr></thead><tbody>{whole}{rows}</tbody>'
        "</table></div>"
    )


def _part(name: str, each: PartScores, average: tuple[float, float] | None = None) -> str:
    ap, ap50 = average or (each.ap, each.ap50)
    shares = "".join(f"<td>{percent(share)}</td>" for share in (each.exact, each.decided, each.escape, each.false_call))
    return (
        f"<tr{' class=task' if average else ''}><td>{escape(name)}</td><td>{each.shown:,} of {each.photos:,}</td>"
        f"{shares}<td>{_written(ap)}</td><td>{_written(ap50)}</td></tr>"
    )


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _curve(points: Sequence[CurvePoint], area: float) -> str:
    """Return risk against coverage: how many wrong steps pass, by how much is decided."""
    if len(points) < 2:
        return ""
    high = max(max(each.escape for each in points), 0.01)
    line = " ".join(f"{1000 * each.decided:.1f},{100 - 100 * each.escape / high:.2f}" for each in points)
    left = "".join(
        f'<span class="y" style="top:{100 - 100 * mark:.0f}%">{percent(high * mark)}</span>' for mark in (0, 1)
    )
    below = "".join(f'<span class="x" style="left:{mark}%">{mark} %</span>' for mark in (0, 50, 100))
    said = (
        f"Escapes by share decided: {percent(points[0].escape)} where {percent(points[0].decided)} is decided, "
        f"{percent(points[-1].escape)} where {percent(points[-1].decided)} is; area {area:.4f}."
    )
    return (
        '<figure class="plot risk"><figcaption><b>Escapes by share decided</b></figcaption>'
        f'<div class="canvas" role="img" aria-label="{escape(said)}"><svg viewBox="0 0 1000 100" '
        'preserveAspectRatio="none" aria-hidden="true"><path class="grid" d="M0 0H1000"/><path class="grid" '
        f'd="M0 100H1000"/><polyline class="line tone-1" points="{line}"/></svg><div aria-hidden="true">{left}{below}'
        "</div></div></figure>"
    )


def _confusion(found: Confusion) -> str:
    """Return which part was taken for which, of the first parts."""
    n = min(len(found.parts), MOST_PARTS)
    if not n:
        return ""
    places = [*range(n), len(found.parts)]
    names = [*found.parts[:n], "nothing"]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f"<td{' class=wrong' if row != column and count else ''}>{count:,}</td>"
            for column in places
            for count in (found.found[row][column],)
        )
        + "</tr>"
        for name, row in zip(names, places, strict=True)
    )
    return (
        '<div class="confusion"><h4>What was taken for what</h4><div class="scroll"><table class="findings counts">'
        f'<thead><tr><th scope="col">is ↓, seen as →</th>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>'
    )


def worst(found: Sequence[WorstPhoto], place: Path) -> str:
    """Return the worst photos, each with what was expected and found.

    Args:
        found: The worst first.
        place: Folder in which they are drawn.
    """
    if not found:
        return '<p class="fine">Every photo was counted rightly.</p>'
    items = "".join(_worst(each, place) for each in found[:MOST_WORST])
    head = (
        '<summary>The worst photos, to be looked at</summary><p class="fine">Thin green boxes are what is there; '
        "those with a score are what was found, with a question mark where it is in doubt.</p>"
    )
    return f'<details class="worst">{head}<div class="tiles" style="{LARGE_TILES}">{items}</div></details>'


def _worst(each: WorstPhoto, place: Path) -> str:
    address = tile(place / each.drawn_as)
    picture = f'<img src="{address}" alt="" style="{TALL}">' if address else "<span>not drawn</span>"
    wrong = [
        f"{part}: {each.found.get(part, '0')} found, {number} there"
        for part, number in each.expected.items()
        if each.found.get(part, "0") != str(number)
    ]
    return (
        f'<div class="tile"><span class="stage" style="{TALL}">{picture}</span>'
        f'<div class="tile-name">{escape(each.photo)}</div>'
        f'<div class="fine">{escape("; ".join(wrong) or f"{each.lost} parts not seen")}</div></div>'
    )


def inspecting(active: Inspector, before: Inspector | None) -> str:
    """Return who inspects now, and who did before."""
    was = f" Before it: {escape(titled(before))}." if before else ""
    now = f"Photos are inspected by {escape(titled(active))}."
    return f'<p class="fine" data-active="{escape(active.name)}">{now}{was}</p>'


def titled(inspector: Inspector) -> str:
    """Return a detector's name for people."""
    return inspector.name if inspector.path else "the detector that comes with RepairAI"
