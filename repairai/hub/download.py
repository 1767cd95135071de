"""Files of the Hub onto this machine: each goes on where it was cut off, and is what the Hub says that it is."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import hf_hub_url
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # loaded by name
    build_hf_headers,
    get_session,
    hf_raise_for_status,
    httpx,
)

from repairai.errors import RepairError
from repairai.hub.client import hub_errors
from repairai.hub_faults import Kind, endpoint

Progress = Callable[[int, int, str], None]
"""Told how many bytes are here, of how many, and which file is on its way."""
_AT_ONCE = 6
_TELL_SECONDS = 0.1
_BLOCK_BYTES = 2**20
_TRIES, _AGAIN_SECONDS = 5, 1.0
"""Of a connection that breaks off before anything came."""
_PARTIAL = 206


@dataclass(frozen=True)
class Wanted:
    """A file of the Hub.

    Args:
        path: In the repository.
        n_bytes: How large it is.
        oid: What the Hub calls its content: SHA-256 of a large file, git's name of another one.
    """

    path: str
    n_bytes: int
    oid: str


def download(repo: str, kind: Kind, revision: str, wanted: Sequence[Wanted], place: Path, tell: Progress) -> None:
    """Fetch contents into a folder, each under its name on the Hub (`oid`), whole and as the Hub says it is.

    What is there already is not fetched again; what was cut off goes on.

    Args:
        repo: OWNER/NAME.
        kind: Of it.
        revision: The commit.
        wanted: Files; of those with one content, one is fetched.
        place: Where they come to lie.
        tell: Called from this thread; what it raises ends the download.

    Raises:
        RepairError: The Hub does not give one, the network is lost, the disk is full, or what came is not what it
            should be.
    """
    contents = {each.oid: each for each in wanted}
    have = {oid: _here(place, each) for oid, each in contents.items()}
    total = sum(each.n_bytes for each in wanted)
    stop, now = threading.Event(), ["", ""]

    def one(each: Wanted) -> None:
        if (place / each.oid).is_file():
            return
        now[0] = each.path
        _fetch(repo, kind, revision, each, place, lambda n: have.__setitem__(each.oid, n), stop)

    # The largest first: then nothing small has to wait for the end of one that is large.
    order = sorted(contents.values(), key=lambda each: -each.n_bytes)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pull") as pool:
        waiting: set[Future[None]] = {pool.submit(one, each) for each in order}
        try:
            while waiting:
                done, waiting = wait(waiting, _TELL_SECONDS, FIRST_EXCEPTION)
                for each in done:
                    each.result()
                tell(sum(have[each.oid] for each in wanted), total, now[0])
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def digest(path: Path, oid: str) -> str:
    """Return a file's name on the Hub by the rule that `oid` follows: SHA-256, or git's SHA-1 of a blob."""
    is_large = len(oid) == 64
    made = hashlib.sha256() if is_large else hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            made.update(block)
    return made.hexdigest()


class _Stopped(RepairError):
    """Another file has failed, or the person has had enough."""


def _here(place: Path, each: Wanted) -> int:
    """Return how many bytes of a content are here."""
    if (place / each.oid).is_file():
        return each.n_bytes
    part = place / f"{each.oid}.part"
    return min(part.stat().st_size, each.n_bytes) if part.is_file() else 0


def _fetch(
    repo: str, kind: Kind, revision: str, each: Wanted, place: Path, tell: Callable[[int], None], stop: threading.Event
) -> None:
    """Fetch one file; one that comes out wrong is fetched once more from its beginning."""
    part = place / f"{each.oid}.part"
    url = hf_hub_url(repo, each.path, repo_type=kind, revision=revision, endpoint=endpoint())
    for _ in range(2):
        with hub_errors(repo, kind), part.open("ab") as file:
            _stream(url, file, each.n_bytes, tell, stop)
        if digest(part, each.oid) == each.oid:
            os.replace(part, place / each.oid)
            tell(each.n_bytes)
            return
        part.unlink()
        tell(0)
    raise RepairError(f"{each.path} of {repo} does not come as the Hub says that it is", "try again later")


def _stream(url: str, file: BinaryIO, n_bytes: int, tell: Callable[[int], None], stop: threading.Event) -> None:
    """Write what is missing of a file behind what is there; a connection that breaks off is opened again.

    The client's own `hf_hub_download` begins anew where it was cut off, and `http_get` writes 10 MB at a time.
    """
    if file.tell() > n_bytes:
        file.truncate(0)
    tries = _TRIES
    while (here := file.tell()) < n_bytes:
        try:
            for block in _blocks(url, file, here):
                if stop.is_set():
                    raise _Stopped("the download was stopped", "try again: it goes on where it stopped")
                file.write(block)
                tries = _TRIES
                tell(min(file.tell(), n_bytes))
            if file.tell() == here:
                raise httpx.RemoteProtocolError("nothing came")
        except httpx.TransportError:
            tries -= 1
            if not tries or stop.wait(_AGAIN_SECONDS):
                raise
    if file.tell() > n_bytes:
        file.truncate(0)  # it cannot be what it should be
    file.flush()


def _blocks(url: str, file: BinaryIO, begin: int) -> Iterator[bytes]:
    """Yield a file's bytes from a place on; one that only comes whole is begun anew."""
    # Not packed: then what is missing of a file can be asked for.
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    with get_session().stream("GET", url, headers=headers, follow_redirects=True) as answer:
        hf_raise_for_status(answer)
        if begin and answer.status_code != _PARTIAL:
            file.truncate(0)
        yield from answer.iter_bytes()
