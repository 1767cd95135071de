"""The fifth card of the Hub tab: the Inspect tab as a Space, so that others can check steps in a browser."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.commands.space import chosen_eyes, chosen_guides, chosen_judge
from repairai.errors import RepairError
from repairai.hub import space
from repairai.hub.space_contents import COUNTS
from repairai.hub.space_folder import Built, build
from repairai.judge import judges
from repairai.ui import render
from repairai.ui.hub import hub_render
from repairai.ui.hub.spoken import must_be_there, spoken
from repairai.ui.seeing import ACTIVE, choices
from repairai.ui.workbench import Workbench, live

NAME = "repairai-inspector"
MOST_GUIDES = 500
"""In the list to choose from."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class SpaceCard:
    """The components of the card.

    Args:
        column: All of it.
        detector: That it inspects with.
        guides: That it shows; none: all that are built in.
        repo: Where it goes.
        public: Everybody may see it.
        gpu: Its detector runs on ZeroGPU.
        judge: Who answers questions of state there.
        look: Shows what goes.
        deploy: Makes it, or brings it up to date.
        status: Asks how it stands.
        said: What came of these.
    """

    column: gr.Column
    detector: gr.Dropdown
    guides: gr.Dropdown
    repo: gr.Textbox
    public: gr.Checkbox
    gpu: gr.Checkbox
    judge: gr.Dropdown
    look: gr.Button
    deploy: gr.Button
    status: gr.Button
    said: gr.HTML

    @property
    def given(self) -> list[Any]:
        """What is asked for."""
        return [self.detector, self.guides, self.repo, self.public, self.gpu, self.judge]


def lay() -> SpaceCard:
    """Lay out the card."""
    with gr.Column(visible=False) as column:
        gr.HTML("<h2>A Space that inspects</h2>")
        gr.HTML(
            '<p class="fine">The Inspect tab alone, on the Hub: with a detector, a judge and guides of your choice. '
            "Nothing else of this machine goes there.</p>"
        )
        with gr.Row(equal_height=False):
            detector = gr.Dropdown(
                choices(), value=ACTIVE, label="It looks with", elem_id="space-detector", min_width=260
            )
            judge = gr.Dropdown(
                _judges(), value=COUNTS, label="It asks about states", elem_id="space-judge", min_width=260
            )
            guides = gr.Dropdown(
                [], multiselect=True, label="Its guides; none is all that are built in", elem_id="space-guides",
                min_width=260,
            )  # fmt: skip
        repo = gr.Textbox("", label="Where to: OWNER/NAME", placeholder="owner/name", max_lines=1, elem_id="space-repo")
        with gr.Row(equal_height=False):
            public = gr.Checkbox(
                False, label="Everybody may use it; else only you", elem_id="space-public", min_width=260
            )
            gpu = gr.Checkbox(False, label="Run its detector on a GPU (ZeroGPU)", elem_id="space-gpu", min_width=260)
        with gr.Row(elem_classes="run-buttons"):
            look = gr.Button("Show what goes", elem_id="space-look", min_width=170)
            deploy = gr.Button("Deploy it", variant="primary", elem_id="space-deploy", min_width=140)
            status = gr.Button("How does it stand?", elem_id="space-status", min_width=180)
        said = live("space-said", css_template=hub_render.style())
    return SpaceCard(column, detector, guides, repo, public, gpu, judge, look, deploy, status, said)


