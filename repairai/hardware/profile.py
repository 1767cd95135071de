"""What a machine has, as records. GiB are 2**30 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

System = Literal["linux", "wsl2", "windows", "macos"]
Maker = Literal["nvidia", "amd", "apple", "intel"]


@dataclass(frozen=True)
class GpuUser:
    """A program that holds memory of a GPU.

    Args:
        pid: Its process number, as the driver gives it.
        name: Its name without its folder; empty where nothing tells it.
        gib: Memory of the GPU that it holds; None where the driver does not say, as on Windows and WSL2.
    """

    pid: int
    name: str
    gib: float | None


@dataclass(frozen=True)
class Gpu:
    """A GPU, or one slice of a GPU that is cut into several.

    Args:
        maker: Who made it.
        name: As its maker calls it: "NVIDIA GeForce RTX 3060".
        total_gib: All its memory; 0 where the driver does not say. Apple's GPUs share the machine's.
        free_gib: Memory that is free now.
        users: The programs that hold memory of it, those that hold most first, as far as the driver names them.
        driver: The driver's version; empty if not known.
        cuda: The newest CUDA that the driver runs: "12.4"; empty if not known, or without CUDA.
        capability: NVIDIA's compute capability: "8.6"; empty if not known, or another maker's.
        bf16: Whether it is known to compute in bfloat16.
        temperature_c: In degrees Celsius; None if not known.
        remark: One sentence on what works on it and what does not; empty where all does.
    """

    maker: Maker
    name: str
    total_gib: float
    free_gib: float
    users: tuple[GpuUser, ...] = ()
    driver: str = ""
    cuda: str = ""
    capability: str = ""
    bf16: bool = False
    temperature_c: int | None = None
    remark: str = ""

    def __post_init__(self) -> None:
        _check_room(f"the memory of {self.name}", self.free_gib, self.total_gib)


@dataclass(frozen=True)
class Cpu:
    """The processor.

    Args:
        name: As its maker calls it; empty if not known.
        cores: Real ones.
        threads: What the system takes for processors: two a core, on many.
        features: Those of AVX2, AVX-512, AVX-512 BF16, VNNI and AMX that it has, as far as the system tells.
    """

    name: str
    cores: int
    threads: int
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Room:
    """Disk for one purpose.

    Args:
        what: What goes there.
        folder: Where; it need not exist yet.
        free_gib: Free on its disk, for this user.
        total_gib: The size of its disk.
    """

    what: str
    folder: str
    free_gib: float
    total_gib: float

    def __post_init__(self) -> None:
        _check_room(f"the disk of {self.folder}", self.free_gib, self.total_gib)


@dataclass(frozen=True)
class HardwareProfile:
    """What a machine has, and what of it is free now.

    Args:
        system: The kind of system.
        system_name: As it calls itself: "Debian GNU/Linux 12 (bookworm)".
        python: The version that this runs on.
        cpu: The processor.
        ram_gib: The machine's memory, or the container's limit where that is smaller.
        ram_free_gib: What of it programs could still get, the container's limit counted in.
        swap_gib: Disk that stands in for memory.
        swap_free_gib: What of it is free.
        gpus: In the driver's order; empty where there is none.
        rooms: Disk where RepairAI's files go, and where downloads from the Hub go; one that cannot be looked at is
            left out, and a remark says why.
        remarks: Sentences on what was not found, or answered with an error.
    """

    system: System
    system_name: str
    python: str
    cpu: Cpu
    ram_gib: float
    ram_free_gib: float
    swap_gib: float
    swap_free_gib: float
    gpus: tuple[Gpu, ...] = ()
    rooms: tuple[Room, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_room("ram", self.ram_free_gib, self.ram_gib)
        _check_room("swap", self.swap_free_gib, self.swap_gib)


def _check_room(what: str, free_gib: float, total_gib: float) -> None:
    if not 0 <= free_gib <= total_gib < float("inf"):
        raise ValueError(f"need 0 <= free <= total for {what}, got {free_gib} and {total_gib} GiB")
