"""HTTP: reads requests, finds who answers them, and sends answers, whole, in part, or cut as a fault says."""

import contextlib
import hashlib
import json
import re
import shutil
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from .faults import CutError, Fault, Passage
from .store import Token, new_id

if TYPE_CHECKING:
    from .server import HubServer


class Refusal(Exception):
    """An error answer. The clients tell errors by `code` (the header X-Error-Code), not by the body."""

    def __init__(self, status: int, message: str, code: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self) -> "Answer":
        headers = {"X-Error-Message": self.message, **self.headers}
        if self.code:
            headers["X-Error-Code"] = self.code
        return Answer({"error": self.message}, self.status, headers)


@dataclass
class Request:
    """What was asked.

    Attributes:
        body_file: Where the body of an LFS upload lies; such a body is not in `body`.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Any
    base: str
    token: Token | None = None
    body: bytes = field(default=b"", repr=False)
    body_file: Path | None = None

    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def asked(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]


@dataclass
class Answer:
    """What is sent back: JSON, bytes, a file (whose range is served), or events one after the other."""

    content: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    file: Path | None = None
    events: Iterator[bytes] | None = None
    kind: str = "application/json"

    def data(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        return b"" if self.content is None else json.dumps(self.content).encode()


@dataclass(frozen=True)
class Seen:
    """A request that came, without what signed it."""

    method: str
    path: str
    query: str
    user: str
    status: int
    body: str


Route = Callable[..., Answer]
ROUTES: list[tuple[str, re.Pattern[str], Route]] = []


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """Names the function that answers; HEAD is answered as GET is. The first that fits answers."""

    def register(function: Route) -> Route:
        ROUTES.append((method, re.compile(pattern), function))
        return function

    return register


class Handler(BaseHTTPRequestHandler):
    """One connection to `hub`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: unbuffered, small writes wait 40 ms for each other
    hub: "HubServer"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer_one(self) -> None:
        split = urlsplit(self.path)
        request = Request(
            self.command, split.path, parse_qs(split.query), self.headers, f"http://{self.headers['Host']}"
        )
        fault = self.hub.faults.claim(self.command, self.path)
        answer = Answer(status=0)
        try:
            if fault and fault.delay_seconds:
                self.hub.closing.wait(fault.delay_seconds)
            uploads = self.command in ("PUT", "POST", "PATCH")
            self.read_body(request, Passage(fault if uploads else None, self.hub.closing))
            if fault and fault.status:
                answer = fault.answer()
            elif fault and fault.after_bytes == 0:
                raise CutError
            else:
                answer = self.find_answer(request)
            if fault and fault.unanswered:
                raise CutError
            self.send(answer, Passage(None if uploads else fault, self.hub.closing))
        except (CutError, ConnectionError, TimeoutError):
            self.drop()
        finally:
            if request.body_file:
                request.body_file.unlink(missing_ok=True)
            user = request.token.account if request.token else ""
            body = request.body[:2000].decode("utf-8", "replace")
            self.hub.log.append(Seen(self.command, request.path, split.query, user, answer.status, body))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer_one

    def find_answer(self, request: Request) -> Answer:
        try:
            words = (self.headers.get("Authorization") or "").split()
            if words:
                request.token = self.hub.store.tokens.get(words[-1])
                if request.token is None or words[-1] in self.hub.store.revoked:
                    request.token = None
                    raise Refusal(401, "Invalid credentials in Authorization header")
            for method, pattern, function in ROUTES:
                if method == request.method or (method == "GET" and request.method == "HEAD"):
                    match = pattern.fullmatch(request.path)
                    if match:
                        with self.hub.store.lock:
                            return function(self.hub, request, *(g and unquote(g) for g in match.groups()))
            raise Refusal(404, f"Sorry, we can't find the page you are looking for: {request.path}")
        except Refusal as refusal:
            return refusal.answer()
        except (LookupError, ValueError, TypeError, AttributeError, AssertionError, OSError):
            # A fault of this server: said loudly, and answered so that the client stops.
            traceback.print_exc(file=sys.stderr)
            return Refusal(500, f"the test Hub failed at {request.method} {request.path}").answer()

    def read_body(self, request: Request, passage: Passage) -> None:
        """Read the whole body, to a file where it is an upload's."""
        parts = self.body_parts(passage)
        if not request.path.startswith("/_lfs/") or request.method != "PUT":
            request.body = b"".join(parts)
            return
        request.body_file = self.hub.store.folder / "incoming" / new_id()
        with request.body_file.open("wb") as file:
            for part in parts:
                file.write(part)

    def body_parts(self, passage: Passage) -> Iterator[bytes]:
        for size in self.body_sizes():
            while size:
                part = self.rfile.read(passage.step(size))
                if not part:
                    raise ConnectionError("the client went away")
                size -= len(part)
                yield part

    def body_sizes(self) -> Iterator[int]:
        """The sizes of the pieces in which the body comes."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield int(self.headers.get("Content-Length") or 0)
            return
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            yield size
            self.rfile.readline()
        self.rfile.readline()

    def send(self, answer: Answer, passage: Passage) -> None:
        if answer.events is not None:
            return self.send_events(answer, passage.fault)
        data = answer.data()
        size = answer.file.stat().st_size if answer.file else len(data)
        first, last = 0, size - 1
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted and answer.status == 200 and "Accept-Ranges" in answer.headers:
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
            if first >= size:
                return self.send_head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
            answer.status = 206
            answer.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        length = last - first + 1
        self.send_head(answer.status, {"Content-Type": answer.kind, "Content-Length": str(length), **answer.headers})
        if self.command == "HEAD" or not length:
            return None
        with answer.file.open("rb") if answer.file else contextlib.nullcontext() as file:
            if file:
                file.seek(first)
            while length:
                step = passage.step(length)
                self.wfile.write(file.read(step) if file else data[first : first + step])
                first, length = first + step, length - step
                if passage.fault:
                    self.wfile.flush()
        return None

    def send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value.encode("latin-1", "replace").decode("latin-1").replace("\n", " "))
        self.end_headers()

    def send_events(self, answer: Answer, fault: Fault | None) -> None:
        """Server-sent events, each as soon as it is there; the connection's end is theirs."""
        self.close_connection = True
        self.send_head(answer.status, {"Content-Type": "text/event-stream", "Connection": "close", **answer.headers})
        sent = 0
        for event in answer.events or ():
            self.wfile.write(event)
            self.wfile.flush()
            sent += len(event)
            if fault and fault.after_bytes is not None and sent >= fault.after_bytes:
                raise CutError

    def drop(self) -> None:
        """End the connection at once, in the middle of whatever it was."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def move(source: Path, target: Path) -> None:
    shutil.move(source, target)
