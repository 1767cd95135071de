"""The trainer computes TRL's loss, tries the worst step without a trace, and knows each recipe's optimizer."""

from dataclasses import replace

import pytest
import torch
from trl import SFTTrainer

from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from tests.training.tiny import save_tiny, write_data
from training.sop.examples import read_examples
from training.sop.model import load_base
from training.sop.rows import rows
from training.sop.tokens import tokens
from training.sop.trainer import make_trainer

STEP = Workload(
    "tiny", "lora", batch=2, accumulation=1, length_tokens=96, checkpointing=False, optimizer="adamw",
    precision="fp32", adapter_precision="fp32", rank=4,
)  # fmt: skip
RECIPE = Recipe("sop", STEP, 1.0, 1e-3, patience=0)


def trainer_of(tmp_path, recipe: Recipe, family: str = "llama"):
    folder = save_tiny(tmp_path / "m", family)
    four_bit = recipe.step.method == "qlora"
    model, tokenizer = load_base(str(folder), precision=recipe.step.precision, four_bit=four_bit)
    examples = read_examples(write_data(tmp_path / "data") / "train.jsonl")
    made = [tokens(each, tokenizer, recipe.step.length_tokens) for each in examples]
    data = rows([(each.input_ids, each.labels) for each in made], recipe.step.length_tokens, recipe.packing)
    return make_trainer(recipe, model, tokenizer, (data, data), tmp_path / "out", [])


@pytest.mark.parametrize("family", ["llama", "mistral"])
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_the_loss_is_that_of_trl(tmp_path, family: str, method: str):
    precision = "bf16" if method == "qlora" else "fp32"
    trainer = trainer_of(tmp_path, replace(RECIPE, step=replace(STEP, method=method, precision=precision)), family)
    batch = next(iter(trainer.get_train_dataloader()))
    trained = (batch["labels"][:, 1:] >= 0).sum()
    with torch.no_grad(), trainer.precision():
        ours = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=trained)
        theirs = SFTTrainer.compute_loss(trainer, trainer.model, dict(batch), num_items_in_batch=trained)
    torch.testing.assert_close(ours, theirs.float(), rtol=2e-2 if method == "qlora" else 1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_an_evaluation_changes_nothing_of_what_is_learned(tmp_path, method: str):
    step = replace(STEP, method=method, precision="bf16")
    trainer = trainer_of(tmp_path, replace(RECIPE, step=step))
    for name, weight in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    batch = next(iter(trainer.get_train_dataloader()))
    found = []
    for _ in range(2):
        trainer.model.train()
        trainer.model.zero_grad()
        with trainer.precision():
            loss = trainer.compute_loss(trainer.model, dict(batch))
        loss.backward()
        found.append([loss.detach(), *(w.grad.clone() for w in trainer.model.parameters() if w.requires_grad)])
        trainer.evaluate()
    torch.testing.assert_close(found[0], found[1])


def test_in_parts_the_loss_and_its_gradient_are_the_same(tmp_path, monkeypatch):
    trainer = trainer_of(tmp_path, RECIPE)
    batch = next(iter(trainer.get_train_dataloader()))
    found = []
    for most in (2**25, 1000):
        monkeypatch.setattr("training.sop.trainer.MOST_SCORES", most)
        trainer.model.zero_grad()
        loss = trainer.compute_loss(trainer.model, dict(batch))
        loss.backward()
        found.append([loss.detach(), *(w.grad.clone() for w in trainer.model.parameters() if w.requires_grad)])
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit", "paged_adamw_8bit", "adafactor", "sgd"])
def test_the_worst_step_leaves_no_trace(tmp_path, optimizer: str):
    trainer = trainer_of(tmp_path, replace(RECIPE, step=replace(STEP, optimizer=optimizer)))
    before = {name: weight.clone() for name, weight in trainer.model.named_parameters()}
    chance = torch.random.get_rng_state()
    assert trainer.try_worst() > 0
    assert torch.equal(chance, torch.random.get_rng_state())
    for name, weight in trainer.model.named_parameters():
        assert torch.equal(weight, before[name]), name
        assert weight.grad is None


def test_layer_by_layer_trains_the_whole_model(tmp_path):
    step = replace(STEP, method="full", layerwise=True, batch=1, optimizer="paged_adamw_8bit")
    trainer = trainer_of(tmp_path, replace(RECIPE, step=step, max_steps=12, learning_rate=3e-3))
    trainer.try_worst()
    first = trainer.evaluate()["eval_loss"]
    trainer.train()
    assert trainer.evaluate()["eval_loss"] < first - 0.5


def test_on_a_processor_each_step_gives_its_memory_back(tmp_path, monkeypatch):
    given = []
    trainer = trainer_of(tmp_path, replace(RECIPE, max_steps=2, step=replace(STEP, accumulation=2)))
    monkeypatch.setattr("training.sop.trainer.give_back", lambda: given.append(1))
    trainer.args.eval_strategy = "no"
    trainer.train()
    assert len(given) == 2
