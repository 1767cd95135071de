"""Runs a detector's checkpoint with torch and transformers.

Grounding DINO is asked for all parts at once, by one prompt that names them in their order. Which of them a box belongs
to is told by the place of its tokens there, so that each name has tokens of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoModelForObjectDetection, AutoModelForZeroShotObjectDetection, AutoTokenizer

from repairai.errors import RepairError
from repairai.vision.engine import Network

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Source: ImageNet's, with which all Grounding DINOs were trained."""
ENDS = (101, 102, 1012, 1029)
"""Tokens that part names from each other for these models: BERT's [CLS], [SEP], full stop and question mark."""
_FAULTS = (SafetensorError, OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, ImportError)


def open_checkpoint(folder: Path, named: Sequence[str] = ()) -> Network:
    """Return the network of a checkpoint folder.

    Args:
        folder: Holds settings and weights, and a tokenizer where parts are named.
        named: For Grounding DINO, the parts that its prompt names; the network then gives logits of these.

    Raises:
        RepairError: Its settings and its weights are not those of one network.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = AutoModelForZeroShotObjectDetection if named else AutoModelForObjectDetection
    try:
        model = kind.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, dtype=torch.float32
        )
        asked = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True) if named else None
    except _FAULTS as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise RepairError(
            f"{folder.name}/model.safetensors holds no detector that can be run ({reason})",
            "copy the detector's folder again",
        ) from None
    model = model.eval().to(device)
    look = _plain(model) if asked is None else _worded(model, Prompt(asked, named))

    def run(photos: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode():
            logits, boxes = look(torch.from_numpy(photos).to(device))
        return logits.cpu().numpy(), boxes.cpu().numpy()

    return run


Look = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def _plain(model: Any) -> Look:
    def look(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = model(pixel_values=pixels.permute(0, 3, 1, 2).float() / 255)
        return found.logits, found.pred_boxes

    return look


def _worded(model: Any, prompt: Prompt) -> Look:
    def look(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = model(**prompt.inputs(pixels))
        return prompt.logits(found.logits), found.pred_boxes

    return look


# ---- the prompt of Grounding DINO


class Prompt:
    """One prompt that names all parts, for a model that looks for what words say.

    Args:
        tokenizer: The model's.
        parts: By number.

    Attributes:
        ids: (tokens,) of the prompt.
        tokens: (parts, tokens) whether a token is of a part's name, as the model's own loss groups them.

    Raises:
        RepairError: The names of the parts do not fit into one.
    """

    def __init__(self, tokenizer: Any, parts: Sequence[str]) -> None:
        self.ids = torch.tensor(tokenizer(prompt_of(parts))["input_ids"])
        ends = torch.isin(self.ids, torch.tensor((*ENDS, 0)))
        group = torch.cumsum(ends, 0) * ~ends
        numbers = [int(each) for each in torch.unique(group) if each > 0]
        if len(numbers) != len(parts):
            raise RepairError(
                f"the prompt of {len(parts)} parts falls into {len(numbers)}", "give the parts names of plain words"
            )
        self.tokens = torch.stack([group == number for number in numbers])

    def inputs(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what the model takes for photos (n, size, size, 3), uint8."""
        device, n = pixels.device, len(pixels)
        mean, spread = (torch.tensor(each, device=device) for each in (MEAN, SPREAD))
        ids = self.ids.to(device)[None].expand(n, -1)
        return {
            "pixel_values": ((pixels.float() / 255 - mean) / spread).permute(0, 3, 1, 2),
            "pixel_mask": torch.ones(n, *pixels.shape[1:3], dtype=torch.long, device=device),
            "input_ids": ids,
            "token_type_ids": torch.zeros_like(ids),
            "attention_mask": torch.ones_like(ids),
        }

    def logits(self, logits: torch.Tensor) -> torch.Tensor:
        """Return (n, queries, parts) logits for those of each token: of each part the best of its tokens."""
        own = logits.float()[..., : self.tokens.shape[1]]
        return torch.stack([own[..., tokens].amax(dim=-1) for tokens in self.tokens.to(own.device)], dim=-1)


def words_of(part: str) -> str:
    """Return a part's name as a prompt says it: "screw_hole" is "screw hole"."""
    return " ".join(re.sub(r"[_\-.?]+", " ", part.casefold()).split())


def prompt_of(parts: Sequence[str]) -> str:
    """Return the prompt that names the parts in their order: "screw. screw hole.".

    Raises:
        RepairError: Two parts are called the same there, or one has no words.
    """
    words = [words_of(part) for part in parts]
    for part, own in zip(parts, words, strict=True):
        if not own or words.count(own) > 1:
            raise RepairError(
                f"the part {part!r} {'has no words' if not own else 'is called as another one'} in a prompt",
                "give it another name with `photos names`",
            )
    return " ".join(f"{each}." for each in words)
