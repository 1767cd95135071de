"""Models and data sets of the Hub onto this machine: what would come is shown first, and it comes whole or not at all.

A pull goes into a hidden folder beside its place and is moved there when it is whole and checked. One that was cut off
leaves what came in that hidden folder, and the next one goes on with it. What came is told by `pulled.json` in the
folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from huggingface_hub import hf_hub_url
from huggingface_hub.errors import RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # loaded by name
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

from repairai.errors import RepairError
from repairai.files import PULLED, disk_error, home, write_record
from repairai.hub.client import api, hub_errors, require_online
from repairai.hub.contents import (
    ADAPTER,
    CONFIG,
    What,
    folder_name,
    in_words,
    is_name,
    refuse_unsafe,
    sorted_out,
    what_of,
)
from repairai.hub.download import Progress, Wanted, digest, download
from repairai.hub.pulled import Pulled, half_of, known_of
from repairai.hub_faults import Kind, endpoint
from repairai.named_sets import DATA_SETS, put_in_place

_MOST_BYTES = 2**20
"""Of settings that are read before anything is fetched."""
_SPARE_BYTES = 2**20
"""Of a disk, that stay free."""
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class PullPlan:
    """What a pull would fetch.

    Args:
        repo: OWNER/NAME.
        kind: Of the repository.
        revision: The commit; it is fetched, whatever comes after it.
        what: What it is.
        files: (path, bytes) of what is fetched.
        left_out: (path, why) of what is not.
        total_bytes: Of all that is fetched.
        licence: As its card says it; empty where it says none.
        base: Of an adapter, the name on the Hub of what it stands on; empty where it names none there.
        oids: What the Hub calls the content of each of `files`.
        gated: Whether it is given only to those who asked for it.
    """

    repo: str
    kind: Kind
    revision: str
    what: What
    files: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[str, str], ...]
    total_bytes: int
    licence: str
    base: str = ""
    oids: tuple[str, ...] = ()
    gated: bool = False


def plan(repo: str, kind: Kind = "model", revision: str = "main") -> PullPlan:
    """Return what a pull would fetch; nothing is fetched but the model's settings.

    Args:
        repo: OWNER/NAME.
        kind: Of it.
        revision: A branch, a tag or a commit.

    Raises:
        RepairError: It is not there, may not be read, has no such revision, or is a model without safetensors.
    """
    require_online()
    with hub_errors(repo, kind):
        client = api()
        try:
            info: Any = client.repo_info(repo, repo_type=kind, revision=revision)
        except RevisionNotFoundError:
            raise RepairError(
                f"{repo} has no revision {revision!r:.60} on the Hub", "leave it out, or check it"
            ) from None
        tree = client.list_repo_tree(repo, recursive=True, revision=info.sha, repo_type=kind)
        found = {each.path: each for each in tree if isinstance(each, RepoFile)}
    wanted, left_out = sorted_out(found, kind)
    if kind == "model":
        refuse_unsafe(repo, wanted, left_out)
    settings = _settings(repo, kind, info.sha, ADAPTER if ADAPTER in found else CONFIG, found)
    oids = tuple(_oid(found[path]) for path in wanted)
    base = str(settings.get("base_model_name_or_path") or "")
    return PullPlan(
        repo=str(info.id),
        kind=kind,
        revision=str(info.sha),
        what=what_of(kind, list(found), tuple(info.tags or ()), settings),
        files=tuple((path, int(found[path].size)) for path in wanted),
        left_out=tuple(left_out),
        total_bytes=sum(int(found[path].size) for path in wanted),
        licence=_licence(info),
        base=base if ADAPTER in found and is_name(base) else "",
        oids=oids,
        gated=bool(getattr(info, "gated", False)),
    )


def fetch(planned: PullPlan, on_progress: Progress | None = None) -> Path:
    """Fetch what a plan says, and return its folder; what is there already as the plan says it stays as it is.

    Args:
        planned: As `plan` gave it.
        on_progress: Told how many bytes are here, of how many, and which file is on its way; what it raises ends the
            pull, which goes on from there the next time.

    Raises:
        RepairError: The disk has no room for it, the Hub does not give it, or what lies in its place was changed here.
    """
    tell = on_progress or (lambda done, total, words: None)
    place = place_of(planned)
    if _is_there(place, planned):
        tell(planned.total_bytes, planned.total_bytes, "")
        return place
    _refuse_changed(place, planned)
    work = half_of(place)
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(work, error) from None
    try:
        with FileLock(work / ".lock", timeout=0):
            _fetch(planned, place, work, tell)
    except Timeout:
        raise RepairError(f"{planned.repo} is being pulled already", "wait for it") from None
    except OSError as error:
        raise disk_error(place, error) from None
    shutil.rmtree(work, ignore_errors=True)
    return place


def place_of(planned: PullPlan) -> Path:
    """Return where something comes to lie."""
    name = folder_name(planned.repo)
    if planned.kind == "model":
        return home() / "models" / name
    return (DATA_SETS.place() if planned.what == "sop-data" else home() / "data" / "hub") / name


# ---- what a repository says


def _settings(repo: str, kind: Kind, revision: str, path: str, found: dict[str, RepoFile]) -> dict[str, Any]:
    """Return what a model's settings say; nothing where it has none that can be read."""
    if kind != "model" or path not in found or found[path].size > _MOST_BYTES:
        return {}
    url = hf_hub_url(repo, path, repo_type=kind, revision=revision, endpoint=endpoint())
    with hub_errors(repo, kind):
        answer = get_session().get(url, headers=build_hf_headers(), follow_redirects=True)
        hf_raise_for_status(answer)
    try:
        said = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _oid(file: RepoFile) -> str:
    oid = str(file.lfs.sha256 if file.lfs else file.blob_id)
    if not _OID.fullmatch(oid):
        raise RepairError(f"the Hub does not say what is in {file.path}", "take another")
    return oid


