"""What the cards of models and of data sets share: their head, tables, and what the licences ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from huggingface_hub import CardData

from repairai.hub.licences import UNKNOWN, Passed

MOST_ORIGINS = 40
"""Sources that a card lists; `sources.json` has all of them."""
_MEANS = re.compile(r"([\\`*_\[\]<>!#~])")
_ADDRESS = re.compile(r"https?://[^\s<>()\[\]|\"'`\\]+")


@dataclass(frozen=True)
class Origin:
    """Where something that was learned from came from.

    Args:
        name: Of a dataset, a guide or a folder.
        licence: As its source writes it; empty where nobody said.
        url: Where it can be found; empty for a person's own.
        amount: How much of it: "120 photos".
        author: Empty where the source gives none.
    """

    name: str
    licence: str = ""
    url: str = ""
    amount: str = ""
    author: str = ""


def head(data: CardData) -> str:
    """Return a card's head as the Hub reads it."""
    return f"---\n{data.to_yaml(line_break=chr(10))}\n---"


def plain(text: str) -> str:
    """Return text from outside on one line, in which nothing is Markdown."""
    return _MEANS.sub(r"\\\1", " ".join(text.split()))


def cell(text: str) -> str:
    """Return text from outside for a cell of a table or a heading."""
    return plain(text.replace("|", "/"))


def address(url: str) -> str:
    """Return an address as a link, or as plain text where it is none."""
    return f"<{url}>" if _ADDRESS.fullmatch(url) else cell(url)


def fenced(language: str, code: str) -> str:
    """Return code that a reader can copy, whatever stands in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
    return f"{fence}{language}\n{code}\n{fence}"


def table(names: Sequence[str], rows: Sequence[Sequence[str]], sides: str) -> str:
    """Return a table whose cells come from outside.

    Args:
        names: Of the columns.
        rows: Of cells.
        sides: For each column `l` or `r`, where its text stands.
    """
    marks = " | ".join("---:" if side == "r" else "---" for side in sides)
    lines = [f"| {' | '.join(names)} |", f"| {marks} |"]
    lines += [f"| {' | '.join(cell(each) for each in row)} |" for row in rows]
    return "\n".join(lines)


def origins_table(origins: Sequence[Origin]) -> str:
    """Return where things came from, with licence, author and address; the first forty of them."""
    if not origins:
        return ""
    lines = ["| from | how much | licence | author | where |", "| --- | ---: | --- | --- | --- |"]
    lines += [
        f"| {cell(each.name)} | {cell(each.amount)} | {cell(each.licence) or 'not said'} | {cell(each.author)} "
        f"| {address(each.url)} |"
        for each in origins[:MOST_ORIGINS]
    ]
    more = len(origins) - MOST_ORIGINS
    told = "\n".join(lines)
    return f"{told}\n\nand {more:,} more: `sources.json` names them all." if more > 0 else told


def licence_section(passed: Passed, origins: Sequence[Origin], terms: Sequence[str], base: str) -> str:
    """Return what the licences ask of whoever uses this or passes it on.

    Args:
        passed: The licence that goes on with it.
        origins: What it was made from.
        terms: What those who hold the texts say.
        base: A sentence on the base model; empty where there is none.
    """
    said = sorted({each.licence for each in origins if each.licence})
    sentences = [f"What it was made from is under {', '.join(map(cell, said))}." if said else ""]
    name = passed.name or passed.id
    if passed.id != UNKNOWN:
        asks = f": {'; '.join(passed.asks)}" if passed.asks else ""
        sentences.append(f"So it goes on under **{cell(name)}**{asks}.")
    if any(not each.licence for each in origins):
        sentences.append("Of a part of it nobody said a licence: find that out before you pass it on.")
    sentences += [base, *(plain(each) for each in terms)]
    return "## Licence\n\n" + " ".join(filter(None, sentences))
