"""A stand-in for the module pynvml: it answers as a driver that knows these GPUs, and fails where it is told to."""

from types import SimpleNamespace

import pynvml

GIB = 2**30


class Nvml:
    NVMLError = pynvml.NVMLError
    NVMLLibraryMismatchError = pynvml.NVMLLibraryMismatchError

    def __init__(self, *gpus: dict, fails: dict | None = None):
        self.gpus = gpus
        self.fails = fails or {}
        self.opened = self.closed = 0

    def __getattribute__(self, name):
        if name.startswith("nvml") and (error := self.fails.get(name)):

            def fail(*_):
                raise error

            return fail
        return super().__getattribute__(name)

    def nvmlInit(self):
        self.opened += 1

    def nvmlShutdown(self):
        self.closed += 1

    def nvmlDeviceGetCount(self):
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index):
        if error := self.gpus[index].get("error"):
            raise error
        return self.gpus[index]

    def nvmlDeviceGetName(self, gpu):
        return gpu["name"]

    def nvmlDeviceGetMemoryInfo(self, gpu):
        return SimpleNamespace(total=gpu["total"] * GIB, free=gpu["free"] * GIB)

    def nvmlDeviceGetCudaComputeCapability(self, gpu):
        return gpu["capability"]

    def nvmlDeviceGetTemperatureV(self, gpu, sensor):
        return gpu["temperature"]

    def nvmlDeviceGetTemperature(self, gpu, sensor):
        return gpu["temperature"]

    def nvmlDeviceGetComputeRunningProcesses(self, gpu):
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in gpu.get("compute", {}).items()]

    def nvmlDeviceGetGraphicsRunningProcesses(self, gpu):
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in gpu.get("graphics", {}).items()]

    def nvmlDeviceGetMigMode(self, gpu):
        return ["slices" in gpu, "slices" in gpu]

    def nvmlDeviceGetMaxMigDeviceCount(self, gpu):
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, gpu, index):
        if index not in gpu["slices"]:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return gpu["slices"][index]

    def nvmlSystemGetProcessName(self, pid):
        names = {7: "/usr/lib/xorg/Xorg", 8: "C:\\Program Files\\chrome.exe"}
        if pid not in names:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return names[pid]

    def nvmlSystemGetDriverVersion(self):
        return "550.54.14"

    def nvmlSystemGetCudaDriverVersion_v2(self):
        return 12040


RTX = {"name": "NVIDIA GeForce RTX 3060", "total": 12, "free": 10.5, "capability": (8, 6), "temperature": 45}
GTX = {"name": "NVIDIA GeForce GTX 1080", "total": 8, "free": 7, "capability": (6, 1), "temperature": 60}
