"""Runs a job's command on this machine, in a folder that is gone afterwards, with its environment and its secrets."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .store import Job

if TYPE_CHECKING:
    from .server import HubServer

UV = Path(__file__).parent / "uv_stand_in.py"


def run_here(hub: "HubServer", job: Job) -> None:
    """Run it, line by line into its log; what it ends with is how the job ends."""
    with tempfile.TemporaryDirectory(prefix="hub-job-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        words = [*(job.spec.get("command") or ()), *(job.spec.get("arguments") or ())]  # type: ignore[misc]
        environment = environment_of(hub, job, folder)
        job.become("RUNNING")
        found = shutil.which(words[0], path=environment["PATH"])
        if found is None:
            job.become("ERROR", f"the container has no command {words[0]}")
            return
        process = subprocess.Popen(
            [found, *words[1:]],
            cwd=folder / "work",
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            errors="replace",
            start_new_session=True,
        )
        job.process = process
        guard = threading.Thread(target=guarded, args=(hub, job, process), daemon=True)
        guard.start()
        for line in process.stdout or ():
            job.say(line.rstrip("\n"))
        code = process.wait()
        guard.join()
        job.become(*(("COMPLETED",) if code == 0 else ("ERROR", f"Job failed with exit code: {code}")))


def guarded(hub: "HubServer", job: Job, process: subprocess.Popen[str]) -> None:
    """End it where it is cancelled, takes too long, or the Hub closes."""
    left = float(job.spec.get("timeoutSeconds") or 1800)  # type: ignore[arg-type]
    step = 0.1
    while process.poll() is None:
        if left <= 0:
            job.become("ERROR", "Job timeout")
        if job.over or hub.closing.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(step)
        left -= step


def environment_of(hub: "HubServer", job: Job, folder: Path) -> dict[str, str]:
    """What a container would have: nothing of the person's own but where programs lie.

    `python` is the one that runs the tests, and `uv run` is one that installs nothing.
    """
    for part in ("bin", "work", "home"):
        (folder / part).mkdir()
    for name in ("python", "python3"):
        # Not a link: an interpreter finds its packages by where it lies.
        shim(folder / "bin" / name, f'exec "{sys.executable}" "$@"')
    shim(folder / "bin" / "uv", f'exec "{sys.executable}" "{UV}" "$@"')
    environment = {
        "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "HOME": str(folder / "home"),
        "HF_HOME": str(folder / "home" / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        "JOB_ID": job.id,
        "ACCELERATOR": "",
        "CPU_CORES": "2",
    }
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        if name in os.environ:
            environment[name] = os.environ[name]
    own: dict[str, str] = job.spec.get("environment") or {}  # type: ignore[assignment]
    return {**environment, **own, **job.secrets}


def shim(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
