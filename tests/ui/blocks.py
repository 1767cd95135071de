"""Drawn blocks of four places for screws: photos for a question of state, and kept inspections with their answers."""

from pathlib import Path

import numpy as np
from PIL import Image

from repairai.inspection import inspect, open_detector
from repairai.records import Records
from repairai.schema import Count, State
from training.sample_photos import block

TOP_LEFT = State("Is the top-left screw in place?", "yes", "Is the top-left screw missing?")
WANTED = (Count("screw", 1, None), TOP_LEFT)
WANTED_TEXT = "at least 1 screw\nIs the top-left screw in place? yes / Is the top-left screw missing?"


def write_block(path: Path, seed: int, is_in: bool) -> Path:
    """Write a photo of a block whose top-left screw is in, or not; another seed gives another block."""
    others = np.random.default_rng(seed).permutation(list("110"))
    photo = block(f"{int(is_in)}{''.join(others)}", seed)
    Image.fromarray(photo).resize((480, 600), Image.Resampling.BILINEAR).save(path, quality=90)
    return path


def keep_answered(place: Path, seeds: range) -> Records:
    """Inspect blocks, on every other one the screw in, and keep each with the right answer to its question."""
    records, detector = Records(), open_detector()
    for seed in seeds:
        path = write_block(place / f"block-{seed}.jpg", seed, seed % 2 == 1)
        kept = records.keep(inspect(path, WANTED, detector), path)
        records.answer(kept.id, TOP_LEFT.question, "yes" if seed % 2 else "no")
    return records
