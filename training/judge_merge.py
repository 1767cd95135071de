"""A judge's adapter and its base made one model in 16 bits, for programs and servers that know no adapters.

    python -m training.judge_merge RUN [FOLDER]

As `training.sop_merge` does it for language models. Afterwards both are asked the same about the same photos, and have
to answer alike.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForImageTextToText

from repairai.judge.limits import STATE_LIMITS
from repairai.judge.photo_prompt import JUDGE_FILE
from repairai.judge.vision_language import VisionLanguage, load_model, load_prompt, with_adapter
from training.merging import MODEL_FILES, Merging, copied

BESIDE = ("preprocessor_config.json", "processor_config.json", "chat_template.*", "tokenizer*",
          "special_tokens_map.json", "added_tokens.json", JUDGE_FILE, "sources.json", STATE_LIMITS)  # fmt: skip
"""What a judge's adapter brings along."""
QUESTIONS = ("Is the battery connector unplugged?", "Is the cover in place?")
MOST_OFF = 0.05
"""Mean difference, in nats, up to which both score yes and no alike. Rounding the merged weights to bf16 makes less."""


class JudgeMerging(Merging):
    """Merges vision-language models."""

    program, scored = "judge_merge", "yes and no"

    def load(self, source: Path) -> Any:
        """Return the base, in bf16."""
        return AutoModelForImageTextToText.from_pretrained(
            source, dtype=torch.bfloat16, trust_remote_code=False, use_safetensors=True
        )

    def accompany(self, adapter: Path, source: Path, folder: Path) -> None:
        """Put what belongs to a judge beside its weights: what the adapter brings, else what the base has."""
        copied(adapter, BESIDE, folder)
        copied(source, (*MODEL_FILES, *BESIDE), folder)

    def apart(self, adapter: Path, source: Path, folder: Path) -> tuple[float, float]:
        """Return how far both score yes and no apart, as a mean over all words for them, and how far they may."""
        return float((_answers(adapter, source) - _answers(folder, folder)).abs().mean()), MOST_OFF


merge = JudgeMerging().merge


def _answers(folder: Path, whole: Path) -> torch.Tensor:
    """Return how a judge scores each word for yes and no, (photos * questions, words), of photos of noise."""
    model = with_adapter(load_model(whole), folder, whole).eval()
    judge = VisionLanguage(model, load_prompt(folder.name, folder, whole), folder.name)
    noise = np.random.default_rng(7)
    photos = [noise.integers(0, 255, (240, 320, 3), dtype=np.uint8), np.full((320, 240, 3), 90, np.uint8)]
    words = sorted(judge.prompt.answer_ids)
    found = [judge.scores(photo, each).float().log_softmax(-1)[words].cpu() for photo in photos for each in QUESTIONS]
    judge.close()
    return torch.stack(found)


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    return JudgeMerging().command(arguments, __doc__)


if __name__ == "__main__":
    sys.exit(main())
