"""Batteries, connectors and the clutter of an open device, drawn flat and lit softly."""

from __future__ import annotations

import string

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.scenes.relief import Light, plane, shade, sprite, step

Colour = tuple[int, int, int]
WIRES: tuple[Colour, ...] = (
    (190, 30, 30), (25, 25, 25), (225, 190, 40), (35, 80, 170), (230, 230, 230), (40, 130, 60), (220, 120, 40),
    (120, 120, 120),
)  # fmt: skip
HOUSINGS: tuple[Colour, ...] = ((235, 232, 222), (228, 216, 180), (30, 30, 32), (60, 62, 66), (240, 240, 240))
GOLD: Colour = (205, 165, 80)
TIN: Colour = (190, 192, 196)


def pick(rng: np.random.Generator, colours: tuple[Colour, ...], spread: int = 14) -> Colour:
    """Return one of the colours, a little off."""
    r, g, b = (
        int(np.clip(part + rng.integers(-spread, spread + 1), 0, 255)) for part in colours[rng.integers(len(colours))]
    )
    return r, g, b


def words(rng: np.random.Generator, low: int = 3, high: int = 10) -> str:
    """Return a part number that nobody sells."""
    letters = string.ascii_uppercase + string.digits + "-  "
    return "".join(letters[rng.integers(len(letters))] for _ in range(rng.integers(low, high)))


def lettering(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, box: tuple[int, int, int, int], ink: Colour, lines: int
) -> None:
    """Print a few lines of small text into a box."""
    left, top, right, bottom = box
    height = max(5, int((bottom - top) / (lines + 0.6)))
    font = ImageFont.load_default(size=min(height, 40))
    for number in range(lines):
        draw.text(
            (left, top + number * height), words(rng, 3, max(4, int(1.8 * (right - left) / height))), ink, font=font
        )


def lit(picture: Image.Image, light: Light, relief_share: float = 0.25) -> Image.Image:
    """Return a flat drawing with rounded, lit edges and uneven light."""
    pixels = np.asarray(picture, dtype=np.float32) / 255
    alpha = pixels[..., 3]
    x, y = plane(picture.width, picture.height)
    lx, ly, _ = light.direction
    edge_y, edge_x = np.gradient(alpha)
    rim = -(edge_x * lx + edge_y * ly) * relief_share
    slope = 1 + 0.12 * (x * lx + y * ly) / max(1.0, float(np.abs(x).max()))
    return sprite(np.clip(pixels[..., :3] * slope[..., None] + rim[..., None], 0, 1), alpha)


# ---- batteries


