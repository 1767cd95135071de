"""What a question of state asks: which part, at which place, whether a photo can show it, and its opposite.

A question is plain English that yes or no answers: "Is the top-left screw in place?". Everything here reads its words
and nothing else, so that the same question means the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from repairai.judge import question_words as table

Place = tuple[float | None, float | None]
"""Where a part lies among others of its kind, as shares of their width and height: (0, 0) is the top left. None where
the question does not say: (0, None) is the left one."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_OPPOSITE: dict[str, str] = {}
for _one, _other in table.OPPOSITES:
    _OPPOSITE.setdefault(_one, _other)
for _one, _other in table.OPPOSITES:
    _OPPOSITE.setdefault(_other, _one)
_LONGEST = max(len(phrase.split()) for phrase in _OPPOSITE)
_TOWARDS = {"connected": ("from", "to"), "attached": ("from", "to"),
            "disconnected": ("to", "from"), "detached": ("to", "from")}  # fmt: skip
"""What a word of direction becomes behind a state: connected to, disconnected from."""


def key(question: str) -> str:
    """Return what tells questions apart: lower case, without articles, numbers, words of place and of emphasis.

    "Is the top-left screw still in place?" and "Is screw 3 in place?" are asked alike, of two regions.
    """
    words = _words(question)
    placed = _place_words(words)
    kept = [
        word
        for at, word in enumerate(words)
        if at not in placed
        and word not in table.ARTICLES
        and word not in table.ADVERBS
        and word not in table.NUMBERS
        and not word.isdigit()
    ]
    if "been" in kept and kept[0] in ("has", "have", "had"):
        kept = ["are" if kept[0] == "have" else "is", *(word for word in kept[1:] if word != "been")]
    return " ".join(kept)


def position(question: str) -> Place | None:
    """Return which one of several parts is meant: (0, 0) for the top left, (1, None) for the right; None for no one."""
    words = _words(question)
    across: float | None = None
    down: float | None = None
    for at in sorted(_place_words(words)):
        side = table.SIDES.get(words[at])
        if side is None:
            continue
        if side == (0.5, 0.5):  # "middle left" is left, half way down
            across, down = (0.5 if across is None else across), (0.5 if down is None else down)
        elif side[0] is not None:
            across = side[0]
        else:
            across, down = (None if across == 0.5 and down == 0.5 else across), side[1]
            across = 0.5 if "middle" in words[at + 1 : at + 2] or "middle" in words[max(0, at - 1) : at] else across
    return None if across is None and down is None else (across, down)


def labels_for(question: str, labels: Iterable[str]) -> tuple[str, ...]:
    """Return which of a detector's labels a question is about, in their order; none where it knows no such part.

    The last noun of the part decides: "the battery connector" is about `plugged_connector` and `unplugged_connector`,
    and about `fan_connector` it is not.
    """
    subject, known = _subject(_words(question)), tuple(labels)
    found = _named(subject, known) if subject else ()
    if not found and _may_be_a_state(subject):
        return _named(subject[:-1], known)
    return found


def several(question: str) -> bool:
    """Tell whether a question is about all of a kind together: "Are the screws in place?", "Is any latch open?"."""
    return not table.SEVERAL.isdisjoint(_words(question)[:2])


def presence(question: str) -> bool:
    """Tell whether a question asks if a part is there at all or where it lies, and not how it is."""
    words = _words(question)
    found = _state(words)
    if found is None:
        placed = _place_words(words)
        name = set(_name(words))
        rest = [word for at, word in enumerate(words) if at and at not in placed and word not in name]
        return any(word in table.BEFORE_PLACES for word in rest[:3])
    return found[2] in table.PRESENCE or "there" in words[1:2]


def observable(question: str) -> str:
    """Return why no photo can answer a question, as a clause: "no photo shows how tight something is"; else nothing."""
    words = _words(question)
    if not any(word not in table.AUXILIARIES and word not in table.ARTICLES for word in words):
        return "the question is empty"
    if words[0] in table.ASKS_MORE:
        return "yes or no does not answer it"
    if words[1:2] == ["there"] and any(word.isdigit() or word in table.NUMBERS for word in words[2:4]):
        return "numbers are counted, not asked for"
    for word in _name(words)[:-1]:  # the charging port, the hot air vent
        words.remove(word)
    if words[1:3] == ["you", "see"]:
        words.remove("you")
    for asked, what in table.UNSEEN:
        if not asked.isdisjoint(words):
            return f"no photo shows {what}"
    return ""


