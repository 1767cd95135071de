"""Serves a Hub for a person to try the app against: `python -m tests.hub_server`."""

import argparse
import contextlib
import sys
import tempfile
import threading
from pathlib import Path

from .clients import exports
from .server import HubServer

BUILTIN = Path(__file__).parents[2] / "repairai" / "builtin" / "detector"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hub_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free")
    parser.add_argument(
        "--jobs", choices=["play", "run"], default="play", help="run: jobs' commands run on this machine"
    )
    asked = parser.parse_args()
    with HubServer(port=asked.port, jobs=asked.jobs) as hub, tempfile.TemporaryDirectory(prefix="hf-home-") as home:
        writer, reader = hub.add_user("me"), hub.add_user("me", write=False)
        hub.add_folder("model", "maker/loose-screws", BUILTIN)
        hub.add_folder("model", "maker/gated-screws", BUILTIN).gated = "manual"
        lines = [
            f"The Hub is at {hub.url}, and knows {', '.join(repo for _, repo in hub.store.repos)}.",
            f"A token of me that may write: {writer}",
            f"One that may only read:       {reader}",
            "",
            *(f"export {name}={value}" for name, value in exports(hub.url, Path(home)).items()),
            "",
            "Control-C ends it, and all that was uploaded goes with it.",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
