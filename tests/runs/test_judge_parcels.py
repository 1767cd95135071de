"""What of a judge of states and of a set of states goes to the Hub: just that, and it works where it arrives."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
import yaml
from huggingface_hub import DatasetCard, ModelCard
from peft import LoraConfig, get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText

from repairai.cli import main as repairai
from repairai.errors import RepairError
from repairai.files import read_data, to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.hub import pull
from repairai.hub.push import send
from repairai.judge import judges, yes_no
from repairai.judge.limits import STATE_LIMITS, write_limits
from repairai.judge.reasoner import load_reasoner
from repairai.judge.state_set import StateSource, read_sources, read_state_set, write_sources
from repairai.named_sets import STATE_SETS
from repairai.runs import parcels
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.sharing.state_files import take_states
from repairai.schema import StateLimits
from repairai.vision.photo import read_photo
from tests.hub_server.server import HubServer
from tests.judge.classifiers import bright_or_dark
from tests.judge.tiny_judges import save_tiny
from tests.runs.judge_runs import judged, marks, right
from tests.runs.states import ASKED, OPPOSITE, write_states
from tests.runs.test_parcels import lines_of_use, names, run_code, texts


@pytest.fixture
def me(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Somebody who is logged in."""
    monkeypatch.setenv("HF_TOKEN", hub.add_user("me"))
    monkeypatch.setattr(transformers.utils.hub, "_hf_api", None)
    return "me"


def states(name: str = "bench") -> Path:
    """A set of states in three splits, with its source."""
    folder = write_states(STATE_SETS.folder(name), 6)
    lines = [json.loads(line) for line in (folder / "examples.jsonl").read_text().splitlines()]
    for at, line in enumerate(lines):
        line["split"] = ("train", "train", "train", "val", "test", "test")[at]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "examples.jsonl").write_text(text)
    write_sources(folder, [StateSource("bench", "CC BY 4.0", "https://example.org/bench", 6)])
    return folder


def classifier(name: str = "eyes-of-states") -> RunFolder:
    """A run that has made a light classifier, with its thresholds; a pickle lies beside."""
    recipe = Recipe("judge", Workload("builtin", "linear_probe", image_px=320), 1.0, 1e-3, data=str(states()))
    folder = new_run(name, "train", ["python"], text=yaml.safe_dump(to_data(recipe)))
    bright_or_dark(folder.model, [(ASKED, OPPOSITE)])
    write_limits(folder.model / STATE_LIMITS, {ASKED: StateLimits(0.9, 1.0, 0.0, 40)})
    (folder.model / "head.pkl").write_bytes(b"a pickle")
    add_event(folder.events, "data", "train: 3 examples of 1 question on 3 photos")
    return folder


def test_a_classifier_goes_with_its_backbone_and_its_thresholds_and_judges_where_it_arrives(
    hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, capsys
):
    folder = classifier()
    judged(folder, marks(right))
    parcel = parcels.of_run(folder.id, "me/states")
    assert names(parcel) == {
        "config.json", "model.safetensors", "backbone.onnx", STATE_LIMITS, "sources.json", "recipe.yaml",
    }  # fmt: skip
    recipe = read_data(dict(parcel.files)["recipe.yaml"])
    assert (recipe["data"], recipe["step"]["model"]) == ("bench", "builtin")
    assert str(home) not in texts(parcel)
    send(parcel, "me/states")

    planned = pull.plan("me/states")
    assert (planned.what, planned.base) == ("judge", "")
    commands = [shlex.split(each) for each in lines_of_use(parcel, "sh")]
    assert [each[3] for each in commands] == ["models", "inspect"]
    assert repairai(commands[0][3:]) == 0
    assert "let it judge: `models use --judge me/states`" in capsys.readouterr().out
    sharp = np.random.default_rng(0).integers(150, 255, (160, 200, 3), np.uint8)
    Image.fromarray(sharp).save(tmp_path / "photo.jpg", quality=95)
    said = run_code(parcel, tmp_path, monkeypatch)
    yes, no = map(float, said.split())
    assert yes > 0.95
    assert yes + no == pytest.approx(1.0)
    assert repairai([*commands[1][3:], "--json"]) in (0, 1, 3)
    seen = json.loads(capsys.readouterr().out)
    assert any(each.startswith("me/states@") for each in seen["models"])
    assert judges.named("me/states").path == str(home / "models" / "me--states")
    here, there = (load_reasoner(place, "judge") for place in (str(folder.model), "me/states"))
    photo = np.full((40, 50, 3), 200, np.uint8)
    assert there.ask(photo, ASKED) == here.ask(photo, ASKED)
    assert there.limits(ASKED) == StateLimits(0.9, 1.0, 0.0, 40)


