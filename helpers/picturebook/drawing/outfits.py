"""What a creature wears and what it holds, in the sizes its body gives."""

from __future__ import annotations

import math
import random
from contextlib import AbstractContextManager
from typing import NamedTuple

from ..canvas import UNITS, Canvas, Color, Point
from ..scene import Scene
from ..vocabulary import ABSENT
from .body import Body
from .palette import darker, lighter, mix, tint

GOLD: Color = (240, 196, 70)
WOOD: Color = (128, 90, 58)
LEAF: Color = (76, 152, 70)
GLASS: Color = (226, 242, 248)
SQUARE_LENS = ((-0.36, -0.28), (0.1, -0.33), (0.45, -0.33), (0.4, 0.12), (0.1, 0.34), (-0.26, 0.26))


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
            _wear(canvas, scene.wearing, color, _rim(color), stream, body)
    if scene.holding != ABSENT:
        color, stream = tint(scene.holding_color, scene.stream("holding color")), scene.stream("holding")
        with canvas.part("holding"), _in_hand(canvas, body):
            paint = {"drink": _drink, "flower": _flower, "umbrella": _umbrella_grip, "balloon": _string}[scene.holding]
            paint(canvas, color, stream, _top(body, scene))


# ---- wearing: (0, 0) is the middle of the head, 1 its radius


class Rim(NamedTuple):
    """The line around a worn thing that keeps it apart from the fur."""

    color: Color
    width: float


def _rim(color: Color) -> Rim:
    """A line of a shade of `color`: the wearer may have that colour itself, which must not change what it wears."""
    return Rim(lighter(color, 0.6) if sum(color) < 240 else darker(color, 0.6), 0.11)


def _wear(canvas: Canvas, what: str, color: Color, rim: Rim, stream: random.Random, body: Body) -> None:
    """Puts `what` on; a lying head is turned onto its side a little."""
    angle = (16.0 if body.mirrored else -16.0) if body.lying else 0.0
    if what == "scarf":
        with canvas.at(*body.neck, scale=max(body.head_radius, 13.0), angle=angle * 2, flip=body.mirrored):
            _scarf(canvas, color, rim, stream)
    else:  # never too small to be seen, nor so big that lenses miss the eyes
        with canvas.at(*body.head, scale=max(body.head_radius, 12.5), angle=angle, flip=body.mirrored):
            {"sunglasses": _sunglasses, "hat": _hat, "crown": _crown}[what](canvas, color, rim, stream)


def _sunglasses(canvas: Canvas, color: Color, rim: Rim, stream: random.Random) -> None:
    """Two big lenses in a thick frame."""
    lens = mix(color, (24, 22, 40), 0.62)
    square = stream.random() < 0.5
    canvas.line([(-0.98, -0.16), (-0.6, -0.1)], color, 0.13)
    canvas.line([(0.98, -0.16), (0.6, -0.1)], color, 0.13)
    canvas.line([(-0.2, -0.12), (0.2, -0.12)], color, 0.14)
    for side in (-1, 1):
        x = 0.4 * side
        for k, paint in ((1 + 2 * rim.width, rim.color), (1.0, color), (0.64, lens)):
            if square:
                canvas.blob([(x + k * dx * side, -0.05 + k * dy) for dx, dy in SQUARE_LENS], paint)
            else:
                canvas.ellipse(x, -0.05, 0.4 * k, 0.38 * k, paint)
        canvas.line([(x - 0.14, 0.03), (x + 0.02, -0.17)], lighter(color, 0.75), 0.075)


def _hat(canvas: Canvas, color: Color, rim: Rim, stream: random.Random) -> None:
    """A top hat, a bowler or a cap."""
    band = lighter(color, 0.6) if sum(color) < 600 else darker(color, 0.4)
    kind = stream.choice(("top hat", "top hat", "bowler", "cap"))
    with canvas.at(0, -0.72, angle=stream.uniform(-7, 7)):
        if kind == "cap":
            _cap(canvas, color, band, rim)
        else:
            _brimmed_hat(canvas, color, band, rim, tall=kind == "top hat")


def _brimmed_hat(canvas: Canvas, color: Color, band: Color, rim: Rim, tall: bool) -> None:
    """A top hat if `tall`, else a bowler."""
    if tall:
        sides = [(-0.5, 0.06), (-0.58, -0.92), (0.58, -0.92), (0.5, 0.06)]
        canvas.polygon(sides, color)
        canvas.line(sides, rim.color, rim.width)
        canvas.ellipse(0, -0.92, 0.58, 0.1, lighter(color, 0.22))
    else:
        dome = [(-0.56, 0.06), (-0.54, -0.44), (-0.24, -0.74), (0.24, -0.74), (0.54, -0.44), (0.56, 0.06)]
        canvas.blob(dome, color)
        canvas.curve(dome, rim.color, rim.width)
    canvas.polygon([(-0.53, 0.02), (-0.55, -0.24), (0.55, -0.24), (0.53, 0.02)], band)
    canvas.ellipse(0, 0.07, 0.91 + rim.width, 0.12 + rim.width, rim.color)
    canvas.ellipse(0, 0.05, 0.94, 0.15, color)


