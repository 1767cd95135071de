from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.past import NEWEST, Correction, PastRun, correction, past_runs, record
from repairai.hardware.workload import Workload

RUN = PastRun("2026-11-22T10:00:00+00:00", "card", Workload("a/b"), 8.0, 10.0, (8.0, 9.0), 10.5, (1.0, 3.0), 3.0)


def test_nothing_is_corrected_before_there_are_enough_runs():
    assert correction("card") == Correction(0)
    for _ in range(2):
        record(RUN)
    assert correction("card") == Correction(2)


def test_the_median_of_past_runs_corrects_the_next_plan():
    for measured in (10.0, 9.0, 80.0):
        record(replace(RUN, measured_gib=measured))
    found = correction("card")
    assert found == Correction(3, pytest.approx(1.25), pytest.approx(1.5))
    assert correction("another card") == Correction(0)
    assert RUN.error == pytest.approx(-0.2)


def test_a_correction_has_bounds():
    for _ in range(3):
        record(replace(RUN, measured_gib=800.0, measured_seconds=1e-6))
    assert correction("card") == Correction(3, 2.0, 0.5)


def test_only_the_newest_are_kept_and_a_cut_line_loses_nothing_else(home: Path):
    for number in range(NEWEST + 2):
        record(replace(RUN, measured_gib=float(number + 1)))
    assert [run.measured_gib for run in past_runs()][:: NEWEST - 1] == [3.0, NEWEST + 2.0]
    path = home / "planner" / "runs.jsonl"
    path.write_text(path.read_text()[:-40])
    assert len(past_runs()) == NEWEST - 1


def test_a_damaged_file_is_as_none(home: Path):
    record(RUN)
    (home / "planner" / "runs.jsonl").write_bytes(b"\xff\xfe\n" + b"[" * 200_000)
    assert past_runs() == []


def test_figures_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="measured_gib over 0"):
        replace(RUN, measured_gib=0.0)


def test_a_full_disk_is_told(small_disk: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    record(RUN)
    with suppress(OSError), (small_disk / "full").open("wb", buffering=0) as file:
        for _ in range(1000):
            file.write(b"x" * 1024)
    with pytest.raises(RepairError, match="disk is full"):
        record(RUN)
    assert past_runs() == [RUN]
