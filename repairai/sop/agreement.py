"""Whether two sentences that hold the same words say the same with them: pure Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from repairai.sop.claims import Claim, Word, actions, heads, opposite, sides, turned, turns, unsaid
from repairai.sop.grammar.words import ADJECTIVES, is_participle

_BEHIND, _AROUND = 5, 5
"""Words of weight within which a number finds its thing in a sentence, and a verb what it acts upon in a step."""


@dataclass(frozen=True)
class Miss:
    """Why a statement does not stand in a sentence of a step; the smaller `distance`, the nearer it came.

    One that `contradicts` is about the same as that sentence and disagrees with it.
    """

    distance: float
    why: str
    contradicts: bool = True


def disagreement(ours: Claim, theirs: Claim, devices: Sequence[Word]) -> Miss | None:
    """Return where a claim and a sentence of a step that holds its words disagree; None where they do not.

    Args:
        ours: What is claimed.
        theirs: The sentence of the step.
        devices: Words of the device's name, which belong to no part.
    """
    quote = f": “{theirs.text}”"
    for word in ours.content:
        at = [other for other in theirs.content if other.same(word)]
        if at and all(other.denied != word.denied for other in at):
            return Miss(0.1, f"the step says the opposite{quote}")
        if at and not word.under and all(other.under in ("before", "until", "unless") for other in at):
            return Miss(0.1, f"the step does not ask for “{word.text}”, it only says when{quote}")
    if said_round := _turned_round(ours.words, theirs.words):
        return Miss(0.2, f"the step does not say “{said_round}” of this{quote}")
    if _out_of_order(ours, theirs):
        return Miss(0.2, f"the step says it in another order{quote}")
    for place, word in enumerate(ours.content):
        if not among(word, devices) and not _belongs(ours.content, place, theirs.content):
            return Miss(0.3, f"the step says “{word.text}” of something else{quote}")
    if part := _shortened(ours.content, theirs.content):
        return Miss(0.3, f"the step does not say “{part}” alone{quote}")
    return None


def among(word: Word, theirs: Iterable[Word]) -> bool:
    """Tell whether one of some words may stand for another."""
    return any(word.same(other) for other in theirs)


def _shortened(ours: Sequence[Word], theirs: Sequence[Word]) -> str:
    """Return a part whose name the step goes on with: the battery is not the battery door; empty where there is none.

    Its plug or line may stay unsaid ("disconnect the battery"), and so may a word that names no part of its own.
    """
    for n, word in enumerate(ours):
        if word.kind != "word" or word.leads or not _names_part(word) or not _acted(ours, n):
            continue
        at = [m for m, other in enumerate(theirs) if other.same(word)]
        if at and all(theirs[m].leads and m + 1 < len(theirs) and _goes_on(theirs[m + 1]) for m in at):
            return word.text
    return ""


def _acted(words: Sequence[Word], place: int) -> bool:
    """Tell whether something is done to a part: it is the first that stands behind a verb."""
    before = [word for word in words[:place] if word.clause == words[place].clause and word.kind == "word"]
    verbs = [n for n, word in enumerate(before) if word.key in actions() or word.also]
    return bool(verbs) and not any(_names_part(word) and not word.leads for word in before[verbs[-1] + 1 :])


def _names_part(word: Word) -> bool:
    return not (word.key in actions() | sides() | heads() or word.also or word.text in ADJECTIVES)


def _goes_on(word: Word) -> bool:
    """Tell whether a word behind a part's name makes it the name of another part."""
    told = is_participle(word.text, "ing") or is_participle(word.text, "ed")
    if word.kind != "word" or told or not _names_part(word):
        return False
    return word.key not in unsaid()


def _turned_round(ours: Sequence[Word], theirs: Sequence[Word]) -> str:
    """Return a side that is said more often than the step does, or a word whose opposite the step has in its place."""
    counts, directions = [Counter(word.key for word in words) for words in (ours, theirs)], [turns(ours), turns(theirs)]
    for word in ours:
        more = counts[0][word.key] > counts[1][word.key]
        undone = turned().get(word.key, "")
        if more and word.key in sides() and counts[1][word.key]:
            return word.text
        if more and undone and counts[1][undone] > counts[0][undone]:
            return word.text
        gained = word.kind == "small" and directions[0][word.key] > directions[1][word.key]
        if gained and any(directions[1][far] > directions[0][far] for far in opposite(word.key)):
            return word.text
    return ""


