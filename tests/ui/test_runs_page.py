"""The Runs tab, driven in headless Chromium: runs are watched and steered, and nothing jumps meanwhile."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from repairai.files import home as home_folder
from repairai.files import to_data
from repairai.hardware.recipe import Recipe
from repairai.hardware.workload import Workload
from repairai.processes import own
from repairai.runs.detached import launch
from repairai.runs.events import add_event
from repairai.runs.folder import RunFolder, new_run
from repairai.runs.metrics import Metric, add_metric
from repairai.runs.process import read_process, write_process
from tests.ui.conftest import PATIENCE_MS, ROOT, open_page, serving

pytestmark = pytest.mark.browser
STAND_IN = ROOT / "tests" / "runs" / "stand_in.py"
HOSTILE = "<img src=x onerror=\"alert('in')\"><script>alert(1)</script> ${alert(2)} {{alert(3)}}"
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def url(place: Path) -> Iterator[str]:
    with serving(place) as address:
        yield address


@pytest.fixture(autouse=True)
def home(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs are made in the app's own home, and none of one test is left to the next."""
    monkeypatch.setenv("REPAIRAI_HOME", str(place))
    yield place
    for path in place.glob("runs/*/process.json"):
        process = read_process(path)
        if process and process.pid != os.getpid() and psutil.pid_exists(process.pid):
            psutil.Process(process.pid).kill()
    for path in place.glob("runs/*"):
        path.rename(place / f"gone-{path.name}-{time.time_ns()}")


def made(name: str, *options: str) -> RunFolder:
    data = home_folder() / "data"
    data.mkdir(exist_ok=True)
    (data / "train.jsonl").write_text("{}\n")
    recipe = Recipe("sop", Workload("Some/Model-1B", "lora"), 1.0, 1e-3, data=str(data))
    command = [sys.executable, str(STAND_IN), "{run}", *options]
    return new_run(name, "train", command, text=yaml.safe_dump(to_data(recipe), sort_keys=False))


def ended(folder: RunFolder, state: str = "finished", said: str = "trained 9 steps") -> RunFolder:
    data = {"state": state, "reason": "", "said": said, "mend": "", "step": 9, "time": time.time()}
    for step in range(1, 10):
        add_metric(folder.metrics, Metric(step, time.time(), loss=3 / step, memory_gib=1.0))
    folder.exit.write_text(json.dumps(data))
    return folder


def working(folder: RunFolder, steps: int = 5) -> RunFolder:
    """A run on which this very process seems to work."""
    write_process(folder, own())
    for step in range(1, steps + 1):
        beat(folder, step)
    return folder


def beat(folder: RunFolder, step: int) -> None:
    data = {"time": time.time(), "phase": "training", "step": step, "total_steps": 100, "pid": os.getpid(), "ran": 5.0}
    folder.heartbeat.write_text(json.dumps(data))
    add_metric(folder.metrics, Metric(step, time.time(), loss=3 / step, memory_gib=1.0))


def open_runs(page: Page) -> None:
    tab = page.get_by_role("tab", name="Runs")
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-dropdown button").filter(has_text="Runs")
    tab.click()
    expect(page.locator("#runs a.run, #runs p").first).to_be_visible()


def shown(page: Page, run_id: str, state: str) -> None:
    expect(page.locator(f"#run [data-shown='{run_id}'][data-state='{state}']")).to_be_visible()


def test_a_run_is_chosen_and_a_reload_and_a_second_tab_show_the_same(page: Page, browser: Browser, url: str):
    ended(made("first"))
    folder = working(made("second"))
    open_runs(page)
    shown(page, "second", "running")
    page.locator("#runs a[data-run=first]").click()
    shown(page, "first", "finished")
    expect(page.locator("#plots figure").first).to_be_visible()
    assert page.url.endswith("?run=first")
    page.locator("#runs a[data-run=second]").click()
    shown(page, "second", "running")
    page.reload()
    shown(page, "second", "running")
    other = browser.new_page()
    other.goto(f"{url}?run=second")
    shown(other, "second", "running")
    beat(folder, 6)
    beat(folder, 50)
    said = "Loss by step. training: from 3.00 at step 1 to 0.0600 at step 50, lowest 0.0600 at step 50, highest 3.00 "
    for each in (page, other):
        expect(each.locator("#run")).to_contain_text("step 50 of 100")
        expect(each.locator("#plots .canvas").first).to_have_attribute("aria-label", f"{said}at step 1.")
    other.close()
    page.get_by_role("tab", name="Guides").click()
    page.wait_for_function("!location.search")


def test_a_run_of_a_terminal_shows_up_by_itself(page: Page):
    ended(made("first"))
    open_runs(page)
    expect(page.locator("#runs a.run")).to_have_count(1)
    working(made("typed"))
    expect(page.locator("#runs a[data-run=typed]")).to_contain_text("step 5 of 100")
    shown(page, "first", "finished")


