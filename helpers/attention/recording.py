"""A source's queries and keys, kept so that a further edit need not run the source again."""

from __future__ import annotations

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from helpers.core.shapes import Heads
from helpers.core.values import known
from helpers.core.words import Tokens


@known("a recording of attention: Recording(model.tokens(prompt), up_to)")
@dataclass
class Recording:
    """The source's queries and keys at each site, so that a further edit need not run the source again.

    tokens: of the source prompt. up_to: shorter side of the largest grid whose self-attention was recorded.
    steps: N of the sampler that was recorded. times: the time of each step that was.
    values: whether the values of self-attention are kept, too (for an edit that asks for the source's).
    grid: (h, w) of the latent. kept: queries, keys and perhaps values of each layer and step, on the model's device.
    """

    tokens: Tokens
    up_to: int
    values: bool = False
    grid: tuple[int, int] | None = None
    steps: int | None = None
    times: dict[int, int] = field(default_factory=dict)
    kept: dict[tuple[str, int], tuple[Heads, ...]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory it takes; keys that do not change from step to step are counted once."""
        return sum({part.data_ptr(): part.nbytes for pair in self.kept.values() for part in pair}.values())

    def add(self, layer: str, cross: bool, step: int, q: Float[Tensor, "1 heads L d"],
            k: Float[Tensor, "1 heads n d"], *v: Float[Tensor, "1 heads n d"]) -> None:
        """Keep one layer's queries, keys (of cross-attention once: they depend on the prompt alone) and values."""
        first = next((pair for (name, _), pair in self.kept.items() if name == layer), None) if cross else None
        self.kept[layer, step] = (q.clone(), first[1] if first else k.clone(), *(part.clone() for part in v))

    def begin_call(self, grid: tuple[int, int], steps: int, step: int, t: int) -> None:
        """A call of the network is about to be recorded; what was recorded with other steps or sizes is forgotten."""
        if (self.grid, self.steps) != (grid, steps):
            self.kept, self.times = {}, {}
        self.grid, self.steps = grid, steps
        self.times[step] = t

    def check(self, grid: tuple[int, int], steps: int, step: int, t: int) -> None:
        """ValueError unless it was recorded on latents of `grid`, and at this step, of as many steps, at time t."""
        if self.steps != steps:
            made = "nothing yet" if self.steps is None else f"{self.steps} steps"
            raise ValueError(f"The source's attention was recorded with {made}, and the edit makes {steps}: use the "
                             "same number for both.")
        if self.grid != grid:
            raise ValueError(f"The source was recorded with latents of {self.grid}, not {grid}.")
        if self.times.get(step) != t:
            raise ValueError(f"The recorded source has no step {step} at time {t}: record it with the edit's steps.")