def _cap(canvas: Canvas, color: Color, seam: Color, rim: Rim) -> None:
    """A cap with its peak to the side."""
    crown = [(-0.66, 0.1), (-0.6, -0.34), (-0.2, -0.62), (0.25, -0.6), (0.6, -0.3), (0.66, 0.1)]
    canvas.blob(crown, color)
    canvas.curve(crown, rim.color, rim.width)
    peak = [(-0.2, 0.04), (0.5, -0.06), (1.12, 0.06), (1.14, 0.2), (0.5, 0.18), (-0.1, 0.2)]
    canvas.blob(peak, darker(color, 0.25))
    canvas.curve([(0.02, -0.6), (-0.12, -0.3), (-0.12, 0.06)], seam, 0.08)
    canvas.ellipse(0.02, -0.63, 0.12, 0.09, seam)


def _scarf(canvas: Canvas, color: Color, rim: Rim, stream: random.Random) -> None:
    """A thick band around the neck and two hanging ends, striped."""
    dark, stripe = darker(color, 0.22), lighter(color, 0.75) if sum(color) < 560 else darker(color, 0.5)
    x, length = stream.uniform(0.3, 0.48), stream.uniform(1.0, 1.2)
    for dx, tip, paint in ((0.34, 0.74 * length, dark), (0.0, length, color)):
        left, right = x + dx - 0.2, x + dx + 0.21
        end = [(left + 0.02, 0), (right - 0.05, 0), (right + 0.01, tip), (left, tip)]
        canvas.polygon(end, paint)
        for y in (tip - 0.2, tip - 0.46):
            canvas.rect(left, y, right, y + 0.13, stripe)
        canvas.line([*end, end[0]], rim.color, rim.width)
    above = [(-0.95, -0.18), (-0.5, -0.1), (0, -0.06), (0.5, -0.1), (0.95, -0.18)]
    below = [(0.97, 0.2), (0.5, 0.37), (0, 0.42), (-0.5, 0.37), (-0.97, 0.2)]
    canvas.blob([*above, *below], color)
    for side in (-0.74, -0.42, -0.1):
        canvas.line([(side, -0.05), (side - 0.03, 0.34)], stripe, 0.14)
    for line in (above, below):
        canvas.curve(line, rim.color, rim.width)
    knot = [(x - 0.24, -0.04), (x + 0.24, -0.08), (x + 0.3, 0.32), (x, 0.44), (x - 0.24, 0.34)]
    canvas.blob(knot, dark)
    canvas.curve([*knot, knot[0]], rim.color, rim.width)


def _crown(canvas: Canvas, color: Color, rim: Rim, stream: random.Random) -> None:
    """A crown with points and jewels."""
    jewel = stream.choice(((214, 48, 49), (52, 160, 220), (250, 208, 50)))
    jewel = jewel if sum(abs(a - b) for a, b in zip(jewel, color, strict=True)) > 150 else (250, 250, 250)
    with canvas.at(0, -0.74, angle=stream.uniform(-6, 6)):
        canvas.ellipse(0, 0.0, 0.62, 0.14, darker(color, 0.45))
        outline = [(-0.62, 0.06), (-0.76, -0.62), (-0.36, -0.28), (0, -0.78), (0.36, -0.28), (0.76, -0.62),
                   (0.62, 0.06), (0.3, 0.15), (-0.3, 0.15)]
        canvas.polygon(outline, color)
        canvas.line([*outline, outline[0]], rim.color, rim.width)
        canvas.curve([(-0.63, 0.0), (-0.3, 0.09), (0.3, 0.09), (0.63, 0.0)], darker(color, 0.25), 0.1)
        for x, y in ((-0.76, -0.64), (0, -0.8), (0.76, -0.64)):
            canvas.ellipse(x, y, 0.11, 0.11, jewel)
        for x, y in ((-0.36, -0.1), (0, -0.14), (0.36, -0.1)):
            canvas.ellipse(x, y, 0.1, 0.12, jewel)


# ---- holding: (0, 0) is the hand; `top` is where a thing on a stick or string ends, beside the head


def _hand_scale(body: Body) -> float:
    """Held things are in 1/100 of the creature's height, unless it is too small to hold something readable."""
    return max(body.unit, 0.66)


