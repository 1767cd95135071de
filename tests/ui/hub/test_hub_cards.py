"""What the Hub tab does, without a browser, against a Hub on loopback."""

import json
import time
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.files import home
from repairai.hub import account, pull, push
from repairai.hub.push import PushPlan
from repairai.hub.push_folder import Standing
from repairai.hub.pushes import Push
from repairai.judge import judges
from repairai.judge.state_set import read_state_set
from repairai.named_sets import PHOTO_SETS, STATE_SETS
from repairai.runs import parcels
from repairai.sop import agents
from repairai.ui.hub import (
    account_card,
    fetched_card,
    goods,
    pull_card,
    push_card,
    push_render,
    space_card,
    there_card,
    use_pulled,
)
from repairai.ui.hub.pulling import Pulled, Pulling
from repairai.ui.workbench import Workbench
from repairai.vision import detectors
from tests.hub_server.server import HubServer
from tests.judge.classifiers import bright_or_dark
from tests.runs import runs_to_share
from tests.runs.states import write_states

HOSTILE = "<img src=x onerror=\"alert('in')\">"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs_to_share.tiny_base(tmp_path_factory.mktemp("base"))


def ended(pulling: Pulling) -> Pulled:
    until = time.monotonic() + 60
    while not ((now := pulling.now()) and now.ended):
        assert time.monotonic() < until
        time.sleep(0.05)
    return now


# ---- who


def test_a_token_is_in_nothing_that_is_sent_back(hub: HubServer):
    shown = account_card.look(1, 1)
    assert "Nobody is logged in" in shown[0]
    assert [each.visible for each in shown[5:]] == [True, False], "nobody pushes anything"
    token = hub.add_user("me")
    account.log_in(token)
    shown = account_card.look(1, 1, fresh=True)
    assert 'data-who="me"' in shown[0]
    assert shown[4] == "me"
    assert [each.visible for each in shown[5:]] == [True, True]
    assert token not in repr(shown)


def test_a_token_that_the_hub_no_longer_knows_can_be_taken_away(hub: HubServer):
    account.log_in(hub.add_user("me"))
    hub.store.tokens.clear()
    shown = account_card.look(1, 1)
    assert "problem" in shown[0]
    assert shown[1].visible
    assert shown[2].visible, "one can log out"


def test_without_the_hub_all_but_the_pushes_is_hidden(hub: HubServer):
    with hub.away():
        shown = account_card.look(2, 1, fresh=True)
    assert "not connected" in shown[0]
    assert [each.visible for each in shown[5:]] == [False] * 3


# ---- what is there


def test_what_is_there_is_listed(hub: HubServer):
    hub.add_repo("model", "maker/eyes", {"README.md": "---\ntags: [repairai-detector]\n---\n"})
    assert "Log in to see your own models" in there_card.listed("model", "", "")
    assert "maker/eyes" in there_card.listed("model", "eyes", "")
    assert "No data sets have that" in there_card.listed("dataset", "eyes", "")
    account.log_in(hub.add_user("me"))
    assert "me has no Spaces there yet" in there_card.listed("space", "", "me")
    with hub.away():
        assert "problem" in there_card.listed("model", "eyes", "")


# ---- what comes


