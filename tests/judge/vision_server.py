"""A server on loopback that answers questions about photos in OpenAI's way, with the faults that such servers have."""

import base64
import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


class VisionServer:
    """Says yes of a light photo and no of a dark one, the other way round where the question asks for `dark`.

    Args:
        logprobs: It tells how sure it is; else it refuses whoever asks for that, as older servers do.
    """

    def __init__(self, logprobs: bool = True) -> None:
        self.logprobs = logprobs
        self.silent_logprobs = False
        self.sureness = 0.9
        self.said = ""
        self.tokens: list[dict[str, Any]] | None = None
        self.status, self.body, self.headers_out = 200, "", {"content-type": "application/json"}
        self.pause_seconds = self.drip_seconds = 0.0
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send(outer.status, outer.body or json.dumps({"data": [{"id": "tiny-vlm"}]}))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append({"path": self.path, **body})
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                time.sleep(outer.pause_seconds)
                if outer.body or outer.status != 200:
                    self.send(outer.status, outer.body)
                elif "logprobs" in body and not outer.logprobs:
                    self.send(400, json.dumps({"error": {"message": "unknown field: logprobs"}}))
                else:
                    self.send(200, json.dumps(outer.answer(body)))

            def send(self, status: int, body: str) -> None:
                self.send_response(status)
                for name, value in outer.headers_out.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for at in range(0, len(body), 8 if outer.drip_seconds else max(len(body), 1)):
                        self.wfile.write(body.encode()[at : at + (8 if outer.drip_seconds else len(body))])
                        self.wfile.flush()
                        time.sleep(outer.drip_seconds)
                except OSError:  # whoever asked has gone
                    pass

            def log_message(self, *words: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        photo, words = body["messages"][0]["content"]
        seen = np.asarray(Image.open(BytesIO(base64.b64decode(photo["image_url"]["url"].partition(",")[2]))))
        yes = (seen.mean() > 128) != ("dark" in words["text"])
        said = self.said or ("Yes" if yes else "No")
        choice: dict[str, Any] = {"message": {"role": "assistant", "content": said}}
        if body.get("logprobs") and not self.silent_logprobs:
            other = "No" if said == "Yes" else "Yes"
            top = [(said, self.sureness), (other, 0.98 - self.sureness), (f" {said.lower()}", 0.01)]
            scored = [{"token": token, "logprob": math.log(share)} for token, share in top]
            choice["logprobs"] = {"content": self.tokens or [{**scored[0], "top_logprobs": scored}]}
        return {"choices": [choice]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
