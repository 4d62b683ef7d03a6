"""What a creature does, besides standing and riding: the water, house, bucket, barber's things or bed for it."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager

from ..canvas import Canvas, Color
from ..scene import Scene
from .body import Body
from .palette import darker, lighter, mix, tint

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


def _water_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The water's far strip, behind the swimmer."""
    top = body.feet[1] - 35 * body.unit
    line = _wave(top - 6, 1.0, 17, scene.stream("prop").uniform(0, 6))
    canvas.polygon(line + [(132, 130), (-2, 130)], lighter(_water_color(scene), 0.22))


def _water_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The water up to the swimmer's waist, with waves and rings."""
    water, stream = _water_color(scene), scene.stream("prop waves")
    x, top = body.feet[0], body.feet[1] - 35 * body.unit
    line = _wave(top, 1.7, stream.uniform(19, 25), stream.uniform(0, 6))
    canvas.polygon(line + [(132, 130), (-2, 130)], water)
    canvas.line(line, lighter(water, 0.7), 1.6)
    for r, y in ((24, 6), (34, 10)):
        arc = [(x + r * math.cos(a), top + y + 0.16 * r * math.sin(a)) for a in (2.9, 2.3, 1.57, 0.84, 0.24)]
        canvas.curve(arc, lighter(water, 0.5), 1.5)
    deep = _wave(top + 17, 1.5, stream.uniform(20, 28), stream.uniform(0, 6))
    canvas.polygon(deep + [(132, 130), (-2, 130)], darker(water, 0.12))
    for _ in range(6):
        a, b = stream.uniform(0, 120), stream.uniform(top + 7, 125)
        canvas.curve([(a, b), (a + 3, b - 1.5), (a + 6, b), (a + 9, b - 1.5)], lighter(water, 0.4), 1.2)


# ---- in a doghouse


def _doghouse_colors(scene: Scene) -> tuple[Color, Color]:
    """Walls and roof."""
    stream = scene.stream("prop color")
    wall = stream.choice(((206, 150, 96), (222, 178, 122), (188, 120, 82)))
    roof = stream.choice(((192, 62, 54), (196, 70, 60), (70, 106, 170), (86, 140, 92)))
    return wall, roof


def _doghouse_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The house with its dark arched door."""
    wall, roof = _doghouse_colors(scene)
    with _frame(canvas, body):
        canvas.ellipse(0, 3, 56, 5, (30, 30, 40), opacity=60)
        canvas.polygon([(-46, 4), (-46, -78), (0, -124), (46, -78), (46, 4)], wall)
        for y in (-20, -38, -56, -74):
            canvas.line([(-46, y), (46, y)], darker(wall, 0.2), 1.4)
        canvas.line([(-58, -66), (0, -124), (58, -66)], darker(roof, 0.25), 15)
        canvas.line([(-58, -69), (0, -127), (58, -69)], roof, 11)
        arch = [(35 * math.cos(a), -60 - 40 * math.sin(a)) for a in [math.pi * i / 10 for i in range(11)]]
        canvas.polygon([(35, 4), *arch, (-35, 4)], DARK)


def _doghouse_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The front board with its bone."""
    wall, _ = _doghouse_colors(scene)
    bone = (248, 240, 222)
    with _frame(canvas, body):
        canvas.rect(-48, -30, 48, 5, lighter(wall, 0.12))
        canvas.rect(-48, -30, 48, -26, darker(wall, 0.22))
        canvas.line([(-48, -11), (48, -11)], darker(wall, 0.2), 1.4)
        canvas.line([(-14, -11), (14, -11)], bone, 7)
        for x in (-15, 15):
            canvas.ellipse(x, -15, 5, 5, bone)
            canvas.ellipse(x, -7.5, 5, 5, bone)


# ---- in a bucket


def _bucket_color(scene: Scene) -> Color:
    stream = scene.stream("prop color")
    return stream.choice((METAL, METAL, tint("blue", stream), tint("red", stream), tint("green", stream)))


