"""Whole scenes, rendered with their boxes: blocks, boards, cases and mats, as a phone would take them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.scenes import components, fasteners
from training.scenes.relief import Field, Light, clouds, random_light
from training.scenes.surfaces import SURFACES

LABELS = ("screw", "screw_hole", "battery", "plugged_connector", "unplugged_connector")


@dataclass(frozen=True)
class Crops:
    """Cut-outs of real photos to paste into scenes; any may be empty.

    Args:
        screws: Screw heads that fill their picture.
        holes: Empty screw places that fill their picture.
        others: Anything else that is found in a device.
    """

    screws: tuple[Image.Image, ...] = ()
    holes: tuple[Image.Image, ...] = ()
    others: tuple[Image.Image, ...] = ()


@dataclass(frozen=True)
class Scene:
    """A photo with its parts.

    Args:
        photo: RGB uint8 (H, W, 3).
        boxes: (n, 4) left, top, right, bottom in px.
        labels: (n,) indices into `LABELS`.
    """

    photo: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass
class Bench:
    """A scene while it is being laid out."""

    rng: np.random.Generator
    light: Light
    canvas: Image.Image
    crops: Crops
    placed: list[tuple[int, NDArray[np.float32]]] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def free(self, box: tuple[float, float, float, float], margin: float = 0.0) -> bool:
        """Tell whether nothing lies within `margin` px of a box."""
        left, top, right, bottom = box
        return not any(
            left - margin < r and right + margin > x and top - margin < b and bottom + margin > y
            for x, y, r, b in self.taken
        )

    def spot(self, width: int, height: int, margin: float = 2.0) -> tuple[int, int] | None:
        """Return a free place's upper left corner, or None where the bench is full."""
        for _ in range(25):
            x = int(self.rng.uniform(-0.15 * width, self.canvas.width - 0.85 * width))
            y = int(self.rng.uniform(-0.15 * height, self.canvas.height - 0.85 * height))
            if self.free((x, y, x + width, y + height), margin):
                return x, y
        return None

    def lay(
        self, picture: Image.Image, x: int, y: int, label: int | None, lift: float, body: Image.Image | None = None
    ) -> None:
        """Lay a picture down with its shadow.

        Args:
            picture: RGBA.
            x: Left, in px.
            y: Top, in px.
            label: Index into `LABELS`; None for clutter.
            lift: How far the shadow falls, in px.
            body: (same size) mask that the box is drawn round; None: all that is not transparent.
        """
        if lift > 0:
            reach = int(3 * lift) + 2
            dark = Image.new("L", (picture.width + 2 * reach, picture.height + 2 * reach))
            dark.paste(picture.getchannel("A").point(lambda a: a * 0.55), (reach, reach))
            dark = dark.filter(ImageFilter.GaussianBlur(lift))
            lx, ly, _ = self.light.direction
            self.canvas.paste((0, 0, 0), (int(x - reach - 1.5 * lift * lx), int(y - reach - 1.5 * lift * ly)), dark)
        self.canvas.paste(picture, (x, y), picture)
        left, top, right, bottom = picture.getbbox() or (0, 0, picture.width, picture.height)
        self.taken.append((x + left, y + top, x + right, y + bottom))
        if label is not None:
            mask = np.asarray(body if body is not None else picture.getchannel("A")) > 100
            rows, columns = np.nonzero(mask)
            if len(rows):
                self.placed.append((label, outline(rows, columns) + np.array([x, y], dtype=np.float32)))


