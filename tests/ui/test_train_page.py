"""The Train tab, driven in headless Chromium: what is wrong is told in its place, and nothing is lost."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from repairai.files import read_text
from repairai.ui.recipe_text import changed, parsed, ready_recipes
from tests.ui.conftest import PATIENCE_MS, drop, open_page, serving
from tests.ui.guides import guide, write_guides

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=\"alert('in')\"><script>alert(1)</script> ${alert(2)} {{alert(3)}}"
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("home"), HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1") as address:
        yield address


def open_train(page: Page) -> None:
    tab = page.get_by_role("tab", name="Train")
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-dropdown button").filter(has_text="Train")
    tab.click()
    expect(page.locator("#start-run")).to_be_visible()
    expect(page.locator("#data-chosen")).to_be_visible()


def unfold(page: Page) -> None:
    try:  # where there are no data it unfolds by itself, a moment after the tab was opened
        expect(page.locator("#data-build")).to_be_visible(timeout=5_000)
    except AssertionError:
        page.locator("#fold-build > button").click()
    expect(page.locator("#data-build")).to_be_visible()


def field(page: Page, name: str):
    return page.locator(f"#{name} input, #{name} textarea").first


def drop_recipe(page: Page, recipe: Path) -> None:
    page.locator("#recipe-file input[type=file]").set_input_files(str(recipe))


def test_data_are_built_from_dropped_files_and_looked_at(page: Page, tmp_path: Path):
    path = write_guides(tmp_path / "guides.jsonl")
    odd = guide(99, 0)
    odd["steps"][0]["lines"][0]["text"] = f"Remove the two screws {HOSTILE}"
    with path.open("a") as file:
        file.write(json.dumps({**odd, "title": HOSTILE, "device": f"Lamp {HOSTILE}"}) + "\n")
    open_train(page)
    unfold(page)
    page.locator("#data-source label").filter(has_text="Files").click()
    page.locator("#data-build").click()
    expect(page.locator("#data-progress")).to_contain_text("no file was given")
    drop(page, "#data-files", path)
    field(page, "data-name").fill("dropped")
    page.locator("#data-build").click()
    expect(page.locator("#data-progress")).to_contain_text("dropped is built")
    expect(page.locator("#data-report .data")).to_have_attribute("data-name", "dropped")
    expect(page.locator("#data-report svg rect").first).to_be_visible()
    page.locator("#sample-look").click()
    for number in range(1, 7):
        expect(page.locator("#sample")).to_contain_text(f"Example {number} of")
        expect(page.locator("#sample mark").last).to_be_attached()
        page.locator("#sample-forth").click()
    unfold(page)
    field(page, "data-name").fill("dropped")
    page.locator("#data-build").click()
    expect(page.locator("#data-progress")).to_contain_text("there are data named dropped already")
    page.locator("#data-delete").click()
    expect(page.locator("#data-doomed")).to_contain_text("Delete the data dropped")
    page.locator("#data-delete-not").click()
    expect(page.locator("#data-doomed")).not_to_be_visible()
    page.locator("#data-delete").click()
    page.locator("#data-delete-sure").click()
    expect(page.locator("#data-progress")).to_contain_text("dropped are deleted")
    expect(page.locator("#data-report")).to_contain_text("No data were built yet")
    expect(page.locator("#data-delete")).not_to_be_visible()


def test_a_build_is_cancelled(page: Page, tmp_path: Path):
    open_train(page)
    expect(page.locator("#data-build")).to_be_visible()  # there are no data: it is unfolded
    page.locator("#data-source label").filter(has_text="Files").click()
    drop(page, "#data-files", write_guides(tmp_path / "many.jsonl", 400))
    page.locator("#data-build").click()
    page.locator("#data-cancel").click()
    expect(page.locator("#data-progress")).to_contain_text("was cancelled; nothing of it is left")
    expect(page.locator("#data-cancel")).not_to_be_visible()
    expect(page.locator("#data-build")).to_be_enabled()
    expect(page.locator("#data-report")).to_contain_text("No data were built yet")


def test_what_cannot_be_built_is_told(page: Page):
    open_train(page)
    unfold(page)
    page.locator("#data-source label").filter(has_text="Guides for some devices").click()
    field(page, "data-words").fill("zebra")
    page.locator("#data-build").click()
    expect(page.locator("#data-progress")).to_contain_text("no device in the library has 'zebra'")
    page.locator("#data-source label").filter(has_text="A dataset on the Hub").click()
    field(page, "data-hub").fill("nobody/nothing")
    page.locator("#data-build").click()
    expect(page.locator("#data-progress [data-outcome=problem]")).to_contain_text("nobody/nothing")


def test_text_and_form_say_the_same(page: Page):
    open_train(page)
    page.get_by_label("Or take a recipe that lies ready").click()
    ready = ready_recipes()[0]
    page.get_by_role("option", name=ready.title).click()
    expect(page.locator("#recipe-said")).to_contain_text("LoRA of SmolLM2-135M-Instruct")
    expect(field(page, "form-batch")).to_have_value(str(parsed(read_text(ready.path)).step.batch))
    for name, value, line in (
        ("form-batch", "3", "batch: 3"), ("form-learning-rate", "0.0005", "learning_rate: 0.0005"),
        ("form-patience", "5", "patience: 5"), ("form-length-tokens", "512", "length_tokens: 512"),
    ):  # fmt: skip
        field(page, name).fill(value)
        field(page, name).press("Tab")
        expect(page.locator("#recipe-text")).to_contain_text(line)
    expect(page.locator("#recipe-said")).to_contain_text("whole")
    expect(page.locator("#train-command")).to_contain_text("--name smollm2-135m-instruct-lora --detach")
    expect(page.locator("#forecast")).to_contain_text("GiB free on")
    page.locator("#recipe-text .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("oddkey: 1\n")
    expect(page.locator("#recipe-said")).to_contain_text("unknown key 'oddkey'")
    page.locator("#start-run").click()
    expect(page.locator("#start-said")).to_contain_text("unknown key 'oddkey'")
    expect(page.locator("#recipe-text")).to_contain_text("batch: 3")


def test_a_start_that_cannot_be_is_told_before_it(page: Page, tmp_path: Path):
    open_train(page)
    page.locator("#start-run").click()
    expect(page.locator("#start-said")).to_contain_text("there is no recipe yet")
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(changed(read_text(ready_recipes()[0].path), "step.model", "/nowhere/at/all"))
    drop_recipe(page, recipe)
    expect(page.locator("#forecast .bad").first).to_be_visible()
    page.locator("#start-run").click()
    expect(page.locator("#start-said")).to_contain_text("/nowhere")
    page.locator("#run-when label").filter(has_text="At a time").click()
    field(page, "run-hour").fill("soon")
    page.locator("#start-run").click()
    expect(page.locator("#start-said")).to_contain_text("'soon' is no time")
    expect(page.locator("#recipe-text")).to_contain_text("/nowhere/at/all")


def test_a_dropped_file_that_is_no_text_is_told(page: Page, tmp_path: Path):
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"\xff\xfe\xff")
    open_train(page)
    drop_recipe(page, bad)
    expect(page.locator("#recipe-said")).to_contain_text("not UTF-8")


def test_what_cannot_be_planned_is_told_in_its_place(page: Page):
    open_train(page)
    field(page, "train-model").fill("nobody/nothing-7b")
    field(page, "train-model").press("Enter")
    field(page, "train-size").fill("8")
    page.locator("#train-plan").click()
    expect(page.locator("#train-ways [data-outcome=problem]")).to_contain_text("is not built in")


def test_it_fits_a_phone(browser: Browser, url: str):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    open_page(phone, url)
    open_train(phone)
    drop_recipe(phone, ready_recipes()[0].path)
    expect(phone.locator("#form-batch")).to_be_visible()
    phone.wait_for_timeout(500)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("#train-plan", "#start-run", "#fold-build > button", "#form-batch input"):
        box = phone.locator(name).first.bounding_box()
        assert box is not None
        assert box["height"] >= 44, name
    phone.close()
