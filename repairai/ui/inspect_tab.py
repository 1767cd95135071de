"""The Inspect tab: find a guide, pick a step, see and edit what a photo must show, give a photo, read the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.inspection import inspect, open_detector
from repairai.schema import Inspection, Requirement, View
from repairai.sop.actions import read_actions
from repairai.sop.requirement_text import read_requirement, write_requirement
from repairai.sop.requirements import requirements_for
from repairai.ui import render
from repairai.ui.overlay import overlay
from repairai.ui.workbench import PHOTOS, SamplePhoto, Workbench, read_choice, sample_photos
from repairai.vision.photo import read_photo

VIEWS: list[tuple[str, View]] = [
    ("The device", "device"),
    ("Parts on the mat", "mat"),
    ("Before and after", "before_after"),
]
HOW_MANY = ["exactly", "at least", "at most", "no"]
ALL_DEVICES = "All devices"


def photo_input(label: str, elem_id: str, height: int, visible: bool = True) -> gr.Image:
    """Return an input for a photo, by upload, camera or paste, that hands on the file untouched.

    RepairAI reads the file itself, and tells what is wrong with it in one sentence. (A subclass would say this better,
    but Gradio writes a stub file into the source folder of every subclass.)
    """
    image = gr.Image(
        type="filepath",
        sources=["upload", "webcam", "clipboard"],
        label=label,
        elem_id=elem_id,
        height=height,
        visible=visible,
    )
    image.preprocess = lambda payload: None if payload is None else str(payload.path)
    return image


def build(bench: Workbench) -> gr.Button:
    """Lay out the tab and wire it; return the button that checks, for other tabs to follow."""
    samples = sample_photos()
    gr.HTML("<h2>Try it on a sample, or begin with step 1</h2>")
    with gr.Row(elem_classes="samples", equal_height=True):
        tries = [
            gr.Button(each.title, icon=str(PHOTOS / each.photo), elem_id=f"sample-{number}", elem_classes="sample")
            for number, each in enumerate(samples)
        ]
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=5, min_width=320):
            task = _lay_task(bench)
        with gr.Column(scale=6, min_width=320):
            photos = _lay_photos()
    parts = {**task, **photos}
    _wire_task(bench, parts)
    _wire_check(bench, parts)
    for button, sample in zip(tries, samples, strict=True):
        _wire_sample(bench, parts, button, sample)
    button = parts["check"]
    assert isinstance(button, gr.Button)
    return button


def _lay_task(bench: Workbench) -> dict[str, Any]:
    gr.HTML('<h2><span class="no">1</span> What should be done?</h2>')
    words = gr.Textbox(label="Find a guide", placeholder="iphone battery", elem_id="words", max_lines=1)
    device = gr.Dropdown([ALL_DEVICES, *bench.library.devices()], value=ALL_DEVICES, label="Device", elem_id="device")
    found = gr.Radio(bench.choices("", None), label="Guides", elem_id="found", elem_classes="list")
    with gr.Row(elem_classes="stepper"):
        back = gr.Button("‹", elem_id="back", min_width=64, scale=0)
        step = gr.Dropdown([], label="Step", elem_id="step", scale=5)
        forth = gr.Button("›", elem_id="forth", min_width=64, scale=0)
    text = gr.HTML('<p class="fine">Pick a guide to see its steps.</p>', elem_id="step-text")
    gr.HTML('<h2><span class="no">2</span> What must the photo show?</h2>')
    view = gr.Radio(VIEWS, value="device", label="The photo shows", elem_id="view")
    wanted = gr.Textbox(
        label="One requirement a line; change them as you like",
        placeholder="4 screw",
        lines=3,
        max_lines=10,
        elem_id="wanted",
    )
    with gr.Row(elem_classes="adder", equal_height=True):
        how = gr.Dropdown(HOW_MANY, value="exactly", label="How many", elem_id="how", min_width=130)
        number = gr.Number(4, label="Number", minimum=0, precision=0, elem_id="number", min_width=90)
    with gr.Row(elem_classes="adder", equal_height=True):
        part = gr.Dropdown(
            _labels(), value="screw", label="Part", allow_custom_value=True, elem_id="part", min_width=180
        )
        add = gr.Button("Add this line", elem_id="add", min_width=120)
    guide = gr.State("")
    return {
        **{
            "words": words,
            "device": device,
            "found": found,
            "step": step,
            "text": text,
            "view": view,
            "wanted": wanted,
        },
        **{"back": back, "forth": forth, "how": how, "number": number, "part": part, "add": add, "guide": guide},
    }


def _lay_photos() -> dict[str, Any]:
    gr.HTML('<h2><span class="no">3</span> The photo</h2>')
    photo = photo_input("Photo of the step", "photo", 280)
    before = photo_input("Photo from before", "before", 220, visible=False)
    check = gr.Button("Check the step", variant="primary", size="lg", elem_id="check")
    keep = gr.Checkbox(True, label="Keep this inspection in the records", elem_id="keep")
    verdict = gr.HTML(render.NOTHING_YET, elem_id="verdict", min_height=140)
    shown = gr.HTML("", elem_id="shown")
    return {"photo": photo, "before": before, "check": check, "keep": keep, "verdict": verdict, "shown": shown}


def _labels() -> list[str]:
    return list(open_detector().limits)


# ---- picking a step


def _wire_task(bench: Workbench, parts: dict[str, Any]) -> None:
    def find(words: str, device: str) -> Any:
        return gr.Radio(bench.choices(words, None if device == ALL_DEVICES else device), value=None)

    def pick(choice: str | None, view: View) -> Sequence[Any]:
        if not choice:
            return [gr.skip()] * 4
        guide_id, number = read_choice(choice)
        return guide_id, *chosen(bench, guide_id, number, view)

    def show(guide_id: str, number: int | None, view: View, by: int = 0) -> Sequence[Any]:
        if not guide_id or number is None:
            return [gr.skip()] * 3
        last = len(bench.library.guide(guide_id).steps)
        return chosen(bench, guide_id, max(1, min(last, number + by)), view)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    words, device, found, view = (parts[name] for name in ("words", "device", "found", "view"))
    now = [parts["guide"], parts["step"], view]
    task = [parts["step"], parts["text"], parts["wanted"]]
    for trigger in (words.input, device.input):
        trigger(find, [words, device], found, trigger_mode="always_last", **quiet)
    found.input(pick, [found, view], [parts["guide"], *task], **quiet)
    parts["step"].input(show, now, task, **quiet)
    parts["back"].click(lambda guide, step, shown: show(guide, step, shown, -1), now, task, **quiet)
    parts["forth"].click(lambda guide, step, shown: show(guide, step, shown, 1), now, task, **quiet)
    view.input(show, now, task, **quiet)
    view.change(lambda shown: gr.Image(visible=shown == "before_after"), view, parts["before"], **quiet)
    line = [parts[name] for name in ("wanted", "how", "number", "part")]
    parts["add"].click(add_line, line, parts["wanted"], **quiet)


def chosen(bench: Workbench, guide_id: str, number: int, view: View) -> tuple[Any, str, str]:
    """Return a chosen step: the list of its guide's steps, its text as HTML, and what a photo of it must show."""
    guide, step = bench.library.guide(guide_id), bench.library.step(guide_id, number)
    actions = read_actions(step.text)
    steps = [(f"{each.number} · {each.title or each.lines[0].text[:60]}", each.number) for each in guide.steps]
    wanted = "\n".join(write_requirement(each) for each in requirements_for(actions, view))
    return gr.Dropdown(steps, value=number), render.step(guide, step, actions), wanted


