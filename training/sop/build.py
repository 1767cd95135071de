"""What sources gave -> examples on three sides, with the report of how it was done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from repairai.errors import RepairError
from repairai.schema import Guide
from repairai.sop.prompts import Passage, passages_of
from training.sop.data_report import MANY_CUT, Lengths, Report, estimated, lengths_of
from training.sop.examples import Example
from training.sop.material import Material, material_of, why_not
from training.sop.sources import TERMS, Gathered, Progress
from training.sop.split import (
    FEWEST,
    NEAR,
    SIDES,
    Side,
    claims,
    guides_of,
    key_of,
    leaks,
    near_copies,
    normalised,
    split,
    texts_of,
    without_copies,
    without_leaks,
)
from training.sop.tasks import TOKENS_A_SIGN, examples_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PROBLEMS = 50
_NEAREST = 10
_FEW = 20
"""Examples that val and exam keep where the number is limited."""


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Args:
        name: Of the folder that it will be.
        sources: For the report.
        seed: The same seed and the same sources give the same examples.
        length_tokens: That prompts with their answers are to fit in.
        limit: Of examples to train on; a tenth of it each for val and exam. None: no limit.
        model: Whose tokenizer counts; empty: estimated.
    """

    name: str
    sources: tuple[str, ...] = ()
    seed: int = 7
    length_tokens: int = 1024
    limit: int | None = None
    model: str = ""


@dataclass(frozen=True)
class Built:
    """What was made.

    Args:
        sides: Examples of each side, in the order in which they are written.
        sources: Licence -> guides and datasets with their addresses, for `sources.json`.
        report: In figures.
    """

    sides: dict[Side, list[Example]]
    sources: dict[str, Any]
    report: Report


def build(
    gathered: Gathered,
    order: Order,
    held: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase | None,
    tell: Progress,
) -> Built:
    """Return examples made from guides and conversations.

    Args:
        gathered: The guides and conversations.
        order: What is asked for.
        held: The person's fixed exam: nothing of its devices, and none of its texts, goes to train or val.
        tokenizer: That counts; None: tokens are estimated.
        tell: Told how many guides are done.

    Raises:
        RepairError: Nothing is left to train on.
    """
    division = _divide(gathered, held)
    made = _examples(division, order, tell)
    told = {side: without_copies([*made[side], *division.chats[side]]) for side in SIDES}
    copies = {side: n for side, (_, n) in told.items()}
    clean, examples_dropped = without_leaks({side: found for side, (found, _) in told.items()}, division.held_texts)
    sides = {side: _some(clean[side], order, side) for side in SIDES}
    if not sides["train"]:
        why = "all of them are in your fixed exam" if held else f"no step fits in {order.length_tokens} tokens"
        raise RepairError("no example is left to train on: " + why, "give more guides, or a greater --length-tokens")
    left = leaks(sides, division.by_device)
    if left:
        raise RuntimeError(f"the split leaks, which is a fault of ours: {left[:3]}")
    lengths = _lengths(sides, order, tokenizer, tell)
    counted_with = order.model if tokenizer else f"an estimate: {TOKENS_A_SIGN} for each word and sign"
    report = replace(
        _report(sides, order, division, lengths),
        counted_with=counted_with,
        examples_dropped=_named(examples_dropped),
        copies=_named(copies),
        notes=tuple(_notes(sides, division, lengths, gathered)),
        problems=tuple(str(problem) for problem in gathered.problems[:_PROBLEMS]),
        n_problems=len(gathered.problems),
    )
    return Built(sides, sources_of(gathered, [example for side in SIDES for example in sides[side]]), report)


# ---- the sides


@dataclass(frozen=True)
class _Division:
    """Guides and conversations on their sides.

    Args:
        materials: Guides, with what of them may be used.
        chats: Conversations.
        by_device: Whether devices were split, or guides where there are too few devices.
        held_texts: Of the fixed exam.
        left_out: Why -> steps that are not used.
        n_shared: Texts of steps that stood on more than one side.
        dropped: Side -> steps that were dropped for that.
    """

    materials: dict[Side, list[Material]]
    chats: dict[Side, list[Example]]
    by_device: bool
    held_texts: frozenset[str]
    left_out: Counter[str]
    n_shared: int
    dropped: Counter[Side]


