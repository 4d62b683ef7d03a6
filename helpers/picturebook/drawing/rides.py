"""What a creature rides, seen from the side and built around the seat.

Inside this module (0, 0) is the seat, y points down, the front is at +x and the ground at y = GROUND.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from ..canvas import Canvas, Color
from ..scene import Scene
from .body import Body
from .palette import darker, lighter, mix, tint

GROUND = 27.0  #: how far under the seat the wheels stand, in picture units
RUBBER: Color = (46, 44, 52)
STEEL: Color = (186, 192, 202)
IRON: Color = (84, 86, 98)
GLASS: Color = (190, 226, 242)
LAMP: Color = (255, 232, 140)
WATER: Color = (70, 150, 206)

Part = Callable[[Canvas, Color, random.Random], None]


def draw_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """What is on the far side of the rider."""
    _draw(canvas, scene, body, BEHIND)


def draw_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """What is on the near side of the rider, hiding its legs."""
    _draw(canvas, scene, body, FRONT)


def _draw(canvas: Canvas, scene: Scene, body: Body, parts: dict[str, Part]) -> None:
    """Draws one side of the ride; both sides see the same random numbers."""
    if scene.doing != "riding":
        return
    flip = _faces_left(scene, body)
    color = tint(scene.ride_color, scene.stream("ride color"))
    with canvas.part("ride"), canvas.at(*body.feet, flip=flip):
        parts[scene.ride](canvas, color, scene.stream("ride details"))


def _faces_left(scene: Scene, body: Body) -> bool:
    """Either way, but towards the middle where there is little room ahead."""
    x = body.feet[0]
    return x > 76 or (x >= 52 and scene.stream("ride").random() < 0.5)


def _trim(color: Color) -> Color:
    """A colour for lines on a surface of `color`: darker, or lighter where the surface is nearly black."""
    return lighter(color, 0.35) if sum(color) < 240 else darker(color, 0.3)


def _spokes(canvas: Canvas, x: float, y: float, r: float, count: int, turn: float) -> None:
    """Thin spokes, as one stroke through the hub and back."""
    points = []
    for i in range(count):
        a = turn + math.pi * i / count
        points += [(x, y), (x + r * math.cos(a), y + r * math.sin(a)), (x - r * math.cos(a), y - r * math.sin(a))]
    canvas.line(points, STEEL, 0.6)


def _wheel(canvas: Canvas, x: float, r: float, hub: Color) -> None:
    """A thick tyre standing on the ground, with a hub cap."""
    y = GROUND - r
    canvas.ellipse(x, y, r, r, RUBBER)
    canvas.ellipse(x, y, 0.58 * r, 0.58 * r, hub)
    canvas.ellipse(x, y, 0.22 * r, 0.22 * r, darker(hub, 0.45))


def _shadow(canvas: Canvas, x: float, width: float) -> None:
    canvas.ellipse(x, GROUND, width, 2.2, (30, 30, 40), opacity=60)


# ---- bicycle


def _bicycle_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The wheels and the far pedal."""
    _shadow(canvas, 0, 36)
    turn, count = stream.uniform(0, 1), stream.choice((4, 5, 6))
    for x in (-22.5, 23):
        y = GROUND - 14.5
        canvas.ellipse(x, y, 13.5, 13.5, (255, 255, 255), opacity=40)
        _spokes(canvas, x, y, 13, count, turn)
        canvas.ring(x, y, 13.4, RUBBER, 2.3)
        canvas.ellipse(x, y, 1.8, 1.8, STEEL)
    canvas.line([(0, 15), (-3.5, 8.5)], IRON, 1.6)
    canvas.line([(-6, 8.5), (-1, 8.5)], RUBBER, 2)