def add_line(wanted: str, how: str, number: float | None, part: str | None) -> str:
    """Return the requirements with one more."""
    count = "" if how == "no" else f"{int(number or 0)} "
    line = f"{how} {count}{part or 'screw'}".removeprefix("exactly ")
    return f"{wanted.rstrip()}\n{line}".lstrip()


# ---- checking


def _wire_check(bench: Workbench, parts: dict[str, Any]) -> None:
    inputs = [parts[name] for name in ("photo", "before", "wanted", "view", "guide", "step", "keep")]
    parts["check"].click(
        lambda *given: check(bench, *given),
        inputs,
        [parts["verdict"], parts["shown"]],
        concurrency_id="detector",
        concurrency_limit=1,
        scroll_to_output=True,
        api_name="inspect",
    )


def check(
    bench: Workbench,
    photo: str | None,
    before: str | None,
    wanted: str,
    view: View,
    guide: str,
    step: int | None,
    keep: bool,
) -> tuple[str, str]:
    """Return the verdict and the photo with its boxes, as HTML; or what is wrong, in one sentence."""
    try:
        if not photo:
            raise RepairError("there is no photo yet", "give one by upload, camera or paste")
        requirements = read_requirements(wanted)
        earlier = Path(before) if before and view == "before_after" else None
        detector = open_detector()
        done = inspect(Path(photo), requirements, detector, view=view, before=earlier, guide=guide, step=step)
        if keep:
            bench.records.keep(done)
        return render.verdict(done), _figures(done, Path(photo), earlier)
    except RepairError as error:
        return render.problem(str(error)), ""


def read_requirements(wanted: str) -> list[Requirement]:
    """Return the requirements in a text, one a line; empty lines do not count."""
    return [read_requirement(line) for line in wanted.splitlines() if line.strip()]


def _figures(done: Inspection, photo: Path, before: Path | None) -> str:
    limits = open_detector().limits
    outcomes = {
        part: each.outcome for each in done.verdict.findings if (part := getattr(each.requirement, "part", None))
    }
    figures = [overlay(read_photo(photo).pixels, done.detections, limits, outcomes, done.photo.name)]
    if before and done.before:
        figures.append(
            overlay(read_photo(before).pixels, done.before_detections, limits, {}, f"Before: {done.before.name}")
        )
    return "".join(figures)


def _wire_sample(bench: Workbench, parts: dict[str, Any], button: gr.Button, sample: SamplePhoto) -> None:
    """Make a sample's button fill in everything and check."""

    def fill() -> Sequence[Any]:
        photo, before = (str(PHOTOS / name) if name else None for name in (sample.photo, sample.before))
        steps, text, wanted = chosen(bench, sample.guide, sample.step, sample.view)
        answer = check(bench, photo, before, wanted, sample.view, sample.guide, sample.step, keep=False)
        return sample.guide, steps, text, wanted, sample.view, photo, before, gr.Radio(value=None), *answer

    names = ("guide", "step", "text", "wanted", "view", "photo", "before", "found", "verdict", "shown")
    button.click(
        fill,
        None,
        [parts[name] for name in names],
        concurrency_id="detector",
        scroll_to_output=False,
        api_visibility="private",
    )
