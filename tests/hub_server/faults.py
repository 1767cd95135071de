"""How the Hub misbehaves when a test asks for it."""

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .wire import Answer

CHUNK = 1 << 16
MESSAGES = {
    400: "Bad request",
    401: "Invalid credentials in Authorization header",
    402: "Payment required",
    403: "You don't have the required permissions to perform this action",
    404: "Not found",
    409: "Conflict",
    412: "A commit has happened since. Please refresh and try again.",
    416: "Range not satisfiable",
    429: "Too many requests",
    500: "Internal error, we're working hard to fix this as soon as possible!",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}


@dataclass
class Fault:
    """What goes wrong, where, and how often.

    Attributes:
        status: Answered in place of the right answer.
        path: Searched for in the request's path and query.
        method: Only requests of this one, where given.
        times: How often; None is always.
        after_bytes: The connection is dropped once so much of the body came in (PUT, POST) or went out (GET).
        bytes_per_second: The body comes in, or goes out, no faster.
        unanswered: It is done as it was asked, but the connection is dropped in place of the answer.
        delay_seconds: Waited before anything else.
        retry_after: Seconds named in the header Retry-After.
        code: The header X-Error-Code, such as `GatedRepo`.
        happened: How often it has.
    """

    status: int | None = None
    path: str = ""
    method: str | None = None
    times: int | None = 1
    after_bytes: int | None = None
    bytes_per_second: int | None = None
    unanswered: bool = False
    delay_seconds: float = 0.0
    retry_after: int | None = None
    message: str = ""
    code: str = ""
    happened: int = 0

    def fits(self, method: str, path: str) -> bool:
        spent = self.times is not None and self.happened >= self.times
        return not spent and self.method in (None, method) and re.search(self.path, path) is not None

    def answer(self) -> "Answer":
        from .wire import Refusal

        status = self.status or 500
        headers = {"Retry_After": str(self.retry_after)} if self.retry_after is not None else {}
        return Refusal(status, self.message or MESSAGES.get(status, "Error"), self.code, **headers).answer()


class CutError(Exception):
    """The connection is to be dropped now."""


@dataclass
class Passage:
    """How far and how fast one body goes through."""

    fault: Fault | None
    closing: threading.Event
    passed: int = 0

    def step(self, left: int) -> int:
        """How many of the bytes that are left may go through now.

        Raises:
            CutError: None, ever.
        """
        step = min(left, CHUNK)
        if self.fault and self.fault.after_bytes is not None:
            step = min(step, self.fault.after_bytes - self.passed)
            if step <= 0:
                raise CutError
        if self.fault and self.fault.bytes_per_second:
            step = min(step, max(1, self.fault.bytes_per_second // 20))
            self.closing.wait(step / self.fault.bytes_per_second)
        self.passed += step
        return step


@dataclass
class Faults:
    """Those that are to come, oldest first."""

    waiting: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, method: str, path: str) -> Fault | None:
        """The one that befalls this request, counted."""
        with self.lock:
            for fault in self.waiting:
                if fault.fits(method, path):
                    fault.happened += 1
                    return fault
        return None
