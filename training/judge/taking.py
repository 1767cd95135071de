"""Takes pictures into a set one after the other, each once, with one answer to each question."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repairai.judge.questions import key, position
from repairai.judge.state_set import PHOTOS, MadeBy, StateExample
from training.detector.photos_in import Names, store
from training.judge.doctor import Seen
from training.judge.met import Met, Row
from training.judge.shown import Answer, Offered, Shown

SMALL_PX = 32
"""Shorter side of a picture under which hardly a state shows."""


@dataclass(frozen=True)
class Taken:
    """One example that has no split yet.

    Args:
        name: Of the picture's file.
        source: What its photo was made from.
        question: As it is asked.
        opposite: The same the other way round.
        answer: To the question.
        split: That it came with; empty for none.
        made_by: Who knew the answer.
        origin: Where it came from, for the person.
    """

    name: str
    source: str
    question: str
    opposite: str
    answer: Answer
    split: str
    made_by: MadeBy
    origin: str


Place = tuple[str, str, object]
"""A picture's identity, a question's key, and which one of several parts it means."""


class Taking:
    """What was taken so far.

    Args:
        place: Folder in which pictures are written.
        before: Examples that are in the set.
        known: By what their pictures are met again.
        there: Folder of their pictures; None where there are none.
    """

    def __init__(self, place: Path, before: Sequence[StateExample], known: Met, there: Path | None) -> None:
        self.place = place
        self.seen = Seen()
        self.answered_anew: dict[tuple[str, str], Answer] = {}
        self._names = Names({path.name for path in there.iterdir()} if there else set())
        self._files: dict[str, str] = {}
        self._rows: dict[str, Row] = {}
        self._taken: dict[Place, Taken] = {}
        self._barred: set[Place] = set()
        self._ways: dict[str, str] = {}
        self._before: dict[Place, StateExample] = {}
        identities = {row.name: row.identity for row in known.rows}
        for each in before:
            self._know(each.question, each.opposite)
            identity = identities.get(each.photo.removeprefix(f"{PHOTOS}/"))
            if identity:
                self._before[_place(identity, each.question)] = each

    @property
    def taken(self) -> tuple[Taken, ...]:
        """Return the examples that are new."""
        return tuple(self._taken.values())

    @property
    def met(self) -> Met:
        """Return by what their pictures are met again."""
        return Met(tuple(self._rows.values()))

    def left(self, offer: Offered) -> None:
        """Remember what a source leaves out by itself, and what it shows otherwise than it was meant."""
        self.seen.whole += offer.whole
        self.seen.left.update({f"{offer.collection}/{name}": why for name, why in offer.left.items()})

    def take(self, collection: str, pictures: Sequence[Shown]) -> bool:
        """Take what a photo shows; return whether anything of it is new."""
        return any([self._take(collection, each) for each in pictures])

    def _take(self, collection: str, each: Shown) -> bool:
        each = self._right_way_round(each)
        place = _place(each.identity, each.question)
        if place in self._barred:
            self.seen.differing.append(each.origin)
            return False
        if place in self._before:
            return self._met_before(place, each)
        first = self._taken.get(place)
        if first is not None:
            if first.answer == each.answer:
                self.seen.doubled.append(each.origin)
                return False
            self.seen.differing += [first.origin, each.origin]
            if each.made_by != "person":  # what a person has said stays, else neither is taken
                if first.made_by != "person":
                    self._barred.add(place)
                    del self._taken[place]
                return False
        name = self._stored(each)
        source = each.source or f"{collection}/{Path(name).stem}"
        self._rows[name] = Row(name, each.identity, source, each.look)
        self._taken[place] = Taken(
            name, source, each.question, each.opposite, each.answer, each.split, each.made_by, each.origin
        )
        if min(each.size_px) < SMALL_PX:
            self.seen.small.append(each.origin)
        return True

    def _met_before(self, place: Place, each: Shown) -> bool:
        """Remember that an example is in the set already; what a person answers now counts more than what is there."""
        old = self._before[place]
        now = self.answered_anew.get((old.photo, old.question), old.answer)
        if now == each.answer:
            self.seen.doubled.append(each.origin)
        elif each.made_by == "person":
            self.answered_anew[old.photo, old.question] = each.answer
        else:
            self.seen.differing.append(each.origin)
        return False

    def _stored(self, each: Shown) -> str:
        """Write a picture, where its very bytes were not written before; return its name."""
        digest = hashlib.sha256(each.identity.encode() + each.content).hexdigest()
        if digest not in self._files:
            name = self._names.give(each.origin, each.suffix)
            store(self.place, name, each.content)
            self._files[digest] = name
        return self._files[digest]

    def _know(self, question: str, opposite: str) -> None:
        """Remember which way round a question is asked in this set."""
        one, other = key(question), key(opposite)
        if one not in self._ways and other not in self._ways:
            self._ways[one], self._ways[other] = one, one

    def _right_way_round(self, each: Shown) -> Shown:
        """Return an example asked the way round in which the set asks it, with the answer that goes with it."""
        self._know(each.question, each.opposite)
        if self._ways.get(key(each.question), key(each.question)) == key(each.question):
            return each
        return Shown(
            each.origin, each.identity, each.content, each.suffix, each.size_px, each.source, each.look,
            each.opposite, each.question, "no" if each.answer == "yes" else "yes", each.split, each.made_by,
        )  # fmt: skip


def _place(identity: str, question: str) -> Place:
    return identity, key(question), position(question)
