"""What README says of the tree and of the commands is true."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
COMMANDS = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]


def drawn() -> list[str]:
    """The paths of the drawn tree; those of folders end in a slash."""
    (tree,) = (block for _, block in BLOCKS if "├── schema.py" in block)
    paths: list[str] = []
    folders: list[str] = []
    for line in filter(None, tree.splitlines()):
        branch, name = re.match(r"([│├└─ ]*)(\S+)", line).groups()
        folders = folders[: len(branch) // 4]
        paths.append("".join(folders) + name)
        folders.append(name)
    return paths


@pytest.mark.parametrize("path", drawn())
def test_what_is_drawn_is_there(path: str):
    there = ROOT / path
    assert there.is_dir() if path.endswith("/") else there.is_file()


def test_what_is_there_is_drawn():
    paths = drawn()
    whole = tuple(
        path for path in paths if path.endswith("/") and not any(p != path and p.startswith(path) for p in paths)
    )
    sources = [
        ROOT / "app.py",
        *(p for room in ("repairai", "training", "benchmarks", "tests") for p in (ROOT / room).rglob("*.py")),
    ]
    names = [path.relative_to(ROOT).as_posix() for path in sources if path.name != "__init__.py"]
    assert not [name for name in names if name not in paths and not name.startswith(whole)]


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(link: str):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command: str):
    program, *arguments = shlex.split(command)
    assert program == "python"
    answer = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    verdicts = (0, 1, 3) if "inspect" in arguments else (0,)
    assert answer.returncode in verdicts, answer.stderr
    assert answer.stdout


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", README, re.MULTILINE))
def test_make_knows_its_targets(target: str):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("script", sorted(set(re.findall(r"python (benchmarks/\w+\.py)", README))))
def test_figures_come_from_scripts_that_are_there(script: str):
    assert (ROOT / script).is_file()
