"""Behind and below the main thing: the sky, the eleven places, the crowd of the street, falling snow."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np

from ..canvas import UNITS, Canvas, Color, Point
from ..scene import Scene
from .palette import darker, lighter, mix

# ---------------------------------------------------------------------------------------------------------------------
# light, and shapes that several places use
# ---------------------------------------------------------------------------------------------------------------------

#: sky -> the colour everything under it is mixed with, and how much of it
_VEILS: dict[str, tuple[Color, float]] = {
    "day": ((255, 255, 255), 0.0), "sunset": ((232, 92, 62), 0.27), "night": ((14, 20, 66), 0.52),
}
_SNOW: Color = (244, 247, 252)


class Light(NamedTuple):
    """What the sky and the snow make of a colour."""

    sky: str
    snowy: float

    def __call__(self, color: Color) -> Color:
        """`color` under this sky."""
        veil, amount = _VEILS[self.sky]
        return mix(color, veil, amount) if amount else color

    def ground(self, color: Color, share: float = 1.0) -> Color:
        """`color` under this sky and as much snow as lies on the ground; `share`: how much of it stays lying here."""
        return self(mix(color, _SNOW, share * self.snowy**0.75) if self.snowy else color)

    def glow(self, dark: Color, bright: Color) -> Color:
        """A window's colour: `dark` (under this sky) by day, `bright`, lit from inside, at other times."""
        return self(dark) if self.sky == "day" else bright


def _horizon(scene: Scene) -> float:
    """Where ground and sky meet, in picture units."""
    return scene.stream("horizon").uniform(58, 76)


_OCTAGON = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 8, endpoint=False)]


def _dot(canvas: Canvas, x: float, y: float, r: float, color: Color, opacity: int = 255) -> None:
    """A small round dot, of fewer points than an ellipse has."""
    canvas.polygon([(x + r * cx, y + r * cy) for cx, cy in _OCTAGON], color, opacity)


Box = tuple[float, float, float, float]


def _boxes(canvas: Canvas, boxes: Sequence[Box], color: Color) -> None:
    """Rectangles (x0, y0, x1, y1) of one colour as one polygon: a path from corner to corner, there and back.

    The path between them runs along x and y only: a slanted one would leave a faint line.
    """
    if not boxes:
        return
    ahead = [box[0] for box in boxes[1:]] + [boxes[-1][0]]
    there = [p for (x0, y0, x1, y1), after in zip(boxes, ahead, strict=True)
             for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0), (after, y0))]
    back = [p for (_, y0, _, _), (x1, y1, _, _) in zip(boxes[-2::-1], boxes[:0:-1], strict=True)
            for p in ((x1, y1), (x1, y0))]
    canvas.polygon(there + back, color)


def _floor(canvas: Canvas, y: float, color: Color) -> None:
    """Everything from height y down."""
    canvas.rect(0, y, UNITS, UNITS, color)


def _hills(canvas: Canvas, y: float, height: float, waves: float, phase: float, color: Color) -> None:
    """Rolling land filling the picture from about y - height down."""
    x = np.linspace(0, UNITS, 17)
    top = y - height * (0.5 + 0.5 * np.sin(x / UNITS * waves * math.pi + phase))
    canvas.polygon([*zip(x, top, strict=True), (UNITS, UNITS), (0, UNITS)], color)


_PINE = [(0, -1), (0.2, -0.66), (0.11, -0.66), (0.28, -0.38), (0.16, -0.38), (0.36, -0.1), (-0.36, -0.1),
         (-0.16, -0.38), (-0.28, -0.38), (-0.11, -0.66), (-0.2, -0.66)]
_PINE_SNOW = [(0, -1), (0.16, -0.73), (0.2, -0.64), (0.07, -0.74), (0.04, -0.5), (0.27, -0.36), (0.12, -0.45),
              (-0.02, -0.39), (-0.12, -0.46), (-0.27, -0.36), (-0.04, -0.5), (-0.07, -0.74), (-0.2, -0.64),
              (-0.16, -0.73)]


def _pine(canvas: Canvas, light: Light, x: float, base: float, height: float, green: Color) -> None:
    """A fir `height` units tall, its trunk's foot at (x, base)."""
    with canvas.at(x, base, height):
        canvas.rect(-0.045, -0.12, 0.045, 0, light((98, 66, 44)))
        canvas.polygon(_PINE, light.ground(green, 0.2))
        canvas.polygon(_PINE[:1] + _PINE[-5:] + [(0, -0.1)], light.ground(lighter(green, 0.12), 0.25))
        if light.snowy:
            canvas.polygon(_PINE_SNOW, light(_SNOW), round(90 + 165 * light.snowy))


_CROWN = [(-0.3, -0.42), (-0.34, -0.62), (-0.24, -0.84), (-0.06, -0.97), (0.14, -0.96), (0.3, -0.8), (0.35, -0.6),
          (0.26, -0.42), (0.02, -0.36)]


def _tree(canvas: Canvas, light: Light, x: float, base: float, height: float, green: Color) -> None:
    """A round leafy tree, its trunk's foot at (x, base)."""
    with canvas.at(x, base, height):
        canvas.rect(-0.05, -0.45, 0.05, 0, light((112, 76, 50)))
        canvas.blob(_CROWN, light.ground(green, 0.25))
        canvas.ellipse(-0.06, -0.78, 0.2, 0.14, light.ground(lighter(green, 0.2), 0.95))


# ---------------------------------------------------------------------------------------------------------------------
# the sky
# ---------------------------------------------------------------------------------------------------------------------

_GRADIENTS: dict[str, tuple[Color, Color, Color]] = {  # top, middle, bottom
    "day": ((84, 164, 236), (140, 200, 246), (208, 236, 250)),
    "sunset": ((146, 84, 160), (246, 122, 112), (255, 204, 118)),
    "night": ((9, 11, 40), (22, 26, 74), (52, 58, 118)),
}
_OVERCAST: dict[str, Color] = {"day": (176, 190, 204), "sunset": (190, 130, 136), "night": (40, 44, 62)}
_CLOUD_COLORS: dict[str, tuple[Color, Color]] = {  # light side, shade
    "day": ((255, 255, 255), (206, 220, 234)), "sunset": ((255, 208, 184), (226, 140, 140)),
    "night": ((104, 112, 148), (66, 72, 110)),
}
_RAINBOW: tuple[Color, ...] = ((232, 60, 62), (246, 146, 48), (252, 220, 70), (84, 188, 92), (62, 134, 228),
                               (146, 84, 196))
