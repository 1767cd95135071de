"""Grounding DINO, MM-Grounding-DINO and OWLv2: words, or a part shown once, to boxes that a person then corrects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from transformers import AutoImageProcessor, AutoModelForZeroShotObjectDetection, AutoTokenizer

from repairai.errors import RepairError
from repairai.schema import Box
from repairai.vision import tiles
from repairai.vision.detectors import WORDED
from repairai.vision.pretrained import find_pretrained, kind_of
from repairai.vision.proposals import NEGATIVE, Prompt, Proposal, choose, is_large, plain

OWL = ("owlv2",)
FLOORS = {"grounding-dino": 0.35, "mm-grounding-dino": 0.3, "owlv2": 0.2}
"""From which score on a box is proposed where nobody says. Source: autodistill takes 0.35 for Grounding DINO; the
others are ours, to be lowered where parts are missed."""
LIKE_FLOOR = 0.6
"""The same for parts that are looked for by their likeness, whose scores are higher."""
BATCH = 4
"""Windows that go through a model at once: these models are large."""
_AROUND = 3.0
"""How much of the photo round a part that is shown is looked at, in sides of the part."""
_FAULTS = (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, ImportError, SafetensorError)
"""What opening a model raises where its files are not what they say."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A part that is shown, to find more like it.

    Args:
        part: That the boxes get as their label.
        photo: RGB uint8 (H, W, 3).
        box: Round the part, in px of the photo.
    """

    part: str
    photo: NDArray[np.uint8]
    box: Box


@dataclass(frozen=True)
class Likeness:
    """What a model has learned from examples: a vector (d,) for each."""

    parts: tuple[str, ...]
    vectors: tuple[torch.Tensor, ...]


class Eyes(Protocol):
    """What both families do, each in its way."""

    @property
    def side_px(self) -> int:
        """Return the shorter side of a picture as the model sees it."""
        ...

    def see(self, pictures: Sequence[Image.Image]) -> Any:
        """Return what is computed once for pictures of one size, whatever is asked of them."""
        ...

    def ask(self, seen: Any, words: str) -> tuple[Floats, Floats]:
        """Return boxes (b, q, 4) as left, top, right, bottom in shares of each picture, and their scores (b, q)."""
        ...


@dataclass(frozen=True)
class OpenVocabulary:
    """A model that finds what words say.

    Args:
        name: `model:` of a box that it draws is followed by this.
        kind: As its `config.json` names it.
        eyes: The model itself.
    """

    name: str
    kind: str
    eyes: Eyes

    @property
    def floor(self) -> float:
        """Return the score from which on boxes are proposed where nobody says."""
        return FLOORS[self.kind]

    def propose(
        self, photo: NDArray[np.uint8], prompts: Sequence[Prompt], negatives: Sequence[str] = (),
        floor: float | None = None, tiled: bool = True,
    ) -> tuple[Proposal, ...]:  # fmt: skip
        """Return boxes for each prompt's part, best first; see `repairai.vision.proposals.choose` for which.

        Each prompt is asked by itself: which words of several a box belongs to is not to be trusted.

        Args:
            photo: RGB uint8 (H, W, 3).
            prompts: Several may be for one part.
            negatives: Words for what is not meant: a box that one of them claims with a higher score goes.
            floor: Least score; None takes the model's own.
            tiled: Whether a large photo is looked at in tiles as well, for small parts; it takes as many times longer.
        """
        parts = tuple(dict.fromkeys(prompt.part for prompt in prompts))
        asked = [(parts.index(each.part), each.words) for each in prompts]
        asked += [(NEGATIVE, words) for words in negatives]

        def ask(seen: Any) -> Iterator[tuple[int, Floats, Floats]]:
            for kind, words in asked:
                yield kind, *self.eyes.ask(seen, words)

        return self._find(photo, parts, ask, self.floor if floor is None else floor, tiled)

    def learn(self, examples: Sequence[Example]) -> Likeness:
        """Return what the parts that are shown look like, to be found by `like`.

        Raises:
            RepairError: The model finds by words alone.
        """
        eyes = self._owl()
        return Likeness(tuple(each.part for each in examples), tuple(eyes.vector(each) for each in examples))

    def like(
        self, photo: NDArray[np.uint8], likeness: Likeness, floor: float = LIKE_FLOOR, tiled: bool = True
    ) -> tuple[Proposal, ...]:
        """Return boxes round what looks like the examples, best first; see `propose`."""
        eyes = self._owl()
        parts = tuple(dict.fromkeys(likeness.parts))

        def ask(seen: Any) -> Iterator[tuple[int, Floats, Floats]]:
            for part, vector in zip(likeness.parts, likeness.vectors, strict=True):
                yield parts.index(part), *eyes.compare(seen, vector)

        return self._find(photo, parts, ask, floor, tiled)

    def _owl(self) -> OwlEyes:
        if not isinstance(self.eyes, OwlEyes):
            raise RepairError(f"{self.name} finds by words alone", "take an OWLv2 model to find more like a part")
        return self.eyes

    def _find(
        self, photo: NDArray[np.uint8], parts: tuple[str, ...], ask: Any, floor: float, tiled: bool
    ) -> tuple[Proposal, ...]:
        if not parts:
            raise ValueError("need a part to look for, got none")
        height, width = photo.shape[:2]
        side = self.eyes.side_px
        windows = tiles.windows(width, height, side) if tiled else np.array([[0, 0, width, height]])
        picture = Image.fromarray(photo)
        found: list[tuple[Floats, Floats, NDArray[np.int64]]] = []
        for batch in _of_one_size(windows):
            seen = self.eyes.see([picture.crop(tuple(window.tolist())) for window in batch])
            for kind, shares, scores in ask(seen):
                row, query = np.nonzero(scores >= floor)
                own = batch[row].astype(np.float32)
                extent = np.tile(own[:, 2:] - own[:, :2], 2)
                boxes = shares[row, query].clip(0, 1) * extent + np.tile(own[:, :2], 2)
                good = np.all(boxes[:, 2:] - boxes[:, :2] >= 1, axis=1)
                finest = tiles.finest(windows, side)
                good &= ~tiles.better_elsewhere(boxes, own, finest, width, height, side)
                found.append((boxes[good], scores[row, query][good], np.full(int(good.sum()), kind)))
        boxes, scores, kinds = (np.concatenate(each) for each in zip(*found, strict=True))
        chosen = choose(boxes, scores, kinds)
        large = [is_large(_rounded(boxes[i]), width, height) for i in chosen]
        return tuple(
            Proposal(parts[kinds[i]], round(float(scores[i]), 4), _rounded(boxes[i]), suspicious)
            for i, suspicious in zip(chosen, large, strict=True)
        )


def _rounded(box: Floats) -> Box:
    left, top, right, bottom = (round(float(edge), 1) for edge in box)
    return left, top, right, bottom


def _of_one_size(windows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the windows in batches of one size each, so that none has to be padded beside another."""
    sizes = windows[:, 2:] - windows[:, :2]
    for size in np.unique(sizes, axis=0):
        own = windows[(sizes == size).all(axis=1)]
        for start in range(0, len(own), BATCH):
            yield own[start : start + BATCH]


