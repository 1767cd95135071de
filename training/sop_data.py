"""Step 1 of the SOP agent: guides and datasets to examples, on three sides of a split by device.

    python -m training.sop_data library --name mine
    python -m training.sop_data ../shared/data/myfixit --name myfixit --model HuggingFaceTB/SmolLM2-135M-Instruct
    python -m training.sop_data hub:OWNER/NAME own.jsonl --column question=ask --column answer=reply

Reads the library of imported guides, files and folders of guides (iFixit's JSON, MyFixit's JSON lines, our own), and
datasets (.jsonl, .json, .csv, .parquet, or on the Hub). Writes a folder, whole or not at all, in REPAIRAI_HOME under
data/sop/NAME: `train.jsonl`, `val.jsonl` and `exam.jsonl`, an example a line (training/sop/examples.py says what a line
holds; a side without any has no file), `report.json` with the figures that are printed too, and `sources.json` with
each guide's address, author and licence. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import datasets
from huggingface_hub.utils.tqdm import disable_progress_bars

from repairai import files
from repairai.errors import RepairError
from repairai.named_sets import DATA_SETS, neighbour, put_in_place
from repairai.runs.order import own_exam
from training.script import Parser, ended
from training.sop.build import Built, Order, build
from training.sop.data_report import in_words
from training.sop.examples import Example, read_examples, write_examples
from training.sop.sources import LIBRARY, Progress, Wanted, gather
from training.sop_samples import marked, samples, spans_of

# ---- writing


def write(folder: Path, built: Built) -> None:
    """Write a build as a folder, whole or not at all; one of the same name is replaced.

    Raises:
        RepairError: The disk is full or the folder cannot be written; what was there is as it was.
    """
    beside = neighbour(folder)
    try:
        beside.mkdir(parents=True)
        for side, examples in built.sides.items():
            if examples:
                write_examples(beside / f"{side}.jsonl", examples)
        sources = json.dumps(built.sources, ensure_ascii=False, indent=2) + "\n"
        files.write_whole(beside / "sources.json", sources.encode())
        files.write_whole(beside / "report.json", built.report.as_json().encode())
        put_in_place(beside, folder)
    except OSError as error:
        raise files.disk_error(folder, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def keep_exam(folder: Path, again: bool) -> str:
    """Make a build's exam the person's fixed one, and return what was done in a sentence.

    Args:
        folder: Of the build.
        again: Whether one that is there already is replaced.

    Raises:
        RepairError: The build has no exam, or the disk is full.
    """
    path = own_exam()
    there = path.is_file()
    if there and not again:
        return f"your fixed exam {path} stays as it is; --replace-exam replaces it"
    if not (folder / "exam.jsonl").is_file():
        raise RepairError(f"{folder} has no exam to keep: it was built from too few guides", "build from more guides")
    files.write_whole(path, (folder / "exam.jsonl").read_bytes())
    return f"{'replaced' if there else 'kept'} your fixed exam {path}: what it holds is never trained on"


def fixed_exam() -> list[Example]:
    """Return the person's own fixed exam; empty where none was kept.

    Raises:
        RepairError: It cannot be read.
    """
    return read_examples(own_exam()) if own_exam().is_file() else []


def name_of(wanted: str) -> str:
    """Return the name that a build gets: the wanted one, which may be taken, else `guides`, `guides-2` and so on.

    Raises:
        RepairError: It is no name of a folder.
    """
    return DATA_SETS.folder(wanted).name if wanted else DATA_SETS.free_name(DATA_SETS.usual)


# ---- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step and return its exit code; see the module's first lines."""
    return ended(lambda: _run(_parser().parse_args(arguments)), "nothing was written")


