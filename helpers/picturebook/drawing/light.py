"""What the sky and the snow make of colours, and shapes that several places use."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..canvas import UNITS, Canvas, Color
from ..scene import Scene
from .palette import lighter, mix

#: sky -> the colour everything under it is mixed with, and how much of it
_VEILS: dict[str, tuple[Color, float]] = {
    "day": ((255, 255, 255), 0.0), "sunset": ((232, 92, 62), 0.27), "night": ((14, 20, 66), 0.52),
}
SNOW: Color = (244, 247, 252)


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
    return scene.stream("horizon").uniform(58, 76)


_OCTAGON = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 8, endpoint=False)]


def draw_dot(canvas: Canvas, x: float, y: float, r: float, color: Color, opacity: int = 255) -> None:
    """A small round dot, of fewer points than an ellipse has."""
    canvas.polygon([(x + r * cx, y + r * cy) for cx, cy in _OCTAGON], color, opacity)


Box = tuple[float, float, float, float]


def draw_boxes(canvas: Canvas, boxes: Sequence[Box], color: Color) -> None:
    """Rectangles (x0, y0, x1, y1) of one colour as one polygon: a path from corner to corner, there and back.

    The path between them runs along x and y only: a slanted one would leave a faint line.
    """
    if not boxes:
        return
    ahead = [box[0] for box in boxes[1:]] + [boxes[-1][0]]
    there = [p for (x0, y0, x1, y1), after in zip(boxes, ahead, strict=True)
             for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0), (after, y0))]
    back = [p for (_, y0, _, _), (x1, y1, _, _) in zip(boxes[-2::-1], boxes[:0:-1], strict=True)
            for p in ((x1, y1), (x1, y0))]
    canvas.polygon(there + back, color)


def draw_floor(canvas: Canvas, y: float, color: Color) -> None:
    """Everything from height y down."""
    canvas.rect(0, y, UNITS, UNITS, color)


def draw_hills(canvas: Canvas, y: float, height: float, waves: float, phase: float, color: Color) -> None:
    """Rolling land filling the picture from about y - height down."""
    x = np.linspace(0, UNITS, 17)
    top = y - height * (0.5 + 0.5 * np.sin(x / UNITS * waves * math.pi + phase))
    canvas.polygon([*zip(x, top, strict=True), (UNITS, UNITS), (0, UNITS)], color)


_PINE = [(0, -1), (0.2, -0.66), (0.11, -0.66), (0.28, -0.38), (0.16, -0.38), (0.36, -0.1), (-0.36, -0.1),
         (-0.16, -0.38), (-0.28, -0.38), (-0.11, -0.66), (-0.2, -0.66)]
_PINE_SNOW = [(0, -1), (0.16, -0.73), (0.2, -0.64), (0.07, -0.74), (0.04, -0.5), (0.27, -0.36), (0.12, -0.45),
              (-0.02, -0.39), (-0.12, -0.46), (-0.27, -0.36), (-0.04, -0.5), (-0.07, -0.74), (-0.2, -0.64),
              (-0.16, -0.73)]


def draw_pine(canvas: Canvas, light: Light, x: float, base: float, height: float, green: Color) -> None:
    """A fir `height` units tall, its trunk's foot at (x, base)."""
    with canvas.at(x, base, height):
        canvas.rect(-0.045, -0.12, 0.045, 0, light((98, 66, 44)))
        canvas.polygon(_PINE, light.ground(green, 0.2))
        canvas.polygon(_PINE[:1] + _PINE[-5:] + [(0, -0.1)], light.ground(lighter(green, 0.12), 0.25))
        if light.snowy:
            canvas.polygon(_PINE_SNOW, light(SNOW), round(90 + 165 * light.snowy))


_CROWN = [(-0.3, -0.42), (-0.34, -0.62), (-0.24, -0.84), (-0.06, -0.97), (0.14, -0.96), (0.3, -0.8), (0.35, -0.6),
          (0.26, -0.42), (0.02, -0.36)]


def draw_tree(canvas: Canvas, light: Light, x: float, base: float, height: float, green: Color) -> None:
    """A round leafy tree, its trunk's foot at (x, base)."""
    with canvas.at(x, base, height):
        canvas.rect(-0.05, -0.45, 0.05, 0, light((112, 76, 50)))
        canvas.blob(_CROWN, light.ground(green, 0.25))
        canvas.ellipse(-0.06, -0.78, 0.2, 0.14, light.ground(lighter(green, 0.2), 0.95))


def left_or_right(stream: random.Random) -> int:
    """Left (-1) or right (1)."""
    return -1 if stream.random() < 0.5 else 1


def draw_capsule(canvas: Canvas, x0: float, y0: float, x1: float, y1: float, r: float, color: Color) -> None:
    """A thick stroke with round ends, as one polygon."""
    turn = math.atan2(y1 - y0, x1 - x0)
    ends = [(x1, y1, turn - math.pi / 2), (x0, y0, turn + math.pi / 2)]
    canvas.polygon([(x + r * math.cos(a + i * math.pi / 6), y + r * math.sin(a + i * math.pi / 6))
                    for x, y, a in ends for i in range(7)], color)
