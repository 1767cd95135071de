"""A push is a job of its own: it outlives who began it and the network, goes on, and can be ended."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hub import pushes
from repairai.hub.account import log_in
from repairai.hub.push import Parcel
from repairai.hub.push_folder import json_in, tidy
from repairai.hub.push_job import work
from repairai.hub.pushes import Push, again, begin, cancel, forget, push_of
from repairai.hub.staging import place_of
from repairai.processes import process_in
from repairai.runs.sharing.staged import staged
from tests.hub_server.server import HubServer

SECONDS = 60.0


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("model.safetensors", "model.onnx"):
        (folder / name).write_bytes(os.urandom(1_000_000))
    files = tuple((path.name, path) for path in sorted(folder.iterdir()))
    return Parcel("model", files, "---\ntags: [repairai, repairai-detector]\n---\n# Eyes\n")


@pytest.fixture
def me(hub: HubServer) -> None:
    log_in(hub.add_user("me"))


def until(true: Callable[[Push], bool], push: Push) -> Push:
    """Wait until something is true of a push, and return it."""
    end = time.monotonic() + SECONDS
    while not true(now := push_of(push.id)):
        assert time.monotonic() < end, f"{now}: {(now.folder / 'log').read_text()}"
        time.sleep(0.05)
    return now


def over(push: Push) -> bool:
    return not push.at_work


def test_it_goes_by_itself(hub, me, parcel):
    push = begin(parcel, "me/eyes", message="My eyes")
    assert push.at_work
    with pytest.raises(RepairError, match="me/eyes is being pushed already"):
        begin(parcel, "me/eyes")
    for _, path in parcel.files:
        path.unlink()  # it keeps what it was given
    done = until(over, push)
    assert done.state == "done", (done.folder / "log").read_text()
    assert done.standing.commit == hub.repo("model", "me/eyes").head.oid
    assert done.standing.done_bytes == done.standing.total_bytes > 2_000_000
    assert done.address == f"{hub.url}/me/eyes"
    assert hub.repo("model", "me/eyes").private
    assert not (done.folder / "files").exists()
    assert pushes.pushes() == (done,)
    for what, said in ((again, "is done"), (cancel, "is over: it is done")):
        with pytest.raises(RepairError, match=said):
            what(done.id)
    forget(done.id)
    assert pushes.pushes() == ()
    for name in (done.id, "", "..", "../x"):
        with pytest.raises(RepairError, match="there is no push"):
            push_of(name)


def test_it_survives_a_lost_network(hub, me, parcel):
    with hub.away():
        push = begin(parcel, "me/eyes")
        waits = until(lambda each: each.state == "waiting", push)
        assert "cannot be reached" in waits.standing.said
        assert waits.standing.next_try > time.time() - 1
    assert until(over, push).state == "done"
    assert len(hub.repo("model", "me/eyes").commits) == 2


def test_it_goes_on_where_it_was_cut(hub, me, parcel):
    hub.misbehave(503, path="/commit/", method="POST", times=2)
    push = begin(parcel, "me/eyes")
    assert until(over, push).state == "done"
    assert len(hub.asked("PUT", "")) == 2, "each large file went once"
    assert len(hub.repo("model", "me/eyes").commits) == 2


def test_one_whose_process_was_killed_can_go_on(hub, me, parcel):
    hub.misbehave(path="", method="PUT", delay_seconds=30)
    push = begin(parcel, "me/eyes")
    until(lambda each: bool(hub.asked("POST", "preupload")), push)
    process = process_in(json_in(push.folder / "process.json"))
    os.kill(process.pid, signal.SIGKILL)
    gone = until(over, push)
    assert (gone.state, gone.standing.said) == ("interrupted", "its process went down")
    assert set(hub.repo("model", "me/eyes").files()) == {".gitattributes"}
    hub.behave()
    assert until(over, again(push.id)).state == "done"


def test_one_that_is_cancelled_shows_nothing(hub, me, parcel):
    hub.misbehave(path="", method="PUT", delay_seconds=30)
    push = begin(parcel, "me/eyes")
    until(lambda each: bool(hub.asked("POST", "preupload")), push)
    assert cancel(push.id).state == "cancelled"
    assert set(hub.repo("model", "me/eyes").files()) == {".gitattributes"}
    hub.behave()
    assert until(over, again(push.id)).state == "done"


def test_one_that_waits_is_cancelled_at_once(hub, me, parcel):
    with hub.away():
        push = begin(parcel, "me/eyes")
        until(lambda each: each.state == "waiting", push)
        assert cancel(push.id).state == "cancelled"


def test_what_cannot_go_through_fails_in_a_sentence(hub, parcel, monkeypatch):
    log_in(hub.add_user("me", write=False))
    push = until(over, begin(parcel, "me/eyes"))
    assert push.state == "failed"
    assert "may read, but not write me/eyes" in push.standing.said
    log_in(hub.add_user("me"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    offline = until(over, again(push.id))
    assert offline.state == "failed"
    assert "HF_HUB_OFFLINE is set" in offline.standing.said
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert until(over, again(push.id)).state == "done"


def test_a_file_that_is_gone_begins_nothing(hub, parcel, home):
    parcel.files[0][1].unlink()
    with pytest.raises(RepairError, match="is gone, which was to be sent"):
        begin(parcel, "me/eyes")
    assert not list((home / "pushes").iterdir())


def test_it_is_done_by_one_process_alone(hub, me, parcel):
    hub.misbehave(path="", method="PUT", delay_seconds=2)
    push = begin(parcel, "me/eyes")
    until(lambda each: each.state == "sending", push)
    with pytest.raises(RepairError, match="is being sent already"):
        work(push.id)
    assert until(over, push).state == "done"


# ---- files that were written anew for a push


def written_anew(parcel: Parcel, name: str = "bench") -> tuple[Parcel, Path]:
    """A parcel of whose files one had to be written anew, and where that lies."""
    place = place_of("photos", name)
    return replace(parcel, files=(*parcel.files, ("train/a.jpg", staged(place, "train/a.jpg", b"a photo")))), place


def test_what_was_written_for_it_goes_with_it(hub, me, parcel):
    goes, place = written_anew(parcel)
    hub.misbehave(403, path="/commit/", method="POST")
    push = until(over, begin(goes, "me/eyes"))
    assert (push.state, place.is_dir()) == ("failed", True), "it can go on"
    assert until(over, again(push.id)).state == "done"
    assert not place.exists()
    assert hub.read("model", "me/eyes", "train/a.jpg") == b"a photo"


def test_what_a_push_may_still_send_stays_and_goes_once_that_is_forgotten(hub, parcel, monkeypatch):
    def has_no_second_names(*_: object) -> None:
        raise OSError("not on this disk")

    monkeypatch.setattr(os, "link", has_no_second_names)
    goes, place = written_anew(parcel)
    first, second = (until(over, begin(goes, f"me/{name}")) for name in ("eyes", "other"))
    assert (first.state, second.state) == ("failed", "failed"), "nobody is logged in"
    os.utime(place, (0, 0))
    tidy()
    forget(first.id)
    assert (place / "train" / "a.jpg").is_file(), "the second sends it from there"
    forget(second.id)
    assert not place.exists()


def test_what_somebody_is_about_to_push_stays_for_an_hour(hub, parcel):
    goes, place = written_anew(parcel)
    push = until(over, begin(goes, "me/eyes"))
    os.utime(push.folder / "push.json", (1, 1))
    written_anew(parcel)  # it is looked at once more
    forget(push.id)
    assert place.is_dir()
    os.utime(place, (time.time() - 3700,) * 2)
    _, other = written_anew(parcel, "other")
    tidy()
    assert (place.exists(), other.exists()) == (False, True)
