"""Guides into the library: from a file, a folder, or fetched from iFixit by web address."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from repairai import files
from repairai.errors import RepairError
from repairai.schema import Guide
from repairai.sop.library import Library, LibraryFault, Origin, Problem, Report
from repairai.sop.sources.addresses import is_address, read_address
from repairai.sop.sources.guide_files import WHAT_TO_GIVE, first_line, open_guide_file
from repairai.sop.sources.ifixit import read_ifixit
from repairai.sop.sources.ifixit_api import IfixitApi, ServerFault

Progress = Callable[[int, int | None, str], None]
"""Told how many are done, of how many (None: not known), and what is going on."""

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".yaml", ".yml")
_GROUP = 100


def import_guides(
    source: str | Path,
    library: Library,
    progress: Progress | None = None,
    *,
    api: IfixitApi | None = None,
    refresh: bool = False,
) -> Report:
    """Put the guides of a file, a folder or a web address into the library, and return what that changed.

    What a file holds is told by its content. What cannot be read is reported and skipped, the rest is kept.

    Args:
        source: A file, a folder, a web address of iFixit or a guide's number there.
        library: Where they go.
        progress: Told how far it is, in lines of a file or in guides.
        api: Whom to ask for guides; None: iFixit.
        refresh: Fetch guides again that are in the library already.

    Raises:
        RepairError: Nothing at all could be read, the network failed on the way, or the disk is full; what came before
            is in the library.
    """
    if not str(source).strip():
        raise RepairError("no file, folder or web address was given", WHAT_TO_GIVE)
    tell = progress or _say_nothing
    path = files.expanded(source)
    if isinstance(source, str) and is_address(source) and not os.path.exists(path):
        return _something(fetch_guides([source], library, tell, api=api, refresh=refresh), source)
    if os.path.isdir(path):  # which, unlike Path's, is False for a name that no system takes
        return _something(_import_folder(path, library, tell), f"the folder {path}")
    if os.path.exists(path) and not os.path.isfile(path):
        raise RepairError(f"{path} is a device or a pipe, not a file", WHAT_TO_GIVE)
    addresses = _addresses(path)
    if addresses:
        return _something(fetch_guides(addresses, library, tell, api=api, refresh=refresh), path.name)
    return _something(_import_file(path, path.name, library, tell), path.name)


def fetch_guides(
    sources: Iterable[str],
    library: Library,
    progress: Progress | None = None,
    *,
    api: IfixitApi | None = None,
    refresh: bool = False,
) -> Report:
    """Fetch guides from iFixit into the library, each kept as soon as it is there.

    Stopped half-way, the same call goes on: what the library has from iFixit is not asked for again.

    Args:
        sources: Web addresses (guides, devices, the list of all guides) or numbers of guides.
        library: Where they go.
        progress: Told how many guides are done.
        api: Whom to ask; None: iFixit.
        refresh: Fetch guides again that are in the library already.

    Raises:
        ServerFault: The server cannot be reached, is too busy or never answers; what came before is in the library.
        LibraryFault: The disk is full, or the library cannot be written.
    """
    tell = progress or _say_nothing
    if api is None:
        with IfixitApi() as own:
            return fetch_guides(sources, library, tell, api=own, refresh=refresh)
    numbers, total, problems = _expand(sources, api)
    reports = [Report(problems=tuple(problems))]
    had = set() if refresh else {guide for guide, origin in library.origins().items() if origin == "ifixit"}
    done = 0
    for done, number in enumerate(numbers, 1):
        reports.append(_fetch(number, library, api, tell, (done - 1, total), had))
    tell(done, total, "done")
    return Report.joined(reports)


def _expand(sources: Iterable[str], api: IfixitApi) -> tuple[Iterator[str], int | None, list[Problem]]:
    """Return the numbers of the guides that are meant, how many there are (None: not known yet), and bad addresses."""
    numbers: list[str] = []
    listings = []
    problems = []
    for source in sources:
        try:
            address = read_address(source, api.address)
            if address.kind == "listing":
                listings.append(api.listing(address.name))
            else:
                numbers += [address.name] if address.kind == "guide" else api.device(address.name)
        except ServerFault:
            raise
        except RepairError as error:
            problems.append(Problem(source, error.what, error.next_step))
    unique = dict.fromkeys(numbers)
    return chain(unique, *listings), None if listings else len(unique), problems


def _fetch(
    number: str, library: Library, api: IfixitApi, tell: Progress, so_far: tuple[int, int | None], had: set[str]
) -> Report:
    """Fetch one guide into the library unless it was had already."""
    guide_id = f"ifixit-{number}"
    tell(*so_far, f"guide {number}")
    if guide_id in had:
        return Report(unchanged=1, ids=(guide_id,))
    had.add(guide_id)
    api.on_wait = lambda words: tell(*so_far, words)
    try:
        guide = read_ifixit(api.guide(number), f"guide {number}")
    except ServerFault as fault:
        kept = f"; the {so_far[0]} guides before it are kept, and the same import goes on from there"
        raise ServerFault(fault.what, fault.next_step + (kept if so_far[0] else "")) from None
    except RepairError as error:
        return Report(problems=(Problem(f"guide {number}", error.what, error.next_step),))
    return library.add([guide], "ifixit")


def _addresses(path: Path) -> list[str]:
    """Return the lines of a file whose first line is a web address, without comments; none for any other file."""
    if not is_address(first_line(path).decode("utf-8", "replace")) or path.suffix.lower() in _SUFFIXES:
        return []
    lines = [line.strip() for line in files.read_text(path).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _import_folder(folder: Path, library: Library, tell: Progress) -> Report:
    try:
        inside = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != files.PULLED)
    except OSError as error:
        raise RepairError(f"{folder} cannot be read: {error.strerror}", "check its permissions") from None
    paths = [path for path in inside if path.suffix.lower() in _SUFFIXES]
    if not paths:
        seen = f"none of its {len(inside)} files ends in {', '.join(_SUFFIXES)}"
        raise RepairError(f"the folder {folder} holds no guides: {seen}", WHAT_TO_GIVE)
    reports = []
    for path in paths:
        label = path.relative_to(folder).as_posix()
        try:
            reports.append(_import_file(path, label, library, tell))
        except LibraryFault:
            raise
        except RepairError as error:
            reports.append(Report(problems=(Problem(label, error.what, error.next_step),)))
    return Report.joined(reports)


def _import_file(path: Path, label: str, library: Library, tell: Progress) -> Report:
    """Put the guides of a file in, in groups, while it is still being read."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return library.add([files.read_record(path, Guide)])
    opened = open_guide_file(path, label)
    reports, problems = [], []
    groups: dict[Origin, list[Guide]] = {"ifixit": [], "myfixit": [], "file": []}
    for done, entry in opened.entries:
        if isinstance(entry, Problem):
            problems.append(entry)
            continue
        guide, origin = entry
        groups[origin].append(guide)
        if len(groups[origin]) == _GROUP:
            reports.append(library.add(groups[origin], origin))
            groups[origin] = []
            tell(done, opened.total, label)
    reports += [library.add(group, origin) for origin, group in groups.items()]
    tell(opened.total, opened.total, label)
    return Report.joined([*reports, Report(problems=tuple(problems))])


def _something(report: Report, label: str) -> Report:
    """Return the report of an import that read something.

    Raises:
        RepairError: It read nothing: what was wrong first, and with how many more.
    """
    if report.ids:
        return report
    if not report.problems:
        raise RepairError(f"{label} holds no guides", WHAT_TO_GIVE)
    first, more = report.problems[0], len(report.problems) - 1
    raise RepairError(first.what + (f" (and {more} more like it)" if more else ""), first.next_step)


def _say_nothing(done: int, total: int | None, words: str) -> None:
    """Take progress when nobody asked for it."""
