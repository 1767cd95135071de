"""Nouns of repair guides: singular and plural, what sort of part they name, and its name in snake_case."""

from __future__ import annotations

import re

from repairai.sop.grammar import words as table
from repairai.sop.grammar.words import PartKind

_NOT_A_NAME = re.compile(r"[\W_]+")


def is_plural(word: str) -> bool:
    """Tell whether a noun stands in the plural."""
    if word in table.ODD_PLURALS:
        return True
    ends_singular = word.endswith(("ss", "us", "is", "'s")) or word in table.SINGULAR_S
    return len(word) > 2 and word.endswith("s") and not ends_singular


def singular(word: str) -> str:
    """Return a noun in the singular."""
    if not is_plural(word):
        return word
    if word in table.ODD_PLURALS:
        return table.ODD_PLURALS[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses")) else word[:-1]


def kind_of(nouns: list[str]) -> PartKind:
    """Return what sort of part a chain of nouns names."""
    head = singular(nouns[-1])
    if head == "plug" and table.THREADED.intersection(nouns):
        return "other"
    return next((kind for kind, heads in table.KINDS.items() if head in heads), "other")


def part_name(nouns: list[str]) -> str:
    """Return the name of what a chain of nouns names: of ["back", "covers"] back_cover; empty where it is no part.

    Every screw is a screw, every bolt a bolt, and every nut a nut but the lug nut. Sides name a large part; of a
    fastener, a line or a catch they only say which one.
    """
    head = singular(nouns[-1])
    if head in table.SCREWS:
        return "screw"
    if head in ("bolt", "nut"):
        return "lug_nut" if [*nouns[-2:-1], head] == ["lug", "nut"] else head
    modifiers = nouns[:-1]
    if kind_of(nouns) != "other":
        modifiers = [noun for noun in modifiers if noun not in table.KEPT_SIDES]
    name = _NOT_A_NAME.sub("_", "_".join([*modifiers, head])).strip("_")
    last_two = "_".join(name.split("_")[-2:])
    excluded = bool({head, last_two} & table.NOT_PARTS) or name in table.NOT_ALONE
    return name if len(head) > 1 and head[0].isalpha() and not excluded else ""
