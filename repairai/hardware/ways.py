"""The ways to train a model for a task: which settings are tried, on any card, from the best to the most frugal."""

from __future__ import annotations

from dataclasses import dataclass, replace

from repairai.errors import RepairError
from repairai.hardware.models import Kind, find_config, kind_of
from repairai.hardware.recipe import Task
from repairai.hardware.workload import Workload

EFFECTIVE_BATCH = 16
"""Examples of which one optimizer step is made, whatever fits at once: what published recipes of these sizes use."""
LENGTH_TOKENS = 1024
SMALLER = {
    "llama": (
        "meta-llama/Llama-3.2-3B",
        "meta-llama/Llama-3.2-1B",
        "HuggingFaceTB/SmolLM2-360M",
        "HuggingFaceTB/SmolLM2-135M",
    ),
    "mistral": ("Qwen/Qwen2.5-3B", "Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-0.5B"),
    "qwen2": ("Qwen/Qwen2.5-3B", "Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-0.5B"),
    "qwen3": ("Qwen/Qwen3-4B", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-0.6B"),
    "gemma2": ("google/gemma-2-2b", "google/gemma-3-1b-pt"),
    "gemma3_text": ("google/gemma-3-1b-pt", "HuggingFaceTB/SmolLM2-360M"),
    "rt_detr": ("PekingU/rtdetr_r18vd",),
    "rt_detr_v2": ("PekingU/rtdetr_v2_r18vd",),
    "d_fine": ("ustc-community/dfine-small-coco", "ustc-community/dfine-nano-coco"),
    "grounding-dino": ("IDEA-Research/grounding-dino-tiny", "PekingU/rtdetr_v2_r18vd"),
    "paligemma": ("HuggingFaceTB/SmolVLM-500M-Instruct", "HuggingFaceTB/SmolVLM-256M-Instruct"),
    "idefics3": ("HuggingFaceTB/SmolVLM-500M-Instruct", "HuggingFaceTB/SmolVLM-256M-Instruct"),
    "smolvlm": ("HuggingFaceTB/SmolVLM-500M-Instruct", "HuggingFaceTB/SmolVLM-256M-Instruct"),
}
"""Models to go down to, largest first, by the type of the one that was asked for."""
DEFAULT: dict[Task, str] = {
    "sop": "meta-llama/Meta-Llama-3-8B",
    "detector": "PekingU/rtdetr_v2_r50vd",
    "judge": "google/paligemma-3b-pt-224",
}
PROBE_RECIPE = "training/recipes/judge_builtin_linear-probe_cpu.yaml"
TASK_OF: dict[Kind, Task] = {"language": "sop", "detector": "detector", "segmenter": "detector", "seeing": "judge"}


@dataclass(frozen=True)
class Candidate:
    """One way to train one model, before it is known what it takes.

    Args:
        title: In words.
        base: Its most frugal setting that changes nothing of what is learned.
        larger: Settings that learn the same sooner, soonest first.
        changes: What would make it smaller, each with what it is called.
    """

    title: str
    base: Workload
    larger: tuple[Workload, ...] = ()
    changes: tuple[tuple[str, Workload], ...] = ()

    @property
    def all(self) -> tuple[Workload, ...]:
        """Return every setting that may be asked for."""
        settings = (self.base, *self.larger)
        others = [work for _, work in self.changes] + [work for each in settings for _, work in otherwise(each)]
        return tuple(dict.fromkeys([*settings, *others]))


def otherwise(work: Workload) -> list[tuple[str, Workload]]:
    """Return what a setting's reasons speak of: the same with one thing changed, each with its sentence.

    In a sentence `{}` is what it would hold.
    """
    found = []
    kind = kind_of(find_config(work.model))
    if kind != "detector":
        if work.checkpointing:
            found.append(("without gradient checkpointing it would hold {}", replace(work, checkpointing=False)))
        else:
            found.append(("with gradient checkpointing, which is slower, it would hold {}", _checkpointed(work)))
        found.append(("with the scores of all words at once, as a plain loss has them, {}", replace(work, loss="full")))
        found.append((f"with {2 * work.length_tokens:,} tokens {{}}", _longer(work)))
    if work.method == "full" and kind != "detector" and not work.layerwise and work.precision == "bf16":
        master = replace(work, master_weights=True, optimizer="adamw")
        found.append(("with weights in fp32 beside these, which small learning rates are safest with, {}", master))
    if work.method == "qlora":
        found.append(("with what is not quantised raised to fp32, as older recipes do, {}", replace(work, upcast=True)))
        found.append(("with its weights in 16 bits, as plain LoRA has them, {}", replace(work, method="lora")))
    if kind == "detector":
        other, said = (
            ("full", "with the whole model trained")
            if work.method == "few_shot"
            else ("few_shot", "with its backbone frozen")
        )
        found.append((f"{said} it would hold {{}}", replace(work, method=other)))  # type: ignore[arg-type]
        found.append(("with twice as many photos at a time {}", replace(work, batch=min(2 * work.batch, 4096))))
    return found


def _checkpointed(work: Workload) -> Workload:
    return replace(work, checkpointing=True)


def candidates(
    task: Task, model: str, length_tokens: int = LENGTH_TOKENS, bf16: bool = True, cpu: bool = False
) -> list[Candidate]:
    """Return the ways to train a model for a task, the most wanted first.

    Args:
        task: Which of the three models it is to be.
        model: A name on the Hub or a folder.
        length_tokens: Of an example, for models of text.
        bf16: Whether the card computes in bfloat16; else it is float16, with adapters in float32; on a processor
            float32.
        cpu: Whether it is a processor: 4 bits and 8-bit optimizers are for GPUs.

    Raises:
        RepairError: There is no such model, or it is none for this task.
    """
    if task == "judge" and model == "builtin":
        raise RepairError(
            "a judge on the built-in backbone trains one linear layer, which runs on any processor and needs no plan",
            f"train with {PROBE_RECIPE}",
        )
    config = find_config(model)
    kind = kind_of(config)
    if task == "judge" and kind == "language" and "vision_config" in config:
        raise RepairError(
            f"what a step of {config.get('model_type')} takes is not known here, though it reads text and photos",
            f"give one such as {DEFAULT[task]} or {SMALLER['smolvlm'][0]}, or write a recipe by hand",
        )
    if TASK_OF[kind] != task:
        wanted = {"sop": "a language model", "detector": "a detector", "judge": "a model that reads text and photos"}
        raise RepairError(f"{model} is not {wanted[task]}", f"give one such as {DEFAULT[task]}")
    if kind == "segmenter":
        raise RepairError(f"{model} draws masks, and is not trained here", f"give a detector such as {DEFAULT[task]}")
    if kind == "detector":
        return _detector_ways(model)
    if cpu:
        return _processor_ways(model, length_tokens, bf16, full=kind == "language")
    return _text_ways(model, length_tokens, bf16, full=kind == "language")


def smaller_models(model: str) -> list[str]:
    """Return the models to go down to from this one."""
    kind = str(find_config(model).get("model_type"))
    row = SMALLER.get(kind, ())
    return list(row[row.index(model) + 1 :] if model in row else row)


def short(model: str) -> str:
    """Return a model's name without who published it."""
    return model.rstrip("/").rpartition("/")[2]


def _whole_batch(work: Workload) -> Workload:
    return replace(work, accumulation=max(EFFECTIVE_BATCH // work.batch, 1))


def _text_ways(model: str, length: int, bf16: bool, full: bool) -> list[Candidate]:
    precision, own = ("bf16", "bf16") if bf16 else ("fp16", "fp32")
    base = _whole_batch(
        Workload(model, length_tokens=length, precision=precision, adapter_precision=own)  # type: ignore[arg-type]
    )
    lora, qlora = replace(base, method="lora"), replace(base, method="qlora")
    whole = replace(base, method="full")
    ways = [_adapters("LoRA", lora), _adapters("QLoRA", qlora)]
    if full and bf16:
        by_layer = replace(whole, layerwise=True, optimizer="paged_adamw_8bit", accumulation=1, batch=1)
        ways += [
            Candidate(
                f"Full fine-tuning of {short(model)}",
                whole,
                (_whole_batch(replace(whole, batch=4)),),
                (("with each gradient used and dropped at once", by_layer), *_shorter(by_layer)),
            ),
            Candidate(
                f"Full fine-tuning of {short(model)}, layer by layer",
                by_layer,
                (),
                _shorter(by_layer),
            ),
        ]
    return ways


def _processor_ways(model: str, length: int, bf16: bool, full: bool) -> list[Candidate]:
    work = Workload(model, "lora", length_tokens=length, adapter_precision="fp32", optimizer="adamw")
    base = _whole_batch(replace(work, precision="bf16" if bf16 else "fp32"))
    title = f"Full fine-tuning of {short(model)}"
    return [_adapters("LoRA", base)] + [Candidate(title, replace(base, method="full"))] * full


def _adapters(name: str, base: Workload) -> Candidate:
    faster = [replace(base, batch=batch, checkpointing=False) for batch in (2, 1)]
    wider = [replace(base, batch=batch) for batch in (4, 2)]
    return Candidate(
        f"{name} of {short(base.model)}",
        base,
        tuple(map(_whole_batch, [*faster, *wider])),
        (*_in_4_bits(base), *_shorter(base)),
    )


def _in_4_bits(base: Workload) -> list[tuple[str, Workload]]:
    if base.method != "lora" or base.optimizer != "adamw_8bit":
        return []
    return [("in 4 bits (QLoRA)", replace(base, method="qlora"))]


def _shorter(base: Workload) -> tuple[tuple[str, Workload], ...]:
    least = 512 if kind_of(find_config(base.model)) == "seeing" else 128  # a photo alone takes 256 tokens
    lengths = [base.length_tokens // by for by in (2, 4) if base.length_tokens // by >= least]
    return tuple(
        (f"with {n:,} tokens instead of {base.length_tokens:,}", replace(base, length_tokens=n)) for n in lengths
    )


def _longer(work: Workload) -> Workload:
    return replace(work, length_tokens=min(2 * work.length_tokens, 2**20))


def _detector_ways(model: str) -> list[Candidate]:
    base = Workload(model, method="full", precision="fp32", optimizer="adamw", checkpointing=False, batch=1)
    size = 800 if "dino" in str(find_config(model).get("model_type")) else 640
    base = _whole_batch(replace(base, image_px=size))
    ways = []
    for title, method in (("Whole model (transfer)", "full"), ("Backbone frozen (few-shot)", "few_shot")):
        own = replace(base, method=method)  # type: ignore[arg-type]
        frozen = (("with its backbone frozen", replace(own, method="few_shot")),) if method == "full" else ()
        larger = tuple(_whole_batch(replace(own, batch=batch)) for batch in (16, 8, 4, 2))
        ways.append(Candidate(f"{title}: {short(model)}", own, larger, frozen))
    return ways


@dataclass(frozen=True)
class Rule:
    """A rule of thumb that many repeat, beside a workload that it speaks of.

    Args:
        group: What it is about.
        what: The way, in words.
        thumb: What the rule says.
        work: What is worked out beside it.
    """

    group: str
    what: str
    thumb: str
    work: Workload


def brief() -> tuple[Rule, ...]:
    """Return the rules of thumb for what fits, each with the workload that our figure beside it is of."""
    eight = {name: candidates("sop", name) for name in ("meta-llama/Meta-Llama-3-8B", "mistralai/Mistral-7B-v0.3")}
    text = [
        Rule("SOP agent", f"{way}, {short(name)}", thumb, candidate.base)
        for name, (lora, qlora, full, by_layer) in eight.items()
        for way, thumb, candidate in (
            ("full fine-tuning", "over 24 GB", full),
            ("full fine-tuning, layer by layer", "", by_layer),
            ("LoRA", "about 16 GB", lora),
            ("QLoRA", "6 to 8 GB", qlora),
        )
    ]
    r50, dino = "PekingU/rtdetr_r50vd", "IDEA-Research/grounding-dino-tiny"
    whole, frozen = (each.base for each in _detector_ways(r50))
    small = _detector_ways(dino)[1].base
    looking = Workload(r50, method="inference", precision="fp32", image_px=640)
    sight = [
        Rule(
            "Detector",
            f"transfer, {short(r50)}, 16 photos at a time",
            "12 to 24 GB",
            replace(whole, batch=16, accumulation=1),
        ),
        Rule(
            "Detector",
            f"few-shot, {short(r50)}, 16 photos at a time",
            "8 to 12 GB",
            replace(frozen, batch=16, accumulation=1),
        ),
        Rule("Detector", f"few-shot, {short(dino)}, one photo at a time", "8 to 12 GB", small),
        Rule("Detector", f"looking, {short(r50)}", "4 to 6 GB", looking),
        Rule("Detector", f"looking, {short(dino)}", "4 to 6 GB", replace(looking, model=dino, image_px=800)),
    ]
    pali, smol = "google/paligemma-3b-pt-224", "HuggingFaceTB/SmolVLM-500M-Instruct"
    answering = Workload(pali, method="inference", length_tokens=LENGTH_TOKENS, new_tokens=1)
    judge = [
        Rule("Judge", f"QLoRA, {short(pali)}", "6 to 12 GB", _text_ways(pali, LENGTH_TOKENS, True, full=False)[1].base),
        Rule("Judge", f"LoRA, {short(smol)}", "6 to 12 GB", _text_ways(smol, LENGTH_TOKENS, True, full=False)[0].base),
        Rule("Judge", f"looking in 4 bits, {short(pali)}", "4 to 6 GB", replace(answering, four_bit=True)),
    ]
    return (*text, *sight, *judge)
