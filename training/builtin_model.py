"""The network of the built-in detector before it has learned anything: an RT-DETRv2 small enough for a processor.

    python -m training.builtin_model build/detector-untrained

Writes a model's folder with random weights, from which `training/recipes/detector_rtdetrv2_builtin_cpu.yaml` begins.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import RTDetrResNetConfig, RTDetrV2Config, RTDetrV2ForObjectDetection

from training.detector.model import processor
from training.scenes.scene import LABELS

SIZE_PX = 320


@dataclass(frozen=True)
class Architecture:
    """The shape of an RT-DETRv2.

    Args:
        backbone_widths: Channels of the four stages, at strides 4, 8, 16 and 32.
        backbone_depths: Residual layers of each stage.
        width: Channels of encoder and decoder.
        feed_forward: Hidden width of their feed-forward layers.
        decoder_layers: Each refines the boxes of the one before; at least 2.
        queries: The most parts that one photo or tile can hold.
    """

    backbone_widths: tuple[int, int, int, int]
    backbone_depths: tuple[int, int, int, int]
    width: int
    feed_forward: int
    decoder_layers: int
    queries: int


SMALL = Architecture((24, 48, 96, 144), (1, 2, 2, 1), 72, 192, 3, 80)
"""That of the built-in detector: 1.4 million weights."""


def build(shape: Architecture, names: list[str]) -> RTDetrV2ForObjectDetection:
    """Return an RT-DETRv2 with random weights."""
    backbone = RTDetrResNetConfig(
        embedding_size=shape.backbone_widths[0],
        hidden_sizes=list(shape.backbone_widths),
        depths=list(shape.backbone_depths),
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        encoder_in_channels=list(shape.backbone_widths[1:]),
        encoder_hidden_dim=shape.width,
        encoder_ffn_dim=shape.feed_forward,
        encoder_attention_heads=4,
        d_model=shape.width,
        decoder_in_channels=[shape.width] * 3,
        decoder_ffn_dim=shape.feed_forward,
        decoder_layers=shape.decoder_layers,
        decoder_attention_heads=4,
        num_queries=shape.queries,
        num_denoising=40,
        hidden_expansion=0.5,
        freeze_backbone_batch_norms=False,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    return RTDetrV2ForObjectDetection(config)


def main(arguments: list[str] | None = None) -> None:
    """Write the network; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the model")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args(arguments)
    torch.manual_seed(chosen.seed)
    build(SMALL, list(LABELS)).save_pretrained(chosen.out)
    processor(SIZE_PX).save_pretrained(chosen.out)
    print(f"the network is in {chosen.out}")


if __name__ == "__main__":
    main()
