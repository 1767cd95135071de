"""Step 2 of the detector: a COCO folder and a recipe to a trained RT-DETRv2, in safetensors and ONNX.

    python -m training.detector_train training/recipes/detector_rtdetrv2_builtin_cpu.yaml

Reads `<data>/train`, as `detector_data` writes it. Writes `<out>/model` (`model.safetensors`, `config.json`,
`preprocessor_config.json`, `model.onnx`) and `<out>/checkpoints`; run again, it goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import Dataset, WeightedRandomSampler
from transformers import (
    RTDetrImageProcessor,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from repairai.files import read_record
from repairai.hardware.workload import Workload
from training.augment import augment
from training.took import Took, said

BOXES = 12
"""On one photo, as it is planned: about what the rendered scenes show."""


@dataclass(frozen=True)
class Architecture:
    """The shape of an RT-DETRv2.

    Args:
        backbone_widths: Channels of the four stages, at strides 4, 8, 16 and 32.
        backbone_depths: Residual layers of each stage.
        width: Channels of encoder and decoder.
        feed_forward: Hidden width of their feed-forward layers.
        decoder_layers: Each refines the boxes of the one before; at least 2.
        queries: The most parts that one photo or tile can hold.
    """

    backbone_widths: tuple[int, int, int, int]
    backbone_depths: tuple[int, int, int, int]
    width: int
    feed_forward: int
    decoder_layers: int
    queries: int


@dataclass(frozen=True)
class Recipe:
    """One detector training, as its YAML file says it.

    Args:
        data: Folder that `detector_data` wrote.
        out: Folder for checkpoints and model.
        architecture: Its weights begin at random, or as `start` has them.
        size_px: Side of the square input.
        steps: Optimizer steps.
        batch: Photos a step.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Of AdamW.
        clip: Largest gradient norm.
        ema: Decay of the running mean of the weights; the mean is what is saved.
        shares: How often each source is drawn, relative to the others, whatever its number of photos.
        start: Folder of a model of that architecture to go on from; None begins anew.
        seed: Of weights, order and augmentation.
        workers: Processes that load and augment photos.
        save_steps: Steps between checkpoints.
    """

    data: Path
    out: Path
    architecture: Architecture
    size_px: int
    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    clip: float
    ema: float
    shares: dict[str, float]
    start: Path | None = None
    seed: int = 7
    workers: int = 1
    save_steps: int = 500


class Photos(Dataset[dict[str, Any]]):
    """Augmented photos with their boxes, as RT-DETR takes them.

    Each item is `pixel_values` (3, size, size) float in [0, 1] and `labels` with `class_labels` (n,) and `boxes`
    (n, 4) of centre x, centre y, width and height as shares of the photo.
    """

    def __init__(self, folder: Path, size_px: int) -> None:
        notes = json.loads((folder / "annotations.coco.json").read_text())
        self.folder, self.size_px = folder, size_px
        self.images: list[dict[str, Any]] = notes["images"]
        self.names: list[str] = [category["name"] for category in notes["categories"]]
        self.found: dict[int, list[tuple[list[float], int]]] = {image["id"]: [] for image in self.images}
        for note in notes["annotations"]:
            self.found[note["image_id"]].append((note["bbox"], note["category_id"]))

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return one photo, augmented anew each time."""
        image = self.images[index]
        rng = np.random.default_rng(int(torch.randint(2**62, ()).item()))
        photo = np.asarray(Image.open(self.folder / image["file_name"]).convert("RGB"))
        found = self.found[image["id"]]
        corners = np.array([(x, y, x + w, y + h) for (x, y, w, h), _ in found], np.float32).reshape(-1, 4)
        photo, corners, kept = augment(photo, corners, rng, self.size_px)
        height, width = photo.shape[:2]
        small = Image.fromarray(photo).resize((self.size_px, self.size_px), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255
        corners = corners[kept] / np.array([width, height, width, height], np.float32)
        boxes = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)
        labels = np.array([label for _, label in found], np.int64)[kept]
        return {
            "pixel_values": pixels,
            "labels": {"class_labels": torch.from_numpy(labels), "boxes": torch.from_numpy(boxes.astype(np.float32))},
        }

    def weights(self, shares: dict[str, float]) -> list[float]:
        """Return how likely each photo is drawn, so that each source gets its share."""
        sources = [image["source"] for image in self.images]
        unknown = set(sources) - set(shares)
        if unknown:
            raise ValueError(f"need a share for each source, got none for {sorted(unknown)}")
        return [shares[source] / sources.count(source) for source in sources]


