"""Places outside of towns: beach, forest, desert, meadow, mountain, river. Few things stand there, and large ones."""

from __future__ import annotations

import math

import numpy as np

from ..canvas import UNITS, Canvas, Color
from ..scene import Scene
from .body import free_side
from .light import SNOW, Light, floor, flower, hills, off_middle, pine, tree
from .palette import darker
from .sky import CLEAR

_LEAF = [(0.0, 0.0), (0.3, -0.3), (0.7, -0.26), (1.04, 0.2), (0.6, 0.08), (0.26, 0.1)]
_STARFISH = [(math.sin(a) * r, -math.cos(a) * r * 0.8) for a, r in
             zip(np.linspace(0, 2 * math.pi, 10, endpoint=False), [1.0, 0.45] * 5, strict=True)]


def draw_beach(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Sea, sand, a palm, a starfish."""
    stream, side = scene.stream("beach"), free_side(scene)
    shore = horizon + stream.uniform(16, 20)
    floor(canvas, horizon, light((30, 122, 204)))
    canvas.rect(0, horizon + 8, UNITS, shore + 8, light((60, 164, 226)))
    for y in (4.5, 11.5):
        x = stream.uniform(0, 100)
        canvas.line([(x, horizon + y), (x + 22, horizon + y)], light((214, 238, 250)), 2.4)
    edge = [(x, shore + 2.6 * math.sin(x / 15 + side)) for x in range(-4, 136, 6)]
    canvas.polygon([*edge, (UNITS, UNITS), (0, UNITS)], light.ground((248, 222, 152)))
    canvas.line([(x, y - 0.6) for x, y in edge], light((244, 252, 254)), 4)
    _draw_palm(canvas, light, 64 + side * 58, shore + 14, stream.uniform(62, 68), -side * 8)
    with canvas.at(off_middle(stream, -side, 46, 54), stream.uniform(shore + 14, 118), 8, angle=stream.uniform(0, 70)):
        canvas.piece(_STARFISH, light((246, 104, 84)), light((170, 50, 50)), 1.2)


def _draw_palm(canvas: Canvas, light: Light, x: float, base: float, height: float, lean: float) -> None:
    """A palm whose top hangs `lean` units to the side."""
    top = (x + lean, base - height)
    canvas.curve([(x, base), (x + lean * 0.25, base - height * 0.5), top], light((158, 108, 66)), height * 0.1)
    green = (44, 154, 78)
    for angle, flip in ((-34, False), (52, False), (-34, True), (52, True), (8, False), (8, True)):
        with canvas.at(*top, height * 0.46, flip=flip), canvas.at(0, 0, angle=angle):
            canvas.polygon(_LEAF, light.ground(green if angle != 8 else darker(green, 0.2), 0.4))
    for dx in (-2.4, 2.6):
        canvas.ellipse(top[0] + dx, top[1] + 3, 3.4, 3.4, light((120, 74, 44)))


_FOREST_GREENS: tuple[Color, ...] = ((38, 116, 70), (26, 96, 66), (54, 132, 70))


def draw_forest(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A row of big fir trees, two toadstools."""
    stream, side = scene.stream("forest"), free_side(scene)
    hills(canvas, horizon - 8, 10, 6, stream.uniform(0, 6), light.ground((70, 132, 104), 0.3))
    hills(canvas, horizon + 2, 3, 2, stream.uniform(0, 6), light.ground((96, 146, 66)))
    trees = [(horizon + stream.uniform(4, 10), 64 + side * (58 - 23 * i), stream.uniform(50, 58),
              _FOREST_GREENS[i % 3]) for i in range(6)]
    for base, x, height, green in sorted(trees):
        low = side * (x - 64) < -20  # under the sun
        pine(canvas, light, x + stream.uniform(-3, 3), base, min(height, base - CLEAR) if low else height, green)
    pine(canvas, light, off_middle(stream, side, 58, 64), horizon + 22, stream.uniform(66, 74), _FOREST_GREENS[0])
    floor(canvas, horizon + 30, light.ground((108, 158, 72)))
    for s in (-1, 1):
        _draw_mushroom(canvas, light, off_middle(stream, s, 48, 56), stream.uniform(horizon + 34, 120))


def _draw_mushroom(canvas: Canvas, light: Light, x: float, y: float) -> None:
    """A big toadstool, its foot at (x, y)."""
    canvas.rect(x - 3, y - 9, x + 3, y, light((248, 236, 214)))
    canvas.blob([(x - 8, y - 8), (x - 6, y - 14), (x, y - 17), (x + 6, y - 14), (x + 8, y - 8)],
                light.ground((222, 48, 48), 0.6))
    for dx, dy in ((-3.4, -11), (3.2, -12)):
        canvas.ellipse(x + dx, y + dy, 1.9, 1.7, light((255, 250, 244)))


def draw_desert(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A table mountain, dunes, two cactuses."""
    stream, side = scene.stream("desert"), free_side(scene)
    x = 64 - side * 30
    canvas.polygon([(x - 30, horizon + 2), (x - 21, horizon - 22), (x + 20, horizon - 22), (x + 30, horizon + 2)],
                   light.ground((200, 92, 62), 0.3))
    canvas.polygon([(x - 23, horizon - 16), (x - 21, horizon - 22), (x + 20, horizon - 22), (x + 22, horizon - 16)],
                   light.ground((228, 130, 86), 0.3))
    phase = stream.uniform(0, 6)
    hills(canvas, horizon + 4, 9, 3.1, phase, light.ground((226, 150, 76)))
    hills(canvas, horizon + 18, 10, 2.3, phase + 2, light.ground((240, 176, 96)))
    hills(canvas, horizon + 36, 8, 1.7, phase + 4, light.ground((250, 200, 118)))
    _draw_cactus(canvas, light, 64 + side * stream.uniform(48, 53), horizon + 28, stream.uniform(50, 56), side < 0)
    _draw_cactus(canvas, light, 64 - side * stream.uniform(50, 55), horizon + 22, stream.uniform(30, 34), side > 0)


def _draw_cactus(canvas: Canvas, light: Light, x: float, base: float, height: float, flip: bool) -> None:
    """A cactus with two thick arms, its foot at (x, base)."""
    green = light.ground((58, 146, 80), 0.15)
    with canvas.at(x, base, height / 10, flip=flip):
        for points, width in (([(0, 0), (0, -9)], 2.4), ([(0, -3.2), (-2.6, -3.2), (-2.6, -6)], 1.7),
                              ([(0, -4.6), (2.6, -4.6), (2.6, -7.6)], 1.7)):
            canvas.line(points, green, width)
            for end_x, end_y in points[1:]:
                canvas.ellipse(end_x, end_y, width / 2, width / 2, green)
        canvas.line([(-0.4, -0.4), (-0.4, -8.6)], light.ground((116, 190, 116), 0.35), 0.6)
        if light.snowy:
            canvas.ellipse(0, -9.8, 1.4, 0.8, light(SNOW), opacity=round(120 + 135 * light.snowy))


_FLOWER_COLORS: tuple[Color, ...] = ((240, 62, 78), (254, 254, 252), (252, 208, 56), (180, 90, 214), (250, 140, 186))


def draw_meadow(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A hill, a tree, a white fence, five big flowers."""
    stream, side = scene.stream("meadow"), free_side(scene)
    hills(canvas, horizon + 2, 7, 1.4, stream.uniform(0, 6), light.ground((156, 212, 104)))
    tree(canvas, light, off_middle(stream, side, 46, 54), horizon + 8, stream.uniform(50, 56), (70, 160, 66))
    hills(canvas, horizon + 8, 3, 2.2, stream.uniform(0, 6), light.ground((132, 200, 80)))
    _draw_fence(canvas, light, horizon + 15)
    floor(canvas, horizon + 30, light.ground((112, 186, 68)))
    for i in range(6):
        x = (9, 25, 40, 88, 103, 119)[i] + stream.uniform(-4, 4)
        flower(canvas, light, x, stream.uniform(horizon + 34, 124), stream.uniform(9.5, 11.5),
               stream.choice(_FLOWER_COLORS))


def _draw_fence(canvas: Canvas, light: Light, base: float) -> None:
    """A white picket fence across the picture, standing at height `base`."""
    white, shade = light((254, 250, 242)), light((206, 192, 172))
    for y in (-13, -6):
        canvas.rect(0, base + y, UNITS, base + y + 3, shade)
    there = [p for x in range(2, 128, 15) for p in
             ((x, base - 4), (x, base - 15), (x + 3.5, base - 19), (x + 7, base - 15), (x + 7, base), (x, base),
              (x, base - 4))]
    canvas.polygon(there, white)


def draw_mountain(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A mighty snowy peak, a few fir trees."""
    stream, side = scene.stream("mountain"), free_side(scene)
    peak, top, foot = 64 + side * stream.uniform(8, 22), stream.uniform(6, 10), horizon + 8
    rock = (122, 126, 156)
    left, right = (peak - 84, foot), (peak + 84, foot)
    canvas.polygon([left, (peak, top), right], light.ground(rock, 0.4))
    canvas.polygon([(peak, top), (peak + 7, top + 20), (peak - 2, top + 36), (peak + 10, foot), right],
                   light.ground(darker(rock, 0.28), 0.4))
    slope, depth = 84 / (foot - top), 26.0
    half = slope * depth
    zigzag = [(peak - half * 0.5, top + depth - 6), (peak - half * 0.2, top + depth + 6),
              (peak + half * 0.12, top + depth - 6), (peak + half * 0.5, top + depth + 5)]
    canvas.polygon([(peak, top), (peak - half, top + depth), *zigzag, (peak + half, top + depth)],
                   light((252, 253, 255)))
    hills(canvas, horizon + 6, 5, 1.6, stream.uniform(0, 6), light.ground((104, 160, 92)))
    for s in (-1, 1):
        for near in (0, 1):
            pine(canvas, light, off_middle(stream, s, 44 + 10 * near, 50 + 10 * near), horizon + 10 + 8 * near,
                 stream.uniform(30, 36), (40, 112, 78))
    hills(canvas, horizon + 26, 5, 1.2, stream.uniform(0, 6), light.ground((132, 182, 98)))


def draw_river(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Hills, a broad blue river that comes towards us, two trees."""
    stream, side = scene.stream("river"), free_side(scene)
    phase = stream.uniform(0, 6)
    hills(canvas, horizon + 2, 20, 2.6, phase, light.ground((132, 186, 138)))
    floor(canvas, horizon + 2, light.ground((106, 182, 84)))
    t = np.linspace(0, 1, 22)
    y = horizon + 1 + (UNITS - horizon) * t
    middle = 64 + side * (2 + 44 * t**0.9 + 12 * np.sin(t**0.7 * 2 * math.pi) * (0.5 + t))
    half = 5 + 34 * t**1.1
    for extra, color in ((5.0, light.ground((224, 206, 150))), (0.0, light((48, 140, 226)))):
        edge = half + extra * (0.4 + t)
        canvas.polygon([*zip(middle - edge, y, strict=True), *zip((middle + edge)[::-1], y[::-1], strict=True)], color)
    for k in (6, 11, 15, 19):
        x, w = float(middle[k] + half[k] * stream.uniform(-0.3, 0.2)), 4 + float(half[k]) * 0.3
        canvas.curve([(x - w, y[k]), (x - w / 3, y[k] - 2), (x + w / 3, y[k] + 1), (x + w, y[k] - 1)],
                     light((196, 230, 250)), 2.4)
    for s in (side, -side):
        tree(canvas, light, off_middle(stream, s, 46, 54), horizon + 6, 36 if s == side else 30, (54, 146, 74))
