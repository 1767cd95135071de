"""Repos: made, deleted, moved, copied, let into."""

import re
from typing import TYPE_CHECKING, Any

from .accounts import may_read, may_write_for, needs_write
from .store import PREFIX, Blob, Commit, Repo, Space, Token, new_id
from .wire import Answer, Refusal, Request, route

if TYPE_CHECKING:
    from .server import HubServer

KIND = "/api/(models|datasets|spaces)"
REPO = f"{KIND}/([^/]+/[^/]+)"
NAME = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_][A-Za-z0-9._-]{0,95}(?<![.-])(?<!\.git)")
ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
FREE_ZERO_SPACES = 2
PAGE = 1000


def repo_of(hub: "HubServer", request: Request, kinds: str, repo: str) -> Repo:
    """The repo that a path names, where the asker may know of it."""
    found = hub.store.repos.get((kinds.removesuffix("s"), repo))
    if found is None or not may_read(hub, request.token, found):
        # Without a token the Hub does not say whether it is absent or private.
        status, said = (404, "Repository not found") if request.token else (401, "Invalid username or password.")
        raise Refusal(status, said, "RepoNotFound")
    if found.disabled:
        raise Refusal(403, "Access to this resource is disabled.")
    return found


def own_repo(hub: "HubServer", request: Request, kinds: str, repo: str, verb: str = "write to") -> Repo:
    """The repo that a path names, where the asker may change it."""
    found = repo_of(hub, request, kinds, repo)
    needs_write(hub, request, found.owner, found.kind, found.id, verb)
    return found


def commit_of(repo: Repo, revision: str) -> Commit:
    oid = repo.find(revision)
    if oid is None:
        raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
    return repo.commits[oid]


def needs_admission(request: Request, repo: Repo, hub: "HubServer") -> None:
    """Refuse the files of a gated repo to those who were not let in."""
    if not repo.gated:
        return
    where = f"Access to {repo.kind} {repo.id} is restricted"
    if request.token is None:
        raise Refusal(401, f"{where}. You must have access to it and be authenticated to access it.", "GatedRepo")
    if request.token.account not in repo.admitted and not may_write_for(hub, request.token, repo.owner):
        said = f"{where} and you are not in the authorized list. Visit {request.base}/{repo.id} to ask for access."
        raise Refusal(403, said, "GatedRepo")


@route("POST", "/api/repos/create")
def create(hub: "HubServer", request: Request) -> Answer:
    asked = request.json()
    kind, name = asked.get("type") or "model", asked["name"]
    owner = asked.get("organization") or (request.token.account if request.token else "")
    repo = f"{owner}/{name}"
    token = needs_write(hub, request, owner, kind, repo, "create")
    if not NAME.fullmatch(name):
        raise Refusal(400, f"Invalid repo name: {name}")
    address = f"{request.base}/{PREFIX[kind]}{repo}"
    if (kind, repo) in hub.store.repos:
        said = f"You already created this {kind} repo"
        return Answer({"error": said, "url": address, "name": repo}, 409, {"X-Error-Message": said})
    made = make(hub, kind, repo, token, asked)
    return Answer({"url": address, "name": repo, "id": new_id(), "private": made.private})


def make(hub: "HubServer", kind: str, repo: str, token: Token, asked: dict[str, Any]) -> Repo:
    """A repo with its first commit; a Space only where the account may have one."""
    space = None
    if kind == "space":
        hardware = asked.get("hardware") or "cpu-basic"
        refuse_space(hub, repo.split("/")[0], asked.get("sdk") or "static", hardware)
        space = Space(asked.get("sdk") or "static", hardware, asked.get("sleepTimeSeconds"))
        for each in asked.get("secrets") or ():
            space.secrets[each["key"]] = each
        for each in asked.get("variables") or ():
            space.variables[each["key"]] = each
    made = Repo(kind, repo, asked.get("visibility") == "private", space=space)
    made.add_commit({".gitattributes": Blob(len(ATTRIBUTES), ATTRIBUTES)}, "initial commit", token.account, "main")
    hub.store.repos[kind, repo] = made
    return made


