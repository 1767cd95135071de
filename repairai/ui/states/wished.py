"""What a person gives as states, as `python -m training.judge_data` takes it: piles, answers, labelled or drawn."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from repairai.errors import RepairError
from repairai.files import disk_error
from repairai.judge.state_set import state_set_folder
from repairai.ui.photos.sets import free_name
from repairai.ui.question_fold import as_question
from repairai.ui.states.state_sets import chosen_states

PILES, ANSWERS, LABELLED, DRAWN = "piles", "records", "photos", "rendered"
FROM = [("Two piles of photos: yes and no", PILES), ("My kept inspections, and what I answered", ANSWERS),
        ("Labelled photos: boxes of one part answer yes, of another no", LABELLED),
        ("Drawn scenes: a beginning, where there are no photos yet", DRAWN)]  # fmt: skip


def name_of(name: str, chosen: str | None, add: bool) -> str:
    """Return the name of the set that is built: a free one, or that of the chosen set where it is added to.

    Raises:
        RepairError: The name is none or taken, or there is nothing to be added to.
    """
    if not add:
        return free_name(name, "states", state_set_folder)
    states = chosen_states(chosen)
    if states is None:
        raise RepairError("no states are chosen that these could be added to", "choose some above, or build new ones")
    return states.folder.name


def words_of(
    beside: Path, kind: str, question: str, opposite: str, yes: Sequence[str] | None, no: Sequence[str] | None,
    photos: str | None, yes_part: str | None, no_part: str | None, positions: bool, scene: str, scenes: float | None,
    licence: str, add: bool,
) -> list[str]:  # fmt: skip
    """Return what is built, as words for the script; but for the first, the arguments are those of `StatesCard.given`.

    Raises:
        RepairError: Something is missing, which is said at once.
    """
    to = ["--add"] if add else []
    if kind == ANSWERS:
        return [*to, "--records"]
    if kind == DRAWN:
        # Beside photos they are trained on alone; where there are no photos, they have to do for all.
        return [*to, f"--rendered={scene}", f"--scenes={int(scenes or 0)}", *([] if add else ["--split=shared"])]
    asked = as_question(question)
    if not asked:
        raise RepairError("there is no question yet", "write what the photos answer, such as: Is the latch open?")
    if kind == LABELLED:
        if not photos:
            raise RepairError("no labelled photos are chosen", "choose them in the list, or bring some in beside")
        parts = (("yes-part", yes_part), ("no-part", no_part))
        words = [f"--photos={photos}", *(f"--{flag}={part}" for flag, part in parts if part)]
        words += ["--positions"] if positions else []
    else:
        words = piles(yes or [], no or [], beside)
    words += [*to, f"--question={asked}"]
    words += [f"--opposite={turned}"] if (turned := as_question(opposite)) else []
    return [*words, *([f"--licence={licence.strip()}"] if licence.strip() else [])]


def piles(yes: Sequence[str], no: Sequence[str], beside: Path) -> list[str]:
    """Return two piles of photos as words for the script.

    Args:
        yes: Files of which the answer is yes, as they were uploaded, each in a folder of its own.
        no: Likewise.
        beside: An empty folder, in which they are put together.

    Raises:
        RepairError: A pile is empty, two files of one have one name, or the disk is full.
    """
    words = []
    for name, files in (("yes", yes), ("no", no)):
        if not files:
            raise RepairError(
                f"there are no photos for {name}", "drop some into both piles: each shows the other state"
            )
        place = beside / name
        try:
            place.mkdir()
            for path in map(Path, files):
                if (place / path.name).exists():
                    raise RepairError(f"two files are called {path.name}", "rename one of them")
                shutil.copyfile(path, place / path.name)
        except OSError as error:
            raise disk_error(place, error) from None
        words.append(f"--{name}={place}")
    return words
