"""`models`, as far as judges of states go: which there are, which is in use, and what a folder holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, print_json

if TYPE_CHECKING:
    from repairai.judge.judges import Judge


def list_judges(chosen: argparse.Namespace) -> int:
    """Print the judges of states, and return the exit code."""
    from repairai.judge import judges

    if chosen.json:
        print_json(rows())
        return 0
    for judge in _all():
        print(("* " if judge.name == judges.active().name else "  ") + _said(judge))
    return 0


def are_known() -> bool:
    """Tell whether there is any judge of states but nobody."""
    return any(each.kind != "nobody" for each in _all())


def _all() -> list[Judge]:
    """Return the judges of states, with the one in use though it is gone from the register."""
    from repairai.judge import judges

    found = [*judges.judges()]
    return found if judges.active().name in [each.name for each in found] else [*found, judges.active()]


def rows() -> list[dict[str, Any]]:
    """Return the judges of states as plain data."""
    from repairai.judge import judges

    active = judges.active().name
    return [
        {**as_data(each), "kind": "judge", "runs": each.kind, "active": each.name == active,
         "missing": judges.missing(each)}
        for each in _all()
    ]  # fmt: skip


def tell(chosen: argparse.Namespace, judge: Judge) -> int:
    """Print which judge is in use now, and return the exit code."""
    from repairai.judge.server import sent_away

    if chosen.json:
        print_json({**as_data(judge), "kind": "judge", "runs": judge.kind})
        return 0
    print(f"judges states now: {_said(judge)}")
    if judge.kind == "server" and (away := sent_away(judge.path)):
        print(away)
    return 0


def judges_states(name: str) -> bool:
    """Tell whether a name is of a judge that no agent has, or of a folder that says of itself that it judges states."""
    from repairai import files
    from repairai.hub.pulled import pulled_models
    from repairai.judge import judges
    from repairai.sop import agents

    if any(each.name == name for each in judges.judges()):
        return all(each.name != name for each in agents.agents())
    if "/" in name and any(about.repo == name and about.what == "judge" for about, _ in pulled_models()):
        return True
    places = [files.pulled(name), files.home() / "models" / name if Path(name).name == name else None]
    return bool(name) and any(place and is_of(place, "StateClassifier") for place in (*places, files.expanded(name)))


def is_of(folder: Path, ending: str) -> bool:
    """Tell whether a checkpoint's settings name a class with this ending."""
    try:
        data = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    names = data.get("architectures") if isinstance(data, dict) else None
    return isinstance(names, list) and any(str(each).endswith(ending) for each in names)


def _said(judge: Judge) -> str:
    from repairai.judge import judges

    if judge.kind == "nobody":
        return "nobody, for states: a person looks"
    about = [judge.path, f"on {judge.base}" if judge.base and judge.kind == "local" else "", judges.missing(judge)]
    return f"{judge.name}, a judge of states: {', '.join(filter(None, about))}"
