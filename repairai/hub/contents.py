"""What a repository of the Hub holds: which of its files are fetched, and what they make together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal

from repairai.errors import RepairError
from repairai.files import PULLED
from repairai.hub_faults import Kind

What = Literal[
    "detector",
    "proposer",
    "segmenter",
    "adapter",
    "agent",
    "judge",
    "model",
    "sop-data",
    "photos",
    "states",
    "guides",
    "data",
]
WHAT_WORDS: dict[What, str] = {
    "detector": "a detector that inspects", "proposer": "a model that proposes boxes from words",
    "segmenter": "a model that makes masks", "adapter": "an adapter", "agent": "a model that answers",
    "judge": "a model that answers questions about photos", "model": "a model",
    "sop-data": "examples for the SOP agent", "photos": "labelled photos",
    "states": "photos with questions and answers", "guides": "guides", "data": "a data set",
}  # fmt: skip
ADAPTER, CONFIG = "adapter_config.json", "config.json"
SAFE = ".safetensors"
INSPECTING = ("rt_detr", "rt_detr_v2", "d_fine")
WORDED = ("grounding-dino", "mm-grounding-dino")
"""Model types that look for what words say; trained on parts, they name these and inspect as the others do."""
CLASSIFIER = "repairai_state_classifier"
_TEXTS = (".json", ".jsonl", ".ndjson", ".txt", ".md", ".yaml", ".yml", ".csv")
_ALLOWED: dict[Kind, tuple[str, ...]] = {
    "model": (SAFE, ".onnx", ".onnx_data", ".model", ".jinja", *_TEXTS),
    "dataset": (".parquet", ".jpg", ".jpeg", ".png", ".webp", ".heic", ".bmp", ".tif", ".tiff", *_TEXTS),
    "space": _TEXTS,
}
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".dill", ".pdparams", ".nemo")
_PROGRAMS = (".py", ".pyc", ".sh", ".bat", ".ps1", ".exe", ".so", ".dll", ".dylib", ".js", ".ipynb", ".jar", ".whl")
_OTHERS = (".h5", ".msgpack", ".gguf", ".tflite", ".keras", ".mlmodel", ".ot", ".pb", ".mlpackage", ".engine")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_LEFT_OUT = (
    (_PICKLES, "a pickle, which can hold a program"),
    (_PROGRAMS, "a program, which is never run here"),
    (_OTHERS, "weights in a form that is not read here"),
    (_ARCHIVES, "an archive, in which anything may be"),
)
_PAPERS = re.compile(r"(license|licence|notice|copying|use_policy|authors|citation)[\w.-]*", re.IGNORECASE)
_IN_FOLDERS = re.compile(r"additional_chat_templates/[^/]+\.jinja")
_TAGS: dict[str, What] = {
    "repairai-detector": "detector", "repairai-proposer": "proposer", "repairai-adapter": "adapter",
    "repairai-agent": "agent", "repairai-judge": "judge", "repairai-sop-data": "sop-data", "repairai-photos": "photos",
    "repairai-states": "states",
    "repairai-guides": "guides",
}  # fmt: skip
_SEEING = ("ForConditionalGeneration", "ForVision2Seq", "ForImageTextToText")
_TEXT_TO_TEXT = ("T5", "Bart", "MT5", "Pegasus", "Marian", "Whisper")


def sorted_out(paths: Iterable[str], kind: Kind) -> tuple[list[str], list[tuple[str, str]]]:
    """Return which files of a repository are fetched, and which are left out with why.

    Args:
        paths: Of all its files.
        kind: Of the repository.
    """
    names = sorted(paths)
    wanted: list[str] = []
    left_out: list[tuple[str, str]] = []
    for path in names:
        why = _why_not(path, kind, names)
        if why:
            left_out.append((path, why))
        else:
            wanted.append(path)
    return wanted, left_out


def refuse_unsafe(repo: str, wanted: Sequence[str], left_out: Sequence[tuple[str, str]]) -> None:
    """See that a model has weights that hold no program.

    Raises:
        RepairError: It has none in safetensors.
    """
    if any(path.endswith(SAFE) for path in wanted):
        return
    pickles = [path for path, _ in left_out if _suffix(path) in _PICKLES]
    if pickles:
        raise RepairError(
            f"{repo} has its weights as {pickles[0]} alone, a pickle, which can hold a program",
            "take a model that has them in safetensors",
        )
    raise RepairError(f"{repo} has no weights in safetensors", "take a model that has")


def what_of(kind: Kind, paths: Sequence[str], tags: Sequence[str], settings: Mapping[str, Any]) -> What:
    """Return what a repository holds.

    Args:
        kind: Of the repository.
        paths: Of its files.
        tags: As its card has them.
        settings: What its `config.json` says; empty for none.
    """
    tagged = next((_TAGS[tag] for tag in tags if tag in _TAGS), None)
    if kind == "model":
        if ADAPTER in paths:
            return "judge" if tagged == "judge" else "adapter"
        return _of_settings(settings) or tagged or "model"
    if tagged:
        return tagged
    if "train.jsonl" in paths and {"report.json", "sources.json"} & set(paths):
        return "sop-data"
    if any(re.fullmatch(r"(.*/)?guides?[^/]*\.(jsonl?|ndjson)", path, re.IGNORECASE) for path in paths):
        return "guides"
    has_boxes = any(path.rpartition("/")[2] in ("metadata.jsonl", "annotations.coco.json") for path in paths)
    return "photos" if has_boxes else "data"


def folder_name(repo: str) -> str:
    """Return what the folder of a repository is called on this machine."""
    return repo.replace("/", "--") if "/" in repo else f"hub--{repo}"


def repo_of(folder: str) -> str:
    """Return the name of the repository whose folder is called so; see `folder_name`."""
    owner, _, own = folder.partition("--")
    if not own:
        return folder
    return own if owner == "hub" else f"{owner}/{own}"


def is_name(repo: str) -> bool:
    """Tell whether a text can be OWNER/NAME on the Hub."""
    return (
        bool(re.fullmatch(r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*", repo)) and "--" not in repo and ".." not in repo
    )


def in_words(n_bytes: int) -> str:
    """Return how much that is: `1.5 MiB`."""
    size = float(n_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.2f} GiB"


def _why_not(path: str, kind: Kind, names: Sequence[str]) -> str:
    """Return why a file is not fetched; nothing where it is."""
    name, suffix = path.rpartition("/")[2], _suffix(path)
    if _leads_out(path):
        return "its name leads out of the folder"
    if name.startswith(".") or "/." in path:
        return "it is only for git or the Hub"
    if path == PULLED:
        return "RepairAI writes a file of this name itself"
    if because := next((why for suffixes, why in _LEFT_OUT if suffix in suffixes), ""):
        return because
    if kind == "model" and "/" in path and not _IN_FOLDERS.fullmatch(path):
        return "it lies in a folder that is not read here"
    if kind == "model" and name.startswith("consolidated") and any(n.startswith("model") for n in names):
        return "the same weights once more"
    if suffix not in _ALLOWED[kind] and not _PAPERS.fullmatch(name):
        return "a kind of file that is not needed here"
    return ""


def _leads_out(path: str) -> bool:
    """Tell whether a name means another place than one in the folder, on any system."""
    windows = PureWindowsPath(path)
    pieces = path.replace("\\", "/").split("/")
    return (
        "\\" in path
        or bool(windows.drive or windows.root)
        or any(piece in ("", ".", "..") or piece.endswith((" ", ".")) or ":" in piece for piece in pieces)
        or any(ord(letter) < 32 for letter in path)
    )


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _of_settings(settings: Mapping[str, Any]) -> What | None:
    """Return what a model is by its settings; None where they do not tell."""
    kind = str(settings.get("model_type") or "")
    names = settings.get("architectures")
    made = str(names[0]) if isinstance(names, list) and names else ""
    if kind in INSPECTING or (kind in WORDED and settings.get("id2label")):
        return "detector"
    if kind == CLASSIFIER:
        return "judge"
    if "sam" in kind.split("_")[0]:
        return "segmenter"
    if made.endswith(("ForObjectDetection", "ForZeroShotObjectDetection")):
        return "proposer"
    if made.endswith("ForCausalLM"):
        return "agent"
    if made.endswith(_SEEING) and not made.startswith(_TEXT_TO_TEXT):
        return "judge"
    return None
