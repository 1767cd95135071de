"""Which side of the split a device is on, and what must not stand on two of them.

A device is wholly on one side: `train`, `val` (judged while training) or `exam` (judged before and after). Its name
alone decides, so a device stays where it is when others come. Guides copy steps from each other; a step whose words
stand on two sides stays on the one that comes first of: the person's fixed exam, train, exam, val. On the others it is
dropped, and what stood before and behind it is never told as if it were one piece.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

from repairai.sop.prompts import read_answer
from training.sop.examples import Example

Side = Literal["train", "val", "exam"]
SIDES: tuple[Side, ...] = get_args(Side)
BY_SIZE: tuple[Side, ...] = ("train", "exam", "val")
VAL, EXAM = 0.05, 0.10
"""Shares of the devices."""
FEWEST = 3
"""Devices that can be split; with fewer, guides are split instead."""
SHINGLE_WORDS = 5
NEAR = 0.8
"""A text is a near duplicate when so much of its runs of five words stands in one text of another side."""
_SHORTEST_WORDS = 12
"""Of a text that can be a near duplicate: short ones are alike by chance."""
_FEWEST_SAID = 5
"""Words of a turn of a chat that count as told: "Yes, please." may stand anywhere."""
_PASSAGE = re.compile(r"^\[\d+\] (.*)$", re.MULTILINE)
_SIGNS = re.compile(r"[^\W_]+")


def normalised(text: str) -> str:
    """Return the letters and digits of a text in lower case, words parted by single spaces."""
    return " ".join(_SIGNS.findall(text.lower()))


def key_of(example: Example) -> str:
    """Return what decides an example's side: its device, else its guide, else how its conversation begins."""
    first = next((message["content"] for message in example.messages if message["role"] == "user"), "")
    return normalised(example.device) or normalised(example.guide_id) or normalised(first)


# ---- the sides


