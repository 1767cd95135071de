"""Asking on the page: in headless Chromium, without a model, with a tiny one on this machine, and with a server."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sop.chat_server import ChatServer
from tests.sop.tiny_llama import save_tiny_llama
from tests.ui.conftest import PATIENCE_MS, ROOT, open_page, serving

pytestmark = pytest.mark.browser
QUESTION = "How do I replace the battery of my robot vacuum?"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, with a tiny model that was registered and then set aside: the steps themselves are active."""
    home = tmp_path_factory.mktemp("home")
    env = {**os.environ, "REPAIRAI_HOME": str(home), "OMP_NUM_THREADS": "1"}
    folder = save_tiny_llama(home / "tiny")
    for words in (["use", str(folder)], ["back"]):
        subprocess.run([sys.executable, "-m", "repairai", "models", *words], cwd=ROOT, env=env, check=True)
    with serving(home, OMP_NUM_THREADS="1") as address:
        yield address


@pytest.fixture
def asking(page: Page) -> Page:
    page.get_by_role("tab", name="Guides").click()
    expect(page.locator("#ask")).to_be_visible(timeout=PATIENCE_MS)
    return page


def ask(page: Page, question: str, state: str) -> None:
    page.locator("#ask-question textarea").fill(question)
    page.locator("#ask").click()
    expect(page.locator(f"#ask-answer section[data-state={state}] .asked")).to_have_text(question, timeout=PATIENCE_MS)


def choose(page: Page, agent: str) -> None:
    page.locator("#ask-who > button").click()
    page.locator("#ask-agent input").click()
    page.get_by_role("option", name=agent, exact=True).click()


def test_the_built_in_guides_answer_without_a_model(asking: Page):
    ask(asking, QUESTION, "answered")
    answer = asking.locator("#ask-answer")
    expect(answer).to_contain_text("Made from the steps themselves: no model is installed or chosen.")
    expect(answer.locator("ol > li")).to_have_count(6)
    expect(answer).to_contain_text("CC0-1.0")
    expect(asking.locator("#ask-status")).to_contain_text("The answer is there.")

    # A step is shown at a press, and read out.
    asking.locator("#ask-answer button.cite").nth(3).click()
    step = asking.locator("#guide article.cited")
    expect(step).to_have_attribute("data-step", "4", timeout=PATIENCE_MS)
    expect(step).to_contain_text("Lift the battery by its tab.")
    expect(step).to_be_in_viewport()
    assert asking.evaluate("document.activeElement.dataset.step") == "4"
    asking.locator("#ask-answer button.cite").nth(1).press("Enter")
    expect(asking.locator("#guide article.cited")).to_have_attribute("data-step", "2", timeout=PATIENCE_MS)
    asking.get_by_role("link", name="Back to the answer").click()
    expect(asking.locator("#ask-answer")).to_be_in_viewport()


def test_a_device_that_is_not_known_is_refused_with_the_nearest_and_another_chosen(asking: Page):
    asking.locator("#ask-question textarea").fill("iPhone 99 battery")
    asking.locator("#ask-question textarea").press("Enter")
    answer = asking.locator("#ask-answer")
    expect(answer).to_contain_text(
        "I have no guide for that. No guide of the library is for “99”.", timeout=PATIENCE_MS
    )
    expect(answer.locator("ol")).to_have_count(0)
    answer.get_by_role("button", name="Read iPhone 6 battery replacement").click()
    expect(asking.locator("#guide")).to_contain_text("iPhone 6 battery replacement", timeout=PATIENCE_MS)
    asking.locator("#ask-device input").click()
    asking.get_by_role("option", name="E-reader").click()
    ask(asking, "battery", "answered")
    expect(asking.locator("#ask-answer h3")).to_contain_text("E-reader battery replacement")


