"""A training by unsloth or axolotl: makes the environment that it needs where there is none, and goes on in it.

    python -m training.in_environment unsloth RUN|RECIPE

Their pins clash with RepairAI's and with each other's, so each has an environment of its own, in
`environments/<backend>` of RepairAI's folder. It holds only what differs: whatever else is asked for comes from the
environment that RepairAI runs in, the torch that fits the graphics card above all. So it is made in half a minute and
takes a few hundred MB. What it is made of stands in `training/environments/<backend>.txt`.

Then this process becomes the backend's own script, run by that environment's interpreter on the same run folder.
Nothing of a backend is ever imported here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import venv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from repairai.errors import RepairError
from repairai.files import disk_error, home, read_text, write_whole
from repairai.runs.folder import RunFolder, new_run, read_json
from repairai.runs.journal import Asked, Journal

SCRIPTS = {"unsloth": "training.unsloth_train", "axolotl": "training.axolotl_train"}
TRIED = {
    "unsloth": "import repairai.runs.journal, unsloth",
    "axolotl": "import repairai.runs.journal, axolotl.utils.schemas.config",
}
"""What must work in an environment before it counts as made."""
LISTS = Path(__file__).parent / "environments"
ALONE = "--no-deps"
"""A line of a list: what follows is installed without what it asks for."""
SHARED = ("torch", "bitsandbytes", "peft", "accelerate", "tokenizers", "safetensors", "numpy", "pydantic")
"""Packages of our own environment on which the others stand: another version of one makes them anew."""
NEEDED_BYTES = 3 * 2**30
"""Free on the disk before an environment is made: several times what it takes, since pip unpacks beside it."""
POLL_SECONDS = 0.3


def environment(backend: str) -> Path:
    """Return where a backend's environment lies, or will."""
    return home() / "environments" / backend


def interpreter(folder: Path) -> Path:
    """Return the interpreter of an environment."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def is_made(backend: str) -> bool:
    """Return whether a backend's environment is there, whole, and made of what its list says now."""
    folder = environment(backend)
    return interpreter(folder).exists() and read_json(folder / "made.json") == _made_of(backend)


