"""A page that is reachable from outside, and which names the page answers under, seen from where others are."""

import base64
import http.client
import json
import re
import urllib.parse
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from repairai.ui.blocks import build, serve
from tests.ui.conftest import PATIENCE_MS, ROOT
from tests.ui.test_train_shared import free_port

PHOTO = ROOT / "repairai" / "builtin" / "photos" / "block-four-screws.jpg"
LOGIN = ("bench", "four-screws")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guests(tmp_path_factory) -> Iterator[str]:
    """A page that is shared with a password, its tunnel being one that leads nowhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPAIRAI_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("gradio.networking.setup_tunnel", lambda **named: "http://abcdef.gradio.live")
        page, port = build(shared=True), free_port()
        serve(page, port, LOGIN, share=True, block=False)
        page.share = False  # else Gradio lets the browser fetch its scripts from a server of its own, for speed
        yield f"http://127.0.0.1:{port}/"
        page.close(verbose=False)


def test_a_guest_gives_the_password_inspects_and_finds_nothing_that_trains(browser: Browser, guests: str):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(guests)
    expect(page.locator("#check")).to_have_count(0)
    page.get_by_label("username").fill(LOGIN[0])
    page.get_by_label("password").fill(LOGIN[1])
    page.get_by_role("button", name="Login").click()
    expect(page.locator("#check")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(500)
    tabs = [each for each in page.get_by_role("tab").all_inner_texts() if each.strip()]
    assert tabs == ["Inspect", "Guides", "Records"]
    expect(page.locator("#fold-seeing")).to_have_count(0)
    page.locator("#wanted textarea").fill("4 screw")
    page.locator("#photo input[type=file]").set_input_files(str(PHOTO))
    expect(page.locator("#photo img")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("#check").click()
    expect(page.locator("#verdict [data-outcome=PASS]").first).to_be_visible(timeout=PATIENCE_MS)
    page.close()


def test_who_has_no_password_gets_nothing(guests: str):
    assert asked(guests, "/config", "abcdef.gradio.live")[0] == 401
    assert asked(guests, "/gradio_api/info", "abcdef.gradio.live")[0] == 401


@pytest.mark.parametrize("name", ["abcdef.gradio.live", "127.0.0.1:7860", "localhost", "[::1]:7860"])
def test_a_shared_page_answers_under_its_names(guests: str, name: str):
    assert asked(guests, "/", name)[0] == 200


@pytest.mark.parametrize("name", ["evil.example", "gradio.live", "abc.gradio.live.evil.example", "evilgradio.live"])
def test_a_shared_page_answers_under_no_other(guests: str, name: str):
    assert asked(guests, "/", name)[0] == 400


# ---- the page of this machine alone


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:7860", "[::1]", "[::1]:7860"])
def test_the_page_answers_under_names_of_its_machine(url: str, name: str):
    assert asked(url, "/", name)[0] == 200


@pytest.mark.parametrize(
    "name",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "x@127.0.0.1", "127.0.0.1:80:80", "::1", "",
     "192.168.1.7", "abc.gradio.live", "abc.hf.space", "<b>x</b>"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/queue/data?session_hash=x", "/gradio_api/file=/x.jpg"])
def test_a_foreign_name_gets_one_sentence(url: str, name: str, path: str):
    code, kind, text = asked(url, path, name)
    assert code == 400
    assert kind.startswith("text/plain")
    assert text.startswith("RepairAI answers under names of its own machine")
    assert text.count("\n") == 1


def test_two_names_at_once_get_nothing(url: str):
    assert asked(url, "/", "127.0.0.1", "evil.example")[0] == 400


def test_a_foreign_name_opens_no_socket(url: str):
    place = urllib.parse.urlsplit(url)
    line = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    key = base64.b64encode(b"0123456789abcdef").decode()
    line.putrequest("GET", "/gradio_api/queue/join", skip_host=True)
    for header in (("Host", "evil.example"), ("Connection", "Upgrade"), ("Upgrade", "websocket"),
                   ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key)):  # fmt: skip
        line.putheader(*header)
    line.endheaders()
    assert line.getresponse().status in (400, 403)
    line.close()


@pytest.mark.parametrize("host", ["localhost:7860", "[::1]:7860"])
def test_a_photo_goes_in_streams_and_comes_back_under_each_name(url: str, host: str):
    """Gradio's own ways: upload, the queue, its stream of events, and a file."""
    boundary = "----photo"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="block.jpg"\r\n\r\n'.encode()
    body = head + PHOTO.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    form = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    code, _, text = asked(url, "/gradio_api/upload", host, body=body, headers=form)
    assert code == 200
    (path,) = json.loads(text)
    config = json.loads(asked(url, "/config", host)[2])
    ids = {each["props"].get("elem_id"): each["id"] for each in config["components"]}
    event = next(each for each in config["dependencies"] if [ids["check"], "click"] in each["targets"])
    photo = {"path": path, "orig_name": "block.jpg", "meta": {"_type": "gradio.FileData"}}
    values = {ids["photo"]: photo, ids["before"]: None, ids["wanted"]: "4 screw", ids["view"]: "device"}
    values |= {ids["keep"]: False, ids["inspect-detector"]: "", ids["inspect-masks"]: ""}
    call = {"data": [values.get(each) for each in event["inputs"]], "fn_index": event["id"], "session_hash": "named"}
    as_json = {"Content-Type": "application/json"}
    assert asked(url, "/gradio_api/queue/join", host, body=json.dumps(call).encode(), headers=as_json)[0] == 200
    _, kind, stream = asked(url, "/gradio_api/queue/data?session_hash=named", host)
    assert kind.startswith("text/event-stream")
    assert re.search(r'data-outcome=\\"PASS\\"', stream), stream[-500:]
    assert asked(url, f"/gradio_api/file={urllib.parse.quote(path)}", host)[0] == 200


def asked(
    url: str, path: str, *names: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Status, kind and text of what a server answers that is asked under these names."""
    place = urllib.parse.urlsplit(url)
    line = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    line.putrequest("POST" if body else "GET", path, skip_host=True)
    for header in (*(("Host", name) for name in names), *(headers or {}).items()):
        line.putheader(*header)
    if body:
        line.putheader("Content-Length", str(len(body)))
    line.endheaders(body)
    answer = line.getresponse()
    text = answer.read().decode(errors="replace")
    line.close()
    return answer.status, answer.headers.get("content-type", ""), text
