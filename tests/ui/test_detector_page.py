"""A person's own photos to the detector that inspects, all on the page, in headless Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from repairai.vision.photo_set import PERSON, read_photo_set
from tests.ui.conftest import PATIENCE_MS, serving
from tests.ui.scene_zip import write_scene_zip

pytestmark = pytest.mark.browser
RUN_MS = 300_000
"""For what trains: the machine may have much else to do."""
PHOTO = Path(__file__).parents[2] / "repairai" / "builtin" / "photos" / "block-three-screws.jpg"
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with serving(home, HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1") as address:
        yield address


def open_eyes(page: Page) -> None:
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("tab", name="A detector for parts").click()
    expect(page.locator("#detector-start-run")).to_be_visible()


def field(page: Page, name: str):
    return page.locator(f"#{name} input, #{name} textarea").first


def fill(page: Page, name: str, value: str) -> None:
    field(page, name).fill(value)
    field(page, name).press("Tab")


def bring_in(page: Page, path: Path) -> None:
    expect(page.locator("#photos-bring")).to_be_visible()  # there are no photos: it is unfolded
    page.locator("#photos-files input[type=file]").set_input_files(str(path))
    expect(page.locator("#photos-files")).to_contain_text(path.name)
    fill(page, "photos-name", "bench")
    fill(page, "photos-licence", "CC0-1.0")
    page.locator("#photos-bring").click()
    expect(page.locator("#photos-progress")).to_contain_text("done")
    expect(page.locator("#photos-report .data")).to_have_attribute("data-name", "bench")


def draw_a_box(page: Page) -> None:
    """Draw a box in the middle of the open photo, and choose the first part for it."""
    canvas = page.locator("#box-editor canvas")
    expect(canvas).to_be_visible()
    page.wait_for_timeout(500)  # the photo is fetched
    canvas.scroll_into_view_if_needed()
    page.locator("#box-editor button[aria-label='Create box']").click()
    box = canvas.bounding_box()
    assert box is not None
    middle, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle - 30, down - 30)
    page.mouse.down()
    page.mouse.move(middle + 25, down + 25, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="OK", exact=True).click()


def test_photos_become_the_detector_that_inspects(page: Page, home: Path, tmp_path: Path):
    open_eyes(page)
    bring_in(page, write_scene_zip(tmp_path / "scenes.zip"))
    folder = home / "data" / "detector" / "bench"

    # What the doctor found; its photos; and what mends it.
    finding = page.locator("#doctor li").filter(has=page.locator("[data-show]")).first
    expect(finding).to_be_visible()
    finding.locator("[data-show]").click()
    expect(finding.locator("[data-show]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#photos .tile").first).to_be_visible()
    finding.locator("[data-show]").click()
    expect(page.locator("#photos .tile")).to_have_count(12)

    # One photo is corrected by hand.
    before = {each.name: each for each in read_photo_set(folder).photos}
    page.locator("#photos .tile").first.click()
    name = page.locator("#photo-editor h3").inner_text()
    draw_a_box(page)
    page.locator("#photo-save-next").click()
    expect(page.locator("#photo-said")).to_contain_text(f"{name} is saved with {len(before[name].boxes) + 1} box")
    now = read_photo_set(folder).photo(name).boxes
    assert [each.by for each in now].count(PERSON) == 1
    assert all(each.checked for each in now)

    # A recipe of few steps, and its start.
    page.locator("#detector-make").click()
    expect(page.locator("#detector-said")).to_contain_text("whole")
    for key, value in (("max-steps", "6"), ("eval-steps", "3"), ("batch", "4")):
        fill(page, f"detector-{key}", value)
        line = f"{key.replace('-', '_')}: {value}"
        expect(page.locator("#detector-text")).to_contain_text(line)
    page.locator("#detector-start-run").click()
    expect(page.locator("#run")).to_contain_text("builtin-full")
    expect(page.locator("#plots")).to_contain_text("What is found on validation photos", timeout=RUN_MS)
    expect(page.locator("#plots .canvas[aria-label*='at step 6']").nth(1)).to_be_visible(timeout=RUN_MS)
    assert "parts counted exactly" in page.locator("#plots").inner_text()

    # Evaluated, which chooses its thresholds; let inspect, though its test has few photos.
    expect(page.locator("#run-evaluate")).to_contain_text("Evaluate and calibrate", timeout=RUN_MS)
    fill(page, "exam-escape", "2")
    page.locator("#run-evaluate").click()
    expect(page.locator("#run-answer")).to_contain_text("builtin-full")
    expect(page.locator("#scores")).to_contain_text("Escapes", timeout=RUN_MS)
    expect(page.locator("#scores")).to_contain_text("2.0 % of escapes")
    page.locator("#run-activate").click()
    expect(page.locator("#gate")).to_contain_text("too few")
    page.locator("#run-anyway").click()
    expect(page.locator("#gate [data-active=true]")).to_be_visible()
    expect(page.locator("#answering [data-active]")).to_contain_text("builtin-full")

    # It inspects a photo.
    page.get_by_role("tab", name="Inspect").click()
    page.locator("#photo input[type=file]").set_input_files(str(PHOTO))
    field(page, "wanted").fill("3 screw")
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("builtin-full")
    expect(page.locator("#shown figure.overlay")).to_be_visible()
