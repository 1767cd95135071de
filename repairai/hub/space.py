"""A Space on the Hub: made or brought up to date in one commit, and how it stands there.

`space_folder.build` makes what goes there. Secrets come from whoever deploys, by hand, and are taken from nowhere else.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from huggingface_hub import SpaceHardware, SpaceStage
from huggingface_hub.errors import HfHubHTTPError

from repairai.errors import RepairError
from repairai.hub import push
from repairai.hub.client import api, hub_errors, require_online
from repairai.hub.space_contents import FILE
from repairai.hub.space_folder import Built
from repairai.hub_faults import address

ZERO, CPU = "zero-a10g", "cpu-basic"
FREE = (ZERO, CPU)
"""Hardware that costs nothing by itself, and goes to sleep when the Hub wants."""
HARDWARE = tuple(each.value for each in SpaceHardware)
BEING_BUILT = (SpaceStage.BUILDING, SpaceStage.RUNNING_BUILDING, SpaceStage.BUILD_ERROR, SpaceStage.CONFIG_ERROR)
"""Stages of which the log of the building tells more than that of the running."""
_WORDS = {
    SpaceStage.NO_APP_FILE: "it has no files yet",
    SpaceStage.CONFIG_ERROR: "its header cannot be read",
    SpaceStage.BUILDING: "it is being built",
    SpaceStage.BUILD_ERROR: "it could not be built",
    SpaceStage.RUNNING: "it runs",
    SpaceStage.RUNNING_BUILDING: "it runs, and is being built anew",
    SpaceStage.RUNTIME_ERROR: "it broke down",
    SpaceStage.DELETING: "it is being deleted",
    SpaceStage.STOPPED: "it sleeps: the next visitor wakes it",
    SpaceStage.PAUSED: "it is paused by its owner",
    SpaceStage.APP_STARTING: "it starts",
    SpaceStage.RUNNING_APP_STARTING: "it runs, and starts anew",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_MESSAGE = "Inspect with {detector}, {guides} guides"


@dataclass(frozen=True)
class Deployed:
    """What came of it.

    Args:
        repo: Its name on the Hub.
        address: Where it is looked at in a browser.
        commit: Of its files.
        hardware: That it is to run on.
        was_there: It was brought up to date, not made.
        private: Whether it is.
        secrets: Names of those that were set.
    """

    repo: str
    address: str
    commit: str
    hardware: str
    was_there: bool
    private: bool
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """How a Space stands.

    Args:
        repo: Its name on the Hub.
        address: Where it is looked at in a browser.
        stage: The Hub's word for it.
        said: The same for people, with what went wrong.
        hardware: That it runs on; empty where it does not run.
        asked_hardware: That it is to run on.
        sleeps_after_seconds: Without a visitor; None where the Hub decides.
        private: Whether it is.
        commit: Of its files.
    """

    repo: str
    address: str
    stage: str
    said: str
    hardware: str
    asked_hardware: str
    sleeps_after_seconds: int | None
    private: bool
    commit: str


def hardware_for(built: Built) -> str:
    """Return what a Space runs on unless somebody says otherwise: ZeroGPU where it uses a GPU, else a processor."""
    return ZERO if built.contents.on_gpu else CPU


def deploy(
    built: Built,
    repo: str,
    *,
    hardware: str = "",
    private: bool = True,
    sleep_seconds: int | None = None,
    secrets: Mapping[str, str] | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Deployed:
    """Make a Space, or bring one that was made so up to date; its files come in one commit.

    Args:
        built: What it is made of.
        repo: OWNER/NAME.
        hardware: One of `HARDWARE`; empty takes what `hardware_for` says, or leaves it as it is.
        private: False shows it to everybody, once its files are there.
        sleep_seconds: Without a visitor after which hardware that is paid for is put to sleep; None leaves it.
        secrets: Values by their names, as whoever deploys has typed them.
        on_progress: Told how many bytes are through, of how many, and of what.

    Raises:
        RepairError: The name, the token, the hardware or a secret is refused, something else lies there, or the
            network is lost.
    """
    secrets = dict(secrets or {})
    _check(hardware, secrets)
    parcel = push.Parcel("space", built.files, built.card)
    with _without(tuple(secrets.values())):
        was_there = push.plan(parcel, repo, private).exists
        runs_on = _asked_for(repo) if was_there and not hardware else hardware or hardware_for(built)
        if sleep_seconds is not None and runs_on in FREE:
            raise RepairError(f"{runs_on} goes to sleep when the Hub wants", "leave the sleeping time out")
        if was_there:
            _must_be_ours(repo)
        else:
            _make(repo, runs_on, sleep_seconds)
        with hub_errors(repo, "space"):
            for name, value in secrets.items():  # before its files, so that it starts with them
                api().add_space_secret(repo, name, value)
        message = _MESSAGE.format(detector=built.contents.detector, guides=built.guides)
        sent = push.send(parcel, repo, private=private, message=message, on_progress=on_progress)
        if was_there:
            _set_hardware(repo, hardware, sleep_seconds)
    return Deployed(repo, sent.address, sent.commit, runs_on, was_there, private, tuple(secrets))


def status(repo: str) -> Status:
    """Return how a Space stands.

    Raises:
        RepairError: There is none, or the Hub is not there.
    """
    require_online()
    with hub_errors(repo, "space"):
        info = api().space_info(repo)
        now = api().get_space_runtime(repo)
    stage = SpaceStage(now.stage) if now.stage in [*SpaceStage] else None
    wrong = " ".join(str(now.raw.get("errorMessage") or "").split())[:400]
    said = _WORDS.get(stage, f"the Hub calls it {now.stage}") if stage else f"the Hub calls it {now.stage}"
    return Status(
        repo,
        address(repo, "space"),
        str(now.stage),
        f"{said}: {wrong}" if wrong else said,
        str(now.hardware or ""),
        str(now.requested_hardware or ""),
        now.sleep_time,
        bool(info.private),
        str(info.sha or ""),
    )


def log_tail(repo: str, stage: str = SpaceStage.RUNNING.value, lines: int = 40) -> tuple[str, ...]:
    """Return the last lines that a Space has written, while it was built where that is what its stage is about.

    Raises:
        RepairError: There is none, or nobody but its owner may read them.
    """
    require_online()
    with hub_errors(repo, "space"):
        told = api().fetch_space_logs(repo, build=stage in [each.value for each in BEING_BUILT])
        return tuple(deque((line.rstrip("\r\n") for line in told), maxlen=lines))


def _check(hardware: str, secrets: Mapping[str, str]) -> None:
    """See that what was asked for can be asked for at all, before the Hub hears of it."""
    if hardware and hardware not in HARDWARE:
        raise RepairError(f"{hardware!r:.60} is no hardware of Spaces", f"take one of {', '.join(HARDWARE)}")
    for name, value in secrets.items():
        if not _NAME.fullmatch(name):
            raise RepairError(f"{name!r:.60} is no name of a secret", "take letters, digits and '_': JUDGE_KEY")
        if not value:
            raise RepairError(f"nothing was typed for the secret {name}", "type its value, or leave it out")


def _asked_for(repo: str) -> str:
    """Return what a Space is to run on."""
    with hub_errors(repo, "space"):
        return str(api().get_space_runtime(repo).requested_hardware or "")


def _must_be_ours(repo: str) -> None:
    with hub_errors(repo, "space"):
        files = set(api().list_repo_files(repo, repo_type="space")) - {".gitattributes", "README.md"}
    if files and FILE not in files:
        raise RepairError(f"the Space {repo} holds another app", "take another name, so that it is not written over")


def _make(repo: str, hardware: str, sleep_seconds: int | None) -> None:
    """Make an empty Space that only its owner sees."""
    with _paid_for(repo, hardware):
        api().create_repo(
            repo,
            repo_type="space",
            private=True,
            space_sdk="gradio",
            space_hardware=SpaceHardware(hardware),
            space_sleep_time=sleep_seconds,
        )


def _set_hardware(repo: str, hardware: str, sleep_seconds: int | None) -> None:
    """Let a Space that was there run on something else, or sleep at another time."""
    if hardware:
        with _paid_for(repo, hardware):
            if api().get_space_runtime(repo).requested_hardware != hardware:
                api().request_space_hardware(repo, SpaceHardware(hardware))
    if sleep_seconds is not None:
        with _paid_for(repo, hardware):
            api().set_space_sleep_time(repo, sleep_seconds)


@contextmanager
def _paid_for(repo: str, hardware: str) -> Iterator[None]:
    """Tell why the Hub does not give the hardware, and what it gives instead."""
    with hub_errors(repo, "space"):
        try:
            yield
        except HfHubHTTPError as error:
            if error.response.status_code not in (402, 403):
                raise
            raise _not_given(error.response.status_code, hardware, str(error.server_message or "")) from None


def _not_given(status_code: int, hardware: str, said: str) -> RepairError:
    said = " ".join(said.split())[:200].rstrip(".")
    because = f" ({said})" if said else ""
    if status_code == 402 and hardware == CPU:
        return RepairError(
            f"the Hub runs a Space of this kind on {CPU} only for accounts with PRO{because}",
            f"take ZeroGPU, of which a free account may have two Spaces: --hardware {ZERO}",
        )
    if hardware == ZERO:
        return RepairError(
            f"the Hub gives this account no further Space on ZeroGPU{because}",
            "it gives two to a free account that is a month old with its e-mail confirmed: delete one, or see what "
            "your account allows",
        )
    return RepairError(
        f"the Hub does not give this account {hardware}{because}",
        f"see what your account allows, or take --hardware {ZERO}",
    )


@contextmanager
def _without(secrets: tuple[str, ...]) -> Iterator[None]:
    """Let no secret stand in what is told of a fault."""
    try:
        yield
    except RepairError as error:
        what, then = error.what, error.next_step
        for each in secrets:
            what, then = what.replace(each, "[hidden]"), then.replace(each, "[hidden]")
        raise type(error)(what, then) from None
