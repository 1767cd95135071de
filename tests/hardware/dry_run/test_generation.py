"""Answers of language models on tensors without data, held to answers with data."""

from dataclasses import replace
from typing import Any

import pytest

from repairai.hardware.workload import Workload

torch = pytest.importorskip("torch")

from repairai.hardware.dry_run.allocator import Peak, replay  # noqa: E402
from repairai.hardware.dry_run.generation import Answer, demand  # noqa: E402
from repairai.hardware.dry_run.language import settings_for  # noqa: E402
from repairai.hardware.dry_run.trace import layers_needed, unroll  # noqa: E402
from repairai.hardware.dry_run.tracer import Tracer  # noqa: E402

TINY = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 8,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 500,
}  # fmt: skip
SMALL = Workload("tiny", "inference", batch=2, length_tokens=300, new_tokens=40, precision="fp32")
FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text")


def config_of(kind: str) -> dict[str, Any]:
    config = {**TINY, "model_type": kind}
    if kind == "gemma2":
        config |= {"sliding_window": 32}
    if kind == "gemma3_text":
        config |= {"num_hidden_layers": 16, "sliding_window": 32}
    return config


def peak(parts: Any) -> Peak:
    return replay(event for part in parts for event in part.events)


@pytest.mark.parametrize(
    ("kind", "four_bit"), [*((kind, False) for kind in FAMILIES), ("llama", True), ("gemma2", True)]
)
def test_unrolled_is_as_if_all_layers_had_run(kind: str, four_bit: bool):
    config, work = config_of(kind), replace(SMALL, four_bit=four_bit)
    layers = config["num_hidden_layers"]
    period = {"gemma2": 2, "gemma3_text": 6}.get(kind, 1)
    ran = layers_needed(layers, period)
    short = unroll(Answer(work, settings_for(config, work), ran).run(), ran, layers, period)
    whole = Answer(work, settings_for(config, work), layers).run()
    assert ran < layers
    assert peak(short) == peak(whole)
    assert sum(part.flops for part in short) == sum(part.flops for part in whole)


@pytest.mark.parametrize(
    ("kind", "new_tokens"), [*((kind, 12) for kind in FAMILIES), ("llama", 1), ("gemma2", 1), ("gemma2", 2)]
)
def test_generate_with_data_takes_what_the_dry_run_says(kind: str, new_tokens: int):
    from transformers import AutoConfig, AutoModelForCausalLM

    work = replace(SMALL, new_tokens=new_tokens, batch=1)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config_of(kind))).eval()
    tracer = Tracer()
    for each in [*model.parameters(), *model.buffers()]:
        tracer.hold(each, "weights")
    ids = torch.ones(work.batch, work.length_tokens, dtype=torch.long)
    tracer.hold(ids, "activations")
    with tracer:
        model.generate(ids, max_new_tokens=new_tokens, min_new_tokens=new_tokens, do_sample=False, pad_token_id=0)
    real, dry = peak(tracer.parts), demand(work, config_of(kind))
    assert dry.allocated - dry.terms["workspace"] == pytest.approx(real.allocated, rel=0.01)


def test_more_takes_more():
    base = demand(SMALL, TINY)

    def of(**changes: Any) -> Any:
        return demand(replace(SMALL, **changes), TINY)

    assert of(batch=8).allocated > base.allocated
    assert of(length_tokens=600).allocated > base.allocated
    assert of(new_tokens=3000).terms["cache"] > base.terms["cache"]
    assert of(new_tokens=80).flops > base.flops
    assert of(precision="bf16").resident < base.resident
    assert of(four_bit=True).resident < base.resident
    assert base.trained == 0
    assert base.parameters == of(four_bit=True).parameters


def test_training_is_refused():
    with pytest.raises(ValueError, match="need the method inference, got 'lora'"):
        demand(replace(SMALL, method="lora"), TINY)