def _bicycle_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The frame, saddle, handlebar, chain and near pedal, and what this one carries."""
    canvas.line([(-22.5, 12.5), (0, 15), (17.5, -1), (-4.5, 1), (-22.5, 12.5)], color, 4)
    canvas.line([(0, 15), (-6, -2.5)], color, 4)
    canvas.line([(23, 12.5), (16, -9)], color, 4)
    canvas.curve([(9.5, -10.5), (13, -12), (17, -10), (22, -10.5)], RUBBER, 2.2)
    canvas.line([(9, -10), (12.5, -11.8)], _trim(color), 3)
    canvas.blob([(-13, -3), (-6, -4.2), (3, -2.4), (-3, 0), (-11, 0.4)], RUBBER)
    canvas.ring(0, 15, 3.6, STEEL, 1.6)
    canvas.line([(0, 15), (3.5, 21.5)], IRON, 1.8)
    canvas.line([(0.5, 21.8), (6.5, 21.8)], RUBBER, 2.4)
    if stream.random() < 0.5:
        canvas.polygon([(18, -13.5), (30, -13.5), (28, -5), (20, -5)], (196, 148, 92))
        canvas.line([(18.5, -10.7), (29.5, -10.7)], (150, 106, 62), 0.9)
        canvas.line([(19.2, -8), (28.8, -8)], (150, 106, 62), 0.9)
    else:
        canvas.ellipse(20, -6, 2.6, 2.6, LAMP)
    canvas.curve([(-37.5, 11), (-33, 0.5), (-22.5, -4), (-11, 0.5)], color, 3)
    canvas.curve([(12.5, 1.5), (22, -3.6), (33, 0.5), (37, 8)], color, 3)


# ---- motorcycle


def _motorcycle_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The wheels, fork and handlebar."""
    _shadow(canvas, 0, 40)
    for x in (-26, 27):
        _wheel(canvas, x, 13.2, STEEL)
        canvas.ring(x, GROUND - 13.2, 4.6, IRON, 1)
    canvas.line([(27, 14), (15, -11)], STEEL, 3.2)
    canvas.line([(16, -9), (12, -14.5), (7.5, -13.5)], IRON, 2.4)


def _motorcycle_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The tank, seat, fenders, engine, exhaust pipe and headlight."""
    shine = lighter(color, 0.45)
    canvas.polygon([(-12, 3), (16, 3), (12, 20), (-8, 20)], IRON)
    canvas.ellipse(2, 14.5, 6.8, 6.8, STEEL)
    canvas.ellipse(2, 14.5, 3.6, 3.6, IRON)
    for y in (5.5, 8.2):
        canvas.line([(-6, y), (13, y)], STEEL, 1.1)
    canvas.curve([(8, 17), (2, 22.5), (-10, 22), (-40, 18.5 - stream.uniform(0, 3))], STEEL, 4)
    canvas.blob([(-41, 9), (-37, -3), (-24, -6), (-12, -3), (-6, 6), (-14, 6), (-26, 2), (-35, 5)], color)
    canvas.blob([(15, 10), (18, 1), (28, -2.5), (37, 3), (40, 10), (34, 5), (27, 3.2), (20, 5)], color)
    canvas.blob([(-4, 3), (-3, -7), (6, -10.5), (17, -7), (19, 1), (10, 5.5)], color)
    canvas.curve([(1, -5.5), (7, -7.5), (13, -5.5)], shine, 1.8)
    canvas.blob([(-27, -6), (-20, -8.5), (-8, -5.5), (1, -4), (1, 1), (-12, 1), (-22, -2)], RUBBER)
    canvas.ellipse(22.5, -8, 5, 5.4, IRON)
    canvas.ellipse(24.5, -8, 3.6, 4.6, LAMP)
    canvas.ellipse(-40, 1, 2, 2, (214, 48, 49))
    if stream.random() < 0.5:
        canvas.polygon([(17, -12), (23, -22), (26, -20), (23, -11)], GLASS, opacity=190)


# ---- car


def _car_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The inside of the open car: the seat back and the far window frame."""
    _shadow(canvas, 0, 42)
    canvas.blob([(-19, 4), (-20, -17), (-13, -20), (-8, -16), (-6, 4)], darker(color, 0.45))
    canvas.rect(-20, -7, 20, 8, darker(color, 0.6))
    canvas.line([(24, -7), (16, -22)], darker(color, 0.2), 2)


