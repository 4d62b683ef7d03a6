"""A source's queries and keys, kept so that a further edit need not run the source again."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from helpers.core.words import Tokens


@dataclass
class Recording:
    """The source's queries and keys at each site, so that a further edit need not run the source again.

    tokens: of the source prompt. up_to: shorter side of the largest grid whose self-attention was recorded.
    grid: (h, w) of the latent. kept: queries (1, heads, pixels, d) and keys of each layer and step, where the model is.
    """

    tokens: Tokens
    up_to: int
    grid: tuple[int, int] | None = None
    kept: dict[tuple[str, int], tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory it takes; keys that do not change from step to step are counted once."""
        return sum({part.data_ptr(): part.nbytes for pair in self.kept.values() for part in pair}.values())

    def add(self, layer: str, cross: bool, step: int, q: Tensor, k: Tensor) -> None:
        """Keep one layer's queries and keys; those of cross-attention depend on the prompt alone and are kept once."""
        first = next((pair for (name, _), pair in self.kept.items() if name == layer), None) if cross else None
        self.kept[layer, step] = (q.clone(), first[1] if first else k.clone())

    def at(self, layer: str, step: int) -> tuple[Tensor, Tensor]:
        """Queries and keys of a layer at a step."""
        if (layer, step) not in self.kept:
            raise ValueError(f"The recorded source has no step {step} of {layer}: record it with the edit's steps.")
        return self.kept[layer, step]