def _divide(gathered: Gathered, held: Sequence[Example]) -> _Division:
    guides = list(gathered.guides.values())
    devices = {_key(guide, True) for guide, _ in guides} | {key_of(chat) for chat in gathered.chats}
    by_device = len(devices) >= FEWEST
    keys = {guide.id: _key(guide, by_device) for guide, _ in guides}
    held_keys = {key_of(example) if by_device else normalised(example.guide_id) for example in held} - {""}
    # Each by itself: many conversations must not leave the guides without an exam.
    sides = split(map(key_of, gathered.chats), frozenset(held_keys)) | split(keys.values(), frozenset(held_keys))
    held_texts = frozenset(text for example in held for text in texts_of(example))
    passages = {guide.id: passages_of(guide) for guide, _ in guides}
    texts: dict[Side, set[str]] = {side: set() for side in SIDES}
    for name, found in passages.items():
        texts[sides[keys[name]]] |= {normalised(passage.text) for passage in found if not why_not(passage)}
    kept = claims(texts, held_texts)
    materials: dict[Side, list[Material]] = {side: [] for side in SIDES}
    left_out: Counter[str] = Counter()
    dropped: Counter[Side] = Counter()
    for guide, origin in guides:
        side = sides[keys[guide.id]]

        def usable(passage: Passage, side: Side = side) -> bool:
            reason = why_not(passage)
            leaking = not reason and kept.get(normalised(passage.text), side) != side
            left_out.update([reason] if reason else [])
            dropped.update([side] if leaking else [])
            return not reason and not leaking

        materials[side].append(material_of(guide, origin, usable))
    chats: dict[Side, list[Example]] = defaultdict(list)
    for chat in gathered.chats:
        chats[sides[key_of(chat)]].append(chat)
    return _Division(materials, chats, by_device, held_texts, left_out, len(kept), dropped)


def _key(guide: Guide, by_device: bool) -> str:
    return (normalised(guide.device) if by_device else "") or normalised(guide.id)


def _examples(division: _Division, order: Order, tell: Progress) -> dict[Side, list[Example]]:
    total = sum(map(len, division.materials.values()))
    made: dict[Side, list[Example]] = {side: [] for side in SIDES}
    done = 0
    for side in SIDES:
        for found in examples_of(division.materials[side], order.seed, order.length_tokens):
            made[side] += found
            done += 1
            tell(done, total, "making examples of guides")
    return made


