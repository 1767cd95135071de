"""What is missing or broken is named, with the one line that mends it."""

import sys
from importlib.metadata import PackageNotFoundError

import pytest

from repairai.hardware import doctor


def named(name: str) -> doctor.Check:
    return next(check for check in doctor.examine() if check.name == name)


def test_here_nothing_is_missing():
    assert [check for check in doctor.examine() if check.state in ("missing", "broken")] == []


def test_a_missing_package_comes_with_the_line_that_brings_it(monkeypatch):
    known = doctor.version

    def without_openvino(name):
        if name == "openvino":
            raise PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(doctor, "version", without_openvino)
    check = named("openvino")
    assert check.state == "missing"
    assert check.mend.startswith("pip install 'openvino")


def test_a_package_that_is_too_old_is_broken(monkeypatch):
    known = doctor.version
    monkeypatch.setattr(doctor, "version", lambda name: "5.1.0" if name == "transformers" else known(name))
    check = named("transformers")
    assert check.state == "broken"
    assert "5.1.0" in check.seen
    assert ">=5.18" in check.mend


@pytest.mark.parametrize(
    ("body", "state"), [("raise RuntimeError('operator torchvision::nms does not exist')", "broken"), ("", "ok")]
)
def test_a_torchvision_that_does_not_fit_its_torch_is_named(monkeypatch, tmp_path, body, state):
    """A stand-in for the real package: the pair is judged by importing it, in a process of its own."""
    (tmp_path / "torchvision.py").write_text(body)
    info = tmp_path / "torchvision-0.28.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    check = named("torchvision")
    assert check.state == state
    if state == "broken":
        assert "operator torchvision::nms does not exist" in check.seen
        assert check.mend == "pip uninstall -y torchvision"


def test_a_torchvision_that_takes_too_long_is_left_open(monkeypatch, tmp_path):
    (tmp_path / "torchvision.py").write_text("import time; time.sleep(60)")
    info = tmp_path / "torchvision-0.28.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(doctor, "IMPORT_SECONDS", 0.5)
    check = named("torchvision")
    assert check.state == "note"
    assert "took over" in check.seen


def test_a_detector_without_its_weights_is_named(monkeypatch, tmp_path):
    for name in doctor.DETECTOR_FILES:
        (tmp_path / name).write_text("there")
    monkeypatch.setattr(doctor, "DETECTOR", tmp_path)
    assert named("detector").state == "ok"
    (tmp_path / "model.onnx").unlink()
    (tmp_path / "limits.json").write_text("")
    check = named("detector")
    assert check.state == "missing"
    assert check.seen.startswith("no limits.json, model.onnx in")


def test_without_packaging_names_alone_are_looked_at(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging", None)
    checks = {check.name: check.state for check in doctor.examine()}
    assert checks["numpy"] == checks["packaging"] == "ok"
    assert "hypothesis" not in checks, "that is for those who test"


def test_a_home_that_is_not_known_is_named(monkeypatch):
    monkeypatch.setenv("REPAIRAI_HOME", "~nosuch")
    assert "a home folder that is not known" in named("home").seen


def test_a_home_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("REPAIRAI_HOME", str(tmp_path / "file" / "home"))
    check = named("home")
    assert check.state == "broken"
    assert "REPAIRAI_HOME" in check.mend
