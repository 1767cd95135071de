"""What a machine has: each source as recorded, missing and spoiled."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.errors import RepairError
from repairai.files import from_data, to_data
from repairai.hardware import probe as module
from repairai.hardware.probe import Cpu, Gpu, GpuUser, HardwareProfile, Room, probe
from repairai.hardware.sources import amd, apple, nvidia
from repairai.hardware.sources.cpu import cpu_in
from repairai.hardware.sources.ram import read_ram
from tests.hardware.nvml_stand_in import RTX, Nvml

ROOT = Path(__file__).parents[2]
GIB = 2**30


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(nvidia, "_nvml", lambda: None)
    monkeypatch.setattr(nvidia.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(amd, "find", tuple)


# ---- the whole


def test_this_machine_is_told_and_comes_back_from_json():
    profile = probe()
    assert profile.python == ".".join(map(str, sys.version_info[:3]))
    assert profile.system_name
    assert profile.cpu.threads >= profile.cpu.cores >= 1
    assert 0 < profile.ram_free_gib <= profile.ram_gib
    assert [room.what for room in profile.rooms] == ["guides, models and runs", "downloads from the Hub"]
    assert from_data(json.loads(json.dumps(to_data(profile))), HardwareProfile, "here") == profile


def test_no_gpu_is_a_state(without_gpu):
    profile = probe()
    assert profile.gpus == ()
    assert profile.remarks == ("no GPU was found: what fits is computed for a card that you name",)


def test_looking_again_takes_milliseconds(without_gpu):
    probe()
    start = time.perf_counter()
    for _ in range(10):
        probe()
    assert (time.perf_counter() - start) / 10 < 0.1


def test_a_gpu_is_told_and_what_hides_it(monkeypatch):
    monkeypatch.setattr(nvidia, "_nvml", lambda: Nvml(RTX))
    monkeypatch.setattr(amd, "find", tuple)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    profile = probe()
    assert [gpu.name for gpu in profile.gpus] == [RTX["name"]]
    assert profile.remarks == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES= decides" in probe().remarks[0]


def test_probing_imports_no_model_library():
    code = "import sys; from repairai.hardware.probe import probe; probe(); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "kernel", "system"),
    [
        ("linux", "6.18.44", "linux"),
        ("linux", "5.15.153.1-microsoft-standard-WSL2", "wsl2"),
        ("win32", "", "windows"),
        ("darwin", "", "macos"),
    ],
)
def test_systems_are_told_apart(name, kernel, system):
    assert module.system_of(name, kernel) == system


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Gpu("nvidia", "x", total_gib=8, free_gib=9),
        lambda: Gpu("nvidia", "x", total_gib=float("nan"), free_gib=0),
        lambda: Room("x", "y", free_gib=-1, total_gib=1),
        lambda: HardwareProfile("linux", "", "", Cpu("", 1, 1), 4, 5, 0, 0),
    ],
)
def test_more_free_than_there_is_is_refused(wrong):
    with pytest.raises(ValueError, match="need 0 <= free <= total"):
        wrong()


# ---- rooms


def test_a_folder_that_does_not_exist_yet_has_the_room_of_what_it_will_lie_in(tmp_path):
    room = module.room("runs", tmp_path / "not" / "yet")
    assert room.folder == str(tmp_path / "not" / "yet")
    assert 0 < room.free_gib <= room.total_gib


def test_a_folder_behind_a_file_or_a_bad_name(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert module.room("runs", tmp_path / "file" / "runs").total_gib > 0
    assert module.room("runs", tmp_path / "a\0b").total_gib > 0
    with pytest.raises(RepairError, match="cannot be looked at"):
        module.room("runs", tmp_path / ("x" * 5000))


def test_a_home_that_is_not_known_is_a_remark(monkeypatch, without_gpu):
    monkeypatch.setenv("REPAIRAI_HOME", "~nosuch/x")
    profile = probe()
    assert [room.what for room in profile.rooms] == ["downloads from the Hub"]
    assert "a home folder that is not known" in profile.remarks[-1]


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HOME": "/d"}, "/d/.cache/huggingface/hub"),
    ],
)
def test_downloads_go_where_the_hub_puts_them(monkeypatch, environment, folder):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert module.downloads() == Path(folder)


# ---- memory


def version_two(limit: str, used: int, cached: int = 0) -> dict[str, str]:
    return {"memory.max": limit, "memory.current": str(used), "memory.stat": f"anon 1\ninactive_file {cached}\n"}


def under(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


@pytest.fixture
def machine(monkeypatch):
    """A machine of 32 GiB with 20 free."""
    real = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: real._replace(total=32 * GIB, available=20 * GIB))


V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({}, (32, 20)),
        # A container of version 2: cached files would be given back at once.
        ({"proc/self/cgroup": "0::/\n", **under(V2, version_two(str(8 * GIB), 5 * GIB, 3 * GIB))}, (8, 6)),
        ({"proc/self/cgroup": "0::/\n", **under(V2, version_two("max", 5 * GIB))}, (32, 20)),
        # The limit of an outer group holds as well.
        (
            {
                "proc/self/cgroup": "0::/user.slice/inner\n",
                **under(f"{V2}/user.slice/inner", version_two("max", GIB)),
                **under(f"{V2}/user.slice", version_two(str(16 * GIB), 12 * GIB)),
            },
            (16, 4),
        ),
        # More than the machine has, and more in use than is allowed.
        ({"proc/self/cgroup": "0::/\n", **under(V2, version_two(str(64 * GIB), GIB))}, (32, 20)),
        ({"proc/self/cgroup": "0::/\n", **under(V2, version_two(str(4 * GIB), 5 * GIB))}, (4, 0)),
        # Version 1, its path seen from outside the container.
        (
            {
                "proc/self/cgroup": "5:cpu:/\n4:hugetlb,memory:/docker/0123\n0::/\n",
                f"{V1}/memory.limit_in_bytes": str(8 * GIB),
                f"{V1}/memory.usage_in_bytes": str(3 * GIB),
                f"{V1}/memory.stat": f"total_inactive_file {GIB}\n",
            },
            (8, 6),
        ),
        ({"proc/self/cgroup": "4:memory:/x\n", f"{V1}/memory.limit_in_bytes": "9223372036854771712"}, (32, 20)),
        # Spoiled.
        ({"proc/self/cgroup": "\nnonsense\n0::/../../etc\n", f"{V2}/memory.max": "eight"}, (32, 20)),
        (
            {"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": str(8 * GIB), f"{V2}/memory.stat": "inactive_file"},
            (8, 8),
        ),
    ],
)
def test_a_containers_limit_is_counted_in(tmp_path, machine, files, wanted):
    ram = read_ram(lay(tmp_path, files))
    assert (ram.total_gib, ram.free_gib) == wanted


def test_swap_that_cannot_be_read_is_none(monkeypatch):
    def hidden():
        raise OSError("no /proc/swaps")

    monkeypatch.setattr(psutil, "swap_memory", hidden)
    assert read_ram().swap_gib == 0


# ---- processor

XEON = """processor\t: 0
model name\t: Intel(R) Xeon(R)   Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu avx avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 amx_tile amx_int8
processor\t: 1
model name\t: Intel(R) Xeon(R)   Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu avx avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 amx_tile amx_int8
"""
LAPTOP = "model name\t: Intel(R) Core(TM) Ultra 7 155H\nflags\t\t: avx avx2 avx_vnni\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n"
MAC = "machdep.cpu.core_count: 10\nmachdep.cpu.brand_string: Apple M2 Pro\n"
INTEL_MAC = """machdep.cpu.leaf7_features: RDWRFSGS AVX2 BMI2 AVX512F AVX512VNNI
machdep.cpu.features: FPU SSE AVX1.0
machdep.cpu.brand_string: Intel(R) Core(TM) i9
"""


@pytest.mark.parametrize(
    ("text", "name", "features"),
    [
        (XEON, "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", ("AVX2", "AVX-512", "AVX-512 BF16", "VNNI", "AMX")),
        (LAPTOP, "Intel(R) Core(TM) Ultra 7 155H", ("AVX2", "VNNI")),
        (ARM, "aarch64", ()),
        (MAC, "Apple M2 Pro", ()),
        (INTEL_MAC, "Intel(R) Core(TM) i9", ("AVX2", "AVX-512", "VNNI")),
        ("", "aarch64", ()),
    ],
)
def test_the_processor_is_named(text, name, features):
    cpu = cpu_in(text, "aarch64")
    assert (cpu.name, cpu.features) == (name, features)


@given(st.text())
def test_no_cpuinfo_breaks_the_reader(text):
    assert cpu_in(text).cores >= 1


def test_a_processor_that_does_not_count_its_cores(monkeypatch):
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: None)
    assert cpu_in("") == Cpu("", 1, 1)


# ---- other makers

LSPCI = """0000:00:02.0 "VGA compatible controller" "Intel Corporation" "UHD Graphics 630" "Dell" "Device 0869"
0000:03:00.0 "VGA compatible controller" "Advanced Micro Devices, Inc. [AMD/ATI]" "Navi 31 [Radeon RX 7900 XTX]" -rc8 "Sapphire" "Device"
0000:04:00.0 "Display controller" "Advanced Micro Devices, Inc. [AMD/ATI]" "Aldebaran" "x" "y"
"""  # noqa: E501


def test_lspci_names_amds_cards():
    assert amd.names_in(LSPCI) == {"0000:03:00.0": "AMD Radeon RX 7900 XTX", "0000:04:00.0": "AMD Aldebaran"}


@given(st.text())
def test_no_lspci_breaks_the_reader(text):
    amd.names_in(text.replace("\0", ""))


def test_amds_gpus_are_found_in_sys(tmp_path):
    cards = "sys/class/drm"
    radeon = tmp_path / "sys/devices/pci0000:00/0000:03:00.0"
    lay(
        radeon,
        {
            "vendor": "0x1002\n",
            "mem_info_vram_total": f"{24 * GIB}\n",
            "mem_info_vram_used": f"{4 * GIB}\n",
            "hwmon/hwmon3/temp1_input": "51000\n",
        },
    )
    lay(
        tmp_path,
        {
            f"{cards}/card0/device/vendor": "0x8086\n",
            f"{cards}/card2/device/vendor": "0x1002\n",  # without a driver: no memory is told
            f"{cards}/card3/device/vendor": "0x1002\n",
            f"{cards}/card3/device/mem_info_vram_total": "many\n",
            f"{cards}/card4/device/vendor": "0x1002\n",
            f"{cards}/card4/device/mem_info_vram_total": f"{8 * GIB}\n",
            f"{cards}/card4/device/mem_info_vram_used": f"{9 * GIB}\n",
        },
    )
    (tmp_path / cards / "card1").mkdir()
    (tmp_path / cards / "card1" / "device").symlink_to(radeon)
    (tmp_path / cards / "card1-DP-1").mkdir()
    (tmp_path / cards / "card1-DP-1" / "device").symlink_to(radeon)
    first, second = amd.find(tmp_path, amd.names_in(LSPCI))
    assert (first.maker, first.name, first.total_gib, first.free_gib) == ("amd", "AMD Radeon RX 7900 XTX", 24, 20)
    assert first.temperature_c == 51
    assert "ROCm" in first.remark
    assert (second.name, second.free_gib, second.temperature_c) == ("AMD graphics", 0, None)


def test_apple_silicon_shares_the_machines_memory():
    gpu = apple.gpu("Apple M2 Pro", "15.1", 16, 9)
    assert (gpu.maker, gpu.name, gpu.total_gib, gpu.free_gib, gpu.bf16) == ("apple", "Apple M2 Pro", 16, 9, True)
    assert "MPS" in gpu.remark
    assert not apple.gpu("", "13.6.1", 8, 1).bf16
    assert not apple.gpu("", "", 8, 1).bf16
    assert GpuUser(1, "x", None).gib is None
