"""Repos described one by one, and found by words."""

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .accounts import may_read, signed
from .cards import card_data, tags_of
from .repos import KIND, REPO, commit_of, repo_of
from .store import Commit, Repo, Space
from .wire import Answer, Request, route

if TYPE_CHECKING:
    from .server import HubServer

PAGE = 1000


def about(hub: "HubServer", repo: Repo, commit: Commit, blobs: bool = False) -> dict[str, Any]:
    """A repo as the API describes it."""
    card = card_data(commit.files)
    siblings: list[dict[str, Any]] = [{"rfilename": path} for path in sorted(commit.files)]
    for sibling in siblings if blobs else ():
        blob = commit.files[sibling["rfilename"]]
        sibling.update(size=blob.size, blobId=blob.git_oid)
        if blob.content is None:
            sibling["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": len(blob.pointer)}
    said = {
        "_id": hashlib.sha1(repo.id.encode()).hexdigest()[:24],
        "id": repo.id,
        "author": repo.owner,
        "sha": commit.oid,
        "lastModified": commit.date,
        "createdAt": repo.created,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": repo.disabled,
        "downloads": repo.downloads,
        "likes": repo.likes,
        "tags": tags_of(card),
        "siblings": siblings,
        "usedStorage": sum(blob.size for blob in commit.files.values()),
    }
    if card:
        said["cardData"] = card
    if repo.kind == "model":
        said["modelId"] = repo.id
        said |= {key: card[key] for key in ("library_name", "pipeline_tag", "model-index") if key in card}
    if repo.space:
        said |= {"sdk": repo.space.sdk, "runtime": runtime(repo.space), "host": "", "subdomain": ""}
    return said


def runtime(space: Space) -> dict[str, Any]:
    running = space.stage == "RUNNING"
    return {
        "stage": space.stage,
        "hardware": {"current": space.hardware if running else None, "requested": space.hardware},
        "storage": None,
        "gcTimeout": space.sleep_seconds,
        "replicas": {"current": int(running), "requested": 1},
    }


@route("GET", KIND)
def listing(hub: "HubServer", request: Request, kinds: str) -> Answer:
    """Those that fit, in pages of `limit`."""
    kind, words = kinds.removesuffix("s"), request.asked("search").lower().split()
    author, wanted = request.asked("author"), set(request.query.get("filter", ()))
    found = []
    for repo in hub.store.repos.values():
        told = repo.kind == kind and not repo.disabled and may_read(hub, request.token, repo)
        if told and all(word in repo.id.lower() for word in words) and author in ("", repo.owner):
            said = about(hub, repo, repo.head)
            if wanted <= {*said["tags"]}:
                found.append(said)
    keys = {"downloads": "downloads", "likes": "likes", "createdAt": "createdAt"}
    found.reverse()  # of those of the same moment, the newest
    found.sort(key=lambda said: said[keys.get(request.asked("sort"), "lastModified")], reverse=True)
    first, limit = int(request.asked("cursor", "0")), int(request.asked("limit", str(PAGE)))
    limit = min(limit, hub.page_size)
    page = found[first : first + limit]
    headers = {}
    if first + limit < len(found):
        rest = urlencode({**request.query, "cursor": [str(first + limit)]}, doseq=True)
        headers["Link"] = f'<{request.base}{request.path}?{rest}>; rel="next"'
    return Answer(page, headers=headers)


@route("GET", f"{REPO}(?:/revision/(.+))?")
def info(hub: "HubServer", request: Request, kinds: str, repo: str, revision: str | None) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    commit = commit_of(found, revision or "main")
    return Answer(about(hub, found, commit, blobs=request.asked("blobs").lower() in ("true", "1")))


@route("GET", "/api/(?:organizations/([^/]+)/)?settings/repositories")
def storage(hub: "HubServer", request: Request, owner: str | None) -> Answer:
    """One's own repos of all kinds, with the room that they take."""
    owner = owner or signed(request).account
    said = []
    for repo in hub.store.repos.values():
        if repo.owner == owner and may_read(hub, request.token, repo):
            size = sum(blob.size for blob in repo.head.files.values())
            seen = "private" if repo.private else "public"
            about_it = {"id": repo.id, "type": repo.kind, "updatedAt": repo.head.date, "visibility": seen}
            said.append({**about_it, "storage": size, "storagePercent": 0})
    return Answer(said)
