"""Which build of torch is installed, read without importing it, which would take seconds and may fail."""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Build:
    """A build of torch.

    Args:
        version: "2.13.0+cpu".
        cuda: The CUDA that it was built for: "13.0"; empty if for none.
    """

    version: str
    cuda: str


def installed() -> Build | None:
    """Return the build of torch that `import torch` would find; None if none is installed, or it does not say."""
    try:
        found = importlib.util.find_spec("torch")
    except (ImportError, ValueError):  # the second where something put a half-made torch into `sys.modules`
        return None
    if found is None or found.origin is None:
        return None
    try:
        return build_in(Path(found.origin).with_name("version.py").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def build_in(source: str) -> Build | None:
    """Return the build that torch's `version.py` describes; None if that is not what the source is."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    said: dict[str, object] = {}
    for line in tree.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.Constant):
            for target in line.targets if isinstance(line, ast.Assign) else [line.target]:
                if isinstance(target, ast.Name):
                    said[target.id] = line.value.value
    version, cuda = said.get("__version__"), said.get("cuda")
    return Build(version, cuda if isinstance(cuda, str) else "") if isinstance(version, str) else None
