"""Who inspects: one register, one step back, and what happens when a folder is gone."""

import json
import shutil
from pathlib import Path

import pytest

from repairai.cli import main
from repairai.errors import RepairError
from repairai.files import to_data
from repairai.inspection import BUILTIN, open_detector
from repairai.schema import PartLimits
from repairai.ui.inspect_tab import parts
from repairai.vision import detectors
from repairai.vision.detector import Limits, load_detector
from repairai.vision.detectors import Inspector

BUILTIN_FOLDER = Path(__file__).parents[2] / "repairai" / "builtin" / "detector"
PHOTO = Path(__file__).parents[2] / "repairai" / "builtin" / "photos" / "block-four-screws.jpg"


def copy_to(folder: Path, first_part: str = "screw") -> Path:
    """The built-in detector in a folder of its own, with another name for screws."""
    shutil.copytree(BUILTIN_FOLDER, folder)
    for name in ("config.json", "limits.json"):
        (folder / name).write_text((folder / name).read_text().replace('"screw"', f'"{first_part}"'))
    return folder


def test_the_built_in_one_inspects_until_another_is_chosen(tmp_path: Path):
    assert detectors.active() == detectors.BUILTIN
    assert open_detector().name.startswith(f"{BUILTIN}@")
    used = detectors.use(Inspector("mine", str(copy_to(tmp_path / "mine", "bolt"))))
    assert used.made
    assert detectors.use(Inspector("mine", str(tmp_path / "mine"))) == used
    assert open_detector().name.startswith("mine@")
    assert "bolt" in open_detector().limits
    assert open_detector(BUILTIN).name.startswith(f"{BUILTIN}@")
    assert parts()[0] == "bolt"
    assert [each.name for each in detectors.inspectors()] == ["builtin", "mine"]
    assert detectors.back() == detectors.BUILTIN
    assert open_detector().name.startswith(f"{BUILTIN}@")
    with pytest.raises(RepairError, match="no detector was in use before"):
        detectors.back()


def test_what_only_proposes_boxes_does_not_inspect(tmp_path: Path):
    """Grounding DINO is trained here too, and every inspection would fail after it."""
    (tmp_path / "dino").mkdir()
    (tmp_path / "dino" / "config.json").write_text('{"model_type": "grounding-dino"}')
    with pytest.raises(RepairError, match="dino is grounding-dino, which proposes boxes and does not inspect"):
        detectors.use(Inspector("dino", str(tmp_path / "dino")))
    with pytest.raises(RepairError, match="dino holds grounding-dino, which finds what words say and was trained on"):
        load_detector(tmp_path / "dino")
    assert detectors.active() == detectors.BUILTIN


def test_new_thresholds_are_taken_up(tmp_path: Path):
    folder = copy_to(tmp_path / "mine")
    detectors.use(Inspector("mine", str(folder)))
    first = open_detector()
    assert open_detector() is first, "it is loaded once"
    limits = Limits({"screw": PartLimits(0.9, 0.1)}, "here", escape=0.05, photos={"screw": 19})
    (folder / "limits.json").write_text(json.dumps(to_data(limits)))
    assert open_detector().limits["screw"] == PartLimits(0.9, 0.1)


def test_a_run_is_opened_by_its_id(home: Path):
    copy_to(home / "runs" / "first" / "model")
    assert open_detector("first").name.startswith("first@")
    copy_to(home / "models" / "bench")
    assert open_detector("bench").name.startswith("bench@")
    with pytest.raises(RepairError, match="there is no detector named second"):
        open_detector("second")


def test_where_its_folder_is_gone_the_built_in_one_inspects_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = copy_to(tmp_path / "mine")
    detectors.use(Inspector("mine", str(folder)))
    shutil.rmtree(folder)
    assert detectors.trouble() == (
        f"The folder of the detector mine is gone: {folder}; the built-in detector inspects in its place."
    )
    assert main(["inspect", str(PHOTO), "--require", "4 screw", "--json", "--no-record"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["models"][0].startswith("builtin@")
    assert told.err.splitlines() == [f"repairai: {detectors.trouble()}"]
    assert "screw" in parts()


def test_a_damaged_register_is_said_and_the_page_opens(capsys: pytest.CaptureFixture[str]):
    detectors.register_path().parent.mkdir(parents=True)
    detectors.register_path().write_text("{")
    assert "screw" in parts()
    assert main(["inspect", str(PHOTO), "--require", "4 screw"]) == 2
    assert "the register of detectors is damaged" in capsys.readouterr().err


def test_the_command_line_chooses(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = copy_to(tmp_path / "mine")
    assert main(["models", "use", str(folder)]) == 0
    assert capsys.readouterr().out == f"inspects now: mine, a detector: {folder}\n"
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "* steps: the steps themselves, no model",
        "  builtin, a detector: the one that comes with RepairAI",
        f"* mine, a detector: {folder}",
    ]
    assert main(["inspect", str(PHOTO), "--require", "4 screw", "--json", "--no-record"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0].startswith("mine@")
    assert main(["models", "back", "--detector"]) == 0
    assert main(["models", "use", "mine"]) == 2, "only those that inspect or did so before are known by their name"
    capsys.readouterr()
    assert main(["models", "use", "builtin", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "builtin"
