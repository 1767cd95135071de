"""The figures of a run: whole lines, a thinned view that is right, and quick."""

import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repairai.runs.lines import append_line, mend_tail
from repairai.runs.metrics import Curve, Metric, add_metric, forget_after, last_metrics, read_new


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def write(path: Path, steps: range, every: int = 0) -> None:
    lines = []
    for step in steps:
        lines.append(f'{{"step": {step}, "time": {step}.5, "loss": {1000 - step}, "tokens": {step * 10}}}\n')
        if every and step % every == 0:
            lines.append(f'{{"step": {step}, "time": {step}.6, "eval_loss": {step / 10}}}\n')
    with path.open("a") as file:
        file.write("".join(lines))


def test_a_metric_is_read_as_it_was_written(path: Path):
    metric = Metric(3, 1.5, loss=0.1 + 0.2, tokens=5, temperature_c=61.0)
    add_metric(path, metric)
    add_metric(path, Metric(4, 2.5, loss=float("nan"), grad_norm=float("inf")))
    found, offset = read_new(path, 0)
    assert found == [metric, Metric(4, 2.5)]
    assert offset == path.stat().st_size
    assert read_new(path, offset) == ([], offset)


def test_a_half_written_line_is_left_for_later(path: Path):
    write(path, range(1, 3))
    whole = path.stat().st_size
    line = b'{"step": 3, "time": 3.5, "loss": 997}\n'
    curve = Curve(path)
    for end in range(len(line)):
        with path.open("r+b") as file:
            file.truncate(whole)
            file.seek(whole)
            file.write(line[:end])
        assert read_new(path, whole) == ([], whole)
        curve.poll()
        assert curve.last == Metric(2, 2.5, loss=998, tokens=20)
    path.write_bytes(path.read_bytes()[:whole] + line)
    assert read_new(path, whole) == ([Metric(3, 3.5, loss=997)], whole + len(line))
    curve.poll()
    assert (curve.last, curve.broken) == (Metric(3, 3.5, loss=997), 0)


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "null", '{"step": "3", "time": 1}', '{"step": 3}', '{"time": 3}', "\0" * 50, "[" * 5000,
     '{"step": true, "time": 1}'],
)  # fmt: skip
def test_a_broken_line_is_left_out_and_counted(path: Path, line: str):
    write(path, range(1, 2))
    append_line(path, line)
    write(path, range(2, 3))
    assert [metric.step for metric in read_new(path, 0)[0]] == [1, 2]
    curve = Curve(path)
    assert curve.poll()
    assert (curve.broken, curve.series("loss")) == (1, [(1, 999.0), (2, 998.0)])


def test_what_a_newer_repairai_writes_is_no_fault(path: Path):
    append_line(path, '{"step": 1, "time": 2, "loss": "high", "eval_loss": 0.5, "watts": 300}')
    assert read_new(path, 0)[0] == [Metric(1, 2, eval_loss=0.5)]


def test_a_missing_file_has_no_lines(path: Path):
    curve = Curve(path)
    assert not curve.poll()
    assert read_new(path, 10) == ([], 0)
    assert last_metrics(path) == []
    write(path, range(1, 4))
    assert curve.poll()
    path.unlink()
    assert curve.poll()
    assert (curve.last, curve.names()) == (None, [])


def test_a_curve_follows_a_file_that_grows(path: Path):
    curve = Curve(path)
    for begin in range(1, 400, 7):
        write(path, range(begin, begin + 7), every=50)
        assert curve.poll()
        assert not curve.poll()
    assert curve.series("loss") == [(step, 1000.0 - step) for step in range(1, 400)]
    assert [step for step, _ in curve.series("eval_loss")] == list(range(50, 400, 50))
    assert curve.names() == ["loss", "eval_loss", "tokens"]
    assert curve.last == Metric(399, 399.5, loss=601, tokens=3990)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(4, 40))
