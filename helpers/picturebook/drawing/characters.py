"""DreamBooth's subjects: marks so large that they survive the model's latents, and that no ordinary animal has.

pim, a cat: teal with an orange half of the face, a horn and a star on its tummy. bo, a dog: lavender with lime ears
and a thick striped scarf. zuzu, a bunny: coral on one side, navy on the other, a ball on an antenna.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..canvas import Canvas, Color
from .fur import INK, SNOW, Look, clipped, fill_band

_GOLD: Color = (255, 216, 52)
_MAGENTA: Color = (214, 50, 140)
_STAR = [(math.sin(a) * r, -math.cos(a) * r) for a, r in
         zip(np.linspace(0, 2 * math.pi, 10, endpoint=False), [1.0, 0.46] * 5, strict=True)]


def paint_coat(canvas: Canvas, look: Look, outline: np.ndarray) -> None:
    """A character's coat pattern, inside an outline. The coat is not mirrored when the picture is."""
    (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
    middle, high = (x0 + x1) / 2, y1 - y0
    left, right = ((x0, middle) if look.turn > 0 else (middle, x1)), ((middle, x1) if look.turn > 0 else (x0, middle))
    if look.character == "pim":  # one upper quarter and the opposite lower one
        fill_band(canvas, clipped(outline, 1, y0, y0 + 0.56 * high), 0, *left, look.second)
        fill_band(canvas, clipped(outline, 1, y0 + 0.72 * high, y1), 0, *right, look.second)
    elif look.character == "bo":
        fill_band(canvas, outline, 1, y0 + 0.68 * high, y1, look.second)
    elif look.character == "zuzu":
        fill_band(canvas, outline, 0, *right, look.second)


def trunk_mark(canvas: Canvas, look: Look) -> None:
    """pim's star, on its tummy."""
    if look.character == "pim":
        with canvas.at(0, -24, scale=15):
            canvas.piece(_STAR, _GOLD, (120, 70, 20))


def neck_mark(canvas: Canvas, look: Look) -> None:
    """bo's scarf, thick and striped, where the head meets the trunk; (0, 0) is the head's middle, 1 its radius."""
    if look.character == "bo":
        band = np.array([(-0.95, 0.74), (-0.5, 0.9), (0, 0.95), (0.5, 0.9), (0.95, 0.74), (1.0, 1.14), (0.5, 1.34),
                         (0, 1.4), (-0.5, 1.34), (-1.0, 1.14)])
        for points, axis in (([(0.2, 1.1), (0.66, 1.1), (0.74, 2.05), (0.24, 2.05)], 1), (band, 0)):
            if axis and look.asleep:  # the hanging end would lie over the bed
                continue
            points = np.array(points)
            canvas.piece(points, (240, 60, 70), (96, 20, 40))
            for low in (1.3, 1.72) if axis else (-0.8, -0.2, 0.4):
                fill_band(canvas, points, axis, low, low + (0.2 if axis else 0.28), SNOW)


def head_mark(canvas: Canvas, look: Look) -> None:
    """What a character has on its head."""
    _HEAD_MARKS.get(look.character, _nothing)(canvas, look)


def _nothing(canvas: Canvas, look: Look) -> None:
    """No character's head."""


def _pim(canvas: Canvas, look: Look) -> None:
    """A thick striped horn."""
    horn = np.array([(-0.3, -0.74), (0.3, -0.74), (0.06, -1.62)])
    canvas.piece(horn, _GOLD, (120, 70, 20))
    for y in (-1.3, -0.98):
        fill_band(canvas, horn, 1, y, y + 0.16, _MAGENTA)


def _bo(canvas: Canvas, look: Look) -> None:
    """Eyebrows like brushes."""
    for side in (-1, 1):
        points = [(0.12, -0.38), (0.2, -0.64), (0.74, -0.76), (0.8, -0.44)]
        canvas.polygon([(side * x, y) for x, y in points], (70, 34, 96))


def _zuzu(canvas: Canvas, look: Look) -> None:
    """An antenna with a big ball on its tip."""
    canvas.line([(0, -0.8), (0, -1.3)], INK, 0.16)
    canvas.oval_piece(0, -1.42, 0.34, 0.34, _GOLD, (120, 70, 20))


_HEAD_MARKS: dict[str, Callable[[Canvas, Look], None]] = {"pim": _pim, "bo": _bo, "zuzu": _zuzu}
