"""Tiny vision-language models of their own classes, and a tokenizer that is trained on the spot; weights are random."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForImageTextToText,
    GemmaConfig,
    Idefics3Config,
    LlamaConfig,
    PaliGemmaConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen3VLConfig,
    SmolVLMConfig,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

SIDE_PX, PATCH_PX = 28, 7
"""Of the picture that a tower sees, and of what it sees as one piece: 16 pieces."""
SPECIAL = {
    "paligemma": ["<image>"],
    "smolvlm": ["<|im_start|>", "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>",
                *(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5))],
    "qwen": ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"],
}  # fmt: skip
SMOLVLM_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for line in message['content'] %}"
    "{% if line['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ line['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = ["Yes yes No no Yes yes No no", " Is the light patch on the left? Answer with one word: yes or no.",
         "answer en Is the battery connector unplugged? User: Assistant:"]  # fmt: skip
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 1024, "initializer_range": 0.2}  # fmt: skip
VISION = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def save_tiny(
    folder: Path, family: str, seed: int = 0, text: dict[str, Any] | None = None, vision: dict[str, Any] | None = None
) -> Path:
    """A model with random weights, its tokenizer and its image processor, as transformers saves them."""
    tokenizer = _tokenizer(family)
    config = _config(family, tokenizer, {**TEXT, **(text or {})}, {**VISION, **(vision or {})})
    torch.manual_seed(seed)
    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _image_processor(family, config).save_pretrained(folder)
    return folder


def _tokenizer(family: str) -> PreTrainedTokenizerFast:
    spelled = Tokenizer(models.BPE(unk_token="<unk>"))
    spelled.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spelled.decoder = decoders.ByteLevel()
    own = SPECIAL["qwen" if family.startswith("qwen") else "paligemma" if family == "paligemma" else "smolvlm"]
    spelled.train_from_iterator(
        WORDS * 3,
        trainers.BpeTrainer(
            vocab_size=440,
            special_tokens=["<pad>", "<eos>", "<bos>", "<unk>", *own],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=spelled, eos_token="<eos>", pad_token="<pad>", unk_token="<unk>", bos_token="<bos>",
        additional_special_tokens=own,
    )  # fmt: skip
    if family != "paligemma":
        tokenizer.chat_template = QWEN_TEMPLATE if family.startswith("qwen") else SMOLVLM_TEMPLATE
    return tokenizer


def _config(family: str, tokenizer: Any, text: dict[str, Any], vision: dict[str, Any]) -> Any:
    ids = tokenizer.convert_tokens_to_ids
    named = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2}
    text = {**text, "vocab_size": len(tokenizer), **named}
    tower = {**vision, "image_size": SIDE_PX, "patch_size": PATCH_PX}
    if family == "paligemma":
        return PaliGemmaConfig(
            text_config=GemmaConfig(**text).to_dict(), image_token_index=ids("<image>"), image_token_id=ids("<image>"),
            vision_config={**tower, "model_type": "siglip_vision_model", "projection_dim": text["hidden_size"],
                           "vision_use_head": False},
            projection_dim=text["hidden_size"], **named,
        )  # fmt: skip
    if family in ("smolvlm", "idefics3"):
        kind = SmolVLMConfig if family == "smolvlm" else Idefics3Config
        return kind(
            text_config=LlamaConfig(**text).to_dict(), vision_config=tower, image_token_id=ids("<image>"),
            scale_factor=2, **named,
        )  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}
    seen = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 4, "patch_size": PATCH_PX,
        "spatial_merge_size": 2, "out_hidden_size": text["hidden_size"],
    }  # fmt: skip
    tokens = {
        "image_token_id": ids("<|image_pad|>"), "video_token_id": ids("<|video_pad|>"),
        "vision_start_token_id": ids("<|vision_start|>"), "vision_end_token_id": ids("<|vision_end|>"),
    }  # fmt: skip
    if family == "qwen2_5_vl":
        seen |= {"window_size": 28, "fullatt_block_indexes": [1]}
        return Qwen2_5_VLConfig(text_config={**text, "rope_parameters": rope}, vision_config=seen, **tokens, **named)
    seen |= {"deepstack_visual_indexes": [0, 1], "num_position_embeddings": 64}
    return Qwen3VLConfig(text_config={**text, "rope_parameters": rope}, vision_config=seen, **tokens, **named)


def _image_processor(family: str, config: Any) -> Any:
    side = {"height": SIDE_PX, "width": SIDE_PX}
    if family == "paligemma":
        made = SiglipImageProcessorPil(size=side)
        made.image_seq_length = (SIDE_PX // PATCH_PX) ** 2
        return made
    if family in ("smolvlm", "idefics3"):
        kind = SmolVLMImageProcessorPil if family == "smolvlm" else Idefics3ImageProcessorPil
        return kind(size={"longest_edge": 2 * SIDE_PX}, max_image_size={"longest_edge": SIDE_PX})
    return Qwen2VLImageProcessorPil(
        patch_size=PATCH_PX, merge_size=2, temporal_patch_size=2, min_pixels=SIDE_PX**2, max_pixels=4 * SIDE_PX**2
    )
