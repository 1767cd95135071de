"""What the Hub knows: accounts, tokens, repos with their commits and blobs, and jobs. Large blobs lie on disk."""

import hashlib
import secrets
import string
import subprocess
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

KINDS = ("model", "dataset", "space")
PREFIX = {"model": "", "dataset": "datasets/", "space": "spaces/"}
"""Of a kind in the address of a page, a download or an LFS batch."""
ALPHABET = string.ascii_letters + string.digits


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_oid() -> str:
    return hashlib.sha1(uuid.uuid4().bytes).hexdigest()


def new_id() -> str:
    return uuid.uuid4().hex[:24]


@dataclass
class Account:
    """A user, or an organisation with its members.

    Attributes:
        roles: Of an organisation, what each member may do: `admin`, `write`, `contributor` or `read`.
        credit: In US dollars; without any, what costs money is refused.
    """

    name: str
    full_name: str
    kind: str = "user"
    pro: bool = False
    credit: float = 10.0
    roles: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Token:
    """What a request is signed with.

    Attributes:
        role: `read`, `write` or `fineGrained`.
        permissions: Of a fine-grained token, what it may do on each of `scopes`, as the Hub names it.
        scopes: Names of accounts, or repos as `model:me/thing`.
    """

    value: str = field(repr=False)
    account: str
    role: str
    name: str
    permissions: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blob:
    """A file's content: in `content` where it is small, else on disk under its SHA-256."""

    size: int
    content: bytes | None = field(default=None, repr=False)
    sha256: str = ""

    @property
    def pointer(self) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode()

    @property
    def git_oid(self) -> str:
        data = self.pointer if self.content is None else self.content
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.content is None else self.git_oid


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    description: str
    author: str
    date: str
    parent: str | None
    files: dict[str, Blob] = field(repr=False)


@dataclass
class Space:
    """How a Space runs. Tests set `stage` and the logs as they like."""

    sdk: str
    hardware: str
    sleep_seconds: int | None = None
    secrets: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    stage: str = "NO_APP_FILE"
    run_log: list[str] = field(default_factory=list)
    build_log: list[str] = field(default_factory=list)
    restarts: int = 0


@dataclass
class Repo:
    """A repo of one kind.

    Attributes:
        branches: The head of each, by name.
        commits: Of all branches, in the order in which they came.
        gated: False, `auto` or `manual`; `admitted` names who may read the files all the same.
    """

    kind: str
    id: str
    private: bool = False
    gated: str | bool = False
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict, repr=False)
    admitted: set[str] = field(default_factory=set)
    space: Space | None = None
    disabled: bool = False
    downloads: int = 0
    likes: int = 0
    created: str = field(default_factory=now)

    @property
    def owner(self) -> str:
        return self.id.split("/")[0]

    @property
    def head(self) -> Commit:
        return self.commits[self.branches["main"]]

    def files(self, revision: str = "main") -> dict[str, Blob]:
        return self.commits[self.find(revision) or ""].files

    def find(self, revision: str) -> str | None:
        """The commit that a branch, a tag, or the beginning of a commit's name stands for."""
        revision = revision.removeprefix("refs/heads/")
        if known := self.branches.get(revision) or self.tags.get(revision):
            return known
        starts = [oid for oid in self.commits if len(revision) >= 7 and oid.startswith(revision)]
        return starts[0] if len(starts) == 1 else None

    def add_commit(self, files: dict[str, Blob], title: str, author: str, branch: str, description: str = "") -> Commit:
        parent = self.branches.get(branch)
        commit = Commit(new_oid(), title, description, author, now(), parent, files)
        self.commits[commit.oid] = commit
        self.branches[branch] = commit.oid
        return commit


@dataclass
class Job:
    """A command that ran, or runs, in the cloud.

    Attributes:
        spec: As it was sent, without the secrets' values.
        lines: What it said, each with when.
        process: Where it really runs.
        work: What plays it, or waits for its process.
    """

    owner: str
    spec: dict[str, object]
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    stage: str = "SCHEDULING"
    message: str | None = None
    lines: list[tuple[str, str]] = field(default_factory=list)
    id: str = field(default_factory=new_id)
    created: str = field(default_factory=now)
    started: str | None = None
    finished: str | None = None
    changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    process: subprocess.Popen[str] | None = field(default=None, repr=False)
    work: threading.Thread | None = field(default=None, repr=False)

    @property
    def over(self) -> bool:
        return self.stage in ("COMPLETED", "CANCELED", "ERROR", "DELETED")

    def say(self, line: str) -> None:
        with self.changed:
            self.lines.append((now(), line))
            self.changed.notify_all()

    def become(self, stage: str, message: str | None = None) -> None:
        """The next stage; what is over stays as it ended."""
        with self.changed:
            if not self.over:
                self.stage, self.message = stage, message
                self.started = self.started or (now() if stage == "RUNNING" else None)
                self.finished = now() if self.over else None
            self.changed.notify_all()


@dataclass
class Store:
    """Everything, and the lock that each request holds while it reads or changes it."""

    folder: Path
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict, repr=False)
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        for part in ("lfs", "incoming"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)

    def lfs_path(self, sha256: str) -> Path:
        return self.folder / "lfs" / sha256

    def new_token(self, account: str, role: str, **more: tuple[str, ...]) -> Token:
        value = "hf_" + "".join(secrets.choice(ALPHABET) for _ in range(34))
        token = Token(value, account, role, f"{account}-{role}-{len(self.tokens)}", **more)
        self.tokens[value] = token
        return token

    def keep(self, data: bytes, large: bool) -> Blob:
        """A blob of these bytes, written to disk where it is large."""
        if not large:
            return Blob(len(data), data)
        sha256 = hashlib.sha256(data).hexdigest()
        self.lfs_path(sha256).write_bytes(data)
        return Blob(len(data), None, sha256)

    def read(self, blob: Blob) -> bytes:
        return self.lfs_path(blob.sha256).read_bytes() if blob.content is None else blob.content
