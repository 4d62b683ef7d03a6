"""A fit as it goes: what the model makes meanwhile, and the loss, in one figure that is drawn anew.

    diary = show.diary(model, "a sks cat at the temple", every=25, alt="...")
    fit_dreambooth(..., watch=diary)

The figure stands below the cell before the fit begins, with what the model makes by then, and keeps its size: the page
does not jump while it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np

from helpers.core.interface import Picture, Text
from helpers.core.values import Number, Seed, entrance, text
from helpers.core.warn import heard
from helpers.finetuning.log import Diary
from helpers.finetuning.weights import Weights
from helpers.show.figure import LINE, Figure, Page, checked
from helpers.show.palette import FAINT, look
from helpers.show.picture_figures import GAP, WIDEST, cell_size
from helpers.show.widgets.running import named

PLACES, SIDE = 6, 112  # pictures in the row, and pixels of one; of more, the first and the last and some between
LEFT, HEIGHT, BELOW = 70, 130, 44  # pixels beside, of and below the curve
MEAN = 10  # steps whose mean is a point of the curve

Every = Annotated[int, Number(1, 10**9, whole=True, hint="steps from one picture to the next")]


@entrance
def diary(model: Any, prompt: str | Text, *, alt: str, every: Every = 25, seed: Seed = 0,
          beside: Mapping[str, Picture] | None = None, **knobs: Any) -> Diary:
    """A `Diary` to give to a fit as `watch=`, whose figure a notebook draws anew after every picture.

    prompt: what the pictures show, a text or an embedding (e_opt of Imagic). every: steps from one to the next.
    alt: what the figure shows when the fit is done.
    beside: a picture to compare them with, at the right, by its label: {"as wished": picture}.
    knobs: steps and guidance of the pictures, as for `model.generate`.
    """
    prompt = prompt if isinstance(prompt, Text) else text("prompt", prompt)
    written = Diary(model, prompt, every, seed, None, **knobs)
    compared = named(beside) if beside else {}
    with heard():  # a word that is to be learnt means nothing yet
        written.look(0, Weights({}))
    written.show = partial(draw_anew, Screen(), beside=compared, alt=checked(alt))
    written.show(written)
    return written


class Screen:
    """One place below a cell whose content changes; nothing outside of a notebook."""

    def __init__(self) -> None:
        """The place is below the cell that shows it first."""
        self.place: Any = None

    def put(self, figure: Figure) -> None:
        """This figure in the place of the one before."""
        from helpers.show.errors import running_shell

        if running_shell() is None:
            return
        from IPython.display import display

        if self.place is None:
            self.place = display(figure, display_id=True)
        else:
            self.place.update(figure)


def draw_anew(screen: Screen, diary: Diary, *, alt: str, beside: Mapping[str, Any]) -> None:
    """The diary's figure as it is now."""
    screen.put(fit_so_far(diary.samples, diary.losses, alt=alt, beside=beside))


def fit_so_far(samples: Mapping[int, Any], losses: Sequence[float], *, alt: str,
               beside: Mapping[str, Any] = MappingProxyType({})) -> Figure:
    """The samples of a fit in a row, by the step they were made after, and its losses below; always of one size."""
    steps = spread(sorted(samples), PLACES)
    size = cell_size([list(samples.values())], PLACES + 1, WIDEST - LEFT, SIDE)
    step, top = size[0] + GAP, size[1] + LINE + 3 * GAP
    page = Page(LEFT + (PLACES + 1) * step - GAP, top + HEIGHT + BELOW)
    row = {i: (f"after {n} steps" if n else "before", samples[n]) for i, n in enumerate(steps)}
    row |= dict(zip([PLACES], beside.items(), strict=False))
    for i, (label, picture) in row.items():
        page.place(picture, LEFT + i * step, 0, size)
        page.words(label, LEFT + i * step + size[0] / 2, size[1] + 3)
    axes = page.axes(LEFT, top, PLACES * step - GAP, HEIGHT)
    draw_losses(axes, losses)
    return page.finish(alt)


def draw_losses(axes: Any, losses: Sequence[float]) -> None:
    """Each step's loss, pale, and the means of ten."""
    style = look(0)
    x = np.arange(1, len(losses) + 1)
    axes.plot(x, losses, ".", color=FAINT, markersize=3)
    means = [float(np.mean(losses[i : i + MEAN])) for i in range(0, len(losses) - MEAN + 1, MEAN)]
    axes.plot([MEAN * i + (MEAN + 1) / 2 for i in range(len(means))], means, color=style.color, marker=style.marker)
    axes.set_xlim(0, max(MEAN, len(losses)) + 1)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("loss", fontsize=9)
    axes.set_xlabel(f"step; the line: means of {MEAN} steps", fontsize=10)


def spread(steps: list[int], most: int) -> list[int]:
    """At most `most` of the steps, evenly spread, the first and the last among them."""
    if len(steps) <= most:
        return steps
    return [steps[round(i * (len(steps) - 1) / (most - 1))] for i in range(most)]