def _car_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The body, windscreen, lights, bumpers and wheels."""
    canvas.polygon([(19, -8), (12, -23), (16, -23), (26, -8)], GLASS, opacity=170)
    canvas.line([(26, -8), (16, -24), (11.5, -24)], STEEL, 1.8)
    canvas.blob([(-40, 14), (-39, 0), (-33, -7), (-22, -9), (-10, -7.6), (8, -7.6), (20, -9), (32, -5), (39, 1),
                 (41, 10), (40, 19), (20, 20.5), (-20, 20.5), (-38, 19)], color)
    canvas.curve([(-36, -3), (-22, -6), (0, -4.8), (20, -6), (33, -2)], lighter(color, 0.5), 1.4)
    canvas.line([(-13, -7), (-13, 15), (14, 15), (16, -7)], _trim(color), 1.1)
    canvas.line([(-10, -0.5), (-4.5, -0.5)], STEEL, 1.6)
    if stream.random() < 0.5:
        canvas.line([(-40, 9), (40.5, 9)], lighter(color, 0.6), 2)
    canvas.ellipse(37.6, 3, 3, 3.8, LAMP)
    canvas.ellipse(-38.2, 3, 2, 3.2, (206, 60, 52))
    canvas.line([(33, 18), (42.5, 18)], STEEL, 3)
    canvas.line([(-33, 18), (-42, 18)], STEEL, 3)
    for x in (-23, 24):
        canvas.ellipse(x, GROUND - 9.6, 11, 11, darker(color, 0.5))
        _wheel(canvas, x, 9.6, STEEL)


# ---- airplane


def _airplane_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The far wing and the tail."""
    _shadow(canvas, 0, 30)
    canvas.polygon([(6, -2), (19, -19), (30, -19), (24, -2)], darker(color, 0.3))
    canvas.polygon([(-27, 0), (-44, -24), (-33, -24), (-14, -3)], darker(color, 0.15))
    canvas.line([(-39.5, -20), (-29.5, -20)], lighter(color, 0.6), 3)
    canvas.blob([(-14, 2), (-15, -11), (0, -13.5), (15, -11), (14, 2)], darker(color, 0.6))
    canvas.ellipse(41.5, 3, 1.8, 17, (210, 216, 226), opacity=120)


def _airplane_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The fuselage, the near wing, the propeller and the wheels."""
    trim = lighter(color, 0.65) if sum(color) < 660 else darker(color, 0.3)
    for x in (-8, 18):
        canvas.line([(x, 12), (x + 1, 20)], IRON, 2)
        canvas.ellipse(x + 1, 20.5, 3.6, 3.6, RUBBER)
    canvas.blob([(-42, -5), (-30, -7), (-14, -8), (14, -8), (30, -6), (38, 1), (36, 8), (24, 14), (4, 15), (-14, 11),
                 (-32, 3)], color)
    canvas.polygon([(14, -8), (17, -17), (20, -16), (25, -7)], GLASS, opacity=210)
    canvas.curve([(-36, -1.5), (-12, 0.5), (14, 0), (36, 0)], trim, 2.2)
    for i in range(3):
        canvas.ellipse(16 + 6.5 * i - 20, -3.8, 1.9, 1.9, GLASS)
    canvas.blob([(31, -5.5), (38, -0.5), (38.5, 5), (35, 9), (31, 11)], trim)
    canvas.polygon([(-5, 4), (17, 4), (0, 25), (-19, 25)], darker(color, 0.22))
    canvas.line([(-17, 22.5), (2, 22.5)], trim, 3)
    canvas.polygon([(-38, -4), (-27, -3), (-36, 6), (-45, 6)], darker(color, 0.22))
    tilt = stream.uniform(-1, 1)
    canvas.blob([(40 - tilt, -15), (42.5, -8), (41, 3), (42, 14), (40 + tilt, 21), (38.8, 12), (40, 3), (38.8, -8)],
                (120, 84, 52))
    canvas.ellipse(40, 3, 3, 3, IRON)


# ---- train


def _train_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The rails, the smoke and the far side of the open cab."""
    for i in range(9):
        canvas.rect(-49 + 12 * i, GROUND, -43 + 12 * i, GROUND + 3, (122, 88, 60))
    canvas.rect(-52, GROUND - 0.6, 56, GROUND + 1, IRON)
    puff = 0.0
    for r in (4.5, 6.0, 7.8):
        puff += r * 1.15
        x = 28 - 0.55 * puff + stream.uniform(-1.5, 1.5)
        canvas.ellipse(x, -22 - puff, r * 1.15, r, (226, 228, 234), opacity=235)
    canvas.rect(-20, -22, 14, 6, darker(color, 0.5))
    canvas.rect(-22, -23.5, -17, 6, darker(color, 0.2))


