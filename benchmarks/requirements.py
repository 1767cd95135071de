"""Counts how many of the facts that a person reads in repair steps our reader finds, and how many it makes up.

    python benchmarks/requirements.py [--shared ../shared/data] [--errors]

A fact is (action, part, count) of one step; all facts were written down by hand before the reader saw the step, by the
rules in tests/sop/requirements_gold.json. `develop` is what it was built on; the devices of the others are strangers to
that. Each held-out batch was measured once unseen, and its errors were looked at only then, to mend what is general;
the figures at first sight (`first_sight` there: hits, extra, missed) stand beside those of now, and tell what to expect
of a new guide. Below, the same for the parts that photos are judged by.
A second check: the removed parts that others marked in 801 sentences about Mac laptops, by head noun and step.
`--errors` lists what is still wrong by step id; the texts are not ours to print.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repairai.sop.actions import read_actions
from repairai.sop.grammar.nouns import kind_of, singular
from repairai.sop.grammar.words import HEADS
from repairai.sop.sources.myfixit import read_myfixit

GOLD = Path(__file__).parents[1] / "tests" / "sop" / "requirements_gold.json"
Fact = tuple[str, str, int | None]
GROUPS = ("screws", "connectors", "batteries", "covers")
COVERS = frozenset(("cover", "lid", "panel", "case", "casing", "housing", "shell", "door", "cap"))


@dataclass(frozen=True)
class Score:
    """What was found (`hits`), made up (`extra`) and missed."""

    hits: int
    extra: int
    missed: int

    @property
    def precision(self) -> float:
        """Return the share of what was said that is true, in [0, 1]."""
        return self.hits / max(1, self.hits + self.extra)

    @property
    def recall(self) -> float:
        """Return the share of what is true that was said, in [0, 1]."""
        return self.hits / max(1, self.hits + self.missed)


def pool(scores: Iterable[Score]) -> Score:
    """Return the counts of several batches together."""
    counts = [(each.hits, each.extra, each.missed) for each in scores]
    return Score(*(sum(column) for column in zip(*counts, strict=True))) if counts else Score(0, 0, 0)


@dataclass(frozen=True)
class Answer:
    """What the reader said of one step, beside what is true."""

    step_id: int
    half: str
    said: tuple[Fact, ...]
    true: tuple[Fact, ...]


def read_gold() -> dict[str, Any]:
    """Return the rules of annotation and the steps with their facts."""
    gold: dict[str, Any] = json.loads(GOLD.read_text())
    return gold


def answer_all(folder: Path) -> list[Answer]:
    """Return the reader's answers for all annotated steps.

    Args:
        folder: Holds the MyFixit files.
    """
    gold = {(step["file"], step["step_id"], step["sha256"]): step for step in read_gold()["steps"]}
    answers: dict[tuple[str, int, str], Answer] = {}
    for file in sorted({file for file, _, _ in gold}):
        for line in (folder / file).read_text().splitlines():
            data = json.loads(line)
            hashes = {str(step["StepId"]): hash_of(step["Text_raw"]) for step in data["Steps"]}
            for step in read_myfixit(data, file).steps:
                key = (file, int(step.source_id), hashes[step.source_id])
                if key in gold and key not in answers:
                    said = tuple((found.action, found.part, found.count) for found in read_actions(step.text))
                    true = tuple((action, part, count) for action, part, count in gold[key]["facts"])
                    answers[key] = Answer(key[1], gold[key]["half"], said, true)
    return [answers[key] for key in gold if key in answers]


def hash_of(text: str) -> str:
    """Return what tells a step's text from every other and from itself when it has changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def group_of(fact: Fact) -> str:
    """Return the group of the part that a fact is about; empty where no photo is judged by it."""
    nouns = fact[1].split("_")
    if nouns[-1] in COVERS or nouns[-1] == "battery":
        return "covers" if nouns[-1] in COVERS else "batteries"
    return {"fastener": "screws", "line": "connectors", "plug": "connectors"}.get(kind_of(nouns), "")


def score(answers: Iterable[Answer], of: Callable[[Fact], object] = lambda fact: fact, group: str = "") -> Score:
    """Return the counts over all answers of what `of` takes from each fact; of one group's facts where it is given."""
    hits = extra = missed = 0
    for answer in answers:
        said, true = (
            Counter(of(fact) for fact in facts if not group or group_of(fact) == group)
            for facts in (answer.said, answer.true)
        )
        hits += (said & true).total()
        extra += (said - true).total()
        missed += (true - said).total()
    return Score(hits, extra, missed)


