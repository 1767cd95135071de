"""Says what is installed, what is missing, and the one line that mends it.

The standard library alone is imported at the top, and what itself imports nothing else: with any package missing, this
still has to say so.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from repairai.errors import RepairError
from repairai.hardware import torch_build
from repairai.hardware.profile import Gpu
from repairai.hardware.sources import amd, nvidia

DETECTOR = Path(__file__).parents[1] / "builtin" / "detector"
DETECTOR_FILES = ("config.json", "preprocessor_config.json", "limits.json", "model.onnx", "model.safetensors")
IMPORT_SECONDS = 120
OLDEST_CAPABILITY = (7, 5)
"""Source: release notes of CUDA 13.0, which compiles no more for Maxwell, Pascal and Volta."""
OLDEST_PYTHON = (3, 11)
ROOM_GIB = 1.0
"""Free disk under which guides, records and models will soon not fit."""
WSL_CUDA = Path("/usr/lib/wsl/lib/libcuda.so.1")
WSL_DOOR = Path("/dev/dxg")
"""WSL2's way to the GPU, and the Windows driver's CUDA in it. Source: NVIDIA's guide to CUDA on WSL."""


@dataclass(frozen=True)
class Check:
    """One thing that RepairAI needs.

    Args:
        name: What it is.
        state: `missing` and `broken` keep something from working; `note` is only good to know.
        seen: What was found.
        mend: The one line that mends it; empty where nothing needs mending.
    """

    name: str
    state: Literal["ok", "note", "missing", "broken"]
    seen: str
    mend: str = ""


def examine() -> tuple[Check, ...]:
    """Return all checks, in the order in which they are best mended."""
    return (_python(), *_packages(), *_torchvision(), _gpu(), _detector(), *_home())


def _python() -> Check:
    seen = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "broken", seen, "install Python 3.11 or newer, delete .venv and run `make run`")
    return Check("python", "ok", seen)


def _packages() -> Iterator[Check]:
    """Yield a check for each package that RepairAI asks for."""
    try:
        wanted = requires("repairai") or []
    except PackageNotFoundError:
        yield Check("repairai", "missing", "not installed, only its source", "pip install -e .")
        return
    for line in wanted:
        asked, _, condition = line.partition(";")
        if not condition or _holds(condition):
            yield _package(asked.strip())


def _package(asked: str) -> Check:
    """Return the check of a package that is asked for as `name>=1.0`."""
    name = re.split(r"[^\w.-]", asked)[0]
    mend = f"pip install '{asked}'"
    try:
        seen = version(name)
    except PackageNotFoundError:
        return Check(name, "missing", "not installed", mend)
    if not _fits(seen, asked.removeprefix(name)):
        return Check(name, "broken", f"{seen}, but {asked.removeprefix(name)} is needed", mend)
    return Check(name, "ok", seen)


def _holds(condition: str) -> bool:
    try:
        from packaging.markers import Marker
    except ImportError:  # which is among the packages that are looked for
        return "extra" not in condition
    return Marker(condition).evaluate()


def _fits(seen: str, wanted: str) -> bool:
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return True
    return seen in SpecifierSet(wanted)


def _torchvision() -> Iterator[Check]:
    """Yield a check of the pair torch and torchvision: one that does not fit breaks every import of transformers.

    RepairAI does not need torchvision. Whether it fits is seen by importing it, in a process of its own.
    """
    try:
        seen = f"{version('torchvision')} beside torch {version('torch')}"
    except PackageNotFoundError:
        yield Check("torchvision", "ok", "not installed, and not needed")
        return
    command = [sys.executable, "-c", "import torchvision"]
    try:
        probe = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        late = f"{seen}: whether they fit is not known, their import took over {IMPORT_SECONDS} s"
        yield Check("torchvision", "note", late, "run `doctor` again when the machine is less busy")
        return
    if probe.returncode == 0:
        yield Check("torchvision", "ok", seen)
    else:
        why = (probe.stderr.strip().splitlines() or ["it cannot be imported"])[-1]
        yield Check("torchvision", "broken", f"{seen} do not fit: {why}", "pip uninstall -y torchvision")


