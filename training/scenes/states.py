"""Scenes that show one state or the other: a connector plugged or not, a battery in or out, a lid on or off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.scenes import bays, components, fasteners
from training.scenes.relief import random_light
from training.scenes.scene import Bench, Crops, photograph
from training.spoil import spoil

PLUGGED, UNPLUGGED = 3, 4
"""Their places in `training.scenes.scene.LABELS`."""
SPOILED = 0.4
"""Share of scenes that are taken badly: out of focus, grainy, dark, with glare or squeezed."""

BRIGHT = 90.0
"""Mean of a photo's px from which on less light leaves enough of it to be judged."""


@dataclass(frozen=True)
class StateScene:
    """A photo that shows a state.

    Args:
        photo: RGB uint8 (H, W, 3).
        box: Left, top, right, bottom of what the state is of, px; None where it is of the whole photo.
    """

    photo: NDArray[np.uint8]
    box: tuple[float, float, float, float] | None = None


def connector(rng: np.random.Generator, unplugged: bool) -> StateScene:
    """Return a connector among others, plugged in or not; of an unplugged one its plug may lie beside it."""
    while True:
        bench = _bench(rng, ("board", "board", "metal", "plastic", "mat"))
        short = min(bench.canvas.size)
        width = max(26, int(np.exp(rng.uniform(np.log(0.14), np.log(0.5))) * short))
        draw = components.wire_connector if rng.random() < 0.6 else components.flex_connector
        picture, body = draw(rng, width, not unplugged, bench.light)
        angle = _angle(rng)
        picture = picture.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        body = body.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        x, y = _about_middle(rng, bench, picture.size)
        label = UNPLUGGED if unplugged else PLUGGED
        bench.lay(picture, x, y, label, max(1.0, width * 0.03), body)
        if unplugged and rng.random() < 0.65:
            _lay_plug(bench, (x, y), picture.size, width)
        if rng.random() < 0.4:
            _lay_other(bench, width)
        _lay_clutter(bench, int(rng.poisson(6)), max(10, width // 3))
        scene = photograph(bench)
        if len(scene.labels) and scene.labels[0] == label:
            left, top, right, bottom = (float(edge) for edge in scene.boxes[0])
            return StateScene(_taken(rng, scene.photo), (left, top, right, bottom))


def battery(rng: np.random.Generator, removed: bool) -> StateScene:
    """Return an open device with the place of its battery, the battery in it or not."""
    bench = _bench(rng, ("plastic", "metal", "board"))
    width, height = bench.canvas.size
    style = rng.random()
    if style < 0.6:
        w, h = int(width * rng.uniform(0.35, 0.75)), int(height * rng.uniform(0.3, 0.7))
        bay = bays.pouch_bay(rng, w, h, not removed, bench.light)
    elif style < 0.85:
        bay = bays.cell_bay(rng, int(min(width, height) * rng.uniform(0.5, 0.85)), not removed, bench.light)
    else:
        bay = bays.coin_bay(rng, int(min(width, height) * rng.uniform(0.25, 0.5)), not removed, bench.light)
    bay = bay.rotate(float(rng.integers(4) * 90 + rng.normal(0, 3)), Image.Resampling.BILINEAR, expand=True)
    if bay.width > width or bay.height > height:
        bay.thumbnail((width, height))
    bench.lay(bay, *_about_middle(rng, bench, bay.size), None, 0.0)
    if style < 0.6 and rng.random() < 0.7:
        _lay_other(bench, max(20, min(width, height) // 6), plugged=None if removed else rng.random() < 0.8)
    if removed and rng.random() < 0.25:  # what was taken out lies at the edge
        _lay_at_edge(bench, components.pouch_battery(rng, width // 3, height // 4, bench.light))
    _lay_inside(bench, int(rng.poisson(7)))
    return StateScene(_taken(rng, photograph(bench).photo))


def lid(rng: np.random.Generator, removed: bool) -> StateScene:
    """Return a device on a bench, closed or with its lid taken off; the lid may lie beside it."""
    bench = _bench(rng, ("mat", "mat", "wood", "metal"))
    width, height = bench.canvas.size
    w, h = int(width * rng.uniform(0.55, 0.92)), int(height * rng.uniform(0.55, 0.92))
    radius = int(min(w, h) * rng.uniform(0.02, 0.14))
    outside = bays.shell(rng, w, h, bench.light)
    corners = int(rng.integers(0, 3)) * 2
    if removed:
        rim = max(3, int(min(w, h) * rng.uniform(0.015, 0.06)))
        inside = _inside(rng, w - 2 * rim, h - 2 * rim)
        outside.paste(inside, (rim, rim), bays.rounded(inside, max(1, radius - rim)))
    device = bays.rounded(outside.convert("RGB"), radius)
    if not removed:
        _screw_corners(rng, device, corners, bench)
    device = device.rotate(
        float(rng.integers(4) * 90 if w == h else rng.integers(2) * 180) + float(rng.normal(0, 5)),
        Image.Resampling.BILINEAR, expand=True,
    )  # fmt: skip
    x, y = int(rng.uniform(-0.1, 1.1) * (width - device.width)), int(rng.uniform(-0.1, 1.1) * (height - device.height))
    bench.lay(device, x, y, None, max(2.0, 0.02 * width))
    if removed and rng.random() < 0.3:
        _lay_at_edge(bench, bays.rounded(bays.shell(rng, w // 2, h // 2, bench.light).convert("RGB"), radius // 2))
    _lay_clutter(bench, int(rng.poisson(2)), max(10, min(width, height) // 12))
    return StateScene(_taken(rng, photograph(bench).photo))


SCENES: dict[str, Callable[[np.random.Generator, bool], StateScene]] = {
    "connector": connector, "battery": battery, "lid": lid,
}  # fmt: skip
"""What draws a state; the second argument is whether the part is out, off or unplugged."""


# ---- the parts of a scene


def _bench(rng: np.random.Generator, kinds: tuple[str, ...]) -> Bench:
    short = int(rng.integers(300, 460))
    long = int(short * rng.uniform(1, 1.6))
    width, height = (short, long) if rng.random() < 0.5 else (long, short)
    return Bench(rng, random_light(rng), bays.surface(rng, kinds, width, height), Crops())


def _angle(rng: np.random.Generator) -> float:
    return float(rng.integers(4) * 90 + (rng.normal(0, 12) if rng.random() < 0.6 else 0))


def _about_middle(rng: np.random.Generator, bench: Bench, size: tuple[int, int]) -> tuple[int, int]:
    width, height = bench.canvas.size
    x, y = rng.uniform(0.3, 0.7) * width - size[0] / 2, rng.uniform(0.3, 0.7) * height - size[1] / 2
    return int(np.clip(x, 0, max(0, width - size[0]))), int(np.clip(y, 0, max(0, height - size[1])))


def _lay_plug(bench: Bench, at: tuple[int, int], size: tuple[int, int], width: int) -> None:
    """Lay a pulled plug near a socket, on none of it."""
    rng = bench.rng
    plug = bays.loose_plug(rng, max(20, int(width * rng.uniform(0.7, 1.0))), bench.light)
    plug = plug.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR, expand=True)
    for attempt in range(40):  # the nearer the better: what lies far away is in no crop
        angle, far = rng.uniform(0, 6.283), (0.3 + 0.015 * attempt) * (max(size) + max(plug.size))
        x = int(at[0] + size[0] / 2 + far * np.cos(angle) - plug.width / 2)
        y = int(at[1] + size[1] / 2 + far * np.sin(angle) - plug.height / 2)
        if bench.free((x, y, x + plug.width, y + plug.height), -0.2 * min(plug.size)):
            bench.lay(plug, x, y, None, max(1.0, width * 0.06))
            return


def _lay_other(bench: Bench, width: int, plugged: bool | None = None) -> None:
    """Lay one more connector somewhere, in either state where none is given."""
    rng = bench.rng
    state = bool(rng.random() < 0.5) if plugged is None else plugged
    draw = components.wire_connector if rng.random() < 0.6 else components.flex_connector
    picture, _ = draw(rng, max(16, int(width * rng.uniform(0.5, 1))), state, bench.light)
    picture = picture.rotate(_angle(rng), Image.Resampling.BILINEAR, expand=True)
    spot = bench.spot(*picture.size, margin=width * 0.6)
    if spot:
        bench.lay(picture, *spot, None, 2.0)


def _lay_clutter(bench: Bench, n: int, side: int) -> None:
    rng = bench.rng
    for _ in range(n):
        size = max(8, int(side * np.exp(rng.uniform(np.log(0.5), np.log(3)))))
        picture = components.CLUTTER[rng.integers(len(components.CLUTTER))](rng, size, bench.light)
        picture = picture.rotate(_angle(rng), Image.Resampling.BILINEAR, expand=True)
        spot = bench.spot(*picture.size, margin=1)
        if spot:
            bench.lay(picture, *spot, None, size * 0.03)


def _lay_inside(bench: Bench, n: int) -> None:
    """Lay what is found in an open device: screws, their holes, chips and cables."""
    rng = bench.rng
    ground = np.full(3, 0.4, np.float32)
    side = max(9, int(min(bench.canvas.size) * rng.uniform(0.025, 0.06)))
    for _ in range(int(rng.integers(0, 7))):
        head = fasteners.screw_head(rng, side, bench.light, float(rng.uniform(0, 6.283)))
        picture = head if rng.random() < 0.7 else fasteners.screw_hole(rng, side, bench.light, ground)
        spot = bench.spot(*picture.size, margin=2)
        if spot:
            bench.lay(picture, *spot, None, 1.0)
    _lay_clutter(bench, n, 2 * side)


def _lay_at_edge(bench: Bench, picture: Image.Image) -> None:
    """Lay something at one of the four edges, partly out of the photo."""
    rng, (width, height) = bench.rng, bench.canvas.size
    picture = picture.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR, expand=True)
    x, y = rng.uniform(-0.4, 1) * width, rng.uniform(-0.4, 1) * height
    if rng.random() < 0.5:
        x = (-0.6 if rng.random() < 0.5 else 1) * picture.width if rng.random() < 0.5 else width - 0.4 * picture.width
    else:
        y = -0.6 * picture.height if rng.random() < 0.5 else height - 0.4 * picture.height
    bench.lay(picture, int(x), int(y), None, 4.0)


def _inside(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Return the inside of a device: board, battery, connectors, screws."""
    bench = Bench(rng, random_light(rng), bays.surface(rng, ("plastic", "metal", "board"), width, height), Crops())
    if rng.random() < 0.8:
        w, h = int(width * rng.uniform(0.35, 0.8)), int(height * rng.uniform(0.3, 0.7))
        board = bays.surface(rng, ("board",), w, h).convert("RGBA")
        bench.lay(board, int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h)), None, 3.0)
        bench.taken.pop()  # parts lie on a board
    if rng.random() < 0.7:
        w, h = int(width * rng.uniform(0.25, 0.5)), int(height * rng.uniform(0.2, 0.5))
        bay = bays.pouch_bay(rng, w, h, bool(rng.random() < 0.7), bench.light)
        bench.lay(bay, int(rng.uniform(0, width - w)), int(rng.uniform(0, height - h)), None, 0.0)
    for _ in range(int(rng.integers(0, 4))):
        _lay_other(bench, max(20, min(width, height) // 6))
    _lay_inside(bench, int(rng.poisson(12)))
    return bench.canvas


def _screw_corners(rng: np.random.Generator, device: Image.Image, n: int, bench: Bench) -> None:
    """Put screws into the corners of a closed lid: all of them, or those of one side."""
    side = max(9, int(min(device.size) * rng.uniform(0.03, 0.06)))
    head = fasteners.screw_head(rng, side, bench.light, float(rng.uniform(0, 6.283)))
    for x, y in ((0.06, 0.06), (0.94, 0.06), (0.06, 0.94), (0.94, 0.94))[:n]:
        device.paste(head, (int(x * device.width - side / 2), int(y * device.height - side / 2)), head)


def _taken(rng: np.random.Generator, photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a photo as a hurry leaves it, now and then."""
    if rng.random() >= SPOILED:
        return photo
    kind = ("blur", "noise", "glare", "jpeg", "dark")[rng.integers(5 if photo.mean() > BRIGHT else 4)]
    strength = 2 if kind == "jpeg" and rng.random() < 0.5 else 1
    return spoil(photo, np.zeros((0, 4), np.float32), kind, strength, rng).photo