def test_a_fetch_is_cancelled_and_goes_on(hub: HubServer):
    runs_to_share.eyes("given")
    parcel = parcels.of_run("given", "maker/eyes")
    hub.add_repo("model", "maker/eyes", {**dict(parcel.files), "README.md": parcel.card})
    plan, html, button = pull_card.look("maker/eyes", "model", "")
    assert "a detector that inspects" in html
    assert button.visible
    pulling = Pulling()
    assert pull_card.now(pulling)[0] == ""
    hub.misbehave(None, "model.safetensors", delay_seconds=3.0, times=None)
    pulling.start(plan)
    with pytest.raises(RepairError, match="maker/eyes is being fetched; wait until it is here"):
        pulling.start(plan)
    pulling.stop()
    found = ended(pulling)
    assert found.cancelled
    assert found.folder is None
    assert "goes on where it stopped" in pull_card.now(pulling)[0]
    hub.behave()
    pulling.start(plan)
    found = ended(pulling)
    assert found.folder is not None
    assert (found.folder / "limits.json").is_file()
    shown = pull_card.now(pulling)
    assert shown[3].value == "Let it inspect"
    said = use_pulled.use(found, Workbench())
    assert said.startswith("maker--eyes inspects now")
    assert detectors.active().path == str(found.folder)
    assert "maker/eyes" in shown[-1]
    assert "with the button beside it" in fetched_card.act("ask", "maker/eyes", "model")[1]
    assert "the detector that comes with RepairAI" in fetched_card.act("back", "maker/eyes", "model")[0]
    assert "Delete it for good" in fetched_card.act("ask", "maker/eyes", "model")[1]
    assert "Delete it for good" not in fetched_card.act("keep", "maker/eyes", "model")[1]
    said, listed = fetched_card.act("sure", "maker/eyes", "model")
    assert ("maker/eyes is deleted" in said, listed) == (True, "")
    assert "was pulled" in fetched_card.act("sure", "maker/eyes", "model")[0]


def test_what_cannot_be_fetched_is_said(hub: HubServer):
    hub.add_repo("model", "maker/pickle", {"pytorch_model.bin": b"x", "config.json": "{}"})
    for repo, said in (("maker/nothing", "maker/nothing"), ("maker/pickle", "pickle"), ("no name", "no name")):
        plan, html, button = pull_card.look(repo, "model", "")
        assert plan is None
        assert said in html
        assert not button.visible
    plan, html, _ = pull_card.look("maker/pickle", "model", "gone")
    assert "no revision" in html or "revision" in html
    with pytest.raises(RepairError, match="nothing was fetched"):
        use_pulled.use(None, Workbench())


def test_an_agent_photos_and_guides_are_used_as_they_are(
    hub: HubServer, base: Path, monkeypatch: pytest.MonkeyPatch
):  # fmt: skip
    monkeypatch.setenv("HF_TOKEN", hub.add_user("me"))
    runs_to_share.agent(base)
    push.send(parcels.of_run("agent", "me/agent", base="maker/tiny-base"), "me/agent")
    runs_to_share.photos()
    push.send(parcels.of_photo_set("bench", "me/bench"), "me/bench")
    guide = {
        "id": "own-1", "title": "Kettle lid", "device": "Kettle", "licence": "CC0-1.0",
        "steps": [{"number": 1, "lines": [{"text": "Remove the two screws."}]}],
    }  # fmt: skip
    write_states(STATE_SETS.folder("latches"), 4)
    push.send(parcels.of_state_set("latches", "me/latches"), "me/latches")
    hub.add_repo("dataset", "me/guides", {"guides.jsonl": json.dumps(guide) + "\n"})
    bench = Workbench()

    def used(repo: str, kind: str) -> str:
        plan = pull.plan(repo, kind)  # type: ignore[arg-type]
        return use_pulled.use(Pulled(plan, ended=True, folder=pull.fetch(plan)), bench)

    assert used("me/agent", "model").startswith("me/agent answers questions now")
    assert (agents.active().name, agents.active().base) == ("me/agent", "maker/tiny-base")
    assert used("me/bench", "dataset") == "The photos are in the Train tab, as bench-2."
    assert "bench-2" in PHOTO_SETS.names()
    assert used("me/latches", "dataset") == "The states are in the Train tab, as latches-2."
    assert len(read_state_set(STATE_SETS.folder("latches-2"))) == 4
    assert used("me/guides", "dataset") == "1 guides of me/guides are in the library."
    assert bench.library.guide("own-1").device == "Kettle"


# ---- what goes


def test_all_that_can_go_is_listed(base: Path):
    runs_to_share.built()
    runs_to_share.photos()
    runs_to_share.agent(base)
    runs_to_share.eyes()
    write_states(STATE_SETS.folder("latches"), 4)
    found = goods.goods()
    known = {value for _, value in found}
    assert known == {"run:agent", "run:eyes", "data:lamps", "photos:bench", "states:latches"}
    assert goods.parcel("states:latches", "me/latches", "").kind == "dataset"
    assert ("agent: an agent, an adapter", "run:agent") in found
    assert goods.needs_base("run:agent")
    assert not goods.needs_base("run:eyes")
    assert not goods.needs_base("run:gone")
    assert goods.name_of("merged:agent") == "agent-merged"
    assert goods.name_of("photos:Bänk 1") == "B-nk-1"
    with pytest.raises(RepairError, match="nothing is chosen"):
        goods.parcel("", "me/x", "")


