"""A display list of filled polygons, each belonging to a named part of the picture.

Everything is recorded as polygons in picture units (0..128 in both directions, y down), so the same list gives the
anti-aliased picture (`render`), the label of every pixel (`labels`), and whatever a style makes of the outlines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import aggdraw
import numpy as np
from PIL import Image, ImageDraw

UNITS = 128  #: the picture's width and height in picture units

Color = tuple[int, int, int]
Point = tuple[float, float]
Points = Sequence[Point] | np.ndarray  # an array is (n, 2)

_CIRCLE = np.stack([f(np.linspace(0, 2 * math.pi, 36, endpoint=False)) for f in (np.cos, np.sin)], axis=1)


class Shape(NamedTuple):
    """One polygon, or one stroke, of a picture."""

    part: str
    points: np.ndarray  # (n, 2) picture units
    color: Color
    width: float  # 0: a filled polygon; else a stroke of this width, in picture units
    opacity: int  # 0..255


class Canvas:
    """Records shapes; `with canvas.part("thing"):` says whose they are, `with canvas.at(...)` moves the pen's frame."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []
        self._part = "place"
        self._turn, self._shift = np.eye(2), np.zeros(2)  # local -> picture units: points @ turn.T + shift

    @contextmanager
    def part(self, name: str) -> Iterator[Canvas]:
        """Shapes drawn inside belong to part `name`."""
        outer, self._part = self._part, name
        try:
            yield self
        finally:
            self._part = outer

    @contextmanager
    def at(self, x: float, y: float, scale: float = 1.0, angle: float = 0.0, flip: bool = False) -> Iterator[Canvas]:
        """Coordinates inside are relative to (x, y), scaled, turned `angle` degrees clockwise, mirrored if `flip`."""
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        mirror = -1.0 if flip else 1.0
        turn = np.array([[c * scale * mirror, -s * scale], [s * scale * mirror, c * scale]])
        outer = self._turn, self._shift
        self._turn, self._shift = self._turn @ turn, self._turn @ np.array([x, y]) + self._shift
        try:
            yield self
        finally:
            self._turn, self._shift = outer

    @property
    def scale(self) -> float:
        """How many picture units one local unit is."""
        (a, b), (c, d) = self._turn.tolist()
        return math.sqrt(abs(a * d - b * c))

    def where(self, x: float, y: float) -> Point:
        """A local point in picture units."""
        px, py = self._turn @ np.array([x, y]) + self._shift
        return float(px), float(py)

    def _add(self, points: np.ndarray, color: Color, width: float, opacity: int) -> None:
        points = points @ self._turn.T + self._shift
        self.shapes.append(Shape(self._part, points, color, width * self.scale if width else 0.0, opacity))

    def polygon(self, points: Points, color: Color, opacity: int = 255) -> None:
        """A filled polygon."""
        self._add(np.asarray(points, dtype=float), color, 0.0, opacity)

    def rect(self, x0: float, y0: float, x1: float, y1: float, color: Color, opacity: int = 255) -> None:
        """A filled rectangle with corners (x0, y0) and (x1, y1)."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color, opacity)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color, angle: float = 0.0,
                opacity: int = 255) -> None:
        """A filled ellipse around (x, y), turned by `angle` degrees clockwise."""
        points = _CIRCLE * (rx, ry)
        if angle:
            c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            points = points @ np.array([[c, s], [-s, c]])
        self._add(points + (x, y), color, 0.0, opacity)

    def ring(self, x: float, y: float, r: float, color: Color, width: float, opacity: int = 255) -> None:
        """A circle's outline."""
        self._add(np.concatenate([_CIRCLE, _CIRCLE[:1]]) * r + (x, y), color, width, opacity)

    def blob(self, points: Points, color: Color, opacity: int = 255) -> None:
        """A filled smooth closed curve through `points`."""
        self._add(smooth(np.asarray(points, dtype=float), closed=True), color, 0.0, opacity)

    def line(self, points: Points, color: Color, width: float, opacity: int = 255) -> None:
        """A stroke through `points`, straight from one to the next."""
        self._add(np.asarray(points, dtype=float), color, width, opacity)

    def curve(self, points: Points, color: Color, width: float, opacity: int = 255) -> None:
        """A smooth stroke through `points`."""
        self._add(smooth(np.asarray(points, dtype=float), closed=False), color, width, opacity)


def smooth(points: np.ndarray, closed: bool, pieces: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through `points` (n, 2), as a polyline with `pieces` segments between neighbours."""
    if closed:
        p = np.concatenate([points[-1:], points, points[:2]])
    else:
        p = np.concatenate([points[:1], points, points[-1:]])
    t = (np.arange(pieces) / pieces)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.transpose(1, 0, 2).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, points[-1:]])


def render(canvas: Canvas, size: int = UNITS) -> Image.Image:
    """The picture, anti-aliased, `size` x `size` pixels, mode RGB."""
    image = Image.new("RGB", (size, size), (255, 255, 255))
    draw = aggdraw.Draw(image)
    k = size / UNITS
    for shape in canvas.shapes:
        flat = (shape.points if k == 1 else shape.points * k).ravel().tolist()
        if shape.width:
            draw.line(flat, aggdraw.Pen(shape.color, shape.width * k, shape.opacity))
        else:
            draw.polygon(flat, None, aggdraw.Brush(shape.color, shape.opacity))
    draw.flush()
    return image


def labels(canvas: Canvas, parts: Sequence[str], size: int = UNITS) -> np.ndarray:
    """Which part each pixel shows: (size, size) uint8, the index into `parts`; a part not listed counts as parts[0]."""
    image = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(image)
    k = size / UNITS
    index = {name: i for i, name in enumerate(parts)}
    for shape in canvas.shapes:
        flat = (shape.points * k).ravel().tolist()
        value = index.get(shape.part, 0)
        if shape.width:
            draw.line(flat, value, max(1, round(shape.width * k)))
        elif shape.opacity > 100:  # a veil hides nothing
            draw.polygon(flat, value)
    return np.asarray(image)
