"""State examples as rows that a vision-language model learns from: both ways round, and yes as often as no."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch.nn.utils.rnn import pad_sequence

from repairai.errors import RepairError
from repairai.judge.photo_prompt import PATCHED, PhotoPrompt
from repairai.judge.questions import key
from repairai.judge.state_set import StateExample
from repairai.judge.vision_language import kinds_of_token
from repairai.judge.yes_no import asked

IGNORED = -100
"""The label of a token that is not learned."""
MOST_AGAIN = 8
"""How often an example is shown at most so that yes comes as often as no: more would be learned by heart."""
OTHER: dict[str, Literal["yes", "no"]] = {"yes": "no", "no": "yes"}


def both_ways(examples: Sequence[StateExample], folder: Path) -> list[dict[str, str]]:
    """Return a row for the question of each example and one for its opposite.

    Args:
        examples: Of a set.
        folder: Of the set.
    """
    found = []
    for each in examples:
        photo = str(folder / each.photo)
        found.append({"photo": photo, "question": asked(each.question), "answer": each.answer})
        found.append({"photo": photo, "question": asked(each.opposite), "answer": OTHER[each.answer]})
    return found


def evened(examples: Sequence[StateExample]) -> list[StateExample]:
    """Return the examples with those of the rarer answer shown again, question by question.

    Both ways round yes and no are as frequent on the whole. But a question that is nearly always answered by yes, and
    its opposite by no, would be answered from its words alone.
    """
    groups: dict[str, dict[str, list[StateExample]]] = defaultdict(lambda: {"yes": [], "no": []})
    for each in examples:
        groups[key(each.question)][each.answer].append(each)
    more = []
    for group in groups.values():
        rare, frequent = sorted(group.values(), key=len)
        if rare:
            wanted = min(len(frequent), MOST_AGAIN * len(rare))
            more += [rare[at % len(rare)] for at in range(wanted - len(rare))]
    return [*examples, *more]


def read_photo(path: Path | str) -> np.ndarray:
    """Return a photo as RGB uint8 (H, W, 3), as it is shown.

    Raises:
        RepairError: It is not there, or is none.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise RepairError(f"{path} cannot be read as a photo: {error}", "build the set of states again") from None


def by_room(rows: Sequence[dict[str, str]], seen: PhotoPrompt) -> list[int]:
    """Return the places of rows, those that take most room last, as far as it is told without reading their photos."""
    sizes: dict[str, tuple[float, int]] = {}
    for row in rows:
        if row["photo"] not in sizes:
            try:
                with Image.open(row["photo"]) as image:
                    width, height = image.size
            except (OSError, UnidentifiedImageError) as error:
                raise RepairError(f"{row['photo']} cannot be read: {error}", "build the set again") from None
            # A model that cuts a photo into tiles scales its longer side to one length: a square takes most of them.
            square = min(width, height) / max(width, height)
            sizes[row["photo"]] = (width * height, 0) if seen.family in PATCHED else (square, width * height)
    return sorted(range(len(rows)), key=lambda at: (sizes[rows[at]["photo"]], len(rows[at]["question"]), at))


class PhotoBatches:
    """Makes rows into a batch: photos into pixels, words into tokens; an answer is one token, and only it is learned.

    Args:
        prompt: Of the model.
        length_tokens: The longest row that is taken.
    """

    def __init__(self, prompt: PhotoPrompt, length_tokens: int) -> None:
        self.prompt, self.length_tokens = prompt, length_tokens
        self.padding = int(prompt.tokenizer.pad_token_id or 0)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Return what the model takes, (rows, tokens) each, and the pixels.

        Raises:
            RepairError: A row is longer than the recipe allows, or its photo is none.
        """
        ids, labels, pixels, openings = [], [], [], []
        for row in rows:
            opening, seen = self.prompt.opening(read_photo(row["photo"]))
            tokens = [*opening, *self.prompt.tail(row["question"]), self.prompt.answer(row["answer"])]
            if len(tokens) > self.length_tokens:
                raise RepairError(
                    f"a photo with its question takes {len(tokens)} tokens, and length_tokens is {self.length_tokens}",
                    f"set length_tokens to {len(tokens) + 32}, or lower image_px",
                )
            ids.append(torch.tensor(tokens))
            labels.append(torch.tensor([IGNORED] * (len(tokens) - 1) + tokens[-1:]))
            pixels.append(seen)
            openings.append(len(opening))
        made = pad_sequence(ids, batch_first=True, padding_value=self.padding)
        there = pad_sequence([torch.ones_like(each) for each in ids], batch_first=True)
        # All photos of PaliGemma have openings of one length, and the others have no use for it.
        told = kinds_of_token(self.prompt, made, openings[0])
        return {
            "input_ids": made, "attention_mask": there,
            "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED), **told, **_together(pixels),
        }  # fmt: skip


def _together(pixels: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the pixels of several photos; one that has fewer tiles gets empty ones, which are not looked at."""
    found = {}
    for name in pixels[0]:
        each = [one[name] for one in pixels]
        most = max(one.shape[1] for one in each)
        if (
            name in ("pixel_values", "pixel_attention_mask")
            and each[0].dim() >= 4
            and "pixel_attention_mask" in pixels[0]
        ):
            each = [torch.cat([one, one.new_zeros(1, most - one.shape[1], *one.shape[2:])], 1) for one in each]
        found[name] = torch.cat(each)
    return found
