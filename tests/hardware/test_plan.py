"""Plans, held to what is known of cards and models."""

from dataclasses import replace

import pytest

from repairai.errors import RepairError
from repairai.hardware.card import ORDER, Card, card_for, card_of
from repairai.hardware.past import Correction
from repairai.hardware.plan import TrainingPlan, Way, plan
from repairai.hardware.probe import probe
from repairai.hardware.profile import Gpu
from repairai.hardware.speed import Rates

LLAMA, MISTRAL = "meta-llama/Meta-Llama-3-8B", "mistralai/Mistral-7B-v0.3"
SIZES = (4, 6, 8, 10, 12, 16, 24, 48, 80)


def of(size: float, model: str = LLAMA) -> TrainingPlan:
    return plan("sop", model, card_of(size))


def way(found: TrainingPlan, title: str) -> Way:
    return next(each for each in found.ways if each.title == title)


def test_an_8b_model_on_8_gib_is_trained_in_4_bits_and_told_why():
    found = of(8)
    first = found.ways[0]
    assert (first.title, first.fit, first.work.batch) == ("QLoRA of Meta-Llama-3-8B", "fits", 1)
    assert first.work.checkpointing
    assert first.work.loss == "fused"
    assert not first.work.upcast
    said = " | ".join(first.because)
    assert "without gradient checkpointing it would hold 11.9 to 13.5 GiB (does not fit)" in said
    assert "raised to fp32" in said
    assert "2,048 tokens" in said
    lora = way(found, "LoRA of Meta-Llama-3-8B")
    assert lora.fit == "does not fit"
    assert lora.change is not None
    assert lora.change.what == "in 4 bits (QLoRA)"
    assert lora.change.fit == "fits"


def test_an_8b_model_does_not_fit_6_gib_and_a_smaller_one_is_offered():
    found = of(6)
    assert way(found, "QLoRA of Meta-Llama-3-8B").fit == "does not fit"
    assert found.ways[0].fit == "fits"
    assert found.ways[0].work.model == "meta-llama/Llama-3.2-3B"
    assert way(of(6, MISTRAL), "QLoRA of Mistral-7B-v0.3").fit in ("fits", "tight")


def test_lora_of_an_8b_model_wants_20_to_24_gib():
    assert way(of(16), "LoRA of Meta-Llama-3-8B").fit == "does not fit"
    assert way(of(18), "LoRA of Meta-Llama-3-8B").fit == "tight"
    assert way(of(20), "LoRA of Meta-Llama-3-8B").fit == "fits"
    assert of(24).ways[0].title == "LoRA of Meta-Llama-3-8B"


def test_full_fine_tuning_fits_24_gib_only_layer_by_layer():
    found = of(24)
    assert way(found, "Full fine-tuning of Meta-Llama-3-8B, layer by layer").fit == "fits"
    whole = way(found, "Full fine-tuning of Meta-Llama-3-8B")
    assert whole.fit == "does not fit"
    assert whole.change is not None
    assert "used and dropped" in whole.change.what
    change = way(of(12), "Full fine-tuning of Meta-Llama-3-8B").change
    assert change is not None
    assert change.what == "on a card with 80 GiB"


def test_a_larger_card_never_fits_less():
    plans = [of(size) for size in SIZES]
    for smaller, larger in zip(plans, plans[1:], strict=False):
        for each in smaller.ways:
            same = [other for other in larger.ways if other.title == each.title]
            assert all(ORDER.index(other.fit) <= ORDER.index(each.fit) for other in same), each.title


@pytest.mark.parametrize("size", SIZES)
def test_what_fits_comes_first_and_nothing_that_fits_holds_more_than_is_free(size: float):
    found = of(size)
    assert [ORDER.index(each.fit) for each in found.ways] == sorted(ORDER.index(each.fit) for each in found.ways)
    for each in found.ways:
        low, high = each.held_gib
        assert 0 < each.tensors_gib < low < high
        assert sum(each.terms_gib.values()) == pytest.approx(high)
        assert (each.fit == "fits") == (high <= found.card.free_gib) or each.fit == "elsewhere"
        assert (each.change is None) == (each.fit != "does not fit")
        assert each.because


