"""Training steps of language models on tensors without data, held to measured ones and to the libraries."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from repairai.hardware.workload import Demand, Workload

torch = pytest.importorskip("torch")

from repairai.hardware.dry_run.allocator import replay  # noqa: E402
from repairai.hardware.dry_run.language import Step, demand, settings_for  # noqa: E402
from repairai.hardware.dry_run.trace import EDGES, layers_needed, unroll  # noqa: E402

MEASURED = json.loads((Path(__file__).parents[3] / "benchmarks" / "measured_steps.json").read_text())
MIB = 2**20
TINY = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 9,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 500, "tie_word_embeddings": False,
}  # fmt: skip
SMALL = Workload("tiny", batch=2, length_tokens=48, rank=4)
METHODS = [
    SMALL,
    replace(SMALL, loss="full", checkpointing=False),
    replace(SMALL, method="lora", attention="eager", optimizer="adamw", adapter_precision="fp32"),
    replace(SMALL, method="full", accumulation=4),
    replace(SMALL, method="full", master_weights=True, optimizer="adamw"),
    replace(SMALL, method="full", layerwise=True, optimizer="paged_adamw_8bit"),
]


def measured(row: dict[str, Any]) -> tuple[Workload, dict[str, Any]]:
    """The step of a cited run."""
    quantised = row["method"] == "qlora"
    work = Workload(
        row["model"], row["method"], batch=row["batch"], length_tokens=row["length_tokens"], rank=row["rank"],
        attention=row["attention"], optimizer="adamw", loss="full_kept", targets="attention", precision="fp16",
        adapter_precision="fp32", double_quant=False, upcast=quantised, autocast=False,
    )  # fmt: skip
    return work, MEASURED["shapes"][row["model"]]


def test_cited_runs_come_out_as_they_were_measured():
    found = [(row, demand(*measured(row))) for row in MEASURED["rows"]]
    errors = [abs(each.allocated / MIB / row["allocated_mib"] - 1) for row, each in found]
    assert sum(errors) / len(errors) <= 0.004
    assert max(errors) <= 0.01


FAMILIES = ("llama", "qwen2", "mistral", "gemma2", "gemma3_text", "qwen3")


@pytest.mark.parametrize(
    ("work", "kind"),
    [(work, "llama") for work in METHODS] + [(METHODS[i % 4], kind) for i, kind in enumerate(FAMILIES[1:])],
    ids=lambda each: each if isinstance(each, str) else f"{each.method}-{each.loss}-{each.optimizer}",
)
def test_unrolled_is_as_if_all_layers_had_run(work: Workload, kind: str):
    config = {**TINY, "model_type": kind, "head_dim": 16}
    if kind == "gemma3_text":
        config |= {"num_hidden_layers": 22, "sliding_window": 16}
    settings = settings_for(config, work)
    layers = settings.num_hidden_layers
    period = 1 if not getattr(settings, "layer_types", None) else {"gemma2": 2, "gemma3_text": 6}.get(kind, 1)
    whole = Step(work, settings_for(config, work), layers).run()
    for edge in EDGES if work.checkpointing else EDGES[1:]:
        ran = layers_needed(layers, period, edge)
        short = unroll(Step(work, settings_for(config, work), ran).run(), ran, layers, period, edge)
        assert ran < layers
        assert events_peak(short) == events_peak(whole)
        assert sum(part.flops for part in short) == sum(part.flops for part in whole)


def events_peak(parts: Any) -> object:
    return replay(event for part in parts for event in part.events)


def test_more_takes_more():
    base = demand(SMALL, TINY)

    def of(**changes: Any) -> Demand:
        return demand(replace(SMALL, **changes), TINY)

    assert of(batch=4).allocated > base.allocated
    assert of(length_tokens=96).allocated > base.allocated
    assert of(rank=16).trained == 4 * base.trained
    assert of(checkpointing=False).allocated > base.allocated
    assert of(upcast=True).resident > base.resident
    assert of(method="lora").resident > base.resident
    assert of(method="full").trained == base.parameters
    assert of(accumulation=2).flops == of(accumulation=16).flops == base.flops, "they are those of one batch"
    assert of(method="full", optimizer="adamw").terms["optimizer"] > of(method="full").terms["optimizer"]


def test_scores_of_words_are_a_term_of_their_own():
    wide = {**TINY, "vocab_size": 60_000}
    plain, fused = (demand(replace(SMALL, loss=loss), wide) for loss in ("full", "fused"))
    n = SMALL.batch * SMALL.length_tokens * 60_000
    assert plain.terms["logits"] > 10 * n, "in fp32, their softmax and their gradient"
    assert plain.terms["logits"] > 5 * fused.terms.get("logits", 0)


def test_parameters_are_those_of_the_model():
    from transformers import AutoConfig, AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**TINY))
    n = sum(parameter.numel() for parameter in model.parameters())
    assert demand(SMALL, TINY).parameters == n
    assert demand(replace(SMALL, method="full"), TINY).parameters == n


def test_adapters_are_those_of_peft():
    peft = pytest.importorskip("peft")
    from transformers import AutoConfig, AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**TINY))
    wrapped = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    trained, _ = wrapped.get_nb_trainable_parameters()
    assert demand(SMALL, TINY).trained == trained


def test_a_step_on_real_tensors_takes_what_the_dry_run_says():
    """The same step with data, LoRA by PEFT and all: every tensor counted as it begins and ends."""
    peft = pytest.importorskip("peft")
    from transformers import AutoConfig, AutoModelForCausalLM

    from repairai.hardware.dry_run.tracer import Tracer

    work = replace(
        SMALL, method="lora", precision="fp32", adapter_precision="fp32", optimizer="adamw", loss="full", autocast=False
    )
    settings = AutoConfig.for_model(**TINY)
    settings.use_cache = False
    model = AutoModelForCausalLM.from_config(settings)
    options = peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", lora_dropout=0.0)
    wrapped = peft.get_peft_model(model, options).train()
    wrapped.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    wrapped.enable_input_require_grads()
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], fused=True)
    tracer = Tracer()
    for each in [*wrapped.parameters(), *wrapped.buffers()]:
        tracer.hold(each, "weights")
    ids = torch.zeros(work.batch, work.length_tokens, dtype=torch.long)
    tracer.hold(ids, "activations")
    with tracer:
        for _ in range(2):
            loss = wrapped(input_ids=ids, labels=ids).loss
            loss.backward()
            del loss
            optimizer.step()
            optimizer.zero_grad()
        tracer.enter("over")
    real = replay(event for part in tracer.parts[:-1] for event in part.events)
    dry = demand(work, TINY)
    assert dry.allocated - dry.terms["workspace"] == pytest.approx(real.allocated, rel=0.01)