def _some(examples: list[Example], order: Order, side: Side) -> list[Example]:
    """Return as many examples as are asked for, in an order of which each beginning holds all tasks in proportion."""
    mixed = list(examples)
    Random(f"{order.seed}:{side}").shuffle(mixed)
    n_of_task = Counter(example.task for example in mixed)
    seen: Counter[str] = Counter()
    ranked = []
    for example in mixed:
        ranked.append(((seen[example.task] + 0.5) / n_of_task[example.task], example))
        seen[example.task] += 1
    ranked.sort(key=lambda pair: pair[0])
    n = len(ranked)
    if order.limit is not None:
        n = order.limit if side == "train" else max(_FEW, order.limit // 10)
    return [example for _, example in ranked[:n]]


# ---- the report


def _report(
    sides: Mapping[Side, Sequence[Example]], order: Order, division: _Division, lengths: dict[str, Lengths]
) -> Report:
    """Return what the examples themselves say; the rest is left empty."""
    near = near_copies({side: {text for each in found for text in texts_of(each)} for side, found in sides.items()})
    everything = [example for side in SIDES for example in sides[side]]
    return Report(
        name=order.name,
        made=datetime.now().astimezone().isoformat(timespec="seconds"),
        sources=order.sources,
        seed=order.seed,
        length_tokens=order.length_tokens,
        split_by="device" if division.by_device else "guide",
        examples={side: dict(Counter(sorted(example.task for example in sides[side]))) for side in SIDES},
        devices={side: len({normalised(each.device) for each in sides[side]} - {""}) for side in SIDES},
        guides={side: len(set().union(*map(guides_of, sides[side]))) for side in SIDES},
        lengths=lengths,
        steps_left_out=dict(division.left_out),
        shared_texts=division.n_shared,
        steps_dropped=_named(division.dropped),
        leaks=0,
        near_copies={side: sum(copy.side == side for copy in near) for side in ("val", "exam")},
        near_score=NEAR,
        nearest=tuple(asdict(copy) for copy in near[:_NEAREST]),
        origins=dict(Counter(example.source.origin for example in everything).most_common()),
        licences=dict(Counter(example.source.licence for example in everything).most_common()),
        terms=(TERMS,) if any(example.source.origin == "ifixit" for example in everything) else (),
    )


def _named(counts: Mapping[Side, int]) -> dict[str, int]:
    return {side: counts.get(side, 0) for side in SIDES}


def _lengths(
    sides: Mapping[Side, Sequence[Example]],
    order: Order,
    tokenizer: PreTrainedTokenizerBase | None,
    tell: Progress,
) -> dict[str, Lengths]:
    if tokenizer is None:
        return {side: estimated(examples, order.length_tokens) for side, examples in sides.items()}
    from training.sop.tokens import IGNORED, tokens  # noqa: PLC0415  transformers takes seconds and is not always wanted

    total, done = sum(map(len, sides.values())), 0
    lengths: dict[str, Lengths] = {}
    for side, examples in sides.items():
        pairs, cut, prompts_cut = [], 0, 0
        for example in examples:
            whole = tokens(example, tokenizer, 1_000_000)
            pairs.append((len(whole.labels), sum(label != IGNORED for label in whole.labels)))
            if len(whole.labels) > order.length_tokens:
                found = tokens(example, tokenizer, order.length_tokens)
                cut, prompts_cut = cut + found.cut, prompts_cut + found.prompt_cut
            done += 1
            tell(done, total, f"counting tokens as {order.model} does")
        lengths[side] = lengths_of(pairs, cut, prompts_cut)
    return lengths


def _notes(
    sides: Mapping[Side, Sequence[Example]],
    division: _Division,
    lengths: Mapping[str, Lengths],
    gathered: Gathered,
) -> Iterable[str]:
    if not division.by_device:
        yield f"there are fewer than {FEWEST} devices, so guides were split, and a device may stand on two sides"
    for side in ("val", "exam"):
        if not sides[side]:
            what = "the run cannot be judged while it trains" if side == "val" else "nothing is left to test with"
            yield f"{side} is empty: there are too few guides, so {what}"
    found = lengths["train"]
    share = found.answers_cut / max(1, len(sides["train"]))
    if share > MANY_CUT:
        yield f"{share:.0%} of the answers are cut: {found.p95_tokens} tokens would hold nineteen in twenty examples"
    unknown = sum(example.source.licence in ("", "unknown") for examples in sides.values() for example in examples)
    if unknown:
        yield f"{unknown} examples come without a licence: find it out before you share the model, or give --licence"
    if gathered.n_left_out:
        yield f"{gathered.n_left_out} guides were left out as asked"


def sources_of(gathered: Gathered, examples: Iterable[Example]) -> dict[str, Any]:
    """Return where examples come from, as `sources.json` holds it.

    `{licence: {examples: N, guides: [{id, title, device, url, author, origin}], datasets: [name]}}`; a guide is named
    where one of its steps is told or shown.
    """
    told: dict[str, dict[str, Any]] = {}
    named: set[str] = set()
    for example in examples:
        of = told.setdefault(example.source.licence or "unknown", {"examples": 0, "guides": [], "datasets": []})
        of["examples"] += 1
        named |= guides_of(example)
        if example.task == "chat" and example.source.origin not in of["datasets"]:
            of["datasets"].append(example.source.origin)
    for name in sorted(named & gathered.guides.keys()):
        guide, origin = gathered.guides[name]
        of = told.setdefault(guide.licence, {"examples": 0, "guides": [], "datasets": []})
        told_of = {key: getattr(guide, key) for key in ("id", "title", "device", "url", "author")}
        of["guides"].append({**told_of, "origin": origin})
    return told
