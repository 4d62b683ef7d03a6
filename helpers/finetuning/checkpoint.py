"""The checkpoint of one fit: one file, replaced as a whole, and refused unless it is of the very same fit."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

from helpers.core.files import check_folder, damaged, load_tensors, save_tensors, to_json
from helpers.core.shapes import Weight
from helpers.core.warn import FitWarning
from helpers.finetuning.adam import MOMENTS, Training
from helpers.finetuning.loss import processes

CHECKPOINT = "checkpoint.safetensors"


class Checkpoint:
    """The checkpoint of one fit in a folder; nothing at all without a folder.

    metadata: what must be the same for a fit to go on from it. every: seconds from one to the next.
    """

    def __init__(self, folder: str | os.PathLike[str] | None, metadata: Mapping[str, Any], every: float) -> None:
        """Raises OSError where nothing can be written to the folder, ValueError for an empty name."""
        if folder is not None and not str(folder).strip():
            raise ValueError("folder is empty: give the name of a folder, or None to keep no checkpoint.")
        self.folder = None if folder is None else Path(folder).expanduser()
        self.metadata, self.every, self.last = json.loads(to_json(metadata)), every, time.monotonic()
        if self.folder is not None:
            check_folder(self.folder)

    @property
    def file(self) -> Path | None:
        """The file."""
        return None if self.folder is None else self.folder / CHECKPOINT

    def resume(self, training: Training, steps: int) -> None:
        """Go on from the file, if there is one of the same fit; ValueError if it is of another, or damaged."""
        if self.file is None or not self.file.exists():
            return
        tensors, metadata = load_tensors(self.file, "fit")
        other = sorted(k for k in metadata.keys() | self.metadata.keys() if metadata.get(k) != self.metadata.get(k))
        if other:
            raise ValueError(f"{str(self.folder)!r} holds a fit that differs in {', '.join(other)}: give another "
                             f"folder, or delete {CHECKPOINT} in it to start again.")
        if (wrong := misfit(tensors, training)) is not None:
            raise damaged(self.file, wrong)
        if len(tensors["losses"]) > steps:
            raise ValueError(f"The fit in {str(self.folder)!r} has done {len(tensors['losses'])} steps already, more "
                             f"than the {steps} asked for: give another folder.")
        training.take(tensors)

    @contextmanager
    def kept(self, training: Training) -> Iterator[None]:
        """One step: a checkpoint afterwards if it is time, and at once if the reader interrupts or something fails."""
        try:
            yield
        except BaseException:
            if training.whole:
                self.save(training)
            raise
        if time.monotonic() - self.last > self.every:
            self.save(training)

    def save(self, training: Training) -> None:
        """Write the file; where that fails, say so and keep the one before."""
        self.last = time.monotonic()
        if self.file is None or processes()[0] != 0 or not training.whole:
            return
        try:
            save_tensors(self.file, "fit", training.tensors(), self.metadata)
        except OSError as error:
            warnings.warn(f"No checkpoint could be written ({error}). The fit goes on, and the checkpoint before is "
                          "kept; make room on the disk, for an interrupt would lose what comes after it.", FitWarning,
                          stacklevel=2)


def misfit(tensors: Mapping[str, Weight], training: Training) -> str | None:
    """What of a checkpoint does not fit the training, whose memory it would be copied into; None if all does."""
    for name, kind in (("losses", 1), ("scale", 0)):
        if name not in tensors or tensors[name].ndim != kind or not tensors[name].is_floating_point():
            return f"{name} is missing or of a wrong shape"
    if not 0 < float(tensors["scale"]) < inf:
        return "scale is no number that a loss can be scaled with"
    known = {"losses", "scale"}
    for name, variable in training.variables.items():
        value = tensors.get(f"variable/{name}")
        if value is None or value.shape != variable.shape or value.dtype != variable.dtype:
            return f"the variable {name} is missing or of a wrong shape"
        if not value.isfinite().all():
            return f"the variable {name} holds numbers that are not finite"
        moments = [f"{key}/{name}" for key in MOMENTS if f"{key}/{name}" in tensors]
        if moments and len(moments) != len(MOMENTS):
            return f"Adam's memory of {name} is incomplete"
        if moments and (wrong := wrong_memory(variable, *(tensors[key] for key in moments))):
            return f"Adam's memory of {name} {wrong}"
        known |= {f"variable/{name}", *moments}
    if strange := sorted(tensors.keys() - known):
        return f"it holds {strange[0]}, which is no part of this fit"
    remembered = {name for name in training.variables if f"step/{name}" in tensors}
    return "Adam's memory is missing" if len(tensors["losses"]) and not remembered else None


def wrong_memory(variable: Weight, step: Weight, mean: Weight, square: Weight) -> str:
    """What of Adam's memory does not fit the variable; fused Adam checks none of it. "" if all does."""
    if (step.shape, mean.shape, square.shape) != ((), variable.shape, variable.shape):
        return "is of a wrong shape"
    if not step.is_floating_point() or {mean.dtype, square.dtype} != {variable.dtype}:
        return "is of a wrong dtype"
    fits = 1 <= float(step) < inf and mean.isfinite().all() and square.isfinite().all() and (square >= 0).all()
    return "" if fits else "holds numbers that it never has"
