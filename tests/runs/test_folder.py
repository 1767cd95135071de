"""A run's folder: its name, and that it is made whole or not at all."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.errors import RepairError
from repairai.runs.folder import command_of, new_run, run_folder, run_folders, runs_folder, slug_of

COMMAND = ["python", "-m", "training.sop_train", "{run}"]


def test_a_run_writes_down_what_it_is():
    folder = new_run("My first run!", "train", COMMAND, text="task: sop\nstep: {model: a/b}\nbackend: trl\n")
    assert folder.id == "my-first-run"
    assert folder.path.parent == runs_folder()
    about = json.loads(folder.about.read_text())
    assert about["about"] == {"task": "sop", "model": "a/b", "method": "qlora", "backend": "trl", "data": ""}
    assert about["packages"]["transformers"]
    assert command_of(folder) == ["python", "-m", "training.sop_train", str(folder.path)]
    assert sorted(os.listdir(folder.path)) == ["recipe.yaml", "run.json"]
    assert os.listdir(runs_folder()) == ["my-first-run"], "nothing half-made stays behind"
    other = new_run("x", "evaluate", COMMAND, text="run: my-first-run\n", parent=folder.id)
    assert other.order.read_text() == "run: my-first-run\n"
    assert not other.recipe.exists()


def test_names_are_counted_also_by_several_at_once():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_run("try", "train", COMMAND, text="").id, range(16)))
    assert sorted(made) == sorted(["try", *(f"try-{number}" for number in range(2, 17))])
    assert all(json.loads(folder.about.read_text())["id"] == folder.id for folder in run_folders())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x", "leads elsewhere"),
        ("a/b", "leads elsewhere"),
        ("a\\b", "leads elsewhere"),
        ("..", "leads elsewhere"),
        ("", "no name for a run"),
        (" . ", "no name for a run"),
        ("\u2044", "no name for a run"),
        ("n" * 65, "64 letters at most"),
        ("\U00010400" * 60, "64 letters at most"),
    ],
)
def test_other_names_are_refused(name: str, said: str):
    with pytest.raises(RepairError, match=said):
        new_run(name, "train", COMMAND, text="")
    assert not run_folders()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Llama 3.2 1B (QLoRA)", "llama-3.2-1b-qlora"),
        ("CON", "run-con"),
        ("nul.txt", "run-nul.txt"),
        ("Prüfung", "prüfung"),
    ],
)
def test_slugs(name: str, slug: str):
    assert slug_of(name) == slug


@given(st.text(max_size=100))
def test_an_id_is_one_folder_in_the_folder_of_runs(name: str):
    try:
        slug = slug_of(name)
    except RepairError:
        return
    assert (runs_folder() / slug).parent == runs_folder()
    assert slug not in ("", ".", "..")
    assert slug[0] not in ".-"
    assert not {"/", "\\", "\0", ":", "\n"} & set(slug)
    assert len(slug.encode()) <= 210


def test_an_unknown_run_is_told_with_the_nearest():
    new_run("phones-qlora", "train", COMMAND, text="")
    assert run_folder("phones-qlora").id == "phones-qlora"
    with pytest.raises(RepairError, match="did you mean 'phones-qlora'"):
        run_folder("phone-qlora")
    for elsewhere in ("../x", "..", ".", "", "phones-qlora/../phones-qlora", ".queue.lock"):
        with pytest.raises(RepairError, match="there is no run"):
            run_folder(elsewhere)


def test_without_runs_it_says_how_to_start_one():
    with pytest.raises(RepairError, match="repairai train"):
        run_folder("x")


def test_what_was_left_half_made_is_swept_away():
    runs_folder().mkdir(parents=True)
    left = [runs_folder() / ".new-left", runs_folder() / ".deleted-left", runs_folder() / ".new-now"]
    for path in left:
        path.mkdir()
    for path in left[:2]:
        os.utime(path, (0, 0))
    new_run("x", "train", COMMAND, text="")
    assert [path.exists() for path in left] == [False, False, True]
    assert [folder.id for folder in run_folders()] == ["x"]


def test_importing_runs_is_light():
    modules = "checkpoints, compare, folder, forecast, journal, launch, metrics, queue, state, why, words"
    code = f"import sys; from repairai.runs import {modules}; \
print([m for m in ('torch', 'transformers', 'gradio', 'numpy', 'PIL', 'datasets') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
