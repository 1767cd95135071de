"""An adapter merged into its base is the same model, in 16 bits; and what goes on to GGUF is the same still."""

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from repairai.errors import RepairError
from repairai.sop.prompts import SYSTEM
from tests.training.tiny import save_tiny
from training import merging, sop_gguf, sop_merge
from training.from_gguf import from_gguf, read_header
from training.sop_gguf import export
from training.sop_merge import merge

STAND_IN = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.training.test_from_gguf import write_gguf
model, out = Path(sys.argv[1]), Path(sys.argv[sys.argv.index("--outfile") + 1])
assert sys.argv[sys.argv.index("--outtype") + 1] == "q8_0"
write_gguf(model, out, "q8_0")
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A tiny Llama in bf16, in two files."""
    folder = save_tiny(tmp_path_factory.mktemp("base"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="120KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    return folder


def adapted(base: Path, folder: Path, **settings: object) -> Path:
    """An adapter with random weights on a base, saved as a run saves it."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    wanted = {"r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": "all-linear", **settings}
    whole = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **wanted))
    torch.manual_seed(1)
    for name, weight in whole.named_parameters():
        if "lora_" in name:
            weight.data = torch.randn_like(weight) * 0.15
    whole.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    (folder / "sources.json").write_text('{"ifixit": "CC BY-NC-SA 3.0"}')
    return folder


def scores(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(torch.arange(60)[None]).logits


@pytest.mark.parametrize("settings", [{}, {"use_rslora": False}, {"target_modules": ["q_proj", "v_proj"]}])
def test_the_merged_model_scores_words_as_the_base_with_its_adapter(base, tmp_path, settings):
    run = tmp_path / "run"
    adapted(base, run / "model", **settings)
    told: list[str] = []
    made = merge(run, tmp_path / "merged", tell=told.append)
    files = sorted(path.name for path in base.glob("*.safetensors"))
    assert told[:-1] == [f"Merging {name}." for name in files]
    assert made.matrices == (4 if "target_modules" in settings else 14)
    assert made.off < 0.01
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    expected = scores(PeftModel.from_pretrained(model, run / "model"))
    got = AutoModelForCausalLM.from_pretrained(made.folder, dtype=torch.float32)
    assert torch.allclose(scores(got), expected, atol=0.1)
    alone = scores(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32))
    assert not torch.allclose(alone, expected, atol=0.2), "the adapter does nothing"


