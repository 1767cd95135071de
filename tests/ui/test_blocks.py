"""The page as it is put together."""

from repairai.ui.blocks import build


def test_no_event_of_the_page_is_offered_as_an_api():
    events = build().config["dependencies"]
    assert events
    assert [each["api_name"] for each in events if each["api_visibility"] != "private"] == []


def test_what_is_pressed_in_the_list_of_guides_is_not_looked_for_in_what_the_server_has_of_it():
    page = build()
    (found,) = (each._id for each in page.blocks.values() if getattr(each, "elem_id", None) == "found")
    picked = [each for each in page.config["dependencies"] if (found, "select") in map(tuple, each["targets"])]
    assert picked
    assert all(found not in each["inputs"] for each in page.config["dependencies"])
