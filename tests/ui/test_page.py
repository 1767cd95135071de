"""The page, driven in headless Chromium as a technician would drive it."""

import base64
import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from repairai.ui.workbench import sample_photos
from tests.ui.conftest import PATIENCE_MS, ROOT, drop, open_page

PHOTOS = ROOT / "repairai" / "builtin" / "photos"
pytestmark = pytest.mark.browser


def pick_practice_block(page: Page, step: int = 2) -> None:
    """Find the practice block by words and go to a step."""
    page.locator("#words input, #words textarea").press_sequentially("practice block", delay=5)
    result = page.locator("#found label").filter(has_text="Four-screw practice block").first
    result.click()
    expect(page.locator("#step-text article")).to_be_visible(timeout=PATIENCE_MS)
    for _ in range(8):
        shown = int(page.locator("#step-text article").get_attribute("data-step") or 0)
        if shown == step:
            break
        page.locator("#forth" if shown < step else "#back").click()
        expect(page.locator("#step-text article")).not_to_have_attribute("data-step", str(shown), timeout=PATIENCE_MS)


def give(page: Page, photo: Path, where: str = "#photo") -> None:
    clear = page.locator(f"{where} button[aria-label='Clear'], {where} button[aria-label='Remove Image']")
    if clear.count():
        clear.first.click()
    page.locator(f"{where} input[type=file]").set_input_files(str(photo))
    expect(page.locator(f"{where} img")).to_be_visible(timeout=PATIENCE_MS)


def check(page: Page) -> str:
    page.locator("#check").click()
    verdict = page.locator("#verdict [data-outcome]").first
    expect(verdict).not_to_have_attribute("data-outcome", "none", timeout=PATIENCE_MS)
    page.wait_for_timeout(300)
    return verdict.get_attribute("data-outcome") or ""


def test_search_pick_upload_verdict(page: Page):
    pick_practice_block(page)
    expect(page.locator("#step-text mark").first).to_contain_text("Install the four screws")
    expect(page.locator("#wanted textarea")).to_have_value("4 screw")
    give(page, PHOTOS / "block-three-screws.jpg")
    assert check(page) == "FAIL"
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("exactly 4 screws")
    expect(verdict).to_contain_text("3 screws")
    expect(verdict).to_contain_text("1 screw missing")
    # The photo stands below with a box for each part, toggled by label.
    expect(page.locator("#shown g.box:visible")).to_have_count(4)
    page.locator("#shown input[data-label=screw_hole]").uncheck()
    expect(page.locator("#shown g.box:visible")).to_have_count(3)


def test_words_that_no_guide_fits_are_answered(page: Page):
    words = page.locator("#words input, #words textarea")
    words.fill("zzzzqqqq")
    said = page.locator("#no-guide [role=status]")
    expect(said).to_have_text("No guide fits these words: try fewer, or bring guides in.", timeout=PATIENCE_MS)
    expect(page.locator("#found label")).to_have_count(0)
    words.fill("practice")
    expect(page.locator("#found label").first).to_be_visible(timeout=PATIENCE_MS)
    expect(said).to_have_text("")


def test_nothing_given_is_told_and_read_out_from_a_lasting_place(page: Page):
    place = page.locator("#verdict [role=status]")
    lasting = place.element_handle()
    assert check(page) == "problem"
    expect(place).to_contain_text("there is no photo yet")
    assert place.evaluate("(now, then) => now === then", lasting)


def test_an_edited_requirement_is_what_is_judged(page: Page):
    pick_practice_block(page)
    give(page, PHOTOS / "block-three-screws.jpg")
    page.locator("#wanted textarea").fill("three screws\nat least 1 screw hole")
    assert check(page) == "PASS"
    page.locator("#add").click()
    expect(page.locator("#wanted textarea")).to_have_value("three screws\nat least 1 screw hole\n4 screw")
    page.locator("#check").click()
    expect(page.locator("#verdict [data-outcome]").first).to_have_attribute("data-outcome", "FAIL", timeout=PATIENCE_MS)


def test_a_sample_gives_its_verdict_at_a_click(page: Page):
    outcomes = ("PASS", "FAIL", "UNCERTAIN", "PASS", "PASS", "PASS")
    for number, (sample, outcome) in enumerate(zip(sample_photos(), outcomes, strict=True)):
        page.locator(f"#sample-{number}").click()
        verdict = page.locator("#verdict")
        expect(verdict).to_contain_text(sample.photo, timeout=PATIENCE_MS)
        expect(verdict.locator("[data-outcome]").first).to_have_attribute("data-outcome", outcome)


