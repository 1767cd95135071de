"""Who may import whom, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOOR = {
    "schema", "errors", "files", "processes", "register", "garbage", "named_sets", "hub_faults", "hub_files",
}  # fmt: skip
ROOMS = {"sop", "vision", "judge", "hardware", "hub"}
HALL = {"inspection", "runs", "records"}
FRONT = {"ui", "cli", "commands", "__main__", "builtin"}
MODEL_LIBRARIES = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "bitsandbytes", "supervision"}
DRY_RUN = (
    "detectors", "generation", "language", "networks", "optimizer", "stand_ins", "tally", "tracer", "vision_language"
)  # fmt: skip
"""Started by name, in a process of its own."""
OPENS_MODELS = {
    "sop/writer.py",
    "vision/detector.py",
    "vision/checkpoint.py",
    "vision/open_vocabulary.py",
    "vision/segmenter.py",
    "vision/draw.py",
    "judge/vision_language.py",
    "hardware/stopwatch.py",
    *(f"hardware/dry_run/{name}.py" for name in DRY_RUN),
}
HEAVY = ("torch", "transformers", "gradio", "numpy", "PIL", "openvino", "supervision")
MODULES = sorted((ROOT / "repairai").rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """All modules that a file names in an import, wherever the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole name"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" for alias in node.names} if module == "repairai" else {module}
    return found


def place(module: str) -> str:
    """`repairai.vision.tiles` lies in `vision`."""
    return module.split(".")[1] if module.startswith("repairai.") else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path):
    here = path.relative_to(ROOT / "repairai").parts[0].removesuffix(".py")
    allowed = {
        **dict.fromkeys(FLOOR, FLOOR),
        **{room: FLOOR | {room} for room in ROOMS},
        **dict.fromkeys(HALL, FLOOR | ROOMS | HALL),
        **dict.fromkeys(FRONT, FLOOR | ROOMS | HALL | FRONT),
        "__init__": set(),
    }
    assert here in allowed, f"{here} has no place in the house: name it in this test and in README"
    used = {place(module) for module in imports_of(path)} - {""}
    assert used <= allowed[here], f"{path.name} may not import from {sorted(used - allowed[here])}"
    assert not {m for m in imports_of(path) if m.split(".")[0] == "training"}, "repairai never imports training"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_libraries_stay_in_their_files(path: Path):
    name = path.relative_to(ROOT / "repairai").as_posix()
    used = {module.split(".")[0] for module in imports_of(path)}
    if name not in OPENS_MODELS:
        assert not used & MODEL_LIBRARIES
    if not name.startswith("ui/"):
        assert "gradio" not in used
    if path.name == "__init__.py":
        assert path.read_text() == "", "__init__.py is empty"


def test_there_is_no_drawer_for_everything():
    forbidden = {"utils", "helpers", "common", "manager", "base", "misc", "core", "handler"}
    assert not [path for path in MODULES if path.stem in forbidden]


@pytest.mark.parametrize(
    "module", ["repairai.inspection", "repairai.judge.count", "repairai.judge.decide", "repairai.cli"]
)
def test_import_is_light(module: str):
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert answer.stdout.strip() == "[]"