def collate(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch: photos stacked, boxes in a list."""
    return {
        "pixel_values": torch.stack([item["pixel_values"] for item in items]),
        "labels": [item["labels"] for item in items],
    }


def build(shape: Architecture, names: list[str]) -> RTDetrV2ForObjectDetection:
    """Return an RT-DETRv2 with random weights."""
    backbone = RTDetrResNetConfig(
        embedding_size=shape.backbone_widths[0],
        hidden_sizes=list(shape.backbone_widths),
        depths=list(shape.backbone_depths),
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        encoder_in_channels=list(shape.backbone_widths[1:]),
        encoder_hidden_dim=shape.width,
        encoder_ffn_dim=shape.feed_forward,
        encoder_attention_heads=4,
        d_model=shape.width,
        decoder_in_channels=[shape.width] * 3,
        decoder_ffn_dim=shape.feed_forward,
        decoder_layers=shape.decoder_layers,
        decoder_attention_heads=4,
        num_queries=shape.queries,
        num_denoising=40,
        hidden_expansion=0.5,
        freeze_backbone_batch_norms=False,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    return RTDetrV2ForObjectDetection(config)


class RunningMean(TrainerCallback):
    """Keeps the running mean of the weights, which counts better than the last weights, and checkpoints it."""

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: torch.nn.Module, **_: Any) -> None:
        """Follow the model to its device, which the Trainer has chosen by now."""
        self.mean.to(next(model.parameters()).device)

    def on_step_end(self, args: Any, state: Any, control: Any, model: torch.nn.Module, **_: Any) -> None:
        """Take in the weights of this step."""
        self.mean.update_parameters(model)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the mean beside the checkpoint."""
        torch.save(self.mean.state_dict(), Path(args.output_dir) / f"checkpoint-{state.global_step}" / "mean.pt")

    def resume(self, checkpoint: str | None) -> None:
        """Take up the mean of a checkpoint."""
        if checkpoint:
            self.mean.load_state_dict(torch.load(Path(checkpoint) / "mean.pt", weights_only=True))


class DetectorTrainer(Trainer):
    """A Trainer that draws photos by the shares of their sources."""

    shares: dict[str, float]

    def _get_train_sampler(self, train_dataset: Photos | None = None) -> WeightedRandomSampler:
        photos = self.train_dataset if train_dataset is None else train_dataset
        total = self.args.max_steps * self.args.per_device_train_batch_size
        return WeightedRandomSampler(photos.weights(self.shares), total, replacement=True)


def train(recipe: Recipe) -> Path:
    """Train as the recipe says, going on from the last checkpoint if there is one; return the model's folder."""
    took = Took()
    torch.manual_seed(recipe.seed)
    photos = Photos(recipe.data / "train", recipe.size_px)
    model = build(recipe.architecture, photos.names)
    if recipe.start:  # strict: weights of another shape are refused by name
        model.load_state_dict(RTDetrV2ForObjectDetection.from_pretrained(recipe.start).state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=recipe.steps + 1)
    mean = RunningMean(model, recipe.ema)
    trainer = DetectorTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(recipe.out / "checkpoints"),
            max_steps=recipe.steps,
            per_device_train_batch_size=recipe.batch,
            max_grad_norm=recipe.clip,
            dataloader_num_workers=recipe.workers,
            dataloader_persistent_workers=recipe.workers > 0,
            logging_steps=50,
            save_steps=recipe.save_steps,
            save_total_limit=1,
            remove_unused_columns=False,
            report_to="none",
            seed=recipe.seed,
            ignore_data_skip=True,
        ),
        train_dataset=photos,
        data_collator=collate,
        optimizers=(optimizer, schedule),
        callbacks=[mean, took],
    )
    trainer.shares = recipe.shares
    last = get_last_checkpoint(str(recipe.out / "checkpoints")) if (recipe.out / "checkpoints").is_dir() else None
    mean.resume(last)
    trainer.train(resume_from_checkpoint=last)
    folder = save(mean.mean.module, recipe.size_px, recipe.out / "model")
    compared = took.compare(step_of(recipe, folder))
    if compared:
        print(said(compared))
    return folder


def step_of(recipe: Recipe, model: Path) -> Workload:
    """Return one step of a recipe's training as the planner knows it, of a model whose `config.json` is in a folder."""
    return Workload(
        str(model), "full", batch=recipe.batch, image_px=recipe.size_px, boxes=BOXES, precision="fp32",
        optimizer="adamw", checkpointing=False,
    )  # fmt: skip


def save(model: torch.nn.Module, size_px: int, folder: Path) -> Path:
    """Write weights, configuration, processor and the ONNX export; return the folder."""
    model.eval()
    model.save_pretrained(folder)
    RTDetrImageProcessor(size={"height": size_px, "width": size_px}).save_pretrained(folder)
    export(model, size_px, folder / "model.onnx")
    return folder


class _Plain(torch.nn.Module):
    """The model as ONNX wants it: one tensor in, two out."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self.model(pixel_values=pixel_values)
        return found.logits, found.pred_boxes


def export(model: torch.nn.Module, size_px: int, path: Path) -> None:
    """Write the model as ONNX: `pixel_values` (n, 3, size, size) to `logits` and `pred_boxes` (n, queries, ...)."""
    torch.onnx.export(
        _Plain(model).eval(),
        (torch.zeros(1, 3, size_px, size_px),),
        str(path),
        dynamo=False,  # the newer exporter does not take D-FINE
        opset_version=17,
        input_names=["pixel_values"],
        output_names=["logits", "pred_boxes"],
        dynamic_axes={name: {0: "batch"} for name in ("pixel_values", "logits", "pred_boxes")},
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the step; see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    folder = train(read_record(parser.parse_args(arguments).recipe, Recipe))
    print(f"the model is in {folder}")


if __name__ == "__main__":
    main()
