"""Examples as rows of tokens: several short ones in a row, none seeing another, and rows put together to batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from trl import pack_dataset

IGNORED = -100
"""Label of a token that is not trained. Source: torch.nn.functional.cross_entropy."""


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

    There is no mask of attention: positions begin anew with each example, from which transformers sees where one ends.

    Args:
        pad_id: The token that fills short rows.
    """

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Return a batch."""
        longest = max(len(item["input_ids"]) for item in items)
        ids = torch.full((len(items), longest), self.pad_id)
        labels = torch.full((len(items), longest), IGNORED)
        positions = torch.zeros((len(items), longest), dtype=torch.long)
        for row, item in enumerate(items):
            length = len(item["input_ids"])
            ids[row, :length] = torch.tensor(item["input_ids"])
            labels[row, :length] = torch.tensor(item["labels"])
            positions[row, :length] = torch.cat([torch.arange(each) for each in item["seq_lengths"]])
            # The fill goes on counting: as one example of its own it costs nothing more, and nothing sees it.
            positions[row, length:] = torch.arange(longest - length)
        labels[positions == 0] = IGNORED  # the last token of one example does not foretell the first of the next
        return {"input_ids": ids, "labels": labels, "position_ids": positions}
