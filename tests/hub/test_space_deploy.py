"""A Space on the Hub: made, brought up to date, refused, and how it stands."""

import hashlib
import time
from functools import partial
from pathlib import Path

import pytest
from huggingface_hub import lfs

from repairai.errors import RepairError
from repairai.hub.account import log_in
from repairai.hub.space import deploy, hardware_for, log_tail, status
from repairai.hub.space_card import Eyes
from repairai.hub.space_folder import Built, build
from repairai.hub_faults import Unreachable
from repairai.sop.samples import samples

OWN = Path(__file__).parents[2] / "repairai" / "builtin" / "detector"
ZERO = {"hardware": "zero-a10g"}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    return build(tmp_path_factory.mktemp("built") / "space")


@pytest.fixture
def me(hub) -> str:
    log_in(hub.add_user("me"))
    return "me/inspector"


def test_a_space_comes_in_one_commit_private_and_runs(hub, me: str, built: Built):
    seen: list[tuple[int, int, str]] = []
    done = deploy(built, me, **ZERO, on_progress=lambda *told: seen.append(told))
    space = hub.repo("space", me)
    assert space.private
    assert len(space.commits) == 2  # the Hub's own, and ours
    assert set(space.files("main")) == {path for path, _ in built.files} | {"README.md", ".gitattributes"}
    assert hub.read("space", me, "README.md").decode() == built.card
    assert (space.space.sdk, space.space.hardware, space.space.stage) == ("gradio", "zero-a10g", "RUNNING")
    assert (done.repo, done.hardware, done.was_there, done.private) == (me, "zero-a10g", False, True)
    assert done.address == f"{hub.url}/spaces/{me}"
    assert done.commit == space.head.oid
    assert seen[-1][0] == seen[-1][1] > 6_000_000


def test_a_second_deployment_updates_with_one_commit_and_takes_away_what_is_gone(hub, me: str, tmp_path: Path, built):
    deploy(built, me, **ZERO)
    assert deploy(built, me).commit == hub.repo("space", me).head.oid
    assert len(hub.repo("space", me).commits) == 2, "nothing was changed, so nothing is sent"
    block = [each for each in samples() if each.id == "sample-practice-block"]
    done = deploy(build(tmp_path / "other", None, block), me)
    space = hub.repo("space", me)
    assert (done.was_there, done.hardware, space.space.hardware) == (True, "zero-a10g", "zero-a10g")
    assert len(space.commits) == 3
    guides = [path for path in space.files("main") if path.startswith("repairai/builtin/guides/") and "json" in path]
    assert guides == ["repairai/builtin/guides/practice-block.json"]


def test_what_was_cut_off_shows_nothing_and_goes_on_where_it_stopped(
    hub, me: str, built: Built, tmp_path: Path, monkeypatch
):
    # Only the client's own waits between its tries are left out.
    monkeypatch.setattr(lfs, "http_backoff", partial(lfs.http_backoff, max_retries=0))
    network = next(file for path, file in built.files if path.endswith("model.onnx"))
    name = hashlib.sha256(network.read_bytes()).hexdigest()
    cut = hub.misbehave(path=f"_lfs/{name}", method="PUT", after_bytes=3_000_000)
    with pytest.raises(Unreachable, match="try again"):
        deploy(built, me, **ZERO, secrets={"JUDGE_KEY": "typed"})
    assert cut.happened == 1
    space = hub.repo("space", me)
    assert (set(space.files("main")), space.private, space.space.stage) == ({".gitattributes"}, True, "NO_APP_FILE")
    went = {each.path for each in hub.asked("PUT", "_lfs")} - {f"/_lfs/{name}"}
    assert went, "photos went beside it"

    again = build(tmp_path / "again")  # whoever deploys again builds it again
    hub.log.clear()
    done = deploy(again, me, private=False)
    now = {each.path for each in hub.asked("PUT", "_lfs")}
    assert f"/_lfs/{name}" in now
    assert not now & went, "what has gone does not go again"
    assert (done.was_there, done.hardware, len(space.commits)) == (True, "zero-a10g", 2)
    assert (space.private, space.space.stage, set(space.space.secrets)) == (False, "RUNNING", {"JUDGE_KEY"})

    block = [each for each in samples() if each.id == "sample-practice-block"]
    other = build(tmp_path / "other", None, block)
    hub.misbehave(503, path="/commit/", method="POST")
    with pytest.raises(Unreachable):
        deploy(other, me, private=False)
    assert (space.head.oid, space.space.stage) == (done.commit, "RUNNING"), "it runs as it did"
    assert deploy(other, me, private=False).commit == space.head.oid != done.commit


