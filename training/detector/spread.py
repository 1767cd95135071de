"""What several trainings came to, as mean and spread: a single small one says little.

Which photos are drawn and where the weights begin moves a figure by more than most changes of a recipe do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from repairai.runs.detector_scores import DetectorScores
from repairai.runs.figures import percent

WORDS = {
    "exact": "count exact", "counted": "exact at one threshold", "whole": "whole photos exact at one threshold",
    "escape": "wrong steps passed", "decided": "decided", "ap50": "AP50", "ap": "AP",
}  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """One training, and what came of it.

    Args:
        photos: It was trained on.
        seed: Of their choice and of the training.
        run: Its id.
        exact: Mean over the parts of the share of test photos whose count at `sure` is the true one.
        counted: Likewise at the one threshold that counts best.
        whole: Share of test photos with all parts counted exactly at these.
        escape: Share of wrong steps passed, mean over the parts.
        decided: Share of verdicts that are PASS or FAIL, mean over the parts.
        ap50: COCO's average precision at IoU 0.50.
        ap: Likewise at IoU 0.50 to 0.95.
    """

    photos: int
    seed: int
    run: str
    exact: float
    counted: float
    whole: float
    escape: float
    decided: float
    ap50: float
    ap: float


def trained_as(photos: int, seed: int, scores: DetectorScores) -> Trained:
    """Return what came of a training by its evaluation.

    Args:
        photos: It was trained on.
        seed: Of it.
        scores: What was found.
    """
    parts = scores.parts.values()
    return Trained(
        photos=photos,
        seed=seed,
        run=scores.run,
        exact=fmean(each.exact for each in parts),
        counted=fmean(each.counted or 0.0 for each in parts),
        whole=scores.whole.counted or 0.0,
        escape=fmean(each.escape for each in parts),
        decided=fmean(each.decided for each in parts),
        ap50=scores.average[1],
        ap=scores.average[0],
    )


def as_table(found: Iterable[Trained]) -> str:
    """Return trainings as a Markdown table: a row for each number of photos, mean and standard deviation."""
    rows: dict[int, list[Trained]] = {}
    for each in found:
        rows.setdefault(each.photos, []).append(each)
    lines = [
        f"| photos | seeds | {' | '.join(WORDS.values())} |", "| ---: | ---: |" + " ---: |" * len(WORDS)
    ]  # fmt: skip
    for n, own in sorted(rows.items()):
        cells = [_spread([float(getattr(each, name)) for each in own], name) for name in WORDS]
        lines.append(f"| {n} | {len(own)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float], name: str) -> str:
    apart = stdev(values) if len(values) > 1 else 0.0
    if name.startswith("ap"):
        return f"{fmean(values):.3f} ± {apart:.3f}"
    return f"{percent(fmean(values))[:-2]} ± {percent(apart)}"
