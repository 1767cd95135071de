"""The environments of unsloth and axolotl, made once for all tests and kept in `build/` for the next time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repairai.errors import RepairError
from training.in_environment import environment, is_made, make

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "backends"


def made(backend: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a backend's environment, which the test's own home has a link to.

    It is made by pip, from a package index. Where none can be reached the test skips, but never in CI.
    """
    monkeypatch.setenv("REPAIRAI_HOME", str(KEPT))
    if not is_made(backend):
        try:
            make(backend)
        except RepairError as error:
            if os.environ.get("CI") or index_is_there():
                raise
            pytest.skip(f"needs a package index: {error}")
    place = environment(backend)
    monkeypatch.setenv("REPAIRAI_HOME", str(home))
    home.mkdir(exist_ok=True)
    (home / "environments").symlink_to(place.parent, target_is_directory=True)
    assert is_made(backend)
    return place


def index_is_there() -> bool:
    """Return whether pip finds a package."""
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--retries", "0", "fastcore", "-d"]
    return not subprocess.run([*words, str(KEPT / "probe")], capture_output=True, check=False).returncode
