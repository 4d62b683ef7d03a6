"""What a creature wears and what it holds, in the sizes its body gives.

Sunglasses are as wide as the face, a hat or a crown is half as high as the head, and what is held is a head's size.
"""

from __future__ import annotations

import math
import random
from contextlib import AbstractContextManager

import numpy as np

from ..canvas import UNITS, Canvas, Color, Point, smooth
from ..scene import Scene
from ..vocabulary import ABSENT
from .body import Body
from .palette import darker, lighter, mix, rim_of, tint

GOLD: Color = (252, 204, 60)
WOOD: Color = (128, 90, 58)
LEAF: Color = (76, 152, 70)
GLASS: Color = (226, 242, 248)


def draw_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """What is behind the creature: the open umbrella, the balloon."""
    if scene.holding not in ("umbrella", "balloon"):
        return
    color, stream = tint(scene.holding_color, scene.stream("holding color")), scene.stream("holding")
    with canvas.part("holding"), _in_hand(canvas, body):
        {"umbrella": _umbrella, "balloon": _balloon}[scene.holding](canvas, color, stream, _top(body, scene))


def draw_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """What is in front of the creature."""
    if scene.wearing != ABSENT:
        color, stream = tint(scene.wearing_color, scene.stream("wearing color")), scene.stream("wearing")
        with canvas.part("wearing"):
            _wear(canvas, scene.wearing, color, rim_of(color), stream, body)
    if scene.holding != ABSENT:
        color, stream = tint(scene.holding_color, scene.stream("holding color")), scene.stream("holding")
        with canvas.part("holding"), _in_hand(canvas, body):
            paint = {"drink": _drink, "flower": _flower, "umbrella": _umbrella_grip, "balloon": _string}[scene.holding]
            paint(canvas, color, stream, _top(body, scene))


# ---- wearing: (0, 0) is the middle of the head, 1 its radius


def _wear(canvas: Canvas, what: str, color: Color, rim: Color, stream: random.Random, body: Body) -> None:
    """Puts `what` on; a lying head is turned onto its side a little. The rim keeps it apart from fur of its colour."""
    angle = (12.0 if body.mirrored else -12.0) if body.lying else 0.0
    where = body.neck if what == "scarf" else body.head
    with canvas.at(*where, scale=body.head_radius, angle=angle, flip=body.mirrored):
        {"sunglasses": _sunglasses, "hat": _hat, "crown": _crown, "scarf": _scarf}[what](canvas, color, rim, stream)


def _sunglasses(canvas: Canvas, color: Color, rim: Color, stream: random.Random) -> None:
    """Two big lenses in a thick frame, as wide as the face; they hide the eyes."""
    lens = mix(color, (20, 18, 36), 0.72)
    square = stream.random() < 0.5
    canvas.line([(-1.12, -0.14), (1.12, -0.14)], rim, 0.34)
    canvas.line([(-1.1, -0.14), (1.1, -0.14)], color, 0.22)
    for side in (-1, 1):
        x = 0.5 * side
        if square:
            shape = [(-0.42, -0.36), (0.44, -0.38), (0.4, 0.26), (0.1, 0.38), (-0.34, 0.3)]
            canvas.piece([(x + dx * side, dy) for dx, dy in shape], color, rim)
            canvas.polygon([(x + 0.7 * dx * side, 0.7 * dy) for dx, dy in shape], lens)
        else:
            canvas.oval_piece(x, 0, 0.46, 0.42, color, rim)
            canvas.ellipse(x, 0, 0.33, 0.29, lens)
        canvas.line([(x - 0.16, 0.1), (x + 0.06, -0.18)], lighter(color, 0.75), 0.12)


def _hat(canvas: Canvas, color: Color, rim: Color, stream: random.Random) -> None:
    """A top hat, a bowler or a cap."""
    band = lighter(color, 0.65) if sum(color) < 600 else darker(color, 0.45)
    kind = stream.choice(("top hat", "top hat", "bowler", "cap"))
    with canvas.at(0, -0.62, angle=stream.uniform(-7, 7)):
        if kind == "cap":
            _cap(canvas, color, band, rim)
        else:
            _brimmed_hat(canvas, color, band, rim, tall=kind == "top hat")


