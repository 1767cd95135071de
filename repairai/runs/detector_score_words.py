"""What an evaluation of a detector found, in words: in sentences, and as a table."""

from __future__ import annotations

from repairai.runs.detector_scores import DECIDED, EXACT, DetectorScores, PhotosShown
from repairai.runs.figures import ESCAPE, FALSE_CALL, count, in_words, percent

NAMES = {
    EXACT: "counts exact", DECIDED: "verdicts decided", ESCAPE: "wrong steps passed", FALSE_CALL: "right steps failed",
}  # fmt: skip


def said(scores: DetectorScores) -> str:
    """Return what an evaluation of a detector found, in a few sentences."""
    shown, n_parts = scores.shown, len(scores.parts)
    photos = sum(each.photos for each in scores.parts.values())
    exact = sum(each.exact * each.photos for each in scores.parts.values()) / max(photos, 1)
    text = (
        f"{scores.run} counts {percent(exact)} of parts exactly on {count(shown.photos, 'photo')} with "
        f"{count(n_parts, 'part')}; of verdicts on whole photos it decides {percent(scores.whole.decided)}, and of "
        f"wrong steps it passes {percent(scores.whole.escape)}."
    )
    if EXACT in scores.figures:
        text += f" On the parts that both know it {in_words(EXACT, scores.figures[EXACT], scores.model, NAMES)}."
    text += "".join(f" {each}" for each in favoured_words(scores))
    if shown.learned:
        text += f" {learned_words(shown)}"
    if scores.left_out:
        text += f" {scores.model} does not know {', '.join(scores.left_out)}."
    if scores.undecided:
        text += f" Still undecided: {', '.join(scores.undecided)}."
    return f"{text} {promised(scores)} {exceeded(scores)}".rstrip()


def promised(scores: DetectorScores) -> str:
    """Return in a sentence what the thresholds were chosen for; nothing where none decides or nothing was promised."""
    if scores.escape is None or scores.confidence is None or scores.parts.keys() <= scores.undecided.keys():
        return ""
    return (
        f"With {100 * scores.confidence:g} % confidence at most {percent(scores.escape)} of a part's wrong steps pass, "
        "of those that ask for fewer than there are and of those that ask for more, on photos like the validation "
        "photos."
    )


def exceeded(scores: DetectorScores) -> str:
    """Return in a sentence of which parts more wrong steps passed than were tolerated; nothing where of none."""
    if scores.escape is None:
        return ""
    kinds = [
        (part, kind, share)
        for part, row in scores.parts.items()
        for kind, share in (("fewer", row.escape_fewer), ("more", row.escape_more))
        if share is not None and share > scores.escape
    ]
    told = ", ".join(f"{percent(share)} of those that ask for one {kind} {part}" for part, kind, share in kinds)
    return f"On the photos shown more passed: {told}." if told else ""


def learned_words(shown: PhotosShown) -> str:
    """Return in a sentence that photos were left out because the training has seen them."""
    return (
        f"{count(shown.learned, 'photo')} of {shown.of} for {shown.split} {'was' if shown.learned == 1 else 'were'} "
        "left out, because the training saw them before the set was split anew."
    )


def favoured_words(scores: DetectorScores) -> list[str]:
    """Return a sentence for each of the two detectors that knows the photos from its training."""
    return [f"This favours {name}: {how}." for name, how in scores.favoured.items()]


def as_table(scores: DetectorScores) -> str:
    """Return an evaluation as Markdown: a table of the parts, and one of before and after."""
    lines = [
        "| part | photos | of them with it | count exact | decided | wrong steps passed | right steps failed "
        "| exact at one threshold | AP | AP50 |",
        "| --- |" + " ---: |" * 9,
    ]
    rows = {**scores.parts, "**all parts at once**": scores.whole}
    for name, row in rows.items():
        shares = (percent(each) for each in (row.exact, row.decided, row.escape, row.false_call))
        more = (f"{each:.3f}" if each is not None else "" for each in (row.ap, row.ap50))
        counted = percent(row.counted) if row.counted is not None else ""
        lines.append(f"| {name} | {row.photos} | {row.shown} | {' | '.join((*shares, counted, *more))} |")
    if scores.figures:
        lines += ["", f"| on the parts that both know | {scores.model} | {scores.run} | difference | 95 % interval |"]
        lines += ["| --- |" + " ---: |" * 3 + " --- |"]
        for name, found in scores.figures.items():
            lines.append(
                f"| {NAMES[name]} | {percent(found.before)} | {percent(found.after)} | {100 * found.difference:+.1f} "
                f"| {100 * found.low:+.1f} to {100 * found.high:+.1f} |"
            )
    return "\n".join(lines)