def score_counts(answers: Iterable[Answer]) -> Score:
    """Return how well counts are read where action and part are right: a wrong number is extra, null for one missed."""
    hits = extra = missed = 0
    for answer in answers:
        said, true = Counter(answer.said), Counter(answer.true)
        hits += sum(number for fact, number in (said & true).items() if fact[2] is not None)
        wrong, lost = said - true, true - said
        for action, part, count in wrong.elements():
            same = [fact for fact in lost if fact[:2] == (action, part)]
            extra += bool(same) and count is not None
            missed += any(fact[2] is not None for fact in same) and count is None
    return Score(hits, extra, missed)


def find_marked_parts(file: Path) -> tuple[int, int]:
    """Return how many of the parts marked in a CoNLL file are named by an action of their step, and how many there are.

    Args:
        file: A token and its label a line, `B-part` to `E-part` for a part; a step ends with an empty line.
    """
    found = total = 0
    for block in file.read_text().split("\n\n"):
        rows = [line.rsplit("\t", 1) for line in block.splitlines() if "\t" in line]
        text = re.sub(r" ([.,;:!?)])", r"\1", " ".join(token for token, _ in rows))
        said = {action.part.rsplit("_", 1)[-1] for action in read_actions(text)}
        ends = [place for place, (_, label) in enumerate(rows) if label.endswith("part")]
        heads = {
            singular(rows[place][0].lower())
            for place in ends
            if place + 1 == len(rows) or rows[place + 1][1] not in ("I-part", "E-part")
        }
        heads = {"screw" if head in HEADS or head in ("phillip", "mm") else head for head in heads}
        found += len(heads & said)
        total += len(heads)
    return found, total


def main() -> None:
    """Print the table, and the errors where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder that holds myfixit/*.json")
    parser.add_argument("--errors", action="store_true", help="list what is wrong, by step id")
    given = parser.parse_args()
    answers = answer_all(given.shared / "myfixit")
    first_sight = {
        half: {group: Score(*n) for group, n in of.items()} for half, of in read_gold()["first_sight"].items()
    }
    print("                       action+part+count  action+part     count alone     at first sight")
    print("batch     steps facts  prec.  recall   prec.  recall   prec.  recall   prec.  recall")
    for half in [*dict.fromkeys(answer.half for answer in answers), "all"]:
        chosen = [answer for answer in answers if half in (answer.half, "all")]
        scores = [score(chosen), score(chosen, lambda fact: fact[:2]), score_counts(chosen)]
        sights = [of["all"] for name, of in first_sight.items() if half in (name, "all")]
        n_facts = sum(len(answer.true) for answer in chosen)
        print(f"{half:11} {len(chosen):3} {n_facts:5}  {_cells([*scores, *([pool(sights)] if sights else [])])}")
    print("\nparts                  action+part+count  at first sight, of the batches since held_out_5")
    for group in GROUPS:
        sights = [of[group] for of in first_sight.values() if group in of]
        n_facts = sum(group_of(fact) == group for answer in answers for fact in answer.true)
        print(f"{group:15} {n_facts:5}  {_cells([score(answers, group=group), pool(sights)])}")
    found, total = find_marked_parts(given.shared / "myfixit" / "mac_laptop_parts_verbs.conll")
    print(f"marked parts that were named: {found} of {total}, {found / total:.3f}")
    if given.errors:
        print_errors(answers)


def _cells(scores: Iterable[Score]) -> str:
    return "  ".join(f"{each.precision:6.3f}  {each.recall:6.3f}" for each in scores)


def print_errors(answers: Iterable[Answer]) -> None:
    """Print what was made up (+) and what was missed (-), a line for each step."""
    for answer in answers:
        extra, missed = Counter(answer.said) - Counter(answer.true), Counter(answer.true) - Counter(answer.said)
        wrong = [f"+{_words(fact)}" for fact in extra.elements()] + [f"-{_words(fact)}" for fact in missed.elements()]
        if wrong:
            print(f"{answer.half:11} {answer.step_id:7}  {'  '.join(wrong)}")


def _words(fact: Fact) -> str:
    action, part, count = fact
    return f"{action} {part} {'?' if count is None else count}"


if __name__ == "__main__":
    main()
