"""Who speaks to the Hub, whether it is there, and its faults in one sentence each."""

import socket
import time

import pytest
from huggingface_hub import constants

from repairai.errors import RepairError
from repairai.hub import client
from repairai.hub.client import api, hub_errors, reach, require_online
from repairai.hub_faults import Unreachable


@pytest.fixture
def deaf():
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_it_is_there(hub):
    assert reach().online
    assert reach().said.startswith("the Hub at 127.0.0.1")
    assert len(hub.asked("GET", "whoami")) == 1, "it is believed for a few seconds"
    require_online()


def test_it_is_not_there_and_that_is_known_at_once(hub, monkeypatch):
    with hub.away():
        began = time.monotonic()
        found = reach()
        assert not found.online
        assert "cannot be reached" in found.said
        with pytest.raises(Unreachable, match="cannot be reached"):
            require_online()
        assert time.monotonic() - began < 2
    assert not reach().online, "kept"
    require_online()  # a person who tries again is not told what was so before
    assert reach().online


def test_a_hub_that_says_nothing_is_not_waited_for(hub, deaf, monkeypatch):
    with monkeypatch.context() as patch:  # undone before the Hub is
        patch.setattr(constants, "ENDPOINT", deaf)
        began = time.monotonic()
        assert "does not answer" in reach().said
        assert time.monotonic() - began < 2.1


def test_a_name_that_is_looked_up_for_ever_is_not_waited_for(hub, monkeypatch):
    monkeypatch.setattr(client, "_ask", lambda of: time.sleep(5))
    began = time.monotonic()
    assert reach(fresh=True).said.endswith("does not answer within 2 seconds")
    assert time.monotonic() - began < 2.1


def test_a_hub_out_of_order_is_not_there(hub):
    hub.misbehave(503, "whoami", times=None)
    assert reach().said.endswith("is out of order: it answers 503")


def test_offline_is_a_state(hub, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert reach() == client.Reach(False, "HF_HUB_OFFLINE is set, so the Hub is not asked for anything")
        with pytest.raises(RepairError, match=r"unset it to use the Hub"):
            require_online()
        with pytest.raises(RepairError, match="HF_HUB_OFFLINE is set"), hub_errors("me/thing"):
            api().model_info("me/thing")
    assert not hub.log


@pytest.mark.parametrize(
    ("status", "said", "later"),
    [
        (401, "does not know the token", False),
        (402, "wants to be paid for me/thing", False),
        (403, "does not allow this with me/thing", False),
        (409, "the name me/thing is taken", False),
        (412, "somebody has changed me/thing", False),
        (429, "asks to be left alone for a while; try again in 7 seconds", True),
        (500, "out of order: it answers 500", True),
        (418, "does not take what was asked of me/thing", False),
    ],
)
def test_each_status_is_a_sentence(hub, status: int, said: str, later: bool):
    hub.misbehave(status, "/api/models", times=None, retry_after=7)
    with pytest.raises(RepairError, match=said) as caught, hub_errors("me/thing"):
        api().model_info("me/thing")
    assert isinstance(caught.value, Unreachable) == later
    assert "\n" not in str(caught.value)


def test_what_is_missing_gated_or_misnamed_is_a_sentence(hub):
    hub.add_repo("model", "you/gated", {"config.json": "{}"}, gated="manual")
    hub.add_repo("dataset", "you/secret", {"a.json": "{}"}, private=True)
    hub.repo("model", "you/gated").gated = "manual"
    for name, kind, said in (
        ("you/none", "model", "there is no model you/none on the Hub, or it is private"),
        ("you/secret", "dataset", "there is no data set you/secret on the Hub, or it is private"),
        ("a b", "model", "'a b' is no name on the Hub"),
    ):
        with pytest.raises(RepairError, match=said), hub_errors(name, kind):
            api().repo_info(name, repo_type=kind)
    with pytest.raises(RepairError, match="has no such revision"), hub_errors("you/gated"):
        api().model_info("you/gated", revision="gone")
    with pytest.raises(RepairError, match=r"given only to those who asked.*you/gated"), hub_errors("you/gated"):
        api().hf_hub_download("you/gated", "config.json")


def test_a_lost_network_is_a_sentence(hub):
    api()
    with hub.away(), pytest.raises(Unreachable, match="cannot be reached"), hub_errors("me/thing"):
        api().model_info("me/thing")


def test_no_token_stands_in_what_is_told(hub, monkeypatch):
    token = hub.add_user("me")
    monkeypatch.setenv("HF_TOKEN", token)
    other = hub.add_user("you")
    hub.misbehave(400, "/api/models", message=f"bad: {token} and {other}")
    with pytest.raises(RepairError) as caught, hub_errors("me/thing", secret=other):
        api().model_info("me/thing")
    assert "[hidden] and [hidden]" in str(caught.value)
    monkeypatch.delenv("HF_TOKEN")


def test_our_own_mistakes_are_not_hidden():
    with pytest.raises(ValueError, match="ours"), hub_errors("me/thing"):
        raise ValueError("ours")
