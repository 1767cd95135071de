"""What the tabs share: the list that a person picks a guide from."""

import pytest

from repairai.ui.workbench import Workbench


def test_a_guide_is_listed_once_and_leads_to_its_best_step():
    bench = Workbench()
    listed = dict(bench.choices("remove battery connector", None))
    guides = [choice.split("#")[0] for choice in listed.values()]
    assert len(set(guides)) == len(guides) > 1
    (said,) = [said for said, choice in listed.items() if choice.startswith("sample-phone-battery#")]
    assert said.startswith("iPhone 6 battery replacement, step 4: ")
    assert listed[said] == "sample-phone-battery#4"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Bicycle light battery replacement"),
        ("four screw block", "Four-screw practice block"),
        ("robot vacuum battery", "Robot vacuum battery replacement"),
    ],
)
def test_a_device_that_the_title_names_is_not_said_twice(words: str, said: str):
    assert said in [each for each, _ in Workbench().choices(words, None)]
