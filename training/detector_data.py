"""Step 1 of the detector: a person's own labelled photos to a set that a training reads.

    python -m training.detector_data my-photos.zip --name bench
    python -m training.detector_data doctor bench
    python -m training.detector_data mend bench doubled

Reads folders and zips. Writes `data/detector/NAME/` in REPAIRAI_HOME, whole or not at all: `photos/` and one COCO file.
Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from repairai.errors import RepairError
from training.detector.import_photos import Order, Tell, import_photos
from training.detector.parts import Wishes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step and return its exit code; see the module's first lines."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is half-written is taken away
    try:
        return _run(_parser().parse_args(arguments))
    except RepairError as error:
        print(f"repairai: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("repairai: stopped; nothing was written", file=sys.stderr)
        return 130


def _run(chosen: argparse.Namespace) -> int:
    order = Order(
        chosen.name, tuple(chosen.sources), chosen.format, chosen.licence, chosen.url,
        Wishes(dict(chosen.rename), tuple(chosen.drop), chosen.merge), chosen.seed,
    )  # fmt: skip
    made = import_photos(order, _teller(chosen.progress_json))
    print(f"{len(made.photos)} photos, parts {', '.join(made.parts)}; wrote {made.folder}")
    return 0


def _teller(as_json: bool) -> Tell:
    """Return what tells progress on standard error: at most a line a second (JSON: five), and one at each end."""
    last = [0.0]

    def tell(done: int, total: int | None, what: str) -> None:
        now = time.monotonic()
        if done == total or now - last[0] >= (0.2 if as_json else 1.0):
            last[0] = now
            words = f"{what}: {done}" + (f" of {total}" if total else "")
            print(json.dumps({"done": done, "total": total, "what": what}) if as_json else words, file=sys.stderr)

    return tell


class _Parser(argparse.ArgumentParser):
    """Refuses wrong words in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise RepairError(message, "see `python -m training.detector_data --help`")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m training.detector_data", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="a folder or a zip")
    add("--name", required=True)
    add("--format", default="auto")
    add("--licence", default="")
    add("--url", default="")
    add("--rename", action="append", default=[], type=_pair, metavar="OLD=NEW")
    add("--drop", action="append", default=[], metavar="PART")
    add("--merge", action="store_true")
    add("--seed", type=int, default=7)
    add("--progress-json", action="store_true")
    return parser


def _pair(text: str) -> tuple[str, str]:
    old, found, new = text.partition("=")
    if not (found and old and new):
        raise argparse.ArgumentTypeError(f"need OLD=NEW, got {text:.40}")
    return old, new


if __name__ == "__main__":
    sys.exit(main())
