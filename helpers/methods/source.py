"""Where an edit starts: the way through noise that led to a picture, so that it can be walked again.

    source = generated(model, "a red cat on the beach", seed=7)       a picture the model makes itself
    source = helpers.methods.inversion.direct(model, picture, prompt)         a picture that is given

Every inversion returns a `Source`; `prompt_to_prompt` and the other methods take one. Saved as safetensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.core.diffusion import denoise
from helpers.core.files import damaged, load_tensors, required, save_tensors
from helpers.core.interface import Model, Progress, Text, Watch, ignore
from helpers.core.randomness import noise
from helpers.core.shapes import Latents, States
from helpers.core.tensors import times
from helpers.core.values import Guidance, Kind, Number, Prompt, Seed, Steps, known, path, shown, text
from helpers.methods.contract import OWN, method

#: what stands in a file beside the tensors
READ = {"prompt": Kind(text), "steps": Number(1, 1000, whole=True), "guidance": Number(-1000, 1000),
        "eta": Number(0, 1), "times": Kind(times)}
RENAMED = {"empties": "uncond_embeddings", "noises": "variance_noise"}  # tensors of files written by version 0.1


@known("a Source: make one with helpers.inversion, or with helpers.methods.source.generated")
@dataclass(frozen=True, eq=False)
class Source:
    """A picture's trajectory under one model.

    prompt: what the picture shows, P.
    steps: N, the steps from pure noise to clean that `times` was made with.
    guidance: with which it was walked; also what an edit of it uses unless told otherwise.
    times: n + 1 times, noisy first, CLEAN last; n < N where the way starts at less than pure noise.
    trajectory: the state at each of the times; the last is the clean latent. float32, on the CPU.
    fingerprint: of the model that made it.
    uncond_embeddings: what stands for the empty prompt at each step (null-text inversion), or at all of them; None for
        the model's own.
    variance_noise: what each step adds to the DDIM step with `eta` (edit-friendly inversion); None for nothing.
    eta: how much of the noise each step of the walk leaves to `variance_noise`; 0 is DDIM, 1 is DDPM.
    pooled: what stands for the empty prompt's pooled vector (SDXL, negative-prompt inversion); None for the
        model's own.
    pinned: whether the source row is put back on the trajectory after each step, wherever the model would have led it
        (direct inversion); else the trajectory is where the model leads.
    """

    prompt: str
    steps: int
    guidance: float
    times: tuple[int, ...]
    trajectory: States
    fingerprint: str
    uncond_embeddings: Float[Tensor, "steps_or_1 n d"] | None = None
    variance_noise: Float[Tensor, "steps C h w"] | None = None
    eta: float = 0.0
    pooled: Float[Tensor, "1 p"] | None = None
    pinned: bool = False

    def check_whole(self) -> None:
        """ValueError where its parts do not fit each other, or hold numbers that are not finite."""
        n = len(self.times) - 1
        parts = {"trajectory": (4, (n + 1,)), "uncond_embeddings": (3, (1, n)), "variance_noise": (4, (n,)),
                 "pooled": (2, (1,))}
        for name, (dimensions, lengths) in parts.items():
            value = getattr(self, name)
            if value is not None and (value.ndim != dimensions or len(value) not in lengths):
                raise ValueError(f"{name} is {tuple(value.shape)}, which does not fit {n} steps")
            if value is not None and not value.isfinite().all():
                raise ValueError(f"{name} holds numbers that are not finite")
        if list(self.times) != sorted(set(self.times), reverse=True) or n > self.steps:
            raise ValueError(f"its times do not go down in at most {shown(self.steps)} steps")

    def __repr__(self) -> str:
        """What it is, without the numbers."""
        size = " x ".join(map(str, self.trajectory.shape[1:]))
        return f"Source({self.prompt!r}, {len(self.times) - 1} of {self.steps} steps, latents of {size})"

    def save(self, file: str | Path) -> None:
        """Writes a .safetensors file, whole or not at all."""
        metadata = {"prompt": self.prompt, "steps": self.steps, "guidance": self.guidance, "times": self.times,
                "fingerprint": self.fingerprint, "eta": self.eta, "pinned": self.pinned}
        tensors = {"trajectory": self.trajectory, "uncond_embeddings": self.uncond_embeddings,
                   "variance_noise": self.variance_noise,
                   "pooled": self.pooled}
        save_tensors(path("file", file), "source", {k: v for k, v in tensors.items() if v is not None}, metadata)

    @classmethod
    def load(cls, file: str | Path) -> Source:
        """Reads what `save` wrote; ValueError if the file is something else."""
        file = path("file", file)
        tensors, metadata = load_tensors(file, "source")
        required(file, metadata, prompt=str, steps=int, guidance=(int, float), times=list, fingerprint=str,
                 eta=(int, float), pinned=bool)
        if odd := [name for name, value in tensors.items() if not value.is_floating_point()]:
            raise damaged(Path(file), f"{odd[0]} is of a wrong dtype")
        named: dict[str, Any] = {RENAMED.get(name, name): value.float() for name, value in tensors.items()}
        try:
            read = {name: kind(name, metadata[name]) for name, kind in READ.items()}
            source = cls(**metadata | read | {"times": tuple(read["times"])}, **named)
            source.check_whole()
            return source
        except (TypeError, ValueError) as error:
            raise damaged(Path(file), str(error)) from error


@method
def generated(model: Model, prompt: Prompt, *, seed: Seed = 0, steps: Steps = OWN,
              guidance: Guidance = OWN, size: int | tuple[int, int] | None = None, progress: Progress = True,
              watch: Watch = ignore) -> Source:
    """The way of a picture that the model makes itself: the picture is `model.generate(prompt, seed, ...)`."""
    times = model.times(steps)
    x = noise(seed, model.shape(1, size)).to(model.device)
    states = [x]

    def keep(**told: Any) -> None:
        states.append(told["x"])
        watch(**told)

    denoise(model, x, model.embed(prompt), times, guidance, keep, progress)
    return Source(prompt, steps, guidance, tuple(times), torch.cat(states).float().cpu(), model.fingerprint)


def text_at(source: Source, text: Text, i: int) -> Text:
    """`text` with what stands for its empty prompts at step i of `source`; as it is where the model's own do."""
    own = text.unconditional()
    if source.uncond_embeddings is None:
        return text
    fitted = source.uncond_embeddings[i if len(source.uncond_embeddings) > 1 else 0]
    words = fitted.to(own.embeddings).expand_as(own.embeddings)
    pooled = own.pooled
    if pooled is not None and source.pooled is not None:
        pooled = source.pooled.to(pooled).expand_as(pooled)
    return Text(text.embeddings, text.pooled, Text(words, pooled))


