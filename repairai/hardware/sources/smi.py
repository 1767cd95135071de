"""What `nvidia-smi` prints of NVIDIA's GPUs, for machines where NVML does not answer."""

from __future__ import annotations

import csv
import math
import re
from functools import cache

from repairai.errors import RepairError
from repairai.hardware.profile import Gpu, GpuUser
from repairai.hardware.sources.capability import computes_bf16, remark
from repairai.hardware.sources.programs import ask, base_name

MIB_A_GIB = 1024
OLD_FIELDS = ("name", "memory.total", "memory.free", "driver_version", "temperature.gpu", "uuid")
FIELDS = (*OLD_FIELDS, "compute_cap", "mig.mode.current")
"""An older nvidia-smi refuses to answer at all if one field is not known to it."""


def read_smi(program: str) -> tuple[Gpu, ...]:
    """Return the GPUs that `nvidia-smi` prints.

    Args:
        program: Its path.

    Raises:
        RepairError: It does not answer, answers with an error, or with what cannot be read.
    """
    try:
        table = _query(program, "gpu", FIELDS)
    except RepairError as error:
        if "not a valid field" not in error.what:
            raise
        table = _query(program, "gpu", OLD_FIELDS)
    if "no devices were found" in table.lower():
        return ()
    try:
        apps = _query(program, "compute-apps", ("gpu_uuid", "pid", "used_memory", "process_name"))
    except RepairError:  # which programs use it is only good to know
        apps = ""
    gpus = gpus_in(table, apps, _cuda(program))
    if not gpus and table.strip():
        raise RepairError(
            f"nvidia-smi answers what cannot be read ({_first_line(table)})", "install the NVIDIA driver again"
        )
    return gpus


def gpus_in(table: str, apps: str = "", cuda: str = "") -> tuple[Gpu, ...]:
    """Return the GPUs in what `nvidia-smi` printed; lines that cannot be read are left out.

    Args:
        table: A line of `FIELDS` or `OLD_FIELDS` for each GPU, memory in MiB, separated by commas.
        apps: A line for each program: the GPU's uuid, process number, MiB, name.
        cuda: The newest CUDA that the driver runs.
    """
    users = _users_in(apps)
    return tuple(gpu for line in table.splitlines() if (gpu := _gpu_in(line, users, cuda)))


def cuda_in(text: str) -> str:
    """Return the version of CUDA that stands in what `nvidia-smi` prints without being asked for more."""
    found = re.search(r"CUDA (?:UMD )?Version\s*:\s*(\d+\.\d+)", text)
    return found[1] if found else ""


def _query(program: str, what: str, fields: tuple[str, ...]) -> str:
    return ask([program, f"--query-{what}={','.join(fields)}", "--format=csv,noheader,nounits"])


@cache
def _cuda(program: str) -> str:
    try:
        return cuda_in(ask([program]))
    except RepairError:
        return ""


def _gpu_in(line: str, users: dict[str, list[GpuUser]], cuda: str) -> Gpu | None:
    cells = _cells(line)
    if len(cells) not in (len(OLD_FIELDS), len(FIELDS)) or not cells[0]:
        return None
    name, total, free, driver, temperature, uuid, capability_told, mig = (*cells, "", "")[: len(FIELDS)]
    total_gib = (_number(total) or 0.0) / MIB_A_GIB
    version = re.fullmatch(r"(\d{1,2})\.(\d)", capability_told)
    if not uuid.startswith(("GPU-", "MIG-")) and not total_gib:
        return None  # neither names a GPU nor says what one has
    capability = (int(version[1]), int(version[2])) if version else None
    celsius = _number(temperature)
    return Gpu(
        maker="nvidia",
        name=name,
        total_gib=total_gib,
        free_gib=min((_number(free) or 0.0) / MIB_A_GIB, total_gib),
        users=tuple(sorted(users.get(uuid, ()), key=lambda user: -(user.gib or 0))),
        driver=driver,
        cuda=cuda,
        capability=capability_told if version else "",
        bf16=computes_bf16(capability),
        temperature_c=None if celsius is None else round(celsius),
        remark=remark(total_gib, capability, is_cut=mig == "Enabled"),
    )


def _users_in(apps: str) -> dict[str, list[GpuUser]]:
    """Return the programs on each GPU, by its uuid."""
    users: dict[str, list[GpuUser]] = {}
    for line in apps.splitlines():
        cells = _cells(line)
        if len(cells) >= 4 and (pid := _number(cells[1])) is not None:
            mib = _number(cells[2])
            name = base_name(",".join(cells[3:]))  # the name comes last because it alone may hold a comma
            users.setdefault(cells[0], []).append(GpuUser(int(pid), name, None if mib is None else mib / MIB_A_GIB))
    return users


def _cells(line: str) -> list[str]:
    """Return a line's cells, empty where `nvidia-smi` says that it does not know: [N/A], [Not Supported]."""
    try:
        (cells,) = csv.reader([line], skipinitialspace=True)
    except (csv.Error, ValueError):
        return []
    stripped = [cell.strip() for cell in cells]
    return ["" if cell.startswith("[") or cell == "N/A" else cell for cell in stripped]


def _number(cell: str) -> float | None:
    """Return a number that is not negative and could be an amount; None for anything else."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number < 2**40 else None


def _first_line(text: str) -> str:
    return f"{text.strip().splitlines()[0]:.100}"