def pouch_battery(rng: np.random.Generator, width: int, height: int, light: Light) -> Image.Image:
    """Return a flat pouch or a plastic pack with its printed label."""
    body = pick(rng, ((35, 36, 40), (25, 25, 28), (200, 202, 205), (225, 225, 222), (60, 70, 90)), 10)
    picture = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(picture)
    radius = int(rng.uniform(0.02, 0.12) * min(width, height))
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius, (*body, 255))
    seam = tuple(int(part * 0.8) for part in body)
    if rng.random() < 0.6:
        depth = max(2, int(0.07 * height))
        draw.rectangle((0, 0, width, depth), seam)
    if rng.random() < 0.4:
        cells = int(rng.integers(2, 4))
        for cell in range(1, cells):
            draw.line((cell * width // cells, 0, cell * width // cells, height), seam, max(1, width // 60))
    ink = (225, 225, 225) if sum(body) < 330 else (40, 40, 42)
    inset = max(3, int(0.12 * min(width, height)))
    if rng.random() < 0.85:
        box = (inset, inset, int(width * rng.uniform(0.5, 0.95)), int(height * rng.uniform(0.4, 0.9)))
        lettering(draw, rng, box, ink, int(rng.integers(2, 6)))
    if rng.random() < 0.5:  # a warning sign and a plus and minus
        size = max(4, int(0.2 * min(width, height)))
        x, y = width - inset - size, height - inset - size
        draw.polygon([(x, y + size), (x + size // 2, y), (x + size, y + size)], outline=ink, width=max(1, size // 8))
    if rng.random() < 0.4:  # a pull tab
        colour = pick(rng, ((30, 160, 90), (245, 245, 245), (20, 20, 20), (240, 200, 40)))
        draw.rectangle((int(width * 0.4), int(height * 0.8), int(width * 0.55), height), (*colour, 255))
    return lit(picture, light)


def round_battery(rng: np.random.Generator, length: int, light: Light) -> Image.Image:
    """Return a cylindrical cell lying along x, `length` px long."""
    height = max(6, int(length * rng.uniform(0.22, 0.38)))
    x, y = plane(length, height)
    y = y / np.abs(y).max()
    wrap = (
        np.array(pick(rng, ((40, 120, 90), (60, 70, 150), (150, 40, 60), (205, 150, 50), (30, 30, 32), (200, 60, 40))))
        / 255
    )
    colour = np.broadcast_to(wrap, (height, length, 3)).astype(np.float32).copy()
    along = (np.arange(length) + 0.5) / length
    if rng.random() < 0.6:
        colour[:, (along > 0.08) & (along < rng.uniform(0.2, 0.45))] = (
            np.array(pick(rng, ((215, 160, 60), (25, 25, 25), (220, 220, 220)))) / 255
        )
    colour[:, (along < 0.03) | (along > 0.95)] = np.array(TIN) / 255
    cap = along > 0.97
    half = np.where(cap, 0.35, 1.0)[None, :].repeat(height, 0).astype(np.float32)
    relief = np.sqrt(np.clip(half**2 - y**2, 0, 1)) * 0.8
    image = sprite(shade(relief.astype(np.float32), colour, 0.15, 0.5, light), step(abs(y) - half, 0, 3 / height))
    if rng.random() < 0.7:
        draw = ImageDraw.Draw(image)
        lettering(
            draw,
            rng,
            (int(length * 0.3), height // 4, int(length * 0.8), int(height * 0.8)),
            (235, 235, 235),
            int(rng.integers(1, 3)),
        )
    return image


def coin_battery(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return a coin cell seen from its printed side."""
    x, y = plane(side, side)
    r = np.hypot(x, y)
    relief = 0.1 * step(r, 0.92, 0.06) + 0.08 * step(r, 0.8, 0.05)
    image = sprite(
        shade(relief, np.array([0.78, 0.78, 0.78], dtype=np.float32), 0.5, 0.3, light), step(r, 0.98, 4 / side)
    )
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(6, side // 6))
    draw.text((side * 0.22, side * 0.3), "CR" + str(rng.integers(1200, 2500)), (60, 60, 60), font=font)
    draw.text((side * 0.42, side * 0.5), "+", (60, 60, 60), font=ImageFont.load_default(size=max(8, side // 3)))
    return image


# ---- connectors


def wires_out(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, x0: int, x1: int, y: int, reach: int, pins: int
) -> None:
    """Draw one wire a pin from (x0..x1, y) downwards for `reach` px, bending together."""
    sway = rng.uniform(-0.6, 0.6) * (x1 - x0)
    pitch = (x1 - x0) / pins
    thick = max(1, int(pitch * 0.62))
    uniform = pick(rng, WIRES) if rng.random() < 0.3 else None
    for pin in range(pins):
        x = x0 + (pin + 0.5) * pitch
        colour = uniform or pick(rng, WIRES, 8)
        points = [(x + sway * t**2, y + reach * t) for t in np.linspace(0, 1, 6)]
        draw.line(points, colour, thick, joint="curve")
        draw.line(
            [(px - thick * 0.2, py) for px, py in points],
            tuple(min(255, part + 45) for part in colour),
            max(1, thick // 4),
        )


def wire_connector(
    rng: np.random.Generator, width: int, plugged: bool, light: Light
) -> tuple[Image.Image, Image.Image]:
    """Return a wire-to-board connector and the mask of its body (the box is drawn round the body, not the wires)."""
    pins = int(rng.integers(2, 13))
    depth = max(6, int(width * np.clip(rng.uniform(0.9, 1.5) / pins**0.5, 0.18, 0.9)))
    reach = int(depth * rng.uniform(0.8, 2.5)) if plugged else 2
    picture, body = Image.new("RGBA", (width + 8, depth + reach)), Image.new("L", (width + 8, depth + reach))
    draw = ImageDraw.Draw(picture)
    housing = pick(rng, HOUSINGS, 8)
    dark, pale = (tuple(int(np.clip(part * f, 0, 255)) for part in housing) for f in (0.72, 1.12))
    left, right, line = 4, width + 3, max(1, depth // 14)
    wall = max(2, depth // 7)
    if plugged:
        wires_out(draw, rng, left + wall, right - wall, depth - wall, reach + wall, pins)
        draw.rounded_rectangle((left, 0, right, depth), wall // 2, (*housing, 255), outline=dark, width=line)
        plug = pick(rng, HOUSINGS, 8) if rng.random() < 0.4 else pale
        draw.rounded_rectangle(
            (left + wall, wall, right - wall, depth), wall // 2, (*plug, 255), outline=dark, width=line
        )
        for pin in range(pins):
            x = left + wall + (pin + 0.5) * (right - left - 2 * wall) / pins
            slot = max(1, int((right - left) / pins * 0.22))
            draw.rectangle((x - slot, depth * 0.35, x + slot, depth * 0.65), fill=dark)
    else:
        draw.rounded_rectangle((left, 0, right, depth), wall // 2, (*housing, 255), outline=dark, width=line)
        cavity = tuple(int(part * rng.uniform(0.25, 0.55)) for part in housing)
        draw.rectangle((left + wall, wall, right - wall, depth - wall), fill=cavity)
        metal = GOLD if rng.random() < 0.5 else TIN
        for pin in range(pins):
            x = left + wall + (pin + 0.5) * (right - left - 2 * wall) / pins
            half = max(1, int((right - left) / pins * 0.16))
            draw.rectangle((x - half, depth * 0.3, x + half, depth * rng.uniform(0.6, 0.75)), fill=metal)
    ImageDraw.Draw(body).rectangle((left, 0, right, depth), fill=255)
    return lit(picture, light), body


def flex_connector(
    rng: np.random.Generator, width: int, plugged: bool, light: Light
) -> tuple[Image.Image, Image.Image]:
    """Return a flat-cable or board-to-board connector and the mask of its body."""
    depth = max(6, int(width * rng.uniform(0.22, 0.5)))
    reach = int(depth * rng.uniform(0.8, 3)) if plugged else 2
    picture, body = Image.new("RGBA", (width, depth + reach)), Image.new("L", (width, depth + reach))
    draw = ImageDraw.Draw(picture)
    housing = pick(rng, ((30, 30, 32), (235, 232, 222), (70, 50, 40)), 8)
    edge = tuple(int(part * 0.7) for part in housing)
    board_to_board = rng.random() < 0.5
    flex = pick(rng, ((190, 120, 40), (235, 235, 235), (40, 40, 42), (205, 150, 60)), 10)
    pitch = max(2.0, width / rng.integers(10, 26))
    if plugged:
        inset = 0 if board_to_board else int(width * 0.08)
        draw.rectangle((inset + width // 10, depth // 2, width - inset - width // 10, depth + reach), (*flex, 255))
        for x in np.arange(inset + width // 10, width - inset - width // 10, pitch):
            draw.line((x, depth, x, depth + reach), tuple(int(part * 0.85) for part in flex), 1)
        if board_to_board:
            plate = pick(rng, ((150, 152, 156), (60, 45, 35), (35, 35, 38), (180, 150, 90)), 10)
            draw.rounded_rectangle(
                (0, 0, width - 1, depth), depth // 6, (*plate, 255), outline=edge, width=max(1, depth // 12)
            )
        else:
            draw.rectangle((0, 0, width - 1, depth), (*housing, 255), outline=edge, width=max(1, depth // 12))
            latch = pick(rng, ((30, 30, 32), (140, 90, 50), (235, 235, 230)), 8)
            draw.rectangle((width * 0.06, depth * 0.6, width * 0.94, depth), (*latch, 255))
    else:
        draw.rectangle((0, 0, width - 1, depth), (*housing, 255), outline=edge, width=max(1, depth // 12))
        rows = (0.14, 0.68) if board_to_board else (0.12,)
        draw.rectangle((width * 0.06, depth * 0.3, width * 0.94, depth * 0.68), fill=edge)
        for row in rows:
            for x in np.arange(width * 0.08, width * 0.92, pitch):
                draw.rectangle((x, depth * row, x + pitch * 0.45, depth * (row + 0.2)), fill=GOLD)
    ImageDraw.Draw(body).rectangle((0, 0, width - 1, depth), fill=255)
    return lit(picture, light), body


# ---- clutter, which is never a part


def chip(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return an integrated circuit with its legs."""
    width, height = side, max(6, int(side * rng.uniform(0.4, 1)))
    picture = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(picture)
    leg = max(1, side // 14)
    for x in np.arange(leg * 1.5, width - leg * 2, leg * 1.8):
        draw.rectangle((x, 0, x + leg * 0.8, height), (*TIN, 255))
    shade_of = int(rng.integers(18, 60))
    draw.rectangle((0, leg * 2, width, height - leg * 2), (shade_of, shade_of, shade_of + 3, 255))
    draw.ellipse((leg, leg * 3, leg * 2.5, leg * 4.5), (shade_of + 30,) * 3)
    lettering(draw, rng, (leg * 3, leg * 3, width - leg, height - leg * 3), (150, 150, 150), 2)
    return lit(picture, light)


def capacitor(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return an electrolytic capacitor from above: round and metallic, the part most like a screw that is none."""
    x, y = plane(side, side)
    r = np.hypot(x, y)
    turn = rng.uniform(0, np.pi)
    relief = 0.15 * step(r, 0.9, 0.12)
    albedo = np.broadcast_to(
        np.array([0.75, 0.75, 0.76], dtype=np.float32) * rng.uniform(0.7, 1.1), (side, side, 3)
    ).copy()
    sleeve = np.array(pick(rng, ((25, 30, 60), (20, 20, 22), (50, 20, 20), (30, 60, 45)))) / 255
    albedo[r > rng.uniform(0.72, 0.86)] = sleeve
    style = rng.random()
    if style < 0.45:  # a scored vent
        for angle in (0.0, 2.09, 4.19) if rng.random() < 0.5 else (0.0, 1.571):
            across = abs(-x * np.sin(turn + angle) + y * np.cos(turn + angle))
            along = x * np.cos(turn + angle) + y * np.sin(turn + angle)
            albedo[(across < 0.03) & (r < 0.68) & (along > -0.05)] *= 0.6
    elif style < 0.75:  # the half moon of the negative side
        albedo[(x * np.cos(turn) + y * np.sin(turn) > 0.4) & (r < 0.9)] = (0.08, 0.08, 0.1)
    return sprite(shade(relief, albedo, 0.25, 0.2, light), step(r, 0.97, 5 / side))


def passive(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return a resistor, ceramic capacitor or diode with two ends."""
    width, height = side, max(4, side // 2)
    picture = Image.new("RGBA", (width, height), (*TIN, 255))
    body = pick(rng, ((30, 30, 30), (180, 150, 110), (225, 225, 220), (120, 80, 60), (40, 90, 160), (215, 175, 60)))
    ImageDraw.Draw(picture).rectangle((width * 0.2, 0, width * 0.8, height), fill=(*body, 255))
    return lit(picture, light)


def sticker(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return a printed label: text, a bar code, or a sign in a circle."""
    width, height = side, max(8, int(side * rng.uniform(0.4, 1)))
    paper = pick(rng, ((240, 240, 238), (235, 225, 120), (205, 205, 208), (235, 150, 60)))
    picture = Image.new("RGBA", (width, height), (*paper, 255))
    draw, style = ImageDraw.Draw(picture), rng.random()
    if style < 0.35:
        x = width * 0.08
        while x < width * 0.9:
            bar = rng.uniform(1, 3) * width / 90
            draw.rectangle((x, height * 0.15, x + bar, height * 0.7), fill=(20, 20, 20))
            x += bar + rng.uniform(1, 3) * width / 90
    elif style < 0.6:
        size = min(width, height) * 0.8
        draw.ellipse((2, 2, size, size), outline=(30, 30, 30), width=max(1, int(size / 12)))
        draw.polygon(
            [(size * 0.3, size * 0.7), (size * 0.5, size * 0.25), (size * 0.7, size * 0.7)], outline=(30, 30, 30)
        )
    else:
        lettering(draw, rng, (3, 3, width - 3, height - 3), (30, 30, 30), int(rng.integers(2, 5)))
    return lit(picture, light, 0.1)


def rivet(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return a smooth dome, button, rubber foot or solder blob: round like a screw, with nothing to turn it by."""
    x, y = plane(side, side)
    r = np.hypot(x, y)
    relief = rng.uniform(0.1, 0.7) * np.sqrt(np.clip(1 - r**2, 0, 1)) + 0.1 * step(r, rng.uniform(0.3, 0.8), 0.1)
    own = np.array(pick(rng, (TIN, GOLD, (40, 40, 42), (120, 30, 30), (230, 230, 230), (60, 90, 60)))) / 255
    return sprite(
        shade(relief.astype(np.float32), own.astype(np.float32), rng.uniform(0, 0.8), 0.4, light),
        step(r, 0.97, 5 / side),
    )


def vents(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return a row or grid of small openings: holes that no screw belongs in."""
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(4, 10))
    pitch = side / columns
    picture = Image.new("RGBA", (side, max(4, int(rows * pitch))))
    draw, tone, slots = ImageDraw.Draw(picture), int(rng.integers(0, 45)), rng.random() < 0.4
    hole = pitch * rng.uniform(0.3, 0.6)
    for row in range(rows):
        for column in range(columns):
            x, y = (column + 0.5) * pitch, (row + 0.5) * pitch
            box = (
                x - hole / 2,
                y - (pitch * 0.42 if slots else hole / 2),
                x + hole / 2,
                y + (pitch * 0.42 if slots else hole / 2),
            )
            draw.ellipse(box, (tone, tone, tone, 255))
    return picture


def ribbon(rng: np.random.Generator, side: int, light: Light) -> Image.Image:
    """Return a length of flat cable or a bundle of loose wires."""
    picture = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(picture)
    y, bend = rng.uniform(0.2, 0.8, 2) * side, rng.uniform(-0.5, 0.5) * side
    for number in range(int(rng.integers(1, 7))):
        width = max(1, int(side * rng.uniform(0.02, 0.08)))
        t = np.linspace(0, 1, 12)
        ys = y[0] + (y[1] - y[0]) * t + bend * np.sin(np.pi * t) + number * width * 1.05
        draw.line(
            list(zip((t * side).tolist(), ys.tolist(), strict=True)), (*pick(rng, WIRES), 255), width, joint="curve"
        )
    return lit(picture, light)


CLUTTER = (chip, chip, capacitor, capacitor, passive, passive, sticker, rivet, vents, ribbon)
