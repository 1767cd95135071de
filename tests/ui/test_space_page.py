"""The Space, started by a Python that sees only what its requirements name, and opened in a browser."""

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from repairai.hub.account import log_in
from repairai.hub.space import deploy
from repairai.hub.space_card import Eyes, StateJudge
from repairai.hub.space_contents import Contents
from repairai.hub.space_folder import build as build_folder
from repairai.schema import Guide, Line, Step
from repairai.ui import inspector
from tests.hub.lean_python import lean_environment, lean_python
from tests.judge.classifiers import bright_or_dark
from tests.ui.conftest import PATIENCE_MS, ROOT, is_local, open_page
from tests.ui.test_page import check, give, pick_practice_block
from tests.ui.test_shared_page import asked

OWN = ROOT / "repairai" / "builtin"
START_SECONDS = 180
ZEBRA = Guide(
    "ifixit-7", "Zebra lid", "Zebra recorder", "CC BY-NC-SA 3.0",
    (Step(1, (Line("Remove the two screws."),)),), url="https://www.ifixit.com/Guide/x/7", author="Ada",
)  # fmt: skip


@pytest.fixture(scope="module")
def lean(tmp_path_factory) -> Path:
    """A Python with what the Space's requirements name, and gradio, which the Hub puts in itself."""
    listed = (ROOT / "spaces" / "inspector" / "requirements.txt").read_text().splitlines()
    return lean_python(tmp_path_factory.mktemp("lean") / "python", [*listed, "gradio"])


@contextmanager
def started(python: Path, folder: Path, home: Path, **environment: str) -> Iterator[str]:
    """A Space as the Hub starts it: its app file, in its folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home.mkdir(exist_ok=True)
    more = {"GRADIO_SERVER_PORT": str(port), "HOME": str(home), "TMPDIR": str(home), "REPAIRAI_HOME": "", **environment}
    with (home / "log.txt").open("w") as log:
        app = subprocess.Popen([python, "app.py"], cwd=folder, env=lean_environment(**more), stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}/"
            ends = time.monotonic() + START_SECONDS
            while time.monotonic() < ends:
                try:
                    urllib.request.urlopen(address, timeout=5).close()
                    break
                except (urllib.error.URLError, ConnectionError, TimeoutError):
                    assert app.poll() is None, (home / "log.txt").read_text()
                    time.sleep(0.25)
            yield address
        finally:
            app.terminate()
            app.wait(20)


@pytest.fixture(scope="module")
def space(lean: Path, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("space")
    built = build_folder(folder / "space")
    with started(lean, built.folder, folder / "home") as address:
        yield address


@pytest.fixture
def visit(browser: Browser, space: str) -> Iterator[Page]:
    foreign: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE_MS)
    page.on("request", lambda request: foreign.append(request.url) if not is_local(request.url) else None)
    open_page(page, space)
    yield page
    page.close()
    assert foreign == [], "the page asked another machine for something"


def test_neither_torch_nor_repairai_is_there_but_in_the_space(lean: Path, tmp_path: Path):
    def can(name: str) -> bool:
        words = [lean, "-c", f"import {name}"]
        answer = subprocess.run(words, cwd=tmp_path, env=lean_environment(), capture_output=True, check=False)
        return answer.returncode == 0

    assert can("tantivy")
    assert not [name for name in ("torch", "transformers", "repairai", "training", "playwright") if can(name)]


@pytest.mark.browser
def test_a_visitor_inspects_a_photo(visit: Page):
    pick_practice_block(visit)
    give(visit, OWN / "photos" / "block-three-screws.jpg")
    assert check(visit) == "FAIL"
    expect(visit.locator("#verdict")).to_contain_text("1 screw missing")
    expect(visit.locator("#shown g.box:visible")).to_have_count(4)


@pytest.mark.browser
def test_a_visitor_tries_a_sample_and_sees_the_inspect_tab_alone(visit: Page):
    visit.locator("#sample-0").click()
    expect(visit.locator("#verdict [data-outcome=PASS]").first).to_be_visible(timeout=PATIENCE_MS)
    assert [each for each in visit.get_by_role("tab").all_inner_texts() if each.strip()] == ["Inspect"]
    for name in ("keep", "fold-seeing", "inspect-masks", "ask", "library", "records"):
        expect(visit.locator(f"#{name}")).to_have_count(0)


def test_its_files_and_a_foreign_name_get_nothing(space: str):
    for path in ("app.py", "space.json", "requirements.txt"):
        assert asked(space, f"/gradio_api/file={path}", "127.0.0.1")[0] in (403, 404)
    assert asked(space, "/", "evil.example")[0] == 400


@pytest.mark.browser
def test_a_detector_and_a_guide_of_ones_own_by_way_of_the_hub(hub, lean: Path, browser: Browser, tmp_path: Path):
    """Deployed, and started from what the Hub then has, as the Hub would: with what was chosen, and nothing kept."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("config.json", "preprocessor_config.json", "limits.json", "model.onnx"):
        (model / name).write_bytes((OWN / "detector" / name).read_bytes())
    log_in(hub.add_user("me"))
    built = build_folder(tmp_path / "space", Eyes("bench-3", model), [ZEBRA])
    deploy(built, "me/bench", hardware="zero-a10g")
    there = hub.check_out("space", "me/bench", tmp_path / "there")
    named = {"SPACE_ID": "me/bench", "SPACE_HOST": "me-bench.hf.space", "SYSTEM": "spaces"}
    with started(lean, there, tmp_path / "there-home", **named) as address:
        assert asked(address, "/", "me-bench.hf.space")[0] == 200
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        open_page(page, address)
        expect(page.locator(".sample")).to_have_count(0)
        page.locator("#found label").filter(has_text="Zebra").first.click()
        expect(page.locator("#step-text")).to_contain_text("Remove the two screws", timeout=PATIENCE_MS)
        expect(page.locator("#step-text")).to_contain_text("CC BY-NC-SA 3.0")
        page.locator("#wanted textarea").fill("2 screw")
        give(page, OWN / "photos" / "block-two-screws.jpg")
        assert check(page) == "PASS"
        expect(page.locator("#verdict")).to_contain_text("bench-3@")
        page.close()
        (records,) = (tmp_path / "there-home").rglob("records.sqlite")
        assert [*(records.parent / "photos").glob("*")] == []


