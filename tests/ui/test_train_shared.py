"""A page that is reachable from outside cannot train: whoever has its address could use this machine."""

import pytest

from repairai.ui.blocks import build, serve


def names(page) -> set[str]:
    return {each.elem_id for each in page.blocks.values() if getattr(each, "elem_id", None)}


def test_a_shared_page_has_no_trainings():
    own, shared = names(build()), names(build(shared=True))
    assert {"start-run", "runs", "run-resume", "offer-go-on", "data-build"} <= own
    assert not {"start-run", "runs", "run-resume", "offer-go-on", "data-build"} & shared
    assert {"check", "machine", "library"} <= shared


def test_a_page_that_can_train_is_not_shared():
    with pytest.raises(ValueError, match="need a page built with shared=True"):
        serve(build(), 7860, ("name", "password"), share=True)


def test_no_event_of_the_tabs_is_offered_as_an_api():
    events = build().config["dependencies"]
    assert len(events) > 60
    assert [each for each in events if each["api_visibility"] != "private"] == []
