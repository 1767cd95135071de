"""SAM 2: a mask for each box, without torchvision, which its own processor needs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from transformers import Sam2Model

from repairai.errors import RepairError
from repairai.schema import Box, Detection, Mask
from repairai.vision.masks import decode, encode
from repairai.vision.pretrained import find_pretrained, kind_of

KINDS = ("sam2", "sam2_video")
"""Checkpoints on the Hub name the second, as they also follow parts through videos; their weights for photos are the
same."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours; source: transformers, `Sam2ImageProcessor`."""
AT_ONCE = 64
"""Boxes that go through the decoder together: a mask has 256 x 256 values before it is cut to its box."""
_FAULTS = (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, SafetensorError)


@dataclass(frozen=True)
class Segmenter:
    """A SAM 2 model.

    Args:
        name: `name@revision`.
        model: The network.
        side_px: Of the square that it sees a photo as.
    """

    name: str
    model: Any
    side_px: int

    def masks(self, photo: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.bool_]:
        """Return a mask for each box in the photo's size, (n, H, W): many bytes for a large photo; see `compact`.

        Args:
            photo: RGB uint8 (H, W, 3).
            boxes: In px of the photo.
        """
        inside = np.zeros((len(boxes), *photo.shape[:2]), bool)
        for own, mask in zip(inside, self.compact(photo, boxes), strict=True):
            own[mask.top : mask.top + mask.height, mask.left : mask.left + mask.width] = decode(mask)
        return inside

    def compact(self, photo: NDArray[np.uint8], boxes: Sequence[Box]) -> tuple[Mask, ...]:
        """Return a mask for each box, kept only inside of it: the photo is looked at once, and nothing grows with it.

        Args:
            photo: RGB uint8 (H, W, 3).
            boxes: In px of the photo; each has to lie at least partly in it.
        """
        if not boxes:
            return ()
        height, width = photo.shape[:2]
        scale = np.tile([self.side_px / width, self.side_px / height], 2)
        asked = torch.tensor(np.array(boxes) * scale, dtype=torch.float32, device=self.model.device)
        found: list[Mask] = []
        with torch.inference_mode():
            seen = self.model.get_image_embeddings(self._pixels(photo))
            for start in range(0, len(boxes), AT_ONCE):
                out = self.model(
                    image_embeddings=seen, input_boxes=asked[None, start : start + AT_ONCE], multimask_output=False
                )
                coarse = out.pred_masks[0, :, 0].float().cpu().numpy()
                found += [
                    _cut(each, box, width, height)
                    for each, box in zip(coarse, boxes[start : start + AT_ONCE], strict=True)
                ]
        return tuple(found)

    def _pixels(self, photo: NDArray[np.uint8]) -> torch.Tensor:
        size = (self.side_px, self.side_px)
        small = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR), dtype=np.float32)
        pixels = (small / 255 - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
        return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(self.model.device)


def with_masks(
    photo: NDArray[np.uint8], detections: Sequence[Detection], segmenter: Segmenter
) -> tuple[Detection, ...]:
    """Return detections with their masks.

    Args:
        photo: RGB uint8 (H, W, 3) that they were found in.
        detections: Each keeps its box, label and score.
        segmenter: Makes the masks.
    """
    masks = segmenter.compact(photo, [each.box for each in detections])
    return tuple(replace(each, mask=mask) for each, mask in zip(detections, masks, strict=True))


def _cut(coarse: NDArray[np.float32], box: Box, width: int, height: int) -> Mask:
    """Return the mask in a box from values (h, w) over the whole photo, as if all had been enlarged to its size.

    Source:
        `F.interpolate(mode="bilinear", align_corners=False)`, then > 0, as transformers' `post_process_masks` does.
    """
    left, top = max(0, min(int(box[0]), width - 1)), max(0, min(int(box[1]), height - 1))
    right = max(left + 1, min(int(np.ceil(box[2])), width))
    bottom = max(top + 1, min(int(np.ceil(box[3])), height))
    rows = _weights(height, coarse.shape[0], top, bottom)
    columns = _weights(width, coarse.shape[1], left, right)
    return encode(rows @ coarse @ columns.T > 0, left, top)


def _weights(length: int, cells: int, start: int, stop: int) -> NDArray[np.float32]:
    """Return how much of each cell goes into each px from `start` to `stop`, (stop - start, cells)."""
    at = np.clip((np.arange(start, stop) + 0.5) * cells / length - 0.5, 0, cells - 1)
    low = at.astype(np.int64)
    share = (at - low).astype(np.float32)
    weights = np.zeros((stop - start, cells), np.float32)
    px = np.arange(stop - start)
    weights[px, low] = 1 - share
    weights[px, np.minimum(low + 1, cells - 1)] += share
    return weights


def load_segmenter(model: str) -> Segmenter:
    """Return SAM 2 by folder or by its name on the Hub, on the GPU where there is one.

    Raises:
        RepairError: There is no such model, it is of another kind, or its files are not what they say.
    """
    folder = find_pretrained(model)
    kind = kind_of(folder)
    if kind not in KINDS:
        raise RepairError(f"{model} is of the kind '{kind}', which makes no masks", "give a SAM 2 model")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        network = Sam2Model.from_pretrained(folder, use_safetensors=True, local_files_only=True, dtype=torch.float32)
        network = network.eval().to(device)
        side = network.config.prompt_encoder_config.image_size
    except (torch.OutOfMemoryError, MemoryError):
        raise RepairError(f"{model} does not fit into the memory that is free", "take a smaller model") from None
    except _FAULTS as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise RepairError(
            f"{model} cannot be opened ({reason:.200})", "copy the model again, or take another"
        ) from None
    side_px = int(side if isinstance(side, int) else side[0])
    with sorted(folder.glob("*.safetensors"))[0].open("rb") as weights:
        revision = hashlib.file_digest(weights, "sha256").hexdigest()[:12]
    return Segmenter(f"{Path(model).name if Path(model).is_dir() else model}@{revision}", network, side_px)
