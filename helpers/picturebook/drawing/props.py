"""What a creature does, besides standing and riding: the water, house, bucket, barber's things or bed for it."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager

import numpy as np

from ..canvas import Canvas, Color, smooth
from ..scene import Scene
from .body import Body
from .palette import darker, lighter, mix, rim_of, tint

WATER: Color = (64, 142, 204)
METAL: Color = (172, 180, 192)
STEEL: Color = (206, 212, 220)
DARK: Color = (58, 44, 44)


def draw_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """What is behind the creature."""
    paint = {"swimming": _water_behind, "in a doghouse": _doghouse_behind, "in a bucket": _bucket_behind,
             "getting a haircut": _barber_behind, "sleeping": _bed_behind}.get(scene.doing)
    if paint is not None:
        with canvas.part("prop"):
            paint(canvas, scene, body)


def draw_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """What is in front of the creature."""
    paint = {"swimming": _water_front, "in a doghouse": _doghouse_front, "in a bucket": _bucket_front,
             "getting a haircut": _barber_front, "sleeping": _bed_front}.get(scene.doing)
    if paint is not None:
        with canvas.part("prop"):
            paint(canvas, scene, body)


def _frame(canvas: Canvas, body: Body) -> AbstractContextManager[Canvas]:
    """(0, 0) is between the feet; 1 is 1/100 of the creature's standing height."""
    return canvas.at(*body.feet, scale=body.unit)


# ---- swimming, in picture units


def _water_color(scene: Scene) -> Color:
    """Blue, darker at night."""
    r, g, b = (round(c * scene.stream("prop color").uniform(0.94, 1.06)) for c in WATER)
    water = (r, g, b)
    return darker(water, 0.4) if scene.sky == "night" else water


def _wave(top: float, height: float, length: float, phase: float) -> list[tuple[float, float]]:
    """A wavy line from the left to the right edge, around y = `top`."""
    return [(x, top + height * math.sin(2 * math.pi * x / length + phase)) for x in range(-2, 133, 3)]


def _surface(body: Body) -> float:
    """How high the water stands: up to the swimmer's chest."""
    return body.feet[1] - 36 * body.unit


def _water_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The water's far strip, behind the swimmer."""
    line = _wave(_surface(body) - 12, 1.5, 30, scene.stream("prop").uniform(0, 6))
    canvas.polygon(line + [(132, 130), (-2, 130)], lighter(_water_color(scene), 0.3))


def _water_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The water up to the swimmer's chest, with a ring around it and two big waves."""
    water, stream, top = _water_color(scene), scene.stream("prop waves"), _surface(body)
    x, foam = body.feet[0], lighter(water, 0.72)
    line = _wave(top, 2.6, stream.uniform(26, 32), stream.uniform(0, 6))
    canvas.polygon(line + [(132, 130), (-2, 130)], water)
    canvas.line(line, foam, 3)
    arc = [(x + 40 * math.cos(a), top + 7 + 8 * math.sin(a)) for a in (2.9, 2.3, 1.57, 0.84, 0.24)]
    canvas.curve(arc, foam, 3)
    deep = _wave(top + 24, 3, stream.uniform(30, 38), stream.uniform(0, 6))
    canvas.polygon(deep + [(132, 130), (-2, 130)], darker(water, 0.2))


# ---- in a doghouse


def _doghouse_colors(scene: Scene) -> tuple[Color, Color]:
    """Walls and roof."""
    stream = scene.stream("prop color")
    wall = stream.choice(((214, 156, 98), (232, 188, 126), (196, 124, 84)))
    roof = stream.choice(((206, 56, 48), (206, 56, 48), (60, 104, 190), (70, 150, 84)))
    return wall, roof


