"""Files: what lies in a repo, how it comes in by commits, and how it goes out."""

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .cards import faults_of
from .repos import REPO, commit_of, needs_admission, own_repo, repo_of
from .store import PREFIX, Blob, Commit, Repo
from .wire import Answer, Refusal, Request, route

if TYPE_CHECKING:
    from .server import HubServer

LARGE_KINDS = (
    *(".7z", ".arrow", ".bin", ".bz2", ".ckpt", ".ftz", ".gz", ".h5", ".joblib", ".mlmodel", ".model", ".msgpack"),
    *(".npy", ".npz", ".onnx", ".ot", ".parquet", ".pb", ".pickle", ".pkl", ".pt", ".pth", ".rar", ".safetensors"),
    *(".tar", ".tflite", ".tgz", ".wasm", ".xz", ".zip", ".zst", ".gguf"),
    *(".jpg", ".jpeg", ".png", ".webp", ".heic", ".mp4", ".wav"),
)
LARGE_BYTES = 10_000_000


def is_large(path: str, size: int) -> bool:
    return path.lower().endswith(LARGE_KINDS) or size > LARGE_BYTES


def node(path: str, blob: Blob) -> dict[str, Any]:
    said = {"type": "file", "oid": blob.git_oid, "size": blob.size, "path": path}
    if blob.content is None:
        said["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": len(blob.pointer)}
    return said


def folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0, "path": path}


def last_commit(repo: Repo, commit: Commit, path: str) -> dict[str, str]:
    """The newest commit that changed a path, as an expanded node names it."""
    while commit.parent and repo.commits[commit.parent].files.get(path) == commit.files.get(path):
        commit = repo.commits[commit.parent]
    return {"id": commit.oid, "title": commit.title, "date": commit.date}


@route("GET", f"{REPO}/tree/([^/]+)(?:/(.*))?")
def tree(hub: "HubServer", request: Request, kinds: str, repo: str, revision: str, below: str | None) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    commit = commit_of(found, revision)
    start = (below or "").strip("/")
    start += "/" if start else ""
    everything = request.asked("recursive").lower() in ("true", "1")
    expand = request.asked("expand").lower() in ("true", "1")
    nodes: dict[str, dict[str, Any]] = {}
    for path, blob in sorted(commit.files.items()):
        if not path.startswith(start):
            continue
        parts = path[len(start) :].split("/")
        for depth in range(1, len(parts) if everything else min(len(parts), 2)):
            inner = start + "/".join(parts[:depth])
            nodes.setdefault(inner, folder(inner))
        if everything or len(parts) == 1:
            nodes[path] = node(path, blob)
            if expand:
                nodes[path]["lastCommit"] = last_commit(found, commit, path)
    if start and not nodes:
        raise Refusal(404, f'{start[:-1]} does not exist on "{revision}"', "EntryNotFound")
    return Answer([*nodes.values()])


