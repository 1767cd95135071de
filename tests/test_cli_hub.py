"""The Hub on the command line: log in, push, pull, and use at once what was pulled."""

from __future__ import annotations

import getpass
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repairai import cli, files
from repairai.hub import pushes
from repairai.named_sets import PHOTO_SETS
from repairai.runs.folder import run_folder
from repairai.sop import agents
from repairai.vision import detectors
from tests.hub_server.server import HubServer
from tests.runs import runs_to_share

ROOT = Path(__file__).parents[1]


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main([*words])
    seen = capfd.readouterr()
    return code, seen.out, seen.err


def as_json(capfd: pytest.CaptureFixture[str], *words: str):
    code, out, err = run(capfd, *words, "--json")
    assert code == 0, err
    return json.loads(out)


def as_json_inspected(capfd: pytest.CaptureFixture[str], *words: str):
    code, out, err = run(capfd, "inspect", *words, "--require", "1 screw", "--json")
    assert code in (0, 1, 3), err
    return json.loads(out)


@pytest.fixture
def me(hub: HubServer, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Somebody who is logged in, by a token on standard input."""
    token = hub.add_user("me")
    monkeypatch.setattr(sys, "stdin", io.StringIO(token + "\n"))
    assert run(capfd, "hub", "login") == (0, "logged in: me (Me), may write\n", "")
    return token


# ---- who


def test_a_token_is_asked_for_where_nothing_shows_it(hub, capfd, monkeypatch, tmp_path):
    assert run(capfd, "hub", "who")[1].endswith("nobody is logged in: `python -m repairai hub login`\n")
    token = hub.add_user("me")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda words: asked.append(words) or token)
    assert run(capfd, "hub", "login")[0] == 0
    assert asked == ["Token of the Hub (it is not shown): "]
    assert as_json(capfd, "hub", "who")["account"]["name"] == "me"
    assert run(capfd, "hub", "logout") == (0, "logged out\n", "")
    file = tmp_path / "token.txt"
    file.write_text(hub.add_user("me", write=False) + "\n")
    assert "may only read" in run(capfd, "hub", "login", "--token-file", str(file))[1]
    file.unlink()
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert run(capfd, "hub", "login") == (
        2, "", "repairai: no token was given; make one on the Hub under Settings, Access Tokens, with the right to "
        "write if you want to push.\n",
    )  # fmt: skip
    code, _, err = run(capfd, "hub", "login", token)
    assert (code, "unrecognized arguments: [hidden]" in err) == (2, True), "no argument takes one"


def test_what_is_there(hub, me, capfd):
    hub.add_repo("model", "me/eyes", {"a.json": "{}"}, private=True)
    hub.add_repo("dataset", "you/screws", {"a.json": "{}"})
    assert run(capfd, "hub", "list")[1].startswith("me/eyes  model, private, 20")
    assert run(capfd, "hub", "list", "--kind", "space")[1] == "nothing of yours is there yet\n"
    assert [each["address"] for each in as_json(capfd, "hub", "search", "screws")] == [f"{hub.url}/datasets/you/screws"]
    assert run(capfd, "hub", "pushes")[1] == "nothing was pushed yet\n"


def test_offline_is_a_state_and_everything_local_works(hub, home, tmp_path):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}

    def said(*words: str) -> tuple[int, str, str]:
        answer = subprocess.run(
            [sys.executable, "-m", "repairai", *words], cwd=ROOT, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return answer.returncode, answer.stdout, answer.stderr

    assert said("hub", "who") == (0, "HF_HUB_OFFLINE is set, so the Hub is not asked for anything\n", "")
    code, _, err = said("models", "pull", "me/eyes")
    assert (code, err.count("\n")) == (2, 1)
    assert "HF_HUB_OFFLINE is set" in err
    assert said("models", "list")[0] == 0
    assert not hub.log


def test_a_hub_that_is_away_is_told_within_two_seconds(hub, me, capfd):
    with hub.away():
        began = time.monotonic()
        code, _, err = run(capfd, "models", "pull", "me/eyes")
        assert (code, err.count("\n")) == (2, 1)
        assert "the Hub cannot be reached" in err
        assert run(capfd, "models", "list")[0] == 0
        assert time.monotonic() - began < 2.5


# ---- a detector


def test_a_detector_goes_comes_back_and_inspects(hub: HubServer, me: str, capfd, home: Path):
    runs_to_share.photos()
    runs_to_share.eyes()
    code, out, _ = run(capfd, "models", "push", "eyes", "me/eyes", "--dry-run")
    assert code == 0
    assert "me/eyes: new, only you will see it" in out
    assert "model.safetensors" in out
    assert "repairai-detector" in out, "the card"
    assert hub.repo("model", "me/eyes") is None
    assert as_json(capfd, "models", "push", "eyes", "me/eyes", "--dry-run")["exists"] is False
    code, out, err = run(capfd, "models", "push", "eyes", "me/eyes", "--message", "My eyes")
    assert (code, out.splitlines()[-1]) == (0, f"me/eyes is at {hub.url}/me/eyes"), err
    assert hub.repo("model", "me/eyes").private
    assert as_json(capfd, "hub", "pushes")[0]["state"] == "done"
    assert as_json(capfd, "models", "push", "eyes", "me/eyes")["state"] == "done"
    assert len(hub.repo("model", "me/eyes").commits) == 2, "nothing has changed"

    shutil.rmtree(run_folder("eyes").path)
    code, out, _ = run(capfd, "models", "pull", "me/eyes", "--dry-run")
    assert "me/eyes: a detector that inspects" in out
    assert files.pulled("me/eyes") is None
    told = as_json(capfd, "models", "pull", "me/eyes")
    assert (told["what"], told["folder"]) == ("detector", str(home / "models" / "me--eyes"))
    photo = next((PHOTO_SETS.folder("bench") / "photos").iterdir())
    by_name = as_json_inspected(capfd, str(photo), "--detector", "me/eyes")
    assert by_name["models"][0].startswith("me/eyes@")
    assert "me/eyes, a detector that inspects from the Hub, not in use" in run(capfd, "models", "list")[1]
    assert as_json(capfd, "models", "list")[-1]["repo"] == "me/eyes"
    assert run(capfd, "models", "use", "me/eyes")[1].startswith("inspects now: me/eyes, a detector")
    assert detectors.active().path == told["folder"]
    assert "not in use" not in run(capfd, "models", "list")[1]
    assert as_json_inspected(capfd, str(photo))["detections"] == by_name["detections"]

    code, _, err = run(capfd, "models", "delete", "me/eyes")
    assert code == 2
    assert err == (
        "repairai: me/eyes is the active detector, which could then no longer inspect; "
        "let another one inspect first: `python -m repairai models back --detector`.\n"
    )
    run(capfd, "models", "back", "--detector")
    with hub.away():  # it is not needed for that
        freed = as_json(capfd, "models", "delete", "me/eyes")
    assert (freed["deleted"], freed["cannot_go_on"], files.pulled("me/eyes")) == ("me/eyes", [], None)
    assert freed["bytes"] > told["bytes"] > 0, "what was noted of it goes, too"
    code, _, err = run(capfd, "models", "delete", "me/eye")
    assert (code, "no model named 'me/eye' was pulled; list them" in err) == (2, True)


# ---- an adapter


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return runs_to_share.tiny_base(tmp_path / "base")


def test_an_adapter_comes_with_its_base_and_answers(hub: HubServer, me: str, capfd, base: Path, home: Path):
    hub.add_repo("model", "maker/tiny-base", {path.name: path for path in base.iterdir() if path.is_file()})
    runs_to_share.built()
    runs_to_share.agent(base)
    code, _, err = run(capfd, "models", "push", "agent", "me/agent")
    assert code == 2
    assert "say what that is called on the Hub (--base OWNER/NAME)" in err
    assert run(capfd, "models", "push", "agent", "me/agent", "--base", "maker/tiny-base")[0] == 0
    shutil.rmtree(run_folder("agent").path)
    shutil.rmtree(base)
    code, out, _ = run(capfd, "models", "pull", "me/agent", "--without-base")
    assert out.count("models pull maker/tiny-base") == 1
    code, out, _ = run(capfd, "models", "pull", "me/agent")
    assert "it stands on maker/tiny-base, which is fetched too" in out
    assert files.pulled("maker/tiny-base") == home / "models" / "maker--tiny-base"
    assert run(capfd, "models", "use", "me/agent")[0] == 0
    assert agents.active().path == str(home / "models" / "me--agent")
    with hub.away():  # everything is here
        reply = as_json(capfd, "ask", "How do I replace the battery of the bicycle light?")
    assert (reply["writer"], reply["made_from_steps"]) == ("me/agent", False)

    assert "me/agent, the active agent, stands on maker/tiny-base" in _refused(capfd, "maker/tiny-base", "--force")
    run(capfd, "models", "back")
    assert "me/agent stands on maker/tiny-base" in _refused(capfd, "maker/tiny-base")
    code, out, _ = run(capfd, "models", "delete", "me/agent")
    assert out.splitlines()[1:] == [
        "what it stood on is here still, and nothing else needs it: `models delete maker/tiny-base`"
    ]
    code, out, _ = run(capfd, "models", "delete", "maker/tiny-base")
    assert (code, "maker/tiny-base is deleted: " in out, " are free again" in out) == (0, True, True)
    assert "from the Hub" not in run(capfd, "models", "list")[1]


def _refused(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    code, out, err = run(capfd, "models", "delete", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err


def test_a_folder_goes_with_its_own_readme(hub: HubServer, me: str, capfd, base: Path):
    code, _, err = run(capfd, "models", "push", str(base), "me/base")
    assert code == 2
    assert "has no README.md to be its card" in err
    (base / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Mine\n")
    (base / "optimizer.pt").write_bytes(b"pickle")
    assert run(capfd, "models", "push", str(base), "me/base", "--public")[0] == 0
    assert not hub.repo("model", "me/base").private
    assert "optimizer.pt" not in hub.repo("model", "me/base").files()
    (base / "notes.txt").write_text(me)
    code, _, err = run(capfd, "models", "push", str(base), "me/base", "--public")
    assert (code, err) == (
        2, "repairai: notes.txt holds a token or a password; take it out of the file, and renew that token.\n"
    )  # fmt: skip
    (base / "notes.txt").unlink()


# ---- data


def test_built_data_go_and_come_back(hub: HubServer, me: str, capfd, home: Path):
    runs_to_share.built("lamps")
    assert run(capfd, "data", "push", "lamps", "me/lamps")[0] == 0
    assert hub.repo("dataset", "me/lamps").private
    code, out, _ = run(capfd, "data", "pull", "me/lamps")
    assert out.endswith("train on them with `train RECIPE --data me--lamps`\n")
    assert {each["name"] for each in as_json(capfd, "data", "list")} == {"lamps", "me--lamps"}
    ours, theirs = (home / "data" / "sop" / name / "train.jsonl" for name in ("lamps", "me--lamps"))
    assert ours.read_bytes() == theirs.read_bytes()
    hub.add_repo("dataset", "you/rows", {"rows.csv": "a,b"})
    run(capfd, "data", "pull", "you/rows")
    assert "you/rows, a data set from the Hub, " in run(capfd, "data", "list")[1]
    assert [each["name"] for each in as_json(capfd, "data", "list")] == ["lamps", "me--lamps", "you/rows"]
    assert "me/lamps is deleted: " in run(capfd, "data", "delete", "me--lamps")[1]
    assert as_json(capfd, "data", "delete", "you/rows")["deleted"] == "you/rows"
    assert run(capfd, "data", "delete", "you/row")[2].startswith("repairai: no data set named 'you/row' was pulled; ")
    assert [each["name"] for each in as_json(capfd, "data", "list")] == ["lamps"]


def test_photos_go_and_come_back_as_a_set(hub: HubServer, me: str, capfd, home: Path):
    runs_to_share.photos("bench")
    code, _, err = run(capfd, "photos", "push", "none", "me/bench")
    assert (code, "there are no photos named 'none'" in err) == (2, True)
    assert run(capfd, "photos", "push", "bench", "me/bench")[0] == 0
    code, out, err = run(capfd, "data", "pull", "me/bench", "--name", "again")
    assert code == 0, err
    found = {each["name"]: each for each in as_json(capfd, "photos", "list")}
    assert found["again"]["photos"] == found["bench"]["photos"]
    assert set(found["again"]["parts"]) == set(found["bench"]["parts"])
    assert found["again"]["sources"][0]["url"] == f"{hub.url}/datasets/me/bench"


def test_guides_come_into_the_library(hub: HubServer, capfd, tmp_path):
    guide = {
        "id": "lamp-1", "title": "Lamp battery", "device": "Desk lamp", "licence": "CC0-1.0", "url": "",
        "steps": [{"number": 1, "lines": [{"text": "Remove the two screws."}]}],
    }  # fmt: skip
    hub.add_repo("dataset", "you/guides", {"guides.jsonl": json.dumps(guide) + "\n", "README.md": "# Guides"})
    first = as_json(capfd, "guides", "import", "hub:you/guides")
    assert (first["added"], as_json(capfd, "guides", "import", "hub:you/guides@main")["unchanged"]) == (1, 1)
    assert "Desk lamp" in run(capfd, "guides", "show", first["ids"][0])[1]
    hub.add_repo("dataset", "you/none", {"README.md": "# Nothing"})
    code, _, err = run(capfd, "guides", "import", "hub:you/none")
    assert (code, "holds no guides" in err) == (2, True)
    assert run(capfd, "guides", "import", "hub:you/gone")[2].startswith("repairai: there is no data set you/gone")


# ---- bad input


def test_what_may_not_go_or_come_is_one_sentence(hub: HubServer, capfd, monkeypatch):
    runs_to_share.photos()
    runs_to_share.eyes()
    monkeypatch.setattr(sys, "stdin", io.StringIO(hub.add_user("me", write=False)))
    run(capfd, "hub", "login")
    hub.add_repo("model", "you/pickle", {"pytorch_model.bin": b"x"})
    hub.add_repo("model", "you/gated", {"model.safetensors": b"x", "config.json": "{}"})
    hub.repo("model", "you/gated").gated = "manual"
    for words, said in (
        (("models", "push", "eyes", "me/eyes"), "may read, but not write me/eyes"),
        (("models", "push", "eyes", "you/eyes"), "take a name of your own: me/eyes"),
        (("models", "push", "eyes", "eyes"), "is no name on the Hub"),
        (("models", "push", "none", "me/eyes"), "there is no run 'none'"),
        (("models", "pull", "you/pickle"), "a pickle, which can hold a program"),
        (("models", "pull", "you/gated"), "given only to those who asked"),
        (("models", "pull", "you/none"), "there is no model you/none"),
        (("models", "pull", "you/pickle", "--revision", "v2"), "has no revision 'v2'"),
        (("hub", "cancel", "x"), "there is no push 'x'"),
    ):
        code, out, err = run(capfd, *words)
        assert (code, out, err.count("\n")) == (2, "", 1), (words, out, err)
        assert said in err
    assert pushes.pushes() == ()