def outline(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the outermost points of a mask in 16 directions, (16, 2) of x and y: enough to bound it after a warp."""
    angles = np.arange(16) * (np.pi / 8)
    far = np.argmax(np.outer(np.cos(angles), columns) + np.outer(np.sin(angles), rows), axis=1)
    return np.stack([columns[far] + 0.5, rows[far] + 0.5], axis=1).astype(np.float32)


# ---- laying out


def render(rng: np.random.Generator, crops: Crops | None = None, kind: str | None = None) -> Scene:
    """Return a scene, laid out and photographed; see `lay_out`."""
    return photograph(lay_out(rng, crops, kind))


def lay_out(rng: np.random.Generator, crops: Crops | None = None, kind: str | None = None) -> Bench:
    """Return a bench with its parts, before anybody takes a photo.

    Args:
        rng: Random numbers; the same ones give the same scene.
        crops: Cut-outs to mix in.
        kind: `block`, `board`, `case` or `mat`; any, where None.
    """
    kind = kind or str(rng.choice(["block", "board", "case", "mat"], p=[0.25, 0.25, 0.3, 0.2]))
    short = int(rng.integers(300, 430))
    long = int(short * rng.uniform(1, 1.78))
    width, height = (short, long) if rng.random() < 0.5 else (long, short)
    surface = {
        "block": ("wood", "wood", "metal", "plastic"),
        "board": ("board",),
        "case": ("metal", "plastic"),
        "mat": ("mat", "mat", "wood"),
    }[kind]
    ground = SURFACES[surface[rng.integers(len(surface))]](rng, width, height)
    canvas = Image.fromarray((ground * 255).astype(np.uint8))
    bench = Bench(rng, random_light(rng), canvas, crops or Crops())
    side = int(np.exp(rng.uniform(np.log(11), np.log(0.26 * short))))
    if kind == "mat":
        _lay_loose(bench, side)
        _lay_batteries(bench, int(rng.integers(0, 2)))
    else:
        if kind == "case" and rng.random() < 0.5:
            _lay_board(bench)
        if kind != "block":
            _lay_connectors(bench, int(rng.integers(0, 5)))
            _lay_batteries(bench, int(rng.integers(0, 3)) if kind == "case" else int(rng.random() < 0.3))
        _lay_pattern(bench, side, ground.mean(axis=(0, 1)).astype(np.float32))
    clutter = {"block": 1.5, "board": 14, "case": 6, "mat": 1.5}[kind]
    _lay_clutter(bench, int(rng.poisson(clutter)), side)
    return bench


def _lay_pattern(bench: Bench, side: int, ground: Field) -> None:
    """Lay screws and holes in a grid, a ring, a line or anywhere; each place is filled or empty."""
    rng, n = bench.rng, int(rng_count(bench.rng))
    width, height = bench.canvas.size
    turn = rng.uniform(0, 2 * np.pi)
    style = rng.choice(["grid", "ring", "line", "anywhere", "anywhere"])
    if style == "grid":
        columns = int(rng.integers(2, 4))
        points = np.array([(i % columns - (columns - 1) / 2, i // columns - (n / columns - 1) / 2) for i in range(n)])
    elif style == "ring":
        points = np.array([(np.cos(i * 6.283 / n), np.sin(i * 6.283 / n)) for i in range(n)])
    elif style == "line":
        points = np.array([(i - (n - 1) / 2, 0.0) for i in range(n)])
    else:
        points = rng.uniform(-1, 1, (n, 2))
    spread = rng.uniform(1.3, 3.5) * side if style != "anywhere" else 0.5 * np.array([width, height])
    points = (
        points @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).T
        if style != "anywhere"
        else points
    )
    centre = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    filled = rng.choice([0.0, 1.0, rng.uniform(0.2, 0.9)], p=[0.15, 0.25, 0.6])
    styles = rng.integers(0, 2**31, 2)
    same_kind, real = rng.random() < 0.7, rng.random() < 0.5
    for point in points:
        own_side = max(9, int(side * (rng.uniform(0.96, 1.04) if same_kind else rng.uniform(0.6, 1.4))))
        x, y = (centre + point * spread - own_side / 2).astype(int)
        inside = -0.3 * own_side < x < width - 0.7 * own_side and -0.3 * own_side < y < height - 0.7 * own_side
        if inside and bench.free((x, y, x + own_side, y + own_side), 1):
            seed = styles[0] if same_kind else rng.integers(2**31)
            is_screw = rng.random() < filled
            picture = _place(bench, own_side, int(seed), is_screw, ground, real)
            bench.lay(
                picture, int(x), int(y), 0 if is_screw else 1, own_side * rng.uniform(0.02, 0.12) if is_screw else 0.0
            )


def rng_count(rng: np.random.Generator) -> int:
    """Return how many places a pattern has: mostly 1 to 6, now and then up to 12."""
    return int(rng.integers(1, 7) if rng.random() < 0.85 else rng.integers(7, 13))


def _place(bench: Bench, side: int, seed: int, is_screw: bool, ground: Field, real: bool) -> Image.Image:
    crops = bench.crops.screws if is_screw else bench.crops.holes
    if real and crops:
        return cut_round(crops[bench.rng.integers(len(crops))], side, bench.rng)
    own = np.random.default_rng(seed)
    if is_screw:
        return fasteners.screw_head(own, side, bench.light, float(bench.rng.uniform(0, 2 * np.pi)))
    return fasteners.screw_hole(own if bench.rng.random() < 0.5 else bench.rng, side, bench.light, ground)


def cut_round(crop: Image.Image, side: int, rng: np.random.Generator) -> Image.Image:
    """Return the round middle of a crop, scaled to `side` px, turned and in another light, with a soft rim."""
    picture = crop.convert("RGB").rotate(float(rng.integers(4) * 90)).resize((side, side), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture, dtype=np.float32) / 255
    pixels = np.clip(pixels * rng.uniform(0.55, 1.3) * rng.uniform(0.85, 1.15, 3), 0, 1)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    r = np.hypot(x - side / 2, y - side / 2) / (side / 2)
    alpha = np.clip((1 - r) / max(0.06, 2 / side), 0, 1)
    return Image.fromarray((np.dstack([pixels, alpha]) * 255).astype(np.uint8), "RGBA")


def _lay_loose(bench: Bench, side: int) -> None:
    """Lay loose screws on a mat: on their sides, a few on their heads."""
    rng = bench.rng
    seed = int(rng.integers(2**31))
    for _ in range(int(rng.integers(1, 11))):
        kind = seed if rng.random() < 0.7 else int(rng.integers(2**31))
        own = np.random.default_rng(kind)
        if rng.random() < 0.8:
            length = max(14, int(side * own.uniform(1.0, 2.8)))
            picture = fasteners.loose_screw(own, length, bench.light)
            picture = picture.rotate(float(rng.uniform(0, 360)), Image.Resampling.BICUBIC, expand=True)
        else:
            picture = fasteners.screw_head(own, max(10, side), bench.light, float(rng.uniform(0, 6.283)))
        box = picture.getbbox()
        if box is None:
            continue
        picture = picture.crop(box)
        spot = bench.spot(picture.width, picture.height, -0.12 * min(picture.size) if rng.random() < 0.3 else 1.0)
        if spot:
            bench.lay(picture, *spot, 0, max(1.0, side * 0.06))


def _lay_board(bench: Bench) -> None:
    """Lay a circuit board over part of the case."""
    rng, (width, height) = bench.rng, bench.canvas.size
    w, h = int(width * rng.uniform(0.3, 0.8)), int(height * rng.uniform(0.3, 0.8))
    board = Image.fromarray((SURFACES["board"](rng, w, h) * 255).astype(np.uint8)).convert("RGBA")
    board = board.rotate(float(rng.normal(0, 6)), Image.Resampling.BILINEAR, expand=True)
    bench.lay(board, int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h)), None, 3.0)
    bench.taken.pop()  # parts lie on a board


def _lay_connectors(bench: Bench, n: int) -> None:
    rng, short = bench.rng, min(bench.canvas.size)
    for _ in range(n):
        width = int(np.exp(rng.uniform(np.log(0.06), np.log(0.35))) * short)
        plugged = bool(rng.random() < 0.5)
        draw = components.wire_connector if rng.random() < 0.6 else components.flex_connector
        picture, body = draw(rng, max(14, width), plugged, bench.light)
        angle = float(rng.integers(4) * 90 + (rng.normal(0, 8) if rng.random() < 0.5 else 0))
        picture = picture.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        body = body.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        spot = bench.spot(*picture.size)
        if spot:
            bench.lay(picture, *spot, 3 if plugged else 4, max(1.0, width * 0.03), body)


def _lay_batteries(bench: Bench, n: int) -> None:
    rng, short = bench.rng, min(bench.canvas.size)
    for _ in range(n):
        size, style = int(np.exp(rng.uniform(np.log(0.2), np.log(0.65))) * short), rng.random()
        if style < 0.55:
            w, h = size, max(10, int(size * rng.uniform(0.25, 0.9)))
            picture = components.pouch_battery(rng, w, h, bench.light)
        elif style < 0.85:
            picture = components.round_battery(rng, size, bench.light)
        else:
            picture = components.coin_battery(rng, max(16, size // 2), bench.light)
        angle = float(rng.integers(4) * 90 if rng.random() < 0.6 else rng.uniform(0, 360))
        picture = picture.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        spot = bench.spot(*picture.size)
        if spot:
            bench.lay(picture, *spot, 2, max(1.0, size * 0.03))


def _lay_clutter(bench: Bench, n: int, side: int) -> None:
    rng = bench.rng
    for _ in range(n):
        size = max(8, int(side * np.exp(rng.uniform(np.log(0.5), np.log(3)))))
        if bench.crops.others and rng.random() < 0.25:
            crop = bench.crops.others[rng.integers(len(bench.crops.others))]
            picture = cut_round(crop, size, rng) if rng.random() < 0.5 else crop.convert("RGBA").resize((size, size))
        else:
            picture = components.CLUTTER[rng.integers(len(components.CLUTTER))](rng, size, bench.light)
            picture = picture.rotate(
                float(rng.integers(4) * 90 + rng.normal(0, 5)), Image.Resampling.BILINEAR, expand=True
            )
        spot = bench.spot(*picture.size, margin=1)
        if spot:
            bench.lay(picture, *spot, None, size * 0.03)


# ---- taking the photo


def photograph(bench: Bench) -> Scene:
    """Return the bench as a camera sees it: at an angle, in uneven light, with its boxes."""
    rng, (width, height) = bench.rng, bench.canvas.size
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    moved = corners + rng.uniform(0, 0.09, (4, 2)) * np.sign(corners - [width / 2, height / 2]) * [width, height]
    matrix = homography(corners, moved)
    inverse = np.linalg.inv(matrix)
    canvas = bench.canvas.transform(
        (width, height),
        Image.Transform.PERSPECTIVE,
        tuple((inverse / inverse[2, 2]).ravel()[:8]),
        Image.Resampling.BICUBIC,
    )
    pixels = np.asarray(canvas, dtype=np.float32) / 255
    x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
    angle = rng.uniform(0, 2 * np.pi)
    lamp = 1 + rng.uniform(0, 0.35) * (x * np.cos(angle) + y * np.sin(angle)) - rng.uniform(0, 0.25) * (x**2 + y**2)
    lamp = lamp * (1 + rng.uniform(0, 0.25) * clouds(rng, width, height, 0.4 * min(width, height)))
    warmth = np.array([1 + rng.normal(0, 0.1), 1.0, 1 - rng.normal(0.03, 0.12)])
    pixels = np.clip(pixels * lamp[..., None] * warmth * rng.uniform(0.7, 1.15), 0, 1) ** rng.uniform(0.85, 1.2)
    return Scene((pixels * 255).astype(np.uint8), *boxes_in_view(bench.placed, matrix, width, height))


def homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (3, 3) matrix that takes four points to four others, (4, 2) each.

    Source:
        The direct linear transform with the last entry set to 1.
    """
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1.0).reshape(3, 3)


def boxes_in_view(
    placed: list[tuple[int, NDArray[np.float32]]], matrix: NDArray[np.float64], width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return boxes (n, 4) and labels (n,) of the parts of which at least 40 % lie in the photo."""
    boxes, labels = [], []
    for label, points in placed:
        x, y, w = matrix @ np.column_stack([points, np.ones(len(points))]).T
        whole = np.array([(x / w).min(), (y / w).min(), (x / w).max(), (y / w).max()])
        seen = np.clip(whole, 0, [width, height, width, height])
        if np.prod(seen[2:] - seen[:2]) >= 0.4 * np.prod(whole[2:] - whole[:2]):
            boxes.append(seen)
            labels.append(label)
    return np.array(boxes, dtype=np.float32).reshape(-1, 4), np.array(labels, dtype=np.int64)
