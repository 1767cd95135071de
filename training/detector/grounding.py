"""Grounding DINO on few photos: its backbones stay as they are, and one prompt names all parts, in their order.

Which words of the prompt a box belongs to is told by the place of its tokens, so that the order of the parts is kept
and each name has tokens of its own. It sees photos as a square, with ImageNet's mean and spread taken off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer, GroundingDinoImageProcessor

from repairai.errors import RepairError
from training.detector.forward import Forward
from training.detector.model import Parts

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Source: ImageNet's, with which all Grounding DINOs were trained."""
ENDS = (101, 102, 1012, 1029)
"""Tokens that part names from each other for these models: BERT's [CLS], [SEP], full stop and question mark."""


class Grounded:
    """Runs Grounding DINO on photos and one prompt.

    Args:
        ids: (tokens,) of the prompt.
        parts: (parts, tokens) 1 where a token is of a part's name.
    """

    def __init__(self, ids: torch.Tensor, parts: torch.Tensor) -> None:
        self.ids, self.parts = ids, parts

    def __call__(self, model: Any, pixels: torch.Tensor, labels: list[dict[str, torch.Tensor]] | None) -> Any:
        """Return what the model gives."""
        device, n = pixels.device, len(pixels)
        mean, spread = (torch.tensor(each, device=device) for each in (MEAN, SPREAD))
        ids = self.ids.to(device)[None].expand(n, -1)
        return model(
            pixel_values=((pixels.float() / 255 - mean) / spread).permute(0, 3, 1, 2),
            pixel_mask=torch.ones(n, *pixels.shape[1:3], dtype=torch.long, device=device),
            input_ids=ids,
            token_type_ids=torch.zeros_like(ids),
            attention_mask=torch.ones_like(ids),
            labels=labels,
        )

    def scores(self, outputs: Any) -> torch.Tensor:
        """Return (n, queries, parts) scores: of each part the best of its tokens."""
        logits = outputs.logits.float()[..., : self.parts.shape[1]]
        own = self.parts.to(logits.device).bool()
        each = [torch.sigmoid(logits[..., tokens]).amax(dim=-1) for tokens in own]
        return torch.stack(each, dim=-1)


class _Saved:
    """What is saved beside the weights, so that others can load them."""

    def __init__(self, images: Any, tokenizer: Any) -> None:
        self.images, self.tokenizer = images, tokenizer

    def save_pretrained(self, folder: str | Path, **_: Any) -> None:
        """Write image processor and tokenizer."""
        self.images.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def load(folder: Path, parts: Sequence[str], size_px: int, method: str) -> tuple[Any, Forward, Any, Parts]:
    """Return Grounding DINO for these parts, how it takes photos, what is saved beside it, and what it knows.

    Args:
        folder: As `find_detector` gives it.
        parts: By number.
        size_px: Side of the square input.
        method: `few_shot`; all of it is more than few photos can teach.

    Raises:
        RepairError: The folder holds no such model, or the parts do not fit into a prompt.
    """
    if method != "few_shot":
        raise RepairError(f"{folder.name} is trained on few photos only", "set method: few_shot in the recipe")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForZeroShotObjectDetection.from_pretrained(
            folder, dtype=torch.float32, trust_remote_code=False, use_safetensors=True
        )
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())[:300]
        raise RepairError(f"{folder.name} cannot be loaded as Grounding DINO: {reason}", "give another model") from None
    text = prompt(parts)
    ids = torch.tensor(tokenizer(text)["input_ids"])
    most = min(model.config.max_text_len, tokenizer.model_max_length)
    if len(ids) > most:
        raise RepairError(
            f"the names of {len(parts)} parts make {len(ids)} tokens, and {folder.name} reads {most}",
            "train fewer parts at once, or give them shorter names",
        )
    forward = Grounded(ids, _tokens_of(ids, parts))
    model.config.id2label = dict(enumerate(parts))
    model.config.label2id = {part: number for number, part in enumerate(parts)}
    images = GroundingDinoImageProcessor(size={"height": size_px, "width": size_px}, do_pad=False)
    return model, forward, _Saved(images, tokenizer), Parts(tuple(parts), tuple(parts), (), ())


def words_of(part: str) -> str:
    """Return a part's name as a prompt says it: "screw_hole" is "screw hole"."""
    return " ".join(re.sub(r"[_\-.?]+", " ", part.casefold()).split())


def prompt(parts: Sequence[str]) -> str:
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


def _tokens_of(ids: torch.Tensor, parts: Sequence[str]) -> torch.Tensor:
    """Return (parts, tokens) 1 where a token is of a part's name, as the model's own loss groups them.

    Raises:
        RepairError: A name holds a sign that parts names from each other.
    """
    ends = torch.isin(ids, torch.tensor((*ENDS, 0)))
    group = torch.cumsum(ends, 0) * ~ends
    numbers = [int(each) for each in torch.unique(group) if each > 0]
    if len(numbers) != len(parts):
        raise RepairError(
            f"the prompt of {len(parts)} parts falls into {len(numbers)}", "give the parts names of plain words"
        )
    return torch.stack([(group == number).long() for number in numbers])