#: how far down the sky is seen, where something stands in front of it; elsewhere: to the horizon
_SKY_DEPTHS = {"wall": 30.0, "street": 34.0, "city": 46.0, "forest": 44.0, "temple": 54.0}
_BANDS = 11

#: the room's window: width, height, top edge (its left edge comes from the stream "room"), and the sky's scale in it
_WINDOW_WIDTH, _WINDOW_HEIGHT, _WINDOW_TOP, _WINDOW_SCALE = 62.0, 42.0, 6.0, 62.0 / UNITS


def _window_left(scene: Scene) -> float:
    """The left edge of the room's window, in picture units."""
    return scene.stream("room").uniform(14, 52)


def draw_sky(canvas: Canvas, scene: Scene) -> None:
    """The sky with its sun, moon and stars, clouds and rainbow; in the room: a small sky for the window to show."""
    indoors = scene.place == "room"
    with canvas.at(_window_left(scene), _WINDOW_TOP, _WINDOW_SCALE) if indoors else nullcontext():
        depth = 74.0 if indoors else _SKY_DEPTHS.get(scene.place, _horizon(scene))
        with canvas.part("sky"):
            _draw_gradient(canvas, scene, depth)
            _LAMPS[scene.sky](canvas, scene, depth)
        with canvas.part("clouds"):
            _draw_clouds(canvas, scene, depth)
        if scene.rainbow == "yes":
            with canvas.part("rainbow"):
                _draw_rainbow(canvas, scene, depth)


def _draw_gradient(canvas: Canvas, scene: Scene, depth: float) -> None:
    """Bands from the top down to `depth`; the last one reaches far enough for every place."""
    top, middle, bottom = _GRADIENTS[scene.sky]
    gray = min(0.75, 0.5 * scene.cloudy + 0.45 * scene.snowy)
    for i in range(_BANDS):
        t = 2 * i / (_BANDS - 1)
        color = mix(top, middle, t) if t < 1 else mix(middle, bottom, t - 1)
        end = 92.0 if i == _BANDS - 1 else depth * (i + 1) / _BANDS + 1  # overlapping: no seams between bands
        canvas.rect(0, depth * i / _BANDS, UNITS, end, mix(color, _OVERCAST[scene.sky], gray))


def _lamp_place(scene: Scene, depth: float) -> Point:
    """Where sun and moon stand high in the sky: near the left or the right edge."""
    stream = scene.stream("sun")
    x = stream.uniform(14, 32) + 20 * (scene.place == "room")  # not behind the curtains
    return (x if stream.random() < 0.5 else UNITS - x), min(depth * 0.45, stream.uniform(14, 20))


_RAYS = [(math.cos(a) * r, math.sin(a) * r) for a, r in
         zip(np.linspace(0, 2 * math.pi, 24, endpoint=False), [1.0, 0.68] * 12, strict=True)]


def _draw_day_sun(canvas: Canvas, scene: Scene, depth: float) -> None:
    x, y = _lamp_place(scene, depth)
    canvas.polygon([(x + 13 * rx, y + 13 * ry) for rx, ry in _RAYS], (255, 236, 150))
    canvas.ellipse(x, y, 8, 8, (255, 214, 64))


def _draw_low_sun(canvas: Canvas, scene: Scene, depth: float) -> None:
    x, _ = _lamp_place(scene, depth)
    y = depth - 6 if scene.place in ("beach", "meadow", "room") else depth * 0.62
    canvas.ellipse(x, y, 19, 19, (255, 216, 140), opacity=90)
    canvas.ellipse(x, y, 11, 11, (255, 236, 150))


_STAR = [(0.0, -1.0), (0.26, -0.26), (1.0, 0.0), (0.26, 0.26), (0.0, 1.0), (-0.26, 0.26), (-1.0, 0.0), (-0.26, -0.26)]


def _draw_moon_and_stars(canvas: Canvas, scene: Scene, depth: float) -> None:
    stream = scene.stream("stars")
    for i in range(24):
        x, y, r = stream.uniform(2, 126), stream.random() ** 1.2 * (depth - 3) + 1, stream.uniform(0.7, 1.1)
        r = r * 2.2 if i < 6 else r
        canvas.polygon([(x + r * sx, y + r * sy) for sx, sy in _STAR], (255, 250, 214))
    x, y = _lamp_place(scene, depth)
    canvas.ellipse(x, y, 14, 14, (214, 220, 255), opacity=50)
    canvas.ellipse(x, y, 9, 9, (252, 246, 214))
    for dx, dy, r in ((-3, -2, 2), (3, 2.5, 2.4), (2.5, -4, 1.2)):
        _dot(canvas, x + dx, y + dy, r, (230, 222, 186))


_LAMPS: dict[str, Callable[[Canvas, Scene, float], None]] = {
    "day": _draw_day_sun, "sunset": _draw_low_sun, "night": _draw_moon_and_stars,
}


def _cloud_outline() -> list[Point]:
    """A cloud 2 units wide around (0, 0): the upper edge of five circles over a flat, rounded bottom."""
    x = np.linspace(-1, 1, 31)
    circles = ((-0.72, 0.28, 0.0), (-0.34, 0.42, 0.1), (0.1, 0.52, 0.16), (0.48, 0.36, 0.06), (0.75, 0.25, 0.0))
    tops = [np.sqrt(np.maximum(r * r - (x - cx) ** 2, 0)) + np.where(abs(x - cx) < r, rise, 0)
            for cx, r, rise in circles]
    top = np.max(tops, axis=0)
    return [(float(a), -float(b)) for a, b in zip(x, top, strict=True)] + [(0.86, 0.14), (-0.86, 0.14)]


_CLOUD = _cloud_outline()


