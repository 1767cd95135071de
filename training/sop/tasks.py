"""Guides -> examples: what the agent is to learn, in the words in which it is asked and answers.

A window is some steps of one guide in a row. Each task asks about windows: how it is done (`how_to`), what comes next
(`next_step`), with which tools (`tools`), what one step asks for as JSON (`requirements`), and what no step before it
tells (`refusal`). A step goes in word by word. Every choice hangs on the seed and the guide's id alone, so that the
same guides give the same examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from repairai.sop.prompts import (
    REFUSAL,
    REQUIREMENTS_SYSTEM,
    Message,
    answer_text,
    conversation,
)
from repairai.sop.requirements import step_as_data
from training.sop.examples import Example, Task
from training.sop.material import Material, Passages
from training.sop.questions import how_to, what_next, which_tools
from training.sop.refusals import Refusals
from training.sop.split import normalised

ALL_DONE = "That was the last step: all the steps that were given are done."
"""The answer to what comes next, where nothing does."""
TOKENS_A_SIGN = 1.2
"""Tokens for each word and sign of punctuation. Source: SmolLM2's tokenizer on three categories of MyFixit, 1.13 to
1.21 on average; tokenizers with more words, as Llama 3's, need fewer."""
TOKENS_A_TURN = 8
"""What a chat template puts around a turn."""
REFUSED = 0.6
"""Refusals for each how-to: a sixth of all examples."""
_WINDOW = (1, 2, 2, 3, 3, 4, 4, 5, 6)
_DISTRACTED = 0.35
"""Share of how-to questions with steps of another guide beside the window."""
_LAST = 1 / 6
"""Share of next-step questions about the last step."""
_ACTIONS_A_GUIDE = 3
"""Steps of a guide whose requirements are asked, at most."""
_SIGN = re.compile(r"\w+|[^\w\s]")


def estimated_tokens(messages: Iterable[Message]) -> int:
    """Return about how many tokens messages will be, without a tokenizer; rather too many than too few."""
    return sum(TOKENS_A_TURN + round(TOKENS_A_SIGN * len(_SIGN.findall(each["content"]))) for each in messages)


def examples_of(materials: Sequence[Material], seed: int, length_tokens: int) -> Iterator[list[Example]]:
    """Yield the examples of each guide, for one side of the split.

    Args:
        materials: All guides of the side: whatever stands beside a guide's steps comes from these.
        seed: The same seed gives the same examples.
        length_tokens: That a prompt with its answer should fit in, by estimate.
    """
    side = _Side(materials, seed, length_tokens)
    for material in side.materials:
        yield side.examples(material)


