"""The processor, and which of its features speed up models."""

from __future__ import annotations

import re

import psutil

from repairai.hardware.profile import Cpu

FEATURES = {
    "AVX2": {"avx2", "avx2_0"},
    "AVX-512": {"avx512f"},
    "AVX-512 BF16": {"avx512_bf16", "avx512bf16"},
    "VNNI": {"avx512_vnni", "avx512vnni", "avx_vnni", "avxvnni"},
    "AMX": {"amx_tile"},
}
"""What Linux (/proc/cpuinfo) and macOS (sysctl machdep.cpu) call each."""


def cpu_in(text: str, otherwise: str = "") -> Cpu:
    """Return the processor.

    Args:
        text: /proc/cpuinfo on Linux, what `sysctl machdep.cpu` prints on macOS; empty where neither is to be had.
        otherwise: Its name, where the text has none.
    """
    name = re.search(r"^(?:model name|machdep\.cpu\.brand_string)[ \t]*:[ \t]*(.+)$", text, re.MULTILINE)
    lines = re.findall(
        r"^(?:flags|Features|machdep\.cpu\.(?:leaf7_)?features)[ \t]*:(.*)$", text, re.MULTILINE | re.IGNORECASE
    )
    words = set(" ".join(lines[:2]).lower().split())  # Linux has a line a thread, macOS two in all
    threads = psutil.cpu_count() or 1
    return Cpu(
        name=" ".join(name[1].split()) if name else otherwise,
        cores=psutil.cpu_count(logical=False) or threads,
        threads=threads,
        features=tuple(feature for feature, known in FEATURES.items() if words & known),
    )