def test_what_may_not_go_is_said_before_anything_goes(hub: HubServer):
    runs_to_share.built()
    html, button, _ = push_card.look("data:lamps", "me/lamps", "", False)
    assert "nobody is logged in to the Hub here; log in above." in html
    assert not button.visible
    account.log_in(hub.add_user("me"))
    hub.add_repo("dataset", "me/lamps", {"other.csv": "a,b"})
    hub.add_repo("dataset", "me/shown", {"README.md": "x"})
    for repo, said in (
        ("me/lamps", "the name me/lamps is taken"), ("you/lamps", "you is neither me"), ("lamps", "is no name on"),
        ("me/shown", "tick that everybody may see it"),
    ):  # fmt: skip
        html, button, _ = push_card.look("data:lamps", repo, "", False)
        assert said in html
        assert not button.visible
        assert said in push_card.send("data:lamps", repo, "", False)[0]


def standing(state: str, **more: object) -> Push:
    return Push(
        "p1", HOSTILE, "model", True, "2026", "https://hub/me/x", Standing(state, 512, 1024, **more), Path()
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("sending", ["cancel"]), ("waiting", ["cancel"]), ("done", ["forget"]), ("failed", ["again", "forget"]),
        ("cancelled", ["again", "forget"]), ("interrupted", ["again", "cancel"]),
    ],
)  # fmt: skip
def test_each_push_has_the_buttons_that_it_needs(state: str, buttons: list[str]):
    told = push_render.pushes([standing(state, said=HOSTILE, next_try=15.0)], 5.0)
    assert [name for name in ("cancel", "again", "forget") if f'data-do="{name}"' in told] == sorted(
        buttons, key=["cancel", "again", "forget"].index
    )
    assert "<img" not in told
    assert ("open on the Hub" in told) == (state == "done")
    assert ("tried again in 10 s" in told) == (state == "waiting")


def test_a_plan_of_a_push_tells_who_sees_it_and_what_is_new():
    plan = PushPlan("me/x", "model", False, (("a", 10), ("b", 20)), 30, True, ("a",), HOSTILE, ("old.bin",))
    told = push_render.plan(plan)
    for said in ("Everybody sees it.", "2 files, 30 bytes · 20 bytes of it to send", "1 file there will be deleted"):
        assert said in told
    assert "<img" not in told
    same = PushPlan("me/x", "model", True, (("a", 10),), 10, True, ("a",), "")
    assert push_render.is_same(same)
    assert "Only you see it." in push_render.plan(same)


# ---- a Space


def test_a_space_is_looked_at_deployed_and_asked_how_it_stands(hub: HubServer):
    told = space_card.look("builtin", None, "me/inspect", False, False)
    assert "me/inspect, private, on cpu-basic" in told
    assert "space.json" in told
    assert "nobody is logged in" in space_card.deploy("builtin", None, "me/inspect", False, False)
    hub.add_user("me", pro=True)
    account.log_in(hub.add_token("me"))
    told = space_card.deploy("builtin", None, "me/inspect", False, False)
    assert "me/inspect is made, private" in told
    assert "data-stage=" in space_card.status("me/inspect")
    assert "is brought up to date" in space_card.deploy("builtin", None, "me/inspect", False, False)
    assert "needs no GPU" in space_card.look("builtin", None, "me/inspect", False, True)
    lamps = bright_or_dark(home() / "models" / "lamps")
    judges.use(judges.Judge("lamps", "local", str(lamps)))
    assert ("lamps", "lamps") in space_card._judges()
    told = space_card.look("builtin", None, "me/inspect", False, False, "lamps")
    assert "judge/backbone.onnx" in told
    assert "answered by" in told
