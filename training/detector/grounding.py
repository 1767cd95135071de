"""Grounding DINO on few photos: its backbones stay as they are, and one prompt names all parts, in their order.

It is asked as an inspection asks it, `repairai.vision.checkpoint`: on photos as a square, with ImageNet's mean and
spread taken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer, GroundingDinoImageProcessor

from repairai.errors import RepairError
from repairai.vision.checkpoint import Prompt
from training.detector.forward import Forward
from training.detector.model import Parts


class Grounded:
    """Runs Grounding DINO on photos and one prompt, which names the parts."""

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt

    def __call__(self, model: Any, pixels: torch.Tensor, labels: list[dict[str, torch.Tensor]] | None) -> Any:
        """Return what the model gives."""
        return model(**self.prompt.inputs(pixels), labels=labels)

    def scores(self, outputs: Any) -> torch.Tensor:
        """Return (n, queries, parts) scores: of each part the best of its tokens."""
        return torch.sigmoid(self.prompt.logits(outputs.logits))


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
    prompt = Prompt(tokenizer, parts)
    most = min(model.config.max_text_len, tokenizer.model_max_length)
    if len(prompt.ids) > most:
        raise RepairError(
            f"the names of {len(parts)} parts make {len(prompt.ids)} tokens, and {folder.name} reads {most}",
            "train fewer parts at once, or give them shorter names",
        )
    model.config.id2label = dict(enumerate(parts))
    model.config.label2id = {part: number for number, part in enumerate(parts)}
    images = GroundingDinoImageProcessor(size={"height": size_px, "width": size_px}, do_pad=False)
    return model, Grounded(prompt), _Saved(images, tokenizer), Parts(tuple(parts), tuple(parts), (), ())
