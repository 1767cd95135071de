"""Help for whoever has few photos: a model proposes boxes, and scenes are pasted together from a person's own parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from repairai.errors import RepairError
from repairai.ui.photos.opened import Opened
from repairai.ui.photos.photos_card import QUIET, PhotosCard
from repairai.ui.photos.photos_work import look, refused
from repairai.ui.photos.scripted import Scripted
from repairai.ui.photos.sets import chosen_set, the_set
from repairai.vision.photo_set import PhotoSet

LABEL, PASTE = "training.detector_label", "training.detector_paste"
MODELS = ["IDEA-Research/grounding-dino-tiny", "google/owlv2-base-patch16-ensemble", "builtin"]
FINDS_ALIKE = "google/owlv2-base-patch16-ensemble"
MOST_LIKE = 8
SCENES = 100


@dataclass(frozen=True)
class ProposeCard:
    """The components of the card.

    Args:
        model: That proposes.
        words: For each part.
        without: What is not meant.
        again: Also photos that are labelled.
        masks: A SAM 2 model, for tight boxes.
        floor: Least score of a box; empty for what is usual with the model.
        propose: Starts it.
        like: Finds what looks like the boxes on the open photo.
        scenes: How many are pasted together.
        paste: Starts that.
    """

    model: gr.Dropdown
    words: gr.Dataframe
    without: gr.Textbox
    again: gr.Checkbox
    masks: gr.Textbox
    floor: gr.Textbox
    propose: gr.Button
    like: gr.Button
    scenes: gr.Number
    paste: gr.Button


def lay() -> ProposeCard:
    """Lay out the card."""
    with gr.Accordion("Few photos, or few labels?", open=False, elem_id="fold-propose", elem_classes="fold"):
        gr.HTML('<p class="fine">A model proposes boxes on photos without labels; you accept, move or delete them.</p>')
        with gr.Row():
            model = gr.Dropdown(
                MODELS, value=MODELS[0], label="Model that proposes: a name on the Hub, a folder, or a run",
                allow_custom_value=True, elem_id="propose-model", min_width=260,
            )  # fmt: skip
            without = gr.Textbox(
                "", label="What is not meant, with commas", placeholder="shadow, hole", max_lines=1,
                elem_id="propose-without", min_width=200,
            )  # fmt: skip
            masks = gr.Textbox(
                "", label="Tight boxes by SAM 2: its name, or empty", placeholder="facebook/sam2.1-hiera-tiny",
                max_lines=1, elem_id="propose-masks", min_width=200,
            )  # fmt: skip
        words = gr.Dataframe(
            [["", ""]], headers=["part", "in plain English"], datatype="str", type="array", interactive=True,
            column_count=2, elem_id="propose-words", label="What it looks for, a part a line",
        )  # fmt: skip
        with gr.Row():
            again = gr.Checkbox(
                False, label="Also on photos that are labelled already", elem_id="propose-all", min_width=260
            )  # fmt: skip
            floor = gr.Textbox(
                "", label="Least score of a box, from 0 to 1", placeholder="the model's own", max_lines=1,
                elem_id="propose-floor", min_width=260,
            )  # fmt: skip
        with gr.Row(elem_classes="adder"):
            propose = gr.Button("Propose boxes", elem_id="propose", min_width=160)
            like = gr.Button("Find more like on the open photo", elem_id="propose-like", min_width=240)
        with gr.Row(elem_classes="adder"):
            scenes = gr.Number(
                SCENES, label="Scenes of your own parts, cut out and pasted", minimum=1, maximum=5000, precision=0,
                elem_id="paste-scenes", min_width=240,
            )  # fmt: skip
            paste = gr.Button("Paste scenes", elem_id="paste", min_width=160)
    return ProposeCard(model, words, without, again, masks, floor, propose, like, scenes, paste)


def wire(card: ProposeCard, photos: PhotosCard, opened: gr.State, work: Scripted) -> None:
    """Wire the card.

    Args:
        card: See `lay`.
        photos: The card with the set.
        opened: What is open.
        work: Runs what takes long.
    """
    out = [
        photos.progress, photos.clock, photos.cancel, photos.bring, photos.chosen, photos.fold, photos.version
    ]  # fmt: skip
    now = [photos.chosen, photos.version]

    def started(
        chosen: str | None, version: int, module: str, title: str, words: Callable[[PhotoSet], list[str]]
    ) -> Any:
        try:
            own = the_set(chosen)
            work.start(f"{title} {own.name}", own.name, module, [*words(own), "--progress-json"], tells=True)
        except RepairError as error:
            return refused(work, error)
        return look(work, chosen, version)

    def propose(chosen: str | None, version: int, model: str, rows: Any, without: str, *how: Any) -> Any:
        def words(own: PhotoSet) -> list[str]:
            return [f"--model={named(model)}", *asked(rows, without, own.parts, named(model)), *flags(*how)]

        return started(chosen, version, LABEL, "Proposing boxes on", lambda own: [own.name, *words(own)])

    def like(chosen: str | None, version: int, model: str, opened: Opened, *how: Any) -> Any:
        return started(
            chosen, version, LABEL, "Finding more on",
            lambda own: [own.name, *alike(own, model, opened.name), *flags(*how)],
        )  # fmt: skip

    def paste(chosen: str | None, version: int, scenes: float | None) -> Any:
        count = [f"--scenes={int(scenes or SCENES)}"]
        return started(chosen, version, PASTE, "Pasting scenes into", lambda own: [own.name, *count])

    how = [card.again, card.masks, card.floor]
    card.propose.click(propose, [*now, card.model, card.words, card.without, *how], out, **QUIET)
    card.like.click(like, [*now, card.model, opened, *how], out, **QUIET)
    card.paste.click(paste, [*now, card.scenes], out, **QUIET)
    photos.chosen.change(_parts, photos.chosen, card.words, **QUIET)


def flags(again: bool, masks: str, floor: str) -> list[str]:
    """Return how boxes are proposed, as words for the script.

    Args:
        again: Also on photos that are labelled.
        masks: A SAM 2 model, for tight boxes; empty for none.
        floor: Least score of a box; empty for what is usual with the model.

    Raises:
        RepairError: That is no score.
    """
    words = ["--all"] if again else []
    words += [f"--masks={masks.strip()}"] if masks.strip() else []
    least = floor.strip().replace(",", ".")
    if least and not re.fullmatch(r"0?\.\d{1,6}|0|1|1\.0{1,6}", least):
        raise RepairError(f"{floor.strip()!r:.40} is no score", "write one from 0 to 1, such as 0.3, or nothing")
    return words + ([f"--floor={least}"] if least else [])


def _parts(folder: str | None) -> Any:
    try:
        photos = chosen_set(folder)
    except RepairError:
        photos = None
    return [[part, _plain(part)] for part in photos.parts] if photos and photos.parts else [["", ""]]


def _plain(part: str) -> str:
    return part.replace("_", " ")


def named(model: str | None) -> str:
    """Return the name of a model.

    Raises:
        RepairError: There is none.
    """
    if not (model or "").strip():
        raise RepairError("no model is named", f"choose one, such as {MODELS[0]}")
    return str(model).strip()


def asked(rows: Sequence[Sequence[str]], without: str, parts: Sequence[str], model: str = "") -> list[str]:
    """Return what is looked for, as words for the script.

    Args:
        rows: A part and its words each; empty ones do not count.
        without: What is not meant, with commas.
        parts: Of the set, which are looked for where the table says nothing.
        model: That is asked; a detector that was trained here knows its own parts, by the names that they have.

    Raises:
        RepairError: Nothing is looked for.
    """
    wanted = [(str(row[0]).strip(), str(row[1]).strip()) for row in rows if len(row) > 1 and str(row[0]).strip()]
    trained = bool(model) and model not in MODELS[:2] and "/" not in model
    if trained:
        wanted = [(part, part if words == _plain(part) else words) for part, words in wanted]
    wanted = wanted or [(part, part) for part in parts]
    if not wanted and not trained:
        raise RepairError("nothing is looked for", "write a part, and behind it what it is in plain English")
    prompts = [f"--prompt={part}: {words or part}" for part, words in wanted]
    return [*prompts, *(f"--without={each.strip()}" for each in without.split(",") if each.strip())]


def alike(photos: PhotoSet, model: str | None, name: str) -> list[str]:
    """Return what is looked for where it is to look like the boxes on a photo, as words for the script.

    Args:
        photos: The set.
        model: That was chosen; one that takes words alone gives way to one that takes pictures.
        name: Of the photo; empty for none.

    Raises:
        RepairError: No photo is open, or it has no box.
    """
    if not name:
        raise RepairError("no photo is open", "open one that shows the part, with a box round it")
    boxes = photos.photo(name).boxes
    if not boxes:
        raise RepairError(f"there is no box on {name}", "draw one round the part and save it")
    own = named(model)
    takes_pictures = "owl" in own.lower() or own not in MODELS
    likes = [word for at, box in enumerate(boxes[:MOST_LIKE], 1) for word in ("--like", box.part, name, f"#{at}")]
    return [f"--model={own if takes_pictures else FINDS_ALIKE}", *likes]
