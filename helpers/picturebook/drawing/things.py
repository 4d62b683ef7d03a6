"""Main things that are no creatures (cake, castle, house, ball, bowl of water), and what stands beside the main thing.

Every thing is drawn in a frame of its own: standing on (0, 0), about 100 units wide or high, y down.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np

from ..canvas import UNITS, Canvas, Color, Point
from ..scene import Scene
from ..vocabulary import ABSENT
from .arcs import arc
from .buildings import BUILDINGS
from .palette import COLOR_VALUES, darker, lighter, mix, tint

Painter = Callable[[Canvas, Color, random.Random], None]


def draw_main(canvas: Canvas, scene: Scene) -> None:
    """The main thing, where it is no creature; a cake's topping is a part of its own."""
    stream = scene.stream("position")
    x, base = stream.uniform(44, 84), stream.uniform(102, 116)
    size = scene.stream("size").uniform(60, 80)
    with canvas.part("thing"), canvas.at(x, base, size / 100):
        _shadow(canvas, 50)
        own = scene.stream(scene.thing)
        if scene.thing == "cake":
            _draw_cake(canvas, scene, own)
        elif scene.thing in BUILDINGS:
            BUILDINGS[scene.thing](canvas, own, scene.sky)
        else:
            _SMALL_THINGS[scene.thing](canvas, tint(scene.color, scene.stream("color")), own)


def draw_beside(canvas: Canvas, scene: Scene) -> None:
    """The thing beside the main thing: small, on the ground, at the far left or the far right."""
    if scene.beside == ABSENT:
        return
    stream = scene.stream("beside")
    x, left = stream.uniform(15, 22), stream.random() < 0.5
    base, size = stream.uniform(110, 122), stream.uniform(25, 31)
    color = tint(scene.beside_color, scene.stream("beside color"))
    with canvas.part("beside"), canvas.at(x if left else UNITS - x, base, size / 100):
        _shadow(canvas, 46)
        _SMALL_THINGS[scene.beside](canvas, color, scene.stream(scene.beside))


def _shadow(canvas: Canvas, half_width: float) -> None:
    """A soft shadow on the ground."""
    canvas.ellipse(0, -1, half_width, half_width * 0.17, (20, 20, 40), opacity=56)


def _second(color: Color) -> Color:
    """A colour that is seen on `color`: lighter on dark and middling ones, darker on light ones."""
    return darker(color, 0.13) if sum(color) > 640 else lighter(color, 0.45)



Tier = tuple[float, float, float, float]  # half width, flatness of its ellipses, y of its bottom, y of its top


def _draw_cake(canvas: Canvas, scene: Scene, stream: random.Random) -> None:
    tiers: list[Tier] = [(42, 9.5, -7, -37), (28, 6.5, -37, -63)] if stream.random() < 0.6 else [(43, 11, -7, -51)]
    color = tint(scene.color, scene.stream("color"))
    canvas.ellipse(0, -5, 50, 11.5, (178, 190, 206))
    canvas.ellipse(0, -6.5, 50, 11.5, (232, 238, 244))
    canvas.ellipse(0, -6, 43, 9.5, (190, 198, 212))
    for tier in tiers:
        _draw_tier(canvas, tier, color)
    if scene.topping != ABSENT:
        with canvas.part("topping"):
            _TOPPINGS[scene.topping](canvas, tiers, scene.stream(scene.topping))


def _draw_tier(canvas: Canvas, tier: Tier, color: Color) -> None:
    """A round cake: its side with soft light and shade, icing that runs down from the top."""
    half, flat, bottom, top = tier
    side = [(-half, top), *arc(0, bottom, half, flat, 180, 0), (half, top)]
    canvas.polygon(side, darker(color, 0.05))
    canvas.polygon([(half * 0.55, top), *arc(0, bottom, half, flat, 57, 0, 7), (half, top)], darker(color, 0.17))
    icing = lighter(color, 0.28) if sum(color) < 640 else mix(color, (255, 255, 255), 0.5)
    drops = (2.0, 8.5, 3.0, 6.0) * 4 + (2.0,)
    drips = [(x, top + flat * math.sqrt(max(0, 1 - (x / half) ** 2)) + drop)
             for x, drop in zip(np.linspace(half, -half, 17), drops, strict=True)]
    canvas.blob([*drips, *arc(0, top, half, flat, 180, 360, 9)], lighter(color, 0.1) if sum(color) < 640 else icing)
    canvas.ellipse(0, top - 0.5, half * 0.96, flat * 0.92, icing)


def _rim(tier: Tier, count: int, shrink: float = 0.84) -> list[Point]:
    """`count` places around a tier's top, the far ones first."""
    half, flat, _, top = tier
    return sorted(arc(0, top, half * shrink, flat * shrink, 90, 90 + 360 * (1 - 1 / count), count), key=lambda p: p[1])


