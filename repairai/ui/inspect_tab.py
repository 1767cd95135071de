"""The Inspect tab: find a guide, pick a step, see and edit what a photo must show, give a photo, read the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.inspection import BUILTIN, open_detector
from repairai.schema import View
from repairai.ui import question_fold, render, seeing
from repairai.ui.photo_check import Place, Said, check
from repairai.ui.question_fold import QuestionFold
from repairai.ui.seeing import Seeing
from repairai.ui.state_answers import Judged, answered
from repairai.ui.state_render import PRESS
from repairai.ui.step_choice import add_line, chosen
from repairai.ui.workbench import PHOTOS, SamplePhoto, Workbench, live, read_choice, sample_photos, told

VIEWS: list[tuple[str, View]] = [
    ("The device", "device"),
    ("Parts on the mat", "mat"),
    ("Before and after", "before_after"),
]
HOW_MANY = ["exactly", "at least", "at most", "no"]
ALL_DEVICES = "All devices"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def _as_it_is(function: Callable[..., Said]) -> Callable[..., Said]:
    return function


@dataclass(frozen=True)
class Allowed:
    """What the tab lets whoever sees it do.

    Args:
        chooses: Open another detector, or a model for masks, on the machine that serves it.
        keeps: Keep inspections, with copies of their photos, in the records.
        samples: Try the photos that come with RepairAI.
        wraps: Stands round what opens a model: a GPU is taken there where it is had for one call only.
    """

    chooses: bool = True
    keeps: bool = True
    samples: bool = True
    wraps: Callable[[Callable[..., Said]], Callable[..., Said]] = _as_it_is


OWNER = Allowed()
"""Whoever sits at the machine."""
GUEST = Allowed(chooses=False)
"""Whoever was given the address and the password."""


@dataclass(frozen=True)
class Task:
    """The components of what should be done, and of what a photo must show."""

    words: gr.Textbox
    device: gr.Dropdown
    found: gr.Radio
    note: gr.HTML
    back: gr.Button
    step: gr.Dropdown
    forth: gr.Button
    text: gr.HTML
    view: gr.Radio
    wanted: gr.Textbox
    how: gr.Dropdown
    number: gr.Number
    part: gr.Dropdown
    add: gr.Button
    asked: QuestionFold
    place: gr.State


@dataclass(frozen=True)
class Answer:
    """The components of the photo and its verdict: `before` stands in `earlier`, a person can answer to `judged`."""

    photo: gr.Image
    before: gr.Image
    earlier: gr.Column
    seeing: Seeing | None
    check: gr.Button
    keep: gr.Checkbox | None
    verdict: gr.HTML
    shown: gr.HTML
    judged: gr.State

    @property
    def said(self) -> list[Any]:
        """Return what a check changes."""
        return [self.verdict, self.shown, self.judged]


def build(bench: Workbench, allowed: Allowed = OWNER) -> None:
    """Lay out the tab and wire it.

    Args:
        bench: What the tabs share.
        allowed: What is not allowed is not on the page, so that it cannot be sent to it either.
    """
    tries = _lay_samples() if allowed.samples else []
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(min_width=320):
            task = _lay_task(bench)
        with gr.Column(min_width=320):
            answer = _lay_answer(allowed)
    _wire_task(bench, task, answer)

    @allowed.wraps
    def judged(
        photo: str | None, before: str | None, wanted: str, view: View, place: Place, keep: bool = False,
        name: str = seeing.ACTIVE, masks: str = "", judge: str = seeing.ACTIVE,
    ) -> Said:  # fmt: skip
        return check(bench, photo, before, wanted, view, place, keep, name, masks, judge)

    _wire_check(task, answer, judged)
    _wire_answers(bench, answer)
    for button, sample in tries:
        _wire_sample(bench, task, answer, button, sample, judged)


# ---- laying out


def _lay_samples() -> list[tuple[gr.Button, SamplePhoto]]:
    gr.HTML("<h2>Try it on a sample, or begin with step 1</h2>")
    with gr.Row(elem_classes="samples", equal_height=True):
        return [
            (gr.Button(each.title, icon=str(PHOTOS / each.photo), elem_id=f"sample-{n}", elem_classes="sample"), each)
            for n, each in enumerate(sample_photos())
        ]


def _lay_task(bench: Workbench) -> Task:
    gr.HTML('<h2><span class="no">1</span> What should be done?</h2>')
    words = gr.Textbox("", label="Find a guide", placeholder="iphone battery", elem_id="words", max_lines=1)
    device = gr.Dropdown(
        [ALL_DEVICES, *bench.library.devices()], value=ALL_DEVICES, label="Device", elem_id="device", filterable=True
    )
    found = gr.Radio(
        bench.choices("", None), label="Guides; words or a device find others", elem_id="found", elem_classes="list",
        interactive=True,
    )  # fmt: skip
    note = live("no-guide")
    with gr.Row(elem_classes="stepper"):
        back = gr.Button("Back", elem_id="back", min_width=64, scale=0)
        step = gr.Dropdown([], label="Step", elem_id="step", scale=5)
        forth = gr.Button("Next", elem_id="forth", min_width=64, scale=0)
    text = gr.HTML('<p class="fine">Pick a guide to see its steps.</p>', elem_id="step-text")
    gr.HTML('<h2><span class="no">2</span> What must the photo show?</h2>')
    view = gr.Radio(VIEWS, value="device", label="The photo shows", elem_id="view")
    wanted = gr.Textbox(
        "",
        label="One requirement a line; change them as you like",
        placeholder="4 screw",
        lines=3,
        max_lines=10,
        elem_id="wanted",
    )
    with gr.Row(elem_classes="adder"):
        labels = parts()
        how = gr.Dropdown(HOW_MANY, value="exactly", label="How many", elem_id="how", min_width=145)
        number = gr.Number(4, label="Number", minimum=0, precision=0, elem_id="number", min_width=75)
        part = gr.Dropdown(
            labels, value=labels[0], label="Part", allow_custom_value=True, elem_id="part", min_width=140
        )
        add = gr.Button("Add this line", elem_id="add", min_width=120)
    asked = question_fold.lay()
    place = gr.State(("", 0))
    return Task(words, device, found, note, back, step, forth, text, view, wanted, how, number, part, add, asked, place)


def _lay_answer(allowed: Allowed) -> Answer:
    gr.HTML('<h2><span class="no">3</span> The photo</h2>')
    photo = photo_input("Photo of the step", "photo", 280)
    with gr.Column(visible=False) as earlier:
        before = photo_input("Photo from before", "before", 220)
    sees = seeing.lay() if allowed.chooses else None
    check = gr.Button("Check the step", variant="primary", size="lg", elem_id="check")
    keep = gr.Checkbox(True, label="Keep this inspection in the records", elem_id="keep") if allowed.keeps else None
    verdict = live("verdict", render.NOTHING_YET, PRESS, min_height=140)
    return Answer(photo, before, earlier, sees, check, keep, verdict, gr.HTML("", elem_id="shown"), gr.State(None))


def photo_input(label: str, elem_id: str, height: int) -> gr.Image:
    """Return an input for a photo, by upload, camera or paste, that hands on the file untouched.

    RepairAI reads the file itself, and tells what is wrong with it in one sentence. (A subclass would say this better,
    but Gradio writes a stub file into the source folder of every subclass. An update of the component, of whether it is
    seen for instance, would make a new one that does not know of this: what is updated is what it stands in.)
    """
    image = gr.Image(
        type="filepath",
        sources=["upload", "webcam", "clipboard"],
        label=label,
        elem_id=elem_id,
        height=height,
    )
    image.preprocess = lambda payload: None if payload is None else str(payload.path)
    return image


# ---- picking a step


def _wire_task(bench: Workbench, task: Task, answer: Answer) -> None:
    def find(words: str, device: str) -> Sequence[Any]:
        found = bench.choices(words, None if device == ALL_DEVICES else device)
        return gr.Radio(found, value=None, visible=bool(found)), "" if found else render.NO_GUIDE

    def pick(view: View, event: gr.SelectData) -> Sequence[Any]:
        return go(read_choice(str(event.value)), view)

    def go(place: Place, view: View) -> Sequence[Any]:
        return (place, *chosen(bench, place, view)) if place[0] else [gr.skip()] * 5

    def jump(place: Place, number: int, view: View) -> Sequence[Any]:
        # Gradio's dropdown says that it was changed whenever the focus leaves it: what was edited since stays.
        return [gr.skip()] * 5 if number == place[1] else go((place[0], number), view)

    def move(place: Place, view: View, by: int) -> Sequence[Any]:
        last = len(bench.library.guide(place[0]).steps) if place[0] else 0
        return go((place[0], max(1, min(last, place[1] + by))), view)

    def listed() -> Any:
        return gr.Dropdown([ALL_DEVICES, *bench.library.devices()])

    shown = [task.place, task.step, task.text, task.wanted, task.asked.offered]
    now = [task.place, task.view]
    in_turn = {**QUIET, "concurrency_id": "step"}  # else one that was pressed first may be the last to say where it is
    # Not `words.input`: that is for keys alone, and passes over what is pasted, dictated or filled in.
    for trigger in (task.words.change, task.device.input):
        trigger(told(find), [task.words, task.device], [task.found, task.note], trigger_mode="always_last", **QUIET)
    task.device.focus(told(listed), None, task.device, **QUIET)
    task.part.focus(lambda: gr.Dropdown(parts()), None, task.part, **QUIET)  # another detector may inspect by now
    # What was pressed is taken from the press: another search may have taken it off the list that the server knows.
    task.found.select(told(pick), task.view, shown, **in_turn)
    task.step.input(told(jump), [task.place, task.step, task.view], shown, **in_turn)
    task.back.click(told(lambda place, view: move(place, view, -1)), now, shown, **in_turn)
    task.forth.click(told(lambda place, view: move(place, view, 1)), now, shown, **in_turn)
    task.view.input(told(go), now, shown, **in_turn)
    task.view.change(lambda view: gr.Column(visible=view == "before_after"), task.view, answer.earlier, **QUIET)
    task.add.click(add_line, [task.wanted, task.how, task.number, task.part], task.wanted, **QUIET)
    question_fold.wire(task.asked, task.wanted)


# ---- checking


def _wire_check(task: Task, answer: Answer, judged: Callable[..., Said]) -> None:
    more: list[Any] = [answer.keep] if answer.keep else []
    if answer.seeing:
        more += [answer.seeing.detector, answer.seeing.masks, answer.seeing.judge]
    answer.check.click(
        judged,
        [answer.photo, answer.before, task.wanted, task.view, task.place, *more],
        answer.said,
        concurrency_id="detector",
        concurrency_limit=1,
        scroll_to_output=True,
        api_visibility="private",
    )


def _wire_answers(bench: Workbench, answer: Answer) -> None:
    """Take what a person answers to a question of state, and show the verdict with it."""

    def take(judged: Judged | None, event: gr.EventData) -> tuple[Judged | None, str]:
        return answered(bench.records, judged, event.at, event.answer)

    answer.verdict.click(told(take), answer.judged, [answer.judged, answer.verdict], **QUIET)


def parts() -> list[str]:
    """Return the parts that are offered: those that the detector knows which inspects."""
    try:
        return list(open_detector().limits)
    except RepairError:  # whoever checks a photo is told; the page opens all the same
        return list(open_detector(BUILTIN).limits)


def _wire_sample(
    bench: Workbench, task: Task, answer: Answer, button: gr.Button, sample: SamplePhoto, judged: Callable[..., Said]
) -> None:
    """Make a sample's button fill in everything and check; samples are not kept."""

    def fill() -> Sequence[Any]:
        place = (sample.guide, sample.step)
        photo, before = (str(PHOTOS / name) if name else None for name in (sample.photo, sample.before))
        steps, text, wanted, more = chosen(bench, place, sample.view)
        said = judged(photo, before, wanted, sample.view, place)
        return place, steps, text, wanted, more, sample.view, photo, before, gr.Radio(value=None), *said

    filled = [task.place, task.step, task.text, task.wanted, task.asked.offered, task.view]
    filled += [answer.photo, answer.before, task.found]
    button.click(
        told(fill),
        None,
        [*filled, *answer.said],
        concurrency_id="detector",
        api_visibility="private",
    )
