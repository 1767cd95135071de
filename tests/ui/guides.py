"""Guides that are written on the spot: many small devices, so that data of all sides can be built from them."""

import json
from pathlib import Path

PARTS = ("battery", "fan", "display", "speaker", "camera")
TOOLS = ("Phillips #0 screwdriver", "spudger", "tweezers", "opening pick")


def write_guides(path: Path, devices: int = 16) -> Path:
    """A file of guides, one a line, in RepairAI's own form."""
    lines = [json.dumps(guide(device, part)) for device in range(1, devices + 1) for part in range(2)]
    path.write_text("\n".join(lines) + "\n")
    return path


def guide(device: int, number: int) -> dict:
    """One guide of four steps that stand in no other."""
    part = PARTS[(device + number) % len(PARTS)]
    tool = TOOLS[device % len(TOOLS)]
    texts = [
        f"Remove the {2 + device % 5} screws that hold cover {device} of the {part}.",
        f"Lift cover {device} with the {tool} and put it aside.",
        f"Disconnect the cable of {part} {device} from the board.",
        f"Take {part} {device} out of lamp {device}, and keep its {1 + number} springs.",
    ]
    return {
        "id": f"own-{device}-{part}", "title": f"Lamp {device} {part} replacement", "device": f"Lamp {device}",
        "licence": "CC0-1.0", "tools": [tool],
        "steps": [{"number": at, "lines": [{"text": text}]} for at, text in enumerate(texts, 1)],
    }  # fmt: skip