def test_it_is_written_in_16_bits_in_the_bases_own_files_with_what_belongs_to_it(base, tmp_path):
    made = merge(adapted(base, tmp_path / "adapter"), tmp_path / "merged", tell=lambda _: None).folder
    before = {name: tensor for path in base.glob("*.safetensors") for name, tensor in load_file(path).items()}
    after = {name: tensor for path in made.glob("*.safetensors") for name, tensor in load_file(path).items()}
    assert {name: tensor.dtype for name, tensor in after.items()} == dict.fromkeys(before, torch.bfloat16)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if "_proj" in name}
    index = json.loads((made / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"]) == set(before)
    assert json.loads((made / "config.json").read_text())["dtype"] == "bfloat16"
    assert json.loads((made / "sources.json").read_text()) == {"ifixit": "CC BY-NC-SA 3.0"}
    assert AutoTokenizer.from_pretrained(made).chat_template
    assert not list(tmp_path.glob(".merged*"))


def test_by_itself_it_goes_into_the_run(base, tmp_path, capsys):
    run = tmp_path / "run"
    adapted(base, run / "model")
    assert sop_merge.main([str(run)]) == 0
    assert (run / "merged" / "config.json").is_file()
    assert f"{run / 'merged'}: 14 matrices merged" in capsys.readouterr().out


def test_an_adapter_of_another_sort_is_merged_by_peft(base, tmp_path):
    told: list[str] = []
    made = merge(adapted(base, tmp_path / "adapter", use_dora=True), tmp_path / "merged", tell=told.append)
    assert "the whole model is loaded" in told[0]
    assert (made.matrices, made.off < 0.01) == (14, True)


def test_a_merge_that_changes_the_model_is_not_kept(base, tmp_path, monkeypatch):
    adapter = adapted(base, tmp_path / "adapter")
    right = merging.plain_changes
    monkeypatch.setattr(
        merging,
        "plain_changes",
        lambda *about: {name: (lambda change=change: -change()) for name, change in right(*about).items()},
    )
    with pytest.raises(RepairError, match=r"scores words \d.\d+ nats apart"):
        merge(adapter, tmp_path / "merged", tell=lambda _: None)
    assert not (tmp_path / "merged").exists()
    assert not list(tmp_path.glob(".merged*"))


@pytest.mark.parametrize("what", ["nothing", "whole", "four_bits", "gone", "there"])
def test_what_cannot_be_merged_is_one_sentence(base, tmp_path, capsys, what):
    adapter, out = tmp_path / "adapter", tmp_path / "merged"
    said = {
        "nothing": "holds no adapter", "whole": "is a whole model", "four_bits": "merging into those ruins it",
        "gone": "neither a folder nor a name on the Hub", "there": "is there already",
    }[what]  # fmt: skip
    adapter.mkdir()
    if what == "whole":
        adapter = base
    elif what != "nothing":
        adapted(base, adapter)
    if what == "four_bits":
        (tmp_path / "small").mkdir()
        for path in base.iterdir():
            (tmp_path / "small" / path.name).write_bytes(path.read_bytes())
        config = json.loads((base / "config.json").read_text()) | {"quantization_config": {"load_in_4bit": True}}
        (tmp_path / "small" / "config.json").write_text(json.dumps(config))
    if what == "there":
        out.mkdir()
        (out / "mine").touch()
    place = {"four_bits": tmp_path / "small", "gone": tmp_path / "gone"}.get(what, base)
    assert sop_merge.main([str(adapter), str(out), "--base", str(place)]) == 2
    words = capsys.readouterr().err
    assert said in words
    assert words.count("training.sop_merge: ") == 1
    assert what == "there" or not out.exists()


# ---- GGUF


@pytest.fixture
def converter(tmp_path) -> Path:
    """Takes what llama.cpp's takes, and writes what it writes for a tiny Llama."""
    file = tmp_path / "bin" / "convert_hf_to_gguf.py"
    file.parent.mkdir()
    file.write_text(STAND_IN.format(root=str(Path(__file__).parents[2])))
    return file


def test_an_adapter_is_merged_and_exported_with_a_modelfile(base, tmp_path, converter):
    adapter = adapted(base, tmp_path / "adapter")
    made = export(adapter, tmp_path / "agent.gguf", converter=converter, tell=lambda _: None)
    header = read_header(made.file)
    assert (header.architecture, header.has_template) == ("llama", True)
    assert made.off < 0.1
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    back = AutoModelForCausalLM.from_pretrained(from_gguf(made.file, tmp_path / "back"), dtype=torch.float32)
    assert torch.allclose(scores(back), scores(PeftModel.from_pretrained(model, adapter)), atol=0.2)
    words = made.modelfile.read_text()
    assert "\nFROM ./agent.gguf\n" in words
    assert f'SYSTEM """{SYSTEM}"""' in words
    assert 'PARAMETER stop "<|end|>"' in words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Modelfile", "adapter", "agent.gguf", "back", "bin"]


def test_a_converter_on_the_path_is_found(base, tmp_path, converter, monkeypatch):
    converter.chmod(0o755)
    monkeypatch.setenv("PATH", str(converter.parent))
    assert sop_gguf.find_converter(None) == converter


def test_without_a_converter_one_sentence_says_how_to_get_it(base, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sop_gguf.main([str(base), str(tmp_path / "agent.gguf")]) == 2
    words = capsys.readouterr().err
    assert "llama.cpp's convert_hf_to_gguf.py is not on this machine" in words
    assert "--converter" in words
    assert "git clone" in words
    assert not list(tmp_path.iterdir())


def test_a_converter_that_fails_is_quoted(base, tmp_path, capsys):
    broken = tmp_path / "convert.py"
    broken.write_text("import sys; sys.exit('Model LlamaForCausalLM is not supported')")
    assert sop_gguf.main([str(base), str(tmp_path / "a.gguf"), "--converter", str(broken)]) == 2
    assert "Model LlamaForCausalLM is not supported" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["convert.py"]


def test_an_export_that_changed_the_model_is_not_kept(base, tmp_path, capsys):
    other = save_tiny(tmp_path / "other", seed=5)
    loud = AutoModelForCausalLM.from_pretrained(other)
    loud.lm_head.weight.data *= 30
    loud.save_pretrained(other)
    wrong = tmp_path / "convert.py"
    wrong.write_text(
        STAND_IN.format(root=str(Path(__file__).parents[2])).replace(
            "write_gguf(model", f"write_gguf(Path({str(other)!r})"
        )
    )
    with pytest.raises(RepairError, match="scores words .* nats apart"):
        export(base, tmp_path / "a.gguf", converter=wrong, tell=lambda _: None)
    assert not list(tmp_path.glob("*.gguf"))
