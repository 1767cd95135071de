"""Models that see and speak on tensors without data, held to steps and answers with data."""

from dataclasses import replace
from typing import Any

import pytest

from repairai.hardware.workload import Workload

torch = pytest.importorskip("torch")

from repairai.hardware.dry_run.allocator import Peak, replay  # noqa: E402
from repairai.hardware.dry_run.language import settings_for  # noqa: E402
from repairai.hardware.dry_run.trace import layers_needed, unroll  # noqa: E402
from repairai.hardware.dry_run.tracer import Tracer  # noqa: E402
from repairai.hardware.dry_run.vision_language import (  # noqa: E402
    SeeingAnswer,
    SeeingStep,
    demand,
    photo_tokens,
    tiles,
)

TEXT = {
    "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 8, "num_attention_heads": 4,
    "num_key_value_heads": 4, "head_dim": 16, "vocab_size": 500, "max_position_embeddings": 512,
}  # fmt: skip
TOWER = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32,
    "patch_size": 8,
}  # fmt: skip
TINY: dict[str, dict[str, Any]] = {
    "paligemma": {
        "model_type": "paligemma", "projection_dim": 64, "image_token_id": 499, "vocab_size": 500,
        "text_config": {"model_type": "gemma", **TEXT},
        "vision_config": {"model_type": "siglip_vision_model", "vision_use_head": False, **TOWER},
    },
    "paligemma2": {
        "model_type": "paligemma", "projection_dim": 64, "image_token_id": 499, "vocab_size": 500,
        "text_config": {"model_type": "gemma2", "sliding_window": 24, **TEXT},
        "vision_config": {"model_type": "siglip_vision_model", "vision_use_head": False, **TOWER},
    },
    "smolvlm": {
        "model_type": "smolvlm", "scale_factor": 2, "image_token_id": 499,
        "text_config": {"model_type": "llama", **TEXT},
        "vision_config": {"model_type": "smolvlm_vision", **TOWER},
    },
}  # fmt: skip
LORA = Workload(
    "tiny", "lora", batch=2, length_tokens=60, image_px=64, rank=4, precision="fp32", adapter_precision="fp32",
    optimizer="adamw", loss="full", autocast=False,
)  # fmt: skip
QLORA = replace(LORA, method="qlora", loss="fused", autocast=True, precision="bf16")
ANSWER = replace(LORA, method="inference", new_tokens=12)


def peak(parts: Any) -> Peak:
    return replay(event for part in parts for event in part.events)


@pytest.mark.parametrize(
    ("kind", "work"),
    [("paligemma2", LORA), ("smolvlm", QLORA), *((kind, ANSWER) for kind in TINY)],
    ids=lambda each: each if isinstance(each, str) else each.method,
)
def test_unrolled_is_as_if_all_layers_had_run(kind: str, work: Workload):
    run = SeeingAnswer if work.method == "inference" else SeeingStep
    period = 2 if kind == "paligemma2" else 1
    ran = layers_needed(8, period)
    short = unroll(run(work, settings_for(TINY[kind], work), ran).run(), ran, 8, period)
    whole = run(work, settings_for(TINY[kind], work), 8).run()
    assert ran < 8
    assert peak(short) == peak(whole)
    assert sum(part.flops for part in short) == sum(part.flops for part in whole)


def model_of(kind: str) -> Any:
    from transformers import AutoConfig, AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_config(AutoConfig.for_model(**TINY[kind]))


def photo_and_question(work: Workload, model: Any) -> dict[str, Any]:
    ids = torch.ones(work.batch, work.length_tokens, dtype=torch.long)
    ids[:, : photo_tokens(work, model.config)] = 499
    if model.config.model_type == "paligemma":
        return {
            "input_ids": ids, "pixel_values": torch.rand(work.batch, 3, 32, 32),
            "token_type_ids": torch.zeros_like(ids),
        }  # fmt: skip
    return {"input_ids": ids, "pixel_values": torch.rand(work.batch, tiles(work, model.config), 3, 32, 32)}


def held(*tensors: Any) -> Tracer:
    tracer = Tracer()
    for each in tensors:
        tracer.hold(each, "weights")
    return tracer


@pytest.mark.parametrize(
    ("kind", "checkpointing"), [("smolvlm", False), ("smolvlm", True), ("paligemma", True), ("paligemma2", False)]
)
def test_a_step_with_data_takes_what_the_dry_run_says(kind: str, checkpointing: bool):
    peft = pytest.importorskip("peft")
    work = replace(LORA, checkpointing=checkpointing)
    model = model_of(kind)
    model.config.use_cache = model.config.get_text_config().use_cache = False
    inputs = photo_and_question(work, model)
    which = r".*(language|text)_model\.layers\.\d+\..*(proj)$"
    wrapped = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules=which, lora_dropout=0.0)).train()
    if checkpointing:
        wrapped.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        wrapped.enable_input_require_grads()
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], fused=True)
    tracer = held(*wrapped.parameters(), *wrapped.buffers(), *inputs.values())
    with tracer:
        for _ in range(2):
            loss = wrapped(**inputs, labels=inputs["input_ids"]).loss
            loss.backward()
            del loss
            optimizer.step()
            optimizer.zero_grad()
        tracer.enter("over")
    real, dry = peak(tracer.parts[:-1]), demand(work, TINY[kind])
    assert dry.allocated - dry.terms["workspace"] == pytest.approx(real.allocated, rel=0.01)
    assert dry.trained == wrapped.get_nb_trainable_parameters()[0]


@pytest.mark.parametrize("kind", TINY)
def test_generate_with_data_takes_what_the_dry_run_says(kind: str):
    model = model_of(kind).eval()
    inputs = photo_and_question(ANSWER, model)
    tracer = held(*model.parameters(), *model.buffers(), *inputs.values())
    with tracer:
        model.generate(**inputs, max_new_tokens=12, min_new_tokens=12, do_sample=False, pad_token_id=0)
    real, dry = peak(tracer.parts), demand(ANSWER, TINY[kind])
    assert dry.allocated - dry.terms["workspace"] == pytest.approx(real.allocated, rel=0.01)


def test_more_takes_more():
    base = demand(LORA, TINY["smolvlm"])

    def of(**changes: Any) -> Any:
        return demand(replace(LORA, **changes), TINY["smolvlm"])

    assert of(batch=4).allocated > base.allocated
    assert base.parameters > of(method="full").trained > base.trained > 0
    assert of(checkpointing=False).terms["activations"] > base.terms["activations"]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="need a model that sees of one of the families paligemma"):
        demand(LORA, {"model_type": "llama"})
    with pytest.raises(ValueError, match="got 'few_shot'"):
        demand(replace(LORA, method="few_shot"), TINY["smolvlm"])
    with pytest.raises(ValueError, match="need length_tokens above the 20 that a photo of 64 px takes, got 20"):
        demand(replace(LORA, length_tokens=20), TINY["smolvlm"])
