"""The API is asked politely and patiently, but not for ever; the server is real and stands on loopback."""

import contextlib
import email.utils
import itertools
import socket
import threading
import time

import pytest

from repairai.errors import RepairError
from repairai.sop.sources.ifixit_api import IfixitApi, ServerFault
from tests.sop.conftest import Clock
from tests.sop.ifixit_server import IfixitServer, api_guide


def test_a_guide_comes_with_our_name_on_the_request(server: IfixitServer, api: IfixitApi):
    server.guides[3141] = api_guide(3141)
    assert api.guide("3141")["title"] == "iPhone 4 Battery Replacement"
    assert server.asked == ["/api/2.0/guides/3141"]
    assert server.agents[0].startswith("RepairAI/")


def test_one_request_a_second(server: IfixitServer, api: IfixitApi, clock: Clock):
    server.guides = {number: api_guide(number) for number in (1, 2, 3)}
    for number in "123":
        api.guide(number)
    assert clock.slept == [1.0, 1.0]
    clock.now += 5
    api.guide("1")
    assert clock.slept == [1.0, 1.0]


def test_a_second_really_passes(server: IfixitServer):
    server.guides[1] = api_guide(1)
    with IfixitApi(server.address, interval_seconds=0.2) as api:
        began = time.monotonic()
        api.guide("1")
        api.guide("1")
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_server_is_asked_again_ever_later(server: IfixitServer, api: IfixitApi, clock: Clock, status: int):
    told: list[str] = []
    api.on_wait = told.append
    server.guides[1] = api_guide(1)
    server.faults = [(status, {})] * 3
    assert api.guide("1")["guideid"] == 1
    assert clock.slept == [1.0, 2.0, 4.0]
    assert told[0] == f"the server was too busy or broken (status {status}); waiting 1 s"


def test_the_wait_that_the_server_asks_for_is_kept(server: IfixitServer, api: IfixitApi, clock: Clock):
    server.guides[1] = api_guide(1)
    in_a_minute = email.utils.formatdate(time.time() + 60, usegmt=True)
    server.faults = [(429, {"Retry-After": "17"}), (503, {"Retry-After": in_a_minute}), (503, {"Retry-After": "soon"})]
    assert api.guide("1")
    assert clock.slept[0] == 17.0
    assert 55 <= clock.slept[1] <= 60
    assert clock.slept[2] == 4.0


def test_too_long_a_wait_is_told_instead(server: IfixitServer, api: IfixitApi, clock: Clock):
    server.faults = [(429, {"Retry-After": "3600"})]
    with pytest.raises(ServerFault, match="asks to wait 3600 s before guide 1; try again after that."):
        api.guide("1")
    assert clock.slept == []


def test_a_server_that_stays_broken_is_given_up(server: IfixitServer, api: IfixitApi):
    server.faults = [(500, {})] * 9
    with pytest.raises(ServerFault, match=r"status 500\) when asked for guide 1, 4 times; try again later."):
        api.guide("1")
    assert len(server.asked) == 4


def test_a_server_that_never_answers(server: IfixitServer):
    server.silent = True
    words = "did not answer within 0.1 s when asked for guide 1, 2 times"
    api = IfixitApi(server.address, interval_seconds=0, timeout_seconds=0.1, attempts=2, sleep=lambda _: None)
    with api, pytest.raises(ServerFault, match=words):
        api.guide("1")
    assert len(server.asked) == 2


def drip(listener: socket.socket) -> None:
    """Take one request and answer it a byte at a time."""
    talk, _ = listener.accept()
    with talk, contextlib.suppress(OSError):
        talk.recv(4096)
        talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            talk.sendall(b" ")
            time.sleep(0.01)


def test_a_server_that_only_drips():
    ticks = itertools.count(0, 3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/api/2.0"
        api = IfixitApi(address, timeout_seconds=5, attempts=1, clock=lambda: float(next(ticks)))
        with api, pytest.raises(ServerFault, match="did not finish its answer within 5 s"):
            api.guide("1")
        thread.join()


def test_no_server_at_all(clock: Clock):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    api = IfixitApi(f"http://127.0.0.1:{port}/api/2.0", clock=clock, sleep=clock.sleep)
    with api, pytest.raises(ServerFault, match="could not be reached"):
        api.guide("1")


def test_a_guide_that_is_not_there_is_not_asked_for_twice(server: IfixitServer, api: IfixitApi):
    with pytest.raises(RepairError, match=r"has no guide 99 \(status 404\); check the address or number."):
        api.guide("99")
    server.faults = [(403, {})]
    with pytest.raises(RepairError, match=r"does not give out guide 98 \(status 403\)"):
        api.guide("98")
    assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1, 2]", b'{"guideid": 7}', b"[" * 100_000, b"\xff\xfe"])
def test_an_answer_that_is_no_guide(server: IfixitServer, api: IfixitApi, body: bytes):
    server.guides[1] = body  # type: ignore[assignment]
    with pytest.raises(RepairError, match="answered with something that is not guide 1"):
        api.guide("1")


def test_devices_and_listings_name_their_guides(server: IfixitServer, api: IfixitApi):
    server.devices["iPhone 4/S"] = [3, 1]
    assert list(api.device("iPhone 4/S")) == ["3", "1"]
    with pytest.raises(RepairError, match="has no device 'Nothing'"):
        list(api.device("Nothing"))
    server.guides = {number: {} for number in range(1, 251)}
    assert list(api.listing()) == [str(number) for number in range(1, 251)]
    assert [path for path in server.asked if "offset" in path][-1] == "/api/2.0/guides?offset=200&limit=100"
