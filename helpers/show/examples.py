"""A picture to edit for readers who have none at hand: a few strokes of paint, as somebody would put them down."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw

Point = tuple[float, float]
WIDTH, HEIGHT = 480, 360  # pixels
COAT, DARK = "#e8862a", "#33261d"
SKY, GRASS = ("#76b3ea", "#8ac1ee", "#7fb8ea"), ("#6fae4a", "#7ab955")


def stroke_sketch() -> Image.Image:
    """A cat in a meadow in about thirty strokes: 480 x 360 pixels, mode RGB, the same every time."""
    rng = random.Random("a cat in a meadow")
    sketch = Image.new("RGB", (WIDTH, HEIGHT), "#f4f1ea")
    brush = ImageDraw.Draw(sketch)
    for row in range(8):  # sky, then grass, in wide strokes from side to side
        stroke(brush, rng, [(-20, 12 + 27 * row), (WIDTH + 20, 16 + 27 * row)], SKY[row % 3], 34)
    for row in range(6):
        stroke(brush, rng, [(-20, 232 + 25 * row), (WIDTH + 20, 236 + 25 * row)], GRASS[row % 2], 34)
    dab(brush, rng, (365, 60), 28, "#f7cf3c")
    for points, color, width in cat():
        stroke(brush, rng, points, color, width)
    for center in ((222, 122), (262, 122)):
        dab(brush, rng, center, 7, DARK)
    return sketch


def cat() -> list[tuple[Sequence[Point], str, int]]:
    """The strokes of a sitting cat: (points, colour, width in pixels)."""
    body = [([(242, 190), (236, 285)], COAT, 82), ([(222, 300), (262, 300)], COAT, 60)]
    tail = [([(270, 300), (320, 290), (345, 250), (330, 220)], COAT, 22)]
    head = [([(218, 128), (266, 128)], COAT, 84)]
    ears = [([(204, 105), (202, 68), (228, 92)], COAT, 16), ([(280, 105), (282, 68), (256, 92)], COAT, 16)]
    face = [([(232, 150), (242, 156), (252, 150)], DARK, 4), ([(236, 140), (248, 140)], "#d77a7a", 8)]
    legs = [([(224, 250), (222, 322)], "#c96f1f", 10), ([(256, 250), (258, 322)], "#c96f1f", 10)]
    stripes = [([(x, 90), (x, y)], "#b85f16", 6) for x, y in ((228, 100), (242, 106), (256, 100))]
    return [*tail, *body, *head, *ears, *legs, *stripes, *face]


def stroke(brush: ImageDraw.ImageDraw, rng: random.Random, points: Sequence[Point], color: str, width: int) -> None:
    """One stroke of a slightly unsteady hand along `points`."""
    path = [wobbled(rng, between(a, b, share / 8)) for a, b in zip(points, points[1:], strict=False)
            for share in range(9)]
    brush.line(path, fill=color, width=width, joint="curve")
    for end in (path[0], path[-1]):
        dab(brush, rng, end, width / 2, color)


def dab(brush: ImageDraw.ImageDraw, rng: random.Random, center: Point, radius: float, color: str) -> None:
    """A round spot of paint."""
    ring = [wobbled(rng, (center[0] + radius * math.cos(a / 4), center[1] + radius * math.sin(a / 4)), 0.03 * radius)
            for a in range(25)]
    brush.polygon(ring, fill=color)


def between(a: Point, b: Point, share: float) -> Point:
    """The point at `share` of the way from a to b."""
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def wobbled(rng: random.Random, point: Point, amount: float = 1.2) -> Point:
    """A point a little off."""
    return point[0] + rng.gauss(0, amount), point[1] + rng.gauss(0, amount)
