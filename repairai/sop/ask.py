"""A question to its answer: steps are found, a writer answers, each sentence is held to the steps.

Whatever the writer does, a person gets an answer: a model that fails in the middle is finished by the steps themselves,
one that never stops is stopped, and what no step says is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from repairai.errors import RepairError
from repairai.sop.agents import Agent, missing
from repairai.sop.prompts import REFUSAL, Passage
from repairai.sop.reply import Cited, Part, Reply, Sentence, Warned, Writer, sources
from repairai.sop.retrieval import BUDGET_TOKENS, Found, find_passages
from repairai.sop.search import Search
from repairai.sop.server_writer import ServerWriter
from repairai.sop.steps_writer import StepsWriter
from repairai.sop.streams import Limit, read_lines
from repairai.sop.support import Checked, check
from repairai.sop.warnings_kept import warnings_left_out

_OVERHEAD_TOKENS = 90
"""What stands around the steps: how to answer, the question, and the marks of the turns."""
_TIMES = 2.1
"""An answer repeats its steps, with numbers before and behind them, so that each is there about twice."""
_SHORTEST_WINDOW = 60
Told = Callable[[str], None]


@dataclass
class _Draft:
    """The answer as far as it is."""

    sentences: list[Sentence] = field(default_factory=list)
    unanswered: list[Passage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    from_steps: bool = False

    def note(self, words: str) -> None:
        if words not in self.notes:
            self.notes.append(words)


def ask(
    question: str, search: Search, writer: Writer, device: str | None = None, notes: Sequence[str] = ()
) -> Iterator[Part]:
    """Yield an answer as it comes; the last part holds the whole.

    Args:
        question: Whatever a person typed.
        search: Over the library that is to answer.
        writer: Who answers.
        device: Only guides for this one; None: any.
        notes: What the reply is to tell beside what happens here.

    Raises:
        RepairError: The library cannot be read, or the index not be written; never for what a writer does.
    """
    found = find_passages(question, search, device, _budget(writer))
    if not found.windows:
        yield Part("done", reply=_refusal(question, writer, found, notes))
        return
    shown = tuple(passage for window in found.windows for passage in window)
    yield Part("found", found=shown)
    draft = _Draft(notes=list(notes), from_steps=isinstance(writer, StepsWriter))
    for window in found.windows:
        yield from _answered(question, writer, window, draft)
    yield Part("done", reply=_reply(question, writer, found, shown, draft))


def answer(question: str, search: Search, writer: Writer, device: str | None = None) -> Reply:
    """Return an answer when it is whole; see `ask`."""
    replies = [part.reply for part in ask(question, search, writer, device) if part.reply is not None]
    return replies[-1]


def open_writer(agent: Agent, tell: Told = lambda words: None) -> Writer:
    """Return an agent ready to answer; a model on this machine is loaded, which takes a while.

    Args:
        agent: Who is to answer.
        tell: Is told how far the loading is.

    Raises:
        RepairError: It is not there, or cannot be loaded.
    """
    if agent.kind == "steps":
        return StepsWriter()
    if agent.kind == "server":
        return ServerWriter(agent.path, agent.base)
    if trouble := missing(agent):
        raise RepairError(trouble, "choose another with `models use`, or train it again")
    from repairai.sop.writer import LocalWriter  # noqa: PLC0415  torch takes seconds, and most questions need none

    writer = LocalWriter(agent.path, base=agent.base, length_tokens=agent.length_tokens, tell=tell)
    writer.name = agent.name  # a run's model lies in a folder called `model`
    return writer


def open_or_steps(agent: Agent, tell: Told = lambda words: None) -> tuple[Writer, str]:
    """Return an agent ready to answer, or the steps themselves and why; see `open_writer`."""
    try:
        return open_writer(agent, tell), ""
    except RepairError as error:
        return StepsWriter(), f"{agent.name} cannot answer, so the steps themselves do: {error.what}"


def _answered(question: str, writer: Writer, window: Sequence[Passage], draft: _Draft) -> Iterator[Part]:
    """Yield what a writer makes of one window; the steps finish what it cannot."""
    began, limit = len(draft.sentences), Limit.of(window)
    refused = False
    try:
        for line, whole in read_lines(writer.answer(question, window), limit):
            if not whole:
                yield Part("writing", writing=line)
                continue
            checked = check(line, window)
            refused = refused or any(each.kind == "refusal" for each in checked)
            if new := _take_in(checked, window, draft):
                yield Part("line", sentences=new)
    except RepairError as error:
        draft.note(f"{writer.name} could not answer, so the steps themselves do: {error.what}")
        draft.from_steps = True
        del draft.sentences[began:]
        for line in "".join(StepsWriter().answer(question, window)).splitlines():
            yield Part("line", sentences=_take_in(check(line, window), window, draft))
    if limit.stopped:
        draft.note(f"{writer.name} was stopped: {limit.stopped}")
    if not any(each.cited and each.supported for each in draft.sentences[began:]):
        if not refused and len(draft.sentences) == began:
            draft.note(f"{writer.name} wrote nothing")
        tools = [each for each in draft.sentences[began:] if each.kind == "tool" and each.supported]
        draft.unanswered += [] if tools else window


def _take_in(checked: Sequence[Checked], window: Sequence[Passage], draft: _Draft) -> tuple[Sentence, ...]:
    """Add what one line says to the draft, tools once, and return what is new."""
    known = {each.text.lower() for each in draft.sentences if each.kind == "tool"}
    item = draft.sentences[-1].item + 1 if draft.sentences else 0
    new = []
    for each in checked:
        if each.kind == "tool" and each.text.lower() in known:
            continue
        cited = tuple(Cited(window[number - 1].guide_id, window[number - 1].step) for number in each.cited)
        new.append(Sentence(each.text, cited, each.supported, _why(each, window), each.kind, item))
    draft.sentences += new
    return tuple(new)


def _why(each: Checked, window: Sequence[Passage]) -> str:
    """Return what is wrong with a sentence; passages become the steps that a person knows them by."""
    if each.supported and each.why:
        steps = " and ".join(f"step {window[number - 1].step}" for number in each.cited)
        return f"it named another step, but {steps} says it"
    return each.why


def _reply(question: str, writer: Writer, found: Found, shown: tuple[Passage, ...], draft: _Draft) -> Reply:
    said = [each for each in draft.sentences if each.supported and each.cited]
    cited = {each for sentence in said for each in sentence.cited}
    tools = any(each.kind == "tool" and each.supported for each in draft.sentences)
    refused = not said and not tools
    whole = found.whole_guide and bool(said)
    answered = [passage for passage in shown if passage not in draft.unanswered]
    places = [Cited(passage.guide_id, passage.step) for passage in answered]
    order = [places.index(sentence.cited[0]) for sentence in said if sentence.cited[0] in places]
    if whole and order != sorted(order):
        draft.note("the answer does not keep the order of the steps")
    warned = warnings_left_out([p for p in answered if whole or Cited(p.guide_id, p.step) in cited],
                               [each.text for each in said])  # fmt: skip
    return Reply(
        question,
        writer.name,
        draft.from_steps,
        tuple(draft.sentences),
        refused,
        "",
        shown,
        tuple(draft.unanswered),
        tuple(place for place in places if whole and place not in cited),
        tuple(Warned(text, Cited(passage.guide_id, passage.step)) for passage, text in warned),
        tuple(draft.notes),
        sources(shown),
    )


def _refusal(question: str, writer: Writer, found: Found, notes: Sequence[str]) -> Reply:
    said = (Sentence(REFUSAL, (), True, kind="refusal"),)
    return Reply(
        question, writer.name, isinstance(writer, StepsWriter), said, True, found.why, notes=tuple(notes),
        near=found.near,
    )  # fmt: skip


def _budget(writer: Writer) -> int:
    """Return how long a window may be: for a model that was trained on shorter conversations, shorter."""
    if not writer.length_tokens:
        return BUDGET_TOKENS
    room = int((writer.length_tokens - _OVERHEAD_TOKENS) / _TIMES)
    return max(_SHORTEST_WINDOW, min(BUDGET_TOKENS, room))
