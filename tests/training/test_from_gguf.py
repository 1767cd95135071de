"""A model in a GGUF file becomes a folder that can be trained on: the same model, where no bits were lost."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter, quants
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from repairai.errors import RepairError
from tests.training.tiny import save_tiny
from training.from_gguf import from_gguf, main, read_header

NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
KIND = {"f32": None, "q8_0": GGMLQuantizationType.Q8_0}


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp keeps the halves of each head's rotation side by side."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(model: Path, file: Path, kind: str = "f32", factors: np.ndarray | None = None, parts: int = 0) -> Path:
    """Write a tiny Llama as llama.cpp's converter does."""
    whole = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    config, spelled = whole.config, json.loads((model / "tokenizer.json").read_text())
    writer = GGUFWriter(file, "llama")
    writer.add_name("Tiny Llama")
    writer.add_string("general.license", "apache-2.0")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    vocabulary = spelled["model"]["vocab"]
    special = {token["content"] for token in spelled["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in special else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in spelled["model"]["merges"]])
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_pad_token_id(config.pad_token_id)
    writer.add_chat_template(AutoTokenizer.from_pretrained(model).chat_template)
    if parts:
        writer.add_uint16("split.count", parts)
    if factors is not None:
        writer.add_tensor("rope_freqs.weight", factors.astype(np.float32))
    for name, tensor in whole.state_dict().items():
        add(writer, name, tensor.numpy(), config, KIND[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def add(writer: GGUFWriter, name: str, tensor: np.ndarray, config: LlamaConfig, kind: GGMLQuantizationType | None):
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for part, count in heads.items():
        if part in name:
            tensor = permuted(tensor, count)
    if name.startswith("model.layers."):
        _, _, layer, rest = name.split(".", 3)
        name = f"blk.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"
    name = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
            "lm_head.weight": "output.weight"}.get(name, name)  # fmt: skip
    if kind is None or tensor.ndim == 1:
        writer.add_tensor(name, np.ascontiguousarray(tensor))
    else:
        writer.add_tensor(name, quants.quantize(np.ascontiguousarray(tensor), kind), raw_dtype=kind)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


def scores(folder: Path) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        return model(torch.arange(40)[None]).logits


def test_a_gguf_file_becomes_the_same_model_with_its_tokenizer(tiny, tmp_path, capsys):
    file = write_gguf(tiny, tmp_path / "tiny.gguf")
    made = tmp_path / "made"
    main([str(file), str(made)])
    assert capsys.readouterr().out.strip() == str(made)
    original = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.bfloat16)
    loaded = AutoModelForCausalLM.from_pretrained(made, dtype=torch.bfloat16)
    assert type(loaded) is LlamaForCausalLM
    for name, weight in original.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    before, after = AutoTokenizer.from_pretrained(tiny), AutoTokenizer.from_pretrained(made)
    turns = [{"role": "user", "content": "Remove the 3 screws."}]
    written = before.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    assert after.apply_chat_template(turns, add_generation_prompt=True, tokenize=False) == written
    assert after(written)["input_ids"] == before(written)["input_ids"]
    assert (after.eos_token, after.pad_token, after.model_max_length) == ("<|end|>", "<pad>", 512)
    assert "license: apache-2.0" in (made / "README.md").read_text()
    assert "quantization_config" not in json.loads((made / "config.json").read_text())
    assert not list(tmp_path.glob(".made*"))


def test_weights_in_eight_bits_are_filled_up(tiny, tmp_path):
    made = from_gguf(write_gguf(tiny, tmp_path / "tiny.gguf", "q8_0"), tmp_path / "made")
    assert torch.allclose(scores(made), scores(tiny), atol=0.02)


def test_stretched_positions_are_those_of_llama_3(tiny, tmp_path):
    config = LlamaConfig.from_pretrained(tiny)
    config.rope_parameters = {
        "rope_type": "llama3", "rope_theta": 10000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }  # fmt: skip
    plain = LlamaForCausalLM(LlamaConfig.from_pretrained(tiny)).model.rotary_emb.inv_freq
    stretched = LlamaForCausalLM(config).model.rotary_emb.inv_freq
    file = write_gguf(tiny, tmp_path / "tiny.gguf", factors=(plain / stretched).numpy())
    made = from_gguf(file, tmp_path / "made")
    got = AutoModelForCausalLM.from_pretrained(made).model.rotary_emb.inv_freq
    assert torch.allclose(got, stretched)


def test_positions_stretched_otherwise_are_refused(tiny, tmp_path):
    file = write_gguf(tiny, tmp_path / "tiny.gguf", factors=np.linspace(1, 3, 8))
    with pytest.raises(RepairError, match="tiny.gguf stretches its positions in a way that is not Llama 3's"):
        from_gguf(file, tmp_path / "made")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), (b"PK\x03\x04zip", "is no GGUF file"), (b"GGUF\x03", "damaged GGUF file")],
)
def test_what_is_no_gguf_file_is_one_sentence(content, said, tmp_path, capsys):
    file = tmp_path / "model.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main([str(file), str(tmp_path / "made")])
    assert ended.value.code == 2
    words = capsys.readouterr().err
    assert said in words
    assert words.count("\n") == 1
    assert not (tmp_path / "made").exists()


def test_a_part_of_a_model_is_refused(tiny, tmp_path):
    file = write_gguf(tiny, tmp_path / "tiny-00001-of-00003.gguf", parts=3)
    assert read_header(file).parts == 3
    with pytest.raises(RepairError, match="one of 3 parts of a model; join them"):
        from_gguf(file, tmp_path / "made")


def test_a_family_that_cannot_be_read_is_named(tmp_path):
    writer = GGUFWriter(tmp_path / "odd.gguf", "rwkv7")
    writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    told: list[str] = []
    with pytest.raises(RepairError, match="rwkv7"):
        from_gguf(tmp_path / "odd.gguf", tmp_path / "made", told.append)
    assert "no chat template" in told[0]


def test_a_folder_that_holds_something_is_left_alone(tiny, tmp_path):
    file = write_gguf(tiny, tmp_path / "tiny.gguf")
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine.txt").write_text("mine")
    with pytest.raises(RepairError, match="is there already"):
        from_gguf(file, tmp_path / "made")
    assert [each.name for each in (tmp_path / "made").iterdir()] == ["mine.txt"]
