"""Answers questions of state by a linear head on what a frozen image backbone sees; on the CPU, without torch.

Its folder: `config.json` (questions, size and tones of the input), `backbone.onnx` (photo to features),
`model.safetensors` (a row of weights for each question) and, where it was measured, `state_limits.json`.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import exp
from pathlib import Path

import numpy as np
import openvino as ov
import safetensors
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from repairai.errors import RepairError
from repairai.files import from_json, read_text
from repairai.judge.limits import STATE_LIMITS, limits_of, read_limits
from repairai.judge.questions import key, opposite_of
from repairai.schema import StateLimits

CONFIG, WEIGHTS, BACKBONE = "config.json", "model.safetensors", "backbone.onnx"
MODEL_TYPE, ARCHITECTURE = "repairai_state_classifier", "StateClassifier"
REMEMBERED = 32
"""Photos whose features are kept: all questions about one cost one look."""
SMALLEST, LARGEST = 16, 1024
"""From and to which side an input may go, px."""
COPY = "copy the judge's folder again"

Features = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Takes photos, RGB uint8 (n, size, size, 3); gives their features (n, F)."""


@dataclass(frozen=True)
class Taught:
    """A question that a classifier was taught.

    Args:
        question: Whose yes its head answers.
        opposite: The same question the other way round.
    """

    question: str
    opposite: str


@dataclass(frozen=True)
class ClassifierConfig:
    """What `config.json` of a classifier says.

    Args:
        questions: One for each head, in their order.
        image_px: Side of the square input.
        mean: Of each channel, taken off; of pixels in [0, 1].
        std: Likewise, by which it is divided.
        backbone: What the features come from, for people.
        features: How many there are.
        model_type: Tells this model from others.
        architectures: Likewise, as the Hub has it.
    """

    questions: tuple[Taught, ...]
    image_px: int
    features: int
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    backbone: str = ""
    model_type: str = MODEL_TYPE
    architectures: tuple[str, ...] = (ARCHITECTURE,)

    def __post_init__(self) -> None:
        if self.model_type != MODEL_TYPE:
            raise ValueError(f"need model_type {MODEL_TYPE}, got {self.model_type!r}")
        if not self.questions:
            raise ValueError("need at least one question, got none")
        if not SMALLEST <= self.image_px <= LARGEST:
            raise ValueError(f"need image_px from {SMALLEST} to {LARGEST}, got {self.image_px}")
        if min(self.std) <= 0:
            raise ValueError(f"need std above 0, got {self.std}")


@dataclass(frozen=True)
class Heads:
    """The linear heads on a photo's features.

    Args:
        weight: (Q, F), on features that were put to mean 0 and spread 1.
        bias: (Q,).
        feature_mean: (F,), taken off.
        feature_scale: (F,), by which they are divided.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    feature_mean: NDArray[np.float32]
    feature_scale: NDArray[np.float32]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the log-odds of yes, (n, Q), of features (n, F)."""
        even = (features.astype(np.float64) - self.feature_mean) / self.feature_scale
        return np.asarray(even @ self.weight.T.astype(np.float64) + self.bias)


