"""Drawn scenes of states."""

from __future__ import annotations

from repairai.errors import RepairError
from training.judge.shown import Offered
from training.judge.wanted import Wanted


def offered(wanted: Wanted, seed: int) -> Offered:
    """Return the scenes that are to be drawn."""
    raise RepairError("scenes are not drawn yet", "give photos")
