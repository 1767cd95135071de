"""The whole road to the Hub and back, on the page: log in, pull, use, train with a push behind it, deploy, open."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from repairai.runs import parcels
from repairai.runs.process import read_process
from tests.hub_server.server import HubServer
from tests.runs import runs_to_share
from tests.ui.conftest import open_page, serving
from tests.ui.guides import write_guides
from tests.ui.hub.test_hub_page import field, log_in, open_hub
from tests.ui.test_page import check, give, pick_practice_block
from tests.ui.test_space_page import OWN, lean, started
from tests.ui.tiny_agent import save_tiny_agent, tiny_recipe

__all__ = ["lean"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE_MS = 120_000
STEPS = 4


@pytest.fixture
def url(hub: HubServer, home: Path) -> Iterator[str]:
    home.mkdir(parents=True, exist_ok=True)
    with serving(home, OMP_NUM_THREADS="1") as address:
        yield address
    for path in home.glob("runs/*/process.json"):
        process = read_process(path)
        if process and psutil.pid_exists(process.pid):
            psutil.Process(process.pid).kill()


@pytest.fixture
def maker(hub: HubServer, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody else has on the Hub: a detector, a base, an adapter on it, data, and a base to train."""
    monkeypatch.setenv("REPAIRAI_HOME", str(tmp_path / "of-the-maker"))
    runs_to_share.eyes("eyes")
    runs_to_share.built()
    base = runs_to_share.tiny_base(tmp_path / "base")
    runs_to_share.agent(base)
    for parcel, kind, name in (
        (parcels.of_run("eyes", "maker/eyes"), "model", "maker/eyes"),
        (parcels.of_run("agent", "maker/agent", base="maker/base"), "model", "maker/agent"),
        (parcels.of_sop_data("lamps", "maker/lamps"), "dataset", "maker/lamps"),
    ):
        hub.add_repo(kind, name, {**dict(parcel.files), "README.md": parcel.card})
    hub.add_folder("model", "maker/base", base)
    guides = write_guides(tmp_path / "guides.jsonl", 12)
    hub.add_folder("model", "maker/small", save_tiny_agent(tmp_path / "small", guides.read_text().splitlines()))
    monkeypatch.setenv("REPAIRAI_HOME", str(home))


@pytest.mark.usefixtures("maker")
def test_from_a_login_to_a_space_that_inspects(
    page: Page, browser: Browser, hub: HubServer, home: Path, tmp_path: Path, lean: Path
):
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    token = hub.add_user("me", pro=True)  # who may have a Space on a processor
    open_hub(page)
    log_in(page, token)
    expect(page.locator("#hub-who")).to_contain_text("may write")
    pull(page, "maker/eyes", "maker--eyes inspects now")
    pull(page, "maker/agent", "maker/agent answers questions now")
    pull(page, "maker/lamps", "", "data sets")

    inspect(page)
    ask(page)
    train(page, tmp_path)
    see_its_card(page, hub, home)
    deploy(page)

    there = hub.check_out("space", "me/inspector", tmp_path / "there")
    with started(lean, there, tmp_path / "there-home", SPACE_ID="me/inspector") as address:
        visit = browser.new_page()
        visit.set_default_timeout(PATIENCE_MS)
        open_page(visit, address)
        pick_practice_block(visit)
        give(visit, OWN / "photos" / "block-three-screws.jpg")
        assert check(visit) == "FAIL"
        expect(visit.locator("#verdict")).to_contain_text("1 screw missing")
        visit.close()
    assert not hub.leaks()


def pull(page: Page, repo: str, said: str, among: str = "models") -> None:
    field(page, "pull-repo").fill(repo)
    page.locator("#pull-kind label").filter(has_text=among).click()
    page.locator("#pull-look").click()
    expect(page.locator("#pull-shown")).to_contain_text(repo)
    page.locator("#pull-fetch").click()
    expect(page.locator(f"#pull-progress [data-pulled='{repo}']")).to_be_visible()
    if said:
        page.locator("#pull-use").click()
        expect(page.locator("#pull-progress")).to_contain_text(said)


def inspect(page: Page) -> None:
    page.get_by_role("tab", name="Inspect").click()
    pick_practice_block(page)
    give(page, OWN / "photos" / "block-three-screws.jpg")
    assert check(page) in ("PASS", "FAIL", "UNCERTAIN")
    expect(page.locator("#verdict")).to_contain_text("maker--eyes@")


def ask(page: Page) -> None:
    page.get_by_role("tab", name="Guides").click()
    page.locator("#ask-question textarea, #ask-question input").fill("How do I take the screws out of the block?")
    page.locator("#ask").click()
    expect(page.locator("#ask-answer section.answer")).to_contain_text("Written by maker")


def train(page: Page, tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path / "small.yaml", Path("maker/small"), max_steps=STEPS, eval_steps=2)
    page.get_by_role("tab", name="Train").click()
    page.locator("#recipe-file input[type=file]").set_input_files(str(recipe))
    expect(page.locator("#recipe-text")).to_contain_text("maker/small")
    page.locator("#run-name input, #run-name textarea").fill("small")
    page.locator("#elsewhere > button").click()
    field(page, "push-to").fill("else/small")
    page.locator("#start-run").click()
    expect(page.locator("#start-said")).to_contain_text("else is neither me")
    field(page, "push-to").fill("me/small")
    field(page, "push-to").press("Tab")
    expect(page.locator("#train-command")).to_contain_text("--push me/small")
    page.locator("#start-run").click()
    expect(page.locator("#run [data-shown=small][data-state=finished]")).to_be_visible()


def see_its_card(page: Page, hub: HubServer, home: Path) -> None:
    until = time.monotonic() + PATIENCE_MS / 1000
    while not list(home.glob("pushes/*/state.json")) and time.monotonic() < until:
        time.sleep(0.1)
    open_hub(page)
    expect(page.locator("#pushes [data-state=done]")).to_contain_text("me/small")
    made = hub.repo("model", "me/small")
    assert made is not None
    assert made.private
    card = hub.read("model", "me/small", "README.md").decode()
    assert "base_model: maker/small" in card
    assert "license: cc-by-nc-sa" in card, "what its data ask for travels with it"
    page.locator("#hub-mine").click()
    expect(page.locator("#hub-found [data-repo='me/small']")).to_contain_text("private")


def deploy(page: Page) -> None:
    page.locator("#space-detector input").click()
    page.get_by_role("option", name="the detector that comes with RepairAI", exact=True).click()
    field(page, "space-repo").fill("me/inspector")
    page.locator("#space-look").click()
    expect(page.locator("#space-said [data-space=plan]")).to_contain_text("me/inspector, private")
    page.locator("#space-deploy").click()
    expect(page.locator("#space-said [data-deployed='me/inspector']")).to_be_visible()
