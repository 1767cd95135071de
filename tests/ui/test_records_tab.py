"""The Records tab says what to do, and what its list lacks."""

import sqlite3
from pathlib import Path

from repairai.ui.records_tab import hint, rows
from repairai.ui.workbench import Workbench
from tests.ui.test_render import inspection


def test_the_hint_says_what_is_there_and_what_cannot_be_read(home: Path):
    bench = Workbench()
    assert "No inspections are kept yet" in hint(bench)
    first, second = bench.records.keep(inspection()), bench.records.keep(inspection())
    assert hint(bench) == '<p class="fine">Choose a row to see its verdict.</p>'
    with sqlite3.connect(home / "records.sqlite") as database:
        database.execute("UPDATE inspections SET record = '{}' WHERE id = ?", (first.id,))
    assert f"cannot be read: {first.id}." in hint(bench)
    assert [row[0] for row in rows(bench)] == [str(second.id)]
