"""`doctor`: what this machine has and lacks."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from repairai.commands.words import print_json, verb


def add_words(verbs: Any) -> None:
    """Add `doctor` to the command line."""
    verb(verbs, "doctor", _doctor, "what is installed, what is missing, and what mends it")


def _doctor(chosen: argparse.Namespace) -> int:
    from repairai.hardware.doctor import examine

    checks = examine()
    if chosen.json:
        print_json([dataclasses.asdict(each) for each in checks])
    else:
        for each in checks:
            print(f"{each.state:<8} {each.name}: {each.seen}")
            if each.mend:
                print(f"         mend it: {each.mend}")
    return int(any(each.state in ("missing", "broken") for each in checks))
