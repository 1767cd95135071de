"""A set of states as an ImageFolder: what `datasets` loads, and what is taken back as a set.

train/metadata.jsonl       {"file_name", "question", "opposite", "answer", "source", "made_by"}, an example a line
train/*.jpg                likewise validation and test
sources.json               where the photos came from, with licences
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

from repairai.errors import RepairError
from repairai.files import disk_error, from_data, read_text, to_data
from repairai.hub.data_card import DataFacts, DataSplit
from repairai.hub.pulled import known_of
from repairai.judge.state_set import (
    PHOTOS,
    SOURCES,
    SPLITS,
    Split,
    StateExample,
    read_sources,
    read_state_set,
    write_examples,
    write_sources,
)
from repairai.named_sets import STATE_SETS, neighbour, put_in_place
from repairai.runs.figures import count
from repairai.runs.sharing.bare_photo import bare
from repairai.runs.sharing.origins import of_photos
from repairai.runs.sharing.photo_files import IN_A_FOLDER, METADATA, NAMES
from repairai.runs.sharing.staged import Files, as_json, staged, without_paths

COLUMNS = (
    ("image", "what a judge is shown: the region that the question is about, or a whole photo; without what cameras "
              "note beside it"),
    ("question", "answered by yes or no"),
    ("opposite", "the same question the other way round, whose right answer is the other one"),
    ("answer", "yes or no, to the question"),
    ("source", "what the photo was made from: photos of one source count as one, and stand in one split alone"),
    ("made_by", "who knew the answer: a person at the bench, an import, or it was rendered"),
)  # fmt: skip
SPLIT_OF = {name: split for split, name in NAMES.items()}


def state_files(folder: Path, place: Path) -> Files:
    """Return the files of a set as they go to the Hub, those that have to be written among them.

    Args:
        folder: Of the set.
        place: Where files are written.

    Raises:
        RepairError: It holds no example, a photo is gone, or the disk is full.
    """
    examples = read_state_set(folder)
    if not examples:
        raise RepairError(f"{folder.name} holds no states", "build some with `python -m repairai states build`")
    files: list[tuple[str, Path]] = []
    for split in SPLITS:
        own = [each for each in examples if each.split == split]
        names = _names(own)
        if own:
            lines = "".join(_line(each, names[each.photo]) for each in own)
            path = f"{NAMES[split]}/{METADATA}"
            files.append((path, staged(place, path, lines.encode())))
        files += [
            (f"{NAMES[split]}/{name}", _photo(folder, photo, place, f"{NAMES[split]}/{name}"))
            for photo, name in names.items()
        ]
    sources = [without_paths(to_data(each)) for each in read_sources(folder)]
    if sources:
        files.append((SOURCES, staged(place, SOURCES, as_json(sources))))
    return tuple(files)


def _names(examples: list[StateExample]) -> dict[str, str]:
    """Return what each photo is called in its split, each once."""
    photos = dict.fromkeys(each.photo for each in examples)
    found = {photo: photo.removeprefix(f"{PHOTOS}/").replace("/", "--") for photo in photos}
    if len(found) <= IN_A_FOLDER:
        return found
    return {photo: f"{at // IN_A_FOLDER:03d}/{name}" for at, (photo, name) in enumerate(found.items())}


def _line(each: StateExample, name: str) -> str:
    row = {"file_name": name, "question": each.question, "opposite": each.opposite, "answer": each.answer,
           "source": each.source, "made_by": each.made_by}  # fmt: skip
    return json.dumps(row, ensure_ascii=False) + "\n"


def _photo(folder: Path, photo: str, place: Path, name: str) -> Path:
    """Return where a photo lies without its camera's notes: its own file where it has none."""
    path = folder / photo
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RepairError(f"{photo} of {folder.name} is gone", "build the set again") from None
    except OSError as error:
        raise disk_error(path, error) from None
    without = bare(content)
    return path if without == content else staged(place, name, without)


