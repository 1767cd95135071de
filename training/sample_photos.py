"""Renders the photos that the page offers to try: nobody's photos, so that anyone may have them.

python -m training.sample_photos --out repairai/builtin/photos
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from training.scenes import components, fasteners
from training.scenes.relief import random_light
from training.scenes.scene import Bench, Crops, photograph
from training.scenes.surfaces import SURFACES
from training.spoil import blur

WIDTH, HEIGHT = 720, 900


def bench(seed: int, surface: str) -> Bench:
    """Return an empty bench; the same seed gives the same surface and light."""
    rng = np.random.default_rng(seed)
    ground = SURFACES[surface](rng, WIDTH, HEIGHT)
    return Bench(rng, random_light(rng), Image.fromarray((ground * 255).astype(np.uint8)), Crops())


def block(filled: str, seed: int = 5) -> np.ndarray:
    """Return a wooden block with four places, read by rows: "1" where a screw is in, "0" where the hole is empty."""
    here = bench(seed, "wood")
    ground = np.asarray(here.canvas, np.float32).mean(axis=(0, 1)) / 255
    side = 120
    for place, mark in enumerate(filled):
        x = WIDTH // 4 + (place % 2) * WIDTH // 2 - side // 2
        y = HEIGHT // 4 + (place // 2) * HEIGHT // 2 - side // 2
        turn = float(np.random.default_rng([seed, place]).uniform(0, 6.283))
        if mark == "1":
            picture = fasteners.screw_head(np.random.default_rng(34), side, here.light, turn)
            here.lay(picture, x, y, 0, 6)
        else:
            picture = fasteners.screw_hole(np.random.default_rng((3, 4, 10, 15)[place]), side, here.light, ground)
            here.lay(picture, x, y, 1, 0)
    here.rng = np.random.default_rng(seed + 1)
    return photograph(here).photo


def mat(n: int, seed: int = 2) -> np.ndarray:
    """Return n loose screws on a work mat."""
    here = bench(seed, "mat")
    for number in range(n):
        picture = fasteners.loose_screw(np.random.default_rng(1), 170, here.light)
        picture = picture.rotate(37 + 71 * number, Image.Resampling.BICUBIC, expand=True)
        column, row = number % 2, number // 2
        here.lay(picture, 120 + column * 300, 120 + row * 260, 0, 6)
    here.rng = np.random.default_rng(seed + 1)
    return photograph(here).photo


def battery_unplugged(seed: int = 16) -> np.ndarray:
    """Return a board with its battery and the battery's connector, which is out."""
    here = bench(seed, "board")
    here.lay(components.pouch_battery(np.random.default_rng(7), 420, 300, here.light), 150, 540, 2, 8)
    picture, body = components.wire_connector(np.random.default_rng(1), 170, False, here.light)
    here.lay(picture, 270, 330, 4, 4, body)
    for number in range(6):
        own = np.random.default_rng([seed, number])
        picture = components.chip(own, 110, here.light)
        here.lay(picture, 60 + (number % 3) * 230, 60 + (number // 3) * 120, None, 3)
    here.rng = np.random.default_rng(seed + 1)
    return photograph(here).photo


def photos() -> dict[str, np.ndarray]:
    """Return the photos by file name, each RGB uint8 (H, W, 3)."""
    return {
        "block-four-screws.jpg": block("1111"),
        "block-three-screws.jpg": block("1101"),
        "block-two-screws.jpg": block("0110"),
        "block-blurred.jpg": blur(block("1111"), 3, np.random.default_rng(0)),
        "mat-four-screws.jpg": mat(4),
        "battery-unplugged.jpg": battery_unplugged(),
    }


def main(arguments: list[str] | None = None) -> None:
    """Write the photos."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("repairai/builtin/photos"))
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for name, photo in photos().items():
        Image.fromarray(photo).save(out / name, quality=88)


if __name__ == "__main__":
    main()
