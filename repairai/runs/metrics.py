"""The figures of a run: a line for each step in `metrics.jsonl`, and a thinned view of it that is quick to poll."""

from __future__ import annotations

import json
import math
import os
import threading
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from repairai.runs.lines import append_line, mend_tail, tail

MOST_POINTS = 600
"""Of one curve: more than a screen shows apart."""
SAMPLED_BYTES = 512 * 1024
"""Of new lines, above which only some of them are read."""
TAIL_BYTES = 64 * 1024
"""At the end of the file, which tell how it goes now."""
END_BYTES = 16 * 1024
"""At the end of the file, of which every line is read in any case."""
CHUNK_BYTES = 2**20
EVAL_MARK = b'"eval_loss"'
MOST_LOOKS = 600
"""Looks at the validation data that are read at once; where there are more, some are left out evenly."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What was measured at a step.

    Args:
        step: Optimizer steps that were made.
        time: When, seconds since 1970.
        loss: Of the training data.
        eval_loss: Of the validation data.
        learning_rate: In use.
        grad_norm: Of the gradients, before they are clipped.
        epoch: Passes through the data.
        tokens: Trained on so far.
        tokens_per_second: Of them.
        memory_gib: Held by the process: of the GPU, or of the machine where there is none.
        gpu_gib: In use on the GPU, by whatever process.
        temperature_c: Of the GPU.
        ap: COCO's average precision (IoU 0.50 to 0.95) on the validation photos, in [0, 1].
        ap50: Likewise at IoU 0.50.
        exact: Share of parts on validation photos that are counted exactly, in [0, 1].
        right: Share of questions about validation photos that are answered right, each asked both ways, in [0, 1].
    """

    step: int
    time: float
    loss: float | None = None
    eval_loss: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    epoch: float | None = None
    tokens: int | None = None
    tokens_per_second: float | None = None
    memory_gib: float | None = None
    gpu_gib: float | None = None
    temperature_c: float | None = None
    ap: float | None = None
    ap50: float | None = None
    exact: float | None = None
    right: float | None = None


NAMES = tuple(field.name for field in fields(Metric))
KNOWN = frozenset(NAMES)
SERIES = NAMES[2:]
"""What curves are drawn of."""


