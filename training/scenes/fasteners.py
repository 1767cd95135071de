"""Screws and the holes they leave, drawn from relief: seen from above, and loose screws lying on their side."""

from __future__ import annotations

import numpy as np
from PIL import Image

from training.scenes.relief import Field, Light, clouds, plane, shade, sprite, step

DRIVES = ("cross", "cross", "cross", "square", "hex", "torx", "torx", "slot", "pentalobe", "tri")
FINISHES = {
    "steel": (0.80, 0.80, 0.80),
    "zinc": (0.72, 0.78, 0.88),
    "brass": (0.86, 0.70, 0.38),
    "yellow_zinc": (0.80, 0.72, 0.45),
    "black": (0.16, 0.16, 0.17),
    "dark": (0.33, 0.32, 0.31),
    "copper": (0.78, 0.50, 0.36),
}


def recess(drive: str, x: Field, y: Field, size: float, softness: float) -> Field:
    """Return where the driver goes in, (H, W) in [0, 1]: 1 inside."""
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    if drive == "cross":
        arm, taper = size * 0.24, 1 - 0.35 * np.clip(r / size, 0, 1)
        distance = np.minimum(
            np.maximum(abs(x) - size, abs(y) - arm * taper), np.maximum(abs(y) - size, abs(x) - arm * taper)
        )
    elif drive == "slot":
        distance = np.maximum(abs(y) - size * 0.2, abs(x) - 1.6 * size)
    elif drive == "square":
        distance = np.maximum(abs(x), abs(y)) - 0.72 * size
    elif drive == "hex":
        distance = r * np.cos((angle + np.pi / 6) % (np.pi / 3) - np.pi / 6) - 0.78 * size
    elif drive == "tri":
        distance = np.full_like(x, 9.0)
        for turn in (0.0, 2.0944, 4.1888):
            along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
            distance = np.minimum(distance, np.maximum(abs(across) - size * 0.2, np.maximum(along - size, -along)))
    else:
        lobes = 6 if drive == "torx" else 5
        distance = r - size * (0.72 + 0.16 * np.cos(lobes * angle))
    return step(distance.astype(np.float32), 0.0, softness)


def screw_head(rng: np.random.Generator, side: int, light: Light, turn: float) -> Image.Image:
    """Return a screw seen from above, filling a square of `side` px.

    Args:
        rng: Random numbers; the same ones give the same kind of screw.
        side: In px.
        light: The lamp and the room.
        turn: How far the screw is turned, in radians.
    """
    x, y = plane(side, side)
    r = np.hypot(x, y)
    soft = 3.0 / side
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    shape = rng.choice(["pan", "flat", "button", "flange"])
    rim = 0.97
    if shape == "pan":
        relief = 0.35 * np.sqrt(np.clip(1 - (r / rim) ** 2.5, 0, 1))
    elif shape == "button":
        relief = 0.5 * np.sqrt(np.clip(1 - (r / rim) ** 2, 0, 1))
    elif shape == "flat":
        relief = 0.12 * step(r, rim - 0.06, 0.12)
    else:
        relief = 0.08 * step(r, rim, 0.08) + 0.3 * step(r, 0.66, 0.14)
    size = rng.uniform(0.34, 0.56) * (0.8 if shape == "flange" else 1.0)
    inside = recess(str(rng.choice(DRIVES)), u, v, size, max(soft * 2, 0.05))
    relief = relief - 0.45 * inside * (0.6 + 0.4 * step(r, size * 0.5, size))
    rings = rng.uniform(0, 0.012) * np.sin(r * rng.uniform(40, 90))
    own = np.array(FINISHES[str(rng.choice(list(FINISHES)))], dtype=np.float32) * rng.uniform(0.75, 1.15)
    dirt = 1 - rng.uniform(0, 0.35) * np.clip(clouds(rng, side, side, side / 4), 0, 1)
    albedo = own * (dirt * (1 - inside * rng.uniform(0.25, 0.75)))[..., None]
    metal = rng.uniform(0.35, 0.9) if own.mean() > 0.25 else rng.uniform(0.1, 0.5)
    colour = shade((relief + rings).astype(np.float32), albedo, metal, rng.uniform(0.1, 0.6), light)
    return sprite(colour, step(r, rim, soft * 2))


