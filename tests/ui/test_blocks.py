"""The page as it is put together."""

from repairai.ui.blocks import build


def test_no_event_of_the_page_is_offered_as_an_api():
    events = build().config["dependencies"]
    assert events
    assert [each["api_name"] for each in events if each["api_visibility"] != "private"] == []


def test_a_guide_that_another_search_just_took_off_the_list_can_be_picked():
    found = next(each for each in build().blocks.values() if getattr(each, "elem_id", None) == "found")
    found.choices = []  # as the server has it, while the page still shows what was found before
    assert found.preprocess("sample-practice-block#1") == "sample-practice-block#1"
