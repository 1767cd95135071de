"""A model in llama.cpp's form (GGUF) to a folder that can be trained on: for people who have models only in that form.

    python -m training.from_gguf smollm2-135m-instruct.gguf models/smollm2

Reads one GGUF file of a text model. Writes a folder with `config.json`, 16-bit safetensors, the tokenizer with its chat
template, and a `README.md` that names the file and its licence. Weights that were stored in fewer bits are filled up to
16; what was lost when they were made small stays lost, so take the original model where you can get it.
It needs about 2.5 times the space of the 16-bit weights in memory.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedConfig, PreTrainedModel

from repairai.errors import RepairError
from repairai.files import disk_error, expanded

MAGIC = b"GGUF"
LLAMA3_ROPE = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
"""What Llama 3.1 and later have beside the factor itself.

Source: config.json of meta-llama/Llama-3.1-8B and Llama-3.2-1B, `rope_scaling`.
"""


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself.

    Args:
        architecture: As llama.cpp names it.
        name: Of the model; empty where it has none.
        licence: Of the weights, as the file says; empty where it does not.
        parts: Files that the model was cut into.
        has_template: Whether it holds a chat template.
        rope_factors: What each frequency of the positions is divided by, (head_dim / 2,); empty where by nothing.
    """

    architecture: str
    name: str
    licence: str
    parts: int
    has_template: bool
    rope_factors: tuple[float, ...]


def read_header(file: Path) -> Header:
    """Return what a GGUF file says of itself.

    Raises:
        RepairError: It is not there, or no GGUF file.
    """
    try:
        with file.open("rb") as opened:
            begins = opened.read(4)
    except OSError as error:
        raise RepairError(f"{file} cannot be read: {error.strerror}", "check the name") from None
    if begins != MAGIC:
        raise RepairError(f"{file.name} is no GGUF file: it begins with {begins!r}", "give a file that ends in .gguf")
    try:
        reader = GGUFReader(file)
        architecture = str(_value(reader, "general.architecture", ""))
        factors = [tensor.data for tensor in reader.tensors if tensor.name == "rope_freqs.weight"]
        return Header(
            architecture,
            str(_value(reader, "general.name", "")),
            str(_value(reader, "general.license", "")),
            int(_value(reader, "split.count", 1) or 1),
            bool(_value(reader, "tokenizer.chat_template", "")),
            tuple(float(number) for number in factors[0]) if factors else (),
        )
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise RepairError(f"{file.name} is a damaged GGUF file: {error}", "fetch it again") from None


def _value(reader: GGUFReader, key: str, default: Any) -> Any:
    field = reader.get_field(key)
    return default if field is None else field.contents()


def from_gguf(file: Path, folder: Path, tell: Callable[[str], None] = print) -> Path:
    """Write the model in a GGUF file as a folder that transformers reads, whole or not at all, and return the folder.

    Args:
        file: The GGUF file.
        folder: It must not be there yet, or be empty.
        tell: Told in one sentence what the person should know.

    Raises:
        RepairError: It is no GGUF file, one part of several, of an architecture that cannot be read, or the folder
            cannot be written.
    """
    header = read_header(file)
    if header.parts > 1:
        raise RepairError(
            f"{file.name} is one of {header.parts} parts of a model", "join them with llama-gguf-split --merge first"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RepairError(f"{folder} is there already", "choose a new folder")
    if not header.has_template:
        tell(f"{file.name} has no chat template: the SOP agent cannot be trained on it before it gets one.")
    model, tokenizer = _loaded(file, header)
    beside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        beside.mkdir(parents=True)
        model.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
        (beside / "README.md").write_text(_card(file, header), encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        beside.rename(folder)
    except OSError as error:
        raise disk_error(folder, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _loaded(file: Path, header: Header) -> tuple[PreTrainedModel, Any]:
    source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    try:
        # Said aloud, because where a kernel for them is installed the weights would stay as they lie in the file.
        unpacked = GgufConfig(dequantize=True)
        filled = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16, quantization_config=unpacked)
        tokenizer = AutoTokenizer.from_pretrained(**source)
    except (ValueError, NotImplementedError, KeyError, TypeError, RuntimeError) as error:
        raise RepairError(
            f"{file.name} holds a model that transformers cannot read ({header.architecture}): "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}",
            "take the original model instead",
        ) from None
    config = filled.config
    vars(config).pop("quantization_config", None)  # a model that says it is quantised is not saved
    config._name_or_path = ""
    config.dtype = torch.bfloat16
    if header.rope_factors:
        config.rope_parameters = rope_parameters(config, header.rope_factors, file.name)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.load_state_dict(filled.state_dict(), assign=True)
    model.tie_weights()
    model.generation_config = filled.generation_config
    tokenizer.model_max_length = config.max_position_embeddings
    return model, tokenizer


def rope_parameters(config: PreTrainedConfig, factors: tuple[float, ...], name: str) -> dict[str, Any]:
    """Return the position settings of Llama 3.1 and later, which a GGUF file holds as numbers only.

    Args:
        config: Of the model, with `rope_theta` and `head_dim`.
        factors: What each frequency is divided by, (head_dim / 2,).
        name: Of the file, for the error.

    Raises:
        RepairError: The numbers are not those that Llama 3's rule makes: the model would be another one.

    Source:
        Llama 3.1's rule as in llama.cpp's `convert_hf_to_gguf.py` (MIT), which writes `rope_freqs.weight`: waves
        longer than the old context are slowed by the factor, short ones not at all, with a ramp between.
    """
    theta, width = config.rope_parameters["rope_theta"], 2 * len(factors)
    factor = round(max(factors), 4)
    context = LLAMA3_ROPE["original_max_position_embeddings"]
    low, high = LLAMA3_ROPE["low_freq_factor"], LLAMA3_ROPE["high_freq_factor"]
    for index, got in enumerate(factors):
        turns = context / (2 * math.pi * theta ** (2 * index / width))
        ramp = min(max((turns - low) / (high - low), 0.0), 1.0)
        expected = 1 / ((1 - ramp) / factor + ramp)
        if not math.isclose(got, expected, rel_tol=1e-3):
            raise RepairError(
                f"{name} stretches its positions in a way that is not Llama 3's", "take the original model instead"
            )
    return {"rope_type": "llama3", "rope_theta": theta, "factor": factor, **LLAMA3_ROPE}


def _card(file: Path, header: Header) -> str:
    licence = f"license: {header.licence}\n" if header.licence else ""
    return (
        f"---\n{licence}library_name: transformers\n---\n# {header.name or file.stem}\n\n"
        f"Made from `{file.name}` (GGUF) by `python -m training.from_gguf`. Weights that the file stored in fewer bits "
        f"were filled up to 16.\nLicence of the weights, as the file says: {header.licence or 'not given'}.\n"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a GGUF file of a text model")
    parser.add_argument("folder", type=Path, help="where the model goes; a new or an empty folder")
    chosen = parser.parse_args(arguments)
    try:
        print(from_gguf(expanded(chosen.file), expanded(chosen.folder)))
    except RepairError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
