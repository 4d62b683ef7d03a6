"""The places outside of towns: beach, forest, desert, meadow, mountain, river."""

from __future__ import annotations

import math
import random

import numpy as np

from ..canvas import UNITS, Canvas, Color
from ..scene import Scene
from .light import SNOW, Light, draw_capsule, draw_dot, draw_floor, draw_hills, draw_pine, draw_tree, left_or_right
from .palette import darker

_LEAF = [(0.0, 0.0), (0.3, -0.24), (0.66, -0.22), (1.0, 0.14), (0.62, 0.0), (0.3, 0.02)]


def _draw_palm(canvas: Canvas, light: Light, x: float, base: float, height: float, lean: float) -> None:
    """A palm whose top hangs `lean` units to the side."""
    top = (x + lean, base - height)
    canvas.curve([(x, base), (x + lean * 0.25, base - height * 0.5), top], light((150, 104, 66)), height * 0.07)
    green = (54, 146, 78)
    for angle, flip in ((12, False), (-34, False), (52, False), (12, True), (-34, True), (52, True)):
        with canvas.at(*top, height * 0.42, flip=flip), canvas.at(0, 0, angle=angle):
            canvas.polygon(_LEAF, light.ground(green if angle != 12 else darker(green, 0.18), 0.4))
    for dx in (-1.2, 1.4):
        draw_dot(canvas, top[0] + dx, top[1] + 1.6, 1.6, light((112, 72, 44)))


