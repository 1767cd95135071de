"""Runs a detector's checkpoint with torch and transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForObjectDetection


def open_checkpoint(folder: Path) -> Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return the network of a checkpoint folder; see `repairai.vision.detector.Network`."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForObjectDetection.from_pretrained(
        folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, dtype=torch.float32
    )
    model = model.eval().to(device)

    def run(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode():
            found = model(pixel_values=torch.from_numpy(pixels).to(device))
        return found.logits.cpu().numpy(), found.pred_boxes.cpu().numpy()

    return run
