"""Pushing to the Hub: shown first, private, one commit or none, going on where it stopped."""

import os
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.hub import push
from repairai.hub.account import log_in, log_out
from repairai.hub.push import Parcel
from repairai.hub_faults import Unreachable
from tests.hub_server.server import HubServer

CARD = "---\ntags:\n- repairai\n- repairai-detector\nlicense: apache-2.0\n---\n# Eyes\n"


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    """Two large files and two small ones."""
    folder = tmp_path / "model"
    folder.mkdir()
    files = {"model.safetensors": os.urandom(2_000_000), "model.onnx": os.urandom(900_000), "config.json": b"{}"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Parcel("model", tuple((name, folder / name) for name in files), CARD)


@pytest.fixture
def me(hub: HubServer) -> str:
    """Somebody who is logged in, and may write."""
    token = hub.add_user("me")
    log_in(token)
    return token


def pushed(hub: HubServer, method: str = "PUT") -> int:
    """How many large files came."""
    return len(hub.asked(method, "/lfs|_lfs"))


def test_a_plan_shows_what_would_go_and_sends_nothing(hub, me, parcel):
    planned = push.plan(parcel, "me/eyes")
    assert dict(planned.files) == {
        "model.safetensors": 2_000_000, "model.onnx": 900_000, "config.json": 2, "README.md": len(CARD)
    }  # fmt: skip
    assert (planned.exists, planned.private, planned.unchanged, planned.gone) == (False, True, (), ())
    assert planned.total_bytes == planned.new_bytes == 2_900_002 + len(CARD)
    assert planned.card == CARD
    assert hub.repo("model", "me/eyes") is None


def test_it_goes_as_one_commit_and_is_private(hub, me, parcel):
    seen: list[tuple[int, int]] = []
    done = push.send(parcel, "me/eyes", message="My eyes", on_progress=lambda *told: seen.append(told[:2]))
    repo = hub.repo("model", "me/eyes")
    assert done == push.Pushed("me/eyes", f"{hub.url}/me/eyes", repo.head.oid)
    assert repo.private
    assert [each.title for each in repo.commits.values()] == ["initial commit", "My eyes"]
    assert hub.read("model", "me/eyes", "model.safetensors") == parcel.files[0][1].read_bytes()
    assert hub.read("model", "me/eyes", "README.md") == CARD.encode()
    assert seen[-1] == (2_900_002 + len(CARD),) * 2
    assert [each for each, _ in seen] == sorted(each for each, _ in seen)
    assert len(seen) > 10, "in bytes, not in files"


def test_nothing_goes_twice(hub, me, parcel, tmp_path):
    first = push.send(parcel, "me/eyes")
    planned = push.plan(parcel, "me/eyes")
    assert len(planned.unchanged) == 4
    assert planned.new_bytes == 0
    sent = len(hub.asked("PUT", ""))
    assert push.send(parcel, "me/eyes") == first
    assert len(hub.asked("PUT", "")) == sent
    assert len(hub.repo("model", "me/eyes").commits) == 2
    (tmp_path / "model" / "config.json").write_text('{"a": 1}')
    smaller = Parcel("model", parcel.files[::2], CARD)
    assert push.plan(smaller, "me/eyes").gone == ("model.onnx",)
    push.send(smaller, "me/eyes")
    assert set(hub.repo("model", "me/eyes").files()) == {
        ".gitattributes", "README.md", "model.safetensors", "config.json"
    }  # fmt: skip
    assert len(hub.asked("PUT", "")) == sent, "the large one is there"


def test_one_that_is_cut_shows_nothing_and_goes_on(hub, me, parcel):
    class Cut(Exception):
        pass

    def cut(done: int, total: int, words: str) -> None:
        if any(seen.status == 200 for seen in hub.asked("PUT", "^/_lfs/")):  # the first large file is there
            raise Cut

    with pytest.raises(Cut):
        push.send(parcel, "me/eyes", private=False, on_progress=cut)
    repo = hub.repo("model", "me/eyes")
    assert set(repo.files()) == {".gitattributes"}
    assert repo.private, "until it is whole, although everybody will see it"
    before = hub.asked("PUT", "^/_lfs/")
    there = {seen.path for seen in before if seen.status == 200}
    push.send(parcel, "me/eyes", private=False)
    assert there, "some of it had gone"
    assert not there & {seen.path for seen in hub.asked("PUT", "^/_lfs/")[len(before) :]}, "and does not go again"
    assert len(repo.commits) == 2
    assert not repo.private


def test_a_network_that_is_lost_leaves_nothing_half(hub, me, parcel):
    hub.misbehave(503, path="/commit/", method="POST", times=None)
    with pytest.raises(Unreachable):
        push.send(parcel, "me/eyes")
    assert set(hub.repo("model", "me/eyes").files()) == {".gitattributes"}
    hub.behave()
    before = len(hub.asked("PUT", ""))
    push.send(parcel, "me/eyes")
    assert len(hub.asked("PUT", "")) == before, "all that is large is there already"
    with hub.away(), pytest.raises(Unreachable):
        push.send(parcel, "me/eyes")


def test_somebody_changed_it_meanwhile(hub, me, parcel):
    push.send(parcel, "me/eyes")
    (parcel.files[2][1]).write_text('{"mine": 1}')

    def meanwhile(done: int, total: int, words: str) -> None:
        if len(hub.repo("model", "me/eyes").commits) == 2:
            hub.commit(hub.repo("model", "me/eyes"), {"notes.txt": "theirs"})

    with pytest.raises(RepairError, match="somebody has changed me/eyes on the Hub meanwhile"):
        push.send(parcel, "me/eyes", on_progress=meanwhile)
    assert hub.read("model", "me/eyes", "config.json") == b"{}"


def test_an_answer_that_was_lost_is_no_second_commit(hub, me, parcel):
    push.send(parcel, "me/eyes")
    known = len(hub.repo("model", "me/eyes").commits)
    push.send(parcel, "me/eyes")
    assert len(hub.repo("model", "me/eyes").commits) == known


def test_who_may_not(hub, parcel):
    for what in (push.check, lambda repo: push.plan(parcel, repo), lambda repo: push.send(parcel, repo)):
        with pytest.raises(RepairError, match="nobody is logged in"):
            what("me/eyes")
    log_in(hub.add_user("me", write=False))
    with pytest.raises(RepairError, match="the token of me may read, but not write me/eyes"):
        push.check("me/eyes")
    log_in(hub.add_user("me"))
    hub.add_user("you")
    hub.add_organisation("works", me="write")
    hub.add_organisation("reads", me="read")
    for name in ("you/eyes", "reads/eyes"):
        with pytest.raises(RepairError, match=r"is neither me, who is logged in.*take a name of your own: me/eyes"):
            push.check(name)
    assert push.check("works/eyes").name == "me"
    for name in ("eyes", "me/two words", "me/a/b", "../x", "me/a--b"):
        with pytest.raises(RepairError, match="is no name on the Hub"):
            push.check(name)
    assert hub.store.repos == {}


def test_a_name_that_is_taken(hub, me, parcel):
    hub.add_repo("model", "me/mine", {"pytorch_model.bin": b"x", "README.md": "# Mine"})
    hub.add_repo("model", "me/agent", {"a.json": "{}", "README.md": "---\ntags: [repairai, repairai-agent]\n---\n"})
    hub.add_repo("model", "me/empty", {"README.md": "# Soon"})
    for what in (lambda: push.plan(parcel, "me/mine"), lambda: push.check("me/mine")):
        with pytest.raises(RepairError, match=r"the name me/mine is taken: the model there did not come from RepairAI"):
            what()
    push.check("me/agent")
    with pytest.raises(RepairError, match=r"everybody can see me/agent"):
        push.check("me/agent", private=True)
    with pytest.raises(RepairError, match=r"taken by another kind: it is 'agent' on the Hub, and this is 'detector'"):
        push.send(parcel, "me/agent")
    with pytest.raises(RepairError, match=r"everybody can see me/empty"):
        push.send(parcel, "me/empty")
    push.send(parcel, "me/empty", private=False)


def test_a_data_set_has_names_of_its_own(hub, me, parcel):
    push.send(parcel, "me/eyes")
    done = push.send(Parcel("dataset", parcel.files[2:], "# Data"), "me/eyes")
    assert done.address == f"{hub.url}/datasets/me/eyes"


def test_what_is_gone_or_refused_is_a_sentence(hub, me, parcel):
    parcel.files[1][1].unlink()
    with pytest.raises(RepairError, match=r"model.onnx is gone, which was to be sent"):
        push.plan(parcel, "me/eyes")
    hub.misbehave(402, path="/repos/create", method="POST", message="Storage is full")
    smaller = Parcel("model", parcel.files[:1], CARD)
    with pytest.raises(RepairError, match="wants to be paid for me/eyes: Storage is full"):
        push.send(smaller, "me/eyes")
    hub.misbehave(403, path="/preupload/", method="POST")
    with pytest.raises(RepairError, match="does not allow this with me/eyes"):
        push.send(smaller, "me/eyes")
    assert set(hub.repo("model", "me/eyes").files()) == {".gitattributes"}


def test_one_file_is_put_and_a_repository_is_removed(hub, me):
    hub.add_repo("dataset", "me/job", {"a.txt": "a"})
    push.put("me/job", "dataset", "control/stop", b"stop\n", "Asked to stop")
    assert hub.read("dataset", "me/job", "control/stop") == b"stop\n"
    push.remove("me/job", "dataset")
    push.remove("me/job", "dataset")
    assert hub.repo("dataset", "me/job") is None
    log_out()
