"""An exam of tiny models, base and trained: answers, marks, the gate behind it; and stopping and going on."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.gate import activate
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import last_metrics
from repairai.runs.scores import against_steps, read_scores
from repairai.runs.state import read_run
from repairai.sop import agents
from repairai.sop.prompts import REFUSAL, Passage, answer_text, question_text
from tests.training.tiny import save_tiny
from training import sop_eval
from training.given import evaluation_run
from training.sop.check import after_training, answered, look
from training.sop.exam import Answers, choose, question_id
from training.sop.examples import Example, write_examples
from training.sop.generate import Reply, answer_loss, replies
from training.sop.model import load_base
from training.sop.tokens import tokens

STEP = Workload("tiny", "lora", precision="fp32", adapter_precision="fp32", rank=8, length_tokens=512)


def examples(n: int, first: int = 0) -> list[Example]:
    """Questions about lamps: how-tos with a passage, and every fourth a refusal, with one of a kettle."""
    found = []
    for at in range(first, first + n):
        part, screws = ("battery", "fan", "cover")[at % 3], 2 + at % 4
        text = f"Remove the {screws} screws from the {part}."
        is_known = at % 4 != 3
        what = "lamp" if is_known else "kettle"
        shown = (Passage(f"g{at}", f"{what} {at}", what, 1, text),)
        answer = answer_text([(text, 1)]) if is_known else REFUSAL
        asked = {"role": "user", "content": question_text(f"lamp {at} {part}?", shown)}
        turns = (asked, {"role": "assistant", "content": answer})
        found.append(Example("how_to" if is_known else "refusal", f"lamp {at}", f"g{at}", turns))
    return found


def run_of(tmp_path: Path, learned: list[Example], steps: int, exam: list[Example], name: str = "lamps") -> RunFolder:
    """A finished training: a tiny model with an adapter, trained with plain torch."""
    data = tmp_path / f"data-{name}"
    data.mkdir()
    write_examples(data / "train.jsonl", learned)
    write_examples(data / "exam.jsonl", exam)
    base = save_tiny(tmp_path / "base") if not (tmp_path / "base").is_dir() else tmp_path / "base"
    recipe = Recipe("sop", replace(STEP, model=str(base)), 1.0, 1e-3, data=str(data))
    folder = new_run(name, "train", [sys.executable], text=json.dumps(to_data(recipe)))
    model, tokenizer = load_base(str(base), precision="fp32")
    torch.manual_seed(0)
    model = get_peft_model(model, LoraConfig(r=32, lora_alpha=64, target_modules="all-linear", task_type="CAUSAL_LM",
                                             modules_to_save=["embed_tokens", "lm_head"]))  # fmt: skip
    rows = [tokens(each, tokenizer, 512) for each in learned]
    optimizer = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=5e-3)
    for step in range(steps):
        own = rows[step * 10 % len(rows) :][:10]
        longest = max(len(each.input_ids) for each in own)
        ids, labels = torch.zeros(len(own), longest, dtype=torch.long), torch.full((len(own), longest), -100)
        for at, each in enumerate(own):
            ids[at, : len(each.input_ids)] = torch.tensor(each.input_ids)
            labels[at, : len(each.labels)] = torch.tensor(each.labels)
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder.model)
    tokenizer.save_pretrained(folder.model)
    return folder


def evaluation(trained: RunFolder, **order) -> RunFolder:
    return evaluation_run(Path(trained.id), order, sop_eval.COMMAND)


# ---- end to end


@pytest.mark.slow
def test_a_trained_model_beats_its_base_and_passes_the_gate(tmp_path: Path, home: Path):
    learned = examples(30)
    trained = run_of(tmp_path, learned, 240, learned)
    command = [sys.executable, "-m", "training.sop_eval", trained.id, "--batch", "16"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "lamps is better than" in done.stdout

    scores = read_scores(trained.scores)
    assert scores.exam.examples == 30
    assert scores.overall.is_better
    assert scores.overall.after > 0.8
    assert scores.overall.before < 0.2
    assert scores.tasks["refusal"].after > 0.8
    assert scores.figures["ended"].after > 0.9
    assert scores.loss.after < 0.2 < 4 < scores.loss.before
    assert abs(scores.lengths.after - scores.lengths.expected) < 4
    steps = against_steps(scores)
    assert (steps["how_to"].before, steps["refusal"].before) == (1.0, 0.0), "they copy any step and never refuse"
    assert "the plain steps, which need no model: on 30 questions" in done.stdout
    assert [each.after_score for each in scores.worst] == sorted(each.after_score for each in scores.worst)
    assert "Remove the" in (trained.path / "worst.md").read_text()

    run = read_run(RunFolder(home / "runs" / "lamps-eval"))
    assert (run.state, run.kind, run.parent, run.step, run.total_steps) == ("finished", "evaluate", "lamps", 60, 60)
    assert run.exit.said.startswith("lamps is better than")

    decision = activate("lamps")
    assert decision.active
    assert "the plain steps, which need no model and answer now" in decision.said
    assert agents.active().run_id == "lamps"
    assert agents.back() == agents.STEPS

    untrained = run_of(tmp_path, learned, 1, learned, "untrained")
    agents.use(replace(agents.active(), name="lamps", kind="local", path=str(trained.model), run_id="lamps"))
    assert sop_eval.main([untrained.id]) == 0
    refused = activate("untrained")
    assert not refused.active
    assert "untrained is not made active: it is worse than lamps: on 30 questions" in refused.said
    assert agents.active().run_id == "lamps"


@pytest.mark.slow
def test_what_was_trained_is_what_is_read_back(tmp_path: Path, home: Path):
    learned = examples(12)
    trained = run_of(tmp_path, learned, 120, learned)
    recipe = sop_eval.read_recipe(trained.recipe)
    model, tokenizer = sop_eval.load_trained(trained.path, "fp32")
    seen = look(model, tokenizer, recipe)
    said = after_training(trained.path, seen)
    assert said[0] == "The model was read back from disk."
    assert said[1].startswith("It scores words as the trained one did, to 0.0000 nats")
    assert said[2:] == ["It answers all of 4 questions.", "It stops at its end token in all of 4 answers."]

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.zero_()
    assert after_training(trained.path, look(model, tokenizer, recipe))[1].startswith("! It scores words")
    base, _ = load_base(recipe.step.model, precision="fp32")
    base.save_pretrained(trained.path / "other")
    tokenizer.save_pretrained(trained.path / "other")
    (trained.path / "model").rename(trained.path / "gone")
    (trained.path / "other").rename(trained.path / "model")
    said = after_training(trained.path, seen)
    assert said[1].startswith("! It scores words")
    assert "not always stop" in said[-1] or "never stops" in said[-1]
    (trained.path / "model").rename(trained.path / "other")
    assert after_training(trained.path)[0].startswith("! The model cannot be read back")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            [Reply("a", 1, True)] * 2,
            ["It answers all of 2 questions.", "It stops at its end token in all of 2 answers."],
        ),
        ([Reply("a", 9, True), Reply("b", 9, False)], ["It answers", "It does not always stop (1 of 2 answers)"]),
        ([Reply("a", 9, False)] * 3, ["It answers", "! It never stops at its end token"]),
        ([Reply("", 0, True), Reply("a", 1, True)], ["! It says nothing to 1 of 2 questions.", "It stops"]),
    ],
)
def test_what_is_wrong_is_marked(written: list[Reply], said: list[str]):
    assert all(told.startswith(start) for told, start in zip(answered(written), said, strict=True))


# ---- stopping and going on


def test_it_is_stopped_and_goes_on_from_what_is_answered(tmp_path: Path, home: Path):
    trained = run_of(tmp_path, examples(4), 1, examples(8))
    folder = evaluation(trained, batch=2, new_tokens=8)
    with pytest.raises(Asked):
        stopped_after(folder, 2)
    run = read_run(folder)
    assert (run.state, run.step, run.total_steps, run.can_resume) == ("stopped", 4, 16, True)
    assert not folder.scores.exists()
    with (folder.path / "answers.jsonl").open("a") as file:
        file.write('{"id": "half')
    assert sop_eval.main([str(folder.path)]) == 0
    assert [metric.step for metric in last_metrics(folder.metrics)] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert read_run(folder).state == "finished"
    assert read_scores(folder.scores) == read_scores(trained.scores)
    assert len((folder.path / "answers.jsonl").read_text().splitlines()) == 8


def stopped_after(folder: RunFolder, batches: int) -> None:
    """Evaluate, and be asked to stop when so many batches are answered."""
    with Journal(folder) as journal:
        plain, count = journal.metric, []

        def metric(found):
            plain(found)
            count.append(found)
            if len(count) == batches:
                folder.control.mkdir(exist_ok=True)
                (folder.control / "stop").touch()

        journal.metric = metric
        sop_eval.evaluate(folder, journal)


def test_where_memory_runs_out_half_as_many_go_through(tmp_path: Path, home: Path, monkeypatch):
    trained = run_of(tmp_path, examples(4), 1, examples(7))
    sizes = []

    def small(model, tokenizer, prompts, limits, check):
        sizes.append(len(prompts))
        if len(prompts) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return replies(model, tokenizer, prompts, limits, check)

    monkeypatch.setattr(sop_eval, "replies", small)
    assert sop_eval.main([trained.id, "--new-tokens", "8", "--batch", "6"]) == 0
    assert sizes == 2 * [6, 3, 1, 1, 1, 1, 1, 1, 1]
    events = (home / "runs" / "lamps-eval" / "events.jsonl").read_text()
    assert events.count("memory ran out") == 4


def test_the_base_answers_once_for_all_runs_that_begin_with_it(tmp_path: Path, home: Path):
    first = run_of(tmp_path, examples(4), 1, examples(6))
    assert sop_eval.main([first.id, "--new-tokens", "8"]) == 0
    kept = list((home / "exam" / "answers").glob("*.jsonl"))
    assert [len(path.read_text().splitlines()) for path in kept] == [6]
    second = run_of(tmp_path, examples(4), 2, examples(8), "second")
    folder = evaluation(second, new_tokens=8)
    with Journal(folder) as journal:
        sop_eval.evaluate(folder, journal)
    assert [len(path.read_text().splitlines()) for path in kept] == [8], "only two were new"
    assert sop_eval.main([second.id, "--new-tokens", "9"]) == 0
    assert len(list((home / "exam" / "answers").glob("*.jsonl"))) == 2, "answers of another length are others"


def test_the_own_exam_is_asked_where_there_is_one(tmp_path: Path, home: Path):
    trained = run_of(tmp_path, examples(4), 1, examples(4))
    (home / "exam").mkdir()
    write_examples(home / "exam" / "sop.jsonl", examples(5, first=50))
    assert sop_eval.main([trained.id, "--new-tokens", "8"]) == 0
    scores = read_scores(trained.scores)
    assert scores.exam.own
    assert scores.exam.examples == 5
    other = tmp_path / "other.jsonl"
    write_examples(other, examples(3, first=90))
    assert sop_eval.main([trained.id, "--new-tokens", "8", "--exam", str(other)]) == 0
    assert read_scores(trained.scores).exam.examples == 3
    assert read_scores(trained.scores).exam.sha != scores.exam.sha


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "there is no run 'nowhere'"),
        (["../lamps"], "no run '../lamps'"),
        (["lamps", "--limit", "-3"], "need limit from 1"),
        (["lamps", "--exam", "gone.jsonl"], "gone.jsonl does not exist"),
        (["."], "is not among the runs"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(tmp_path: Path, home: Path, capsys, words: list[str], said: str):
    run_of(tmp_path, examples(4), 1, examples(4))
    capsys.readouterr()
    assert sop_eval.main(words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_run_without_model_or_exam_is_told(tmp_path: Path, home: Path, capsys):
    trained = run_of(tmp_path, examples(4), 1, examples(4))
    (tmp_path / "data-lamps" / "exam.jsonl").unlink()
    assert sop_eval.main([trained.id]) == 2
    assert "lamps has no exam" in capsys.readouterr().err
    trained.model.rename(trained.path / "gone")
    assert sop_eval.main([trained.id]) == 2
    assert "lamps has made no model yet" in capsys.readouterr().err
    with pytest.raises(RepairError, match="is no training"):
        evaluation(RunFolder(home / "runs" / "lamps-eval"))


# ---- the parts


def test_answers_in_a_batch_are_those_alone(tmp_path: Path):
    model, tokenizer = load_base(str(save_tiny(tmp_path / "m")), precision="fp32")
    model.eval()
    prompts = [tokenizer(f"lamp {'fan ' * n}")["input_ids"] for n in (1, 7, 3)]
    together = replies(model, tokenizer, prompts, [20, 5, 20])
    alone = [
        replies(model, tokenizer, [prompt], [limit])[0] for prompt, limit in zip(prompts, (20, 5, 20), strict=True)
    ]
    assert together == alone
    assert together[1].tokens <= 5


def test_the_loss_is_that_of_the_labelled_tokens(tmp_path: Path):
    model, tokenizer = load_base(str(save_tiny(tmp_path / "m")), precision="fp32")
    row = tokens(examples(1)[0], tokenizer, 512)
    loss, n_tokens = answer_loss(model, row.input_ids, row.labels)
    with torch.no_grad():
        whole = model(input_ids=torch.tensor([row.input_ids]), labels=torch.tensor([row.labels])).loss
    assert loss / n_tokens == pytest.approx(float(whole), rel=1e-5)
    assert n_tokens == sum(label >= 0 for label in row.labels)


def test_tasks_take_turns_in_a_short_exam():
    mixed = examples(40)
    chosen = choose(mixed, 12, seed=1)
    assert [each.task for each in chosen].count("refusal") == 6
    assert choose(mixed, 12, seed=1) == chosen
    assert choose(mixed, 12, seed=2) != chosen
    assert len(choose(mixed, 36, seed=1)) == 36
    assert choose(mixed, None, seed=1) == mixed
    assert len({question_id(each) for each in mixed}) == 40


def test_damaged_answers_are_asked_anew(tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    good = {
        "id": "a",
        "text": "x\u2028y",
        "tokens": 1,
        "expected_tokens": 1,
        "ended": True,
        "loss": 1.0,
        "loss_tokens": 2,
    }
    path.write_text(json.dumps(good, ensure_ascii=False) + '\n[]\n{"id": "b"}\n\n{"id": "c", ')
    assert list(Answers(path).by_id) == ["a"]
    assert Answers(path).by_id["a"].text == "x\u2028y"
