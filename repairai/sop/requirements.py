"""What a step asks -> what a photo of it must show, for each way of taking the photo.

A requirement is read for the place that the photo shows: "remove the four screws" wants no screw there, and four empty
holes as the proof that the place was in the picture. A person sees and can edit all of it before anything is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from repairai.files import to_data
from repairai.schema import Action, Change, Count, PartAction, Requirement, State, View
from repairai.sop.actions import read_actions
from repairai.sop.grammar.nouns import kind_of
from repairai.sop.requirement_text import write_requirement

EMPTY_PLACES = {"screw": "screw_hole"}
"""Labels of the places that a part leaves behind."""
PLUGGED, UNPLUGGED = "plugged_connector", "unplugged_connector"
Direction = Literal["gone", "come"]
Span = tuple[int, int | None]
"""The fewest and the most; None: no upper bound."""

_UNKNOWN: Span = (1, None)
"""A group whose number the text does not say."""

_PLUGS: dict[Action, tuple[str, str]] = {
    "disconnect": ("unplugged", "plugged in"),
    "connect": ("plugged in", "unplugged"),
}
_THERE: dict[Action, tuple[str, str]] = {"remove": ("removed", "in place"), "install": ("in place", "missing")}

# Nothing is asked of what is loosened or tightened: no photo shows how tight a screw is.
_STATES: dict[Action, tuple[str, str]] = {
    "open": ("open", "closed"),
    "close": ("closed", "open"),
    "disconnect": ("disconnected", "connected"),
    "connect": ("connected", "disconnected"),
}


def requirements_for(actions: Sequence[PartAction], view: View) -> tuple[Requirement, ...]:
    """Return what a photo must show when these actions are done; nothing where nothing of them shows.

    Args:
        actions: In the order of the text; what comes later overrules what came before of the same part.
        view: `device`: the place that was worked on; `mat`: what was taken out, laid down; `before_after`: two photos
            of one place.

    Raises:
        ValueError: There is no such view.
    """
    if view not in get_args(View):
        raise ValueError(f"need view to be one of {', '.join(get_args(View))}, got {view!r}")
    tallies = _tally(actions)
    if view == "mat":
        found = [requirement for tally in tallies for requirement in _on_mat(tally)]
    elif view == "device":
        found = [requirement for tally in tallies for requirement in _on_device(tally)]
    else:
        found = [requirement for tally in tallies for requirement in _between(tally)]
    states = [] if view == "mat" else _states(actions)
    return tuple(dict.fromkeys([*found, *states]))


def questions_for(actions: Sequence[PartAction], view: View) -> tuple[State, ...]:
    """Return what may be asked of a photo beside what `requirements_for` wants, and says more than a count does.

    A count says how many connectors are unplugged, and never whether the battery's is among them; nor does it prove
    that a part is gone whose empty place does not show. So these are asked of connectors and cables that have a name,
    and of parts that were taken out or put in, but of no screws. They are apart from what is required: counts settle
    most steps for people who have no judge of states, to whom each would be one more line that stays UNCERTAIN.

    Args:
        actions: In the order of the text.
        view: Nothing is asked of a `mat`: it shows what lies there, and not the place.

    Raises:
        ValueError: There is no such view.
    """
    if view not in get_args(View):
        raise ValueError(f"need view to be one of {', '.join(get_args(View))}, got {view!r}")
    found: list[State] = []
    for place, action in enumerate(actions if view != "mat" else ()):
        words = _PLUGS if _is_plugged(action.part) and "_" in action.part else _THERE
        counted = kind_of(action.part.split("_")) != "other" if words is _THERE else False
        overruled = any(other.part == action.part for other in actions[place + 1 :])
        if action.action in words and not counted and not overruled and not action.among and not action.or_more:
            wanted, opposite = words[action.action]
            found.append(State(_question(action, wanted), "yes", _question(action, opposite)))
    return tuple(dict.fromkeys(found))


def step_as_data(text: str) -> dict[str, Any]:
    """Return what a step's text asks and what photos of it must show, as plain data for JSON.

    `{actions: [...], requirements: {device: [...], mat: [...], before_after: [...]}, questions: [...]}`, where an
    action has the fields of `PartAction`; each requirement has its record's fields, and in `text` what
    `read_requirement` reads. The questions are those of `questions_for`, on the device.
    """
    actions = read_actions(text)
    views: tuple[View, ...] = get_args(View)
    return {
        "actions": [to_data(action) for action in actions],
        "requirements": {view: _written(requirements_for(actions, view)) for view in views},
        "questions": _written(questions_for(actions, "device")),
    }


def _written(requirements: Iterable[Requirement]) -> list[dict[str, Any]]:
    return [{"text": write_requirement(each), **to_data(each)} for each in requirements]


# ---- what becomes of each label


@dataclass
class _Tally:
    """What a step does to the number of one label.

    Args:
        gone: One span for each group that goes away.
        come: One span for each group that comes.
        last: What was done last.
        on_mat: Whether what goes away lies on the mat afterwards.
        kept: How many must stay, at least; 0 where nothing was said.
        partly: Whether some may be left: "at least two" or "two of the screws" were asked to go.
        beside: Whether others may be there already: "the other two screws" were asked to come.
    """

    label: str
    gone: list[Span] = field(default_factory=list)
    come: list[Span] = field(default_factory=list)
    last: Direction = "gone"
    on_mat: bool = True
    kept: int = 0
    partly: bool = False
    beside: bool = False

    def add(self, direction: Direction, action: PartAction) -> None:
        """Take in one group of parts."""
        self.last = direction
        self.partly |= direction == "gone" and (action.or_more or action.among == "some")
        self.beside |= direction == "come" and bool(action.among)
        (self.gone if direction == "gone" else self.come).append(_span(action))


def _tally(actions: Iterable[PartAction]) -> list[_Tally]:
    tallies: dict[str, _Tally] = {}

    def of(label: str) -> _Tally:
        return tallies.setdefault(label, _Tally(label, on_mat=label not in (PLUGGED, UNPLUGGED)))

    for action in actions:
        plugs = _is_plugged(action.part)
        if action.action == "remove":
            of(action.part).add("gone", action)
        elif action.action == "install":
            of(action.part).add("come", action)
        elif action.action == "disconnect" and plugs:
            of(UNPLUGGED).add("come", action)
            of(PLUGGED).add("gone", action)
        elif action.action == "connect" and plugs:
            of(PLUGGED).add("come", action)
            of(UNPLUGGED).add("gone", action)
        elif action.action == "keep" and action.count is not None:
            of(PLUGGED if plugs else action.part).kept += action.count
    return list(tallies.values())


def _is_plugged(part: str) -> bool:
    """Tell whether a part is plugged in, so that the detector sees it plugged or unplugged."""
    return kind_of(part.split("_")) in ("line", "plug")


def _span(action: PartAction) -> Span:
    if action.count is None:
        return _UNKNOWN
    return action.count, None if action.or_more else action.count_max or action.count


def _sum(spans: Sequence[Span]) -> Span:
    """Return how many all groups hold together.

    A group whose number is not known adds to the most only: it may be told of the same parts once more.
    """
    known = [span for span in spans if span != _UNKNOWN]
    least = sum(low for low, _ in known) if known else 1
    highest = [high for _, high in spans if high is not None]
    return least, sum(highest) if len(highest) == len(spans) else None


# ---- one label, one view


def _on_device(tally: _Tally) -> list[Requirement]:
    if tally.come and tally.last == "come":
        least, most = _sum(tally.come)
        # Other connectors of the place may be plugged or unplugged as well.
        return [Count(tally.label, least, most if tally.on_mat and not tally.beside else None)]
    found: list[Requirement] = []
    if tally.kept:
        found.append(Count(tally.label, tally.kept, None))
    elif tally.gone and not tally.partly:
        found.append(Count(tally.label, 0, 0))
    place = EMPTY_PLACES.get(tally.label)
    if place and any(span != _UNKNOWN for span in tally.gone):
        found.append(Count(place, _sum(tally.gone)[0], None))
    return found


def _on_mat(tally: _Tally) -> list[Requirement]:
    if not tally.on_mat or bool(tally.gone) == bool(tally.come):
        return []  # what is taken out and put in again may be on the mat or not
    return [Count(tally.label, *_sum(tally.gone))] if tally.gone else [Count(tally.label, 0, 0)]


def _between(tally: _Tally) -> list[Requirement]:
    if bool(tally.gone) == bool(tally.come):
        return []
    spans = tally.gone or tally.come
    least, most = _sum(spans)
    if most == 0:
        return []
    return [Change(tally.label, "removed" if tally.gone else "added", max(1, least), most)]


def _states(actions: Sequence[PartAction]) -> list[Requirement]:
    """Return the questions that no count answers, about parts that are still there at the end."""
    found: list[Requirement] = []
    for place, action in enumerate(actions):
        if action.action not in _STATES or (action.action in ("disconnect", "connect") and _is_plugged(action.part)):
            continue
        later = [other.action for other in actions[place + 1 :] if other.part == action.part]
        if any(other == "remove" or other in _STATES for other in later):
            continue
        wanted, opposite = _STATES[action.action]
        found.append(State(_question(action, wanted), "yes", _question(action, opposite)))
    return found


def _question(action: PartAction, state: str) -> str:
    """Return "Is the latch open?" or "Are the 2 latches open?"."""
    name = action.part.replace("_", " ")
    if action.count == 1 and action.count_max is None and not action.or_more:
        return f"Is the {name} {state}?"
    exact = action.count is not None and action.count_max is None and not action.or_more
    return f"Are the {action.count} {_plural(name)} {state}?" if exact else f"Are the {_plural(name)} {state}?"


def _plural(name: str) -> str:
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "ch", "sh")) else "s")
