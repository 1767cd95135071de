"""Which agent answers questions: a register in one file, with what was active before, so that one step back is easy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repairai import files
from repairai.errors import RepairError
from repairai.register import Register

Kind = Literal["steps", "local", "server"]
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Agent:
    """Who answers.

    Args:
        name: Shown to people: a run's id, a model's name.
        kind: `steps` answers with the retrieved steps themselves and needs no model; `local` is a model on this
            machine, or one of the Hub; `server` one behind an address.
        path: The model's folder or its Hub id; for a server its address.
        base: The model that an adapter stands on, where its own file does not say; for a server the model asked for.
        run_id: The run that trained it; empty for others.
        length_tokens: The longest conversation that it was trained on; 0: not known.
        made: When it was registered, ISO 8601 in UTC; empty: never.
    """

    name: str
    kind: Kind
    path: str = ""
    base: str = ""
    run_id: str = ""
    length_tokens: int = 0
    made: str = ""

    def __post_init__(self) -> None:
        if not self.name or (self.kind != "steps" and not self.path):
            raise ValueError(f"need name and path, got {self.name!r} and {self.path!r}")


STEPS = Agent("steps", "steps")
"""Always there: answers with the steps that were found, word for word."""


def missing(agent: Agent) -> str:
    """Return in one clause why an agent cannot answer, as far as that can be seen without opening it; else nothing."""
    place = Path(agent.path)
    if agent.kind == "local" and place.is_absolute() and not place.is_dir():
        return f"the folder of {agent.name} is gone: {agent.path}"
    return ""


_register = Register(Agent, STEPS, "sop", "agent", "agents", "models use steps", missing)
register_path, active, before = _register.path, _register.active, _register.before
use, back = _register.use, _register.back
forget, forget_place = _register.forget, _register.forget_place


def agents() -> tuple[Agent, ...]:
    """Return everyone who can be asked: the steps themselves first, then those that were registered, newest first.

    Raises:
        RepairError: The register is damaged.
    """
    return (STEPS, *reversed([agent for agent in _register.read().known if agent.kind != "steps"]))


def named(name: str, model: str = "") -> Agent:
    """Return the agent that a name stands for: a registered one, a folder, an address, else a model of the Hub.

    Args:
        name: What a person gave.
        model: For an address, the model that the server is to be asked for.

    Raises:
        RepairError: It can be none of these, or the register is damaged.
    """
    words = name.strip()
    for agent in agents():
        if agent.name == words:
            return agent
    if _ADDRESS.match(words):
        return Agent(f"{model} at {words}" if model else words, "server", words, model)
    folder = files.expanded(words) if words else Path()
    if words and folder.is_dir():
        return Agent(folder.resolve().name, "local", str(folder.resolve()))
    if came := files.pulled(words):
        return Agent(words, "local", str(came.resolve()))
    if re.fullmatch(r"[\w.-]+/[\w.-]+", words) and not words.startswith("."):
        return Agent(words, "local", words)
    raise RepairError(
        f"'{words}' is no registered agent, folder, address or model of the Hub",
        "see `models list`, or give a folder, http://..., or a name such as HuggingFaceTB/SmolLM2-135M-Instruct",
    )
