"""The app, served for tests, and a browser that opens it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 60_000
START_SECONDS = 300.0
"""For the app: the machine may have much else to do."""


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    """The app, served by `app.py` itself on a free port, with a home of its own."""
    with serving(tmp_path_factory.mktemp("home")) as address:
        yield address


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[str]:
    """The app, served by `app.py` itself on a free port, for a home.

    Args:
        home: Its folder.
        **environment: Of its process, beside this one's.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (home / "log.txt").open("a")
    app = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "REPAIRAI_HOME": str(home), **environment},
        stdout=log,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        _until_it_answers(app, address, home / "log.txt")
        yield address
    finally:
        app.terminate()
        app.wait(20)
        log.close()


def _until_it_answers(app: subprocess.Popen, address: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=10).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert app.poll() is None, log.read_text()
            assert time.monotonic() < end, f"the app does not answer after {START_SECONDS:g} s: {log.read_text()}"
            time.sleep(0.25)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("needs Chromium, which .ci/run installs")
    with sync_playwright() as play:
        own = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield own
        own.close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with_errors: list[str] = []
    foreign: list[str] = []
    own = browser.new_page(viewport={"width": 1280, "height": 1000})
    own.set_default_timeout(PATIENCE_MS)
    own.on("pageerror", lambda error: with_errors.append(str(error)))
    own.on("dialog", lambda dialog: (with_errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    own.on("request", lambda request: foreign.append(request.url) if not is_local(request.url) else None)
    open_page(own, url)
    yield own
    own.close()
    assert with_errors == []
    assert foreign == [], "the page asked another machine for something"


def is_local(address: str) -> bool:
    return address.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#check")).to_be_visible(timeout=PATIENCE_MS)
    # The page answers events once its live connection stands.
    page.wait_for_timeout(500)


def drop(page: Page, place: str, path: Path) -> None:
    """Give a file to a place for files, and wait until the app has it."""
    page.locator(f"{place} input[type=file]").set_input_files(str(path))
    expect(page.locator(f"{place} td[aria-label='{path.name}']")).to_be_visible(timeout=PATIENCE_MS)
