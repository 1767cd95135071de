from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.judge.limits import STATE_LIMITS, limits_of, limits_path, measured_of, read_limits, write_limits
from repairai.schema import StateLimits

LATCH = "Is the latch open?"
MEASURED = {LATCH: StateLimits(0.8, 1.5, -0.2, 40), "": StateLimits(0.95, sources=120)}


def test_limits_come_back_by_question_however_it_is_written(tmp_path: Path):
    path = limits_path(str(tmp_path))
    assert path == tmp_path / STATE_LIMITS
    assert read_limits(path) == {}, "nothing was measured yet"
    write_limits(path, MEASURED)
    found = measured_of(str(tmp_path))
    assert limits_of(found, "is the Latch open?") == MEASURED[LATCH]
    assert limits_of(found, "Is the battery removed?") == MEASURED[""]
    assert limits_of({}, LATCH).sure == 1.0, "decides nothing"


def test_what_has_no_folder_has_its_limits_here():
    places = ("http://127.0.0.1:11434", "http://127.0.0.1:11434/#llava", "google/paligemma-3b-pt-224")
    paths = [limits_path(place) for place in places]
    assert len(set(paths)) == 3
    assert all(path.parent.name == "limits" for path in paths)
    assert limits_path(places[0] + "/") == paths[0]
    write_limits(paths[1], MEASURED)
    assert measured_of(places[1])[""] == MEASURED[""]
    assert measured_of(places[0]) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"": {"sure": 0.2}}', '{"": {"certain": 0.9}}'])
def test_damaged_limits_are_said(tmp_path: Path, text: str):
    (tmp_path / STATE_LIMITS).write_text(text)
    with pytest.raises(RepairError):
        measured_of(str(tmp_path))
