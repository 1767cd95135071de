"""A question of state judged, corrected, learned from and judged again, all on the page, in headless Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from repairai.judge.limits import limits_path, write_limits
from repairai.records import Records
from repairai.schema import StateLimits
from tests.judge.vision_server import VisionServer
from tests.ui.blocks import TOP_LEFT, WANTED_TEXT, keep_answered, write_block
from tests.ui.conftest import PATIENCE_MS, drop, open_page, serving

pytestmark = pytest.mark.browser
RUN_MS = 300_000
"""For what trains: the machine may have much else to do."""
KEPT = 78
"""Inspections that were answered before the page opens: enough for a test of ten photos and more."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with serving(home, HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1") as address:
        yield address


@pytest.fixture
def vision() -> Iterator[VisionServer]:
    vision = VisionServer()
    yield vision
    vision.close()


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#{name} input, #{name} textarea").first


def inspect(page: Page, photo: Path, wanted: str = WANTED_TEXT) -> None:
    clear = page.locator("#photo button[aria-label='Clear'], #photo button[aria-label='Remove Image']")
    if clear.count():
        clear.first.click()
    page.locator("#photo input[type=file]").set_input_files(str(photo))
    expect(page.locator("#photo img")).to_be_visible()
    field(page, "wanted").fill(wanted)
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_contain_text(photo.name)


def outcome(page: Page, place: str = "#verdict") -> Locator:
    return page.locator(f"{place} [data-outcome]").first


def finding(page: Page, reason: str) -> Locator:
    return page.locator(f"#verdict tr[data-reason={reason}]")


