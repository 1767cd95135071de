"""`models`: who answers, inspects and judges, one step back; to and from the Hub, and what was pulled deleted."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands import models_of_states, pulled, transfer
from repairai.commands.words import as_data, noun, print_json, verb
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.sop.agents import Agent
    from repairai.vision.detectors import Inspector


_LET = {
    "detector": "let it inspect: `models use ", "adapter": "let it answer: `models use ",
    "agent": "let it answer: `models use ", "judge": "let it judge: `models use --judge ",
}  # fmt: skip
"""What is said of a model that was pulled, by what it is."""


def add_words(verbs: Any) -> None:
    """Add `models` and its verbs to the command line."""
    verbs = noun(
        verbs, "models", "who answers questions, inspects photos and judges states: list, choose, one step back"
    )
    listed = verb(verbs, "list", _list, "all that can be asked, can inspect or judge; * is the active one of each kind")
    listed.add_argument("--judge", action="store_true", help="only the judges of states")
    use = verb(verbs, "use", _use, "make a model the active one; one that was trained here only if it is no worse")
    use.add_argument("name", metavar="RUN_ID|NAME|FOLDER|HUB_ID|http://...")
    use.add_argument("--server-model", default="", metavar="NAME", help="the model that a server is asked for")
    use.add_argument("--judge", action="store_true", help="let it answer questions of state about photos; or: nobody")
    use.add_argument("--force", action="store_true", help="a trained one whatever its exam says")
    back = verb(verbs, "back", _back, "make the one active again that was so before")
    kind = back.add_mutually_exclusive_group()
    kind.add_argument("--detector", action="store_true", help="of the detectors; else of those that answer")
    kind.add_argument("--judge", action="store_true", help="of the judges of states")
    pull = transfer.add_pull(verbs, _pull, "fetch a model from the Hub: only safetensors, and nothing that can run")
    pull.add_argument("--without-base", action="store_true", help="of an adapter, fetch only itself")
    delete = verb(
        verbs, "delete", _delete, "delete a model that was pulled, with all its files; see `runs delete`, too"
    )
    delete.add_argument("name", metavar="OWNER/NAME")
    delete.add_argument("--force", action="store_true", help="though adapters stand on it that can then not be asked")
    push = transfer.add_push(verbs, _push, "send a trained model to the Hub, with its card", "RUN_ID|FOLDER")
    push.add_argument("--merged", action="store_true", help="adapter and base as one model")
    push.add_argument("--base", default="", metavar="OWNER/NAME", help="what an adapter's base is called on the Hub")


def _list(chosen: argparse.Namespace) -> int:
    from repairai.judge import judges
    from repairai.sop import agents
    from repairai.vision import detectors

    if chosen.judge:
        return models_of_states.list_judges(chosen)
    active, inspects = agents.active(), detectors.active()
    found = [*agents.agents()]
    if active.name not in [each.name for each in found]:
        found.append(active)
    eyes = detectors.inspectors()
    came = _came(agents, detectors, judges)
    if chosen.json:
        rows = [{**as_data(each), "active": each == active, "missing": agents.missing(each)} for each in found]
        rows += [{**as_data(each), "kind": "detector", "active": each.name == inspects.name,
                  "missing": detectors.missing(each)} for each in eyes]  # fmt: skip
        rows += models_of_states.rows() if models_of_states.are_known() else []
        rows += came
        print_json(rows)
        return 0
    for each in found:
        print(("* " if each == active else "  ") + _said(each))
    for eye in eyes:
        print(("* " if eye.name == inspects.name else "  ") + _said_of_detector(eye))
    if models_of_states.are_known():
        models_of_states.list_judges(chosen)
    for row in came:
        print(f"  {pulled.said(row, 'models', ', not in use')}")
    return 0


def _came(agents: Any, detectors: Any, judges: Any) -> list[dict[str, Any]]:
    """Return the models that were pulled and are in no register yet."""
    known = {each.path for each in (*agents.agents(), *detectors.inspectors(), *judges.judges())}
    return pulled.rows("model", known)


def _delete(chosen: argparse.Namespace) -> int:
    return pulled.delete(chosen, "model", chosen.force)


def _pull(chosen: argparse.Namespace) -> int:
    from repairai import files

    planned, folder = transfer.pull(chosen, "model")
    if folder is None:
        return 0
    base = planned.base
    if base and files.pulled(base) is None and not chosen.without_base:
        from repairai.hub.pull import plan

        if not chosen.json:
            print(f"it stands on {base}, which is fetched too")
        try:
            transfer.fetched(plan(base))
        except RepairError as error:
            raise RepairError(
                f"{planned.repo} is here, but not its base: {error.what}",
                f"{error.next_step}; then `models pull {base}`",
            ) from None
    if chosen.json:
        told = {"repo": planned.repo, "revision": planned.revision, "what": planned.what, "base": base}
        print_json({**told, "licence": planned.licence, "folder": str(folder), "bytes": planned.total_bytes})
        return 0
    print(f"{planned.repo} is in {folder}")
    if base and files.pulled(base) is None:
        print(f"its base is not here: `models pull {base}`")
    if word := _LET.get(planned.what):
        print(f"{word}{planned.repo}`")
    return 0


def _push(chosen: argparse.Namespace) -> int:
    from repairai.files import expanded
    from repairai.runs import parcels

    if _is_run(chosen.source) or not expanded(chosen.source).is_dir():
        parcel = parcels.of_run(chosen.source, chosen.repo, merged=chosen.merged, base=chosen.base)
    else:
        parcel = transfer.of_folder(expanded(chosen.source))
    return transfer.push(chosen, parcel)


def _use(chosen: argparse.Namespace) -> int:
    from repairai.judge import judges
    from repairai.sop import agents
    from repairai.vision import detectors

    if _is_run(chosen.name):
        return _use_run(chosen)
    if chosen.judge or models_of_states.judges_states(chosen.name):
        return models_of_states.tell(chosen, judges.use(judges.named(chosen.name, chosen.server_model)))
    if eye := _detector(chosen.name):
        return _tell_inspects(chosen, detectors.use(eye))
    used = agents.use(agents.named(chosen.name, chosen.server_model))
    return _tell_active(chosen, used)


def _use_run(chosen: argparse.Namespace) -> int:
    """Make a run's model the active one of its kind, where it is no worse."""
    from repairai.hardware.recipe import read_recipe
    from repairai.runs import detector_gate, gate, judge_gate
    from repairai.runs.folder import run_folder

    gates = {"sop": gate.activate, "detector": detector_gate.activate, "judge": judge_gate.activate}
    recipe = run_folder(chosen.name).recipe
    task = read_recipe(recipe).task if recipe.is_file() else "sop"
    if chosen.judge and task != "judge":
        raise RepairError(f"{chosen.name} trains no judge of states", "give the id of a run that does: runs list")
    decision = gates[task](chosen.name, force=chosen.force)
    if chosen.json:
        print_json(as_data(decision))
    else:
        print(decision.said)
    return 0 if decision.active else 1


