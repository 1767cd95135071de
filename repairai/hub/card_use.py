"""How a model on the Hub is used: a few lines for transformers, and RepairAI's own commands; a test runs both."""

from __future__ import annotations

import json

from repairai.hub.card_words import fenced
from repairai.hub.facts import ModelFacts


def how_to_use(facts: ModelFacts) -> str:
    """Return the few lines with which it is used; a test runs them."""
    if facts.turns:
        return _use_agent(facts)
    if facts.kind == "judge":
        return _use_judge(facts)
    return _use_detector(facts) if facts.kind == "detector" else _use_proposer(facts)


def _use_agent(facts: ModelFacts) -> str:
    turns = dict(facts.turns)
    question = turns["user"].rpartition("Question: ")[2]
    code = "\n".join([
        "from transformers import pipeline",
        f"agent = pipeline(\"text-generation\", model={_text(facts.repo)})",
        f"system = {_text(turns['system'])}",
        f"steps = {_text(turns['user'])}",
        "print(agent([{\"role\": \"system\", \"content\": system}, {\"role\": \"user\", \"content\": steps}])"
        "[0][\"generated_text\"][-1][\"content\"])",
    ])  # fmt: skip
    needs = "transformers, torch and peft" if facts.kind == "adapter" else "transformers and torch"
    return "\n\n".join([
        "## How to use it",
        f"With {needs}. It is asked with the steps of a guide before the question, numbered, as here; without them it "
        "has nothing to answer from:",
        fenced("python", code),
        "With RepairAI, which finds the steps in your own guides, holds each sentence of the answer to them, and asks "
        "no model where no guide fits:",
        fenced("sh", f"python -m repairai ask {_quoted(question)} --model {facts.repo}"),
    ])  # fmt: skip


def _use_detector(facts: ModelFacts) -> str:
    code = "\n".join([
        "from transformers import pipeline",
        f"look = pipeline(\"object-detection\", model={_text(facts.repo)})",
        f"for part in look(\"photo.jpg\", threshold={_usual(facts):.2f}):",
        "    print(part[\"label\"], round(part[\"score\"], 2), part[\"box\"])",
    ])  # fmt: skip
    part = facts.parts[0] if facts.parts else "screw"
    shell = "\n".join([
        f"python -m repairai models pull {facts.repo}",
        f"python -m repairai inspect photo.jpg --require {_quoted('4 ' + part)} --detector {pulled_name(facts.repo)}",
    ])  # fmt: skip
    network = " `model.onnx` is the same network for processors without torch." if facts.has_onnx else ""
    return "\n\n".join([
        "## How to use it",
        "With transformers and torch:",
        fenced("python", code),
        "With RepairAI, which cuts large photos into tiles, counts by the thresholds below and says PASS, FAIL or "
        f"UNCERTAIN:{network}",
        fenced("sh", shell),
    ])  # fmt: skip


def _use_proposer(facts: ModelFacts) -> str:
    code = "\n".join([
        "from transformers import pipeline",
        f"look = pipeline(\"zero-shot-object-detection\", model={_text(facts.repo)})",
        f"for part in look(\"photo.jpg\", candidate_labels=[{', '.join(map(_text, facts.parts))}], threshold=0.3):",
        "    print(part[\"label\"], round(part[\"score\"], 2), part[\"box\"])",
    ])  # fmt: skip
    shell = f"python -m repairai photos propose SET --model {facts.repo} --prompt {_quoted(', '.join(facts.parts))}"
    return "\n\n".join([
        "## How to use it",
        "It proposes boxes from words; it does not inspect. With transformers and torch:",
        fenced("python", code),
        "With RepairAI, for photos whose boxes a person then accepts:",
        fenced("sh", shell),
    ])  # fmt: skip


def _use_judge(facts: ModelFacts) -> str:
    question, opposite = facts.questions[0] if facts.questions else ("Is the lid closed?", "Is the lid open?")
    code = "\n".join([
        "from pathlib import Path",
        "from repairai.judge.reasoner import load_reasoner",
        "from repairai.vision.photo import read_photo",
        f"judge, photo = load_reasoner({_text(facts.repo)}, \"judge\"), read_photo(Path(\"photo.jpg\")).pixels",
        f"print(judge.ask(photo, {_text(question)}), judge.ask(photo, {_text(opposite)}))",
    ])  # fmt: skip
    pull = f"python -m repairai models pull {facts.repo}"
    inspect = (
        f"python -m repairai inspect photo.jpg --require {_quoted(f'{question} yes / {opposite}')} --judge {facts.repo}"
    )
    needs = "no torch" if facts.has_onnx else "torch and transformers"
    return "\n\n".join([
        "## How to use it",
        f"With RepairAI, which needs {needs} for it. First fetch it:",
        fenced("sh", pull),
        "Then a photo is judged: PASS, FAIL or UNCERTAIN, by the thresholds below, with the part that the question is "
        "about cut out:",
        fenced("sh", inspect),
        "Or ask it yourself: two probabilities of yes come back, that of the question and that of its opposite.",
        fenced("python", code),
    ])  # fmt: skip


def pulled_name(repo: str) -> str:
    """Return the name by which a model is used that `models pull` has fetched."""
    return repo.replace("/", "--")


def _usual(facts: ModelFacts) -> float:
    """Return one threshold for those who want only one: the middle of those from which parts count."""
    found = sorted(each.sure for each in facts.thresholds if each.sure is not None)
    return min(found[len(found) // 2], 0.99) if found else 0.5


def _text(text: str) -> str:
    """Return a text as Python and JSON both write it."""
    return json.dumps(text, ensure_ascii=False)


def _quoted(text: str) -> str:
    """Return a text in quotes that every shell takes; what could mean something to one of them is left out."""
    return '"' + "".join(each for each in text if each not in '"\\$`!%^&|<>\n') + '"'
