"""Attention maps of words: `AttentionStore` adds them up as the processor hands them over, and gives their means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Annotated, Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.attention.edits import UP_TO
from helpers.core.shapes import Map
from helpers.core.values import Flag, Kind, Number, Prompt, entrance, known, listed, number, text
from helpers.core.words import Tokens, tokens_of

Maps = Float[Tensor, "prompts 2 words h w"]  # before and after the edit


def as_grid(name: str, value: Any) -> tuple[int, int]:
    """(h, w) of a map, from two whole numbers."""
    sides = listed(name, value, "the height and the width of a map: (16, 16)")
    if len(sides) != 2:
        raise ValueError(f"{name} has {len(sides)} numbers; expected the height and the width of a map: (16, 16).")
    h, w = (number(name, side, 1, whole=True) for side in sides)
    return h, w


def as_grids(name: str, value: Any) -> list[tuple[int, int]]:
    """The grids of a list."""
    return [as_grid(f"{name}[{i}]", one) for i, one in enumerate(listed(name, value, "a list of grids: [(16, 16)]"))]


Grid = Annotated[tuple[int, int], Kind(as_grid)]
Grids = Annotated[Sequence[tuple[int, int]], Kind(as_grids)]
Row = Annotated[int, Number(whole=True)]


class Site(NamedTuple):
    """Where and when attention happens; None stands for an average over all layers, or all steps.

    grid: (h, w), need not be square. step: 0 is the noisiest of the N steps; told by the sampler through the time.
    """

    layer: str | None
    grid: tuple[int, int]
    step: int | None


@known("a store of maps: AttentionStore(['cat'])")
@dataclass
class AttentionStore:
    """Maps to be watched: of these words, on these grids, in these layers; averaged on the fly, in float32.

    words: words or phrases of the prompts; a map is the share of attention that all tokens of the word get together.
    grids: (h, w) of the maps; all the model has unless given. layers: starts of layers' names; all unless given.
    keep_separate: "step", "layer", or both are kept separate instead of averaged. Without "step" the memory
        does not depend on the number of steps.

    Filled by `attention(..., store=store)`; `store.of(word)` can be read at any time, also between steps.
    """

    words: Sequence[str]
    grids: Sequence[tuple[int, int]] | None = None
    layers: str | Sequence[str] | None = None
    keep_separate: str | Collection[str] = ()
    prompts: tuple[Tokens, ...] = ()
    sums: dict[Site, Maps] = field(default_factory=dict)
    counts: dict[Site, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.words = named("words", self.words, "a word or a list of words")
        self.grids = None if self.grids is None else as_grids("grids", self.grids)
        self.layers = None if self.layers is None else named("layers", self.layers, "starts of layers' names")
        self.keep_separate = named("keep_separate", self.keep_separate, "'step', 'layer', or both")
        if strange := set(self.keep_separate) - {"step", "layer"}:
            raise ValueError(f"keep_separate has {sorted(strange)}; expected 'step', 'layer', or both.")

    @entrance
    def of(self, word: Prompt, grid: Grid | None = None, *, prompt: Row = -1, before: Flag = False,
           step: Row | None = None, layer: Prompt | None = None) -> Map:
        """The map of a word, float32 on the CPU, each pixel the share of its attention that the word gets.

        grid: may be left out if only one was watched. prompt: 0 is the source, 1 the first target, -1 the last.
        before: the target's own map, as it was before the edit. step, layer: if these were kept separate.
        """
        if word not in self.words:
            raise ValueError(f"{word!r} was not watched; watched were: {', '.join(self.words) or 'no words'}.")
        if not self.sums:
            raise ValueError("Nothing has been watched yet: run the model inside `with attention(model, store=...)`.")
        if not -len(self.prompts) <= prompt < len(self.prompts):
            raise ValueError(f"prompt is {prompt}; {len(self.prompts)} were watched: give 0 for the source, 1 for the "
                             "first target, -1 for the last.")
        tokens_of(self.prompts[prompt], word)
        return self.map(word, grid, prompt, before, step, layer).cpu()

    def map(self, word: str, grid: tuple[int, int] | None, prompt: int, before: bool, step: int | None = None,
            layer: str | None = None) -> Map:
        """As `of`, on the model's device; all 0 where the prompt has no such word."""
        chosen = self._chosen(grid, step, layer)
        mean = reduce(torch.add, (self.sums[site] for site in chosen)) / sum(self.counts[site] for site in chosen)
        return mean[prompt, 0 if before else 1, self.words.index(word)]

    def _chosen(self, grid: tuple[int, int] | None, step: int | None, layer: str | None) -> list[Site]:
        found = [site for site in self.sums if (grid is None or site.grid == tuple(grid))
                 and step in (None, site.step) and layer in (None, site.layer)]
        if not found:
            listed = f"grids {self.seen_grids}, steps {self.seen_steps}, layers {list(self.seen_layers)}"
            raise ValueError(f"No map of grid {grid}, step {step}, layer {layer} was watched; there are: {listed}. "
                             "Steps and layers are there only if kept separate.")
        if len({site.grid for site in found}) > 1:
            raise ValueError(f"Several grids were watched; choose one: {self.seen_grids}.")
        return found

    @property
    def seen_grids(self) -> list[tuple[int, int]]:
        """Grids that were watched, finest first."""
        return sorted({site.grid for site in self.sums}, reverse=True)

    @property
    def seen_steps(self) -> list[int]:
        """Steps that were kept separate."""
        return sorted({site.step for site in self.sums if site.step is not None})

    @property
    def seen_layers(self) -> dict[str, tuple[int, int]]:
        """Layers that were kept separate, with their grids, in the order of the network."""
        return {site.layer: site.grid for site in self.sums if site.layer is not None}

    def begin(self, prompts: tuple[Tokens, ...]) -> None:
        """Forget what was seen; watch these prompts. ValueError if a word is in none of them."""
        if not prompts:
            raise ValueError("Name the prompts of the batch's last rows: attention(model, store=..., prompts=[...]).")
        self.prompts, self.sums, self.counts = prompts, {}, {}
        columns = [[column(tokens, word) for word in self.words] for tokens in prompts]
        for i, word in enumerate(self.words):
            if not any(row[i].any() for row in columns):
                tokens_of(prompts[-1], word)
        self.values = torch.stack([torch.stack(row, -1) for row in columns])  # (prompts, n, words)

    def wants(self, layer: str, grid: tuple[int, int]) -> bool:
        """Whether this layer's maps are watched."""
        here = self.layers is None or any(below(layer, start) for start in self.layers)
        return here and (self.grids is None or grid in [tuple(wanted) for wanted in self.grids])

    def add(self, site: Site, maps: Maps) -> None:
        """Add one layer's maps of one step."""
        layer, step = (
            (site.layer if "layer" in self.keep_separate else None),
            (site.step if "step" in self.keep_separate else None),
        )
        site = Site(layer, site.grid, step)
        self.sums[site] = self.sums[site].add_(maps) if site in self.sums else maps
        self.counts[site] = self.counts.get(site, 0) + 1


def named(name: str, value: Any, expected: str) -> list[str]:
    """One text or several, perhaps none, as a list."""
    several = [value] if isinstance(value, str) else sorted(value) if isinstance(value, set | frozenset) else value
    return [text(f"{name}[{i}]", one) for i, one in enumerate(listed(name, several, expected, empty=True))]


def finest_grid(grids: Sequence[tuple[int, int]], up_to: int = UP_TO) -> tuple[int, int]:
    """Of grids, finest first, the first whose shorter side is at most `up_to`, where things are told from textures."""
    return next((grid for grid in grids if min(grid) <= up_to), grids[-1])


def column(tokens: Tokens, word: str) -> Float[Tensor, " n"]:
    """1 at the word's tokens, 0 elsewhere; all 0 if the prompt has no such word."""
    values = torch.zeros(tokens.window)
    try:
        values[tokens_of(tokens, word)] = 1
    except ValueError:
        return values
    return values


def below(layer: str, start: str) -> bool:
    """Whether a layer is `start` or lies within it."""
    return layer == start or layer.startswith(start.rstrip(".") + ".")
