"""A Hub on loopback, to which the real clients of huggingface_hub, datasets and transformers speak."""

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from . import accounts, branches, lfs, listing, repos, spaces  # noqa: F401  # each registers its routes
from .faults import Fault, Faults
from .files import is_large, starts
from .jobs import Play
from .store import Account, Job, Repo, Store
from .wire import Handler, Seen


class HubServer:
    """Serves until it is closed. Who and what is there is set by the tests, or by the clients.

    Args:
        folder: Where large files lie; one that goes with the server, where none is given.
        port: 0 is any that is free.
        jobs: `play` tells of jobs what `next_job` says; `run` runs their commands here.

    Attributes:
        log: Every request, in order.
        next_job: How those that are played go.
        page_size: At most so many are listed at once.
    """

    def __init__(self, folder: Path | None = None, port: int = 0, jobs: str = "play") -> None:
        self._own_folder = None if folder else tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True)
        self.store = Store(folder or Path(self._own_folder.name))  # type: ignore[union-attr]
        self.faults = Faults()
        self.log: list[Seen] = []
        self.page_size = 1000
        self.jobs = jobs
        self.next_job = Play()
        self.closing = threading.Event()
        self._port = port
        self._listen()

    def _listen(self) -> None:
        self._server = _Listener(("127.0.0.1", self._port), type("HubHandler", (Handler,), {"hub": self}))
        self._port = self._server.server_port
        serve = {"poll_interval": 0.02}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=serve, daemon=True)
        self._thread.start()

    def _fall_silent(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def close(self) -> None:
        self.closing.set()
        self._fall_silent()
        for job in self.store.jobs.values():
            if job.work:
                job.work.join(20)
        if self._own_folder:
            self._own_folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """The network is lost: nothing listens, and what is under way is dropped, until the block ends."""
        self._server.drop_all()
        self._fall_silent()
        try:
            yield
        finally:
            self._listen()

    @property
    def users(self) -> dict[str, Account]:
        return self.store.accounts

    @property
    def tokens(self) -> list[str]:
        """Every token that was given out."""
        return [*self.store.tokens]

    def add_user(self, name: str, write: bool = True, *, pro: bool = False, credit: float = 10.0) -> str:
        """An account, new where the name is; a token of it comes back."""
        self.store.accounts.setdefault(name, Account(name, name.title(), pro=pro, credit=credit))
        return self.add_token(name, "write" if write else "read")

    def add_token(
        self, name: str, role: str = "write", permissions: tuple[str, ...] = (), scopes: tuple[str, ...] = ()
    ) -> str:
        """Another token of an account.

        Args:
            name: Of the account.
            role: `read`, `write` or `fineGrained`.
            permissions: Of a fine-grained one, such as `repo.write`, `repo.content.read` or `job.write`.
            scopes: Where it has them: names of accounts, or repos as `model:me/thing`.
        """
        return self.store.new_token(name, role, permissions=permissions, scopes=scopes).value

    def revoke(self, token: str) -> None:
        """A token that was given out is good for nothing any more."""
        self.store.revoked.add(token)

    def add_organisation(self, name: str, **roles: str) -> None:
        """An organisation, with what each member may do in it."""
        self.store.accounts[name] = Account(name, name.title(), "org", roles=roles)

    def repo(self, kind: str, name: str) -> Repo | None:
        """A repo as it stands, or None."""
        return self.store.repos.get((kind, name))

    def add_repo(
        self, kind: str, name: str, contents: dict[str, bytes | str | Path], *, private: bool = False, **more: Any
    ) -> Repo:
        """A repo that is there already, with files, whoever owns it."""
        owner = name.split("/")[0]
        self.store.accounts.setdefault(owner, Account(owner, owner.title()))
        with self.store.lock:
            token = self.store.new_token(owner, "write")
            made = repos.make(self, kind, name, token, {**more, "visibility": "private" if private else "public"})
            self.commit(made, contents)
        return made

    def commit(self, repo: Repo, contents: dict[str, bytes | str | Path], branch: str = "main") -> str:
        """Files added to a repo by its owner, in one commit, whose name comes back."""
        with self.store.lock:
            kept = dict(repo.files(branch))
            for path, content in contents.items():
                data = content.read_bytes() if isinstance(content, Path) else content
                data = data.encode() if isinstance(data, str) else data
                kept[path] = self.store.keep(data, is_large(path, len(data)))
            made = repo.add_commit(kept, f"Upload {len(contents)} files", repo.owner, branch)
            starts(repo)
        return made.oid

    def add_folder(self, kind: str, name: str, folder: Path, **more: Any) -> Repo:
        """A repo with everything that lies in a folder."""
        inside = sorted(path for path in folder.rglob("*") if path.is_file())
        return self.add_repo(kind, name, {path.relative_to(folder).as_posix(): path for path in inside}, **more)

    def read(self, kind: str, name: str, path: str, revision: str = "main") -> bytes:
        """A file of a repo."""
        return self.store.read(self.store.repos[kind, name].files(revision)[path])

    def check_out(self, kind: str, name: str, folder: Path, revision: str = "main") -> Path:
        """Write all files of a repo into a folder."""
        for path, blob in self.store.repos[kind, name].files(revision).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.store.read(blob))
        return folder

    def misbehave(self, status: int | None = None, path: str = "", **more: Any) -> Fault:
        """Something goes wrong at the next request that fits; `Fault` says what can be asked for."""
        fault = Fault(status, path, **more)
        with self.faults.lock:
            self.faults.waiting.append(fault)
        return fault

    def behave(self) -> None:
        """Nothing goes wrong any more."""
        with self.faults.lock:
            self.faults.waiting.clear()

    def asked(self, method: str, pattern: str) -> list[Seen]:
        """The requests that fit, in order."""
        return [seen for seen in self.log if seen.method == method and re.search(pattern, seen.path)]

    def leaks(self) -> list[str]:
        """Where a token stands in what was uploaded or told, which it never may."""
        tokens = [token.encode() for token in self.tokens]
        found = []
        with self.store.lock:
            for repo in self.store.repos.values():
                blobs = {(path, blob) for commit in repo.commits.values() for path, blob in commit.files.items()}
                for path, blob in blobs:
                    if any(token in self.store.read(blob) for token in tokens):
                        found.append(f"{repo.kind} {repo.id}: {path}")
                said = " ".join(commit.title + commit.description for commit in repo.commits.values())
                if any(token in said.encode() for token in tokens):
                    found.append(f"{repo.kind} {repo.id}: the message of a commit")
            for job in self.store.jobs.values():
                if any(token in f"{job.spec} {job.lines}".encode() for token in tokens):
                    found.append(f"job {job.id}: its environment, command or log")
        return found

    def job(self, name: str) -> Job:
        """A job as it stands; `say` and `become` let a test play it."""
        return self.store.jobs[name]


class _Listener(ThreadingHTTPServer):
    """Knows its connections, so that all can be dropped at once."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, *words: Any) -> None:
        self.open: set[Any] = set()
        super().__init__(*words)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def drop_all(self) -> None:
        for each in [*self.open]:
            super().shutdown_request(each)
