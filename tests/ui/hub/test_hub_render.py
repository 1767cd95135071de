"""What the Hub tab shows: nothing that comes from the Hub becomes live, and sizes are said as people say them."""

from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hub.account import Account
from repairai.hub.listing import Listed
from repairai.hub.pull import PullPlan
from repairai.hub.pulled import Pulled as Came
from repairai.runs.pulled_use import Active, Fetched, Use
from repairai.ui.hub import fetched_render, hub_render, pull_render
from repairai.ui.hub.fetched_render import Row
from repairai.ui.hub.pulling import Pulled
from repairai.ui.hub.spoken import spoken

HOSTILE = "<img src=x onerror=\"alert('in')\">"
ME = Account("me", "Max", True, ("workshop",), "stored")
PLAN = PullPlan(
    "maker/eyes", "model", "0123456789abcdef", "detector", (("model.safetensors", 3 * 2**20), (HOSTILE, 12)),
    (("a.bin", HOSTILE),), 3 * 2**20 + 12, HOSTILE,
)  # fmt: skip
NOW = Active("agent", "answer", HOSTILE, "back")
FOUND = Fetched(HOSTILE, "model", Path("x"), Came(HOSTILE, "model", "0", "agent", HOSTILE, "2026", (), HOSTILE))
ROW = Row(FOUND, 2**31, Use((), (NOW,), (HOSTILE,), (HOSTILE,), (HOSTILE,)))


@pytest.mark.parametrize(
    ("n_bytes", "said"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (2048, "2.0 KiB"), (5 * 2**20, "5.0 MiB"), (2**31, "2.00 GiB")],
)  # fmt: skip
def test_sizes_are_said_in_the_unit_that_suits_them(n_bytes: int, said: str):
    assert hub_render.size(n_bytes) == said


def test_who_is_logged_in_is_said_with_what_they_may():
    told = hub_render.who(ME)
    assert "me (Max)" in told
    assert "may write" in told
    assert "workshop" in told
    reads = hub_render.who(Account("me", "me", False, (), "stored"))
    assert "may only read" in reads
    assert "log in with another token" in reads
    assert "only whoever set it there" in hub_render.who(Account("me", "", True, (), "environment"))
    assert 'data-who=""' in hub_render.who(None)


def test_offline_is_calm():
    told = hub_render.offline("the Hub at huggingface.co cannot be reached")
    assert "The Hub at huggingface.co cannot be reached." in told
    assert "Everything on this machine works without it." in told
    assert "problem" not in told


def test_nothing_of_the_hub_becomes_live():
    listed = Listed(HOSTILE, "model", True, "2026-01-01T00:00:00", 12, (HOSTILE, "repairai-detector"), "javascript:x()")
    told = [
        hub_render.there([listed], ""), hub_render.who(Account(HOSTILE, HOSTILE, False, (HOSTILE,), "stored")),
        hub_render.offline(HOSTILE), hub_render.card(HOSTILE), hub_render.going(HOSTILE, 1, 2), pull_render.plan(PLAN),
        pull_render.progress(Pulled(PLAN, 5, HOSTILE)), pull_render.ended(Pulled(PLAN, cancelled=True, ended=True)),
        fetched_render.listed([ROW], ROW), fetched_render.listed([ROW]),
        fetched_render.listed([replace(ROW, found=replace(FOUND, about=None))]),
        fetched_render.freed(HOSTILE, 1, (HOSTILE,), HOSTILE), fetched_render.instead([NOW]),
    ]  # fmt: skip
    for each in told:
        assert "<img" not in each
        assert "javascript:" not in each


def test_the_list_says_what_is_what():
    told = hub_render.there(
        [Listed("me/eyes", "model", True, "2026-01-01T00:00:00", 1200, ("repairai-detector",), "https://hub/me/eyes")],
        "",
    )
    for said in (
        "detector · changed 2026-01-01 · 1,200 downloads",
        "private",
        'data-look="me/eyes"',
        "https://hub/me/eyes",
    ):
        assert said in told
    assert "data-look" not in hub_render.there([Listed("me/s", "space", True, "", 0, (), "https://hub/s")], "")
    assert "nothing there" in hub_render.there([], "nothing there")


def test_a_plan_tells_files_and_what_stays():
    told = pull_render.plan(PLAN)
    assert "2 files, 3.0 MiB" in told
    assert "1 file left where it is" in told
    assert "a detector that inspects" in told
    assert "0123456789ab" in told
    assert "its licence is not said" in pull_render.plan(PullPlan("a/b", "model", "0", "agent", (), (), 0, ""))


def test_a_terminals_way_is_said_as_the_pages():
    error = RepairError("nobody is logged in to the Hub here", "log in with `python -m repairai hub login`")
    assert spoken(error) == "nobody is logged in to the Hub here; log in above."


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (Use(), "not in use"), (Use(active=(NOW,)), "answers now"), (Use(beneath=(NOW,)), "answers with it now"),
        (Use(needed=("lamps",)), "lamps needs it"),
        (Use(adapters=("a", "b", "c", "d")), "a, b, c and 1 more stand on it"),
    ],
)  # fmt: skip
def test_of_what_was_fetched_it_is_said_who_needs_it(use: Use, said: str):
    told = fetched_render.listed([replace(ROW, use=use)])
    assert said in told
    assert ("Let another one answer" in told) == bool(use.active or use.beneath)
    assert "2.00 GiB" in told
    assert fetched_render.listed([]) == ""