def _gpu() -> Check:
    """Return the check of the GPU, its driver and whether the installed torch can use it."""
    gpus, said = nvidia.find()
    if gpus:
        return _gpu_with_torch(gpus, torch_build.installed())
    if said:
        mend = "restart the machine; if that does not help, install the NVIDIA driver again"
        return Check("gpu", "broken", "; ".join(said), mend)
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Check("gpu", "ok", "Apple silicon, which torch uses through Metal (MPS)")
    others = amd.find() if sys.platform == "linux" else ()
    if others:
        return Check("gpu", "note", f"{others[0].name}: {others[0].remark}")
    none = "none was found: photos are judged on the CPU, and training runs small"
    if "microsoft" in platform.release().lower() and not (WSL_DOOR.exists() and WSL_CUDA.exists()):
        lost = WSL_CUDA if WSL_DOOR.exists() else WSL_DOOR
        mend = "if the PC has an NVIDIA GPU: update its driver in Windows (none in WSL), then run `wsl --update` there"
        return Check("gpu", "note", f"{none}; in WSL2 without {lost} none can be", mend)
    return Check("gpu", "note", none)


def _gpu_with_torch(gpus: tuple[Gpu, ...], torch: torch_build.Build | None) -> Check:
    """Return whether a torch can use NVIDIA's GPUs; without any torch, `_packages` says what brings it."""
    newest = max(gpus, key=lambda gpu: _numbers(gpu.capability))
    driver = f"driver {newest.driver}" + (f" for CUDA {newest.cuda}" if newest.cuda else "")
    seen = f"{', '.join(gpu.name for gpu in gpus)}, {driver}"
    if torch is None:
        return Check("gpu", "note", f"{seen}; there is no torch that could use it")
    if not torch.cuda:
        mend = "install the CUDA build of torch that pytorch.org names for your driver"
        return Check("gpu", "broken", f"{seen}, but torch {torch.version} is not built for CUDA", mend)
    if newest.cuda and _numbers(newest.cuda)[:1] < _numbers(torch.cuda)[:1]:
        late = f"{seen}, but torch {torch.version} is built for CUDA {torch.cuda}"
        return Check("gpu", "broken", late, "update the NVIDIA driver")
    if newest.capability and _numbers(newest.capability) < OLDEST_CAPABILITY:
        old = f"{seen}; its compute capability is {newest.capability}, and builds of torch for CUDA 13 begin at 7.5"
        return Check("gpu", "note", old, "take a build of torch for CUDA 12, where pytorch.org still names one")
    return Check("gpu", "ok", f"{seen}, torch {torch.version} for CUDA {torch.cuda}")


def _numbers(dotted: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", dotted))


def _detector() -> Check:
    """Return the check of the built-in detector's files, which a copy of the source alone may lack."""
    lost = [name for name in DETECTOR_FILES if not (DETECTOR / name).is_file() or not (DETECTOR / name).stat().st_size]
    if lost:
        mend = "git checkout -- repairai/builtin/detector, or install RepairAI again"
        return Check("detector", "missing", f"no {', '.join(lost)} in {DETECTOR}", mend)
    return Check("detector", "ok", f"the built-in one, {DETECTOR}")


def _home() -> Iterator[Check]:
    try:
        from repairai.files import home

        folder = home()
    except ImportError as error:
        yield Check("home", "broken", f"not looked at: {error}", "mend the packages above, then run `doctor` again")
        return
    except RepairError as error:
        yield Check("home", "broken", error.what, "set REPAIRAI_HOME to a folder that you may write to")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / ".doctor"
        trial.write_text("ok")
        trial.unlink()
    except OSError as error:
        mend = "set REPAIRAI_HOME to a folder that you may write to"
        yield Check("home", "broken", f"{folder} cannot be written: {error.strerror}", mend)
        return
    free_gib = shutil.disk_usage(folder).free / 2**30
    if free_gib < ROOM_GIB:
        yield Check(
            "home", "broken", f"{folder}, {free_gib:.1f} GiB free", "free some disk, or set REPAIRAI_HOME elsewhere"
        )
    else:
        yield Check("home", "ok", f"{folder}, {free_gib:.0f} GiB free")
