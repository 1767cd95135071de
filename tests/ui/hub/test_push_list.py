"""The list of pushes looks again by itself, and moves nothing away from under a hand."""

import re
import shutil

import gradio as gr

from repairai.files import write_record
from repairai.hub.push_folder import ORDER, Order, Standing, mark, pushes_folder, write_standing
from repairai.ui.hub import push_card

UNCHANGED = gr.skip()


def pushed(name: str, made: str = "2026-01-01T00:00:00+00:00", state: str = "failed") -> None:
    """A push as another process has left it."""
    write_record(pushes_folder() / name / ORDER, Order(f"me/{name}", "model", True, "", made, ()))
    write_standing(pushes_folder() / name, Standing(state))


def look(html: str, *held: str, busy: bool = False) -> list:
    """What comes back where the page shows this, and these lie under a hand."""
    shown = re.search('data-mark="([^"]*)"', html)
    return push_card.look_again(
        gr.EventData(None, {"busy": busy, "mark": shown[1] if shown else "", "held": list(held)})
    )


def rows(html: str) -> list[str]:
    return re.findall(r'<section class="push" data-push="([^"]+)"', html)


def test_nothing_is_read_or_sent_until_something_changes(monkeypatch):
    assert look("") == [UNCHANGED, UNCHANGED]
    pushed("first")
    said, html = look("")
    assert (said, rows(html)) == (UNCHANGED, ["first"])
    with monkeypatch.context() as patch:
        patch.setattr(push_card.pushes, "pushes", lambda: 1 / 0)
        assert look(html) == [UNCHANGED, UNCHANGED]
    before = mark()
    write_standing(pushes_folder() / "first", Standing("cancelled"))
    assert mark() != before
    assert 'data-state="cancelled"' in look(html)[1]
    shutil.rmtree(pushes_folder() / "first")
    assert look(html)[1] == ""


def test_a_push_under_a_hand_stays_where_it_is():
    pushed("first")
    html = look("")[1]
    pushed("second", "2026-01-02T00:00:00+00:00")
    under = look(html, "first")[1]
    assert rows(under) == ["first", "second"]
    assert look(under, "first", "second") == [UNCHANGED, UNCHANGED]
    assert rows(look(under)[1]) == ["second", "first"], "the newest is first once the hand is gone"


def test_what_was_said_goes_with_the_last_that_is_under_way():
    pushed("first")
    assert look(push_card.under_way(), busy=True)[0] == ""
    pushed("second", state="starting")
    assert look(push_card.under_way(), busy=True)[0] == UNCHANGED
