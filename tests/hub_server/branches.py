"""A repo's history: branches, tags and commits."""

from typing import TYPE_CHECKING

from .repos import REPO, commit_of, own_repo, repo_of
from .wire import Answer, Refusal, Request, route

if TYPE_CHECKING:
    from .server import HubServer


@route("GET", f"{REPO}/refs")
def refs(hub: "HubServer", request: Request, kinds: str, repo: str) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    heads = {n: c for n, c in found.branches.items() if not n.startswith("refs/")}
    pulls = {n: c for n, c in found.branches.items() if n.startswith("refs/pr/")}
    said = {
        "branches": [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c} for n, c in heads.items()],
        "tags": [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": c} for n, c in found.tags.items()],
        "converts": [],
    }
    if request.asked("include_prs"):
        said["pullRequests"] = [{"name": n[5:], "ref": n, "targetCommit": c} for n, c in pulls.items()]
    return Answer(said)


@route("GET", f"{REPO}/commits/(.+)")
def commits(hub: "HubServer", request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    said, oid = [], commit_of(found, revision).oid
    while oid:
        each = found.commits[oid]
        authors = [{"user": each.author}]
        said.append(
            {"id": oid, "title": each.title, "message": each.description, "authors": authors, "date": each.date}
        )
        oid = each.parent or ""
    return Answer(said)


@route("POST", f"{REPO}/branch/(.+)")
def add_branch(hub: "HubServer", request: Request, kinds: str, repo: str, name: str) -> Answer:
    found = own_repo(hub, request, kinds, repo)
    if name in found.branches:
        raise Refusal(409, f"Reference already exists: refs/heads/{name}")
    found.branches[name] = commit_of(found, request.json().get("startingPoint") or "main").oid
    return Answer({})


@route("DELETE", f"{REPO}/branch/(.+)")
def delete_branch(hub: "HubServer", request: Request, kinds: str, repo: str, name: str) -> Answer:
    found = own_repo(hub, request, kinds, repo)
    if name == "main":
        raise Refusal(403, "The main branch cannot be deleted")
    if found.branches.pop(name, None) is None:
        raise Refusal(404, f"Invalid rev id: {name}", "RevisionNotFound")
    return Answer({})


@route("POST", f"{REPO}/tag/(.+)")
def add_tag(hub: "HubServer", request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found, name = own_repo(hub, request, kinds, repo), request.json()["tag"]
    if name in found.tags:
        raise Refusal(409, f"Tag reference exists already: {name}")
    found.tags[name] = commit_of(found, revision).oid
    return Answer({})


@route("DELETE", f"{REPO}/tag/(.+)")
def delete_tag(hub: "HubServer", request: Request, kinds: str, repo: str, name: str) -> Answer:
    found = own_repo(hub, request, kinds, repo)
    if found.tags.pop(name, None) is None:
        raise Refusal(404, f"Invalid rev id: {name}", "RevisionNotFound")
    return Answer({})
