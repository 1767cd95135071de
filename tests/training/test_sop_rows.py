"""Packed rows train what single ones train."""

import torch

from tests.training.tiny import save_tiny
from training.sop.model import load_base
from training.sop.rows import IGNORED, Batches, ByLength, rows

EXAMPLES = [
    ([10, 11, 12, 13, 14], [IGNORED, IGNORED, 12, 13, 14]),
    ([20, 21, 22], [IGNORED, 21, 22]),
    ([30, 31, 32, 33], [IGNORED, IGNORED, 32, 33]),
]


def test_rows_are_filled_and_no_token_is_lost():
    packed = rows(EXAMPLES, 8, packing=True)
    assert sorted(map(len, packed["input_ids"])) == [4, 8]
    assert sorted(sum(packed["input_ids"], [])) == sorted(token for ids, _ in EXAMPLES for token in ids)
    assert sorted(sum(packed["seq_lengths"], [])) == [3, 4, 5]


def test_without_packing_each_example_has_its_row():
    apart = rows(EXAMPLES, 8, packing=False)
    assert [list(ids) for ids in apart["input_ids"]] == [ids for ids, _ in EXAMPLES]
    assert [list(lengths) for lengths in apart["seq_lengths"]] == [[5], [3], [4]]


def test_a_batch_has_positions_that_begin_anew_and_trains_no_first_token():
    batch = Batches(0)([{"input_ids": [7, 8, 9], "labels": [7, 8, 9], "seq_lengths": [2, 1]}])
    assert batch["position_ids"].tolist() == [[0, 1, 0]]
    assert batch["labels"].tolist() == [[IGNORED, 8, IGNORED]]


def test_rows_of_like_length_are_drawn_together_all_of_them_and_the_same_for_a_seed():
    lengths = [10 * (1 + n % 7) for n in range(100)]
    sampler = ByLength(lengths, 8, seed=3)
    first, again = list(sampler), list(ByLength(lengths, 8, seed=3))
    sampler.set_epoch(1)
    assert first == again
    assert list(sampler) != first
    assert sorted(first) == list(range(100))
    spread = [max(part) - min(part) for at in range(0, 96, 8) for part in [[lengths[n] for n in first[at : at + 8]]]]
    assert sum(spread) / len(spread) < 15


def test_examples_in_one_row_do_not_see_each_other(tmp_path):
    model, _ = load_base(str(save_tiny(tmp_path / "m")), precision="fp32")
    batch = Batches(2)(list(rows(EXAMPLES, 12, packing=True)))
    with torch.no_grad():
        packed = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"]).logits
        for ids, _ in EXAMPLES:
            alone = model(input_ids=torch.tensor([ids])).logits[0]
            row = batch["input_ids"][0].tolist()
            at = next(n for n in range(len(row)) if row[n : n + len(ids)] == ids)
            torch.testing.assert_close(packed[0, at : at + len(ids)], alone, rtol=1e-4, atol=1e-5)


def test_fill_changes_nothing(tmp_path):
    model, _ = load_base(str(save_tiny(tmp_path / "m")), precision="fp32")
    batch = Batches(2)(list(rows(EXAMPLES, 12, packing=False)))
    assert batch["n_tokens"].tolist() == [5, 3, 4]
    with torch.no_grad():
        filled = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"]).logits
        for row, (ids, _) in enumerate(EXAMPLES):
            alone = model(input_ids=torch.tensor([ids])).logits[0]
            torch.testing.assert_close(filled[row, : len(ids)], alone, rtol=1e-4, atol=1e-5)
