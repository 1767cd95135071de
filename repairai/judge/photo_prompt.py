"""A photo and a question as a vision-language model reads them: tokens and pixels, in training and at the bench alike.

The photo comes first and is a piece of its own, the opening; the question follows, the tail. Both become tokens apart
from each other, so that all questions about one photo share its opening. What is a photo's place in the text is written
as each family's own processor writes it; those processors themselves need torchvision, or a reader of videos.

Pure: it works on a tokenizer and an image processor of transformers that it is handed, and imports neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jinja2
import numpy as np
from PIL import Image

from repairai.errors import RepairError
from repairai.judge.yes_no import INSTRUCTION, side

PALIGEMMA, TILED, PATCHED = ("paligemma",), ("smolvlm", "idefics3"), ("qwen2_5_vl", "qwen3_vl")
FAMILIES = PALIGEMMA + TILED + PATCHED
"""Model types that can be asked; PaliGemma 2 is of the first, too."""
JUDGE_FILE = "judge.json"
"""Beside a model that was trained here: how it was taught to read."""
MOST_PX = 1024
"""Longest side of a photo for models that take it as large as it is, or cut it into tiles; PaliGemma has one size."""
_MARK = "zebra?"


@dataclass(frozen=True)
class Reading:
    """How a model was taught to read; `judge.json` beside it.

    Args:
        photo_first: Of PaliGemma: the photo is read without the question, as all others read it. It comes from
            elsewhere reading both at once, and then each question costs a whole reading of the photo.
    """

    photo_first: bool = False


def reading_of(folder: Path) -> Reading:
    """Return how the model in a folder reads; one that was not trained here reads as it came."""
    with suppress(OSError, ValueError, AttributeError, RecursionError):
        return Reading(bool(json.loads((folder / JUDGE_FILE).read_bytes()).get("photo_first")))
    return Reading()


def template_of(tokenizer: Any, *folders: Path) -> str:
    """Return the chat template of a model: its tokenizer's, else that of its processor; empty where there is none."""
    own = tokenizer.chat_template
    for folder in folders if not own else ():
        with suppress(OSError, ValueError, AttributeError, RecursionError):
            own = own or json.loads((folder / "chat_template.json").read_bytes()).get("chat_template")
    if isinstance(own, dict):
        own = own.get("default") or next(iter(own.values()), "")
    return str(own or "")


