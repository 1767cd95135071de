"""How people ask about a guide: its title, device and part in other words.

Titles are written by many hands: "Keurig B60 Pump Replacement", "How to Patch Jeans", "Disassembling Mercedes W123 Kick
Panel", "FAKIR 1800 ECO". Where a title and a part say plainly what is done with what, it is asked in many ways; where
they do not, the title itself is asked for, so that no question reads "How do I replace the of my Clothing?".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from repairai.schema import Guide
from training.sop.split import normalised

_DONE = {
    "replacement": ("replace", "replacement"),
    "replacing": ("replace", "replacement"),
    "removal": ("remove", "removal"),
    "removing": ("remove", "removal"),
    "disassembly": ("take apart", "disassembly"),
    "disassembling": ("take apart", "disassembly"),
    "teardown": ("take apart", "teardown"),
    "cleaning": ("clean", "cleaning"),
    "installation": ("install", "installation"),
    "repair": ("repair", "repair"),
    "change": ("change", "change"),
}
"""A title's last or first word -> what is done, as a verb and as a noun."""
_DONE_WITH_ALL = ("take apart", "clean")
_SMALL = frozenset({"a", "an", "the", "of", "and", "or", "for", "repair"})
"""Words of a device's name that name nothing: "Shark Navigator Repair"."""
_NOT_A_PART = re.compile(
    r"\b(replac\w*|remov\w*|install\w*|repair\w*|disassembl\w*|teardown|guide|how|chang\w+|clean\w*|upgrad\w*|fix\w*"
    r"|open\w*|adding|add|mod|part|technique|the|most|without|not|on|to|using|for|with|your|a)\b",
    re.IGNORECASE,
)
"""Words that no name of a part holds: a subject with one of them is a sentence of its own."""
_WORDS_OF_PART = 5
_PART = (
    "How do I {verb} the {part} of my {device}?",
    "How do I {verb} the {part} on my {device}?",
    "How can I {verb} the {part} in my {device}?",
    "How do you {verb} the {part} of {a_device}?",
    "I want to {verb} the {part} of my {device}. How do I do it?",
    "What are the steps to {verb} the {part} of {a_device}?",
    "What do I have to do to {verb} the {part} of my {device}?",
    "{device}: how do I {verb} the {part}?",
    "{device} {part} {noun}",
    "{part} {noun} {device}",
)
_WHOLE = (
    "How do I {verb} my {device}?",
    "How do you {verb} {a_device}?",
    "What are the steps to {verb} my {device}?",
    "I want to {verb} my {device}. How do I do it?",
    "{device} {noun}",
)
_TITLE = (
    "{title}: how do I do that?",
    'What are the steps of "{title}"?',
    "Show me how it is done: {title}.",
    "I need instructions: {title}.",
    "{title}",
)
_DOING = ("How do I go about {rest}?", "What are the steps for {rest}?", "I need help with {rest}.", "{title}")
_HOW_TO = ("How do I {rest}?", "How can I {rest}?", "I want to {rest}. What do I do?", "{title}")
_TOOLS = (
    "Which tools do I need for this: {title}?",
    'What tools are needed for "{title}"?',
    "{title}: which tools do I need?",
)
_TOOLS_WHOLE = (
    "Which tools do I need to {verb} my {device}?",
    "What tools does it take to {verb} {a_device}?",
    "{device} {noun} tools",
)
_TOOLS_PART = (
    "Which tools do I need to {verb} the {part} of my {device}?",
    "What tools does it take to {verb} the {part} of {a_device}?",
    "I want to {verb} the {part} of my {device}. What tools do I need?",
    "{device} {part} {noun} tools",
)
_NEXT = (
    "I have done step [{number}]. What comes next?",
    "Step [{number}] is done. What now?",
    "I have just finished step [{number}]. What do I do next?",
    "What comes after step [{number}]?",
    "I am done with [{number}]. And now?",
)
_SAID_LETTER_BY_LETTER = frozenset("AEFHILMNORSX")


@dataclass(frozen=True)
class Job:
    """What is done with which part of which device.

    Args:
        verb: "take apart".
        noun: "disassembly".
        part: "front brake caliper"; empty for the whole device.
        device: As its guide names it.
    """

    verb: str
    noun: str
    part: str
    device: str


def job_of(guide: Guide) -> Job | None:
    """Return what a guide is for; None where its title does not say it plainly.

    Plain is a device, a part and what is done: "Mercedes W123 Brake Caliper, Front Replacement". What stands between
    the device and the subject that the source gives is the model: "Dodge Ram 1500 Headlight Replacement".
    """
    words, device = guide.title.split(), guide.device.removesuffix(" Repair").split()
    done, named = _DONE.get(words[-1].lower().strip(".!?")), words[:-1]
    if done is None and words[0].lower().endswith("ing"):
        done, named = _DONE.get(words[0].lower()), words[1:]
    if done is None or not device or _plain(named[: len(device)]) != _plain(device):
        return None
    part, subject = named[len(device) :], guide.subject.split()
    if subject and len(subject) < len(part) and _plain(part[-len(subject) :]) == _plain(subject):
        device, part = named[: -len(subject)], subject
    name = _part(part)
    # "Dyson DC39 Origin Replacement" leaves out what is replaced.
    plain = bool(name) if part else done[0] in _DONE_WITH_ALL
    return Job(*done, name, " ".join(device)) if plain else None


