"""`hardware` and `doctor`: what this machine has, and what it lacks."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, print_json, verb

if TYPE_CHECKING:
    from repairai.hardware.profile import Gpu, HardwareProfile


def add_words(verbs: Any) -> None:
    """Add `hardware` and `doctor` to the command line."""
    verb(verbs, "hardware", _hardware, "this machine's GPUs, processor, memory and disks, and what of them is free")
    verb(verbs, "doctor", _doctor, "what is installed, what is missing, and what mends it")


def _hardware(chosen: argparse.Namespace) -> int:
    from repairai.hardware.probe import probe

    profile = probe()
    if chosen.json:
        print_json(as_data(profile))
        return 0
    for title, line in lines_of(profile):
        print(f"{title:<8} {line}")
    return 0


def lines_of(profile: HardwareProfile) -> Iterator[tuple[str, str]]:
    """Yield what a person is told of a machine: a title, empty where the line belongs to the one before; and a line."""
    cpu = profile.cpu
    yield "system", f"{profile.system_name} ({profile.system}), Python {profile.python}"
    yield "cpu", ", ".join([cpu.name or "unknown", f"{cpu.cores} cores", f"{cpu.threads} threads", *cpu.features])
    yield "ram", f"{profile.ram_free_gib:.1f} of {profile.ram_gib:.1f} GiB free"
    if profile.swap_gib:
        yield "swap", f"{profile.swap_free_gib:.1f} of {profile.swap_gib:.1f} GiB free"
    for gpu in profile.gpus:
        yield "gpu", _gpu_line(gpu)
        for user in gpu.users:
            held = "  ?  " if user.gib is None else f"{user.gib:5.1f}"
            yield "", f"{held} GiB  {user.name or 'a program'} ({user.pid})"
        if gpu.remark:
            yield "", gpu.remark
    for room in profile.rooms:
        yield "disk", f"{room.free_gib:.0f} of {room.total_gib:.0f} GiB free for {room.what}: {room.folder}"
    for remark in profile.remarks:
        yield "note", remark


def _gpu_line(gpu: Gpu) -> str:
    facts = [
        gpu.name,
        f"{gpu.free_gib:.1f} of {gpu.total_gib:.1f} GiB free" if gpu.total_gib else "",
        f"driver {gpu.driver}" if gpu.driver else "",
        f"CUDA {gpu.cuda}" if gpu.cuda else "",
        f"capability {gpu.capability}" if gpu.capability else "",
        "bfloat16" if gpu.bf16 else "",
        "" if gpu.temperature_c is None else f"{gpu.temperature_c} C",
    ]
    return ", ".join(fact for fact in facts if fact)


def _doctor(chosen: argparse.Namespace) -> int:
    from repairai.hardware.doctor import examine

    checks = examine()
    if chosen.json:
        print_json([dataclasses.asdict(each) for each in checks])
    else:
        for each in checks:
            print(f"{each.state:<8} {each.name}: {each.seen}")
            if each.mend:
                print(f"         mend it: {each.mend}")
    return int(any(each.state in ("missing", "broken") for each in checks))