def opposite_of(question: str) -> str:
    """Return the same question the other way round, as a proposal; empty where none is known.

    "Has the battery been removed?" gives "Is the battery in place?".
    """
    said = " ".join(question.split()).rstrip("?").strip()
    spelt = re.findall(r"[\w'-]+|[^\w\s]", said)
    words = [word.lower() for word in spelt]
    if not words or words[0] not in table.AUXILIARIES or words[0].endswith("n't") or {"and", "or"} & set(words):
        return ""  # of two states, the opposite of one is not that of both
    if "not" in words:
        at = words.index("not")
        return _asked([*spelt[:at], *spelt[at + 1 :]])
    if words[1:2] == ["there"]:
        return _there(spelt)
    found = _state(words)
    if found is None or found[2] not in _OPPOSITE:
        return ""
    start, end, state = found
    other = _OPPOSITE[state]
    head = _of_every(word for word in spelt[:start] if word.lower() not in table.ADVERBS)
    if words[0] in ("has", "have", "had"):
        if head[-1].lower() != "been":
            return ""
        head = [("Are" if words[0] == "have" else "Is"), *head[1:-1]]
    return _asked([*head, *other.split(), *_behind(other, state, spelt[end:])])


def completed(text: str) -> str:
    """Return a requirement with the opposite of its question where it was typed without and one is known.

    "Is the latch open?" becomes "Is the latch open? yes / Is the latch closed?"; anything else stays as it is.
    """
    alone = re.fullmatch(r"\s*([^\"?/\n]*[^\"?/\s])\s*\?\s*(yes|no)?\s*", text, re.IGNORECASE)
    other = opposite_of(f"{alone[1]}?") if alone else ""
    return f"{alone[1]}? {(alone[2] or 'yes').lower()} / {other}" if alone and other else text


# ---- the words of a question


def _words(question: str) -> list[str]:
    """Return a question's words in lower case; "top-left" and "upperleft" are two."""
    return _WORD.findall(question.lower().replace("left-hand", "lefthand").replace("right-hand", "righthand"))


def _place_words(words: Sequence[str]) -> frozenset[int]:
    """Return which words say at which place a part lies, and neither name it nor say how it is."""
    found: set[int] = set()
    start = 0
    while start < len(words):
        end = start
        while end < len(words) and words[end] in table.SIDES:
            end += 1
        if end > start:
            found.update(_placed(words, start, end))
        start = end + 1
    return frozenset(found)


def _placed(words: Sequence[str], start: int, end: int) -> list[int]:
    """Return which words a run of words of place takes up; none where they name a part or are about another one."""
    behind = words[end] if end < len(words) else ""
    names = behind and behind not in table.ENDS_SUBJECT and behind not in table.STATE_WORDS
    run = list(range(start, end))
    if start >= 2 and words[start - 1] in ("the", "its") and words[start - 2] in table.BEFORE_PLACES:
        # "on the left", "in the top left corner", but not "on the left pulley", which is another part.
        if behind == "of" or (names and behind not in table.PLACES):
            return []
        return [*run, *([start - 2] if not names or behind in table.NO_PART else []),
                *([end] if behind in table.NO_PART else [])]  # fmt: skip
    return run if len(run) > 1 or (names and not _names_by_side(words[end:])) else []


def _names_by_side(behind: Sequence[str]) -> bool:
    """Tell whether the noun that follows a single word of place is named by it: "top cover"."""
    subject = _until_end(behind)
    return bool(subject) and _singular(subject[-1]) in table.NAMED_BY_SIDE and len(subject) <= 2


def _subject(words: Sequence[str]) -> list[str]:
    """Return the nouns, in the singular, of the part that a question is about: ["battery", "connector"]."""
    return [_singular(word.removesuffix("'s")) for word in _name(words)]


