"""`states`: what a judge of states learns from: photos with a question and its answer, built, listed and shown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from repairai.commands import sets, transfer
from repairai.commands.deletion import delete
from repairai.commands.script import run_script
from repairai.commands.words import noun, print_json, verb, whole

SCRIPT = "training.judge_data"
_MOST = 10**9


class _InOrder(argparse.Action):
    """Keeps words in the order in which they are given: a source begins where one of them comes again."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        word = str(option) if self.nargs == 0 else f"{option}={values}"
        namespace.words = [*(namespace.words or ()), word]


def add_words(verbs: Any) -> None:
    """Add `states` and its verbs to the command line."""
    verbs = noun(verbs, "states", "what a judge of states learns from: photos that answer a question", __doc__ or "")
    _add_build(verbs)
    verb(verbs, "list", _list, "the sets of states")
    show = verb(verbs, "show", _show, "a set's questions, answers by split, sources and findings")
    show.add_argument("name", metavar="NAME")
    transfer.add_push(verbs, _push, "send a set of states to the Hub as a data set, with its card")
    delete = verb(verbs, "delete", _delete, "delete a set; refused while a run that needs it is at work or waits")
    delete.add_argument("name", metavar="NAME")


def _add_build(verbs: Any) -> None:
    parser = verb(verbs, "build", _build, "make a set of states, or add to one, whole or not at all")
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(words=None)

    def word(name: str, what: str, **more: Any) -> None:
        parser.add_argument(name, action=_InOrder, dest="words", help=what, **more)

    word("--yes", "folder of photos of which the answer is yes", metavar="DIR")
    word("--no", "folder of photos of which the answer is no", metavar="DIR")
    word("--photos", "set of labelled photos, each box of which is cut out", metavar="SET")
    word("--yes-part", "the part whose boxes answer yes", metavar="PART")
    word("--no-part", "the part whose boxes answer no", metavar="PART")
    word("--positions", "name the place of each box in the question, where the boxes of a photo form a grid", nargs=0)
    word("--rendered", "drawn scenes", choices=("connector", "battery", "lid"))
    word("--scenes", "how many of them", type=whole(1, _MOST), metavar="N")
    word("--records", "what people answered at kept inspections", nargs=0)
    word("--question", 'what the photos answer: "Is the latch open?"', metavar="TEXT")
    word("--opposite", "the same the other way round (default: proposed)", metavar="TEXT")
    splits = ("train", "val", "test", "shared")
    word("--split", "where all of it goes (default: its own split, else shared out; drawn: train)", choices=splits)
    word("--licence", "of photos that do not say one; goes onto the card of what is trained", metavar="NAME")
    word("--url", "where the photos can be found; the same", metavar="URL")
    word("--file", "a YAML file that lists sources by the same words", metavar="FILE")
    add = parser.add_argument
    add("--add", action="store_true", help="put the examples into the set of this name, which is there already")
    add("--balance", action="store_true", help="draw as many of yes as of no to train on")
    add("--seed", type=whole(0, _MOST), help="of every choice (default: 7)")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what} on standard error")


def _build(chosen: argparse.Namespace) -> int:
    words = list(chosen.words or ())
    for flag in ("add", "balance", "progress_json", "json"):
        words += [f"--{flag.replace('_', '-')}"] if getattr(chosen, flag) else []
    words += [] if chosen.seed is None else [f"--seed={chosen.seed}"]
    return run_script(SCRIPT, ["build", *words, "--", chosen.name])


# ---- looking


def _list(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import STATE_SETS

    none = "there are no states yet: `states build NAME --yes FOLDER --no FOLDER --question TEXT`"
    names, folder = STATE_SETS.names(), STATE_SETS.folder
    return sets.print_sets(names, lambda name: about(folder(name)), _line, none, chosen.json)


def _line(about: sets.About) -> str:
    questions = "; ".join(question["question"] for question in about["questions"][:3])
    more = f" and {len(about['questions']) - 3} more" if len(about["questions"]) > 3 else ""
    found = "not looked through" if about["findings"] is None else sets.findings_in_words(about["findings"])
    return f"{about['name']}  {_counts(about)}: {questions}{more}; {found}"


def about(folder: Path) -> sets.About:
    """Return what a set holds, where it came from, and what its build found.

    Raises:
        RepairError: It cannot be read.
    """
    from repairai.files import to_data
    from repairai.judge.state_set import REPORT, read_sources, read_state_set, summary
    from repairai.runs.folder import read_json

    findings = read_json(folder / REPORT).get("findings")
    return {
        **to_data(summary(folder.name, read_state_set(folder))),
        "folder": str(folder),
        "from": [to_data(each) for each in read_sources(folder)],
        "findings": findings if isinstance(findings, list) else None,
    }


def _counts(about: sets.About) -> str:
    splits = sets.splits_in_words(about["splits"])
    return f"{about['examples']:,} examples ({splits}) from {about['sources']:,} independent photos"


def _show(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import STATE_SETS

    seen = about(STATE_SETS.known(chosen.name))
    if chosen.json:
        print_json(seen)
        return 0
    print(f"{seen['name']}: {_counts(seen)}\n{seen['folder']}\n")
    for each in seen["questions"]:
        print(f"{each['question']} / {each['opposite']}")
        for split, counts in each["splits"].items():
            print(f"  {split:5}  {counts['yes']:>6,} yes  {counts['no']:>6,} no  of {counts['sources']:,} photos")
    sets.print_sources(seen["from"])
    for each in seen["findings"] or ():
        print(f"{each['severity']}  {each['said']}")
    return 0


def _push(chosen: argparse.Namespace) -> int:
    from repairai.runs import parcels

    return transfer.push(chosen, parcels.of_state_set(chosen.source, chosen.repo))


def _delete(chosen: argparse.Namespace) -> int:
    from repairai.named_sets import STATE_SETS

    return delete(STATE_SETS, chosen)
