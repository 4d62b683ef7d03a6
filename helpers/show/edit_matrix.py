"""An edit of attention drawn as a picture: its matrix A and its vector b at one step.

    show.matrix(replace(model, P, P_star), alt="a word swap as a matrix - notice where car stands")
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from jaxtyping import Float

from helpers.attention.edits import Edit
from helpers.core.values import Number, Prompt, entrance
from helpers.core.words import Tokens
from helpers.show.figure import TEXT, Figure, Page, checked
from helpers.show.palette import AMOUNT, FAINT, INK

Gone = Annotated[float, Number(0, 1, below=True, hint="how much of the steps is gone")]
CELL = 40  # pixels
ROOM = 100  # pixels for the words at the left and above
MARKS = {"<|startoftext|>": "(start)", "<|endoftext|>": "(end)"}


@entrance
def matrix(edit: Edit, *, alt: str, share: Gone = 0.0, caption: Prompt = "") -> Figure:
    """A row for each token of P, a column for each of P*: how much of the row's map goes to the column; below it b.

    share: of the steps gone, in [0, 1); an edit that is scheduled is another one at another time. Padding is left out.
    """
    alt = checked(alt)
    piece = max(i for i, start in enumerate(edit.starts) if start <= share)
    columns = names(edit.target)
    rows = columns if edit.source is None else names(edit.source)
    A, b = edit.A[piece, : len(rows), : len(columns)].numpy(), edit.b[piece, : len(columns)].numpy()
    width, height = CELL * len(columns), CELL * len(rows)
    page = Page(ROOM + width, ROOM + height + 2 * CELL)
    above = draw(page.axes(ROOM, ROOM, width, height), A, rows)
    above.xaxis.tick_top()
    above.set_xticks(range(len(columns)), columns, rotation=60, ha="left", rotation_mode="anchor", parse_math=False)
    below = draw(page.axes(ROOM, ROOM + height + CELL, width, CELL), b[None], ["b"])
    below.set_xticks([])
    page.words("A", 0, ROOM + height / 2, align="left", weight="bold")
    return page.finish(checked(alt), caption)


def names(tokens: Tokens) -> list[str]:
    """The prompt's tokens as a reader knows them, the two special tokens included."""
    return [MARKS.get(text, text.removesuffix("</w>")) for text in tokens.texts]


def draw(axes: Any, values: Float[np.ndarray, "h w"], rows: list[str]) -> Any:
    """Numbers as squares, each with its number; zeros stay white."""
    top = max(1.0, float(np.abs(values).max()))
    shown = np.ma.masked_equal(values, 0)
    axes.imshow(shown, cmap=AMOUNT, vmin=min(0.0, float(values.min())), vmax=top, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if value:
            axes.text(j, i, f"{value:.2g}", ha="center", va="center", fontsize=TEXT,
                      color="black" if value > 0.6 * top else "white")
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    axes.set_xticks(np.arange(values.shape[1]))
    axes.grid(False)
    for line in np.arange(0.5, values.shape[1] - 0.5):
        axes.axvline(line, color=FAINT, alpha=0.3, linewidth=0.8)
    for line in np.arange(0.5, values.shape[0] - 0.5):
        axes.axhline(line, color=FAINT, alpha=0.3, linewidth=0.8)
    axes.tick_params(length=0, labelsize=TEXT, colors=INK)
    for rim in axes.spines.values():
        rim.set_visible(True)
    return axes
