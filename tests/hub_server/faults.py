"""How the Hub misbehaves when a test asks for it."""

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .wire import Answer

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