@dataclass
class StateClassifier:
    """A light classifier of states; see `repairai.schema.Reasoner`.

    Args:
        name: `name@revision`.
        config: What it was taught, and its input.
        heads: One for each question.
        measured: Limits by question, as `repairai.judge.limits` reads them.
        features: Runs the backbone.
    """

    name: str
    config: ClassifierConfig
    heads: Heads
    measured: Mapping[str, StateLimits]
    features: Features
    _seen: OrderedDict[str, NDArray[np.float64]] = field(default_factory=OrderedDict, repr=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def questions(self) -> tuple[Taught, ...]:
        """Return what it was taught."""
        return self.config.questions

    def limits(self, question: str) -> StateLimits:
        """Return what was measured of its answers to a question, or to its opposite; else nothing."""
        found = self._found(question)
        if found and key(question) not in self.measured:
            taught = self.questions[found[0]]
            for at, own in enumerate((taught.question, taught.opposite)):
                if known := self.measured.get(key(own)):
                    return known if found[1] == bool(at) else replace(known, shift=-known.shift)
        return limits_of(self.measured, question)

    def ask(self, photo: NDArray[np.uint8], question: str) -> float:
        """Return the probability of yes, in (0, 1); the photo is looked at once for all of its questions.

        Args:
            photo: RGB uint8 (H, W, 3), a part that fills it or a whole photo, as in the examples that it learned from.
            question: One that it was taught, or its opposite.

        Raises:
            RepairError: It was never taught this question.
        """
        row, turned = self._head(question)
        logit = float(self._look(photo)[row])
        logit = -logit if turned else logit
        return 1 / (1 + exp(-min(max(logit, -30.0), 30.0)))

    def _look(self, photo: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the log-odds of yes to every question, (Q,)."""
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or not photo.size:
            raise ValueError(f"need RGB uint8 (H, W, 3), got {photo.dtype} {photo.shape}")
        photo = np.ascontiguousarray(photo)
        told = hashlib.sha256(f"{photo.shape}".encode())
        told.update(photo.data)
        known = told.hexdigest()
        with self._one_at_a_time:
            if known not in self._seen:
                self._seen[known] = self.heads.logits(self.features(fitted(photo, self.config.image_px)[None]))[0]
                while len(self._seen) > REMEMBERED:
                    self._seen.popitem(last=False)
            self._seen.move_to_end(known)
            return self._seen[known]

    def _head(self, question: str) -> tuple[int, bool]:
        """Return the number of the head that answers a question, and whether it answers its opposite.

        Raises:
            RepairError: None does.
        """
        found = self._found(question)
        if found is None:
            named = ", ".join(f'"{each.question}"' for each in self.questions[:4])
            more = f" and {len(self.questions) - 4} more" if len(self.questions) > 4 else ""
            raise RepairError(
                f"{self.name.split('@')[0]} was never taught {question!r:.120}, it was taught {named}{more}",
                "ask one of these, or train it on examples of yours",
            )
        return found

    def _found(self, question: str) -> tuple[int, bool] | None:
        """Return the same or None: first by the same words, then of another place, then by the opposite."""
        ways = ((_plain, question, False), (key, question, False), (key, opposite_of(question), True))
        for same, asked, other in ways:
            found = [
                (row, turned != other)
                for row, taught in enumerate(self.questions)
                for turned, own in ((False, taught.question), (True, taught.opposite))
                if asked and same(own) == same(asked)
            ]
            if len(found) == 1:
                return found[0]
        return None


def fitted(photo: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Return a photo (H, W, 3) as the backbone takes it, (size, size, 3): stretched, as in training."""
    picture = Image.fromarray(photo)
    return np.asarray(picture.resize((size_px, size_px), Image.Resampling.BILINEAR, reducing_gap=2.0))


def load_classifier(folder: Path, name: str = "") -> StateClassifier:
    """Return the classifier in a folder.

    Args:
        folder: See the first lines of this module.
        name: What inspections call it; empty takes the folder's.

    Raises:
        RepairError: Something of it is missing, or does not fit the rest.
    """
    for each in (CONFIG, WEIGHTS, BACKBONE):
        if not (folder / each).is_file():
            raise RepairError(f"{folder} has no {each}, so that it is no classifier of states", COPY)
    config = from_json(read_text(folder / CONFIG), ClassifierConfig, f"{folder.name}/{CONFIG}")
    heads = _heads(folder / WEIGHTS, config)
    told = hashlib.sha256()
    for each in (CONFIG, WEIGHTS, BACKBONE):
        told.update(hashlib.sha256((folder / each).read_bytes()).digest())
    features = open_backbone(folder / BACKBONE, config.mean, config.std)
    try:
        seen = features(np.zeros((1, config.image_px, config.image_px, 3), np.uint8)).shape
    except RuntimeError as error:
        raise RepairError(f"{BACKBONE} does not take photos of {config.image_px} px: {_last(error)}", COPY) from None
    if seen != (1, config.features):
        raise RepairError(f"{BACKBONE} gives {seen[-1]} features, and {CONFIG} says {config.features}", COPY)
    return StateClassifier(
        name=f"{name or folder.name}@{told.hexdigest()[:12]}",
        config=config,
        heads=heads,
        measured=read_limits(folder / STATE_LIMITS),
        features=features,
    )


def open_backbone(
    path: Path, mean: tuple[float, float, float] = (0.0, 0.0, 0.0), std: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Features:
    """Return the network in an ONNX file, computing in f32 so that every machine answers alike.

    Args:
        path: Takes `pixel_values` (n, 3, size, size), gives `features` (n, F).
        mean: Of each channel, of pixels in [0, 1].
        std: Likewise.

    Raises:
        RepairError: It is no ONNX file, or not of such a network.
    """
    core = ov.Core()
    try:
        # Photos go in as they are: scaling and reordering are fused into the first layer.
        prepared = ov.preprocess.PrePostProcessor(core.read_model(path))
        given = prepared.input("pixel_values")
        given.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        given.model().set_layout(ov.Layout("NCHW"))
        tones = given.preprocess().convert_element_type(ov.Type.f32)
        tones.mean([255.0 * each for each in mean]).scale([255.0 * each for each in std])
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        model = core.compile_model(prepared.build(), "CPU", settings)
        features = model.output("features")
    except RuntimeError as error:
        raise RepairError(f"{path.name} holds no backbone that can be run ({_last(error)})", COPY) from None

    def run(photos: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array(model(photos)[features])  # the network writes over what it gave out

    return run


def _heads(path: Path, config: ClassifierConfig) -> Heads:
    questions, features = len(config.questions), config.features
    wanted = {
        "weight": (questions, features), "bias": (questions,), "feature_mean": (features,), "feature_scale": (features,)
    }  # fmt: skip
    try:
        got = load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise RepairError(f"{path.name} cannot be read: {_last(error)}", COPY) from None
    shapes = {name: each.shape for name, each in got.items()}
    if shapes != wanted or not all(np.isfinite(each).all() for each in got.values()) or got["feature_scale"].min() <= 0:
        raise RepairError(f"{path.name} holds {shapes}, and {CONFIG} asks for {wanted}, all of them numbers", COPY)
    return Heads(**got)


def _plain(question: str) -> str:
    return " ".join(question.lower().split())


def _last(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[-1][:200]
