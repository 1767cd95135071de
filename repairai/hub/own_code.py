"""RepairAI's own code as it is installed here, for a machine of the Hub: what is on an allow-list, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from repairai.errors import RepairError

PACKAGES = ("repairai", "training")
SOURCES = Path(__file__).parents[2]
"""Where they lie."""
KINDS = {".py", ".json", ".gz", ".css", ".yaml", ".txt", ".md", ".jpg", ".png", ".safetensors", ".onnx", ".xml", ".bin"}
"""Endings of what belongs to them."""


def own_code(packages: tuple[str, ...] = PACKAGES, within: str = "") -> tuple[tuple[str, Path], ...]:
    """Return the files of RepairAI's packages with their paths in a repository.

    Args:
        packages: Which of them.
        within: A folder of the repository that they go into; empty for its top.

    Raises:
        RepairError: A package is not there: it was installed without its sources.
    """
    return tuple(each for package in packages for each in _files(package, within))


def requirements() -> tuple[str, ...]:
    """Return what RepairAI needs of other packages, a line each, as it was installed.

    Raises:
        RepairError: It was not installed, but only lies there.
    """
    try:
        found = requires("repairai") or []
    except PackageNotFoundError:
        raise RepairError("RepairAI is not installed as a package here", "install it: pip install -e .") from None
    return tuple(each for each in found if "extra ==" not in each)


def _files(package: str, within: str) -> Iterator[tuple[str, Path]]:
    folder = SOURCES / package
    if not (folder / "__init__.py").is_file():
        raise RepairError(f"the sources of {package} are not at {folder}", "install RepairAI from its repository")
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(SOURCES)
        hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
        if path.is_file() and not path.is_symlink() and path.suffix in KINDS and not hidden:
            yield (f"{within}/{inside.as_posix()}" if within else inside.as_posix()), path
