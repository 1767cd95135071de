"""MyFixit's lines: where a step's text is cut, and the dirt that its README warns of."""

import pytest

from repairai.errors import RepairError
from repairai.sop.sources.myfixit import cut_like, read_myfixit


@pytest.mark.parametrize(
    ("raw", "lines", "pieces"),
    [
        (
            "Remove the 4 PH1 8mm Philips screws. Lift the (small) screen.",
            ["remove the 4 ph1 8 mm phillips screws .", "lift the ( small ) screen ."],
            ["Remove the 4 PH1 8mm Philips screws.", "Lift the (small) screen."],
        ),
        (
            "Sew the patch. (See photo) Use a #2 driver.",
            ["sew the patch .", "( see photo )", "use a 2 driver ."],
            ["Sew the patch.", "(See photo)", "Use a #2 driver."],
        ),
        (
            "See the guides: [https://x.example/a|How to jack up] Take the wrench.",
            ["see the guides :", "to jack up", "take the wrench ."],
            ["See the guides:", "[https://x.example/a|How to jack up]", "Take the wrench."],
        ),
        ("Only one line.", ["only one line ."], ["Only one line."]),
        ("Nothing alike here.", ["zzz", "qqq"], ["Nothing alike here."]),
        ("Text without lines.", [], ["Text without lines."]),
        ("Text. With blanks.", ["text .", "", "with blanks ."], ["Text.", "With blanks."]),
        ("…", ["…"], ["…"]),
    ],
)
def test_raw_text_is_cut_where_the_lines_begin(raw: str, lines: list[str], pieces: list[str]):
    assert cut_like(raw, lines) == pieces


def test_a_guide_is_read_whole():
    step = {
        "Order": 1,
        "StepId": 37786,
        "Lines": [{"Text": "remove the two screws ."}, {"Text": "lift ."}],
        "Text_raw": "Remove the '''two''' screws. Lift.",
        "Images": ["https://a.example/1", "https://a.example/1", "not an address"],
        "Tools_extracted": ["NA"],
    }
    guide = read_myfixit(
        {
            "Title": "Watch Battery &amp; Seal",
            "Guidid": 10262,
            "Category": "Some Watch",
            "Subject": "Battery",
            "Toolbox": [{"Name": "Spudger"}, {"Name": ["Tweezers", "Pick"]}, {"Name": "NA"}, "Knife"],
            "Url": "https://www.ifixit.com/Guide/Watch/10262",
            "Steps": [{**step, "Order": 2, "Text_raw": "Last.", "Lines": []}, step],
        },
        "line 1",
    )
    assert (guide.id, guide.title, guide.device, guide.subject) == (
        "ifixit-10262",
        "Watch Battery & Seal",
        "Some Watch",
        "Battery",
    )
    assert guide.licence == "CC-BY-NC-SA-3.0"
    assert guide.url == "https://www.ifixit.com/Guide/Watch/10262"
    assert guide.tools == ("Spudger", "Tweezers", "Pick", "Knife")
    first, last = guide.steps
    assert [line.text for line in first.lines] == ["Remove the two screws.", "Lift."]
    assert first.image_urls == ("https://a.example/1",)
    assert (first.tools, first.source_id) == ((), "37786")
    assert (last.number, last.text) == (2, "Last.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Steps": []}, "has no steps"),
        ({"Steps": None}, "has no steps"),
        ({"Title": ""}, "has no title"),
        ({"Guidid": None}, "no guide number"),
        ({"Guidid": "../x"}, "no guide number"),
    ],
)
def test_what_is_missing_is_said(change: dict, words: str):
    data = {"Title": "T", "Guidid": 5, "Category": "D", "Steps": [{"Order": 0, "Text_raw": "Lift.", "Lines": []}]}
    with pytest.raises(RepairError, match=words) as told:
        read_myfixit({**data, **change}, "line 7 of x.json")
    assert "line 7 of x.json" in str(told.value)


def test_a_step_without_words_keeps_its_number():
    steps = [{"Text_raw": "", "Images": ["https://a.example/1"]}, {"Text_raw": "Lift."}, {"Lines": [{"Text": "go ."}]}]
    guide = read_myfixit({"Title": "T", "Guidid": 5, "Steps": steps}, "line 1")
    assert [step.text for step in guide.steps] == ["See the photo.", "Lift.", "go ."]
