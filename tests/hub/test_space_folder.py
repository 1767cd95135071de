"""The folder of a Space: what goes into it and what never does."""

import ast
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from repairai.errors import RepairError
from repairai.files import from_json, read_record
from repairai.hub.space_card import Eyes, StateJudge
from repairai.hub.space_contents import Contents
from repairai.hub.space_folder import ON_GPU, build
from repairai.schema import Guide, Line, Step
from repairai.sop.samples import samples
from tests.hub.lean_python import lean_environment, lean_python
from tests.judge.classifiers import OPPOSITE, QUESTION, bright_or_dark

ROOT = Path(__file__).parents[2]
OWN = ROOT / "repairai" / "builtin" / "detector"
GUIDE = Guide(
    "ifixit-7", "Zebra | <b>lid</b>", "Zebra recorder", "CC BY-NC-SA 3.0",
    (Step(1, (Line("Remove the two screws."),)),), url="https://www.ifixit.com/Guide/x/7", author="Ada",
)  # fmt: skip


def head_of(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def eyes_in(folder: Path, names: tuple[str, ...]) -> Eyes:
    """A detector's folder as a training leaves it: with much beside the model."""
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes((OWN / name).read_bytes())
    for name in (".env", "training_args.bin", "optimizer.pt", "events.jsonl", "notes.txt", "model.pkl"):
        (folder / name).write_text("HF_TOKEN=hf_never")
    return Eyes("bench-3", folder)


ALL = ("config.json", "preprocessor_config.json", "limits.json", "README.md", "model.onnx", "model.safetensors")


def test_what_comes_with_repairai_is_what_it_holds_unless_told(tmp_path: Path):
    built = build(tmp_path / "space")
    there = {path for path, _ in built.files}
    assert {"app.py", "requirements.txt", "space.json", "LICENSE", "repairai/ui/inspector.py"} <= there
    assert {"repairai/builtin/detector/model.onnx", "repairai/builtin/photos/samples.json"} <= there
    assert not [path for path in there if re.search(r"safetensors|tests?/|training|/runs/|/commands/|cli\.py", path)]
    assert not [
        path for path in there if path.startswith("repairai/hub/") and "contents" not in path and "__" not in path
    ]
    lying = {path.relative_to(built.folder).as_posix() for path in built.folder.rglob("*") if path.is_file()}
    assert lying == there | {"README.md"}
    assert sum(file.stat().st_size for _, file in built.files) < 8_000_000
    head = head_of(built.card)
    assert (built.folder / "README.md").read_text() == built.card
    assert (head["sdk"], head["python_version"], head["app_file"]) == ("gradio", "3.12", "app.py")
    assert head["license"] == "apache-2.0"
    assert len(head["short_description"]) <= 60
    assert built.contents == Contents()
    assert built.guides == len(samples())


def test_its_gradio_is_the_one_that_is_here(tmp_path: Path):
    from importlib.metadata import version

    assert head_of(build(tmp_path / "space").card)["sdk_version"] == version("gradio")


def test_all_that_its_modules_import_of_repairai_is_there(tmp_path: Path):
    built = build(tmp_path / "space")
    for path in built.folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("repairai"):
                place = built.folder / node.module.replace(".", "/")
                assert place.is_dir() or place.with_suffix(".py").is_file(), f"{path} imports {node.module}"


def test_it_needs_what_the_repository_needs_and_not_gradio(tmp_path: Path):
    own = (ROOT / "requirements.txt").read_text().splitlines()
    lean = [line for line in (build(tmp_path / "a").folder / "requirements.txt").read_text().splitlines()[1:]]
    assert [line for line in lean if line not in own] == []
    assert not [line for line in lean if re.match("gradio|torch|transformers|repairai", line)]
    eyes = eyes_in(tmp_path / "model", ALL)
    heavy = (build(tmp_path / "b", eyes, with_torch=True).folder / "requirements.txt").read_text()
    assert heavy.endswith(ON_GPU)
    # ZeroGPU has its own builds of torch; of the others the repository's word holds.
    assert [line for line in ON_GPU.splitlines()[1:] if line not in own] == []


def test_a_detector_of_ones_own_goes_along_with_its_limits_and_nothing_else(tmp_path: Path):
    eyes = replace(eyes_in(tmp_path / "model", ALL), source="me/bench-3", licence="MIT")
    built = build(tmp_path / "space", eyes)
    named = {path for path, _ in built.files if path.startswith("detector/")}
    assert named == {f"detector/{name}" for name in ALL if name != "model.safetensors"}
    assert not [path for path, _ in built.files if "builtin/detector" in path or "builtin/photos" in path]
    assert built.contents == Contents("bench-3", "detector")
    assert read_record(built.folder / "space.json", Contents) == built.contents
    assert head_of(built.card)["models"] == ["me/bench-3"]
    assert "under MIT; [its card](detector/README.md)" in built.card
    assert not [path for path in built.folder.rglob("*") if path.is_file() and b"hf_never" in path.read_bytes()]


def test_a_detector_without_an_export_runs_on_a_gpu(tmp_path: Path):
    eyes = eyes_in(tmp_path / "model", tuple(name for name in ALL if name != "model.onnx"))
    built = build(tmp_path / "space", eyes)
    assert built.contents.on_gpu
    assert (built.folder / "detector" / "model.safetensors").is_file()
    assert build(tmp_path / "other", eyes_in(tmp_path / "both", ALL), with_torch=True).contents.on_gpu


@pytest.mark.parametrize("gone", ["config.json", "preprocessor_config.json", "model"])
def test_a_detector_that_lacks_a_file_is_told(tmp_path: Path, gone: str):
    eyes = eyes_in(tmp_path / "model", tuple(name for name in ALL if not name.startswith(gone)))
    with pytest.raises(RepairError, match=f"the detector bench-3 has no {gone}"):
        build(tmp_path / "space", eyes)
    assert not (tmp_path / "space").exists()


def test_chosen_guides_go_along_with_their_licences_and_no_others(tmp_path: Path):
    block = next(each for each in samples() if each.id == "sample-practice-block")
    built = build(tmp_path / "space", None, [block, GUIDE], title="Zebra bench")
    guides = [path for path, _ in built.files if path.endswith(".json") and "guides/" in path]
    assert guides == ["guides/ifixit-7.json", "repairai/builtin/guides/practice-block.json"]
    assert from_json((built.folder / guides[0]).read_text(), Guide, "it") == GUIDE
    head = head_of(built.card)
    assert (head["license"], head["title"]) == ("cc-by-nc-sa-3.0", "Zebra bench")
    assert "# Zebra bench" in built.card
    assert "CC BY-NC-SA 3.0 | Ada | <https://www.ifixit.com/Guide/x/7>" in built.card
    assert "no commercial use" in built.card
    assert "<b>" not in built.card
    assert json.loads((built.folder / "space.json").read_text())["guides"] == ["guides/ifixit-7.json"]


def test_guides_whose_ids_look_alike_all_go_along(tmp_path: Path):
    alike = [replace(GUIDE, id=f"own{mark}7") for mark in "/ %"]
    built = build(tmp_path / "space", None, alike)
    assert [read_record(built.folder / path, Guide) for path in built.contents.guides] == alike


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path):
    (tmp_path / "space").mkdir()
    build(tmp_path / "space")
    with pytest.raises(RepairError, match="holds something"):
        build(tmp_path / "space")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RepairError, match="holds something"):
        build(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_space_shows_at_least_one_guide(tmp_path: Path):
    with pytest.raises(RepairError, match="without a guide"):
        build(tmp_path / "space", None, [])


def test_a_full_disk_leaves_nothing_half_built(small_disk: Path):
    with pytest.raises(RepairError, match="the disk is full"):
        build(small_disk / "space")
    assert [*small_disk.iterdir()] == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "a/../../b", "~/x", "a\\b"])
