"""What a text has named and asked so far: what "them" stands for, and what is only said again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from repairai.schema import Action
from repairai.sop.grammar import words as table
from repairai.sop.grammar.lists import is_verb_here
from repairai.sop.grammar.phrases import Phrase, read_phrase
from repairai.sop.grammar.quantities import NUMBER_WORDS, Quantity
from repairai.sop.grammar.tokens import Token, skip_adverbs, word_at
from repairai.sop.grammar.words import is_participle


@dataclass(frozen=True)
class Mention:
    """A part that a sentence names, and whether the sentence is there to present it ("there are four screws")."""

    phrase: Phrase
    presented: bool


@dataclass(frozen=True)
class Ask:
    """One thing asked of one part.

    Args:
        action: What is asked.
        phrase: The part.
        start: Offset in the text of the first character it was read from.
        end: Offset behind the last.
        meanwhile: Only told as going on meanwhile: it counts if the part is asked for nowhere else.
    """

    action: Action
    phrase: Phrase
    start: int
    end: int
    meanwhile: bool = False


class Memory:
    """Remembers all that was asked, and what this sentence and the one before name."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self._asked: dict[tuple[Action, str], set[int]] = {}
        self._items: dict[Ask, list[Ask]] = {}
        self._before: list[Mention] = []
        self._now: list[Mention] = []
        self._said_again = False
        self._threaded = False

    def hear(self, tokens: Sequence[Token]) -> None:
        """Take in the next sentence."""
        # What "it is on the left" tells of was named before: nothing in it is surely meant by the next "it".
        self._before = [] if self._said_again else self._now
        self._now = list(_mentions(tokens))
        self._threaded |= any(m.phrase.part.endswith("_plug") and m.phrase.kind == "other" for m in self._now)
        self._said_again = tokens[0].word in ("it", "they", "it's", "they're")

    # ---- what was asked

    def add(self, ask: Ask) -> None:
        """Take in what a sentence asks."""
        if ask.action == "keep" and ask.phrase.kind == "fastener":
            # "Unscrew the bolt but do not remove it"
            same = [each.action == "remove" and each.phrase.offset == ask.phrase.offset for each in self.asks]
            self.asks = [replace(a, action="loosen") if s else a for a, s in zip(self.asks, same, strict=True)]
        self.asks.append(ask)
        for name in _names(ask.phrase.part):
            self._asked.setdefault((ask.action, name), set()).add(ask.phrase.offset)

    def drop(self, count: int) -> None:
        """Forget the last asks: they turned out to be optional."""
        for _ in range(count):
            ask = self.asks.pop()
            for name in _names(ask.phrase.part):
                self._asked[ask.action, name].discard(ask.phrase.offset)

    def add_items(self, header: Ask | None, items: list[Ask]) -> None:
        """Note the items of a list under what was asked of all of them."""
        if header is not None and items:
            self._items.setdefault(header, []).extend(items)

    def has_asked(self, action: Action, phrase: Phrase) -> bool:
        """Tell whether the same was asked of the same part: "the cover" again, or "these screws"."""
        earlier = [m.phrase.part for m in [*self._before, *self._now] if m.phrase.offset < phrase.offset]
        # Behind "the front panel", "the panel" is that one, even if the rear panel was asked for.
        part = next((part for part in reversed(earlier) if phrase.part in _names(part)), phrase.part)
        offsets = self._asked.get((action, part), set())
        # "Remove the screw; turn it to loosen", "remove the hose by pinching and pulling it off"
        if action in ("loosen", "open") or (action == "disconnect" and phrase.kind == "line"):
            offsets = offsets | self._asked.get(("remove", phrase.part), set())
        if phrase.offset in self._asked.get((action, phrase.part), set()):
            return True
        if phrase.article == "it":
            return phrase.offset in offsets if phrase.kind == "fastener" else bool(offsets)
        return bool(offsets) and phrase.article in table.POINTING | {"each"} and not phrase.sizes

    def settled(self) -> list[Ask]:
        """Return what is asked, in the order of the text.

        The items of a list stand for its header, unless they add up to another number. What is only told as going on
        meanwhile counts where the part is asked for nowhere else.
        """
        settled: list[Ask] = []
        for ask in self.asks:
            items = self._items.get(ask, [])
            settled += items if items and _adds_up(ask, items) else [ask]
        parts = Counter(ask.phrase.part for ask in settled)
        kept = [ask for ask in settled if not ask.meanwhile or parts[ask.phrase.part] == 1]
        return sorted(kept, key=lambda ask: (ask.start, ask.end))

    # ---- what was named

    def is_threaded(self, phrase: Phrase) -> bool:
        """Tell whether "the plug" is one that is screwed in, such as a drain plug."""
        return phrase.part == "plug" and self._threaded

    def named_before(self, place: int) -> list[Phrase]:
        """Return the parts that this sentence names in front of a place."""
        return [m.phrase for m in self._now if m.phrase.part and m.phrase.end <= place]

    def stands_for(self, pronoun: Phrase, last_object: Phrase | None) -> Phrase | None:
        """Return the part that "it", "them" or "all four" surely stands for; None where that is not sure.

        Args:
            pronoun: Where the sentence has it.
            last_object: What the verb before acted upon, in the same sentence.
        """
        if not pronoun.plural and last_object is not None and not last_object.plural:
            return last_object if last_object.part else None
        earlier = [mention for mention in self._now if mention.phrase.end <= pronoun.start] or self._before
        fitting = [mention for mention in earlier if mention.phrase.plural == pronoun.plural]
        presented = [mention.phrase for mention in fitting if mention.presented and mention.phrase.part]
        # Among several things "them" may be plain by its number, "it" hardly ever.
        rivals = [mention for mention in fitting if mention.phrase.part] if pronoun.plural else earlier
        chosen = presented or [mention.phrase for mention in rivals]
        if len({phrase.part for phrase in chosen}) != 1 or chosen[-1].plural != pronoun.plural:
            return None
        if not chosen[-1].part:
            return None
        return replace(chosen[-1], quantity=pronoun.quantity or chosen[-1].quantity)

    def count_of(self, phrase: Phrase) -> Quantity | None:
        """Return how many "the screws" are that were counted just before; None where that is not sure."""
        named = [
            mention.phrase for mention in [*self._before, *self._now] if phrase.part in _names(mention.phrase.part)
        ]
        counted = [earlier.quantity for earlier in named if earlier.quantity is not None and earlier.plural]
        return counted[0] if len(counted) == 1 else None


