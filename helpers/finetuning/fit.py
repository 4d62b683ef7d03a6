"""The fit itself: Adam on a loss, interrupted and resumed at will."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from numbers import Integral
from typing import Any

import torch

from helpers.core.interface import Progress, Watch, ignore
from helpers.core.shapes import Loss, Weight
from helpers.finetuning.adam import Training
from helpers.finetuning.checkpoint import Checkpoint
from helpers.finetuning.log import steps_left
from helpers.finetuning.loss import Trainable
from helpers.finetuning.weights import Weights, changed_weights, offloaded, parameters, trained
from helpers.models.budget import check_fit_memory
from helpers.models.catalogue import explained_memory

FIT_LESS = "fit a LoRA (rank=4) instead of all weights, or take a smaller batch"  # where memory is short


def fit_weights(
    model: Trainable,
    start: Weights,
    loss: Callable[[int], Loss],
    *,
    dtype: torch.dtype | None = None,
    gradient_checkpointing: bool | None = None,
    watch: Watch = ignore,
    **knobs: Any,
) -> Weights:
    """The weights that `loss`, a function of the step, leads to from `start`; the model is left as it was.

    dtype: to compute in; the fitted weights are float32 all the same. Chosen for the machine unless given.
    gradient_checkpointing: compute activations again instead of keeping them; on a GPU unless given.
    watch: called after each step with step=, loss= and weights=, the weights so far, to try them out with `.on(model)`;
        the next step changes them.
    knobs: as in `fit`.
    """
    here = model.device
    dtype = dtype or fast_dtype(here)
    gradient_checkpointing = here.type != "cpu" if gradient_checkpointing is None else gradient_checkpointing
    own = parameters(model, list(dict.fromkeys(["unet", *(name.partition(".")[0] for name in start.tensors)])))
    whole = [name for name in start.tensors if name in own]
    check_fit_memory(model, "all_gb" if whole else "lora_gb")
    rest = {name: value.detach().to(dtype) for name, value in own.items() if name not in start.tensors}
    tensors = {name: value.to(here, torch.float32 if value.is_floating_point() else None, copy=True)
               for name, value in start.tensors.items()}

    def inside() -> AbstractContextManager[None]:
        return model.changed(rest | changed_weights(model, tensors, dtype), start.words, gradient_checkpointing)

    def look(**seen: Any) -> None:
        watch(weights=replace(start, tensors=tensors), **seen)

    metadata = {"model": model.fingerprint} | start.metadata
    with offloaded(model, whole):
        fit(trained(tensors), loss, inside=inside, watch=look, dtype=dtype, cast=whole, metadata=metadata, **knobs)
    return replace(start, tensors={name: value.detach() for name, value in tensors.items()})


def fit(
    variables: Mapping[str, Weight],
    loss: Callable[[int], Loss],
    *,
    steps: int,
    lr: float,
    inside: Callable[[], AbstractContextManager[None]] = nullcontext,
    dtype: torch.dtype = torch.float32,
    cast: Collection[str] = (),
    folder: str | os.PathLike[str] | None = None,
    every: float = 30.0,
    metadata: Mapping[str, Any] | None = None,
    watch: Watch = ignore,
    progress: Progress = True,
) -> None:
    """Adam on `loss`, a function of the step, over `variables` (float32), which are changed in place.

    lr: learning rate. inside: a with-block for each step's forward and backward pass. dtype: the pass is in.
    cast: those variables that are only cast to `dtype` in the pass; their gradients need no more digits than that has.
    folder: where a checkpoint is written every `every` seconds and when the fit is interrupted; a fit with the same
        folder goes on from it. `metadata` is what must be the same for that.
    progress: True for a bar with the mean of the last losses, False for none, or a function of (steps done, in all).
    watch: called after each step with step= (1 is the first) and loss=; `show.diary` shows pictures meanwhile.
    Raises ValueError for numbers out of range or a folder with another fit, OSError for one that cannot be written to,
    FloatingPointError where the loss is no longer a number, TooLittleMemory where a GPU is too small.
    """
    check_fit(steps, lr)
    training = Training(variables, lr, dtype, cast)
    book = Checkpoint(folder, {**(metadata or {}), "lr": lr}, every)
    book.resume(training, steps)
    with closing(training), closing(steps_left(training, steps, progress)) as left:
        for _ in left:
            with book.kept(training), explained_memory("this fit", FIT_LESS):
                with inside():
                    training.descend(loss(training.step))
                training.update()
                watch(step=training.step, loss=training.losses[-1])
        book.save(training)


def check_fit(steps: int, lr: float) -> None:
    """An error that names the number which is out of range."""
    if isinstance(steps, bool) or not isinstance(steps, Integral) or steps < 1:
        raise ValueError(f"steps is {steps!r}; expected a whole number from 1 on.")
    if not 0 < lr < 10:
        raise ValueError(f"lr is {lr!r}; expected a learning rate above 0, 1e-4 say.")


def fast_dtype(device: torch.device) -> torch.dtype:
    """What a fit computes in: bfloat16 where that is fast, float16 on older GPUs, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)() if device.type == "cpu" else {}
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