def test_what_a_space_names_lies_within_it(path: str):
    with pytest.raises(ValueError, match="need paths within the Space"):
        Contents("own", path)
    with pytest.raises(ValueError, match="need paths within the Space"):
        Contents(guides=(path,))


def test_the_folder_in_the_repository_is_a_space_as_it_stands():
    head = head_of((ROOT / "spaces" / "inspector" / "README.md").read_text())
    assert {"title", "sdk", "sdk_version", "python_version", "app_file", "license"} <= set(head)
    assert (ROOT / "spaces" / "inspector" / head["app_file"]).is_file()


# ---- a judge of states


def lamps(folder: Path) -> StateJudge:
    """A light classifier's folder as a training leaves it: with much beside the model."""
    bright_or_dark(folder)
    (folder / "state_limits.json").write_text('{"is lamp on": {"sure": 0.8, "sources": 40}}')
    (folder / "README.md").write_text("---\nlicense: mit\n---\n\n# lamps\n")
    for name in (".env", "head.pkl", "events.jsonl", "notes.txt", "tokenizer.json"):
        (folder / name).write_text("HF_TOKEN=hf_never")
    return StateJudge("lamps", folder, "me/lamps")


ALONE = f"""
from repairai.judge.reasoner import load_reasoner
import numpy, sys
judge = load_reasoner("judge", "lamps")
photo = numpy.full((60, 60, 3), 230, numpy.uint8)
print(*(round(judge.ask(photo, each), 1) for each in ("{QUESTION}", "{OPPOSITE}")), judge.limits("{QUESTION}").sure)
print([name for name in ("torch", "transformers") if name in sys.modules])
"""


