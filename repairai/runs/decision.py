"""Whether a trained model is put to use: where it is no worse than the one before, or where a person insists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from repairai.runs.scores import Compared

Judged = tuple[bool, str, dict[str, Compared]]
"""Whether a model may be put to use, why in a clause, and by which differences."""


@dataclass(frozen=True)
class Decision:
    """Whether a trained model was put to use.

    Args:
        active: Whether it is in use now.
        said: Why, in one sentence for the person.
        differences: What it was decided by, before for the one that it is held against, after for the new one. Empty
            where nothing could be compared.
    """

    active: bool
    said: str
    differences: dict[str, Compared]


def decided(
    run_id: str, in_use: str, does: tuple[str, str], judged: Callable[[], Judged], use: Callable[[], object],
    force: bool,
) -> Decision:  # fmt: skip
    """Put a run's model to use where it may be, and say why or why not.

    Args:
        run_id: Of the training.
        in_use: The run whose model is in use.
        does: What a model in use does, and what one that is not does not: "inspects", "does not inspect".
        judged: Tells whether it may.
        use: Puts it to use.
        force: Whatever is told.
    """
    if in_use == run_id:
        return Decision(True, f"{run_id} {does[0]} already.", {})
    passed, why, differences = judged()
    if not passed and not force:
        return Decision(False, f"{run_id} {does[1]}: {why}.", differences)
    use()
    how = "" if passed else " because you insist"
    return Decision(True, f"{run_id} {does[0]} now{how}: {why}.", differences)
