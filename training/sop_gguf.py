"""A trained model to GGUF, for Ollama, llama.cpp and LM Studio: with llama.cpp's own converter, where it is at hand.

    python -m training.sop_gguf RUN [FILE]
    python -m training.sop_gguf merged/ agent.gguf --type f16 --converter ~/llama.cpp/convert_hf_to_gguf.py

Takes a run's folder, an adapter's or a whole model's; an adapter is merged first. The file is read back and asked a
few things: it has to score words as the model does. A `Modelfile` is written beside it, for Ollama.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from repairai.errors import RepairError
from repairai.files import disk_error, expanded, write_whole
from repairai.sop.prompts import SYSTEM
from training.from_gguf import from_gguf
from training.sop.check import difference
from training.sop.model import load_tokenizer
from training.sop_merge import affordable, merge, seen

Type = Literal["q8_0", "bf16", "f16", "f32"]
NAMES = ("convert_hf_to_gguf.py", "convert_hf_to_gguf", "convert-hf-to-gguf.py", "convert-hf-to-gguf")
MOST_OFF: dict[Type, float] = {"q8_0": 0.2, "bf16": 0.05, "f16": 0.05, "f32": 0.05}
"""Mean difference, in nats, up to which the file scores words as the model does."""
CONTEXT_TOKENS = 8192
"""That Ollama is told to keep at most; its own default cuts a question with its guides."""
HOW = (
    "fetch it with `git clone --depth 1 https://github.com/ggml-org/llama.cpp` and name it with "
    "--converter llama.cpp/convert_hf_to_gguf.py"
)


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    Args:
        file: The GGUF file.
        modelfile: For Ollama.
        off: How far it scores words apart from the model: mean over all words, in nats.
    """

    file: Path
    modelfile: Path
    off: float


def export(
    model: Path, file: Path, kind: Type = "q8_0", converter: Path | None = None, tell: Callable[[str], None] = print
) -> Exported:
    """Write a model as one GGUF file, whole or not at all, and a Modelfile for Ollama beside it.

    Args:
        model: Folder of a run, of an adapter or of a whole model.
        file: Where it goes.
        kind: How its weights are stored.
        converter: llama.cpp's; None: the one on the PATH.
        tell: Told what is done.

    Raises:
        RepairError: There is no converter, or no model; it does not take the model, or the file is not the same model.
    """
    script = find_converter(converter)
    if file.exists():
        raise RepairError(f"{file} is there already", "choose another name")
    part = file.with_name(f".{uuid.uuid4().hex[:8]}-{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".gguf-") as beside:
            whole = _whole(model, Path(beside) / "merged", tell)
            tell(f"Converting with {script.name}.")
            _convert(script, whole, part, kind)
            tell("Reading it back.")
            off = _difference(part, whole, Path(beside) / "back")
            if not off <= MOST_OFF[kind]:
                raise RepairError(
                    f"the GGUF file scores words {off:.3f} nats apart from the model",
                    "nothing was kept; take a newer converter",
                )
            modelfile = file.with_name("Modelfile")
            write_whole(modelfile, modelfile_text(file.name, whole).encode())
        part.rename(file)
    except OSError as error:
        raise disk_error(file, error) from None
    finally:
        part.unlink(missing_ok=True)
    return Exported(file, modelfile, off)


def find_converter(given: Path | None) -> Path:
    """Return llama.cpp's converter: the one given, else the one on the PATH.

    Raises:
        RepairError: It is not there; how to get it is said.
    """
    if given is not None:
        if not given.is_file():
            raise RepairError(f"there is no converter at {given}", HOW)
        return given
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise RepairError(f"llama.cpp's {NAMES[0]} is not on this machine's PATH", HOW)
    return Path(found)


def modelfile_text(name: str, model: Path) -> str:
    """Return what Ollama makes a model of.

    Args:
        name: Of the GGUF file beside it.
        model: Folder of the model.
    """
    tokenizer = load_tokenizer(model)
    return (
        "# ollama create repair -f Modelfile && ollama run repair\n"
        "# The chat template is in the GGUF file. Where answers look odd, see whether `ollama show repair --template`\n"
        "# says the same as chat_template.jinja of the model.\n"
        f"FROM ./{name}\n"
        f'SYSTEM """{SYSTEM}"""\n'
        "PARAMETER temperature 0\n"
        f"PARAMETER num_ctx {min(_positions(model), CONTEXT_TOKENS)}\n"
        f'PARAMETER stop "{tokenizer.eos_token}"\n'
    )


def _positions(model: Path) -> int:
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    return int(config.get("max_position_embeddings") or CONTEXT_TOKENS)


def _whole(model: Path, merged: Path, tell: Callable[[str], None]) -> Path:
    """Return the folder of a whole model: what is given, or its adapter merged."""
    found = model / "model" if (model / "model").is_dir() else model
    if (found / "config.json").is_file() and not (found / "adapter_config.json").is_file():
        return found
    return merge(found, merged, tell=tell).folder


def _convert(script: Path, model: Path, file: Path, kind: Type) -> None:
    command = [sys.executable, str(script)] if script.suffix == ".py" else [str(script)]
    words = [*command, str(model), "--outfile", str(file), "--outtype", kind]
    ran = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    if ran.returncode or not file.is_file():
        lines = [line.strip() for line in (ran.stderr or ran.stdout).splitlines() if line.strip()]
        said = lines[-1] if lines else "it said nothing"
        raise RepairError(
            f"{script.name} does not convert the model: {said:.300}",
            "if a package is missing, install it; else take a newer llama.cpp",
        )


def _difference(file: Path, model: Path, back: Path) -> float:
    precision = affordable(model)
    folder = from_gguf(file, back, lambda _: None)
    return difference(seen(model, precision), seen(folder, precision))


def main(arguments: list[str] | None = None) -> int:
    """Run it; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="RUN|MODEL", help="a finished run, an adapter or a whole model")
    parser.add_argument("file", type=Path, nargs="?", help="where it goes; else into the first, as agent.gguf")
    parser.add_argument("--type", choices=get_args(Type), default="q8_0", help="how weights are stored")
    parser.add_argument("--converter", type=Path, help="llama.cpp's convert_hf_to_gguf.py; else it is looked for")
    chosen = parser.parse_args(arguments)
    converter = expanded(chosen.converter) if chosen.converter else None
    try:
        model = expanded(chosen.model)
        made = export(model, expanded(chosen.file) if chosen.file else model / "agent.gguf", chosen.type, converter)
    except RepairError as error:
        print(f"training.sop_gguf: {error}", file=sys.stderr)
        return 2
    print(f"{made.file}: it scores words as the model, to {made.off:.4f} nats; {made.modelfile} is for Ollama")
    return 0


if __name__ == "__main__":
    sys.exit(main())
