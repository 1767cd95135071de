"""Lists of noun phrases: "two screws, the fan and both clips"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from repairai.sop.grammar import words as table
from repairai.sop.grammar.phrases import Phrase, read_phrase
from repairai.sop.grammar.quantities import NUMBER_WORDS, ONE
from repairai.sop.grammar.tokens import Token, skip_adverbs, word_at
from repairai.sop.grammar.verbs import OTHER_PLAIN_VERBS, OTHER_VERBS, PART_VERBS, VERBS
from repairai.sop.grammar.words import is_adverb

_BEHIND_VERBS = table.STOPS - table.FINITE - {"and", "or"}
_OPENING = table.DETERMINERS | NUMBER_WORDS.keys()
_JOINTS = (["as", "well", "as"], ["along", "with"], ["and"], ["&"], ["plus"])


def read_phrases(tokens: Sequence[Token], start: int, verb: int = -1) -> tuple[list[Phrase], int]:
    """Return the phrases of the list that begins at a token, with the place behind it; a list may have one phrase.

    Args:
        tokens: A sentence.
        start: Place of the first token.
        verb: Place of the verb that the list may be the subject of; any other verb ends it.
    """
    first = read_phrase(tokens, start)
    if first is None:
        return [], start
    found = [first]
    while found[-1].form != "pronoun" and (behind := _joint(tokens, found[-1].end)) is not None:
        following = read_phrase(tokens, behind)
        if following is None or following.form == "pronoun" or _begins_clause(tokens, following, verb):
            break
        if tokens[behind - 1].word == "," and tokens[behind].word.endswith("ing"):
            break  # ", noting the direction"
        found.append(following)
    return _without_details(_with_nouns(tokens, found)), found[-1].end


def read_parallel(tokens: Sequence[Token], last: Phrase) -> list[Phrase]:
    """Return what a verb acts upon beside a phrase, by the preposition: "one from the lid and two from the base"."""
    found: list[Phrase] = []
    while (preposition := word_at(tokens, last.end)) in table.PREPOSITIONS:
        place_named = read_phrase(tokens, last.end + 1)
        behind = None if place_named is None else _joint(tokens, place_named.end)
        start = len(tokens) if behind is None else skip_adverbs(tokens, behind)
        following = read_phrase(tokens, start)
        if following is None or is_verb_here(tokens, start) or word_at(tokens, following.end) != preposition:
            break
        if following.form == "pronoun" and following.quantity is not None and tokens[start - 1].word != ",":
            following = replace(following, part=last.part, kind=last.kind, form="noun")
        if not following.part or following.form != "noun":
            break
        found.append(following)
        last = following
    return found


def is_verb_here(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether the word at a place where a verb could stand is one: "screw the", not "screw and"."""
    word = word_at(tokens, place)
    behind = tokens[place + 1] if place + 1 < len(tokens) else None
    if word in OTHER_PLAIN_VERBS:
        return True
    if word in table.KEPT_SIDES:
        # "Back out the screw", "lower the jack"
        acts = word in OTHER_VERBS and behind is not None and behind.word in table.DETERMINERS
        return acts or (behind is not None and behind.word == "out")
    if word in VERBS and word not in PART_VERBS:
        return True
    if word not in VERBS and word not in OTHER_VERBS:
        return False
    if behind is None or behind.kind == "mark":
        return word not in PART_VERBS
    if behind.kind in ("number", "size") or behind.word in table.DETERMINERS or is_adverb(behind.word):
        return True
    return behind.word in _BEHIND_VERBS


def acts_upon(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether what a verb acts upon begins right behind a place: "pry the", "remove two", "lift it"."""
    behind = tokens[place + 1] if place + 1 < len(tokens) else None
    return behind is not None and (behind.kind in ("number", "size") or behind.word in _OPENING)


def _begins_clause(tokens: Sequence[Token], phrase: Phrase, verb: int) -> bool:
    """Tell whether a phrase opens a new clause: "and lift the cover", "and the fan is free"."""
    start = skip_adverbs(tokens, phrase.start)
    # A word that "the" or "them" follows is a verb, even if we do not know it: "and hang it".
    acts = phrase.end == start + 1 and not phrase.plural and word_at(tokens, start + 1) in table.DETERMINERS
    behind = skip_adverbs(tokens, phrase.end)
    return is_verb_here(tokens, start) or acts or (word_at(tokens, behind) in table.FINITE and behind != verb)


def _joint(tokens: Sequence[Token], end: int) -> int | None:
    """Return the place of what follows "and", a comma or both; None where the list is over."""
    words = [token.word for token in tokens[end : end + 4]]
    place = end + (words[:1] == [","])
    rest = words[place - end :]
    joint = next((joint for joint in _JOINTS if rest[: len(joint)] == joint), [])
    return place + len(joint) if joint or place > end else None


def _with_nouns(tokens: Sequence[Token], found: list[Phrase]) -> list[Phrase]:
    """Give bare phrases the noun that follows: "two 3 mm and three 5 mm screws", "the upper and lower bolts"."""
    filled: list[Phrase] = []
    for phrase in reversed(found):
        noun = filled[-1] if filled else None
        side = tokens[phrase.end - 1].word
        if phrase.form != "bare" or noun is None or not noun.part:
            filled.append(phrase)
        elif noun.part in table.KEPT_SIDES:
            filled.append(replace(phrase, form="noun", quantity=phrase.quantity or ONE))  # "the top and the bottom"
        elif side in table.KEPT_SIDES and noun.kind == "other":
            first, _, rest = noun.part.partition("_")
            name = rest if first in table.KEPT_SIDES else noun.part
            filled.append(replace(phrase, part=f"{side}_{name}", form="noun", quantity=noun.quantity))
        elif phrase.quantity is not None and noun.quantity is None:
            # "Both the blue and red wires" are two wires.
            sizes = (*phrase.sizes, *noun.sizes)
            filled[-1] = replace(noun, start=phrase.start, quantity=phrase.quantity, sizes=sizes)
        elif phrase.quantity is not None:
            filled.append(replace(phrase, part=noun.part, kind=noun.kind, form="noun"))
        else:
            # "The red and the black wire" are two wires, "the small and delicate wire" is one.
            quantity = None if noun.quantity == ONE else noun.quantity
            filled[-1] = replace(noun, start=phrase.start, quantity=quantity, sizes=(*phrase.sizes, *noun.sizes))
    return filled[::-1]


def _without_details(found: list[Phrase]) -> list[Phrase]:
    """Drop what only tells more of the first: "six screws, two long screws and four short screws"."""
    first, rest = found[0], found[1:]
    counts = [phrase.quantity.at_least for phrase in rest if phrase.part == first.part and phrase.quantity is not None]
    if first.quantity is None or len(counts) < 2 or len(counts) < len(rest):
        return found
    return [first] if sum(counts) == first.quantity.at_least else found
