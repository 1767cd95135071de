"""What a Space inspects with, as its `space.json` says it: written where it is built, read where it runs."""

from __future__ import annotations

from dataclasses import dataclass

COUNTS = "counts"
"""Nobody judges states: what the detector finds is counted, and questions of state are left to the person."""
FILE = "space.json"
BUILTIN = "builtin"
"""The detector that comes with RepairAI."""


@dataclass(frozen=True)
class Contents:
    """What a Space inspects with; as it stands here, what comes with RepairAI.

    Args:
        detector: Its name, kept with every inspection.
        folder: Of its checkpoint, from the Space's own; empty for the built-in one.
        guides: Files of further guides, likewise; the built-in ones that are there are always shown.
        judge: Who answers questions of state; `counts` where nobody does.
        on_gpu: Whether the detector or the judge wants a GPU.
        judge_folder: Of the judge's model, from the Space's own; empty where nobody judges.
        judge_base: Name on the Hub of what it stands on, where it is an adapter.
    """

    detector: str = BUILTIN
    folder: str = ""
    guides: tuple[str, ...] = ()
    judge: str = COUNTS
    on_gpu: bool = False
    judge_folder: str = ""
    judge_base: str = ""

    def __post_init__(self) -> None:
        for path in (self.folder, self.judge_folder, *self.guides):
            if path.startswith(("/", "~")) or ".." in path.split("/") or "\\" in path:
                raise ValueError(f"need paths within the Space, got {path!r}")
        if (self.detector == BUILTIN) != (not self.folder):
            raise ValueError(f"need a folder for every detector but {BUILTIN}, got {self.folder!r} for {self.detector}")
        if (self.judge == COUNTS) != (not self.judge_folder):
            raise ValueError(f"need a folder for every judge, got {self.judge_folder!r} for {self.judge}")