def _bucket_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The handle, standing up behind, and the inside of the bucket."""
    color = _bucket_color(scene)
    with _frame(canvas, body):
        canvas.ellipse(0, 3, 44, 5, (30, 30, 40), opacity=60)
        canvas.ellipse(0, -46, 44, 8, darker(color, 0.55))


def _bucket_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The bucket's wall, hiding the lower half of what is in it."""
    color, stream = _bucket_color(scene), scene.stream("prop")
    shine, shade = lighter(color, 0.5), darker(color, 0.22)
    rim = [(44 * math.cos(a), -46 + 8 * math.sin(a)) for a in [math.pi * i / 12 for i in range(13)]]
    foot = [(31 * math.cos(a), 1 + 5 * math.sin(a)) for a in [math.pi * (1 - i / 8) for i in range(9)]]
    with _frame(canvas, body):
        canvas.polygon(rim + foot, color)
        canvas.polygon([(44, -46), (31, -40), (22, 5), (31, 1)], shade)
        canvas.polygon([(-34, -40), (-26, -39), (-19, 5), (-25, 3.5)], shine)
        for y, half in ((-26, 39.5), (-8, 34.5)):
            canvas.curve([(-half, y), (-half * 0.6, y + 5), (0, y + 7), (half * 0.6, y + 5), (half, y)], shade, 1.8)
        canvas.curve(rim, lighter(color, 0.3), 5)
        sag = stream.uniform(-4, 4)
        canvas.curve([(-43, -43), (-34, -14 + sag), (0, -2 + sag), (34, -14 + sag), (43, -43)], (74, 76, 88), 2.6)
        canvas.line([(-9, -2 + sag), (9, -2 + sag)], (166, 116, 70), 6)
        for x in (-43, 43):
            canvas.ellipse(x, -43, 4, 4, (74, 76, 88))


# ---- getting a haircut


def _barber_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The barber's chair."""
    seat = tint("red", scene.stream("prop color"))
    with _frame(canvas, body):
        canvas.ellipse(0, 29, 30, 5, (90, 92, 104))
        canvas.rect(-5, 4, 5, 29, STEEL)
        canvas.blob([(-32, 4), (-36, -44), (-26, -60), (26, -60), (36, -44), (32, 4)], seat)
        canvas.blob([(-36, -2), (0, -4), (36, -2), (36, 9), (0, 11), (-36, 9)], darker(seat, 0.25))
        for x in (-41, 41):
            canvas.blob([(x - 5, -20), (x + 5, -20), (x + 4, -13), (x - 4, -13)], darker(seat, 0.4))
            canvas.line([(x, -14), (x * 0.85, 4)], STEEL, 3)


