"""The page as it is put together."""

from repairai.ui.blocks import build


def test_no_event_of_the_page_is_offered_as_an_api():
    events = build().config["dependencies"]
    assert events
    assert [each["api_name"] for each in events if each["api_visibility"] != "private"] == []