def test_what_is_no_photo_is_told_in_a_sentence_and_loses_nothing(page: Page, tmp_path: Path):
    pick_practice_block(page)
    notes = tmp_path / "notes.jpg"
    notes.write_text("not a photo")
    page.locator("#photo input[type=file]").set_input_files(str(notes))
    page.wait_for_timeout(1000)
    assert check(page) == "problem"
    expect(page.locator("#verdict")).to_contain_text("notes.jpg is not a photo that can be read")
    expect(page.locator("#wanted textarea")).to_have_value("4 screw")
    give(page, PHOTOS / "block-four-screws.jpg")
    page.locator("#check").click()
    expect(page.locator("#verdict [data-outcome]").first).to_have_attribute("data-outcome", "PASS", timeout=PATIENCE_MS)
    # Nor does a requirement that cannot be read.
    page.locator("#wanted textarea").fill("some screws maybe?")
    page.locator("#check").click()
    expect(page.locator("#verdict [data-outcome]").first).to_have_attribute(
        "data-outcome", "problem", timeout=PATIENCE_MS
    )
    expect(page.locator("#wanted textarea")).to_have_value("some screws maybe?")


def test_a_photo_of_which_nothing_is_asked_settles_nothing(page: Page):
    give(page, PHOTOS / "block-four-screws.jpg")
    assert check(page) == "UNCERTAIN"
    expect(page.locator("#verdict")).to_contain_text("Say what the photo must show")


def test_a_device_is_chosen_before_any_word_is_typed(page: Page):
    page.get_by_label("Device").first.click()
    page.get_by_role("option", name="E-reader").click()
    expect(page.locator("#found label")).to_have_text(["E-reader battery replacement"], timeout=PATIENCE_MS)