def wire(card: SpaceCard, bench: Workbench, name: gr.State) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        bench: Whose library the guides are from.
        name: Of who is logged in.
    """
    going: dict[str, Any] = {"show_progress_on": card.said, "api_visibility": "private"}
    card.look.click(look, card.given, card.said, **going)
    card.deploy.click(deploy, card.given, card.said, **going)
    card.status.click(status, card.repo, card.said, **going)
    card.detector.focus(lambda: gr.Dropdown(choices()), None, card.detector, **QUIET)
    card.judge.focus(lambda: gr.Dropdown(_judges()), None, card.judge, **QUIET)
    card.guides.focus(lambda: gr.Dropdown(_guides(bench)), None, card.guides, **QUIET)
    name.change(
        lambda name, repo: repo or (f"{name}/{NAME}" if name else ""), [name, card.repo], card.repo, **QUIET
    )  # fmt: skip


def _guides(bench: Workbench) -> list[tuple[str, str]]:
    found = sorted(bench.library.summaries(), key=lambda each: each.title)[:MOST_GUIDES]
    return [(f"{each.title} ({each.device})", each.id) for each in found]


def _judges() -> list[tuple[str, str]]:
    """Return who can answer questions of state on a Space: nobody, and those that lie on this machine."""
    try:
        known = judges.judges()
    except RepairError:  # the register is damaged: whoever inspects is told
        known = ()
    return [("Nobody: they are left to the visitor", COUNTS), *((each.name, each.name) for each in known
            if each.kind == "local")]  # fmt: skip


def _built(place: str, detector: str, guides: list[str] | None, gpu: bool, judge: str) -> Built:
    eyes = chosen_eyes(detector)
    if eyes is None and gpu:
        raise RepairError("the detector that comes with RepairAI needs no GPU", "let it run on the processor")
    return build(Path(place) / "space", eyes, chosen_guides(guides), judge=chosen_judge(judge), with_torch=gpu)


def look(
    detector: str, guides: list[str] | None, repo: str, public: bool, gpu: bool, judge: str = COUNTS
) -> str:  # fmt: skip
    """Return what would go, as HTML; nothing is sent."""
    try:
        with tempfile.TemporaryDirectory(prefix="repairai-space-") as place:
            built = _built(place, detector, guides, gpu, judge)
            sizes = [(path, file.stat().st_size) for path, file in built.files]
    except RepairError as error:
        return render.problem(spoken(error))
    total = hub_render.counted(len(sizes), sum(n_bytes for _, n_bytes in sizes))
    seen = "public" if public else "private"
    return (
        f'<section class="parcel" data-space="plan"><h3>{escape(repo.strip() or "OWNER/NAME")}, {seen}, on '
        f"{escape(space.hardware_for(built))}</h3><p>{total}</p><details><summary>The files</summary>"
        f"{hub_render.files(sizes)}</details>{hub_render.card(built.card)}</section>"
    )


def deploy(
    detector: str, guides: list[str] | None, repo: str, public: bool, gpu: bool, judge: str = COUNTS
) -> str:  # fmt: skip
    """Make the Space or bring it up to date, and return what came of it, as HTML."""
    try:
        with tempfile.TemporaryDirectory(prefix="repairai-space-") as place:
            built = _built(place, detector, guides, gpu, judge)
            must_be_there()
            done = space.deploy(built, repo.strip(), private=not public)
    except RepairError as error:
        return render.problem(spoken(error))
    word = "brought up to date" if done.was_there else "made"
    seen = "private" if done.private else "public"
    return (
        f'<p class="answer" data-deployed="{escape(done.repo)}">{escape(done.repo)} is {word}, {seen}; the Hub builds '
        f"it now, which takes a few minutes. {hub_render.link(done.address)}</p>"
    )


def status(repo: str) -> str:
    """Return how a Space stands, as HTML."""
    try:
        must_be_there()
        now = space.status(repo.strip())
        lines = space.log_tail(now.repo, now.stage, 12)
    except RepairError as error:
        return render.problem(spoken(error))
    log = f"<pre>{escape(chr(10).join(lines))}</pre>" if lines else ""
    runs = f" on {now.hardware}" if now.hardware else ""
    seen = "private" if now.private else "public"
    return (
        f'<section class="parcel" data-stage="{escape(now.stage)}"><h3>{escape(now.repo)}, {seen}</h3>'
        f"<p>{escape(now.said[:1].upper() + now.said[1:])}{escape(runs)}. {hub_render.link(now.address)}</p>{log}"
        "</section>"
    )
