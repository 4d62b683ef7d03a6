"""The airplane and the boat, and what all rides are made of. The frame is that of rides.py."""

from __future__ import annotations

import math
import random

from ..canvas import Canvas, Color
from .palette import darker, lighter, rim_of

GROUND = 33.0  #: how far under the seat the wheels stand, in picture units
RUBBER: Color = (46, 44, 54)
STEEL: Color = (206, 212, 222)
IRON: Color = (74, 76, 90)
GLASS: Color = (190, 230, 248)
LAMP: Color = (255, 230, 120)
WATER: Color = (64, 150, 220)
WOOD: Color = (140, 94, 56)


def glass_of(color: Color) -> Color:
    """A windscreen's colour beside a body of `color`."""
    return GLASS if sum(color) < 700 else (150, 206, 238)


def shadow(canvas: Canvas, width: float) -> None:
    """A soft shadow on the ground."""
    canvas.ellipse(0, GROUND, width, 3.5, (30, 30, 40), opacity=60)


def wheel(canvas: Canvas, x: float, r: float, hub: Color) -> None:
    """A thick tyre standing on the ground, with a plain disc in it."""
    with canvas.detail("wheel"):
        canvas.ellipse(x, GROUND - r, r, r, RUBBER)
        canvas.ellipse(x, GROUND - r, 0.56 * r, 0.56 * r, hub)
        canvas.ellipse(x, GROUND - r, 0.2 * r, 0.2 * r, IRON)


def airplane_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The far wing, the tail and the propeller's disc."""
    shadow(canvas, 40)
    dark = darker(color, 0.28)
    canvas.piece([(4, 0), (24, -22), (42, -22), (32, 0)], dark, rim_of(color))
    canvas.piece([(-40, 2), (-58, -28), (-42, -28), (-20, -2)], dark, rim_of(color))


def airplane_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """A fat fuselage, the near wing, the propeller; it flies, so it has no wheels."""
    rim = rim_of(color)
    trim = lighter(color, 0.75) if sum(color) < 640 else (226, 70, 66)
    tilt = stream.uniform(-3, 3)
    for angle in (tilt, 180 + tilt):
        with canvas.at(54, 5, angle=angle):
            canvas.piece([(-3.5, 0), (-5, -20), (0, -25), (5, -20), (3.5, 0)], WOOD, (70, 44, 24), 1.0)
    canvas.blob([(-60, -12), (-44, -11), (-24, -12), (18, -13), (40, -11), (55, 2), (54, 12), (38, 21), (8, 24),
                 (-22, 19), (-48, 6), (-63, -6)], rim)
    canvas.blob([(-58, -10.4), (-44, -9.4), (-24, -10.4), (18, -11.4), (39, -9.4), (53, 3), (52, 11), (37, 19.4),
                 (8, 22.4), (-22, 17.4), (-47, 4.6), (-61, -6.4)], color)
    canvas.piece([(20, -10), (24, -24), (30, -24), (36, -9)], glass_of(color), (60, 70, 84))
    canvas.blob([(40, -8), (53, 3), (52, 11), (40, 17)], trim)
    canvas.line([(-50, -2), (-24, 1), (38, 1)], trim, 4)
    canvas.piece([(-10, 8), (24, 8), (4, 31), (-30, 31)], darker(color, 0.14), rim)
    canvas.line([(-24, 26), (6, 26)], trim, 5)
    canvas.oval_piece(55, 5, 5, 5, LAMP, (90, 60, 30))


def boat_behind(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The water's far half, the mast with its sail, and the inside of the hull."""
    canvas.ellipse(0, 26, 66, 12, WATER)
    sail = lighter(color, 0.75) if sum(color) < 640 else (250, 196, 120)
    x = 34
    canvas.line([(x, 0), (x, -58)], WOOD, 4.5)
    if stream.random() < 0.6:
        canvas.piece([(x + 2, -57), (x + 2, -14), (x + 26, -14)], sail, rim_of(color))
    else:
        canvas.piece([(x + 1, -58), (x + 25, -48), (x + 1, -38)], color, rim_of(color))
    canvas.polygon([(-46, -8), (46, -8), (40, 8), (-38, 8)], darker(color, 0.55))


def boat_front(canvas: Canvas, color: Color, stream: random.Random) -> None:
    """The hull with a stripe, and the waves around it."""
    hull = [(-54, -11), (-44, -9), (0, -8), (44, -9), (58, -15), (51, 10), (38, 26), (-34, 26), (-48, 10)]
    canvas.piece(hull, color, rim_of(color))
    canvas.polygon([(-54, -11), (-44, -9), (0, -8), (44, -9), (58, -15), (56, -6), (44, -1), (0, 0), (-44, -1),
                    (-52, -3)], lighter(color, 0.6) if sum(color) < 640 else (210, 80, 70))
    if stream.random() < 0.6:
        canvas.ring(-18, 10, 7, (252, 252, 248), 4.5)
    phase = stream.uniform(0, 6)
    top = [(x, 20 + 2.5 * math.sin(0.26 * x + phase)) for x in range(-64, 65, 4)]
    canvas.polygon([*top, (60, 30), (36, 37), (0, 39), (-36, 37), (-60, 30)], WATER)
    canvas.line(top, lighter(WATER, 0.65), 2.6)