def test_an_update_takes_nothing_from_the_hand(page: Page):
    ended(made("first"))
    folder = working(made("second"))
    folder.log.write_text("".join(f"line {number} {HOSTILE}\n" for number in range(200)))
    add_event(folder.events, "odd", HOSTILE)
    open_runs(page)
    page.locator("#fold-log > button").click()
    log = page.locator("#run-log pre")
    expect(log).to_contain_text("{{alert(3)}}")
    log.evaluate("log => { log.scrollTop = 40 }")
    page.locator("#compare-ids input").click()
    expect(page.get_by_role("option", name="first")).to_be_visible()
    link = page.locator("#runs a[data-run=first]")
    before = page.evaluate("document.documentElement.scrollHeight")
    beat(folder, 60)
    with folder.log.open("a") as file:
        file.write("one more line\n")
    expect(log).to_contain_text("one more line")
    assert log.evaluate("log => log.scrollTop") == 40
    expect(page.get_by_role("option", name="first")).to_be_visible()
    assert page.locator("#compare-ids input").evaluate("input => input === document.activeElement")
    assert abs(page.evaluate("document.documentElement.scrollHeight") - before) < 60
    page.keyboard.press("Escape")
    link.focus()
    ended(made("third"))  # a new row above: the focus stays with its run
    expect(page.locator("#runs a[data-run=third]")).to_be_visible()
    assert page.evaluate("document.activeElement.dataset.run") == "first"
    page.keyboard.press("Enter")
    shown(page, "first", "finished")


def test_a_log_is_followed_at_its_end(page: Page):
    folder = working(made("second"))
    folder.log.write_text("".join(f"line {number}\n" for number in range(200)))
    open_runs(page)
    page.locator("#fold-log > button").click()
    log = page.locator("#run-log pre")
    expect(log).to_contain_text("line 199")
    for number in range(3):
        with folder.log.open("a") as file:
            file.write(f"late {number}\n")
        expect(log).to_contain_text(f"late {number}")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 30


def test_a_run_is_stopped_and_goes_on(page: Page):
    folder = made("steered", "--steps", "3000", "--step-seconds", "0.05", "--every", "20")
    launch(folder)
    open_runs(page)
    shown(page, "steered", "running")
    page.locator("#run-save").click()
    expect(page.locator("#run-answer")).to_contain_text("makes a checkpoint at its next step")
    page.locator("#run-stop").click()
    expect(page.locator("#run-answer")).to_contain_text("was asked to stop")
    shown(page, "steered", "stopped")
    expect(page.locator("#run-why")).to_contain_text("nothing is lost")
    page.locator("#fold-checkpoints > button").click()
    expect(page.locator("#run-checkpoints tbody tr").first).to_be_visible()
    page.locator("#run-resume").click()
    expect(page.locator("#run-answer")).to_contain_text("goes on from step")
    shown(page, "steered", "running")
    page.locator("#run-pause").click()
    shown(page, "steered", "paused")
    expect(page.locator("#run-resume")).to_be_visible()


def test_a_run_is_started_again_from_its_recipe(page: Page):
    folder = ended(made("lamps"))
    model = folder.path / "tiny"
    model.mkdir()
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 16, "num_attention_heads": 1}
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "intermediate_size": 8, **sizes}))
    folder.recipe.write_text(folder.recipe.read_text().replace("Some/Model-1B", str(model)))
    about = json.loads(folder.about.read_text())
    folder.about.write_text(json.dumps({**about, "packages": {**about["packages"], "torch": "1.0"}}))
    working(made("busy"))  # behind which it waits
    open_runs(page)
    page.locator("#runs a[data-run=lamps]").click()
    page.locator("#run-again").click()
    expect(page.locator("#run-answer")).to_contain_text("It is started again as lamps-2. Not as it was: torch is ")
    page.locator("#run-answer a[data-run=lamps-2]").click()
    shown(page, "lamps-2", "queued")
    page.locator("#run-unqueue").click()
    shown(page, "lamps-2", "stopped")


def test_a_fault_is_told_where_it_was_made_and_nothing_is_lost(page: Page, home: Path):
    folder = ended(made("lost"), "paused")
    folder.about.write_text("{}")
    open_runs(page)
    page.locator("#run-resume").click()
    expect(page.locator("#run-answer [data-outcome=problem]")).to_be_visible()
    shown(page, "lost", "paused")


def test_force_is_offered_after_a_minute(page: Page):
    folder = working(made("deaf"))
    folder.control.mkdir()
    (folder.control / "stop").touch()
    open_runs(page)
    expect(page.locator("#run")).to_contain_text("asked to stop")
    expect(page.locator("#run-kill")).to_have_count(0)
    os.utime(folder.control / "stop", (time.time() - 70, time.time() - 70))
    expect(page.locator("#run-kill")).to_be_visible()


