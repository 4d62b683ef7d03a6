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
        elif scene.thing in _BUILDINGS:
            _BUILDINGS[scene.thing](canvas, own, scene.sky)
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


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 17) -> list[Point]:
    """Points of an ellipse around (x, y) from angle `start` to `end`, in degrees clockwise from the right."""
    a = np.radians(np.linspace(start, end, count))
    return list(zip(x + rx * np.cos(a), y + ry * np.sin(a), strict=True))


# ---------------------------------------------------------------------------------------------------------------------
# cake
# ---------------------------------------------------------------------------------------------------------------------

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
    side = [(-half, top), *_arc(0, bottom, half, flat, 180, 0), (half, top)]
    canvas.polygon(side, darker(color, 0.05))
    canvas.polygon([(half * 0.55, top), *_arc(0, bottom, half, flat, 57, 0, 7), (half, top)], darker(color, 0.17))
    icing = lighter(color, 0.28) if sum(color) < 640 else mix(color, (255, 255, 255), 0.5)
    drops = (2.0, 8.5, 3.0, 6.0) * 4 + (2.0,)
    drips = [(x, top + flat * math.sqrt(max(0, 1 - (x / half) ** 2)) + drop)
             for x, drop in zip(np.linspace(half, -half, 17), drops, strict=True)]
    canvas.blob([*drips, *_arc(0, top, half, flat, 180, 360, 9)], lighter(color, 0.1) if sum(color) < 640 else icing)
    canvas.ellipse(0, top - 0.5, half * 0.96, flat * 0.92, icing)


def _rim(tier: Tier, count: int, shrink: float = 0.84) -> list[Point]:
    """`count` places around a tier's top, the far ones first."""
    half, flat, _, top = tier
    return sorted(_arc(0, top, half * shrink, flat * shrink, 90, 90 + 360 * (1 - 1 / count), count), key=lambda p: p[1])


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
        for x, y in _arc(0, bottom, half, flat, 172, 8, 9):
            canvas.ellipse(x, y - 1, 4.8, 3.9, cream)
        for k, angle in enumerate((140, 113, 90, 67, 40)):
            x, y = _arc(0, (bottom + top) / 2 + 2, half * 0.98, flat, angle, angle, 1)[0]
            with canvas.at(x, y, 4.6):
                canvas.polygon(_STAR, ((255, 214, 64), (250, 250, 250))[k % 2])
    for half, flat, _, top in tiers[:-1]:
        for x, y in _arc(0, top, half * 0.9, flat * 0.9, 160, 20, 5):
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

# ---------------------------------------------------------------------------------------------------------------------
# castle, house
# ---------------------------------------------------------------------------------------------------------------------

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
        canvas.polygon([(x - 3, -28), *_arc(x, -38, 3, 4, 180, 360, 7), (x + 3, -28)], glass)
    _draw_stones(canvas, stone)
    canvas.polygon([(-14, 0), *_arc(0, -17, 14, 14, 180, 360), (14, 0)], darker(stone, 0.42))
    canvas.polygon([(-10.5, 0), *_arc(0, -16, 10.5, 10.5, 180, 360), (10.5, 0)], (122, 78, 46))
    for gap in (-5.2, 0, 5.2):
        canvas.line([(gap, 0), (gap, -25)], (84, 52, 32), 1.3)
    canvas.line([(-10.5, -12), (10.5, -12)], (84, 52, 32), 1.3)
    for x in (-20, 20):
        canvas.polygon([(x - 2.6, -22), *_arc(x, -30, 2.6, 3, 180, 360, 7), (x + 2.6, -22)], glass)


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
    canvas.polygon([(-9.5, 0), *_arc(0, -25, 9.5, 6, 180, 360, 9), (9.5, 0)], (252, 250, 244))
    canvas.polygon([(-7.5, 0), *_arc(0, -24.5, 7.5, 4.6, 180, 360, 9), (7.5, 0)], door)
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


_BUILDINGS: dict[str, Callable[[Canvas, random.Random, str], None]] = {"castle": _draw_castle, "house": _draw_house}

# ---------------------------------------------------------------------------------------------------------------------
# things in any colour, big or small
# ---------------------------------------------------------------------------------------------------------------------


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
    body = [*_arc(0, rim, 49, 18, 180, 360, 9), (47, -30), (40, -12), (29, foot), (0, foot + 3.5), (-29, foot),
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
        canvas.line(_arc(x, rim + 3.4, r, r * 0.26, 0, 360, 25), shade, 1.8)
    canvas.line(_arc(0, rim + 2, 38, 10, 205, 250, 7), (255, 255, 255), 2.2)


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