@pytest.mark.parametrize(
    ("task", "model"), [("detector", "PekingU/rtdetr_v2_r50vd"), ("judge", "google/paligemma-3b-pt-224")]
)
def test_detector_and_judge_are_planned_too(task, model: str):
    found = plan(task, model, card_of(8))
    assert found.ways[0].fit == "fits"
    recipe = found.recipe()
    assert recipe.task == task
    assert recipe.step.batch * recipe.step.accumulation >= 16


def test_hours_come_from_what_the_card_was_measured_to_do_and_past_runs_correct_them():
    rates = Rates("card", {"bf16": 5e13, "fp16": 5e13, "fp32": 1e13}, 4e11)
    card = Card("card", 12.0, here=True, rates=rates)
    low, high = plan("sop", LLAMA, card).ways[0].hours or (0, 0)
    assert 0 < low < high < 50
    slower = plan("sop", LLAMA, replace(card, past=Correction(5, 1.1, 2.0))).ways[0]
    assert slower.hours == pytest.approx((2 * low, 2 * high)) or slower.work != plan("sop", LLAMA, card).ways[0].work
    assert way(plan("sop", LLAMA, replace(card, past=Correction(5, 1.1, 1.0))), slower.title).tensors_gib > 0
    assert of(12).ways[0].hours is None


def test_disk_that_is_too_small_is_told():
    card = Card("card", 80.0, here=False, disk_gib=20.0)
    full = way(plan("sop", LLAMA, card), "Full fine-tuning of Meta-Llama-3-8B")
    assert full.fit == "fits"
    assert "it wants 105 GiB of disk, of which 20 are free" in full.because
    assert not any("of disk" in said for said in way(plan("sop", LLAMA, card), "LoRA of Meta-Llama-3-8B").because)


def test_a_card_that_has_no_bfloat16_is_planned_for_in_float16():
    found = plan("sop", "HuggingFaceTB/SmolLM2-135M", Card("old", 4.0, bf16=False), length_tokens=256)
    assert {each.work.precision for each in found.ways if each.fit != "elsewhere"} == {"fp16"}


def test_a_way_becomes_a_recipe_only_where_it_can_be_run():
    found = of(8)
    recipe = found.recipe()
    assert recipe.step == found.ways[0].work
    assert recipe.forecast is not None
    assert recipe.forecast.held_gib[1] <= recipe.forecast.free_gib
    with pytest.raises(RepairError, match="does not fit"):
        found.recipe(len(found.ways) - 1)
    elsewhere = next(n for n, each in enumerate(found.ways) if each.fit == "elsewhere")
    with pytest.raises(RepairError, match="does not fit"):
        found.recipe(elsewhere)
    with pytest.raises(RepairError, match="there is no way 100"):
        found.recipe(99)


@pytest.mark.parametrize("size", [0, -3, 0.1, 1e9, float("nan"), float("inf")])
def test_a_card_that_cannot_be_is_refused(size: float):
    with pytest.raises(RepairError, match="there is no card"):
        card_of(size)


@pytest.mark.parametrize(
    ("task", "model", "said"),
    [
        ("detector", LLAMA, "is not a detector"),
        ("sop", "PekingU/rtdetr_r18vd", "is not a language model"),
        ("judge", LLAMA, "reads text and photos"),
        ("detector", "facebook/sam2.1-hiera-tiny", "not trained here"),
    ],
)
def test_a_model_for_another_task_is_refused(task, model: str, said: str):
    with pytest.raises(RepairError, match=said):
        plan(task, model, card_of(8))


def test_the_card_here_is_the_one_with_most_memory_free():
    gpus = (
        Gpu("nvidia", "small", 8.0, 7.0),
        Gpu("nvidia", "large", 24.0, 6.0, bf16=True),
        Gpu("amd", "red", 16.0, 16.0),
    )
    profile = replace(probe(), gpus=gpus)
    assert card_for(None, profile) == Card(
        "small", 7.0, bf16=False, here=True, disk_gib=min(room.free_gib for room in profile.rooms)
    )
    assert card_for(12, profile) == card_of(12)
    processor = card_for(None, replace(profile, gpus=gpus[2:]))
    assert processor.device == "cpu"
    assert processor.free_gib == profile.ram_free_gib
