"""Hugging Face Jobs: another machine for one training, paid by the minute. What it costs is asked, not known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import JobStage, get_token

from repairai.errors import RepairError
from repairai.hub.client import api, hub_errors

IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
"""With Python and uv, which installs what the training needs. Source: huggingface_hub, `DEFAULT_UV_IMAGE`."""
MARK = "@repairai "
"""Begins each line that a job of RepairAI says: behind it comes JSON {n, say, ...}. Others are the machine's own."""
STOP, RESULT = "control/stop", "result"
"""In a job's data set: a file that asks it to stop, and the folder of what it made."""
ENDED = (JobStage.COMPLETED, JobStage.CANCELED, JobStage.ERROR, JobStage.DELETED)
HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0}
"""That the unit of a price is long."""


@dataclass(frozen=True)
class Hardware:
    """A machine that can be had.

    Args:
        name: As the Hub calls it: "l4x1".
        title: As people call it.
        cpu: Its processor, in words.
        ram: Its memory, in words.
        gpu: Its cards and their memory, in words; empty where it has none.
        dollars_per_hour: Its price.
    """

    name: str
    title: str
    cpu: str
    ram: str
    gpu: str
    dollars_per_hour: float


@dataclass(frozen=True)
class Job:
    """A training on somebody else's machine.

    Args:
        id: As the Hub calls it.
        owner: Who pays.
        address: Where it can be looked at in a browser.
    """

    id: str
    owner: str
    address: str


@dataclass(frozen=True)
class Seen:
    """How a job stands.

    Args:
        stage: In one word, as the Hub says it: "SCHEDULING", "RUNNING", "COMPLETED", "CANCELED", "ERROR", "DELETED".
        message: What the Hub says of it; often nothing.
        seconds: That it has run, which is what is paid for; None where the Hub does not say.
    """

    stage: str
    message: str
    seconds: float | None

    @property
    def has_ended(self) -> bool:
        """Whether it will do no more."""
        return self.stage in {each.value for each in ENDED}

    @property
    def waits(self) -> bool:
        """Whether it has not begun, and costs nothing yet."""
        return self.stage == JobStage.SCHEDULING.value


def hardware() -> tuple[Hardware, ...]:
    """Return the machines that can be had with what they cost now, the cheapest first.

    Raises:
        RepairError: The Hub does not say.
    """
    with hub_errors("the machines of Hugging Face Jobs"):
        found = api().list_jobs_hardware()
    priced = [
        Hardware(
            each.name,
            each.pretty_name,
            each.cpu,
            each.ram,
            f"{each.accelerator.quantity} x {each.accelerator.model}, {each.accelerator.vram}"
            if each.accelerator
            else "",
            each.unit_cost_usd / HOURS[each.unit_label],
        )
        for each in found
        if each.unit_label in HOURS
    ]
    return tuple(sorted(priced, key=lambda each: each.dollars_per_hour))


def machine(flavor: str) -> Hardware:
    """Return the machine of a name with what it costs now.

    Raises:
        RepairError: There is none, or the Hub does not say.
    """
    known = hardware()
    for each in known:
        if each.name == flavor:
            return each
    raise RepairError(
        f"Hugging Face Jobs has no machine {flavor!r:.60}", f"take one of {', '.join(each.name for each in known)}"
    )


def begin(command: list[str], flavor: str, timeout_hours: float, name: str, owner: str, key: str) -> Job:
    """Start a job and return it. The token of who is logged in goes with it as a secret, which the Hub keeps encrypted.

    Args:
        command: Its words.
        flavor: The machine.
        timeout_hours: After which the Hub ends it, whatever it is at.
        name: What it is called there.
        owner: Who pays: an account's name, or that of an organisation.
        key: By which it can be found where the Hub's answer is not heard.

    Raises:
        Unreachable: The Hub did not answer, and may have started it.
        RepairError: The Hub refuses.
    """
    with hub_errors(f"a job on {flavor}"):
        info = api().run_job(
            image=IMAGE,
            command=command,
            secrets={"HF_TOKEN": get_token()},
            flavor=flavor,
            timeout=round(timeout_hours * 3600),
            labels={"name": name, "made-by": "repairai", "key": key},
            namespace=owner,
        )
    return Job(info.id, owner, info.url)


def find(owner: str, key: str) -> Job | None:
    """Return the job that was begun with a key, or None where there is none.

    Raises:
        RepairError: The Hub does not say.
    """
    with hub_errors(f"the jobs of {owner}"):
        info = next(iter(api().list_jobs(labels={"key": key}, namespace=owner)), None)
    return Job(info.id, owner, info.url) if info else None


def look(job: Job) -> Seen:
    """Return how a job stands.

    Raises:
        RepairError: The Hub does not say.
    """
    with hub_errors(f"the job {job.id}"):
        info = api().inspect_job(job_id=job.id, namespace=job.owner)
    stage = info.status.stage
    durations = info.durations
    return Seen(
        stage.value if isinstance(stage, JobStage) else str(stage),
        info.status.message or "",
        float(durations.running_secs) if durations and durations.running_secs is not None else None,
    )


def lines(job: Job) -> Iterator[str]:
    """Yield what a job has said from its beginning, and what it says until it ends.

    Raises:
        RepairError: The Hub does not say, or the connection broke off.
    """
    with hub_errors(f"the log of the job {job.id}"):
        yield from api().fetch_job_logs(job_id=job.id, namespace=job.owner, follow=True)


def cancel(job: Job) -> None:
    """End a job at once; what it has not sent is lost.

    Raises:
        RepairError: The Hub refuses.
    """
    with hub_errors(f"the job {job.id}"):
        api().cancel_job(job_id=job.id, namespace=job.owner)


# ---- the private data set through which a job is spoken to


def bring(repo: str, inside: str, folder: Path) -> Path:
    """Fetch a folder of a job's data set, and return where it lies; it is empty where the job has sent nothing.

    Args:
        repo: The data set.
        inside: The folder in it.
        folder: Where it goes.

    Raises:
        RepairError: The Hub refuses, or the disk is full.
    """
    with hub_errors(repo):
        api().snapshot_download(repo, repo_type="dataset", allow_patterns=[f"{inside}/**"], local_dir=folder)
    return folder / inside
