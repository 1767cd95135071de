"""Words to the steps and guides that fit, ranked; forgiving of word forms and slips of the keyboard.

The engine is tantivy (MIT licence, one wheel without further packages, no service). Beside SQLite's FTS5, which would
need no package, `benchmarks/search.py` measured on 300,000 steps and two busy cores: 4.5 ms against 46 ms for the
median query and 10 ms against 306 ms for the slowest twentieth, 83 MB against 168 MB on disk, 16 s against 5 s to
build; where only the steps' text is indexed, the guide that was meant comes first for 29 % of queries against 24 %.
It also finds misspelt words by walking its dictionary with a Levenshtein automaton, in a fraction of a millisecond;
FTS5 has nothing of the kind.
"""

from __future__ import annotations

import threading
from pathlib import Path

from repairai.sop.index.files import SearchIndex, open_or_build
from repairai.sop.index.ranking import Hit, search_index
from repairai.sop.library import Library

_HITS_A_GUIDE = 6
"""How many hits are looked through for each guide that is wanted: a long guide may fill the first ones alone."""


class Search:
    """Search over a library and the built-in guides.

    The index lies beside the library and is built when first needed, and again only when a guide has changed.

    Args:
        library: Where the guides are.
        folder: Where the index is kept; None: `search` beside the library's file.
    """

    def __init__(self, library: Library, folder: Path | None = None) -> None:
        self.library = library
        self.folder = library.folder / "search" if folder is None else folder
        self._lock = threading.Lock()
        self._opened: tuple[str, SearchIndex] | None = None

    def search(self, words: str, device: str | None = None, limit: int = 10) -> tuple[Hit, ...]:
        """Return the steps and guides that fit best, best first; none where no word was asked or none is known.

        Args:
            words: Whatever a person typed; only its first 32 different words count.
            device: Only this device: its whole name, or words of it ("iphone" finds all iPhones).
            limit: At most so many hits.

        Raises:
            ValueError: `limit` is below 1.
            RepairError: The library cannot be read, or the index not be written.
        """
        if limit < 1:
            raise ValueError(f"need limit from 1, got {limit}")
        return search_index(self.open(), words, device, limit)

    def search_guides(self, words: str, device: str | None = None, limit: int = 10) -> tuple[Hit, ...]:
        """Return the guides that fit best, each by its best hit, best first; see `search`."""
        best: dict[str, Hit] = {}
        for hit in self.search(words, device, _HITS_A_GUIDE * limit):
            best.setdefault(hit.guide_id, hit)
        return tuple(best.values())[:limit]

    def open(self) -> SearchIndex:
        """Return the index for the library as it is now; builds it where that has not been done.

        Raises:
            RepairError: The library cannot be read, or the index not be written.
        """
        with self._lock:
            fingerprint = self.library.fingerprint()
            if self._opened is None or self._opened[0] != fingerprint:
                self._opened = (fingerprint, open_or_build(self.folder, fingerprint, self.library.guides()))
            return self._opened[1]