def test_what_the_hub_wants_to_be_paid_for_is_told_with_what_it_gives_instead(hub, me: str, built: Built):
    assert hardware_for(built) == "cpu-basic"
    with pytest.raises(RepairError, match=r"cpu-basic only for accounts with PRO .*--hardware zero-a10g"):
        deploy(built, me)
    assert hub.repo("space", me) is None
    hub.users["me"].credit = 0
    with pytest.raises(RepairError, match=r"does not give this account t4-small"):
        deploy(built, me, hardware="t4-small")
    for name in ("me/one", "me/two"):
        deploy(built, name, **ZERO)
    with pytest.raises(RepairError, match=r"no further Space on ZeroGPU .*delete one"):
        deploy(built, me, **ZERO)
    assert hub.repo("space", me) is None
    hub.users["me"].pro = True
    assert deploy(built, me).hardware == "cpu-basic"


def test_a_detector_that_wants_a_gpu_goes_to_zero_gpu_by_itself(hub, me: str, tmp_path: Path):
    heavy = build(tmp_path / "heavy", Eyes("bench-3", OWN), with_torch=True)
    assert deploy(heavy, me).hardware == hub.repo("space", me).space.hardware == "zero-a10g"


def test_names_and_tokens_that_do_not_fit_are_refused_before_anything_is_made(hub, built: Built):
    with pytest.raises(RepairError, match="nobody is logged in"):
        deploy(built, "me/inspector", **ZERO)
    hub.add_user("somebody")
    log_in(hub.add_user("me", write=False))
    with pytest.raises(RepairError, match="may read, but not write"):
        deploy(built, "me/inspector", **ZERO)
    log_in(hub.add_user("me"))
    for wrong, said in (
        ("somebody/inspector", "somebody is neither me"),
        ("inspector", "is no name on the Hub"),
        ("me/a b", "is no name on the Hub"),
    ):
        with pytest.raises(RepairError, match=said):
            deploy(built, wrong, **ZERO)
    with pytest.raises(RepairError, match="'gpu-9000' is no hardware of Spaces"):
        deploy(built, "me/inspector", hardware="gpu-9000")
    assert not [repo for repo in hub.store.repos if repo[0] == "space"]


def test_another_app_is_not_written_over(hub, me: str, built: Built):
    hub.add_repo("space", me, {"app.py": "print()", "README.md": "---\ntitle: x\nsdk: gradio\n---\n"}, private=True,
                 sdk="gradio", hardware="zero-a10g")  # fmt: skip
    with pytest.raises(RepairError, match="holds another app"):
        deploy(built, me)
    assert set(hub.repo("space", me).files("main")) == {".gitattributes", "app.py", "README.md"}


def test_secrets_are_what_was_typed_and_never_this_machines(hub, me: str, built: Built, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("JUDGE_KEY", "of-this-machine")
    done = deploy(built, me, **ZERO, secrets={"JUDGE_KEY": "typed-by-hand"})
    space = hub.repo("space", me).space
    assert {name: each["value"] for name, each in space.secrets.items()} == {"JUDGE_KEY": "typed-by-hand"}
    assert done.secrets == ("JUDGE_KEY",)
    assert space.variables == {}
    deploy(built, me, secrets={"OTHER": "typed-too"})
    assert set(space.secrets) == {"JUDGE_KEY", "OTHER"}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and b"typed-by-hand" in path.read_bytes()]
    assert files == []


