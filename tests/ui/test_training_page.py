"""From guides to an agent that answers, all on the page: a tiny model is really trained, stopped, resumed and asked."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from repairai.runs.process import read_process
from tests.conftest import SHARED
from tests.ui.conftest import drop, serving
from tests.ui.guides import write_guides
from tests.ui.tiny_agent import save_tiny_agent, tiny_recipe

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE_MS = 120_000
STEPS = 240
QUESTION = "How do I replace the screen?"
QUIET = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
MYFIXIT = SHARED / "myfixit" / "Apparel.json"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def url(place: Path) -> Iterator[str]:
    with serving(place, **QUIET) as address:
        yield address
    for path in (*place.glob("runs/.dispatcher.json"), *place.glob("runs/*/process.json")):
        process = read_process(path)
        if process and process.pid != os.getpid() and psutil.pid_exists(process.pid):
            psutil.Process(process.pid).kill()


@pytest.fixture(scope="module")
def guides(tmp_path_factory) -> Path:
    """Real ones where they are, else some that are written here."""
    return MYFIXIT if MYFIXIT.is_file() else write_guides(tmp_path_factory.mktemp("guides") / "guides.jsonl", 40)


@pytest.fixture(scope="module")
def model(tmp_path_factory, guides: Path) -> Path:
    lines = [json.loads(line) for line in guides.read_text("utf-8").splitlines()[:200]]
    return save_tiny_agent(tmp_path_factory.mktemp("tiny") / "lamp-tiny", map(json.dumps, lines))


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def loss(page: Page) -> str:
    """The plot of the loss in words: another one with each step."""
    return page.locator("#plots .canvas").first.get_attribute("aria-label") or ""


def state(page: Page, run_id: str, wanted: str) -> None:
    expect(page.locator(f"#run [data-shown='{run_id}'][data-state='{wanted}']")).to_be_visible(timeout=PATIENCE_MS)


def test_from_guides_to_an_agent_that_answers(page: Page, browser: Browser, url: str, guides: Path, model: Path,
                                              tmp_path: Path):  # fmt: skip
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    import_guides(page, guides)
    build_data(page)
    plan_and_start(page, model, tiny_recipe(tmp_path / "tiny.yaml", model, max_steps=STEPS, eval_steps=20))
    watch(page, browser, url)
    stop_and_resume(page)
    evaluate_and_activate(page)
    ask(page)


def import_guides(page: Page, guides: Path) -> None:
    tab(page, "Guides")
    drop(page, "#guide-files", guides)
    page.locator("#import-files").click()
    expect(page.locator("#import-report")).to_contain_text("added")


def build_data(page: Page) -> None:
    tab(page, "Train")
    expect(page.locator("#data-report")).to_contain_text("No data were built yet")
    expect(page.locator("#data-build")).to_be_visible()
    page.locator("#data-name input, #data-name textarea").fill("mine")
    page.locator("#data-most input").fill("200")
    page.locator("#data-exam input").check()
    page.locator("#data-build").click()
    expect(page.locator("#data-progress")).to_contain_text("mine is built")
    report = page.locator("#data-report")
    expect(report).to_contain_text("200")
    expect(report.locator("svg rect").first).to_be_visible()


def plan_and_start(page: Page, model: Path, recipe: Path) -> None:
    page.locator("#train-size input").fill("8")
    page.locator("#train-plan").click()
    expect(page.locator("#train-ways li.way").first).to_have_attribute("data-fit", "fits")
    page.locator("#use-way").click()
    text = page.locator("#recipe-text")
    expect(text).to_contain_text("Meta-Llama-3-8B")
    expect(text).to_contain_text("data/sop/mine")
    page.locator("#form-batch input").fill("3")
    page.locator("#form-batch input").press("Tab")
    expect(text).to_contain_text("batch: 3")
    page.locator("#recipe-file input[type=file]").set_input_files(str(recipe))
    expect(page.locator("#recipe-said")).to_contain_text("All of lamp-tiny, on mine")
    expect(text).to_contain_text(str(model.parent.name))
    page.locator("#sample-look").click()
    expect(page.locator("#sample mark").first).to_be_visible()
    expect(page.locator("#sample")).to_contain_text("as lamp-tiny sees it")
    page.locator("#sample-forth").click()
    expect(page.locator("#sample")).to_contain_text("Example 2 of")
    expect(page.locator("#forecast")).to_contain_text(f"{STEPS} steps")
    page.locator("#run-name input, #run-name textarea").fill("../out")
    page.locator("#start-run").click()
    expect(page.locator("#start-said")).to_contain_text("it leads elsewhere")
    page.locator("#run-name input, #run-name textarea").fill("Lamps")
    page.locator("#run-name input, #run-name textarea").press("Tab")
    expect(page.locator("#train-command")).to_contain_text("--name lamps --detach")
    page.locator("#start-run").click()
    expect(page.locator("#run [data-shown=lamps]")).to_be_visible()
    assert page.url.endswith("?run=lamps")


def watch(page: Page, browser: Browser, url: str) -> None:
    expect(page.locator("#plots figure").first).to_be_visible()
    before = loss(page)
    page.wait_for_function("before => document.querySelector('#plots .canvas').ariaLabel !== before", arg=before)
    other = browser.new_page()
    other.goto(f"{url}?run=lamps")
    expect(other.locator("#plots figure").first).to_be_visible()
    other.close()
    page.reload()
    expect(page.locator("#plots figure").first).to_be_visible()


def stop_and_resume(page: Page) -> None:
    page.locator("#run-stop").click()
    state(page, "lamps", "stopped")
    expect(page.locator("#run-why")).to_contain_text("nothing is lost")
    stopped = page.locator("#run .run-step").inner_text()
    assert f"of {STEPS}" in stopped
    assert f"step {STEPS} " not in stopped, "it was stopped before its end"
    page.locator("#run-resume").click()
    expect(page.locator("#run-answer")).to_contain_text("goes on from step")
    state(page, "lamps", "finished")
    expect(page.locator("#plots .canvas").first).to_have_attribute("aria-label", _ends_at(STEPS))


def _ends_at(step: int) -> re.Pattern[str]:
    return re.compile(rf"training: from .* at step 1 to .* at step {step},")


def evaluate_and_activate(page: Page) -> None:
    page.locator("#exam-limit input").fill("20")
    page.locator("#run-evaluate").click()
    expect(page.locator("#run-answer")).to_contain_text("takes its exam as lamps-eval")
    expect(page.locator("#scores table").first).to_contain_text("Held-out loss")
    expect(page.locator("#scores table").nth(1)).to_contain_text("Against the plain steps")
    expect(page.locator("#scores")).to_contain_text("your own fixed exam")
    expect(page.locator("#scores .worst summary").first).to_be_visible()
    page.locator("#run-activate").click()
    gate = page.locator("#gate .decision")
    expect(gate).to_be_visible()
    if gate.get_attribute("data-active") == "false":
        page.locator("#run-anyway").click()
        expect(page.locator("#gate .decision[data-active=true]")).to_be_visible()
    expect(page.locator("#answering")).to_contain_text("Questions are answered by lamps")


def ask(page: Page) -> None:
    tab(page, "Guides")
    page.locator("#ask-question textarea, #ask-question input").fill(QUESTION)
    page.locator("#ask").click()
    answer = page.locator("#ask-answer section.answer")
    expect(answer).to_have_attribute("data-state", re.compile("answered|refused"))
    expect(answer).to_contain_text("Written by")
    tab(page, "Runs")
    page.locator("#run-back").click()
    expect(page.locator("#answering")).to_contain_text("answered by the steps themselves")
