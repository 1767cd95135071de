"""The reasoner that is a vision-language model on this machine: PaliGemma, SmolVLM, Idefics 3, Qwen2.5-VL, Qwen3-VL.

Yes and no are read from the scores of the word that would come next, never from a text that is written. A photo is read
once for all questions about it: what the model has made of it is kept until the next photo.
"""

from __future__ import annotations

import copy
import gc
import logging
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import safetensors
import torch
import transformers

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.judge.limits import limits_of, measured_of
from repairai.judge.photo_prompt import (
    FAMILIES,
    JUDGE_FILE,
    MOST_PX,
    PALIGEMMA,
    PATCHED,
    TILED,
    PhotoPrompt,
    reading_of,
    template_of,
)
from repairai.judge.weights import ADAPTER, base_of, fetched, refused, revision_of
from repairai.judge.yes_no import asked, probability
from repairai.schema import StateLimits

_RAM_SHARE, _GPU_SHARE = 0.5, 0.7
"""Of the memory that is free: from here on weights are kept in fewer bits. A photo takes more room than a text does."""
_FAULTS = (OSError, ValueError, KeyError, RuntimeError, ImportError, AttributeError, TypeError,
           safetensors.SafetensorError)  # fmt: skip
"""What opening a model raises where its files are not what they say."""


@dataclass
class _Photo:
    """What a model has made of a photo.

    Args:
        sha: Of its px.
        ids: Tokens of its opening, (1, n).
        kept: The keys and values of the opening; or what the vision tower saw, where the question is read with it.
        turned: Qwen: by how much the places of what follows are moved.
    """

    sha: bytes
    ids: torch.Tensor
    kept: Any
    turned: torch.Tensor | None = None


