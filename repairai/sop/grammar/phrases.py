"""One noun phrase of a repair guide: which part it names, how many of it, of what size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from repairai.sop.grammar import words as table
from repairai.sop.grammar.amounts_behind import is_spread, read_note
from repairai.sop.grammar.nouns import is_plural, kind_of, part_name, singular
from repairai.sop.grammar.quantities import NUMBER_WORDS, ONE, Quantity, read_quantity
from repairai.sop.grammar.tokens import Token, word_at
from repairai.sop.grammar.verbs import OTHER_VERBS, PART_VERBS, PLAIN_VERBS, VERBS
from repairai.sop.grammar.words import PartKind, is_adverb, is_participle

_NEVER_NEXT = table.STOPS | table.DETERMINERS
_LONGEST = 18
"""Tokens of one phrase; more is a text without punctuation."""


@dataclass(frozen=True)
class Phrase:
    """A part as a text names it.

    Args:
        part: Singular snake_case; empty for a pronoun ("them", "all four") and for what is no part of a device.
        kind: What sort of part it is.
        quantity: None: the text does not say how many.
        each: The number that was said of each side or place, where there are several; else None.
        sizes: The tokens that give length, head or driver.
        plural: Whether more than one is meant.
        article: "the", "this", "these", "each" where nothing else says which one; "it" behind a pronoun; else empty.
        form: A noun; a pronoun, which names nothing itself; or bare: only sizes or adjectives were read.
        start: Place of its first token in the sentence.
        end: Place behind its last token.
        offset: Where in the text it begins, which tells it from every other phrase.
    """

    part: str
    kind: PartKind
    quantity: Quantity | None
    each: Quantity | None
    sizes: tuple[Token, ...]
    plural: bool
    article: str
    form: Literal["noun", "pronoun", "bare"]
    start: int
    end: int
    offset: int


def read_phrase(tokens: Sequence[Token], start: int, default: str = "") -> Phrase | None:
    """Return the noun phrase that begins at a token; None where none does.

    Args:
        tokens: A sentence.
        start: Place of the phrase's first token.
        default: The part that is meant where only a size stands ("two 3 mm").
    """
    return _PhraseReader(tokens, start, default).read()


@dataclass
class _PhraseReader:
    """Reads one phrase, token by token, and keeps what it has seen.

    Args:
        end: Place behind the last amount or noun.
        described_end: Place behind the last adjective or size.
        nouns: The nouns of the name so far.
        article: The last article: "the", "these".
        each: "Each" or "any" was said: without a number the count is not known.
        vague: "Several" or "some of" was said: the count is not known, whatever numbers follow.
        alike: "All" or "both" was said.
        region: A side, end or edge of a part was named, which is no part.
        head_type: A kind of screw was named: "Phillips".
    """

    tokens: Sequence[Token]
    start: int
    default: str
    end: int = 0
    described_end: int = 0
    nouns: list[str] = field(default_factory=list)
    sizes: list[Token] = field(default_factory=list)
    quantity: Quantity | None = None
    article: str = ""
    pronoun: bool = False
    each: bool = False
    vague: bool = False
    alike: bool = False
    region: bool = False
    head_type: bool = False
    adjective: bool = False
    ordinal: bool = False

    def read(self) -> Phrase | None:
        """Return the phrase; None where nothing of one was read."""
        self.end = place = self.start
        while place < min(len(self.tokens), self.start + _LONGEST) and not self.pronoun:
            behind = self._read_mark(place)
            if behind is None and table.KEPT_SIDES.issuperset(self.nouns):  # "the front two screws"
                behind = self._read_number(place) or self._read_amount(place)
            if behind is None and self.tokens[place].kind == "word":
                behind = self._read_word(place)
            if behind is None:
                break
            place = behind
        return self._phrase()

    @property
    def _begun(self) -> bool:
        amount = self.quantity or self.alike or self.each or self.vague
        return bool(amount or self.sizes or self.article or self.adjective)

    def _follows(self, place: int) -> Token | None:
        return self.tokens[place] if place < len(self.tokens) else None

    # ---- token by token; each returns the place behind what it read, or None where it read nothing

    def _read_mark(self, place: int) -> int | None:
        token, following = self.tokens[place], self._follows(place + 1)
        if token.kind == "size" or (token.kind == "number" and "." in token.word):
            return self._read_size(token, place)
        if token.word in ('"', "“", "”", "'"):
            return place + 1
        closed = following is not None and word_at(self.tokens, place + 2) == ")"
        if token.word == "(" and closed and following is not None and following.kind == "size":
            if not _fastener_follows(self.tokens, place + 2):
                return None
            self.sizes.append(following)
            return place + 3  # "two (12 mm) screws"
        if self.nouns or not self._begun or following is None:
            return None
        if token.word in (",", "-", "–"):
            # "Two black, 3 mm screws" and "4 - 9mm screws" go on; "all four, then" does not.
            goes_on = following.kind == "size" or following.word not in _NEVER_NEXT
            return place + 1 if goes_on else None
        if token.word == "(" and closed and following.kind == "word" and following.word not in NUMBER_WORDS:
            return place + 3  # "the negative (black) cable"
        return None

    def _read_size(self, token: Token, place: int) -> int | None:
        if self.nouns and not _fastener_follows(self.tokens, place):
            return None
        self.nouns.clear()  # "the three security T10 screws"
        self.sizes.append(token)
        self.described_end = place + 1
        return place + 1

    def _read_number(self, place: int) -> int | None:
        word = self.tokens[place].word
        if word == "one" and (self.adjective or self.article in ("this", "that")):
            return None  # "the old one"
        read = read_quantity(self.tokens, place)
        if read is not None:
            if self.quantity is not None and self.sizes:
                return None  # "six 9 mm one 19 mm": the next item of a list
            # "One of the four" is one, "each of the four" four.
            self.quantity, self.end = self.quantity or read[0], read[1]
        elif word in ("pair", "pairs") and word_at(self.tokens, place + 1) == "of":
            pairs = self.quantity or ONE
            self.quantity = Quantity(pairs.at_least * 2, None if pairs.at_most is None else pairs.at_most * 2)
            self.end = place + 1
        else:
            return None
        return self.end

    def _read_amount(self, place: int) -> int | None:
        word, following = self.tokens[place].word, word_at(self.tokens, place + 1)
        if word in ("them", "it"):
            self.pronoun = not self.adjective
        elif word in table.EACH:
            self.each = True
        elif word in table.VAGUE:
            self.vague = True
        elif word in ("all", "both"):
            self.alike, self.quantity = True, Quantity(2, 2) if word == "both" else None
        elif word == "total" and following == "of":
            self.alike = True
        elif word in table.ARTICLES and word != "one":
            self.article = word
        elif word != "of" or self.nouns or not self._begun or self.adjective:
            return None
        self.end = place + 1
        return self.end

    def _read_word(self, place: int) -> int | None:
        word, following = self.tokens[place].word, self._follows(place + 1)
        if word == "of":
            return self._read_of(place + 1)
        if self._ends_before(word, following):
            return None
        if is_participle(word, "ed") or word.endswith("'s"):
            self.nouns.clear()  # "the top mounted screw", "the printer's base"
        if is_adverb(word):
            return None if self.nouns else place + 1
        if self._is_adjective(word, following):
            self._describe(word, place + 1)
        else:
            self.nouns += [piece for piece in word.split("-") if piece]
            self.end = place + 1
        other = self._follows(place + 2) if word_at(self.tokens, place + 1) == "/" else None
        if other is None or other.kind != "word":
            return place + 1
        if self.nouns and not _closes(self._follows(place + 3)):
            self.nouns.append(other.word)  # "the lens/battery bundle"; "the cover/panel" are two names of one part
        return place + 3

    def _read_of(self, behind: int) -> int | None:
        """Read "of" where it joins a measure to its part: a piece of tape."""
        if not self.nouns and self.tokens[behind - 2].word in table.ORDINALS:
            self.quantity = ONE  # "the second of the two screws"
            return behind
        measure = singular(self.nouns[-1]) if self.nouns else ""
        if measure in table.REGIONS:
            self.region = True
        elif measure in table.PIECES:
            if self.quantity is None and not is_plural(self.nouns[-1]) and not self.each:
                self.quantity = ONE
            self.vague |= self.quantity is None
        elif measure in table.GROUPS and (measure != "half" or self.nouns == ["half"]):
            # "Two sets of screws" says nothing about the screws, "a set of four" does.
            self.vague |= self.quantity is not None
            self.adjective = True
        else:
            return None
        self.nouns.clear()
        return behind

    # ---- what a word is

    def _is_adjective(self, word: str, following: Token | None) -> bool:
        if word in table.BRANDS:
            return following is not None and following.kind == "word" and following.word not in table.STOPS
        if word in table.MATERIALS and self.nouns and _closes(following):
            return False  # "the sealing rubber"
        if word == "light":
            return following is not None and following.word in table.COLOURS
        compound = "-" in word and word.index("-") > 1 and not _ends(following)
        by_form = compound or word[0].isdigit() or is_participle(word, "ed") or word.endswith("'s")
        return by_form or word in table.ADJECTIVES

    def _describe(self, word: str, behind: int) -> None:
        """Take in an adjective."""
        self.vague |= self.ordinal and word[0].isdigit()  # "the 2nd, 4th and 9th screw"
        self.ordinal |= word[0].isdigit()
        self.head_type |= word in table.HEADS
        self.adjective = True
        if word not in table.BRANDS and not (word.endswith("'s") and word not in table.ADJECTIVES):
            self.described_end = behind

    def _ends_before(self, word: str, following: Token | None) -> bool:
        """Tell whether a word can be no part of the name."""
        begins_more = following is not None and _begins_more(following)
        if word in table.KEPT_SIDES and not self.nouns and (self._begun or not begins_more):
            return False
        contracted = "'" in word and not word.endswith("'s")
        if contracted or word in table.STOPS or word in NUMBER_WORDS or word in PLAIN_VERBS:
            return True
        if not self.nouns:
            # "Found on the side", "held by two screws"
            tells = word in table.POSTPOSED and _closes(following)
            return (tells and not self._begun) or (
                following is not None and following.word in table.DETERMINERS and is_participle(word, "ing")
            )
        return self._ends_behind_noun(word, following, begins_more)

    def _ends_behind_noun(self, word: str, following: Token | None, begins_more: bool) -> bool:
        covers = word in table.NOT_PARTICIPLES and _closes(following)  # "the bottom covering off"
        if word in table.DETERMINERS or (word in table.POSTPOSED and not is_participle(word, "ed") and not covers):
            return True
        plural = is_plural(self.nouns[-1])
        if is_participle(word, "ed"):
            return plural or begins_more or _closes(following)
        if word in PART_VERBS:
            return plural and begins_more
        if word in VERBS or word in OTHER_VERBS:
            return begins_more or (plural and following is not None and following.kind == "word")
        if is_participle(word, "ing"):
            return plural or begins_more or _closes(following)
        # "The screws fan comes off": nothing is named by a plural of small parts.
        return plural and kind_of(self.nouns) != "other"

    # ---- what was read

    def _phrase(self) -> Phrase | None:
        nouns, end = self.nouns, self.end
        while len(nouns) > 1 and (
            nouns[-1] in ("back", "inside", "outside")
            or (nouns[-1] == "face" and word_at(self.tokens, end) in ("up", "down"))
        ):
            nouns.pop()  # "the cover back", "the cover face down": the particle of a verb
            end -= 1
        plural = self.alike or self.article in table.PLURAL_ARTICLES
        elided = self.default or ("screw" if self.head_type or _names_driver(self.sizes) else "")
        if not nouns and elided and self.quantity and (self.sizes or self.head_type):
            nouns, end, plural = [elided], max(end, self.described_end), self.quantity != ONE
        if not nouns:
            return self._without_noun(plural)
        plural = plural or is_plural(nouns[-1]) or self.quantity not in (None, ONE)
        part = "" if self.region or self._is_side_of_none(nouns, end) else part_name(nouns)
        quantity = self._count(nouns, plural)
        form: Literal["noun", "bare"] = "noun"
        if nouns[-1] in table.KEPT_SIDES and word_at(self.tokens, end) in ("and", "&"):
            quantity, form = self.quantity, "bare"  # "the upper and lower bolts"
        noted, end = read_note(self.tokens, end)
        quantity = noted or quantity
        # "The lid on both sides" is one lid, "the screw on both sides" is two.
        counted = self.quantity is not None or noted is not None or kind_of(nouns) != "other"
        each = quantity if counted and is_spread(self.tokens, end) else None
        if each or [word_at(self.tokens, end + step) for step in range(3)] == ["(", "s", ")"]:
            quantity = None
        bare = not self.article and not plural  # "remove fan"
        article = "the" if bare else self.article if self.article in table.POINTING else ""
        article = "each" if self.each else article
        behind = word_at(self.tokens, end)
        told = behind in table.TELLING or (behind != "using" and is_participle(behind, "ing"))
        article = "" if self.adjective or self.quantity or (article == "the" and told) else article
        sizes, offset = tuple(self.sizes), self.tokens[self.start].start
        return Phrase(part, kind_of(nouns), quantity, each, sizes, plural, article, form, self.start, end, offset)

    def _count(self, nouns: list[str], plural: bool) -> Quantity | None:
        if self.vague or self.quantity is not None:
            return None if self.vague else self.quantity
        return None if plural or self.each or singular(nouns[-1]) in table.MASS else ONE

    def _without_noun(self, plural: bool) -> Phrase | None:
        """Return "them", "all four", or what only describes ("the plastic"); None where nothing was read."""
        end = max(self.end, self.described_end)
        if end == self.start:
            return None
        quantity = None if self.vague else self.quantity
        behind = word_at(self.tokens, end)
        points = self.article in table.PLURAL_ARTICLES or (
            self.article in ("this", "that") and behind not in table.FINITE
        )
        amount = self.pronoun or self.alike or quantity is not None or points
        plural = plural or self.tokens[end - 1].word == "them" or quantity not in (None, ONE)
        form: Literal["pronoun", "bare"] = "pronoun" if amount and self.end > self.described_end else "bare"
        sizes, offset = tuple(self.sizes), self.tokens[self.start].start
        return Phrase("", "other", quantity, None, sizes, plural, "", form, self.start, end, offset)

    def _is_side_of_none(self, nouns: list[str], end: int) -> bool:
        """Tell whether a side belongs to what is no part: "the back of the opening tool"."""
        if nouns[-1] not in table.KEPT_SIDES or word_at(self.tokens, end) != "of":
            return False
        whole = read_phrase(self.tokens, end + 1)
        return whole is not None and whole.form == "noun" and not whole.part


def _begins_more(token: Token) -> bool:
    """Tell whether a token begins another phrase."""
    return token.kind in ("number", "size") or (token.word in table.DETERMINERS and token.word != "that")


def _closes(following: Token | None) -> bool:
    """Tell whether no noun can follow here."""
    return following is None or following.kind != "word" or following.word in table.STOPS or is_adverb(following.word)


def _ends(following: Token | None) -> bool:
    """Tell whether a phrase surely ends in front of a token: what stands in brackets or quotes may belong to it."""
    return _closes(following) and (following is None or following.word not in ("(", '"', "“", "”", "'"))


def _names_driver(sizes: Sequence[Token]) -> bool:
    return any(not size.word[0].isdigit() for size in sizes)


def _fastener_follows(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether the noun of a fastener comes within the next words: "security T10 Torx screws"."""
    for token in tokens[place + 1 : place + 5]:
        if kind_of([token.word]) == "fastener":
            return True
        if token.kind == "mark" or token.word in table.STOPS or token.word in table.DETERMINERS:
            return False
    return False
