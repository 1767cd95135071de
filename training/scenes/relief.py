"""Height maps and their shading: what makes a drawn part look like metal or plastic under a lamp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """A lamp and the room that metal mirrors.

    Args:
        direction: Unit vector (x right, y down, z to the camera) towards the lamp.
        ambient: Share of light that comes from everywhere, in [0, 1].
        waves: (n, 4) of x frequency, y frequency, phase and weight: the bright and dark places of the room.
    """

    direction: tuple[float, float, float]
    ambient: float
    waves: Field


def random_light(rng: np.random.Generator) -> Light:
    """Return a lamp somewhere above the bench, in a random room."""
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.1)
    direction = np.array([np.cos(angle), np.sin(angle), height])
    direction /= np.linalg.norm(direction)
    n = int(rng.integers(3, 7))
    waves = np.stack(
        [rng.normal(0, 2.2, n), rng.normal(0, 2.2, n), rng.uniform(0, 2 * np.pi, n), rng.uniform(0.2, 1.0, n)], axis=1
    )
    x, y, z = (float(part) for part in direction)
    return Light((x, y, z), float(rng.uniform(0.25, 0.6)), waves.astype(np.float32))


def plane(width: int, height: int) -> tuple[Field, Field]:
    """Return x and y, each (height, width), from -1 to 1 over the shorter side's pixel centres."""
    unit = min(width, height) / 2
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / unit
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / unit
    grid_x, grid_y = np.meshgrid(x, y)
    return grid_x, grid_y


def step(values: Field, edge: float, softness: float) -> Field:
    """Return 1 well below `edge`, 0 well above, and a smooth slope of width `softness` between."""
    t = np.clip((edge - values) / max(softness, 1e-6) + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def shade(relief: Field, albedo: Field, metal: float, gloss: float, light: Light) -> Field:
    """Return the lit colour, (H, W, 3) in [0, 1].

    Args:
        relief: (H, W) heights, in half widths of the part.
        albedo: (H, W, 3) or (3,) own colour in [0, 1].
        metal: 0 for plastic and wood, 1 for a bare mirror of the room.
        gloss: Strength of the lamp's highlight, in [0, 1].
        light: The lamp and the room.

    Source:
        Lambert's cosine law, Blinn and Phong's half-vector highlight, and a mirror of a made-up room.
    """
    unit = min(relief.shape) / 2
    slope_y, slope_x = np.gradient(relief * unit)
    norm = np.sqrt(slope_x**2 + slope_y**2 + 1)
    nx, ny, nz = -slope_x / norm, -slope_y / norm, 1 / norm
    lx, ly, lz = light.direction
    diffuse = np.clip(nx * lx + ny * ly + nz * lz, 0, 1)
    half = np.array([lx, ly, lz + 1.0])
    half /= np.linalg.norm(half)
    highlight = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1) ** 40
    mirror_x, mirror_y = 2 * nz * nx, 2 * nz * ny
    room = np.zeros_like(relief)
    for fx, fy, phase, weight in light.waves:
        room += weight * np.sin(fx * mirror_x + fy * mirror_y + phase)
    room = 0.55 + 0.45 * np.tanh(room)
    lit = light.ambient + (1 - light.ambient) * ((1 - metal) * diffuse + metal * room)
    return np.clip(np.broadcast_to(albedo, (*relief.shape, 3)) * lit[..., None] + (gloss * highlight)[..., None], 0, 1)


def sprite(colour: Field, alpha: Field) -> Image.Image:
    """Return an RGBA picture from (H, W, 3) and (H, W) in [0, 1]."""
    stacked = np.concatenate([colour, alpha[..., None]], axis=2)
    return Image.fromarray((np.clip(stacked, 0, 1) * 255 + 0.5).astype(np.uint8), "RGBA")


def clouds(rng: np.random.Generator, width: int, height: int, cell: float, stretch: float = 1.0) -> Field:
    """Return smooth noise (height, width) in about [-1, 1], with blobs of `cell` px, drawn out along x by `stretch`."""
    columns, rows = max(2, int(width / (cell * stretch)) + 2), max(2, int(height / cell) + 2)
    coarse = Image.fromarray(rng.uniform(-1, 1, (rows, columns)).astype(np.float32), "F")
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
