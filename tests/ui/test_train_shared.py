"""A page that is reachable from outside cannot train: whoever has its address could use this machine."""

import socket

import pytest

from repairai.errors import RepairError
from repairai.ui.blocks import GUEST_TABS, build, serve


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def names(page) -> set[str]:
    return {each.elem_id for each in page.blocks.values() if getattr(each, "elem_id", None)}


def tabs(page) -> set[str]:
    return {each.id for each in page.blocks.values() if each.get_block_name() == "tabitem"}


OWN = {
    "start-run", "runs", "run-resume", "offer-go-on", "data-build", "plan", "make-recipe", "inspect-detector",
    "inspect-masks", "ask-address",
}  # fmt: skip
"""Of what trains, plans, or opens what somebody names."""


def test_a_shared_page_has_no_trainings():
    own, shared = build(), build(shared=True)
    assert names(own) >= OWN
    assert not OWN & names(shared)
    assert {"check", "ask", "library", "records"} <= names(shared)
    assert tabs(shared) == GUEST_TABS < tabs(own)


def test_nothing_that_a_shared_page_takes_names_a_model_or_an_address():
    """What is not on the page cannot be sent to it by hand either: no event takes it."""
    page = build(shared=True)
    taken = [block.elem_id for event in page.fns.values() for block in event.inputs if block.elem_id]
    assert "wanted" in taken
    assert not OWN & set(taken)


def test_a_page_that_can_train_is_not_shared():
    with pytest.raises(ValueError, match="need a page built with shared=True"):
        serve(build(), 7860, ("name", "password"), share=True)


def test_a_page_without_a_password_is_not_shared():
    with pytest.raises(ValueError, match="need auth where share is set"):
        serve(build(shared=True), 7860, share=True)


def test_a_tunnel_that_cannot_be_had_is_told(monkeypatch):
    def none(*given, **named):
        raise RuntimeError("Could not get share link from Gradio API Server.")

    monkeypatch.setattr("gradio.networking.setup_tunnel", none)
    with pytest.raises(RepairError, match="Gradio's tunnel cannot be had"):
        serve(build(shared=True), free_port(), ("name", "password"), share=True, block=False)


def test_no_event_of_the_tabs_is_offered_as_an_api():
    events = build().config["dependencies"]
    assert len(events) > 60
    assert [each for each in events if each["api_visibility"] != "private"] == []