def test_a_space_whose_detector_is_broken_says_so(lean: Path, tmp_path: Path):
    built = build_folder(tmp_path / "space")
    (built.folder / "repairai" / "builtin" / "detector" / "model.onnx").write_text("none")
    answer = subprocess.run(
        [lean, "app.py"], cwd=built.folder, env=lean_environment(), capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert re.fullmatch(r"repairai: model.onnx holds no detector .*\n", answer.stderr.splitlines(True)[-1])


# ---- ZeroGPU: who asks for a GPU, and that somebody does


class Gpu:
    """Stands for `spaces.GPU`: notes what it is put round, and what is called through it."""

    def __init__(self) -> None:
        self.round: list[str] = []
        self.called = 0

    def __call__(self, function):
        self.round.append(function.__name__)

        def on_gpu(*given):
            self.called += 1
            return function(*given)

        return on_gpu


def test_a_detector_on_the_processor_takes_no_visitors_time_on_a_gpu(tmp_path: Path):
    gpu = Gpu()
    page = inspector.build(build_folder(tmp_path / "space").folder, gpu)
    assert gpu.round == ["_nothing"], "ZeroGPU starts no app that asks for none"
    assert press(page)[0].count('data-outcome="PASS"')
    assert gpu.called == 0


@pytest.mark.slow
def test_a_detector_in_torch_inspects_on_the_gpu(tmp_path: Path):
    gpu = Gpu()
    eyes = Eyes("bench-3", OWN / "detector")
    page = inspector.build(build_folder(tmp_path / "space", eyes, with_torch=True).folder, gpu)
    assert gpu.round == ["judged"]
    assert press(page)[0].count('data-outcome="PASS"')
    assert gpu.called == 1


def press(page, wanted: str = "4 screw") -> tuple:
    """What the button that checks answers, for four screws unless told."""
    (check,) = (event for event in page.fns.values() if [*event.targets][0][1] == "click" and len(event.outputs) == 3
                and event.outputs[0].elem_id == "verdict")  # fmt: skip
    return check.fn(str(OWN / "photos" / "block-four-screws.jpg"), None, wanted, "device", ("", 0))


def test_a_judge_of_states_judges_in_the_space(tmp_path: Path):
    model = bright_or_dark(tmp_path / "model")
    (model / "state_limits.json").write_text('{"is lamp on": {"sure": 0.6, "sources": 40}}')
    page = inspector.build(build_folder(tmp_path / "space", judge=StateJudge("lamps", model)).folder)
    html, *_ = press(page, "Is the lamp on? yes / Is the lamp off?")
    assert re.search('data-outcome="(PASS|FAIL)"', html), html
    assert "lamps@" in html


def test_what_a_space_names_and_does_not_have_is_told(tmp_path: Path):
    from repairai.errors import RepairError
    from repairai.files import write_record

    write_record(tmp_path / "space.json", Contents("bench-3", "detector"))
    with pytest.raises(RepairError, match="the folder of the detector bench-3 is gone"):
        inspector.build(tmp_path)


def test_the_page_runs_from_the_repository_as_it_stands(tmp_path: Path):
    """Without `space.json` it inspects with what comes with RepairAI."""
    page = inspector.build(ROOT / "spaces" / "inspector")
    assert os.environ["REPAIRAI_HOME"].startswith(str(tmp_path))
    assert press(page)[0].count('data-outcome="PASS"')
