"""Keeps tokens and passwords out of what is written down."""

from __future__ import annotations

import os
import re

NAMES = re.compile(r"TOKEN|SECRET|PASSW|API_?KEY|ACCESS_KEY|CREDENTIAL", re.IGNORECASE)
"""What the environment calls them."""
HUB_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}")
LEAST_LETTERS = 8
"""Of a secret: shorter values are words such as "true"."""
HIDDEN = "[hidden]"


def without_secrets(text: str) -> str:
    """Return a text without the values of the environment's tokens and passwords, and without tokens of the Hub."""
    for name, value in os.environ.items():
        if len(value) >= LEAST_LETTERS and NAMES.search(name) and value in text:
            text = text.replace(value, HIDDEN)
    return HUB_TOKEN.sub(HIDDEN, text)