@settings(max_examples=60)
def test_a_thinned_curve_keeps_ends_lows_and_highs(tmp_path_factory, values: list[float], most: int):
    path = tmp_path_factory.mktemp("curve") / "metrics.jsonl"
    path.write_text("".join(f'{{"step": {step}, "time": 1, "loss": {value!r}}}\n' for step, value in enumerate(values)))
    curve = Curve(path, most)
    curve.poll()
    points = curve.series("loss")
    truth = dict(enumerate(values))
    assert all(truth[step] == value for step, value in points), "no point is made up"
    assert [step for step, _ in points] == sorted({step for step, _ in points})
    assert len(points) <= most + 1
    assert points[-1] == (len(values) - 1, values[-1])
    assert {min(values), max(values)} <= {value for _, value in points}


def test_a_long_run_is_sampled_with_all_its_looks_and_its_end(path: Path):
    write(path, range(1, 30_001), every=500)
    curve = Curve(path)
    began = time.perf_counter()
    curve.poll()
    assert time.perf_counter() - began < 1
    points = curve.series("loss")
    assert 300 <= len(points) <= 601
    assert all(value == 1000 - step for step, value in points)
    assert max(later - earlier for (earlier, _), (later, _) in zip(points, points[1:], strict=False)) < 300
    assert points[0][0] == 1
    assert curve.series("eval_loss") == [(step, step / 10) for step in range(500, 30_001, 500)]
    assert curve.last == Metric(30_000, 30_000.6, eval_loss=3000.0)
    write(path, range(30_001, 30_011))
    assert curve.poll()
    assert curve.series("loss")[-1] == (30_010, 1000.0 - 30_010)
    assert curve.broken == 0


def test_a_run_that_goes_on_from_an_earlier_step_is_read_anew(path: Path):
    write(path, range(1, 101), every=10)
    curve = Curve(path)
    curve.poll()
    forget_after(path, 40)
    assert [metric.step for metric in read_new(path, 0)[0]][-2:] == [40, 40]
    write(path, range(41, 44))
    assert curve.poll()
    assert [step for step, _ in curve.series("loss")] == list(range(1, 44))
    forget_after(path, 30)
    write(path, range(31, 200))  # longer than it was, before anybody looked
    assert curve.poll()
    assert [step for step, _ in curve.series("loss")] == list(range(1, 200))
    assert [step for step, _ in curve.series("eval_loss")] == [10, 20, 30]
    forget_after(path, -1)
    assert path.read_bytes() == b""


def test_forgetting_mends_a_half_written_line(path: Path):
    write(path, range(1, 4))
    with path.open("a") as file:
        file.write('{"step": 4, "ti')
    forget_after(path, 3)
    add_metric(path, Metric(4, 4.5))
    assert [metric.step for metric in read_new(path, 0)[0]] == [1, 2, 3, 4]


@given(st.binary(max_size=9000))
def test_mending_keeps_all_whole_lines(tmp_path_factory, content: bytes):
    path = tmp_path_factory.mktemp("mend") / "lines"
    path.write_bytes(content)
    mend_tail(path)
    assert path.read_bytes() == content[: content.rfind(b"\n") + 1]


def test_a_line_on_a_full_disk_leaves_the_file_as_it_was(small_disk: Path):
    path = small_disk / "metrics.jsonl"
    write(path, range(1, 3))
    before = path.read_bytes()
    with (small_disk / "filler").open("wb", buffering=0) as file:
        file.write(b"\1" * 500_000)
    with pytest.raises(OSError, match="No space"):
        append_line(path, "y" * 10_000)
    assert path.read_bytes() == before


def test_watching_does_not_lose_or_double_a_step(path: Path):
    """A reader between any two writes, at random."""
    dice = random.Random(7)
    curve, offset, seen = Curve(path), 0, []
    content = "".join(f'{{"step": {step}, "time": 1, "loss": 2}}\n' for step in range(1, 300)).encode()
    at = 0
    while at < len(content):
        piece = content[at : at + dice.randint(1, 60)]
        at += len(piece)
        with path.open("ab") as file:
            file.write(piece)
        found, offset = read_new(path, offset)
        seen += [metric.step for metric in found]
        curve.poll()
    assert seen == list(range(1, 300))
    assert [step for step, _ in curve.series("loss")] == seen


def test_the_newest_are_read_from_the_end(path: Path):
    write(path, range(1, 5000))
    assert os.path.getsize(path) > 200_000
    found = last_metrics(path, 4096)
    assert found[-1].step == 4999
    assert 20 < len(found) < 100
