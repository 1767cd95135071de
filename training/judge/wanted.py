"""What a person wants examples of, as a command line or a YAML file says it: sources, with a question for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from repairai.errors import RepairError
from repairai.files import expanded, from_data, read_data
from repairai.judge.questions import key, opposite_of

Kind = Literal["folders", "photos", "rendered", "records"]
Drawn = Literal["connector", "battery", "lid"]
Into = Literal["", "train", "val", "test", "shared"]
"""The split of a source; `shared`: dealt out among all three; empty: its own ones, else shared, of drawn ones train."""
WAYS: dict[str, tuple[str, str]] = {
    "connector": ("Is the connector unplugged?", "Is the connector plugged in?"),
    "battery": ("Is the battery removed?", "Is the battery in place?"),
    "lid": ("Is the lid removed?", "Is the lid in place?"),
}
"""What drawn scenes show, with the question and its opposite that are asked of them where nothing else is said."""
MOST_SCENES = 20_000
_OWN: dict[str, Kind] = {
    "yes": "folders", "no": "folders", "photos": "photos", "yes_part": "photos", "no_part": "photos",
    "positions": "photos", "rendered": "rendered", "scenes": "rendered", "records": "records",
}  # fmt: skip
_HANDED_ON = ("licence", "url", "question", "opposite", "yes_part", "no_part")


@dataclass(frozen=True)
class Source:
    """One source of examples: two folders, a set of labelled photos, drawn scenes, or what people answered.

    Args:
        yes: Folder of photos of which the answer is yes.
        no: Likewise.
        photos: Name of a set of labelled photos, each box of which is cut out.
        yes_part: The part whose boxes answer yes.
        no_part: Likewise.
        positions: Whether the question is to name the place of a box among the others of its photo.
        rendered: What is drawn.
        scenes: How many of them.
        records: Whether what people answered at the bench is taken; each answer has its own question.
        question: To be answered by yes or no.
        opposite: The same the other way round; proposed, where it is left out and one is known.
        split: Where all of it goes.
        licence: Of photos that do not say one.
        url: Where they can be found.
    """

    yes: str = ""
    no: str = ""
    photos: str = ""
    yes_part: str = ""
    no_part: str = ""
    positions: bool = False
    rendered: Literal["", Drawn] = ""
    scenes: int = 0
    records: bool = False
    question: str = ""
    opposite: str = ""
    split: Into = ""
    licence: str = ""
    url: str = ""

    @property
    def kind(self) -> Kind:
        """Return what it is."""
        for name in ("photos", "rendered", "records"):
            if getattr(self, name):
                return _OWN[name]
        return "folders"

    @property
    def said(self) -> str:
        """Return what it is called on cards."""
        if self.kind == "folders":
            return " and ".join(Path(each).name for each in (self.yes, self.no) if each)
        if self.kind == "rendered":
            return f"{self.rendered} scenes"
        return self.photos if self.kind == "photos" else "kept inspections"


def checked(wanted: Source) -> Source:
    """Return a source with its question and opposite in full.

    Raises:
        RepairError: Something is missing, or does not go together.
    """
    used = {_OWN[each.name] for each in fields(wanted) if each.name in _OWN and getattr(wanted, each.name)}
    if len(used) != 1:
        raise RepairError(
            f"need folders, photos, scenes or records in one source, got {' and '.join(sorted(used)) or 'none'}",
            "give each of them its own question",
        )
    if wanted.kind == "photos" and not (wanted.photos and (wanted.yes_part or wanted.no_part)):
        raise RepairError(
            "need a set of photos and the part that answers yes or no", "as in --photos bench --yes-part screw"
        )
    if wanted.kind == "rendered":
        if wanted.rendered not in WAYS or not 1 <= wanted.scenes <= MOST_SCENES:
            ways = ", ".join(get_args(Drawn))
            raise RepairError(
                f"need one of {ways} and 1 to {MOST_SCENES:,} scenes", "as in --rendered lid --scenes 200"
            )
        question, opposite = WAYS[wanted.rendered]
        if not wanted.question:
            wanted = replace(wanted, question=question, opposite=opposite)
    if wanted.split not in get_args(Into):
        raise RepairError(f"{wanted.split!r:.40} is no split", "take train, val, test, or shared")
    if wanted.kind == "records":
        if wanted.question or wanted.opposite:
            raise RepairError("need no question for records: each answer has its own", "leave the question out")
        return wanted
    return _asked(wanted)


def _asked(wanted: Source) -> Source:
    question = " ".join(wanted.question.split())
    if not question.rstrip("?"):
        raise RepairError(f"need the question that {wanted.said} answer", 'as in --question "Is the latch open?"')
    if not question.endswith("?"):
        raise RepairError(f"{question!r:.80} is no question", "end it in a question mark")
    opposite = " ".join(wanted.opposite.split()) or opposite_of(question)
    if not opposite.rstrip("?"):
        raise RepairError(
            f"no opposite of {question!r:.80} is known", 'say it: --opposite "Is the latch closed?"'
        )  # fmt: skip
    if not opposite.endswith("?"):
        raise RepairError(f"{opposite!r:.80} is no question", "end it in a question mark")
    if key(opposite) == key(question):
        raise RepairError(f"{question!r:.80} is its own opposite", "ask the same the other way round")
    return replace(wanted, question=question, opposite=opposite)


# ---- as words and as files


def from_words(words: Sequence[tuple[str, Any]]) -> tuple[Source, ...]:
    """Return the sources that a command line names; a new one begins where a word comes again or fits no longer.

    What one source says of its question and its licence holds for those of its kind that follow and do not.

    Args:
        words: Names of fields of `Source` with their values, in the order in which they were given.

    Raises:
        RepairError: Something is missing, or does not go together.
    """
    groups: list[tuple[Kind | None, dict[str, Any]]] = []
    for name, value in words:
        own = _OWN.get(name)
        fits = groups and name not in groups[-1][1] and (own is None or groups[-1][0] in (None, own))
        if not fits:
            groups.append((None, {}))
        kind, group = groups[-1]
        group[name] = value
        groups[-1] = (kind or own, group)
    found: list[Source] = []
    last: dict[Kind, dict[str, Any]] = {}
    for kind, group in groups:
        if kind is None:
            raise RepairError(f"need photos beside --{next(iter(group))}", "as in --yes FOLDER --no FOLDER")
        before = last.get(kind, {})
        handed = {name: before[name] for name in _HANDED_ON if name in before and name not in group}
        if "question" in group:
            handed.pop("opposite", None)
        last[kind] = {**handed, **group}
        found.append(checked(Source(**last[kind])))
    return tuple(found)


def from_file(path: Path) -> tuple[Source, ...]:
    """Return the sources that a YAML file lists; folders in it are meant from where it lies.

    Raises:
        RepairError: It cannot be read, or a source in it is none.
    """
    data = read_data(path)
    if not isinstance(data, list) or not data:
        raise RepairError(f"{path.name} lists no sources", "write one with `- yes: FOLDER` for each pair of folders")
    found = []
    for number, each in enumerate(data, 1):
        one = from_data(_named(each), Source, f"{path.name}, source {number}")
        places = {name: str(path.parent / expanded(getattr(one, name))) for name in ("yes", "no") if getattr(one, name)}
        found.append(checked(replace(one, **places)))
    return tuple(found)


def _named(data: object) -> object:
    """Return what YAML holds with `yes` and `no` as the names that they are: it takes them for true and false."""
    if not isinstance(data, dict):
        return data
    return {{True: "yes", False: "no"}.get(name, name) if isinstance(name, bool) else name: data[name] for name in data}
