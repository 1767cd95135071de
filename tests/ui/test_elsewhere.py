"""The fold of the start card that speaks of the Hub: prices are asked for, and nothing is paid without a yes."""

from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hardware.recipe import Job, Recipe, read_recipe
from repairai.hardware.workload import Workload
from repairai.ui.elsewhere import HERE, JOBS, _priced, settled, words
from tests.hub_server.server import HubServer

RECIPE = Recipe("sop", Workload("ada/tiny", "lora"), 1.0, 1e-4)


def test_what_is_left_as_it_is_changes_nothing():
    assert settled(RECIPE, " ", HERE, None, None, False) == RECIPE
    assert words("", HERE, None, None) == []


def test_nothing_is_paid_without_a_yes():
    with pytest.raises(RepairError, match="costs money, and nobody said yes"):
        settled(RECIPE, "", JOBS, "l4x1", 2.0, False)
    paid = settled(RECIPE, "ada/mine", JOBS, "l4x1", 2.0, True)
    assert (paid.where, paid.job, paid.push) == (JOBS, Job("l4x1", 2.0), "ada/mine")
    with pytest.raises(RepairError, match="timeout_hours from 0.1 to 168"):
        settled(RECIPE, "", JOBS, "l4x1", 1000.0, True)
    with pytest.raises(RepairError, match="nobody said yes"):  # the recipe itself may say it, too
        settled(paid, "", HERE, None, None, False)


def test_the_same_on_the_command_line():
    said = words(" ada/mine ", JOBS, None, None)
    assert said == ["--push", "ada/mine", "--where", JOBS, "--flavor", "l4x1", "--timeout-hours", "4"]


def test_the_price_is_that_of_the_hub(hub: HubServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_TOKEN", hub.add_user("ada"))
    flavor, hours, said, pay = _priced(JOBS, None, 3)
    assert ("L4X1, 1 x L4, 24 GB: 0.80 $/h", "l4x1") in flavor.choices
    assert flavor.value == "l4x1"
    assert "ada pays 2.40 dollars at most" in said
    assert (hours.visible, pay.visible, pay.value) == (True, True, False)
    assert [each.visible for each in _priced(HERE, "l4x1", 3)[:2]] == [False, False]
    monkeypatch.delenv("HF_TOKEN")
    *_, said, pay = _priced(JOBS, None, 3)
    assert "nobody is logged in" in said
    assert not pay.visible


def test_a_price_that_is_not_to_be_had_is_one_sentence(hub: HubServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_TOKEN", hub.add_user("ada"))
    with hub.away():
        *_, said, pay = _priced(JOBS, None, 3)
    assert "cannot be reached" in said
    assert not pay.visible


def test_a_recipe_on_disk_keeps_it(tmp_path: Path):
    from repairai.hardware.recipe import saved

    paid = settled(RECIPE, "ada/mine", JOBS, "t4-small", 0.5, True)
    saved(tmp_path / "paid.yaml", paid)
    assert read_recipe(tmp_path / "paid.yaml") == paid
