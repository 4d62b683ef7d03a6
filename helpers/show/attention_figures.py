"""What each word looked at during a generation or an edit: run it once, keep the maps, draw them.

    seen = show.attended(model, P, P_star, seed=7)
    show.attention_maps(seen, by="step", alt="where the words look - notice that the layout is there early")
    show.explorer(seen, alt="the words of both prompts and where they look - notice the car")

A map of a word is the share of its attention that each pixel gives to the word. Views: "source" is the source under P;
"before" is the target under P*, looking for itself; "after" is what the edit made of that, which the model used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float32
from PIL import Image

from helpers.attention.control import attention
from helpers.attention.edits import Edit
from helpers.attention.maps import AttentionStore, Grid, Grids, below, finest_grid
from helpers.core.interface import Generator, Picture, Progress
from helpers.core.pictures import Size, as_picture
from helpers.core.shapes import Array, MapArray
from helpers.core.values import AtLeastOne, Flag, OneOf, Prompt, Prompts, Seed, Steps, entrance, known, text
from helpers.core.words import answers, words_and_marks, words_of
from helpers.methods.prompt_to_prompt import Recorded, prompt_to_prompt
from helpers.methods.source import Source
from helpers.show.figure import Figure, checked
from helpers.show.palette import AMOUNT
from helpers.show.picture_figures import pictures as picture_grid

VIEWS = ("source", "before", "after")
LARGEST_GRID = 32  # shorter side; finer maps are left out unless asked for
OPACITY = 0.65  # of a map over its picture
SMALL = 96  # pixels; the side of a picture in a figure with many words


@dataclass(frozen=True)
class Part:
    """Maps of one layer, a row for each word of a view; layer is None for the mean over all layers of the grid."""

    layer: str | None
    grid: tuple[int, int]
    maps: Float32[np.ndarray, "rows steps h w"]


@known("what show.attended(model, prompt) returns")
@dataclass(frozen=True)
class Attended:
    """Pictures and the maps of their words, as `attended` makes them.

    prompts, pictures: (P,) or (P, P*). rows: (view, word) of each row of maps. parts: finest grid first.
    """

    prompts: tuple[str, ...]
    pictures: tuple[Image.Image, ...]
    rows: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]

    def __repr__(self) -> str:
        return f"<maps of {', '.join(self.words())}; {self.steps} steps; grids {self.grids}>"

    @property
    def steps(self) -> int:
        """How many steps there were; step 0 is the noisiest."""
        steps: int = self.parts[0].maps.shape[1]
        return steps

    @property
    def grids(self) -> list[tuple[int, int]]:
        """(h, w) of the maps, finest first."""
        return [grid for grid, _ in groupby(self.parts, key=lambda part: part.grid)]

    @property
    def views(self) -> list[str]:
        """("source",) of one prompt, all of VIEWS of two."""
        return [view for view in VIEWS if any(view == seen for seen, _ in self.rows)]

    def words(self, view: str | None = None) -> list[str]:
        """The words of one view, or all."""
        return list(dict.fromkeys(word for seen, word in self.rows if view in (None, seen)))

    def of(self, word: str, grid: tuple[int, int] | None = None, *, view: str | None = None, step: int | None = None,
           layer: str | None = None) -> MapArray:
        """The map of a word; the mean over the steps and the layers that are not named.

        grid: the finest whose shorter side is at most 16 unless given. view: the last one that has the word.
        layer: its name, or the start of several names ("up_blocks"), where layers were kept apart.
        Raises ValueError that lists what there is.
        """
        view = view or next((seen for seen, own in reversed(self.rows) if own == word), self.views[-1])
        inside = [part for part in self.parts if layer is None or (part.layer and below(part.layer, layer))]
        grids = [part.grid for part in inside]
        common = self.common_grid if self.common_grid in grids or not grids else grids[0]
        wanted = tuple(grid) if grid else common
        parts = [part for part in inside if part.grid == wanted]
        for name, value, found, there in (
            ("word", word, (view, word) in self.rows, self.words(view)),
            ("layer", layer, inside, [part.layer for part in self.parts]),
            ("grid", wanted, parts, list(dict.fromkeys(grids))),
            ("step", step, step is None or 0 <= step < self.steps, f"0 to {self.steps - 1}"),
        ):
            if not found:
                raise ValueError(f"There is no map of {name} {value!r} (view {view!r}); there are: {there}.")
        mean: Array = sum(part.maps[self.rows.index((view, word))] for part in parts) / len(parts)
        chosen: MapArray = mean.mean(0) if step is None else mean[step]
        return chosen

    @property
    def common_grid(self) -> tuple[int, int]:
        """The finest grid whose shorter side is at most 16, or the coarsest there is."""
        return finest_grid(self.grids)

    def picture(self, view: str) -> Image.Image:
        """The picture that a view belongs to."""
        return self.pictures[0 if view == "source" else 1]


@entrance
def attended(
    model: Generator,
    source: str | Source | Recorded,
    target: str | Edit | None = None,
    *,
    words: Prompts | None = None,
    grids: Grids | None = None,
    by_layer: Flag | None = None,
    seed: Seed = 0,
    steps: Steps | None = None,
    size: Size | None = None,
    progress: Progress = True,
    **knobs: Any,
) -> Attended:
    """Generate under `source`, and under `target` with `prompt_to_prompt` if there is one, and keep the words' maps.

    words: single words of either prompt; all of both unless given. grids: (h, w) of the maps; those whose shorter side
        is at most 32 unless given. by_layer: keep the layers apart, or their mean for each grid; apart for latents of
        up to 32 x 32 (Picturebook) unless given.
    knobs: guidance, and with a target all that `prompt_to_prompt` takes (cross_replace_steps, self_replace_steps, ...).
    Raises ValueError for a word that is in neither prompt, and for a model without cross-attention.
    """
    way = source.source if isinstance(source, Recorded) else source
    if target is None and not isinstance(way, str):
        raise ValueError("A source that is no prompt needs a target: give its own prompt to see it as it is.")
    prompts = [way.prompt if isinstance(way, Source) else text("source", way)]
    prompts += [] if target is None else [target.target.prompt if isinstance(target, Edit) else text("target", target)]
    latent = way.trajectory.shape[-2:] if isinstance(way, Source) else model.shape(1, size)[-2:]
    keep_separate = ("step", "layer") if (max(latent) <= LARGEST_GRID if by_layer is None else by_layer) else ("step",)
    grids = halved(*latent) if grids is None else grids
    look = AttentionStore(chosen_words(prompts, words), grids, keep_separate=keep_separate)
    knobs = {"seed": seed, "steps": steps, "size": size, "progress": progress, **knobs}
    if target is None:
        with attention(model, prompts=prompts[0], store=look, steps=steps):
            made = model.generate(prompts[0], **knobs)
    else:
        made = prompt_to_prompt(model, source, target, store=look, **knobs)
    return kept(look, prompts, made)


def chosen_words(prompts: Sequence[str], words: Sequence[str] | None) -> list[str]:
    """The words to watch, in lower case: those that were asked for, or all of the prompts."""
    if words is None:
        return list(dict.fromkeys(word for prompt in prompts for word in single_words(prompt)))
    for word in words:
        if len(words_of(word)) != 1:
            raise ValueError(f"{word!r} is not a single word: name the words one by one.")
        if not any(has(prompt, word) for prompt in prompts):
            listed = ", ".join(chosen_words(prompts, None))
            raise ValueError(f"{word!r} is in none of the prompts; their words are: {listed}.")
    return list(dict.fromkeys(words_of(word)[0] for word in words))


def single_words(prompt: str) -> list[str]:
    """The words of a prompt without its punctuation marks."""
    return [word.text for word in words_and_marks(prompt) if words_of(word.text)]


def has(prompt: str, word: str) -> bool:
    """Whether the word, in any case, is in the prompt."""
    return any(answers(word.lower(), found) for found in words_and_marks(prompt))


def halved(h: int, w: int) -> list[tuple[int, int]]:
    """The grids of a network that halves (h, w) again and again, up to LARGEST_GRID."""
    grids = [(-(-h // 2**k), -(-w // 2**k)) for k in range(8)]
    return [grid for grid in grids if min(grid) <= LARGEST_GRID]


def kept(look: AttentionStore, prompts: Sequence[str], made: Sequence[Image.Image]) -> Attended:
    """The look's maps, view by view; of a word only where its prompt has it."""
    views = [("source", 0, 1), ("before", 1, 0), ("after", 1, 1)][: 3 if len(prompts) == 2 else 1]
    rows = [(view, word, i, when) for view, i, when in views for word in look.words if has(prompts[i], word)]
    chosen = tuple(
        np.array(index) for index in zip(*((i, when, look.words.index(word)) for _, word, i, when in rows), strict=True)
    )
    parts = []
    sites = list(dict.fromkeys((site.layer, site.grid) for site in look.sums))
    for layer, grid in sorted(sites, key=lambda site: site[1], reverse=True):
        steps = [site for site in look.sums if (site.layer, site.grid) == (layer, grid)]
        maps = [
            (look.sums[site] / look.counts[site]).cpu().numpy()[chosen]
            for site in sorted(steps, key=lambda site: site.step or 0)
        ]
        parts.append(Part(layer, grid, np.stack(maps, 1)))
    return Attended(tuple(prompts), tuple(made), tuple((view, word) for view, word, *_ in rows), tuple(parts))


