"""AMD's GPUs on Linux: what the kernel's driver writes into /sys."""

from __future__ import annotations

import csv
import re
import shutil
from functools import cache
from pathlib import Path

from repairai.errors import RepairError
from repairai.hardware.profile import Gpu
from repairai.hardware.sources.programs import ask

GIB = 2**30
VENDOR = "0x1002"
REMARK = (
    "training needs a build of torch for ROCm, 4-bit weights need bitsandbytes 0.50 with ROCm 6.4 or newer, "
    "and what fits is computed for CUDA"
)
"""Source: the libraries in bitsandbytes 0.50.2 (rocm64 to rocm72 and newer), and its table of accelerators."""


def find(root: Path = Path("/"), names: dict[str, str] | None = None) -> tuple[Gpu, ...]:
    """Return AMD's GPUs.

    Args:
        root: Where /sys lies.
        names: What each PCI address holds; `lspci` is asked where this is not given.
    """
    gpus = []
    for device in sorted(root.glob("sys/class/drm/card*/device"), key=_card):
        total = _number(device / "mem_info_vram_total")
        if _text(device / "vendor") != VENDOR or not total or not _card(device) >= 0:
            continue
        used = _number(device / "mem_info_vram_used") or 0
        known = _names() if names is None else names
        gpus.append(
            Gpu(
                maker="amd",
                name=known.get(device.resolve().name) or "AMD graphics",
                total_gib=total / GIB,
                free_gib=max(0, total - used) / GIB,
                driver=_text(root / "sys/module/amdgpu/version"),
                temperature_c=_temperature(device),
                remark=REMARK,
            )
        )
    return tuple(gpus)


def names_in(table: str) -> dict[str, str]:
    """Return the name of AMD's card at each PCI address, from what `lspci -D -mm` prints."""
    names = {}
    for cells in csv.reader(table.splitlines(), delimiter=" ", skipinitialspace=True):
        if len(cells) >= 4 and "AMD" in cells[2]:
            marketed = re.search(r"\[([^\]]+)\]", cells[3])
            names[cells[0]] = f"AMD {marketed[1] if marketed else cells[3]}"
    return names


@cache
def _names() -> dict[str, str]:
    program = shutil.which("lspci")
    if program is None:
        return {}
    try:
        return names_in(ask([program, "-D", "-mm"]))
    except (RepairError, csv.Error):
        return {}


def _card(device: Path) -> int:
    """Return a card's number; -1 for a socket of it, such as `card0-HDMI-A-1`."""
    number = device.parent.name.removeprefix("card")
    return int(number) if number.isdecimal() else -1


def _temperature(device: Path) -> int | None:
    for sensor in sorted(device.glob("hwmon/hwmon*/temp1_input")):
        found = _number(sensor)  # in thousandths
        if found is not None:
            return round(found / 1000)
    return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