def _train_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The cab's side, the boiler with its chimney, the wheels and the cow catcher."""
    trim, gold = _trim(color), (240, 196, 70)
    canvas.polygon([(25, -9), (26, -19), (23, -24), (34, -24), (31, -19), (32, -9)], RUBBER)
    canvas.rect(22.5, -25.5, 34.5, -22.5, mix(color, RUBBER, 0.25))
    canvas.ellipse(19, -9, 3.4, 5.5, gold)
    canvas.rect(10, -10, 37, 11, color)
    canvas.rect(10, -7, 37, -4, lighter(color, 0.4))
    for x in (21, 31.5):
        canvas.rect(x, -10, x + 1.8, 11, trim)
    canvas.ellipse(37, 0.5, 3.4, 11, IRON)
    canvas.ellipse(40, -7.5, 3, 3.2, LAMP)
    canvas.rect(-24, -11, 14, 13, color)
    canvas.rect(-25.5, -12.5, 15.5, -9.5, trim)
    canvas.rect(-19, -5, 9, 7, lighter(color, 0.3))
    canvas.ellipse(-5, 1, 3.6, 3.6, gold)
    canvas.rect(-27, 10.5, 41, 15, darker(color, 0.45))
    canvas.polygon([(39, 12), (52, 25.5), (38, 25.5)], IRON)
    for x in (42, 46.5):
        canvas.line([(40, 14), (x, 25)], STEEL, 1.2)
    hub = (206, 60, 52) if stream.random() < 0.5 else gold
    for x, r in ((-15, 8.4), (4, 8.4), (20, 5.6), (32.5, 5.6)):
        _wheel(canvas, x, r, hub)
    canvas.line([(-15, 19.5), (4, 19.5), (21, 20.5)], STEEL, 2)


# ---- boat


def _boat_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The water's far half, the mast with its sail or flag, and the inside of the hull."""
    canvas.ellipse(0, 20, 52, 10, WATER)
    sail = lighter(color, 0.7) if sum(color) < 660 else (250, 240, 214)
    x = 22
    canvas.line([(x, 0), (x, -46)], (128, 90, 58), 2.4)
    if stream.random() < 0.6:
        canvas.polygon([(x + 2, -44), (x + 2, -8), (x + 19, -8)], sail)
        canvas.polygon([(x + 2, -23), (x + 2, -15), (x + 15.7, -15), (x + 11.9, -23)], color)
    else:
        canvas.polygon([(x, -46), (x + 17, -40), (x, -33)], color)
    canvas.polygon([(-33, -5), (35, -5), (30, 6), (-28, 6)], darker(color, 0.55))


def _boat_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The hull and the waves around it."""
    canvas.blob([(-40, -9), (-34, -6), (0, -4), (34, -6), (45, -11), (40, 6), (31, 18), (0, 20), (-27, 18),
                 (-36, 6)], color)
    canvas.curve([(-40, -8.4), (-34, -5.4), (0, -3.4), (34, -5.4), (44, -10)], lighter(color, 0.6), 3)
    canvas.curve([(-36, 3), (-20, 5), (0, 5.5), (20, 5), (39, 2)], _trim(color), 1.1)
    canvas.curve([(-33, 10), (-18, 12), (0, 12.5), (18, 12), (35, 9)], _trim(color), 1.1)
    if stream.random() < 0.5:
        canvas.ring(-14, 5, 4.6, (250, 250, 246), 3)
    phase = stream.uniform(0, 6)
    top = [(x, 15.5 + 1.5 * math.sin(0.42 * x + phase)) for x in range(-50, 51, 4)]
    canvas.polygon(top + [(46, 23), (30, 28), (0, 30), (-30, 28), (-46, 23)], WATER)
    canvas.line([(x, y + 0.5) for x, y in top], lighter(WATER, 0.6), 1.3)
    for x, y in ((-26, 21.5), (6, 24.5), (24, 20.5)):
        canvas.curve([(x - 6, y), (x - 2, y - 1.4), (x + 2, y), (x + 6, y - 1.4)], lighter(WATER, 0.45), 1.2)


BEHIND: dict[str, Part] = {
    "bicycle": _bicycle_behind, "motorcycle": _motorcycle_behind, "car": _car_behind, "airplane": _airplane_behind,
    "train": _train_behind, "boat": _boat_behind,
}
FRONT: dict[str, Part] = {
    "bicycle": _bicycle_front, "motorcycle": _motorcycle_front, "car": _car_front, "airplane": _airplane_front,
    "train": _train_front, "boat": _boat_front,
}
