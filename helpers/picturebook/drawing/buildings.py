"""The castle and the house."""

from __future__ import annotations

import random
from collections.abc import Callable

from ..canvas import Canvas, Color, Point
from .arcs import arc
from .palette import darker, lighter

_STONES: tuple[Color, ...] = ((188, 186, 194), (204, 192, 172), (176, 180, 198), (214, 200, 188))
_ROOFS: tuple[Color, ...] = ((74, 96, 168), (186, 70, 66), (108, 76, 150), (60, 128, 118))


def _battlements(x0: float, x1: float, y: float, count: int, tooth: float) -> list[Point]:
    """The upper edge of a wall, from left to right: `count` teeth with gaps between them."""
    step = (x1 - x0) / (2 * count - 1)
    return [p for k in range(2 * count - 1) for h in [y - tooth * (1 - k % 2)]
            for p in ((x0 + k * step, h), (x0 + (k + 1) * step, h))]


def _draw_castle(canvas: Canvas, stream: random.Random, sky: str) -> None:
    stone, roof, flag = stream.choice(_STONES), stream.choice(_ROOFS), stream.choice(_ROOFS)
    glass = (64, 70, 100) if sky == "day" else (255, 218, 110)
    _draw_tower(canvas, (-13, 13, -68), lighter(stone, 0.1), roof, flag, 24)
    canvas.rect(-3, -62, 3, -54, glass)
    canvas.polygon([(-34, 0), *_battlements(-34, 34, -42, 6, 6), (34, 0)], stone)
    for x in (-37, 37):
        _draw_tower(canvas, (x - 12, x + 12, -54), darker(stone, 0.08), roof, flag, 22)
        canvas.polygon([(x - 3, -28), *arc(x, -38, 3, 4, 180, 360, 7), (x + 3, -28)], glass)
    _draw_stones(canvas, stone)
    canvas.polygon([(-14, 0), *arc(0, -17, 14, 14, 180, 360), (14, 0)], darker(stone, 0.42))
    canvas.polygon([(-10.5, 0), *arc(0, -16, 10.5, 10.5, 180, 360), (10.5, 0)], (122, 78, 46))
    for gap in (-5.2, 0, 5.2):
        canvas.line([(gap, 0), (gap, -25)], (84, 52, 32), 1.3)
    canvas.line([(-10.5, -12), (10.5, -12)], (84, 52, 32), 1.3)
    for x in (-20, 20):
        canvas.polygon([(x - 2.6, -22), *arc(x, -30, 2.6, 3, 180, 360, 7), (x + 2.6, -22)], glass)


def _draw_tower(canvas: Canvas, box: tuple[float, float, float], stone: Color, roof: Color, flag: Color,
                height: float) -> None:
    """A round tower over (left, right, top), with battlements, a pointed roof `height` units high and a flag."""
    x0, x1, top = box
    middle, peak = (x0 + x1) / 2, top - 6 - height
    canvas.line([(middle, peak - 9), (middle, peak + 2)], (90, 70, 60), 1.2)
    canvas.polygon([(middle, peak - 9), (middle + 11, peak - 6.5), (middle, peak - 3.5)], flag)
    canvas.polygon([(x0 + 1, top - 4), (middle, peak), (x1 - 1, top - 4)], roof)
    canvas.polygon([(middle, peak), (x1 - 1, top - 4), (middle + 3, top - 4)], darker(roof, 0.25))
    canvas.polygon([(x0, 0), *_battlements(x0 - 2, x1 + 2, top, 4, 5), (x1, 0)], stone)
    canvas.polygon([(x1 - (x1 - x0) * 0.26, 0), (x1 - (x1 - x0) * 0.26, top), (x1 + 1.6, top), (x1, 0)],
                   darker(stone, 0.14))
    canvas.rect(x0 - 1.6, top, x1 + 1.6, top + 2.4, darker(stone, 0.24))


