"""Why something on the Hub cannot be had, told by the real client from what a server on loopback answers."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .sop_guides import myfixit_file

ROOT = Path(__file__).parents[2]
CARD = b"---\nlicense: cc-by-4.0\n---\n"
ROWS = b"".join(
    json.dumps({"question": f"How do I open {n}?", "answer": f"Pry the lid off number {n}."}).encode() + b"\n"
    for n in range(8)
)
COMMIT = "a" * 40
FILES = {"README.md": CARD, "train.jsonl": ROWS}


class Hub(BaseHTTPRequestHandler):
    """Knows the dataset me/open, and that somebody/gated is there for those who asked."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/paths-info/" in self.path:
            self.answer(
                200, [{"type": "file", "path": name, "size": len(FILES[name]), "oid": "b" * 40} for name in FILES]
            )
        else:
            self.answer(404, {})

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if "/gated" in path:
            return self.answer(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        if "/me/open" not in path:
            return self.answer(404, {"error": "none"}, {"X-Error-Code": "RepoNotFound"})
        if "/resolve/" in path:
            content = FILES.get(path.rsplit("/", 1)[1])
            heads = {"X-Repo-Commit": COMMIT, "ETag": f'"{len(content or b"")}"'}
            if content is None:
                return self.answer(404, {}, {"X-Error-Code": "EntryNotFound", **heads})
            return self.answer(200, content, heads)
        if "/tree/" in path:
            return self.answer(200, [{"type": "file", "path": name, "size": len(FILES[name]), "oid": "b" * 40} for name in FILES])  # fmt: skip  # noqa: E501
        about = {"id": "me/open", "sha": COMMIT, "siblings": [{"rfilename": name} for name in FILES], "private": False}
        return self.answer(200, {**about, "tags": [], "downloads": 0, "likes": 0})

    def answer(self, code: int, content: object, heads: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(heads or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def build(hub: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = {"HF_ENDPOINT": hub, "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": ""}
    command = [sys.executable, "-m", "training.sop_data", *words, "--json", "--progress-json"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_dataset_is_fetched_with_the_licence_of_its_card(hub: str, home: Path):
    done = build(hub, home, "hub:me/open")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["licences"] == {"cc-by-4.0": 8}
    assert report["origins"] == {"hub:me/open": 8}
    assert all(json.loads(line) for line in done.stderr.splitlines()), "progress alone"


@pytest.mark.parametrize(
    ("source", "model", "told"),
    [
        ("hub:somebody/gated", "", "somebody/gated is given only to those who asked for it on the Hub; ask for it at huggingface.co/datasets/somebody/gated"),  # noqa: E501
        ("FILE", "somebody/gated", "somebody/gated is given only to those who asked for it on the Hub; ask for it at huggingface.co/somebody/gated"),  # noqa: E501
        ("hub:me/none", "", "there is no dataset me/none on the Hub, or it may not be seen without a login"),
        ("FILE", "me/none", "there is no model me/none on the Hub, or it may not be seen without a login"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_one_sentence(hub: str, home: Path, tmp_path: Path, source: str, model: str, told: str):
    place = str(myfixit_file(tmp_path / "guides.json", 3)) if source == "FILE" else source
    done = build(hub, home, place, *(["--model", model] if model else []))
    assert done.returncode == 2
    assert told in done.stderr.splitlines()[-1]
    assert not (home / "data").exists()
