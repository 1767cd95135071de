"""What the SOP agent is asked and how it answers: the same words in training, in its exam and at the bench."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from repairai.schema import Guide, Line, Step

SYSTEM = (
    "You help people repair things. Answer only from the numbered steps that you are given, and name the step behind "
    "each sentence, as [1]. Keep their order, counts, sizes, tools and warnings. "
    "If they do not answer the question, say: I have no guide for that."
)
REQUIREMENTS_SYSTEM = (
    "You read steps of repair guides. Say as JSON what a step asks to be done with which parts; "
    "count is null where the step does not say how many."
)
REFUSAL = "I have no guide for that."
NOTHING_FOUND = "No guide was found."
_MARKED = {"step": "", "note": "Note: ", "caution": "Caution: ", "reminder": "Remember: "}
_ITEM = re.compile(r"^\s*\d+[.)]\s+")
_CITED = re.compile(r"\s*\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")
_REFUSED = re.compile(r"\bno guide\b", re.IGNORECASE)


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Passage:
    """A step of a guide as it is put before the agent, with where it comes from.

    Args:
        guide_id: The guide.
        title: Its title.
        device: Its device.
        step: The step's number in the guide.
        text: What it says, on one line; warnings begin with "Caution:".
        tools: For the whole guide.
        url: Where a person can read the guide; empty for guides written here.
        licence: Of its text.
        author: Empty where the source gives none.
    """

    guide_id: str
    title: str
    device: str
    step: int
    text: str
    tools: tuple[str, ...] = ()
    url: str = ""
    licence: str = ""
    author: str = ""


@dataclass(frozen=True)
class AnswerLine:
    """One sentence or list item of an answer, with the passages that it names, counted from 1."""

    text: str
    cited: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """An answer, read.

    Args:
        tools: That it says are needed.
        lines: What it says to do, in order.
        refused: Whether it says that there is no guide.
    """

    tools: tuple[str, ...]
    lines: tuple[AnswerLine, ...]
    refused: bool


def step_text(step: Step) -> str:
    """Return a step on one line, its warnings marked as such."""
    return " ".join(filter(None, map(_line_text, step.lines)))


def _line_text(line: Line) -> str:
    text = " ".join(line.text.split())
    if text and text[-1] not in ".!?:":
        text += "."
    return _MARKED[line.kind] + text if text else ""


def passages_of(guide: Guide) -> tuple[Passage, ...]:
    """Return all steps of a guide, in order."""
    tools = tuple(dict.fromkeys([*guide.tools, *(tool for step in guide.steps for tool in step.tools)]))
    return tuple(
        Passage(
            guide.id, guide.title, guide.device, step.number, step_text(step), tools, guide.url, guide.licence,
            guide.author,
        )
        for step in guide.steps
    )  # fmt: skip


def question_text(question: str, passages: Sequence[Passage]) -> str:
    """Return the person's turn: the passages, numbered from 1 under the name of their guide, and the question."""
    lines: list[str] = []
    guide = ""
    for number, each in enumerate(passages, 1):
        if each.guide_id != guide:
            guide = each.guide_id
            lines.append(f"# {each.title} ({each.device})")
            if each.tools:
                lines.append(f"Tools: {', '.join(each.tools)}")
        lines.append(f"[{number}] {each.text}")
    return "\n".join([*(lines or [NOTHING_FOUND]), "", f"Question: {' '.join(question.split())}"])


def conversation(question: str, passages: Sequence[Passage]) -> list[Message]:
    """Return the turns before an answer."""
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question_text(question, passages)},
    ]


def answer_text(lines: Sequence[tuple[str, int]], tools: Sequence[str] = ()) -> str:
    """Return an answer as the agent is to write it.

    Args:
        lines: What to do, in order, each with the number of the passage that says so.
        tools: That are needed.
    """
    said = [f"Tools: {', '.join(tools)}"] if tools else []
    return "\n".join([*said, *(f"{number}. {text} [{cited}]" for number, (text, cited) in enumerate(lines, 1))])


def read_answer(text: str) -> Answer:
    """Return what an answer says; whatever a model writes can be read, if only as lines that name no passage."""
    tools: list[str] = []
    lines: list[AnswerLine] = []
    for line in text.splitlines():
        words = line.strip()
        if words.lower().startswith("tools:"):
            tools += [name for each in _CITED.sub("", words[6:]).split(",") if (name := each.strip(" ."))]
            continue
        cited = [int(number) for found in _CITED.findall(words) for number in found.split(",")]
        said = _ITEM.sub("", _CITED.sub("", words)).strip()
        if said:
            lines.append(AnswerLine(said, tuple(dict.fromkeys(cited))))
    refused = bool(_REFUSED.search(text)) and not any(line.cited for line in lines)
    return Answer(tuple(tools), tuple(lines), refused)