def make(backend: str, journal: Journal | None = None) -> Path:
    """Make a backend's environment where it is not there, and return its folder.

    It is made beside its place and then renamed, so that one whose making was cut short is never taken for whole.

    Args:
        backend: A name of `SCRIPTS`.
        journal: Of the run that needs it: told the phase, and asked whether to stop.

    Raises:
        RepairError: It cannot be made: no network, no room, or a package that will not be imported.
        Asked: The run was asked to stop or pause meanwhile.
    """
    folder = environment(backend)
    beside = folder.with_name(f".{backend}-in-the-making")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{backend}.lock")):
            if is_made(backend):
                return folder
            if journal:
                journal.phase("making the environment")
            shutil.rmtree(beside, ignore_errors=True)
            _refuse_full_disk(folder.parent)
            _fill(backend, beside, journal)
            write_whole(beside / "made.json", json.dumps(_made_of(backend), indent=2).encode())
            shutil.rmtree(folder, ignore_errors=True)
            beside.rename(folder)
    except OSError as error:
        raise disk_error(folder, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def read_list(backend: str) -> tuple[list[str], list[str]]:
    """Return what pip installs for a backend: with what it asks for, and without.

    Raises:
        RepairError: There is no such backend.
    """
    if backend not in SCRIPTS:
        raise RepairError(f"there is no backend {backend!r} with an environment", f"take {' or '.join(SCRIPTS)}")
    lines = [line.split("#")[0].strip() for line in read_text(LISTS / f"{backend}.txt").splitlines()]
    wanted = [line for line in lines if line]
    at = wanted.index(ALONE) if ALONE in wanted else len(wanted)
    return wanted[:at], wanted[at + 1 :]


def settings(folder: Path) -> dict[str, str]:
    """Return the environment variables for a process of a backend: nothing is reported to anybody.

    Args:
        folder: Of its environment, in which unsloth keeps the code that it writes.

    Source:
        unsloth's and axolotl's own code: `UNSLOTH_DISABLE_STATISTICS`, `AXOLOTL_DO_NOT_TRACK`; huggingface_hub's
        documentation of environment variables; consoledonottrack.com for `DO_NOT_TRACK`.
    """
    silent = ("UNSLOTH_DISABLE_STATISTICS", "AXOLOTL_DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    return {
        **dict.fromkeys(silent, "1"),
        "WANDB_DISABLED": "true",
        "WANDB_MODE": "disabled",
        "UNSLOTH_COMPILE_LOCATION": str(folder / "compiled"),
        "TOKENIZERS_PARALLELISM": "false",
    }


# ---- making


def _made_of(backend: str) -> dict[str, object]:
    """Return what an environment of today's list would be made of."""
    listed = [*read_list(backend)[0], ALONE, *read_list(backend)[1]]
    return {
        "list": hashlib.sha256("\n".join(listed).encode()).hexdigest(),
        "python": sys.version.split()[0],
        "sees": _own_packages(),
        "packages": {name: _version(name) for name in SHARED},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _own_packages() -> list[str]:
    """Return the folders that our own packages lie in."""
    names = ("site-packages", "dist-packages")
    return [path for path in dict.fromkeys(sys.path) if Path(path).name in names and Path(path).is_dir()]


def _refuse_full_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise RepairError(
            f"an environment needs {NEEDED_BYTES / 2**30:.0f} GiB free on the disk, and {free / 2**30:.1f} GiB are",
            "free some space and start the run again",
        )


def _fill(backend: str, folder: Path, journal: Journal | None) -> None:
    try:
        # Our own pip serves, seen from there as our other packages are.
        venv.EnvBuilder(with_pip=find_spec("pip") is None, symlinks=os.name != "nt").create(folder)
    except subprocess.CalledProcessError:
        raise RepairError(
            f"no environment can be made for {backend}: this Python has no ensurepip",
            "install it (python3-venv on Debian and Ubuntu) and start the run again",
        ) from None
    python = str(interpreter(folder))
    (packages,) = folder.rglob("site-packages")
    # A line of a .pth file that begins with "import" is run. What it adds comes after the environment's own packages.
    line = f"import site; list(map(site.addsitedir, {_own_packages()!r}))\n"
    (packages / "_repairai.pth").write_text(line, encoding="utf-8")
    held = folder / "held.txt"
    held.write_text(f"torch=={_version('torch')}\n", encoding="utf-8")  # never another one, of several GB
    pip = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-warn-conflicts"]
    quiet = ["--progress-bar", "off", "--no-compile", "--constraint", str(held)]
    whole, alone = read_list(backend)
    for words, wanted in ([], whole), ([ALONE], alone):
        if wanted:
            mend = "go online, see what pip says in the log, and start the run again"
            _run(backend, [*pip, *quiet, *words, *wanted], journal, mend)
    _run(backend, [python, "-c", TRIED[backend]], journal, "see the log; RepairAI's own trainer, trl, works without it")


def _run(backend: str, words: Sequence[str], journal: Journal | None, mend: str) -> None:
    """Run a command to its end, its words into our own output, and leave it when the run is asked to stop."""
    environ = {**os.environ, **settings(environment(backend))}
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", errors="replace", env=environ,
    )  # fmt: skip
    said: list[str] = []
    reader = threading.Thread(target=_pass_on, args=(process, said), daemon=True)
    reader.start()
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
                break
            if journal:
                journal.check()
    finally:
        process.kill()
        process.wait()
        reader.join(10)
    if process.returncode:
        last = next((line for line in reversed(said) if line.strip()), "it said nothing")
        raise RepairError(f"the environment for {backend} cannot be made: {last.strip():.300}", mend)


def _pass_on(process: subprocess.Popen[str], said: list[str]) -> None:
    for line in process.stdout or ():
        said.append(line)
        print(line, end="", flush=True)


# ---- the command


def become(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Turn this process into another; on Windows, where that is not possible, wait for it and return its code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(words[0], list(words), dict(environ))
    return subprocess.run(list(words), env=dict(environ), check=False).returncode


def command(backend: str) -> list[str]:
    """Return the words that start a run with a backend, "{run}" standing for its folder."""
    return [sys.executable, "-m", "training.in_environment", backend, "{run}"]


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backend", choices=SCRIPTS)
    parser.add_argument("path", type=Path, metavar="RUN|RECIPE", help="a run's folder, or a recipe for a new run")
    parser.add_argument("--name", default="", help="of a new run; else it is called as its recipe")
    chosen = parser.parse_args(arguments)
    backend = chosen.backend
    try:
        folder = _opened(chosen.path, backend, chosen.name)
        if not is_made(backend):
            with Journal(folder) as journal:
                make(backend, journal)
    except Asked as asked:
        print(f"it was asked to {asked}")
        return 1
    except RepairError as error:
        print(f"training.in_environment: {error}", file=sys.stderr)
        return 2
    place = environment(backend)
    words = [str(interpreter(place)), "-m", SCRIPTS[backend], str(folder.path)]
    return become(words, {**os.environ, **settings(place)})


def _opened(path: Path, backend: str, name: str) -> RunFolder:
    if path.is_dir():
        return RunFolder(path)
    return new_run(name or path.stem, "train", command(backend), text=read_text(path))


if __name__ == "__main__":
    sys.exit(main())
