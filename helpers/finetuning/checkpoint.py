"""The checkpoint of one fit: one file, replaced as a whole."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.core.files import check_folder, read_safetensors, written
from helpers.finetuning.adam import _Training
from helpers.finetuning.loss import processes

CHECKPOINT = "checkpoint.safetensors"


class FitWarning(UserWarning):
    """A fit goes on, but something about it should be known."""


class _Book:
    """The checkpoint of one fit: one file, replaced as a whole; nothing at all without a folder."""

    def __init__(self, folder: str | Path | None, metadata: Mapping[str, Any], every: float) -> None:
        self.folder = None if folder is None else Path(folder).expanduser()
        self.metadata, self.every, self.last = json.loads(json.dumps(metadata)), every, time.monotonic()
        if self.folder is not None:
            check_folder(self.folder)

    @property
    def file(self) -> Path | None:
        """The checkpoint."""
        return None if self.folder is None else self.folder / CHECKPOINT

    def resume(self, training: _Training, steps: int) -> None:
        """Goes on from the checkpoint, if there is one of the same fit."""
        if self.file is None or not self.file.exists():
            return
        tensors, metadata = read_safetensors(self.file, "fit")
        other = sorted(k for k in metadata.keys() | self.metadata.keys() if metadata.get(k) != self.metadata.get(k))
        if other:
            raise ValueError(f"{str(self.folder)!r} holds a fit that differs in {', '.join(other)}: give another "
                             "folder, or delete it to start again.")
        if len(tensors["losses"]) > steps:
            raise ValueError(f"The fit in {str(self.folder)!r} has done {len(tensors['losses'])} steps already, more "
                             f"than the {steps} asked for: give another folder.")
        training.take(tensors)

    @contextmanager
    def kept(self, training: _Training) -> Iterator[None]:
        """One step: a checkpoint afterwards if it is time, and at once if the reader interrupts or something fails."""
        try:
            yield
        except BaseException:
            if training.whole:
                self.save(training)
            raise
        if time.monotonic() - self.last > self.every:
            self.save(training)

    def save(self, training: _Training) -> None:
        """Writes the checkpoint; where that fails, says so and keeps the one before."""
        from safetensors.torch import save_file

        self.last = time.monotonic()
        if self.file is None or processes()[0] != 0 or not training.whole:
            return
        tensors = {k: v.contiguous().cpu() for k, v in training.tensors().items()}
        try:
            written(self.file, lambda new: save_file(tensors, new, metadata={"fit": json.dumps(self.metadata)}))
        except OSError as error:
            warnings.warn(f"No checkpoint could be written ({error}). The fit goes on, and the checkpoint before is "
                          "kept; make room on the disk, for an interrupt would lose what comes after it.", FitWarning,
                          stacklevel=2)
