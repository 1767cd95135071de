"""Large files: told where to go, taken in, and checked. Those that are known are not asked for again."""

from typing import TYPE_CHECKING

from .repos import own_repo
from .wire import Answer, Refusal, Request, move, route, sha256_of

if TYPE_CHECKING:
    from .server import HubServer

LFS_JSON = "application/vnd.git-lfs+json"


@route("POST", r"/(datasets/|spaces/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch")
def batch(hub: "HubServer", request: Request, prefix: str | None, repo: str) -> Answer:
    own_repo(hub, request, (prefix or "models/")[:-1], repo)
    objects = []
    for each in request.json()["objects"]:
        said = {"oid": each["oid"], "size": each["size"], "authenticated": True}
        if not hub.store.lfs_path(each["oid"]).is_file():
            said["actions"] = {
                "upload": {"href": f"{request.base}/_lfs/{each['oid']}", "header": {}},
                "verify": {"href": f"{request.base}/_lfs/verify", "header": {}},
            }
        objects.append(said)
    return Answer({"transfer": "basic", "objects": objects, "hash_algo": "sha256"}, kind=LFS_JSON)


@route("PUT", "/_lfs/([0-9a-f]{64})")
def put(hub: "HubServer", request: Request, oid: str) -> Answer:
    assert request.body_file
    if sha256_of(request.body_file) != oid:
        raise Refusal(400, "The content does not have the SHA-256 that was announced")
    move(request.body_file, hub.store.lfs_path(oid))
    return Answer(headers={"ETag": f'"{oid}"'})


@route("POST", "/_lfs/verify")
def verify(hub: "HubServer", request: Request) -> Answer:
    asked = request.json()
    stored = hub.store.lfs_path(asked["oid"])
    if not stored.is_file() or stored.stat().st_size != asked["size"]:
        raise Refusal(404, "This object was not uploaded, or not whole")
    return Answer({})


@route("GET", "/api/(?:models|datasets|spaces)/[^/]+/[^/]+/xet-(?:read|write)-token/.+")
def xet_token(hub: "HubServer", request: Request) -> Answer:
    """Said at once: with an address it could not reach, the client would wait for minutes."""
    raise Refusal(400, "this Hub has no xet: set HF_HUB_DISABLE_XET=1 before the client starts")