def test_a_judge_goes_along_with_its_limits_and_answers_there_without_torch(tmp_path: Path):
    built = build(tmp_path / "space", judge=lamps(tmp_path / "model"))
    named = {path for path, _ in built.files if path.startswith("judge/")}
    assert named == {f"judge/{name}" for name in ("config.json", "model.safetensors", "backbone.onnx",
                                                  "state_limits.json", "README.md")}  # fmt: skip
    assert not [path for path in built.folder.rglob("*") if path.is_file() and b"hf_never" in path.read_bytes()]
    assert built.contents == Contents(judge="lamps", judge_folder="judge")
    assert read_record(built.folder / "space.json", Contents) == built.contents
    assert "repairai/judge/classifier.py" in {path for path, _ in built.files}
    assert "repairai/judge/vision_language.py" not in {path for path, _ in built.files}
    assert head_of(built.card)["models"] == ["me/lamps"]
    assert "answered by **lamps**, under mit; [its card](judge/README.md)" in built.card
    needs = (built.folder / "requirements.txt").read_text().splitlines()
    assert [line for line in needs[1:] if line not in (ROOT / "requirements.txt").read_text().splitlines()] == []
    python = lean_python(tmp_path / "python", needs)
    answer = subprocess.run(
        [python, "-c", ALONE], cwd=built.folder, env=lean_environment(), capture_output=True, text=True, check=False
    )
    assert answer.stdout == "1.0 0.0 0.8\n[]\n", answer.stderr


def test_a_judge_that_reads_photos_and_text_wants_a_gpu_and_its_base_from_the_hub(tmp_path: Path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/home/ada/models/seer", "r": 8}')
    for name in ("adapter_model.safetensors", "tokenizer.json", "preprocessor_config.json", "optimizer.pt"):
        (folder / name).write_text("of it")
    with pytest.raises(RepairError, match="merge it with its base first"):
        build(tmp_path / "space", judge=StateJudge("seer", folder))
    built = build(tmp_path / "space", judge=StateJudge("seer", folder, base="maker/seer"))
    assert built.contents.on_gpu
    assert built.contents.judge_base == "maker/seer"
    there = {path for path, _ in built.files}
    assert {"judge/adapter_model.safetensors", "judge/tokenizer.json", "repairai/judge/vision_language.py"} <= there
    assert "judge/optimizer.pt" not in there
    adapter = json.loads((built.folder / "judge" / "adapter_config.json").read_text())
    assert adapter == {"base_model_name_or_path": "maker/seer", "r": 8}
    assert "/home/ada" not in "".join(path.read_text() for path in built.folder.rglob("*.json"))
    needs = (built.folder / "requirements.txt").read_text()
    assert needs.endswith(ON_GPU)
    assert {"peft", "psutil"} <= {line.split(">=")[0] for line in needs.splitlines()}
    own = (ROOT / "requirements.txt").read_text().splitlines()
    assert [line for line in needs.removesuffix(ON_GPU).splitlines()[1:] if line not in own] == []


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors", "backbone.onnx"])
def test_a_judge_that_lacks_a_file_is_told(tmp_path: Path, gone: str):
    judge = lamps(tmp_path / "model")
    (judge.folder / gone).unlink()
    with pytest.raises(RepairError, match="the judge lamps has no "):
        build(tmp_path / "space", judge=judge)
    assert not (tmp_path / "space").exists()


def test_a_space_from_before_there_were_judges_is_still_read():
    assert from_json('{"detector": "builtin", "judge": "counts"}', Contents, "it") == Contents()
    with pytest.raises(ValueError, match="need a folder for every judge"):
        Contents(judge="lamps")
