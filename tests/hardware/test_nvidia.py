"""What NVML and nvidia-smi say of GPUs, in every way in which they fail to."""

import stat
import sys
import time
from pathlib import Path

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.errors import RepairError
from repairai.hardware.profile import Gpu, GpuUser
from repairai.hardware.sources import nvidia, programs, smi
from repairai.hardware.sources.nvml import NoDriver, read_nvml
from repairai.hardware.sources.programs import ask, base_name
from repairai.hardware.sources.smi import cuda_in, gpus_in, read_smi
from tests.hardware.nvml_stand_in import GIB, GTX, RTX, Nvml


def nvml_error(code: int) -> pynvml.NVMLError:
    return pynvml.NVMLError(code)


NOT_SUPPORTED = nvml_error(pynvml.NVML_ERROR_NOT_SUPPORTED)
FAILED = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running."  # noqa: E501


# ---- NVML


def test_nvml_tells_all_of_a_gpu():
    card = {**RTX, "compute": {9_999_999: 2 * GIB, 7: GIB}, "graphics": {7: GIB // 2, 8: GIB // 4}}
    ((gpu,), said) = read_nvml(Nvml(card))
    assert said == ()
    assert gpu == Gpu(
        maker="nvidia",
        name="NVIDIA GeForce RTX 3060",
        total_gib=12,
        free_gib=10.5,
        users=(GpuUser(9_999_999, "", 2), GpuUser(7, "Xorg", 1), GpuUser(8, "chrome.exe", 0.25)),
        driver="550.54.14",
        cuda="12.4",
        capability="8.6",
        bf16=True,
        temperature_c=45,
        remark="",
    )


def test_an_older_gpu_computes_without_bfloat16():
    ((gpu,), _) = read_nvml(Nvml(GTX))
    assert not gpu.bf16
    assert "bfloat16" in gpu.remark


def test_a_driver_that_hides_memory_by_program_says_none():
    ((gpu,), _) = read_nvml(Nvml({**RTX, "compute": {7: None}, "graphics": {7: None, 8: None}}))
    assert gpu.users == (GpuUser(7, "Xorg", None), GpuUser(8, "chrome.exe", None))


def test_no_gpus_is_no_error():
    assert read_nvml(Nvml()) == ((), ())


CALLS = sorted(name for name in vars(Nvml) if name.startswith(("nvmlDeviceGet", "nvmlSystem")))


@pytest.mark.parametrize(
    "error",
    [
        NOT_SUPPORTED,
        nvml_error(pynvml.NVML_ERROR_UNKNOWN),
        nvml_error(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND),
        pynvml.NVMLLibraryMismatchError("of another version"),
        AttributeError("no such call"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("call", [call for call in CALLS if call != "nvmlDeviceGetCount"])
def test_any_call_may_fail_and_the_rest_is_told(call, error):
    nvml = Nvml({**RTX, "compute": {7: GIB}, "graphics": {8: GIB}}, fails={call: error})
    gpus, said = read_nvml(nvml)
    if call == "nvmlDeviceGetHandleByIndex":
        assert gpus == ()
        assert "GPU 0 answers with an error" in said[0]
        return
    assert len(gpus) == 1
    assert gpus[0].name in (RTX["name"], "NVIDIA GPU")
    assert (gpus[0].total_gib == 0) == (call == "nvmlDeviceGetMemoryInfo") == ("how much memory" in gpus[0].remark)


def test_a_driver_that_answers_one_call_alone():
    silent = dict.fromkeys([call for call in CALLS if call not in ("nvmlDeviceGetCount",)], NOT_SUPPORTED)
    del silent["nvmlDeviceGetHandleByIndex"]
    ((gpu,), _) = read_nvml(Nvml(RTX, fails=silent))
    assert gpu == Gpu("nvidia", "NVIDIA GPU", 0, 0, remark="the driver does not say how much memory it has")


def test_the_older_call_tells_the_temperature_where_the_newer_does_not():
    ((gpu,), _) = read_nvml(Nvml(RTX, fails={"nvmlDeviceGetTemperatureV": NOT_SUPPORTED}))
    assert gpu.temperature_c == 45


def test_a_lost_gpu_hides_no_other():
    lost = nvml_error(pynvml.NVML_ERROR_GPU_IS_LOST)
    nvml = Nvml({"error": lost}, RTX)
    gpus, said = read_nvml(nvml)
    assert [gpu.name for gpu in gpus] == [RTX["name"]]
    assert said == ("GPU 0 answers with an error (GPU is lost)",)
    assert nvml.closed == 1, "the next look begins anew"


def test_slices_are_gpus_by_themselves():
    part = {"name": "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "total": 4.75, "free": 4.7}
    whole = {"name": "NVIDIA A100-SXM4-40GB", "capability": (8, 0), "temperature": 30, "slices": {0: part, 5: part}}
    gpus, _ = read_nvml(Nvml(whole))
    assert [(gpu.name, gpu.total_gib, gpu.capability, gpu.temperature_c) for gpu in gpus] == 2 * [
        (part["name"], 4.75, "8.0", 30)
    ]
    assert "one slice" in gpus[0].remark
    gpus, said = read_nvml(Nvml({**whole, "slices": {}}))
    assert gpus == ()
    assert "without a slice" in said[0]


def test_nvml_stays_open_until_it_fails():
    nvml = Nvml(RTX)
    read_nvml(nvml)
    read_nvml(nvml)
    assert (nvml.opened, nvml.closed) == (1, 0)
    nvml.fails["nvmlDeviceGetCount"] = nvml_error(pynvml.NVML_ERROR_UNINITIALIZED)
    with pytest.raises(RepairError, match=r"NVML answers with an error \(Uninitialized\)"):
        read_nvml(nvml)
    nvml.fails.clear()
    assert len(read_nvml(nvml)[0]) == 1
    assert nvml.opened == 2


@pytest.mark.parametrize("call", ["nvmlInit", "nvmlDeviceGetCount"])
def test_nvml_that_does_not_open(call):
    with pytest.raises(RepairError, match="Driver Not Loaded"):
        read_nvml(Nvml(RTX, fails={call: nvml_error(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)}))
    with pytest.raises(NoDriver):
        read_nvml(Nvml(RTX, fails={call: nvml_error(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)}))


# ---- nvidia-smi: as recorded

TABLE = """\
NVIDIA GeForce RTX 3060, 12288, 10752, 550.54.14, 45, GPU-1, 8.6, [N/A]
NVIDIA GeForce GTX 1080, 8192, 8000, 550.54.14, 60, GPU-2, 6.1, [N/A]
"""
APPS = """\
GPU-1, 4321, 1024, /usr/bin/python3
GPU-1, 4322, [N/A], C:\\Games\\one, two\\game.exe
GPU-2, 4323, [Insufficient Permissions], [Insufficient Permissions]
GPU-1, [N/A], 12, python
"""


def test_the_table_tells_what_nvml_would():
    first, second = gpus_in(TABLE, APPS, "12.4")
    assert first == Gpu(
        maker="nvidia",
        name="NVIDIA GeForce RTX 3060",
        total_gib=12,
        free_gib=10.5,
        users=(GpuUser(4321, "python3", 1), GpuUser(4322, "game.exe", None)),
        driver="550.54.14",
        cuda="12.4",
        capability="8.6",
        bf16=True,
        temperature_c=45,
    )
    assert second.users == (GpuUser(4323, "", None),)
    assert not second.bf16


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        # Unified memory: the driver knows no amount.
        ("NVIDIA GB10, [N/A], [N/A], 580.95.05, 40, GPU-3, 12.1, [N/A]", (0, 0, "12.1", True, 40)),
        ("Tesla T4, 15360, [Not Supported], 550.1, [N/A], GPU-3, [N/A], [N/A]", (15, 0, "", False, None)),
        ("Tesla T4, 15360, 99999, 550.1, 45, GPU-3", (15, 15, "", False, 45)),
        ("Tesla T4, 1e999, nan, 550.1, -5, GPU-3, 7.5.1, x", (0, 0, "", False, None)),
    ],
)
def test_what_the_table_leaves_open_stays_open(line, wanted):
    (gpu,) = gpus_in(line)
    assert (gpu.total_gib, gpu.free_gib, gpu.capability, gpu.bf16, gpu.temperature_c) == wanted


def test_mig_is_told():
    (gpu,) = gpus_in("NVIDIA A100, 40960, 40000, 550.1, 30, GPU-4, 8.0, Enabled")
    assert "MIG is on" in gpu.remark


@pytest.mark.parametrize(
    "text", ["", "\n\n", "garbage", "a, b, c, d, e, f", '"', "\0,\0", FAILED, ",,,,,,,", "🙂" * 50]
)
def test_what_is_no_table_names_no_gpu(text):
    assert gpus_in(text, text, text) == ()


cells = st.sampled_from(["", "[N/A]", "N/A", "GPU-1", "12288", "8.6", "-1", "inf", "1e300", '"', "Enabled"]) | st.text()


@given(
    table=st.lists(st.lists(cells, max_size=9).map(", ".join)).map("\n".join) | st.text(),
    apps=st.lists(st.lists(cells, max_size=5).map(", ".join)).map("\n".join) | st.text(),
)
def test_no_output_breaks_the_reader(table, apps):
    for gpu in gpus_in(table, apps, cuda_in(apps)):
        assert gpu.name
        assert 0 <= gpu.free_gib <= gpu.total_gib


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("| NVIDIA-SMI 550.54.14    Driver Version: 550.54.14    CUDA Version: 12.4     |", "12.4"),
        ("CUDA UMD Version : 13.1", "13.1"),
        ("| CUDA Version: N/A |", ""),
        ("", ""),
    ],
)
def test_cuda_stands_in_the_head(text, version):
    assert cuda_in(text) == version


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/bin/python3", "python3"),
        ("/opt/google/chrome/chrome --type=gpu-process --no-sandbox=/x", "chrome"),
        ("C:\\Windows\\System32\\dwm.exe", "dwm.exe"),
        ("C:/Program Files/App/app.exe", "app.exe"),
        ("", ""),
    ],
)
def test_programs_are_named_without_folders(command, name):
    assert base_name(command) == name


