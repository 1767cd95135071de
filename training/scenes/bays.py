"""What holds a battery, what closes a device, and a plug that was pulled: drawn flat and lit softly."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.scenes.components import (
    GOLD,
    HOUSINGS,
    TIN,
    Colour,
    coin_battery,
    lettering,
    lit,
    pick,
    pouch_battery,
    round_battery,
    wires_out,
)
from training.scenes.relief import Light
from training.scenes.surfaces import SURFACES

FLOORS: tuple[Colour, ...] = (
    (28, 28, 30), (60, 62, 66), (190, 192, 196), (150, 152, 150), (215, 212, 205), (24, 60, 44), (96, 84, 60),
    (40, 46, 60),
)  # fmt: skip
GLUE: tuple[Colour, ...] = ((235, 235, 230), (200, 198, 190), (120, 118, 112), (30, 30, 30), (225, 205, 150))


def surface(rng: np.random.Generator, kinds: tuple[str, ...], width: int, height: int) -> Image.Image:
    """Return one of some surfaces as a picture."""
    ground = SURFACES[kinds[rng.integers(len(kinds))]](rng, width, height)
    return Image.fromarray((ground * 255).astype(np.uint8))


def rounded(picture: Image.Image, radius: int) -> Image.Image:
    """Return a picture with round corners, RGBA."""
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, picture.width - 1, picture.height - 1), radius, fill=255)
    out = picture.convert("RGBA")
    out.putalpha(mask)
    return out


def sunk(picture: Image.Image, box: tuple[int, int, int, int], radius: int, light: Light) -> None:
    """Draw the walls of a recess into a picture: the one towards the lamp in shadow, the other one lit."""
    left, top, right, bottom = box
    depth = max(3, int(0.05 * min(right - left, bottom - top)))
    shade = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(shade)
    lx, ly, _ = light.direction
    draw.rounded_rectangle(box, radius, outline=(0, 0, 0, 170), width=depth)
    moved = (left + int(depth * lx), top + int(depth * ly), right + int(depth * lx), bottom + int(depth * ly))
    draw.rounded_rectangle(moved, radius, outline=(0, 0, 0, 90), width=2 * depth)
    lit_side = (left - int(depth * lx), top - int(depth * ly), right - int(depth * lx), bottom - int(depth * ly))
    draw.rounded_rectangle(lit_side, radius, outline=(255, 255, 255, 60), width=max(1, depth // 2))
    picture.paste(shade, (0, 0), shade.filter(ImageFilter.GaussianBlur(max(1.0, depth / 3))))


def pouch_bay(rng: np.random.Generator, width: int, height: int, filled: bool, light: Light) -> Image.Image:
    """Return the place of a flat battery, with the battery or with what it leaves behind."""
    floor = Image.new("RGB", (width, height), pick(rng, FLOORS, 10))
    if rng.random() < 0.4:
        floor = surface(rng, ("metal", "plastic", "board"), width, height)
    draw = ImageDraw.Draw(floor, "RGBA")
    for _ in range(int(rng.integers(0, 4))):  # strips of adhesive, or what is left of them
        strip = pick(rng, GLUE, 10)
        along, thick = rng.uniform(0.5, 0.92), rng.uniform(0.04, 0.14)
        x, y = rng.uniform(0.02, 0.5), rng.uniform(0.05, 0.85)
        box = (x * width, y * height, min(0.98, x + along) * width, min(0.97, y + thick) * height)
        if rng.random() < 0.3:
            box = (y * width, x * height, min(0.97, y + thick) * width, min(0.98, x + along) * height)
        draw.rectangle(box, (*strip, int(rng.integers(90, 255))))
    ink = (230, 230, 230) if np.mean(floor.resize((1, 1)).getpixel((0, 0))) < 110 else (50, 50, 50)
    if rng.random() < 0.3:  # small: large print is a battery's
        x, y = int(rng.uniform(0.08, 0.6) * width), int(rng.uniform(0.08, 0.8) * height)
        lettering(draw, rng, (x, y, x + width // 3, y + height // 8), ink, int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(0, 5))):  # ribs, holes and contacts
        x, y, side = rng.uniform(0.08, 0.9) * width, rng.uniform(0.08, 0.9) * height, rng.uniform(0.02, 0.07) * width
        tone = pick(rng, ((15, 15, 15), GOLD, TIN, (80, 80, 82)))
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)((x, y, x + side, y + side), (*tone, 255))
    sunk(floor, (0, 0, width - 1, height - 1), max(2, width // 40), light)
    if filled:
        gap = rng.uniform(0.02, 0.07)
        w, h = int(width * (1 - 2 * gap)), int(height * (1 - rng.uniform(1.5, 2.5) * gap))
        battery = pouch_battery(rng, w, h, light)
        floor.paste(battery, (int(width * gap), int((height - h) / 2)), battery)
    return floor.convert("RGBA")


def cell_bay(rng: np.random.Generator, length: int, filled: bool, light: Light) -> Image.Image:
    """Return compartments for round cells side by side, each with its spring and its sign."""
    cells = int(rng.integers(1, 4))
    depth = int(length * rng.uniform(0.26, 0.4))
    picture = Image.new("RGB", (length, depth * cells), pick(rng, FLOORS, 10))
    draw = ImageDraw.Draw(picture, "RGBA")
    for number in range(cells):
        top = number * depth
        draw.rectangle((0, top, length, top + depth), (0, 0, 0, int(rng.integers(20, 110))))
        sunk(picture, (2, top + 2, length - 3, top + depth - 3), depth // 4, light)
        spring = max(4, int(length * rng.uniform(0.05, 0.1)))
        left = number % 2 == 0
        at = 4 if left else length - spring - 4
        for turn in range(5):
            y = top + depth * (0.25 + 0.1 * turn)
            draw.line((at, y, at + spring, y + depth * 0.08), TIN, max(1, depth // 25))
        plate = length - spring if left else 4
        draw.rectangle((plate, top + depth * 0.3, plate + spring - 4, top + depth * 0.7), (*TIN, 255))
        signs = ((0.3, "-"), (0.65, "+")) if left else ((0.3, "+"), (0.65, "-"))
        for share, sign in signs:
            draw.text((length * share, top + depth * 0.3), sign, (235, 235, 235))
        if filled:
            cell = round_battery(rng, int(length * rng.uniform(0.82, 0.9)), light)
            cell = cell.resize((cell.width, int(depth * rng.uniform(0.82, 0.94))))
            cell = cell if left else cell.rotate(180)
            place = (length - cell.width) // 2 + (spring // 3 if left else -spring // 3)
            picture.paste(cell, (place, top + (depth - cell.height) // 2), cell)
    return picture.convert("RGBA")


def coin_bay(rng: np.random.Generator, side: int, filled: bool, light: Light) -> Image.Image:
    """Return a holder for a coin cell: a ring with a clip and a contact."""
    picture = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(picture)
    ring = pick(rng, ((25, 25, 27), (230, 228, 220), (60, 62, 66), (150, 110, 60)), 8)
    draw.ellipse((0, 0, side - 1, side - 1), (*ring, 255))
    inner = int(side * rng.uniform(0.06, 0.12))
    floor = tuple(int(part * rng.uniform(0.3, 0.6)) for part in ring)
    draw.ellipse((inner, inner, side - inner, side - inner), (*floor, 255))
    tongue = pick(rng, (GOLD, TIN), 6)
    turn = rng.uniform(0, 6.28)
    middle, reach = side / 2, side * 0.36
    if filled:
        coin = coin_battery(rng, side - 2 * inner, light).rotate(float(np.degrees(turn)))
        picture.paste(coin, (inner, inner), coin)
    else:
        draw.ellipse((side * 0.4, side * 0.4, side * 0.6, side * 0.6), (*tongue, 255))
        ends = (middle + reach * np.cos(turn), middle + reach * np.sin(turn))
        draw.line((middle, middle, *ends), (*tongue, 255), max(2, side // 14))
    for clip in (turn, turn + 2.6):  # metal clips that reach over the rim
        x, y = middle + 0.42 * side * np.cos(clip), middle + 0.42 * side * np.sin(clip)
        half = side * 0.06
        draw.rectangle((x - half, y - half, x + half, y + half), (*tongue, 255))
    return lit(picture, light)


def loose_plug(rng: np.random.Generator, width: int, light: Light) -> Image.Image:
    """Return a plug that was pulled out, with its wires or its flat cable behind it."""
    pins = int(rng.integers(2, 13))
    depth = max(6, int(width * np.clip(rng.uniform(0.7, 1.3) / pins**0.5, 0.16, 0.8)))
    reach = int(depth * rng.uniform(1.2, 4.0))
    picture = Image.new("RGBA", (width + 8, depth + reach))
    draw = ImageDraw.Draw(picture)
    housing = pick(rng, HOUSINGS, 8)
    edge = tuple(int(part * 0.7) for part in housing)
    if rng.random() < 0.6:
        wires_out(draw, rng, 6, width, depth - 2, reach, pins)
    else:
        flex = pick(rng, ((190, 120, 40), (235, 235, 235), (40, 40, 42), (205, 150, 60)), 10)
        draw.rectangle((width * 0.12, depth * 0.5, width * 0.9, depth + reach), (*flex, 255))
    draw.rounded_rectangle((4, 0, width + 3, depth), max(1, depth // 8), (*housing, 255), edge, max(1, depth // 14))
    if rng.random() < 0.7:  # its mouth, seen from the side
        metal = GOLD if rng.random() < 0.5 else TIN
        for pin in range(pins):
            x = 6 + (pin + 0.5) * (width - 4) / pins
            half = max(1, int(width / pins * 0.18))
            draw.rectangle((x - half, 1, x + half, depth * 0.3), (*metal, 255))
    return lit(picture, light)


def shell(rng: np.random.Generator, width: int, height: int, light: Light) -> Image.Image:
    """Return the outside of a device: a lid with its seam, name, vents, feet and signs."""
    picture = surface(rng, ("plastic", "plastic", "metal"), width, height)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2.5)))
    draw = ImageDraw.Draw(picture, "RGBA")
    dark = np.mean(picture.resize((1, 1)).getpixel((0, 0))) < 110
    ink = (225, 225, 225, 190) if dark else (40, 40, 42, 190)
    inset = int(min(width, height) * rng.uniform(0.015, 0.06))
    if rng.random() < 0.8:  # the seam
        box = (inset, inset, width - inset, height - inset)
        draw.rounded_rectangle(box, 2 * inset, outline=(0, 0, 0, 120), width=max(1, inset // 4))
    if rng.random() < 0.7:
        x, y = rng.uniform(0.1, 0.5) * width, rng.uniform(0.1, 0.7) * height
        box = (int(x), int(y), int(min(x + 0.45 * width, width * 0.95)), int(min(y + 0.18 * height, height * 0.95)))
        lettering(draw, rng, box, ink[:3], int(rng.integers(1, 5)))
    if rng.random() < 0.5:  # a mark in the middle
        side = min(width, height) * rng.uniform(0.08, 0.2)
        x, y = width / 2, height * rng.uniform(0.3, 0.6)
        (draw.ellipse if rng.random() < 0.6 else draw.rectangle)((x - side, y - side, x + side, y + side), ink)
    if rng.random() < 0.5:  # slots to breathe through
        rows, pitch = int(rng.integers(3, 12)), max(3.0, height * 0.022)
        x, y, reach = rng.uniform(0.1, 0.5) * width, rng.uniform(0.1, 0.6) * height, rng.uniform(0.15, 0.4) * width
        for row in range(rows):
            draw.line((x, y + row * pitch, x + reach, y + row * pitch), (10, 10, 12, 220), max(1, int(pitch * 0.4)))
    if rng.random() < 0.5:  # feet
        side, foot = min(width, height) * rng.uniform(0.03, 0.06), pick(rng, ((20, 20, 20), (90, 90, 92)))
        for x in (0.12, 0.88):
            for y in (0.12, 0.88):
                box = (x * width - side, y * height - side, x * width + side, y * height + side)
                draw.ellipse(box, (*foot, 255))
    return lit(picture.convert("RGBA"), light, 0.15)
