"""Jobs: sent, listed, looked at, followed, cancelled. They are played as a test says, or really run here."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .accounts import may_write_for, signed, token_may
from .job_process import run_here
from .store import Job, Token, now
from .wire import Answer, Refusal, Request, route

if TYPE_CHECKING:
    from .server import HubServer

DOLLARS_AN_HOUR = {
    "cpu-basic": 0.01,
    "cpu-upgrade": 0.03,
    "t4-small": 0.40,
    "t4-medium": 0.60,
    "l4x1": 0.80,
    "a10g-small": 1.00,
    "a10g-large": 1.50,
    "l40sx1": 1.80,
    "a100-large": 2.50,
    "rtx-pro-6000": 2.75,
    "h200": 5.00,
}
GPU = {
    "t4-small": ("T4", "16 GB"),
    "t4-medium": ("T4", "16 GB"),
    "l4x1": ("L4", "24 GB"),
    "a10g-small": ("A10G", "24 GB"),
    "a10g-large": ("A10G", "24 GB"),
    "l40sx1": ("L40S", "48 GB"),
    "a100-large": ("A100", "80 GB"),
    "rtx-pro-6000": ("RTX PRO 6000", "96 GB"),
    "h200": ("H200", "141 GB"),
}
KEEP_ALIVE_SECONDS = 10
NS = "/api/jobs/([^/]+)"


@dataclass(frozen=True)
class Play:
    """How a job goes that is not really run.

    Attributes:
        seconds: Between its lines.
        stage: In which it ends; None leaves it running until it is cancelled, or set by the test.
    """

    lines: tuple[str, ...] = ("step 1 loss 2.0", "done")
    stage: str | None = "COMPLETED"
    message: str | None = None
    seconds: float = 0.0


def flavours() -> list[dict[str, Any]]:
    """What can be rented, and for how much."""
    said = []
    for name, dollars in DOLLARS_AN_HOUR.items():
        each: dict[str, Any] = {
            "name": name,
            "prettyName": name.replace("-", " ").title(),
            "cpu": "4 vCPU",
            "ram": "16 GB",
            "ephemeralStorage": "50 GB",
            "accelerator": None,
            "unitCostMicroUSD": round(dollars / 60 * 1e6),
            "unitCostUSD": round(dollars / 60, 6),
            "unitLabel": "minute",
        }
        if name in GPU:
            model, memory = GPU[name]
            each["accelerator"] = {"type": "gpu", "model": model, "quantity": "1", "vram": memory, "manufacturer": "Nvidia"}  # fmt: skip  # noqa: E501
        said.append(each)
    return said


@route("GET", "/api/(?:jobs|spaces)/hardware")
def hardware(hub: "HubServer", request: Request) -> Answer:
    return Answer(flavours())


def needs_jobs(hub: "HubServer", request: Request, namespace: str) -> Token:
    token = signed(request)
    if not may_write_for(hub, token, namespace) or not token_may(token, "job.write", namespace):
        raise Refusal(403, f"You don't have the permission job.write for {namespace}")
    return token


@route("POST", NS)
def start(hub: "HubServer", request: Request, namespace: str) -> Answer:
    needs_jobs(hub, request, namespace)
    spec = request.json()
    secrets = spec.pop("secrets", {})
    request.body = json.dumps(spec).encode()  # what the log keeps
    if spec.get("flavor") not in DOLLARS_AN_HOUR:
        raise Refusal(400, f"There is no hardware {spec.get('flavor')}")
    if hub.store.accounts[namespace].credit <= 0:
        raise Refusal(402, "Pre-paid credit balance is insufficient. Add credits to run Jobs.")
    return Answer(described(begin(hub, Job(namespace, spec, secrets))))


def begin(hub: "HubServer", job: Job) -> Job:
    hub.store.jobs[job.id] = job
    target, words = (run_here, (hub, job)) if hub.jobs == "run" else (play, (hub, job, hub.next_job))
    job.work = threading.Thread(target=target, args=words, daemon=True)
    job.work.start()
    return job


def play(hub: "HubServer", job: Job, part: Play) -> None:
    job.become("RUNNING")
    for line in part.lines:
        if hub.closing.wait(part.seconds) or job.over:
            return
        job.say(line)
    if part.stage:
        hub.closing.wait(part.seconds)
        job.become(part.stage, part.message)


def described(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "createdAt": job.created,
        "startedAt": job.started,
        "finishedAt": job.finished,
        **{key: job.spec.get(key) for key in ("dockerImage", "spaceId", "command", "arguments", "environment")},
        **{key: job.spec.get(key) for key in ("flavor", "labels", "timeoutSeconds")},
        "secrets": dict.fromkeys(job.secrets, ""),
        "status": {"stage": job.stage, "message": job.message},
        "owner": {"id": "0" * 24, "name": job.owner, "type": "user"},
    }


def job_of(hub: "HubServer", request: Request, namespace: str, name: str) -> Job:
    needs_jobs(hub, request, namespace)
    job = hub.store.jobs.get(name)
    if job is None or job.owner != namespace:
        raise Refusal(404, "Job not found")
    return job


@route("GET", NS)
def listing(hub: "HubServer", request: Request, namespace: str) -> Answer:
    needs_jobs(hub, request, namespace)
    stages, labels = request.query.get("stage", []), request.query.get("label", [])
    found = []
    for job in hub.store.jobs.values():
        own = {f"{key}={value}" for key, value in (job.spec.get("labels") or {}).items()}  # type: ignore[attr-defined]
        if job.owner == namespace and (not stages or job.stage in stages) and own >= {*labels}:
            found.append(described(job))
    return Answer(found[::-1])


@route("GET", f"{NS}/([^/]+)")
def inspect(hub: "HubServer", request: Request, namespace: str, name: str) -> Answer:
    return Answer(described(job_of(hub, request, namespace, name)))


@route("POST", f"{NS}/([^/]+)/cancel")
def cancel(hub: "HubServer", request: Request, namespace: str, name: str) -> Answer:
    job = job_of(hub, request, namespace, name)
    job.become("CANCELED")
    return Answer(described(job))


@route("POST", f"{NS}/([^/]+)/duplicate")
def again(hub: "HubServer", request: Request, namespace: str, name: str) -> Answer:
    job = job_of(hub, request, namespace, name)
    return Answer(described(begin(hub, Job(namespace, dict(job.spec), dict(job.secrets)))))


@route("GET", f"{NS}/([^/]+)/logs")
def logs(hub: "HubServer", request: Request, namespace: str, name: str) -> Answer:
    job = job_of(hub, request, namespace, name)
    tail = int(request.asked("tail", "0"))
    return Answer(events=follow(hub, job, max(0, len(job.lines) - tail) if tail else 0))


def follow(hub: "HubServer", job: Job, first: int) -> Iterator[bytes]:
    """What a job said from a line on, then what it says, until it is over."""
    yield event(f"===== Job started at {job.created} =====", job.created)
    while True:
        with job.changed:
            over, fresh = job.over, job.lines[first:]
            if not fresh and not over and not hub.closing.is_set():
                job.changed.wait(0.2)
                continue
        for when, line in fresh:
            yield event(line, when)
        first += len(fresh)
        if over or hub.closing.is_set():
            return


def event(line: str, when: str = "") -> bytes:
    return b"data: " + json.dumps({"data": line, "timestamp": when or now()}).encode() + b"\n\n"