def _doghouse_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The house with its red roof and its dark arched door, wide enough for the head."""
    wall, roof = _doghouse_colors(scene)
    with _frame(canvas, body):
        canvas.ellipse(0, 4, 72, 6, (30, 30, 40), opacity=60)
        canvas.piece([(-56, 4), (-56, -88), (0, -132), (56, -88), (56, 4)], wall, rim_of(wall))
        canvas.piece([(-78, -82), (0, -146), (78, -82), (70, -70), (0, -126), (-70, -70)], roof, rim_of(roof))
        arch = [(43 * math.cos(a), -62 - 46 * math.sin(a)) for a in [math.pi * i / 10 for i in range(11)]]
        canvas.polygon([(43, 4), *arch, (-43, 4)], DARK)


def _doghouse_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The front board with its big bone."""
    wall, _ = _doghouse_colors(scene)
    bone, rim = (252, 244, 226), (130, 90, 60)
    with _frame(canvas, body):
        board = lighter(wall, 0.18)
        canvas.piece([(-58, -27), (58, -27), (58, 5), (-58, 5)], board, rim_of(wall))
        for grow, paint in ((2.0, rim), (0.0, bone)):
            canvas.line([(-18, -11), (18, -11)], paint, 9 + 2 * grow)
            for x in (-20, 20):
                for y in (-16.5, -5.5):
                    canvas.ellipse(x, y, 7 + grow, 7 + grow, paint)


# ---- in a bucket


def _bucket_color(scene: Scene) -> Color:
    stream = scene.stream("prop color")
    return stream.choice((METAL, METAL, tint("blue", stream), tint("red", stream), tint("green", stream)))


def _bucket_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The inside of the bucket."""
    color = _bucket_color(scene)
    with _frame(canvas, body):
        canvas.ellipse(0, 3, 46, 5, (30, 30, 40), opacity=60)
        canvas.oval_piece(0, -44, 50, 9, darker(color, 0.55), rim_of(color))


def _bucket_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The bucket's wall with its rim, and the handle hanging in front."""
    color, stream = _bucket_color(scene), scene.stream("prop")
    rim = [(50 * math.cos(a), -44 + 9 * math.sin(a)) for a in [math.pi * i / 12 for i in range(13)]]
    foot = [(34 * math.cos(a), 0 + 5 * math.sin(a)) for a in [math.pi * (1 - i / 8) for i in range(9)]]
    with _frame(canvas, body):
        canvas.piece(rim + foot, color, rim_of(color))
        canvas.polygon([(49, -42), (32, -36), (22, 4), (33, 1)], darker(color, 0.2))
        canvas.polygon([(-40, -38), (-26, -36.5), (-18, 4), (-28, 2.5)], lighter(color, 0.5))
        canvas.curve(rim, darker(color, 0.5), 9)
        canvas.curve(rim, lighter(color, 0.3), 6)
        sag = stream.uniform(-3, 3)
        canvas.curve([(-46, -40), (-36, -16 + sag), (0, -4 + sag), (36, -16 + sag), (46, -40)], (74, 76, 88), 4.4)
        canvas.line([(-12, -4 + sag), (12, -4 + sag)], (176, 116, 66), 9)


# ---- getting a haircut


def _barber_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The barber's big chair."""
    seat = tint("red", scene.stream("prop color"))
    with _frame(canvas, body):
        canvas.oval_piece(0, 27, 34, 5, (90, 92, 104), (50, 50, 60))
        canvas.rect(-7, 6, 7, 27, STEEL)
        back = [(-42, 6), (-46, -52), (-34, -66), (34, -66), (46, -52), (42, 6)]
        canvas.piece(back, seat, rim_of(seat))
        canvas.piece([(-46, -2), (46, -2), (46, 12), (-46, 12)], darker(seat, 0.25), rim_of(seat))


