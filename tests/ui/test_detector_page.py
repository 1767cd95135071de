"""A person's own photos to the detector that inspects, all on the page, in headless Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from repairai.vision.photo_set import PERSON, LabelledBox, LabelledPhoto, PhotoSet, read_photo_set, write_photo_set
from tests.ui.conftest import PATIENCE_MS, drop, serving
from tests.ui.scene_zip import write_scene_zip
from tests.vision.tiny_open_models import owl, sam

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
    drop(page, "#photos-files", path)
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


def few_photos(home: Path) -> Path:
    """A set of three photos: a box on the first one, and nothing said of the others."""
    folder = home / "data" / "detector" / "few"
    (folder / "photos").mkdir(parents=True)
    photos = []
    for number, path in enumerate(sorted(PHOTO.parent.glob("block-*.jpg"))[:3]):
        with Image.open(path) as picture:
            size = picture.size
        shutil.copy(path, folder / "photos")
        boxes = (LabelledBox("screw", (100.0, 150.0, 240.0, 290.0), PERSON, True),) if number == 0 else ()
        photos.append(LabelledPhoto(path.name, *size, boxes, source=path.stem, labelled=number == 0))
    write_photo_set(PhotoSet(folder, ("screw",), tuple(photos)))
    return folder


def test_what_a_person_shows_is_found_on_other_photos(page: Page, home: Path, tmp_path: Path):
    folder, model = few_photos(home), owl(tmp_path / "owl")
    page.reload()
    expect(page.locator("#check")).to_be_visible()
    page.wait_for_timeout(500)
    open_eyes(page)
    page.get_by_label("Photos that were brought in, newest first").click()
    page.get_by_role("option", name="few").first.click()
    expect(page.locator("#photos-report .data")).to_have_attribute("data-name", "few")
    page.locator("#photos .tile").first.click()
    expect(page.locator("#box-editor canvas")).to_be_visible()
    page.locator("#fold-propose > button").click()
    field(page, "propose-model").fill(str(model))
    field(page, "propose-model").press("Enter")
    fill(page, "propose-floor", "0.1")
    page.locator("#propose-like").click()
    expect(page.locator("#photos-progress")).to_contain_text("Finding more on few: done", timeout=RUN_MS)
    said = page.locator("#photos-progress").inner_text()
    assert "boxes on 2 photos" in said
    assert "%|" not in said, "what a library draws while it loads a model is not for the person"
    expect(page.locator("#photos rect[stroke-dasharray]").first).to_be_visible()
    now = read_photo_set(folder)
    assert [each.waits for each in now.photos] == [False, True, True]
    assert now.photos[0].boxes[0].by == PERSON
    assert {box.part for box in now.photos[1].boxes} == {"screw"}
    expect(page.locator("#doctor")).to_contain_text("wait for your yes")


def test_masks_are_shown_on_an_inspection(page: Page, tmp_path: Path):
    model = sam(tmp_path / "sam")
    page.locator("#photo input[type=file]").set_input_files(str(PHOTO))
    field(page, "wanted").fill("3 screw")
    page.locator("#fold-seeing > button").click()
    fill(page, "inspect-detector", "builtin")
    fill(page, "inspect-masks", str(model))
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text("sam@", timeout=RUN_MS)
    expect(page.locator("#shown path.mask").first).to_be_attached()
    fill(page, "inspect-masks", str(tmp_path / "none"))
    page.locator("#check").click()
    expect(page.locator("#verdict, #shown").filter(has_text="none").first).to_be_visible(timeout=RUN_MS)