# ---- the two families


@dataclass(frozen=True)
class GroundingEyes:
    """Grounding DINO and MM-Grounding-DINO, which mix words and picture from the first layers on."""

    model: Any
    processor: Any
    tokenizer: Any
    side_px: int

    def see(self, pictures: Sequence[Image.Image]) -> Any:
        """Return the pictures as tensors."""
        return self.processor(images=list(pictures), return_tensors="pt").to(self.model.device)

    def ask(self, seen: Any, words: str) -> tuple[Floats, Floats]:
        """Return boxes and scores; the score is that of the word that fits best."""
        text = self.tokenizer(
            [f"{plain(words)}."] * len(seen["pixel_values"]), return_tensors="pt", truncation=True,
            max_length=self.model.config.max_text_len,
        ).to(self.model.device)  # fmt: skip
        with torch.inference_mode():
            out = self.model(**seen, **text)
        return _corners(out.pred_boxes), out.logits.float().sigmoid().max(dim=-1).values.cpu().numpy()


@dataclass(frozen=True)
class OwlEyes:
    """OWLv2, which looks at a picture once and then compares: with words, or with a part of another picture."""

    model: Any
    processor: Any
    tokenizer: Any
    side_px: int

    def see(self, pictures: Sequence[Image.Image]) -> tuple[torch.Tensor, Floats]:
        """Return what stands at each patch, (b, patches, d), and the boxes (b, patches, 4) in shares of each picture.

        The processor pads a picture below or on its right to a square, so shares of the square are not yet those of
        the picture. It filters in double precision: pictures are made small before.
        """
        width, height = pictures[0].size
        longest = max(width, height)
        size = (max(1, round(width * self.side_px / longest)), max(1, round(height * self.side_px / longest)))
        small = [each.resize(size, Image.Resampling.BICUBIC) if longest > self.side_px else each for each in pictures]
        pixels = self.processor(images=small, return_tensors="pt")["pixel_values"].to(self.model.device)
        with torch.inference_mode():
            features = self.model.image_embedder(pixel_values=pixels)[0]
            flat = features.flatten(1, 2)
            boxes = _corners(self.model.box_predictor(flat, features))
        used = np.array(small[0].size, dtype=np.float32) / max(small[0].size)
        return flat, np.asarray(boxes / np.tile(used, 2))

    def ask(self, seen: tuple[torch.Tensor, Floats], words: str) -> tuple[Floats, Floats]:
        """Return boxes and scores."""
        text = self.tokenizer(
            [plain(words)], return_tensors="pt", truncation=True, padding="max_length",
            max_length=self.model.config.text_config.max_position_embeddings,
        ).to(self.model.device)  # fmt: skip
        with torch.inference_mode():
            out = self.model.owlv2.get_text_features(text["input_ids"], attention_mask=text["attention_mask"])
        return self.compare(seen, out.pooler_output[0])

    def compare(self, seen: tuple[torch.Tensor, Floats], vector: torch.Tensor) -> tuple[Floats, Floats]:
        """Return boxes and scores of what is like a vector (d,)."""
        flat, boxes = seen
        with torch.inference_mode():
            logits = self.model.class_predictor(flat, vector.expand(len(flat), 1, -1))[0]
        return boxes, logits[..., 0].float().sigmoid().cpu().numpy()

    def vector(self, example: Example) -> torch.Tensor:
        """Return the vector (d,) of a part that is shown.

        Of the patches whose box fits the given one nearly best, it takes the one that is least like the whole picture.

        Source:
            OWL-ViT, `embed_image_query`: boxes with at least 0.8 times the best overlap.
        """
        height, width = example.photo.shape[:2]
        window = _around(example.box, width, height)
        flat, boxes = self.see([Image.fromarray(example.photo).crop(window)])
        origin, extent = np.tile(window[:2], 2), np.tile(np.subtract(window[2:], window[:2]), 2)
        given = ((np.array(example.box) - origin) / extent).astype(np.float32)
        fits = tiles.overlaps(given, boxes[0])[1]
        with torch.inference_mode():
            vectors = self.model.class_predictor(flat)[1][0]
            usual = vectors.mean(dim=0)
            if fits.max() > 0:
                near = torch.from_numpy(np.flatnonzero(fits >= 0.8 * fits.max())).to(vectors.device)
            else:  # no box of the model touches it: what stands at its middle
                middles, wanted = boxes[0].reshape(-1, 2, 2).mean(axis=1), given.reshape(2, 2).mean(axis=0)
                near = torch.tensor([int(np.hypot(*(middles - wanted).T).argmin())], device=vectors.device)
            chosen: torch.Tensor = vectors[near[(vectors[near] @ usual).argmin()]].clone()
        return chosen


