"""Runs of a stand-in trainer, in real processes that are started as those of a real one are."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.processes import lives
from repairai.runs.folder import RunFolder, new_run, run_folders, runs_folder
from repairai.runs.process import read_process

STAND_IN = Path(__file__).with_name("stand_in.py")
DEADLINE_SECONDS = 40.0


def until(true: Callable[[], object], what: str = "") -> None:
    """Wait until something is so; a test that waits longer has found a fault."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < end, f"not so within {DEADLINE_SECONDS} s: {what}"
        time.sleep(0.02)


def fill(path: Path) -> None:
    """Write a file until the disk is full."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while os.statvfs(path.parent).f_bavail:
            file.write(b"\1" * 4096)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A recipe whose data are there, for a model of a few numbers."""
    data, model = tmp_path / "data", tmp_path / "model"
    data.mkdir()
    (data / "train.jsonl").write_text('{"task": "chat"}\n')
    model.mkdir()
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 16, "num_attention_heads": 1}
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "intermediate_size": 8, **sizes}))
    return Recipe("sop", Workload(str(model)), 1.0, 1e-3, data=str(data))


@pytest.fixture
def made(recipe: Recipe) -> Callable[..., RunFolder]:
    """Makes a run of the stand-in, not yet started."""

    def make(name: str = "try", **options: object) -> RunFolder:
        words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        command = [sys.executable, str(STAND_IN), "{run}", *words]
        return new_run(name, "train", command, text=yaml.safe_dump(to_data(recipe)))

    return make


@pytest.fixture(autouse=True)
def _nothing_is_left_running(home: Path) -> Iterator[None]:
    yield
    for place in (home, Path(os.environ.get("REPAIRAI_HOME", str(home)))):
        # What waits first: a dispatcher, or one behind it, would start it once the run before is killed.
        for path in place.glob("runs/*/queued.json"):
            path.unlink(missing_ok=True)
        for path in (*place.glob("runs/.dispatcher.json"), *place.glob("runs/*/process.json")):
            process = read_process(path)
            if process and process.pid != os.getpid() and lives(process):
                with contextlib.suppress(psutil.Error):
                    psutil.Process(process.pid).kill()


def logs() -> str:
    """What all runs said, for a test that fails."""
    found = [folder.log for folder in run_folders()] + [runs_folder() / ".dispatcher.log"]
    return "\n".join(f"{path}: {path.read_text(errors='replace')[-2000:]}" for path in found if path.exists())
