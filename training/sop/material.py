"""What of a guide may be used to make examples: its steps that say something, in stretches without a gap."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from repairai.schema import Guide
from repairai.sop.prompts import Passage, passages_of
from training.sop.examples import Source
from training.sop.split import normalised

LONGEST_WORDS = 200
"""Of a step that is used: what is longer is an essay, and would be learnt in place of steps."""
Passages = tuple[Passage, ...]
_CITED = re.compile(r"\[\d+\]")
_NO_STEP = re.compile(r"(see the photo|this step has no words|insert wisdom here|(part|step|photos?|picture)s?( \d+)?)")
"""What stands in place of a step's words, normalised: our own readers' words, and iFixit's for a step yet to write."""


@dataclass(frozen=True)
class Material:
    """A guide, and what of it may be used.

    Args:
        guide: The guide.
        origin: Where it was read from.
        stretches: Passages in the order of the guide; none is left out within a stretch.
    """

    guide: Guide
    origin: str
    stretches: tuple[Passages, ...]

    @property
    def source(self) -> Source:
        """Return what goes with each example."""
        return Source(self.guide.url, self.guide.licence, self.guide.author, self.origin)


def material_of(guide: Guide, origin: str, usable: Callable[[Passage], bool]) -> Material:
    """Return a guide with the stretches of its passages that are usable."""
    stretches: list[list[Passage]] = [[]]
    for passage in passages_of(guide):
        if usable(passage):
            stretches[-1].append(passage)
        elif stretches[-1]:
            stretches.append([])
    return Material(guide, origin, tuple(tuple(stretch) for stretch in stretches if stretch))


def why_not(passage: Passage) -> str:
    """Return why a passage says nothing to learn from; empty where it does."""
    text = normalised(passage.text)
    if not text or _NO_STEP.fullmatch(text):
        return "no words"
    if len(passage.text.split()) > LONGEST_WORDS:
        return f"more than {LONGEST_WORDS} words"
    return "looks like a citation" if _CITED.search(passage.text) else ""