def _name(words: Sequence[str]) -> list[str]:
    """Return the words of the part that a question is about."""
    placed = _place_words(words)
    rest = [word for at, word in enumerate(words) if at not in placed]
    while rest and (rest[0] in table.AUXILIARIES or rest[0] in table.ARTICLES or rest[0] in table.SHOWN):
        rest = rest[1:]
    return _until_end(rest)


def _until_end(words: Sequence[str]) -> list[str]:
    """Return the words of a name up to where it ends."""
    found: list[str] = []
    for word in words:
        if word in table.NUMBERS or word.isdigit():
            continue
        if word in table.ARTICLES or word in table.ADVERBS or word in table.SEVERAL:
            if found:
                break
            continue
        if word in table.ENDS_SUBJECT or (found and (word in table.STATE_WORDS or word in ("left", "right"))):
            break
        found.append(word)
    return found


def _may_be_a_state(subject: Sequence[str]) -> bool:
    """Tell whether the last word of a name may be a state that is not known: "is the lid crooked"."""
    return len(subject) > 1 and subject[-1].endswith(("ed", "en", "y", "ing"))


def _named(subject: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that a chain of nouns names, those alone that say the most of it."""
    fitting: dict[str, int] = {}
    for label in labels:
        *modifiers, head = [_singular(word) for word in label.lower().split("_")]
        telling = [word for word in modifiers if word not in table.STATE_WORDS]
        if head == subject[-1] and (len(subject) == 1 or set(telling) <= set(subject[:-1])):
            fitting[label] = len(telling) if len(subject) > 1 else 0
    most = max(fitting.values(), default=0)
    return tuple(label for label, telling in fitting.items() if telling == most)


def _singular(word: str) -> str:
    """Return a noun in the singular, as far as its letters tell."""
    if word in ("batteries", "assemblies", "bodies", "displays") or (word.endswith("ies") and len(word) > 4):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _state(words: Sequence[str]) -> tuple[int, int, str] | None:
    """Return where the state of a question begins and ends, and which one it is; the last one that it names."""
    end = len(words)
    for start in range(len(words) - 1, 0, -1):
        for length in range(min(_LONGEST, end - start), 0, -1):
            phrase = " ".join(words[start : start + length])
            whole = start + length == end
            if (phrase in _OPPOSITE or phrase in table.PRESENCE) and (whole or phrase not in table.LAST_ONLY):
                # Of "plugged in" or "stuck down", the last word alone is no state.
                if length > 1 or words[start - 1] not in table.STATE_WORDS or phrase not in table.LAST_ONLY:
                    return start, start + length, phrase
                break
    return None


def _there(spelt: Sequence[str]) -> str:
    """Return the opposite of "Is there a screw in the hole?"."""
    rest = list(spelt[2:])
    if rest and rest[0].lower() == "no":
        return _asked([*spelt[:2], "a" if spelt[0].lower() == "is" else "any", *rest[1:]])
    if rest and rest[0].lower() in ("a", "an", "any", "the", "still"):
        rest = [
            word for at, word in enumerate(rest) if at > 1 or word.lower() not in ("a", "an", "any", "the", "still")
        ]
    return _asked([*spelt[:2], "no", *rest])


def _of_every(words: Iterable[str]) -> list[str]:
    """Return the first half of a question with "any" for "every", and the other way round."""
    found = [table.EVERY_OR_ANY.get(word.lower(), word) for word in words]
    if found[1:2] == ["all"]:
        found[1:2] = ["any"] if found[2:3] == ["of"] or "the" not in found[2:3] else ["any", "of"]
    elif found[1:2] == ["every"] and found[0].lower() == "are":
        found[1] = "all"
    return found


def _behind(other: str, state: str, rest: Sequence[str]) -> list[str]:
    """Return what stands behind the opposite state of what stood behind the state."""
    if not rest:
        return []
    first = rest[0].lower()
    if first in ("from", "to", "into", "out"):
        was, becomes = _TOWARDS.get(other, ("", ""))
        if first == was:
            return [becomes, *rest[1:]]
        return [] if state in table.PRESENCE or other in table.PRESENCE else list(rest)
    return list(rest)


def _asked(words: Sequence[str]) -> str:
    return re.sub(r"\s+([,;:])", r"\1", " ".join(words)) + "?"
