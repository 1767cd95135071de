"""A Space whose detector is a Grounding DINO: it reads the names of its parts there, too."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from repairai.errors import RepairError
from repairai.hub.space_card import Eyes
from repairai.hub.space_folder import build
from repairai.vision.detector import load_detector
from tests.hub.lean_python import lean_environment
from tests.training.tiny_detectors import save_tiny_grounding

SIDE = 128
OPENED = f"""
import json, pathlib
import numpy, repairai
from repairai.inspection import open_detector
from repairai.ui.inspector import build
build(pathlib.Path.cwd())
found = open_detector().detect_from(numpy.full(({SIDE}, {SIDE}, 3), 120, numpy.uint8), 0.0)
print(json.dumps([repairai.__file__, open_detector().name, [[each.label, each.score] for each in found]]))
"""
"""What `app.py` does before it serves, and a look at a photo."""


@pytest.fixture
def eyes(tmp_path: Path) -> Eyes:
    """A tiny one that was trained on two parts, as a training leaves it."""
    folder = save_tiny_grounding(tmp_path / "dino")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "id2label": {"0": "screw", "1": "screw_hole"}}))
    processor = json.loads((folder / "preprocessor_config.json").read_text())
    size = {"height": SIDE, "width": SIDE}
    (folder / "preprocessor_config.json").write_text(json.dumps({**processor, "size": size}))
    (folder / "events.jsonl").write_text("{}")
    return Eyes("dino", folder)


def test_it_opens_there_with_its_tokenizer_and_sees_what_it_sees_here(eyes: Eyes, tmp_path: Path):
    built = build(tmp_path / "space", eyes)
    assert built.contents.on_gpu
    assert {path for path, _ in built.files if path.startswith("detector/")} == {
        "detector/config.json", "detector/preprocessor_config.json", "detector/model.safetensors",
        "detector/tokenizer.json", "detector/tokenizer_config.json",
    }  # fmt: skip
    environment = lean_environment(REPAIRAI_HOME=str(tmp_path / "home"), HF_HUB_OFFLINE="1")
    done = subprocess.run(
        [sys.executable, "-c", OPENED], cwd=built.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    code, name, found = json.loads(done.stdout.splitlines()[-1])
    assert Path(code).is_relative_to(built.folder), "the Space's own code"
    assert name.startswith("dino@")
    here = load_detector(eyes.folder).detect_from(np.full((SIDE, SIDE, 3), 120, np.uint8), 0.0)
    assert found == [[each.label, pytest.approx(each.score, abs=1e-3)] for each in here]
    assert {label for label, _ in found} <= {"screw", "screw_hole"}
    assert found


def test_without_a_tokenizer_or_parts_nothing_is_built(eyes: Eyes, tmp_path: Path):
    (eyes.folder / "tokenizer.json").unlink()
    with pytest.raises(RepairError, match=r"the detector dino has no tokenizer\.json in .*train or pull it again"):
        build(tmp_path / "space", eyes)
    config = json.loads((eyes.folder / "config.json").read_text())
    (eyes.folder / "config.json").write_text(json.dumps({**config, "id2label": None}))
    with pytest.raises(RepairError, match="dino finds what words say and was trained on no parts"):
        build(tmp_path / "space", eyes)
    assert not (tmp_path / "space").exists()
