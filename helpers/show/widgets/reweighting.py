"""A slider for each word, and the picture follows: pictures made beforehand, no kernel needed.

    made = show.reweighted(model, "a cat with fluffy fur in a crowded street", ["fluffy", "crowded"], seed=7)
    show.reweighter(made, alt="a cat, with more or less fluffy and crowded - notice that the cat stays")

`show.reweighting_live` is the same panel with a kernel, for weights in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from PIL import Image

from helpers.attention.control import some_texts
from helpers.attention.edits import model_tokens
from helpers.core.interface import Model, Progress
from helpers.core.values import Prompt, Width, entrance, known, listed, number, text
from helpers.core.words import tokens_of
from helpers.methods.prompt_to_prompt import Recorded, prompt_to_prompt, recorded
from helpers.methods.source import Source
from helpers.show.figure import checked
from helpers.show.markup import Html, captioned, framed, name_of

WEIGHTS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # the paper's c goes from -2 to 2
MOST = 64  # pictures made beforehand
AT_ONCE = 8  # targets in one batch
THUMBNAIL = 96  # CSS pixels
LOOKS = ("seed", "steps", "guidance", "size")  # knobs of the source, if it is a prompt


@known("what show.reweighted(model, prompt, words) returns")
@dataclass(frozen=True)
class Reweighted:
    """A picture for every mix of weights.

    prompt: the words' prompt. weights: the weights of each word, in rising order. source: the picture without an edit.
    pictures: in the order of `mixes`.
    """

    prompt: str
    weights: Mapping[str, tuple[float, ...]]
    source: Image.Image
    pictures: tuple[Image.Image, ...]

    def __repr__(self) -> str:
        return f"<{len(self.pictures)} pictures of {self.prompt!r}, weights of {', '.join(self.weights)}>"

    @property
    def mixes(self) -> list[dict[str, float]]:
        """The weight of each word, for each picture; the last word's changes fastest."""
        return mixes_of(self.weights)

    def of(self, weights: Mapping[str, float]) -> Image.Image:
        """The picture of these weights; ValueError that lists them if it was not made."""
        if weights not in self.mixes:
            listed = "; ".join(f"{word}: {', '.join(map(plain, values))}" for word, values in self.weights.items())
            raise ValueError(f"No picture was made for {dict(weights)}; there is one for each mix of {listed}.")
        return self.pictures[self.mixes.index(dict(weights))]


@entrance
def reweighted(
    model: Model,
    source: str | Source | Recorded,
    weights: str | Sequence[str] | Mapping[str, Sequence[float]],
    *,
    target: Prompt | None = None,
    progress: Progress = True,
    **knobs: Any,
) -> Reweighted:
    """Make the picture of every mix of the words' weights; the source runs once.

    weights: words of the prompt, each with -2, -1, 0, 1 and 2; or the weights of each word. At most 64 mixes.
    target: the prompt of the words; the source's own unless given.
    knobs: seed, steps, guidance, size of a source that is a prompt; the others of `prompt_to_prompt`.
    Raises ValueError for a word that is not in the prompt, for no words, and for too many mixes.
    """
    chosen = chosen_weights(weights)
    prompt = target or prompt_of(source)
    for word in chosen:
        tokens_of(model_tokens(model, prompt), word)
    mixes, looks = mixes_of(chosen), {name: knobs.pop(name) for name in LOOKS if name in knobs}
    known = source if isinstance(source, Recorded) else recorded(model, source, progress=progress, **looks)
    first: Any = None
    made: list[Image.Image] = []
    for start in range(0, len(mixes), AT_ONCE):
        batch = mixes[start : start + AT_ONCE]
        first, *edited = prompt_to_prompt(model, known, [prompt] * len(batch), weights=batch, progress=progress,
                                          **knobs)
        made += edited
    return Reweighted(prompt, chosen, first, tuple(made))


def chosen_weights(weights: str | Sequence[str] | Mapping[str, Sequence[float]]) -> dict[str, tuple[float, ...]]:
    """The weights of each word, in rising order; ValueError for none and for more than MOST mixes."""
    if not isinstance(weights, Mapping):
        weights = dict.fromkeys(some_texts("weights", weights), WEIGHTS)
    several = {text("A word", word): listed(f"weights[{word!r}]", its, "a list of weights", empty=True)
               for word, its in weights.items()}
    chosen = {word: tuple(sorted({number(f"weights[{word!r}]", c) for c in its})) for word, its in several.items()}
    if not chosen or not all(chosen.values()):
        raise ValueError('There is nothing to weigh: name at least one word and one weight, {"fluffy": [0, 1, 2]}.')
    if (count := prod(map(len, chosen.values()))) > MOST:
        raise ValueError(f"{count} mixes of weights are too many to make beforehand (at most {MOST}): give fewer "
                         "weights, or use show.reweighting_live.")
    return chosen


def mixes_of(weights: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Every mix of one weight for each word."""
    return [dict(zip(weights, mix, strict=True)) for mix in product(*weights.values())]


def prompt_of(source: str | Source | Recorded) -> str:
    """The prompt of a source of any kind."""
    way = source.source if isinstance(source, Recorded) else source
    return way.prompt if isinstance(way, Source) else text("source", way)


@entrance
def reweighter(made: Reweighted, *, alt: str, width: Width = 224) -> Html:
    """The picture without an edit, and beside it the picture of the weights that the sliders choose.

    alt: what the pictures show - what to notice. width: of one picture, in CSS pixels.
    """
    alt = checked(alt)
    shown = [(made.source, "without an edit", f"without an edit: {made.prompt}")]
    shown += [(picture, told(mix), told(mix)) for picture, mix in zip(made.pictures, made.mixes, strict=True)]
    strip = "".join(captioned(small(picture, width), f"{alt}: {what}", caption, THUMBNAIL, "webp")
                    for picture, what, caption in shown)
    axes = json.dumps(list(made.weights.items())).replace("<", "\\u003c").replace("&", "\\u0026")
    inside = f'{strip}<script type="application/json">{axes}</script>'
    name = f"{name_of('reweighter', alt, made.prompt, made.weights, width)}-{2 * width + 12}"
    return Html(framed("reweighter", name, inside, alt), f"<reweighter: {made.prompt}, {', '.join(made.weights)}>")


def small(picture: Image.Image, width: int) -> Image.Image:
    """The picture, no wider than `width`: of large pictures there may be 64 on a page."""
    return picture if picture.width <= width else picture.resize((width, round(width * picture.height / picture.width)))


def told(mix: Mapping[str, float]) -> str:
    """A mix of weights in words."""
    return ", ".join(f"{word} \u00d7\u00a0{plain(c)}" for word, c in mix.items())


def plain(c: float) -> str:
    """A weight as short as it can be told, with a proper minus."""
    return f"{c:g}".replace("-", "\u2212")
