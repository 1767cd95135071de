"""A frozen image backbone, with what it sees pooled to a row of features, as ONNX.

The built-in one is the backbone of the detector that comes with RepairAI; any vision backbone that transformers knows
will do as well (ResNet, ConvNeXt, DINOv2, ViT, Swin, the vision side of CLIP and SigLIP), and any detector's.
"""

from __future__ import annotations

import inspect
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForObjectDetection

from repairai.errors import RepairError
from repairai.files import expanded, read_text
from repairai.judge.classifier import LARGEST, SMALLEST
from repairai.vision.detectors import KINDS
from training.detector.model import BUILTIN, find_detector
from training.from_hub import fetched

WANTED = ["*.json", "*.safetensors"]
GRID = 2
"""Each map is also averaged over so many by so many parts of the photo: where something lies tells states apart."""
LAYERS = 2
"""Of a transformer: the last one, and the one half way."""
TELLING = 3
"""Stages whose parts are told apart: those before see no things yet."""
NARROW = 512
"""Channels up to which a map's parts are told apart: wider ones would be more numbers than a head bears."""

Tones = tuple[float, float, float]


@dataclass(frozen=True)
class Backbone:
    """A backbone ready to be exported.

    Args:
        name: For people.
        image_px: Side of its square input.
        mean: Of each channel, taken off; of pixels in [0, 1].
        std: Likewise, by which it is divided.
        network: Takes `pixel_values` (n, 3, image_px, image_px), gives features (n, F).
    """

    name: str
    image_px: int
    mean: Tones
    std: Tones
    network: torch.nn.Module

    def features(self) -> int:
        """Return how many features it gives."""
        with torch.no_grad():
            return int(self.network(torch.zeros(1, 3, self.image_px, self.image_px)).shape[1])


class Pooled(torch.nn.Module):
    """A backbone's maps, each as mean, spread and means of its parts.

    Args:
        backbone: Of transformers, as it is called with `output_hidden_states`.
    """

    def __init__(self, backbone: torch.nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        known = inspect.signature(backbone.forward).parameters
        self.options = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in known else {}

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Return the features of photos, (n, F)."""
        found = self.backbone(pixel_values=pixel_values, output_hidden_states=True, return_dict=True, **self.options)
        states = getattr(found, "reshaped_hidden_states", None) or found.hidden_states
        if states[-1].ndim == 4:
            maps = [each for each in states[-4:] if each.shape[2] * each.shape[3] > 1]
            pooled = [part for each in maps for part in _whole(each.flatten(2))]
            return torch.cat([*pooled, *(_parts(each) for each in maps[-TELLING:] if each.shape[1] <= NARROW)], dim=1)
        chosen = [states[len(states) // LAYERS], states[-1]]
        return torch.cat([part for each in chosen for part in self._tokens(each)], dim=1)

    def _tokens(self, states: torch.Tensor) -> list[torch.Tensor]:
        """Return the same of a transformer's tokens (n, t, d): what stands before the patches is taken as it is."""
        patches = int(states.shape[1] ** 0.5) ** 2
        first, rest = states[:, : states.shape[1] - patches], states[:, states.shape[1] - patches :]
        side = int(patches**0.5)
        even = rest.transpose(1, 2)
        return [first.flatten(1), *_whole(even), _parts(even.unflatten(2, (side, side)))]


def _whole(even: torch.Tensor) -> list[torch.Tensor]:
    """Return mean and spread of each channel of (n, c, places)."""
    mean = even.mean(2)
    return [mean, ((even - mean[:, :, None]) ** 2).mean(2).add(1e-6).sqrt()]


def _parts(each: torch.Tensor) -> torch.Tensor:
    """Return the means of a map's parts (n, c * GRID * GRID); halves overlap where a side is odd."""
    down, across = (_shares(int(side)).to(each) for side in each.shape[2:])
    return (down @ each @ across.T).flatten(1)


def _shares(side: int) -> torch.Tensor:
    """Return which places of a side belong to which part, (GRID, side), each row adding up to 1."""
    rows = torch.zeros(GRID, side)
    for part in range(GRID):
        begin, end = part * side // GRID, -(-(part + 1) * side // GRID)
        rows[part, begin:end] = 1 / (end - begin)
    return rows


def load_backbone(name: str, image_px: int, revision: str | None = None) -> Backbone:
    """Return a backbone, frozen.

    Args:
        name: `builtin`, a folder as transformers saves it, or a name on the Hub. No program that comes with it is run.
        image_px: Side of its input.
        revision: Of a name on the Hub.

    Raises:
        RepairError: There is no such model, or it cannot be used as one.
    """
    if not SMALLEST <= image_px <= LARGEST:
        raise RepairError(f"image_px is {image_px}", f"take a side from {SMALLEST} to {LARGEST}, such as 96 or 224")
    folder = find_detector(name) if name == BUILTIN else expanded(name)
    if not folder.is_dir():
        folder = fetched(name, WANTED, revision=revision)
    try:
        network = Pooled(_vision(folder, name).eval().requires_grad_(False)).eval()
        mean, std = _tones(folder)
        found = Backbone(name, image_px, mean, std, network)
        found.features()
    except (RuntimeError, ValueError, OSError, AttributeError, TypeError, KeyError, IndexError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RepairError(
            f"{name} cannot be used as an image backbone at {image_px} px: {reason:.200}",
            "take builtin, or a ResNet, ConvNeXt, DINOv2 or ViT in safetensors at the size that it was made for",
        ) from error
    return found


def _vision(folder: Path, name: str) -> torch.nn.Module:
    """Return the part of a model that reads photos."""
    config = AutoConfig.from_pretrained(folder)
    if config.model_type in KINDS:
        model: Any = AutoModelForObjectDetection.from_pretrained(folder, use_safetensors=True)
        return model.model.backbone.model
    model = AutoModel.from_pretrained(folder, use_safetensors=True, dtype=torch.float32)
    return getattr(model, "vision_model", None) or getattr(model, "vision_tower", None) or model


def _tones(folder: Path) -> tuple[Tones, Tones]:
    """Return what is taken off each channel, and by what it is divided, as the model's image processor says."""
    path = folder / "preprocessor_config.json"
    said = json.loads(read_text(path)) if path.is_file() else {"do_normalize": False}
    if not said.get("do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    mean, std = (tuple(float(each) for each in said[key]) for key in ("image_mean", "image_std"))
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])


def export(backbone: Backbone, path: Path) -> None:
    """Write a backbone as ONNX: `pixel_values` (n, 3, image_px, image_px) to `features` (n, F)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():  # the tracer takes what is fixed for something that might change
        warnings.simplefilter("ignore")
        torch.onnx.export(
            backbone.network,
            (torch.zeros(1, 3, backbone.image_px, backbone.image_px),),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["pixel_values"],
            output_names=["features"],
            dynamic_axes={"pixel_values": {0: "batch"}, "features": {0: "batch"}},
        )