@entrance
def attention_maps(
    seen: Attended,
    words: Prompts | None = None,
    *, by: Annotated[str, OneOf("step", "grid", "view")] = "step", alt: str,
    view: Annotated[str, OneOf(*VIEWS)] | None = None, grid: Grid | None = None, most: AtLeastOne = 6,
    caption: Prompt = "",
) -> Figure:
    """A row for each word, its maps over the picture; below each map how large its largest share is.

    by: "step" has a column for each of at most `most` steps, "grid" one for each grid, "view" one for the source and
        for the target before and after the edit. The brightest colour is the largest share of each map itself.
    view, grid: as in `Attended.of`, for what the columns do not say.
    """
    alt, words = checked(alt), list(words or seen.words(view))
    all_columns: dict[str, Sequence[Any]] = {"step": evenly_spread(seen.steps, most), "grid": seen.grids,
                                             "view": seen.views}
    all_heads: dict[str, Callable[[Any], str]] = {"step": lambda i: f"step {i + 1} of {seen.steps}",
                                                  "grid": named_grid, "view": view_name}
    columns, heads = all_columns[by], all_heads[by]
    fixed = {"view": view, "grid": grid, "step": None}
    cells, labels = [], []
    for word in words:
        chosen = [{**fixed, by: column} for column in columns]
        row = [placed(seen, word, **choice) for choice in chosen]
        cells.append([cell and cell[0] for cell in row])
        labels += [f"up to {percent(cell[1])}" if cell else "" for cell in row]
    return picture_grid(
        cells,
        alt=alt,
        rows=words,
        columns=[heads(column) for column in columns],
        labels=labels,
        caption=caption,
        side=SMALL if len(words) > 4 else None,
    )


