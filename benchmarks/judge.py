"""What a judge of states costs: a question and its opposite about one photo beside one question; a light classifier.

    python benchmarks/judge.py [--rounds N] [--photo PX] [--classifier FOLDER]

Vision-language models of random weights, since what they cost is not what they know. SmolVLM-256M with a third of its
layers and words and its photo as one tile, PaliGemma 3B with a ninth of them, in the tower and in the language side
alike, which keeps their ratio. Both are asked on the processor in fp32, a photo never seen before each time; the
processor's own seconds are counted, the fewest of all rounds, so that what else a machine does tells little. `apart` is
what it would cost to read the photo for each question anew. PaliGemma that was trained here reads the photo first; as
it comes from elsewhere it reads photo and question together, so that only what its tower sees can be kept.

The light classifier is timed crop by crop, each a new one, with both its questions: from the px to the probabilities.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForImageTextToText, PreTrainedTokenizerFast
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from repairai.hardware.models import find_config
from repairai.judge.photo_prompt import PALIGEMMA, PhotoPrompt, Reading
from repairai.judge.reasoner import load_reasoner
from repairai.judge.vision_language import VisionLanguage
from repairai.schema import Reasoner

SHAPES = {"paligemma": "google/paligemma-3b-pt-224", "idefics3": "HuggingFaceTB/SmolVLM-256M-Instruct"}
FEWER = {"paligemma": 9, "idefics3": 3}
"""By how much the layers of both sides are divided, and the words."""
QUESTION, OPPOSITE = "Is the battery connector unplugged?", "Is the battery connector plugged in?"
AIM, AIM_MS = 1.3, 30.0
SPECIAL = ["<unk>", "<bos>", "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
TEMPLATE = (
    "{% for message in messages %}User:{% for line in message['content'] %}{% if line['type'] == 'text' %}"
    "{{ line['text'] }}{% else %}<image>{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}Assistant:"
)


def judge_of(family: str, reading: Reading) -> VisionLanguage:
    """Return a model of a family's real shape with random weights, and a tokenizer of words."""
    tokenizer = _tokenizer()
    config = AutoConfig.for_model(**find_config(SHAPES[family]))
    config.text_config.num_hidden_layers //= FEWER[family]
    config.vision_config.num_hidden_layers //= FEWER[family]
    config.text_config.vocab_size //= FEWER[family]
    config.image_token_id = tokenizer.convert_tokens_to_ids("<image>")
    side = config.vision_config.image_size
    if family in PALIGEMMA:
        images, template = SiglipImageProcessorPil(size={"height": side, "width": side}), ""
    else:
        one = {"longest_edge": side}
        images, template = Idefics3ImageProcessorPil(size=one, max_image_size=one), TEMPLATE
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config).float().eval()
    prompt = PhotoPrompt(family, config, tokenizer, images, template, reading)
    return VisionLanguage(model, prompt, family)


def _tokenizer() -> PreTrainedTokenizerFast:
    """Return one that takes each word for a token, most of them for the same: real ones make about as many."""
    spelled = Tokenizer(models.WordLevel({token: at for at, token in enumerate([*SPECIAL, "yes", "no"])}, "<unk>"))
    spelled.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=spelled, unk_token="<unk>", bos_token="<bos>", additional_special_tokens=SPECIAL[2:]
    )


def seconds(what: Callable[[], object]) -> float:
    """Return how long a processor works on something."""
    began = time.process_time()
    what()
    return time.process_time() - began


def asked(judge: VisionLanguage, rounds: int, photo_px: int) -> tuple[float, float, float]:
    """Return the fewest seconds for one question, for both, and for both with the photo read for each anew."""
    noise = np.random.default_rng(0)

    def new() -> np.ndarray:
        return noise.integers(0, 255, (photo_px, photo_px, 3), dtype=np.uint8)

    def both() -> None:
        photo = new()
        judge.scores(photo, QUESTION)
        judge.scores(photo, OPPOSITE)

    ways: tuple[Callable[[], object], ...] = (
        lambda: judge.scores(new(), QUESTION),
        both,
        lambda: (judge.scores(new(), QUESTION), judge.scores(new(), OPPOSITE)),
    )
    ways[0]()  # libraries are still getting ready
    took: list[list[float]] = [[], [], []]
    for _ in range(rounds):  # in turn, so that what else the machine does falls on all of them
        for each, way in zip(took, ways, strict=True):
            each.append(seconds(way))
    one, two, apart = map(min, took)
    return one, two, apart


def classified(judge: Reasoner, rounds: int, photo_px: int) -> tuple[float, float]:
    """Return the middle and the slowest of a hundred, in ms, of the time for both questions about a new crop."""
    config = getattr(judge, "config", None)
    taught = config.questions[0] if config else None
    question, opposite = (taught.question, taught.opposite) if taught else (QUESTION, OPPOSITE)
    noise = np.random.default_rng(0)
    took = []
    for _ in range(max(100, rounds)):
        photo = noise.integers(0, 255, (photo_px, photo_px, 3), dtype=np.uint8)
        began = time.perf_counter()
        judge.ask(photo, question)
        judge.ask(photo, opposite)
        took.append(1e3 * (time.perf_counter() - began))
    return median(took), sorted(took)[98]


def main() -> None:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    parser.add_argument("--photo", type=int, default=640, help="side of a photo, px")
    parser.add_argument("--classifier", type=Path, help="folder of a light classifier of states")
    parser.add_argument("--only-classifier", action="store_true", help="leave the models of words and photos out")
    chosen = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, {os.cpu_count()} processors")
    rows = [("idefics3", Reading(), "SmolVLM-256M / 3"), ("paligemma", Reading(True), "PaliGemma 3B / 9, photo first"),
            ("paligemma", Reading(), "PaliGemma 3B / 9, as it came")]  # fmt: skip
    for family, reading, name in [] if chosen.only_classifier else rows:
        judge = judge_of(family, reading)
        n = sum(each.numel() for each in judge.model.parameters()) / 1e6
        one, two, apart = asked(judge, chosen.rounds, chosen.photo)
        says = "" if reading.photo_first or family not in PALIGEMMA else ", which cannot be met: see above"
        print(
            f"{name} ({n:.0f} million weights): one question {one:.2f} s, both {two:.2f} s, {two / one:.2f} times one "
            f"(aim: {AIM}{says}); apart {apart / one:.2f} times"
        )
        judge.close()
    if chosen.classifier is None:
        print("light classifier: name one with --classifier FOLDER")
        return
    middle, slow = classified(load_reasoner(str(chosen.classifier), ""), chosen.rounds, chosen.photo)
    print(f"light classifier: both questions about a new crop {middle:.1f} ms, p98 {slow:.1f} ms (aim: {AIM_MS:g} ms)")


if __name__ == "__main__":
    main()
