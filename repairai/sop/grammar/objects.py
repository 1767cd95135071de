"""What a verb acts upon: its parts, the particles around them, and the action that they make together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repairai.schema import Action
from repairai.sop.grammar import verbs as table
from repairai.sop.grammar import words
from repairai.sop.grammar.lists import is_verb_here, read_parallel, read_phrases
from repairai.sop.grammar.nouns import singular
from repairai.sop.grammar.phrases import Phrase, read_phrase
from repairai.sop.grammar.quantities import read_quantity
from repairai.sop.grammar.tokens import Token, word_at

_REACH = 14
"""Tokens behind a part within which a particle still belongs to the verb: "lift the blades with their hood out"."""
_NO_NOUNS = words.DETERMINERS | words.STOPS
_ENDING = words.SUBORDINATORS - words.PREPOSED - {"to"} | {"by", "using", "but"}
"""Words that end a verb's clause."""


@dataclass(frozen=True)
class Object:
    """What follows a verb.

    Args:
        phrases: The parts it acts upon; empty where it names none.
        particles: The words that change its meaning: out, off, from.
        leaves: Head noun of what the parts leave ("out of the socket"); empty where it is not said.
        enters: Head noun of what the parts enter ("into the slot"); empty where it is not said.
        end: Place behind the phrases, or behind the verb and its particles where there are none.
    """

    phrases: tuple[Phrase, ...]
    particles: frozenset[str]
    leaves: str
    enters: str
    end: int


def read_object(tokens: Sequence[Token], verb: str, place: int) -> Object:
    """Return what follows the verb at a place.

    Args:
        tokens: A sentence.
        verb: The verb's base.
        place: Where its form stands.
    """
    particles, start = _read_particles(tokens, verb, place + 1)
    phrases, end = read_phrases(tokens, start)
    end = end if phrases else start
    trail = _Trail(tokens, end)
    phrases += read_parallel(tokens, phrases[-1]) if phrases else []
    return Object(tuple(phrases), frozenset(particles | trail.particles), trail.leaves, trail.enters, end)


def choose_action(verb: str, phrase: Phrase, object_: Object) -> Action | None:
    """Return what a verb does to a part; None where it does nothing that a photo is judged by."""
    if verb == "shut" and object_.particles & {"off", "down"}:
        return None  # "shut the device off" switches it
    for sense in table.VERBS[verb]:
        fits = not sense.particles or bool(sense.particles & object_.particles)
        if fits and (not sense.kinds or phrase.kind in sense.kinds):
            if sense.action == "install" and (
                object_.enters in words.CRACKS or (verb in table.LAYING and not _is_seat(object_))
            ):
                return None
            moved = sense.action == "disconnect" and phrase.kind == "line" and verb in table.MOVING
            hose = phrase.part.rsplit("_", 1)[-1] in words.HOSES
            return "remove" if moved and not hose and object_.leaves in words.GUIDES else sense.action
    return None


def _read_particles(tokens: Sequence[Token], verb: str, start: int) -> tuple[set[str], int]:
    """Return the particles in front of a part, with the place behind them."""
    wanted = {particle for sense in table.VERBS[verb] for particle in sense.particles}
    particles: set[str] = set()
    while start < len(tokens):
        word = "off" if tokens[start].word == "of" else tokens[start].word  # "pull of the lid" is a slip
        particle = word in table.PARTICLES and word not in ("from", "into", "inside", "onto", "over")
        if particle and not _is_side(tokens, start) and read_quantity(tokens, start) is None:
            acts_upon = word == "on" and "up" in particles and verb in ("pry", "prise")  # "pry up on the connector"
            if word in ("in", "on") and word not in wanted and not acts_upon:
                break  # "pull up on the connector" has no object of its own
            particles |= set() if acts_upon else {word}
        elif not words.is_adverb(word):
            break
        start += 1
    return particles, start


def _is_seat(object_: Object) -> bool:
    """Tell whether something laid down goes to its place in the device, not into a bowl."""
    if "back" in object_.particles:
        return True
    if object_.particles & {"in", "into", "inside"}:
        return object_.enters not in table.CONTAINERS
    return object_.enters in table.SEATS


def _is_side(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether "back" begins a part's name: "remove back cover", "slide out back bin"."""
    if tokens[place].word != "back" or place + 1 == len(tokens):
        return False
    behind = tokens[place + 1]
    return behind.kind == "word" and behind.word not in _NO_NOUNS and not words.is_adverb(behind.word)


class _Trail:
    """Reads on behind a part, to the end of its clause, for particles and for what the part leaves or enters."""

    def __init__(self, tokens: Sequence[Token], start: int) -> None:
        self.tokens = tokens
        self.particles: set[str] = set()
        self.leaves = ""
        self.enters = ""
        aside = False
        for place in range(start, min(len(tokens), start + _REACH)):
            # What stands in brackets is not part of the way.
            aside = tokens[place].word == "(" or (aside and tokens[place - 1].word != ")")
            if aside:
                continue
            if self._ends(place):
                break
            if tokens[place].word in table.PARTICLES and tokens[place - 1].word not in words.ARTICLES | {"it's"}:
                self._read(place)

    def _ends(self, place: int) -> bool:
        token, following = self.tokens[place], word_at(self.tokens, place + 1)
        if token.word in ("and", "or"):
            return following not in table.PARTICLES
        if (token.kind == "mark" and token.word not in ("-", "'", '"')) or token.word in _ENDING:
            return True
        return token.word == "to" and bool(following) and is_verb_here(self.tokens, place + 1)

    def _read(self, place: int) -> None:
        word = self.tokens[place].word
        after = [token.word for token in self.tokens[place + 1 : place + 4]]
        if self._is_no_particle(place, word, after):
            return
        start = place + 1
        while word_at(self.tokens, start) in ("of", "from"):
            start += 1
        goal = read_phrase(self.tokens, start)
        head = "" if goal is None else singular(self.tokens[goal.end - 1].word)
        if word == "from" and table.DIRECTIONS & {head, *after[:1]}:
            return
        self.particles.add(word)
        if word in ("out", "off", "from", "away"):
            self.leaves = self.leaves or head
        elif word in ("in", "into", "inside", "on", "onto", "over"):
            self.enters = self.enters or head

    def _is_no_particle(self, place: int, word: str, after: list[str]) -> bool:
        """Tell whether a word only looks like one: "out of the way", "back from the wall", "on back", "in order"."""
        before = self.tokens[place - 1].word
        around = {token.word for token in self.tokens[max(0, place - 2) : place]} | set(after[:2])
        halfway = bool(around & table.NOT_QUITE) or after == ["of", "the", "way"]
        pulled_back = word == "from" and before in ("back", "forward")
        lies_on = word == "back" and before in ("on", "onto", "at", "to")
        return halfway or pulled_back or lies_on or (word == "in" and after[:1] == ["order"])