def _swirl(canvas: Canvas, x: float, y: float, r: float, cream: Color) -> None:
    """A rosette of piped cream."""
    shade = darker(cream, 0.1)
    canvas.ellipse(x, y, r, r * 0.62, shade)
    canvas.ellipse(x, y - r * 0.45, r * 0.72, r * 0.5, cream)
    canvas.polygon([(x - r * 0.46, y - r * 0.6), (x + r * 0.1, y - r * 1.5), (x + r * 0.46, y - r * 0.6)], cream)


_STAR = [(math.sin(a) * r, -math.cos(a) * r) for a, r in
         zip(np.linspace(0, 2 * math.pi, 10, endpoint=False), [1.0, 0.45] * 5, strict=True)]


def _draw_decorations(canvas: Canvas, tiers: list[Tier], stream: random.Random) -> None:
    """Cream rosettes around every edge, stars on the sides, cherries on top."""
    cream = (255, 246, 232)
    for half, flat, bottom, top in tiers:
        for x, y in arc(0, bottom, half, flat, 172, 8, 9):
            canvas.ellipse(x, y - 1, 4.8, 3.9, cream)
        for k, angle in enumerate((140, 113, 90, 67, 40)):
            x, y = arc(0, (bottom + top) / 2 + 2, half * 0.98, flat, angle, angle, 1)[0]
            with canvas.at(x, y, 4.6):
                canvas.polygon(_STAR, ((255, 214, 64), (250, 250, 250))[k % 2])
    for half, flat, _, top in tiers[:-1]:
        for x, y in arc(0, top, half * 0.9, flat * 0.9, 160, 20, 5):
            _swirl(canvas, x, y, 5.2, cream)
    for x, y in _rim(tiers[-1], 9):
        _swirl(canvas, x, y, 6, cream)
        canvas.ellipse(x, y - 9.5, 3.5, 3.5, (206, 30, 52))
        canvas.ellipse(x - 1.1, y - 10.7, 1, 1, (255, 190, 196))