def _run(chosen: argparse.Namespace) -> int:
    began = time.perf_counter()
    name = name_of(chosen.name)
    order = Order(name, tuple(chosen.sources), chosen.seed, chosen.length_tokens, chosen.limit_examples, chosen.model)
    tell = _teller(chosen.progress_json)
    if chosen.progress_json or not sys.stderr.isatty():  # whose bars would stand between our lines
        datasets.disable_progress_bars()
        disable_progress_bars()
    tokenizer = None
    if chosen.model:  # first: a name that is wrong is told before anything else is done
        from training.sop.tokens import load_tokenizer  # noqa: PLC0415  transformers takes seconds and is not always wanted

        tokenizer = load_tokenizer(chosen.model)
    wanted = Wanted(
        tuple(chosen.device), tuple(chosen.guide), chosen.without_ifixit, dict(chosen.column), chosen.licence
    )
    held = [] if chosen.replace_exam else fixed_exam()
    built = build(gather(chosen.sources, wanted, tell), order, held, tokenizer, tell)
    built = replace(built, report=replace(built.report, seconds=round(time.perf_counter() - began, 1)))
    folder = DATA_SETS.place() / name
    write(folder, built)
    tell(1, 1, f"wrote {folder}")
    kept = keep_exam(folder, chosen.replace_exam) if chosen.keep_exam or chosen.replace_exam else ""
    if chosen.json:
        print(json.dumps({"folder": str(folder), "exam": kept, **asdict(built.report)}))
        return 0
    print(in_words(asdict(built.report)))
    for example in samples(folder, chosen.show):
        print(f"\n---- {example.task}: {example.device or 'no device'} {example.guide_id}".rstrip())
        print(marked(spans_of(example, tokenizer, chosen.length_tokens), sys.stdout.isatty()))
    print("\n".join(filter(None, ["", kept, f"wrote {folder} in {built.report.seconds} s"])))
    return 0


def _teller(as_json: bool) -> Progress:
    """Return what tells progress on standard error: at most a line a second (JSON: five), and one at each end."""
    last = [0.0]

    def tell(done: int, total: int | None, what: str) -> None:
        now = time.monotonic()
        if done == total or now - last[0] >= (0.2 if as_json else 1.0):
            last[0] = now
            words = f"{what}: {done}" + (f" of {total}" if total else "")
            print(json.dumps({"done": done, "total": total, "what": what}) if as_json else words, file=sys.stderr)

    return tell


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m training.sop_data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("sources", nargs="*", default=[LIBRARY], metavar="SOURCE", help="library, a file, a folder, or hub:OWNER/NAME")
    add("--name", default="", help="of the folder; one of this name is replaced (default: guides, guides-2, ...)")
    add("--device", action="append", default=[], help="guides for this device only; may be given again")
    add("--guide", action="append", default=[], help="the guide with this id only; may be given again")
    add("--without-ifixit", action="store_true", help="leave out guides that were read from iFixit itself")
    add("--column", action="append", default=[], type=_pair, metavar="OURS=THEIRS", help="a dataset's name of a column")
    add("--licence", default="", help="of datasets that do not say one")
    add("--model", default="", help="whose tokenizer counts tokens: a name on the Hub, or a folder")
    add("--length-tokens", type=_number(64), default=1024, help="a prompt with its answer (default: 1024)")
    add("--limit-examples", type=_number(1), help="to train on; a tenth of it each for val and exam")
    add("--seed", type=_number(0), default=7, help="of every choice (default: 7)")
    add("--show", type=_number(0), default=0, metavar="N", help="print N samples, what is trained on in [[ ]]")
    add("--keep-exam", action="store_true", help="make the exam your fixed one, if you have none: never trained on")
    add("--replace-exam", action="store_true", help="make the exam your fixed one, in place of the one you have")
    add("--progress-json", action="store_true", help="progress as JSON lines {done, total, what}")
    add("--json", action="store_true", help="print the report as JSON")
    return parser


def _pair(text: str) -> tuple[str, str]:
    ours, found, theirs = text.partition("=")
    if not (found and ours and theirs):
        raise argparse.ArgumentTypeError(f"need OURS=THEIRS, got {text:.40}")
    return ours, theirs


def _number(at_least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or len(text) > 9 or int(text) < at_least:
            raise argparse.ArgumentTypeError(f"need a whole number from {at_least} on, got {text:.40}")
        return int(text)

    return read


if __name__ == "__main__":
    sys.exit(main())