def placed(
    seen: Attended, word: str, view: str | None, grid: tuple[int, int] | None, step: int | None
) -> tuple[Image.Image, float] | None:
    """The picture with the word's map over it, and the map's largest share; None if the view has no such word."""
    if view is not None and word in seen.words() and word not in seen.words(view):
        return None
    shares = seen.of(word, grid, view=view, step=step)
    view = view or next(own for own, found in reversed(seen.rows) if found == word)
    return over(seen.picture(view), shares), float(shares.max())


def over(picture: Picture, shares: MapArray, side: int | None = None) -> Image.Image:
    """The picture in grey with a map over it; the brightest colour is the map's largest share."""
    from matplotlib import colormaps

    picture = as_picture(picture)
    size = picture.size if side is None else (side, max(1, round(side * picture.height / picture.width)))
    share = (shares / max(float(shares.max()), 1e-9)).clip(0, 1)
    colors = (colormaps[AMOUNT](share)[..., :3] * 255).round().astype(np.uint8)
    heat = Image.fromarray(colors).resize(size, Image.Resampling.NEAREST)
    return Image.blend(picture.resize(size).convert("L").convert("RGB"), heat, OPACITY)


def evenly_spread(count: int, most: int) -> list[int]:
    """At most `most` of the steps 0 ... count - 1, evenly spread, both ends included."""
    most = min(most, count)
    return [round(i * (count - 1) / max(1, most - 1)) for i in range(most)]


def named_grid(grid: tuple[int, int]) -> str:
    """A grid in words: height first, as in (h, w)."""
    return f"{grid[0]} \u00d7 {grid[1]}"


def view_name(view: str) -> str:
    """A view in words."""
    return {"source": "source", "before": "target, before the edit", "after": "target, after the edit"}[view]


def percent(share: float) -> str:
    """A share as a percentage with two digits that count."""
    return f"{100 * share:.0f}\u00a0%" if abs(share) >= 0.0995 else f"{100 * share:.1f}\u00a0%"
