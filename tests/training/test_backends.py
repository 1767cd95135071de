"""Environments of their own: made whole or not at all, anew when their list changes; and unsloth trains in its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from repairai.errors import RepairError
from repairai.hardware.recipe import Recipe, saved
from repairai.hardware.workload import Workload
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.journal import Asked, Journal
from repairai.runs.state import read_run
from tests.training.environments import ROOT, made
from tests.training.tiny import save_tiny, write_data
from training import in_environment
from training.in_environment import command, environment, interpreter, is_made, make, read_list, settings

SLOW_BUILD = "import time; time.sleep(60)"


def wheel(folder: Path, name: str, version: str, requires: str = "") -> Path:
    """A package of one module that knows its version."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", f"version = {version!r}\n")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        file.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture
def lists(tmp_path, monkeypatch) -> Path:
    """Lists of the test's own, of packages that lie on the disk; no index is asked."""
    folder = tmp_path / "lists"
    folder.mkdir()
    monkeypatch.setattr(in_environment, "LISTS", folder)
    monkeypatch.setitem(in_environment.TRIED, "unsloth", "import tiny_backend")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    wheel(folder, "tiny_backend", "1.0", "Requires-Dist: nowhere-to-be-found\n")
    wheel(folder, "tiny_other", "2.0")
    (folder / "unsloth.txt").write_text("tiny_other  # why\n# nothing\n\n--no-deps\ntiny_backend==1.0\n")
    return folder


