"""What is missing or broken is named, with the one line that mends it."""

import sys
from importlib.metadata import PackageNotFoundError

import pytest

from repairai.hardware import doctor, torch_build
from repairai.hardware.profile import Gpu
from repairai.hardware.torch_build import Build


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


RTX = Gpu("nvidia", "NVIDIA GeForce RTX 3060", 12, 10, driver="550.54", cuda="12.4", capability="8.6", bf16=True)
GTX = Gpu("nvidia", "NVIDIA GeForce GTX 1080", 8, 7, driver="580.95", cuda="13.0", capability="6.1")
UNTOLD = Gpu("nvidia", "NVIDIA GPU", 0, 0)


@pytest.mark.parametrize(
    ("gpus", "torch", "state", "seen", "mend"),
    [
        ((RTX,), Build("2.13.0+cu126", "12.6"), "ok", "driver 550.54 for CUDA 12.4, torch 2.13.0+cu126", ""),
        ((RTX,), Build("2.13.0+cpu", ""), "broken", "2.13.0+cpu is not built for CUDA", "the CUDA build of torch"),
        ((RTX,), Build("2.13.0", "13.0"), "broken", "is built for CUDA 13.0", "update the NVIDIA driver"),
        ((GTX,), Build("2.13.0", "13.0"), "note", "compute capability is 6.1", "a build of torch for CUDA 12"),
        ((GTX, RTX), Build("2.13.0", "12.6"), "ok", "GTX 1080, NVIDIA GeForce RTX 3060", ""),
        ((RTX,), None, "note", "there is no torch", ""),
        ((UNTOLD,), Build("2.13.0", "13.0"), "ok", "NVIDIA GPU", ""),
    ],
)
def test_a_gpu_is_held_against_its_torch(monkeypatch, gpus, torch, state, seen, mend):
    monkeypatch.setattr(doctor.nvidia, "find", lambda: (gpus, ()))
    monkeypatch.setattr(doctor.torch_build, "installed", lambda: torch)
    check = doctor._gpu()
    assert check.state == state
    assert seen in check.seen
    assert mend in check.mend
    assert bool(mend) == bool(check.mend)


def test_a_driver_that_fails_is_broken(monkeypatch):
    monkeypatch.setattr(doctor.nvidia, "find", lambda: ((), ("NVML answers with an error (Driver Not Loaded)",)))
    check = doctor._gpu()
    assert (check.state, check.seen) == ("broken", "NVML answers with an error (Driver Not Loaded)")
    assert "driver" in check.mend


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(doctor.nvidia, "find", lambda: ((), ()))
    monkeypatch.setattr(doctor.amd, "find", tuple)
    monkeypatch.setattr(doctor.sys, "platform", "linux")


def test_no_gpu_is_only_good_to_know(no_gpu):
    check = doctor._gpu()
    assert (check.state, check.mend) == ("note", "")
    assert "judged on the CPU" in check.seen


def test_on_wsl_the_way_to_the_gpu_is_looked_for(no_gpu, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.platform, "release", lambda: "5.15.153.1-microsoft-standard-WSL2")
    monkeypatch.setattr(doctor, "WSL_DOOR", tmp_path / "dxg")
    monkeypatch.setattr(doctor, "WSL_CUDA", tmp_path / "libcuda.so.1")
    check = doctor._gpu()
    assert "dxg" in check.seen
    assert "wsl --update" in check.mend
    (tmp_path / "dxg").write_text("")
    assert "libcuda" in doctor._gpu().seen
    (tmp_path / "libcuda.so.1").write_text("")
    assert doctor._gpu().mend == ""


def test_other_makers_are_named(no_gpu, monkeypatch):
    radeon = Gpu("amd", "AMD Radeon RX 7900 XTX", 24, 20, remark="training needs ROCm")
    monkeypatch.setattr(doctor.amd, "find", lambda: (radeon,))
    assert doctor._gpu() == doctor.Check("gpu", "note", "AMD Radeon RX 7900 XTX: training needs ROCm")
    monkeypatch.setattr(doctor.sys, "platform", "darwin")
    monkeypatch.setattr(doctor.platform, "machine", lambda: "arm64")
    assert "MPS" in doctor._gpu().seen


@pytest.mark.parametrize(
    ("source", "build"),
    [
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\n", Build("2.13.0+cpu", "")),
        (
            "from typing import Optional\n__version__ = '2.13.0'\ncuda: Optional[str] = '13.0'\n",
            Build("2.13.0", "13.0"),
        ),
        ("__version__ = '2.4.0'\ncuda = '12.1'\nhip: str\n", Build("2.4.0", "12.1")),
        ("cuda = '12.1'\n", None),
        ("__version__ = version()\n", None),
        ("not python at all", None),
        ("\0", None),
        ("", None),
    ],
)
def test_torch_says_what_it_was_built_for(source, build):
    assert torch_build.build_in(source) == build


def test_the_torch_that_would_be_imported_is_read(monkeypatch, tmp_path):
    # Of a build from PyPI the package's own version does not say for which CUDA it is; torch's does.
    assert torch_build.installed().version.split("+")[0] == doctor.version("torch").split("+")[0]
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise RuntimeError('it was imported')")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert torch_build.installed() is None, "it does not say"
    (tmp_path / "torch" / "version.py").write_text("__version__ = '9.9'\ncuda = '99.0'\n")
    assert torch_build.installed() == Build("9.9", "99.0")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert torch_build.installed() is None
