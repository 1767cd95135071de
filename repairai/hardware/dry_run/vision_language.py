"""A training step or an answer of a model that sees and speaks, on tensors without data.

The language side is trained, or speaks, as that of `language` and `generation`; the vision tower keeps its weights as
they are. With checkpointing and adapters the inputs of the tower's layers are held all the same: transformers makes the
outputs of every embedding require gradients then, the tower's too. In 4 bits the tower's matrices are packed as well,
as bitsandbytes does it unless told otherwise.

A photo is square. PaliGemma sees it at the one size it was made for. SmolVLM cuts it into tiles of its tower's side, as
its processor does with `image_px` as the longest edge, and sees the whole photo as one tile more. No example is
padded.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, PreTrainedModel

from repairai.hardware.dry_run.generation import Answer, unpadded
from repairai.hardware.dry_run.language import Step, estimate
from repairai.hardware.workload import Demand, Workload

TOWERS = ("vision_tower", "vision_model")
"""What these families call the part that sees; it is never trained here."""
FAMILIES = ("paligemma", "smolvlm", "idefics3")


def demand(work: Workload, config: dict[str, Any]) -> Demand:
    """Return what a training step or an answer of a model that sees takes.

    Args:
        work: `length_tokens` counts the places of the photo too: one photo goes with each example.
        config: The model's `config.json`.

    Raises:
        ValueError: The family is not known, the method is none for it, or the photo does not fit into the length.
    """
    family = config.get("model_type")
    if family not in FAMILIES:
        raise ValueError(f"need a model that sees of one of the families {', '.join(FAMILIES)}, got {family!r}")
    if work.method == "few_shot":
        raise ValueError("need the method full, lora, qlora or inference for a model that sees, got 'few_shot'")
    return estimate(SeeingAnswer if work.method == "inference" else SeeingStep, work, config)


def tiles(work: Workload, settings: Any) -> int:
    """Return how many pictures of the tower's size a photo becomes."""
    if settings.model_type == "paligemma":
        return 1
    a_side = -(-work.image_px // int(settings.vision_config.image_size))
    return 1 if a_side == 1 else a_side**2 + 1


def photo_tokens(work: Workload, settings: Any) -> int:
    """Return how many places of the text one photo takes."""
    vision = settings.vision_config
    patches = (vision.image_size // vision.patch_size) ** 2
    if settings.model_type != "paligemma":
        patches //= settings.scale_factor**2
    return tiles(work, settings) * int(patches)


class _Seeing(Step):
    """What a model that sees needs beside one that only speaks."""

    def __init__(self, work: Workload, settings: Any, layers: int) -> None:
        super().__init__(work, settings, layers)
        settings.get_text_config().use_cache = settings.use_cache
        wanted = photo_tokens(work, settings)
        if work.length_tokens <= wanted:
            raise ValueError(
                f"need length_tokens above the {wanted} that a photo of {work.image_px} px takes, "
                f"got {work.length_tokens}"
            )

    def _create(self) -> PreTrainedModel:
        model = AutoModelForImageTextToText.from_config(self.settings)
        for name, parameter in model.named_parameters():
            if set(TOWERS) & set(name.split(".")):
                parameter.requires_grad_(False)
        return model

    def _inputs(self) -> dict[str, torch.Tensor]:
        inputs = super()._inputs()
        n, side = self.work.batch, self.settings.vision_config.image_size
        pictures = (n,) if self.settings.model_type == "paligemma" else (n, tiles(self.work, self.settings))
        inputs["pixel_values"] = torch.zeros(*pictures, 3, side, side)
        if self.settings.model_type == "paligemma":
            inputs["token_type_ids"] = torch.zeros_like(inputs["input_ids"])
        return inputs

    def _decided(self) -> AbstractContextManager[object]:
        return unpadded(tiles(self.work, self.settings))


class SeeingStep(_Seeing):
    """A training step, the vision tower frozen."""


class SeeingAnswer(_Seeing, Answer):
    """An answer to a question about a photo."""
