"""What a creature rides, seen from the side and built around the seat. Aloft and afloat ones are in vessels.py.

(0, 0) is the seat, y points down, the front is at +x and the ground at y = GROUND; one unit is a picture unit. A ride
is some 100 units long: few parts, and all of them thick.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ..canvas import Canvas, Color
from ..scene import Scene
from . import vessels
from .body import Body
from .palette import darker, lighter, rim_of, tint
from .vessels import GROUND, IRON, LAMP, STEEL, glass_of, shadow, wheel

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
    flip = scene.stream("ride").random() < 0.5
    color = tint(scene.ride_color, scene.stream("ride color"))
    with canvas.part("ride"), canvas.at(*body.feet, flip=flip):
        parts[scene.ride](canvas, color, scene.stream("ride details"))


# ---- bicycle


def _bicycle_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """Two big wheels with thick tyres; behind them one sees the land."""
    shadow(canvas, 50)
    for x in (-32, 32):
        y = GROUND - 19
        with canvas.detail("wheel"):
            canvas.ring(x, y, 16.5, IRON, 5.5)
            canvas.line([(x - 15, y), (x + 15, y)], STEEL, 2.2)
            canvas.line([(x, y - 15), (x, y + 15)], STEEL, 2.2)
            canvas.ellipse(x, y, 5, 5, STEEL)


def _bicycle_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A frame of thick tubes, the saddle, the handlebar, the pedal, and a lamp or a basket."""
    rim, y = rim_of(color), GROUND - 19
    tubes = ([(-32, y), (-1, 18), (22, -3), (-9, -1), (-32, y)], [(-1, 18), (-11, -6)], [(32, y), (21, -12)])
    for width, paint in ((8.0, rim), (5.0, color)):
        for tube in tubes:
            canvas.line(tube, paint, width)
            for end_x, end_y in (tube[0], tube[-1]):
                canvas.ellipse(end_x, end_y, width / 2, width / 2, paint)
    canvas.line([(10, -13), (22, -13), (29, -16)], IRON, 5)
    canvas.ellipse(10, -13, 3.4, 3.4, IRON)
    canvas.piece([(-22, -8), (1, -7), (2, -3), (-12, -1), (-21, -2)], IRON, (20, 18, 26), 1.0)
    if stream.random() < 0.5:
        canvas.piece([(24, -19), (45, -19), (42, -4), (27, -4)], (214, 166, 104), (120, 80, 40))
        canvas.line([(25, -12), (43.5, -12)], (150, 106, 62), 2.4)
    else:
        canvas.oval_piece(30, -8, 5.5, 5.5, LAMP, (120, 80, 30))
    canvas.ellipse(-1, 18, 6.5, 6.5, STEEL)
    canvas.line([(-1, 18), (5, 27)], IRON, 3.4)
    canvas.line([(0, 28), (11, 28)], IRON, 4.4)


# ---- motorcycle


def _motorcycle_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """Two fat wheels, the fork, the exhaust pipe and the handlebar."""
    shadow(canvas, 52)
    for width, paint in ((8, IRON), (4.6, STEEL)):
        canvas.line([(34, 14), (20, -14)], paint, width)
    for width, paint in ((8, IRON), (5, STEEL)):
        canvas.line([(4, 25), (-16, 25), (-57, 21)], paint, width)
    for x in (-33, 34):  # in front of fork and exhaust pipe: a wheel in one piece can be counted
        wheel(canvas, x, 17.5, STEEL)
    canvas.line([(23, -12), (17, -19), (8, -18)], IRON, 5)


def _motorcycle_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The tank, seat, fenders, engine and headlight."""
    rim = rim_of(color)
    canvas.polygon([(-16, 2), (20, 2), (15, 24), (-11, 24)], IRON)
    canvas.oval_piece(2, 15, 9, 9, STEEL, (40, 40, 52))
    canvas.piece([(-52, 9), (-46, -6), (-32, -11), (-15, -7), (-8, 6), (-20, 6), (-32, 2), (-44, 9)], color, rim)
    canvas.piece([(18, 12), (22, -1), (34, -7), (47, -1), (53, 12), (44, 7), (34, 5), (25, 7)], color, rim)
    canvas.piece([(-7, 4), (-5, -8), (6, -14), (20, -9), (25, 1), (14, 7)], color, rim)
    canvas.ellipse(7, -6, 7, 2.6, lighter(color, 0.5), -8)
    canvas.piece([(-36, -10), (-26, -13), (-10, -8), (0, -5), (0, 2), (-14, 2), (-28, -3)], IRON, (20, 18, 26), 1.0)
    canvas.oval_piece(31, -13, 7.5, 8, LAMP, IRON, width=2.2)


# ---- car


def _car_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The inside of the open car: the seat back and the far side."""
    shadow(canvas, 56)
    dark = darker(color, 0.5)
    canvas.piece([(-27, 4), (-29, -18), (-22, -24), (-13, -21), (-10, 4)], dark, rim_of(dark))
    canvas.rect(-27, -8, 28, 8, dark)


