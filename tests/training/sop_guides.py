"""Guides for tests of the SOP agent's data: small ones, of as many devices as are asked for."""

import json
from pathlib import Path

from repairai.schema import Guide, Line, Step

PARTS = ("battery", "fan", "display", "keyboard", "speaker", "hinge", "camera", "motor")


def guide(device: str, part: str, n_steps: int = 4, more: tuple[str, ...] = ()) -> Guide:
    """A guide whose steps name its device and part, so that no other guide has them; `more` are put behind them."""
    texts = [
        f"Remove the {number + 2} Phillips screws of the {part} cover {number} on the {device}."
        for number in range(n_steps)
    ]
    steps = tuple(Step(number, (Line(text),)) for number, text in enumerate([*texts, *more], 1))
    name = f"{device} {part}".lower().replace(" ", "-")
    return Guide(
        id=name,
        title=f"{device} {part.title()} Replacement",
        device=device,
        licence="CC-BY-NC-SA-3.0",
        steps=steps,
        subject=part.title(),
        url=f"https://example.org/{name}",
        author="Ann",
        tools=("spudger", "PH0 screwdriver"),
    )


def guides(n_devices: int, n_parts: int = 2) -> list[Guide]:
    return [guide(f"Maker {number}", part) for number in range(n_devices) for part in PARTS[:n_parts]]


def myfixit_line(device: str, part: str, number: int) -> dict[str, object]:
    steps = [
        {"Order": order, "Text_raw": f"Remove the {order + 2} screws of {part} {order} from the {device}.", "Lines": []}
        for order in range(1, 5)
    ]
    return {
        "Guidid": number,
        "Title": f"{device} {part} Replacement",
        "Category": device,
        "Subject": part,
        "Toolbox": [{"Name": "spudger"}],
        "Url": f"https://www.ifixit.com/Guide/{number}",
        "Steps": steps,
    }


def myfixit_file(path: Path, n_devices: int = 12) -> Path:
    lines = [
        myfixit_line(f"Maker {device}", part, (device + 1) * 10 + place)
        for device in range(n_devices)
        for place, part in enumerate(("Battery", "Fan"))
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
