"""Figures made of pictures: side by side, in a grid, over a knob's values, over time, with a mask, as a difference.

Every function takes pictures in any form `helpers.as_picture` takes, and returns a `Figure`. `alt` says what the
figure shows and, after a dash, what to notice; it is required.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from helpers.core.interface import Picture
from helpers.core.pictures import Read, Several, as_picture, no_strip, several
from helpers.core.shapes import Array
from helpers.core.values import AtLeastOne, Kind, Number, Numbers, Prompt, WrongKind, entrance, numbers, shown, text
from helpers.show.figure import LINE, Figure, Labels, Page, check_titles, checked, lines
from helpers.show.palette import AMOUNT, COLORS, FAINT, look
from helpers.show.recording import Recording

GAP = 8  # pixels between pictures
WIDEST = 1000  # pixels; what a notebook shows without shrinking it
SIDES = (256, 192, 160, 128, 96, 64)  # the widths a picture may be shown at, in pixels
IN_A_ROW = 6  # pictures, where the reader does not say
SCALES = (0.1, 0.25, 0.5, 1.0)  # the difference shown brightest


def series(name: str, value: Any) -> dict[str, Array]:
    """A list of numbers for each name."""
    if not isinstance(value, Mapping):
        raise WrongKind(f"{name} is {shown(value)}; expected a dict: a list of numbers for each name.")
    named = {text(f"A name in {name}", str(label)): each for label, each in value.items()}
    return {label: numbers(label, each) for label, each in named.items()}


Side = Annotated[int, Number(16, 2048, whole=True, hint="pixels")]
Series = Annotated[Mapping[str, Any], Kind(series)]  # in: Sequence[float] for each name; out: arrays


@entrance
def pictures(
    pictures: Several,
    *,
    alt: str,
    labels: Labels = (),
    columns: Labels = (),
    rows: Labels = (),
    caption: Prompt = "",
    side: Side | None = None,
) -> Figure:
    """A row of pictures, or a grid.

    pictures: a list of pictures, broken into rows of six or fewer; or a list of rows, each a list of pictures. A place
        in a grid stays empty where the picture is None.
    labels: a text below each picture (of all rows, in reading order). columns, rows: the grid's headings.
    side: the width of one picture in pixels; chosen to fit unless given.
    """
    alt, grid = checked(alt), as_grid(pictures)
    count = sum(map(len, grid))
    if labels and len(labels) != count:
        raise ValueError(f"{len(labels)} labels for {count} pictures: give one for each.")
    if rows and len(rows) != len(grid):
        raise ValueError(f"{len(rows)} names in `rows` for {len(grid)} rows: give one for each.")
    width = max(map(len, grid), default=0)
    margin = 110 if rows else 0
    size = cell_size(grid, width, WIDEST - margin, side)
    heads = [lines(text, size[0]) for text in columns]
    texts = iter([lines(text, size[0]) for text in labels] or [[]] * count)
    below = [[next(texts) for _ in row] for row in grid]
    top = LINE * max(map(len, heads), default=0) + (4 if heads else 0)
    heights = [size[1] + LINE * max(map(len, row)) + GAP for row in below]
    page = Page(margin + width * (size[0] + GAP) - GAP, top + sum(heights))
    for c, head in enumerate(heads):
        page.words(head, margin + c * (size[0] + GAP) + size[0] / 2, 0, weight="bold")
    for r, row in enumerate(grid):
        y = top + sum(heights[:r])
        _draw_row(page, row, below[r], (margin, y), size)
        if rows:
            page.words(lines(rows[r], margin - GAP), 0, y + size[1] / 2 - LINE, align="left", weight="bold")
    return page.finish(alt, caption)


def _draw_row(page: Page, row: Sequence[Any], texts: Sequence[list[str]], corner: tuple[float, float],
              size: tuple[int, int]) -> None:
    """The pictures of one row and the texts below them."""
    for c, (picture, below) in enumerate(zip(row, texts, strict=True)):
        left = corner[0] + c * (size[0] + GAP)
        if picture is not None:
            page.place(picture, left, corner[1], size)
        page.words(below, left + size[0] / 2, corner[1] + size[1] + 3)


@entrance
def pair(
    before: Picture | Sequence[Picture],
    after: Picture | Sequence[Picture],
    *,
    alt: str,
    prompts: Labels = ("", ""),
    truth: Picture | None = None,
    titles: Labels = ("before", "after", "the right answer"),
    caption: Prompt = "",
) -> Figure:
    """A picture before and after an edit, each with its prompt below, and the right answer where there is one.

    before, after: one picture each, or lists of them: a row for each pair (then without prompts and truth).
    """
    if isinstance(before, (list, tuple)):
        if len(before) != len(after := several("after", after)):
            raise ValueError(f"{len(before)} pictures before and {len(after)} after: give one after for each before.")
        return pictures([list(row) for row in zip(before, after, strict=True)], alt=alt, columns=titles[:2],
                        caption=caption)
    if len(prompts) != 2:
        raise ValueError(f"{len(prompts)} prompts; expected two: one for the picture before, one for the one after.")
    row, labels = [before, after], prompts
    if truth is not None:
        row, labels = [*row, truth], [*labels, prompts[1]]
    return pictures([row], alt=alt, columns=titles[: len(row)], labels=labels, caption=caption)


@entrance
def sweep(
    pictures: Several,
    values: Numbers,
    *,
    name: Prompt,
    alt: str,
    scores: Series | None = None,
    caption: Prompt = "",
) -> Figure:
    """One knob turned: a picture for each value, the values on an axis below, and scores over the same axis.

    scores: a curve for each name, with one number for each picture.
    """
    alt, curves = checked(alt), scores or {}
    for label, series in {"values": values, **curves}.items():
        if series.shape != (len(pictures),):
            raise ValueError(f"{series.size} {label} for {len(pictures)} pictures: give one for each.")
    margin, height = (70 if curves else 4), 120
    size = cell_size([pictures], len(pictures), WIDEST - margin)
    step = size[0] + GAP
    span = len(pictures) * step - GAP
    page = Page(margin + span + 4, size[1] + 60 + len(curves) * (height + 2 * GAP))
    for i, picture in enumerate(pictures):
        page.place(picture, margin + i * step, 0, size)
    middles = [i * step + size[0] / 2 for i in range(len(pictures))]
    for i, (label, series) in enumerate(curves.items()):
        axes = _over(page, margin, size[1] + GAP + i * (height + 2 * GAP), span, height)
        _curve_below(axes, middles, label, series, i)
    axes = _over(page, margin, size[1] + 2 * GAP + len(curves) * (height + 2 * GAP), span, 2)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.set_xticks(middles, [f"{value:g}" for value in values])
    axes.set_xlabel(name, fontsize=10)
    return page.finish(alt, caption)


def _curve_below(axes: Any, middles: Sequence[float], label: str, series: Float[np.ndarray, " values"], i: int) -> None:
    """Score number `i` of a sweep, a point below the middle of each picture."""
    style = look(i)
    axes.plot(middles, series, color=style.color, marker=style.marker, linestyle=style.line)
    axes.set_ylabel(label, fontsize=9)
    axes.margins(y=0.2)
    if 0 <= min(series) and max(series) <= 1:  # shares: the whole scale, so that 0 and 1 look like what they are
        axes.set_ylim(-0.12, 1.12)
    axes.set_xticks(middles, [""] * len(middles))


def _over(page: Page, left: float, top: float, span: float, height: float) -> Any:
    """Axes whose x is the page's pixels, from `left` on."""
    axes = page.axes(left, top, span, height)
    axes.set_xlim(0, span)
    return axes