def test_rubbish_of_a_model_on_this_machine_is_marked_and_breaks_nothing(asking: Page):
    choose(asking, "tiny")
    asking.locator("#ask-question textarea").fill(QUESTION)
    asking.locator("#ask").click()
    expect(asking.locator("#ask-stop")).to_be_visible(timeout=PATIENCE_MS)
    # While it is loaded and writes, another tab answers.
    asking.get_by_role("tab", name="Inspect").click()
    asking.locator("#words input, #words textarea").fill("practice block")
    expect(asking.locator("#found label").filter(has_text="Four-screw").first).to_be_visible(timeout=PATIENCE_MS)
    asking.get_by_role("tab", name="Guides").click()
    answer = asking.locator("#ask-answer")
    expect(answer.locator("section")).to_have_attribute("data-state", "refused", timeout=2 * PATIENCE_MS)
    expect(answer).to_contain_text("Not in the steps")
    expect(answer).to_contain_text("tiny made nothing of these steps. They say:")
    expect(answer.locator(".unanswered li").first).to_contain_text("Take the robot off its dock")
    expect(asking.locator("#ask-loaded")).to_contain_text("tiny is loaded.", timeout=PATIENCE_MS)
    asking.locator("#ask-unload").click()
    expect(asking.locator("#ask-loaded")).to_have_text("", timeout=PATIENCE_MS)
    ask(asking, "laptop fan", "refused")


def test_a_server_writes_and_nothing_that_it_writes_is_live(asking: Page):
    chat = ChatServer()
    try:
        live = '<img src="x" onerror="alert(1)">${alert(2)}{{7*7}}'
        chat.pieces = ["1. Remove the battery door. [3]\n2. Remove the nine ", f"screws. [3]\n3. {live} [1]\n"]
        asking.locator("#ask-who > button").click()
        asking.locator("#ask-address input, #ask-address textarea").fill(chat.url)
        asking.locator("#ask-model input, #ask-model textarea").fill("llama")
        ask(asking, QUESTION, "answered")
    finally:
        chat.close()
    answer = asking.locator("#ask-answer")
    expect(answer).to_contain_text("Written by llama at 127.0.0.1")
    expect(answer.locator(".unsupported")).to_have_count(2)
    expect(answer.locator(".unsupported").first).to_contain_text("Not in the steps")
    expect(answer).to_contain_text("${alert(2)}{{7*7}}")
    expect(answer.locator("img")).to_have_count(0)
    expect(answer).to_contain_text("Warnings of these steps that the answer leaves out")


def test_an_answer_is_stopped(asking: Page):
    chat = ChatServer()
    try:
        chat.pieces, chat.pause_seconds = [f"{n}. Remove the battery door. [3]\n" for n in range(40)], 1.0
        asking.locator("#ask-who > button").click()
        asking.locator("#ask-address input, #ask-address textarea").fill(chat.url)
        asking.locator("#ask-model input, #ask-model textarea").fill("llama")
        asking.locator("#ask-question textarea").fill(QUESTION)
        asking.locator("#ask").click()
        growing = asking.locator("#ask-answer section[data-state=growing] ol > li")
        expect(growing.first).to_be_visible(timeout=PATIENCE_MS)
        asking.locator("#ask-stop").click()
        expect(asking.locator("#ask-status")).to_contain_text("Stopped.", timeout=PATIENCE_MS)
        expect(asking.locator("#ask")).to_be_enabled(timeout=PATIENCE_MS)
        asking.wait_for_timeout(2500)
        sent = chat.n_sent
        asking.wait_for_timeout(3000)
        assert chat.n_sent - sent <= 1, "the server is let go too"
    finally:
        chat.close()


def test_it_fits_a_phone_and_a_keyboard(browser: Browser, url: str):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    open_page(page, url)
    page.get_by_role("tab", name="Guides").click()
    page.locator("#ask-question textarea").fill(QUESTION)
    page.locator("#ask-question textarea").press("Enter")
    expect(page.locator("#ask-answer section")).to_have_attribute("data-state", "answered", timeout=PATIENCE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#ask-answer button.cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#guide article.cited")).to_be_in_viewport(timeout=PATIENCE_MS)
    page.close()
