"""Runs a detector's ONNX export on the CPU, without torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from repairai.errors import RepairError


def open_onnx(path: Path) -> Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return the network in an ONNX file; see `repairai.vision.detector.Network`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (RuntimeError, ValueError) as error:
        raise RepairError(f"{path.name} is no ONNX file that can be run ({error})", "export it again") from None

    def run(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        logits, boxes = session.run(["logits", "pred_boxes"], {"pixel_values": pixels})
        return logits, boxes

    return run
