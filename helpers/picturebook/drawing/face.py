"""What the heads of all creatures share: skull, markings, eyes, mouths. (0, 0) is a head's middle, 1 its radius.

A head's radius is some 24 units in the picture, so a third of it is one cell of the model's latents: nothing that
carries meaning is smaller. Eyes sit near (+-0.42, 0) on every head, so that the same sunglasses fit all.
"""

from __future__ import annotations

import math

import numpy as np

from ..canvas import Canvas, Color, Point
from ..vocabulary import ABSENT
from .characters import paint_coat
from .fur import BLUSH, INK, SNOW, Look, fill_fur
from .palette import mix

SIDES = (-1, 1)
UNIT = 1 / 27  # a unit of the creature's frame, in head radii
TONGUE: Color = (236, 88, 104)
NOSE: Color = (238, 96, 124)


def skull(canvas: Canvas, look: Look, outline: np.ndarray) -> None:
    """The head's shape with its markings."""
    outline = fill_fur(canvas, look, outline, look.fur, UNIT)
    if look.character != ABSENT:
        paint_coat(canvas, look, outline)
    elif look.marking == "patches":
        canvas.ellipse(0.44, -0.06, 0.44, 0.48, look.second, 12)
    elif look.marking == "stripes":
        for x in (-0.42, 0.0, 0.42):
            top = -0.83 + 0.5 * x * x
            canvas.polygon([(x - 0.16, top), (x + 0.16, top), (x * 0.9, top + 0.46)], look.second)
    elif look.marking == "spots":
        for x, y, r in ((-0.86, 0.22, 0.17), (0.0, -0.12, 0.2), (0.88, 0.2, 0.17)):
            canvas.ellipse(x, y, r, r, look.second)
    elif look.marking == "blaze":
        canvas.blob([(0, -0.84), (0.2, -0.4), (0.17, 0.3), (-0.17, 0.3), (-0.2, -0.4)], look.pale)
    if look.fluffy:
        _forelock(canvas, look)


def _forelock(canvas: Canvas, look: Look) -> None:
    """A tuft of hair over the forehead, longer the fluffier."""
    up = 0.16 + 0.36 * look.fluffy
    canvas.polygon([(-0.4, -0.74), (-0.36, -0.8 - up), (-0.1, -0.86), (0.04, -0.9 - 1.1 * up), (0.16, -0.86),
                    (0.42, -0.8 - up), (0.4, -0.72), (0.0, -0.6)], look.dark)


def inner_ear(look: Look) -> Color:
    """The colour inside an ear."""
    return mix(look.pale, BLUSH, 0.5)


def both(points: list[Point], side: int) -> list[Point]:
    """Points given for the right side, on the side asked for."""
    return [(side * x, y) for x, y in points]


def eyes(canvas: Canvas, look: Look, spread: float = 0.42, y: float = 0.0, size: float = 0.27) -> None:
    """Two big eyes, or two closed lids."""
    for side in SIDES:
        if look.asleep:
            x = side * spread
            canvas.curve([(x - 0.22, y), (x, y + 0.16), (x + 0.22, y)], look.ink, 0.11)
        else:
            with canvas.detail("eye"):
                _eye(canvas, look, side * spread, y, size)


def _eye(canvas: Canvas, look: Look, x: float, y: float, size: float) -> None:
    """White, a big pupil and one highlight."""
    tall = 1.2 if look.tall_eyes else 1.02
    canvas.ellipse(x, y, size + 0.05, size * tall + 0.05, INK if look.fur[1] > 90 else look.rim)
    canvas.ellipse(x, y, size, size * tall, SNOW)
    canvas.ellipse(x + 0.07 * look.gaze, y + 0.02, 0.74 * size, 0.78 * size * tall, INK)
    canvas.ellipse(x + 0.07 * look.gaze + 0.25 * size, y - 0.34 * size, 0.3 * size, 0.3 * size, SNOW)


def buttons(canvas: Canvas, look: Look) -> None:
    """A doll's eyes: sewn-on buttons, or closed lids."""
    if look.asleep:
        return eyes(canvas, look)
    color = ((58, 40, 40), (44, 62, 120), (58, 40, 40), (36, 84, 76))[look.ears]
    for side in SIDES:
        with canvas.detail("eye"):
            canvas.ellipse(side * 0.42, -0.02, 0.3, 0.3, look.pale if look.fur[1] < 200 else look.rim)
            canvas.ellipse(side * 0.42, -0.02, 0.24, 0.24, color)
            for d in SIDES:
                x = side * 0.42
                canvas.line([(x - 0.11, -0.02 - 0.11 * d), (x + 0.11, -0.02 + 0.11 * d)], SNOW, 0.07)
    return None


def nose(canvas: Canvas, y: float, size: float, color: Color) -> None:
    """A small rounded triangle."""
    canvas.blob([(-size, y - 0.55 * size), (size, y - 0.55 * size), (0, y + 0.75 * size)], color)


def smile(canvas: Canvas, y: float, width: float = 0.3, color: Color = INK) -> None:
    """A closed mouth: one wide arc. A rounded w under the nose would be read as a zigzag."""
    with canvas.detail("mouth"):
        canvas.curve([(-width, y), (-0.6 * width, y + 0.13), (0, y + 0.19), (0.6 * width, y + 0.13), (width, y)], color,
                     0.11)


def laugh(canvas: Canvas, y: float, width: float = 0.3, depth: float = 0.3) -> None:
    """An open mouth with its tongue."""
    arc = np.linspace(0, math.pi, 9)
    with canvas.detail("mouth"):
        canvas.polygon([(width * math.cos(a), y + depth * math.sin(a)) for a in arc], (120, 34, 48))
        canvas.ellipse(0, y + 0.66 * depth, 0.6 * width, 0.34 * depth, TONGUE)


def cheeks(canvas: Canvas, look: Look, x: float = 0.76, y: float = 0.36) -> None:
    """Rosy cheeks."""
    color = mix(look.fur, BLUSH, 0.55)
    for side in SIDES:
        canvas.ellipse(side * x, y, 0.19, 0.14, color)