class VisionLanguage:
    """Asks a vision-language model that is in this machine's memory; see `repairai.schema.Reasoner`.

    Args:
        model: Of a family of `repairai.judge.photo_prompt`, its adapters on it.
        prompt: What turns photos and questions into its tokens.
        name: `name@revision`.
        measured: Its limits, by question.
    """

    def __init__(
        self, model: Any, prompt: PhotoPrompt, name: str, measured: Mapping[str, StateLimits] | None = None
    ) -> None:
        self.model, self.prompt, self.name = model, prompt, name
        self.measured = measured or {}
        self._lock = threading.Lock()
        self._photo: _Photo | None = None
        self._answers = torch.tensor(sorted(prompt.answer_ids), device=model.device)

    def limits(self, question: str) -> StateLimits:
        """Return what was measured of its answers to a question."""
        return limits_of(self.measured, question)

    def ask(self, photo: np.ndarray, question: str) -> float:
        """Return the probability of yes; see `repairai.schema.Reasoner.ask`.

        Raises:
            RepairError: The question is empty, the model would hardly say yes or no, or memory runs out.
        """
        scores = self.scores(photo, asked(question))
        shares = scores.float().softmax(-1)[self._answers].tolist()
        words = (self.prompt.answer_ids[int(each)] for each in self._answers)
        if (found := probability(zip(words, shares, strict=True))) is None:
            raise RepairError(
                f"{self.name} would hardly answer yes or no to this",
                "ask what can be answered so, train it on your states, or take another model",
            )
        return found

    def scores(self, photo: np.ndarray, question: str) -> torch.Tensor:
        """Return the scores (vocabulary,) of the word that comes next, as the model gives them.

        Args:
            photo: RGB uint8 (H, W, 3).
            question: On one line.

        Raises:
            RepairError: Memory runs out, the photo is of a form that it cannot read, or the model was closed.
        """
        with self._lock, torch.inference_mode():
            if not hasattr(self, "model"):
                raise RepairError(f"{self.name} was let go to free its memory", "ask again")
            try:
                seen = self._seen(photo)
                tail = torch.tensor([self.prompt.tail(question)], device=self.model.device)
                return self._shared(seen, tail) if self.prompt.shares_tokens else self._together(seen, tail)
            except (torch.OutOfMemoryError, MemoryError):
                self._photo = None
                raise RepairError(
                    f"{self.name} ran out of memory", "close what else uses it, or take a smaller model"
                ) from None
            except (ValueError, RuntimeError) as error:  # such as a photo that is two px high
                self._photo = None
                said = (str(error).splitlines() or [""])[0][:160]
                raise RepairError(f"{self.name} cannot read this: {said}", "give another photo of the part") from None

    def close(self) -> None:
        """Give its memory back, once the answer that is being made is done; it cannot be asked any more."""
        with self._lock:
            if hasattr(self, "model"):
                del self.model
            self._photo = None
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    # ---- the photo once, each question for itself

    def _seen(self, photo: np.ndarray) -> _Photo:
        """Return what the model has made of a photo, which it reads where it is another than the last."""
        sha = blake2b(f"{photo.shape}".encode() + photo.tobytes(), digest_size=16).digest()
        if self._photo is not None and self._photo.sha == sha:
            return self._photo
        self._photo = None  # two at once may be one too many
        tokens, pixels = self.prompt.opening(photo)
        ids = torch.tensor([tokens], device=self.model.device)
        pixels = on_device(pixels, self.model)
        if not self.prompt.shares_tokens:
            self._photo = _Photo(sha, ids, self.model.get_image_features(**pixels))
            return self._photo
        found = self.model(
            input_ids=ids, **pixels, **kinds_of_token(self.prompt, ids, ids.shape[1]), use_cache=True, logits_to_keep=1
        )
        turned = self._rope_deltas() if self.prompt.family in PATCHED else None
        self._photo = _Photo(sha, ids, found.past_key_values, turned)
        return self._photo

    def _shared(self, seen: _Photo, tail: torch.Tensor) -> torch.Tensor:
        """Return the scores after a question that is read behind the photo's keys and values."""
        places = {}
        if seen.turned is not None:
            n = seen.ids.shape[1]
            behind = torch.arange(n, n + tail.shape[1], device=tail.device)
            places["position_ids"] = (behind + seen.turned).view(1, 1, -1).expand(3, 1, -1)
        # A copy: the question's own keys and values must not stay behind the photo's.
        found = self.model(
            input_ids=tail, past_key_values=copy.deepcopy(seen.kept), use_cache=True, logits_to_keep=1, **places
        )
        return found.logits[0, -1]

    def _together(self, seen: _Photo, tail: torch.Tensor) -> torch.Tensor:
        """Return the scores after a question that is read with the photo; what the tower saw is there already."""
        ids = torch.cat([seen.ids, tail], 1)
        found = self.model(
            input_ids=ids, mm_encoder_outputs={"image": seen.kept}, token_type_ids=torch.zeros_like(ids),
            use_cache=False, logits_to_keep=1,
        )  # fmt: skip
        return found.logits[0, -1]

    def _rope_deltas(self) -> torch.Tensor:
        whole = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        return whole.model.rope_deltas.clone().reshape(-1)


def kinds_of_token(prompt: PhotoPrompt, ids: torch.Tensor, opening: int) -> dict[str, torch.Tensor]:
    """Return what some families want to be told of each token, (n, tokens) like `ids`.

    Args:
        prompt: Of the model.
        ids: Tokens.
        opening: How many of the first of them see each other whatever their order; PaliGemma only.
    """
    if prompt.family in PATCHED:
        return {"mm_token_type_ids": (ids == prompt.image_token_id).int()}
    if prompt.family not in PALIGEMMA:
        return {}
    kinds = torch.ones_like(ids)
    kinds[:, :opening] = 0
    return {"token_type_ids": kinds}


def on_device(pixels: Mapping[str, torch.Tensor], model: Any) -> dict[str, torch.Tensor]:
    """Return tensors where a model is, and those that hold numbers as it computes."""
    return {
        name: each.to(model.device, model.dtype if each.is_floating_point() else each.dtype)
        for name, each in pixels.items()
    }


# ---- opening one