def add_metric(path: Path, metric: Metric) -> None:
    """Add a line to a run's `metrics.jsonl`, whole or not at all; what is no number is left out.

    Raises:
        OSError: The disk is full.
    """
    values = {name: getattr(metric, name) for name in NAMES}
    kept = {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
    append_line(path, json.dumps(kept))


def read_new(path: Path, offset: int) -> tuple[list[Metric], int]:
    """Return the metrics behind a byte offset, and the offset to go on from.

    A half-written last line is left for later, a broken line in between is left out. Where the file has become shorter
    than the offset it is read anew from its start.
    """
    lines, end = _lines_from(path, offset)
    return [metric for line in lines if (metric := parsed(line))], end


def last_metrics(path: Path, size: int = TAIL_BYTES, most: int | None = None) -> list[Metric]:
    """Return the newest metrics of a run, oldest first: those in the file's last bytes.

    Args:
        path: The run's `metrics.jsonl`.
        size: How many bytes are looked at.
        most: Where there are more, some in between are left out, evenly; None for all.
    """
    lines = tail(path, size).split(b"\n")[:-1]
    apart = 1 if most is None else max(-(-len(lines) // most), 1)
    return [metric for line in lines[(len(lines) - 1) % apart :: apart] if (metric := parsed(line))]


def forget_after(path: Path, step: int) -> None:
    """Drop the metrics of all steps behind one: a run that goes on from a checkpoint makes those steps again.

    The file is cut where it lies, which needs no room on the disk.

    Args:
        path: The run's `metrics.jsonl`, which need not exist.
        step: The last one that is kept; -1 for none.
    """
    mend_tail(path)
    position = 0
    try:
        with path.open("r+b") as file:
            for line in file:
                metric = parsed(line)
                if metric and metric.step > step:
                    file.truncate(position)
                    return
                position += len(line)
    except FileNotFoundError:
        return


_DECODER = json.JSONDecoder()


def parsed(line: bytes) -> Metric | None:
    """Return the metric in a line, or None where there is none that can be read."""
    values = _values(line)
    return None if values is None else Metric(**values)


def _values(line: bytes) -> dict[str, Any] | None:
    """Return the figures in a line by their names, or None where there are none that can be read."""
    try:
        text = line.decode()
        data, end = _DECODER.raw_decode(text)  # half the time of json.loads
    except (ValueError, RecursionError):
        return None
    if end != len(text.rstrip()):
        return None
    try:
        # Almost always all is as we write it, and one look at their sum tells that all are finite numbers.
        if type(data["step"]) is int and "time" in data and data.keys() <= KNOWN and math.isfinite(sum(data.values())):
            return data  # type: ignore[no-any-return]
    except (TypeError, LookupError, AttributeError, OverflowError):
        pass
    if not isinstance(data, dict) or type(data.get("step")) is not int:
        return None
    known = {name: value for name, value in data.items() if name in KNOWN and _is_number(value)}
    return known if "time" in known else None


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _lines_from(path: Path, offset: int) -> tuple[list[bytes], int]:
    try:
        with path.open("rb") as file:
            if offset > file.seek(0, os.SEEK_END):
                offset = 0
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], 0
    end = content.rfind(b"\n") + 1
    return content[:end].split(b"\n")[:-1], offset + end


class Curve:
    """A thinned view of a run's metrics, kept up to date by reading only what is new. Threads may share one.

    Args:
        path: The run's `metrics.jsonl`, which need not exist yet.
        most: Points of one series.
    """

    def __init__(self, path: Path, most: int = MOST_POINTS) -> None:
        self.path = path
        self._most = most
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._newest: dict[str, Any] | None = None
        self.broken = 0
        """Lines that could not be read."""
        self._series = {name: _Series(self._most) for name in SERIES}
        self._offset = 0
        self._seen = b""

    @property
    def last(self) -> Metric | None:
        """The newest metric."""
        return Metric(**self._newest) if self._newest else None

    def poll(self) -> bool:
        """Read what is new; return whether there was anything."""
        with self._lock:
            try:
                with self.path.open("rb") as file:
                    return self._read(file)
            except FileNotFoundError:
                was_there = self._offset > 0
                self._forget()
                return was_there

    def series(self, name: str) -> list[tuple[int, float]]:
        """Return the points of a series as (step, value), by step: at most about 600, with its lows and highs.

        Args:
            name: A field of `Metric`: "loss", "eval_loss", ...
        """
        with self._lock:
            return self._series[name].points()

    def names(self) -> list[str]:
        """Return the names of the series that have points."""
        with self._lock:
            return [name for name, series in self._series.items() if series.newest]

    def _read(self, file: BinaryIO) -> bool:
        size = file.seek(0, os.SEEK_END)
        again = size < self._offset or not self._is_where_we_were(file)
        if again:  # it was cut, since the run went on from an earlier step
            self._forget()
        before = self._offset
        if size - self._offset > SAMPLED_BYTES:
            self._sample(file, size - END_BYTES)
        file.seek(self._offset)
        content = file.read(size - self._offset)
        self._take(content[: content.rfind(b"\n") + 1].split(b"\n")[:-1], content)
        return again or self._offset > before

    def _is_where_we_were(self, file: BinaryIO) -> bool:
        file.seek(self._offset - len(self._seen))
        return file.read(len(self._seen)) == self._seen

    def _take(self, lines: list[bytes], content: bytes) -> None:
        for line in lines:
            self._add(line)
        if lines:
            self._offset += content.rfind(b"\n") + 1
            self._seen = lines[-1] + b"\n"

    def _add(self, line: bytes) -> None:
        values = _values(line)
        if values is None:
            self.broken += 1
            return
        self._newest = values
        step = values["step"]
        for name, value in values.items():
            if name in self._series:
                self._series[name].add(step, value)

    def _sample(self, file: BinaryIO, end: int) -> None:
        """Read some of the lines up to an offset, evenly, and those with a look at the validation data."""
        stride = max((end - self._offset) // self._most, 1)
        apart = (end - self._offset) // MOST_LOOKS
        while self._offset < end:
            file.seek(self._offset)
            content = file.read(min(CHUNK_BYTES, end - self._offset))
            whole = content.rfind(b"\n") + 1
            if not whole:
                return
            starts = {content.find(b"\n", at, whole) + 1 for at in range(0, whole, stride)}
            starts |= {0, *_looks(content, whole, apart)}
            lines = [content[at : content.find(b"\n", at)] for at in sorted(starts) if at < whole]
            self._take(lines, content)


def _looks(content: bytes, end: int, apart: int) -> set[int]:
    """Return where the lines with a look at the validation data begin, so many bytes apart at least."""
    found = set()
    at = content.find(EVAL_MARK, 0, end)
    while at >= 0:
        found.add(content.rfind(b"\n", 0, at) + 1)
        at = content.find(EVAL_MARK, max(content.find(b"\n", at), at + apart), end)
    return found


class _Series:
    """The lows and highs of spans of steps; the spans get wider as more of them come."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = 1
        self._spans: list[list[Any]] = []  # number, step and value of the low, step and value of the high
        self.newest: tuple[int, float] | None = None

    def add(self, step: int, value: float) -> None:
        self.newest = (step, value)
        number = step // self._width
        if self._spans and self._spans[-1][0] == number:
            span = self._spans[-1]
            if value < span[2]:
                span[1:3] = step, value
            elif value > span[4]:
                span[3:] = step, value
            return
        self._spans.append([number, step, value, step, value])
        # A span of one step is one point, a wider one two.
        if len(self._spans) > (self._most if self._width == 1 else self._most // 2):
            self._widen()

    def _widen(self) -> None:
        times = 2
        while len({span[0] // times for span in self._spans}) > self._most // 2:
            times *= 2
        self._width *= times
        spans, self._spans = self._spans, []
        for span in spans:
            span[0] //= times
            before = self._spans[-1] if self._spans else None
            if before is None or before[0] != span[0]:
                self._spans.append(span)
                continue
            if span[2] < before[2]:
                before[1:3] = span[1:3]
            if span[4] > before[4]:
                before[3:] = span[3:]

    def points(self) -> list[tuple[int, float]]:
        found = [(low_step, low) for _, low_step, low, _, _ in self._spans]
        found += [(high_step, high) for _, low_step, _, high_step, high in self._spans if high_step != low_step]
        if self.newest and (not self._spans or self.newest[0] not in (self._spans[-1][1], self._spans[-1][3])):
            found.append(self.newest)
        found.sort()
        return found
