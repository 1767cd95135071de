"""How the judge speaks."""

import pytest

from repairai.judge import words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.number("screw", 0), "no screws"),
        (words.number("screw_hole", 1), "1 screw hole"),
        (words.number("battery", 2), "2 batteries"),
        (words.number("latch", 2), "2 latches"),
        (words.bounds("screw", 4, 4), "exactly 4 screws"),
        (words.bounds("screw", 0, 0), "no screws"),
        (words.bounds("screw", 0, 3), "at most 3 screws"),
        (words.bounds("screw", 2, None), "at least 2 screws"),
        (words.bounds("screw", 2, 4), "2 to 4 screws"),
        (words.interval("screw", 3, 4), "3 to 4 screws"),
        (words.interval("screw", 3, 3), "3 screws"),
    ],
)
def test_words(said, expected):
    assert said == expected
