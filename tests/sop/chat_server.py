"""A chat server on loopback that answers as it is told, in OpenAI's way."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ChatServer:
    """Streams `pieces`, or says `body` with `status`; `asked` holds what came in."""

    def __init__(self) -> None:
        self.pieces = ["1. Remove the battery pack ", "from the drill. [1]\n", "2. Wait."]
        self.status, self.body, self.kind = 200, "", "text/event-stream"
        self.breaks_off = False
        self.pause_seconds = 0.0
        self.n_sent = 0
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send(200, "application/json", json.dumps({"data": [{"id": "first-model"}]}))

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                outer.asked.append({"path": self.path, **json.loads(self.rfile.read(length))})
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                if outer.body or outer.status != 200:
                    self.send(outer.status, outer.kind, outer.body)
                    return
                self.send_response(200)
                self.send_header("content-type", outer.kind)
                self.end_headers()
                events = [{"choices": [{"delta": {"role": "assistant"}}]}]
                events += [{"choices": [{"delta": {"content": piece}}]} for piece in outer.pieces]
                self.wfile.write(b": keep-alive\n\n")
                for event in events:
                    outer.n_sent += 1
                    self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                    self.wfile.flush()
                    time.sleep(outer.pause_seconds)
                if not outer.breaks_off:
                    self.wfile.write(b"data: [DONE]\n\n")
                else:
                    self.wfile.write(b'data: {"error": {"message": "out of memory"}}\n\n')

            def send(self, status: int, kind: str, body: str) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *words: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
