"""What it is planned for: a card that is here, one of some size, or this machine's processor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from repairai.errors import RepairError
from repairai.hardware.memory import Device
from repairai.hardware.past import Correction, correction
from repairai.hardware.profile import HardwareProfile
from repairai.hardware.speed import Rates, measured_rates

Fit = Literal["fits", "tight", "does not fit", "elsewhere"]
ORDER: tuple[Fit, ...] = ("fits", "tight", "elsewhere", "does not fit")
CARDS_GIB = (4, 6, 8, 10, 11, 12, 16, 20, 24, 32, 40, 48, 80, 96, 141)
"""Sizes in which cards are sold."""
CLOUD = (
    ("t4-small", 16, False),
    ("l4x1", 24, True),
    ("l40sx1", 48, True),
    ("a100-large", 80, True),
    ("h200", 141, True),
)
"""Hugging Face's flavours with one GPU: name, GiB, whether it computes in bfloat16. Their prices change."""
USABLE = 0.92
"""Of a card's size on paper, what one process surely gets: cards with error correction have 0.94 of it, and a driver
keeps some."""


@dataclass(frozen=True)
class Card:
    """What it is planned for.

    Args:
        name: As a person knows it.
        free_gib: Of its memory that is free.
        bf16: Whether it computes in bfloat16.
        here: Whether it is in this machine.
        device: Whether it is a GPU at all; else it is this machine's processor, and its memory the machine's.
        rates: What it was measured to do; None where that is not known.
        past: What past runs on it say.
        disk_gib: Free disk beside it, where models or runs go: the less of the two; None where it is not here.
    """

    name: str
    free_gib: float
    bf16: bool = True
    here: bool = False
    device: Device = "cuda"
    rates: Rates | None = None
    past: Correction = Correction(0)
    disk_gib: float | None = None


def card_for(gib: float | None, profile: HardwareProfile) -> Card:
    """Return a card of so many GiB; without a size this machine's GPU with most memory free, else its processor.

    Raises:
        RepairError: There is no card of this size.
    """
    if gib is not None:
        return card_of(gib)
    known = [gpu for gpu in profile.gpus if gpu.total_gib and gpu.maker == "nvidia"]
    if not known:
        return _processor(profile)
    best = max(known, key=lambda gpu: gpu.free_gib)
    return Card(best.name, best.free_gib, best.bf16, here=True, past=correction(best.name), disk_gib=_disk(profile))


def _processor(profile: HardwareProfile) -> Card:
    name = profile.cpu.name or "this machine's processor"
    bf16 = any(feature in ("AMX", "AVX-512 BF16") for feature in profile.cpu.features)
    return Card(
        name, profile.ram_free_gib, bf16, here=True, device="cpu", past=correction(name), disk_gib=_disk(profile)
    )


def _disk(profile: HardwareProfile) -> float | None:
    return min((room.free_gib for room in profile.rooms), default=None)


def timed(card: Card) -> Card:
    """Return a card that is here with what it was measured to do: measured now, in some seconds, if it never was.

    One that cannot be measured, as with a torch that does not see it, is returned as it is: then no times are told.
    """
    if not card.here or card.rates is not None:
        return card
    try:
        return replace(card, rates=measured_rates(card.device, card.name))
    except RepairError:
        return card


def card_of(gib: float) -> Card:
    """Return a card of so many GiB that is not here.

    Raises:
        RepairError: There is no such card.
    """
    if not (math.isfinite(gib) and 0.5 <= gib <= 1024):
        raise RepairError(f"there is no card with {gib:g} GiB", "give a number from 0.5 to 1024")
    return Card(f"a card with {gib:g} GiB", USABLE * gib)


def fit_on(card: Card, held_gib: tuple[float, float]) -> Fit:
    """Return whether what is held, at least and at most, fits a card: surely, perhaps or not."""
    low, high = held_gib
    return "fits" if high <= card.free_gib else "tight" if low <= card.free_gib else "does not fit"
