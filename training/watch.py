"""Lets a training be watched and steered: what it does goes into its run's folder, what is asked there is done.

It keeps to what transformers has had since 5.10, because trainings in environments of their own use it too.
"""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import pynvml
import torch
from transformers import TrainerCallback

from repairai.errors import RepairError
from repairai.files import write_whole
from repairai.hardware.sources.nvml import NoDriver, read_nvml
from repairai.runs.journal import Asked, Journal
from repairai.runs.metrics import Metric
from training.took import peak_held_gib

GIB = 2**30
LOOK_SECONDS = 5.0
"""Between looks at a GPU's temperature: often enough for a curve, seldom enough to cost nothing."""
BAD_STEPS = 3
"""Steps without a finite gradient after which a training ends: in fp16 one now and then is how the scale is found."""
CALM_STEPS = 30
"""Steps before it is said that the loss runs away: before, it swings."""


class Watch(TrainerCallback):
    """Writes what a training does into its run's folder, and does what is asked there.

    Args:
        journal: Of the run; None in the other processes of a training on several GPUs, which only obey.
    """

    def __init__(self, journal: Journal | None) -> None:
        self.journal = journal
        self.asked = ""
        self.fault = ""
        self._began = 0.0
        self._seconds: list[float] = []
        self._tokens = 0
        self._bad = 0
        self._losses: list[float] = []
        self._warned = False
        self._gpu: tuple[float, float | None, float | None] = (-math.inf, None, None)

    # ---- what is asked

    def _look(self) -> str:
        asked = self.journal.asked() if self.journal else ""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            # All processes must leave at the same step, or those that stay wait for ever.
            words = [asked]
            torch.distributed.broadcast_object_list(words, src=0)
            asked = words[0]
        return asked

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Leave an evaluation where that is asked: it may take as long as an hour of training."""
        self.asked = self._look()
        if self.asked:
            raise Asked(self.asked)

    # ---- steps

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say that it begins."""
        self._tokens = state.num_input_tokens_seen
        self._phase("training", state)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop it, and see whether something is asked."""
        self._seconds.append(time.perf_counter() - self._began)
        self._phase("training", state)
        if self.journal and self.journal.take("save"):
            control.should_save = True
        if self.journal and self.journal.take("eval"):
            control.should_evaluate = True
        if state.global_step >= state.max_steps:
            control.should_evaluate = True  # so that the last weights are judged as well
        self.asked = self._look()
        if args.eval_strategy == "no":
            control.should_evaluate = False  # there is nothing to judge with
        if self.asked or self.fault:
            control.should_training_stop = True
            control.should_evaluate = False
            control.should_save = not self.fault  # weights that are no numbers are not kept
        if control.should_evaluate:
            self._phase("evaluating", state)
        elif control.should_save:
            self._phase("saving", state)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Write a line of figures."""
        if not logs or not self.journal:
            return
        if "loss" in logs:
            self._guard(logs, state, control)
        elif "eval_loss" not in logs:
            return
        seen = state.num_input_tokens_seen
        seconds = self._seconds[-1] if self._seconds and "loss" in logs else None
        gpu_gib, temperature = self._look_at_gpu()
        rate = logs.get("learning_rate")
        self.journal.metric(
            Metric(
                step=state.global_step,
                time=time.time(),
                loss=_finite(logs.get("loss")),
                eval_loss=_finite(logs.get("eval_loss")),
                learning_rate=None if rate is None else float(rate),
                grad_norm=_finite(logs.get("grad_norm")),
                epoch=state.epoch,
                tokens=seen or None,
                tokens_per_second=(seen - self._tokens) / seconds if seconds and seen > self._tokens else None,
                memory_gib=held_gib(),
                gpu_gib=gpu_gib,
                temperature_c=temperature,
                ap=_finite(logs.get("eval_ap")),
                ap50=_finite(logs.get("eval_ap50")),
                exact=_finite(logs.get("eval_exact")),
                right=_finite(logs.get("eval_right")),
            )
        )
        if "loss" in logs:
            self._tokens = seen

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say that training goes on, or that it is being saved."""
        self._phase("saving" if control.should_save else "training", state)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Mark the checkpoint as whole: only so is it gone on from."""
        if not self.journal:
            return
        looked = [each for each in state.log_history if "eval_loss" in each and each["step"] == state.global_step]
        mark = {"step": state.global_step, "eval_loss": looked[-1]["eval_loss"] if looked else None}
        if looked and "eval_worth" in looked[-1]:
            mark["worth"] = looked[-1]["eval_worth"]
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        write_whole(folder / "whole", json.dumps(mark).encode())
        self.journal.event("checkpoint", f"step {state.global_step} is saved", step=state.global_step)
        self._phase("training", state)

    # ---- guards

    def _guard(self, logs: dict[str, Any], state: Any, control: Any) -> None:
        """End a training whose loss is no number, and say where it runs away."""
        assert self.journal is not None
        good = math.isfinite(logs["loss"]) and math.isfinite(logs.get("grad_norm") or 0.0)
        self._bad = 0 if good else self._bad + 1
        if not good:
            self.journal.event("not_a_number", f"step {state.global_step} gave no number", step=state.global_step)
        if self._bad >= BAD_STEPS or not math.isfinite(logs["loss"]):
            self.fault = f"the loss of step {state.global_step} is no number"
            control.should_training_stop = True
            control.should_evaluate = control.should_save = False
        if not good:
            return
        self._losses.append(logs["loss"])
        first, last = self._losses[:10], self._losses[-10:]
        if not self._warned and len(self._losses) > CALM_STEPS and median(last) > 1.5 * median(first):
            self._warned = True
            self.journal.event(
                "diverging",
                f"the loss has risen from {median(first):.2f} to {median(last):.2f}: stop it, and halve learning_rate",
                step=state.global_step,
            )

    def _look_at_gpu(self) -> tuple[float | None, float | None]:
        """Return the memory of the GPU in use, GiB, and its temperature; None for what is not known."""
        if not torch.cuda.is_available():
            return None, None
        when, gib, temperature = self._gpu
        if time.monotonic() - when >= LOOK_SECONDS:
            with suppress(NoDriver, RepairError, IndexError):
                gpu = read_nvml(pynvml)[0][torch.cuda.current_device()]
                gib, temperature = gpu.total_gib - gpu.free_gib, gpu.temperature_c
            self._gpu = (time.monotonic(), gib, temperature)
        return gib, temperature

    def _phase(self, name: str, state: Any) -> None:
        if self.journal:
            self.journal.phase(name, state.global_step, state.max_steps)


def held_gib() -> float:
    """Return the most that this process has held: of the GPU where there is one, else of the machine's memory."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_reserved() / GIB
    return peak_held_gib()


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None
