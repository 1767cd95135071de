"""Judge B: asks a question, reads yes or no, pure Python. Nobody answers it yet but the person at the bench."""

from __future__ import annotations

from repairai.schema import Finding, State


def check_state(requirement: State) -> Finding:
    """Return that the state is open: no judge that reads photos was asked, and one that did not run never passes."""
    return Finding(
        requirement,
        "UNCERTAIN",
        expected=f"{requirement.question} {requirement.expected}",
        found="not judged from the photo",
        reason="state_unknown",
        next_action=f"Look for yourself: {requirement.question} Take the line out once you have checked it.",
    )
