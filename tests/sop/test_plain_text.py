"""Wiki text and HTML become plain text; what a person typed stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from repairai.sop.sources.plain_text import html_to_plain, wiki_to_plain


@pytest.mark.parametrize(
    ("wiki", "plain"),
    [
        ("align the [[Sewing Glossary#Section_Presser_Foot|presser foot]] with", "align the presser foot with"),
        ("learn [[Topic:Soldering|how to solder]]", "learn how to solder"),
        ("see [[Topic:Soldering]]", "see Soldering"),
        ("read [[2009_Subaru_Troubleshooting]]", "read 2009 Subaru Troubleshooting"),
        ("[guide|19463|load it] and go", "load it and go"),
        ("repeat [guide|16022|step 9|stepid=50175] here", "repeat step 9 here"),
        ("see the [guide|11677].", "see the guide 11677."),
        ("a [product|IF145-005|Phillips #0 Screwdriver], turn", "a Phillips #0 Screwdriver, turn"),
        ("a [link|http://en.wikipedia.org/wiki/ISO_7736|double-DIN] frame", "a double-DIN frame"),
        ("our [https://www.ifixit.com/Guide/x/11677|iOpener guide|new_window=true].", "our iOpener guide."),
        ("see [https://www.ifixit.com/Guide/x/750] now", "see https://www.ifixit.com/Guide/x/750 now"),
        ("'''NOTE''' do ''and'' go, '''''++not ++'''''cut", "NOTE do and go, not cut"),
        ("a 5'' screw and a 3'' one", "a 5'' screw and a 3'' one"),
        ("bend to 90^^o^^ angles", "bend to 90o angles"),
        ("C++ and Bakery++II stay", "C++ and Bakery++II stay"),
        ('from a "[" shape to a [stock] horn', 'from a "[" shape to a [stock] horn'),
        ("older (>5 years), press <b> &amp; &lt;Enter&gt;&nbsp;twice", "older (>5 years), press <b> & <Enter> twice"),
        ("two\r\n\tlines\u200b and a \x00 null", "two lines and a null"),
        ("don't, it's 2\" wide", "don't, it's 2\" wide"),
    ],
)
def test_wiki_text_becomes_plain(wiki: str, plain: str):
    assert wiki_to_plain(wiki) == plain


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("<p>Use <a href='x'>this &amp; that</a>.<br/>Now</p>", "Use this & that. Now"),
        ("press <em>&lt;b&gt;</em>", "press <b>"),
        ("<script>alert(1)</script><b>bold</b>ly", "boldly"),
        ("<ul><li>one</li><li>two</li></ul>", "one two"),
        ("a < b, &#39;c&#39;", "a < b, 'c'"),
        ("no tags", "no tags"),
    ],
)
def test_html_becomes_plain(markup: str, plain: str):
    assert html_to_plain(markup) == plain


@given(some.text(alphabet="[]|'+^,~&;<>#ab0 \n", max_size=80))
def test_any_markup_ends_as_one_line(text: str):
    for plain in (wiki_to_plain(text), html_to_plain(text)):
        assert plain == " ".join(plain.split())
