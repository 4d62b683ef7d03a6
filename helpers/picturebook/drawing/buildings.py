"""The castle and the house, big, with few and large windows. Their frame is that of things.py."""

from __future__ import annotations

import random
from collections.abc import Callable

from ..canvas import Canvas, Color, Point
from .arcs import arc
from .palette import darker, lighter, rim_of

_STONES: tuple[Color, ...] = ((190, 188, 200), (212, 198, 174), (178, 184, 206), (222, 206, 190))
_ROOFS: tuple[Color, ...] = ((66, 96, 186), (206, 58, 60), (116, 72, 170), (44, 140, 124))


def _battlements(x0: float, x1: float, y: float, count: int, tooth: float) -> list[Point]:
    """The upper edge of a wall, from left to right: `count` teeth with gaps between them."""
    step = (x1 - x0) / (2 * count - 1)
    return [p for k in range(2 * count - 1) for h in [y - tooth * (1 - k % 2)]
            for p in ((x0 + k * step, h), (x0 + (k + 1) * step, h))]


def _draw_castle(canvas: Canvas, stream: random.Random, sky: str) -> None:
    """A high tower behind, a wall with a gate, two towers in front; pointed roofs with flags."""
    stone, roof, flag = stream.choice(_STONES), stream.choice(_ROOFS), stream.choice(_ROOFS)
    glass, rim = (64, 70, 104) if sky == "day" else (255, 218, 100), rim_of(stone)
    _draw_tower(canvas, (-17, 17, -72), lighter(stone, 0.1), roof, flag)
    canvas.polygon([(-5, -52), *arc(0, -62, 5, 5, 180, 360, 7), (5, -52)], glass)
    canvas.piece([(-36, 0), *_battlements(-36, 36, -40, 4, 8), (36, 0)], stone, rim)
    for x in (-38, 38):
        _draw_tower(canvas, (x - 14, x + 14, -54), darker(stone, 0.08), roof, flag)
        canvas.polygon([(x - 5, -26), *arc(x, -37, 5, 5, 180, 360, 7), (x + 5, -26)], glass)
    canvas.polygon([(-17, 0), *arc(0, -18, 17, 15, 180, 360), (17, 0)], darker(stone, 0.5))
    canvas.polygon([(-13, 0), *arc(0, -17, 13, 11, 180, 360), (13, 0)], (140, 84, 44))
    canvas.line([(0, 0), (0, -27)], (84, 50, 30), 2.4)


def _draw_tower(canvas: Canvas, box: tuple[float, float, float], stone: Color, roof: Color, flag: Color) -> None:
    """A round tower over (left, right, top), with battlements, a pointed roof and a flag."""
    x0, x1, top = box
    middle, peak, rim = (x0 + x1) / 2, top - 28, rim_of(stone)
    canvas.line([(middle, peak - 10), (middle, peak + 2)], (80, 60, 60), 2.4)
    canvas.piece([(middle + 1, peak - 11), (middle + 15, peak - 6), (middle + 1, peak - 1)], flag, rim_of(flag), 0.8)
    canvas.piece([(x0 - 2, top - 4), (middle, peak), (x1 + 2, top - 4)], roof, rim_of(roof))
    canvas.piece([(x0, 0), (x0, top + 4), *_battlements(x0 - 3, x1 + 3, top, 3, 6), (x1, top + 4), (x1, 0)], stone, rim)
    canvas.rect(x1 - 7, top + 5, x1, 0, darker(stone, 0.14))


_WALLS: tuple[Color, ...] = ((254, 236, 196), (246, 206, 172), (204, 226, 240), (228, 238, 204), (250, 216, 218))
_TILES: tuple[Color, ...] = ((206, 70, 56), (140, 74, 58), (74, 104, 154), (84, 130, 88))
_DOORS: tuple[Color, ...] = ((58, 132, 92), (176, 58, 50), (64, 104, 176), (140, 88, 50))


def _draw_house(canvas: Canvas, stream: random.Random, sky: str) -> None:
    """A house with a big roof, a chimney with smoke, a door and two windows."""
    wall, tiles, door = stream.choice(_WALLS), stream.choice(_TILES), stream.choice(_DOORS)
    glass, frame = (130, 206, 244) if sky == "day" else (255, 222, 110), (255, 252, 246)
    for x, y, r in ((29, -99, 6), (35, -108, 7.5)):
        canvas.ellipse(x, y, r, r * 0.85, (242, 243, 247))
    canvas.piece([(18, -90), (34, -90), (34, -56), (18, -56)], (186, 92, 70), (90, 40, 34))
    canvas.piece([(-40, 0), (-40, -44), (0, -78), (40, -44), (40, 0)], wall, rim_of(wall))
    canvas.piece([(-54, -38), (0, -88), (54, -38), (44, -32), (0, -68), (-44, -32)], tiles, rim_of(tiles))
    canvas.oval_piece(0, -50, 9, 9, glass, frame, width=2.2)
    for x in (-25, 25):
        canvas.rect(x - 11, -36, x + 11, -12, frame)
        canvas.rect(x - 8.5, -33.5, x + 8.5, -14.5, glass)
        canvas.rect(x - 1.4, -34, x + 1.4, -14, frame)
        canvas.rect(x - 12, -13, x + 12, -7, (164, 100, 58))
        for k, color in enumerate(((236, 60, 84), (254, 206, 60), (240, 120, 180))):
            canvas.ellipse(x - 7.5 + 7.5 * k, -14, 4.2, 3.8, color)
    canvas.polygon([(-11, 0), *arc(0, -26, 11, 9, 180, 360, 9), (11, 0)], frame)
    canvas.polygon([(-8.5, 0), *arc(0, -25, 8.5, 7, 180, 360, 9), (8.5, 0)], door)
    canvas.ellipse(4.6, -14, 2.4, 2.4, (255, 216, 80))


BUILDINGS: dict[str, Callable[[Canvas, random.Random, str], None]] = {"castle": _draw_castle, "house": _draw_house}