# ---- nvidia-smi: as a program


@pytest.fixture
def program(tmp_path: Path):
    """Write a program that stands in for nvidia-smi, and return its path."""

    def write(body: str) -> str:
        path = tmp_path / "nvidia-smi"
        path.write_text(f"#!{sys.executable}\nimport sys, time\nwords = ' '.join(sys.argv[1:])\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    programs._resting.clear()
    smi._cuda.cache_clear()
    yield write
    programs._resting.clear()
    smi._cuda.cache_clear()


ANSWERS = f"""
if "query-gpu" in words: print({TABLE!r})
elif "query-compute-apps" in words: print({APPS!r})
else: print("CUDA Version: 12.4")
"""


def test_the_program_is_asked(program):
    gpus = read_smi(program(ANSWERS))
    assert [(gpu.name, gpu.cuda, len(gpu.users)) for gpu in gpus] == [
        ("NVIDIA GeForce RTX 3060", "12.4", 2),
        ("NVIDIA GeForce GTX 1080", "12.4", 1),
    ]


def test_an_older_program_is_asked_for_less(program):
    old = """
if "compute_cap" in words: print('Field "compute_cap" is not a valid field to query.'); sys.exit(2)
if "query-gpu" in words: print("Tesla K80, 11441, 11000, 418.67, 30, GPU-1")
else: sys.exit(1)
"""
    (gpu,) = read_smi(program(old))
    assert (gpu.name, gpu.capability, gpu.users, gpu.cuda) == ("Tesla K80", "", (), "")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (f"print({FAILED!r}); sys.exit(9)", r"nvidia-smi answers with an error \(NVIDIA-SMI has failed because"),
        ("sys.exit(3)", "exit code 3"),
        ("print('garbage')", r"nvidia-smi answers what cannot be read \(garbage\)"),
        ("sys.stdout.buffer.write(bytes(range(256)))", "cannot be read"),
    ],
)
def test_a_program_that_fails_says_why(program, body, says):
    with pytest.raises(RepairError, match=says):
        read_smi(program(body))