def _barber_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The cape, scissors, comb and falling hair."""
    stream = scene.stream("prop")
    side = 1 if body.mirrored else -1  # beside the hand there may be something held
    _cape(canvas, body, mix((250, 250, 252), tint(stream.choice(("blue", "pink", "green", "purple")), stream), 0.22))
    r = body.head_radius
    k = max(body.unit, 0.55)
    with canvas.at(body.head[0] + side * (r + 14 * k), body.head[1] - 0.75 * r, scale=1.15 * k, flip=side > 0):
        _scissors(canvas, stream.uniform(24, 40), stream.uniform(13, 18))
    with canvas.at(body.head[0] + side * (r + 16 * k), body.head[1] + 0.75 * r, scale=1.25 * k, flip=side > 0):
        _comb(canvas, stream.uniform(-20, 0))
    hair = darker(tint(scene.color, scene.stream("color")), 0.12)
    for _ in range(5):
        x, y = body.feet[0] + stream.uniform(-44, 44) * body.unit, body.neck[1] + stream.uniform(4, 66) * body.unit
        canvas.ellipse(x, y, 2.3, 0.85, hair, angle=stream.uniform(-60, 60))


def _cape(canvas: Canvas, body: Body, color: Color) -> None:
    """A dotted cape from the neck down."""
    x, y = body.neck
    with canvas.at(x, y + 0.3 * body.head_radius, scale=(body.feet[1] - y) / 54):
        canvas.blob([(-15, -1), (0, 4), (15, -1), (26, 13), (35, 38), (20, 43), (7, 40), (-7, 44), (-20, 41), (-35, 38),
                     (-26, 13)], color)
        for a, b in ((-15, 15), (3, 17), (18, 14), (-22, 31), (-3, 31), (15, 30)):
            canvas.ellipse(a, b, 2.4, 2.4, darker(color, 0.34))
        canvas.curve([(-17, -2), (-8, 3), (0, 5), (8, 3), (17, -2)], darker(color, 0.25), 5)


def _scissors(canvas: Canvas, angle: float, gape: float) -> None:
    """Open scissors pointing to the right, at the head."""
    with canvas.at(-4, 0, angle=angle):
        for turn, blade in ((-gape, (158, 166, 182)), (gape, (120, 128, 148))):
            with canvas.at(0, 0, angle=turn):
                canvas.polygon([(-6, -2.2), (27, -0.6), (24, 2.6), (-6, 2.2)], blade)
                canvas.line([(-6, 0), (-12, 0)], (214, 66, 58), 4)
                canvas.ring(-18, 0, 6.4, (214, 66, 58), 4)
        canvas.ellipse(0, 0, 2, 2, (74, 76, 88))


def _comb(canvas: Canvas, angle: float) -> None:
    """A comb with its teeth up."""
    color = (52, 136, 142)
    with canvas.at(-6, 6, angle=angle):
        canvas.rect(-17, 0, 17, 5, color)
        teeth = []
        for i in range(10):
            x = -16 + 3.5 * i
            teeth += [(x, 1), (x, -7), (x, 1)]
        canvas.line(teeth, color, 1.6)


# ---- sleeping


def _bed_color(scene: Scene) -> Color:
    stream = scene.stream("prop color")
    return tint(stream.choice(("red", "blue", "green", "purple", "pink")), stream)


def _bed_behind(canvas: Canvas, scene: Scene, body: Body) -> None:
    """A pet's round bed with a pillow under the head."""
    bed, pillow = _bed_color(scene), (246, 244, 250)
    with _frame(canvas, body):
        canvas.ellipse(0, 4, 70, 12, (30, 30, 40), opacity=60)
        canvas.ellipse(0, -6, 68, 16, darker(bed, 0.3))
        canvas.ellipse(0, -2, 60, 11, lighter(bed, 0.6))
    with canvas.at(body.head[0], body.head[1] + 0.5 * body.head_radius, scale=body.head_radius, flip=body.mirrored):
        canvas.blob([(-1.5, -0.3), (-0.9, -0.52), (0.5, -0.5), (1.0, -0.2), (1.0, 0.3), (0.5, 0.52), (-0.9, 0.52),
                     (-1.5, 0.3)], pillow)
        canvas.curve([(-1.4, 0.2), (-0.9, 0.38), (0.5, 0.38), (0.9, 0.2)], darker(pillow, 0.14), 0.07)


def _bed_front(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The bed's soft front edge."""
    bed = _bed_color(scene)
    outer = [(68 * math.cos(a), -6 + 19 * math.sin(a)) for a in [math.pi * i / 12 for i in range(13)]]
    inner = [(60 * math.cos(a), -6 + 6 * math.sin(a)) for a in [math.pi * (1 - i / 12) for i in range(13)]]
    with _frame(canvas, body):
        canvas.polygon(outer + inner, bed)
        canvas.line(inner, lighter(bed, 0.3), 2)
        canvas.line([(x * 0.95, y - 4) for x, y in outer[1:-1]], darker(bed, 0.25), 1.4)
