"""The doctor on the page: for which detector it looks, and what is said of it once."""

from collections.abc import Sequence
from typing import Any

from repairai.named_sets import PHOTO_SETS
from repairai.ui.photos import photos_render, photos_work, sets
from repairai.ui.photos.scripted import Scripted
from repairai.ui.photos.usual import usual
from repairai.ui.recipe_text import written
from repairai.vision.photo_set import LabelledBox, LabelledPhoto, PhotoSet, write_photo_set


def test_the_doctor_looks_with_the_eyes_of_the_recipe():
    class Noted(Scripted):
        def start(self, title: str, subject: str, module: str, words: Sequence[str], *_: Any, **__: Any) -> None:
            said.append(list(words))

    photo = LabelledPhoto("a.jpg", 90, 90, (LabelledBox("screw", (1.0, 1.0, 9.0, 9.0)),))
    photos = PhotoSet(PHOTO_SETS.folder("bench"), ("screw",), (photo,))
    write_photo_set(photos)
    said: list[list[str]] = []
    for recipe in (written(usual("builtin", "full", "bench", photos)), "", "task: ["):
        photos_work.examine(Noted(), str(photos.folder), recipe)
    assert said == [["doctor", "--image-px=320", "bench"], ["doctor", "bench"], ["doctor", "bench"]]


def test_names_are_asked_for_once():
    asked = sets.Finding("digits", "digits", "warn", "0 is no name of a part")
    other = sets.Finding("leak", "leak", "warn", "they leak")
    assert "no name" not in photos_render.doctor(sets.Report("2026", (asked, other)))
    assert "They leak" in photos_render.doctor(sets.Report("2026", (asked, other)))
    assert photos_render.doctor(sets.Report("2026", (asked,))) == ""
    assert "nothing to mend" in photos_render.doctor(sets.Report("2026"))
    assert sets.nameless(PhotoSet(PHOTO_SETS.folder("x"), ("0", "_1", "nut 2", "M3"), ())) == ("0", "_1")
