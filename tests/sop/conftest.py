"""What the tests of guides and search share."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from repairai.sop.guides import import_guides
from repairai.sop.library import Library, Report
from repairai.sop.sources.ifixit_api import IfixitApi
from tests.conftest import SHARED
from tests.sop.ifixit_server import IfixitServer


@dataclass(frozen=True)
class Imported:
    """The five MyFixit files in a library, and what the import said."""

    library: Library
    folder: Path
    report: Report
    progress: list[tuple[int, int | None, str]]


@pytest.fixture(scope="session")
def myfixit(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not part of the repository")
    library = Library(tmp_path_factory.mktemp("myfixit") / "library")
    progress: list[tuple[int, int | None, str]] = []
    report = import_guides(SHARED / "myfixit", library, lambda *told: progress.append(told))
    return Imported(library, SHARED / "myfixit", report, progress)


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
