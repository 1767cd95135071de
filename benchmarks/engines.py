"""Which engine runs the detector fastest on this CPU, and whether all give the same verdicts.

    python benchmarks/engines.py [--model FOLDER] [--shared ../shared/data]

All engines take turns on the same photo in one process with the same number of threads; the first line is the unit.
int8 is of convolutions only, calibrated on the sample photos (`onnxruntime.quantization`, QDQ, per channel).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from PIL import Image
from rich.console import Console
from rich.table import Table

from repairai.judge.count import check_count
from repairai.schema import Count, Sight
from repairai.vision.detector import RTDetrDetector, load_detector
from repairai.vision.engine import Network, open_onnx, precision
from repairai.vision.photo import read_photo
from repairai.vision.visibility import look

ROOT = Path(__file__).parents[1]
BUILTIN = ROOT / "repairai" / "builtin"
PAUSE_SECONDS = 0.02
"""Between turns: the threads of one engine spin on for a while when it is done, and would slow the next."""


class SamplePhotos(CalibrationDataReader):
    """Hands the sample photos to the quantiser, one at a time."""

    def __init__(self, size_px: int) -> None:
        photos = sorted((BUILTIN / "photos").glob("*.jpg"))
        looks = [np.asarray(Image.open(path).convert("RGB").resize((size_px, size_px))) for path in photos]
        self.left = [{"pixel_values": as_floats(np.stack([each]))} for each in looks]

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next photo as the network takes it; None behind the last."""
        return self.left.pop() if self.left else None


def as_floats(photos: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return photos (n, size, size, 3) as (n, 3, size, size) in [0, 1]."""
    return photos.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


def onnx_runtime(path: Path, threads: int) -> Network:
    """Return the network run by ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(photos: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        logits, boxes = session.run(["logits", "pred_boxes"], {"pixel_values": as_floats(photos)})
        return logits, boxes

    return run


def engines(model: Path, size_px: int, int8: Path, threads: int) -> dict[str, Network]:
    """Return every engine by name, the unit first."""
    onnx = model / "model.onnx"
    found = {
        "transformers, torch fp32": load_detector(model, "torch").network,
        "ONNX Runtime fp32": onnx_runtime(onnx, threads),
        "OpenVINO fp32": open_onnx(onnx, "f32"),
    }
    if precision() == "bf16":
        found["OpenVINO bf16"] = open_onnx(onnx, "bf16")
    reader = SamplePhotos(size_px)
    kinds = {"quant_format": QuantFormat.QDQ, "activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    quantize_static(onnx, int8, reader, op_types_to_quantize=["Conv"], per_channel=True, **kinds)
    found["ONNX Runtime int8 convolutions"] = onnx_runtime(int8, threads)
    found["OpenVINO int8 convolutions"] = open_onnx(int8, "f32")
    return found


def timed(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each, all taking turns."""
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(PAUSE_SECONDS)
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(each)) for name, each in seconds.items()}


def verdicts(detector: RTDetrDetector, photos: list[NDArray[np.uint8]]) -> list[str]:
    """Return the outcome of "4 screw" on each photo."""
    sights = [Sight(detector.detect(photo), detector.limits, look(photo)) for photo in photos]
    return [check_count(Count("screw", 4, 4), sight).outcome for sight in sights]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=BUILTIN / "detector")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--rounds", type=int, default=100)
    chosen = parser.parse_args()
    threads = os.cpu_count() or 1
    detector = load_detector(chosen.model)
    paths = sorted((chosen.shared / "screws_presence" / "photos").glob("*.jpg"))
    if not paths:
        print(f"no screws_presence in {chosen.shared}: verdicts are compared on the sample photos alone")
    photos = [read_photo(path).pixels for path in [*sorted((BUILTIN / "photos").glob("*.jpg")), *paths]]
    side = detector.size_px
    one = np.asarray(Image.fromarray(photos[0]).resize((side, side)))[None]
    with tempfile.TemporaryDirectory() as folder:
        found = engines(chosen.model, side, Path(folder) / "int8.onnx", threads)
        medians = timed({name: lambda run=run: run(one) for name, run in found.items()}, chosen.rounds)
        said = {name: verdicts(replace(detector, network=run), photos) for name, run in found.items()}
    unit = next(iter(medians.values()))
    exact = said["OpenVINO fp32"]
    table = Table(title=f"{threads} threads, {side} px, median of {chosen.rounds}; verdicts on {len(photos)} photos")
    for head in ("engine", "ms", "times as fast", "same verdicts as fp32", "of the decided, contradicted"):
        table.add_column(head, justify="left" if head == "engine" else "right")
    for name, seconds in medians.items():
        same = sum(a == b for a, b in zip(said[name], exact, strict=True))
        against = sum({a, b} == {"PASS", "FAIL"} for a, b in zip(said[name], exact, strict=True))
        table.add_row(name, f"{1000 * seconds:.1f}", f"{unit / seconds:.2f}", f"{same} of {len(photos)}", str(against))
    Console().print(table)


if __name__ == "__main__":
    main()