def test_deleting_asks_first(page: Page):
    folder = ended(made("old"))
    open_runs(page)
    page.locator("#run-delete").click()
    expect(page.locator("#run-doomed")).to_contain_text("Delete old with its checkpoints")
    page.locator("#delete-not").click()
    expect(page.locator("#run-doomed")).not_to_be_visible()
    assert folder.path.is_dir()
    page.locator("#run-delete").click()
    page.locator("#delete-sure").click()
    expect(page.locator("#run-answer")).to_contain_text("old is deleted")
    expect(page.locator("#runs")).to_contain_text("There are no runs yet")
    assert not folder.path.exists()


def test_runs_are_noted_found_and_sorted(page: Page):
    ended(made("first"))
    lamps = ended(made("lamps"))
    add_metric(lamps.metrics, Metric(9, time.time(), eval_loss=0.01))
    ended(made("third"))
    open_runs(page)
    page.locator("#runs a[data-run=lamps]").click()
    shown(page, "lamps", "finished")
    page.locator("#fold-noted > button").click()
    page.locator("#run-star input").check()
    expect(page.locator("#runs a[data-run=lamps] .star")).to_be_visible()
    page.locator("#run-tags input").fill("Shop a/b")
    page.locator("#run-tags input").press("Enter")
    expect(page.locator("#run-answer [data-outcome=problem]")).to_contain_text("'a/b' is no tag")
    page.locator("#run-tags input").fill("Shop")
    page.locator("#run-note textarea").fill(HOSTILE)
    page.locator("#run-note textarea").blur()
    expect(page.locator("#run .tag")).to_have_text("shop")
    expect(page.locator("#run .note")).to_contain_text("{{alert(3)}}")
    page.locator("#runs a[data-run=first]").click()
    expect(page.locator("#run-tags input")).to_have_value("")
    page.locator("#runs-words input").fill("#shop")
    expect(page.locator("#runs a.run")).to_have_count(1)
    page.locator("#runs a[data-run=lamps]").click()
    expect(page.locator("#run-tags input")).to_have_value("shop")
    expect(page.locator("#runs a.run")).to_have_count(1)
    page.locator("#runs-words input").fill("nothing")
    expect(page.locator("#runs")).to_contain_text("None of 3 runs fits")
    page.locator("#runs-words input").fill("")
    page.locator("#runs-order input").click()
    page.get_by_role("option", name="Loss").click()
    expect(page.locator("#runs a.run").first).to_have_attribute("data-run", "lamps")


def test_runs_are_held_beside_each_other(page: Page):
    for name in ("a", "b"):
        ended(made(name))
    open_runs(page)
    page.locator("#compare").click()
    expect(page.locator("#compared [data-outcome=problem]")).to_contain_text("give two to")
    for name in ("a", "b"):
        page.locator("#compare-ids input").click()
        page.get_by_role("option", name=name, exact=True).click()
    page.keyboard.press("Escape")
    page.locator("#compare").click()
    expect(page.locator("#compared figure").first).to_be_visible()
    expect(page.locator("#compared")).to_contain_text("Their recipes are the same")


def test_a_run_that_went_down_is_offered_when_the_page_opens(page: Page):
    folder = made("steered", "--steps", "3000", "--step-seconds", "0.05", "--every", "5")
    launch(folder)
    end = time.monotonic() + 40
    while not list(folder.checkpoints.glob("*/whole")):
        assert time.monotonic() < end
        time.sleep(0.1)
    process = read_process(folder.process)
    assert process is not None
    killed = psutil.Process(process.pid)
    killed.kill()
    killed.wait(20)
    page.reload()
    expect(page.locator("#offer-said")).to_contain_text("Go on with steered?")
    page.locator("#offer-go-on").click()
    shown(page, "steered", "running")
    expect(page.locator("#offer-said")).not_to_be_visible()


def test_an_offer_can_be_declined(page: Page):
    folder = working(made("down"))
    data = json.loads(folder.process.read_text())
    folder.process.write_text(json.dumps({**data, "started": 1.0, "boot": 1.0, "boot_id": "gone"}))
    page.reload()
    page.locator("#offer-later").click()
    expect(page.locator("#offer-said")).not_to_be_visible()
    page.reload()
    expect(page.locator("#check")).to_be_visible()
    page.wait_for_timeout(1500)
    expect(page.locator("#offer-said")).not_to_be_visible()


def test_it_fits_a_phone(browser: Browser, url: str):
    working(made("a long name of a run that a person gave it for want of a better"))
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    open_page(phone, url)
    open_runs(phone)
    expect(phone.locator("#plots figure").first).to_be_visible()
    phone.wait_for_timeout(500)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("#runs a.run", "#run-stop", "#run-pause", "#fold-log > button", "#compare"):
        box = phone.locator(name).first.bounding_box()
        assert box is not None
        assert box["height"] >= 44, name
    phone.close()