@entrance
def trajectory(recording: Recording, *, alt: str, most: AtLeastOne = 6, caption: str = "") -> Figure:
    """How a picture comes out of noise: the noisy picture, and below it the clean picture the model has in mind.

    recording: a `show.Recording` that watched `model.generate`. most: moments to show, evenly spread.
    """
    moments = recording.moments(most)
    times = ["clean" if moment.t < 0 else f"t = {moment.t}" for moment in moments]
    grid = [[moment.noisy for moment in moments], [moment.clean for moment in moments]]
    return pictures(grid, alt=alt, columns=times, rows=["the noisy picture", "the clean picture in mind"],
                    caption=caption)


@entrance
def mask(picture: Read, mask: Read, *, alt: str, titles: Labels = ("picture", "mask"), caption: Prompt = "") -> Figure:
    """A picture, and the picture with a mask over it: inside in full colour with a rim, outside pale.

    mask: white or True where the picture may change; a PIL picture or an array (H, W), of any size.
    """
    check_titles("titles", titles, 2)
    no_strip(picture)
    inside = np.asarray(as_picture(mask, picture.size, "stretch").convert("L")) > 127
    page = Page(2 * 256 + GAP, 20 + (height := round(256 * picture.height / picture.width)))
    for i, (title, drawn) in enumerate(zip(titles, (picture, paled(picture, inside)), strict=True)):
        page.words(title, i * (256 + GAP) + 128, 0, weight="bold")
        axes = page.place(drawn, i * (256 + GAP), 20, (256, height))
    if inside.any() and not inside.all():
        xs, ys = (np.linspace(0, side, n + 1)[:-1] + side / n / 2 for side, n in zip((256, height), picture.size,
                                                                                  strict=True))
        axes.contour(xs, ys, inside, levels=[0.5], colors=COLORS["vermilion"], linewidths=1.5)
    return page.finish(checked(alt), caption)


