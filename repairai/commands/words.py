"""The words of the command line: how they are read, and how what comes of them is printed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from repairai.errors import RepairError

BAD_INPUT = 2
MOST = 1_000_000
"""Of anything that a list may show."""


class Parser(argparse.ArgumentParser):
    """Reads a command line."""

    def error(self, message: str) -> NoReturn:
        """Refuse wrong words as everything else is refused: in one sentence, in which no token stands."""
        from repairai.runs.secrets import without_secrets

        raise RepairError(without_secrets(message), f"see `{self.prog} --help`")


def whole(at_least: int, at_most: int) -> Callable[[str], int]:
    """Return what reads a whole number between two others from the command line."""

    def read(text: str) -> int:
        if not (text.isdecimal() and len(text) <= len(str(at_most)) and at_least <= int(text) <= at_most):
            raise argparse.ArgumentTypeError(f"need a whole number from {at_least} to {at_most}, got {text:.40}")
        return int(text)

    return read


def noun(verbs: Any, name: str, what: str, more: str = "") -> Any:
    """Add a word that needs a verb behind it, as `guides` does, and return what its verbs are added to.

    Args:
        verbs: What `add_subparsers` returned.
        name: The word.
        what: One line of what it is about.
        more: What its own help says; `what`'s line by itself, if empty.
    """
    return verbs.add_parser(name, help=what, description=more or None).add_subparsers(required=True, metavar="VERB")


def verb(verbs: Any, name: str, run: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
    """Add a verb that can answer with JSON, and return its parser for the words that follow it.

    Args:
        verbs: What `add_subparsers` or `noun` returned.
        name: The verb.
        run: Does it, and returns the exit code.
        what: One line of what it does.
    """
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=what, description=what)
    parser.add_argument("--json", action="store_true", help="answer with JSON")
    parser.set_defaults(run=run)
    return parser


def refuse(error: object) -> int:
    """Say on standard error why something is not done, and return the exit code for it."""
    print(f"repairai: {error}", file=sys.stderr)
    return BAD_INPUT


def as_data(record: object) -> Any:
    """Return a record as plain dicts and lists."""
    from repairai.files import to_data  # not above: `doctor` has to work where this cannot be imported

    return to_data(record)


def print_json(data: object) -> None:
    """Print plain data on one line."""
    print(json.dumps(data))  # in ASCII: whatever the terminal's encoding, it stays JSON
