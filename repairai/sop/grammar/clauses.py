"""What a clause is for: which words of a sentence ask for something here and now, and which only tell about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from repairai.sop.grammar import words as table
from repairai.sop.grammar.lists import acts_upon, is_verb_here
from repairai.sop.grammar.tokens import Token, left_of, word_at
from repairai.sop.grammar.verbs import OTHER_VERBS, PART_VERBS, PLAIN_VERBS, form_of
from repairai.sop.grammar.words import is_adverb

_NOT_ENDING = table.STOPS - {"out", "off", "away", "up", "down", "apart"} | table.DETERMINERS | table.ADJECTIVES
"""No clause ends behind one of these."""
_LATER = {(when, step) for when in ("next", "later", "following", "upcoming") for step in ("step", "steps")}
Mood = Literal["asked", "meanwhile", "told"]
"""Asked here and now; going on meanwhile ("while lifting the cover off"); or told, as past, future, purpose or if."""


def read_moods(tokens: Sequence[Token]) -> list[Mood]:
    """Return what each token of a sentence is for."""
    if tokens[-1].word == "?" or _tells_of_another_time(tokens):
        return ["told"] * len(tokens)
    return _Moods(tokens).read()


def is_condition(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether "if needed", "as required" or the like begins at a place."""
    return word_at(tokens, place) in ("if", "as", "when", "where") and word_at(tokens, place + 1) in table.WANTED


class _Moods:
    """Walks through a sentence and notes where a subordinate clause begins and where it ends."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.mood: Mood = "asked"
        self.for_good = False
        """An opening "if" holds to the end of the sentence."""
        self.opening = False
        """The subordinate clause came before its main clause."""
        self.has_verb = False
        self.without_verb = False
        self.subject_asks = False
        self.main_seen = False

    def read(self) -> list[Mood]:
        """Return the mood at each token."""
        moods: list[Mood] = []
        brackets: list[tuple[Mood, bool]] = []
        for place, token in enumerate(self.tokens):
            if token.word == "(":
                brackets.append((self.mood, self.for_good))
            elif token.word == ")" and brackets:
                self.mood, self.for_good = brackets.pop()
            elif not self.for_good and self._subordinates(place):
                self._enter(place)
            elif self.mood != "asked" and not self.for_good and self._returns(place):
                self.mood = "asked"
            self._note(token.word)
            moods.append(self.mood)
        return moods

    def _word(self, place: int) -> str:
        return word_at(self.tokens, place)

    def _note(self, word: str) -> None:
        is_verb = word in table.FINITE or form_of(word) is not None or word in OTHER_VERBS or word == "using"
        if self.mood == "asked":
            self.main_seen |= is_verb
        else:
            self.has_verb |= is_verb or word in ("it", "you", "we", "they", "you've", "you're", "i")

    def _enter(self, place: int) -> None:
        word, behind = self._word(place), self._word(place + 1)
        # "..., if necessary, pry off the cover": the condition is for what follows.
        condition = is_condition(self.tokens, place)
        introduces = condition and self._word(place + 2) == "," and self._word(place - 1) in (",", "and")
        self.opening = not self.main_seen or introduces
        self.for_good = (
            word == "also" or self._rebuilds(place) or (self.opening and (condition or word in ("if", "unless")))
        )
        self.mood = "meanwhile" if word in ("while", "as") and self.mood == "asked" else "told"
        self.has_verb = word == "to"
        self.without_verb = word in table.PREPOSED
        # "So you can lift it and remove the fan": what follows "and" is told as well.
        person = behind.partition("'")[0] in ("you", "we", "i") or behind.endswith("ing")
        self.subject_asks = person or word in ("so", "to", "if")

    def _rebuilds(self, place: int) -> bool:
        later = self._word(place + 1).replace("-", "") in table.REBUILDING
        return self._word(place) in ("during", "when", "while") and later

    def _subordinates(self, place: int) -> bool:
        """Tell whether the word at a place begins what is only told."""
        word, before, behind = self._word(place), self._word(place - 1), self._word(place + 1)
        if word == "also":
            return before == "can"  # "you can also use a knife": another way, not another step
        if word not in table.SUBORDINATORS:
            return False
        if word == "to":
            opens = place == 0 or before in (",", "order", "also", "then")
            return opens and not self.main_seen and self.mood == "asked"
        if word == "that":
            points = place == 0 or before in table.STOPS or (form_of(before) or ("", ""))[1] == "base"
            return before in ("now", "so") or not (points or before in ("sure", "ensure"))
        if word == "as":
            compares = before in ("well", "far", "long", "same")
            return not compares and behind in ("you", "we", "it", "the", "they", "i", "this", "soon")
        if word == "so":
            return behind in table.DETERMINERS | {"that", "you", "you'll", "we", "they", "there", "as"}
        if word == "once":
            return behind not in ("again", "more", ",")
        preposed = word in table.PREPOSED and not self._rebuilds(place)
        return not preposed or (not self.main_seen and before not in table.ARTICLES)

    def _returns(self, place: int) -> bool:
        """Tell whether the word at a place ends what is only told."""
        word, behind = self._word(place), place + 1
        while behind < len(self.tokens) and (is_adverb(self._word(behind)) or self._word(behind) in ("and", "but")):
            behind += 1
        starts = behind < len(self.tokens) and is_verb_here(self.tokens, behind)
        if word in (";", ":", "→", "->"):
            return True
        if word == "then":
            return starts or self._word(behind) in ("you", "we", "the")
        if self.opening and self.has_verb and word != ",":
            return self._resumes(place, behind)
        if word == ",":
            return self.has_verb or starts
        if self.without_verb and (
            word in PLAIN_VERBS or (is_verb_here(self.tokens, place) and acts_upon(self.tokens, place))
        ):
            # "With a T5 driver remove"
            return self._word(place - 1) not in table.NOT_ASKING | {"to", "you", "we"}
        return word in ("and", "but") and starts and not self.opening and not self.subject_asks

    def _resumes(self, place: int, behind: int) -> bool:
        """Tell whether the main clause begins although no comma says so: "Once they are removed pull the plate off"."""
        word = self._word(place)
        if word in ("you", "we"):
            return behind > place + 1 or self._word(place + 1) in table.MODALS | {"need", "have"}
        if is_verb_here(self.tokens, place):
            before = self._word(left_of(self.tokens, place))
            form = form_of(before)
            if form is None and word not in PART_VERBS and acts_upon(self.tokens, place):
                return before not in _NOT_ENDING and before not in OTHER_VERBS
            return form is not None and form[1] == "participle"
        return False


def _tells_of_another_time(tokens: Sequence[Token]) -> bool:
    """Tell whether a sentence is about putting together again, or about what may be done or left."""
    words = [token.word.replace("-", "") for token in tokens]
    pairs = set(zip(words, words[1:], strict=False))
    will = "will" in words or any(word.endswith("'ll") for word in words)
    if ("in", "reverse") in pairs or (will and pairs & _LATER) or "optional" in words or words[0] == "optionally":
        return True
    for place, word in enumerate(words[:8]):
        before = words[place - 1] if place else ""
        if word.startswith("reassembl") and (place == 0 or before in table.ANOTHER_TIME):
            return True
        if before in table.ANOTHER_TIME and place < 4 and word in table.REBUILDING:
            return before != "to" or words[0] == "to"
    return False
