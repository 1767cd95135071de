"""The three cards of the Train tab, without a browser: data are built in a process, recipes checked, runs foreseen."""

import json
import sys
import time
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.files import home
from repairai.named_sets import DATA_SETS
from repairai.runs.folder import new_run
from repairai.sop.guides import import_guides
from repairai.sop.library import Library
from repairai.ui.data_build import Builder, built, built_in, samples
from repairai.ui.data_card import DEVICES, FILES, HUB, LIBRARY, look_at, sources
from repairai.ui.deletion import DATA, doomed
from repairai.ui.foreseen import foresee, steps_of
from repairai.ui.photos import scripted
from repairai.ui.photos.scripted import Progress
from repairai.ui.recipe_card import check
from repairai.ui.recipe_sheet import setter, taken, used, with_data
from repairai.ui.recipe_text import parsed, ready_recipes
from repairai.ui.start_card import AT, NOW, QUEUE, begun, command, forecast, usual_name
from tests.ui.guides import write_guides
from tests.ui.test_train_render import REPORT

SHORT = "task: sop\nstep: {model: meta-llama/Llama-3.2-1B, length_tokens: 512}\nepochs: 2\nlearning_rate: 0.001\n"
SKIP = {"__type__": "update"}


def ends(builder: Builder) -> Progress:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = builder.progress()
        assert found is not None
        if found.ended:
            return found
        time.sleep(0.1)
    raise AssertionError("the build does not end")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library()
    import_guides(str(write_guides(tmp_path / "guides.jsonl")), library, lambda *_: None)
    return library


@pytest.fixture
def data(library: Library) -> Path:
    builder = Builder()
    builder.build("mine", ["library"])
    found = ends(builder)
    assert not found.fault
    builder.forget()
    assert builder.progress() is None
    return home() / "data" / "sop" / "mine"


def test_data_are_built_listed_and_looked_at(data: Path):
    (one,) = built()
    assert one.folder == data
    assert one.said.startswith("mine · ")
    assert one.train_examples > 20
    found = samples(data, "")
    assert any(span["trained"] for span in found[0]["spans"])
    shown, *buttons = look_at(str(data), "", 0)
    assert "turn by turn" in shown
    assert all(each.visible for each in buttons)
    assert DATA_SETS.name_of_new("") == "guides"
    with pytest.raises(RepairError, match="named mine already"):
        DATA_SETS.name_of_new("mine")


def test_an_example_of_a_model_that_is_not_there_is_shown_without_it(data: Path):
    text = SHORT.replace("meta-llama/Llama-3.2-1B", "/nowhere/at/all")
    shown, *_ = look_at(str(data), text, 0)
    assert "That did not work" in shown
    assert "turn by turn" in shown


def test_a_build_that_fails_says_why(library: Library, tmp_path: Path):
    (tmp_path / "empty.csv").write_text("")
    builder = Builder()
    builder.build("bad", [str(tmp_path / "empty.csv")])
    found = ends(builder)
    assert "empty.csv" in found.fault
    assert built() == []


def test_one_build_at_a_time_and_it_can_be_stopped(library: Library):
    builder = Builder()
    builder.build("one", ["library"])
    with pytest.raises(RepairError, match="something else is going on: Building one"):
        builder.build("two", ["library"])
    assert not builder.progress().cancelled
    builder.stop()
    found = ends(builder)
    assert (found.cancelled, found.fault) == (True, "")
    assert not list((home() / "data").glob("sop/*"))
    builder.build("two", ["library"])
    assert not builder.progress().cancelled
    builder.stop()
    ends(builder)


def test_a_build_that_does_not_hear_is_ended_and_cleared(monkeypatch: pytest.MonkeyPatch):
    half = home() / "data" / "sop" / ".deaf.0123abcd"
    half.mkdir(parents=True)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    monkeypatch.setattr(scripted, "script", lambda *_: [sys.executable, "-c", deaf])
    monkeypatch.setattr(scripted, "END_SECONDS", 0.2)
    builder = Builder()
    builder.build("deaf", [])
    while not (builder._place / "log").read_text():
        time.sleep(0.05)
    builder.stop()
    assert ends(builder).cancelled
    end = time.monotonic() + 5
    while half.exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_deleting_data_tells_what_would_be_lost(data: Path):
    assert doomed(DATA, str(data)).startswith('<p class="doomed">Delete the data mine: ')
    new_run("lamps", "train", ["python"], text=SHORT + f"data: {data}\n")
    assert "Without them cannot go on: lamps." in doomed(DATA, str(data))
    with pytest.raises(RepairError, match="no data named"):
        doomed(DATA, "/nowhere/gone")


def test_damaged_data_are_left_out(tmp_path: Path):
    place = home() / "data" / "sop" / "odd"
    place.mkdir(parents=True)
    for content in ("{", "[]", "{}", '{"examples": 3}'):
        (place / "report.json").write_text(content)
        assert built_in(place) is None
    assert built() == []