def test_its_card_tells_what_it_answers_and_how_well():
    folder = classifier()
    judged(folder, marks(right, right), against="another")
    card = parcels.of_run(folder.id, "me/states").card
    head = ModelCard(card).data
    assert (head.license, head.library_name, head.pipeline_tag) == ("cc-by-4.0", "onnx", "visual-question-answering")
    assert {"repairai-judge", "onnx"} <= set(head.tags)
    values = {each.metric_name: each.metric_value for each in head.eval_results}
    assert values["states told rightly, yes and no alike"] == 0.9
    assert values["states told rightly, yes and no alike, before (another, the judge in use)"] == 0.9
    assert {"balanced_accuracy", "decided", "escape", "false_call", "blank", "agreement", "calibration_error"} == {
        each.metric_type for each in head.eval_results
    }
    for said in (
        "a model that answers 1 question of state about photos of repairs by yes or no",
        f"| {ASKED} | {OPPOSITE} |", f"| {ASKED} | 40 | 0.900 | 0.100 |", "the backbone of the detector",
        "It counts badly, so it is asked about states only", "With a grey photo in place of each it tells 50.0 %",
        "from 21 independent photos", "Train: 3 examples of 1 question on 3 photos.", "which needs no torch for it",
        "| bench | 6 photos | CC BY 4.0 |",
    ):  # fmt: skip
        assert said in card, said


def test_one_that_nobody_measured_says_so():
    folder = classifier()
    (folder.model / STATE_LIMITS).unlink()
    card = parcels.of_run(folder.id).card
    assert "It was not measured" in card
    assert "Nobody has measured how often it is right" in card
    assert ModelCard(card).data.eval_results is None


