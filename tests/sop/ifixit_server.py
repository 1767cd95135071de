"""A server on loopback that answers in the shape of iFixit's API 2.0, and fails when it is told to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def api_guide(number: int, **changes: Any) -> dict[str, Any]:
    """A guide as `/api/2.0/guides/{number}` gives it, with the markup, nulls and odd media that real ones have."""
    photo = {
        "id": 1,
        "guid": "a",
        "standard": "https://photos.example/1.standard",
        "original": "https://photos.example/1",
    }
    steps = [
        {
            "guideid": number,
            "stepid": 901,
            "orderby": None,
            "title": "Bottom &amp; screws",
            "media": {"type": "image", "data": [photo]},
            "lines": [
                {"text_raw": "Remove the two [[Page#Section|Pentalobe]] screws.", "bullet": "black", "level": 0},
                {
                    "text_raw": "",
                    "text_rendered": "Use a <a href='/x'>T5</a> &lt;bit&gt;.",
                    "bullet": "red",
                    "level": 1,
                },
                {"text_raw": "'''Never''' pry here: <b> is not bold.", "bullet": "icon_caution", "level": 0},
                {"text_raw": "Keep them.", "bullet": "icon_note", "level": 0},
                {"text_raw": "Mind [guide|750|soldering].", "bullet": "icon_reminder", "level": 0},
            ],
        },
        {
            "stepid": 902,
            "title": "",
            "media": {"type": "video", "data": {"id": 5}},
            "lines": [{"text_raw": "Lift it."}],
        },
        {"stepid": 903, "title": None, "media": {"type": "image", "data": [photo]}, "lines": []},
        {"stepid": 904, "title": "", "lines": [{"text_raw": "Disconnect the battery connector.", "level": 0}]},
    ]
    guide = {
        "guideid": number,
        "locale": "en",
        "title": "iPhone 4 Battery Replacement",
        "category": "iPhone 4",
        "subject": "Battery",
        "introduction_raw": "Before you begin, ''discharge'' the battery.",
        "introduction_rendered": "<p>Before you begin</p>",
        "steps": steps,
        "tools": [{"text": "Spudger", "url": "https://x"}, {"name": "P2 Screwdriver", "quantity": 1}],
        "parts": [],
        "author": {"userid": 1, "username": "Andrew"},
        "revisionid": 7,
        "url": f"https://www.ifixit.com/Guide/iPhone+4+Battery+Replacement/{number}",
        "public": True,
    }
    return {**guide, **changes}


class IfixitServer:
    """Serves `guides`; `faults` are answered first, one a request, as (status, headers).

    Attributes:
        asked: The path of every request, in order.
        agents: The user agent of every request.
        silent: While set, requests are taken and never answered.
    """

    def __init__(self) -> None:
        self.guides: dict[int, dict[str, Any]] = {}
        self.devices: dict[str, list[int]] = {}
        self.faults: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []
        self.agents: list[str] = []
        self.silent = False
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/api/2.0"

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> Any:
        parts = urlsplit(path)
        words = [unquote(word) for word in parts.path.split("/")[3:]]
        if words == ["guides"]:
            asked = parse_qs(parts.query)
            first, limit = int(asked["offset"][0]), int(asked["limit"][0])
            numbers = sorted(self.guides)[first : first + limit]
            return [{"guideid": number, "revisionid": 7, "flags": []} for number in numbers]
        if words[:1] == ["categories"]:
            numbers = self.devices.get(words[1])
            return numbers and {"title": words[1], "guides": [{"guideid": number} for number in numbers]}
        return self.guides.get(int(words[1]))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                server.agents.append(self.headers["User-Agent"])
                if server.silent:
                    server._closing.wait(30)
                    return
                status, headers = server.faults.pop(0) if server.faults else (200, {})
                data = server.answer(self.path) if status == 200 else None
                if status == 200 and data is None:
                    status, data = 404, {"message": "not found"}
                body = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                pass

        return Handler
