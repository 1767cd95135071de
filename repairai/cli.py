"""`python -m repairai ...`: one verb for each thing the web app can do.

Exit codes of `inspect`: 0 PASS, 1 FAIL, 3 UNCERTAIN; every verb: 2 for bad input. With several photos the worst counts.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from repairai import garbage
from repairai.commands import (
    ask,
    data,
    guides,
    hardware,
    hub,
    inspect,
    models,
    photos,
    plan,
    records,
    runs,
    space,
    states,
    train,
)
from repairai.commands.words import Parser, refuse, whole
from repairai.errors import RepairError

__all__ = ["Parser", "main", "whole"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    garbage.look_seldom()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal shows the number of a letter that it does not know
            stream.reconfigure(errors="backslashreplace")
    try:
        chosen = _parser().parse_args(arguments)
        code: int = chosen.run(chosen)
    except KeyboardInterrupt:
        print("repairai: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        return 0
    except ImportError as error:
        return refuse(f"{error}; `python -m repairai doctor` says what is missing.")
    except (RepairError, OSError) as error:
        return refuse(error)
    return code


def _parser() -> Parser:
    parser = Parser(prog="python -m repairai", description="Is this repair step done? A guide, a photo, a verdict.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    nouns = (inspect, guides, ask, data, photos, states, records, hardware, plan, train, runs, models, hub, space)
    for command in nouns:
        command.add_words(verbs)
    return parser
