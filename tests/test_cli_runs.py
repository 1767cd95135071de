"""`train` and `runs` on the command line. Trainings are those of a stand-in, in real processes."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from repairai.cli import main
from repairai.commands.train import moment
from repairai.errors import RepairError
from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.runs import launch
from repairai.runs.folder import RunFolder, run_folders, runs_folder
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.process import is_alive
from repairai.runs.queue import put, queue_lock
from repairai.runs.state import read_run
from tests.runs import conftest
from tests.runs.conftest import STAND_IN, logs, until

made, recipe, _nothing_is_left_running = conftest.made, conftest.recipe, conftest._nothing_is_left_running
ROOT = Path(__file__).parents[1]


@pytest.fixture
def stands_in(monkeypatch: pytest.MonkeyPatch):
    """Lets `train` start the stand-in, with options."""

    def use(*options: object) -> None:
        command = [sys.executable, str(STAND_IN), "{run}", *map(str, options)]
        monkeypatch.setattr(launch, "trainer_command", lambda recipe: command)

    use("--steps", 5)
    return use


@pytest.fixture
def written(recipe: Recipe, tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(to_data(recipe)))
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> object:
    capsys.readouterr()
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


# ---- train


def test_train_follows_a_run_to_its_end(written, stands_in, capsys):
    stands_in("--steps", 5, "--says", 3000)
    assert main(["train", written]) == 0
    said = capsys.readouterr()
    assert "small is at work, also when this terminal is closed." in said.out
    assert said.out.count("x" * 1023) == 3
    assert "small is finished. Trained 5 steps. See what it has learned with" in said.out
    (folder,) = run_folders()
    assert yaml.safe_load(folder.recipe.read_text())["data"].endswith("data")


def test_train_answers_with_json_alone(written, stands_in, capsys):
    run = answer(capsys, "train", written, "--name", "Mine")
    assert (run["id"], run["state"], run["step"], run["last"]["step"]) == ("mine", "finished", 5, 5)
    stands_in("--fails-at", 2)
    assert answer(capsys, "train", written, code=1)["state"] == "failed"


def test_train_detached_and_behind_another(written, stands_in, capsys):
    stands_in("--steps", 3000)
    assert main(["train", written, "--detach"]) == 0
    assert "Look at it with `python -m repairai runs show small`" in capsys.readouterr().out
    assert main(["train", written]) == 0
    assert "small-2 is in the queue. It waits behind small." in capsys.readouterr().out
    until(lambda: read_run(run_folders()[0]).state in ("running", "queued"))
    until(lambda: (answer(capsys, "runs", "show", "small")["run"]["step"] or 0) > 1)
    assert main(["runs", "stop", "small"]) == 0
    until(lambda: answer(capsys, "runs", "show", "small-2")["run"]["state"] == "running", logs())
    assert main(["runs", "stop", "small-2"]) == 0
    until(lambda: answer(capsys, "runs", "show", "small-2")["run"]["state"] == "stopped", logs())


def test_train_at_a_time(written, stands_in, capsys):
    run = answer(capsys, "train", written, "--at", "03:00")
    then = datetime.fromtimestamp(run["not_before"])
    assert (run["state"], then.hour, then.minute) == ("queued", 3, 0)
    assert timedelta(0) < then - datetime.now() <= timedelta(days=1, hours=1)
    assert main(["runs", "queue"]) == 0
    assert "1. small, not before" in capsys.readouterr().out
    assert answer(capsys, "runs", "queue", "--unqueue", "small") == []


def test_train_into_the_queue(written, stands_in, capsys):
    assert main(["train", written, "--queue"]) == 0
    assert "small is in the queue." in capsys.readouterr().out
    until(lambda: answer(capsys, "runs", "show", "small")["run"]["state"] == "finished", logs())


def test_train_tries_values_and_says_how_to_compare(written, stands_in, capsys):
    assert main(["train", written, "--name", "Mine", "--try", "learning_rate=1e-4,2e-4", "--try", "rank=8,oops"]) == 2
    assert run_folders() == []
    assert main(["train", written, "--name", "Mine", "--try", "learning_rate=1e-4,2e-4"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2 runs are in the queue:\n  mine-learning_rate-1e-4\n  mine-learning_rate-2e-4\n")
    assert "`python -m repairai runs compare mine-learning_rate-1e-4 mine-learning_rate-2e-4`" in said
    until(lambda: all(run["state"] == "finished" for run in answer(capsys, "runs", "list", "--tag", "mine")), logs())
    found = answer(capsys, "train", written, "--name", "x", "--try", "seed=1", "--at", "03:00")
    assert (found["runs"][0]["id"], found["runs"][0]["state"]) == ("x-seed-1", "queued")
    assert answer(capsys, "runs", "queue", "--unqueue", "x-seed-1") == []


def test_train_prints_the_schema_of_recipes(capsys):
    assert main(["train", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$defs"]["Recipe"]["required"][:2] == ["task", "step"]
    assert main(["train"]) == 2
    assert "no recipe is given; make one with `python -m repairai plan --save" in capsys.readouterr().err


def test_a_run_is_started_again(written, stands_in, capsys):
    assert main(["train", written]) == 0
    capsys.readouterr()
    assert main(["runs", "again", "small"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Its data and all packages are as they were.\nsmall-2 is ")
    until(lambda: answer(capsys, "runs", "show", "small-2")["run"]["state"] == "finished", logs())
    found = answer(capsys, "runs", "again", "small", "--name", "night", "--at", "03:00")
    assert (found["id"], found["state"], found["again"], found["changed"]) == ("night", "queued", "small", [])
    assert answer(capsys, "runs", "queue", "--unqueue", "night") == []


def test_times():
    now = datetime(2026, 3, 1, 12, 0).astimezone()
    assert moment("13:30", now) == datetime(2026, 3, 1, 13, 30).astimezone()
    assert moment("11:30", now) == datetime(2026, 3, 2, 11, 30).astimezone()
    assert moment("2026-03-05T01:00", now) == datetime(2026, 3, 5, 1, 0).astimezone()
    for text, said in (
        ("25:00", "is no time"),
        ("soon", "is no time"),
        ("2026-02-28", "is over"),
        ("12:00:99", "no time"),
    ):
        with pytest.raises(RepairError, match=said):
            moment(text, now)


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ({}, ["--name", "../x"], "leads elsewhere"),
        ({}, ["--data", "nowhere"], "there is no folder of data"),
        ({}, ["--at", "noon"], "is no time"),
        ({}, ["--backend", "magic"], "invalid choice: 'magic'"),
        ({"epoch": 2}, [], "did you mean 'epochs'"),
        ({"version": 99}, [], "version 99"),
        ({"task": "judge"}, [], "there are no states at"),
        ({"data": ""}, [], "names no data, and none were built yet"),
    ],
)
def test_bad_input_is_one_sentence_and_makes_nothing(written, stands_in, capsys, change, words, said):
    data = yaml.safe_load(Path(written).read_text())
    Path(written).write_text(yaml.safe_dump({**data, **change}))
    assert main(["train", written, *words]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""
    assert not run_folders()


def test_no_recipe(capsys):
    assert main(["train", "nowhere.yaml"]) == 2
    assert "nowhere.yaml does not exist" in capsys.readouterr().err


def in_terminal(written: str, *options: str) -> tuple[int, int]:
    """Start `train` in a terminal of its own; return its process and the terminal."""
    code = f"""
