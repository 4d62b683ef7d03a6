"""Watching a fit: progress, losses, and pictures of what the model makes meanwhile."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from helpers.core.interface import Generator
from helpers.core.values import AtLeastOne, Prompt, Seed, entrance, shown
from helpers.finetuning.adam import Training
from helpers.finetuning.loss import processes
from helpers.finetuning.weights import Weights


def steps_left(training: Training, steps: int, progress: bool) -> Iterator[int]:
    """The steps that are left, with a progress bar that tells the mean of the last losses."""
    from tqdm.auto import tqdm

    silent = not progress or bool(os.environ.get("TQDM_DISABLE")) or processes()[0] != 0
    with tqdm(total=steps, initial=training.step, delay=1, disable=silent, leave=False, unit="step") as bar:
        while training.step < steps:
            yield training.step
            last = training.losses[-20:]
            bar.set_postfix_str(f"loss {sum(last) / len(last):.4f}", refresh=False)
            bar.update()


class Diary:
    """Watches a fit: the losses, and pictures of what the model makes meanwhile.

        diary = Diary(model, "a sks cat at the temple", every=50, show=lambda diary: print(sorted(diary.samples)))
        fit_dreambooth(..., watch=diary)
        diary.losses, diary.samples

    every: steps from one picture to the next. show: called with the diary after each picture, to draw it anew; an error
    in it is a warning, since a fit must not end because something could not be drawn.
    """

    @entrance
    def __init__(self, model: Generator, prompt: Prompt, every: AtLeastOne = 50, seed: Seed = 0,
                 show: Callable[[Diary], object] | None = None, **knobs: Any) -> None:
        """Pictures of `prompt` from `seed`; `knobs` (steps, guidance) as for `model.generate`."""
        if not callable(show) and show is not None:
            raise TypeError(f"show is {shown(show)}; expected a function that is called with the diary.")
        self.model: Any = model
        self.prompt, self.every, self.seed, self.show, self.knobs = prompt, every, seed, show, knobs
        self.losses: list[float] = []
        self.samples: dict[int, Any] = {}

    def __call__(self, step: int, loss: float, weights: Weights | None = None, **_: Any) -> None:
        """One step is done."""
        self.losses.append(loss)
        if weights is None or step % self.every:
            return
        with weights.on(self.model):
            self.samples[step] = self.model.generate(self.prompt, seed=self.seed, progress=False, **self.knobs)[0]
        if self.show is not None:
            try:
                self.show(self)
            except Exception as error:
                warnings.warn(f"The diary's `show` failed ({error!r}); the fit goes on.", stacklevel=2)