def _barber_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The cape, big scissors and a big comb."""
    stream = scene.stream("prop")
    side = -1 if body.mirrored else 1  # the sun is on the other side
    _cape(canvas, body, mix((250, 250, 252), tint(stream.choice(("blue", "pink", "green", "purple")), stream), 0.3))
    r, x = body.head_radius, body.head[0]
    with canvas.at(x + side * (r + 16), body.head[1] - 0.8 * r, scale=0.9, flip=side > 0):
        _scissors(canvas, stream.uniform(24, 36), stream.uniform(15, 20))
    with canvas.at(x - side * (r + 18), body.head[1] + 0.1 * r, flip=side < 0):
        _comb(canvas, stream.uniform(-30, -10))


def _cape(canvas: Canvas, body: Body, color: Color) -> None:
    """A dotted cape from the neck down."""
    x, y = body.neck
    with canvas.at(x, y, scale=(body.feet[1] - y) / 34):
        cape = [(-15, -3), (0, 2), (15, -3), (29, 8), (37, 31), (20, 36), (7, 33), (-7, 37), (-20, 34), (-37, 31),
                (-29, 8)]
        canvas.piece(smooth(np.array(cape, dtype=float), closed=True, pieces=4), color, rim_of(color))
        for a, b in ((-13, 13), (13, 12), (-24, 25), (0, 24), (23, 24)):
            canvas.ellipse(a, b, 4.4, 4.4, darker(color, 0.34))


def _scissors(canvas: Canvas, angle: float, gape: float) -> None:
    """Open scissors pointing to the right, at the head."""
    with canvas.at(-4, 0, angle=angle):
        for turn, blade in ((-gape, (176, 184, 200)), (gape, (136, 144, 166))):
            with canvas.at(0, 0, angle=turn):
                canvas.piece([(-6, -3.2), (27, -1.5), (25, 3.4), (-6, 3.2)], blade, (60, 64, 80), 1.2)
                canvas.ring(-15, 0, 7, (226, 50, 46), 5)
        canvas.ellipse(0, 0, 3, 3, (74, 76, 88))


def _comb(canvas: Canvas, angle: float) -> None:
    """A comb with a few thick teeth."""
    color = (30, 140, 150)
    with canvas.at(0, 0, angle=angle):
        canvas.rect(-18, -1, 18, 6, color)
        for i in range(6):
            canvas.rect(-18 + 6.4 * i, -10, -14 + 6.4 * i, 0, color)


# ---- sleeping


def _bed_color(scene: Scene) -> Color:
    stream = scene.stream("prop color")
    return tint(stream.choice(("red", "blue", "green", "purple", "pink")), stream)


def _bed_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """A pet's round bed with a pillow under the head."""
    bed, pillow = _bed_color(scene), (250, 248, 252)
    with _frame(canvas, body):
        canvas.ellipse(0, 8, 68, 10, (30, 30, 40), opacity=60)
        canvas.oval_piece(0, -6, 66, 17, darker(bed, 0.3), rim_of(bed))
    with canvas.at(body.head[0], body.head[1] + 0.35 * body.head_radius, scale=body.head_radius, flip=body.mirrored):
        cushion = [(-1.35, -0.4), (-0.9, -0.6), (0.5, -0.6), (1.2, -0.3), (1.2, 0.3), (0.5, 0.52), (-0.9, 0.52),
                   (-1.35, 0.3)]
        canvas.piece(smooth(np.array(cushion), closed=True, pieces=4), pillow, (150, 146, 170))


def _bed_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The bed's soft front edge."""
    bed = _bed_color(scene)
    outer = [(66 * math.cos(a), -6 + 21 * math.sin(a)) for a in [math.pi * i / 12 for i in range(13)]]
    inner = [(54 * math.cos(a), -6 + 8 * math.sin(a)) for a in [math.pi * (1 - i / 12) for i in range(13)]]
    with _frame(canvas, body):
        canvas.piece(outer + inner, bed, rim_of(bed))
        canvas.line([(x * 0.92, y - 6) for x, y in outer[1:-1]], lighter(bed, 0.35), 3)
