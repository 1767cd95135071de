"""Judges that see, tiny ones: what they learn, how they leave and go on, and that they are asked as they are taught."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from repairai.errors import RepairError
from repairai.files import home
from repairai.hardware.recipe import Recipe, saved
from repairai.hardware.workload import Workload
from repairai.judge.limits import limits_path, write_limits
from repairai.judge.photo_prompt import FAMILIES, JUDGE_FILE
from repairai.judge.reasoner import load_reasoner
from repairai.judge.state_set import StateExample
from repairai.judge.vision_language import VisionLanguage, load_vision_language
from repairai.runs.checkpoints import best
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import read_new
from repairai.runs.state import read_run
from repairai.schema import StateLimits
from tests.judge.tiny_judges import save_tiny
from tests.training.judge_states import OPPOSITE, QUESTION, patch, write_states
from training import judge_merge, merging
from training.judge.vision_language import read_rows, train
from training.judge.vlm_model import adapters, load_for_training
from training.judge.vlm_rows import OTHER, PhotoBatches, both_ways, by_room, evened
from training.judge.vlm_trainer import VisionLanguageTrainer


def recipe_for(tmp_path: Path, family: str, method: str = "lora", **named) -> Recipe:
    """Eight photos, a model of this family, and what makes it learn them by heart."""
    if not (tmp_path / "model").is_dir():
        save_tiny(tmp_path / "model", family)
        write_states(tmp_path / "states", val=0)
    step = Workload(
        str(tmp_path / "model"), method, batch=4, accumulation=1, length_tokens=128, image_px=28,
        checkpointing=method == "lora", optimizer="adamw", precision="bf16" if method == "qlora" else "fp32",
        adapter_precision="fp32", rank=8,
    )  # fmt: skip
    usual = {"learning_rate": 2e-3 if method == "full" else 4e-3, "max_steps": 120, "eval_steps": 60}
    return Recipe("judge", step, 100.0, data=str(tmp_path / "states"), patience=0, packing=False, **{**usual, **named})


def run_of(recipe: Recipe, name: str = "run") -> RunFolder:
    return new_run(name, "train", ["-", "{run}"], text=saved(home() / f"{name}.yaml", recipe))


def trained(recipe: Recipe, folder: RunFolder) -> None:
    with Journal(folder) as journal:
        train(folder, recipe, journal)


def knows_by_heart(judge: VisionLanguage) -> None:
    for at in range(8):
        photo, left = patch(at % 2 == 0, at), at % 2 == 0
        asked = judge.ask(photo, QUESTION), judge.ask(photo, OPPOSITE)
        assert (asked[0] > 0.5, asked[1] > 0.5) == (left, not left), f"photo {at}: {asked}"


# ---- the whole path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "method"),
    [("paligemma", "lora"), ("smolvlm", "lora"), ("smolvlm", "qlora"), ("qwen3_vl", "lora"), ("paligemma", "full")],
)
def test_it_learns_photos_by_heart_and_is_asked(tmp_path: Path, family: str, method: str):
    recipe = recipe_for(tmp_path, family, method)
    folder = run_of(recipe)
    trained(recipe, folder)
    assert read_run(folder).state == "finished"
    judge = load_reasoner(str(folder.model), "mine", "")
    assert isinstance(judge, VisionLanguage)
    knows_by_heart(judge)
    assert judge.prompt.reading.photo_first == (family == "paligemma")
    names = {path.name for path in folder.model.iterdir()}
    assert {"tokenizer.json", "preprocessor_config.json", JUDGE_FILE, "sources.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".md"))]
    if method == "full":
        return
    write_limits(limits_path(str(folder.model)), {QUESTION: StateLimits(0.9, sources=8)})
    assert judge_merge.main([str(folder.path)]) == 0
    merged = load_vision_language(str(folder.path / "merged"), "merged")
    knows_by_heart(merged)
    assert merged.limits(QUESTION).sure == 0.9
    assert not (folder.path / "merged" / "adapter_config.json").exists()


@pytest.mark.slow
def test_it_tells_how_many_questions_it_answers_right_as_it_would_if_it_were_asked(tmp_path: Path):
    write_states(tmp_path / "states", val=6)
    save_tiny(tmp_path / "model", "smolvlm")
    recipe = recipe_for(tmp_path, "smolvlm", max_steps=30, eval_steps=10)
    folder = run_of(recipe)
    trained(recipe, folder)
    looks = {line.step: line.right for line in read_new(folder.metrics, 0)[0] if line.eval_loss is not None}
    assert list(looks) == [0, 10, 20, 30]
    kept = best(folder)
    judge = load_reasoner(str(folder.model), "mine", "")
    asked = [
        (judge.ask(patch(at % 2 == 0, at), question) > 0.5) == ((at % 2 == 0) == (question == QUESTION))
        for at in range(8, 14)
        for question in (QUESTION, OPPOSITE)
    ]
    assert kept
    assert looks[kept.step] == pytest.approx(sum(asked) / len(asked))


@pytest.mark.slow
def test_a_merge_that_would_not_answer_the_same_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    recipe = recipe_for(tmp_path, "smolvlm", max_steps=60)
    folder = run_of(recipe)
    trained(recipe, folder)
    other = save_tiny(tmp_path / "other", "smolvlm", seed=3)
    right = merging.plain_changes
    merging.plain_changes = lambda adapter, about, source: right(adapter, about, source) and {}
    try:
        assert judge_merge.main([str(folder.path), str(tmp_path / "out"), "--base", str(other)]) == 2
    finally:
        merging.plain_changes = right
    assert "nats apart from the base with its adapter; nothing was kept" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


# ---- leaving, going on, running out of memory


def losses(folder: RunFolder) -> dict[int, float]:
    return {line.step: line.loss for line in read_new(folder.metrics, 0)[0] if line.loss is not None}


@pytest.mark.slow
def test_what_is_paused_and_gone_on_with_is_as_if_nothing_had_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recipe = recipe_for(tmp_path, "smolvlm", max_steps=12, eval_steps=6, dropout=0.1)
    whole, parted = run_of(recipe, "whole"), run_of(recipe, "parted")
    trained(recipe, whole)
    real = VisionLanguageTrainer.training_step

    def training_step(self, *words, **named):
        if self.state.global_step == 6:
            parted.control.mkdir(exist_ok=True)
            (parted.control / "pause").touch()
        return real(self, *words, **named)

    with monkeypatch.context() as during:
        during.setattr(VisionLanguageTrainer, "training_step", training_step)
        with pytest.raises(Asked):
            trained(recipe, parted)
    run = read_run(parted)
    assert (run.state, run.can_resume, run.checkpoint_step) == ("paused", True, 7)
    trained(recipe, parted)
    assert losses(parted) == pytest.approx(losses(whole), abs=1e-5)
    one, other = ((folder.model / "adapter_model.safetensors").read_bytes() for folder in (whole, parted))
    assert one == other


@pytest.mark.slow
def test_memory_that_runs_out_halves_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recipe = recipe_for(tmp_path, "paligemma", max_steps=4, eval_steps=2)
    folder = run_of(recipe)
    real = VisionLanguageTrainer.compute_loss

    def compute_loss(self, model, inputs, *words, **named):
        if len(inputs["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, model, inputs, *words, **named)

    monkeypatch.setattr(VisionLanguageTrainer, "compute_loss", compute_loss)
    trained(recipe, folder)
    assert read_run(folder).state == "finished"
    halved = [json.loads(line) for line in folder.events.read_text().splitlines() if '"halved"' in line]
    assert [(each["batch"], each["accumulation"]) for each in halved] == [(2, 2)]


@pytest.mark.slow
def test_with_photos_to_judge_with_the_best_is_kept_and_tried(tmp_path: Path):
    recipe = recipe_for(tmp_path, "smolvlm", max_steps=20, eval_steps=10)
    data = write_states(tmp_path / "more", 8, 4)
    recipe = replace(recipe, data=str(data))
    folder = run_of(recipe)
    trained(recipe, folder)
    looked = [line.eval_loss for line in read_new(folder.metrics, 0)[0] if line.eval_loss is not None]
    assert len(looked) >= 3
    said = [json.loads(line)["text"] for line in folder.events.read_text().splitlines() if '"check"' in line]
    assert said
    assert said[0].startswith("Of 8 questions about photos that it did not learn from it answers ")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": ""}, "names no states"),
        ({"data": "nowhere"}, "there are no states at"),
        ({"task": "sop"}, "this trains judges that see"),
        ({"gpus": 2}, "judges are trained on one"),
    ],
)
def test_a_recipe_that_is_not_for_it_is_refused(tmp_path: Path, changed: dict, said: str):
    recipe = replace(recipe_for(tmp_path, "smolvlm"), **changed)
    with pytest.raises(RepairError, match=said):
        trained(recipe, run_of(recipe))


def test_rows_that_are_too_long_are_said(tmp_path: Path):
    recipe = recipe_for(tmp_path, "smolvlm")
    recipe = replace(recipe, step=replace(recipe.step, length_tokens=32))
    with pytest.raises(RepairError, match=r"takes \d+ tokens, and length_tokens is 32; set length_tokens to"):
        trained(recipe, run_of(recipe))


# ---- what is learned


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_taught_as_it_is_asked(tmp_path: Path, family: str):
    """The loss of a row is what the judge makes of the same photo and question, padded beside a larger photo or not."""
    recipe = recipe_for(tmp_path, family)
    recipe = replace(recipe, step=replace(recipe.step, image_px=56))
    photos = [patch(True, 1, (40, 90)), patch(False, 2, (90, 90))]
    for at, photo in enumerate(photos):
        Image.fromarray(photo).save(tmp_path / f"{at}.png")
    model, prompt = load_for_training(recipe)
    rows = [
        {"photo": str(tmp_path / "0.png"), "question": QUESTION, "answer": "yes"},
        {
            "photo": str(tmp_path / "1.png"),
            "question": "Is the longer question about the patch answered?",
            "answer": "no",
        },
    ]
    batch = PhotoBatches(prompt, 256)(rows)
    labels = batch.pop("labels")
    with torch.inference_mode():
        scores = model.eval()(**batch).logits
    judge = VisionLanguage(model, prompt, "in memory")
    for at, row in enumerate(rows):
        (place,) = (labels[at] >= 0).nonzero().flatten().tolist()
        assert prompt.answer_ids[int(labels[at, place])] == row["answer"]
        assert torch.allclose(scores[at, place - 1], judge.scores(photos[at], row["question"]), atol=1e-4)


def test_the_loss_is_that_of_the_answers_alone(tmp_path: Path):
    recipe = recipe_for(tmp_path, "paligemma")
    model, prompt = load_for_training(recipe)
    rows = both_ways([StateExample("photos/0000.png", QUESTION, OPPOSITE, "yes", "a", "train")], tmp_path / "states")
    assert [(row["question"], row["answer"]) for row in rows] == [(QUESTION, "yes"), (OPPOSITE, "no")]
    batch = PhotoBatches(prompt, 128)(rows)
    judge = VisionLanguage(model.eval(), prompt, "in memory")
    scores = [judge.scores(patch(True, 0), row["question"]).log_softmax(-1) for row in rows]
    wanted = [-each[prompt.answer(row["answer"])] for each, row in zip(scores, rows, strict=True)]
    trainer = VisionLanguageTrainer.__new__(VisionLanguageTrainer)
    trainer.model, trainer.prompt, trainer.right = model, prompt, []
    trainer.args = type("Arguments", (), {"bf16": False, "fp16": False})()
    found = trainer.compute_loss(model, batch)
    assert found.item() == pytest.approx(float(sum(wanted)) / 2, abs=1e-4)
    for each, row, right in zip(scores, rows, trainer.right, strict=True):
        shares = {
            word: sum(each[at].exp() for at, meant in prompt.answer_ids.items() if meant == word) for word in OTHER
        }
        assert right == (shares[row["answer"]] > shares[OTHER[row["answer"]]])


@pytest.mark.parametrize("family", FAMILIES)
def test_only_the_language_side_is_trained(tmp_path: Path, family: str):
    recipe = recipe_for(tmp_path, family)
    model, _ = load_for_training(recipe)
    from peft import get_peft_model  # noqa: PLC0415

    adapted = get_peft_model(model, adapters(recipe))
    trained_on = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
    assert len(trained_on) == 2 * 2 * 7, "two layers, seven matrices in each, two of LoRA beside each"
    assert all(".layers." in name and "vision" not in name and "visual" not in name for name in trained_on)
    fewer = get_peft_model(
        load_for_training(recipe)[0], adapters(replace(recipe, step=replace(recipe.step, targets="attention")))
    )
    assert len([1 for weight in fewer.parameters() if weight.requires_grad]) == 2 * 2 * 4


def test_yes_and_no_are_evened_question_by_question():
    examples = [
        StateExample(f"{at}.png", QUESTION, OPPOSITE, "no" if at else "yes", str(at), "train") for at in range(5)
    ]
    more = evened(examples)
    assert [each.answer for each in more].count("yes") == 4
    assert set(more) == set(examples)
    assert evened(examples[1:]) == examples[1:], "there is none of the other answer to show"
    many = [replace(examples[1], photo=f"{at}.png") for at in range(100)]
    assert len(evened([examples[0], *many])) == 100 + 8, "not by heart"


@pytest.mark.parametrize(("family", "last"), [("smolvlm", "square.png"), ("qwen2_5_vl", "wide.png")])
def test_the_photo_that_takes_most_room_is_tried_first(tmp_path: Path, family: str, last: str):
    _, prompt = load_for_training(recipe_for(tmp_path, family))
    for name, size in {"wide.png": (120, 60), "square.png": (40, 40), "narrow.png": (20, 50)}.items():
        Image.new("RGB", size).save(tmp_path / name)
    rows = [
        {"photo": str(tmp_path / name), "question": question, "answer": "yes"}
        for question in ("Is it open?", "Is it?")
        for name in ("square.png", "wide.png", "narrow.png")
    ]
    found = rows[by_room(rows, prompt)[-1]]
    assert Path(found["photo"]).name == last
    assert found["question"] == "Is it open?"


def test_rows_of_a_set(tmp_path: Path):
    folder = run_of(recipe_for(tmp_path, "smolvlm"))
    with Journal(folder) as journal:
        train_on, judged = read_rows(write_states(tmp_path / "set", 3, 2), journal)
    assert len(train_on) == 2 * 4, "two of yes, one of no shown twice"
    assert len(judged) == 4, "as they are"
    with Journal(folder) as journal, pytest.raises(RepairError, match="has no example to train on"):
        read_rows(write_states(tmp_path / "few", 0, 2), journal)
    assert [row["answer"] for row in train_on].count("yes") == 4
