"""Figures by step to plots: HTML and SVG, pure. The lines stretch with the page, the words beside them do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

WIDTH, HEIGHT = 1000, 100
"""Of the drawing: it is stretched to the place that it gets."""
FINEST = 1e-12
"""Least distance of two figures, relative to them, that is drawn: nearer, they differ by rounding alone."""
MOST_TICKS = 5
MOST_DOTS = 40
"""Points of a line above which they are no longer marked."""
FEWEST_NOISY = 20
"""Points below which a line is not noisy."""
COURSE_SHARE = 20
"""The course of a line is taken over this share of its points."""
MOST_POINTS = 400
"""Of one line: as many as a wide screen shows apart."""
Points = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Line:
    """A line of a plot.

    Args:
        name: For the legend.
        points: By step.
        tone: From 1: its colour and how it is dashed.
        dots: Whether each point is marked: for lines of few points.
        noisy: Whether it is drawn faintly, with its course over it.
    """

    name: str
    points: Points
    tone: int = 1
    dots: bool = False
    noisy: bool = False


@dataclass(frozen=True)
class Plot:
    """What is drawn over one axis of steps.

    Args:
        title: What it shows.
        unit: Of the figures; empty for none.
        lines: Those without points are left out.
        from_zero: The axis begins at zero.
        tall: It gets more height than the others.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    from_zero: bool = False
    tall: bool = False


def of_run(series: Mapping[str, Points]) -> list[Plot]:
    """Return the plots of a run.

    Args:
        series: Points by name, as `repairai.runs.metrics.Curve` gives them.
    """

    def line(name: str, field: str, tone: int = 1, **how: bool) -> Line:
        return Line(name, series.get(field, ()), tone, **how)

    looks = line("validation", "eval_loss", 2, dots=True)
    found = (line("parts counted exactly", "exact", dots=True), line("average precision", "ap", 2, dots=True),
             line("at an overlap of a half", "ap50", 3, dots=True))  # fmt: skip
    return [
        Plot("Loss", "", (line("training", "loss", noisy=True), looks), tall=True),
        Plot("What is found on validation photos", "", found, from_zero=True, tall=True),
        Plot(
            "Validation questions answered right", "", (line("right", "right", dots=True),), from_zero=True, tall=True
        ),
        Plot("Learning rate", "", (line("learning rate", "learning_rate"),), from_zero=True),
        Plot("Speed", "tokens/s", (line("speed", "tokens_per_second", noisy=True),), from_zero=True),
        Plot("Memory", "GiB", (line("this run", "memory_gib"), line("the whole GPU", "gpu_gib", 2)), from_zero=True),
        Plot("Temperature of the GPU", "°C", (line("temperature", "temperature_c"),)),
        Plot("Norm of the gradients", "", (line("norm", "grad_norm", noisy=True),), from_zero=True),
    ]


def drawn(plots: Sequence[Plot], total_steps: int | None = None) -> str:
    """Return plots below each other over one and the same axis of steps, or that there is nothing to draw yet.

    Args:
        plots: Those without points are left out.
        total_steps: That there will be, if that is known.
    """
    steps = [line.points[-1][0] for plot in plots for line in plot.lines if line.points]
    if not steps:
        return '<p class="fine">Curves appear with the first step.</p>'
    end = axis_end(max(steps), total_steps)
    shown = "".join(_figure(plot, end) for plot in plots if any(line.points for line in plot.lines))
    return f'<div class="plots">{shown}</div>'


def axis_end(last_step: int, total_steps: int | None) -> int:
    """Return where the axis of steps ends: a round number that seldom changes, so that a growing curve stays calm."""
    if last_step <= 0:
        return 1
    scale = 10 ** math.floor(math.log10(last_step))
    end = next(int(scale * each) for each in (1, 1.5, 2, 3, 5, 7.5, 10, 20) if math.ceil(scale * each) >= last_step)
    end = max(end, last_step, 5)
    return max(min(end, total_steps), last_step) if total_steps else end


def ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round numbers, evenly apart, the first not above the low one and the last not below the high one."""
    if not high - low > FINEST * max(abs(low), abs(high)):
        low, high = low - (abs(low) or 1) * 0.05, high + (abs(high) or 1) * 0.05
    rough = (high - low) / max(most - 1, 1)
    scale = 10.0 ** math.floor(math.log10(rough))
    apart = next(scale * each for each in (1, 2, 2.5, 5, 10) if scale * each >= rough * 0.999)
    first, last = math.floor(low / apart + 1e-9), math.ceil(high / apart - 1e-9)
    return [number * apart for number in range(first, last + 1)]


def written(value: float, apart: float | None = None) -> str:
    """Return a figure in few letters: as fine as the distance between ticks asks, else with three digits."""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -3 <= (size if apart is None else _exponent(apart)) < 6 or size >= 6:
        digits = 2 if apart is None else max(size - _exponent(apart), 0)
        number, _, exponent = f"{value:.{digits}e}".partition("e")
        number = number.rstrip("0").rstrip(".") if "." in number else number
        return f"{number}e{int(exponent)}"
    return f"{value:,.{max(2 - size if apart is None else -_exponent(apart), 0)}f}"


def _exponent(apart: float) -> int:
    """Return the place of the last digit that a distance has: -2 for 0.25."""
    place = math.floor(math.log10(apart))
    return place if abs(apart / 10.0**place - round(apart / 10.0**place)) < 1e-6 else place - 1


# ---- one plot


def _figure(plot: Plot, end: int) -> str:
    lines = [replace(each, points=_thinned(each.points)) for each in plot.lines if each.points]
    values = [value for line in lines for _, value in line.points]
    marks = ticks(min(0.0, *values) if plot.from_zero else min(values), max(values))
    low, high = marks[0], marks[-1]

    def place(step: float, value: float) -> tuple[float, float]:
        return WIDTH * step / end, HEIGHT * (high - value) / (high - low)

    grid = "".join(f'<path class="grid" d="M0 {place(0, mark)[1]:.2f}H{WIDTH}"/>' for mark in marks)
    drawn_lines = "".join(_line(line, place) for line in lines)
    apart = marks[1] - marks[0]
    left = "".join(
        f'<span class="y" style="top:{place(0, mark)[1]:.2f}%">{written(mark, apart)}</span>' for mark in marks
    )
    below = "".join(
        f'<span class="x" style="left:{100 * step / end:.2f}%">{step:,.0f}</span>'
        for step in ticks(0, end)
        if step <= end and step == int(step)
    )
    unit = f' <span class="unit">{escape(plot.unit)}</span>' if plot.unit else ""
    return (
        f'<figure class="plot{" tall" if plot.tall else ""}"><figcaption><b>{escape(plot.title)}</b>{unit}'
        f"{_legend(lines)}</figcaption>"
        f'<div class="canvas" role="img" aria-label="{escape(_told(plot, lines))}">'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{grid}{drawn_lines}</svg>'
        f'<div aria-hidden="true">{left}{below}</div></div></figure>'
    )


def _line(line: Line, place: Callable[[float, float], tuple[float, float]]) -> str:
    points = [place(step, value) for step, value in line.points]
    drawn_line = _path(points, f"line tone-{line.tone}")
    if line.noisy and len(points) >= FEWEST_NOISY:
        course = [place(step, value) for step, value in smoothed(line.points)]
        drawn_line = _path(points, f"raw tone-{line.tone}") + _path(course, f"line tone-{line.tone}")
    if (line.dots and len(points) <= MOST_DOTS) or len(points) == 1:
        # A stroke without length is a round dot, however the drawing is stretched.
        dots = "".join(f"M{x:.1f} {y:.2f}h0" for x, y in points)
        drawn_line += f'<path class="dots tone-{line.tone}" d="{dots}"/>'
    return drawn_line


def _path(points: Sequence[tuple[float, float]], names: str) -> str:
    path = " ".join(f"{x:.1f},{y:.2f}" for x, y in points)
    return f'<polyline class="{names}" points="{path}"/>'


def smoothed(points: Points) -> Points:
    """Return the course of a noisy line: at each point the mean of what came before, the newest weighing most.

    Source:
        The exponential moving average, with its start corrected as in Kingma and Ba 2015, "Adam", section 3.
    """
    keep = 1 - 2 / (max(len(points) / COURSE_SHARE, 1) + 1)
    mean, found = 0.0, []
    for at, (step, value) in enumerate(points, 1):
        mean = keep * mean + (1 - keep) * value
        found.append((step, mean / (1 - keep**at)))
    return found


def _legend(lines: Sequence[Line]) -> str:
    """Return the lines' names with their newest figures; of a single line the figure says it all."""
    if len(lines) == 1 and lines[0].tone == 1:
        return f'<span class="key now">{written(lines[0].points[-1][1])}</span>'
    return "".join(
        f'<span class="key">{_sample(line.tone)}{escape(line.name)} '
        f'<span class="now">{written(line.points[-1][1])}</span></span>'
        for line in lines
    )


def _sample(tone: int) -> str:
    return f'<svg viewBox="0 0 24 8" aria-hidden="true"><path class="line tone-{tone}" d="M1 4H23"/></svg>'


def _told(plot: Plot, lines: Sequence[Line]) -> str:
    """Return a plot in words, for those who do not see it."""
    unit = f" {plot.unit}" if plot.unit else ""
    parts = []
    for line in lines:
        (first, begins), (last, ends) = line.points[0], line.points[-1]
        at, lowest = min(line.points, key=lambda point: point[1])
        highest = max(line.points, key=lambda point: point[1])
        parts.append(
            f"{line.name}: from {written(begins)}{unit} at step {first} to {written(ends)}{unit} at step {last}, "
            f"lowest {written(lowest)} at step {at}, highest {written(highest[1])} at step {highest[0]}"
        )
    return f"{plot.title} by step. {'; '.join(parts)}."


def _thinned(points: Points) -> Points:
    """Return at most so many points, the lowest and the highest of each span among them."""
    if len(points) <= MOST_POINTS:
        return points
    width = -(-len(points) * 2 // MOST_POINTS)
    kept = {points[0], points[-1]}
    for at in range(0, len(points), width):
        span = points[at : at + width]
        kept |= {min(span, key=lambda point: point[1]), max(span, key=lambda point: point[1])}
    return sorted(kept)
