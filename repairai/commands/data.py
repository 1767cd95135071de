"""`data`: what the SOP agent learns from, built, listed, shown and deleted; and data sets to and from the Hub."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from repairai.commands import pulled, transfer
from repairai.commands.deletion import delete
from repairai.commands.script import run_script
from repairai.commands.words import noun, print_json, refuse, verb, whole

_MOST_TOKENS = 1_000_000
_MOST = 10**9


def add_words(verbs: Any) -> None:
    """Add `data` and its verbs to the command line."""
    verbs = noun(verbs, "data", "what the SOP agent learns from, built, listed and shown")
    build = verb(verbs, "build", _build, "make examples from guides and datasets, split by device")
    add = build.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="library (the default), a file, a folder, or hub:OWNER/NAME")
    add("--name", help="of the build; one of this name is replaced (default: guides, guides-2, ...)")
    add("--device", action="append", help="guides for this device only; may be given again")
    add("--guide", action="append", metavar="ID", help="this guide only; may be given again")
    add("--without-ifixit", action="store_true", help="leave out guides that were read from iFixit itself")
    add("--column", action="append", metavar="OURS=THEIRS", help="a dataset's name of a column")
    add("--licence", help="of datasets that do not say one")
    add("--model", help="whose tokenizer counts tokens: a name on the Hub, or a folder")
    add("--length-tokens", type=whole(64, _MOST_TOKENS), help="a prompt with its answer (default: 1024)")
    add("--limit-examples", type=whole(1, _MOST), metavar="N", help="to train on; a tenth each for val and exam")
    add("--seed", type=whole(0, _MOST), help="of every choice (default: 7)")
    add("--show", type=whole(0, _MOST), metavar="N", help="print N samples, what is trained on in [[ ]]")
    add("--keep-exam", action="store_true", help="make the exam your fixed one, if you have none: never trained on")
    add("--replace-exam", action="store_true", help="make the exam your fixed one, in place of the one you have")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what} on standard error")
    verb(verbs, "list", _list, "what was built")
    show = verb(verbs, "show", _show, "a build's figures, and samples of it as a model sees them")
    show.add_argument("folder", metavar="NAME|FOLDER")
    show.add_argument("--model", help="whose chat template is used: a name on the Hub, or a folder")
    show.add_argument("--n", type=whole(0, _MOST), help="how many samples (default: 3)")
    pull = transfer.add_pull(verbs, _pull, "fetch a data set from the Hub; labelled photos and states become a set")
    pull.add_argument("--name", help="of the set of photos or of states (default: the data set's)")
    transfer.add_push(verbs, _push, "send built data to the Hub, with their card")
    delete = verb(
        verbs, "delete", _delete,
        "delete a build, or a data set that was pulled; refused while a run that needs it is at work or waits",
    )  # fmt: skip
    delete.add_argument("name", metavar="NAME|OWNER/NAME")


def _build(chosen: argparse.Namespace) -> int:
    return _started("training.sop_data", chosen.sources, chosen, ("sources",))


def _show(chosen: argparse.Namespace) -> int:
    return _started("training.sop_samples", [str(_found(chosen.folder))], chosen, ("folder",))


def _delete(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import DATA_SETS
    from repairai.runs.pulled_removal import is_fetched_data

    if "/" in chosen.name or is_fetched_data(chosen.name):
        return pulled.delete(chosen, "dataset")
    return delete(DATA_SETS, chosen)


def _pull(chosen: argparse.Namespace) -> int:
    planned, folder = transfer.pull(chosen, "dataset")
    if folder is None:
        return 0
    if planned.what == "photos":
        return _photos_of(chosen, folder, planned.licence)
    if planned.what == "states":
        return _states_of(chosen, folder)
    if chosen.json:
        told = {"repo": planned.repo, "revision": planned.revision, "what": planned.what, "licence": planned.licence}
        print_json({**told, "folder": str(folder), "bytes": planned.total_bytes})
        return 0
    then = {
        "sop-data": f"train on them with `train RECIPE --data {folder.name}`",
        "guides": f"read them in with `guides import {folder}`",
    }.get(planned.what, f"build examples from a file of it with `data build`, or `photos import {folder}`")
    print(f"{planned.repo} is in {folder}\n{then}")
    return 0


def _photos_of(chosen: argparse.Namespace, folder: Path, licence: str) -> int:
    """Make a set of photos from what was pulled."""
    from repairai.hub_faults import address

    words = [f"--name={chosen.name or folder.name.rpartition('--')[2]}", f"--url={address(chosen.repo, 'dataset')}"]
    words += [f"--licence={licence}"] if licence else []
    words += ["--json"] if chosen.json else []
    return run_script("training.detector_data", [*words, "--", str(folder)])


def _states_of(chosen: argparse.Namespace, folder: Path) -> int:
    """Make a set of states from what was pulled."""
    from repairai.judge.state_set import read_state_set
    from repairai.runs.sharing.state_files import take_states

    place = take_states(folder, chosen.name or folder.name.rpartition("--")[2])
    n = len(read_state_set(place))
    if chosen.json:
        print_json({"name": place.name, "folder": str(place), "examples": n, "what": "states"})
        return 0
    print(f"{n:,} states are in the set {place.name}: look at them with `states show {place.name}`, or train a judge")
    print(f"with `train RECIPE --data {place.name}`")
    return 0


def _push(chosen: argparse.Namespace) -> int:
    from repairai.runs import parcels

    return transfer.push(chosen, parcels.of_sop_data(chosen.source, chosen.repo))


def _list(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import DATA_SETS

    DATA_SETS.clear_halves()
    reports: list[dict[str, Any]] = []
    for path in sorted(DATA_SETS.place().glob("[!.]*/report.json")):
        try:
            reports.append(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            refuse(f"{path} cannot be read: {error}; build these data again, or remove the folder.")
    came = pulled.rows("dataset", {str(DATA_SETS.place() / report["name"]) for report in reports})
    if chosen.json:
        built = [{**report, "folder": str(DATA_SETS.place() / report["name"])} for report in reports]
        print_json([*built, *({**row, "folder": row["path"]} for row in came)])
        return 0
    for report in reports:
        counts = ", ".join(f"{sum(tasks.values()):,} {side}" for side, tasks in report["examples"].items())
        print(f"{report['name']}  {counts}, from {', '.join(report['sources'])}, {report['made'][:16]}")
    for row in came:
        print(pulled.said(row, "data"))
    if not reports:
        print("nothing was built yet: import guides, then `data build`")
    return 0


def _started(module: str, words: list[str], chosen: argparse.Namespace, done: tuple[str, ...]) -> int:
    """Run a script of `training` as a process with the same words, and return its exit code."""
    from repairai.named_sets import DATA_SETS

    for name, value in vars(chosen).items():
        flag = f"--{name.replace('_', '-')}"
        if name in ("run", *done) or value is None or value is False:
            continue
        if value is True:
            words = [flag, *words]
        else:
            words = [*(f"{flag}={each}" for each in (value if isinstance(value, list) else [value])), *words]
    return run_script(module, words, lambda: DATA_SETS.clear_halves(getattr(chosen, "name", None) or ""))


def _found(name: str) -> Path:
    """Return the folder that is meant: a build's name, else a path."""
    from repairai.files import expanded
    from repairai.named_sets import DATA_SETS

    built = DATA_SETS.place() / name
    return built if Path(name).name == name and built.is_dir() else expanded(name)
