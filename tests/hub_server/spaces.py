"""Spaces: their secrets and variables, hardware, sleep, and how they run."""

import json
from typing import TYPE_CHECKING, Any

from .listing import runtime
from .repos import own_repo, refuse_space, repo_of
from .store import Repo, Space, now
from .wire import Answer, Refusal, Request, route

if TYPE_CHECKING:
    from .server import HubServer

SPACE = "/api/spaces/([^/]+/[^/]+)"


def own_space(hub: "HubServer", request: Request, repo: str) -> tuple[Repo, Space]:
    found = own_repo(hub, request, "spaces", repo, "manage")
    assert found.space
    return found, found.space


def told(kept: dict[str, dict[str, str]], with_values: bool) -> dict[str, dict[str, Any]]:
    """Secrets are never told, only that they are there."""
    keys = ("key", "description", "updatedAt", *(("value",) if with_values else ()))
    return {name: {key: each.get(key) for key in keys} for name, each in kept.items()}


@route("GET", f"{SPACE}/(secrets|variables)")
def look_up(hub: "HubServer", request: Request, repo: str, what: str) -> Answer:
    _, space = own_space(hub, request, repo)
    return Answer(told(getattr(space, what), what == "variables"))


@route("POST", f"{SPACE}/(secrets|variables)")
def keep(hub: "HubServer", request: Request, repo: str, what: str) -> Answer:
    _, space = own_space(hub, request, repo)
    asked = request.json()
    getattr(space, what)[asked["key"]] = {**asked, "updatedAt": now()}
    return Answer(told(getattr(space, what), what == "variables"))


@route("DELETE", f"{SPACE}/(secrets|variables)")
def forget(hub: "HubServer", request: Request, repo: str, what: str) -> Answer:
    _, space = own_space(hub, request, repo)
    getattr(space, what).pop(request.json()["key"], None)
    return Answer(told(getattr(space, what), what == "variables"))


@route("GET", f"{SPACE}/runtime")
def look(hub: "HubServer", request: Request, repo: str) -> Answer:
    found = repo_of(hub, request, "spaces", repo)
    assert found.space
    return Answer(runtime(found.space))


@route("POST", f"{SPACE}/hardware")
def hardware(hub: "HubServer", request: Request, repo: str) -> Answer:
    found, space = own_space(hub, request, repo)
    asked = request.json()
    if asked["flavor"] != space.hardware:
        refuse_space(hub, found.owner, space.sdk, asked["flavor"])
    space.hardware = asked["flavor"]
    space.sleep_seconds = asked.get("sleepTimeSeconds", space.sleep_seconds)
    return Answer(runtime(space))


@route("POST", f"{SPACE}/sleeptime")
def sleep_time(hub: "HubServer", request: Request, repo: str) -> Answer:
    _, space = own_space(hub, request, repo)
    if space.hardware == "cpu-basic":
        raise Refusal(400, "The sleep time of cpu-basic is 48 hours and cannot be set")
    space.sleep_seconds = request.json()["seconds"]
    return Answer(runtime(space))


@route("POST", f"{SPACE}/restart")
def restart(hub: "HubServer", request: Request, repo: str) -> Answer:
    _, space = own_space(hub, request, repo)
    refuse_static(space)
    space.stage, space.restarts = "RUNNING", space.restarts + 1
    return Answer(runtime(space))


@route("POST", f"{SPACE}/pause")
def pause(hub: "HubServer", request: Request, repo: str) -> Answer:
    _, space = own_space(hub, request, repo)
    refuse_static(space)
    space.stage = "PAUSED"
    return Answer(runtime(space))


def refuse_static(space: Space) -> None:
    if space.sdk == "static":
        raise Refusal(400, "Static Spaces always run")


@route("GET", f"{SPACE}/logs/(run|build)")
def logs(hub: "HubServer", request: Request, repo: str, which: str) -> Answer:
    _, space = own_space(hub, request, repo)
    lines = space.build_log if which == "build" else space.run_log
    events = [b"data: " + json.dumps({"data": f"{line}\n", "timestamp": now()}).encode() + b"\n\n" for line in lines]
    return Answer(events=iter(events))
