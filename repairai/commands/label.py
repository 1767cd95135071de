"""`photos propose`, `photos accept` and `photos paste`: boxes that a model draws, a person's yes, and made photos."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands.script import run_script
from repairai.commands.words import print_json, verb, whole
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.vision.photo_set import LabelledBox, PhotoSet

_MOST = 100_000


def add_words(verbs: Any) -> None:
    """Add the verbs to `photos`.

    Args:
        verbs: What `repairai.commands.words.noun` returned for it.
    """
    _add_propose(verbs)
    accept = verb(verbs, "accept", _accept, "say that the boxes on photos are right: only then are they trained on")
    accept.add_argument("name", metavar="NAME")
    accept.add_argument(
        "photos", nargs="*", metavar="PHOTO", help="that you have looked at, with its boxes as they are"
    )
    accept.add_argument("--boxes", type=Path, metavar="FILE", help='of one photo: [{"part": ..., "box": [l, t, r, b]}]')
    accept.add_argument("--above", type=_score, metavar="S", help="without a look: where each box has this score")
    _add_paste(verbs)


def _add_propose(verbs: Any) -> None:
    add = verb(verbs, "propose", _propose, "let a model draw boxes on photos that nobody has labelled").add_argument
    add("name", metavar="NAME")
    add("--model", required=True, help="builtin, a run, a folder, or a name on the Hub")
    add("--prompt", action="append", metavar="PART: WORDS", help="what to look for; may be given again")
    add("--without", action="append", metavar="WORDS", help="what is not meant; may be given again")
    add("--like", action="append", nargs=3, metavar=("PART", "PHOTO", "BOX"), help='a part that is shown; BOX as "#1"')
    add("--floor", type=_score, metavar="S", help="least score of a box (default: the model's own)")
    add("--whole", action="store_true", help="look at large photos as a whole only: faster, and small parts are missed")
    add("--all", action="store_true", help="also photos that are labelled: with new boxes they wait for a person again")
    add("--photo", action="append", metavar="PHOTO", help="this photo only; may be given again")
    add("--accept-above", type=_score, metavar="S", help="label photos to train on where each box has this score")
    add("--masks", metavar="MODEL", help="a SAM 2 model: boxes as tight as the masks")
    add("--again", action="store_true", help="also photos that the same command has looked at before")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what} on standard error")


def _add_paste(verbs: Any) -> None:
    add = verb(verbs, "paste", _paste, "make photos to train on from the set's own parts, or render them").add_argument
    add("name", metavar="NAME")
    add("--scenes", type=whole(1, _MOST), metavar="N", help="how many to paste together")
    add("--rendered", type=whole(1, _MOST), metavar="N", help="how many to render, of parts that the renderer knows")
    add("--masks", metavar="MODEL", help="a SAM 2 model to cut out with: cleaner rims")
    add("--backgrounds", metavar="FOLDER", help="photos without any of the parts, to lay them on")
    add("--part", action="append", metavar="PART=RENDERED", help="the renderer's name of a part")
    add("--seed", type=whole(0, _MOST), help="of every choice (default: 7)")
    add("--remove", action="store_true", help="take all made photos out of the set again")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what} on standard error")


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"need a score from 0 to 1, got {text:.40}")
    return value


def _propose(chosen: argparse.Namespace) -> int:
    return _started("training.detector_label", chosen)


def _paste(chosen: argparse.Namespace) -> int:
    return _started("training.detector_paste", chosen)


def _started(module: str, chosen: argparse.Namespace) -> int:
    """Run a script with the same words."""
    words: list[str] = []
    for name, value in vars(chosen).items():
        flag = f"--{name.replace('_', '-')}"
        if name in ("run", "name") or value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        else:
            for each in value if isinstance(value, list) else [value]:
                words += [flag, *each] if isinstance(each, list) else [f"{flag}={each}"]
    return run_script(module, [*words, "--", chosen.name])


# ---- accepted


def _accept(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import PHOTO_SETS
    from repairai.vision.looked import accept, accept_above
    from repairai.vision.photo_set import edit

    folder = PHOTO_SETS.known(chosen.name)
    if bool(chosen.photos) == (chosen.above is not None) or (chosen.boxes and len(chosen.photos) != 1):
        raise RepairError(
            "nothing says which photos are right",
            "give PHOTO... that you have looked at (one with --boxes), or --above S, and not both",
        )
    given = _boxes(chosen.boxes) if chosen.boxes else None
    done: tuple[str, ...] = tuple(dict.fromkeys(chosen.photos))

    def change(photos: PhotoSet) -> PhotoSet:
        nonlocal done
        if chosen.above is not None:
            photos, done = accept_above(photos, chosen.above)
            return photos
        for name in done:
            photos = accept(photos, name, photos.photo(name).boxes if given is None else given)
        return photos

    after = edit(folder, change)
    waiting = sum(not each.labelled for each in after.photos)
    if chosen.json:
        print_json({"accepted": list(done), "waiting": waiting})
    else:
        print(f"{len(done):,} photos are labelled now; {waiting:,} of {chosen.name} wait for a person still")
    return 0


def _boxes(path: Path) -> tuple[LabelledBox, ...]:
    from repairai.files import read_text
    from repairai.vision.photo_set import LabelledBox

    try:
        rows = json.loads(read_text(path))
        return tuple(LabelledBox(_part(row["part"]), _edges(row["box"])) for row in rows)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise RepairError(
            f"{path.name} holds no boxes: {error!s:.200}",
            'write [{"part": "screw", "box": [left, top, right, bottom]}]',
        ) from None


def _part(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{name!r:.40} is no name of a part")
    return name.strip()


def _edges(values: Any) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(edge) for edge in values)
    return left, top, right, bottom