def how_to(guide: Guide, rng: Random) -> str:
    """Return a question for how a guide's work is done."""
    job = job_of(guide)
    question = _asked(_PART if job.part else _WHOLE, job, rng) if job else _of_title(guide, rng)
    return _sloppily(question, rng)


def which_tools(guide: Guide, rng: Random) -> str:
    """Return a question for a guide's tools."""
    job = job_of(guide)
    if job:
        return _asked(_TOOLS_PART if job.part else _TOOLS_WHOLE, job, rng)
    return rng.choice(_TOOLS).format(title=_with_device(guide))


def what_next(number: int, rng: Random) -> str:
    """Return a question for what comes after a passage."""
    return rng.choice(_NEXT).format(number=number)


def _of_title(guide: Guide, rng: Random) -> str:
    """Return the title as a question."""
    title = _bare(guide.title)
    begun = title.lower()
    if guide.title.rstrip().endswith("?"):
        question = f"{title}?"
    elif begun.startswith("how to ") and len(title.split()) > 2:
        question = rng.choice(_HOW_TO).format(rest=_begun_small(title[len("how to ") :]), title=title)
    elif _DOES.match(begun):
        question = rng.choice(_DOING).format(rest=_begun_small(title), title=title)
    else:
        return rng.choice(_TITLE).format(title=_with_device(guide))
    return question if _names_device(guide) else f"{guide.device}: {question}"


_DOES = re.compile(
    r"(add|adjust|apply|attach|bleed|build|chang|check|clean|clos|convert|creat|cutt|desolder|detect|diagnos|disassembl"
    r"|dry|find|fix|flush|glu|hemm|install|jump|mak|open|patch|perform|prepar|prevent|reassembl|reattach|recharg|remov"
    r"|recondition|reinstall|remount|repair|replac|reset|resett|restor|sew|shorten|solder|splic|test|troubleshoot|turn"
    r"|unclogg|upgrad|us|wash|waterproof|wir)ing\b.* "
)
"""A title that tells of doing something; "Ring Doorbell" and "Heating Element" tell of none."""


def _names_device(guide: Guide) -> bool:
    """Return whether a title names its device well enough; "Back Plate Removal" fits a hundred devices."""
    device = _words(guide.device) - _SMALL
    plain = len(device) < 2 and not any(sign.isdigit() for sign in guide.device)  # "Shoe", "Refrigerator"
    return plain or 2 * len(device & _words(guide.title)) >= len(device)


def _with_device(guide: Guide) -> str:
    title = _bare(guide.title)
    return title if _names_device(guide) else f"{title} ({guide.device})"


def _asked(ways: tuple[str, ...], job: Job, rng: Random) -> str:
    fitting = [way for way in ways if "{a_device}" not in way or _can_be_counted(job.device)]
    way = rng.choice(fitting)
    text = way.format(verb=job.verb, noun=job.noun, part=job.part, device=job.device, a_device=_a(job.device))
    return text[0].upper() + text[1:] if way.startswith("{part}") else text


def _plain(words: list[str]) -> str:
    return normalised(" ".join(words))


def _words(text: str) -> set[str]:
    return set(normalised(text).split())


def _sloppily(question: str, rng: Random) -> str:
    """Return one question in eight as people type it in haste."""
    return question.lower().rstrip("?.").replace('"', "") if rng.random() < 1 / 8 else question


def _part(words: list[str]) -> str:
    """Return the name of a part as it stands within a sentence; empty where words are no such name."""
    text = " ".join(words)
    main, comma, kind = text.partition(", ")
    if comma and "," not in kind and "(" not in text:
        text = f"{kind} {main}"  # "Brake Caliper, Front"
    named = text.split()
    if (
        not named
        or len(named) > _WORDS_OF_PART
        or _NOT_A_PART.search(text)
        or not re.fullmatch(r"[A-Za-z-]+", named[0])
    ):
        return ""
    # A part's name is written small, but for what is no word: LCD, RAM, SATA.
    return " ".join(word.lower() if word.istitle() else word for word in named)


def _bare(title: str) -> str:
    return " ".join(title.split()).rstrip(".!? ")


def _begun_small(words: str) -> str:
    first = words.split()[0]
    return words if not first.istitle() else words[0].lower() + words[1:]


def _can_be_counted(device: str) -> bool:
    """Return whether "a" fits before a device's name: "a Patagonia Jeans" is nothing that anyone says."""
    last = device.split()[-1].lower()
    return not last.endswith(("s", "ing"))


def _a(device: str) -> str:
    first = device.split()[0]
    spelled = first.isupper() and len(first) <= 3 and first[0] in _SAID_LETTER_BY_LETTER
    vowel = first[0].lower() in "aeio" or (first[0].lower() == "u" and not first.lower().startswith(("uni", "us")))
    return f"{'an' if spelled or vowel else 'a'} {device}"
