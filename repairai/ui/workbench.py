"""What the tabs share: the library, its search, and the records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from repairai.errors import RepairError
from repairai.files import read_record
from repairai.records import Records
from repairai.schema import View
from repairai.sop.library import Library
from repairai.sop.search import Search

SNIPPET = 90
"""Characters of a step that a result shows: two lines of a phone."""
LISTED = 6
"""Guides in the list: so few that it never has to be scrolled within the page."""
Answer = TypeVar("Answer")
PHOTOS = Path(__file__).parents[1] / "builtin" / "photos"


@dataclass(frozen=True)
class SamplePhoto:
    """A built-in photo that shows how a step comes out.

    Args:
        title: What it shows, in a few words.
        photo: File name in `builtin/photos`.
        guide: Id of a built-in guide.
        step: Number of its step.
        view: What the photo shows.
        before: File name of the photo from before; empty where there is none.
    """

    title: str
    photo: str
    guide: str
    step: int
    view: View = "device"
    before: str = ""


@dataclass(frozen=True)
class Samples:
    """The built-in photos, in the order in which they are offered."""

    samples: tuple[SamplePhoto, ...]


def sample_photos() -> tuple[SamplePhoto, ...]:
    """Return the built-in photos."""
    return read_record(PHOTOS / "samples.json", Samples).samples


@dataclass
class Workbench:
    """The library, its search and the records of one running app; all of them may be used by several tabs at once."""

    library: Library = field(default_factory=Library)
    records: Records = field(default_factory=Records)
    search: Search = field(init=False)

    def __post_init__(self) -> None:
        self.search = Search(self.library)

    def choices(self, words: str, device: str | None) -> list[tuple[str, str]]:
        """Return the guides that a person can pick, as (what it says, `guide#step`): those that fit the words best.

        Args:
            words: What was typed; empty lists guides, the built-in ones first.
            device: Only this device; None means all.
        """
        if words.strip():
            hits = self.search.search_guides(words, device, LISTED)
            return [
                (_said(hit.title, hit.device, hit.step, hit.snippet), f"{hit.guide_id}#{hit.step or 1}") for hit in hits
            ]
        guides = sorted(self.library.summaries(device), key=lambda each: not each.id.startswith("sample-practice"))
        return [(_said(each.title, each.device), f"{each.id}#1") for each in guides[:LISTED]]


def _said(title: str, device: str, step: int | None = None, snippet: str = "") -> str:
    name = title if device.lower() in title.lower() else f"{title} — {device}"
    shown = snippet if len(snippet) <= SNIPPET else snippet[:SNIPPET].rsplit(" ", 1)[0] + " …"
    return f"{name}, step {step}: {shown}" if step else name


def live(elem_id: str, value: str = "", hears: str = "", **more: Any) -> gr.HTML:
    """Return a place for what a person waits for, read out as it changes.

    Its role stands on the lasting container: screen readers pass over one that comes together with its text.

    Args:
        elem_id: Its id on the page.
        value: What stands there at first.
        hears: Script of ours by which it hears what is pressed in it.
        **more: For `gr.HTML`.
    """
    return gr.HTML(value, elem_id=elem_id, js_on_load=f"element.setAttribute('role', 'status');{hears}", **more)


def wire_opening(
    tab: gr.Tab, own: gr.Tab, others: Sequence[gr.Tab], opened: Callable[..., list[Any]], now: Sequence[Any],
    seen: Sequence[Any],
) -> None:  # fmt: skip
    """Let a tab within a tab be read anew when it is opened, and when the other is opened with it inside.

    Args:
        tab: The outer one.
        own: The one within it.
        others: Those beside that.
        opened: Told `now`, returns what is then in `seen`.
        now: Components.
        seen: Likewise.
    """
    is_open: Any = gr.State(False)
    """It stays chosen while other outer tabs are looked at."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def opened_again(is_open: bool, *given: Any) -> list[Any]:
        return opened(*given) if is_open else [gr.skip()] * len(seen)

    own.select(lambda *given: [True, *opened(*given)], [*now], [is_open, *seen], **quiet)
    for other in others:
        other.select(lambda: False, None, is_open, **quiet)
    tab.select(opened_again, [is_open, *now], [*seen], **quiet)


def told(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Return the handler with a fault of the world told as a message on the page, instead of as a bare "Error"."""

    @functools.wraps(function)
    def handler(*given: Any, **named: Any) -> Answer:
        try:
            return function(*given, **named)
        except RepairError as error:
            raise gr.Error(str(error), duration=20, print_exception=False) from None

    return handler


def read_choice(choice: str) -> tuple[str, int]:
    """Return the guide's id and the step's number of a choice.

    Raises:
        RepairError: It is none.
    """
    guide, _, step = choice.rpartition("#")
    if not guide or not step.isdigit():
        raise RepairError(f"'{choice}' is no guide and step", "pick one from the list")
    return guide, int(step)