def _in_hand(canvas: Canvas, body: Body) -> AbstractContextManager[Canvas]:
    """The frame of a held thing: x away from the body."""
    return canvas.at(*body.hand, scale=_hand_scale(body), flip=body.mirrored)


def _top(body: Body, scene: Scene) -> Point:
    """The middle of an umbrella or balloon in the frame of `_in_hand`: beside the head and inside the picture."""
    stream, k, side = scene.stream("holding place"), _hand_scale(body), -1 if body.mirrored else 1
    margin = {"umbrella": 16, "balloon": 13}.get(scene.holding, 0)
    x = body.hand[0] + side * k * (stream.uniform(11, 17) + 26 * body.lying)  # clear of a sleeper's breath
    x = min(max(x, margin), UNITS - margin)
    rise = 34.0 if body.lying else max((body.hand[1] - body.head[1]) / k, 14.0)
    y = max(body.hand[1] - k * (rise + stream.uniform(13, 20)), margin + 4)
    return side * (x - body.hand[0]) / k, (y - body.hand[1]) / k


def _drink(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """A tall glass of juice with a straw."""
    straw = stream.choice(((214, 48, 49), (255, 255, 255), (70, 160, 72)))
    canvas.line([(1, 6), (5, -23), (12, -26)], straw, 2.6)
    canvas.polygon([(-9.5, -15), (9.5, -15), (7, 13), (-7, 13)], GLASS, opacity=215)
    canvas.polygon([(-8.2, -8), (8.2, -8), (6, 11.2), (-6, 11.2)], color)
    canvas.ellipse(0, -8, 8.2, 1.8, lighter(color, 0.4))
    canvas.line([(-4.8, -5), (-3.6, 8)], lighter(color, 0.6), 1.8)
    if stream.random() < 0.5:
        canvas.ellipse(-8.5, -15, 5, 5, (250, 180, 60))
        canvas.ellipse(-8.5, -15, 3.4, 3.4, (255, 224, 130))


def _balloon(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The balloon, up beside the head."""
    x, y = top
    canvas.polygon([(x - 3, y + 22), (x + 3, y + 22), (x, y + 15)], darker(color, 0.2))
    canvas.blob([(x, y - 19), (x + 12, y - 14), (x + 16, y - 2), (x + 9, y + 12), (x, y + 19), (x - 9, y + 12),
                 (x - 16, y - 2), (x - 12, y - 14)], color)
    canvas.ellipse(x - 6, y - 8, 3, 5, lighter(color, 0.6), angle=25)


def _string(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The balloon's string, from the hand."""
    x, y = top
    canvas.curve([(0, 3), (x * 0.2, (y + 20) * 0.4), (x * 0.9, (y + 20) * 0.7), (x, y + 21)], (90, 86, 96), 1.3)


def _umbrella(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The open umbrella, above and beside the head."""
    pale = lighter(color, 0.5) if sum(color) < 660 else darker(color, 0.18)
    with canvas.at(*top, angle=stream.uniform(4, 14)):
        canvas.line([(0, 0), (0, -34)], WOOD, 2.6)
        arc = [(38 * math.cos(a), -28 * math.sin(a)) for a in [math.pi * i / 12 for i in range(13)]]
        hem = [(-38 + 4.75 * i, -3.0 * (1 - (i % 4 - 2) ** 2 / 4)) for i in range(17)]
        canvas.polygon(arc + hem, color)
        for a, b in ((-19, 0), (19, 38)):
            canvas.blob([(a, 0), ((a + b) / 2, -2.4), (b, 0), (b * 0.75, -15), (0, -28), (a * 0.75, -15)], pale)


def _umbrella_grip(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """The umbrella's stick, through the hand, with its crook."""
    canvas.line([top, (0, 8)], WOOD, 2.6)
    canvas.curve([(0, 7), (-0.5, 12), (-4, 13), (-6, 9)], WOOD, 2.6)


def _flower(canvas: Canvas, color: Color, stream: random.Random, top: Point) -> None:
    """One big flower on a stem."""
    lean, count = stream.uniform(2, 8), stream.choice((5, 6, 7))
    x, y = lean, -24
    canvas.curve([(-1, 14), (0, 0), (x * 0.6, -12), (x, y)], LEAF, 2.8)
    canvas.blob([(0, 2), (8, -6), (13, -5), (9, 1)], LEAF)
    turn = stream.uniform(0, 1)
    for i in range(count):
        a = turn + 2 * math.pi * i / count
        canvas.ellipse(x + 8 * math.cos(a), y + 8 * math.sin(a), 6.4, 6.4 * 0.8, color, angle=math.degrees(a))
    canvas.ellipse(x, y, 5, 5, GOLD if sum(abs(a - b) for a, b in zip(GOLD, color, strict=True)) > 90 else WOOD)
