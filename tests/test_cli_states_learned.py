"""On the command line, from end to end: states are corrected, learned from the corrections, and then judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from repairai.cli import main

ROOT = Path(__file__).parents[1]
QUESTION = "Is the latch open?"
PHOTOS = 84


def draw(path: Path, is_open: bool, seed: int) -> Path:
    """Draw a board with a latch that stands up where it is open, and lies flat where it is closed."""
    chance = np.random.default_rng(seed)
    ground = np.full((240, 320, 3), chance.integers(60, 190, 3), np.int64) + chance.integers(-20, 20, (240, 320, 1))
    photo = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(photo)
    across, down = int(chance.integers(110, 200)), int(chance.integers(90, 150))
    pen.rectangle((across - 60, down - 40, across + 60, down + 40), fill=(30, 30, 35), outline=(230, 230, 230), width=2)
    half = (8, 34) if is_open else (50, 8)
    pen.rectangle((across - half[0], down - half[1], across + half[0], down + half[1]), fill=(240, 150, 30))
    photo.save(path, quality=95)
    return path


@pytest.fixture
def said(capfd):
    """Run a command and return its exit code and what it says; what trains has a process of its own, as it should."""

    def run(*words: str) -> tuple[int, str]:
        if words[0] not in ("train", "runs"):
            code = main([*words])
            return code, "".join(capfd.readouterr())
        done = subprocess.run(
            [sys.executable, "-m", "repairai", *words],
            cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.slow
def test_corrections_become_a_judge(tmp_path: Path, said):
    photos = [draw(tmp_path / f"{at:02}.jpg", at % 2 == 0, at) for at in range(PHOTOS)]
    code, told = said("inspect", *map(str, photos), "--require", "0 battery", "--require", QUESTION)
    assert code == 3
    assert told.count("(state_unknown)") == PHOTOS
    for at in range(PHOTOS):
        assert said("records", "answer", str(at + 1), "yes" if at % 2 == 0 else "no")[0] == 0
    code, told = said("states", "build", "latches", "--records")
    assert code == 0, told
    recipe = tmp_path / "latches.yaml"
    text = (ROOT / "training" / "recipes" / "judge_builtin_linear-probe_cpu.yaml").read_text()
    recipe.write_text(text.replace("data: ''", "data: latches"))
    code, told = said("train", str(recipe), "--name", "latches")
    assert code == 0, told
    code, told = said("runs", "evaluate", "latches", "--escape", "0.4")
    assert code == 0, told
    code, told = said("models", "use", "latches")
    assert code == 0, told
    assert "* latches, a judge of states" in said("models", "list")[1]
    shown = [draw(tmp_path / f"new-{at}.jpg", at == 1, 1000 + at) for at in (0, 1)]
    code, told = said("inspect", *map(str, shown), "--require", QUESTION, "--json")
    closed, opened = (json.loads(line) for line in told.splitlines() if line.startswith("{"))
    assert closed["models"][1].startswith("latches@")
    found = [each["findings"][0] for each in (closed, opened)]
    assert found[0]["probability"] < 0.5 < found[1]["probability"]
    assert [each["reason"] for each in found] == ["state_missed", "state_met"]
    assert said("models", "back", "--judge")[0] == 0
    assert "(state_unknown)" in said("inspect", str(shown[1]), "--require", QUESTION)[1]