def said_by(place: Path, code: str) -> str:
    return subprocess.run([interpreter(place), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_list_says_what_is_installed_with_and_without_what_it_asks_for(lists):
    assert read_list("unsloth") == (["tiny_other"], ["tiny_backend==1.0"])
    with pytest.raises(RepairError, match="no backend 'unslot' with an environment; take unsloth or axolotl"):
        read_list("unslot")


def test_our_own_lists_bring_no_torch():
    for backend in ("unsloth", "axolotl"):
        names = {line.split("=")[0].split(">")[0].strip() for part in read_list(backend) for line in part}
        assert backend in names
        assert not names & {"torch", "torchvision", "torchaudio", "xformers"}


def test_an_environment_is_made_once_holds_what_differs_and_sees_the_rest(lists, capfd):
    assert not is_made("unsloth")
    place = make("unsloth")
    assert is_made("unsloth")
    assert "Successfully installed" in capfd.readouterr().out
    assert (
        said_by(place, "import tiny_backend, tiny_other; print(tiny_backend.version, tiny_other.version)") == "1.0 2.0"
    )
    assert said_by(place, "import torch, repairai; print(torch.__version__)") == torch.__version__
    assert said_by(place, "import sys; print(sys.prefix)") == str(place)
    before = (place / "made.json").stat().st_mtime_ns
    make("unsloth")
    assert (place / "made.json").stat().st_mtime_ns == before, "it was made twice"

    wheel(lists, "tiny_backend", "1.1")
    (lists / "unsloth.txt").write_text("tiny_other\n--no-deps\ntiny_backend==1.1\n")
    assert not is_made("unsloth"), "its list has changed"
    assert said_by(make("unsloth"), "import tiny_backend; print(tiny_backend.version)") == "1.1"
    assert sorted(path.name for path in place.parent.iterdir()) == [".unsloth.lock", "unsloth"]


def test_another_torch_makes_it_anew(lists, monkeypatch):
    (environment("unsloth") / "bin").mkdir(parents=True)
    interpreter(environment("unsloth")).symlink_to(sys.executable)
    (environment("unsloth") / "made.json").write_text(json.dumps(in_environment._made_of("unsloth")))
    assert is_made("unsloth")
    monkeypatch.setattr(in_environment, "version", lambda name: "9.9.9")
    assert not is_made("unsloth")


def test_a_package_that_is_not_found_is_one_sentence_and_nothing_stays(lists):
    (lists / "unsloth.txt").write_text("--no-deps\ntiny_backend==7.0\n")
    with pytest.raises(RepairError, match="cannot be made: ERROR: No matching distribution .* go online"):
        make("unsloth")
    assert [path.name for path in environment("unsloth").parent.iterdir()] == [".unsloth.lock"]


def test_a_backend_that_cannot_be_imported_is_not_taken_for_whole(lists, monkeypatch):
    monkeypatch.setitem(in_environment.TRIED, "unsloth", "import tiny_backend; raise SystemExit('no such driver')")
    with pytest.raises(RepairError, match="no such driver; see the log; RepairAI's own trainer, trl, works without it"):
        make("unsloth")
    assert not environment("unsloth").exists()


def test_a_stop_that_is_asked_meanwhile_is_heard(lists, monkeypatch):
    monkeypatch.setitem(in_environment.TRIED, "unsloth", SLOW_BUILD)
    folder = new_run("a", "train", command("unsloth"), text="task: sop\n")

    def ask() -> None:
        while json.loads(folder.heartbeat.read_text() or "{}")["phase"] != "making the environment":
            time.sleep(0.05)
        folder.control.mkdir(exist_ok=True)
        (folder.control / "stop").touch()

    def make_watched() -> None:
        with Journal(folder) as journal:
            threading.Thread(target=ask, daemon=True).start()
            make("unsloth", journal)

    began = time.monotonic()
    with pytest.raises(Asked):
        make_watched()
    assert time.monotonic() - began < 30
    assert json.loads(folder.exit.read_text())["state"] == "stopped"
    assert [path.name for path in environment("unsloth").parent.iterdir()] == [".unsloth.lock"]


def test_one_that_was_killed_in_the_making_is_made_anew(lists, monkeypatch, home):
    code = (
        "from pathlib import Path\nfrom training import in_environment as it\n"
        f"it.LISTS = Path({str(lists)!r})\nit.TRIED['unsloth'] = {SLOW_BUILD!r}\nit.make('unsloth')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, start_new_session=True)
    beside = environment("unsloth").with_name(".unsloth-in-the-making")
    wait_for(lambda: list(beside.rglob("tiny_backend.py")))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert beside.is_dir()
    assert not is_made("unsloth")
    assert said_by(make("unsloth"), "import tiny_backend; print(tiny_backend.version)") == "1.0"
    assert not beside.exists()


def test_a_full_disk_is_told_before_anything_is_fetched(lists, monkeypatch):
    monkeypatch.setattr(in_environment, "NEEDED_BYTES", 2**60)
    with pytest.raises(RepairError, match="an environment needs .* GiB free on the disk"):
        make("unsloth")


def test_what_is_no_recipe_makes_no_environment(tmp_path, capsys):
    assert in_environment.main(["unsloth", str(tmp_path / "gone.yaml")]) == 2
    assert "gone.yaml does not exist" in capsys.readouterr().err
    assert not environment("unsloth").exists()


def test_no_code_of_the_main_environment_imports_a_backend():
    own = {"unsloth_train.py": "unsloth", "axolotl_plugin.py": "axolotl", "axolotl_check.py": "axolotl",
           "axolotl_train.py": "axolotl"}  # fmt: skip
    for path in [*(ROOT / "training").rglob("*.py"), *(ROOT / "repairai").rglob("*.py")]:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        imported = {word for line in lines if line.startswith(("import ", "from ")) for word in line.split()[1:2]}
        found = {name.split(".")[0] for name in imported} & {"unsloth", "unsloth_zoo", "axolotl"}
        assert found <= {own.get(path.name)}, path
        others = {f"training.{name.removesuffix('.py')}" for name in own} & imported
        assert not others or path.name in own, path


# ---- unsloth


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that writes down whoever wants to go out."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    asked, _ = server.accept()
                except OSError:
                    return
                with asked:
                    heard.append(asked.recv(200))

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard


def tiny_run(tmp_path: Path, method: str, **changes: object) -> RunFolder:
    base, data = save_tiny(tmp_path / "base"), write_data(tmp_path / "data")
    step = Workload(
        str(base), method=method, batch=2, length_tokens=256, checkpointing=False, adapter_precision="fp32",
        optimizer="adamw",
    )  # fmt: skip
    wanted = {"epochs": 1.0, "max_steps": 4, "eval_steps": 2, "patience": 0, **changes}
    recipe = Recipe("sop", step, learning_rate=2e-2, data=str(data), backend="unsloth", **wanted)
    return new_run("tiny", "train", command("unsloth"), text=saved(tmp_path / "r.yaml", recipe))


def start(folder: RunFolder, proxy: str = "") -> subprocess.Popen:
    words = [word.replace("{run}", str(folder.path)) for word in command("unsloth")]
    through = {name: proxy for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") if proxy}
    with folder.log.open("ab") as log:
        return subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **through},
        )  # fmt: skip


def wait_for(condition, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_unsloth_trains_qlora_in_our_run_folder_and_reports_to_nobody(home, monkeypatch, tmp_path, listener):
    made("unsloth", home, monkeypatch)
    proxy, heard = listener
    folder = tiny_run(tmp_path, "qlora")
    process = start(folder, proxy)
    assert process.wait(240) == 0, folder.log.read_text()[-4000:]
    run = read_run(folder)
    assert (run.state, run.step) == ("finished", 4)
    figures = read(folder.metrics)
    assert [each["step"] for each in figures if each.get("loss")] == [1, 2, 3, 4]
    judged = [each["eval_loss"] for each in figures if each.get("eval_loss")]
    assert judged[-1] < judged[0] - 0.2
    said = [each["text"] for each in read(folder.events)]
    assert any(text.startswith("It scores words as the trained one did") for text in said), said
    assert "no GPU found, training on CPU" in folder.log.read_text()
    assert heard == []
    assert not (ROOT / "unsloth_compiled_cache").exists()
    about = json.loads((folder.model / "adapter_config.json").read_text())
    assert (about["r"], about["use_rslora"], about["lora_alpha"]) == (16, True, 16)

    # The adapter is loaded here, by other versions, on the base in 16 bits.
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    ids = torch.arange(40)[None]
    before = base(ids).logits
    assert not torch.allclose(before, PeftModel.from_pretrained(base, folder.model)(ids).logits, atol=0.1)


@pytest.mark.slow
def test_unsloth_is_paused_killed_and_goes_on(home, monkeypatch, tmp_path):
    made("unsloth", home, monkeypatch)
    folder = tiny_run(tmp_path, "lora", max_steps=100_000, epochs=1000.0)
    process = start(folder)
    wait_for(lambda: folder.metrics.is_file() and len(read(folder.metrics)) > 4)
    folder.control.mkdir(exist_ok=True)
    (folder.control / "pause").touch()
    assert process.wait(120) == 1, folder.log.read_text()[-4000:]
    paused = read_run(folder)
    assert (paused.state, paused.can_resume) == ("paused", True)
    assert paused.checkpoint_step == paused.step

    step = paused.step
    process = start(folder)
    wait_for(lambda: max(each["step"] for each in read(folder.metrics)) > step)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert read_run(folder).state == "interrupted"
    steps = [each["step"] for each in read(folder.metrics) if each.get("loss")]
    assert steps == list(range(1, len(steps) + 1))


def test_nothing_is_to_be_reported():
    found = settings(Path("place"))
    assert {found[name] for name in ("UNSLOTH_DISABLE_STATISTICS", "AXOLOTL_DO_NOT_TRACK", "DO_NOT_TRACK")} == {"1"}
    assert found["HF_HUB_DISABLE_TELEMETRY"] == "1"
