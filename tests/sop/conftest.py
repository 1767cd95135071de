"""What the tests of guides and search share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from repairai.sop.ifixit_api import IfixitApi
from repairai.sop.library import Library
from tests.sop.ifixit_server import IfixitServer


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[IfixitServer]:
    server = IfixitServer()
    yield server
    server.close()


@pytest.fixture
def api(server: IfixitServer, clock: Clock) -> Iterator[IfixitApi]:
    with IfixitApi(server.address, clock=clock, sleep=clock.sleep) as api:
        yield api


@pytest.fixture
def library(home: Path) -> Library:
    return Library()