import sys
from repairai.runs import launch
launch.trainer_command = lambda recipe: [sys.executable, {str(STAND_IN)!r}, "{{run}}", *{list(options)!r}]
from repairai.cli import main
sys.exit(main(["train", {written!r}]))
"""
    process, terminal = pty.fork()
    if process == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background has it ignored, and hands that on
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", code])
    return process, terminal


def read_until(terminal: int, words: str) -> str:
    said = ""
    while words not in said:
        piece = os.read(terminal, 4096)
        assert piece, said
        said += piece.decode()
    return said


def left(process: int, terminal: int) -> int:
    """The exit code of a command whose last words are read, too."""
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:  # the terminal is gone with it
        pass
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_ctrl_c_asks_for_a_stop(written):
    process, terminal = in_terminal(written, "--steps", "3000")
    shown = read_until(terminal, "tokens/s")
    assert "step" in shown
    assert "loss" in shown
    os.write(terminal, b"\x03")
    read_until(terminal, "Ctrl+C once more leaves it at work")
    said = read_until(terminal, "small is stopped")
    assert left(process, terminal) == 1, said
    run = read_run(run_folders()[0])
    assert (run.state, run.checkpoint_step) == ("stopped", run.step)


def test_ctrl_c_twice_leaves_it_at_work(written):
    process, terminal = in_terminal(written, "--loading", "60", "--steps", "3")
    read_until(terminal, "loading the model")
    (folder,) = run_folders()
    trainer = json.loads(folder.process.read_text())["pid"]
    os.kill(trainer, signal.SIGSTOP)  # it does not hear
    os.write(terminal, b"\x03")
    read_until(terminal, "Ctrl+C once more")
    os.write(terminal, b"\x03")
    read_until(terminal, "small is left at work; look at it with `python -m repairai runs show small`")
    assert left(process, terminal) == 1
    assert read_run(folder).state == "running"
    os.kill(trainer, signal.SIGCONT)
    until(lambda: read_run(folder).state == "stopped")


def test_a_closed_terminal_ends_nothing(written):
    process, terminal = in_terminal(written, "--steps", "60")
    read_until(terminal, "tokens/s")
    os.close(terminal)  # the kernel tells all that hangs on it to end
    os.waitpid(process, 0)
    (folder,) = run_folders()
    assert read_run(folder).state == "running"
    until(lambda: read_run(folder).state == "finished", logs())


# ---- runs


@pytest.fixture
def finished(made, capsys) -> RunFolder:
    folder = made("first", steps=9)
    launch.launch(folder)
    until(lambda: read_run(folder).state == "finished" and not is_alive(folder), logs())
    return folder


def test_runs_show(finished, capsys):
    assert main(["runs", "show", "first"]) == 0
    said = capsys.readouterr().out
    for words in (
        "first  finished", f"stand_in.py {finished.path} --steps 9", "100 tokens/s",
        "lowest loss on the validation data 0.125 at step 8",
        "checkpoint of step 4", "checkpoint of step 8", ", the best", "Trained 9 steps.",
    ):  # fmt: skip
        assert words in said
    data = answer(capsys, "runs", "show", "first")
    assert data["run"]["state"] == "finished"
    assert data["why"]["said"] == "Trained 9 steps."
    assert [each["step"] for each in data["checkpoints"]] == [4, 8]
    assert data["command"].endswith("--steps 9")
    assert data["scores"] is None
    finished.scores.write_text("{")
    assert main(["runs", "show", "first"]) == 0
    assert "exam        scores.json is not JSON" in capsys.readouterr().out


def test_runs_list_and_log(finished, capsys):
    assert main(["runs", "list"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("first ")
    assert "finished" in line
    assert "step 9 of 9" in line
    (run,) = answer(capsys, "runs", "list")
    assert (run["id"], run["kind"]) == ("first", "train")
    finished.log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert main(["runs", "log", "first", "--lines", "3"]) == 0
    assert capsys.readouterr().out == "line 97\nline 98\nline 99\n"
    assert answer(capsys, "runs", "log", "first", "--lines", "1")["lines"] == ["line 99"]
    finished.log.unlink()
    assert main(["runs", "log", "first"]) == 0
    assert "started in a terminal" in capsys.readouterr().out


def test_runs_without_any(capsys):
    assert answer(capsys, "runs", "list") == []
    assert answer(capsys, "runs", "queue") == []
    assert main(["runs", "list"]) == 0
    assert "there are no runs yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "frist"], "did you mean 'first'"),
        (["show", "../first"], "there is no run '../first'"),
        (["stop", "first"], "first is not at work: it is finished"),
        (["pause", "first"], "not at work"),
        (["save", "first"], "not at work"),
        (["eval", "first"], "not at work"),
        (["kill", "first"], "not at work"),
        (["resume", "first"], "first is finished"),
        (["compare", "first"], "1 runs were given to compare"),
        (["queue", "--move", "first", "2"], "does not wait in the queue"),
        (["queue", "--move", "first", "x"], "is no place in the queue"),
        (["queue", "--unqueue", "first"], "does not wait in the queue"),
    ],
)
def test_runs_refuses_in_one_sentence(finished, capsys, words, said):
    assert main(["runs", *words]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert len(told.err.splitlines()) == 1


def test_runs_steers_and_explains(made, capsys):
    folder = made("first", steps=3000, every=1000)
    launch.launch(folder)
    until(lambda: (read_run(folder).step or 0) > 1)
    assert main(["runs", "save", "first"]) == 0
    assert "it makes a checkpoint at its next step" in capsys.readouterr().out
    until(lambda: len(answer(capsys, "runs", "checkpoints", "first")) == 1)
    assert answer(capsys, "runs", "pause", "first")["asked"] in ("pause", "")
    until(lambda: read_run(folder).state == "paused")
    assert main(["runs", "why", "first"]) == 0
    assert "It was paused at" in capsys.readouterr().out
    assert answer(capsys, "runs", "why", "first")["mend"].startswith("Resume it")
    assert answer(capsys, "runs", "resume", "first")["state"] in ("starting", "running")
    paused_at = read_run(folder).checkpoint_step
    until(lambda: (read_run(folder).step or 0) > paused_at + 1)
    assert main(["runs", "stop", "first"]) == 0
    assert main(["runs", "log", "first", "--follow"]) == 0
    assert read_run(folder).state == "stopped"
    assert main(["runs", "delete", "first"]) == 0
    assert os.listdir(runs_folder()) in ([".queue.lock"], [])


def test_runs_kill(made, capsys):
    folder = made("first", loading=60)
    launch.launch(folder)
    until(lambda: read_run(folder).phase == "loading the model")
    os.kill(json.loads(folder.process.read_text())["pid"], signal.SIGSTOP)
    assert main(["runs", "kill", "first"]) == 2
    assert "was not asked to stop yet" in capsys.readouterr().err
    assert main(["runs", "stop", "first"]) == 0
    assert main(["runs", "kill", "first"]) == 0
    assert answer(capsys, "runs", "show", "first")["run"]["state"] == "interrupted"


def test_runs_compare(finished, made, capsys):
    made("second")
    assert main(["runs", "compare", "first", "second"]) == 0
    table = capsys.readouterr().out
    assert "lowest validation loss  0.125" in table
    data = answer(capsys, "runs", "compare", "first", "second")
    assert data["curves"]["first"]["eval_loss"] == [[4, 0.25], [8, 0.125]]
    assert data["differences"] == []


def test_runs_evaluate(finished, made, capsys, monkeypatch):
    other = made("busy", steps=3000)
    launch.launch(other)
    run = answer(capsys, "runs", "evaluate", "first", "--limit", "7", "--detach")
    assert (run["id"], run["kind"], run["state"], run["parent"]) == ("first-eval", "evaluate", "queued", "first")
    assert run["command"][1:3] == ["-m", "training.sop_eval"]
    assert yaml.safe_load((runs_folder() / "first-eval" / "order.yaml").read_text())["limit"] == 7
    assert main(["runs", "delete", "first"]) == 2
    assert "first-eval evaluates first" in capsys.readouterr().err
    assert main(["runs", "evaluate", "busy"]) == 2
    assert "has made no model yet" in capsys.readouterr().err


def test_every_command_sees_to_the_queue(made, capsys):
    """Nobody is there to start what waits: the machine was switched off."""
    folder = made("first", steps=2)
    with queue_lock():
        put(folder)
    assert answer(capsys, "runs", "list")[0]["state"] == "queued"
    until(lambda: read_run(folder).state == "finished", logs())


def test_it_is_said_quickly():
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "repairai", "runs", "list"], cwd=ROOT, check=True, capture_output=True)
    assert time.perf_counter() - began < 5


# ---- noting and finding


def test_runs_are_tagged_starred_found_and_sorted(made, capsys):
    for name, loss in (("lamps", 0.9), ("fans", 0.3), ("new", None)):
        folder = made(name)
        if loss is not None:
            add_metric(folder.metrics, Metric(3, time.time(), loss=2.0, eval_loss=loss))
    assert answer(capsys, "runs", "tag", "lamps", "#Shop", "shop", "v2", "--note", " the  first ", "--star") == {
        "id": "lamps", "tags": ["shop", "v2"], "star": True, "note": "the first"}  # fmt: skip
    assert answer(capsys, "runs", "tag", "fans", "shop")["tags"] == ["shop"]
    assert answer(capsys, "runs", "tag", "lamps", "--remove", "V2")["tags"] == ["shop"]

    def ids(*words: str) -> list[str]:
        return [run["id"] for run in answer(capsys, "runs", "list", *words)]

    assert ids("--tag", "shop", "--sort", "loss") == ["fans", "lamps"]
    assert ids("--sort", "loss") == ["fans", "lamps", "new"]
    assert ids("--search", "first") == ["lamps"]
    assert ids("--search", "#shop fan") == ["fans"]
    assert ids("--search", "none of that") == []
    assert main(["runs", "list", "--tag", "gone"]) == 0
    assert main(["runs", "list", "--search", "*"]) == 0
    assert main(["runs", "tag", "fans", "--remove", "shop"]) == 0
    assert main(["runs", "show", "lamps"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("none of 3 runs fits\nlamps ")
    assert " * #shop\n" in said
    assert "fans  nothing is noted on it\n" in said
    assert "marks       * #shop\nnote        the first\n" in said
    assert main(["runs", "tag", "lamps", "a/b"]) == 2
    assert "'a/b' is no tag" in capsys.readouterr().err