def refuse_space(hub: "HubServer", owner: str, sdk: str, hardware: str) -> None:
    """Refuse what an account has to pay for and does not."""
    account = hub.store.accounts[owner]
    if sdk == "static" or account.pro:
        return
    if hardware == "cpu-basic":
        said = (
            "Static Spaces are free for everyone, but hosting Gradio and Docker Spaces on free cpu-basic requires "
            "a PRO subscription"
        )
        raise Refusal(402, said)
    if hardware == "zero-a10g":
        own = [r for r in hub.store.repos.values() if r.space and r.owner == owner and r.space.hardware == hardware]
        if len(own) >= FREE_ZERO_SPACES:
            raise Refusal(403, f"You can only have {FREE_ZERO_SPACES} ZeroGPU Spaces on a free account")
    elif account.credit <= 0:
        raise Refusal(402, f"A payment method is required to use {hardware}")


@route("DELETE", "/api/repos/delete")
def delete(hub: "HubServer", request: Request) -> Answer:
    asked = request.json()
    owner = asked.get("organization") or (request.token.account if request.token else "")
    found = own_repo(hub, request, (asked.get("type") or "model") + "s", f"{owner}/{asked['name']}", "delete")
    del hub.store.repos[found.kind, found.id]
    return Answer(b"OK", kind="text/plain")


@route("POST", "/api/repos/move")
def move(hub: "HubServer", request: Request) -> Answer:
    asked = request.json()
    found = own_repo(hub, request, asked["type"] + "s", asked["fromRepo"], "move")
    needs_write(hub, request, asked["toRepo"].split("/")[0], found.kind, asked["toRepo"], "create")
    if (found.kind, asked["toRepo"]) in hub.store.repos:
        raise Refusal(409, "This repo already exists")
    del hub.store.repos[found.kind, found.id]
    found.id = asked["toRepo"]
    hub.store.repos[found.kind, found.id] = found
    return Answer({})


@route("PUT", f"{REPO}/settings")
def settings(hub: "HubServer", request: Request, kinds: str, repo: str) -> Answer:
    found, asked = own_repo(hub, request, kinds, repo), request.json()
    found.gated = asked.get("gated", found.gated)
    found.private = asked.get("visibility", "private" if found.private else "public") == "private"
    return Answer({"private": found.private, "gated": found.gated})


@route("POST", f"{REPO}/duplicate")
def duplicate(hub: "HubServer", request: Request, kinds: str, repo: str) -> Answer:
    source, asked = repo_of(hub, request, kinds, repo), request.json()
    target = asked["repository"]
    token = needs_write(hub, request, target.split("/")[0], source.kind, target, "create")
    address = f"{request.base}/{PREFIX[source.kind]}{target}"
    if (source.kind, target) in hub.store.repos:
        return Answer({"error": "This repo already exists", "url": address}, 409)
    if source.space:
        asked.setdefault("sdk", source.space.sdk)
    asked.setdefault("visibility", "private" if source.private else "public")
    made = make(hub, source.kind, target, token, asked)
    made.add_commit(dict(source.head.files), f"Duplicate from {source.id}", token.account, "main")
    if made.space and source.space:
        # Variables travel, secrets never do.
        made.space.variables = {**source.space.variables, **made.space.variables}
        made.space.stage = source.space.stage
    return Answer({"url": address, "filesCopyPending": False})


@route("GET", f"{REPO}/auth-check(/write)?")
def auth_check(hub: "HubServer", request: Request, kinds: str, repo: str, write: str | None) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    if write:
        needs_write(hub, request, found.owner, found.kind, found.id)
    needs_admission(request, found, hub)
    return Answer({})


@route("POST", f"{REPO}/user-access-request/grant")
def grant(hub: "HubServer", request: Request, kinds: str, repo: str) -> Answer:
    found, name = own_repo(hub, request, kinds, repo), request.json()["user"]
    if name not in hub.store.accounts:
        raise Refusal(404, "This user does not exist")
    if not found.gated or name in found.admitted:
        raise Refusal(400, "This repo is not gated, or the user has access to it already")
    found.admitted.add(name)
    return Answer({})
