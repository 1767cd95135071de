"""How long a verdict takes beside what it cannot do without and beside transformers; its memory; the start of the page.

    python benchmarks/inspection.py [--photo PHOTO] [--model FOLDER]

Each ratio is of medians taken in turns in one process. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import argparse
import io
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from engines import timed
from PIL import ExifTags, Image, ImageOps
from transformers import pipeline
from transformers.utils import logging

from repairai.inspection import inspect
from repairai.schema import Count
from repairai.vision.detector import load_detector
from repairai.vision.engine import precision

ROOT = Path(__file__).parents[1]
BUILTIN = ROOT / "repairai" / "builtin"
PEAK = """
import sys
from repairai.cli import main
main(["inspect", sys.argv[1], "--require", "4 screw", "--no-record"])
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
"""
"""Linux alone tells a process its own peak; the peak that a parent is told holds the parent's own from before."""
FOUR = [Count("screw", 4, 4)]


def first_photo() -> Path:
    """Return a real photo of the block where one is there, else a sample."""
    real = ROOT.parent / "shared" / "data" / "screws_presence" / "photos" / "5_1011.jpg"
    return real if real.is_file() else BUILTIN / "photos" / "block-three-screws.jpg"


def speed(photo: Path, model: Path, rounds: int) -> None:
    """Print the ratios of time."""
    detector = load_detector(model)
    content = photo.read_bytes()
    blank = np.zeros((1, detector.size_px, detector.size_px, 3), np.uint8)

    def floor() -> None:
        detector.network(blank)
        np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content)).convert("RGB")))

    logging.set_verbosity_error()
    detect = pipeline("object-detection", model=str(model), threshold=0.1)
    runs = {
        "photo to verdict": lambda: inspect(photo, FOUR, detector),
        "bare forward pass + decoding": floor,
        "transformers.pipeline": lambda: detect(str(photo)),
    }
    medians = timed(runs, rounds)
    ours = medians["photo to verdict"]
    print(f"{photo.name}, {os.cpu_count()} cores, the engine computes in {precision()}, median of {rounds}")
    for name, seconds in medians.items():
        print(f"  {name:<30} {1000 * seconds:7.1f} ms")
    print(f"  photo to verdict takes {ours / medians['bare forward pass + decoding']:.2f} of forward pass + decoding")
    print(f"  photo to verdict is {medians['transformers.pipeline'] / ours:.2f} times as fast as transformers.pipeline")


def memory(photo: Path, label: str) -> None:
    """Print the peak memory of `python -m repairai inspect` on one photo."""
    start = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-c", PEAK, str(photo)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - start
    peak = int(answer.stdout.split()[-1]) / 1024
    print(f"  {label:<30} {peak:7.0f} MiB peak, {seconds:.1f} s with the start of Python")


def copies(photo: Path, size: tuple[int, int], folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the photo in another size: as a JPEG, as one that EXIF turns, and with transparency as PNG and WebP."""
    large = Image.open(photo).convert("RGB").resize(size)
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    kinds = {"a.jpg": {"quality": 90}, "turned.jpg": {"quality": 90, "exif": turned}}
    clear = {"rgba.png": {"compress_level": 1}, "rgba.webp": {"method": 0}}
    for name, options in {**kinds, **clear}.items():
        if name in clear:
            large.putalpha(200)
        large.save(folder / name, **options)
        yield folder / name, name


def page() -> None:
    """Print how soon the page answers after `python app.py`, three times."""
    waits = []
    for _ in range(3):
        with socket.socket() as free, tempfile.TemporaryDirectory() as home:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            free.close()
            start = time.perf_counter()
            environment = {**os.environ, "REPAIRAI_HOME": home}
            app = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
            )
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
                    break
                except (urllib.error.URLError, ConnectionError, TimeoutError):
                    time.sleep(0.05)
            waits.append(time.perf_counter() - start)
            app.terminate()
            app.wait()
    print(f"the page answers {statistics.median(waits):.1f} s after `python app.py` (median of 3)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=first_photo())
    parser.add_argument("--model", type=Path, default=BUILTIN / "detector")
    parser.add_argument("--rounds", type=int, default=60)
    chosen = parser.parse_args()
    speed(chosen.photo, chosen.model, chosen.rounds)
    print("peak memory of an inspection")
    memory(chosen.photo, chosen.photo.name)
    with tempfile.TemporaryDirectory() as folder:
        for megapixels, size in ((12, (4000, 3000)), (50, (8192, 6144))):
            for large, label in copies(chosen.photo, size, Path(folder)):
                memory(large, f"{label}, {megapixels} megapixels")
    page()


if __name__ == "__main__":
    main()