def _draw_clouds(canvas: Canvas, scene: Scene, depth: float) -> None:
    """More and bigger clouds the cloudier it is: from one small one to a covered sky."""
    if not scene.cloudy:
        return
    stream = scene.stream("clouds")
    white, shade = (mix(c, _OVERCAST[scene.sky], 0.45 * scene.cloudy) for c in _CLOUD_COLORS[scene.sky])
    count = round(1 + 13 * scene.cloudy)
    clouds = []
    for i in range(count):
        # a low-discrepancy walk: neighbours in the order never lie on top of each other
        x = (stream.random() * 0.2 + (i + 0.3) * 0.618) % 1 * 124 + 2
        y, size = depth * stream.uniform(0.14, 0.82), stream.uniform(12, 17)
        clouds.append((y, x, size, stream.random() < 0.5))
    for y, x, size, flip in sorted(clouds):
        with canvas.at(x, y, size * (0.7 + 0.85 * scene.cloudy) * min(1, (depth / 60) ** 0.5), flip=flip):
            canvas.polygon(_CLOUD, shade)
            with canvas.at(-0.05, -0.1, 0.92):
                canvas.polygon(_CLOUD, white)


_HALF_CIRCLE = np.stack([np.cos(a := np.linspace(math.pi, 2 * math.pi, 33)), np.sin(a)], axis=1)


def _draw_rainbow(canvas: Canvas, scene: Scene, depth: float) -> None:
    """An arc over the whole sky, down to the horizon or behind what stands there."""
    stream = scene.stream("rainbow")
    x, radius = stream.uniform(52, 76), stream.uniform(54, 60)
    foot = max(depth + 4, radius + 3)
    for i, color in enumerate(_RAINBOW):
        arc = _HALF_CIRCLE * (radius - 2.3 * i) + (x, foot)
        canvas.line(arc, mix(color, (255, 255, 255), 0.08 if scene.sky == "day" else 0.0), 2.6)


# ---------------------------------------------------------------------------------------------------------------------
# nature
# ---------------------------------------------------------------------------------------------------------------------


def draw_place(canvas: Canvas, scene: Scene) -> None:
    """The land, or the room, with everything that makes it this place; nothing in it reaches far into the middle."""
    light = Light(scene.sky, scene.snowy)
    with canvas.part("place"):
        _PLACES[scene.place](canvas, scene, light, _horizon(scene))


def _side(stream: random.Random) -> int:
    """Left (-1) or right (1)."""
    return -1 if stream.random() < 0.5 else 1


_LEAF = [(0.0, 0.0), (0.3, -0.24), (0.66, -0.22), (1.0, 0.14), (0.62, 0.0), (0.3, 0.02)]


def _draw_palm(canvas: Canvas, light: Light, x: float, base: float, height: float, lean: float) -> None:
    """A palm whose top hangs `lean` units to the side."""
    top = (x + lean, base - height)
    canvas.curve([(x, base), (x + lean * 0.25, base - height * 0.5), top], light((150, 104, 66)), height * 0.07)
    green = (54, 146, 78)
    for angle, flip in ((12, False), (-34, False), (52, False), (12, True), (-34, True), (52, True)):
        with canvas.at(*top, height * 0.42, flip=flip), canvas.at(0, 0, angle=angle):
            canvas.polygon(_LEAF, light.ground(green if angle != 12 else darker(green, 0.18), 0.4))
    for dx in (-1.2, 1.4):
        _dot(canvas, top[0] + dx, top[1] + 1.6, 1.6, light((112, 72, 44)))


