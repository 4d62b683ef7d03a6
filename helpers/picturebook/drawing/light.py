"""What sky and snow make of the colours of a place, and shapes that several places use."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..canvas import UNITS, Canvas, Color
from ..scene import Scene
from .palette import darker, lighter, mix

#: sky -> the colour everything under it is mixed with, and how much of it
_VEILS: dict[str, tuple[Color, float]] = {
    "day": ((255, 255, 255), 0.0), "sunset": ((236, 92, 62), 0.26), "night": ((14, 20, 74), 0.42),
}
SNOW: Color = (246, 249, 254)
Box = tuple[float, float, float, float]


class Light(NamedTuple):
    """What the sky and the snow make of a colour."""

    sky: str
    snowy: float

    def __call__(self, color: Color) -> Color:
        """`color` under this sky."""
        veil, amount = _VEILS[self.sky]
        return mix(color, veil, amount) if amount else color

    def ground(self, color: Color, share: float = 1.0) -> Color:
        """`color` under this sky and as much snow as lies on the ground; `share`: how much of it stays lying here."""
        return self(mix(color, SNOW, share * self.snowy**0.75) if self.snowy else color)

    def glow(self, dark: Color, bright: Color) -> Color:
        """A window's colour: `dark` (under this sky) by day, `bright`, lit from inside, at other times."""
        return self(dark) if self.sky == "day" else bright


def horizon_of(scene: Scene) -> float:
    """Where ground and sky meet, in picture units."""
    return scene.stream("horizon").uniform(62, 76)


def boxes(canvas: Canvas, rectangles: Sequence[Box], color: Color) -> None:
    """Rectangles (x0, y0, x1, y1) of one colour as one polygon: a path from corner to corner, there and back.

    The path between them runs along x and y only: a slanted one would leave a faint line.
    """
    if not rectangles:
        return
    ahead = [box[0] for box in rectangles[1:]] + [rectangles[-1][0]]
    there = [p for (x0, y0, x1, y1), after in zip(rectangles, ahead, strict=True)
             for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0), (after, y0))]
    back = [p for (_, y0, _, _), (x1, y1, _, _) in zip(rectangles[-2::-1], rectangles[:0:-1], strict=True)
            for p in ((x1, y1), (x1, y0))]
    canvas.polygon(there + back, color)


def floor(canvas: Canvas, y: float, color: Color) -> None:
    """Everything from height y down."""
    canvas.rect(0, y, UNITS, UNITS, color)


def hills(canvas: Canvas, y: float, height: float, waves: float, phase: float, color: Color) -> None:
    """Rolling land filling the picture from about y - height down."""
    x = np.linspace(0, UNITS, 17)
    top = y - height * (0.5 + 0.5 * np.sin(x / UNITS * waves * math.pi + phase))
    canvas.polygon([*zip(x, top, strict=True), (UNITS, UNITS), (0, UNITS)], color)


_PINE = [(0, -1), (0.26, -0.62), (0.16, -0.62), (0.4, -0.12), (-0.4, -0.12), (-0.16, -0.62), (-0.26, -0.62)]
_PINE_SNOW = [(0, -1), (0.24, -0.64), (0.06, -0.7), (-0.08, -0.62), (-0.24, -0.64)]


def pine(canvas: Canvas, light: Light, x: float, base: float, height: float, green: Color) -> None:
    """A fir `height` units tall, its trunk's foot at (x, base)."""
    with canvas.at(x, base, height):
        canvas.rect(-0.07, -0.14, 0.07, 0, light((110, 72, 44)))
        canvas.polygon(_PINE, light.ground(green, 0.2))
        canvas.polygon([(0, -1), (0, -0.12), (-0.4, -0.12), (-0.16, -0.62), (-0.26, -0.62)],
                       light.ground(lighter(green, 0.14), 0.25))
        if light.snowy:
            canvas.polygon(_PINE_SNOW, light(SNOW), round(110 + 145 * light.snowy))


_CROWN = [(-0.34, -0.4), (-0.4, -0.64), (-0.26, -0.9), (0.0, -1.0), (0.26, -0.9), (0.4, -0.64), (0.34, -0.4),
          (0.0, -0.34)]


def tree(canvas: Canvas, light: Light, x: float, base: float, height: float, green: Color) -> None:
    """A round leafy tree, its trunk's foot at (x, base)."""
    with canvas.at(x, base, height):
        canvas.rect(-0.08, -0.45, 0.08, 0, light((124, 82, 50)))
        canvas.blob(_CROWN, light.ground(green, 0.25))
        canvas.ellipse(-0.07, -0.76, 0.22, 0.17, light.ground(lighter(green, 0.2), 0.95))


def flower(canvas: Canvas, light: Light, x: float, y: float, size: float, color: Color) -> None:
    """A flower `size` units across on a short stem, its foot at (x, y)."""
    r = size / 2
    heart = (170, 96, 40) if color[0] > 240 and 180 < color[1] < 230 else (250, 200, 50)
    canvas.line([(x, y), (x, y - size)], light.ground(darker((70, 150, 60), 0.1), 0.4), 2.2)
    for k in range(5):
        a = 2 * math.pi * k / 5
        canvas.ellipse(x + 0.62 * r * math.sin(a), y - size - 0.62 * r * math.cos(a), 0.5 * r, 0.5 * r, light(color))
    canvas.ellipse(x, y - size, 0.42 * r, 0.42 * r, light(heart))


def off_middle(stream: random.Random, side: int, near: float, far: float) -> float:
    """An x between `near` and `far` units off the middle, on a side."""
    return UNITS / 2 + side * stream.uniform(near, far)