def _brimmed_hat(canvas: Canvas, color: Color, band: Color, rim: Color, tall: bool) -> None:
    """A top hat if `tall`, else a bowler."""
    if tall:
        canvas.piece([(-0.62, 0.06), (-0.7, -0.86), (0.7, -0.86), (0.62, 0.06)], color, rim)
    else:
        dome = [(-0.68, 0.06), (-0.66, -0.42), (-0.36, -0.74), (0.36, -0.74), (0.66, -0.42), (0.68, 0.06)]
        canvas.piece(smooth(np.array(dome), closed=True, pieces=4), color, rim)
    canvas.polygon([(-0.63, 0.0), (-0.65, -0.3), (0.65, -0.3), (0.63, 0.0)], band)
    canvas.oval_piece(0, 0.06, 1.04, 0.17, color, rim)


def _cap(canvas: Canvas, color: Color, seam: Color, rim: Color) -> None:
    """A cap with its peak to the side."""
    crown = [(-0.8, 0.1), (-0.74, -0.36), (-0.26, -0.68), (0.3, -0.66), (0.74, -0.32), (0.8, 0.1)]
    peak = [(-0.24, 0.0), (0.5, -0.1), (1.28, 0.02), (1.32, 0.22), (0.5, 0.22), (-0.14, 0.22)]
    canvas.piece(smooth(np.array(crown), closed=True, pieces=4), color, rim)
    canvas.piece(smooth(np.array(peak), closed=True, pieces=4), darker(color, 0.25), rim)
    canvas.ellipse(0.02, -0.66, 0.18, 0.13, seam)


def _scarf(canvas: Canvas, color: Color, rim: Color, stream: random.Random) -> None:
    """A thick band around the neck and one hanging end, striped; (0, 0) is the neck."""
    stripe = lighter(color, 0.75) if sum(color) < 560 else darker(color, 0.5)
    x, length = stream.uniform(0.34, 0.5), stream.uniform(1.0, 1.2)
    canvas.piece([(x - 0.24, 0), (x + 0.24, 0), (x + 0.3, length), (x - 0.26, length)], color, rim)
    for y in (length - 0.24, length - 0.62):
        canvas.rect(x - 0.26, y, x + 0.28, y + 0.2, stripe)
    band = [(-0.98, -0.3), (-0.5, -0.17), (0, -0.12), (0.5, -0.17), (0.98, -0.3), (1.06, 0.12), (0.5, 0.34),
            (0, 0.4), (-0.5, 0.34), (-1.06, 0.12)]
    canvas.piece(band, color, rim)
    for left in (-0.72, -0.2):
        canvas.polygon([(left, -0.2), (left + 0.26, -0.16), (left + 0.24, 0.37), (left - 0.04, 0.31)], stripe)
    canvas.oval_piece(x, 0.12, 0.32, 0.3, darker(color, 0.15), rim)


def _crown(canvas: Canvas, color: Color, rim: Color, stream: random.Random) -> None:
    """A crown with three points and three jewels."""
    jewel = stream.choice(((214, 48, 49), (52, 160, 220), (250, 208, 50)))
    jewel = jewel if sum(abs(a - b) for a, b in zip(jewel, color, strict=True)) > 150 else (250, 250, 250)
    with canvas.at(0, -0.64, angle=stream.uniform(-6, 6)):
        outline = [(-0.74, 0.1), (-0.88, -0.74), (-0.42, -0.36), (0, -0.94), (0.42, -0.36), (0.88, -0.74),
                   (0.74, 0.1), (0.36, 0.18), (-0.36, 0.18)]
        canvas.piece(outline, color, rim)
        for x, y in ((-0.86, -0.74), (0, -0.92), (0.86, -0.74)):
            canvas.oval_piece(x, y, 0.15, 0.15, jewel, rim)
        for x, y in ((-0.42, -0.1), (0, -0.14), (0.42, -0.1)):
            canvas.ellipse(x, y, 0.15, 0.17, jewel)


# ---- holding: (0, 0) is the hand, 1 a picture unit; `top` is where a thing on a stick or string ends


def _in_hand(canvas: Canvas, body: Body) -> AbstractContextManager[Canvas]:
    """The frame of a held thing: x away from the body. Small creatures hold things as large as big ones do."""
    return canvas.at(*body.hand, flip=body.mirrored)