def _draw_beach(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("beach")
    side, shore = _side(stream), horizon + stream.uniform(13, 17)
    _floor(canvas, horizon, light((30, 116, 190)))
    canvas.rect(0, horizon + 6, UNITS, shore + 8, light((50, 150, 210)))
    for i in range(6):
        x, y = stream.uniform(0, 118), horizon + 2.5 + 1.7 * i
        canvas.line([(x, y), (x + 4 + 1.5 * i, y)], light((180, 222, 240)), 0.8)
    edge = [(x, shore + 1.8 * math.sin(x / 13 + side)) for x in range(-4, 136, 6)]
    canvas.polygon([*edge, (UNITS, UNITS), (0, UNITS)], light.ground((246, 222, 160)))
    canvas.line([(x, y - 0.6) for x, y in edge], light((240, 250, 252)), 2.2)
    _draw_palm(canvas, light, 64 + side * 60, shore + 20, 62, -side * 9)
    _draw_palm(canvas, light, 64 + side * 44, shore + 8, 40, side * 5)
    for _ in range(7):
        x, y = 64 + _side(stream) * stream.uniform(26, 62), stream.uniform(shore + 10, 124)
        canvas.ellipse(x, y, 1.6, 1.0, light.ground((226, 180, 122)))
    with canvas.at(64 - side * stream.uniform(38, 56), shore + 14, 4.2, angle=stream.uniform(0, 70)):
        canvas.polygon(_STARFISH, light((236, 112, 84)))


_STARFISH = [(math.sin(a) * r, -math.cos(a) * r * 0.8) for a, r in
             zip(np.linspace(0, 2 * math.pi, 10, endpoint=False), [1.0, 0.4] * 5, strict=True)]
_FOREST_GREENS: tuple[Color, ...] = ((38, 104, 66), (30, 88, 62), (52, 120, 66), (26, 96, 76))


def _draw_forest(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("forest")
    x = np.linspace(-3, 131, 25)
    far = [(float(a), horizon - (34 if i % 2 else 22) + stream.uniform(-4, 4)) for i, a in enumerate(x)]
    canvas.polygon([*far, (131, 90), (-3, 90)], light.ground((58, 112, 92), 0.3))
    _hills(canvas, horizon + 2, 3, 2, stream.uniform(0, 6), light.ground((74, 112, 52)))
    row = [(horizon + stream.uniform(2, 8), 9 + 15.7 * i + stream.uniform(-4, 4), stream.uniform(42, 54),
            stream.choice(_FOREST_GREENS)) for i in range(8)]
    sides = [(horizon + stream.uniform(17, 24), 64 + s * stream.uniform(52, 66), stream.uniform(68, 80),
              stream.choice(_FOREST_GREENS)) for s in (-1, 1)]
    for base, tree_x, height, green in sorted(row) + sides:
        _pine(canvas, light, tree_x, base, height, green)
    _floor(canvas, horizon + 34, light.ground((88, 130, 58)))
    for _ in range(8):
        x0, y0 = stream.uniform(3, 125), stream.uniform(horizon + 14, 124)
        canvas.polygon([(x0 - 3, y0), (x0 - 2, y0 - 4), (x0 - 0.6, y0 - 1), (x0 + 0.5, y0 - 5), (x0 + 1.4, y0 - 1),
                        (x0 + 3, y0 - 4), (x0 + 3, y0)], light.ground((60, 100, 46), 0.6))
    _draw_mushrooms(canvas, light, stream, horizon)


def _draw_mushrooms(canvas: Canvas, light: Light, stream: random.Random, horizon: float) -> None:
    """Two toadstools near the edges."""
    for s in (-1, 1):
        x, y = 64 + s * stream.uniform(44, 60), stream.uniform(horizon + 28, 112)
        canvas.rect(x - 1, y - 4, x + 1, y, light((238, 226, 204)))
        canvas.polygon([(x - 4, y - 3.6), (x - 3, y - 6.4), (x, y - 7.8), (x + 3, y - 6.4), (x + 4, y - 3.6)],
                       light.ground((208, 60, 52), 0.6))


def _capsule(canvas: Canvas, x0: float, y0: float, x1: float, y1: float, r: float, color: Color) -> None:
    """A thick stroke with round ends, as one polygon."""
    turn = math.atan2(y1 - y0, x1 - x0)
    ends = [(x1, y1, turn - math.pi / 2), (x0, y0, turn + math.pi / 2)]
    canvas.polygon([(x + r * math.cos(a + i * math.pi / 6), y + r * math.sin(a + i * math.pi / 6))
                    for x, y, a in ends for i in range(7)], color)


def _draw_cactus(canvas: Canvas, light: Light, x: float, base: float, height: float, flip: bool) -> None:
    green = light.ground((66, 138, 78), 0.15)
    with canvas.at(x, base, height / 10, flip=flip):
        for x0, y0, x1, y1, r in ((0, -0.6, 0, -9, 1.15), (0, -3.4, -3, -3.4, 0.75), (-3, -3.4, -3, -6, 0.75),
                                  (0, -5, 2.9, -5, 0.7), (2.9, -5, 2.9, -8, 0.7)):
            _capsule(canvas, x0, y0, x1, y1, r, green)
        canvas.line([(-0.3, -0.4), (-0.3, -9.2)], light.ground((116, 178, 110), 0.35), 0.35)
        if light.snowy:
            canvas.ellipse(0, -9.75, 1.1, 0.6, light(_SNOW), opacity=round(120 + 135 * light.snowy))


def _draw_desert(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("desert")
    side, phase = _side(stream), stream.uniform(0, 6)
    x: float = 64 + side * 34
    canvas.polygon([(x - 22, horizon), (x - 15, horizon - 19), (x + 9, horizon - 20), (x + 12, horizon - 12),
                    (x + 17, horizon - 11), (x + 24, horizon)], light.ground((190, 98, 66), 0.3))
    canvas.polygon([(x - 17.5, horizon - 12), (x - 16, horizon - 16), (x + 10, horizon - 16), (x + 12, horizon - 12)],
                   light.ground((216, 126, 84), 0.3))
    _hills(canvas, horizon + 3, 9, 3.1, phase, light.ground((222, 150, 78)))
    _hills(canvas, horizon + 12, 10, 2.3, phase + 2, light.ground((234, 170, 92)))
    _hills(canvas, horizon + 26, 8, 1.7, phase + 4, light.ground((244, 190, 108)))
    for i in range(4):
        y, x = 96 + 8 * i, 64 + stream.uniform(-52, 20)
        canvas.curve([(x, y), (x + 11, y - 2), (x + 22, y), (x + 33, y - 2)], light.ground((222, 158, 82)), 1.1)
    _draw_cactus(canvas, light, 64 - side * stream.uniform(48, 54), horizon + 28, stream.uniform(42, 50), side > 0)
    _draw_cactus(canvas, light, 64 + side * stream.uniform(42, 56), horizon + 16, stream.uniform(20, 27), side < 0)
    _draw_cactus(canvas, light, 64 - side * stream.uniform(28, 38), horizon + 7, stream.uniform(12, 17), side < 0)


_FLOWER_COLORS: tuple[Color, ...] = ((236, 72, 84), (252, 252, 250), (250, 206, 60), (176, 96, 206), (246, 140, 180))


def _draw_meadow(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("meadow")
    side = _side(stream)
    _hills(canvas, horizon + 2, 7, 1.4, stream.uniform(0, 6), light.ground((150, 204, 98)))
    _tree(canvas, light, 64 + side * stream.uniform(40, 52), horizon + 6, stream.uniform(38, 46), (76, 156, 66))
    _hills(canvas, horizon + 8, 3, 2.2, stream.uniform(0, 6), light.ground((128, 192, 76)))
    _draw_fence(canvas, light, horizon + 10)
    _floor(canvas, horizon + 26, light.ground((112, 180, 66)))
    for i in range(18):
        x, y = (i + stream.random()) * 128 / 18, stream.uniform(horizon + 17, 125)
        color, size = stream.choice(_FLOWER_COLORS), 1.1 + (y - horizon) * 0.028
        canvas.line([(x, y), (x, y - 2.6 * size)], light.ground((60, 128, 52), 0.5), 0.6 * size)
        _dot(canvas, x, y - 3 * size, 1.35 * size, light(color))
        heart = (170, 96, 40) if color == _FLOWER_COLORS[2] else (246, 190, 50)
        _dot(canvas, x, y - 3 * size, 0.5 * size, light(heart))


def _draw_fence(canvas: Canvas, light: Light, base: float) -> None:
    """A white picket fence across the picture, standing at height `base`."""
    white, shade = light((252, 248, 238)), light((206, 190, 166))
    for y in (-9.2, -4.5):
        canvas.rect(0, base + y, UNITS, base + y + 2.4, shade)
        canvas.rect(0, base + y, UNITS, base + y + 1.6, white)
    there = [p for x in range(2, 128, 9) for p in
             ((x, base - 4), (x, base - 11), (x + 1.7, base - 13), (x + 3.4, base - 11), (x + 3.4, base), (x, base),
              (x, base - 4))]
    with canvas.at(0.9, 0.4):
        canvas.polygon(there, shade)
    canvas.polygon(there, white)


def _draw_mountain(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("mountain")
    side, peak = _side(stream), stream.uniform(54, 74)
    top, foot = stream.uniform(13, 18), horizon + 6
    _hills(canvas, horizon + 2, 16, 3.4, stream.uniform(0, 6), light.ground((138, 156, 190), 0.3))
    rock = (122, 124, 146)
    left, right = (-24, foot), (152, foot)
    shoulder = (peak + side * 34, top + 26), (peak + side * 40, top + 25)
    canvas.polygon([left, *([] if side > 0 else shoulder[::-1]), (peak, top), *(shoulder if side > 0 else []), right],
                   light.ground(rock, 0.4))
    canvas.polygon([(peak, top), (peak + 6, top + 16), (peak - 1, top + 28), (peak + 9, foot), right,
                    *(shoulder[::-1] if side > 0 else [])], light.ground(darker(rock, 0.28), 0.4))
    _draw_snow_cap(canvas, light, peak, top, foot)
    _hills(canvas, horizon + 5, 5, 1.6, stream.uniform(0, 6), light.ground((104, 150, 92)))
    for s in (-1, -1, 1, 1):
        _pine(canvas, light, 64 + s * stream.uniform(38, 63), horizon + stream.uniform(6, 14), stream.uniform(16, 24),
              (44, 104, 78))
    _hills(canvas, horizon + 22, 5, 1.2, stream.uniform(0, 6), light.ground((126, 168, 96)))
    for s in (-1, 1):
        x, y = 64 + s * stream.uniform(40, 58), stream.uniform(horizon + 24, 112)
        canvas.polygon([(x - 6, y), (x - 4, y - 4), (x, y - 6), (x + 4, y - 4), (x + 6, y)],
                       light.ground((138, 138, 150), 0.6))


def _draw_snow_cap(canvas: Canvas, light: Light, x: float, top: float, foot: float) -> None:
    """The white of the peak, its lower edge a zigzag; the right half in shade."""
    depth = 24.0
    left = depth * (x + 24) / (foot - top) * 0.94
    right = depth * (152 - x) / (foot - top) * 0.7
    zigzag = [(x - left * 0.62, top + depth - 7), (x - left * 0.42, top + depth + 1), (x - left * 0.2, top + depth - 8),
              (x + 1, top + depth + 3)]
    canvas.polygon([(x, top), (x - left, top + depth), *zigzag, (x + 6, top + 16)], light((252, 253, 255)))
    canvas.polygon([(x, top), (x + 6, top + 16), (x + 1, top + depth + 3), (x + right * 0.4, top + depth - 8),
                    (x + right * 0.6, top + depth - 1), (x + right * 0.8, top + depth * 0.74)], light((208, 216, 234)))


def _draw_river(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("river")
    side, phase = _side(stream), stream.uniform(0, 6)
    _hills(canvas, horizon + 2, 20, 2.6, phase, light.ground((126, 176, 132)))
    _hills(canvas, horizon + 4, 13, 3.3, phase + 2.4, light.ground((92, 156, 98)))
    _floor(canvas, horizon + 2, light.ground((104, 172, 84)))
    t = np.linspace(0, 1, 26)
    y = horizon + 1 + (UNITS - horizon) * t
    middle = 64 + side * (4 + 58 * t**1.1 + 15 * np.sin(t**0.62 * 2 * math.pi * 1.28) * (0.35 + t))
    half = 2.2 + 34 * t**1.35
    for extra, color in ((2.2, light.ground((214, 196, 140))), (0.0, light((62, 142, 216)))):
        edge = half + extra * (0.4 + t)
        canvas.polygon([*zip(middle - edge, y, strict=True), *zip((middle + edge)[::-1], y[::-1], strict=True)], color)
    for k in (9, 12, 15, 18, 20, 22, 24):
        x, w = float(middle[k] + half[k] * stream.uniform(-0.5, 0.2)), float(half[k]) * 0.45
        canvas.curve([(x - w, y[k]), (x - w / 3, y[k] - 1), (x + w / 3, y[k] + 0.6), (x + w, y[k] - 0.4)],
                     light((176, 218, 244)), 1.0)
    for s, near in ((-side, 0), (-side, 1), (side, 0)):
        _tree(canvas, light, 64 + s * stream.uniform(40, 60), horizon + stream.uniform(5, 9) + 7 * near,
              stream.uniform(18, 23) + 7 * near, (58, 138, 74))


# ---------------------------------------------------------------------------------------------------------------------
# towns and buildings
# ---------------------------------------------------------------------------------------------------------------------

_TOWERS: tuple[Color, ...] = ((86, 98, 124), (108, 116, 138), (70, 82, 108), (124, 126, 142), (96, 104, 120))


def _draw_city(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("city")
    far = [p for i in range(12) for h in [horizon - stream.uniform(20, 42)] for p in ((i * 11, h), (i * 11 + 11, h))]
    canvas.polygon([*far, (132, horizon + 4), (0, horizon + 4)], light((158, 174, 198)))
    tall = stream.randrange(1, 7)
    x = -4.0
    for i in range(9):
        width = stream.uniform(12, 19)
        height = stream.uniform(24, 46) if i != tall else stream.uniform(50, 56)
        _draw_tower(canvas, light, stream, (x, horizon + 6 - height, x + width, horizon + 6), i == tall)
        x += width + stream.uniform(-0.5, 1.5)
    _floor(canvas, horizon + 5, light.ground((128, 130, 138)))
    canvas.rect(0, horizon + 5, UNITS, horizon + 8, light.ground((164, 164, 168)))
    joint = light.ground((112, 114, 124))
    for x in range(-60, 200, 26):  # slabs, seen in perspective
        canvas.line([(64 + (x - 64) * 0.62, horizon + 8), (64 + (x - 64) * 2.1, UNITS)], joint, 0.9)
    for share in (0.12, 0.34, 0.66):
        y = horizon + 8 + (UNITS - horizon) * share
        canvas.line([(0, y), (UNITS, y)], joint, 0.9)


def _draw_tower(canvas: Canvas, light: Light, stream: random.Random, box: Box, landmark: bool) -> None:
    """A skyscraper filling `box`; the landmark has steps and a spire on top."""
    x0, y0, x1, y1 = box
    color, middle = stream.choice(_TOWERS), (x0 + x1) / 2
    body = light(color)
    canvas.rect(x0, y0, x1, y1, body)
    canvas.rect(x1 - 2.2, y0, x1, y1, light(darker(color, 0.25)))
    if landmark:
        left = [(x0 + 2.5, y0), (x0 + 2.5, y0 - 4), (x0 + 5, y0 - 4), (middle - 0.6, y0 - 9), (middle - 0.4, y0 - 15)]
        canvas.polygon([*left, *((x0 + x1 - x, y) for x, y in left[::-1])], body)
    elif light.snowy:
        canvas.rect(x0, y0 - 1.2, x1, y0 + 0.6, light(_SNOW), round(255 * light.snowy**0.5))
    columns = 3 if x1 - x0 > 14 else 2
    step = (x1 - x0 - 3.2) / columns
    windows = [(x0 + 1.4 + c * step, y, x0 + 1.4 + c * step + step * 0.58, y + 2.4)
               for r in range(14) for y in [y0 + 3 + 4.4 * r] if y < y1 - 6
               for c in range(columns) if stream.random() < 0.8]
    _boxes(canvas, windows, light.glow((214, 228, 242), (255, 222, 120)))


_FACADES: tuple[Color, ...] = ((232, 196, 140), (206, 116, 92), (146, 182, 170), (238, 220, 188), (198, 150, 168),
                               (168, 178, 208), (222, 164, 96))
_AWNINGS: tuple[Color, ...] = ((206, 56, 58), (40, 128, 96), (48, 96, 170), (222, 150, 40), (142, 70, 140))


def _draw_street(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("street")
    base, x = horizon + 9, -stream.uniform(2, 14)
    facades, awnings = stream.sample(_FACADES, 5), stream.sample(_AWNINGS, 5)
    for wall, awning in zip(facades, awnings, strict=True):
        width = stream.uniform(29, 33)
        _draw_shop(canvas, light, (x, stream.uniform(22, 34), x + width, base), wall, awning)
        x += width
    kerb = base + 21
    _floor(canvas, base, light.ground((206, 196, 182)))
    canvas.line([(0, base + 8), (UNITS, base + 8)], light.ground((184, 174, 162)), 0.9)
    canvas.rect(0, kerb, UNITS, kerb + 2.2, light.ground((232, 228, 220)))
    _floor(canvas, kerb + 2.2, light.ground((84, 86, 96), 0.85))
    shift, y = stream.uniform(0, 28), kerb + 2.2 + (UNITS - kerb) * 0.42
    _boxes(canvas, [(k * 28 - shift, y, k * 28 - shift + 16, y + 2.4) for k in range(6)], light((246, 238, 214)))
    for s in (-1, 1):
        _draw_lamp(canvas, light, 64 + s * stream.uniform(40, 46), base + 17)
        _tree(canvas, light, 64 + s * stream.uniform(56, 62), base + 12, 40, (84, 150, 74))
    with canvas.part("crowd"):
        _draw_crowd(canvas, scene, light, base)


def _draw_shop(canvas: Canvas, light: Light, box: Box, wall: Color, awning: Color) -> None:
    """A narrow town house filling `box`: windows above, a shop with an awning below."""
    x0, y0, x1, y1 = box
    canvas.rect(x0, y0, x1, y1, light(wall))
    canvas.rect(x0 - 0.6, y0 - 2.4, x1 + 0.6, y0 + 0.4, light.ground(darker(wall, 0.3), 0.9))
    glass = light.glow((120, 164, 196), (255, 220, 128))
    columns = [x0 + (x1 - x0) * f for f in (0.12, 0.42, 0.72)]
    floors = [y for y in (y0 + 4, y0 + 15) if y < y1 - 30]
    _boxes(canvas, [(x - 0.8, y - 0.8, x + 6.0, y + 7.8) for y in floors for x in columns], light((250, 244, 232)))
    _boxes(canvas, [(x, y, x + 5.2, y + 7) for y in floors for x in columns], glass)
    canvas.rect(x0 + 2, y1 - 15, x1 - 10, y1 - 2.5, glass)
    canvas.rect(x1 - 8.5, y1 - 15, x1 - 2.5, y1, light(darker(awning, 0.35)))
    top, edge, width = y1 - 20, y1 - 13, x1 - x0 - 2
    canvas.polygon([(x0 + 2, top), (x1 - 2, top), (x1, edge), (x0, edge)], light.ground(awning, 0.7))
    stripes = [(x0 + 1 + width * k / 8, top, x0 + 1 + width * (k + 1) / 8, edge + 1.6) for k in (1, 3, 5, 7)]
    _boxes(canvas, stripes, light((252, 246, 236)))


def _draw_lamp(canvas: Canvas, light: Light, x: float, base: float) -> None:
    """An old street lamp, lit unless it is day."""
    iron = light((44, 52, 58))
    if light.sky != "day":
        canvas.ellipse(x, base - 42, 9, 9, (255, 226, 140), opacity=70)
    canvas.line([(x, base), (x, base - 38)], iron, 1.6)
    canvas.polygon([(x - 2, base - 38), (x + 2, base - 38), (x + 3.2, base - 45), (x - 3.2, base - 45)],
                   light.glow((240, 238, 220), (255, 232, 150)))
    canvas.polygon([(x - 4, base - 45), (x + 4, base - 45), (x, base - 49)], iron)


_CLOTHES: tuple[Color, ...] = ((220, 70, 70), (60, 120, 200), (250, 196, 64), (90, 170, 100), (160, 92, 180),
                               (240, 140, 90), (70, 74, 96), (244, 244, 240), (238, 130, 170), (64, 164, 170))
_SKINS: tuple[Color, ...] = ((252, 216, 184), (240, 190, 150), (206, 148, 104), (150, 98, 66), (108, 70, 50))
_HAIRS: tuple[Color, ...] = ((52, 38, 32), (110, 70, 40), (222, 178, 90), (176, 80, 40), (150, 148, 150))
_PEOPLE = 26  # how many a street with crowded = 1 holds


def _draw_crowd(canvas: Canvas, scene: Scene, light: Light, base: float) -> None:
    """People on the pavement below height `base`; person i stands at the same spot however many there are."""
    if not scene.crowded:
        return
    stream = scene.stream("crowd")
    shift = stream.random()
    people = []
    for i in range(max(2, round(_PEOPLE * scene.crowded))):
        x = (shift + 0.618034 * i + stream.uniform(-0.015, 0.015)) % 1 * 124 + 2  # spread out, however many come
        people.append((base + stream.uniform(3, 19), x, stream.uniform(20, 25), stream.sample(_CLOTHES, 2),
                       stream.choice(_SKINS), stream.choice(_HAIRS), stream.random() < 0.4))
    for y, x, height, (top, bottom), skin, hair, dress in sorted(people):
        with canvas.at(x, y, height / 24):
            _draw_person(canvas, light(top), light(bottom), light(skin), light(hair), dress)


def _draw_person(canvas: Canvas, top: Color, bottom: Color, skin: Color, hair: Color, dress: bool) -> None:
    """A figure 24 units tall, its feet at (0, 0)."""
    if dress:
        _boxes(canvas, [(-2.2, -5, -0.6, 0), (0.6, -5, 2.2, 0)], skin)
        canvas.polygon([(-2.6, -15.5), (2.6, -15.5), (5, -4), (-5, -4)], top)
    else:
        canvas.polygon([(-3.2, -9), (3.2, -9), (3, 0), (0.5, 0), (0, -6), (-0.5, 0), (-3, 0)], bottom)
        canvas.polygon([(-3.4, -15.5), (3.4, -15.5), (4.8, -9), (3.4, -7.6), (-3.4, -7.6), (-4.8, -9)], top)
    _dot(canvas, 0, -19.8, 4.0, hair)
    _dot(canvas, 0, -18.9, 3.2, skin)
    if dress:
        _boxes(canvas, [(-4, -20, -2.8, -15), (2.8, -20, 4, -15)], hair)
    canvas.line([(-1.3, -18), (0, -17.2), (1.3, -18)], darker(skin, 0.55), 0.6)


_BRICKS: tuple[Color, ...] = ((176, 84, 62), (158, 72, 58), (190, 104, 72), (150, 84, 70))


def _draw_wall(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("wall")
    brick, foot, top = stream.choice(_BRICKS), horizon + 20, 30.0
    canvas.rect(0, top, UNITS, foot, light(brick))
    rows = round((foot - top) / 7.5)
    high, wide, shift = (foot - top) / rows, 17.0, stream.uniform(0, 17)
    odd = [(x, y, x + wide, y + high) for _ in range(12) for r in [stream.randrange(rows)]
           for x, y in [(stream.randrange(-1, 8) * wide + shift + r % 2 * wide / 2, top + r * high)]]
    _boxes(canvas, odd[::2], light(darker(brick, 0.16)))
    _boxes(canvas, odd[1::2], light(lighter(brick, 0.14)))
    mortar = light((222, 204, 186))
    for r in range(rows):
        y = top + r * high
        joints = [x + shift + r % 2 * wide / 2 for x in np.arange(-2 * wide, UNITS + wide, wide)]
        # one stroke for all the joints of a row: down here, up there
        canvas.line([p for k, x in enumerate(joints) for p in ((x, y + high * (k % 2)), (x, y + high * (1 - k % 2)))],
                    mortar, 0.9)
        canvas.line([(0, y), (UNITS, y)], mortar, 0.9)
    canvas.rect(0, top - 3.5, UNITS, top + 1, light.ground((196, 176, 160)))
    _draw_wall_foot(canvas, light, stream, foot, top)


def _draw_wall_foot(canvas: Canvas, light: Light, stream: random.Random, foot: float, top: float) -> None:
    """The path along the wall, the grass at its foot, ivy on one side."""
    _floor(canvas, foot, light.ground((186, 178, 168)))
    blades = [(x, foot - (4.5 if k % 2 else 1) - stream.uniform(0, 1.5)) for k, x in enumerate(range(-2, 134, 4))]
    canvas.polygon([*blades, (130, foot + 4), (-2, foot + 4)], light.ground((96, 148, 70), 0.8))
    side = _side(stream)
    for i in range(11):
        x, y = 64 + side * (64 - stream.random() ** 1.6 * (14 if i > 5 else 20)), top + i * (foot - top) / 11
        r, green = stream.uniform(3.5, 6), stream.choice(((52, 122, 62), (74, 146, 74), (44, 104, 58)))
        _dot(canvas, x, y, r, light.ground(green, 0.3))


def _draw_temple(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    stream = scene.stream("temple")
    x, base, side = stream.uniform(58, 70), horizon * 0.5 + 20, _side(stream)
    rock = (186, 166, 132)
    _hills(canvas, horizon + 2, 10, 2.4, stream.uniform(0, 6), light.ground((150, 168, 140), 0.6))
    crest = [(x - 70, horizon + 8), (x - 54, horizon - 3), (x - 50, base + 6), (x - 45, base), (x + 45, base),
             (x + 51, base + 5), (x + 56, horizon - 4), (x + 72, horizon + 8)]
    canvas.polygon(crest, light.ground(rock, 0.7))
    for dx, w in ((-44, 8), (-30, 6), (-12, 9), (6, 6), (20, 8), (36, 9)):  # crags
        y = base + stream.uniform(1, 4)
        canvas.polygon([(x + dx, y), (x + dx + w, y + 1), (x + dx + w * 0.8, horizon + 6), (x + dx + w * 0.3, horizon)],
                       light.ground(darker(rock, 0.2), 0.5))
    _draw_temple_house(canvas, light, x, base + 1)
    _hills(canvas, horizon + 8, 4, 2.2, stream.uniform(0, 6), light.ground((206, 190, 128)))
    for s, dx in ((side, 55), (-side, 58), (side, 43)):
        tree_x, foot = 64 + s * (dx + stream.uniform(-3, 3)), horizon + stream.uniform(9, 15)
        _tree(canvas, light, tree_x, foot, stream.uniform(19, 24), (128, 148, 92))
    _floor(canvas, horizon + 27, light.ground((218, 202, 146)))
    for _ in range(6):
        sx, sy = 64 + _side(stream) * stream.uniform(30, 62), stream.uniform(horizon + 16, 124)
        canvas.polygon([(sx - 4, sy), (sx - 2, sy - 3), (sx + 2, sy - 3.4), (sx + 4, sy)],
                       light.ground((168, 152, 124), 0.7))


def _draw_temple_house(canvas: Canvas, light: Light, x: float, base: float) -> None:
    """A Greek temple 76 units wide whose lowest step lies at height `base`."""
    marble, shade = light((248, 238, 214)), light((208, 192, 164))
    canvas.rect(x - 32, base - 26, x + 32, base - 3, light((112, 96, 92)))
    canvas.rect(x - 38, base - 3, x + 38, base, shade)
    canvas.rect(x - 35.5, base - 5.5, x + 35.5, base - 2.5, marble)
    columns = [x - 34 + 12.4 * k for k in range(6)]
    _boxes(canvas, [(c, base - 26, c + 6, base - 5) for c in columns], marble)
    _boxes(canvas, [(c + 4, base - 24, c + 5.6, base - 5) for c in columns], shade)
    _boxes(canvas, [(c - 1, base - 26.5, c + 7, base - 24.3) for c in columns], marble)
    canvas.rect(x - 37, base - 31.5, x + 37, base - 26.5, marble)
    canvas.line([(x - 37, base - 26.8), (x + 37, base - 26.8)], shade, 1.0)
    canvas.polygon([(x - 40, base - 31), (x + 40, base - 31), (x, base - 45)], light.ground((248, 238, 214), 0.9))
    canvas.polygon([(x - 29, base - 33), (x + 29, base - 33), (x, base - 42.6)], shade)


# ---------------------------------------------------------------------------------------------------------------------
# indoors
# ---------------------------------------------------------------------------------------------------------------------

_WALLPAPERS: tuple[Color, ...] = ((244, 214, 196), (206, 224, 206), (222, 208, 232), (250, 230, 184), (196, 216, 230))
_CARPETS: tuple[Color, ...] = ((190, 84, 84), (84, 124, 170), (122, 152, 96), (168, 110, 156))


def _draw_room(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    light = Light(scene.sky, 0.0)  # it does not snow in here
    stream = scene.stream("room")
    left = stream.uniform(14, 52)
    right, top, bottom = left + _WINDOW_WIDTH, _WINDOW_TOP, _WINDOW_TOP + _WINDOW_HEIGHT
    _draw_view(canvas, scene, left, right, bottom)
    paper, floor = stream.choice(_WALLPAPERS), horizon + 14
    for x0, y0, x1, y1 in ((0, 0, UNITS, top), (0, bottom, UNITS, floor), (0, top, left, bottom),
                           (right, top, UNITS, bottom)):
        canvas.rect(x0, y0, x1, y1, light(paper))
    stripe = light(darker(paper, 0.09))
    for x in range(4, 128, 13):
        inside = left - 4 < x < right
        _boxes(canvas, [(x, 0, x + 4, top), (x, bottom, x + 4, floor)] if inside else [(x, 0, x + 4, floor)], stripe)
    _draw_window_frame(canvas, light, left, right)
    _draw_picture(canvas, light, stream, 12 if left > 34 else 114)
    _floor(canvas, floor, light((196, 146, 96)))
    canvas.rect(0, floor - 4, UNITS, floor, light((250, 244, 232)))
    for k in range(-6, 7):
        canvas.line([(64 + k * 14, floor), (64 + k * 27, UNITS)], light((168, 120, 76)), 0.9)
    rug, middle = stream.choice(_CARPETS), stream.uniform(54, 74)
    for r, color in ((1.0, rug), (0.86, lighter(rug, 0.45)), (0.74, rug)):
        canvas.ellipse(middle, 112, 52 * r, 13 * r, light(color))


def _draw_view(canvas: Canvas, scene: Scene, left: float, right: float, bottom: float) -> None:
    """What lies outside the window, below the sky: a hill, and the snow that falls."""
    light = Light(scene.sky, scene.snowy)
    x = np.linspace(left, right, 9)
    y = bottom - 6 - 2.5 * np.sin(np.linspace(0, 5, 9))
    canvas.polygon([*zip(x, y, strict=True), (right, bottom + 1), (left, bottom + 1)], light.ground((110, 176, 90)))
    if scene.snowy:
        with canvas.part("snow"):
            for fx, fy, r in _flakes(scene)[::2]:
                _dot(canvas, left + fx * _WINDOW_SCALE, _WINDOW_TOP + fy / UNITS * _WINDOW_HEIGHT, r * 0.65, _SNOW)


def _draw_window_frame(canvas: Canvas, light: Light, left: float, right: float) -> None:
    """White bars, a sill, and a curtain on either side."""
    top, bottom, middle = _WINDOW_TOP, _WINDOW_TOP + _WINDOW_HEIGHT, (left + right) / 2
    wood, cloth = light((252, 248, 240)), light((206, 92, 84))
    canvas.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top - 1.2)], wood, 2.6)
    canvas.line([(middle, top), (middle, bottom)], wood, 1.6)
    canvas.rect(left - 4, bottom, right + 4, bottom + 3, wood)
    for x, s in ((left, 1), (right, -1)):
        canvas.polygon([(x - 5 * s, top - 2), (x + 9 * s, top - 2), (x + 6 * s, top + 16), (x, top + 27),
                        (x + 2 * s, bottom + 1), (x - 5 * s, bottom + 1)], cloth)
    canvas.rect(left - 8, top - 3.4, right + 8, top - 1.6, light((132, 92, 60)))


def _draw_picture(canvas: Canvas, light: Light, stream: random.Random, x: float) -> None:
    """A small framed landscape on the wall."""
    y = stream.uniform(30, 42)
    canvas.rect(x - 9, y - 8, x + 9, y + 8, light((168, 116, 62)))
    canvas.rect(x - 7, y - 6, x + 7, y + 6, light((206, 228, 240)))
    ridge = [(x - 7, y + 2), (x - 2, y - 2), (x + 2, y + 2), (x + 4, y), (x + 7, y + 3)]
    canvas.polygon([(x - 7, y + 6), *ridge, (x + 7, y + 6)], light((94, 142, 102)))


_PLACES: dict[str, Callable[[Canvas, Scene, Light, float], None]] = {
    "beach": _draw_beach, "forest": _draw_forest, "desert": _draw_desert, "city": _draw_city, "street": _draw_street,
    "meadow": _draw_meadow, "mountain": _draw_mountain, "wall": _draw_wall, "temple": _draw_temple,
    "river": _draw_river, "room": _draw_room,
}

# ---------------------------------------------------------------------------------------------------------------------
# falling snow
# ---------------------------------------------------------------------------------------------------------------------


def _flakes(scene: Scene) -> list[tuple[float, float, float]]:
    """(x, y, radius) of every flake; flake i stays where it is however many there are."""
    stream = scene.stream("snow")
    return [(stream.uniform(1, 127), stream.uniform(1, 127), stream.uniform(0.75, 1.75))
            for _ in range(round(5 + 65 * scene.snowy))]


def draw_weather(canvas: Canvas, scene: Scene) -> None:
    """Falling snow, in front of everything; in the room it falls outside the window (`draw_place` does that)."""
    if not scene.snowy or scene.place == "room":
        return
    with canvas.part("snow"):
        for x, y, r in _flakes(scene):
            _dot(canvas, x, y, r, _SNOW, 240)