def _car_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A round body with its door, windscreen, lights, bumpers and two big wheels."""
    canvas.piece([(25, -7), (16, -28), (22, -28), (36, -7)], glass_of(color), (60, 70, 84))
    canvas.piece([(-54, 18), (-54, 2), (-48, -6), (-34, -9), (24, -9), (42, -6), (51, 1), (55, 10), (54, 20), (48, 23),
                  (-48, 23)], color, rim_of(color))
    canvas.rect(-50, 9, 52, 14, lighter(color, 0.65) if sum(color) < 640 else (210, 70, 70))
    canvas.line([(-17, -8), (-17, 18), (19, 18), (19, -8)], rim_of(color), 2)
    canvas.line([(-12, 2), (-3, 2)], STEEL, 3.2)
    canvas.oval_piece(49, 3, 6, 6.5, LAMP, (110, 80, 40))
    canvas.oval_piece(-52, 3, 4, 5.5, (226, 50, 46), (90, 20, 20))
    for x in (-31, 32):
        canvas.ellipse(x, GROUND - 13, 16, 16, darker(color, 0.62))
        wheel(canvas, x, 14, STEEL)


# ---- train


def _train_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The rails, the smoke and the far side of the open cab."""
    for i in range(8):
        canvas.rect(-62 + 16 * i, GROUND, -53 + 16 * i, GROUND + 4, (122, 84, 54))
    canvas.rect(-66, GROUND - 2, 66, GROUND + 1, IRON)
    puff = 0.0
    for r in (7.0, 9.5, 11.0):
        puff += r
        x = 40 - 0.4 * puff + stream.uniform(-2, 2)
        canvas.oval_piece(x, -24 - puff, r * 1.15, r, (240, 242, 246), (170, 176, 190), width=1.2)
    dark = darker(color, 0.5)
    canvas.piece([(-30, -28), (18, -28), (18, 6), (-30, 6)], dark, rim_of(dark))


def _train_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The cab's side, the boiler with its chimney, four wheels and the cow catcher."""
    rim, gold = rim_of(color), (246, 196, 60)
    canvas.piece([(33, -10), (34, -20), (30, -29), (50, -29), (46, -20), (47, -10)], IRON, (24, 22, 32))
    canvas.oval_piece(25, -10, 6, 8, gold, (130, 90, 20))
    canvas.piece([(16, -12), (48, -12), (53, -6), (53, 12), (16, 12)], color, rim)
    canvas.rect(28, -12, 33, 12, lighter(color, 0.5) if sum(color) < 640 else (210, 80, 70))
    canvas.oval_piece(52, -4, 6, 7, LAMP, (110, 80, 40))
    canvas.piece([(-34, -12), (18, -12), (18, 15), (-34, 15)], color, rim)
    canvas.piece([(-37, -16), (21, -16), (21, -10), (-37, -10)], gold, (130, 90, 20))
    canvas.rect(-26, -5, 10, 7, lighter(color, 0.45) if sum(color) < 640 else (210, 80, 70))
    canvas.piece([(-38, 11), (54, 11), (54, 17), (-38, 17)], IRON, (24, 22, 32), 1.0)
    canvas.piece([(50, 16), (60, GROUND - 1), (46, GROUND - 1)], (226, 56, 48), (90, 20, 20))
    hub = gold if sum(abs(a - b) for a, b in zip(color, gold, strict=True)) > 120 else (226, 56, 48)
    for x, r in ((-26, 12), (0, 12), (22.5, 8.5), (41.5, 8.5)):
        wheel(canvas, x, r, hub)


BEHIND: dict[str, Part] = {
    "bicycle": _bicycle_behind, "motorcycle": _motorcycle_behind, "car": _car_behind, "train": _train_behind,
    "airplane": vessels.airplane_behind, "boat": vessels.boat_behind,
}
FRONT: dict[str, Part] = {
    "bicycle": _bicycle_front, "motorcycle": _motorcycle_front, "car": _car_front, "train": _train_front,
    "airplane": vessels.airplane_front, "boat": vessels.boat_front,
}
