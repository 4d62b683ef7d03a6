"""Main things that are no creatures (cake, castle, house, ball, bowl of water), and what stands beside the main thing.

Every thing is drawn in a frame of its own: standing on (0, 0), about 100 units wide or high, y down.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np

from ..canvas import UNITS, Canvas, Color, Point, smooth
from ..scene import Scene
from ..vocabulary import ABSENT
from .arcs import arc
from .body import free_side
from .buildings import BUILDINGS
from .cake import draw_cake
from .palette import darker, lighter, rim_of, tint

Painter = Callable[[Canvas, Color, random.Random], None]


def draw_main(canvas: Canvas, scene: Scene) -> None:
    """The main thing, where it is no creature; a cake's topping is a part of its own."""
    stream = scene.stream("position")
    x, base = UNITS / 2 + (stream.random() - 0.5) * 16, stream.uniform(108, 118)
    size = scene.stream("size").uniform(84, 94)
    with canvas.part("thing"), canvas.at(x, base, size / 100):
        _shadow(canvas, 50)
        own = scene.stream(scene.thing)
        if scene.thing == "cake":
            draw_cake(canvas, scene, own)
        elif scene.thing in BUILDINGS:
            BUILDINGS[scene.thing](canvas, own, scene.sky)
        else:
            _SMALL_THINGS[scene.thing](canvas, tint(scene.color, scene.stream("color")), own)


def draw_beside(canvas: Canvas, scene: Scene) -> None:
    """The thing beside the main thing: on the ground, where there is more room."""
    if scene.beside == ABSENT:
        return
    stream = scene.stream("beside")
    x, base, size = stream.uniform(18, 21), stream.uniform(117, 124), stream.uniform(34, 38)
    color = tint(scene.beside_color, scene.stream("beside color"))
    with canvas.part("beside"), canvas.at(UNITS - x if free_side(scene) > 0 else x, base, size / 100):
        _shadow(canvas, 46)
        _SMALL_THINGS[scene.beside](canvas, color, scene.stream(scene.beside))


def _shadow(canvas: Canvas, half_width: float) -> None:
    """A soft shadow on the ground."""
    canvas.ellipse(0, -1, half_width, half_width * 0.17, (20, 20, 40), opacity=56)


def _second(color: Color) -> Color:
    """A colour that is seen on `color`: lighter on dark and middling ones, darker on light ones."""
    return darker(color, 0.13) if sum(color) > 640 else lighter(color, 0.45)


def _draw_ball(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A beach ball 88 units across: two lighter panels, a highlight."""
    r, panel, rim = 44.0, _second(color), rim_of(color)
    canvas.oval_piece(0, -r, r, r, color, rim)
    with canvas.at(0, -r, r, angle=stream.uniform(-35, 35)):
        for outer, inner in ((-0.66, -0.14), (0.9, 0.4)):
            top, bottom = (-0.04, -0.93), (-0.04, 0.93)
            canvas.polygon([*_panel_edge(top, bottom, outer), *_panel_edge(bottom, top, inner)], panel)
    canvas.ellipse(-16, -r - 20, 11, 7.5, (255, 255, 255), -35)


def _panel_edge(start: Point, end: Point, bulge: float) -> list[Point]:
    """A seam from pole to pole that bulges sideways to `bulge`."""
    (x0, y0), (x1, y1) = start, end
    t = np.linspace(0, 1, 11)
    x = x0 + (x1 - x0) * t + (bulge - x0) * np.sin(math.pi * t)
    return list(zip(x, y0 + (y1 - y0) * t, strict=True))


def _draw_bowl(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A bowl 100 units wide, seen a little from above, with water in it."""
    top, foot, rim = -46.0, -3.0, rim_of(color)
    body = [*arc(0, top, 50, 18, 180, 360, 9), (47, -30), (40, -12), (29, foot), (0, foot + 3.5), (-29, foot),
            (-40, -12), (-47, -30)]
    canvas.piece(smooth(np.array(body), closed=True, pieces=3), color, rim)
    canvas.blob([(49, top), (47, -30), (40, -12), (29, foot), (14, foot + 2), (29, -16), (36, -34)],
                darker(color, 0.16))
    canvas.blob([(-41, -28), (-36, -14), (-29, -8), (-33, -22)], lighter(color, 0.5))
    canvas.oval_piece(0, top, 51, 20, lighter(color, 0.35) if sum(color) < 640 else (255, 255, 255), rim)
    canvas.ellipse(0, top + 1, 43, 14.5, (36, 112, 196))
    canvas.ellipse(0, top + 2.5, 41, 12, (70, 164, 240))
    canvas.ellipse(stream.uniform(-14, 10), top + 2.5, 18, 5, (170, 218, 252))


def _draw_present(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A gift box with a lid, a ribbon and a bow."""
    ribbon, rim = (254, 216, 66) if abs(color[0] - 252) + abs(color[1] - 214) > 90 else (214, 50, 62), rim_of(color)
    for s in (-1, 1):
        canvas.piece([(0, -74), (s * 12, -96), (s * 34, -98), (s * 32, -78)], ribbon, rim_of(ribbon))
    canvas.piece([(-40, -60), (40, -60), (40, 0), (-40, 0)], color, rim)
    canvas.rect(-11, -60, 11, 0, ribbon)
    lid = lighter(color, 0.2) if sum(color) < 640 else (255, 255, 255)
    canvas.piece([(-46, -78), (46, -78), (46, -56), (-46, -56)], lid, rim)
    canvas.rect(-11, -78, 11, -56, ribbon)


_PETALS: tuple[Color, ...] = ((244, 90, 126), (252, 252, 248), (254, 198, 56), (180, 104, 220))


def _draw_flower_pot(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A pot with one big flower."""
    petals = stream.choice(_PETALS)
    heart, green, rim = (250, 200, 50) if petals != _PETALS[2] else (140, 84, 44), (58, 156, 74), rim_of(color)
    canvas.line([(0, -36), (0, -76)], green, 9)
    for s in (-1, 1):
        canvas.blob([(0, -44), (s * 14, -64), (s * 34, -64), (s * 22, -46)], darker(green, 0.1 + 0.06 * s))
    for grow, paint in ((4, rim_of(petals)), (0, petals)):
        for k in range(6):
            a = k * math.pi / 3
            canvas.ellipse(18 * math.sin(a), -86 - 18 * math.cos(a), 13 + grow, 13 + grow, paint)
    canvas.ellipse(0, -86, 13, 13, heart)
    canvas.piece([(-30, -36), (30, -36), (22, 0), (-22, 0)], color, rim)
    lip = lighter(color, 0.25) if sum(color) < 640 else (255, 255, 255)
    canvas.piece([(-36, -48), (36, -48), (36, -32), (-36, -32)], lip, rim)


_SMALL_THINGS: dict[str, Painter] = {
    "ball": _draw_ball, "bowl of water": _draw_bowl, "present": _draw_present, "flower pot": _draw_flower_pot,
}
