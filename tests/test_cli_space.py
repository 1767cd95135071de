"""`space` on the command line."""

import io
import json
import sys
from pathlib import Path

import pytest

from repairai.cli import main
from repairai.hub.account import log_in


@pytest.fixture
def me(hub) -> str:
    log_in(hub.add_user("me"))
    return "me/inspector"


def test_a_folder_is_built_and_listed(tmp_path: Path, capsys):
    folder = tmp_path / "space"
    assert main(["space", "build", str(folder), "--guide", "sample-practice-block", "--title", "My bench"]) == 0
    said = capsys.readouterr().out
    assert "repairai/builtin/guides/practice-block.json" in said
    assert "phone-battery" not in said
    assert f"built in {folder}" in said
    assert "title: My bench" in (folder / "README.md").read_text()
    assert main(["space", "build", str(folder), "--json"]) == 2
    assert "holds something" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--guide", "sample-none"], "there is no guide 'sample-none'"),
        (["--detector", "none-such"], "there is no detector named none-such"),
        (["--torch"], "needs no GPU"),
        (["--judge", "dice"], "there is no judge of states named 'dice'"),
        (["--judge", "http://127.0.0.1:9/v1"], "is a server, which a Space does not have"),
        (["--judge", "nobody/there"], "nobody/there was not pulled; fetch it first: models pull nobody/there"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, capsys, words: list[str], said: str):
    try:
        code = main(["space", "build", str(tmp_path / "space"), *words])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "space").exists()


def test_a_dry_run_shows_files_and_header_and_asks_nobody(hub, capsys):
    """Nobody is logged in, and nothing is sent."""
    assert main(["space", "deploy", "me/inspector", "--dry-run", "--public", "--secret", "KEY"]) == 0
    said = capsys.readouterr().out
    assert "sdk_version: " in said
    assert "repairai/ui/inspector.py" in said
    assert "would go to me/inspector, public, on cpu-basic; nothing was sent" in said
    assert main(["space", "deploy", "me/inspector", "--dry-run", "--json", "--hardware", "zero-a10g"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["repo"], told["hardware"], told["visibility"]) == ("me/inspector", "zero-a10g", "private")
    assert {
        "path": "app.py",
        "bytes": (Path(__file__).parents[1] / "spaces" / "inspector" / "app.py").stat().st_size,
    } in told["files"]
    assert told["card"].startswith("---\ntitle: ")
    assert hub.log == []


def test_it_is_deployed_and_told_how_it_stands(hub, me: str, capsys, monkeypatch):
    monkeypatch.setenv("KEY", "of-this-machine")
    monkeypatch.setattr(sys, "stdin", io.StringIO("typed-by-hand\n"))
    assert main(["space", "deploy", me, "--hardware", "zero-a10g", "--secret", "KEY"]) == 0
    said = capsys.readouterr()
    assert f"made: {hub.url}/spaces/{me}" in said.out
    assert "private, on zero-a10g" in said.out
    assert "secrets that were set: KEY" in said.out
    assert "typed-by-hand" not in said.out + said.err
    assert hub.repo("space", me).space.secrets["KEY"]["value"] == "typed-by-hand"
    hub.repo("space", me).space.run_log[:] = ["hello"]
    assert main(["space", "status", me]) == 0
    said = capsys.readouterr().out
    assert "me/inspector: it runs (RUNNING)" in said
    assert "| hello" in said
    assert main(["space", "deploy", me, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["was_there"]
    assert main(["space", "status", me, "--json", "--log", "0"]) == 0
    assert json.loads(capsys.readouterr().out)["stage"] == "RUNNING"


def test_a_secret_is_typed_unseen_at_a_terminal(monkeypatch, hub, me: str, capsys):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "typed")
    assert main(["space", "deploy", me, "--hardware", "zero-a10g", "--secret", "KEY", "--secret", "OTHER"]) == 0
    assert asked == ["KEY: ", "OTHER: "]


def test_what_the_hub_refuses_is_one_sentence(hub, me: str, capsys):
    for words, said in (
        (["deploy", me], "only for accounts with PRO"),
        (["deploy", me, "--hardware", "zero-a10g", "--sleep", "10"], "goes to sleep when the Hub wants"),
        (["deploy", "you/inspector", "--hardware", "zero-a10g"], "you is neither me"),
        (["status", "me/none"], "there is no Space me/none"),
    ):
        assert main(["space", *words]) == 2
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1
