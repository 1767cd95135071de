"""Large files on their way to the Hub, and how much of them has gone. Nobody sees them before a commit names them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import CommitOperationAdd

from repairai.hub.client import api
from repairai.hub.download import Progress
from repairai.hub_faults import Kind

_GROUP_FILES, _GROUP_BYTES = 64, 64 * 2**20
"""That go between two looks at whether the person has had enough."""


def upload(repo: str, kind: Kind, adding: Sequence[CommitOperationAdd]) -> None:
    """Send the contents of large files, group by group: nobody sees them before a commit names them."""
    client, group, n_bytes = api(), list[CommitOperationAdd](), 0
    for each in adding:
        group.append(each)
        n_bytes += each.upload_info.size
        if len(group) >= _GROUP_FILES or n_bytes >= _GROUP_BYTES:
            client.preupload_lfs_files(repo, group, repo_type=kind, free_memory=False)
            _tell_of(group)
            group, n_bytes = [], 0
    if group:
        client.preupload_lfs_files(repo, group, repo_type=kind, free_memory=False)
        _tell_of(group)


def _tell_of(group: Sequence[CommitOperationAdd]) -> None:
    for each in group:
        if isinstance(each, Sent):
            each.sent(each.upload_info.size)


class Told:
    """Adds up what is there, and tells it."""

    def __init__(self, tell: Progress, total: int) -> None:
        self._tell, self._total, self._done = tell, total, 0
        self._lock = threading.Lock()
        self.fault: BaseException | None = None

    def add(self, n_bytes: int, words: str) -> None:
        """Tell that so many bytes more are there."""
        with self._lock:  # files go side by side
            self._done += n_bytes
            try:
                self._tell(max(0, min(self._done, self._total)), self._total, words)
            except BaseException as error:
                self.fault = error  # which the client wraps into another
                raise

    def all(self) -> None:
        """Tell that everything is there."""
        self._tell(self._total, self._total, "")


class Sent(CommitOperationAdd):
    """A file on its way, which tells how much of it has gone."""

    def __init__(self, path: str, content: Path | bytes, tell: Told) -> None:
        super().__init__(path, content)
        self._tell, self._gone_bytes = tell, 0

    def sent(self, n_bytes: int) -> None:
        """Tell that so much of it is there."""
        more, self._gone_bytes = n_bytes - self._gone_bytes, n_bytes
        self._tell.add(more, self.path_in_repo)

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        """Yield its content; where the client asks for a bar, it is being uploaded."""
        if not with_tqdm or not isinstance(self.path_or_fileobj, str):
            with super().as_file() as file:
                yield file
            return
        with _Read(self.path_or_fileobj, self.sent) as file:
            yield file


class _Read(io.FileIO):
    """A file that tells how far it was read."""

    def __init__(self, path: str, tell: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._tell_read = tell

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes."""
        block = super().read(-1 if size is None else size)
        self._tell_read(self.tell())
        return block or b""