def _back(chosen: argparse.Namespace) -> int:
    from repairai.judge import judges
    from repairai.sop import agents
    from repairai.vision import detectors

    if chosen.detector:
        return _tell_inspects(chosen, detectors.back())
    if chosen.judge:
        return models_of_states.tell(chosen, judges.back())
    return _tell_active(chosen, agents.back())


def _tell_active(chosen: argparse.Namespace, agent: Agent) -> int:
    if chosen.json:
        print_json(as_data(agent))
    else:
        print(f"active now: {_said(agent)}")
    return 0


def _tell_inspects(chosen: argparse.Namespace, eye: Inspector) -> int:
    if chosen.json:
        print_json({**as_data(eye), "kind": "detector"})
    else:
        print(f"inspects now: {_said_of_detector(eye)}")
    return 0


def _is_run(name: str) -> bool:
    """Tell whether a name is that of a run's folder; anything with a separator is none."""
    from repairai.runs.folder import runs_folder

    return name not in ("", ".", "..") and not set(name) & set("/\\:") and (runs_folder() / name).is_dir()


def _detector(name: str) -> Inspector | None:
    """Return the detector that a name stands for: one that inspected before, or a folder; None where it is none."""
    from repairai import files
    from repairai.vision import detectors

    for each in detectors.inspectors():
        if each.name == name:
            return each
    plain = Path(name).name == name
    came = files.pulled(name)
    places = [came] if came else []
    places += [files.home() / "models" / name, files.expanded(name)] if plain else [files.expanded(name)]
    for place in places:
        if name and models_of_states.is_of(place, "ForObjectDetection"):
            return detectors.Inspector(name if place == came else place.resolve().name, str(place.resolve()))
    return None


def _said(agent: Agent) -> str:
    from repairai.sop import agents

    if agent.kind == "steps":
        return "steps: the steps themselves, no model"
    about = [agent.path, f"on {agent.base}" if agent.base and agent.kind == "local" else "", agents.missing(agent)]
    return f"{agent.name}: {', '.join(filter(None, about))}"


def _said_of_detector(eye: Inspector) -> str:
    from repairai.vision import detectors

    about = [eye.path or "the one that comes with RepairAI", detectors.missing(eye)]
    return f"{eye.name}, a detector: {', '.join(filter(None, about))}"