def screw_hole(rng: np.random.Generator, side: int, light: Light, ground: Field) -> Image.Image:
    """Return an empty screw place seen from above, filling a square of `side` px.

    Args:
        rng: Random numbers.
        side: In px.
        light: The lamp and the room.
        ground: (3,) colour of the surface round it, in [0, 1].
    """
    x, y = plane(side, side)
    r = np.hypot(x, y)
    soft = 3.0 / side
    kind = str(rng.choice(["plain", "countersunk", "boss", "insert", "pad", "chewed", "chewed"]))
    bore = {"plain": 0.8, "countersunk": 0.45, "boss": 0.5, "insert": 0.55, "pad": 0.55, "chewed": 0.42}[kind]
    bore *= rng.uniform(0.8, 1.1)
    metal, gloss, edge = 0.0, 0.1, step(r, 0.96, soft * 2)
    own = np.broadcast_to(ground * rng.uniform(0.75, 1.15), (side, side, 3)).copy()
    relief = np.zeros_like(r)
    if kind == "countersunk":
        relief, metal, gloss = 0.5 * np.clip(r - 1, -1, 0), rng.uniform(0, 0.5), 0.3
    elif kind == "boss":
        relief = 0.3 * step(r, 0.93, 0.1) - 0.1 * step(r, 0.75, 0.1)
    elif kind in ("insert", "pad"):
        finish = str(rng.choice(["steel", "brass", "copper", "yellow_zinc"]))
        own[:] = np.array(FINISHES[finish]) * rng.uniform(0.8, 1.1)
        relief = rng.uniform(0.02, 0.2) * step(r, 0.9, 0.15)
        metal, gloss = rng.uniform(0.3, 0.8), 0.4
    elif kind == "chewed":
        ragged = 0.8 + 0.14 * clouds(rng, side, side, side / 5) + 0.06 * clouds(rng, side, side, side / 14)
        edge = step(r / np.maximum(ragged, 0.3), 1.0, 0.25) * rng.uniform(0.6, 1)
        own *= (1.0 + 0.35 * clouds(rng, side, side, side / 12) + rng.uniform(0.0, 0.35))[..., None]
        relief = 0.25 * clouds(rng, side, side, side / 9)
        r = r * (1 + 0.12 * clouds(rng, side, side, side / 5))
    lit = shade(relief.astype(np.float32), np.clip(own, 0, 1), metal, gloss, light)
    deep = step(r, bore, max(0.08, soft * 2))
    lx, ly, _ = light.direction
    wall = np.clip(-(x * lx + y * ly) / bore, 0, 1) * rng.uniform(0, 0.5)  # the wall away from the lamp is lit
    thread = 0.5 + 0.5 * np.sin(r * rng.uniform(20, 50)) if rng.random() < 0.4 else np.ones_like(r)
    bottom = ground * rng.uniform(0.0, 0.35) if rng.random() < 0.8 else rng.uniform(0.3, 0.8, 3) * rng.uniform(0.5, 1)
    inner = bottom * (0.35 + 0.65 * step(r, bore * 0.7, bore))[..., None] + (wall * thread)[..., None] * ground * 0.8
    colour = lit * (1 - deep[..., None]) + inner * deep[..., None]
    return sprite(colour.astype(np.float32), np.maximum(edge, deep))


def loose_screw(rng: np.random.Generator, length: int, light: Light) -> Image.Image:
    """Return a screw lying along x, `length` px long, head to the left."""
    slim = rng.uniform(0.16, 0.42) if rng.random() < 0.6 else rng.uniform(0.4, 0.8)
    height = max(5, int(length * slim))
    x = (np.arange(length, dtype=np.float32) + 0.5) / length
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / (height / 2)
    x, y = np.meshgrid(x, y)
    head = rng.uniform(0.12, 0.25) if slim < 0.4 else rng.uniform(0.25, 0.45)
    shaft = rng.uniform(0.4, 0.62)
    turns = rng.uniform(8, 22)
    thread = 0.12 * shaft * (2 * abs((x * turns + 0.15 * y) % 1 - 0.5) - 0.5)
    if rng.random() < 0.3:  # a smooth neck below the head
        thread = thread * (x > head + rng.uniform(0.1, 0.4))
    half = np.where(x < head, 1.0, shaft + thread)
    if rng.random() < 0.5:  # countersunk: the head runs down to the shaft
        half = np.where(x < head, 1 - (1 - shaft) * np.clip(x / head - 0.15, 0, 1), half)
    else:  # pan: the head is rounded
        half = np.where(x < head, np.sqrt(np.clip(1 - ((head - x) / head) ** 4, 0, 1)), half)
    if rng.random() < 0.6:  # a pointed tip
        tip = rng.uniform(0.08, 0.2)
        half = np.where(x > 1 - tip, half * np.clip((1 - x) / tip, 0, 1) ** 0.8, half)
    half = half.astype(np.float32) * 0.96
    relief = np.sqrt(np.clip(half**2 - y**2, 0, 1)) * 0.9
    own = np.array(FINISHES[str(rng.choice(list(FINISHES)))], dtype=np.float32) * rng.uniform(0.8, 1.15)
    colour = shade(relief.astype(np.float32), own, rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.7), light)
    return sprite(colour, step(abs(y) - half, 0.0, 3.0 / height))
