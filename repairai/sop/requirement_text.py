"""Requirements as a person types them: "4 screw", "removed 2+ screw", "Is it open? yes / Is it closed?"."""

from __future__ import annotations

import json
import re

from repairai.errors import RepairError
from repairai.schema import Change, Count, Requirement, State
from repairai.sop.grammar.nouns import singular
from repairai.sop.grammar.quantities import NUMBER_WORDS

_N = r"(\d{1,18}|[a-z]+(?:-[a-z]+)?)"
_QUANTITIES = tuple(
    (re.compile(pattern + r"(?:\s*[x×](?=\s)|(?![\w-]))\s*(.*)", re.DOTALL | re.IGNORECASE), kind)
    for pattern, kind in (
        (rf"(?:at\s+least|no\s+fewer\s+than|>=|≥)\s*{_N}", "least"),
        (rf"(?:at\s+most|no\s+more\s+than|up\s+to|<=|≤)\s*{_N}", "most"),
        (rf"between\s+{_N}\s+and\s+{_N}", "range"),
        (r"(\d{1,18})\s*[-–]\s*(\d{1,18})", "range"),
        (rf"{_N}\s+(?:to|or)\s+{_N}", "range"),
        (rf"{_N}\s*(?:\+|\bor\s+more\b)", "least"),
        (rf"(?:exactly\s+|=\s*)?{_N}", "exact"),
    )
)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_QUESTION = rf'({_QUOTED}|[^"?/\n]+\?)'
_STATE = re.compile(rf"\s*{_QUESTION}\s*(yes|no)\s*/\s*{_QUESTION}\s*", re.IGNORECASE)
_CHANGE = re.compile(r"\s*(removed|added)\b\s*(.*)", re.DOTALL | re.IGNORECASE)
_LONGEST = 2000
_EXAMPLES = (
    'write for example "4 screw", "at least 2 battery", "removed 4 screw" or '
    '"Is the latch open? yes / Is the latch closed?"'
)


def read_requirement(text: str) -> Requirement:
    """Return the requirement that a person typed.

    Reads "4 screw", "four screws", "no screw", "2-4 screw", "2+ battery", "at most 3 screw", "removed 4 screw", and a
    question with its answer and its opposite. Plurals and numbers in words are forgiven; a name in double quotes is
    taken as it is.

    Raises:
        RepairError: It is none of these; the message says why and shows examples.
    """
    if len(text) > _LONGEST:
        raise _not_read(text, f"it has more than {_LONGEST} characters")
    state = _STATE.fullmatch(text)
    if state is not None:
        question, expected, opposite = _unquoted(state[1], text), state[2].lower(), _unquoted(state[3], text)
        if not (question.endswith("?") and opposite.endswith("?")):
            raise _not_read(text, "a question ends in '?'")
        return State(question, "yes" if expected == "yes" else "no", opposite)
    if "?" in text and '"' not in text:
        asked = any(letter.isalpha() for letter in text.partition("?")[0])
        raise _not_read(text, "a question needs its answer and its opposite" if asked else "the question is empty")
    change = _CHANGE.fullmatch(text)
    (least, most), part = _read_count(change[2] if change else text.strip(), text)
    if most is not None and most < least:
        raise _not_read(text, f"{least} is more than {most}")
    if change is None:
        return Count(part, least, most)
    if least < 1:
        raise _not_read(text, "a change is at least 1")
    return Change(part, "removed" if change[1].lower() == "removed" else "added", least, most)


def write_requirement(requirement: Requirement) -> str:
    """Return what `read_requirement` reads as this requirement."""
    if isinstance(requirement, State):
        question, opposite = _quoted_question(requirement.question), _quoted_question(requirement.opposite)
        return f"{question} {requirement.expected} / {opposite}"
    least, most = requirement.at_least, requirement.at_most
    if most is None:
        amount = f"{least}+"
    elif least == most:
        amount = str(least)
    else:
        amount = f"at most {most}" if least == 0 else f"{least}-{most}"
    part = requirement.part if _as_part(requirement.part) == requirement.part else json.dumps(requirement.part)
    direction = f"{requirement.direction} " if isinstance(requirement, Change) else ""
    return f"{direction}{amount} {part}"


def _read_count(said: str, text: str) -> tuple[tuple[int, int | None], str]:
    """Return the bounds and the part of "2-4 screw"; `text` is what the person typed, for the message."""
    for pattern, kind in _QUANTITIES:
        found = pattern.fullmatch(said)
        numbers = [_number(number) for number in found.groups()[:-1]] if found else []
        if found is None or None in numbers:
            continue
        known = [number for number in numbers if number is not None]
        bounds = {
            "least": (known[0], None),
            "most": (0, known[0]),
            "range": (known[0], known[-1]),
            "exact": (known[0], known[0]),
        }[kind]
        named = found.groups()[-1].strip()
        part = _unquoted(named, text) if named.startswith('"') else _as_part(named)
        if not part:
            raise _not_read(text, "it does not say which part")
        return bounds, part
    raise _not_read(text, "it does not begin with a number")


def _number(word: str) -> int | None:
    if word.isdigit():
        return int(word)
    return 0 if word.lower() in ("no", "zero") else NUMBER_WORDS.get(word.lower())


def _as_part(name: str) -> str:
    """Return a name in snake_case and in the singular; empty where it is no name."""
    words = re.split(r"[\s_-]+", name.strip().lower())
    if not all(word.isalnum() for word in words) or words[0][0].isdigit():
        return ""
    return "_".join([*words[:-1], singular(words[-1])])


def _quoted_question(question: str) -> str:
    plain = re.fullmatch(r'[^"?/\n]+\?', question) and question == question.strip()
    return question if plain else json.dumps(question)


def _unquoted(said: str, text: str) -> str:
    if not said.startswith('"'):
        return said.strip()
    try:
        return str(json.loads(said))
    except json.JSONDecodeError:
        raise _not_read(text, "its quotes do not close") from None


def _not_read(text: str, why: str) -> RepairError:
    shown = " ".join(text.split())
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return RepairError(f"'{shown}' is no requirement: {why}", _EXAMPLES)