def test_a_photo_from_before_is_given_by_hand(page: Page):
    page.get_by_label("Before and after").check()
    expect(page.locator("#before")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("#wanted textarea").fill("removed 2 screw")
    give(page, PHOTOS / "block-two-screws.jpg")
    give(page, PHOTOS / "block-four-screws.jpg", "#before")
    assert check(page) == "PASS"
    expect(page.locator("#shown")).to_contain_text("Before: block-four-screws.jpg")


DROP = """(element, [name, text]) => {
    const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, {type: "image/jpeg"}));
    element.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer}));
}"""
"""Sends what a browser sends when a file is dropped on an element."""
COPY = """async text => {
    const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], {type: "image/jpeg"}));
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext("2d").drawImage(picture, 0, 0);
    await navigator.clipboard.write([new ClipboardItem({"image/png": canvas.convertToBlob({type: "image/png"})})]);
}"""
"""Puts a photo on the clipboard, which takes PNG only."""


def test_a_photo_is_dropped(page: Page):
    photo = PHOTOS / "block-four-screws.jpg"
    page.locator("#wanted textarea").fill("4 screw")
    given = [photo.name, base64.b64encode(photo.read_bytes()).decode()]
    page.locator("#photo button.upload-container").evaluate(DROP, given)
    expect(page.locator("#photo img")).to_be_visible(timeout=PATIENCE_MS)
    assert check(page) == "PASS"
    expect(page.locator("#verdict")).to_contain_text("block-four-screws.jpg")


def test_a_photo_is_pasted(page: Page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#wanted textarea").fill("4 screw")
    page.evaluate(COPY, base64.b64encode((PHOTOS / "block-four-screws.jpg").read_bytes()).decode())
    page.locator("#photo button[aria-label='Paste from clipboard']").click()
    expect(page.locator("#photo img")).to_be_visible(timeout=PATIENCE_MS)
    assert check(page) == "PASS"


def test_two_tabs_do_not_disturb_each_other(page: Page, browser: Browser, url: str):
    other = browser.new_page()
    open_page(other, url)
    pick_practice_block(page)
    pick_practice_block(other, step=3)
    give(page, PHOTOS / "block-four-screws.jpg")
    give(other, PHOTOS / "block-two-screws.jpg")
    page.locator("#check").click()
    other.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("block-four-screws.jpg", timeout=PATIENCE_MS)
    expect(other.locator("#verdict")).to_contain_text("block-two-screws.jpg", timeout=PATIENCE_MS)
    expect(page.locator("#wanted textarea")).to_have_value("4 screw")
    other.close()


def test_inspections_are_kept_and_listed(page: Page):
    pick_practice_block(page)
    give(page, PHOTOS / "block-three-screws.jpg")
    check(page)
    page.get_by_role("tab", name="Records").click()
    row = page.locator("#records [role=gridcell]")
    expect(row.filter(has_text="block-three-screws.jpg").first).to_be_visible(timeout=PATIENCE_MS)
    expect(row.filter(has_text="FAIL").first).to_be_visible()
    row.filter(has_text="block-three-screws.jpg").first.click()
    expect(page.locator("#record [data-outcome=FAIL]").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_hostile_guide_is_imported_read_and_removed_without_becoming_live(page: Page, tmp_path: Path):
    hostile = "<img src=x onerror=\"alert('in')\"><script>alert(1)</script> ${alert(2)} {{alert(3)}}"
    guide = {
        "guideid": 990099,
        "title": f"Evil {hostile}",
        "category": "Zebra recorder",
        "url": "https://www.ifixit.com/Guide/x/990099",
        "steps": [
            {"orderby": 1, "lines": [{"text_raw": f"Remove the two screws {hostile}", "bullet": "black", "level": 0}]}
        ],
    }
    path = tmp_path / "evil.json"
    path.write_text(json.dumps(guide))
    page.get_by_role("tab", name="Guides").click()
    drop(page, "#guide-files", path)
    page.locator("#import-files").click()
    expect(page.locator("#import-report")).to_contain_text("1 added", timeout=PATIENCE_MS)
    page.locator("#library-device input, #library-device textarea").fill("zebra")
    cell = page.locator("#library [role=gridcell]").filter(has_text="ifixit-990099")
    expect(cell.first).to_be_visible(timeout=PATIENCE_MS)
    cell.first.click()
    expect(page.locator("#guide")).to_contain_text("${alert(2)} {{alert(3)}}", timeout=PATIENCE_MS)
    page.get_by_role("tab", name="Inspect").click()
    page.locator("#words input, #words textarea").press_sequentially("zebra recorder", delay=5)
    page.locator("#found label").filter(has_text="Zebra").first.click()
    expect(page.locator("#step-text")).to_contain_text("Remove the two screws", timeout=PATIENCE_MS)
    page.get_by_role("tab", name="Guides").click()
    page.locator("#remove-guide").click()
    expect(page.locator("#import-report")).to_contain_text("is removed", timeout=PATIENCE_MS)


def test_a_guide_that_was_removed_in_another_tab_is_told(page: Page, browser: Browser, url: str, tmp_path: Path):
    path = tmp_path / "quagga.yaml"
    path.write_text(
        "{id: own-quagga, title: Quagga lid, device: Quagga recorder, licence: CC0-1.0, "
        "steps: [{number: 1, lines: [{text: Remove the lid.}]}]}"
    )
    page.get_by_role("tab", name="Guides").click()
    drop(page, "#guide-files", path)
    page.locator("#import-files").click()
    expect(page.locator("#import-report")).to_contain_text("1 added", timeout=PATIENCE_MS)
    page.locator("#library-device input, #library-device textarea").fill("quagga")
    own = page.locator("#library [role=gridcell]").filter(has_text="own-quagga").first
    expect(own).to_be_visible(timeout=PATIENCE_MS)
    other = browser.new_page()
    open_page(other, url)
    other.get_by_role("tab", name="Guides").click()
    other.locator("#library-device input, #library-device textarea").fill("quagga")
    other.locator("#library [role=gridcell]").filter(has_text="own-quagga").first.click()
    other.locator("#remove-guide").click()
    expect(other.locator("#import-report")).to_contain_text("is removed", timeout=PATIENCE_MS)
    other.close()
    own.click()
    expect(page.locator(".toast-body")).to_contain_text("own-quagga", timeout=PATIENCE_MS)


def test_a_file_that_is_no_guide_is_told(page: Page, tmp_path: Path):
    path = tmp_path / "notes.json"
    path.write_text("these are notes")
    page.get_by_role("tab", name="Guides").click()
    drop(page, "#guide-files", path)
    page.locator("#import-files").click()
    expect(page.locator("#import-report [data-outcome=problem]")).to_contain_text("notes.json", timeout=PATIENCE_MS)


def test_it_works_without_a_mouse(page: Page):
    page.locator("#sample-0").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict [data-outcome]").first).to_have_attribute("data-outcome", "PASS", timeout=PATIENCE_MS)
    toggle = page.locator("#shown input[type=checkbox]").first
    toggle.focus()
    page.keyboard.press("Space")
    expect(toggle).not_to_be_checked()
    page.locator("#wanted textarea").fill("2 screw")
    page.locator("#check").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict [data-outcome]").first).to_have_attribute("data-outcome", "FAIL", timeout=PATIENCE_MS)


def test_the_keyboard_leads_through_a_guide_to_a_record(page: Page):
    page.locator("#words input, #words textarea").focus()
    page.keyboard.type("practice block")
    expect(page.locator("#found label").first).to_contain_text("Four-screw practice block", timeout=PATIENCE_MS)
    tab_to(page, "#found input")
    page.keyboard.press("Space")
    expect(page.locator("#step-text article")).to_be_visible(timeout=PATIENCE_MS)
    tab_to(page, "#forth")
    page.keyboard.press("Enter")
    expect(page.locator("#step-text article")).to_have_attribute("data-step", "2", timeout=PATIENCE_MS)
    tab_to(page, "#wanted textarea")
    page.keyboard.press("Control+A")
    page.keyboard.type("1 screw")
    give(page, PHOTOS / "block-two-screws.jpg")
    tab_to(page, "#check")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict [data-outcome]").first).to_have_attribute("data-outcome", "FAIL", timeout=PATIENCE_MS)
    page.get_by_role("tab", name="Inspect").focus()
    tab_to(page, "[role=tab] >> text=Records")
    page.keyboard.press("Enter")
    row = page.locator("#records [role=gridcell]").filter(has_text="block-two-screws.jpg").first
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    tab_to(page, "#records [role=gridcell]")
    page.keyboard.press("Enter")
    expect(page.locator("#record [data-outcome=FAIL]").first).to_be_visible(timeout=PATIENCE_MS)


def test_passing_over_the_steps_keeps_what_was_edited(page: Page):
    page.locator("#words input, #words textarea").fill("practice block")
    page.locator("#found label").filter(has_text="Four-screw practice block").first.click()
    expect(page.locator("#step-text article")).to_have_attribute("data-step", "1", timeout=PATIENCE_MS)
    wanted = page.locator("#wanted textarea")
    wanted.fill("1 screw")
    page.locator("#step input").focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)  # in which it used to be read from the step anew
    assert wanted.input_value() == "1 screw"
    page.locator("#forth").click()
    expect(page.locator("#step-text article")).to_have_attribute("data-step", "2", timeout=PATIENCE_MS)
    expect(wanted).not_to_have_value("1 screw", timeout=PATIENCE_MS)


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus is on what is wanted."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(wanted).first.evaluate("element => element.contains(document.activeElement)"):
            return
    raise AssertionError(f"Tab never comes to {wanted}")


BEHIND = """element => {
    let behind = element.parentElement;
    while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
    return getComputedStyle(behind).backgroundColor;
}"""
"""The colour that an element stands on."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_has_the_focus_stands_out(browser: Browser, url: str, theme: str):
    own = browser.new_page()
    open_page(own, f"{url}?__theme={theme}")
    for name in ("#back", "#forth", "#words input", "#wanted textarea", "#check"):
        own.locator(name).focus()
        expect(own.locator(name)).to_have_css("outline-style", "solid")
        own.wait_for_timeout(400)  # colours pass over into each other
        ring = own.locator(name).evaluate("element => getComputedStyle(element).outlineColor")
        assert contrast(ring, own.locator(name).evaluate(BEHIND)) >= 3, name
    for name in ("Back", "Next"):
        expect(own.get_by_role("button", name=name, exact=True)).to_be_visible()
    own.close()


def contrast(one: str, other: str) -> float:
    """Return the ratio of two CSS colours. Source: WCAG 2.2, contrast ratio and relative luminance."""

    def luminance(colour: str) -> float:
        shares = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_it_fits_a_phone_and_a_glove(browser: Browser, url: str):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    open_page(phone, url)
    phone.locator("#sample-1").click()
    expect(phone.locator("#verdict [data-outcome=FAIL]").first).to_be_visible(timeout=PATIENCE_MS)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("#check", "#forth", "#back", "#add", "#sample-0", "#shown .toggle", "#how .wrap-inner"):
        assert phone.locator(name).first.bounding_box()["height"] >= 48, name
    # A button that broke its words into two lines, or a row that broke in two, would be higher.
    assert phone.locator("#add").bounding_box()["height"] < 60
    assert phone.locator(".stepper").bounding_box()["height"] < 120
    phone.close()


def test_all_tabs_are_as_wide_and_show_nothing_of_a_run_that_is_not_there(page: Page):
    page.set_viewport_size({"width": 1000, "height": 900})
    widths = {}
    for name in ("Inspect", "Guides", "Train", "Runs", "Records", "Hub", "Hardware"):
        page.get_by_role("tab", name=name, exact=True).click()
        widths[name] = page.locator("#tabs").evaluate("tabs => tabs.clientWidth")
        if name == "Runs":
            expect(page.locator("#runs")).to_contain_text("There are no runs yet", timeout=PATIENCE_MS)
            expect(page.locator("#fold-log")).to_be_hidden()
    assert set(widths.values()) == {936}, widths


def test_a_foreign_host_name_gets_nothing(url: str):
    request = urllib.request.Request(url, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 400


def test_files_of_this_machine_are_not_served(url: str):
    for path in ("/etc/passwd", str(ROOT / "app.py")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}gradio_api/file={path}", timeout=10)
        assert refused.value.code in (403, 404)