def _names(part: str) -> list[str]:
    """Return what a part may be called later: a battery_cable is also a cable."""
    nouns = part.split("_")
    return ["_".join(nouns[start:]) for start in range(len(nouns))]


def _adds_up(header: Ask, items: list[Ask]) -> bool:
    counts = [item.phrase.quantity.at_least for item in items if item.phrase.quantity is not None]
    return header.phrase.quantity is None or header.phrase.quantity.at_least == sum(counts)


def _mentions(tokens: Sequence[Token]) -> Iterator[Mention]:
    place = 0
    while place < len(tokens):
        token = tokens[place]
        opens = token.word in table.DETERMINERS or token.kind in ("number", "size") or token.word in NUMBER_WORDS
        starts = place == 0 and not is_verb_here(tokens, skip_adverbs(tokens, place))
        phrase = read_phrase(tokens, place) if opens or starts else None
        if phrase is not None and phrase.form == "noun" and not _is_means(tokens, phrase):
            behind = {word_at(tokens, phrase.end + step) for step in range(3)}
            presented = word_at(tokens, place - 1) in table.PRESENTING or bool(behind & table.PRESENTED)
            yield Mention(phrase, presented)
        place = max(place + 1, phrase.end if phrase is not None else 0)


def _is_means(tokens: Sequence[Token], phrase: Phrase) -> bool:
    """Tell whether only a means or a place is named: "with a driver", "at the top"; but not "held with two clips"."""
    before = tokens[max(0, phrase.start - 3) : phrase.start]
    held = any(token.word == "held" or is_participle(token.word, "ed") for token in before)
    means = before[-1:] and before[-1].word in ("use", "using", "with") and not held
    side = phrase.part in table.KEPT_SIDES and before[-1:] and before[-1].word in table.PLACING
    return bool(means or side) or tokens[phrase.end - 1].word == "way"
