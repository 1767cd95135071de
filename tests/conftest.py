"""What all tests share: where the real data lie, and a home of their own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.hub_server.server import HubServer

# Tests run many processes on few cores, and models that are tiny: more threads in each would only wait for each other,
# and threads that spin while they wait would make each several times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# How long one example takes says nothing where others have the processor too.
settings.register_profile("beside others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside others")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test ever touches the library of the person who runs it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("REPAIRAI_HOME", str(folder))
    monkeypatch.delenv("REPAIRAI_DATABASE", raising=False)
    return folder


@pytest.fixture(autouse=True)
def stays_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that turned the tests' own process into another would end all tests without a word."""
    own = os.getpid()

    def become(path: str, words: list[str], *environ: dict[str, str]) -> None:
        if os.getpid() == own:
            pytest.fail(f"the tests' own process was to become {words}")
        (execve if environ else execv)(path, words, *environ)  # a fork of it may

    execv, execve = os.execv, os.execve
    for name in ("execv", "execve"):
        monkeypatch.setattr(os, name, become)


@pytest.fixture
def shared() -> Path:
    """The folder of real data that lies beside the repository; a test that needs it skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not part of the repository")
    return SHARED


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    try:
        refused = subprocess.run(mount, capture_output=True, check=False).returncode
    except FileNotFoundError:
        refused = 1
    if refused:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def hub(
    tmp_path: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["HubServer"]:
    """A fresh Hub on loopback, the only one that this process and those it starts know.

    HF_HOME is `tmp_path/hf`. After the test no token that this Hub gave out may stand in any file of the test, in what
    the test said, or in what was uploaded.
    """
    from tests.hub_server import clients, tokens
    from tests.hub_server.server import HubServer

    said: list[str] = []
    request.node.stash[SAID] = said
    before = clients.loaded()
    home = tmp_path / "hf"
    with pytest.MonkeyPatch.context() as patch, HubServer(tmp_path_factory.mktemp("hub")) as server:
        tokens.overhear(said, patch)
        clients.point_at(server.url, home, patch)
        yield server
        found = tokens.in_files(server.tokens, tmp_path, allowed=home) + server.leaks()
        found += [f"what the test said: {place}" for place in tokens.in_words(server.tokens, said)]
        address = server.url
    clients.turn_back(before, address, home)
    assert not found, f"a token stands in {', '.join(found)}"


SAID = pytest.StashKey[list[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """What a test with a Hub said, kept for the look for tokens."""
    report = yield
    if SAID in item.stash and call.when == "call":
        item.stash[SAID] += [text for _, text in report.sections]
    return report