def state_facts(folder: Path, repo: str) -> DataFacts:
    """Return what is known of a set, for its card.

    Raises:
        RepairError: There is no such set, or it is damaged.
    """
    examples = read_state_set(folder)
    questions = Counter(each.question for each in examples)
    made = Counter(each.made_by for each in examples)
    told = ", ".join(f"{question} {n:,}" for question, n in questions.most_common(10))
    more = f", and {len(questions) - 10:,} more questions" if len(questions) > 10 else ""
    photos, yes = len({each.photo for each in examples}), sum(each.answer == "yes" for each in examples)
    said = [
        f"{len(examples):,} examples of {count(len(questions), 'question')} on {count(photos, 'photo')}: {told}{more}.",
        f"{yes:,} are answered yes, {len(examples) - yes:,} no.",
        "No source of photos stands in two splits.",
        f"{made['person']:,} were answered by a person at the bench." if made["person"] else "",
        f"{made['rendered']:,} show what was drawn by a program, not photographed." if made["rendered"] else "",
    ]
    limits = (
        "Photos can show more than the part: hands, desks, serial numbers. Look through them before you make them "
        "public.",
        "The answers to a question and to its opposite are two sides of one: they prove nothing twice.",
    )
    splits = {split: [each for each in examples if each.split == split] for split in SPLITS}
    return DataFacts(
        name=folder.name,
        kind="states",
        repo=repo,
        said=tuple(filter(None, said)),
        splits=tuple(_split(split, own) for split, own in splits.items() if own),
        columns=COLUMNS,
        sources=of_photos([to_data(each) for each in read_sources(folder)]),
        limits=limits,
    )


def _split(split: Split, own: list[StateExample]) -> DataSplit:
    said = count(len({each.source for each in own}), "independent photo")
    return DataSplit(NAMES[split], f"{NAMES[split]}/**", len(own), said)


# ---- taken back


def take_states(folder: Path, name: str = "") -> Path:
    """Make a set of states of what was pulled from the Hub, and return its folder; a set of that name is replaced.

    Args:
        folder: Where it lies as it came.
        name: Of the set; empty takes the folder's.

    Raises:
        RepairError: It holds no states, a photo of them is missing, or a set of that name came from elsewhere.
    """
    place = STATE_SETS.folder(name or folder.name)
    came = known_of(folder)
    if place.exists() and (not came or known_of(place) is None):
        raise RepairError(f"there are states named {place.name} already", "delete them, or give another name")
    examples: list[StateExample] = []
    work = neighbour(place)
    try:
        for path in sorted(folder.glob(f"*/{METADATA}")):
            if split := SPLIT_OF.get(path.parent.name):
                examples += _taken(path, split, work)
        if not examples:
            raise RepairError(f"{folder.name} holds no states: there is no train/{METADATA}", "take another data set")
        write_examples(work, examples)
        if (folder / SOURCES).is_file():
            write_sources(work, read_sources(folder))
        if came:
            shutil.copyfile(folder / "pulled.json", work / "pulled.json")
        put_in_place(work, place)
    except OSError as error:
        raise disk_error(place, error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return place


def _taken(path: Path, split: Split, work: Path) -> list[StateExample]:
    """Return the examples of a split, their photos copied into the set."""
    found, inside = [], f"{PHOTOS}/{path.parent.name}"
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path.parent.name}/{path.name}, line {number}"
        row = _row(line, where)
        name = str(row.pop("file_name", ""))
        pure = PurePosixPath(name)
        if not name or pure.is_absolute() or ".." in pure.parts or "\\" in name:
            raise RepairError(f"{where} names no photo within its folder", "take another data set")
        target = work / inside / name
        if not target.is_file():
            if not (path.parent / name).is_file():
                raise RepairError(f"{where} names a photo that is not there", "pull it again")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.parent / name, target)
        found.append(from_data({**row, "photo": f"{inside}/{name}", "split": split}, StateExample, where))
    return found


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise RepairError(f"{where} is no row of a table", "take another data set")
    return row
