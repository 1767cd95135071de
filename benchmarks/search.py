"""Times our search beside SQLite FTS5 in one run, and counts how often it finds the guide that was meant.

    python benchmarks/search.py [--shared ../shared/data] [--steps 300000] [--queries 300]

Both engines answer the same queries in turn, each with its ten best hits and their texts. Ours also forgives slips of
the keyboard, ranks whole guides and cuts snippets; FTS5 gets the words with porter stemming, joined by OR, and BM25
with the same weights for device and title. The retrieval figures are for the subject and device of every guide as the
query, with only the steps' text in the index.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from repairai.schema import Guide, Line, Step
from repairai.sop.index.files import SearchIndex, build, open_index
from repairai.sop.index.ranking import search_index
from repairai.sop.sources.guide_files import open_guide_file

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstv" for vowel in "aeiou"]
_N_MADE_GUIDES = 300
_CHANGED_SHARE = 0.1


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder that holds myfixit/*.json")
    parser.add_argument("--steps", type=int, default=300_000, help="how many steps the large index holds")
    parser.add_argument("--queries", type=int, default=300, help="how many queries are timed")
    given = parser.parse_args()
    guides = read_myfixit_files(given.shared / "myfixit")
    name = "the five MyFixit files"
    if not guides:
        name = "made-up guides"
        print(f"{given.shared / 'myfixit'} is absent: made-up guides take its place")
        guides = make_guides(_N_MADE_GUIDES)
    queries = make_queries(guides, given.queries)
    n_steps = sum(len(guide.steps) for guide in guides)
    print(f"{'index':<48} {'engine':<8} {'build s':>8} {'disk MB':>8} {'p50 ms':>7} {'p95 ms':>7}")
    compare(f"{name}, {n_steps} steps", guides, queries)
    compare(f"{name} repeated, {given.steps} steps", repeat(guides, given.steps), queries)
    print(f"\n{'only steps indexed':<48} {'engine':<8} {'queries':>8} {'hit@1':>8} {'hit@5':>7}")
    count_hits(name, guides)


def compare(name: str, guides: Iterable[Guide], queries: list[str]) -> None:
    """Build both indexes, ask both every query in turn, and print a row for each."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "fts5.sqlite"
        ours.mkdir()
        kept = list(guides)
        began = time.perf_counter()
        build(ours, kept)
        built = time.perf_counter()
        build_fts5(theirs, kept)
        seconds = {"ours": built - began, "fts5": time.perf_counter() - built}
        del kept
        index, db = open_index(ours), sqlite3.connect(theirs)
        engines: dict[str, Callable[[str], object]] = {
            "ours": lambda words: search_index(index, words),
            "fts5": lambda words: search_fts5(db, words, 10),
        }
        times: dict[str, list[float]] = {engine: [] for engine in engines}
        for query in queries:
            for engine, search in engines.items():
                began = time.perf_counter()
                search(query)
                times[engine].append(1000 * (time.perf_counter() - began))
        for engine, path in (("ours", ours), ("fts5", theirs)):
            p50, p95 = (sorted(times[engine])[int(share * len(queries))] for share in (0.5, 0.95))
            print(f"{name:<48} {engine:<8} {seconds[engine]:8.1f} {size_mb(path):8.1f} {p50:7.2f} {p95:7.2f}")
        db.close()


def count_hits(name: str, guides: list[Guide]) -> None:
    """Print how often the guide itself comes first, or among the first five, for its subject and device."""
    asked = [(guide.id, f"{guide.subject} {guide.device}") for guide in guides if guide.subject]
    bare = [replace(guide, title="-", subject="", device="", introduction="") for guide in guides]
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "fts5.sqlite"
        ours.mkdir()
        build(ours, guides, only_steps=True)
        build_fts5(theirs, bare)
        index, db = open_index(ours), sqlite3.connect(theirs)
        engines: dict[str, Callable[[str], Iterable[str]]] = {
            "ours": lambda words: found_by_ours(index, words),
            "fts5": lambda words: [str(row[0]) for row in search_fts5(db, words, 60)],
        }
        for engine, search in engines.items():
            places = [list(dict.fromkeys(search(words)))[:5] for _, words in asked]
            first = sum(place[:1] == [guide] for place, (guide, _) in zip(places, asked, strict=True))
            five = sum(guide in place for place, (guide, _) in zip(places, asked, strict=True))
            print(f"{name:<48} {engine:<8} {len(asked):8} {first / len(asked):8.3f} {five / len(asked):7.3f}")
        db.close()


