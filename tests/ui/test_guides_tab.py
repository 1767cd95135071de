"""The Guides tab without a browser: what it takes in, and what it refuses."""

from pathlib import Path

import pytest

from repairai.sop.guides import import_guides
from repairai.ui.guides_tab import bring, fetch
from repairai.ui.workbench import Workbench

GUIDE = """\
id: own-zebra
title: Zebra lid
device: Zebra recorder
licence: CC0-1.0
steps:
  - number: 1
    lines: [{text: Remove the two screws.}]
"""


def say_nothing(*_told: object, **_more: object) -> None:
    """Stands where the page has its progress bar."""


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    path = tmp_path / "zebra.yaml"
    path.write_text(GUIDE)
    return path


def test_a_file_is_brought_in(guide: Path):
    said, listed = bring(Workbench(), import_guides, [str(guide)], "zebra", say_nothing)
    assert "1 added" in said
    assert [row[0] for row in listed] == ["own-zebra"]


def test_the_search_is_ready_when_guides_have_come_in(guide: Path):
    bench, told = Workbench(), []
    bring(bench, import_guides, [str(guide)], "", lambda *_, desc: told.append(desc))
    assert told[-1] == "making the search ready"
    assert len(list(bench.search.folder.iterdir())) == 1


def test_guides_stay_where_the_search_cannot_be_made_ready(guide: Path):
    bench = Workbench()
    bench.library.folder.mkdir(parents=True)
    bench.search.folder.write_text("in the way")
    said, listed = bring(bench, import_guides, [str(guide)], "zebra", say_nothing)
    assert "1 added" in said
    assert "cannot be written" in said
    assert [row[0] for row in listed] == ["own-zebra"]


@pytest.mark.parametrize("prefix", ["", "file://", " "])
def test_the_address_box_reads_no_file_of_this_machine(guide: Path, prefix: str):
    for path in (guide, guide.parent):
        said, listed = bring(Workbench(), fetch, [f"{prefix}{path}"], "zebra", say_nothing)
        assert "is not a web address; give one that begins with https://." in said
        assert listed == []


def test_the_address_box_asks_nobody_but_ifixit():
    said, _ = bring(Workbench(), fetch, ["http://127.0.0.1:1/Guide/x/1"], "", say_nothing)
    assert "is not the address of an iFixit guide" in said
    assert 'data-outcome="problem"' in said
