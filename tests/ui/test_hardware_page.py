"""The Hardware tab, driven in headless Chromium."""

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import PATIENCE_MS, open_page

pytestmark = pytest.mark.browser


def open_tab(page: Page) -> None:
    tab = page.get_by_role("tab", name="Hardware")
    if not tab.is_visible():  # a phone shows those that have no room behind a button
        more = page.locator(".overflow-menu > button")
        box = more.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= 44
        more.click()
        tab = page.locator(".overflow-dropdown button").filter(has_text="Hardware")
    tab.click()
    expect(page.locator("#machine .meter").first).to_be_visible(timeout=PATIENCE_MS)


def work_out(page: Page) -> None:
    page.locator("#plan").click()
    expect(page.locator("li.way").first).to_be_visible(timeout=PATIENCE_MS)


def test_the_machine_is_shown_live(page: Page):
    open_tab(page)
    expect(page.locator("#machine")).to_contain_text("GiB free")
    first = page.locator("#machine").inner_html()
    page.wait_for_timeout(4000)
    assert page.locator("#machine .meter").count() >= 3
    assert first


def test_what_fits_a_card_is_told_with_reasons_and_becomes_a_recipe(page: Page):
    open_tab(page)
    page.locator("#plan-size input").fill("8")
    work_out(page)
    first = page.locator("li.way").first
    expect(first).to_have_attribute("data-fit", "fits")
    expect(first).to_contain_text("QLoRA of Meta-Llama-3-8B")
    expect(first).to_contain_text("without gradient checkpointing it would hold")
    expect(page.locator("li.way[data-fit='does not fit']").first).to_contain_text("It would fit")
    page.locator("#make-recipe").click()
    expect(page.locator("#recipe pre")).to_be_visible(timeout=PATIENCE_MS)
    recipe = yaml.safe_load(page.locator("#recipe pre").inner_text())
    assert recipe["step"]["method"] == "qlora"
    assert recipe["forecast"]["held_gib"][1] <= 8


def test_rules_of_thumb_stand_beside_our_figures(page: Page):
    open_tab(page)
    rows = page.locator("#rules tbody tr")
    expect(rows.first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#rules")).to_contain_text("6 to 8 GB")
    assert rows.count() >= 12
    expect(page.locator("#past-runs")).to_contain_text("No run has been compared yet")


def test_what_cannot_be_planned_is_told_in_a_sentence(page: Page):
    open_tab(page)
    for model, size, said in (
        ("nobody/nothing-7b", "8", "is not built in, and the Hub cannot be reached"),
        ("meta-llama/Llama-3.2-1B", "100000", "there is no card with 100000 GiB"),
        ("PekingU/rtdetr_r18vd", "8", "is not a language model"),
        ("<b>no</b>", "8", "is no name of a model"),
    ):
        page.locator("#plan-model input").fill(model)
        page.locator("#plan-model input").press("Enter")
        page.locator("#plan-size input").fill(size)
        page.locator("#plan").click()
        expect(page.locator(".toast-body").filter(has_text=said)).to_be_visible(timeout=PATIENCE_MS)


def test_a_task_brings_its_own_models(page: Page):
    open_tab(page)
    page.locator("#plan-task").get_by_text("Detector").click()
    expect(page.locator("#plan-model input")).to_have_value("PekingU/rtdetr_v2_r50vd", timeout=PATIENCE_MS)
    page.locator("#plan-size input").fill("8")
    work_out(page)
    expect(page.locator("li.way").first).to_contain_text("photos of 640 px")


def test_it_fits_a_phone(browser: Browser, url: str):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    open_page(phone, url)
    open_tab(phone)
    phone.locator("#plan-size input").fill("8")
    work_out(phone)
    phone.wait_for_timeout(500)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("#plan", "#make-recipe", "li.way summary"):
        box = phone.locator(name).first.bounding_box()
        assert box is not None
        assert box["height"] >= 48, name
    phone.close()
