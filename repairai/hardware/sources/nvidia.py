"""NVIDIA's GPUs: what NVML says of them, and where it does not answer, `nvidia-smi`.

Besides the standard library nothing is imported at the top, here and in what this imports: `doctor` asks here too.
"""

from __future__ import annotations

import importlib
import os
import shutil
from functools import cache
from types import ModuleType

from repairai.errors import RepairError
from repairai.hardware.profile import Gpu
from repairai.hardware.sources.nvml import NoDriver, read_nvml
from repairai.hardware.sources.smi import read_smi

WSL_FOLDER = "/usr/lib/wsl/lib"
"""Where WSL2 puts the Windows driver's libraries and `nvidia-smi`; not every path names it."""


def find() -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """Return the GPUs that the driver names, and sentences on what answered with an error.

    Without a driver both are empty: that is a state, and no error.
    """
    said: tuple[str, ...] = ()
    nvml = _nvml()
    if nvml is not None:
        try:
            return read_nvml(nvml)
        except RepairError as error:
            said = (error.what,)
        except NoDriver:  # nvidia-smi may still be there: a container is given either without the other
            pass
    program = shutil.which("nvidia-smi", path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{WSL_FOLDER}")
    if program is None:
        return (), said
    try:
        gpus = read_smi(program)
    except RepairError as error:
        return (), (*said, error.what)
    return gpus, said


@cache
def _nvml() -> ModuleType | None:
    try:
        module = importlib.import_module("pynvml")
    except ImportError:
        return None
    return module if hasattr(module, "NVMLError") else None  # else it is another package of that name
