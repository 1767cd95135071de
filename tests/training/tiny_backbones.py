"""Tiny vision backbones of transformers' own classes, with random weights."""

from pathlib import Path

import torch
from transformers import (
    ConvNextConfig,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    ResNetConfig,
    ResNetModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

from tests.training.tiny_detectors import save_tiny_detector

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64, "patch_size": 16}
MADE = {
    "resnet": lambda: ResNetModel(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])),
    "convnext": lambda: ConvNextModel(ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])),
    "dinov2": lambda: Dinov2Model(Dinov2Config(**SMALL, mlp_ratio=2)),
    "vit": lambda: ViTModel(ViTConfig(**SMALL, intermediate_size=64)),
}


def save_tiny_backbone(kind: str, folder: Path) -> Path:
    """A backbone in a folder, with the image processor that says how its pixels are normalised."""
    if kind == "rt_detr":
        return save_tiny_detector(folder)
    torch.manual_seed(0)
    MADE[kind]().save_pretrained(folder)
    size = {"height": 64, "width": 64}
    ViTImageProcessor(size=size, image_mean=[0.48, 0.45, 0.4], image_std=[0.2, 0.2, 0.25]).save_pretrained(folder)
    return folder
