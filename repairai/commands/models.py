"""`models`: who answers questions, and one step back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, noun, print_json, verb

if TYPE_CHECKING:
    from repairai.sop.agents import Agent


def add_words(verbs: Any) -> None:
    """Add `models` and its verbs to the command line."""
    verbs = noun(verbs, "models", "who answers questions: list, choose, one step back")
    verb(verbs, "list", _list, "all that can be asked; * is the active one")
    use = verb(verbs, "use", _use, "make a model the active one; one that was trained here only if it is no worse")
    use.add_argument("name", metavar="RUN_ID|NAME|FOLDER|HUB_ID|http://...")
    use.add_argument("--server-model", default="", metavar="NAME", help="the model that a server is asked for")
    use.add_argument("--force", action="store_true", help="a trained one whatever its exam says")
    verb(verbs, "back", _back, "make the one active again that was so before")


def _list(chosen: argparse.Namespace) -> int:
    from repairai.sop import agents

    active = agents.active()
    found = [*agents.agents()]
    if active.name not in [each.name for each in found]:
        found.append(active)
    if chosen.json:
        print_json([{**as_data(each), "active": each == active, "missing": agents.missing(each)} for each in found])
        return 0
    for each in found:
        print(("* " if each == active else "  ") + _said(each))
    return 0


def _use(chosen: argparse.Namespace) -> int:
    from repairai.sop import agents

    if _is_run(chosen.name):
        from repairai.runs import gate

        decision = gate.activate(chosen.name, force=chosen.force)
        if chosen.json:
            print_json(as_data(decision))
        else:
            print(decision.said)
        return 0 if decision.active else 1
    used = agents.use(agents.named(chosen.name, chosen.server_model))
    return _tell_active(chosen, used)


def _back(chosen: argparse.Namespace) -> int:
    from repairai.sop import agents

    return _tell_active(chosen, agents.back())


def _tell_active(chosen: argparse.Namespace, agent: Agent) -> int:
    if chosen.json:
        print_json(as_data(agent))
    else:
        print(f"active now: {_said(agent)}")
    return 0


def _is_run(name: str) -> bool:
    """Tell whether a name is that of a run's folder; anything with a separator is none."""
    from repairai.runs.folder import runs_folder

    return name not in ("", ".", "..") and not set(name) & set("/\\:") and (runs_folder() / name).is_dir()


def _said(agent: Agent) -> str:
    from repairai.sop import agents

    if agent.kind == "steps":
        return "steps: the steps themselves, no model"
    about = [agent.path, f"on {agent.base}" if agent.base and agent.kind == "local" else "", agents.missing(agent)]
    return f"{agent.name}: {', '.join(filter(None, about))}"