@pytest.mark.parametrize("name", ["", "a b", "1st", "KEY=x", "k" * 101])
def test_a_secret_has_a_name_and_a_value(hub, me: str, built: Built, name: str):
    with pytest.raises(RepairError, match="is no name of a secret"):
        deploy(built, me, **ZERO, secrets={name: "value"})
    with pytest.raises(RepairError, match="nothing was typed for the secret KEY"):
        deploy(built, me, **ZERO, secrets={"KEY": ""})
    assert hub.repo("space", me) is None


def test_a_refused_secret_is_not_told(hub, me: str, built: Built):
    hub.misbehave(400, "/secrets", method="POST", message="the value typed-by-hand is too short")
    with pytest.raises(RepairError, match=r"the value \[hidden\] is too short") as refused:
        deploy(built, me, **ZERO, secrets={"KEY": "typed-by-hand"})
    assert "typed-by-hand" not in str(refused.value)


def test_sleep_is_for_hardware_that_is_paid_for(hub, me: str, built: Built):
    with pytest.raises(RepairError, match="goes to sleep when the Hub wants"):
        deploy(built, me, **ZERO, sleep_seconds=600)
    assert deploy(built, me, hardware="t4-small", sleep_seconds=600).hardware == "t4-small"
    assert hub.repo("space", me).space.sleep_seconds == 600
    deploy(built, me, sleep_seconds=900)
    assert status(me).sleeps_after_seconds == 900
    deploy(built, me, hardware="zero-a10g")
    assert hub.repo("space", me).space.hardware == "zero-a10g"


def test_a_public_one_is_asked_for_by_name(hub, me: str, built: Built):
    assert not deploy(built, me, **ZERO, private=False).private
    assert not hub.repo("space", me).private
    with pytest.raises(RepairError, match="everybody can see"):
        deploy(built, me)


def test_how_it_stands_in_words_with_what_it_wrote_last(hub, me: str, built: Built):
    deploy(built, me, **ZERO)
    space = hub.repo("space", me).space
    now = status(me)
    assert (now.stage, now.said, now.hardware, now.private) == ("RUNNING", "it runs", "zero-a10g", True)
    space.run_log += [f"line {n}" for n in range(100)]
    space.build_log += ["pip could not find tantivy"]
    assert log_tail(me, now.stage, 3) == ("line 97", "line 98", "line 99")
    space.stage = "BUILD_ERROR"
    now = status(me)
    assert now.said == "it could not be built"
    assert now.hardware == ""
    assert log_tail(me, now.stage)[-1] == "pip could not find tantivy"
    with pytest.raises(RepairError, match="there is no Space me/none on the Hub"):
        status("me/none")


def test_a_deployment_that_was_cut_off_goes_on_and_shows_nothing_before(hub, me: str, built: Built):
    hub.misbehave(500, "/commit/", method="POST", times=None)
    with pytest.raises(RepairError, match="out of order"):
        deploy(built, me, **ZERO)
    assert set(hub.repo("space", me).files("main")) == {".gitattributes"}
    hub.behave()
    deploy(built, me)
    assert hub.read("space", me, "app.py") == (built.folder / "app.py").read_bytes()
    assert len(hub.repo("space", me).commits) == 2


def test_without_the_hub_one_sentence_within_two_seconds(hub, me: str, built: Built):
    with hub.away():
        start = time.monotonic()
        for act in (lambda: deploy(built, me, **ZERO), lambda: status(me), lambda: log_tail(me)):
            with pytest.raises(RepairError, match="the Hub"):
                act()
        assert time.monotonic() - start < 8
