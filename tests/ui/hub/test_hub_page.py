"""The Hub tab, driven in headless Chromium against a Hub on loopback."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from repairai.files import PULLED, write_record
from repairai.hub import pushes
from repairai.hub.pulled import Pulled
from repairai.runs import parcels
from tests.hub_server.server import HubServer
from tests.runs import runs_to_share
from tests.ui.conftest import PATIENCE_MS, serving

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def url(hub: HubServer, home: Path) -> Iterator[str]:
    home.mkdir(parents=True, exist_ok=True)
    with serving(home, OMP_NUM_THREADS="1") as address:
        yield address


def open_hub(page: Page) -> None:
    tab = page.get_by_role("tab", name="Hub", exact=True)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-dropdown button").filter(has_text="Hub")
    tab.click()
    expect(page.locator("#hub-who [data-online]")).to_be_visible()


def log_in(page: Page, token: str) -> None:
    page.locator("#hub-token input").fill(token)
    page.locator("#hub-log-in").click()


def field(page: Page, name: str):
    return page.locator(f"#{name} input, #{name} textarea").first


def shows(page: Page, token: str) -> bool:
    """Whether a token stands anywhere in the page, in what it shows or in what its boxes hold."""
    boxes = page.evaluate("[...document.querySelectorAll('input, textarea')].map(each => each.value).join(' ')")
    return token in page.content() or token in boxes


def test_somebody_logs_in_finds_something_and_lets_it_inspect(page: Page, hub: HubServer, home: Path):
    runs_to_share.eyes("given")
    parcel = parcels.of_run("given", "maker/eyes")
    contents: dict[str, bytes | str | Path] = {**dict(parcel.files), "README.md": parcel.card, "a.bin": b"a pickle"}
    hub.add_repo("model", "maker/eyes", contents)
    hub.add_repo("model", "me/old", {"README.md": "---\ntags: [repairai-agent]\n---\n"}, private=True)
    hub.add_user("me", write=False)
    reads, writes = hub.add_token("me", "read"), hub.add_token("me")
    open_hub(page)
    expect(page.locator("#hub-who")).to_contain_text("Nobody is logged in")
    expect(page.locator("#hub-token input")).to_have_attribute("type", "password")

    log_in(page, "hf_" + "x" * 34)
    expect(page.locator("#hub-said")).to_contain_text("the Hub does not know this token")
    expect(page.locator("#hub-token input")).to_have_value("")
    log_in(page, "with a space in it")
    expect(page.locator("#hub-said")).to_contain_text("that is no token")
    log_in(page, reads)
    expect(page.locator("#hub-who")).to_contain_text("may only read")
    expect(page.locator("#hub-token input")).to_have_value("")
    log_in(page, writes)
    expect(page.locator("#hub-who")).to_contain_text("may write")
    expect(page.locator("#hub-token input")).not_to_be_visible()
    assert not shows(page, reads)
    assert not shows(page, writes)
    expect(page.locator("#hub-found [data-repo='me/old']")).to_contain_text("private")
    expect(page.locator("#hub-found a").first).to_have_css("color", "rgb(15, 118, 110)")  # the page's one accent

    field(page, "hub-words").fill("eyes")
    page.locator("#hub-search").click()
    page.locator("#hub-found [data-look='maker/eyes']").click()
    expect(page.locator("#pull-shown")).to_contain_text("maker/eyes: a detector that inspects")
    expect(page.locator("#pull-shown")).to_contain_text("1 file left where it is")
    page.locator("#pull-fetch").click()
    expect(page.locator("#pull-progress [data-pulled='maker/eyes']")).to_be_visible()
    assert (home / "models" / "maker--eyes" / "limits.json").is_file()
    page.locator("#pull-use").click()
    expect(page.locator("#pull-progress")).to_contain_text("maker--eyes inspects now")
    delete_it(page, home)

    field(page, "pull-repo").fill("maker/nothing")
    page.locator("#pull-look").click()
    expect(page.locator("#pull-shown [data-outcome=problem]")).to_contain_text("maker/nothing")
    page.locator("#hub-log-out").click()
    expect(page.locator("#hub-who")).to_contain_text("Nobody is logged in")
    page.locator("#hub-mine").click()
    expect(page.locator("#hub-found")).to_contain_text("Log in to see your own models")


def fetched(home: Path, repo: str) -> Path:
    """A model as a pull leaves it."""
    folder = home / "models" / repo.replace("/", "--")
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(bytes(3 * 2**20))
    write_record(folder / PULLED, Pulled(repo, "model", "0" * 40, "agent", "mit", "2026-01-01T00:00:00+00:00", ()))
    return folder


def delete_it(page: Page, home: Path) -> None:
    """What was fetched and inspects is deleted once another one inspects, and that was said twice."""
    row = page.locator("#fetched [data-repo='maker/eyes'][data-in-use]")
    expect(row).to_have_attribute("data-in-use", "yes")
    expect(row).to_contain_text("a detector that inspects")
    row.get_by_role("button", name="Delete maker/eyes").click()
    expect(row.locator(".refused")).to_contain_text("let another one inspect first with the button beside it")
    row.get_by_role("button", name="Let another one inspect").click()
    expect(page.locator("#fetched-said")).to_contain_text("What inspects now: the detector that comes with RepairAI")
    row.get_by_role("button", name="Delete maker/eyes").click()
    expect(row.locator(".doomed")).to_contain_text("This cannot be undone")
    expect(row.get_by_role("button", name="Keep it")).to_be_focused()
    assert all(each.bounding_box()["height"] >= 48 for each in row.get_by_role("button").all())
    row.get_by_role("button", name="Keep it").click()
    expect(row.locator(".doomed")).to_have_count(0)
    row.get_by_role("button", name="Delete maker/eyes").click()
    row.get_by_role("button", name="Delete it for good").click()
    expect(page.locator("#fetched-said")).to_contain_text("maker/eyes is deleted")
    expect(page.locator("#fetched li")).to_have_count(0)
    assert not (home / "models" / "maker--eyes").exists()


def choose(page: Page, name: str, option: str) -> None:
    page.locator(f"#{name} input").click()
    page.get_by_role("option", name=option).click()


def test_an_adapter_is_pushed_once_it_was_looked_at(page: Page, hub: HubServer, home: Path, tmp_path: Path):
    runs_to_share.built()
    runs_to_share.agent(runs_to_share.tiny_base(tmp_path / "base"))
    hub.add_user("other")
    hub.add_user("me", write=False)
    open_hub(page)
    log_in(page, hub.add_token("me", "read"))
    expect(page.locator("#hub-who")).to_contain_text("may only read")
    choose(page, "push-good", "lamps: examples for an agent")
    expect(field(page, "push-repo")).to_have_value("me/lamps")
    page.locator("#push-look").click()
    expect(page.locator("#push-shown")).to_contain_text("the token of me may read, but not write me/lamps")
    log_in(page, hub.add_token("me"))
    expect(page.locator("#hub-who")).to_contain_text("may write")

    choose(page, "push-good", "agent: an agent, an adapter")
    expect(field(page, "push-repo")).to_have_value("me/agent")
    page.locator("#push-look").click()
    expect(page.locator("#push-shown")).to_contain_text("say what that is called on the Hub, in the box above")
    field(page, "push-base").fill("maker/tiny-base")
    field(page, "push-repo").fill("other/agent")
    page.locator("#push-look").click()
    expect(page.locator("#push-shown")).to_contain_text("other is neither me, who is logged in, nor an organisation")
    field(page, "push-repo").fill("me/agent")
    page.locator("#push-look").click()
    expect(page.locator("#push-shown [data-plan='me/agent']")).to_have_attribute("data-private", "yes")
    expect(page.locator("#push-shown")).to_contain_text("Only you see it.")
    expect(page.locator("#push-shown .card-body")).to_contain_text("an adapter on maker/tiny-base that answers")
    expect(page.locator("#push-shown .card-head")).to_contain_text("license: cc-by-nc-sa-3.0")
    assert hub.repo("model", "me/agent") is None, "nothing goes before it was said to"
    page.locator("#push-send").click()
    expect(page.locator("#pushes [data-state=done]")).to_contain_text("me/agent")
    there = hub.repo("model", "me/agent")
    assert there is not None
    assert there.private
    assert "training_args.bin" not in there.files()

    page.locator("#push-look").click()
    expect(page.locator("#push-shown")).to_contain_text("all of it is there already as it is here")
    expect(page.locator("#push-send")).not_to_be_visible()
    page.locator("#pushes [data-do=forget]").click()
    expect(page.locator("#push-said")).to_contain_text("is out of the list")
    expect(page.locator("#pushes [data-state]")).to_have_count(0)


def test_a_push_outlives_a_lost_network_and_can_be_cancelled(page: Page, hub: HubServer):
    runs_to_share.photos()
    open_hub(page)
    log_in(page, hub.add_user("me"))
    expect(field(page, "push-repo")).to_have_value("me/bench")
    page.locator("#push-look").click()
    expect(page.locator("#push-shown")).to_contain_text("a new data set")
    hub.misbehave(503, "/commit/", times=None)
    page.locator("#push-send").click()
    expect(page.locator("#pushes [data-state=waiting]")).to_be_visible()
    page.locator("#pushes [data-do=cancel]").click()
    expect(page.locator("#pushes [data-state=cancelled]")).to_be_visible()
    hub.behave()
    page.locator("#pushes [data-do=again]").click()
    expect(page.locator("#pushes [data-state=done]")).to_be_visible()
    there = hub.repo("dataset", "me/bench")
    assert there is not None
    assert "train/metadata.jsonl" in there.files()

    # One that is begun elsewhere shows by itself, and moves nothing away from under a hand.
    rows = page.locator("#pushes .push")
    rows.first.hover()
    pushes.begin(parcels.of_photo_set("bench", "me/again"), "me/again")
    expect(rows.nth(1)).to_contain_text("me/again")
    expect(rows.first).to_contain_text("me/bench")
    page.mouse.move(2, 2)
    expect(rows.first).to_contain_text("me/again")


def test_a_hub_that_is_not_there_is_shown_calmly(page: Page, hub: HubServer, home: Path):
    folder = fetched(home, "maker/base")
    with hub.away():
        open_hub(page)
        page.locator("#fetched [data-do=ask]").click()
        page.locator("#fetched [data-do=sure]").click()
        expect(page.locator("#fetched-said")).to_contain_text("maker/base is deleted: 3.0 MiB are free again")
        assert not folder.exists()
        expect(page.locator("#hub-who")).to_contain_text("not connected")
        expect(page.locator("#hub-who")).to_contain_text("Everything on this machine works without it")
        expect(page.locator("#hub-token input")).not_to_be_visible()
        expect(page.locator("#pull-repo")).not_to_be_visible()
        expect(page.locator("#push-good")).not_to_be_visible()
        page.get_by_role("tab", name="Inspect", exact=True).click()
        expect(page.locator("#check")).to_be_visible()
        open_hub(page)
        expect(page.locator("#hub-again")).to_be_visible()
    for _ in range(20):  # what was asked while it was away may be answered late
        if page.locator("#hub-again").is_visible():
            page.locator("#hub-again").click()
        page.wait_for_timeout(2000)
        if page.locator("#hub-token input").is_visible():
            break
    expect(page.locator("#hub-who")).to_contain_text("Nobody is logged in")
    expect(page.locator("#hub-token input")).to_be_visible()


def test_it_fits_a_phone(page: Page, hub: HubServer, home: Path):
    fetched(home, "maker/" + "a-long-name" * 7)
    page.set_viewport_size({"width": 390, "height": 844})
    hub.add_repo("model", "maker/" + "a-long-name" * 7, {"README.md": "x"})
    expect(page.locator(".overflow-menu > button")).to_be_visible()  # tabs without room have gone there
    expect(page.get_by_role("tab", name="Hub", exact=True)).not_to_be_visible()
    open_hub(page)
    log_in(page, hub.add_user("me"))
    expect(page.locator("#hub-who")).to_contain_text(re.compile("may write"))
    field(page, "hub-words").fill("long")
    page.locator("#hub-search").click()
    expect(page.locator("#hub-found li")).to_have_count(1)
    page.locator("#fetched [data-do=ask]").click()
    expect(page.locator("#fetched .doomed")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
