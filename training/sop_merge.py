"""An adapter and its base made one model in 16 bits, for programs that know no adapters: on the processor.

    python -m training.sop_merge RUN [FOLDER]

Takes a run's folder or an adapter's; `training.merging` says how. Afterwards both are asked the same: the merged model
has to score words as the base with its adapter does.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import psutil
from peft import PeftModel

from repairai.hardware.workload import Precision
from repairai.sop.prompts import SYSTEM
from training.merging import MODEL_FILES, Merging, copied
from training.sop.check import Seen, difference, word_scores
from training.sop.examples import Example
from training.sop.model import load_base, load_tokenizer
from training.sop.tokens import tokens

MOST_OFF: dict[Precision, float] = {"fp32": 0.05, "bf16": 0.25}
"""Mean difference, in nats, up to which both score the words of an answer alike. Rounding the merged weights to bf16
made 0.019 in a 135M model; computing in bf16 as well made 0.08; another adapter makes more than 1."""
ASKED = (
    "How do I remove the battery? Remove the four 4.0 mm Phillips screws. Lift the battery out.",
    "Which tools do I need? A spudger, and a T5 Torx screwdriver.",
    "What comes next? Disconnect the display cable before you lift the board.",
)
"""What is scored before and after: the first sentence asks, the rest answers."""


class SopMerging(Merging):
    """Merges language models."""

    program, scored = "sop_merge", "words"

    def load(self, source: Path) -> Any:
        """Return the base, in bf16."""
        return load_base(str(source), precision="bf16")[0]

    def accompany(self, adapter: Path, source: Path, folder: Path) -> None:
        """Put the base's configuration and the tokenizer that was trained with beside the weights."""
        copied(source, MODEL_FILES, folder)
        load_tokenizer(adapter if (adapter / "tokenizer_config.json").is_file() else source).save_pretrained(folder)
        copied(adapter, ("sources.json",), folder)

    def apart(self, adapter: Path, source: Path, folder: Path) -> tuple[float, float]:
        """Return how far both score the words of a few answers apart, a mean over all words, and how far they may."""
        precision = affordable(source)
        return difference(seen(source, precision, adapter), seen(folder, precision)), MOST_OFF[precision]


merge = SopMerging().merge


# ---- asking both


def affordable(source: Path) -> Precision:
    """Return in which precision a model can be asked in the memory that is free."""
    in_fp32 = 2 * sum(path.stat().st_size for path in source.glob("*.safetensors"))
    return "fp32" if 1.5 * in_fp32 < psutil.virtual_memory().available else "bf16"


def seen(model: Path, precision: Precision, adapter: Path | None = None) -> Seen:
    """Return how a model, with an adapter or without, scores the words of a few answers."""
    whole, tokenizer = load_base(str(model), precision=precision)
    if adapter:
        whole = PeftModel.from_pretrained(whole, adapter)
        if (adapter / "tokenizer_config.json").is_file():
            tokenizer = load_tokenizer(adapter)
    whole.eval()
    found = tuple(word_scores(whole, tokens(each, tokenizer, 512)) for each in _examples())
    del whole
    gc.collect()
    return Seen(found)


def _examples() -> list[Example]:
    return [
        Example(
            "chat", "", "",
            (
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": text[: text.index("?") + 1]},
                {"role": "assistant", "content": text[text.index("?") + 2 :]},
            ),
        )
        for text in ASKED
    ]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    return SopMerging().command(arguments, __doc__)


if __name__ == "__main__":
    sys.exit(main())
