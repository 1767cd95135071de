"""iFixit's wiki text and HTML as plain text: links become their words, bold and italics lose their quotes."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

# Kinds of iFixit's link macro: [guide|750|words], [product|IF145-002|words], [link|http://...|words].
_MACRO = re.compile(r"\[(guide|product|link|post|wiki|image|video|embed)\|([^|\]]*)((?:\|[^|\]]*)*)\]", re.IGNORECASE)
_WIKI_LINK = re.compile(r"\[\[([^|\]]+)((?:\|[^|\]]*)*)\]\]")
_WEB_LINK = re.compile(r"\[(https?://[^|\]\s]+)((?:\|[^|\]]*)*)\]")
# Not after a letter: "C++" and a web address with two plus signs stay.
_UNDERLINE = re.compile(r"(?<!\w)\+\+(.+?)\+\+", re.DOTALL)
_RAISED = re.compile(r"\^\^(.+?)\^\^|,,(.+?),,|~~(.+?)~~", re.DOTALL)
_BOLD = re.compile(r"'{3,5}")
# Two quotes after a digit are inches; elsewhere they open or close italics.
_ITALIC = re.compile(r"(?<![\d'])''(?!')|(?<=\d)''(?=[^\s\w.,;:)'])")
_MARKUP = re.compile(r"\[|&|''|\+\+|\^\^|,,|~~")
_INVISIBLE = dict.fromkeys([*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0x200B, 0x200C, 0x2060, 0xFEFF])
_BREAKING = {"br", "p", "li", "ul", "ol", "div", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote"}
_SILENT = {"script", "style", "template", "noscript"}


def wiki_to_plain(text: str) -> str:
    """Return wiki text as one plain line; a tag that a person typed, such as `<b>`, stays as the text it is.

    Source:
        The markup seen in MyFixit's `Text_raw` and in `text_raw` of iFixit's API 2.0.
    """
    if not _MARKUP.search(text):
        return one_line(text)
    text = _WIKI_LINK.sub(_wiki_words, text)
    text = _MACRO.sub(_macro_words, text)
    text = _WEB_LINK.sub(lambda link: _words(link[2]) or link[1], text)
    text = _UNDERLINE.sub(r"\1", text)
    text = _RAISED.sub(lambda found: found[1] or found[2] or found[3], text)
    text = _ITALIC.sub("", _BOLD.sub("", text))
    return one_line(html.unescape(text))


def html_to_plain(text: str) -> str:
    """Return rendered HTML as one plain line: tags and scripts go, their words and entities stay."""
    reader = _Words()
    reader.feed(text)
    reader.close()
    return one_line("".join(reader.pieces))


def storable(text: str) -> str:
    """Return the text without halves of surrogate pairs: JSON and names of files may have them, UTF-8 has not."""
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return the text without control characters and with single spaces."""
    return " ".join(text.translate(_INVISIBLE).split())


def _words(options: str) -> str:
    """Return the words of a link from what follows its target: `|presser foot|new_window=true`."""
    words = [word.strip() for word in options.split("|")]
    return next((word for word in words if word and not re.fullmatch(r"\w+=\S*", word)), "")


def _wiki_words(link: re.Match[str]) -> str:
    page = re.sub(r"^\w+:", "", link[1].split("#")[0]).replace("_", " ").strip()
    return _words(link[2]) or page or link[1]


def _macro_words(link: re.Match[str]) -> str:
    kind, target = link[1].lower(), link[2].strip()
    if kind in ("image", "video", "embed"):
        return ""
    # Many writers put the word before the link ("see the [guide|11677]"): the number alone then says which.
    return _words(link[3]) or (target if kind in ("link", "wiki") else f"{kind} {target}")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag in _BREAKING:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag in _BREAKING:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)
