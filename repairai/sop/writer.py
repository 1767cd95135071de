"""The writer that is a model on this machine: a whole one or an adapter on its base, from a folder or the Hub."""

from __future__ import annotations

import gc
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import huggingface_hub
import psutil
import safetensors
import torch
import transformers
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

from repairai.errors import RepairError
from repairai.files import pulled
from repairai.hub_faults import address, told, without_token
from repairai.sop.chat_template import end_of_turn, render
from repairai.sop.prompts import Passage, conversation

MOST_TOKENS, LEAST_TOKENS = 1024, 96
"""Of an answer; one that repeats its steps needs twice as many as they have."""
_RAM_SHARE, _GPU_SHARE = 0.5, 0.85
"""Of the memory that is free: from here on weights are kept in fewer bits."""
_ADAPTER = "adapter_config.json"
_WAIT_SECONDS = 600.0
_FAULTS = (OSError, ValueError, KeyError, RuntimeError, ImportError, AttributeError, TypeError,
           safetensors.SafetensorError)  # fmt: skip
"""What opening a model raises where its files are not what they say."""
_SMALL_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]


class LocalWriter:
    """Answers with a model that is loaded into this machine's memory; one question at a time.

    Weights are read from safetensors alone, and no code that comes with a model is run. On a CPU they are kept as they
    are computed with, in half as many bits where they would fill half of the free memory; in 4 bits only on a GPU that
    cannot hold them otherwise.

    Args:
        source: A folder, or a name on the Hub.
        base: What an adapter stands on where the base that its own file names is not there; empty: none.
        length_tokens: The longest conversation that it was trained on; 0: not known.
        tell: Is told how far the loading is.

    Raises:
        RepairError: It is not there, needs a permission, or cannot be loaded.
    """

    def __init__(
        self, source: str, base: str = "", length_tokens: int = 0, tell: Callable[[str], None] = lambda words: None
    ) -> None:
        transformers.utils.logging.disable_progress_bar()
        self.name = Path(source).name if Path(source).is_dir() else source
        self._lock = threading.Lock()
        try:
            tell(f"looking for {self.name}")
            folder, whole = _find(source, base)
            tell(f"loading {whole}")
            self.model = _load(whole)
            if folder is not None:
                tell(f"laying {self.name} on it")
                self.model = _with_adapter(self.model, folder)
            self.tokenizer = _tokenizer(folder, whole)
        except (torch.OutOfMemoryError, MemoryError):
            raise RepairError(
                f"{self.name} does not fit into the memory that is free",
                "close what else uses it, or take a smaller model",
            ) from None
        except _FAULTS as error:
            raise _refused(self.name, error) from None
        self.model.eval()
        self._ends = _end_tokens(self.model, self.tokenizer)
        room = int(getattr(self.model.config, "max_position_embeddings", 0) or 0)
        self._room = room
        self.length_tokens = min(filter(None, (length_tokens, room)), default=0)
        tell("ready")

    def answer(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """Yield an answer piece by piece, as it is written; see `repairai.sop.ask.Writer`.

        The most likely word is taken each time: the same question has the same answer. Whoever stops reading stops it.

        Raises:
            RepairError: The question with its steps is longer than the model can read, or memory runs out.
        """
        text = render(self.tokenizer, conversation(question, passages), add_generation_prompt=True)
        asked = self.tokenizer(text, return_tensors="pt", add_special_tokens=False)
        n_asked = int(asked["input_ids"].shape[1])
        most = min(MOST_TOKENS, max(LEAST_TOKENS, 2 * n_asked))
        if self._room:
            most = min(most, self._room - n_asked)
        if most < 1:
            raise RepairError(
                f"the question with its steps takes {n_asked} tokens, and {self.name} reads {self._room}",
                "choose a model that reads more",
            )
        with self._lock:
            if not hasattr(self, "model"):
                raise RepairError(f"{self.name} was let go to free its memory", "ask again")
            yield from self._written(asked.to(self.model.device), most)

    def close(self) -> None:
        """Give its memory back, once the answer that is being written is done; it cannot be asked any more."""
        with self._lock:
            del self.model
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _written(self, asked: Any, most: int) -> Iterator[str]:
        """Yield what the model writes; it works in a thread of its own, and stops when nobody reads any more."""
        streamer = transformers.TextIteratorStreamer(
            self.tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=_WAIT_SECONDS
        )
        stop, faults = threading.Event(), []

        def generate() -> None:
            try:
                with torch.inference_mode():
                    self.model.generate(
                        **asked,
                        generation_config=transformers.GenerationConfig(
                            do_sample=False,
                            max_new_tokens=most,
                            eos_token_id=self._ends or None,
                            pad_token_id=self._ends[0] if self._ends else 0,
                        ),
                        streamer=streamer,
                        stopping_criteria=transformers.StoppingCriteriaList([_Stopped(stop)]),
                    )
            except (RuntimeError, ValueError, IndexError, MemoryError) as error:
                faults.append(error)
            finally:
                streamer.end()

        thread = threading.Thread(target=generate, daemon=True)
        thread.start()
        try:
            yield from filter(None, streamer)
        finally:
            stop.set()
            thread.join(_WAIT_SECONDS)
        if faults:
            raise _broke_off(self.name, faults[0])


class _Stopped(transformers.StoppingCriteria):  # type: ignore[misc]  # transformers has no types
    """Stops a model when somebody asks for it."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        return torch.full((input_ids.shape[0],), self.event.is_set(), dtype=torch.bool, device=input_ids.device)


def _find(source: str, base: str) -> tuple[Path | None, str]:
    """Return an adapter's folder, None for a whole model, and the folder or Hub name of the model itself."""
    folder = pulled(source) or Path(source)
    if folder.is_dir():
        if not (folder / _ADAPTER).is_file():
            return None, str(folder)
    elif not _is_adapter(source):
        return None, source
    else:
        folder = Path(huggingface_hub.snapshot_download(source, allow_patterns=_SMALL_FILES))
    if not (folder / "adapter_model.safetensors").is_file():
        raise RepairError(f"{source} holds no adapter_model.safetensors", "save the adapter as safetensors")
    named = str(json.loads((folder / _ADAPTER).read_text("utf-8")).get("base_model_name_or_path") or "")
    if Path(named).is_absolute() and not Path(named).is_dir():
        if not base:
            raise RepairError(f"the base of {source} is not there: {named}", "put it back, or train again")
        named = base
    if not (named or base):
        raise RepairError(f"{source} does not say which model it stands on", "give a whole model")
    on = named or base
    return folder, str(pulled(on) or on)


def _is_adapter(name: str) -> bool:
    """Tell whether a repository of the Hub holds an adapter; one that was fetched before needs no network."""
    try:
        huggingface_hub.hf_hub_download(name, _ADAPTER)
    except EntryNotFoundError:
        return False
    return True


def _load(whole: str) -> Any:
    """Return a whole model, on the GPU where there is one."""
    config = transformers.AutoConfig.from_pretrained(whole, trust_remote_code=False)
    with torch.device("meta"):
        n_weights = sum(p.numel() for p in transformers.AutoModelForCausalLM.from_config(config).parameters())
    named: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False}
    if not torch.cuda.is_available():
        fits = 4 * n_weights < _RAM_SHARE * psutil.virtual_memory().available
        return transformers.AutoModelForCausalLM.from_pretrained(
            whole, dtype=torch.float32 if fits else torch.bfloat16, **named
        )
    free, _ = torch.cuda.mem_get_info()
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if 2 * n_weights > _GPU_SHARE * free and getattr(config, "quantization_config", None) is None:
        named["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    return transformers.AutoModelForCausalLM.from_pretrained(whole, dtype=dtype, device_map={"": 0}, **named)


def _with_adapter(model: Any, folder: Path) -> Any:
    """Return a model with an adapter: merged into it where its weights are not in few bits, which is faster."""
    # It brings bitsandbytes along, which warns on the terminal of a kernel that nothing here needs.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from peft import PeftModel  # noqa: PLC0415  most models need none of it

    both = PeftModel.from_pretrained(model, str(folder))
    return both if getattr(model, "is_quantized", False) else both.merge_and_unload()


def _tokenizer(folder: Path | None, whole: str) -> Any:
    """Return the tokenizer that was saved with an adapter, else the model's own."""
    own = folder is not None and (folder / "tokenizer_config.json").is_file()
    return transformers.AutoTokenizer.from_pretrained(str(folder) if own else whole, trust_remote_code=False)


def _end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Return the tokens that end an answer: what the model's files say, and what its template puts behind a turn."""
    said = model.generation_config.eos_token_id if model.generation_config is not None else None
    ends = [*(said if isinstance(said, list) else [said]), tokenizer.eos_token_id]
    if behind := end_of_turn(tokenizer):
        ends.append(tokenizer.convert_tokens_to_ids(behind))
    return sorted({end for end in ends if isinstance(end, int)})


def _refused(name: str, error: BaseException) -> RepairError:
    """Return what a person needs to hear when a model cannot be opened."""
    if isinstance(error, RepairError):
        return error
    if answer := next(filter(_is_an_answer, _causes(error)), None):
        said = told(answer, name, "model", address(name))
        return RepairError(without_token(said.what), without_token(said.next_step))
    if isinstance(error, ConnectionError) or "connect" in str(error).lower():
        return RepairError(f"{name} is not on this machine, and the Hub cannot be reached", "check the network")
    if "safetensors" in str(error) and isinstance(error, OSError):
        return RepairError(f"{name} has no weights as safetensors", "choose a model that has: others can run code")
    lines = str(error).strip().splitlines()
    return RepairError(
        f"{name} cannot be opened: {lines[0][:200] if lines else type(error).__name__}", "choose another model"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it was raised from: transformers wraps what the Hub has answered."""
    while error is not None:
        yield error
        error = error.__cause__


def _is_an_answer(error: BaseException) -> bool:
    """Tell whether the Hub has said why it does not give a model."""
    return isinstance(error, HfHubHTTPError) and not isinstance(error, EntryNotFoundError)


def _broke_off(name: str, error: BaseException) -> RepairError:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return RepairError(f"{name} ran out of memory", "close what else uses it, or take a smaller model")
    return RepairError(f"{name} broke off: {(str(error).splitlines() or [''])[0][:200]}", "choose another model")
