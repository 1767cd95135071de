"""What of a run, of built data and of photos goes to the Hub: just that, and it works where it arrives."""

import contextlib
import io
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
import transformers
from huggingface_hub import DatasetCard, ModelCard
from PIL import Image

from repairai.cli import main as repairai
from repairai.errors import RepairError
from repairai.files import read_data
from repairai.hub import pull
from repairai.hub.push import Parcel, plan, send
from repairai.named_sets import DATA_SETS, PHOTO_SETS
from repairai.runs import parcels
from repairai.runs.folder import RunFolder
from repairai.sop.prompts import Passage
from repairai.sop.writer import LocalWriter
from repairai.vision.detector import load_detector
from repairai.vision.photo import read_photo
from repairai.vision.photo_set import read_photo_set
from tests.hub_server.server import HubServer
from tests.runs import runs_to_share
from training.sop_merge import merge

PASSAGES = (Passage("lamp-1", "Lamp battery", "lamp 1", 1, "Remove the 3 screws from the battery."),)
ADAPTER_FILES = {
    "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "recipe.yaml", "sources.json",
    "tokenizer.json", "tokenizer_config.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs_to_share.tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def me(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Somebody who is logged in."""
    monkeypatch.setenv("HF_TOKEN", hub.add_user("me"))
    # It keeps the client of the first Hub that it met, and asks that one for half a minute when it is gone.
    monkeypatch.setattr(transformers.utils.hub, "_hf_api", None)
    return "me"


def texts(parcel: Parcel) -> str:
    """All that can be read in a parcel."""
    readable = [path for _, path in parcel.files if path.suffix in (".json", ".jsonl", ".yaml", ".jinja")]
    return parcel.card + "".join(path.read_text() for path in readable)


def left(planned: pull.PullPlan) -> list[str]:
    """Files that a pull would not take, but those of git."""
    return [path for path, _ in planned.left_out if not path.startswith(".")]


def names(parcel: Parcel) -> set[str]:
    return {name for name, _ in parcel.files}


def lines_of_use(parcel: Parcel, language: str) -> list[str]:
    return re.findall(rf"^`{{3,}}{language}\n(.*?)\n`{{3,}}$", parcel.card, re.DOTALL | re.MULTILINE)


def run_code(parcel: Parcel, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the Python of a card prints where it is run as it stands there."""
    (code,) = lines_of_use(parcel, "python")
    (folder / "use.py").write_text(code)
    monkeypatch.chdir(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path("use.py")
    return said.getvalue()


def run_commands(parcel: Parcel) -> list[int]:
    """The exit codes of a card's own commands."""
    import shlex

    (block,) = lines_of_use(parcel, "sh")
    lines = [shlex.split(line) for line in block.splitlines()]
    assert all(words[:3] == ["python", "-m", "repairai"] for words in lines)
    return [repairai(words[3:]) for words in lines]


# ---- an adapter


def test_an_adapter_goes_with_its_tokenizer_its_sources_and_nothing_else(base: Path, home: Path):
    runs_to_share.built()
    folder = runs_to_share.agent(base)
    parcel = parcels.of_run("agent", "me/agent", base="maker/tiny-base")
    assert parcel.kind == "model"
    assert names(parcel) == ADAPTER_FILES
    by_name = dict(parcel.files)
    config = json.loads(by_name["adapter_config.json"].read_text())
    assert config["base_model_name_or_path"] == "maker/tiny-base"
    assert by_name["adapter_model.safetensors"] == folder.model / "adapter_model.safetensors", (
        "no copy of what is large"
    )
    recipe = read_data(by_name["recipe.yaml"])
    assert (recipe["data"], recipe["step"]["model"]) == ("lamps", "maker/tiny-base")
    assert str(home) not in texts(parcel)
    assert str(base) not in texts(parcel)


def test_its_card_tells_what_it_was_made_of(base: Path):
    runs_to_share.built()
    runs_to_share.examined(runs_to_share.agent(base), str(base))
    parcel = parcels.of_run("agent", "me/agent", base="maker/tiny-base")
    head = ModelCard(parcel.card).data
    assert (head.license, head.base_model) == ("cc-by-nc-sa-3.0", "maker/tiny-base")
    assert head.datasets == ["maker/chats"]
    assert {each.metric_type: each.metric_value for each in head.eval_results if "before" not in each.metric_name} == {
        "score": 0.7, "score_how_to": 0.7, "refused": 0.7, "cited_right": 0.7,
    }  # fmt: skip
    for said in (
        "| took | 18 minutes |", "| memory at most | 3.2 GiB |", "Train: 48 examples in 12 rows", "Lamp battery",
        "<https://www.ifixit.com/Guide/1>", "| method | lora |", "it said so in 70.0 % of 40 questions",
        runs_to_share.TERMS, "agent is better than", "| **all questions** | 40 | 0.100 | 0.700 |",
    ):  # fmt: skip
        assert said in parcel.card, said


def test_an_adapter_is_used_as_its_card_says_and_answers_as_it_did_here(
    base: Path, hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    hub.add_repo("model", "maker/tiny-base", {path.name: path for path in base.iterdir() if path.is_file()})
    folder = runs_to_share.agent(base)
    expected = "".join(LocalWriter(str(folder.model)).answer("How do I remove the battery?", PASSAGES))
    parcel = parcels.of_run("agent", "me/agent", base="maker/tiny-base")
    send(parcel, "me/agent")
    assert run_code(parcel, tmp_path, monkeypatch).strip()
    planned = pull.plan("me/agent")
    assert (planned.what, planned.base, left(planned)) == ("adapter", "maker/tiny-base", [])
    for there in ("me/agent", str(pull.fetch(planned))):
        assert "".join(LocalWriter(there).answer("How do I remove the battery?", PASSAGES)) == expected
    again = plan(parcels.of_run("agent", "me/agent", base="maker/tiny-base"), "me/agent")
    assert again.new_bytes == 0, "what is sent twice is seen to be the same"
    assert run_commands(parcel) == [0]
    assert "me/agent" in capsys.readouterr().out


def test_terms_go_along_also_where_the_data_are_gone(base: Path):
    runs_to_share.agent(base)
    assert "whose terms of use forbid training" in parcels.of_run("agent", base="maker/tiny-base").card


def test_a_base_that_only_this_machine_has_is_asked_for(base: Path):
    runs_to_share.agent(base)
    with pytest.raises(RepairError, match=r"a folder of this machine that nobody else has; say what .*--base") as told:
        parcels.of_run("agent", "me/agent")
    assert str(base.parent) not in str(told.value)


@pytest.mark.parametrize("place", ["the Hub's cache", "models pull", "the recipe"])
def test_a_base_is_known_by_where_it_lies(base: Path, home: Path, tmp_path: Path, place: str):
    lies = {
        "the Hub's cache": tmp_path / "hub" / "models--maker--tiny-base" / "snapshots" / "abc",
        "models pull": home / "models" / "maker--tiny-base",
        "the recipe": base,
    }[place]
    if lies != base:
        lies.parent.mkdir(parents=True)
        lies.symlink_to(base)
    if place == "models pull":
        lies.unlink()
        lies.mkdir()
        for path in base.iterdir():
            (lies / path.name).write_bytes(path.read_bytes())
        (lies / "pulled.json").write_text('{"repo": "maker/tiny-base", "licence": "apache-2.0"}')
    runs_to_share.agent(lies, model="maker/tiny-base" if place == "the recipe" else "")
    parcel = parcels.of_run("agent", "me/agent")
    config = json.loads(dict(parcel.files)["adapter_config.json"].read_text())
    assert config["base_model_name_or_path"] == "maker/tiny-base"
    if place == "models pull":
        assert "The base model, maker/tiny-base, is under apache-2.0." in parcel.card


# ---- whole models


def test_a_merged_model_answers_without_its_base(
    base: Path, hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = runs_to_share.agent(base)
    with pytest.raises(RepairError, match="agent is not merged with its base yet; merge it first: python -m"):
        parcels.of_run("agent", merged=True)
    merge(folder.path, folder.path / "merged", tell=lambda words: None)
    parcel = parcels.of_run("agent", "me/whole", merged=True)
    assert names(parcel) >= {"config.json", "model.safetensors", "tokenizer.json", "sources.json", "recipe.yaml"}
    assert not names(parcel) & {"adapter_config.json", "training_args.bin"}
    assert str(base) not in texts(parcel)
    send(parcel, "me/whole")
    assert run_code(parcel, tmp_path, monkeypatch).strip()
    here, there = (LocalWriter(where) for where in (str(folder.path / "merged"), "me/whole"))
    question = "How do I remove the fan of a lamp 2?"
    assert "".join(there.answer(question, PASSAGES)) == "".join(here.answer(question, PASSAGES))
    head = ModelCard(parcel.card).data
    assert "repairai-agent" in head.tags


def test_a_fully_trained_model_needs_no_name_for_what_it_began_with(base: Path):
    runs_to_share.agent(base, method="full")
    parcel = parcels.of_run("agent", "me/whole")
    assert "model.safetensors" in names(parcel)
    assert ModelCard(parcel.card).data.base_model is None
    assert f"| from | {base.name} |" in parcel.card


# ---- a detector


def test_a_detector_goes_with_its_thresholds_and_its_export(
    hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, capsys
):
    taken = runs_to_share.photos()
    folder = runs_to_share.eyes()
    runs_to_share.measured(folder)
    parcel = parcels.of_run("eyes", "me/eyes")
    assert names(parcel) == {
        "config.json", "preprocessor_config.json", "model.safetensors", "model.onnx", "limits.json", "sources.json",
        "recipe.yaml",
    }  # fmt: skip
    head = ModelCard(parcel.card).data
    assert (head.license, head.pipeline_tag) == ("cc-by-4.0", "object-detection")
    assert {"exact", "escape", "false_call", "decided", "ap"} == {each.metric_type for each in head.eval_results}
    for said in (
        "| screw | 3 | 0.050 | 0.600 |", "bar stays undecided", "It was measured on 20 photos from 12 sources alone",
        "was not measured", "of wrong steps it passes 2.0 %, of right steps it fails 1.0 %", "it decides 80.0 %",
        "the detector that comes with RepairAI",
    ):  # fmt: skip
        assert said in parcel.card, said
    assert str(home) not in texts(parcel)
    send(parcel, "me/eyes")
    photo = next((taken / "photos").glob("*.jpg"))
    Image.open(photo).save(tmp_path / "photo.jpg", quality=95)
    run_code(parcel, tmp_path, monkeypatch)

    pulled = home / "models" / "me--eyes"
    assert pull.fetch(pull.plan("me/eyes")) == pulled
    assert pull.plan("me/eyes").what == "detector"
    seen = read_photo(tmp_path / "photo.jpg").pixels
    here, there = (load_detector(place).detect(seen) for place in (folder.model, pulled))
    assert here
    assert there == here
    words = lines_of_use(parcel, "sh")[0].splitlines()[1]
    assert "--detector me--eyes" in words
    assert repairai([*words.split()[3:5], "--require", "4 screw", "--detector", "me--eyes", "--json"]) in (0, 1, 3)
    assert json.loads(capsys.readouterr().out)["models"][0].startswith("me--eyes@")


def test_one_that_nobody_measured_says_so():
    runs_to_share.eyes()
    parcel = parcels.of_run("eyes")
    assert "It was not measured" in parcel.card
    assert "Nobody has measured how often it counts right" in parcel.card
    assert ModelCard(parcel.card).data.eval_results is None
    assert "OWNER/eyes" in parcel.card


# ---- data


def test_built_data_are_loaded_by_datasets_and_built_on(
    hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
):
    runs_to_share.built()
    parcel = parcels.of_sop_data("lamps", "me/lamps")
    assert names(parcel) == {"train.jsonl", "val.jsonl", "exam.jsonl", "sources.json", "report.json"}
    assert str(home) not in texts(parcel)
    assert "/home/max" not in texts(parcel)
    report = json.loads(dict(parcel.files)["report.json"].read_text())
    assert (report["sources"], report["counted_with"]) == (["guides.json"], "tiny")
    assert DatasetCard(parcel.card).data.license == "cc-by-nc-sa-3.0"
    send(parcel, "me/lamps")
    said = run_code(parcel, tmp_path, monkeypatch)
    assert "{'train': 48, 'validation': 6, 'test': 6}" in said
    assert "1. Remove the" in said

    planned = pull.plan("me/lamps", "dataset")
    assert (planned.what, left(planned)) == ("sop-data", [])
    assert run_commands(parcel) == [0]
    there = pull.fetch(planned)
    assert DATA_SETS.known("me--lamps") == there
    assert (there / "train.jsonl").read_bytes() == (DATA_SETS.place() / "lamps" / "train.jsonl").read_bytes()

    from training.sop.hub_data import read_dataset

    chats = read_dataset("hub:me/lamps", {}).chats
    assert len(chats) == 48
    assert chats[0].task == "how_to"


def test_photos_are_loaded_by_datasets_and_read_back_as_they_were(
    hub: HubServer, me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runs_to_share.photos()
    parcel = parcels.of_photo_set("bench", "me/bench")
    assert {name.split("/")[0] for name in names(parcel)} == {"train", "validation", "test"}
    assert DatasetCard(parcel.card).data.license == "cc0-1.0"
    send(parcel, "me/bench")
    said = run_code(parcel, tmp_path, monkeypatch)
    assert "{'train': 6, 'validation': 2, 'test': 2}" in said
    assert "'category': [" in said

    from training import detector_data

    assert detector_data.main(["hub:me/bench", "--name", "again"]) == 0
    assert boxes("again") == boxes("bench")
    here = next(iter(lines_of_use(parcel, "sh")))
    assert here == "python -m repairai data pull me/bench"


def test_a_folder_of_pushed_photos_is_imported_as_it_is(hub: HubServer, me: str, tmp_path: Path):
    runs_to_share.photos()
    send(parcels.of_photo_set("bench", "me/bench"), "me/bench")
    planned = pull.plan("me/bench", "dataset")
    assert (planned.what, left(planned), planned.licence) == ("photos", [], "cc0-1.0")
    there = pull.fetch(planned)

    from training import detector_data

    assert detector_data.main([str(there), "--name", "again"]) == 0
    assert boxes("again") == boxes("bench")
    assert read_photo_set(PHOTO_SETS.folder("again")).sources[0].licence == "cc0-1.0"


def boxes(name: str) -> list[tuple]:
    """All boxes of a set, photo by photo, whatever these are called; an import puts those that look alike together."""
    found = read_photo_set(PHOTO_SETS.folder(name))
    return sorted(
        tuple(sorted((box.part, *(round(edge, 1) for edge in box.box)) for box in photo.boxes))
        for photo in found.photos
    )


def test_a_split_without_a_part_has_a_configuration_of_its_own(hub: HubServer, me: str, tmp_path: Path, monkeypatch):
    folder = runs_to_share.photos()
    path = folder / "annotations.coco.json"
    data = json.loads(path.read_text())
    val = {image["id"] for image in data["images"] if image["split"] == "val"}
    data["annotations"] = [note for note in data["annotations"] if note["image_id"] not in val]
    path.write_text(json.dumps(data))
    parcel = parcels.of_photo_set("bench", "me/bench")
    configs = DatasetCard(parcel.card).data.to_dict()["configs"]
    assert [each["config_name"] for each in configs] == ["default", "background_validation"]
    send(parcel, "me/bench")
    assert "{'train': 6, 'test': 2}" in run_code(parcel, tmp_path, monkeypatch)


def test_photos_go_without_what_the_camera_noted(home: Path):
    folder = runs_to_share.photos()
    photo = sorted((folder / "photos").iterdir())[0]
    exif = Image.Exif()
    exif[0x013B] = "Max Mustermann"
    Image.open(photo).save(photo, quality=95, exif=exif, comment=b"Max Mustermann")
    parcel = parcels.of_photo_set("bench", "me/bench")
    sent = dict(parcel.files)[f"train/{photo.name}"]
    assert b"Max" in photo.read_bytes(), "the person's own photo is left alone"
    assert b"Max" not in sent.read_bytes()
    assert Image.open(sent).tobytes() == Image.open(photo).tobytes()
    others = [path for name, path in parcel.files if name.endswith(".jpg") and not name.endswith(photo.name)]
    assert all(path.parent == folder / "photos" for path in others), "no copy of what needs none"


# ---- what may not go


def spoil(folder: RunFolder, name: str, change: Callable[[str], str]) -> None:
    path = folder.model / name
    path.write_text(change(path.read_text()) if path.is_file() else change(""))


def test_a_token_or_a_path_anywhere_stops_it(base: Path, home: Path):
    folder = runs_to_share.agent(base)
    spoil(folder, "chat_template.jinja", lambda text: text + "{# hf_" + "a" * 34 + " #}")
    with pytest.raises(RepairError, match=r"chat_template\.jinja holds a token or a password; take it out"):
        parcels.of_run("agent", base="maker/tiny-base")
    spoil(folder, "chat_template.jinja", lambda text: "{# " + str(home) + "/x #}")
    with pytest.raises(RepairError, match=r"chat_template\.jinja tells a path of this machine"):
        parcels.of_run("agent", base="maker/tiny-base")
    data = runs_to_share.built()
    with (data / "val.jsonl").open("a") as file:
        file.write(json.dumps({"messages": [], "device": f"{home}/x"}))
    with pytest.raises(RepairError, match=r"val\.jsonl tells a path of this machine"):
        parcels.of_sop_data("lamps")


def test_what_is_not_there_is_said():
    with pytest.raises(RepairError, match="there is no run 'nobody'"):
        parcels.of_run("nobody")
    with pytest.raises(RepairError, match="there are no data named 'nobody'"):
        parcels.of_sop_data("nobody")
    with pytest.raises(RepairError, match=r"holds no annotations\.coco\.json"):
        parcels.of_photo_set("nobody")


def test_a_run_that_has_made_nothing_yet_is_refused(base: Path):
    import shutil

    folder = runs_to_share.agent(base)
    shutil.rmtree(folder.model)
    folder.model.mkdir()
    (folder.model / "adapter_model.bin").write_bytes(b"a pickle")
    with pytest.raises(RepairError, match="agent has made no model yet"):
        parcels.of_run("agent")
    (folder.model / "adapter_config.json").write_text("{}")
    with pytest.raises(RepairError, match="has no weights in safetensors"):
        parcels.of_run("agent", base="maker/tiny-base")


def test_the_same_makes_the_same_parcel_and_leaves_nothing_of_the_one_before(base: Path, home: Path):
    folder = runs_to_share.agent(base)
    first = parcels.of_run("agent", "me/agent", base="maker/tiny-base")
    contents = {name: path.read_bytes() for name, path in first.files}
    again = parcels.of_run("agent", "me/agent", base="maker/tiny-base")
    assert again == first
    assert {name: path.read_bytes() for name, path in again.files} == contents
    (folder.model / "sources.json").unlink()
    place = home / "parcels" / "runs" / "agent"
    (place / "left.json").write_text("{}")
    parcels.of_run("agent", "me/agent", base="maker/tiny-base")
    assert sorted(path.name for path in place.iterdir()) == ["adapter_config.json", "recipe.yaml"]