class _Side:
    """Makes the examples of one side of the split."""

    def __init__(self, materials: Sequence[Material], seed: int, length_tokens: int) -> None:
        self.materials = [each for each in sorted(materials, key=lambda each: each.guide.id) if each.stretches]
        self.seed = seed
        self.length_tokens = length_tokens
        # Guides begin with copies of other guides' steps: what was told or asked is not told or asked again.
        self.told: set[str] = set()
        self.asked: set[str] = set()
        self.by_subject: dict[str, list[Material]] = {}
        for material in self.materials:
            self.by_subject.setdefault(normalised(material.guide.subject), []).append(material)
        self.refusals = Refusals(self.materials, lambda shown: self._fits(shown, shown[:1]))

    def examples(self, material: Material) -> list[Example]:
        """Return all examples of a guide."""
        rng = Random(f"{self.seed}:{material.guide.id}")
        refusing = Random(f"{self.seed}:{material.guide.id}:refusal")
        windows = list(self._windows(material, rng))
        found = []
        for window in windows:
            texts = {normalised(passage.text) for passage in window}
            if not texts <= self.told:
                self.told |= texts
                found.append(self._how_to(material, window, rng))
                found += [self._refusal(material, refusing)] if refusing.random() < REFUSED else []
        longer = [window for window in windows if len(window) > 1]
        if longer:
            found.append(_next_step(material, rng.choice(longer), rng))
        if windows and windows[0][0].tools:
            found.append(_tools(material, windows[0], rng))
        return found + self._requirements(material, rng)

    def _windows(self, material: Material, rng: Random) -> Iterator[Passages]:
        """Yield some passages in a row at a time, which together are all that fit."""
        for stretch in material.stretches:
            start = 0
            while start < len(stretch):
                window = stretch[start : start + rng.choice(_WINDOW)]
                start += len(window)
                while window and not self._fits(window, window):
                    window, start = window[:-1], start - (len(window) > 1)
                if window:
                    yield window

    def _fits(self, shown: Passages, told: Passages) -> bool:
        """Return whether passages fit as a prompt, some of them as its answer; 40 words are kept for the question."""
        turns = [*conversation("word " * 40, shown), _said(_steps(told))]
        return estimated_tokens(turns) <= self.length_tokens

    def _how_to(self, material: Material, own: Passages, rng: Random) -> Example:
        others = self._beside(material, own, rng) if rng.random() < _DISTRACTED else ()
        if rng.random() < 0.5:
            shown, answer = (*others, *own), _steps(own, len(others))
        else:
            shown, answer = (*own, *others), _steps(own)
        turns = conversation(how_to(material.guide, rng), shown)
        return _example("how_to", material, turns, answer, shown)

    def _other(self, material: Material, rng: Random) -> tuple[Material, Passages]:
        """Return a guide, every other time of the same part, and a stretch of it from anywhere on."""
        near = self.by_subject[normalised(material.guide.subject)]
        other = rng.choice(near if rng.random() < 0.5 else self.materials)
        stretch = rng.choice(other.stretches)
        return other, stretch[rng.randrange(len(stretch)) :]

    def _beside(self, material: Material, own: Passages, rng: Random) -> Passages:
        """Return up to three passages of another guide that fit beside a window and say other things."""
        other, found = self._other(material, rng)
        found = found[: rng.randint(1, 3)]
        texts = {normalised(passage.text) for passage in own}
        same = normalised(other.guide.title) == normalised(material.guide.title)
        if same or any(normalised(passage.text) in texts for passage in found):
            return ()
        while found and not self._fits((*own, *found), own):
            found = found[:-1]
        return found

    def _refusal(self, material: Material, rng: Random) -> Example:
        """Return a question with steps before it that do not answer it, or with none."""
        question, shown = self.refusals.question(material, rng)
        return _example("refusal", material, conversation(question, shown), REFUSAL, shown)

    def _requirements(self, material: Material, rng: Random) -> list[Example]:
        passages = [passage for stretch in material.stretches for passage in stretch]
        found: list[Example] = []
        for passage in rng.sample(passages, len(passages)):
            text = normalised(passage.text)
            if len(found) < _ACTIONS_A_GUIDE and text not in self.asked:
                self.asked.add(text)
                answer = requirements_answer(passage.text)
                turns: list[Message] = [
                    {"role": "system", "content": REQUIREMENTS_SYSTEM},
                    {"role": "user", "content": passage.text},
                ]
                found += [_example("requirements", material, turns, answer, (passage,))] if answer else []
        return found


def requirements_answer(text: str) -> str:
    """Return what a step asks as compact JSON, as the agent is to write it; empty where it asks for nothing."""
    actions = step_as_data(text)["actions"]
    told = [{name: action[name] for name in ("action", "part", "count", "size")} for action in actions]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) if told else ""


def _next_step(material: Material, shown: Passages, rng: Random) -> Example:
    number = len(shown) if rng.random() < _LAST else rng.randint(1, len(shown) - 1)
    text, cited = (ALL_DONE, number) if number == len(shown) else (shown[number].text, number + 1)
    turns = conversation(what_next(number, rng), shown)
    return _example("next_step", material, turns, answer_text([(text, cited)]), shown)


def _tools(material: Material, shown: Passages, rng: Random) -> Example:
    turns = conversation(which_tools(material.guide, rng), shown)
    return _example("tools", material, turns, answer_text([], shown[0].tools), shown)


def _steps(passages: Passages, before: int = 0) -> str:
    """Return passages of one guide as the answer that cites each; `before` others stand before them in the prompt."""
    lines = [(passage.text, before + place) for place, passage in enumerate(passages, 1)]
    return answer_text(lines, passages[0].tools)


def _said(words: str) -> Message:
    return {"role": "assistant", "content": words}


def _example(task: Task, material: Material, turns: Sequence[Message], answer: str, shown: Passages) -> Example:
    guide = material.guide
    passages = tuple((passage.guide_id, passage.step) for passage in shown)
    return Example(task, guide.device, guide.id, (*turns, _said(answer)), passages, material.source)
