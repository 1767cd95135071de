"""Counts how often a question is answered from the right guide, and how often it is refused where there is none.

    python benchmarks/retrieval.py [--shared ../shared/data] [--questions 600] [--seed 11] [--errors]

A fifth of the devices of MyFixit is held out of the library, by chance; questions are made from subject and device of
guides, in six ways that people ask. `there`: the guide is in the library; it has to be answered from a guide for this
device, and best from this one. `held out`: the device is not in the library; it has to be refused. Where a device is
named only by what it is ("Watch", "Blender"), guides for one of them by another name fit well, so that devices with a
model's name (a digit, or two words that are no everyday English) have a row of their own. `other part`: the device is
there, and what is asked about is a part that none of its guides names. The last row is tests/sop/questions_gold.json,
written by hand, with the built-in guides alone.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repairai.schema import Guide
from repairai.sop.library import Library
from repairai.sop.retrieval import Found, find_passages
from repairai.sop.samples import samples
from repairai.sop.search import Search
from repairai.sop.sources.guide_files import open_guide_file

GOLD = Path(__file__).parents[1] / "tests" / "sop" / "questions_gold.json"
WAYS = [
    "How do I replace the {subject} of my {device}?",
    "{device} {subject} replacement",
    "how to change the {subject} on a {device}",
    "What tools do I need to replace the {subject} of the {device}?",
    "{subject} {device}",
    "My {device} is broken, how can I take out the {subject}?",
]
OTHER_PARTS = ["hydraulic pump", "accordion bellows", "theremin", "warp core", "trombone slide", "fish tank heater"]


@dataclass(frozen=True)
class Asked:
    """A question with the guide that it was made from."""

    text: str
    guide: Guide


def main() -> None:
    """Print both precisions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder that holds myfixit/*.json")
    parser.add_argument("--questions", type=int, default=600, help="how many of each sort")
    parser.add_argument("--seed", type=int, default=11, help="of the chance; 11 is what the search was mended by")
    parser.add_argument("--errors", action="store_true", help="list the questions that came out wrong")
    given = parser.parse_args()
    guides = read_guides(given.shared / "myfixit")
    with tempfile.TemporaryDirectory() as folder:
        by_hand(Search(Library(Path(folder) / "empty")), given.errors)
        if guides:
            measure(Path(folder) / "library", guides, given.questions, given.seed, given.errors)
        else:
            print(f"{given.shared / 'myfixit'} is absent: only the questions written by hand were asked")


def measure(folder: Path, guides: Sequence[Guide], n_questions: int, seed: int, errors: bool) -> dict[str, float]:
    """Print a row for each sort of question; return precision of answering and of refusing, and the shares."""
    chance = random.Random(seed)
    devices = sorted({guide.device for guide in guides})
    out = set(chance.sample(devices, len(devices) // 5))
    library = Library(folder)
    library.add([guide for guide in guides if guide.device not in out], "myfixit")
    search = Search(library)
    there = questions([guide for guide in guides if guide.device not in out], chance)[:n_questions]
    held = questions([guide for guide in guides if guide.device in out], chance)[:n_questions]
    other = [Asked(each.text.replace(subject(each.guide), chance.choice(OTHER_PARTS)), each.guide) for each in there]
    found = {name: [(each, find_passages(each.text, search)) for each in asked]
             for name, asked in (("there", there), ("held out", held), ("other part", other))}  # fmt: skip
    right_device = sum(answered(each, result) for each, result in found["there"])
    right_guide = sum(answered(each, result, same_guide=True) for each, result in found["there"])
    refused = {name: [each for each, result in rows if not result.windows] for name, rows in found.items()}
    named = [(each, result) for each, result in found["held out"] if has_model_name(each.guide.device)]
    named_refused = sum(not result.windows for _, result in named)
    n_answered = sum(bool(result.windows) for rows in found.values() for _, result in rows)
    shares = {
        "answering": right_device / max(1, n_answered),
        "refusing": (len(refused["held out"]) + len(refused["other part"])) / max(1, sum(map(len, refused.values()))),
        "there, this device": right_device / len(there),
        "there, this guide": right_guide / len(there),
        "held out, refused": len(refused["held out"]) / len(held),
        "held out with a model's name, refused": named_refused / max(1, len(named)),
        "other part, refused": len(refused["other part"]) / len(other),
    }
    print(f"\n{len(devices)} devices, {len(out)} held out; {len(there)} + {len(held)} + {len(other)} questions")
    for name, share in shares.items():
        print(f"{name:<40} {share:.3f}" + ("   of all that are so" if name in ("answering", "refusing") else ""))
    print(f"{'devices with a model name among them':<40} {len(named)} of {len(held)} held out")
    if errors:
        tell(found)
    return shares


def tell(found: dict[str, list[tuple[Asked, Found]]]) -> None:
    """List what came out wrong: question, its guide, and what was answered from or why not."""
    for name, rows in found.items():
        for each, result in rows:
            wrong = not answered(each, result) if name == "there" else bool(result.windows)
            if wrong:
                got = f"{result.windows[0][0].title} | {result.windows[0][0].device}" if result.windows else result.why
                print(f"  {name}: {each.text} || {each.guide.title} | {each.guide.device} || {got}")


def answered(asked: Asked, found: Found, same_guide: bool = False) -> bool:
    """Tell whether a question is answered from a guide for its device, or from its very guide."""
    if not found.windows:
        return False
    first = found.windows[0][0]
    return first.guide_id == asked.guide.id if same_guide else first.device == asked.guide.device


def questions(guides: Sequence[Guide], chance: random.Random) -> list[Asked]:
    """Return a question for each guide that has a subject of its own, in an order by chance; half in lower case."""
    asked = []
    for guide in guides:
        if not guide.subject or guide.device.lower() in guide.subject.lower():
            continue
        text = chance.choice(WAYS).format(subject=subject(guide), device=guide.device)
        asked.append(Asked(text.lower() if chance.random() < 0.5 else text, guide))
    chance.shuffle(asked)
    return asked


def subject(guide: Guide) -> str:
    """Return what a guide is about, in lower case."""
    return guide.subject.lower()


def has_model_name(device: str) -> bool:
    """Tell whether a device is named by maker and model, not only by what it is."""
    return any(letter.isdigit() for letter in device) or (len(device.split()) >= 2 and device.istitle() is False)


def by_hand(search: Search, errors: bool) -> float:
    """Print and return how many of the questions written by hand come out right."""
    rows = json.loads(GOLD.read_text())
    right = 0
    for text, wanted in rows["questions"]:
        found = find_passages(text, search)
        got = found.windows[0][0].guide_id if found.windows else None
        right += got == wanted
        if errors and got != wanted:
            print(f"  by hand: {text} || {wanted} || {got} {found.why}")
    n = len(rows["questions"])
    print(f"by hand: {right} of {n} right (at first sight {rows['first_sight']})")
    return right / n


def read_guides(folder: Path) -> list[Guide]:
    """Return the guides of every file in MyFixit's folder; the built-in ones stay out, none where it is absent."""
    entries = [entry for path in sorted(folder.glob("*.json")) for _, entry in open_guide_file(path, path.name).entries]
    own = {guide.id for guide in samples()}
    return [entry[0] for entry in entries if isinstance(entry, tuple) and entry[0].id not in own]


if __name__ == "__main__":
    main()