def _licence(info: Any) -> str:
    card = getattr(info, "card_data", None)
    said = card.to_dict() if card is not None else {}
    licence = said.get("license_name") if said.get("license") == "other" else said.get("license")
    return ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence or "")


# ---- what is here


def _is_there(place: Path, planned: PullPlan) -> bool:
    """Tell whether everything that a plan says lies in its place."""
    known = known_of(place)
    if known is None or (known.repo, known.kind) != (planned.repo, planned.kind):
        return False
    same = {(path, oid) for path, _, oid in known.files}
    if same != {(path, oid) for (path, _), oid in zip(planned.files, planned.oids, strict=True)}:
        return False
    if any(not (place / path).is_file() for path, _ in planned.files):
        return False
    if known.revision != planned.revision:  # a change that concerns nothing of what is fetched
        write_record(place / PULLED, replace(known, revision=planned.revision, licence=planned.licence))
    return True


def _refuse_changed(place: Path, planned: PullPlan) -> None:
    """See that a pull writes nothing over that a person has made.

    Raises:
        RepairError: What lies in its place did not come from there, or was changed since.
    """
    if not place.exists():
        return
    known = known_of(place)
    if known is None:
        raise RepairError(f"{place} is there already, and did not come from the Hub", "move it away, then pull again")
    written = (place / PULLED).stat().st_mtime
    changed = [
        path
        for path, n_bytes, _ in known.files
        if (place / path).is_file()
        and not _rewritten(known.what, path)
        and ((place / path).stat().st_size != n_bytes or (place / path).stat().st_mtime > written + 2)
    ]
    if changed:
        raise RepairError(
            f"{changed[0]} in {place} was changed since {planned.repo} was pulled",
            "move the folder away to keep it, or delete it, then pull again",
        )


# ---- how it comes


def _fetch(planned: PullPlan, place: Path, work: Path, tell: Progress) -> None:
    wanted = [Wanted(path, n_bytes, oid) for (path, n_bytes), oid in zip(planned.files, planned.oids, strict=True)]
    contents = {each.oid: each for each in wanted}
    for path in work.iterdir():  # of a revision that is no longer wanted
        if path.is_file() and path.name != ".lock" and path.name.removesuffix(".part") not in contents:
            path.unlink()
    _reuse(place, work, contents)
    _refuse_full(planned.repo, work, contents.values())
    download(planned.repo, planned.kind, planned.revision, wanted, work, tell)
    whole = work / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    for each in wanted:
        target = whole / each.path
        target.parent.mkdir(parents=True, exist_ok=True)
        _laid(work / each.oid, target)
    if planned.what == "sop-data":
        _rename(whole / "report.json", place.name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    files = tuple((each.path, each.n_bytes, each.oid) for each in wanted)
    about = Pulled(
        planned.repo, planned.kind, planned.revision, planned.what, planned.licence, now, files, planned.base
    )
    write_record(whole / PULLED, about)
    put_in_place(whole, place)


def _reuse(place: Path, work: Path, contents: dict[str, Wanted]) -> None:
    """Take what an earlier pull has brought already, where it is still what it was."""
    known = known_of(place)
    for path, n_bytes, oid in known.files if known else ():
        source = place / path
        if oid not in contents or (work / oid).exists() or not source.is_file() or source.stat().st_size != n_bytes:
            continue
        if digest(source, oid) == oid:
            _laid(source, work / oid)


def _laid(source: Path, target: Path) -> None:
    """Let a file stand under a second name, as a copy only where there is no other way."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _refuse_full(repo: str, work: Path, contents: Iterable[Wanted]) -> None:
    missing = sum(
        each.n_bytes - (part.stat().st_size if (part := work / f"{each.oid}.part").is_file() else 0)
        for each in contents
        if not (work / each.oid).is_file()
    )
    free = shutil.disk_usage(work).free
    if missing and missing + _SPARE_BYTES > free:
        raise RepairError(
            f"{repo} needs {in_words(missing)} more, and {in_words(free)} are free at {work.parent}",
            "free some space and try again",
        )


def _rewritten(what: What, path: str) -> bool:
    return what == "sop-data" and path == "report.json"


def _rename(report: Path, name: str) -> None:
    """Let the report of built data say the name that they have here."""
    try:
        said = json.loads(report.read_bytes())
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(said, dict) and said.get("name") != name:
        report.unlink()  # it may be the same file as that of the earlier pull
        report.write_text(json.dumps({**said, "name": name}, ensure_ascii=False), encoding="utf-8")
