"""Runs a detector's ONNX export on the CPU, without torch.

The engine is OpenVINO (Apache-2.0), chosen by `benchmarks/engines.py`: the fastest there in fp32, and faster again in
bf16 on processors that multiply it, with the same verdicts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from repairai.errors import RepairError

Network = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Takes photos, RGB uint8 (n, size, size, 3); gives logits (n, queries, labels) and boxes (n, queries, 4) of centre x,
centre y, width and height as shares of the photo."""


def precision() -> str:
    """Return what this processor computes fastest in: `bf16` where it multiplies it, else `f32`."""
    return "bf16" if "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def open_onnx(path: Path, computed_in: str = "") -> Network:
    """Return the network in an ONNX file.

    Args:
        path: Takes `pixel_values` (n, 3, size, size) in [0, 1], gives `logits` and `pred_boxes`.
        computed_in: `f32` or `bf16`; empty takes what `precision` says.

    Raises:
        RepairError: The file is not an ONNX file, or not of such a network.
    """
    core = ov.Core()
    try:
        # Photos go in as they are: scaling and reordering are fused into the first layer.
        prepared = ov.preprocess.PrePostProcessor(core.read_model(path))
        given = prepared.input("pixel_values")
        given.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        given.model().set_layout(ov.Layout("NCHW"))
        given.preprocess().convert_element_type(ov.Type.f32).scale(255.0)
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": computed_in or precision()}
        model = core.compile_model(prepared.build(), "CPU", settings)
        logits, boxes = model.output("logits"), model.output("pred_boxes")
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise RepairError(f"{path.name} holds no detector that can be run ({reason})", "export it again") from None

    def run(photos: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found = model(photos)
        return found[logits], found[boxes]

    return run
