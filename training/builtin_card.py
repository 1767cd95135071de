"""The card of the built-in detector: what it knows, what it was trained on, what was measured, and where it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from repairai.files import write_whole
from repairai.vision.photo_set import PhotoSource

HEADER = """---
license: apache-2.0
library_name: transformers
pipeline_tag: object-detection
tags: [rt-detr, repair, screws]
---
# A small detector for repair benches

RT-DETRv2 with 1.4 million weights, trained from random weights on two CPU cores. It finds screws, empty screw holes,
batteries and plugged and unplugged connectors in photos of devices, blocks and mats. `limits.json` says from which
score on each counts; `model.onnx` is the same network for CPUs without torch.

Made by steps that anyone can run again:

    python -m training.builtin_data --scenes 9000
    python -m training.detector_train training/recipes/detector_rtdetrv2_builtin_cpu.yaml
    python -m training.detector_train training/recipes/detector_rtdetrv2_builtin_more_cpu.yaml
    python -m training.builtin_eval
"""

LIMITS = """
## Where it fails

- It has seen real photos of one wooden block, of loose screws on one desk, and close-ups of screws and holes in LCD
  monitors. Batteries and connectors it knows from rendered scenes only: on real ones, take its word for a hint.
- A round hole that no screw belongs in, such as a vent, can pass for an empty screw hole, and a rivet for a screw.
- Parts under `min_side_px` px of its 320 px input are too small for it; large photos are tiled so that they rarely are.
- Its scores are calibrated on photos like those it was trained on. On a new kind of device, check its verdicts on
  photos whose answer you know before you rely on it, and train it on your own photos.
"""


def write_card(folder: Path, figures: Mapping[str, Any], sources: Sequence[PhotoSource]) -> None:
    """Write `README.md` into a model's folder.

    Args:
        folder: The model's.
        figures: What `builtin_eval` measured.
        sources: Where the photos are from, with their licences.
    """
    parts = [HEADER, _data(sources)]
    if "block" in figures:
        parts.append(_block(figures))
    parts.append(_scenes(figures))
    if "whole_scene" in figures:
        parts.append(_whole(figures["whole_scene"]))
    write_whole(folder / "README.md", ("\n".join(parts) + LIMITS).encode())


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _data(sources: Sequence[PhotoSource]) -> str:
    rows: list[tuple[object, ...]] = [(each.name, each.url or each.name, each.licence) for each in sources]
    return "## Data\n\n" + _table(("set", "from", "licence"), rows)


def _block(figures: Mapping[str, Any]) -> str:
    rows: list[tuple[object, ...]] = []
    for way, row in figures["block"].items():
        decided = f"{row['decided']} ({_percent(row['decided'] / row['photos'])})"
        rows.append((way, row["photos"], decided, row["right"], row["false_pass"], row["false_fail"]))
    head = ("photos", "judged", "decided", "right", "false PASS", "false FAIL")
    exact = ", ".join(
        f"{label} {_percent(row['exact'])}" for label, row in figures["block_counts"].items() if row["parts"]
    )
    ap = ", ".join(f"{label} {row['ap']:.3f} (AP50 {row['ap50']:.3f})" for label, row in figures["block_ap"].items())
    return (
        '## "4 screw" on photos of the block that it never saw\n\n'
        "Every fifth photo of screws_presence, clean and spoiled in eight ways, each in three strengths "
        "(`training/spoil.py`). The truth is the block's: a hidden screw is still there.\n\n"
        + _table(head, rows)
        + f"\nExact counts on the clean photos: {exact}. COCO AP: {ap}. The boxes of that set are good to about 15 px, "
        "which bounds AP.\n"
    )


def _scenes(figures: Mapping[str, Any]) -> str:
    out = ""
    for key, title in (("scenes", "Rendered scenes that it never saw"), ("loose", "Loose screws (screws_amv, valid)")):
        rows: list[tuple[object, ...]] = []
        for label, row in figures.get(key, {}).items():
            if row["parts"]:
                shares = (_percent(row[name]) for name in ("exact", "decided", "escape", "false_call"))
                ap = figures["scenes_ap"].get(label, {}) if key == "scenes" else {}
                rows.append((label, row["parts"], *shares, f"{ap['ap']:.3f}" if ap else ""))
        if rows:
            head = ("label", "parts", "count exact", "decided", "escape", "false call", "COCO AP")
            out += f"## {title}\n\n{_table(head, rows)}\n"
    return out + (
        "`escape`: verdicts on one part too few or too many that came out PASS. `false call`: verdicts on the true "
        "count that came out FAIL. Neither holds the undecided.\n"
    )


def _whole(scene: Mapping[str, Mapping[str, int]]) -> str:
    rows: list[tuple[object, ...]] = [
        (label, own["there"], own["found"], own["reported"]) for label, own in scene.items()
    ]
    return (
        "## One whole real scene (screws_drew B1, an open LCD monitor, 3311 x 3857 px)\n\n"
        + _table(("label", "there", "of them found", "reported in all"), rows)
        + "\nNothing of this photo was trained on. One scene is an example, not a measurement.\n"
    )