_BEANS = tuple(COLOR_VALUES[c] for c in ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white"))


def _draw_jelly_beans(canvas: Canvas, tiers: list[Tier], stream: random.Random) -> None:
    """Many small beans in every colour, strewn over the tops and stuck to the sides."""
    for half, flat, bottom, top in tiers:
        spots = [(half * 0.86 * r * math.cos(a), top - 1 + flat * 0.86 * r * math.sin(a))
                 for k in range(16) for r in [math.sqrt((k + 0.5) / 16)] for a in [k * 2.4]]
        spots += [(half * math.cos(a), top + 5 + (bottom - top - 6) * stream.uniform(0.1, 0.95) + flat * math.sin(a))
                  for k in range(15) for a in [math.radians(12 + 156 * k / 14)]]
        for x, y in sorted(spots, key=lambda p: p[1]):
            color, angle = stream.choice(_BEANS), stream.uniform(0, 180)
            canvas.ellipse(x, y, 4.4, 2.9, color, angle)
            canvas.ellipse(x - 0.9, y - 1.0, 1.3, 0.8, lighter(color, 0.6), angle)


def _draw_candles(canvas: Canvas, tiers: list[Tier], stream: random.Random) -> None:
    """Five tall striped candles, lit."""
    colors = stream.sample(((230, 70, 80), (70, 130, 220), (250, 200, 60), (90, 180, 100), (170, 100, 200)), 5)
    for (x, y), color in zip(_rim(tiers[-1], 5, 0.74), colors, strict=True):
        canvas.rect(x - 2.3, y - 24, x + 2.3, y, (252, 248, 240))
        for k in range(3):
            canvas.polygon([(x - 2.3, y - 3 - 8 * k), (x + 2.3, y - 7 - 8 * k), (x + 2.3, y - 3 - 8 * k),
                            (x - 2.3, y + 1 - 8 * k)], color)
        canvas.ellipse(x, y - 31, 7.5, 9, (255, 226, 120), opacity=80)
        canvas.blob([(x, y - 39.5), (x + 3.4, y - 30), (x, y - 25), (x - 3.4, y - 30)], (255, 158, 44))
        canvas.ellipse(x, y - 29, 1.6, 2.8, (255, 240, 150))


_TOPPINGS: dict[str, Callable[[Canvas, list[Tier], random.Random], None]] = {
    "decorations": _draw_decorations, "jelly beans": _draw_jelly_beans, "candles": _draw_candles,
}



def _draw_ball(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A beach ball 88 units across: two lighter panels, a shaded rim, a highlight."""
    r, panel = 44.0, _second(color)
    canvas.ellipse(0, -r, r, r, darker(color, 0.24))
    with canvas.at(0, -r, r, angle=stream.uniform(-35, 35)):
        canvas.ellipse(-0.04, -0.04, 0.93, 0.93, color)
        for outer, inner in ((-0.62, -0.12), (0.86, 0.42)):
            top, bottom = (-0.04, -0.86), (-0.04, 0.8)
            canvas.polygon([*_panel_edge(top, bottom, outer), *_panel_edge(bottom, top, inner)], panel)
        canvas.ellipse(-0.04, -0.84, 0.2, 0.09, darker(panel, 0.12))
    canvas.ellipse(-15, -r - 19, 10, 6.5, (255, 255, 255), -35, 210)


def _panel_edge(start: Point, end: Point, bulge: float) -> list[Point]:
    """A seam from pole to pole that bulges sideways to `bulge`."""
    (x0, y0), (x1, y1) = start, end
    t = np.linspace(0, 1, 11)
    x = x0 + (x1 - x0) * t + (bulge - x0) * np.sin(math.pi * t)
    return list(zip(x, y0 + (y1 - y0) * t, strict=True))


def _draw_bowl(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A bowl 100 units wide, seen a little from above, with water in it."""
    rim, foot = -44.0, -3.0
    body = [*arc(0, rim, 49, 18, 180, 360, 9), (47, -30), (40, -12), (29, foot), (0, foot + 3.5), (-29, foot),
            (-40, -12), (-47, -30)]
    canvas.blob(body, color)
    canvas.blob([(49, rim), (47, -30), (40, -12), (29, foot), (14, foot + 2), (29, -16), (36, -34)],
                darker(color, 0.16))
    canvas.blob([(-42, -29), (-36, -15), (-31, -10), (-35, -20), (-38, -29)], lighter(color, 0.5))
    canvas.ellipse(0, rim, 50, 18.5, lighter(color, 0.3) if sum(color) < 640 else (255, 255, 255))
    canvas.ellipse(0, rim + 0.5, 45, 15.5, darker(color, 0.4))
    canvas.ellipse(0, rim + 2.5, 43.5, 13.2, (58, 146, 222))
    canvas.ellipse(-4, rim + 3.5, 36, 9.5, (98, 180, 240))
    x = stream.uniform(-10, 8)
    for r, shade in ((22, (206, 234, 252)), (11, (236, 248, 255))):
        canvas.line(arc(x, rim + 3.4, r, r * 0.26, 0, 360, 25), shade, 1.8)
    canvas.line(arc(0, rim + 2, 38, 10, 205, 250, 7), (255, 255, 255), 2.2)


def _draw_present(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A gift box with a lid, a ribbon and a bow."""
    ribbon = (252, 214, 74) if abs(color[0] - 252) + abs(color[1] - 214) > 90 else (214, 60, 70)
    canvas.rect(-38, -60, 38, 0, color)
    canvas.rect(18, -60, 38, 0, darker(color, 0.14))
    canvas.rect(-9, -60, 9, 0, ribbon)
    canvas.rect(-43, -75, 43, -56, lighter(color, 0.16) if sum(color) < 640 else (255, 255, 255))
    canvas.rect(-43, -58, 43, -54, darker(color, 0.28))
    canvas.rect(-10, -75, 10, -56, lighter(ribbon, 0.15))
    for s in (-1, 1):
        canvas.blob([(0, -75), (s * 12, -93), (s * 30, -96), (s * 30, -79)], ribbon)
        canvas.blob([(s * 7, -79), (s * 14, -88), (s * 24, -90), (s * 23, -81)], darker(ribbon, 0.22))
    canvas.ellipse(0, -77, 7, 7, lighter(ribbon, 0.2))


_PETALS: tuple[Color, ...] = ((240, 96, 128), (250, 250, 246), (250, 190, 60), (176, 110, 214))


def _draw_flower_pot(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A pot with one big flower."""
    petals, heart = stream.choice(_PETALS), (246, 190, 48)
    heart = heart if petals != _PETALS[2] else (140, 84, 44)
    green = (66, 150, 74)
    canvas.curve([(0, -36), (-2, -56), (0, -76)], green, 5)
    for s in (-1, 1):
        canvas.blob([(0, -44), (s * 12, -60), (s * 28, -62), (s * 18, -48)], darker(green, 0.1 + 0.06 * s))
    for k in range(7):
        a = k * 2 * math.pi / 7
        petal = petals if k % 2 else darker(petals, 0.07)
        canvas.ellipse(13.5 * math.sin(a), -80 - 13.5 * math.cos(a), 8.6, 8.6, petal)
    canvas.ellipse(0, -80, 8.5, 8.5, heart)
    canvas.polygon([(-27, -36), (27, -36), (20, 0), (-20, 0)], color)
    canvas.polygon([(12, -36), (27, -36), (20, 0), (10, 0)], darker(color, 0.16))
    canvas.rect(-32, -45, 32, -33, lighter(color, 0.2) if sum(color) < 640 else (255, 255, 255))
    canvas.rect(-28, -33, 28, -30, darker(color, 0.25))


_SMALL_THINGS: dict[str, Painter] = {
    "ball": _draw_ball, "bowl of water": _draw_bowl, "present": _draw_present, "flower pot": _draw_flower_pot,
}
