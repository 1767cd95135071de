"""Examples as rows of tokens: several short ones in a row, none seeing another, and rows put together to batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from trl import pack_dataset

from training.sop.tokens import IGNORED


def rows(examples: Sequence[tuple[list[int], list[int]]], length_tokens: int, packing: bool) -> Dataset:
    """Return rows with `input_ids`, `labels` and `seq_lengths`, the lengths of the examples in a row.

    Args:
        examples: Each its tokens and its labels, at most `length_tokens` of both.
        length_tokens: That a row holds at most.
        packing: Rows are filled with several examples, best fit first; else each has its own.
    """
    ids, labels = [list(each) for each in zip(*examples, strict=True)]
    whole = Dataset.from_dict({"input_ids": ids, "labels": labels})
    if packing:
        # In memory: a cache on disk would outlive the run, and answer for data that have changed.
        return pack_dataset(whole, length_tokens, "bfd", {"keep_in_memory": True, "load_from_cache_file": False})
    return whole.add_column("seq_lengths", [[len(each)] for each in ids])


class Batches:
    """Puts rows together: `input_ids`, `labels` and `position_ids`, each (rows, tokens of the longest row).

    `n_tokens` (rows,) is how many of a row are no fill. There is no mask of attention: positions begin anew with each
    example, from which transformers sees where one ends. Where each row is one example, it is then simply causal, which
    is the fastest there is.

    Args:
        pad_id: The token that fills short rows.
    """

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Return a batch."""
        lengths = [len(item["input_ids"]) for item in items]
        shape = len(items), max(lengths)
        ids, labels = torch.full(shape, self.pad_id), torch.full(shape, IGNORED)
        positions = torch.zeros(shape, dtype=torch.long)
        for row, (item, length) in enumerate(zip(items, lengths, strict=True)):
            ids[row, :length] = torch.tensor(item["input_ids"])
            labels[row, :length] = torch.tensor(item["labels"])
            # The fill belongs to the last example: nothing looks ahead, so nothing sees it.
            parts = [*item["seq_lengths"][:-1], item["seq_lengths"][-1] + shape[1] - length]
            positions[row] = torch.cat([torch.arange(each) for each in parts])
        labels[positions == 0] = IGNORED  # the last token of one example does not foretell the first of the next
        return {"input_ids": ids, "labels": labels, "position_ids": positions, "n_tokens": torch.tensor(lengths)}


class ByLength(Sampler[int]):
    """Draws rows of like length together, so that little is fill; each epoch in another order, the same for a seed.

    Args:
        lengths: Of all rows, in tokens.
        n: Rows of one optimizer step.
        seed: Of the order.
    """

    def __init__(self, lengths: Sequence[int], n: int, seed: int) -> None:
        self.lengths, self.n, self.seed, self.epoch = lengths, n, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """Yield the rows: like lengths in one step, the steps in any order."""
        random = Random(f"{self.seed} {self.epoch}")
        order = sorted(range(len(self)), key=lambda at: (self.lengths[at] * random.uniform(0.9, 1.1), at))
        steps = [order[at : at + self.n] for at in range(0, len(order), self.n)]
        whole = [step for step in steps if len(step) == self.n]
        random.shuffle(whole)
        for step in [*whole, *steps[len(whole) :]]:
            yield from step
