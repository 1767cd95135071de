"""A detector's export in 8 bits: the ranges of its numbers are read on photos, then weights are rounded."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repairai.errors import RepairError

ROUNDED = ("Conv",)
"""What is computed in 8 bits: the decoder's products decide boxes and scores, and bear it badly."""


class _Photos:
    """Gives photos one after the other, as onnxruntime asks for them."""

    def __init__(self, photos: Sequence[NDArray[np.uint8]]) -> None:
        self.left: Iterator[NDArray[np.uint8]] = iter(photos)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next photo, or None behind the last."""
        photo = next(self.left, None)
        return None if photo is None else {"pixel_values": photo.transpose(2, 0, 1)[None].astype(np.float32) / 255}


def in_8_bits(plain: Path, small: Path, photos: Sequence[NDArray[np.uint8]]) -> None:
    """Write an export in 8 bits.

    Args:
        plain: The export.
        small: The file to write.
        photos: RGB uint8 (size, size, 3) on which the ranges are read.

    Raises:
        RepairError: onnxruntime and onnx are not installed, or cannot round this network.
    """
    try:
        quantization: Any = importlib.import_module("onnxruntime.quantization")
        prepared: Any = importlib.import_module("onnxruntime.quantization.shape_inference")
    except ImportError as error:
        raise RepairError(
            f"8 bits want {error.name or 'onnxruntime'}, which is not installed", "pip install onnx onnxruntime"
        ) from None
    logging.getLogger().setLevel(logging.ERROR)  # it warns of each sum that it leaves alone
    shaped, made = small.with_suffix(".shaped.onnx"), small.with_suffix(".part.onnx")
    try:
        prepared.quant_pre_process(str(plain), str(shaped), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(shaped), str(made), _reader(quantization, photos), quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(ROUNDED), per_channel=True, activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )  # fmt: skip
        made.replace(small)
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        raise RepairError(
            f"the export cannot be rounded to 8 bits: {' '.join(str(error).split())[:200]}", "use it as it is"
        ) from None
    finally:
        shaped.unlink(missing_ok=True)
        made.unlink(missing_ok=True)


def _reader(quantization: Any, photos: Sequence[NDArray[np.uint8]]) -> Any:
    class Reader(_Photos, quantization.CalibrationDataReader):  # type: ignore[misc]  # known when it runs
        """What onnxruntime wants it to be."""

    return Reader(photos)
