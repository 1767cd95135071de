"""Findings to a verdict: three-valued logic, pure Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from repairai.schema import Finding, Outcome, Verdict


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Return whether all hold: one FAIL fails, else one UNCERTAIN leaves it open. Nothing at all is never a PASS.

    Source:
        Kleene's strong three-valued conjunction, but for the empty case.
    """
    seen = set(outcomes)
    if "FAIL" in seen:
        return "FAIL"
    return "PASS" if seen == {"PASS"} else "UNCERTAIN"


def decide(findings: Sequence[Finding]) -> Verdict:
    """Return the verdict on a step."""
    return Verdict(all_of(finding.outcome for finding in findings), tuple(findings))