def found_by_ours(index: SearchIndex, words: str) -> list[str]:
    """Return the guides of our hits, best first."""
    return [hit.guide_id for hit in search_index(index, words, limit=60)]


def build_fts5(path: Path, guides: Iterable[Guide]) -> None:
    """Write an FTS5 table with a row a step."""
    db = sqlite3.connect(path)
    tokenizer = "porter unicode61 remove_diacritics 2"
    columns = f"guide UNINDEXED, step UNINDEXED, device, title, text, tokenize='{tokenizer}'"
    db.execute(f"CREATE VIRTUAL TABLE steps USING fts5({columns})")
    rows = (
        (guide.id, step.number, guide.device, f"{guide.title} {guide.subject}", step.text)
        for guide in guides
        for step in guide.steps
    )
    with db:
        db.executemany("INSERT INTO steps VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("INSERT INTO steps(steps) VALUES ('optimize')")
    db.close()


def search_fts5(db: sqlite3.Connection, words: str, limit: int) -> list[tuple[object, ...]]:
    """Return the best rows for any of the words."""
    asked = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", words.lower()))
    query = (
        "SELECT guide, step, title, text FROM steps WHERE steps MATCH ? ORDER BY bm25(steps, 0, 0, 2, 1.5, 1) LIMIT ?"
    )
    return db.execute(query, (asked, limit)).fetchall() if asked else []


def read_myfixit_files(folder: Path) -> list[Guide]:
    """Return the guides of every file in MyFixit's folder; none where it is absent."""
    entries = [entry for path in sorted(folder.glob("*.json")) for _, entry in open_guide_file(path, path.name).entries]
    return [entry[0] for entry in entries if isinstance(entry, tuple)]


def make_guides(n_guides: int) -> list[Guide]:
    """Return guides of made-up words, common ones more often, the same every time."""
    chance = random.Random(1)
    words = make_words(chance, 5000)

    def draw(n_words: int) -> str:
        return " ".join(words[int(len(words) * chance.random() ** 3)] for _ in range(n_words))

    guides = []
    for number in range(n_guides):
        steps = tuple(Step(n, (Line(draw(20)), Line(draw(13)))) for n in range(1, chance.randint(4, 14)))
        device, subject = f"{draw(1)} {number}", draw(1)
        guides.append(Guide(f"made-{number}", f"{device} {subject}", device, "CC0-1.0", steps, subject))
    return guides


def make_words(chance: random.Random, n_words: int) -> list[str]:
    """Return made-up words of two to five syllables."""
    return ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 5))) for _ in range(n_words)]


def repeat(guides: list[Guide], n_steps: int) -> Iterator[Guide]:
    """Yield guides until there are so many steps: the given ones, then copies with a tenth of the words changed."""
    chance = random.Random(2)
    words = make_words(chance, 40_000)
    left, copy = n_steps, 0
    while True:
        for guide in guides:
            if left <= 0:
                return
            steps = guide.steps[:left]
            left -= len(steps)
            if copy:
                steps = tuple(replace(step, lines=(Line(change(step.text, words, chance)),)) for step in steps)
            name = f"{guide.device} mark {copy}" if copy else guide.device
            yield replace(guide, id=f"{guide.id}-{copy}", device=name, steps=steps)
        copy += 1


def change(text: str, words: list[str], chance: random.Random) -> str:
    """Return the text with about a tenth of its words exchanged for others, common ones more often."""
    drawn = (
        words[int(len(words) * chance.random() ** 3)] if chance.random() < _CHANGED_SHARE else word
        for word in text.split()
    )
    return " ".join(drawn)


def make_queries(guides: list[Guide], n_queries: int) -> list[str]:
    """Return queries in turn: a guide's subject and device, the same with a letter missing, and six words of a step."""
    chance = random.Random(3)
    queries = []
    for n in range(n_queries):
        guide = chance.choice(guides)
        words = f"{guide.subject or guide.title} {guide.device}".split()
        if n % 3 == 1:
            longest = max(words, key=len)
            words[words.index(longest)] = longest[:2] + longest[3:]
        elif n % 3 == 2:
            text = re.findall(r"\w{3,}", chance.choice(guide.steps).text)
            words = chance.sample(text, min(6, len(text)))
        queries.append(" ".join(words))
    return queries


def size_mb(path: Path) -> float:
    """Return the size of a file, or of all files in a folder, in MB of 10**6 bytes."""
    inside = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    return sum(each.stat().st_size for each in inside) / 1e6


if __name__ == "__main__":
    main()
