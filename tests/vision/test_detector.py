"""A folder that is not whole is told in one sentence, whichever file of it is at fault."""

import json
import shutil
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.vision.detector import load_detector

BUILTIN = Path(__file__).parents[2] / "repairai" / "builtin" / "detector"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the built-in detector."""
    return shutil.copytree(BUILTIN, tmp_path / "mine")


@pytest.mark.parametrize("names", [None, {}, ["screw"], {"one": "screw"}, {"1": "screw", "2": "battery"}])
def test_settings_without_names_of_parts(folder: Path, names: object):
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "id2label": names}))
    with pytest.raises(RepairError, match="mine/config.json does not name the detector's parts"):
        load_detector(folder)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", b"{", "is not JSON"),
        ("config.json", b"[" * 100_000, "is not JSON"),
        ("config.json", b"[]", "holds no settings"),
        ("preprocessor_config.json", b'{"size": 640}', "wants photos of size"),
        ("limits.json", b"{}", "limits.json is not a Limits"),
    ],
)
def test_damaged_settings(folder: Path, name: str, content: bytes, says: str):
    (folder / name).write_bytes(content)
    with pytest.raises(RepairError, match=says):
        load_detector(folder)


@pytest.mark.parametrize(
    ("engine", "name", "says"),
    [
        ("onnx", "model.onnx", "model.onnx holds no detector that can be run"),
        ("torch", "model.safetensors", "mine/model.safetensors holds no detector that can be run"),
    ],
)
@pytest.mark.parametrize("cut", ["empty", "garbage", "short"])
def test_damaged_weights(folder: Path, engine: str, name: str, says: str, cut: str):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes({"empty": b"", "garbage": b"not weights" * 99, "short": whole[:-5000]}[cut])
    with pytest.raises(RepairError, match=says) as refused:
        load_detector(folder, engine)
    assert "\n" not in str(refused.value)


def test_no_weights(folder: Path):
    (folder / "model.onnx").unlink()
    with pytest.raises(RepairError, match="no weights that onnx can run"):
        load_detector(folder, "onnx")