def _out_of_order(ours: Claim, theirs: Claim) -> bool:
    """Tell whether "A before B" is claimed where the step does not say so, nor names A first."""
    order = next((word.key for word in ours.words if word.key in ("before", "after")), "")
    held = {word.key for word in theirs.words} | {word.under for word in theirs.words}
    if not order or order in held:
        return False
    if held & {"until", "unless", "before", "after"} or any(text in theirs.text.split() for text in ("when", "once")):
        return True
    first = [word for word in ours.content if bool(word.under) == (order == "after")]
    then = [word for word in ours.content if word not in first]
    places = [[n for n, word in enumerate(theirs.content) if among(word, part)] for part in (first, then)]
    return all(places) and min(places[0]) > min(places[1])


def _belongs(ours: Sequence[Word], place: int, theirs: Sequence[Word]) -> bool:
    """Tell whether a number, a size, a side or a verb has the same thing beside it in a step."""
    word = ours[place]
    places = [n for n, other in enumerate(theirs) if other.same(word)]
    if not places:
        return True
    if word.kind == "word" and (word.key in actions() or word.also):
        near = _acted_upon(ours, place)
        return not near or any(_meet(near, _around(theirs, n, _AROUND, _AROUND)) for n in places)
    if word.kind == "word" and word.key in sides():
        return any(_same_side(ours, place, theirs, n) for n in places)
    if word.kind == "word":
        return True
    return any(_same_thing(ours, place, theirs, n) for n in places)


def _acted_upon(ours: Sequence[Word], place: int) -> list[Word]:
    """Return what a verb acts upon: the words behind it, else those before it ("the screws are removed")."""
    clause = ours[place].clause
    named = [
        n for n, word in enumerate(ours) if word.clause == clause and word.kind == "word" and word.key not in sides()
    ]
    behind = [ours[n] for n in named if n > place]
    return behind[:_BEHIND] or [ours[n] for n in named if n < place][-_BEHIND:]


def _same_side(ours: Sequence[Word], place: int, theirs: Sequence[Word], at: int) -> bool:
    """Tell whether a side is of the same thing: "upper left" is not "upper right", the left ear no left pad."""
    ours_next, theirs_next = _next(ours, place), _next(theirs, at)
    if ours_next is None or theirs_next is None:
        return True
    if ours_next.key in sides():
        return ours_next.same(theirs_next)
    noun = next((word for word in ours[place + 1 :] if word.kind == "word" and word.key not in sides()), ours_next)
    nearby = theirs[at + 1 : at + 1 + _BEHIND]
    return any(noun.same(other) for other in nearby) or all(other.key in sides() for other in nearby[:1])


def _same_thing(ours: Sequence[Word], place: int, theirs: Sequence[Word], at: int) -> bool:
    """Tell whether a number or a size counts or measures the same thing."""
    word, behind = ours[place], [each for each in ours[place + 1 :] if each.clause == ours[place].clause]
    size = next((each for each in behind[:2] if each.kind == "size"), None) if word.kind == "number" else None
    next_theirs = _next(theirs, at)
    if size is not None and next_theirs is not None and next_theirs.kind == "size" and not next_theirs.same(size):
        return False
    nouns = [each for each in behind if each.kind == "word" and each.key not in heads() | sides()]
    before = [each for each in ours[:place] if each.clause == word.clause]
    near = [*nouns[:2], *([size] if size else [])] or behind[:1] or before[-2:]
    around = _around(theirs, at, 2, _BEHIND)
    return not near or not around or _meet(near, around)


def _around(words: Sequence[Word], at: int, before: int, behind: int) -> list[Word]:
    """Return the words around one in its own statement; all around where it stands there alone."""
    near = [*words[max(0, at - before) : at], *words[at + 1 : at + 1 + behind]]
    return [word for word in near if word.clause == words[at].clause] or near


def _next(words: Sequence[Word], place: int) -> Word | None:
    """Return the next word of the same statement."""
    following = words[place + 1] if place + 1 < len(words) else None
    return following if following is not None and following.clause == words[place].clause else None


def _meet(near: Iterable[Word], theirs: Sequence[Word]) -> bool:
    return any(word.same(other) for word in near for other in theirs)
