"""What parts lie on: wood, boards, metal, plastic and mats."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from training.scenes.relief import Field, clouds

WOODS = ((176, 124, 62), (150, 95, 50), (205, 165, 105), (120, 78, 44), (190, 140, 80), (220, 190, 140))
BOARDS = ((24, 84, 50), (18, 62, 44), (30, 60, 110), (24, 24, 28), (150, 30, 30), (196, 160, 96), (235, 235, 232))
PLAIN = (
    (40, 40, 44), (70, 72, 78), (205, 207, 210), (230, 230, 228), (28, 28, 30), (120, 124, 130), (90, 30, 30),
    (40, 60, 90), (160, 160, 150),
)  # fmt: skip


def _tinted(rng: np.random.Generator, colours: tuple[tuple[int, int, int], ...]) -> Field:
    return np.clip(
        np.array(colours[rng.integers(len(colours))]) / 255 * rng.uniform(0.8, 1.2) + rng.normal(0, 0.03, 3), 0.02, 1
    ).astype(np.float32)


def _turned(field: Field, rng: np.random.Generator, width: int, height: int) -> Field:
    """Return a (height, width) cut from a larger field, turned by any angle."""
    picture = Image.fromarray(field, "F").rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return np.asarray(picture.crop((left, top, left + width, top + height)), dtype=np.float32)


def wood(rng: np.random.Generator, width: int, height: int) -> Field:
    """Return planed wood with grain, stains and scratches, (height, width, 3) in [0, 1]."""
    side = int(np.hypot(width, height)) + 4
    grain = 0.10 * clouds(rng, side, side, rng.uniform(3, 9), rng.uniform(15, 40)) + 0.06 * clouds(
        rng, side, side, 2, 25
    )
    grain += 0.08 * clouds(rng, side, side, rng.uniform(20, 60), 6)
    tone = 1 + _turned(grain, rng, width, height) + rng.uniform(0, 0.2) * clouds(rng, width, height, 90)
    picture = Image.fromarray((np.clip(_tinted(rng, WOODS) * tone[..., None], 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(rng.integers(0, 14)):
        x, y, angle = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 6.3)
        reach = rng.uniform(10, 90)
        shade = (255, 240, 220, 60) if rng.random() < 0.6 else (30, 20, 10, 90)
        draw.line((x, y, x + reach * np.cos(angle), y + reach * np.sin(angle)), shade, int(rng.integers(1, 3)))
    return np.asarray(picture, dtype=np.float32) / 255


def board(rng: np.random.Generator, width: int, height: int) -> Field:
    """Return a printed circuit board with traces, pads and silk screen, (height, width, 3) in [0, 1]."""
    base = _tinted(rng, BOARDS)
    picture = Image.new("RGB", (width, height), tuple(int(part * 255) for part in base))
    draw = ImageDraw.Draw(picture)
    trace = tuple(int(np.clip(part * rng.uniform(1.15, 1.5) * 255 + 8, 0, 255)) for part in base)
    for _ in range(rng.integers(15, 60)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        thick = int(rng.integers(1, 4))
        points = [(x, y)]
        for _ in range(rng.integers(1, 4)):
            dx, dy = ((1, 0), (0, 1), (1, 1), (1, -1))[rng.integers(4)]
            reach = rng.uniform(-80, 80)
            x, y = x + dx * reach, y + dy * reach
            points.append((x, y))
        draw.line(points, trace, thick)
        if rng.random() < 0.6:
            r = thick + rng.uniform(0.5, 2.5)
            draw.ellipse((x - r, y - r, x + r, y + r), (190, 180, 150) if rng.random() < 0.6 else trace)
    silk = (225, 225, 220) if base.mean() < 0.6 else (40, 40, 40)
    for _ in range(rng.integers(0, 14)):
        x, y, w, h = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(6, 40), rng.uniform(6, 40)
        draw.rectangle((x, y, x + w, y + h), outline=silk)
        draw.text((x, y - 10), f"{'RCULQ'[rng.integers(5)]}{rng.integers(1, 400)}", silk)
    return np.asarray(picture, dtype=np.float32) / 255


def metal(rng: np.random.Generator, width: int, height: int) -> Field:
    """Return brushed, pressed or painted sheet, (height, width, 3) in [0, 1]."""
    side = int(np.hypot(width, height)) + 4
    brushed = rng.uniform(0, 0.09) * clouds(rng, side, side, 1.5, 40) + 0.05 * clouds(rng, side, side, 80)
    tone = 1 + _turned(brushed, rng, width, height)
    own = np.array(
        ((0.72, 0.73, 0.75), (0.55, 0.56, 0.58), (0.82, 0.8, 0.74), (0.3, 0.31, 0.33))[rng.integers(4)]
    ) * rng.uniform(0.85, 1.1)
    colour = np.clip(own * tone[..., None], 0, 1).astype(np.float32)
    return _with_ribs(rng, colour)


def plastic(rng: np.random.Generator, width: int, height: int) -> Field:
    """Return a moulded case with ribs and pockets, (height, width, 3) in [0, 1]."""
    grain = rng.uniform(0, 0.05) * rng.standard_normal((height, width)) + 0.05 * clouds(rng, width, height, 100)
    return _with_ribs(rng, np.clip(_tinted(rng, PLAIN) * (1 + grain[..., None]), 0, 1).astype(np.float32))


def mat(rng: np.random.Generator, width: int, height: int) -> Field:
    """Return a work mat, a cloth, paper or a plain desk, (height, width, 3) in [0, 1]."""
    colour = np.broadcast_to(_tinted(rng, PLAIN + BOARDS[:3]), (height, width, 3))
    weave = rng.uniform(0, 0.06) * rng.standard_normal((height, width)) + 0.04 * clouds(rng, width, height, 60)
    picture = Image.fromarray((np.clip(colour * (1 + weave[..., None]), 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.6:
        draw, pitch = ImageDraw.Draw(picture, "RGBA"), int(rng.integers(24, 110))
        line, offset = ((255, 255, 255, 70) if rng.random() < 0.7 else (0, 0, 0, 90)), int(rng.integers(0, 20))
        for x in range(offset, width, pitch):
            draw.line((x, 0, x, height), line, 1)
        for y in range(offset, height, pitch):
            draw.line((0, y, width, y), line, 1)
    return np.asarray(picture, dtype=np.float32) / 255


def _with_ribs(rng: np.random.Generator, colour: Field) -> Field:
    """Return the surface with a few raised or sunken rectangles, lit from one side."""
    height, width, _ = colour.shape
    picture = Image.fromarray((colour * 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(rng.integers(0, 7)):
        x, y = rng.uniform(-0.2, 0.9) * width, rng.uniform(-0.2, 0.9) * height
        w, h = rng.uniform(0.05, 0.7) * width, rng.uniform(0.03, 0.6) * height
        corner, bright, thick = int(rng.uniform(0, 12)), rng.random() < 0.5, int(rng.integers(1, 5))
        corner = min(corner, int(min(w, h) / 2))  # a rounder one than that fits into no rectangle
        if rng.random() < 0.6:
            draw.rounded_rectangle((x, y, x + w, y + h), corner, (0, 0, 0, int(rng.integers(0, 70))))
        draw.rounded_rectangle(
            (x, y, x + w, y + h), corner, outline=(255, 255, 255, 90) if bright else (0, 0, 0, 110), width=thick
        )
    return np.asarray(picture, dtype=np.float32) / 255


SURFACES = {"wood": wood, "board": board, "metal": metal, "plastic": plastic, "mat": mat}
