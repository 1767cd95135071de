"""What all tests share: where the real data lie, and a home of their own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tests run many processes on few cores: threads that spin while they wait would make each several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test ever touches the library of the person who runs it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("REPAIRAI_HOME", str(folder))
    monkeypatch.delenv("REPAIRAI_DATABASE", raising=False)
    return folder


@pytest.fixture(autouse=True)
def stays_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that turned the tests' own process into another would end all tests without a word."""
    own = os.getpid()

    def become(path: str, words: list[str], *environ: dict[str, str]) -> None:
        if os.getpid() == own:
            pytest.fail(f"the tests' own process was to become {words}")
        (execve if environ else execv)(path, words, *environ)  # a fork of it may

    execv, execve = os.execv, os.execve
    for name in ("execv", "execve"):
        monkeypatch.setattr(os, name, become)


@pytest.fixture
def shared() -> Path:
    """The folder of real data that lies beside the repository; a test that needs it skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not part of the repository")
    return SHARED


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    try:
        refused = subprocess.run(mount, capture_output=True, check=False).returncode
    except FileNotFoundError:
        refused = 1
    if refused:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