@route("POST", f"{REPO}/paths-info/(.+)")
def paths_info(hub: "HubServer", request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    commit = commit_of(found, revision)
    in_json = "json" in (request.headers.get("Content-Type") or "")
    asked = request.json() if in_json else parse_qs(request.body.decode())
    paths = asked.get("paths", [])
    expand = str(asked.get("expand", "")).strip("[]'").lower() in ("true", "1")
    nodes = []
    for path in [paths] if isinstance(paths, str) else paths:
        if path in commit.files:
            nodes.append(node(path, commit.files[path]))
        elif any(file.startswith(path.rstrip("/") + "/") for file in commit.files):
            nodes.append(folder(path.rstrip("/")))
        else:
            continue
        if expand:
            nodes[-1]["lastCommit"] = last_commit(found, commit, path)
    return Answer(nodes)


@route("POST", f"{REPO}/preupload/(.+)")
def preupload(hub: "HubServer", request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = own_repo(hub, request, kinds, repo)
    commit = commit_of(found, revision)
    files = []
    for each in request.json()["files"]:
        mode = "lfs" if is_large(each["path"], each["size"]) else "regular"
        said = {"path": each["path"], "uploadMode": mode, "shouldIgnore": False}
        if each["path"] in commit.files:
            # Without it the client cannot tell that nothing changed.
            said["oid"] = commit.files[each["path"]].etag
        files.append(said)
    return Answer({"files": files, "commitOid": commit.oid})


@route("POST", f"{REPO}/commit/(.+)")
def commit(hub: "HubServer", request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = own_repo(hub, request, kinds, repo)
    lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    head = commit_of(found, revision)
    parent = header.get("parentCommit")
    if parent and not head.oid.startswith(parent):
        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
    files = dict(head.files)
    for line in lines:
        if line["key"] != "header":
            change(hub, files, line["key"], line["value"])
    refuse_card(found, head, files)
    author = request.token.account if request.token else ""
    branch, extra = revision, {}
    if request.asked("create_pr"):
        number = 1 + sum(name.startswith("refs/pr/") for name in found.branches)
        branch = f"refs/pr/{number}"
        found.branches[branch] = head.oid
        extra["pullRequestUrl"] = f"{request.base}/{PREFIX[found.kind]}{found.id}/discussions/{number}"
    made = found.add_commit(files, header["summary"], author, branch, header.get("description") or "")
    if found.space and branch == "main":
        starts(found)
    address = f"{request.base}/{PREFIX[found.kind]}{found.id}/commit/{made.oid}"
    return Answer({"success": True, "commitOid": made.oid, "commitUrl": address, "hookOutput": "", **extra})


def change(hub: "HubServer", files: dict[str, Blob], what: str, value: dict[str, Any]) -> None:
    """One line of a commit."""
    path = value["path"]
    if what == "file":
        data = base64.b64decode(value["content"]) if value.get("encoding") == "base64" else value["content"].encode()
        files[path] = Blob(len(data), data)
    elif what == "lfsFile":
        stored = hub.store.lfs_path(value["oid"])
        if not stored.is_file():
            raise Refusal(400, f"LFS pointer pointed to a file that does not exist: {path}")
        files[path] = Blob(stored.stat().st_size, None, value["oid"])
    elif what == "deletedFile":
        if files.pop(path, None) is None:
            raise Refusal(404, f"A file with the name {path} does not exist", "EntryNotFound")
    elif what == "deletedFolder":
        for gone in [each for each in files if each.startswith(path.rstrip("/") + "/")]:
            del files[gone]
    else:
        raise Refusal(400, f"a commit cannot have a line of {what}")


def refuse_card(repo: Repo, head: Commit, files: dict[str, Blob]) -> None:
    """Refuse a commit whose README the Hub would not show."""
    readme = files.get("README.md")
    if readme and readme.content and readme != head.files.get("README.md"):
        errors, _ = faults_of(readme.content.decode("utf-8", "replace"), repo.kind)
        if errors:
            raise Refusal(400, f"Invalid metadata in README.md: {'; '.join(errors)}")


def starts(repo: Repo) -> None:
    """A Space is built anew at each commit; here that takes no time."""
    if repo.space and repo.space.stage in ("NO_APP_FILE", "RUNNING", "BUILD_ERROR", "RUNTIME_ERROR"):
        there = {"app.py", "index.html", "Dockerfile"} & {*repo.head.files}
        repo.space.stage = "RUNNING" if there else "NO_APP_FILE"
        repo.space.build_log.append(f"===== Build Queued at {repo.head.date} / Commit SHA: {repo.head.oid[:7]} =====")


@route("GET", r"/(datasets/|spaces/)?([^/]+/[^/]+)/(?:resolve|raw)/([^/]+)/(.+)")
def resolve(hub: "HubServer", request: Request, prefix: str | None, repo: str, revision: str, path: str) -> Answer:
    found = repo_of(hub, request, (prefix or "models/")[:-1], repo)
    needs_admission(request, found, hub)
    commit = commit_of(found, revision)
    blob = commit.files.get(path)
    headers = {"X-Repo-Commit": commit.oid}
    if blob is None:
        raise Refusal(404, "Entry not found", "EntryNotFound", X_Repo_Commit=commit.oid)
    headers |= {"Accept-Ranges": "bytes", "ETag": f'"{blob.etag}"'}
    if request.method == "GET" and not request.headers.get("Range"):
        found.downloads += path == "config.json"
    if blob.content is not None:
        return Answer(blob.content, headers=headers, kind="text/plain; charset=utf-8")
    headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
    return Answer(headers=headers, file=hub.store.lfs_path(blob.sha256), kind="application/octet-stream")
