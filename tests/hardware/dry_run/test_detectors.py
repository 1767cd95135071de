"""Detectors on tensors without data, held to the same steps with data."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from repairai.hardware.workload import Demand, Workload

torch = pytest.importorskip("torch")

import transformers.loss.loss_rt_detr as loss_rt_detr  # noqa: E402

from repairai.hardware.dry_run.allocator import Peak, replay  # noqa: E402
from repairai.hardware.dry_run.detectors import Step, demand  # noqa: E402
from repairai.hardware.dry_run.tracer import Tracer  # noqa: E402

SHAPES = Path(__file__).parents[3] / "repairai" / "hardware" / "shapes_vision.json"
SMALL = Workload("tiny", "full", batch=2, image_px=96, boxes=3, precision="fp32", optimizer="adamw")
RESNET = {
    "model_type": "rt_detr_resnet", "layer_type": "basic", "depths": [1, 1, 1, 1], "hidden_sizes": [16, 16, 32, 32],
    "embedding_size": 16, "out_features": ["stage2", "stage3", "stage4"],
}  # fmt: skip
NECK = {
    "encoder_hidden_dim": 32, "encoder_ffn_dim": 64, "encoder_attention_heads": 2, "d_model": 32,
    "decoder_in_channels": [32, 32, 32], "decoder_ffn_dim": 64, "decoder_layers": 2, "decoder_attention_heads": 2,
    "num_queries": 30, "num_denoising": 10, "hidden_expansion": 0.5, "num_labels": 5,
}  # fmt: skip
HGNET = {
    "model_type": "hgnet_v2", "stem_channels": [3, 8, 8], "stage_in_channels": [8, 16, 24, 32],
    "stage_mid_channels": [8, 8, 8, 8], "stage_out_channels": [16, 24, 32, 40], "stage_num_blocks": [1, 1, 1, 1],
    "stage_numb_of_layers": [1, 1, 1, 1], "hidden_sizes": [16, 24, 32, 40], "out_indices": [2, 3, 4],
}  # fmt: skip
SWIN = {
    "model_type": "swin", "image_size": 96, "embed_dim": 16, "depths": [1, 1, 2, 1], "num_heads": [1, 2, 2, 2],
    "window_size": 3, "out_indices": [2, 3, 4],
}  # fmt: skip
BERT = {
    "model_type": "bert", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 64,
}  # fmt: skip
OPEN = {
    "backbone_config": SWIN, "text_config": BERT, "d_model": 32, "encoder_layers": 2, "encoder_ffn_dim": 64,
    "encoder_attention_heads": 2, "decoder_layers": 2, "decoder_ffn_dim": 64, "decoder_attention_heads": 2,
    "num_queries": 20,
}  # fmt: skip
TINY: dict[str, dict[str, Any]] = {
    "rt_detr": {"backbone_config": RESNET, "encoder_in_channels": [16, 32, 32], **NECK},
    "rt_detr_v2": {"backbone_config": RESNET, "encoder_in_channels": [16, 32, 32], **NECK},
    "d_fine": {"backbone_config": HGNET, "encoder_in_channels": [24, 32, 40], **NECK},
    "grounding-dino": OPEN,
}
TINY = {kind: {"model_type": kind, **config} for kind, config in TINY.items()}
SAM = {
    "model_type": "sam2",
    "vision_config": {
        "backbone_config": {
            "model_type": "sam2_hiera_det_model", "hidden_size": 16, "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [16, 32, 64, 128], "global_attention_blocks": [3],
        },
        "backbone_channel_list": [128, 64, 32, 16],
    },
}  # fmt: skip


def peak(parts: Any) -> Peak:
    return replay(event for part in parts for event in part.events)


@pytest.mark.parametrize(
    ("kind", "method"),
    [("rt_detr", "full"), ("d_fine", "full"), ("grounding-dino", "full"), ("rt_detr_v2", "few_shot"),
     *((kind, "inference") for kind in TINY)],
)  # fmt: skip
def test_tensors_with_data_take_what_those_without_do(kind: str, method: Any):
    work = replace(SMALL, method=method)
    dry, real = (peak(Step(work, TINY[kind]).run(data=data)) for data in (False, True))
    assert dry.allocated == pytest.approx(real.allocated, rel=0.001)
    assert dry.reserved == real.reserved


def test_a_training_with_data_takes_what_the_dry_run_says():
    """As `training.detector_train` does it: AdamW over all weights, and a running mean of them."""
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
    from transformers import AutoConfig, AutoModelForObjectDetection

    model = AutoModelForObjectDetection.from_config(AutoConfig.for_model(**TINY["rt_detr_v2"])).train()
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), foreach=True)
    tracer = Tracer()
    for each in [*model.parameters(), *model.buffers(), *mean.module.parameters(), *mean.module.buffers()]:
        tracer.hold(each, "weights")
    photos = torch.rand(2, 3, 96, 96)
    labels = [{"class_labels": torch.tensor([0, 1, 2]), "boxes": torch.rand(3, 4) * 0.3 + 0.1} for _ in range(2)]
    tracer.hold(photos, "activations")
    with tracer:
        for _ in range(2):
            model(pixel_values=photos, labels=labels).loss.backward()
            optimizer.step()
            mean.update_parameters(model)
            optimizer.zero_grad()
        tracer.enter("over")
    dry = demand(SMALL, TINY["rt_detr_v2"])
    assert dry.allocated - dry.terms["workspace"] == pytest.approx(peak(tracer.parts[:-1]).allocated, rel=0.01)


def test_more_takes_more():
    def of(**changes: Any) -> Demand:
        return demand(replace(SMALL, **changes), TINY["rt_detr_v2"])

    base, frozen, answer = of(), of(method="few_shot"), of(method="inference")
    assert base.allocated > frozen.allocated > answer.allocated
    assert of(method="inference", batch=8).allocated > answer.allocated
    assert base.flops > answer.flops
    assert base.trained > frozen.trained > answer.trained == 0
    assert base.parameters == answer.parameters
    assert base.terms["running mean"] == base.terms["weights"]
    assert "running mean" not in answer.terms
    assert of(precision="bf16").terms["activations"] != base.terms["activations"]


def test_each_box_adds_to_what_sam_takes():
    work = replace(SMALL, method="inference", batch=1)
    one, five = (demand(replace(work, boxes=boxes), SAM) for boxes in (1, 5))
    assert five.allocated > one.allocated
    assert five.parameters == one.parameters
    assert demand(work, {**SAM, "model_type": "sam2_video"}) == demand(work, SAM)


def test_nothing_stays_behind():
    before = loss_rt_detr.linear_sum_assignment, torch.nn.Module.to
    demand(SMALL, TINY["rt_detr"])
    assert (loss_rt_detr.linear_sum_assignment, torch.nn.Module.to) == before
    answer = replace(SMALL, method="inference")
    first = demand(answer, TINY["rt_detr"])
    Step(answer, TINY["rt_detr"]).run(data=True)  # tensors without data, if remembered, would not mix with these
    assert demand(answer, TINY["rt_detr"]) == first


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="need a detector of one of the families rt_detr, .*, got 'llama'"):
        demand(SMALL, {"model_type": "llama"})
    with pytest.raises(ValueError, match="need sam2 with the method inference, got 'full'"):
        demand(SMALL, SAM)
    with pytest.raises(ValueError, match="need d_fine with the method full or few_shot or inference, got 'qlora'"):
        demand(replace(SMALL, method="qlora"), TINY["d_fine"])


def numbers(config: dict[str, Any]) -> int:
    """How many numbers a whole model has; of SAM 2, with what it keeps of videos."""
    from transformers import AutoConfig, AutoModel, AutoModelForImageTextToText, AutoModelForObjectDetection
    from transformers import AutoModelForZeroShotObjectDetection as AutoModelOfWords
    from transformers.initialization import no_init_weights

    kind = config["model_type"]
    if kind == "sam2":
        config = {**config, "model_type": "sam2_video"}
    heads = {"rt_detr": AutoModelForObjectDetection, "rt_detr_v2": AutoModelForObjectDetection}
    heads |= {"d_fine": AutoModelForObjectDetection, "grounding-dino": AutoModelOfWords, "sam2": AutoModel}
    with torch.device("meta"), no_init_weights():
        model = heads.get(kind, AutoModelForImageTextToText).from_config(AutoConfig.for_model(**config))
    model.tie_weights()
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("shape", json.loads(SHAPES.read_text())["models"], ids=lambda shape: shape["names"][0])
def test_public_shapes_have_as_many_numbers_as_their_pages_say(shape: dict[str, Any]):
    said = shape["parameters_b"]
    digits = len(str(said).split(".")[1])
    assert abs(numbers(shape["config"]) / 1e9 - said) < 10**-digits