def test_corrections_become_the_judge_that_is_used(page: Page, home: Path, tmp_path: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPAIRAI_HOME", str(home))
        keep_answered(tmp_path, range(100, 100 + KEPT))

    # A count and a state: nobody judges states yet, so the verdict is open, and the person settles it.
    for seed, button, said in ((11, "yes", "PASS"), (12, "no", "FAIL")):
        inspect(page, write_block(tmp_path / f"own-{seed}.jpg", seed, seed % 2 == 1))
        expect(finding(page, "count_met")).to_contain_text("at least 1 screw")
        expect(finding(page, "state_unknown")).to_contain_text("not judged from the photo")
        expect(outcome(page)).to_have_attribute("data-outcome", "UNCERTAIN")
        page.locator(f"#verdict button[data-answer={button}]").click()
        expect(outcome(page)).to_have_attribute("data-outcome", said)
        expect(finding(page, "person_said")).to_contain_text(f"a person says {button}")
        expect(page.locator("#verdict [data-kept]")).to_contain_text(f"You said {button}: kept with inspection")

    # What was answered becomes examples.
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("tab", name="A judge of states").click()
    expect(page.locator("#states-build")).to_be_visible()  # there are none: it is unfolded
    page.get_by_label("My kept inspections, and what I answered").check()
    field(page, "states-name").fill("blocks")
    page.locator("#states-build").click()
    expect(page.locator("#states-progress")).to_contain_text("Building blocks: done", timeout=RUN_MS)
    report = page.locator("#states-report .data")
    expect(report).to_have_attribute("data-examples", str(KEPT + 2))
    expect(report).to_contain_text(TOP_LEFT.question)
    expect(page.locator("#states-report .tile img").first).to_be_visible()

    # The light classifier learns from them, is evaluated and let judge.
    page.locator("#judge-make").click()
    expect(page.locator("#judge-said")).to_contain_text("whole")
    expect(page.locator("#judge-text")).to_contain_text("linear_probe")
    expect(page.locator("#judge-forecast")).to_contain_text("minutes, on the processor")
    page.locator("#judge-start-run").click()
    expect(page.locator("#run")).to_contain_text("builtin-linear_probe")
    expect(page.locator("#run-evaluate")).to_contain_text("Evaluate and calibrate", timeout=RUN_MS)
    expect(page.locator("#answering [data-active]")).to_contain_text("nobody but the person")
    field(page, "exam-escape").fill("40")
    field(page, "exam-escape").press("Tab")
    page.locator("#run-evaluate").click()
    expect(page.locator("#scores [data-figures=after]")).to_contain_text("100.0 %", timeout=RUN_MS)
    expect(page.locator("#run-activate")).to_contain_text("Let it judge")
    page.locator("#run-activate").click()
    expect(page.locator("#gate [data-active=true]")).to_contain_text("judges states now")
    expect(page.locator("#answering [data-active]")).to_contain_text("builtin-linear_probe")

    # It judges the next photos, beside the count, and where it looked is shown.
    page.get_by_role("tab", name="Inspect").click()
    for seed, reason, said in ((21, "state_met", "PASS"), (22, "state_missed", "FAIL")):
        inspect(page, write_block(tmp_path / f"next-{seed}.jpg", seed, seed % 2 == 1))
        expect(finding(page, reason)).to_be_visible()
        expect(finding(page, "count_met")).to_be_visible()
        expect(outcome(page)).to_have_attribute("data-outcome", said)
        expect(page.locator("#verdict")).to_contain_text("builtin-linear_probe")
        expect(page.locator("#verdict figure.crop img")).to_be_visible()
        expect(page.locator("#verdict .sure")).to_be_visible()
        expect(page.locator("#shown g.region")).to_have_count(1)

    # A person has the last word, now and later.
    page.locator("#verdict button[data-answer=yes]").click()
    expect(outcome(page)).to_have_attribute("data-outcome", "PASS")
    page.get_by_role("tab", name="Records").click()
    row = page.locator("#records [role=gridcell]").filter(has_text="next-22.jpg").first
    row.click()
    expect(page.locator("#record button[data-answer=yes]")).to_have_attribute("aria-pressed", "true")
    page.locator("#record button[data-answer=no]").click()
    expect(outcome(page, "#record")).to_have_attribute("data-outcome", "FAIL")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPAIRAI_HOME", str(home))
        last = Records().answers()[-1]
    assert (last.question, last.answer) == (TOP_LEFT.question, "no")

    # One step back, and nobody judges again.
    page.get_by_role("tab", name="Runs").click()
    page.locator("#runs a.run").filter(has_text="builtin-linear_probe").last.click()
    page.locator("#run-back").click()
    expect(page.locator("#answering [data-active]")).to_contain_text("nobody but the person")


def test_a_question_is_added_and_a_server_answers_it(page: Page, home: Path, tmp_path: Path, vision: VisionServer):
    question, opposite = "Is the board light?", "Is the board dark?"
    photo = write_block(tmp_path / "light.jpg", 31, True)
    page.locator("#fold-question > button").click()
    field(page, "question").fill("Is the lid open")
    expect(field(page, "question-opposite")).to_have_value("Is the lid closed?")
    field(page, "question").fill(question)
    field(page, "question-opposite").fill(opposite)
    page.locator("#add-question").click()
    expect(field(page, "wanted")).to_have_value(f"{question} yes / {opposite}")
    page.locator("#fold-seeing > button").click()
    judge = page.locator("#inspect-judge input").first
    judge.fill("http://192.0.2.1:9/v1")
    judge.press("Enter")
    expect(page.locator("#judge-away")).to_contain_text("192.0.2.1, which is not this machine")
    judge.fill(f"{vision.url}#llava")
    judge.press("Enter")
    expect(page.locator("#judge-away p")).to_have_count(0)

    # Nothing was measured of it: what it says is a hint, and decides nothing.
    inspect(page, photo, f"{question} yes / {opposite}")
    expect(finding(page, "unmeasured_judge")).to_contain_text("hint only")
    expect(page.locator("#verdict .sure")).to_be_visible()
    expect(outcome(page)).to_have_attribute("data-outcome", "UNCERTAIN")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPAIRAI_HOME", str(home))
        write_limits(limits_path(f"{vision.url}#llava"), {"": StateLimits(0.7, sources=60)})
    page.locator("#check").click()
    expect(finding(page, "state_met").or_(finding(page, "state_missed"))).to_be_visible()

    # It goes down, and the count stands all the same.
    vision.status, vision.body = 500, "no"
    inspect(page, photo, f"1+ screw\n{question} yes / {opposite}")
    expect(finding(page, "judge_failed")).to_be_visible()
    expect(finding(page, "count_met")).to_be_visible()

    # No photo shows how tight a screw is: nobody is asked.
    asked = len(vision.asked)
    inspect(page, photo, "Is the screw tight? yes / Is the screw loose?")
    expect(finding(page, "not_observable")).to_be_visible()
    assert len(vision.asked) == asked
    judge.fill(str(tmp_path / "none"))
    judge.press("Enter")
    inspect(page, photo, f"1+ screw\n{question} yes / {opposite}")
    expect(page.locator("#verdict")).to_contain_text("there is no judge of states named")
    expect(finding(page, "count_met")).to_be_visible()


def test_a_step_offers_what_it_may_be_asked(page: Page):
    page.locator("#found label").filter(has_text="E-reader battery replacement").first.click()
    expect(page.locator("#step-text article")).to_have_attribute("data-step", "1")
    for step in ("2", "3"):
        page.locator("#forth").click()
        expect(page.locator("#step-text article")).to_have_attribute("data-step", step)
    expect(field(page, "wanted")).not_to_have_value("")
    before = field(page, "wanted").input_value()
    page.locator("#offered label").filter(has_text="Is the battery connector unplugged?").click()
    asked = "Is the battery connector unplugged? yes / Is the battery connector plugged in?"
    expect(field(page, "wanted")).to_have_value(f"{before}\n{asked}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_gloves_and_phones_can_answer(browser: Browser, url: str, tmp_path: Path, theme: str):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.set_default_timeout(PATIENCE_MS)
    open_page(phone, f"{url}?__theme={theme}")
    inspect(phone, write_block(tmp_path / "phone.jpg", 41, True))
    for answer in ("yes", "no"):
        button = phone.locator(f"#verdict button[data-answer={answer}]")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert box["width"] >= 120
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.locator("#verdict button[data-answer=no]").focus()
    phone.keyboard.press("Enter")
    expect(outcome(phone)).to_have_attribute("data-outcome", "FAIL")
    # The verdict is written anew, and the focus stays.
    expect(phone.locator("#verdict button[data-answer=no]")).to_be_focused()
    phone.close()


def test_phones_reach_every_kind_and_its_drop_boxes(browser: Browser, url: str, tmp_path: Path):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.set_default_timeout(PATIENCE_MS)
    open_page(phone, url)
    phone.get_by_role("tab", name="Train").click()
    for name in ("An agent that answers", "A detector for parts", "A judge of states"):
        tab = phone.get_by_role("tab", name=name)
        expect(tab).to_be_in_viewport(ratio=1)
        box = tab.bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert tab.evaluate("own => own.scrollWidth <= own.clientWidth"), f"{name} is cut off"
    tab.click()
    expect(phone.locator("#judge-start-run")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390

    # What a pile is called covers nothing in its box, and its buttons are called by words.
    pile = phone.locator("#states-yes")
    if not pile.is_visible():  # there are states already: it is folded
        phone.locator("#fold-states > button").click()
    expect(pile.locator(".icon-wrap")).to_be_visible()
    label, icon = pile.locator("label").first.bounding_box(), pile.locator(".icon-wrap").bounding_box()
    assert label is not None
    assert icon is not None
    assert icon["y"] >= label["y"] + label["height"]
    drop(phone, "#states-yes", write_block(tmp_path / "one.jpg", 51, True))
    names = [button.get_attribute("aria-label") or "" for button in pile.get_by_role("button").all()]
    assert "Upload" in names
    assert not [name for name in names if "." in name and name != "one.jpg"]
    phone.close()
