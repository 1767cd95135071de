"""Whether a verb asks, forbids or only tells, from the words in front of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from repairai.sop.grammar import words as table
from repairai.sop.grammar.clauses import Mood
from repairai.sop.grammar.lists import acts_upon
from repairai.sop.grammar.tokens import Token, left_of, word_at
from repairai.sop.grammar.verbs import MOVEMENTS, NOUN_VERBS, form_of
from repairai.sop.grammar.words import is_adverb

Status = Literal["asked", "forbidden", "meanwhile", "no"]
_ENDS_OF_CLAUSE = table.STOPS | {"", ".", ",", ";", ")", "("}


@dataclass
class Governor:
    """A verb read earlier in the sentence.

    Args:
        word: Its base.
        place: Where it stands.
        status: Whether it asked.
        acted: How many actions it gave; behind a verb with actions "to remove" is only a purpose.
    """

    word: str
    place: int
    status: Status
    acted: int = 0


def base_status(tokens: Sequence[Token], place: int, moods: Sequence[Mood], governors: Sequence[Governor]) -> Status:
    """Return whether a verb in its base form asks: "remove", "must remove", "to remove", "do not remove"."""
    left = left_of(tokens, place)
    word, mood = word_at(tokens, left), moods[place]
    if mood == "told":
        return "no"
    if word in ("don't", "dont", "never", "mustn't", "shouldn't"):
        return "forbidden"
    if word.endswith("n't"):
        return "no"  # "I didn't remove"
    if word == "not":
        return "forbidden" if word_at(tokens, left - 1) in table.FORBIDDING else "no"
    if word == "to":
        return _status_behind_to(tokens, left, governors)
    if word in ("and", "or", "/") and governors and governors[-1].place == left_of(tokens, left):
        return governors[-1].status  # "loosen and remove" share what asks
    if word == "or":
        return "forbidden" if governors and governors[-1].status == "forbidden" else "no"
    if begins_clause(tokens, place, moods):
        return mood
    # "Using the tool pry the lid off"
    tool = tokens[0].word in ("using", "with") or (bool(governors) and governors[-1].word == "use")
    opens = tool and acts_upon(tokens, place) and word not in table.STOPS
    noun = tokens[place].word in NOUN_VERBS and not opens
    silent = word in table.MODALS or word in table.NOT_ASKING or noun
    return "no" if silent else "asked"


def begins_clause(tokens: Sequence[Token], place: int, moods: Sequence[Mood]) -> bool:
    """Tell whether a verb at a place opens a clause, or stands behind a word that asks."""
    left = left_of(tokens, place)
    word = word_at(tokens, left)
    if place > 0 and moods[place - 1] == "told" and moods[place] == "asked" and word not in table.NOT_ASKING:
        return True
    if word in table.MODALS:
        # "You must lift", but "it should slide out": that happens by itself.
        subject = word_at(tokens, left_of(tokens, left))
        return subject in ("", "you", "we", "i", "one", "and", ",", "then")
    then = acts_upon(tokens, place) and any(token.word == "then" for token in tokens[left + 1 : place])
    opens = left < 0 or tokens[left].kind == "mark" or word in ("and", "but", "so")
    return opens or then or word in table.ASKING


def gerund_status(tokens: Sequence[Token], place: int, moods: Sequence[Mood], governors: Sequence[Governor]) -> Status:
    """Return whether a verb in -ing asks: "by removing", "start removing", "..., removing four screws"."""
    left = left_of(tokens, place)
    word, mood = word_at(tokens, left), moods[place]
    if mood != "asked":
        return "meanwhile" if mood == "meanwhile" and word in ("while", "as") else "no"
    before = left_of(tokens, left)
    if word == "with" and word_at(tokens, before) in ("proceed", "continue", "start", "begin"):
        return "asked"
    if word == "as" and word_at(tokens, before) == "well":
        return "asked"  # "as well as removing the cord"
    if word in table.BEGINNING:
        return _status_behind_to(tokens, before, governors) if word_at(tokens, before) == "to" else "asked"
    if word in ("and", ",") and governors and form_of(tokens[governors[-1].place].word) is not None:
        return governors[-1].status
    # "Start by turning off the mixer and removing the bowl"
    lists = any(tokens[p].word in table.BEGINNING and tokens[p + 1].word.endswith("ing") for p in range(max(0, left)))
    return "asked" if word == "and" and lists else "no"


def passive_status(tokens: Sequence[Token], place: int, mood: Mood) -> tuple[Status, int]:
    """Return whether a participle asks ("must be removed") with the place of its first helping verb."""
    be = _be_before(tokens, place)
    if be is None:
        return "no", place
    if tokens[be].word == "be":
        return _status_of_be(tokens, be, mood)
    between = {token.word for token in tokens[be:place]}
    told = mood == "told" or bool(between & {"now", "already", "not", "never"})
    return ("no" if told else "asked"), be


def _status_behind_to(tokens: Sequence[Token], to: int, governors: Sequence[Governor]) -> Status:
    left = left_of(tokens, to)
    word = word_at(tokens, left)
    near = {word_at(tokens, place) for place in range(max(0, left - 3), to)}
    if word == "not" or near & {"enough", "unable"}:
        return "no"
    if word in ("forget", "fail"):
        return "asked" if near & table.DOUBTING else "no"  # "do not forget to"
    if word in table.ASKING_BEFORE_TO:
        return "no" if near & table.DOUBTING else "asked"
    if _presents(tokens, left) and word_at(tokens, to + 2) in _ENDS_OF_CLAUSE:
        return "asked"  # "there are four screws to remove"
    if not governors or governors[-1].status not in ("asked", "meanwhile"):
        return "no"
    governor = governors[-1]
    return governor.status if governor.word in MOVEMENTS and not governor.acted else "no"


def _be_before(tokens: Sequence[Token], place: int) -> int | None:
    """Return the place of "is", "are" or "be" that a participle belongs to."""
    for left in range(place - 1, max(-1, place - 8), -1):
        word = tokens[left].word
        if word in ("be", "is", "are"):
            return left
        if not (is_adverb(word) or word in ("and", ",", "off", "not", "or") or word.endswith("ed")):
            return None
    return None


def _status_of_be(tokens: Sequence[Token], be: int, mood: Mood) -> tuple[Status, int]:
    relative = {word_at(tokens, place) for place in range(max(0, be - 5), be)} & {"that", "which"}
    if mood != "asked" and (not relative or tokens[0].word in table.SUBORDINATORS):
        return "no", be
    left = left_of(tokens, be)
    word, before = word_at(tokens, left), word_at(tokens, left_of(tokens, left))
    if word == "to":
        need = left_of(tokens, left)
        must = word_at(tokens, need) in ("need", "needs", "have", "has", "able")
        near = {word_at(tokens, place) for place in range(max(0, need - 2), need)}
        if not must and _presents(tokens, need):
            return "asked", left  # "there are four screws to be removed"
        return ("asked" if must and not near & table.DOUBTING else "no"), need
    if word == "not" and before in ("must", "should", "shall"):
        return "forbidden", left - 1
    result = word == "should" and "now" in words_of_clause(tokens, be)  # "now it should be open"
    return ("asked" if word in ("must", "should", "shall", "can") and not result else "no"), left


def words_of_clause(tokens: Sequence[Token], end: int) -> set[str]:
    """Return the words in front of a place, back to the nearest mark."""
    start = end
    while start > 0 and tokens[start - 1].kind != "mark":
        start -= 1
    return {token.word for token in tokens[start:end]}


def _presents(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether the words in front of a place present a part: "there are four screws"."""
    words = [word_at(tokens, earlier) for earlier in range(max(0, place - 8), place)]
    presents = any(pair in (("there", "is"), ("there", "are")) for pair in zip(words, words[1:], strict=False))
    return presents and "no" not in words
