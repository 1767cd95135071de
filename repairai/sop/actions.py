"""A step's text -> what it asks to be done with which parts, each with the words it was read from.

The reader is a table of verbs and a handful of rules about where a verb asks. It would rather miss an action than make
one up, and says that the count is not known wherever the text does not give it. Same text, same actions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from repairai.schema import PartAction
from repairai.sop.grammar import verbs
from repairai.sop.grammar import words as table
from repairai.sop.grammar.asking import (
    Governor,
    Status,
    base_status,
    begins_clause,
    gerund_status,
    passive_status,
)
from repairai.sop.grammar.clauses import is_condition, read_moods
from repairai.sop.grammar.lists import is_verb_here, read_phrases
from repairai.sop.grammar.memory import Ask, Memory
from repairai.sop.grammar.objects import Object, choose_action, read_object
from repairai.sop.grammar.phrases import Phrase, read_phrase
from repairai.sop.grammar.quantities import NUMBER_WORDS, read_quantity
from repairai.sop.grammar.tokens import Token, left_of, read_sentences, skip_adverbs, word_at

_REACH = 20
"""Tokens in front of a passive within which its subject stands."""


def read_actions(text: str) -> tuple[PartAction, ...]:
    """Return what a step's text asks, in the order of the text; nothing where it asks nothing.

    Args:
        text: `Step.text`; the spans of the actions are offsets of characters in it.
    """
    memory = Memory()
    header: Ask | None = None
    for sentence in read_sentences(text):
        items = _read_items(sentence, 0, header) if header is not None else []
        memory.hear(sentence)
        memory.add_items(header, items)
        if not items:
            known = len(memory.asks)
            header = _SentenceReader(sentence, memory).read()
            if header is None and len(memory.asks) == known + 1 and memory.asks[-1].phrase.quantity is not None:
                header = memory.asks[-1]
    return tuple(_part_action(ask, text) for ask in memory.settled())


class _SentenceReader:
    """Reads one sentence from left to right and puts what it asks into the memory."""

    def __init__(self, tokens: Sequence[Token], memory: Memory) -> None:
        self.tokens = tokens
        self.memory = memory
        self.moods = read_moods(tokens)
        self.governors: list[Governor] = []
        self.last_object: Phrase | None = None

    def read(self) -> Ask | None:
        """Read on to the end; return the header of a list whose items may come in the next sentence."""
        place, following = 0, None
        while place < len(self.tokens):
            known = len(self.memory.asks)
            place = self._read_at(place)
            if len(self.memory.asks) == known + 1:
                header = self.memory.asks[-1]
                colon = next((p for p in range(place, len(self.tokens)) if self.tokens[p].word == ":"), None)
                items = _read_items(self.tokens, colon + 1, header) if colon is not None else []
                self.memory.add_items(header, items)
                if items:
                    return header
                named = self.tokens[header.phrase.start : header.phrase.end]
                following = header if any(token.word == "following" for token in named) else following
        return following

    def _read_at(self, place: int) -> int:
        """Read the word at a place with what belongs to it; return the place from where to read on."""
        word = self.tokens[place].word
        form = verbs.form_of(word)
        if form is not None and form[1] != "participle":
            return self._read_verb(form[0], form[1] == "base", place)
        if form is not None:
            self._read_passive(form[0], place)
        elif word in ("keep", "leave"):
            self._read_keeping(place)
        elif word == "there":
            phrases, _ = read_phrases(self.tokens, place + 2)
            self.last_object = phrases[-1] if phrases and phrases[-1].part else self.last_object
        elif word in verbs.OTHER_VERBS or word == "using":
            self._note_other(word, place)
        elif self.governors and self._makes_optional(place):
            self.memory.drop(self.governors[-1].acted)
            self.governors[-1].acted = 0
        return place + 1

    def _makes_optional(self, place: int) -> bool:
        """Tell whether what was just asked need not be done: "if needed", "(optional)"."""
        words = [token.word for token in self.tokens[place:]]
        # "Take the lid off if it is worn", but "if you have not yet".
        follows = words[0] == "if" and "," not in words and words[1:2] not in (["you"], ["you've"])
        before = word_at(self.tokens, place - 1)
        optional = words[0] in ("optional", "optionally") or (follows and before not in ("even", "as", "see", "check"))
        return optional or (is_condition(self.tokens, place) and word_at(self.tokens, place + 2) != ",")

    # ---- verbs

    def _read_verb(self, verb: str, is_base: bool, place: int) -> int:
        """Read a verb that acts upon parts; return the place from where to read on."""
        read = base_status if is_base else gerund_status
        status = read(self.tokens, place, self.moods, self.governors)
        if status == "no":
            return place + 1
        object_ = read_object(self.tokens, verb, place)
        phrases = self._meant(object_)
        names = any(phrase.form != "pronoun" for phrase in object_.phrases)
        by = not is_base and word_at(self.tokens, left_of(self.tokens, place)) == "by"
        again = by and any(governor.acted for governor in self.governors)
        if not names and (again or (status == "meanwhile" and not object_.phrases)):
            phrases = []  # "by pulling it off" and "while pulling up" say how
        asks = [ask for phrase in phrases if (ask := self._ask(verb, phrase, object_, place, status)) is not None]
        self.governors.append(Governor(verb, place, status, len(asks)))
        for ask in asks:
            self.memory.add(ask)
        named = phrases or [phrase for phrase in object_.phrases if phrase.form != "pronoun"]
        if not object_.phrases and word_at(self.tokens, object_.end) == "on":
            # "Pull up on the lid to remove it"; but not "on the tab".
            pulled = [phrase for phrase in read_phrases(self.tokens, object_.end + 1)[0] if phrase.part]
            self.last_object = None if pulled else self.last_object
            named = [phrase for phrase in pulled if phrase.kind != "catch" and phrase.part not in table.KEPT_SIDES]
        self.last_object = named[-1] if named else self.last_object
        return max(place + 1, object_.end)

    def _note_other(self, word: str, place: int) -> None:
        """Remember a verb that asks nothing of a part by itself, and what it acts upon."""
        opens = begins_clause(self.tokens, place, self.moods) and (place == 0 or is_verb_here(self.tokens, place))
        if word != "using" and not opens:
            return
        mood = self.moods[place]
        self.governors.append(Governor(word, place, "no" if mood == "told" else mood))
        phrases, _ = read_phrases(self.tokens, place + 1)
        if phrases and phrases[-1].form == "noun" and word not in ("use", "using"):
            self.last_object = phrases[-1]  # what is used is no part

    def _ask(self, verb: str, phrase: Phrase, object_: Object, place: int, status: Status) -> Ask | None:
        """Return what a verb asks of one part; None where it asks nothing, or only says it again."""
        phrase = replace(phrase, kind="other") if self.memory.is_threaded(phrase) else phrase
        action = choose_action(verb, phrase, object_)
        if action is None or (status == "meanwhile" and action not in ("remove", "disconnect")):
            return None
        if status == "forbidden":
            how = {token.word for token in self.tokens[phrase.end : phrase.end + 6]} & table.MANNER
            if how or action not in verbs.KEPT_FROM:
                return None  # "do not pull it out too far"
            action = "keep"
            place = left_of(self.tokens, place)
            place -= word_at(self.tokens, place) == "not"
        if self.memory.has_asked(action, phrase):
            return None
        first = not object_.phrases or phrase.start == object_.phrases[0].start
        start = self.tokens[place if first else phrase.start].start
        return Ask(action, self._counted(phrase), start, self.tokens[phrase.end - 1].end, status == "meanwhile")

    def _read_keeping(self, place: int) -> None:
        """Read "leave the cable connected"."""
        if self.moods[place] != "asked" or not begins_clause(self.tokens, place, self.moods):
            return
        phrases, end = read_phrases(self.tokens, place + 1)
        rest = {token.word for token in self.tokens[end : end + 8]}
        in_place = word_at(self.tokens, end) == "in" and word_at(self.tokens, end + 1) in ("place", "position")
        for phrase in phrases if in_place or rest & table.KEPT else []:
            if phrase.part:
                self.memory.add(Ask("keep", phrase, self.tokens[place].start, self.tokens[phrase.end - 1].end))

    # ---- passives

    def _read_passive(self, verb: str, place: int) -> None:
        """Read "the four screws must be removed"."""
        status, helper = passive_status(self.tokens, place, self.moods[place])
        if status == "no":
            return
        # "Is attached" and "can be opened" only describe.
        describes = word_at(self.tokens, left_of(self.tokens, place)) != "be" or self.tokens[helper].word == "can"
        object_ = read_object(self.tokens, verb, place)
        known = len(self.memory.asks)
        for phrase in self._subjects(helper):
            action = choose_action(verb, phrase, object_)
            if action is None or (describes and action not in ("remove", "disconnect")):
                continue
            if status == "forbidden":
                if action not in verbs.KEPT_FROM:
                    continue
                action = "keep"
            if not self.memory.has_asked(action, phrase):
                start, end = self.tokens[phrase.start].start, self.tokens[place].end
                self.memory.add(Ask(action, self._counted(phrase), start, end))
        self.governors.append(Governor(verb, place, status, len(self.memory.asks) - known))

    def _subjects(self, helper: int) -> list[Phrase]:
        """Return the parts that a passive is about."""
        left, start = left_of(self.tokens, helper), self._clause_of(helper)
        if word_at(self.tokens, left) in ("that", "which") and word_at(self.tokens, start) != "there":
            wrong = {"is": True, "needs": True, "has": True, "are": False, "need": False, "have": False}
            plural = wrong.get(self.tokens[helper].word)
            return [phrase for phrase in self.memory.named_before(left) if phrase.plural != plural][-1:]
        subjects: list[Phrase] = []
        place, behind_verb = start, True
        while place < helper:
            word = self.tokens[place].word
            phrases, end = read_phrases(self.tokens, place, helper)
            behind_verb |= word in table.FINITE
            if not phrases or end > helper or is_verb_here(self.tokens, place):
                place += 1
                continue
            # The first behind the last verb: "once the bolts are loose the wheel must be removed".
            begins = not subjects or word in table.DETERMINERS
            if behind_verb and begins and word_at(self.tokens, place - 1) not in table.PREPOSITIONS:
                subjects, behind_verb = phrases, False
            place = end
        return [named for phrase in subjects if (named := self._named(phrase)) is not None]

    def _clause_of(self, helper: int) -> int:
        """Return where the clause of a helping verb begins; "and must be removed" belongs to the clause before."""
        start, furthest = helper, max(0, helper - _REACH)
        while start > furthest and _only_marks(self.tokens[start - 1 : helper]):
            start -= 1
        while start > furthest and self.tokens[start - 1].word not in table.CLAUSE_MARKS:
            start -= 1
        if word_at(self.tokens, start - 1) in ("and", ",") and not any(map(_may_be_verb, self.tokens[:start])):
            return furthest  # "the nut and the washer must be removed"
        return start

    # ---- what is meant

    def _meant(self, object_: Object) -> list[Phrase]:
        """Return the parts that a verb acts upon, with what a pronoun or a left-out object stands for."""
        phrases, behind = object_.phrases, word_at(self.tokens, object_.end)
        following = skip_adverbs(self.tokens, object_.end + 1)
        if not phrases and behind == "and" and word_at(self.tokens, following) in verbs.OTHER_VERBS:
            phrases = tuple(
                read_phrases(self.tokens, skip_adverbs(self.tokens, following + 1))[0]
            )  # "remove and clean"
        if phrases:
            return [named for phrase in phrases if (named := self._named(phrase)) is not None]
        if self.last_object is None or not self.last_object.part or behind in ("and", "or", "/", "up", "down", "on"):
            return []  # what follows "loosen and" is the object of both
        return [_again(self.last_object, object_.end, object_.end)]

    def _named(self, phrase: Phrase) -> Phrase | None:
        """Return a phrase that names a part: itself, or what it surely stands for."""
        if phrase.form != "pronoun":
            return phrase if phrase.part else None
        named = self.memory.stands_for(phrase, self.last_object)
        return None if named is None else _again(named, phrase.start, phrase.end)

    def _counted(self, phrase: Phrase) -> Phrase:
        """Return a phrase with the count that "the screws" were given just before."""
        if phrase.quantity is None and phrase.article and phrase.plural:
            return replace(phrase, quantity=self.memory.count_of(phrase))
        return phrase


def _read_items(tokens: Sequence[Token], start: int, header: Ask) -> list[Ask]:
    """Return the items of a list, as "Remove the following screws: two 3.0 mm, one 5 mm" has them.

    A sentence with a verb is no list of items.
    """
    if any(token.word in table.FINITE or token.word in verbs.PLAIN_VERBS for token in tokens[start:]):
        return []
    items: list[Ask] = []
    place = start
    while place < len(tokens):
        counted = read_quantity(tokens, place) is not None
        phrase = read_phrase(tokens, place, header.phrase.part) if counted else None
        if phrase is not None and phrase.part == header.phrase.part and (phrase.sizes or not items):
            if header.phrase.quantity is not None:
                # "Two on either side" is two where the header's total says so.
                phrase = replace(phrase, quantity=phrase.quantity or phrase.each)
            items.append(Ask(header.action, phrase, tokens[phrase.start].start, tokens[phrase.end - 1].end))
            place = phrase.end
        elif not items and tokens[place].kind == "word":
            break
        else:
            place += 1
    return items


def _again(phrase: Phrase, start: int, end: int) -> Phrase:
    """Return a phrase as it stands for a pronoun, or for nothing, at another place."""
    return replace(phrase, start=start, end=end, article=phrase.article or "it")


def _may_be_verb(token: Token) -> bool:
    return token.word in table.FINITE | verbs.OTHER_VERBS or verbs.form_of(token.word) is not None


def _only_marks(tokens: Sequence[Token]) -> bool:
    return all(token.word in table.CLAUSE_MARKS or table.is_adverb(token.word) for token in tokens)


_SOME = re.compile(
    rf"\b(?:\d+|some|few|several|half|{'|'.join(NUMBER_WORDS)})\s+of\s+(?:the|these|those|its|your)\b", re.I
)
_REST = re.compile(r"\b(?:remaining|other|rest)\b", re.I)


def _among(words: str) -> Literal["", "some", "rest"]:
    """Return whether the words speak of more parts than they ask for."""
    if _SOME.search(words):
        return "some"
    return "rest" if _REST.search(words) else ""


def _part_action(ask: Ask, text: str) -> PartAction:
    quantity = ask.phrase.quantity
    among = _among(text[ask.start : ask.end])
    size = ", ".join(text[size.start : size.end] for size in ask.phrase.sizes) or None
    span = ask.start, ask.end
    if quantity is None:
        return PartAction(ask.action, ask.phrase.part, None, span, size=size, among=among)
    most = quantity.at_most if quantity.at_most != quantity.at_least else None
    or_more = quantity.at_most is None
    return PartAction(ask.action, ask.phrase.part, quantity.at_least, span, most, size, or_more, among)