def load_vision_language(place: str, name: str, base: str = "", four_bit: bool | None = None) -> VisionLanguage:
    """Return a vision-language model, loaded: on the GPU where there is one.

    Weights are read from safetensors alone, and no code that comes with a model is run.

    Args:
        place: A folder or a name on the Hub, of a whole model or of an adapter.
        name: As it is shown; empty: its place.
        base: What an adapter stands on where the base that its own file names is not there.
        four_bit: Whether its weights are kept in 4 bits on a GPU; None: where they do not fit otherwise.

    Raises:
        RepairError: It is not there, needs a permission, cannot be asked, or cannot be loaded.
    """
    transformers.utils.logging.disable_progress_bar()
    shown = name or (Path(place).name if expanded(place).is_dir() else place)
    try:
        folder = fetched(place)
        whole = base_of(folder, place, base) if (folder / ADAPTER).is_file() else folder
        prompt = load_prompt(shown, folder, whole)
        model = with_adapter(load_model(whole, four_bit), folder, whole)
    except (torch.OutOfMemoryError, MemoryError):
        raise RepairError(
            f"{shown} does not fit into the memory that is free", "close what else uses it, or take a smaller model"
        ) from None
    except _FAULTS as error:
        raise refused(shown, error) from None
    model.eval()
    return VisionLanguage(model, prompt, f"{shown}@{revision_of(folder)}", measured_of(place))


def load_prompt(name: str, folder: Path, whole: Path) -> PhotoPrompt:
    """Return what turns photos and questions into a model's tokens.

    Args:
        name: Of the model, for what is said.
        folder: Of the adapter, or of the model.
        whole: Of the model.

    Raises:
        RepairError: It cannot be asked.
    """
    config = transformers.AutoConfig.from_pretrained(whole, trust_remote_code=False)
    if config.model_type not in FAMILIES:  # before anything else of it is opened
        return PhotoPrompt(name, config, None, None)
    own = folder if (folder / "tokenizer_config.json").is_file() else whole
    tokenizer = transformers.AutoTokenizer.from_pretrained(own, trust_remote_code=False)
    seen = next((each for each in (folder, whole) if (each / "preprocessor_config.json").is_file()), whole)
    # Of Pillow, whether torchvision is there or not: the same photo has to have the same pixels everywhere.
    images = transformers.AutoImageProcessor.from_pretrained(seen, backend="pil", trust_remote_code=False)
    if config.model_type in TILED and not (folder / JUDGE_FILE).is_file():
        # As it comes it scales each photo up to 17 tiles: what it is shown here is the region of a part already.
        images.size = {"longest_edge": min(int(images.size["longest_edge"]), MOST_PX)}
    template = template_of(tokenizer, folder, whole)
    tokenizer.chat_template = tokenizer.chat_template or template or None  # so that it is saved with it
    return PhotoPrompt(name, config, tokenizer, images, template, reading_of(folder))


def load_model(folder: Path, four_bit: bool | None = None) -> Any:
    """Return a whole model from a folder; see `load_vision_language`."""
    kind = transformers.AutoModelForImageTextToText
    config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with torch.device("meta"):
        n_weights = sum(each.numel() for each in kind.from_config(config).parameters())
    named: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False}
    if not torch.cuda.is_available():
        fits = 4 * n_weights < _RAM_SHARE * psutil.virtual_memory().available
        return kind.from_pretrained(folder, dtype=torch.float32 if fits else torch.bfloat16, **named)
    free, _ = torch.cuda.mem_get_info()
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    small = 2 * n_weights > _GPU_SHARE * free if four_bit is None else four_bit
    if small and getattr(config, "quantization_config", None) is None:
        named["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    return kind.from_pretrained(folder, dtype=dtype, device_map={"": 0}, **named)


def with_adapter(model: Any, folder: Path, whole: Path) -> Any:
    """Return a model with an adapter: merged into it where its weights are not in few bits, which is faster.

    Args:
        model: From `load_model`.
        folder: Of the adapter; that of the model where there is none.
        whole: Of the model.
    """
    if folder == whole:
        return model
    # It brings bitsandbytes along, which warns on the terminal of a kernel that nothing here needs.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from peft import PeftModel  # noqa: PLC0415  most models need none of it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it asks transformers by an older name
        both = PeftModel.from_pretrained(model, str(folder))
    return both if getattr(model, "is_quantized", False) else both.merge_and_unload()
