"""From which light and focus on the detector counts right, and which photos pass for the same view.

What the limits in `repairai/vision/visibility.py` rest on:

    python benchmarks/visibility.py [--data build/detector]

Blurs and darkens validation photos in small steps and prints, by sharpness and by brightness, how often the counts of
screws and holes at `sure` are exact. The limits should stop the rows that are wrong, and no clean photo.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from rich.console import Console
from rich.table import Table

from repairai.vision.detector import RTDetrDetector, load_detector
from repairai.vision.visibility import TOO_BLURRED, TOO_DARK, look, same_view
from training.builtin_eval import Case, cases
from training.scenes.scene import lay_out, photograph

ROOT = Path(__file__).parents[1]
Seen = tuple[NDArray[np.uint8], list[tuple[float, ...]]]


def exact(detector: RTDetrDetector, case: Case, photo: NDArray[np.uint8]) -> bool:
    """Tell whether the counts of screws and holes are those of the photo."""
    found = detector.detect(photo)
    return all(
        case.labels.count(label)
        == sum(each.label == label and each.score >= detector.limits[label].sure for each in found)
        for label in ("screw", "screw_hole")
    )


def blurred(photo: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return the photo blurred by a share of its shorter side."""
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(share * min(photo.shape[:2]))))


def views(scenes: int) -> None:
    """Print how often cases seen twice, from two sides in two lights, pass for the same view, and how often others."""
    taken = []
    for seed in range(scenes):
        pair = []
        for side in (1, 2):
            bench = lay_out(np.random.default_rng(seed), kind="case")
            bench.rng = np.random.default_rng([seed, side])
            scene = photograph(bench)
            pair.append((scene.photo, [tuple(box) for box in scene.boxes.tolist()]))
        taken.append(pair)

    def alike(first: Seen, second: Seen) -> bool:
        return same_view(first[0], second[0], first[1], second[1])

    same = np.mean([alike(*pair) for pair in taken])
    other = np.mean([alike(taken[n][0], taken[n - 1][1]) for n in range(scenes)])
    print(f"of {scenes} rendered cases seen twice {same:.1%} pass for the same view; of pairs of others {other:.1%}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "detector")
    parser.add_argument("--model", type=Path, default=ROOT / "repairai" / "builtin" / "detector")
    chosen = parser.parse_args()
    detector = load_detector(chosen.model)
    found = [case for case in cases(chosen.data, "val") if case.name.startswith(("presence", "swapped"))]
    rng = np.random.default_rng(0)
    sharp, light = [], []
    for case in found:
        for share in (0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.007, 0.009, 0.012):
            photo = blurred(case.photo, share)
            sharp.append((look(photo).sharpness, exact(detector, case, photo)))
        for factor in (1.0, 0.6, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03):
            photo = np.clip(case.photo * factor + rng.normal(0, 2, case.photo.shape), 0, 255).astype(np.uint8)
            light.append((look(photo).brightness, exact(detector, case, photo)))
    rows = (("sharpness", sharp, TOO_BLURRED, 0.1), ("brightness", light, TOO_DARK, 0.04))
    for name, pairs, limit, width in rows:
        table = Table(title=f"{name}: stopped under {limit}, on {len(found)} photos")
        for head in (name, "photos", "counts exact", "stopped"):
            table.add_column(head, justify="right")
        values, right = (np.array(each) for each in zip(*pairs, strict=True))
        for low in np.arange(0, min(1.0, 10 * width), width):
            here = (values >= low) & (values < low + width)
            if here.any():
                stopped = np.mean(values[here] < limit)
                cells = (
                    f"{low:.2f} to {low + width:.2f}",
                    str(here.sum()),
                    f"{right[here].mean():.1%}",
                    f"{stopped:.0%}",
                )
                table.add_row(*cells)
        Console().print(table)
    views(200)


if __name__ == "__main__":
    main()
