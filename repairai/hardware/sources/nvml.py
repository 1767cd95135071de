"""What NVML, the library of NVIDIA's driver, says of its GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from repairai.errors import RepairError
from repairai.hardware.profile import Gpu, GpuUser
from repairai.hardware.sources.capability import computes_bf16, remark
from repairai.hardware.sources.programs import base_name

GIB = 2**30
LIBRARY_NOT_FOUND = 12
"""Source: nvml.h, NVML_ERROR_LIBRARY_NOT_FOUND."""


class NoDriver(Exception):
    """The driver's library is not there."""


def read_nvml(nvml: Any) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """Return the GPUs that NVML names, each slice of one in MIG mode by itself, and sentences on those that failed.

    Args:
        nvml: The module `pynvml`, or what answers as it does.

    Raises:
        NoDriver: The driver's library is not there.
        RepairError: NVML answers nothing but an error.
    """
    faults = _faults(nvml)
    try:
        _open(nvml)
        count = nvml.nvmlDeviceGetCount()
    except faults as error:
        _close(nvml)
        if getattr(error, "value", None) == LIBRARY_NOT_FOUND:
            raise NoDriver from None
        what = f"NVML answers with an error ({error})"
        raise RepairError(what, "restart the machine, or install the NVIDIA driver again") from None
    gpus: list[Gpu] = []
    said: list[str] = []
    for index in range(count):
        try:
            found = _parts(nvml, nvml.nvmlDeviceGetHandleByIndex(index))
        except faults as error:  # a GPU that is lost hides no other
            said.append(f"GPU {index} answers with an error ({error})")
            continue
        gpus += found
        if not found:
            said.append(f"GPU {index} is in MIG mode without a slice, so no program can use it")
    if len(gpus) < count:
        _close(nvml)
    return tuple(gpus), tuple(said)


@cache
def _open(nvml: Any) -> None:
    # It stays open: where nothing else keeps a GPU awake, each opening wakes it, which takes long.
    nvml.nvmlInit()


def _close(nvml: Any) -> None:
    """Let the next look begin anew: only so is a driver found that was loaded or updated meanwhile."""
    _open.cache_clear()
    _or(None, nvml, "nvmlShutdown")


def _faults(nvml: Any) -> tuple[type[Exception], ...]:
    """Return all that a call may raise: NVML's own, a call that an older module lacks, bytes that are no text."""
    mismatch = getattr(nvml, "NVMLLibraryMismatchError", nvml.NVMLError)
    return (nvml.NVMLError, mismatch, AttributeError, OSError, ValueError)


def _or(otherwise: Any, nvml: Any, name: str, *words: Any) -> Any:
    """Return what a call answers, or something else: no driver answers every call."""
    try:
        return getattr(nvml, name)(*words)
    except _faults(nvml):
        return otherwise


def _parts(nvml: Any, handle: Any) -> tuple[Gpu, ...]:
    """Return a GPU by itself, or its slices."""
    is_cut = _or((0, 0), nvml, "nvmlDeviceGetMigMode", handle)[0]
    return tuple(_slices(nvml, handle)) if is_cut else (_gpu(nvml, handle, handle),)


def _slices(nvml: Any, handle: Any) -> Iterator[Gpu]:
    for index in range(_or(0, nvml, "nvmlDeviceGetMaxMigDeviceCount", handle)):
        part = _or(None, nvml, "nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
        if part is not None:  # slices are numbered with gaps
            yield _gpu(nvml, part, handle)


def _gpu(nvml: Any, handle: Any, whole: Any) -> Gpu:
    """Return a GPU, or a slice of `whole`, which is asked for what its slices do not know."""
    memory = _or(None, nvml, "nvmlDeviceGetMemoryInfo", handle)
    total_gib = memory.total / GIB if memory else 0.0
    asked = _or(None, nvml, "nvmlDeviceGetCudaComputeCapability", whole)
    capability = (int(asked[0]), int(asked[1])) if asked else None
    cuda: int = _or(0, nvml, "nvmlSystemGetCudaDriverVersion_v2")  # 12040 is 12.4
    return Gpu(
        maker="nvidia",
        name=_or("", nvml, "nvmlDeviceGetName", handle) or "NVIDIA GPU",
        total_gib=total_gib,
        free_gib=min(memory.free / GIB, total_gib) if memory else 0.0,
        users=_users(nvml, handle),
        driver=_or("", nvml, "nvmlSystemGetDriverVersion"),
        cuda=f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else "",
        capability=f"{capability[0]}.{capability[1]}" if capability else "",
        bf16=computes_bf16(capability),
        temperature_c=_temperature(nvml, whole),
        remark=remark(total_gib, capability, is_cut=handle is not whole),
    )


def _temperature(nvml: Any, handle: Any) -> int | None:
    for call in ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"):  # an older driver knows the second alone
        found = _or(None, nvml, call, handle, 0)  # 0 is the GPU's own sensor
        if found is not None:
            return int(found)
    return None


def _users(nvml: Any, handle: Any) -> tuple[GpuUser, ...]:
    """Return the programs that compute or draw on a GPU, each once."""
    held: dict[int, float | None] = {}
    for kind in ("Compute", "Graphics"):
        for process in _or((), nvml, f"nvmlDeviceGet{kind}RunningProcesses", handle):
            gib = None if process.usedGpuMemory is None else process.usedGpuMemory / GIB
            known = held.get(process.pid)
            held[process.pid] = gib if known is None else max(known, gib or 0.0)
    users = (GpuUser(pid, _name(nvml, pid), gib) for pid, gib in held.items())
    return tuple(sorted(users, key=lambda user: -(user.gib or 0)))


def _name(nvml: Any, pid: int) -> str:
    return base_name(_or("", nvml, "nvmlSystemGetProcessName", pid)) or _name_by_system(pid)


def _name_by_system(pid: int) -> str:
    try:
        import psutil
    except ImportError:  # `doctor` asks here too
        return ""
    try:
        return psutil.Process(pid).name()
    except (psutil.Error, OSError, ValueError):  # it has ended, belongs to another, or lives outside this container
        return ""
