"""A light classifier of states made by hand: it tells bright photos from dark ones."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors.numpy import save_file

QUESTION, OPPOSITE = "Is the lamp on?", "Is the lamp off?"


def bright_or_dark(
    folder: Path, questions: Sequence[tuple[str, str]] = ((QUESTION, OPPOSITE),), image_px: int = 32
) -> Path:
    """A classifier in a folder, each of its heads saying yes to a photo that is bright and no to one that is dark."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = ["n", 3, image_px, image_px]
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixel_values"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["features"]),
        ],
        "mean_of_channels",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "backbone.onnx"))
    config = {
        "model_type": "repairai_state_classifier", "architectures": ["StateClassifier"], "image_px": image_px,
        "features": 3, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "backbone": "mean of each channel",
        "questions": [{"question": question, "opposite": opposite} for question, opposite in questions],
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    n = len(questions)
    weights = {
        "weight": np.full((n, 3), 1.0, np.float32), "bias": np.zeros(n, np.float32),
        "feature_mean": np.zeros(3, np.float32), "feature_scale": np.ones(3, np.float32),
    }  # fmt: skip
    save_file(weights, folder / "model.safetensors")
    return folder


def plain(level: int, side_px: int = 48) -> np.ndarray:
    """A photo of one grey level."""
    return np.full((side_px, side_px, 3), level, np.uint8)
