"""The colours of all figures: those of Okabe and Ito, which colour-blind readers can tell apart.

A series has a marker and a line style of its own as well, so that a figure can be read without any colour.
"""

from __future__ import annotations

from typing import NamedTuple

COLORS: dict[str, str] = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#000000",
    "yellow": "#F0E442",
}
INK = "#222222"  # text and axes
FAINT = "#8A8A8A"  # grid, rims, what stands back
AMOUNT = "cividis"  # matplotlib's colour map for amounts, made for colour-blind readers


class Look(NamedTuple):
    """How one series is drawn."""

    color: str
    marker: str
    line: str


_MARKERS = "osD^vPX*"
_LINES = ("-", "--", "-.", ":")


def look(index: int) -> Look:
    """The look of series number `index`; repeats after eight."""
    names = list(COLORS)
    color = COLORS[names[index % len(names)]]
    return Look(color, _MARKERS[index % len(_MARKERS)], _LINES[index % len(_LINES)])