def test_sources_become_words_for_the_script(library: Library):
    assert sources(library, LIBRARY, "", [], "") == ["library"]
    found = sources(library, DEVICES, "Lamp 1", [], "")
    assert found[-1] == "library"
    assert "--device=Lamp 1" in found
    assert sources(library, FILES, "", ["/a b.json"], "") == ["/a b.json"]
    assert sources(library, HUB, "", [], "hub:owner/name ") == ["hub:owner/name"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((DEVICES, " ", [], ""), "no device is named"),
        ((DEVICES, "zebra", [], ""), "no device in the library has 'zebra'"),
        ((FILES, "", [], ""), "no file was given"),
        ((HUB, "", [], ""), "no dataset is named"),
    ],
)
def test_a_source_that_is_missing_is_told(library: Library, given: tuple, said: str):
    with pytest.raises(RepairError, match=said):
        sources(library, *given)


# ---- recipes


def test_a_recipe_is_checked_and_fills_the_form():
    said, side, *fields = check(SHORT, 2.0, 0.001, 1, 1024, 16, 3, "trl")
    assert "LoRA of Llama-3.2-1B" in said.replace("QLoRA", "LoRA")
    assert side.visible
    assert fields[3] == 512
    assert [each for at, each in enumerate(fields) if at != 3] == [SKIP] * 6, "what is right is left alone"


def test_what_is_wrong_with_a_recipe_stands_beside_it():
    said, side, *fields = check(SHORT.replace("epochs: 2", "epoch: 2\nrnk: 3"), *[None] * 7)
    assert "3 things to mend" in said
    assert side == SKIP
    assert fields == [SKIP] * 7
    assert "No recipe yet" in check("", *[None] * 7)[0]


def test_a_ready_recipe_is_taken_with_the_chosen_data(tmp_path: Path):
    text, _ = taken(str(ready_recipes()[0].path), "/my data", "")
    assert parsed(text).data == "/my data"
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"\xff\xfe\xff")
    text, said = taken(str(bad), None, SHORT)
    assert text == SKIP, "what was there is not lost"
    assert "not UTF-8" in said
    assert taken(None, None, SHORT)[0] == SHORT
    assert with_data("a: [", "/data") == "a: ["


def test_nothing_that_was_not_planned_is_used():
    with pytest.raises(RepairError, match="nothing is planned"):
        used(None, 1, None)


# ---- the start


def test_what_a_run_takes_is_foreseen(data: Path):
    recipe = parsed(with_data(SHORT, str(data)))
    found = foresee(recipe, json.loads((data / "report.json").read_text()), at_once=True)
    assert found.faults == ()
    assert found.steps
    assert found.held_gib is None
    assert "Disk" in forecast(SHORT, str(data), at_once=True)
    assert forecast("", None) == ""


def test_what_is_missing_is_told_before_the_start():
    found = foresee(parsed(with_data(SHORT, "/nowhere")), None, at_once=True)
    assert "there is no folder of data at /nowhere" in found.faults[0]


def test_steps_are_counted_as_the_trainer_makes_them():
    recipe = parsed(SHORT.replace("epochs: 2", "epochs: 2\npacking: false"))
    assert steps_of(recipe, REPORT) == 62
    packed = steps_of(parsed(SHORT), REPORT)
    assert packed is not None
    assert 20 < packed < 50
    assert steps_of(parsed(SHORT + "max_steps: 7\n"), REPORT) == 7
    assert steps_of(parsed(SHORT), None) is None


def test_the_command_starts_the_same_run_in_a_terminal():
    shown, path = command(SHORT, "My lamps", NOW, "", "")
    assert shown.value == f"python -m repairai train {path} --name my-lamps --detach"
    assert Path(path).read_text() == SHORT
    assert "--queue" in command(SHORT, "My lamps", QUEUE, "", path)[0].value
    assert "--at 23:15" in command(SHORT, "My lamps", AT, "23:15", path)[0].value
    assert not command("a: [", "x", NOW, "", "")[0].visible
    assert usual_name(SHORT) == "Llama-3.2-1B-qlora"


def test_a_sweep_is_started_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("repairai.runs.launch.wake", lambda: False)
    monkeypatch.setattr("repairai.runs.sweep.ready", lambda recipe: recipe)
    monkeypatch.setattr("repairai.runs.launch.ready", lambda recipe: recipe)
    folder, said = begun(SHORT, "Mine", NOW, "", "learning_rate=1e-4,2e-4 rank=8,16")
    assert folder.id == "mine-learning_rate-1e-4-rank-8"
    assert said == "4 runs are in the queue; find them with #mine, and compare them below."
    with pytest.raises(RepairError, match="'oops' is nothing to try"):
        begun(SHORT, "Mine", NOW, "", "oops")
    shown, path = command(SHORT, "Mine", NOW, "", "", "rank=8,16")
    assert shown.value.endswith(f"train {path} --name mine --try rank=8,16")


def test_a_field_of_the_form_that_holds_nothing_leaves_its_setting_out_or_alone():
    text = "task: detector\nstep: {}\nepochs: 4.0\nmax_steps: 30\n"
    steps, epochs = setter("max_steps", ("max_steps",), ("max_steps",)), setter("epochs", ())
    assert "max_steps: 40" in steps(text, 40.0)
    assert "max_steps: null" in steps(text, 0)
    assert not isinstance(epochs(text, None), str)
    assert not isinstance(steps("epochs: 4.0\n", None), str), "it is no recipe"
    assert "epochs: 5" in epochs(text, 5)