def _corners(boxes: torch.Tensor) -> Floats:
    """Return boxes of (middle x, middle y, width, height) as left, top, right, bottom."""
    own: Floats = boxes.float().cpu().numpy()
    middle, half = own[..., :2], own[..., 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def _around(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return a window of the photo with a box in it, so that a small part is seen large enough."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top) * _AROUND
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    return (
        int(max(0, min(x, left))), int(max(0, min(y, top))),
        int(np.ceil(min(width, max(x + side, right)))), int(np.ceil(min(height, max(y + side, bottom)))),
    )  # fmt: skip


# ---- opened


def load_open_vocabulary(model: str) -> OpenVocabulary:
    """Return a model by folder or by its name on the Hub, on the GPU where there is one.

    Weights are read from safetensors alone, and no code that comes with a model is run.

    Raises:
        RepairError: There is no such model, it is of another kind, or its files are not what they say.
    """
    folder = find_pretrained(model)
    kind = kind_of(folder)
    if kind not in (*WORDED, *OWL):
        raise RepairError(
            f"{model} is of the kind '{kind}', which finds nothing by words",
            f"give one of {', '.join((*WORDED, *OWL))}",
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        network = AutoModelForZeroShotObjectDetection.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, dtype=torch.float32
        )
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        network = network.eval().to(device)
    except (torch.OutOfMemoryError, MemoryError):
        raise RepairError(f"{model} does not fit into the memory that is free", "take a smaller model") from None
    except _FAULTS as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise RepairError(
            f"{model} cannot be opened ({reason:.200})", "copy the model again, or take another"
        ) from None
    size = processor.size
    eyes: Eyes
    if kind in OWL:
        eyes = OwlEyes(network, processor, tokenizer, int(network.config.vision_config.image_size))
    else:
        eyes = GroundingEyes(network, processor, tokenizer, int(size["shortest_edge"] or size["height"]))
    return OpenVocabulary(Path(model).name if Path(model).is_dir() else model, kind, eyes)
