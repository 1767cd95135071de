"""Where a question is asked in the Guides tab: who answers, the answer as it comes, its steps at a press."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from time import monotonic
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.runs.words import cost_of_asking
from repairai.sop import agents
from repairai.sop.agents import Agent
from repairai.sop.ask import ask
from repairai.sop.prompts import Passage
from repairai.sop.reply import Sentence, Writer
from repairai.sop.server_writer import sent_away
from repairai.sop.steps_writer import StepsWriter
from repairai.ui import ask_render, render
from repairai.ui.workbench import Workbench, live, read_choice, told
from repairai.ui.writers import Writers

STYLE = Path(__file__).with_name("ask.css")
ALL_DEVICES = "All devices"
INSTEAD = "The steps themselves, under Who answers, take none."
ACTIVE = ""
MOST_CHARACTERS = 2000
_SHOWN_SECONDS = 0.1
"""The page is told of new words no more often: a model that writes fast would fill the line with pages."""
_HEARS_STEPS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button.cite');
  if (!button) return;
  const cite = button.dataset.cite, at = cite.lastIndexOf('#');
  const wanted = `#guide article[data-guide="${CSS.escape(cite.slice(0, at))}"][data-step="${cite.slice(at + 1)}"]`;
  trigger('click', {cite});
  let tries = 200;  // ten seconds: a guide has to come first
  const show = () => {
    const found = document.querySelector(wanted);
    if (!found) { if (tries--) setTimeout(show, 50); return; }
    document.querySelectorAll('#guide article.cited').forEach((each) => each.classList.remove('cited'));
    found.classList.add('cited');
    found.setAttribute('tabindex', '-1');
    const back = document.querySelector('#guide .back');
    if (back) found.after(back);
    found.focus({preventScroll: true});
    found.scrollIntoView({block: 'center'});
  };
  show();
});
"""
CITED_STYLE = """
article.step.cited { outline: 3px solid var(--focus); outline-offset: 2px; }
.back { display: block; padding: 12px 4px; }
"""
"""How a step looks that was asked for, and what leads back from it, which `_HEARS_STEPS` puts behind it."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
Shown = tuple[Any, Any, Any, Any]
"""What stands in the status line, the answer, and whether Ask and Stop can be pressed."""


@dataclass(frozen=True)
class AskPanel:
    """Its components."""

    question: gr.Textbox
    device: gr.Dropdown
    ask: gr.Button
    stop: gr.Button
    status: gr.HTML
    answer: gr.HTML
    agent: gr.Dropdown
    address: gr.Textbox | None
    model: gr.Textbox | None
    loaded: gr.HTML
    unload: gr.Button


def lay(bench: Workbench, shared: bool = False) -> AskPanel:
    """Lay out the panel.

    Args:
        bench: What the tabs share.
        shared: The page is reachable from outside: then nobody may let this machine ask an address of their choice.
    """
    gr.HTML("<h2>Ask the guides</h2>")
    with gr.Row(equal_height=False):
        question = gr.Textbox(
            "",
            label="Question",
            placeholder="How do I replace the battery of an iPhone 6?",
            elem_id="ask-question",
            lines=1,
            max_lines=4,
            max_length=MOST_CHARACTERS,
            scale=3,
            min_width=280,
        )
        device = gr.Dropdown(
            [ALL_DEVICES, *bench.library.devices()],
            value=ALL_DEVICES,
            label="Device",
            elem_id="ask-device",
            filterable=True,
            min_width=200,
        )
    with gr.Row():
        press = gr.Button("Ask", variant="primary", size="lg", elem_id="ask", scale=3)
        # On the page from the beginning: one that Gradio had yet to put there could miss the word that shows it.
        stop = gr.Button("Stop", elem_id="ask-stop", visible="hidden", scale=1, min_width=100)
    with gr.Accordion("Who answers", open=False, elem_id="ask-who", elem_classes="fold"):
        agent = gr.Dropdown(choices(), value=ACTIVE, label="Agent", elem_id="ask-agent")
        address, model = (None, None) if shared else _lay_server()
        loaded = gr.HTML("", elem_id="ask-loaded")
        unload = gr.Button("Free the model's memory", elem_id="ask-unload", visible=False, min_width=200)
    status = live("ask-status")
    shown = gr.HTML(
        ask_render.NOTHING_YET, elem_id="ask-answer", css_template=STYLE.read_text("utf-8"), js_on_load=_HEARS_STEPS
    )
    return AskPanel(question, device, press, stop, status, shown, agent, address, model, loaded, unload)


def _lay_server() -> tuple[gr.Textbox, gr.Textbox]:
    with gr.Row():
        address = gr.Textbox(
            "",
            label="Or a server's address (Ollama, llama.cpp, vLLM)",
            placeholder="http://127.0.0.1:11434",
            elem_id="ask-address",
            max_lines=1,
            min_width=240,
        )
        model = gr.Textbox(
            "", label="Its model", placeholder="llama3.2", elem_id="ask-model", max_lines=1, min_width=160
        )
    return address, model


def wire(bench: Workbench, panel: AskPanel, guide: gr.HTML, chosen: gr.State, remove: gr.Button) -> Writers:
    """Let the panel answer, and its steps be shown; return what keeps its model.

    Args:
        bench: What the tabs share.
        panel: From `lay`.
        guide: Where a guide is read.
        chosen: The id of the guide that is read.
        remove: The button that removes it.
    """
    writers = Writers()
    # What is not on the page cannot be sent to it either.
    asked = [panel.question, panel.device, panel.agent, *filter(None, (panel.address, panel.model))]
    shown = [panel.status, panel.answer, panel.ask, panel.stop]

    def respond(question: str, device: str, agent: str, address: str = "", model: str = "") -> Iterator[Shown]:
        yield from answered(bench, writers, question, device, agent, address, model)

    def looked() -> tuple[str, Any]:
        kept = writers.kept
        return (f'<p class="fine">{escape(kept)} is loaded.</p>' if kept else ""), gr.Button(visible=bool(kept))

    def let_go() -> tuple[str, Any]:
        writers.close()
        return looked()

    def show(now: str, event: gr.EventData) -> tuple[Any, str, Any]:
        guide_id, step = read_choice(str(event.cite))
        found = bench.library.guide(guide_id)
        bench.library.step(guide_id, step)
        if now == guide_id:  # it is read already; written anew it would jump
            return gr.skip(), now, gr.skip()
        whole = "".join(render.step(found, each, ()) for each in found.steps)
        back = '<a class="back" href="#ask-answer">↑ Back to the answer</a>'
        return back + whole, guide_id, gr.Button(visible=not guide_id.startswith("sample-"))

    running = gr.on(
        [panel.ask.click, panel.question.submit],
        respond,
        asked,
        shown,
        concurrency_limit=4,
        trigger_mode="once",
        **QUIET,
    )
    running.then(looked, None, [panel.loaded, panel.unload], **QUIET)
    panel.stop.click(
        lambda: (_said("Stopped."), *_idle()), None, [panel.status, panel.ask, panel.stop], cancels=[running], **QUIET
    )
    panel.unload.click(let_go, None, [panel.loaded, panel.unload], **QUIET)
    panel.device.focus(lambda: gr.Dropdown([ALL_DEVICES, *bench.library.devices()]), None, panel.device, **QUIET)
    panel.agent.focus(lambda: gr.Dropdown(choices()), None, panel.agent, **QUIET)
    panel.answer.click(told(show), chosen, [guide, chosen, remove], **QUIET)
    return writers


def choices() -> list[tuple[str, str]]:
    """Return who can be asked, as (what it says, name): the active one first."""
    try:
        active, known = agents.active(), agents.agents()
    except RepairError:
        active, known = agents.STEPS, (agents.STEPS,)
    named = {agents.STEPS.name: "the steps themselves, no model"}
    first = (f"The active one: {named.get(active.name, active.name)}", ACTIVE)
    return [
        first,
        *(
            (named.get(each.name, each.name).capitalize() if each == agents.STEPS else each.name, each.name)
            for each in known
        ),
    ]


def answered(
    bench: Workbench, writers: Writers, question: str, device: str | None, agent: str, address: str, model: str
) -> Iterator[Shown]:
    """Yield the answer as it comes; whatever goes wrong is told where it would have been."""
    idle = _idle()
    if not question.strip():
        yield _said("Write a question first."), gr.skip(), *idle
        return
    # Each is said once: a word that comes late, after it was stopped, must not make it look busy again.
    yield _said("Looking for the steps …"), gr.skip(), gr.Button(interactive=False), gr.Button(visible=True)
    try:
        who, note = _chosen(agent, address, model)
        away = sent_away(who.path) if who.kind == "server" else ""
        price = cost_of_asking() if who.kind == "local" else ""
        if price:  # before it is loaded, which is when it is paid
            price = f"{price} {INSTEAD}"
            yield _said(price), gr.skip(), gr.skip(), gr.skip()
        writer: Writer = StepsWriter()
        try:
            for new in writers.open(who):
                if isinstance(new, str):
                    yield _said(f"{away} {price} {new} …".strip()), gr.skip(), gr.skip(), gr.skip()
                else:
                    writer = new
        except RepairError as error:
            note = f"{who.name} cannot answer, so the steps themselves do: {error.what}"
        only = None if device in (None, "", ALL_DEVICES) else device
        said = ""
        for status, html in _parts(bench, writer, question.strip()[:MOST_CHARACTERS], only, [away, price, note]):
            yield (_said(status) if status != said else gr.skip()), html, gr.skip(), gr.skip()
            said = status
        yield gr.skip(), gr.skip(), *idle
    except RepairError as error:
        yield _said("That did not work."), render.problem(str(error)), *idle


def _parts(
    bench: Workbench, writer: Writer, question: str, device: str | None, notes: list[str]
) -> Iterator[tuple[str, str]]:
    """Yield what the status line says, and the answer as far as it is."""
    found: tuple[Passage, ...] = ()
    lines: list[tuple[Sentence, ...]] = []
    last = 0.0
    for part in ask(question, bench.search, writer, device, [note for note in notes if note]):
        found = part.found or found
        if part.kind == "line" and part.sentences:
            lines.append(part.sentences)
        if part.reply is not None:
            yield _ended(part.reply.refused, bool(part.reply.found)), ask_render.answer(part.reply)
        elif part.kind == "found" or monotonic() - last > _SHOWN_SECONDS:
            last = monotonic()
            status = f"{writer.name} reads {len(found)} steps of {found[0].title} and writes …"
            yield status, ask_render.growing(question, found, lines, part.writing)


def _ended(refused: bool, found: bool) -> str:
    if not refused:
        return "The answer is there."
    return "There is no answer, but there are steps." if found else "There is no guide for that."


def _chosen(name: str, address: str, model: str) -> tuple[Agent, str]:
    """Return who is to answer, and what there is to say of that."""
    if address and address.strip():
        return agents.named(_with_scheme(address.strip()), (model or "").strip()), ""
    try:
        if name == ACTIVE:
            return agents.active(), ""
        known = {each.name: each for each in agents.agents()}
    except RepairError as error:
        return agents.STEPS, str(error)
    if name not in known:
        raise RepairError(f"there is no agent '{name[:80]}' any more", "choose another under Who answers")
    return known[name], ""


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def _idle() -> tuple[Any, Any]:
    return gr.Button(interactive=True), gr.Button(visible="hidden")


def _said(words: str) -> str:
    return f'<p class="fine">{escape(words)}</p>'
