"""Starts the web app on 127.0.0.1:7860."""

from __future__ import annotations

import sys
from pathlib import Path

from repairai import garbage
from repairai.cli import Parser, whole
from repairai.errors import RepairError
from repairai.files import read_text

PORT = 7860


def main() -> int:
    """Serve until stopped; return the exit code."""
    garbage.look_seldom()
    parser = Parser(prog="python app.py", description=__doc__)
    parser.add_argument("--port", type=whole(1, 65535), default=PORT)
    parser.add_argument("--share", action="store_true", help="reachable from outside, through Gradio's tunnel")
    parser.add_argument("--auth-file", type=Path, help="a file with one line, NAME:PASSWORD, that the page asks for")
    try:
        chosen = parser.parse_args()
        auth = _auth(chosen.auth_file)
        if chosen.share and not auth:
            raise RepairError("--share opens the page to anyone who has its address", "give --auth-file as well")
        from repairai.ui.blocks import build, serve

        page = build(shared=chosen.share)
        print(f"RepairAI is at http://127.0.0.1:{chosen.port} (stop it with Ctrl+C)", flush=True)
        serve(page, chosen.port, auth, chosen.share)
    except (RepairError, OSError) as error:
        print(f"repairai: {error}", file=sys.stderr)
        return 2
    return 0


def _auth(path: Path | None) -> tuple[str, str] | None:
    """Return name and password from a file; a file, since a command line can be read by everybody on the machine."""
    if path is None:
        return None
    name, _, password = read_text(path).strip().partition(":")
    if not name or not password:
        raise RepairError(f"{path} does not hold a name and a password", "write one line, NAME:PASSWORD")
    return name, password


if __name__ == "__main__":
    sys.exit(main())
