"""The script of the build machine: what is missing is installed, what is there is left alone. Nothing real is run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "run"
OWN = ("bash", "env", "dirname", "cp")


def stub(folder: Path, name: str, does: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{does}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("there", "installed"),
    [
        ({}, "make python3 python3-venv chromium"),
        ({"make": "exit 0", "python3": "exit 1", "chromium": "exit 0"}, "python3 python3-venv"),
        ({"make": "exit 0", "python3": "exit 0"}, "chromium"),
        ({"make": "exit 0", "python3": "exit 0", "chromium": "exit 0"}, ""),
    ],
)
def test_it_installs_what_is_missing_and_then_tests(tmp_path: Path, there: dict[str, str], installed: str):
    programs, said = tmp_path / "bin", tmp_path / "said"
    programs.mkdir()
    for name in OWN:
        found = shutil.which(name)
        if not found:
            pytest.skip(f"needs {name}")
        (programs / name).symlink_to(found)
    make = f'echo "make $*" >> {said}'
    stub(programs, "id", "echo 0")
    stub(tmp_path, "make", make)
    stub(programs, "apt-get", f'echo "$*" >> {said}; cp {tmp_path}/make {programs}/make')
    for name, does in there.items():
        stub(programs, name, make if name == "make" else does)
    subprocess.run([SCRIPT], env={**os.environ, "PATH": str(programs)}, capture_output=True, check=True)
    *installs, last = said.read_text().splitlines()
    wanted = ["update -qq", f"install -y -qq --no-install-recommends {installed}"] if installed else []
    assert installs == wanted
    assert last == "make test"
