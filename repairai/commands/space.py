"""`space`: the Inspect tab as a Space on the Hub: its folder, its deployment, and how it stands."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repairai.commands.words import as_data, noun, print_json, verb, whole
from repairai.errors import RepairError

if TYPE_CHECKING:
    from repairai.hub.space_card import Eyes, StateJudge
    from repairai.hub.space_folder import Built
    from repairai.schema import Guide


def add_words(verbs: Any) -> None:
    """Add `space` and its verbs to the command line."""
    verbs = noun(verbs, "space", "the Inspect tab as a Space on the Hub: build, deploy, status")
    build = verb(verbs, "build", _build, "make the folder of a Space, with a detector, guides and RepairAI's own code")
    build.add_argument("folder", type=Path, help="not there yet, or empty")
    _add_contents(build)
    deploy = verb(verbs, "deploy", _deploy, "make a Space on the Hub, or bring one up to date; private unless --public")
    deploy.add_argument("repo", metavar="OWNER/NAME")
    _add_contents(deploy)
    deploy.add_argument("--hardware", default="", metavar="NAME", help="zero-a10g where a GPU is used, else cpu-basic")
    deploy.add_argument("--public", action="store_true", help="a new Space that everybody can see")
    deploy.add_argument("--sleep", type=whole(5, 10_000), metavar="MINUTES", help="sleeps after so long unvisited")
    deploy.add_argument("--secret", action="append", default=[], metavar="NAME", help="you are asked for its value")
    deploy.add_argument("--dry-run", action="store_true", help="show the files and the card; send nothing")
    status = verb(verbs, "status", _status, "how a Space stands, and what it has written last")
    status.add_argument("repo", metavar="OWNER/NAME")
    status.add_argument("--log", type=whole(0, 10_000), default=10, metavar="LINES")


def _add_contents(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detector", default="builtin", metavar="NAME", help="builtin, a run, a pulled one, a folder")
    parser.add_argument("--guide", action="append", metavar="ID", help="may be given again; else all built-in guides")
    parser.add_argument("--judge", default="counts", metavar="NAME",
                        help="answers questions of state: a run, a pulled one, a folder (usual: nobody)")  # fmt: skip
    parser.add_argument("--title", default="", help="the Space's name for people")
    parser.add_argument("--torch", action="store_true", help="run the detector with torch, on a GPU")


def chosen_eyes(name: str) -> Eyes | None:
    """Return a detector for a Space by its name; None for the one that comes with RepairAI.

    Raises:
        RepairError: There is none of this name, or it does not inspect.
    """
    from repairai.hub.space_card import Eyes
    from repairai.inspection import BUILTIN, detector_folder
    from repairai.vision.detectors import must_inspect

    folder, called = detector_folder(name)
    if folder == detector_folder(BUILTIN)[0]:
        return None
    must_inspect(called, folder)
    pulled = _json_in(folder / "pulled.json")
    called = f"own-{called}" if called == BUILTIN else called
    return Eyes(called, folder, str(pulled.get("repo") or ""), str(pulled.get("licence") or ""))


def chosen_judge(name: str) -> StateJudge | None:
    """Return a judge of states for a Space by its name; None where nobody is to answer.

    Raises:
        RepairError: There is none of this name, it is a server or was not pulled, or nothing tells its base on the Hub.
    """
    from repairai import files
    from repairai.hub.space_card import StateJudge
    from repairai.hub.space_contents import COUNTS
    from repairai.judge import judges
    from repairai.judge.limits import limits_path
    from repairai.runs.sharing.origins import hub_name

    trained = files.home() / "runs" / name / "model"
    if name in (COUNTS, judges.NOBODY.name, ""):
        return None
    is_run = Path(name).name == name and any((trained / each).is_file() for each in judges.FILES)
    judge = judges.Judge(name, "local", str(trained.absolute())) if is_run else judges.named(name)
    if judge.kind != "local":
        raise RepairError(f"{name} is a server, which a Space does not have", "name a judge that lies on this machine")
    folder = files.pulled(judge.path) or files.expanded(judge.path)
    if not folder.is_dir():
        raise RepairError(f"{name} was not pulled", f"fetch it first: models pull {name}")
    about = _json_in(folder / "pulled.json")
    base = ""
    if (folder / "adapter_config.json").is_file():
        base = hub_name(judge.base) or hub_name(
            str(_json_in(folder / "adapter_config.json").get("base_model_name_or_path") or "")
        )
    limits = limits_path(judge.path)
    return StateJudge(
        judge.name, folder, str(about.get("repo") or ""), str(about.get("licence") or ""), base,
        limits if limits.is_file() else None,
    )  # fmt: skip


def _json_in(path: Path) -> dict[str, Any]:
    """Return what a file of JSON says; nothing where it says nothing."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def chosen_guides(ids: Iterable[str] | None) -> Sequence[Guide] | None:
    """Return guides of the library by their ids; None where none was named.

    Raises:
        RepairError: There is none with such an id.
    """
    from repairai.sop.library import Library

    library = Library()
    return [library.guide(each) for each in dict.fromkeys(ids)] if ids else None


