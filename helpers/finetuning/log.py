"""Watching a fit: progress, losses, and pictures of what the model makes meanwhile."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from collections.abc import Generator as Steps
from typing import Annotated, Any

from helpers.core.diffusion import denoise
from helpers.core.interface import Generator, Progress, Text, ignore
from helpers.core.progress import Bar
from helpers.core.randomness import noise
from helpers.core.surroundings import surroundings
from helpers.core.values import AtLeastOne, Kind, Seed, entrance, shown, text
from helpers.finetuning.adam import Training
from helpers.finetuning.loss import processes
from helpers.finetuning.weights import Weights


def steps_left(training: Training, steps: int, progress: Progress) -> Steps[int, None, None]:
    """The steps that are left, with a progress bar that tells the mean of the last losses."""
    with Bar(steps, progress if processes()[0] == 0 else False, start=training.step) as bar:
        while training.step < steps:
            yield training.step
            last = training.losses[-20:]
            bar.at(training.step, f"loss {sum(last) / len(last):.4f}")


def prompt_or_text(name: str, value: Any) -> str | Text:
    """A prompt, embedded or not."""
    return value if isinstance(value, Text) else text(name, value)


PromptOrText = Annotated[str | Text, Kind(prompt_or_text)]


class Diary:
    """Watches a fit: the losses, and pictures of what the model makes meanwhile.

        diary = Diary(model, "a sks cat at the temple", every=50, show=lambda diary: print(sorted(diary.samples)))
        fit_dreambooth(..., watch=diary)
        diary.losses, diary.samples

    In a notebook, `show.diary` shows them as they come.

    every: steps from one picture to the next. show: called with the diary after each picture, to draw it anew; an error
    in it is a warning, since a fit must not end because something could not be drawn.
    """

    @entrance
    def __init__(self, model: Generator, prompt: PromptOrText, every: AtLeastOne = 50, seed: Seed = 0,
                 show: Callable[[Diary], object] | None = None, **knobs: Any) -> None:
        """Pictures of `prompt` (or of an embedding) from `seed`; `knobs` (steps, guidance) as for `model.generate`."""
        if not callable(show) and show is not None:
            raise TypeError(f"show is {shown(show)}; expected a function that is called with the diary.")
        self.model: Any = model
        self.prompt, self.every, self.seed, self.show, self.knobs = prompt, every, seed, show, knobs
        self.losses: list[float] = []
        self.samples: dict[int, Any] = {}

    def __call__(self, step: int, loss: float, weights: Weights | None = None, **_: Any) -> None:
        """One step is done."""
        self.losses.append(loss)
        if weights is not None and step % self.every == 0:
            self.look(step, weights)

    def look(self, step: int, weights: Weights) -> None:
        """A picture of what the model makes with these weights, and shown."""
        with weights.on(self.model):
            self.samples[step] = self.sample()
        if self.show is not None:
            try:
                self.show(self)
            except Exception as error:
                warnings.warn(f"The diary's `show` failed ({error!r}); the fit goes on.", stacklevel=3)

    @surroundings(grad=False)
    def sample(self) -> Any:
        """What the model makes of the prompt as it is now."""
        if not isinstance(self.prompt, Text):
            return self.model.generate(self.prompt, seed=self.seed, progress=False, **self.knobs)[0]
        model, knobs = self.model, {"steps": self.model.steps, "guidance": self.model.guidance} | self.knobs
        x = noise(self.seed, model.shape(1)).to(model.device)
        x = denoise(model, x, self.prompt, model.times(knobs["steps"]), knobs["guidance"], ignore, False)
        return model.decode(x)[0]