@pytest.mark.parametrize("body", ["print('No devices were found')", "pass"])
def test_a_program_without_devices_is_no_error(program, body):
    assert read_smi(program(body)) == ()


def test_a_program_that_hangs_is_left_alone(program, monkeypatch):
    hangs = program("time.sleep(600)")
    start = time.monotonic()
    with pytest.raises(RepairError, match="does not answer"):
        ask([hangs], wait_seconds=0.5)
    assert time.monotonic() - start < 3
    start = time.monotonic()
    with pytest.raises(RepairError, match="does not answer"):
        ask([hangs])
    assert time.monotonic() - start < 0.2, "it is not asked again so soon"


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(RepairError, match="nothing cannot be run"):
        ask([str(tmp_path / "nothing")])


# ---- both


@pytest.fixture
def path(program, monkeypatch):
    """Let `find` see one nvidia-smi and one NVML alone."""

    def give(nvml, body: str | None):
        monkeypatch.setattr(nvidia, "_nvml", lambda: nvml)
        found = None if body is None else program(body)
        monkeypatch.setattr(nvidia.shutil, "which", lambda name, path: found)

    return give


BROKEN = {"nvmlInit": nvml_error(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)}
ABSENT = {"nvmlInit": nvml_error(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)}


@pytest.mark.parametrize(
    ("nvml", "body", "n_gpus", "said"),
    [
        (Nvml(RTX), "sys.exit(9)", 1, []),
        (None, ANSWERS, 2, []),
        (Nvml(fails=ABSENT), ANSWERS, 2, []),
        (Nvml(fails=BROKEN), ANSWERS, 2, ["Driver Not Loaded"]),
        (Nvml(fails=ABSENT), None, 0, []),
        (None, None, 0, []),
        (Nvml(fails=BROKEN), None, 0, ["Driver Not Loaded"]),
        (Nvml(fails=BROKEN), f"print({FAILED!r}); sys.exit(9)", 0, ["Driver Not Loaded", "NVIDIA-SMI has failed"]),
        (None, "print('garbage')", 0, ["cannot be read"]),
    ],
)
def test_one_stands_in_for_the_other(path, nvml, body, n_gpus, said):
    path(nvml, body)
    gpus, remarks = nvidia.find()
    assert len(gpus) == n_gpus
    assert len(remarks) == len(said)
    assert all(words in remark for words, remark in zip(said, remarks, strict=True))


def test_another_package_named_pynvml_is_not_asked(monkeypatch):
    nvidia._nvml.cache_clear()
    monkeypatch.setitem(sys.modules, "pynvml", type(sys)("pynvml"))
    assert nvidia._nvml() is None
    nvidia._nvml.cache_clear()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvidia._nvml() is None
    nvidia._nvml.cache_clear()
