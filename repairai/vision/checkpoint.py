"""Runs a detector's checkpoint with torch and transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoModelForObjectDetection

from repairai.errors import RepairError
from repairai.vision.engine import Network


def open_checkpoint(folder: Path) -> Network:
    """Return the network of a checkpoint folder.

    Raises:
        RepairError: Its settings and its weights are not those of one network.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = AutoModelForObjectDetection.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, dtype=torch.float32
        )
    except (SafetensorError, OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise RepairError(
            f"{folder.name}/model.safetensors holds no detector that can be run ({reason})",
            "copy the detector's folder again",
        ) from None
    model = model.eval().to(device)

    def run(photos: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        pixels = torch.from_numpy(photos).to(device).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            found = model(pixel_values=pixels)
        return found.logits.cpu().numpy(), found.pred_boxes.cpu().numpy()

    return run