def step_at(source: Source, model: Model, x: Latents, eps: Latents, i: int) -> Latents:
    """Step i of `source` for any rows `x`: the DDIM step with its eta, and what the source adds."""
    x = model.step(x, eps, source.times[i], source.times[i + 1], source.eta)
    return x if source.variance_noise is None else x + source.variance_noise[i].to(x)


def check_source(source: Source, model: Model, steps: int | None = None,
                 size: int | tuple[int, int] | None = None) -> None:
    """A ValueError that says what differs, if `source` was made with another model, other steps or another size."""
    if not isinstance(source, Source):
        raise TypeError(f"The source is {shown(source)}; expected a Source: make one with helpers.inversion, or with "
                        "helpers.methods.source.generated.")
    if source.fingerprint != model.fingerprint:
        raise ValueError("This source was made with another model, or its weights have changed since: make it again.")
    if not torch.isfinite(source.trajectory).all():
        raise ValueError("This source holds numbers that are not finite (nan): make it again.")
    if steps is not None and steps != source.steps:
        raise ValueError(f"steps is {steps}, and the source was made with {source.steps}: use the same for both.")
    own = tuple(source.trajectory.shape[1:])
    if size is not None and own != (asked := tuple(model.shape(1, size)[1:])):
        raise ValueError(f"The source has latents {own}; a picture of size {size} has {asked}: use the same size for "
                         "both.")
