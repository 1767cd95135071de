"""`ask`: a question, and an answer from the guides with the step behind each sentence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, print_json, refuse, verb
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.sop.reply import Cited, Reply, Sentence, Source

UNSUPPORTED = "NOT IN THE STEPS"
INSTEAD = "`--model steps` takes none."


def add_words(verbs: Any) -> None:
    """Add `ask` to the command line."""
    parser = verb(verbs, "ask", _ask, "ask a question; the answer names the step behind each sentence")
    parser.add_argument("question", nargs="+", metavar="QUESTION")
    parser.add_argument("--device", help="only guides for this device: its name, or words of it")
    parser.add_argument(
        "--model",
        metavar="NAME|FOLDER|HUB_ID|http://...",
        help="who answers; `steps` needs no model; see `models list`",
    )
    parser.add_argument("--server-model", default="", metavar="NAME", help="the model that a server is asked for")


def _ask(chosen: argparse.Namespace) -> int:
    from repairai.runs.words import cost_of_asking
    from repairai.sop.ask import ask, open_or_steps, open_writer
    from repairai.sop.search import Search
    from repairai.sop.server_writer import sent_away

    question = " ".join(chosen.question).strip()
    if not question:
        raise RepairError("no question was asked", 'write one: ask "How do I replace the battery of an iPhone 6?"')
    agent, note = _agent(chosen)
    if agent.kind == "server" and (away := sent_away(agent.path)):
        print(away, file=sys.stderr)
    if agent.kind == "local" and (price := cost_of_asking()):
        print(f"{price} {INSTEAD}", file=sys.stderr)
    if chosen.model:
        writer = open_writer(agent, _tell)
    else:
        writer, why = open_or_steps(agent, _tell)
        note = note or why
    reply = None
    numbered = _Numbered()
    for part in ask(question, Search(_library()), writer, chosen.device, [note] if note else []):
        if not chosen.json:
            numbered.show(part.sentences)
        reply = part.reply or reply
    if reply is None:
        raise RepairError("there is no answer", "ask again")
    failed = bool(chosen.model) and reply.made_from_steps and writer.name != "steps"
    if chosen.json:
        print_json(as_data(reply))
    else:
        _show_rest(reply)
    # Whoever named a model is told by the exit code too that it did not answer.
    return refuse(reply.notes[-1]) if failed else 0


def _agent(chosen: argparse.Namespace) -> tuple[Any, str]:
    """Return who answers, and what there is to say of that."""
    from repairai.sop import agents

    if chosen.model:
        return agents.named(chosen.model, chosen.server_model), ""
    if chosen.server_model:
        raise RepairError("--server-model needs the server's address", "give it as --model http://...")
    try:
        return agents.active(), ""
    except RepairError as error:
        return agents.STEPS, str(error)


def _library() -> Any:
    from repairai.sop.library import Library

    return Library()


def _tell(words: str) -> None:
    if sys.stderr.isatty():
        print(f"{words} ...", file=sys.stderr)


class _Numbered:
    """Prints an answer line by line, as it comes."""

    def __init__(self) -> None:
        self.number = 0

    def show(self, sentences: Sequence[Sentence]) -> None:
        """Print one line of the answer."""
        if not sentences:
            return
        if sentences[0].kind == "tool":
            print("Tools: " + ", ".join(each.text + _mark(each) for each in sentences), flush=True)
            return
        self.number += 1
        print(f"{self.number}. {_line(sentences)}", flush=True)


def _line(sentences: Sequence[Sentence]) -> str:
    """Return a line with the steps behind it: once at its end where all its sentences have the same."""
    said = []
    for n, each in enumerate(sentences):
        following = sentences[n + 1] if n + 1 < len(sentences) else None
        last = following is None or following.cited != each.cited or not following.supported or not each.supported
        said.append(each.text + _mark(each) + (_steps(each.cited) if last and each.supported else ""))
    return " ".join(said)


def _mark(sentence: Sentence) -> str:
    return "" if sentence.supported else f" [{UNSUPPORTED}: {sentence.why}]"


def _steps(cited: Iterable[Cited]) -> str:
    named = ", ".join(f"{each.guide_id}#{each.step}" for each in cited)
    return f" [{named}]" if named else ""


def _show_rest(reply: Reply) -> None:
    """Print what stands under an answer."""
    if reply.refused and not reply.found:
        print(f"I have no guide for that: {reply.why}.")
        for hit in reply.near:
            print(f"  near: {hit.guide_id}  {hit.title} ({hit.device})")
        return
    for warned in reply.warnings:
        print(f"Caution: {warned.text}{_steps([warned.cited])}")
    if reply.left_out:
        print(f"Left out: {_steps(reply.left_out).strip()}")
    if reply.unanswered:
        print(f"{reply.writer} made nothing of these steps:")
        for passage in reply.unanswered:
            print(f"  {passage.text} [{passage.guide_id}#{passage.step}]")
    print()
    for note in reply.notes:
        print(f"Note: {note}")
    whose = "the steps themselves, without any model" if reply.made_from_steps else reply.writer
    print(f"Made by: {whose}")
    for source in reply.sources:
        print(f"Source: {_source(source)}")


def _source(source: Source) -> str:
    known = (source.guide_id, f"{source.title} ({source.device})", source.author, source.licence, source.url)
    return " · ".join(filter(None, known))
