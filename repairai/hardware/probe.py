"""Looks at this machine: its GPUs, processor, memory and disks, and what of them is free now."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from functools import cache
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import expanded, home
from repairai.hardware.profile import Cpu, Gpu, GpuUser, HardwareProfile, Room, System
from repairai.hardware.sources import amd, apple, nvidia
from repairai.hardware.sources.cpu import cpu_in
from repairai.hardware.sources.programs import ask
from repairai.hardware.sources.ram import Ram, read_ram

__all__ = ["Cpu", "Gpu", "GpuUser", "HardwareProfile", "Room", "probe"]

GIB = 2**30
NO_GPU = "no GPU was found: what fits is computed for a card that you name"


def probe() -> HardwareProfile:
    """Return what this machine has, and what of it is free now.

    What never changes is looked at once; all the rest each time, in milliseconds, so this may be asked every second.
    What is not there or does not answer is a remark of the profile, never an error.
    """
    system = system_of(sys.platform, _text(Path("/proc/sys/kernel/osrelease")))
    ram = read_ram()
    gpus, said = _gpus(system, ram)
    rooms, unseen = _rooms()
    return HardwareProfile(
        system=system,
        system_name=_system_name(),
        python=platform.python_version(),
        cpu=_cpu(),
        ram_gib=ram.total_gib,
        ram_free_gib=ram.free_gib,
        swap_gib=ram.swap_gib,
        swap_free_gib=ram.swap_free_gib,
        gpus=gpus,
        rooms=rooms,
        remarks=(*said, *([] if gpus else [NO_GPU]), *unseen),
    )


def system_of(name: str, kernel: str) -> System:
    """Return the kind of system.

    Args:
        name: `sys.platform`.
        kernel: The kernel's release: "5.15.153.1-microsoft-standard-WSL2".
    """
    if name == "win32":
        return "windows"
    if name == "darwin":
        return "macos"
    return "wsl2" if "microsoft" in kernel.lower() else "linux"


def room(what: str, folder: Path) -> Room:
    """Return the disk under a folder, which need not exist yet.

    Args:
        what: What goes there.
        folder: Where.

    Raises:
        RepairError: The disk cannot be looked at.
    """
    there = folder.absolute()
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        disk = shutil.disk_usage(there)
    except (OSError, ValueError) as error:
        raise RepairError(f"the disk of {folder} cannot be looked at ({error})", "check the folder") from None
    return Room(what, str(folder), free_gib=min(disk.free, disk.total) / GIB, total_gib=disk.total / GIB)


def downloads() -> Path:
    """Return the folder where the Hub's downloads go.

    Source: huggingface_hub, constants.py: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else in the user's cache.

    Raises:
        RepairError: It begins with a home folder that is not known.
    """
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if chosen := os.environ.get(name):
            return expanded(chosen)
    if chosen := os.environ.get("HF_HOME"):
        return expanded(chosen) / "hub"
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _gpus(system: System, ram: Ram) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    if system == "macos":
        if platform.machine() != "arm64":
            return (), ()
        return (apple.gpu(_cpu().name, platform.mac_ver()[0], ram.total_gib, ram.free_gib),), ()
    gpus, said = nvidia.find()
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if gpus and hidden is not None:
        said = (*said, f"CUDA_VISIBLE_DEVICES={hidden} decides which of the GPUs programs see")
    return (*gpus, *(amd.find() if system == "linux" else ())), said


def _rooms() -> tuple[tuple[Room, ...], tuple[str, ...]]:
    rooms, unseen = [], []
    for what, folder in (("guides, models and runs", home), ("downloads from the Hub", downloads)):
        try:
            rooms.append(room(what, folder()))
        except RepairError as error:
            unseen.append(error.what)
    return tuple(rooms), tuple(unseen)


@cache
def _cpu() -> Cpu:
    if sys.platform == "darwin":
        try:
            return cpu_in(ask(["sysctl", "machdep.cpu"]), platform.machine())
        except RepairError:
            return cpu_in("", platform.machine())
    return cpu_in(_text(Path("/proc/cpuinfo")), platform.processor() or platform.machine())


@cache
def _system_name() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