def place_of(key: str) -> float:
    """Return where in [0, 1) a key falls; the same everywhere and always."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64


def split(keys: Iterable[str], held: frozenset[str] = frozenset()) -> dict[str, Side]:
    """Return the side of each key.

    Where chance leaves a side without any, one crosses over from the side that has most: train is filled first, then
    exam, then val.

    Args:
        keys: Of devices or guides.
        held: Keys of the person's fixed exam: on the side `exam`, wherever they fall.
    """
    ranked = sorted(set(keys), key=lambda key: (place_of(key), key))
    sides: dict[str, Side] = {key: "exam" if key in held else _fallen(place_of(key)) for key in ranked}
    free = [key for key in ranked if key not in held]
    for wanted in BY_SIZE:
        if wanted in sides.values() or not free:
            continue
        most = max(SIDES, key=lambda side: sum(sides[key] == side for key in free))
        spare = [key for key in free if sides[key] == most]
        if len(spare) > 1 or wanted == "train":
            sides[spare[-1 if wanted == "train" else 0]] = wanted
    return sides


def _fallen(place: float) -> Side:
    if place < VAL:
        return "val"
    return "exam" if place < VAL + EXAM else "train"


def claims(texts: Mapping[Side, Iterable[str]], held: frozenset[str] = frozenset()) -> dict[str, Side]:
    """Return, for each text that stands on more than one side, the side that keeps it.

    Args:
        texts: Of each side, normalised.
        held: Texts of the person's fixed exam: they stay on the side `exam`.
    """
    where: dict[str, set[Side]] = defaultdict(set)
    for side, found in texts.items():
        for text in found:
            where[text].add(side)
    kept: dict[str, Side] = {
        text: next(side for side in BY_SIZE if side in on) for text, on in where.items() if len(on) > 1
    }
    return kept | {text: "exam" for text in held if where.get(text, set()) - {"exam"}}


# ---- what stands in examples


def texts_of(example: Example) -> frozenset[str]:
    """Return what an example tells, normalised: steps in its prompt and its answer, or the turns of a chat.

    It reads the words themselves, and not what the example says of where they come from, so that it can judge that.
    """
    if example.task == "chat":
        said = [message["content"] for message in example.messages if message["role"] != "system"]
        return frozenset(text for text in map(normalised, said) if text.count(" ") >= _FEWEST_SAID - 1)
    asked = "\n".join(message["content"] for message in example.prompt if message["role"] == "user")
    if example.task == "requirements":
        return frozenset({normalised(asked)})
    found = _PASSAGE.findall(asked)
    if example.task == "how_to":
        found += [line.text for line in read_answer(example.answer).lines]
    return frozenset(filter(None, map(normalised, found)))


def guides_of(example: Example) -> frozenset[str]:
    """Return the guides that an example was made from or shows."""
    return frozenset({example.guide_id, *(guide for guide, _ in example.passages)} - {""})


def without_copies(examples: Iterable[Example]) -> tuple[list[Example], int]:
    """Return the examples without exact copies of their words, in order, and how many copies there were."""
    found: dict[str, Example] = {}
    n_all = 0
    for example in examples:
        n_all += 1
        words = "\n".join(f"{message['role']}: {message['content']}" for message in example.messages)
        found.setdefault(words, example)
    return list(found.values()), n_all - len(found)


def without_leaks(
    sides: Mapping[Side, Sequence[Example]], held: frozenset[str] = frozenset()
) -> tuple[dict[Side, list[Example]], dict[Side, int]]:
    """Return the sides without examples that tell what another side keeps, and how many each side lost.

    Args:
        sides: Examples of each side.
        held: Texts of the person's fixed exam, normalised.
    """
    told = {side: [texts_of(example) for example in sides[side]] for side in sides}
    kept = claims({side: frozenset().union(*texts) for side, texts in told.items()}, held)
    left: dict[Side, list[Example]] = {}
    for side, examples in sides.items():
        pairs = zip(examples, told[side], strict=True)
        left[side] = [example for example, texts in pairs if all(kept.get(text, side) == side for text in texts)]
    return left, {side: len(sides[side]) - len(left[side]) for side in sides}


@dataclass(frozen=True)
class Leak:
    """Something that stands on two sides.

    Args:
        kind: What it is.
        name: The device, the guide, or the text itself.
        sides: The two.
    """

    kind: Literal["device", "guide", "text"]
    name: str
    sides: tuple[Side, Side]


def leaks(sides: Mapping[Side, Iterable[Example]], by_device: bool = True) -> list[Leak]:
    """Return every device, guide and text that stands on two sides; none where the split is sound.

    Args:
        sides: Examples of each side.
        by_device: Whether a device on two sides is a leak; it is none where there were too few to split by.
    """
    held: dict[Side, dict[str, set[str]]] = {}
    for side, examples in sides.items():
        found: dict[str, set[str]] = {"device": set(), "guide": set(), "text": set()}
        for example in examples:
            found["device"] |= {normalised(example.device)} - {""}
            found["guide"] |= guides_of(example)
            found["text"] |= texts_of(example)
        held[side] = found
    return [
        Leak(kind, name, (one, other))
        for one, other in combinations(held, 2)
        for kind in (("device", "guide", "text") if by_device else ("guide", "text"))
        for name in sorted(held[one][kind] & held[other][kind])
    ]


# ---- near duplicates


@dataclass(frozen=True)
class NearCopy:
    """A text of val or exam that stands in train in almost the same words.

    Args:
        side: Where it stands.
        text: The text, normalised.
        like: The one in train.
        score: The share of its runs of five words that stand in the other too.
    """

    side: Side
    text: str
    like: str
    score: float


def near_copies(texts: Mapping[Side, Iterable[str]]) -> list[NearCopy]:
    """Return the texts of val and exam that have a near duplicate in train, most alike first.

    Args:
        texts: Of each side, normalised. Only those of at least twelve words are compared.
    """
    train = [text for text in sorted(set(texts.get("train", ()))) if _long(text)]
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, text in enumerate(train):
        for shingle in _shingles(text):
            index[shingle].append(number)
    found = []
    for side in ("val", "exam"):
        for text in filter(_long, sorted(set(texts.get(side, ())))):
            shingles = _shingles(text)
            shared = Counter(number for shingle in shingles for number in index.get(shingle, ()))
            best, n_shared = max(shared.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
            if n_shared >= NEAR * len(shingles):
                found.append(NearCopy(side, text, train[best], round(n_shared / len(shingles), 3)))
    return sorted(found, key=lambda copy: (-copy.score, copy.side, copy.text))


def _long(text: str) -> bool:
    return text.count(" ") >= _SHORTEST_WORDS - 1


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[start : start + SHINGLE_WORDS]) for start in range(len(words) - SHINGLE_WORDS + 1)}