def paled(picture: Image.Image, inside: Bool[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """The picture, RGB, with everything outside grey and pale."""
    pixels = np.asarray(picture, dtype=float)
    pale = 0.25 * pixels.mean(-1, keepdims=True) + 0.75 * 255
    return np.where(inside[..., None], pixels, pale).astype(np.uint8)


@entrance
def difference(
    first: Read,
    second: Read,
    *,
    alt: str,
    labels: Labels = ("first", "second"),
    most: Annotated[float, Number(0, 1, above=True, hint="None chooses it for this pair")] | None = None,
    caption: Prompt = "",
) -> Figure:
    """Two pictures of one size side by side, and how much each pixel differs.

    The scale at the right says how much the brightest colour stands for: 1 is the step from black to white.
    most: that end of the scale, in (0, 1], for figures that are compared; chosen for this pair unless given.
    """
    alt, first = checked(alt), no_strip(first)
    check_titles("labels", labels, 2)
    second = as_picture(second, first.size, "stretch")
    amount = np.abs(np.asarray(first, float) - np.asarray(second, float)).mean(-1) / 255  # (H, W) in [0, 1]
    size = (256, round(256 * first.height / first.width))
    page = Page(3 * (size[0] + GAP) + 56, size[1] + 20)
    for i, (title, picture) in enumerate(zip((*labels, "difference"), (first, second, None), strict=True)):
        page.words(title, i * (size[0] + GAP) + size[0] / 2, 0, weight="bold")
        if picture is not None:
            page.place(picture, i * (size[0] + GAP), 20, size)
    axes = page.axes(2 * (size[0] + GAP), 20, *size)
    axes.set_axis_off()
    top = most or next(scale for scale in SCALES if amount.max() <= scale)
    shown = axes.imshow(amount, cmap=AMOUNT, vmin=0, vmax=top, interpolation="nearest", aspect="auto")
    bar = page.drawing.colorbar(shown, cax=page.axes(3 * (size[0] + GAP) + 2, 20, 12, size[1] - 2))
    bar.outline.set_edgecolor(FAINT)
    return page.finish(alt, caption)


def as_grid(pictures: Sequence[Any]) -> list[list[Any]]:
    """Rows of pictures from a list of rows, or from a list of pictures with IN_A_ROW in a row."""
    found = several("pictures", pictures)
    if found and isinstance(found[0], (list, tuple)):
        return [several(f"pictures[{i}]", row) for i, row in enumerate(found)]
    return [found[start : start + IN_A_ROW] for start in range(0, len(found), IN_A_ROW)]


def cell_size(grid: Sequence[Sequence[Any]], columns: int, room: int, side: int | None = None) -> tuple[int, int]:
    """(width, height) at which each picture is shown, in the first one's proportions.

    The widest of SIDES with which `columns` pictures fit into `room` pixels, unless `side` gives the width.
    """
    first = next((picture for row in grid for picture in row if picture is not None), None)
    if first is None:
        raise ValueError("There are no pictures to show.")
    first = no_strip(as_picture(first))
    if side is None:
        side = next((s for s in SIDES if columns * (s + GAP) - GAP <= room), SIDES[-1])
    return side, max(1, round(side * first.height / first.width))
