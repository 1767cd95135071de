"""Inspections with questions of state, as tests of the page need them."""

from repairai.schema import (
    Count,
    Detection,
    Finding,
    Inspection,
    PhotoTaken,
    State,
    StateLimits,
    Verdict,
    Visibility,
)

UNPLUGGED = State("Is the connector unplugged?", "yes", "Is the connector plugged in?")


class Says:
    """A stand-in for a judge: it says the same of every photo, or cannot answer."""

    name = "says@1"

    def __init__(self, yes: float = 0.9, sure: float = 0.8, fault: Exception | None = None) -> None:
        self.yes, self.sure, self.fault = yes, sure, fault
        self.asked: list[str] = []

    def limits(self, question: str) -> StateLimits:
        return StateLimits(self.sure, sources=40)

    def ask(self, photo: object, question: str) -> float:
        self.asked.append(question)
        if self.fault:
            raise self.fault
        return self.yes if question == UNPLUGGED.question else 1 - self.yes


def state_finding(
    outcome="UNCERTAIN", reason="state_unsure", probability=0.62, region=(10.0, 10.0, 50.0, 50.0)
) -> Finding:
    action = "" if outcome == "PASS" else "Look for yourself."
    return Finding(
        UNPLUGGED, outcome, "Is the connector unplugged? yes", "the judge leans to yes", reason, None, action,
        probability=probability, region=region,
    )  # fmt: skip


def with_state(*findings: Finding, size: tuple[int, int] = (100, 80)) -> Inspection:
    """An inspection of four screws and a state."""
    count = Finding(Count("screw", 4, 4), "PASS", "exactly 4 screws", "4 screws", "count_met", (4, 4))
    own = findings or (state_finding(),)
    return Inspection(
        "2026-01-02T03:04:05+00:00", PhotoTaken("bench.jpg", "0" * 64, *size), None, "device", "", None,
        ("a@b", "says@1"),
        (Detection("screw", 0.9, (10.0, 10.0, 30.0, 30.0)),), (), Visibility(1, 0, 1),
        Verdict("PASS" if all(each.outcome == "PASS" for each in own) else "UNCERTAIN", (count, *own)), 0.1, (),
    )  # fmt: skip
