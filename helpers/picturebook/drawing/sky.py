"""The sky with its sun, moon and stars, clouds and rainbow; falling snow."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np

from ..canvas import UNITS, Canvas, Color, Point
from ..scene import Scene
from .light import SNOW, draw_dot, horizon_of
from .palette import mix

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
WINDOW_WIDTH, WINDOW_HEIGHT, WINDOW_TOP, WINDOW_SCALE = 62.0, 42.0, 6.0, 62.0 / UNITS


def _window_left(scene: Scene) -> float:
    """The left edge of the room's window, in picture units."""
    return scene.stream("room").uniform(14, 52)


def draw_sky(canvas: Canvas, scene: Scene) -> None:
    """The sky with its sun, moon and stars, clouds and rainbow; in the room: a small sky for the window to show."""
    indoors = scene.place == "room"
    with canvas.at(_window_left(scene), WINDOW_TOP, WINDOW_SCALE) if indoors else nullcontext():
        depth = 74.0 if indoors else _SKY_DEPTHS.get(scene.place, horizon_of(scene))
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
        draw_dot(canvas, x + dx, y + dy, r, (230, 222, 186))


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



def flakes_of(scene: Scene) -> list[tuple[float, float, float]]:
    """(x, y, radius) of every flake; flake i stays where it is however many there are."""
    stream = scene.stream("snow")
    return [(stream.uniform(1, 127), stream.uniform(1, 127), stream.uniform(0.75, 1.75))
            for _ in range(round(5 + 65 * scene.snowy))]


def draw_weather(canvas: Canvas, scene: Scene) -> None:
    """Falling snow, in front of everything; in the room it falls outside the window (`draw_place` does that)."""
    if not scene.snowy or scene.place == "room":
        return
    with canvas.part("snow"):
        for x, y, r in flakes_of(scene):
            draw_dot(canvas, x, y, r, SNOW, 240)
