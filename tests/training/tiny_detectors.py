"""Tiny detectors of the real classes, and photos that they can learn: light squares and dark bars on a bench."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    DFineConfig,
    DFineForObjectDetection,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    HGNetV2Config,
    PreTrainedTokenizerFast,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrImageProcessor,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
    SwinConfig,
)

from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, PhotoSource, write_photo_set

SIZE = 64
SHAPE = {
    "encoder_hidden_dim": 32, "encoder_ffn_dim": 64, "encoder_attention_heads": 4, "d_model": 32,
    "decoder_ffn_dim": 64, "decoder_layers": 2, "decoder_attention_heads": 4, "num_queries": 20, "num_denoising": 10,
    "encoder_in_channels": [16, 24, 32], "decoder_in_channels": [32, 32, 32], "hidden_expansion": 0.5,
}  # fmt: skip


def save_tiny_detector(folder: Path, kind: str = "rt_detr_v2", names=("screw", "washer"), seed: int = 0) -> Path:
    """A detector of random weights, as transformers saves it."""
    torch.manual_seed(seed)
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: n for n, name in enumerate(names)}}
    resnet = RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    common = {**SHAPE, **labels, "freeze_backbone_batch_norms": False}
    if kind == "rt_detr":
        model = RTDetrForObjectDetection(RTDetrConfig(backbone_config=resnet, **common))
    elif kind == "rt_detr_v2":
        model = RTDetrV2ForObjectDetection(RTDetrV2Config(backbone_config=resnet, **common))
    elif kind == "d_fine":
        hgnet = HGNetV2Config(
            stem_channels=[3, 8, 8], stage_in_channels=[8, 16, 24, 32], stage_mid_channels=[8, 8, 8, 8],
            stage_out_channels=[16, 24, 32, 48], stage_num_blocks=[1, 1, 1, 1], stage_numb_of_layers=[1, 1, 1, 1],
            stage_downsample=[False, True, True, True], stage_light_block=[False, False, True, True],
            stage_kernel_size=[3, 3, 5, 5], out_features=["stage2", "stage3", "stage4"], embedding_size=8,
            hidden_sizes=[16, 24, 32, 48], depths=[1, 1, 1, 1],
        )  # fmt: skip
        common["encoder_in_channels"] = [24, 32, 48]
        model = DFineForObjectDetection(DFineConfig(backbone_config=hgnet, **common))
    else:
        raise ValueError(f"need a kind of detector, got {kind}")
    model.save_pretrained(folder)
    RTDetrImageProcessor(size={"height": SIZE, "width": SIZE}).save_pretrained(folder)
    return folder


def save_tiny_grounding(folder: Path, words=("screw", "hole", "washer", "bar"), seed: int = 0) -> Path:
    """A Grounding DINO of random weights with a tokenizer whose full stop is BERT's."""
    torch.manual_seed(seed)
    swin = SwinConfig(
        image_size=SIZE, embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 2, 3, 4], window_size=4,
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    bert = BertConfig(
        vocab_size=1100, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64,
    )  # fmt: skip
    config = GroundingDinoConfig(
        backbone_config=swin, text_config=bert, d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, encoder_attention_heads=4, decoder_attention_heads=4, num_queries=20, max_text_len=64,
        num_feature_levels=4, auxiliary_loss=True,
    )  # fmt: skip
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    spelled = {f"[unused{n}]": n for n in range(1100)}
    for number, word in {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 1012: ".", 1029: "?"}.items():
        spelled.pop(f"[unused{number}]")
        spelled[word] = number
    for number, word in enumerate(words, 200):
        spelled.pop(f"[unused{number}]")
        spelled[word] = number
    own = Tokenizer(models.WordPiece(spelled, unk_token="[UNK]"))
    own.normalizer, own.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    own.post_processor = processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101))
    PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(folder)  # fmt: skip
    GroundingDinoImageProcessor(size={"height": SIZE, "width": SIZE}, do_pad=False).save_pretrained(folder)
    return folder


def write_photos(
    folder: Path, n: int = 12, val: int = 4, side: int = 96, parts=("screw", "bar"), seed: int = 0
) -> Path:
    """A set of photos with light squares (the first part) and dark bars (the second); one shows nothing."""
    rng = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True)
    photos = []
    for at in range(n + val):
        pixels = rng.integers(110, 130, (side, side + 16, 3), dtype=np.uint8)
        boxes = []
        for number in range(0 if at == 1 else int(rng.integers(1, 4))):
            part = number % 2
            wide, high = (20, 20) if part == 0 else (36, 12)
            left, top = 4 + 34 * number, int(rng.integers(2, side - high - 2))
            left = min(left, side + 16 - wide)
            pixels[top : top + high, left : left + wide] = 240 if part == 0 else 20
            boxes.append(LabelledBox(parts[part], (left, top, left + wide, top + high), "person", True))
        name = f"photo-{at:02}.jpg"
        Image.fromarray(pixels).save(folder / "photos" / name, quality=95)
        split = "train" if at < n else "val"
        photos.append(LabelledPhoto(name, side + 16, side, tuple(boxes), split, "bench", name))
    write_photo_set(PhotoSet(folder, tuple(parts), tuple(photos), (PhotoSource("bench", "CC0-1.0"),)))
    return folder


def annotations(folder: Path) -> dict:
    """What the set's file says."""
    return json.loads((folder / "annotations.coco.json").read_text())
