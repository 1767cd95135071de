"""A Python that sees only the packages which a list names, and what those need: no network, and nothing to install.

An environment without pip is made. For each package that the list names, and in turn for each that one of those
requires here, what lies at the top of its files in this Python's site-packages is linked into it. What nobody named
cannot be imported there: torch, for one, and RepairAI itself.
"""

import os
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def lean_python(folder: Path, wanted: Iterable[str]) -> Path:
    """Make the environment; its Python comes back.

    Args:
        folder: Where it goes.
        wanted: Requirements as in a file of them; comments and empty lines do not count. All have to be met here.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    for package in needed(wanted):
        for file in package.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not top.endswith(".pth") and not (site / top).is_symlink():
                (site / top).symlink_to(str(package.locate_file(top)))
    return folder / "bin" / "python"


def needed(wanted: Iterable[str]) -> list[Distribution]:
    """The packages that requirements name, and those that they need in turn."""
    lines = [line.split("#")[0].strip() for line in wanted]
    waiting = [(Requirement(line), "") for line in lines if line]
    named = {canonicalize_name(requirement.name) for requirement, _ in waiting}
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({**default_environment(), "extra": extra}):
            continue
        package = found.setdefault(name, distribution(name))
        if name in named:
            named.discard(name)
            assert requirement.specifier.contains(package.version, prereleases=True), f"{requirement} is not met here"
        for each in ("", *requirement.extras):
            if (name, each) not in done:
                done.add((name, each))
                waiting += [(Requirement(need), each) for need in package.requires or ()]
    return [*found.values()]


def lean_environment(**more: str) -> dict[str, str]:
    """What a process of it gets of this one's environment: no folder of packages, and nothing of the Hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HF_", "GRADIO_"))}
    return {**kept, "PYTHONNOUSERSITE": "1", **more}
