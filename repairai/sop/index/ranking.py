"""How steps and guides are ranked for what was asked, in an index that is open."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import tantivy
from tantivy import Occur, Query

from repairai.sop.index.files import PLACES_A_GUIDE, SearchIndex, analyzer, device_key
from repairai.sop.index.spelling import Asked, expand
from repairai.sop.sources.plain_text import one_line, storable

_FIELDS = {
    "steps": {"device": 2.0, "title": 1.5, "text": 1.0},
    "guides": {"device": 2.0, "title": 2.0, "text": 0.3, "whole": 0.7, "last": 0.7},
}
_OTHER_FIELDS = {"steps": 0.1, "guides": 0.3}
_COVERED = {"steps": 1.0, "guides": 0.3}
_STEP_SHARE = 0.8
_N_CANDIDATES = 60
_N_WORDS = 32
_SNIPPET_CHARACTERS = 160


@dataclass(frozen=True)
class Hit:
    """A step or a whole guide that fits what was asked.

    Args:
        guide_id: The guide.
        title: Its title.
        device: Its device.
        step: The step's number; None where the whole guide is meant.
        score: In [0, 1]: for the first hit the share of the asked words that it holds, rare words counting more; for
            the others less, as they fit less.
        snippet: Plain text around the words that fit.
    """

    guide_id: str
    title: str
    device: str
    step: int | None
    score: float
    snippet: str


@dataclass(frozen=True)
class _Found:
    """A document with its BM25 score; `place` says which guide and step it is."""

    place: int
    score: float
    part: str
    address: tantivy.DocAddress


def search_index(index: SearchIndex, words: str, device: str | None = None, limit: int = 10) -> tuple[Hit, ...]:
    """Return the best hits, best first; see `Search.search`.

    A document's score is the sum over the asked words: BM25 in the field where the word counts most, a tenth (steps) or
    a third (guides) of it in the other fields, and a bonus for holding the word at all, so that a step with every word
    comes before one with some of them in its title. A step counts with its guide and a guide with its best step:
    `guide + 0.8 * step`. Where a guide's title and device hold less of what was asked than its best step does, the
    guide counts without that step, and the step comes first.

    Source:
        The weights are from trials on MyFixit with three kinds of queries: subject and device where only steps' text
        is indexed, the same with a slip of the keyboard in each query and everything indexed, and four words of a step.
    """
    asked = expand(_words(storable(words)), index)
    if not asked:
        return ()
    rarities = [_rarity(word, index) for word in asked]
    n_candidates = max(_N_CANDIDATES, 2 * limit)
    steps, guides = (_find(index, part, asked, rarities, device, n_candidates) for part in ("steps", "guides"))
    held = _held_by(asked, rarities)
    ranked = _rank(index, steps, guides, held, limit)
    if not ranked:
        return ()
    snippets = {part: _snippets(index, part, asked) for part in _FIELDS}
    docs = [_doc(index, one) for one in ranked]
    share = held(_text(docs[0], "device", "title", "text")) / ranked[0].score
    return tuple(
        _to_hit(one, doc, min(1.0, one.score * share), snippets[one.part](doc))
        for one, doc in zip(ranked, docs, strict=True)
    )


def _words(text: str) -> list[str]:
    """Return the different words of a query, without "the" and its like."""
    return list(dict.fromkeys(analyzer(stems=False, stop_words=False).analyze(text)))[:_N_WORDS]


def _find(
    index: SearchIndex,
    part: str,
    asked: tuple[Asked, ...],
    rarities: list[float],
    device: str | None,
    limit: int,
) -> dict[int, _Found]:
    """Return the best documents of one index by place."""
    schema, searcher = index.schemas[part], _searcher(index, part)
    words = []
    for word, rarity in zip(asked, rarities, strict=True):
        for_word, covering = [], []
        for stem, weight in word.stems.items():
            terms = {field: _term(schema, field, stem) for field in _FIELDS[part]}
            boosts = _boosts(index, part, stem)
            boosted = [Query.boost_query(term, boosts[field] * weight) for field, term in terms.items()]
            for_word.append(Query.disjunction_max_query(boosted, _OTHER_FIELDS[part]))
            held = Query.boolean_query([(Occur.Should, term) for term in terms.values()])
            covering.append(Query.const_score_query(held, _COVERED[part] * rarity * weight))
        words += [_best_of(for_word), _best_of(covering)]
    query = Query.boolean_query([(Occur.Should, word) for word in words])
    if device is not None:
        query = Query.boolean_query([(Occur.Must, query), (Occur.Must, _only(index, part, device))])
    hits = searcher.search(query, limit=limit, count=False).hits
    places = searcher.fast_field_values("place", [address for _, address in hits])
    found = [_Found(place, score, part, address) for (score, address), place in zip(hits, places, strict=True)]
    return {one.place: one for one in found}


def _boosts(index: SearchIndex, part: str, stem: str) -> dict[str, float]:
    """Return what a word counts in each field.

    BM25 takes a word for telling where few documents have it in that field. "Screw" stands in few titles and in half of
    all steps: it tells little in either, so each field's rarity is put in terms of the field where it is least rare.
    """
    searcher = _searcher(index, part)
    n = searcher.num_docs
    seen = {field: int(searcher.doc_freq(field, stem)) for field in _FIELDS[part]}
    least = _idf(n, max(seen.values()))
    return {field: boost * least / _idf(n, seen[field]) for field, boost in _FIELDS[part].items()}


def _idf(n: int, seen: int) -> float:
    """Return how telling a word is that `seen` of `n` documents hold.

    Source:
        tantivy's BM25, which is Lucene's: ln(1 + (N - n + 0.5) / (n + 0.5)).
    """
    return math.log(1 + (n - seen + 0.5) / (seen + 0.5))


def _best_of(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.disjunction_max_query(queries)


def _only(index: SearchIndex, part: str, device: str) -> Query:
    """Return what lets only one device through: by its whole name, else by the words of it."""
    schema, key = index.schemas[part], device_key(storable(device))
    if index.guides.doc_freq("key", key):
        allowed = Query.term_query(schema, "key", key, index_option="basic")
    else:
        asked = expand(analyzer(stems=False).analyze(key)[:_N_WORDS], index)
        words = [
            Query.boolean_query([(Occur.Should, _term(schema, "device", stem)) for stem in word.stems])
            for word in asked
        ]
        allowed = Query.boolean_query([(Occur.Must, word) for word in words]) if words else Query.empty_query()
    return Query.const_score_query(allowed, 0.0)


def _rank(
    index: SearchIndex,
    steps: dict[int, _Found],
    guides: dict[int, _Found],
    held: Callable[[str], float],
    limit: int,
) -> list[_Found]:
    """Return steps and guides in one row, best first, each with the score that it stands there for."""
    best: dict[int, _Found] = {}
    ranked = []
    for step in steps.values():
        guide = step.place - step.place % PLACES_A_GUIDE
        best.setdefault(guide, step)
        own = guides[guide].score if guide in guides else 0.0
        ranked.append(_Found(step.place, own + _STEP_SHARE * step.score, step.part, step.address))
    for place, guide_found in guides.items():
        helped = _STEP_SHARE * best[place].score if place in best else 0.0
        ranked.append(_Found(place, guide_found.score + helped, guide_found.part, guide_found.address))
    ranked.sort(key=lambda one: (-one.score, one.place))
    near = ranked[: 2 * limit]
    for n, one in enumerate(near):
        if one.part == "guides" and one.place in best:
            doc, step_doc = _doc(index, one), _doc(index, best[one.place])
            if held(_text(doc, "device", "title")) < held(_text(step_doc, "device", "title", "text")):
                near[n] = _Found(one.place, guides[one.place].score, one.part, one.address)
    return sorted(near, key=lambda one: (-one.score, one.place))[:limit]


def _rarity(word: Asked, index: SearchIndex) -> float:
    """Return how much a word tells: much where few guides hold it."""
    seen = max(int(index.guides.doc_freq(field, stem)) for stem in word.stems for field in ("whole", "title"))
    return math.log(1 + index.guides.num_docs / (1 + seen))


def _held_by(asked: tuple[Asked, ...], rarities: list[float]) -> Callable[[str], float]:
    """Return what tells how much of what was asked a text holds, in [0, 1], a rare word counting more."""
    total = sum(rarities)

    def held(text: str) -> float:
        stems = set(analyzer(stems=True).analyze(text))
        shares = [max((w for stem, w in word.stems.items() if stem in stems), default=0.0) for word in asked]
        return sum(rarity * share for rarity, share in zip(rarities, shares, strict=True)) / total

    return held


def _snippets(index: SearchIndex, part: str, asked: tuple[Asked, ...]) -> Callable[[tantivy.Document], str]:
    """Return what cuts the words that fit out of a document's text."""
    schema = index.schemas[part]
    stems = [stem for word in asked for stem in word.stems]
    query = Query.boolean_query([(Occur.Should, _term(schema, "text", stem)) for stem in stems])
    generator = tantivy.SnippetGenerator.create(_searcher(index, part), query, schema, "text")
    generator.set_max_num_chars(_SNIPPET_CHARACTERS)

    def snippet(doc: tantivy.Document) -> str:
        text = _text(doc, "text")
        cut = generator.snippet_from_doc(doc)
        fragment = cut.fragment() or text[:_SNIPPET_CHARACTERS]
        start = text.find(fragment)
        return ("… " if start > 0 else "") + one_line(fragment) + (" …" if start + len(fragment) < len(text) else "")

    return snippet


def _to_hit(found: _Found, doc: tantivy.Document, score: float, snippet: str) -> Hit:
    number = found.place % PLACES_A_GUIDE
    return Hit(_text(doc, "guide"), _text(doc, "shown"), _text(doc, "device"), number or None, score, snippet)


def _term(schema: tantivy.Schema, field: str, stem: str) -> Query:
    return Query.term_query(schema, field, stem, index_option="freq")


def _doc(index: SearchIndex, found: _Found) -> tantivy.Document:
    return _searcher(index, found.part).doc(found.address)


def _searcher(index: SearchIndex, part: str) -> tantivy.Searcher:
    return index.steps if part == "steps" else index.guides


def _text(doc: tantivy.Document, *fields: str) -> str:
    return " ".join(str(doc.get_first(field) or "") for field in fields)
