"""Asks iFixit's API 2.0: politely (one request a second, our name in it), patiently, and not for ever."""

from __future__ import annotations

import email.utils
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx
import tenacity

from repairai.errors import RepairError

IFIXIT = "https://www.ifixit.com/api/2.0"
_PAGE = 100
_LONGEST_ANSWER_BYTES = 32 * 2**20
_LONGEST_WAIT_SECONDS = 120.0
_LONGEST_BACKOFF_SECONDS = 30.0


class ServerFault(RepairError):
    """The server is away, too busy or does not answer: asking for other guides would not help now."""


class _Again(Exception):
    """A fault that may pass: what it was, and how many seconds the server asks to wait."""

    def __init__(self, what: str, wait_seconds: float = 0.0) -> None:
        super().__init__(what)
        self.what = what
        self.wait_seconds = wait_seconds


class IfixitApi:
    """One conversation with iFixit's API, or with a server of the same shape.

    Args:
        address: Where the API lies, without a slash at the end.
        interval_seconds: The least time from one request to the next.
        timeout_seconds: How long one whole answer may take.
        attempts: How often one thing is asked for before giving up.
        clock: Seconds that only grow.
        sleep: Waits so many seconds.
        on_wait: Told in words why and how long it waits after a fault.
    """

    def __init__(
        self,
        address: str = IFIXIT,
        *,
        interval_seconds: float = 1.0,
        timeout_seconds: float = 20.0,
        attempts: int = 4,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self.address = address.rstrip("/")
        self.on_wait = on_wait
        self._interval_seconds = interval_seconds
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._clock = clock
        self._sleep = sleep
        self._next_request = 0.0
        headers = {"User-Agent": _agent(), "Accept": "application/json"}
        self._client = httpx.Client(headers=headers, timeout=timeout_seconds, follow_redirects=True)

    def __enter__(self) -> IfixitApi:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def guide(self, number: str) -> dict[str, Any]:
        """Return what the API says about a guide.

        Raises:
            RepairError: There is no such guide, or the answer is not one.
            ServerFault: The server cannot be reached, is too busy or never answers.
        """
        answer = self._ask(f"guides/{number}", f"guide {number}")
        if not isinstance(answer, dict) or str(answer.get("guideid")) != number:
            raise _odd_answer(self.address, f"guide {number}")
        return answer

    def device(self, name: str) -> Iterator[str]:
        """Yield the number of each guide for a device; see `guide` for errors."""
        answer = self._ask(f"categories/{quote(name, safe='')}", f"device '{name}'")
        if not isinstance(answer, dict):
            raise _odd_answer(self.address, f"device '{name}'")
        yield from _numbers(answer.get("guides"))

    def listing(self, query: str = "") -> Iterator[str]:
        """Yield the number of every guide there is, asking for a page at a time; see `guide` for errors."""
        offset = 0
        while True:
            asked = f"guides?offset={offset}&limit={_PAGE}" + (f"&{query}" if query else "")
            answer = self._ask(asked, "the list of guides")
            if not isinstance(answer, list):
                raise _odd_answer(self.address, "the list of guides")
            yield from _numbers(answer)
            if len(answer) < _PAGE:
                return
            offset += _PAGE

    def _ask(self, path: str, what: str) -> Any:
        """Return the JSON that the server answers, after as many attempts as it takes or may take."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=_wait_seconds,
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            return retrying(self._ask_once, path, what)
        except _Again as fault:
            raise ServerFault(
                f"{self.address} {fault.what} when asked for {what}, {self._attempts} times", "try again later"
            ) from None

    def _ask_once(self, path: str, what: str) -> Any:
        self._keep_pace()
        try:
            with self._client.stream("GET", f"{self.address}/{path}") as response:
                self._check(response, what)
                body = self._read(response)
        except httpx.TimeoutException:
            raise _Again(f"did not answer within {self._timeout_seconds:g} s") from None
        except httpx.TransportError as error:
            raise _Again(f"could not be reached ({error})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerFault(f"{self.address} cannot be asked for {what}: {error}", "check the address") from None
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise _odd_answer(self.address, what) from None

    def _keep_pace(self) -> None:
        wait_seconds = self._next_request - self._clock()
        if wait_seconds > 0:
            self._sleep(wait_seconds)
        self._next_request = self._clock() + self._interval_seconds

    def _check(self, response: httpx.Response, what: str) -> None:
        status = response.status_code
        if status == 429 or status >= 500:
            wait_seconds = _retry_after(response.headers.get("Retry-After", ""))
            if wait_seconds > _LONGEST_WAIT_SECONDS:
                raise ServerFault(
                    f"{self.address} asks to wait {wait_seconds:.0f} s before {what}", "try again after that"
                )
            raise _Again(f"was too busy or broken (status {status})", wait_seconds)
        if status in (404, 410):
            raise RepairError(f"{self.address} has no {what} (status {status})", "check the address or number")
        if status != 200:
            raise RepairError(f"{self.address} does not give out {what} (status {status})", "try another guide")

    def _read(self, response: httpx.Response) -> bytes:
        """Return the whole answer; a server that only drips is told apart from one that answers."""
        until = self._clock() + self._timeout_seconds
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if self._clock() > until:
                raise _Again(f"did not finish its answer within {self._timeout_seconds:g} s")
            if len(body) > _LONGEST_ANSWER_BYTES:
                limit = _LONGEST_ANSWER_BYTES // 2**20
                raise RepairError(f"{self.address} answered with more than {limit} MiB", "check the address")
        return bytes(body)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        if self.on_wait and isinstance(fault, _Again) and state.next_action:
            self.on_wait(f"the server {fault.what}; waiting {state.next_action.sleep:.0f} s")


def _wait_seconds(state: tenacity.RetryCallState) -> float:
    """Return how long to wait: what the server asks for, else 1, 2, 4... seconds."""
    fault = state.outcome.exception() if state.outcome else None
    asked = fault.wait_seconds if isinstance(fault, _Again) else 0.0
    return asked or min(2.0 ** (state.attempt_number - 1), _LONGEST_BACKOFF_SECONDS)


def _retry_after(header: str) -> float:
    """Return the seconds in a `Retry-After` header: a number, or a date; 0 where it says neither.

    Source:
        RFC 9110, section 10.2.3.
    """
    if header.strip().isdigit():
        return float(header)
    date = email.utils.parsedate_tz(header)
    return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else 0.0


def _numbers(answer: object) -> Iterator[str]:
    for entry in answer if isinstance(answer, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("guideid"), int):
            yield str(entry["guideid"])


def _agent() -> str:
    try:
        version = importlib.metadata.version("repairai")
    except importlib.metadata.PackageNotFoundError:
        # A Space carries our source without installing it.
        version = "source"
    return f"RepairAI/{version} (repair guides for one person's own library; one request a second)"


def _odd_answer(address: str, what: str) -> RepairError:
    return RepairError(f"{address} answered with something that is not {what}", "check the address of the API")
