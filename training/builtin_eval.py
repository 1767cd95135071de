"""Step 3 of the built-in detector: thresholds from val, figures from test, and the card that says both.

    python -m training.builtin_eval --model runs/builtin-detector-more/model --data build/detector

Reads the set that `builtin_data` wrote and, where it is there, the whole scene of screws_drew. Writes `limits.json`,
`figures.json` and `README.md` beside the weights. A detector of one's own is evaluated by `detector_eval`; this one's
thresholds weigh undecided verdicts against wrong ones at a price, on photos that are also spoiled on purpose.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from repairai.files import to_data, write_whole
from repairai.judge.count import check_count
from repairai.schema import Count, Sight
from repairai.vision import tiles
from repairai.vision.detector import LIMITS_FILE, Limits, RTDetrDetector, load_detector
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import Split, read_photo_set
from repairai.vision.visibility import look
from training.builtin_card import write_card
from training.detector.calibration import LOWEST, Looked, choose
from training.detector.looks import FLOOR
from training.detector.precision import average_precision
from training.spoil import KINDS, spoil

EMPTY_PLACES = {"screw": "screw_hole", "plugged_connector": "unplugged_connector"}
STRENGTHS = (1, 2, 3)


@dataclass(frozen=True)
class Case:
    """A photo with its truth.

    Args:
        name: Of its file.
        source: Where it comes from.
        photo: RGB uint8 (H, W, 3).
        boxes: (n, 4) in px.
        labels: (n,) names.
    """

    name: str
    source: str
    photo: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: tuple[str, ...]


def cases(folder: Path, split: Split) -> Iterator[Case]:
    """Yield the photos of a split of a set with their boxes; their source is the data set that they are from."""
    photos = read_photo_set(folder)
    for each in photos.of(split):
        boxes = np.array([box.box for box in each.boxes], np.float32).reshape(-1, 4)
        labels = tuple(box.part for box in each.boxes)
        pixels = read_photo(photos.path(each)).pixels
        yield Case(Path(each.name).stem, each.source.split("/")[0], pixels, boxes, labels)


def spoiled(case: Case, kind: str, strength: int, rng: np.random.Generator) -> Case:
    """Return the case spoiled; parts of which less than 40 % is left to see are no longer there to be found."""
    worse = spoil(case.photo, case.boxes, kind, strength, rng)
    kept = worse.seen >= 0.4
    labels = tuple(label for label, keep in zip(case.labels, kept, strict=True) if keep)
    return replace(case, photo=worse.photo, boxes=worse.boxes[kept], labels=labels)


# ---- thresholds


def calibrate(detector: RTDetrDetector, folder: Path, price: float) -> Limits:
    """Return the limits for each label, chosen on a set's validation photos, clean and spoiled."""
    rng = np.random.default_rng(1)
    looked: list[Looked] = []
    for case in track(list(cases(folder, "val")), "thresholds"):
        # A real photo of the block stands for many: it is spoiled in every way, the others in one.
        ways = [(kind, strength) for kind in KINDS for strength in STRENGTHS]
        chosen = ways if case.name.startswith("presence") else [ways[rng.integers(len(ways))]]
        for each in (case, *(spoiled(case, kind, strength, rng) for kind, strength in chosen)):
            if look(each.photo).problem is None:
                height, width = each.photo.shape[:2]
                windows = tiles.windows(width, height, detector.size_px)
                per_px = tiles.finest(windows, detector.size_px)
                found = detector.detect_from(each.photo, LOWEST)
                looked.append(Looked(found, each.boxes, each.labels, per_px, case.source))
    parts = {label: choose(looked, label, price, EMPTY_PLACES.get(label)) for label in detector.labels}
    return Limits(
        parts, f"{len(looked)} validation photos, clean and spoiled; a wrong verdict costs {price:g} undecided ones"
    )


# ---- figures


def sight(detector: RTDetrDetector, photo: NDArray[np.uint8]) -> Sight:
    """Return what the detector sees in a photo, as the judge takes it."""
    return Sight(detector.detect(photo), detector.limits, look(photo))


