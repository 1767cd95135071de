"""Logging in and out, and who is logged in."""

from pathlib import Path

import huggingface_hub
import pytest

from repairai.errors import RepairError
from repairai.hub.account import Account, log_in, log_out, who
from repairai.hub.client import token
from repairai.hub.listing import mine, search


def test_a_token_goes_into_the_clients_own_store_and_out_of_it(hub, tmp_path, capsys):
    hub.add_user("me")
    given = hub.add_user("me")
    hub.add_organisation("works", me="write")
    hub.add_organisation("reads", me="read")
    assert who() is None
    with pytest.raises(RepairError, match="nobody is logged in"):
        token()
    account = log_in(f" {given}\n")
    assert account == Account("me", "Me", True, ("works",), "stored")
    assert who() == account
    assert huggingface_hub.get_token() == token() == given
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and given in path.read_text(errors="replace")]
    assert {path.parent for path in holding} == {tmp_path / "hf"}
    log_out()
    assert who() is None
    assert not [path for path in holding if path.exists() and given in path.read_text()]
    with pytest.raises(RepairError, match="nobody is logged in"):
        log_out()
    assert capsys.readouterr() == ("", "")


def test_a_token_that_only_reads_and_one_for_one_name(hub):
    assert not log_in(hub.add_user("me", write=False)).can_write
    fine = log_in(hub.add_token("me", "fineGrained", ("repo.write",), ("model:me/one",)))
    assert fine.can_write
    assert fine.may_write("me/one")
    assert not fine.may_write("me/two")
    assert not fine.may_write("you/one")
    assert not log_in(hub.add_token("me", "fineGrained", ("repo.content.read",), ("me",))).can_write


def test_no_token_and_a_wrong_one(hub, tmp_path, monkeypatch):
    for words, said in (("", "no token was given"), ("two words", "that is no token"), ("hf_wrong", "does not know")):
        with pytest.raises(RepairError, match=said):
            log_in(words)
    assert not (tmp_path / "hf" / "token").exists()
    hub.misbehave(500, "whoami", method="GET", times=None)
    with pytest.raises(RepairError, match="out of order"):
        log_in("hf_unknown")
    hub.behave()
    with hub.away(), pytest.raises(RepairError, match="cannot be reached"):
        log_in("hf_unknown")


def test_a_token_of_the_environment_counts_more(hub, monkeypatch):
    log_in(hub.add_user("me"))
    monkeypatch.setenv("HF_TOKEN", hub.add_user("you"))
    account = who()
    assert account is not None
    assert (account.name, account.token_from) == ("you", "environment")
    with pytest.raises(RepairError, match="HF_TOKEN is set in the environment"):
        log_in(hub.add_user("me"))
    with pytest.raises(RepairError, match="unset HF_TOKEN to be logged out"):
        log_out()
    monkeypatch.delenv("HF_TOKEN")
    assert who() is None


def test_a_token_that_was_taken_back(hub):
    given = hub.add_user("me")
    log_in(given)
    hub.store.tokens.pop(given)
    try:
        with pytest.raises(RepairError, match="does not know the token of this machine"):
            who()
    finally:
        hub.add_user("me")


def test_what_is_mine_and_what_fits(hub, tmp_path: Path):
    log_in(hub.add_user("me"))
    hub.add_organisation("works", me="admin")
    hub.add_repo("model", "me/old", {"README.md": "---\ntags: [repairai]\n---\n"})
    hub.add_repo("model", "works/new", {"config.json": "{}"}, private=True)
    hub.add_repo("model", "you/old", {"config.json": "{}"})
    hub.add_repo("dataset", "me/photos", {"a.json": "{}"})
    hub.add_repo("model", "you/secret-old", {"config.json": "{}"}, private=True)
    found = {each.repo: each for each in mine("model")}
    assert set(found) == {"me/old", "works/new"}
    assert found["works/new"].private
    assert "repairai" in found["me/old"].tags
    assert found["me/old"].address == f"{hub.url}/me/old"
    assert [each.address for each in mine("dataset")] == [f"{hub.url}/datasets/me/photos"]
    assert mine("space") == ()
    assert {each.repo for each in search("old")} == {"me/old", "you/old"}
    assert len(search("old", most=1)) == 1
    log_out()
    with pytest.raises(RepairError, match="nobody is logged in"):
        mine("model")
