"""Licences by the Hub's names, and which of several goes on with what was made from them."""

import pytest

from repairai.hub.licences import hub_licence, passed_on


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("CC BY-NC-SA 3.0", "cc-by-nc-sa-3.0"),
        ("CC-BY-NC-SA-3.0", "cc-by-nc-sa-3.0"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported", "cc-by-nc-sa-3.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc-by-4", "cc-by-4.0"),
        ("CC0-1.0", "cc0-1.0"),
        ("CC0", "cc0-1.0"),
        ("Apache-2.0", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("Apache 2.0", "apache-2.0"),
        ("MIT License", "mit"),
        ("llama3.1", "llama3.1"),
        ("my own words", ""),
        ("", ""),
    ],
)
def test_a_licence_is_known_however_it_is_written(written: str, name: str):
    assert hub_licence(written) == name


@pytest.mark.parametrize(
    ("said", "goes_on", "called"),
    [
        (["CC0-1.0", "CC BY-NC-SA 3.0", "Apache-2.0"], "cc-by-nc-sa-3.0", ""),
        (["CC BY-NC-SA 3.0", ""], "cc-by-nc-sa-3.0", ""),
        (["CC BY-NC-SA 3.0", "CC BY-SA 4.0"], "other", "cc-by-nc-sa-3.0-and-cc-by-sa-4.0"),
        (["CC0-1.0"], "cc0-1.0", ""),
        (["CC0-1.0", "Apache-2.0"], "apache-2.0", ""),
        (["CC BY 4.0", "Apache-2.0", "CC0-1.0"], "cc-by-4.0", ""),
        (["Apache-2.0", ""], "unknown", ""),
        (["Ask Max"], "other", "ask-max"),
        (["CC BY-NC-SA 3.0", "Ask Max"], "other", "cc-by-nc-sa-3.0-and-ask-max"),
        ([], "unknown", ""),
    ],
)
def test_what_binds_goes_on(said: list[str], goes_on: str, called: str):
    passed = passed_on(said)
    assert (passed.id, passed.name) == (goes_on, called)


def test_what_it_asks_is_said():
    asks = passed_on(["CC BY-NC-SA 3.0"]).asks
    assert asks == (
        "name the authors, as `sources.json` does", "no commercial use", "pass it on under cc-by-nc-sa-3.0 alone",
    )  # fmt: skip
    assert passed_on(["CC0-1.0"]).asks == ()