def block_verdicts(detector: RTDetrDetector, block: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Return verdicts on "4 screw" for the block photos kept back, clean and spoiled in each way and strength.

    The truth is the block's, not the picture's: four screws of which one is hidden are still four.
    """
    rng = np.random.default_rng(2)
    rows: dict[str, dict[str, Any]] = {}
    for way in [("clean", 0), *((kind, strength) for kind in KINDS for strength in STRENGTHS)]:
        row = {"photos": 0, "decided": 0, "right": 0, "false_pass": 0, "false_fail": 0}
        for case in block:
            photo = spoil(case.photo, case.boxes, *way, rng).photo if way[1] else case.photo
            outcome = check_count(Count("screw", 4, 4), sight(detector, photo)).outcome
            truth = "PASS" if case.labels.count("screw") == 4 else "FAIL"
            row["photos"] += 1
            row["decided"] += outcome != "UNCERTAIN"
            row["right"] += outcome == truth
            row["false_pass"] += outcome == "PASS" != truth
            row["false_fail"] += outcome == "FAIL" != truth
        rows[f"{way[0]} {way[1]}" if way[1] else "clean"] = row
    return rows


def counts(detector: RTDetrDetector, found: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Return for each label how often its count is exact, and how verdicts on it and its neighbours come out.

    `exact`: share of photos whose count at `sure` is the true one. `decided`, `escape` and `false_call` are of verdicts
    on a mat (no proof of places asked): the true count n has to PASS, n + 1 and n - 1 have to FAIL.
    """
    seen = [(case, sight(detector, case.photo)) for case in found]
    rows: dict[str, dict[str, float]] = {}
    for label in detector.labels:
        own = [(case.labels.count(label), sight_) for case, sight_ in seen]
        exact = [
            n == sum(d.label == label and d.score >= sight_.limits[label].sure for d in sight_.detections)
            for n, sight_ in own
        ]
        outcomes = [
            (wanted == n, check_count(Count(label, wanted, wanted), sight_, "mat").outcome)
            for n, sight_ in own
            for wanted in (n - 1, n, n + 1)
            if wanted >= 0
        ]
        wrong = [outcome for true, outcome in outcomes if not true]
        right = [outcome for true, outcome in outcomes if true]
        rows[label] = {
            "photos": len(own),
            "parts": sum(n for n, _ in own),
            "exact": float(np.mean(exact)),
            "decided": float(np.mean([outcome != "UNCERTAIN" for _, outcome in outcomes])),
            "escape": float(np.mean([outcome == "PASS" for outcome in wrong])),
            "false_call": float(np.mean([outcome == "FAIL" for outcome in right])),
        }
    return rows


def case_precision(detector: RTDetrDetector, found: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Return COCO's AP and AP50 for each label that occurs, and for all."""
    photos = [
        ((each.photo.shape[1], each.photo.shape[0]), each.boxes, each.labels, detector.detect_from(each.photo, FLOOR))
        for each in found
    ]
    return average_precision(photos, detector.labels)


def whole_scene(detector: RTDetrDetector, folder: Path) -> dict[str, Any]:
    """Return what is found in the whole photo of screws_drew: an LCD monitor, 3311 x 3857 px, parts of 35 to 65 px."""
    with (folder / "B1.csv").open() as file:
        rows = list(csv.DictReader(file))
    truth = {label: [row for row in rows if row["label_name"] == label] for label in ("screw", "hole")}
    found = detector.detect(read_photo(folder / "B1.JPG").pixels)
    out: dict[str, Any] = {}
    for label, name in (("screw", "screw"), ("screw_hole", "hole")):
        sure = [d.box for d in found if d.label == label and d.score >= detector.limits[label].sure]
        hit = 0
        for row in truth[name]:
            x = float(row["bbox_x"]) + float(row["bbox_width"]) / 2
            y = float(row["bbox_y"]) + float(row["bbox_height"]) / 2
            hit += any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in sure)
        out[label] = {"there": len(truth[name]), "found": hit, "reported": len(sure)}
    return out


def main(arguments: list[str] | None = None) -> None:
    """Run the step; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("runs/builtin-detector-more/model"))
    parser.add_argument("--data", type=Path, default=Path("build/detector"))
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--price", type=float, default=4, help="how many undecided verdicts are as bad as a wrong one")
    parser.add_argument("--keep-limits", action="store_true", help="only measure: leave limits.json as it is")
    chosen = parser.parse_args(arguments)
    if not chosen.keep_limits:
        limits = to_data(calibrate(load_detector(chosen.model), chosen.data, chosen.price))
        kept = {name: limits[name] for name in ("parts", "measured_on")}  # nothing else was asked of these
        write_whole(chosen.model / LIMITS_FILE, (json.dumps(kept, ensure_ascii=False, indent=2) + "\n").encode())
    detector = load_detector(chosen.model)
    test = list(cases(chosen.data, "test"))
    block = [case for case in test if case.name.startswith("presence")]
    scenes = [case for case in test if case.source == "scenes"]
    loose = [case for case in test if case.source == "screws_amv"]
    figures: dict[str, Any] = {"detector": detector.name, "scenes": counts(detector, scenes)}
    figures["scenes_ap"] = case_precision(detector, scenes)
    if block:
        figures["block"] = block_verdicts(detector, block)
        figures["block_counts"] = counts(detector, block)
        figures["block_ap"] = case_precision(detector, block)
    if loose:
        figures["loose"] = counts(detector, loose)
    drew = chosen.shared / "screws_drew" / "scenes"
    if drew.is_dir():
        figures["whole_scene"] = whole_scene(detector, drew)
    (chosen.model / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    write_card(chosen.model, figures, read_photo_set(chosen.data).sources)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
