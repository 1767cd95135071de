"""Our recipes as axolotl's configuration: what each setting becomes, what axolotl's own schema says, and a training."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from peft import PeftModel
from transformers import AutoModelForCausalLM

from repairai.errors import RepairError
from repairai.files import to_json
from repairai.hardware.recipe import Recipe, read_recipe, saved
from repairai.hardware.workload import Workload
from repairai.runs.folder import RunFolder, new_run
from tests.training.environments import ROOT, made
from tests.training.tiny import save_tiny, write_data
from training import axolotl_recipe
from training.axolotl_recipe import as_axolotl, text_of
from training.in_environment import command, interpreter, settings

RECIPES = sorted((ROOT / "training" / "recipes").glob("sop_*.yaml"))
LLAMA = next(path for path in RECIPES if "llama3-8b_qlora" in path.name)
RUN = Path("RUN")


@pytest.fixture(scope="module")
def llama() -> Recipe:
    return read_recipe(LLAMA)


def config(recipe: Recipe, **settings: object) -> dict:
    return as_axolotl(recipe, recipe.step.model, RUN, **settings)


def test_each_setting_has_its_place(llama):
    found = config(llama)
    step = llama.step
    wanted = {
        "base_model": step.model, "adapter": "qlora", "load_in_4bit": True, "lora_r": step.rank, "lora_alpha": 16,
        "peft_use_rslora": True, "lora_target_linear": True, "sequence_len": step.length_tokens,
        "micro_batch_size": step.batch, "gradient_accumulation_steps": step.accumulation, "num_epochs": llama.epochs,
        "learning_rate": llama.learning_rate, "lr_scheduler": "cosine", "warmup_ratio": llama.warmup,
        "weight_decay": llama.weight_decay, "max_grad_norm": llama.clip, "bf16": True, "fp16": False,
        "gradient_checkpointing": step.checkpointing, "attn_implementation": "sdpa", "sample_packing": llama.packing,
        "save_steps": llama.eval_steps, "eval_steps": llama.eval_steps, "save_total_limit": llama.keep,
        "early_stopping_patience": llama.patience, "seed": llama.seed, "trust_remote_code": False,
        "use_wandb": False, "output_dir": "RUN/checkpoints", "load_best_model_at_end": True,
    }  # fmt: skip
    assert {key: found[key] for key in wanted} == wanted
    assert found["bnb_config_kwargs"] == {"bnb_4bit_use_double_quant": step.double_quant}
    assert found["datasets"] == [
        {"path": str(RUN / "axolotl" / "train.jsonl"), "ds_type": "json", "split": "train", "type": None}
    ]
    assert found["plugins"] == ["training.axolotl_plugin.Watched"]


def test_what_a_recipe_leaves_out_is_left_out(llama):
    found = config(replace(llama, patience=0), judged=False)
    assert not {"test_datasets", "eval_steps", "early_stopping_patience", "max_steps", "resume_from_checkpoint"} & set(
        found
    )
    full = config(replace(llama, step=replace(llama.step, method="full")))
    assert not [key for key in full if key.startswith(("lora", "adapter", "load_in", "bnb", "peft"))]


def test_the_rest_is_said_where_it_is_asked_for(llama):
    step = replace(llama.step, targets="attention", optimizer="paged_adamw_8bit", precision="fp16", method="lora")
    found = config(replace(llama, step=step, max_steps=9, revision="abc", alpha=32), resume=Path("x"))
    assert found["lora_target_modules"] == ["q_proj", "k_proj", "v_proj", "o_proj"]
    assert (found["optimizer"], found["fp16"], found["bf16"]) == ("paged_adamw_8bit", True, False)
    assert (found["max_steps"], found["revision_of_model"], found["lora_alpha"]) == (9, "abc", 32)
    assert found["resume_from_checkpoint"] == "x"
    assert "bnb_config_kwargs" not in found


def test_without_a_gpu_it_computes_in_fp32_without_kernels_for_gpus(llama):
    found = config(replace(llama, step=replace(llama.step, method="lora", optimizer="adamw_8bit")), gpu=False)
    assert (found["bf16"], found["float32"], found["optimizer"]) == (False, True, "adamw_torch_fused")
    assert [found[f"lora_{part}_kernel"] for part in ("qkv", "mlp", "o")] == [False] * 3


@pytest.mark.parametrize(
    ("change", "gpu", "said"),
    [
        ({"method": "qlora"}, False, "axolotl trains on 4-bit weights on a GPU only; set method: lora"),
        ({"method": "full", "layerwise": True, "accumulation": 1}, True, "does not use gradients layer by layer"),
        ({"method": "inference"}, True, "this trains the SOP agent"),
    ],
)
def test_what_axolotl_cannot_do_is_one_sentence(llama, change, gpu, said):
    with pytest.raises(RepairError, match=said):
        config(replace(llama, step=replace(llama.step, **change)), gpu=gpu)


def test_the_yaml_is_printed(llama, capsys):
    assert axolotl_recipe.main([str(LLAMA)]) == 0
    text = capsys.readouterr().out
    assert text == text_of(config(llama))
    assert yaml.safe_load(text) == config(llama)


def test_a_recipe_that_is_none_is_one_sentence_before_an_environment_is_made(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(axolotl_recipe, "make", lambda backend: pytest.fail("it was made"))
    (tmp_path / "wrong.yaml").write_text(LLAMA.read_text().replace("epochs:", "epocs:"))
    assert axolotl_recipe.main([str(tmp_path / "wrong.yaml"), "--check"]) == 2
    assert "did you mean 'epochs'" in capsys.readouterr().err


# ---- in axolotl's own environment


@pytest.mark.slow
def test_axolotls_own_schema_takes_our_recipes(home, monkeypatch, tmp_path):
    made("axolotl", home, monkeypatch)
    words = [sys.executable, "-m", "training.axolotl_recipe", "--check"]
    gpu = [path for path in RECIPES if read_recipe(path).step.layerwise is False]
    ran = subprocess.run([*words, *map(str, gpu)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.splitlines() == [f"{path.name}: axolotl 0.19.0 takes it" for path in gpu]


@pytest.mark.slow
def test_the_check_finds_what_axolotl_refuses_and_what_it_would_pass_over(home, monkeypatch):
    place = made("axolotl", home, monkeypatch)
    found = config(read_recipe(LLAMA))
    wrong = [
        {**found, "micro_batch_sise": 2},
        {**found, "lora_r": "many"},
        {**found, "lr_scheduler": None, "bf16": "x"},
    ]
    code = (
        "import json, sys\nfrom training.axolotl_check import problems\nfrom training.axolotl_plugin import Watched\n"
        "from axolotl.integrations.base import BasePlugin, load_plugin\n"
        "assert issubclass(Watched, BasePlugin)\n"
        "assert isinstance(load_plugin('training.axolotl_plugin.Watched'), Watched)\n"
        "print(json.dumps([problems(each) for each in json.loads(sys.argv[1])]))"
    )
    ran = subprocess.run(
        [interpreter(place), "-c", code, json.dumps(wrong)], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, **settings(place)},
    )  # fmt: skip
    unknown, no_number, no_choice = json.loads(ran.stdout.splitlines()[-1])
    assert unknown == ["unknown key 'micro_batch_sise', did you mean 'micro_batch_size'?"]
    assert no_number[0].startswith("lora_r: Input should be a valid integer")
    assert no_choice[0].startswith("bf16")


@pytest.mark.slow
def test_axolotl_trains_a_tiny_model_in_our_run_folder_and_goes_on_where_it_was(home, monkeypatch, tmp_path):
    made("axolotl", home, monkeypatch)
    base, data = save_tiny(tmp_path / "base"), write_data(tmp_path / "data")
    step = Workload(
        str(base), method="lora", batch=4, length_tokens=128, checkpointing=False, optimizer="adamw", precision="fp32"
    )
    recipe = Recipe(
        "sop", step, 1.0, 1e-2, data=str(data), backend="axolotl", max_steps=4, packing=False, eval_steps=2, patience=0
    )
    folder = new_run("tiny", "train", command("axolotl"), text=saved(tmp_path / "r.yaml", recipe))
    trained(folder)
    losses = read(folder.metrics)
    assert [each["step"] for each in losses if each.get("loss")] == [1, 2, 3, 4]
    judged = [each["eval_loss"] for each in losses if each.get("eval_loss")]
    assert judged[-1] < judged[0]
    assert {path.name for path in folder.checkpoints.iterdir()} == {"checkpoint-2", "checkpoint-4"}
    assert all((path / "whole").is_file() for path in folder.checkpoints.iterdir())
    said = [each["text"] for each in read(folder.events)]
    assert any(text.startswith("It scores words as the trained one did") for text in said), said
    whole = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    before = whole(torch.arange(40)[None]).logits
    after = PeftModel.from_pretrained(whole, folder.model)(torch.arange(40)[None]).logits
    assert not torch.allclose(before, after, atol=1e-3)
    written = yaml.safe_load((folder.path / "axolotl.yaml").read_text())
    assert (written["base_model"], written["lora_r"]) == (str(base), 16)

    folder.recipe.write_text(folder.recipe.read_text().replace("max_steps: 4", "max_steps: 5"))
    trained(folder)
    assert [each["step"] for each in read(folder.metrics) if each.get("loss")] == [1, 2, 3, 4, 5]


def trained(folder: RunFolder) -> None:
    words = [word.replace("{run}", str(folder.path)) for word in command("axolotl")]
    ran = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert json.loads(folder.exit.read_text())["state"] == "finished"


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_recipe_stays_itself(llama):
    before = to_json(llama)
    config(llama)
    assert to_json(llama) == before
