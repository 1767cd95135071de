"""Questions that the steps shown do not answer: what the agent has to say "I have no guide for that" to.

As hard as what `ask` may put before it: steps of another model of the same kind and part, or of another part of the
same device, besides those of any other device, and none at all. What is shown never holds a step of the guide that is
asked for, and nothing of the part where the device is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Literal

from repairai.schema import Guide
from repairai.sop.grammar.asking_words import SYNONYMS
from training.sop.answer_words import stem, stems
from training.sop.material import Material, Passages
from training.sop.questions import how_to, which_tools
from training.sop.split import normalised

Kind = Literal["same device", "like device", "any device", "nothing"]
KINDS: dict[Kind, int] = {"same device": 2, "like device": 3, "any device": 4, "nothing": 1}
"""What is shown -> how often; where a guide has no other that is so near, the next one."""
TWO_GUIDES = 0.2
"""Share of the questions that are shown steps of two guides."""
MOST_STEPS = 6
"""Of one guide, as `ask` shows them."""
_ABOUT_TOOLS = 0.2
"""Share of the questions that ask for tools."""
_TRIES = 6
_SAYS_NOTHING = stems(
    "replace replacement replacing remove removal removing repair repairing install installation change changing clean "
    "cleaning disassemble disassembly disassembling teardown take apart fix fixing guide part parts assembly step steps"
)
"""Of a title: what is done, which fits any part."""


class Refusals:
    """Makes questions that the steps beside them do not answer, of the guides of one side of the split.

    Args:
        materials: All guides of the side.
        fits: Whether passages fit in a prompt.
    """

    def __init__(self, materials: Sequence[Material], fits: Callable[[Passages], bool]) -> None:
        self._materials = materials
        self._fits = fits
        self._of_device: dict[str, list[Material]] = {}
        self._of_subject: dict[str, list[Material]] = {}
        self._of_word: dict[str, list[Material]] = {}
        for material in materials:
            self._of_device.setdefault(normalised(material.guide.device), []).append(material)
            self._of_subject.setdefault(normalised(material.guide.subject), []).append(material)
            for word in _words(material.guide.device):
                self._of_word.setdefault(word, []).append(material)

    def question(self, material: Material, rng: Random) -> tuple[str, Passages]:
        """Return a question about a guide, and steps that do not answer it."""
        asked = which_tools if rng.random() < _ABOUT_TOOLS else how_to
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        shown = self._shown(material, kind, (), rng)
        if shown and rng.random() < TWO_GUIDES:
            shown = self._shown(material, rng.choice(("like device", "any device")), shown, rng) or shown
        return asked(material.guide, rng), shown

    def _shown(self, material: Material, kind: Kind, before: Passages, rng: Random) -> Passages:
        """Return the passages before with a stretch of another guide behind; none where nothing is found."""
        for near in list(KINDS)[list(KINDS).index(kind) :]:
            others = self._others(material, near)
            for other in rng.sample(others, min(_TRIES, len(others))):
                stretch = rng.choice(other.stretches)
                # `ask` shows a guide from its first step on, or a window from further on.
                start = rng.choice((0, rng.randrange(len(stretch))))
                found = (*before, *stretch[start : start + rng.randint(1, MOST_STEPS)])
                while len(found) > len(before) and not self._fits(found):
                    found = found[:-1]
                new = found[len(before) :]
                if new and other.guide.id not in {each.guide_id for each in before} and answers_not(material, new):
                    return found
        return ()

    def _others(self, material: Material, kind: Kind) -> Sequence[Material]:
        guide, device = material.guide, normalised(material.guide.device)
        if kind == "nothing":
            return ()
        if kind == "same device":
            return [each for each in self._of_device[device] if each is not material]
        if kind == "any device":
            return self._materials
        subject = normalised(guide.subject)
        part = {each.guide.id: each for each in self._of_subject[subject]} if subject else {}
        # Of the words of a name the rarest tells most of what kind it is: "Roomba", and not "Black".
        names = sorted((self._of_word[word] for word in _words(guide.device)), key=len)
        kin = {each.guide.id: each for name in names for each in name if len(name) < len(self._materials) / 4}
        both = [each for name, each in part.items() if name in kin]
        found = both or [*part.values(), *kin.values()]
        return [each for each in found if normalised(each.guide.device) != device]


def answers_not(material: Material, shown: Passages) -> bool:
    """Return whether passages surely do not answer questions about a guide.

    They hold no step of it and are of no guide of its name. Of another device, that is enough, where neither name may
    stand for the other ("Refrigerator", "GE Refrigerator"); of the same device, nothing that the guide is about may be
    named in them.
    """
    guide = material.guide
    told = {normalised(passage.text) for stretch in material.stretches for passage in stretch}
    if any(normalised(passage.text) in told or _same(passage.title, guide.title) for passage in shown):
        return False
    device = _words(guide.device)
    about = _about(guide)
    for passage in shown:
        other = _words(passage.device)
        if (device <= other or other <= device) and not (
            about and about.isdisjoint(_with_synonyms(stems(f"{passage.title} {passage.text}")))
        ):
            return False
    return True


def _about(guide: Guide) -> frozenset[str]:
    """Return the stems of what a guide is about, beside its device and what is done."""
    return stems(f"{guide.title} {guide.subject}") - stems(guide.device) - _SAYS_NOTHING


def _same(title: str, other: str) -> bool:
    return normalised(title) == normalised(other)


def _words(device: str) -> frozenset[str]:
    return frozenset(normalised(device).split())


def _with_synonyms(words: frozenset[str]) -> frozenset[str]:
    return words.union(*(_synonyms().get(word, ()) for word in words))


@cache
def _synonyms() -> dict[str, frozenset[str]]:
    """Return each stem with those that may be said for it: a screen is a display."""
    groups = [frozenset(stem(word) for word in line.split()) for line in SYNONYMS]
    return {
        word: frozenset().union(*(group for group in groups if word in group)) for group in groups for word in group
    }