class PhotoPrompt:
    """Turns photos, questions and answers into what one model takes.

    Args:
        name: Of the model, for what is said.
        config: The model's.
        tokenizer: Its tokenizer.
        image_processor: Its image processor.
        template: Its chat template; PaliGemma needs none.
        reading: How it was taught to read.

    Raises:
        RepairError: It is of no family that can be asked, has no chat template, or no word for yes or no.
    """

    def __init__(
        self, name: str, config: Any, tokenizer: Any, image_processor: Any, template: str = "",
        reading: Reading | None = None,
    ) -> None:  # fmt: skip
        self.family = str(config.model_type)
        if self.family not in FAMILIES:
            raise RepairError(
                f"{name} is a model of the kind {self.family}, which cannot be asked about photos here",
                f"choose one of the kinds {', '.join(FAMILIES)}, or run it on a server",
            )
        self.name, self.reading = name, reading or Reading()
        self.tokenizer, self.image_processor = tokenizer, image_processor
        self.image_token_id = int(config.image_token_id)
        self._image_token = str(tokenizer.convert_ids_to_tokens(self.image_token_id))
        self._places = _places_of_a_picture(config)
        self._special = tuple(filter(str.strip, {
            self._image_token, *tokenizer.all_special_tokens,
            *(token.content for token in tokenizer.added_tokens_decoder.values() if token.special),
        }))  # fmt: skip
        self._before, self._after, self._begin = self._words(template)
        self.answer_ids = _answer_ids(name, tokenizer)

    @property
    def shares_tokens(self) -> bool:
        """Whether a photo's tokens are read without the question, so that they can be kept for the next one."""
        return self.family not in PALIGEMMA or self.reading.photo_first

    def opening(self, photo: np.ndarray) -> tuple[list[int], dict[str, Any]]:
        """Return the tokens up to the question, and the pixels that stand behind those of the photo, as tensors.

        Args:
            photo: RGB uint8 (H, W, 3).
        """
        image = Image.fromarray(photo)
        if self.family in PALIGEMMA:
            seen = self.image_processor(images=[image], return_tensors="pt")
            return self._tokens(self._image_token * self._places + self._before), {"pixel_values": seen["pixel_values"]}
        if self.family in TILED:
            seen = self.image_processor(images=[[image]], return_row_col_info=True, return_tensors="pt")
            place = self._tiles(int(seen["rows"][0][0]), int(seen["cols"][0][0]))
            pixels = {name: seen[name] for name in ("pixel_values", "pixel_attention_mask") if name in seen}
        else:
            image.thumbnail((MOST_PX, MOST_PX), Image.Resampling.LANCZOS)
            seen = self.image_processor(images=[image], return_tensors="pt")
            grid = seen["image_grid_thw"]
            place = self._image_token * (int(grid[0].prod()) // int(self.image_processor.merge_size) ** 2)
            pixels = {"pixel_values": seen["pixel_values"], "image_grid_thw": grid}
        return self._tokens(self._before.replace(self._image_token, place)), pixels

    def tail(self, question: str) -> list[int]:
        """Return the tokens of a question, up to where the answer begins; no word of it is read as a special token."""
        while found := [token for token in self._special if token in question]:
            for token in found:
                question = question.replace(token, "")
        if self.family in PALIGEMMA:
            return self._tokens(f"answer en {question}\n")
        return self._tokens(f"{question} {INSTRUCTION}{self._after}")

    def answer(self, word: Literal["yes", "no"]) -> int:
        """Return the token of an answer as a model is taught it: with a space before it where its template has one."""
        spelled = self._begin + (word if self.family in PALIGEMMA else word.capitalize())
        first = next(iter(self._tokens(spelled)), -1)
        if self.answer_ids.get(first) == word:
            return first
        return min(each for each, meant in self.answer_ids.items() if meant == word)

    # ---- words around them

    def _words(self, template: str) -> tuple[str, str, str]:
        """Return what stands before a question, the photo's place in it; what behind it; and before an answer."""
        if self.family in PALIGEMMA:
            return str(self.tokenizer.bos_token or ""), "", ""
        if not template:
            raise RepairError(
                f"{self.name} has no chat template, so it was never taught to answer",
                "choose a model that was: their names often end in Instruct",
            )
        asks = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": _MARK}]}
        says = {"role": "assistant", "content": [{"type": "text", "text": _MARK}]}
        try:
            whole, answered = (
                str(self.tokenizer.apply_chat_template(
                    turns, chat_template=template, tokenize=False, add_generation_prompt=len(turns) == 1
                ))
                for turns in ([asks], [asks, says])
            )  # fmt: skip
        except (jinja2.TemplateError, TypeError):
            whole = answered = ""
        before, mark, after = whole.partition(_MARK)
        if not mark or before.count(self._image_token) != 1:
            raise RepairError(
                f"the chat template of {self.name} has no place for a photo and a question",
                "choose a model that answers questions about photos",
            )
        said = answered.removeprefix(whole) if answered.startswith(whole) else ""
        return before, after, said.partition(_MARK)[0] if _MARK in said else ""

    def _tiles(self, rows: int, columns: int) -> str:
        """Return the place of a photo that was cut into tiles, the whole of it as the last one.

        Source:
            `Idefics3Processor` and `SmolVLMProcessor` of transformers 5.23: the same words.
        """
        fake, picture = "<fake_token_around_image>", self._image_token * self._places
        lines = (
            "".join(f"{fake}<row_{row}_col_{column}>{picture}" for column in range(1, columns + 1)) + "\n"
            for row in range(1, rows + 1)
        )
        return "".join(lines) + ("\n" if rows else "") + f"{fake}<global-img>{picture}{fake}"

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def _places_of_a_picture(config: Any) -> int:
    """Return how many tokens stand for one picture; 0 where that depends on its size."""
    if config.model_type in PATCHED:
        return 0
    vision = config.vision_config
    patches = (int(vision.image_size) // int(vision.patch_size)) ** 2
    return patches if config.model_type in PALIGEMMA else patches // int(config.scale_factor) ** 2


def _answer_ids(name: str, tokenizer: Any) -> Mapping[int, str]:
    """Return the tokens that are yes or no, whatever their capitals and the space before them."""
    found = {int(each): side(token) for token, each in tokenizer.get_vocab().items() if side(token)}
    if set(found.values()) != {"yes", "no"}:
        raise RepairError(f"{name} has no single word for yes and for no", "choose another model")
    return found
