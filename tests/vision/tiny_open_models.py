"""Tiny models of the real config classes, with weights by chance: saved to a folder and loaded by name, as real ones.

They find nothing that makes sense; what is tested with them is all that stands around the weights.
"""

from pathlib import Path

import torch
from transformers import (
    BertConfig,
    BertTokenizer,
    CLIPTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoProcessor,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2Processor,
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2MaskDecoderConfig,
    Sam2Model,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
    SwinConfig,
)
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "a", "screw", "hole", "battery", "red", "blue"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _swin() -> SwinConfig:
    return SwinConfig(
        image_size=64, patch_size=4, embed_dim=16, depths=[1, 1, 1, 1], num_heads=[2, 2, 2, 2], window_size=4,
        out_indices=[2, 3, 4],
    )  # fmt: skip


def _bert() -> BertConfig:
    return BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64,
    )  # fmt: skip


def grounding(folder: Path, mm: bool = False, seed: int = 0) -> Path:
    """Save a Grounding DINO, or an MM-Grounding-DINO, of 0.2 M weights; return its folder."""
    config_class, model_class = (
        (MMGroundingDinoConfig, MMGroundingDinoForObjectDetection)
        if mm
        else (GroundingDinoConfig, GroundingDinoForObjectDetection)
    )
    torch.manual_seed(seed)
    config = config_class(
        backbone_config=_swin(), text_config=_bert(), d_model=32, encoder_layers=1, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
        num_queries=20, max_text_len=16,
    )  # fmt: skip
    model_class(config).save_pretrained(folder)
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(WORDS)})
    image = GroundingDinoImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 160})
    GroundingDinoProcessor(image, tokenizer).save_pretrained(folder)
    return folder


def owl(folder: Path, seed: int = 0) -> Path:
    """Save an OWLv2 of 30 k weights that sees 96 px in patches of 16; return its folder."""
    torch.manual_seed(seed)
    tokens = ["!", *LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], pad_token="!")
    tokenizer.model_max_length = 16
    text = {
        "vocab_size": len(tokens), "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "max_position_embeddings": 16, "bos_token_id": len(tokens) - 2,
        "eos_token_id": len(tokens) - 1, "pad_token_id": 0,
    }  # fmt: skip
    sight = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 96, "patch_size": 16,
    }  # fmt: skip
    config = Owlv2Config(text_config=text, vision_config=sight, projection_dim=16)
    model = Owlv2ForObjectDetection(config)
    for (
        weights
    ) in model.parameters():  # its own start is for wide layers: these narrow ones would give boxes of no size
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, std=0.1)
    model.save_pretrained(folder)
    Owlv2Processor(Owlv2ImageProcessorPil(size={"height": 96, "width": 96}), tokenizer).save_pretrained(folder)
    return folder


def sam(folder: Path, seed: int = 0) -> Path:
    """Save a SAM 2 of 0.1 M weights that sees 128 px; return its folder."""
    torch.manual_seed(seed)
    hiera = Sam2HieraDetConfig(
        image_size=[128, 128], hidden_size=8, embed_dim_per_stage=[8, 16, 32, 64], blocks_per_stage=[1, 1, 2, 1],
        num_attention_heads_per_stage=[1, 1, 1, 1], window_size_per_stage=[8, 4, 4, 4], global_attention_blocks=[3],
    )  # fmt: skip
    config = Sam2Config(
        vision_config=Sam2VisionConfig(
            backbone_config=hiera, backbone_channel_list=[64, 32, 16, 8],
            backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]], fpn_hidden_size=32,
        ),
        prompt_encoder_config=Sam2PromptEncoderConfig(
            hidden_size=32, image_size=128, patch_size=16, mask_input_channels=4
        ),
        mask_decoder_config=Sam2MaskDecoderConfig(
            hidden_size=32, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16
        ),
    )  # fmt: skip
    Sam2Model(config).save_pretrained(folder)
    return folder
