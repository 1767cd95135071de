"""What the plain steps answer in an exam: the writer that needs no model, given what the question shows."""

from __future__ import annotations

import re

from repairai.sop.prompts import Passage
from repairai.sop.steps_writer import StepsWriter
from training.sop.examples import Example

_GUIDE = "# "
_PASSAGE = re.compile(r"\[\d+\] (.*)")
_TOOLS = "Tools: "
_QUESTION = "Question: "


def steps_answer(example: Example) -> str:
    """Return what `repairai.sop.steps_writer` answers to the question of an example with the passages before it.

    It takes milliseconds. Where no passages stand in the prompt, as in that of `requirements`, it says that it has no
    guide.
    """
    return "".join(StepsWriter().answer(*read_prompt(example)))


def read_prompt(example: Example) -> tuple[str, tuple[Passage, ...]]:
    """Return the question of an example and the passages before it: `prompts.question_text` the other way round.

    A passage's title is then that of its guide with the device in brackets behind, and its device is empty.
    """
    asked = next((turn["content"] for turn in reversed(example.prompt) if turn["role"] == "user"), "")
    above, found, question = asked.rpartition(_QUESTION)
    if not found:
        return asked, ()
    passages: list[Passage] = []
    name, n_guides = "", 0
    tools: tuple[str, ...] = ()
    for line in above.splitlines():
        if line.startswith(_GUIDE):
            name, tools, n_guides = line.removeprefix(_GUIDE), (), n_guides + 1
        elif line.startswith(_TOOLS):
            tools = tuple(line.removeprefix(_TOOLS).split(", "))
        elif passage := _PASSAGE.fullmatch(line):
            # Which step it is stands not in the prompt, and where the device begins in the name is not sure. The writer
            # asks for neither.
            passages.append(Passage(f"guide {n_guides}", name, "", len(passages) + 1, passage[1], tools))
    return question, tuple(passages)
