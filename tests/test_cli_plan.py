"""`plan` and `memory` on the command line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.cli import main
from repairai.files import read_record
from repairai.hardware.probe import probe
from repairai.hardware.recipe import Recipe

LLAMA = "meta-llama/Meta-Llama-3-8B"


def test_a_plan_says_what_fits_and_why(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    out = tmp_path / "recipe.yaml"
    assert main(["plan", "--vram-gib", "8", "--model", LLAMA, "--save", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1. FITS         QLoRA of Meta-Llama-3-8B: 6.3 to 7.3 GiB" in said
    assert "without gradient checkpointing it would hold" in said
    assert "would fit in 4 bits (QLoRA)" in said
    recipe = read_record(out, Recipe)
    assert (recipe.step.model, recipe.step.method) == (LLAMA, "qlora")


def test_a_plan_as_data(capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "--vram-gib", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ways"][0]["fit"] == "fits"
    assert found["ways"][0]["work"]["method"] == "qlora"
    assert set(found["ways"][0]["terms_gib"]) >= {"weights", "activations", "CUDA context"}


def test_one_step_is_split_into_its_terms(capsys: pytest.CaptureFixture[str]):
    assert main(["memory", "--model", LLAMA, "--accumulation", "16"]) == 0
    said = capsys.readouterr().out
    assert "GiB weights" in said
    assert "8.030 billion" in said
    assert main(["memory", "--model", LLAMA, "--accumulation", "16", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(found["terms_gib"].values()) == pytest.approx(found["held_gib"][1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "--vram-gib", "0"], "there is no card with 0 GiB"),
        (["plan", "--vram-gib", "nan"], "there is no card with nan GiB"),
        (["plan", "--vram-gib", "8", "--task", "detector", "--model", LLAMA], "is not a detector"),
        (["plan", "--vram-gib", "8", "--length-tokens", "0"], "need a whole number from 16"),
        (["plan", "--vram-gib", "8", "--save", "/nowhere/at/all/recipe.yaml", "--way", "6"], "does not fit"),
        (["memory", "--model", LLAMA, "--batch", "0"], "need batch from 1 to 4096, got 0"),
        (["memory", "--model", LLAMA, "--length-tokens", "99999999"], "need length_tokens from 1"),
        (["memory", "--model", LLAMA, "--method", "magic"], "need method to be one of full, lora"),
        (["memory", "--model", LLAMA, "--batch", "many"], "invalid int value"),
        (
            ["memory", "--model", "PekingU/rtdetr_r18vd", "--method", "lora"],
            "is a detector model, for which there is no",
        ),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert main(words) == 2
    answer = capsys.readouterr()
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_a_recipe_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert main(["plan", "--vram-gib", "8", "--save", str(tmp_path / "file" / "recipe.yaml")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.slow
def test_without_a_card_the_processor_is_planned_for_with_its_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    own = replace(probe(), gpus=())
    monkeypatch.setattr("repairai.hardware.probe.probe", lambda: own)
    words = ["plan", "--model", "HuggingFaceTB/SmolLM2-135M", "--length-tokens", "256", "--examples", "50", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["card"]["device"] == "cpu"
    best = found["ways"][0]
    assert best["fit"] == "fits"
    assert best["work"]["method"] == "lora"
    low, high = best["hours"]
    assert 0 < low < high
    assert "Python and its libraries" in best["terms_gib"]
