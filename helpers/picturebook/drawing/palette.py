"""The colours of the world: a colour word, tinted a little from picture to picture, and its shades."""

from __future__ import annotations

import colorsys
import random

from ..canvas import Color

COLOR_VALUES: dict[str, Color] = {
    "red": (216, 38, 44), "orange": (250, 138, 26), "yellow": (252, 212, 44), "green": (62, 164, 68),
    "blue": (40, 104, 218), "purple": (132, 62, 178), "pink": (252, 146, 190), "brown": (124, 76, 42),
    "black": (44, 42, 50), "white": (248, 247, 243), "gray": (146, 150, 158),
}


def tint(word: str, stream: random.Random, amount: float = 0.06) -> Color:
    """A colour word as this picture has it: hue and lightness a little off the table's, by `stream`."""
    h, lightness, s = colorsys.rgb_to_hls(*(c / 255 for c in COLOR_VALUES[word]))
    h += stream.uniform(-0.2, 0.2) * amount
    lightness = min(max(lightness + stream.uniform(-0.6, 0.6) * amount, 0.12), 0.97)
    r, g, b = colorsys.hls_to_rgb(h % 1, lightness, s)
    return round(255 * r), round(255 * g), round(255 * b)


def mix(a: Color, b: Color, t: float) -> Color:
    """`a` at t = 0, `b` at t = 1."""
    (r0, g0, b0), (r1, g1, b1) = a, b
    return round(r0 + (r1 - r0) * t), round(g0 + (g1 - g0) * t), round(b0 + (b1 - b0) * t)


def darker(color: Color, t: float = 0.25) -> Color:
    """A shade of `color`."""
    return mix(color, (20, 16, 30), t)


def lighter(color: Color, t: float = 0.35) -> Color:
    """A tint of `color`."""
    return mix(color, (255, 252, 244), t)


def rim_of(color: Color) -> Color:
    """The outline of a thing of this colour: a dark shade of it, or a light one where it is nearly black."""
    return lighter(color, 0.5) if sum(color) < 190 else darker(color, 0.55)