def _draw_stones(canvas: Canvas, stone: Color) -> None:
    """A few stones of the walls, darker than the others."""
    for x, y in ((-28, -8), (-20, -36), (22, -38), (27, -12), (-42, -16), (-45, -46), (33, -18), (40, -8), (-33, -5)):
        canvas.rect(x - 3, y - 1.7, x + 3, y + 1.7, darker(stone, 0.17))


_WALLS: tuple[Color, ...] = ((250, 232, 196), (240, 202, 172), (206, 222, 232), (226, 232, 204), (244, 214, 214))
_TILES: tuple[Color, ...] = ((192, 76, 60), (132, 74, 62), (82, 104, 138), (92, 116, 90))
_DOORS: tuple[Color, ...] = ((70, 122, 92), (164, 66, 56), (76, 104, 160), (132, 88, 54))


def _draw_house(canvas: Canvas, stream: random.Random, sky: str) -> None:
    wall, tiles, door = stream.choice(_WALLS), stream.choice(_TILES), stream.choice(_DOORS)
    canvas.rect(17, -88, 29, -56, (166, 92, 76))
    canvas.rect(15, -91, 31, -86, (136, 72, 62))
    for x, y, r in ((24, -96, 4), (28, -103, 5), (34, -111, 6)):
        canvas.ellipse(x, y, r, r * 0.85, (236, 236, 240), opacity=200)
    canvas.polygon([(-38, 0), (-38, -46), (0, -80), (38, -46), (38, 0)], wall)
    canvas.polygon([(24, 0), (24, -52), (38, -46), (38, 0)], darker(wall, 0.08))
    canvas.polygon([(-48, -41), (0, -86), (48, -41), (43, -35), (0, -75), (-43, -35)], tiles)
    canvas.polygon([(0, -75), (43, -35), (40, -32), (0, -69), (-40, -32), (-43, -35)], darker(wall, 0.25))
    canvas.rect(-39, -5, 39, 0, (158, 150, 148))
    glass = (142, 202, 232) if sky == "day" else (255, 222, 118)
    canvas.ellipse(0, -55, 8, 8, (252, 250, 244))
    canvas.ellipse(0, -55, 6, 6, glass)
    canvas.line([(-6, -55), (6, -55)], (252, 250, 244), 1.5)
    canvas.line([(0, -61), (0, -49)], (252, 250, 244), 1.5)
    for x in (-25, 25):
        _draw_window(canvas, x, -25, glass, door)
    canvas.polygon([(-9.5, 0), *arc(0, -25, 9.5, 6, 180, 360, 9), (9.5, 0)], (252, 250, 244))
    canvas.polygon([(-7.5, 0), *arc(0, -24.5, 7.5, 4.6, 180, 360, 9), (7.5, 0)], door)
    canvas.ellipse(4.6, -13, 1.4, 1.4, (250, 214, 90))


def _draw_window(canvas: Canvas, x: float, y: float, glass: Color, shutter: Color) -> None:
    """A window around (x, y) with bars, shutters and a box of flowers."""
    frame = (252, 250, 244)
    for s in (-1, 1):
        canvas.rect(x + s * 7.5, y - 8, x + s * 11, y + 8, shutter)
    canvas.rect(x - 7.5, y - 8.5, x + 7.5, y + 8.5, frame)
    canvas.rect(x - 5.8, y - 6.8, x + 5.8, y + 6.8, glass)
    canvas.line([(x - 6, y), (x + 6, y)], frame, 1.6)
    canvas.line([(x, y - 7), (x, y + 7)], frame, 1.6)
    canvas.rect(x - 8.5, y + 8, x + 8.5, y + 12, (150, 96, 62))
    for k, color in enumerate(((232, 80, 96), (250, 200, 70), (240, 130, 180))):
        canvas.ellipse(x - 5.5 + 5.5 * k, y + 7.5, 2.7, 2.4, color)


BUILDINGS: dict[str, Callable[[Canvas, random.Random, str], None]] = {"castle": _draw_castle, "house": _draw_house}
