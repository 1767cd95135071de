"""How the judge says what it wanted and what it found."""

from __future__ import annotations


def name(part: str, n: int | None = None) -> str:
    """Return a part's name for people: `screw_hole` and 4 gives "screw holes"."""
    spoken = part.replace("_", " ")
    if n == 1 or spoken.endswith("s"):
        return spoken
    if spoken.endswith("y") and spoken[-2:-1] not in "aeiou":
        return spoken[:-1] + "ies"
    return spoken + ("es" if spoken.endswith(("x", "ch", "sh")) else "s")


def number(part: str, n: int) -> str:
    """Return "no screws", "1 screw" or "4 screws"."""
    return f"{n or 'no'} {name(part, n)}"


def bounds(part: str, at_least: int, at_most: int | None) -> str:
    """Return what is wanted: "exactly 4 screws", "at least 1 battery", "2 to 4 screws"."""
    if at_most == 0:
        return number(part, 0)
    if at_most is None:
        return f"at least {number(part, at_least)}"
    if at_least == at_most:
        return f"exactly {number(part, at_least)}"
    if at_least == 0:
        return f"at most {number(part, at_most)}"
    return f"{at_least} to {number(part, at_most)}"


def interval(part: str, fewest: int, most: int) -> str:
    """Return what was found: "3 screws", or "3 to 4 screws" where it is not sure."""
    return number(part, fewest) if fewest == most else f"{fewest} to {number(part, most)}"