def _made(chosen: argparse.Namespace, folder: Path) -> Built:
    from repairai.hub.space_folder import build

    eyes = chosen_eyes(chosen.detector)
    if eyes is None and chosen.torch:
        raise RepairError("the detector that comes with RepairAI needs no GPU", "leave --torch out")
    return build(
        folder,
        eyes,
        chosen_guides(chosen.guide),
        judge=chosen_judge(chosen.judge),
        title=chosen.title,
        with_torch=chosen.torch,
    )


def _build(chosen: argparse.Namespace) -> int:
    built = _made(chosen, chosen.folder)
    if chosen.json:
        print_json(_as_data(built))
    else:
        _print_files(built)
        print(f"built in {built.folder}: start it there with `python app.py`")
    return 0


def _deploy(chosen: argparse.Namespace) -> int:
    from repairai.hub import space

    with tempfile.TemporaryDirectory(prefix="repairai-space-") as place:
        built = _made(chosen, Path(place) / "space")
        hardware = chosen.hardware or space.hardware_for(built)
        if chosen.dry_run:
            return _show(chosen, built, hardware)
        done = space.deploy(
            built,
            chosen.repo,
            hardware=chosen.hardware,
            private=not chosen.public,
            sleep_seconds=chosen.sleep * 60 if chosen.sleep else None,
            secrets=_typed(chosen.secret),
        )
    if chosen.json:
        print_json(as_data(done))
        return 0
    print(f"{'brought up to date' if done.was_there else 'made'}: {done.address}")
    print(f"  {'private' if done.private else 'public'}, on {done.hardware}, commit {done.commit[:8]}")
    if done.secrets:
        print(f"  secrets that were set: {', '.join(done.secrets)}")
    print(f"see how it comes up: python -m repairai space status {done.repo}")
    return 0


def _show(chosen: argparse.Namespace, built: Built, hardware: str) -> int:
    """Show what would be sent."""
    if chosen.json:
        seen = "public" if chosen.public else "private"
        print_json({**_as_data(built), "repo": chosen.repo, "hardware": hardware, "visibility": seen})
        return 0
    _print_files(built)
    print(f"\n{built.card}")
    print(f"would go to {chosen.repo}, {'public' if chosen.public else 'private'}, on {hardware}; nothing was sent")
    return 0


def _status(chosen: argparse.Namespace) -> int:
    from repairai.hub import space

    now = space.status(chosen.repo)
    lines = space.log_tail(chosen.repo, now.stage, chosen.log) if chosen.log else ()
    if chosen.json:
        print_json({**as_data(now), "log": lines})
        return 0
    print(f"{now.repo}: {now.said} ({now.stage})")
    print(f"  {now.address}, {'private' if now.private else 'public'}")
    print(f"  hardware: {now.hardware or 'none yet'}, asked for: {now.asked_hardware or 'none'}")
    if now.sleeps_after_seconds:
        print(f"  sleeps after {now.sleeps_after_seconds // 60} minutes without a visitor")
    for line in lines:
        print(f"  | {line}")
    return 0


def _typed(names: Sequence[str]) -> dict[str, str]:
    """Return the values of secrets, as they are typed unseen or come in, a line each; never from the environment."""
    if not sys.stdin.isatty():
        return {name: sys.stdin.readline().rstrip("\r\n") for name in names}
    return {name: getpass.getpass(f"{name}: ") for name in names}


def _as_data(built: Built) -> dict[str, Any]:
    files = [{"path": path, "bytes": file.stat().st_size} for path, file in built.files]
    return {"folder": str(built.folder), "files": files, "card": built.card, "contents": as_data(built.contents)}


def _print_files(built: Built) -> None:
    for path, file in built.files:
        print(f"{file.stat().st_size:>12,}  {path}")
    total = sum(file.stat().st_size for _, file in built.files)
    print(f"{total:>12,}  bytes in {len(built.files)} files, and README.md")