def test_an_adapter_of_a_judge_names_its_base(tmp_path: Path):
    base = tmp_path / "base"
    recipe = Recipe("judge", Workload(str(base), "lora"), 1.0, 1e-3, data=str(states()))
    folder = new_run("seer", "train", ["python"], text=yaml.safe_dump(to_data(recipe)))
    folder.model.mkdir()
    (folder.model / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    (folder.model / "adapter_model.safetensors").write_bytes(b"weights")
    (folder.model / "judge.json").write_text('{"photo_first": true}')
    with pytest.raises(RepairError, match=r"seer is not merged.*python -m training\.judge_merge"):
        parcels.of_run("seer", "me/seer", merged=True)
    with pytest.raises(RepairError, match=r"a folder of this machine that nobody else has; say what .*--base"):
        parcels.of_run("seer", "me/seer")
    parcel = parcels.of_run("seer", "me/seer", base="maker/tiny-base")
    assert names(parcel) == {
        "adapter_config.json", "adapter_model.safetensors", "judge.json", "recipe.yaml", "sources.json",
    }  # fmt: skip
    config = json.loads(dict(parcel.files)["adapter_config.json"].read_text())
    assert config["base_model_name_or_path"] == "maker/tiny-base"
    head = ModelCard(parcel.card).data
    assert (head.library_name, head.base_model) == ("peft", "maker/tiny-base")
    assert head.to_dict()["base_model_relation"] == "adapter"
    assert f"| {ASKED} | {OPPOSITE} |" in parcel.card, "the questions of its data"
    assert "whatever it is asked" in parcel.card


@pytest.mark.slow
def test_an_adapter_on_a_model_that_reads_photos_answers_where_it_arrives(
    hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
):
    monkeypatch.setattr(yes_no, "LEAST_MASS", 0.0)  # weights by chance would say anything
    base = save_tiny(tmp_path / "base", "smolvlm")
    hub.add_repo("model", "maker/tiny-seer", {path.name: path for path in base.iterdir() if path.is_file()})
    recipe = Recipe("judge", Workload("maker/tiny-seer", "lora"), 1.0, 1e-3, data=str(states()))
    folder = new_run("seer", "train", ["python"], text=yaml.safe_dump(to_data(recipe)))
    adapters = r".*text_model.*\.(q_proj|v_proj)"
    whole = get_peft_model(
        AutoModelForImageTextToText.from_pretrained(base), LoraConfig(r=4, lora_alpha=8, target_modules=adapters)
    )
    torch.manual_seed(1)
    for name, weight in whole.named_parameters():
        if "lora_" in name:
            weight.data = torch.randn_like(weight) * 0.2
    whole.save_pretrained(folder.model)
    (folder.model / "README.md").unlink(missing_ok=True)
    write_limits(folder.model / STATE_LIMITS, {ASKED: StateLimits(0.9, 1.0, 0.0, 40)})
    parcel = parcels.of_run("seer", "me/seer")
    assert names(parcel) >= {"adapter_config.json", "adapter_model.safetensors", STATE_LIMITS, "sources.json"}
    send(parcel, "me/seer")
    planned = pull.plan("me/seer")
    assert (planned.what, planned.base) == ("judge", "maker/tiny-seer")
    pull.fetch(planned)
    pull.fetch(pull.plan("maker/tiny-seer"))
    Image.new("RGB", (80, 70), (230, 30, 30)).save(tmp_path / "photo.jpg", quality=95)
    said = [float(each) for each in run_code(parcel, tmp_path, monkeypatch).split()]
    here = load_reasoner(str(folder.model), "judge", str(base))
    photo = read_photo(tmp_path / "photo.jpg").pixels
    assert said == pytest.approx([here.ask(photo, ASKED), here.ask(photo, OPPOSITE)], abs=1e-4)
    plain = load_reasoner(str(base), "base")
    assert plain.ask(photo, ASKED) != pytest.approx(said[0], abs=1e-4), "the adapter has its say"


# ---- sets of states


def test_states_are_loaded_by_datasets_and_taken_back_as_they_were(
    hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, capsys
):
    folder = states()
    parcel = parcels.of_state_set("bench", "me/bench")
    assert {name.split("/")[0] for name in names(parcel)} == {"train", "validation", "test", "sources.json"}
    assert str(home) not in texts(parcel)
    head = DatasetCard(parcel.card).data
    assert (head.license, head.task_categories) == ("cc-by-4.0", ["visual-question-answering"])
    assert "6 examples of 1 question on 6 photos" in parcel.card
    assert repairai(["states", "push", "bench", "me/bench", "--dry-run"]) == 0
    assert "train/metadata.jsonl" in capsys.readouterr().out
    send(parcel, "me/bench")
    said = run_code(parcel, tmp_path, monkeypatch)
    assert "{'train': 3, 'validation': 1, 'test': 2}" in said
    assert ASKED in said

    assert pull.plan("me/bench", "dataset").what == "states"
    (command,) = lines_of_use(parcel, "sh")
    assert repairai([*shlex.split(command)[3:], "--name", "again"]) == 0
    assert "6 states are in the set again" in capsys.readouterr().out
    again = STATE_SETS.folder("again")
    assert told(again) == told(folder)
    assert read_sources(again) == read_sources(folder)
    assert repairai([*shlex.split(command)[3:], "--name", "again", "--json"]) == 0, "what came from there is replaced"
    assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["examples"] == 6
    assert repairai([*shlex.split(command)[3:], "--name", "bench"]) == 2, "what was built here is not"
    assert "there are states named bench already" in capsys.readouterr().err
    assert not [path.name for path in again.parent.iterdir() if path.name.startswith(".")]


def told(folder: Path) -> list[tuple[object, ...]]:
    """All examples of a set with what their photos show, wherever these lie."""
    return sorted(
        (each.question, each.opposite, each.answer, each.source, each.split, each.made_by,
         Image.open(folder / each.photo).getpixel((9, 9)))
        for each in read_state_set(folder)
    )  # fmt: skip


def test_a_photo_of_several_questions_goes_once(home: Path):
    folder = states()
    lines = (folder / "examples.jsonl").read_text().splitlines()
    other = json.loads(lines[0]) | {"question": "Is the fan off?", "opposite": "Is the fan on?"}
    (folder / "examples.jsonl").write_text("\n".join([*lines, json.dumps(other)]) + "\n")
    files = dict(parcels.of_state_set("bench").files)
    assert sum(name.startswith("train/") and name.endswith(".jpg") for name in files) == 3
    assert len(files["train/metadata.jsonl"].read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nothing", "is no row of a table"),
        ('{"file_name": "../../a.jpg"}', "names no photo within its folder"),
        ('{"file_name": "gone.jpg"}', "names a photo that is not there"),
        ('{"file_name": "a.jpg", "question": "Is it?"}', "train/metadata.jsonl, line 1"),
        ("", "holds no states"),
    ],
)
def test_what_others_have_made_is_looked_at(tmp_path: Path, line: str, words: str):
    (tmp_path / "came" / "train").mkdir(parents=True)
    (tmp_path / "came" / "train" / "a.jpg").write_bytes(b"a photo")
    (tmp_path / "came" / "train" / "metadata.jsonl").write_text(line + "\n")
    with pytest.raises(RepairError, match=words):
        take_states(tmp_path / "came")
    assert not STATE_SETS.folder("came").exists()
    assert not list(STATE_SETS.folder("came").parent.glob(".came*")), "nothing half-made is left"


def test_what_is_gone_is_told():
    folder = states()
    (folder / "photos" / "3.jpg").unlink()
    with pytest.raises(RepairError, match=r"photos/3\.jpg of bench is gone"):
        parcels.of_state_set("bench")
    with pytest.raises(RepairError, match="there are no states at"):
        parcels.of_state_set("nobody")
