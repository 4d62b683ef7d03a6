"""The colours of the world: a colour word, tinted a little from picture to picture, and its shades."""

from __future__ import annotations

import colorsys
import random

from ..canvas import Color

COLOR_VALUES: dict[str, Color] = {
    "red": (214, 48, 49), "orange": (240, 138, 36), "yellow": (250, 208, 50), "green": (70, 160, 72),
    "blue": (52, 110, 210), "purple": (134, 74, 182), "pink": (244, 142, 178), "brown": (132, 86, 52),
    "black": (48, 46, 52), "white": (243, 241, 236), "gray": (150, 152, 158),
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
