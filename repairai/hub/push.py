"""Models, data sets and Spaces onto the Hub: what would go is shown first, and it goes as one commit or not at all.

Large files go first, each by itself; what is there already does not go again. Then one commit names them all, with the
commit that it follows. A new repository is private until that commit is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # loaded by name

from repairai.errors import RepairError
from repairai.hub.account import Account, who
from repairai.hub.client import api, hub_errors, require_online
from repairai.hub.contents import is_name
from repairai.hub.download import Progress, digest
from repairai.hub.upload import Sent, Told, upload
from repairai.hub_faults import LOGIN, WORDS, Kind, address

CARD = "README.md"
OURS = "repairai-"
"""What our tags begin with that say what is in a repository."""
_KEPT = (".gitattributes", ".gitignore")
"""Of a repository, what a push leaves as it is."""
MESSAGE = "Sent by RepairAI"


@dataclass(frozen=True)
class Parcel:
    """What goes to the Hub.

    Args:
        kind: Of the repository.
        files: (path in the repository, the file here).
        card: Its README.
    """

    kind: Kind
    files: tuple[tuple[str, Path], ...]
    card: str = field(repr=False)


@dataclass(frozen=True)
class PushPlan:
    """What a push would send.

    Args:
        repo: OWNER/NAME.
        kind: Of it.
        private: Whether it will be private.
        files: (path, bytes) of all that the repository will hold.
        total_bytes: Of these.
        exists: Whether the repository is there already.
        unchanged: Paths of files that are there already as they are here.
        card: Its README.
        gone: Paths of files that are there now, and will not be any more.
    """

    repo: str
    kind: Kind
    private: bool
    files: tuple[tuple[str, int], ...]
    total_bytes: int
    exists: bool
    unchanged: tuple[str, ...]
    card: str = field(repr=False)
    gone: tuple[str, ...] = ()

    @property
    def new_bytes(self) -> int:
        """What has to be sent."""
        return sum(n for path, n in self.files if path not in self.unchanged)


@dataclass(frozen=True)
class Pushed:
    """What is on the Hub now.

    Args:
        repo: OWNER/NAME.
        address: Where it can be looked at.
        commit: Its newest.
    """

    repo: str
    address: str
    commit: str


@dataclass(frozen=True)
class _There:
    """A repository as it is on the Hub; one that is not there has no head."""

    head: str = ""
    private: bool = True
    tags: tuple[str, ...] = ()
    files: dict[str, RepoFile] = field(default_factory=dict)


def check(repo: str, kind: Kind = "model", private: bool | None = None) -> Account:
    """See whether a push may go through before there is anything to send, and return who would send it.

    Args:
        repo: OWNER/NAME.
        kind: Of it.
        private: Whether only its owner is to see it; None: that is asked later.

    Raises:
        RepairError: Nobody is logged in, the token may not write, the name is none or somebody else's, or it holds
            what did not come from here.
    """
    account = _may(repo)
    there = _look(repo, kind)
    _refuse_strange(repo, Parcel(kind, (), ""), there)
    if private is not None:
        _refuse_shown(repo, there, private)
    return account


def plan(parcel: Parcel, repo: str, private: bool = True) -> PushPlan:
    """Return what a push would send; nothing is sent.

    Args:
        parcel: What goes.
        repo: OWNER/NAME.
        private: False shows it to everybody.

    Raises:
        RepairError: It could not go through: see `check`; or a file of it is gone.
    """
    _may(repo)
    there = _look(repo, parcel.kind)
    _refuse_strange(repo, parcel, there)
    _refuse_shown(repo, there, private)
    sizes = _sizes(parcel)
    return PushPlan(
        repo,
        parcel.kind,
        private,
        tuple(sizes.items()),
        sum(sizes.values()),
        bool(there.head),
        tuple(path for path, content in _contents(parcel) if _is_same(there.files.get(path), content)),
        parcel.card,
        _gone(sizes, there),
    )


def send(
    parcel: Parcel,
    repo: str,
    private: bool = True,
    message: str = MESSAGE,
    on_progress: Progress | None = None,
) -> Pushed:
    """Send a parcel as one commit, and return what is on the Hub then.

    Sent again after it was cut off, it goes on with what is missing; where nothing has changed, nothing is sent.

    Args:
        parcel: What goes.
        repo: OWNER/NAME; it is made where it is not there.
        private: False shows it to everybody, once it is there whole.
        message: Of the commit.
        on_progress: Told how many bytes are there, of how many, and which file is on its way; what it raises ends the
            push, which goes on from there the next time.

    Raises:
        Unreachable: The network is lost; the same may go well later.
        RepairError: It may not go through: see `check`; or somebody changed the repository meanwhile.
    """
    _may(repo)
    there = _look(repo, parcel.kind)
    _refuse_strange(repo, parcel, there)
    _refuse_shown(repo, there, private)
    sizes = _sizes(parcel)
    same = {path for path, content in _contents(parcel) if _is_same(there.files.get(path), content)}
    gone = _gone(sizes, there)
    tell = Told(on_progress or (lambda done, total, words: None), sum(sizes.values()))
    tell.add(sum(sizes[path] for path in same), "")
    with hub_errors(repo, parcel.kind), disable_progress_bars():
        if not there.head:
            there = _made(repo, parcel.kind)
        commit = there.head
        if len(same) < len(sizes) or gone:
            adding = [Sent(path, content, tell) for path, content in _contents(parcel) if path not in same]
            try:
                upload(repo, parcel.kind, adding)
            except RuntimeError as error:
                raise tell.fault or error from error.__cause__
            commit = _committed(repo, parcel.kind, [*adding, *_deleting(gone)], message or MESSAGE, there.head)
        if there.private and not private:
            api().update_repo_settings(repo, private=False, repo_type=parcel.kind)
    tell.all()
    return Pushed(repo, address(repo, parcel.kind), commit)


def put(repo: str, kind: Kind, path: str, content: bytes, message: str = MESSAGE) -> None:
    """Write one small file into a repository that is there.

    Raises:
        RepairError: It is not there, or may not be written.
    """
    require_online()
    with hub_errors(repo, kind):
        api().create_commit(repo, [CommitOperationAdd(path, content)], commit_message=message, repo_type=kind)


def remove(repo: str, kind: Kind) -> None:
    """Delete a repository for good, whatever is in it; one that is not there stays so.

    Raises:
        RepairError: It may not be deleted, or the Hub is not there.
    """
    require_online()
    with hub_errors(repo, kind):
        api().delete_repo(repo, repo_type=kind, missing_ok=True)


# ---- may it go


def _may(repo: str) -> Account:
    if not is_name(repo):
        raise RepairError(
            f"{repo!r:.120} is no name on the Hub", "give OWNER/NAME, of letters, digits, '-', '_' and '.'"
        )
    require_online()
    account = who()
    if account is None:
        raise RepairError("nobody is logged in to the Hub here", LOGIN)
    owner = repo.partition("/")[0]
    if owner not in (account.name, *account.organisations):
        raise RepairError(
            f"{owner} is neither {account.name}, who is logged in, nor an organisation of {account.name} to write in",
            f"take a name of your own: {account.name}/{repo.partition('/')[2]}",
        )
    if not account.may_write(repo):
        raise RepairError(
            f"the token of {account.name} may read, but not write {repo}",
            f"make one on the Hub with the right to write, then {LOGIN}",
        )
    return account


def _look(repo: str, kind: Kind) -> _There:
    """Return a repository as it is on the Hub."""
    with hub_errors(repo, kind):
        client = api()
        try:
            info: Any = client.repo_info(repo, repo_type=kind)
        except RepositoryNotFoundError:
            return _There()
        tree = client.list_repo_tree(repo, recursive=True, revision=info.sha, repo_type=kind)
        files = {each.path: each for each in tree if isinstance(each, RepoFile)}
    if str(info.id) != repo:  # it was given another name; writing goes through, but to another place than was said
        raise RepairError(f"{repo} is called {info.id} on the Hub now", f"send it to {info.id}")
    return _There(str(info.sha), bool(info.private), tuple(info.tags or ()), files)


def _refuse_strange(repo: str, parcel: Parcel, there: _There) -> None:
    """See that a push writes nothing over that is something else.

    Raises:
        RepairError: The repository holds what did not come from here, or another kind of thing.
    """
    if parcel.kind == "space" or not set(there.files) - {*_KEPT, CARD}:
        return
    theirs = {tag for tag in there.tags if tag.startswith(OURS)}
    ours = {line.strip(" -\"'") for line in parcel.card.splitlines() if line.strip(" -\"'").startswith(OURS)}
    if not theirs and "repairai" not in there.tags and not set(there.files) <= {*_KEPT, CARD, *_paths(parcel)}:
        raise RepairError(
            f"the name {repo} is taken: the {WORDS[parcel.kind]} there did not come from RepairAI", "take another name"
        )
    if theirs and ours and not theirs & ours:
        is_now, would = (sorted(each)[0].removeprefix(OURS) for each in (theirs, ours))
        raise RepairError(
            f"the name {repo} is taken by another kind: it is '{is_now}' on the Hub, and this is '{would}'",
            "take another name",
        )


def _refuse_shown(repo: str, there: _There, private: bool) -> None:
    if there.head and private and not there.private:
        raise RepairError(f"everybody can see {repo} on the Hub", "say --public if that is meant, or take another name")


# ---- what is here, and what is there


def _paths(parcel: Parcel) -> list[str]:
    return [path for path, _ in parcel.files]


def _contents(parcel: Parcel) -> Iterator[tuple[str, Path | bytes]]:
    for path, place in parcel.files:
        if path != CARD:
            yield path, place
    yield CARD, parcel.card.encode()


def _sizes(parcel: Parcel) -> dict[str, int]:
    try:
        return {
            path: len(content) if isinstance(content, bytes) else content.stat().st_size
            for path, content in _contents(parcel)
        }
    except OSError as error:
        raise RepairError(f"{error.filename} is gone, which was to be sent", "make it again, then push again") from None


def _gone(sizes: dict[str, int], there: _There) -> tuple[str, ...]:
    return tuple(sorted(path for path in there.files if path not in sizes and path not in _KEPT))


def _is_same(known: RepoFile | None, content: Path | bytes) -> bool:
    """Tell whether a file on the Hub holds what it holds here."""
    if known is None:
        return False
    if isinstance(content, bytes):
        made = CommitOperationAdd(CARD, content)
        made._upload_mode = "regular"
        return bool(made._local_oid == known.blob_id)
    try:
        oid = str(known.lfs.sha256 if known.lfs else known.blob_id)
        return content.stat().st_size == known.size and digest(content, oid) == oid
    except OSError as error:
        raise RepairError(f"{error.filename} is gone, which was to be sent", "make it again, then push again") from None


# ---- how it goes


def _made(repo: str, kind: Kind) -> _There:
    """Make a repository that only its owner sees, and return it."""
    client = api()
    try:
        client.create_repo(repo, repo_type=kind, private=True, space_sdk="gradio" if kind == "space" else None)
    except HfHubHTTPError as error:
        if error.response.status_code != 409:  # it was made meanwhile
            raise
    return _look(repo, kind)


def _deleting(gone: Sequence[str]) -> list[CommitOperationDelete]:
    return [CommitOperationDelete(path, is_folder=False) for path in gone]


def _committed(
    repo: str, kind: Kind, operations: Sequence[CommitOperationAdd | CommitOperationDelete], message: str, parent: str
) -> str:
    """Make one commit that follows another, and return its name."""
    made = api().create_commit(repo, operations, commit_message=message, repo_type=kind, parent_commit=parent)
    return str(made.oid)