def draw_beach(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Sand, sea and palms."""
    stream = scene.stream("beach")
    side, shore = left_or_right(stream), horizon + stream.uniform(13, 17)
    draw_floor(canvas, horizon, light((30, 116, 190)))
    canvas.rect(0, horizon + 6, UNITS, shore + 8, light((50, 150, 210)))
    for i in range(6):
        x, y = stream.uniform(0, 118), horizon + 2.5 + 1.7 * i
        canvas.line([(x, y), (x + 4 + 1.5 * i, y)], light((180, 222, 240)), 0.8)
    edge = [(x, shore + 1.8 * math.sin(x / 13 + side)) for x in range(-4, 136, 6)]
    canvas.polygon([*edge, (UNITS, UNITS), (0, UNITS)], light.ground((246, 222, 160)))
    canvas.line([(x, y - 0.6) for x, y in edge], light((240, 250, 252)), 2.2)
    _draw_palm(canvas, light, 64 + side * 60, shore + 20, 62, -side * 9)
    _draw_palm(canvas, light, 64 + side * 44, shore + 8, 40, side * 5)
    for _ in range(7):
        x, y = 64 + left_or_right(stream) * stream.uniform(26, 62), stream.uniform(shore + 10, 124)
        canvas.ellipse(x, y, 1.6, 1.0, light.ground((226, 180, 122)))
    with canvas.at(64 - side * stream.uniform(38, 56), shore + 14, 4.2, angle=stream.uniform(0, 70)):
        canvas.polygon(_STARFISH, light((236, 112, 84)))


_STARFISH = [(math.sin(a) * r, -math.cos(a) * r * 0.8) for a, r in
             zip(np.linspace(0, 2 * math.pi, 10, endpoint=False), [1.0, 0.4] * 5, strict=True)]
_FOREST_GREENS: tuple[Color, ...] = ((38, 104, 66), (30, 88, 62), (52, 120, 66), (26, 96, 76))


def draw_forest(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Rows of trees behind a clearing."""
    stream = scene.stream("forest")
    x = np.linspace(-3, 131, 25)
    far = [(float(a), horizon - (34 if i % 2 else 22) + stream.uniform(-4, 4)) for i, a in enumerate(x)]
    canvas.polygon([*far, (131, 90), (-3, 90)], light.ground((58, 112, 92), 0.3))
    draw_hills(canvas, horizon + 2, 3, 2, stream.uniform(0, 6), light.ground((74, 112, 52)))
    row = [(horizon + stream.uniform(2, 8), 9 + 15.7 * i + stream.uniform(-4, 4), stream.uniform(42, 54),
            stream.choice(_FOREST_GREENS)) for i in range(8)]
    sides = [(horizon + stream.uniform(17, 24), 64 + s * stream.uniform(52, 66), stream.uniform(68, 80),
              stream.choice(_FOREST_GREENS)) for s in (-1, 1)]
    for base, tree_x, height, green in sorted(row) + sides:
        draw_pine(canvas, light, tree_x, base, height, green)
    draw_floor(canvas, horizon + 34, light.ground((88, 130, 58)))
    for _ in range(8):
        x0, y0 = stream.uniform(3, 125), stream.uniform(horizon + 14, 124)
        canvas.polygon([(x0 - 3, y0), (x0 - 2, y0 - 4), (x0 - 0.6, y0 - 1), (x0 + 0.5, y0 - 5), (x0 + 1.4, y0 - 1),
                        (x0 + 3, y0 - 4), (x0 + 3, y0)], light.ground((60, 100, 46), 0.6))
    _draw_mushrooms(canvas, light, stream, horizon)


def _draw_mushrooms(canvas: Canvas, light: Light, stream: random.Random, horizon: float) -> None:
    """Two toadstools near the edges."""
    for s in (-1, 1):
        x, y = 64 + s * stream.uniform(44, 60), stream.uniform(horizon + 28, 112)
        canvas.rect(x - 1, y - 4, x + 1, y, light((238, 226, 204)))
        canvas.polygon([(x - 4, y - 3.6), (x - 3, y - 6.4), (x, y - 7.8), (x + 3, y - 6.4), (x + 4, y - 3.6)],
                       light.ground((208, 60, 52), 0.6))


def _draw_cactus(canvas: Canvas, light: Light, x: float, base: float, height: float, flip: bool) -> None:
    green = light.ground((66, 138, 78), 0.15)
    with canvas.at(x, base, height / 10, flip=flip):
        for x0, y0, x1, y1, r in ((0, -0.6, 0, -9, 1.15), (0, -3.4, -3, -3.4, 0.75), (-3, -3.4, -3, -6, 0.75),
                                  (0, -5, 2.9, -5, 0.7), (2.9, -5, 2.9, -8, 0.7)):
            draw_capsule(canvas, x0, y0, x1, y1, r, green)
        canvas.line([(-0.3, -0.4), (-0.3, -9.2)], light.ground((116, 178, 110), 0.35), 0.35)
        if light.snowy:
            canvas.ellipse(0, -9.75, 1.1, 0.6, light(SNOW), opacity=round(120 + 135 * light.snowy))


def draw_desert(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Dunes and cacti."""
    stream = scene.stream("desert")
    side, phase = left_or_right(stream), stream.uniform(0, 6)
    x: float = 64 + side * 34
    canvas.polygon([(x - 22, horizon), (x - 15, horizon - 19), (x + 9, horizon - 20), (x + 12, horizon - 12),
                    (x + 17, horizon - 11), (x + 24, horizon)], light.ground((190, 98, 66), 0.3))
    canvas.polygon([(x - 17.5, horizon - 12), (x - 16, horizon - 16), (x + 10, horizon - 16), (x + 12, horizon - 12)],
                   light.ground((216, 126, 84), 0.3))
    draw_hills(canvas, horizon + 3, 9, 3.1, phase, light.ground((222, 150, 78)))
    draw_hills(canvas, horizon + 12, 10, 2.3, phase + 2, light.ground((234, 170, 92)))
    draw_hills(canvas, horizon + 26, 8, 1.7, phase + 4, light.ground((244, 190, 108)))
    for i in range(4):
        y, x = 96 + 8 * i, 64 + stream.uniform(-52, 20)
        canvas.curve([(x, y), (x + 11, y - 2), (x + 22, y), (x + 33, y - 2)], light.ground((222, 158, 82)), 1.1)
    _draw_cactus(canvas, light, 64 - side * stream.uniform(48, 54), horizon + 28, stream.uniform(42, 50), side > 0)
    _draw_cactus(canvas, light, 64 + side * stream.uniform(42, 56), horizon + 16, stream.uniform(20, 27), side < 0)
    _draw_cactus(canvas, light, 64 - side * stream.uniform(28, 38), horizon + 7, stream.uniform(12, 17), side < 0)


_FLOWER_COLORS: tuple[Color, ...] = ((236, 72, 84), (252, 252, 250), (250, 206, 60), (176, 96, 206), (246, 140, 180))


def draw_meadow(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Grass with flowers and a fence."""
    stream = scene.stream("meadow")
    side = left_or_right(stream)
    draw_hills(canvas, horizon + 2, 7, 1.4, stream.uniform(0, 6), light.ground((150, 204, 98)))
    draw_tree(canvas, light, 64 + side * stream.uniform(40, 52), horizon + 6, stream.uniform(38, 46), (76, 156, 66))
    draw_hills(canvas, horizon + 8, 3, 2.2, stream.uniform(0, 6), light.ground((128, 192, 76)))
    _draw_fence(canvas, light, horizon + 10)
    draw_floor(canvas, horizon + 26, light.ground((112, 180, 66)))
    for i in range(18):
        x, y = (i + stream.random()) * 128 / 18, stream.uniform(horizon + 17, 125)
        color, size = stream.choice(_FLOWER_COLORS), 1.1 + (y - horizon) * 0.028
        canvas.line([(x, y), (x, y - 2.6 * size)], light.ground((60, 128, 52), 0.5), 0.6 * size)
        draw_dot(canvas, x, y - 3 * size, 1.35 * size, light(color))
        heart = (170, 96, 40) if color == _FLOWER_COLORS[2] else (246, 190, 50)
        draw_dot(canvas, x, y - 3 * size, 0.5 * size, light(heart))


def _draw_fence(canvas: Canvas, light: Light, base: float) -> None:
    """A white picket fence across the picture, standing at height `base`."""
    white, shade = light((252, 248, 238)), light((206, 190, 166))
    for y in (-9.2, -4.5):
        canvas.rect(0, base + y, UNITS, base + y + 2.4, shade)
        canvas.rect(0, base + y, UNITS, base + y + 1.6, white)
    there = [p for x in range(2, 128, 9) for p in
             ((x, base - 4), (x, base - 11), (x + 1.7, base - 13), (x + 3.4, base - 11), (x + 3.4, base), (x, base),
              (x, base - 4))]
    with canvas.at(0.9, 0.4):
        canvas.polygon(there, shade)
    canvas.polygon(there, white)


def draw_mountain(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Peaks with snow on them."""
    stream = scene.stream("mountain")
    side, peak = left_or_right(stream), stream.uniform(54, 74)
    top, foot = stream.uniform(13, 18), horizon + 6
    draw_hills(canvas, horizon + 2, 16, 3.4, stream.uniform(0, 6), light.ground((138, 156, 190), 0.3))
    rock = (122, 124, 146)
    left, right = (-24, foot), (152, foot)
    shoulder = (peak + side * 34, top + 26), (peak + side * 40, top + 25)
    canvas.polygon([left, *([] if side > 0 else shoulder[::-1]), (peak, top), *(shoulder if side > 0 else []), right],
                   light.ground(rock, 0.4))
    canvas.polygon([(peak, top), (peak + 6, top + 16), (peak - 1, top + 28), (peak + 9, foot), right,
                    *(shoulder[::-1] if side > 0 else [])], light.ground(darker(rock, 0.28), 0.4))
    _draw_snow_cap(canvas, light, peak, top, foot)
    draw_hills(canvas, horizon + 5, 5, 1.6, stream.uniform(0, 6), light.ground((104, 150, 92)))
    for s in (-1, -1, 1, 1):
        x, base = 64 + s * stream.uniform(38, 63), horizon + stream.uniform(6, 14)
        draw_pine(canvas, light, x, base, stream.uniform(16, 24), (44, 104, 78))
    draw_hills(canvas, horizon + 22, 5, 1.2, stream.uniform(0, 6), light.ground((126, 168, 96)))
    for s in (-1, 1):
        x, y = 64 + s * stream.uniform(40, 58), stream.uniform(horizon + 24, 112)
        canvas.polygon([(x - 6, y), (x - 4, y - 4), (x, y - 6), (x + 4, y - 4), (x + 6, y)],
                       light.ground((138, 138, 150), 0.6))


def _draw_snow_cap(canvas: Canvas, light: Light, x: float, top: float, foot: float) -> None:
    """The white of the peak, its lower edge a zigzag; the right half in shade."""
    depth = 24.0
    left = depth * (x + 24) / (foot - top) * 0.94
    right = depth * (152 - x) / (foot - top) * 0.7
    zigzag = [(x - left * 0.62, top + depth - 7), (x - left * 0.42, top + depth + 1), (x - left * 0.2, top + depth - 8),
              (x + 1, top + depth + 3)]
    canvas.polygon([(x, top), (x - left, top + depth), *zigzag, (x + 6, top + 16)], light((252, 253, 255)))
    canvas.polygon([(x, top), (x + 6, top + 16), (x + 1, top + depth + 3), (x + right * 0.4, top + depth - 8),
                    (x + right * 0.6, top + depth - 1), (x + right * 0.8, top + depth * 0.74)], light((208, 216, 234)))


def draw_river(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A river between its banks."""
    stream = scene.stream("river")
    side, phase = left_or_right(stream), stream.uniform(0, 6)
    draw_hills(canvas, horizon + 2, 20, 2.6, phase, light.ground((126, 176, 132)))
    draw_hills(canvas, horizon + 4, 13, 3.3, phase + 2.4, light.ground((92, 156, 98)))
    draw_floor(canvas, horizon + 2, light.ground((104, 172, 84)))
    t = np.linspace(0, 1, 26)
    y = horizon + 1 + (UNITS - horizon) * t
    middle = 64 + side * (4 + 58 * t**1.1 + 15 * np.sin(t**0.62 * 2 * math.pi * 1.28) * (0.35 + t))
    half = 2.2 + 34 * t**1.35
    for extra, color in ((2.2, light.ground((214, 196, 140))), (0.0, light((62, 142, 216)))):
        edge = half + extra * (0.4 + t)
        canvas.polygon([*zip(middle - edge, y, strict=True), *zip((middle + edge)[::-1], y[::-1], strict=True)], color)
    for k in (9, 12, 15, 18, 20, 22, 24):
        x, w = float(middle[k] + half[k] * stream.uniform(-0.5, 0.2)), float(half[k]) * 0.45
        canvas.curve([(x - w, y[k]), (x - w / 3, y[k] - 1), (x + w / 3, y[k] + 0.6), (x + w, y[k] - 0.4)],
                     light((176, 218, 244)), 1.0)
    for s, near in ((-side, 0), (-side, 1), (side, 0)):
        draw_tree(canvas, light, 64 + s * stream.uniform(40, 60), horizon + stream.uniform(5, 9) + 7 * near,
              stream.uniform(18, 23) + 7 * near, (58, 138, 74))
