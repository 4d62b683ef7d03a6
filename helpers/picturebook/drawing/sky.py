"""The sky: its gradient, clouds, rainbow, the one sun or moon, and falling snow.

There is one sun or moon in every picture, also in the room, whose window shows it. It stands in an upper corner, on the
side where the main thing leaves less room (`free_side`), so that neither it nor what it holds hides it; clouds and the
rainbow are behind it, and no place reaches higher than `CLEAR` there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..canvas import UNITS, Canvas, Color, Point
from ..scene import Scene
from .body import free_side
from .light import SNOW, horizon_of
from .palette import mix

CLEAR = 34.0  #: how far down the corner with the sun is kept free by all places

_GRADIENTS: dict[str, tuple[Color, Color, Color]] = {  # top, middle, bottom
    "day": ((92, 174, 244), (146, 206, 250), (212, 238, 252)),
    "sunset": ((150, 84, 168), (248, 122, 112), (255, 204, 118)),
    "night": ((12, 14, 50), (26, 32, 88), (58, 66, 134)),
}
_OVERCAST: dict[str, Color] = {"day": (172, 186, 202), "sunset": (190, 130, 136), "night": (44, 48, 68)}
_CLOUD_COLORS: dict[str, tuple[Color, Color]] = {  # light side, shade
    "day": ((255, 255, 255), (198, 214, 232)), "sunset": ((255, 214, 190), (226, 140, 140)),
    "night": ((116, 124, 164), (70, 78, 120)),
}
_RAINBOW: tuple[Color, ...] = ((236, 56, 60), (250, 146, 40), (254, 222, 60), (76, 190, 90), (56, 132, 232),
                               (148, 80, 200))
#: how far down the sky is seen, where something stands in front of it; elsewhere: to the horizon
_SKY_DEPTHS = {"wall": 40.0, "street": 40.0, "city": 50.0, "forest": 50.0, "temple": 56.0, "room": 60.0}
_BANDS = 8


def draw_sky(canvas: Canvas, scene: Scene) -> None:
    """The sky with its clouds and rainbow, and its sun or moon in front of them."""
    depth = _SKY_DEPTHS.get(scene.place, horizon_of(scene))
    with canvas.part("sky"):
        _draw_gradient(canvas, scene, depth)
        if scene.sky == "night":
            _draw_stars(canvas, scene, depth)
    with canvas.part("clouds"):
        _draw_clouds(canvas, scene, depth)
    if scene.rainbow == "yes":
        with canvas.part("rainbow"):
            _draw_rainbow(canvas, scene, depth)
    with canvas.part("sky"):
        stream = scene.stream("sun")
        x, y = stream.uniform(15.5, 18.5), stream.uniform(15.5, 17.5)
        _LAMPS[scene.sky](canvas, UNITS - x if free_side(scene) < 0 else x, y)


def _draw_gradient(canvas: Canvas, scene: Scene, depth: float) -> None:
    """Bands from the top down to `depth`; the last one reaches far enough for every place."""
    top, middle, bottom = _GRADIENTS[scene.sky]
    gray = min(0.75, 0.5 * scene.cloudy + 0.45 * scene.snowy)
    for i in range(_BANDS):
        t = 2 * i / (_BANDS - 1)
        color = mix(top, middle, t) if t < 1 else mix(middle, bottom, t - 1)
        end = 94.0 if i == _BANDS - 1 else depth * (i + 1) / _BANDS + 1  # overlapping: no seams between bands
        canvas.rect(0, depth * i / _BANDS, UNITS, end, mix(color, _OVERCAST[scene.sky], gray))


_RAYS = [(math.cos(a) * r, math.sin(a) * r) for a, r in
         zip(np.linspace(0, 2 * math.pi, 20, endpoint=False), [1.0, 0.7] * 10, strict=True)]


def _draw_day_sun(canvas: Canvas, x: float, y: float) -> None:
    with canvas.detail("sun"):
        canvas.polygon([(x + 15 * rx, y + 15 * ry) for rx, ry in _RAYS], (255, 190, 40))
        canvas.ellipse(x, y, 9.5, 9.5, (255, 224, 70))


def _draw_low_sun(canvas: Canvas, x: float, y: float) -> None:
    canvas.ellipse(x, y + 1, 18, 18, (255, 216, 140), opacity=80)
    with canvas.detail("sun"):
        canvas.ellipse(x, y + 1, 11.5, 11.5, (255, 232, 130))


def _draw_moon(canvas: Canvas, x: float, y: float) -> None:
    canvas.ellipse(x, y, 17, 17, (214, 220, 255), opacity=46)
    with canvas.detail("moon"):
        canvas.ellipse(x, y, 12, 12, (255, 248, 208))
        for dx, dy, r in ((-4, -3, 2.8), (4, 3.5, 3.2)):
            canvas.ellipse(x + dx, y + dy, r, r, (234, 222, 176))


_LAMPS: dict[str, Callable[[Canvas, float, float], None]] = {
    "day": _draw_day_sun, "sunset": _draw_low_sun, "night": _draw_moon,
}
_STAR = [(math.sin(a) * r, -math.cos(a) * r) for a, r in
         zip(np.linspace(0, 2 * math.pi, 10, endpoint=False), [1.0, 0.45] * 5, strict=True)]


def _draw_stars(canvas: Canvas, scene: Scene, depth: float) -> None:
    """Eight big stars, spread over the sky beside the moon."""
    stream, side = scene.stream("stars"), free_side(scene)
    for i in range(8):
        x = 38 + (i * 0.618 % 1) * 84 + stream.uniform(-4, 4)
        y, r = 6 + (i + stream.random()) / 8 * (depth - 14), stream.uniform(2.8, 4.2)
        with canvas.at(x if side > 0 else UNITS - x, y, r):
            canvas.polygon(_STAR, (255, 246, 196))


def _cloud_outline() -> list[Point]:
    """A cloud 2 units wide around (0, 0): the upper edge of three circles over a flat, rounded bottom."""
    x = np.linspace(-1, 1, 31)
    circles = ((-0.6, 0.4, 0.0), (0.02, 0.6, 0.12), (0.62, 0.38, 0.0))
    tops = [np.sqrt(np.maximum(r * r - (x - cx) ** 2, 0)) + np.where(abs(x - cx) < r, rise, 0)
            for cx, r, rise in circles]
    top = np.max(tops, axis=0)
    return [(float(a), -float(b)) for a, b in zip(x, top, strict=True)] + [(0.84, 0.16), (-0.84, 0.16)]


_CLOUD = _cloud_outline()


def _draw_clouds(canvas: Canvas, scene: Scene, depth: float) -> None:
    """More and bigger clouds the cloudier it is: from two small ones to a covered sky."""
    if not scene.cloudy:
        return
    stream = scene.stream("clouds")
    white, shade = (mix(c, _OVERCAST[scene.sky], 0.4 * scene.cloudy) for c in _CLOUD_COLORS[scene.sky])
    clouds = []
    for i in range(round(1 + 8 * scene.cloudy)):
        # a low-discrepancy walk: neighbours in the order never lie on top of each other
        x = (stream.random() * 0.2 + (i + 0.3) * 0.618) % 1 * 124 + 2
        clouds.append((depth * stream.uniform(0.2, 0.75), x, stream.uniform(15, 19), stream.random() < 0.5))
    for y, x, size, flip in sorted(clouds):
        with canvas.at(x, y, size * (0.8 + 0.6 * scene.cloudy) * min(1, (depth / 50) ** 0.5), flip=flip):
            canvas.polygon(_CLOUD, shade)
            with canvas.at(-0.04, -0.12, 0.9):
                canvas.polygon(_CLOUD, white)


_HALF_CIRCLE = np.stack([np.cos(a := np.linspace(math.pi, 2 * math.pi, 33)), np.sin(a)], axis=1)


def _draw_rainbow(canvas: Canvas, scene: Scene, depth: float) -> None:
    """A broad arc over the whole sky, down to the horizon or behind what stands there."""
    stream = scene.stream("rainbow")
    x, radius = stream.uniform(60, 68), stream.uniform(57, 61)
    foot = max(depth + 4, radius + 6)
    for i, color in enumerate(_RAINBOW):
        arc = _HALF_CIRCLE * (radius - 3.3 * i) + (x, foot)
        canvas.line(arc, mix(color, (255, 255, 255), 0.06 if scene.sky == "day" else 0.0), 3.7)


def draw_weather(canvas: Canvas, scene: Scene) -> None:
    """Falling snow in big flakes, behind the main thing, whose eyes a flake would hide; outside, where it is a room."""
    if not scene.snowy or scene.place == "room":
        return
    with canvas.part("snow"):
        for x, y, r in flakes(scene):
            canvas.ellipse(x, y, r, r, SNOW)


def flakes(scene: Scene) -> list[tuple[float, float, float]]:
    """(x, y, radius) of every flake, spread evenly; flake i stays where it is however many there are."""
    stream = scene.stream("snow")
    shift = stream.random()
    return [((shift + i * 0.7549) % 1 * 124 + 2, (shift + i * 0.5698) % 1 * 124 + 2, stream.uniform(2.2, 3.4))
            for i in range(round(6 + 40 * scene.snowy))]
