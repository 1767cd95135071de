"""`hardware` on the command line: for the eye and for scripts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from repairai.cli import main
from repairai.commands.hardware import lines_of
from repairai.hardware.probe import Cpu, Gpu, GpuUser, HardwareProfile, Room

ROOT = Path(__file__).parents[1]
PROFILE = HardwareProfile(
    system="wsl2",
    system_name="Ubuntu 24.04",
    python="3.12.3",
    cpu=Cpu("Intel Core i7", 8, 16, ("AVX2", "VNNI")),
    ram_gib=15.5,
    ram_free_gib=9.25,
    swap_gib=4,
    swap_free_gib=4,
    gpus=(
        Gpu(
            "nvidia",
            "NVIDIA GeForce RTX 3060",
            12,
            10.5,
            users=(GpuUser(7, "Xorg", 1.25), GpuUser(8, "", None)),
            driver="550.54",
            cuda="12.4",
            capability="8.6",
            bf16=True,
            temperature_c=45,
        ),
        Gpu("nvidia", "NVIDIA GPU", 0, 0, remark="the driver does not say how much memory it has"),
    ),
    rooms=(Room("guides, models and runs", "/home/x", 120, 250),),
    remarks=("NVML answers with an error (Unknown Error)",),
)


def test_a_person_reads_aligned_lines():
    assert [f"{title:<8} {line}" for title, line in lines_of(PROFILE)] == [
        "system   Ubuntu 24.04 (wsl2), Python 3.12.3",
        "cpu      Intel Core i7, 8 cores, 16 threads, AVX2, VNNI",
        "ram      9.2 of 15.5 GiB free",
        "swap     4.0 of 4.0 GiB free",
        "gpu      NVIDIA GeForce RTX 3060, 10.5 of 12.0 GiB free, driver 550.54, CUDA 12.4, "
        "capability 8.6, bfloat16, 45 C",
        "           1.2 GiB  Xorg (7)",
        "           ?   GiB  a program (8)",
        "gpu      NVIDIA GPU",
        "         the driver does not say how much memory it has",
        "disk     120 of 250 GiB free for guides, models and runs: /home/x",
        "note     NVML answers with an error (Unknown Error)",
    ]


def test_a_script_reads_the_profile(monkeypatch, capsys):
    monkeypatch.setattr("repairai.hardware.probe.probe", lambda: PROFILE)
    assert main(["hardware", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["gpus"][0]["users"] == [{"pid": 7, "name": "Xorg", "gib": 1.25}, {"pid": 8, "name": "", "gib": None}]
    assert {"system", "cpu", "ram_gib", "ram_free_gib", "gpus", "rooms", "remarks"} <= set(told)


def test_this_machine_is_told(capsys):
    assert main(["hardware"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("system   ")
    assert "downloads from the Hub" in said


@pytest.mark.parametrize("lost", [["psutil"], ["psutil", "pynvml"]])
def test_doctor_answers_without_what_the_probe_needs(lost):
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({lost!r}));"
        "from repairai.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    doctor, hardware = (
        subprocess.run([sys.executable, "-c", code, verb], cwd=ROOT, capture_output=True, text=True)
        for verb in ("doctor", "hardware")
    )
    assert " gpu: " in doctor.stdout
    assert doctor.stderr == ""
    assert hardware.returncode == 2
    assert "`python -m repairai doctor` says what is missing." in hardware.stderr
