"""Points the clients, in this process and in those that it starts, at a Hub; and back again."""

import importlib
import os
import sys
from pathlib import Path

import pytest

HUB_MODULES = (
    "huggingface_hub.constants",
    "huggingface_hub.hf_api",
    "huggingface_hub.hf_file_system",
    "huggingface_hub.utils._auth",
    "huggingface_hub.utils._cache_manager",
    "huggingface_hub.utils._cache_assets",
    "huggingface_hub.utils._http",
)
"""Imported first: a module that is imported while the Hub stands would keep its address for ever."""
LATER_MODULES = ("datasets.config", "transformers.utils.hub", "transformers.utils", "transformers.dynamic_module_utils")
"""Heavy ones, turned round where somebody has imported them; those imported later are turned back."""
NAMED_BY_THE_PERSON = (
    *(
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "HF_TOKEN_PATH",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_ASSETS_CACHE",
    ),
    *("HUGGINGFACE_ASSETS_CACHE", "HF_XET_CACHE", "HF_DATASETS_CACHE", "HF_MODULES_CACHE", "HF_HUB_OFFLINE"),
    *("HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_OIDC_RESOURCE", "HF_HUB_DISABLE_IMPLICIT_TOKEN"),
)


def point_at(url: str, home: Path, patch: pytest.MonkeyPatch) -> None:
    """Until `patch` is undone, the clients know this Hub alone, and keep all they keep in `home`."""
    for name in HUB_MODULES:
        importlib.import_module(name)
    constants = sys.modules["huggingface_hub.constants"]
    before = {constants.ENDPOINT: url, constants.HF_HOME: str(home)}
    for name in NAMED_BY_THE_PERSON:
        patch.delenv(name, raising=False)
    for name, value in exports(url, home).items():
        patch.setenv(name, value)
    patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    turn(before, [*HUB_MODULES, *LATER_MODULES], patch)
    exact = {
        "HF_HUB_CACHE": str(home / "hub"),
        "HUGGINGFACE_HUB_CACHE": str(home / "hub"),
        "HF_ASSETS_CACHE": str(home / "assets"),
        "HF_TOKEN_PATH": str(home / "token"),
        "HF_STORED_TOKENS_PATH": str(home / "stored_tokens"),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_TELEMETRY": True,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": False,
    }
    for name, value in exact.items():
        patch.setattr(constants, name, value)
    patch.setattr(sys.modules["huggingface_hub.utils._cache_manager"], "HF_HUB_CACHE", str(home / "hub"))
    for name in ("datasets.config",):
        if name in sys.modules:
            for offline in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
                patch.setattr(sys.modules[name], offline, False)
            patch.setattr(sys.modules[name], "HF_DATASETS_CACHE", home / "datasets")
    api, files = sys.modules["huggingface_hub.hf_api"].api, sys.modules["huggingface_hub.hf_file_system"]
    patch.setattr(api, "endpoint", url)
    patch.setattr(files.hffs, "endpoint", url)
    patch.setattr(files.hffs._api, "endpoint", url)
    patch.setattr(sys.modules["huggingface_hub.utils._auth"], "_OAUTH_REFRESH_CACHE", None)
    forget()


def exports(url: str, home: Path) -> dict[str, str]:
    """The environment of a process that is to use this Hub."""
    return {
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "NO_PROXY": ",".join(filter(None, ["127.0.0.1,localhost", os.environ.get("NO_PROXY", "")])),
    }


def loaded() -> set[str]:
    return {name for name in LATER_MODULES if name in sys.modules}


def turn_back(loaded_before: set[str], url: str, home: Path) -> None:
    """Once the patches are undone: what was imported meanwhile forgets this Hub too."""
    constants = sys.modules["huggingface_hub.constants"]
    fresh = [*(loaded() - loaded_before)]
    turn({url: constants.ENDPOINT, str(home): constants.HF_HOME}, fresh, None)
    if "datasets.config" in fresh:
        for offline in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
            setattr(sys.modules["datasets.config"], offline, constants.HF_HUB_OFFLINE)
    forget()


def forget() -> None:
    """Drop open connections, and what was remembered of repos that may have changed hands."""
    http, api = sys.modules["huggingface_hub.utils._http"], sys.modules["huggingface_hub.hf_api"].api
    http.close_session()
    api._whoami_cache.clear()
    file_system = sys.modules["huggingface_hub.hf_file_system"].HfFileSystem
    file_system.clear_instance_cache()
    if "transformers.utils.hub" in sys.modules:  # it keeps the client of the first Hub that it spoke to
        sys.modules["transformers.utils.hub"]._hf_api = None


def turn(words: dict[str, str], modules: list[str], patch: pytest.MonkeyPatch | None) -> None:
    """Change every text and path in modules that begins with one of `words`."""
    for module in [sys.modules[name] for name in modules if name in sys.modules]:
        for name, value in [*vars(module).items()]:
            if name.startswith("__") or not isinstance(value, str | Path):
                continue
            for old, new in words.items():
                if str(value).startswith(old):
                    turned = type(value)(new + str(value)[len(old) :])
                    if patch:
                        patch.setattr(module, name, turned)
                    else:
                        setattr(module, name, turned)
                    break
