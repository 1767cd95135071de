"""Which agent answers questions: a register in one file, with what was active before, so that one step back is easy."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from repairai import files
from repairai.errors import RepairError

Kind = Literal["steps", "local", "server"]
_KEPT = 50
"""Agents that were active before, at most."""
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


@dataclass(frozen=True)
class Register:
    """What the file holds.

    Args:
        active: Who answers.
        before: Who was active before, the last one last.
        known: Everyone who was ever registered, by name, the newest last.
    """

    active: Agent = STEPS
    before: tuple[Agent, ...] = ()
    known: tuple[Agent, ...] = ()


def register_path() -> Path:
    """Return where the register is kept."""
    return files.home() / "models" / "sop" / "active.json"


def agents() -> tuple[Agent, ...]:
    """Return everyone who can be asked: the steps themselves first, then those that were registered, newest first.

    Raises:
        RepairError: The register is damaged.
    """
    return (STEPS, *reversed([agent for agent in _read().known if agent.kind != "steps"]))


def active() -> Agent:
    """Return who answers; the steps themselves where nobody was chosen.

    Raises:
        RepairError: The register is damaged.
    """
    return _read().active


def before() -> Agent | None:
    """Return whom `back` would restore; None where nobody was active before.

    Raises:
        RepairError: The register is damaged.
    """
    past = _read().before
    return past[-1] if past else None


def use(agent: Agent) -> Agent:
    """Make an agent the active one, and return it as it is registered; the one before it is kept for `back`.

    Raises:
        RepairError: Its folder is not there, or the register cannot be read or written.
    """
    if trouble := missing(agent):
        raise RepairError(trouble, "choose another, or train it again")
    if agent.kind != "steps" and not agent.made:
        agent = replace(agent, made=datetime.now(UTC).isoformat(timespec="seconds"))
    kept = _read()
    if kept.active == agent:
        return agent
    known = [each for each in kept.known if each.name != agent.name]
    if agent.kind != "steps":
        known.append(agent)
    past = (*kept.before, kept.active)[-_KEPT:]
    files.write_record(register_path(), Register(agent, past, tuple(known)))
    return agent


def back() -> Agent:
    """Make the agent active again that was so before this one, and return it.

    Raises:
        RepairError: None was, or the register cannot be read or written.
    """
    kept = _read()
    if not kept.before:
        raise RepairError("no agent was active before this one", "choose one: models list")
    *past, last = kept.before
    files.write_record(register_path(), replace(kept, active=last, before=tuple(past)))
    return last


def forget(run_id: str) -> None:
    """Take a run's model out of the register, so that no step back leads to it.

    Raises:
        RepairError: The register cannot be read or written.
    """
    kept = _read()
    past, known = (tuple(each for each in some if each.run_id != run_id) for some in (kept.before, kept.known))
    if (past, known) != (kept.before, kept.known):
        files.write_record(register_path(), replace(kept, before=past, known=known))


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


def missing(agent: Agent) -> str:
    """Return in one clause why an agent cannot answer, as far as that can be seen without opening it; else nothing."""
    place = Path(agent.path)
    if agent.kind == "local" and place.is_absolute() and not place.is_dir():
        return f"the folder of {agent.name} is gone: {agent.path}"
    return ""


def _read() -> Register:
    path = register_path()
    if not path.exists():
        return Register()
    try:
        return files.read_record(path, Register)
    except RepairError as error:
        raise RepairError(
            f"the register of agents is damaged: {error.what}", f"remove {path} and choose an agent again"
        ) from None