def _top(body: Body, scene: Scene) -> Point:
    """The middle of an umbrella or balloon in the frame of `_in_hand`: beside or above the head, inside the picture."""
    stream, side = scene.stream("holding place"), -1 if body.mirrored else 1
    margin, low = {"umbrella": (36, 30), "balloon": (18, 24)}.get(scene.holding, (0, 0))
    x = body.hand[0] + side * stream.uniform(11, 17)
    x = min(max(x, margin), UNITS - margin)
    y = max(body.head[1] - body.head_radius * (1.0 if scene.holding == "umbrella" else 0.5), low)
    return side * (x - body.hand[0]), y - body.hand[1]


def _drink(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """A big glass of juice with a thick straw."""
    straw = stream.choice(((214, 48, 49), (255, 255, 255), (62, 164, 68)))
    canvas.line([(1, 6), (6, -24), (13, -27)], (60, 60, 74), 5.4)
    canvas.line([(1, 6), (6, -24), (13, -27)], straw, 3.4)
    canvas.piece([(-11, -17), (11, -17), (8.5, 13), (-8.5, 13)], GLASS, (84, 100, 116))
    canvas.polygon([(-10, -10), (10, -10), (7.6, 12), (-7.6, 12)], color)
    canvas.line([(-5.4, -6), (-4.2, 8)], lighter(color, 0.6), 2.6)
    if stream.random() < 0.5:
        canvas.oval_piece(-10, -17, 6.5, 6.5, (255, 214, 90), (200, 120, 30))


def _balloon(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The balloon, up beside the head."""
    x, y = top
    canvas.piece([(x - 3.5, y + 23), (x + 3.5, y + 23), (x, y + 16)], darker(color, 0.2), rim_of(color), 1.0)
    canvas.piece(_balloon_outline(x, y), color, rim_of(color))
    canvas.ellipse(x - 6, y - 8, 3.6, 5.6, lighter(color, 0.7), angle=25)


def _balloon_outline(x: float, y: float) -> np.ndarray:
    """A balloon's outline around (x, y)."""
    points = [(0, -19), (12, -14), (16, -2), (9, 12), (0, 19), (-9, 12), (-16, -2), (-12, -14)]
    return smooth(np.array(points, dtype=float) + (x, y), closed=True, pieces=4)


def _string(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The balloon's string, from the hand."""
    x, y = top
    canvas.curve([(0, 3), (x * 0.2, (y + 20) * 0.4), (x * 0.9, (y + 20) * 0.7), (x, y + 21)], (70, 66, 80), 2.2)


def _umbrella(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The open umbrella, above and beside the head."""
    pale = lighter(color, 0.6) if sum(color) < 660 else darker(color, 0.25)
    with canvas.at(*top, angle=stream.uniform(2, 10)):
        canvas.line([(0, 0), (0, -30)], WOOD, 4)
        dome = [(34 * math.cos(a), -25 * math.sin(a)) for a in [math.pi * i / 12 for i in range(13)]]
        canvas.piece([*dome, (-23, 3), (-11.5, -1), (0, 3), (11.5, -1), (23, 3)], color, rim_of(color))
        canvas.blob([(-11.5, -1), (0, 3), (11.5, -1), (8, -16), (0, -24.5), (-8, -16)], pale)


def _umbrella_grip(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The umbrella's stick, through the hand, with its crook."""
    canvas.line([top, (0, 8)], WOOD, 3.6)
    canvas.curve([(0, 7), (-0.5, 13), (-5, 15), (-8, 10)], WOOD, 3.6)


def _flower(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """One big flower on a thick stem."""
    x, y = stream.uniform(2, 6), -22
    canvas.curve([(-1, 14), (0, 0), (x * 0.6, -12), (x, y)], LEAF, 4.2)
    canvas.blob([(0, 4), (9, -5), (16, -4), (10, 4)], LEAF)
    turn, rim = stream.uniform(0, 1), rim_of(color)
    petals = [(x + 9 * math.cos(a), y + 9 * math.sin(a)) for a in [turn + 2 * math.pi * i / 5 for i in range(5)]]
    for petal in petals:
        canvas.ellipse(*petal, 8.6, 8.6, rim)
    for petal in petals:
        canvas.ellipse(*petal, 7.2, 7.2, color)
    canvas.ellipse(x, y, 6.4, 6.4, GOLD if sum(abs(a - b) for a, b in zip(GOLD, color, strict=True)) > 90 else WOOD)
