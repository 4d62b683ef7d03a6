"""The room. Its window, in a corner, shows the sky and the sun or the moon, where they are outdoors too."""

from __future__ import annotations

import numpy as np

from ..canvas import UNITS, Canvas, Color
from ..scene import Scene
from .body import free_side
from .light import SNOW, Light, boxes, floor
from .palette import darker, lighter
from .sky import flakes

_WALLPAPERS: tuple[Color, ...] = ((250, 216, 196), (204, 230, 206), (224, 208, 238), (254, 234, 180), (190, 216, 236))
_CARPETS: tuple[Color, ...] = ((206, 76, 80), (74, 122, 190), (112, 164, 92), (176, 104, 170))
_TOP, _BOTTOM = 5.0, 49.0  # of the window
_NEAR, _FAR = 4.0, 48.0  # its edges, measured from the picture's edge


def draw_room(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Wallpaper, the window, a framed picture, the floor with a rug."""
    light = Light(scene.sky, 0.0)  # it does not snow in here
    stream, side = scene.stream("room"), free_side(scene)
    left, right = (_NEAR, _FAR) if side > 0 else (UNITS - _FAR, UNITS - _NEAR)
    _draw_view(canvas, scene, left, right)
    paper, base = stream.choice(_WALLPAPERS), horizon + 16
    for x0, y0, x1, y1 in ((0, 0, UNITS, _TOP), (0, _BOTTOM, UNITS, base), (0, _TOP, left, _BOTTOM),
                           (right, _TOP, UNITS, _BOTTOM)):
        canvas.rect(x0, y0, x1, y1, light(paper))
    stripe = light(darker(paper, 0.08))
    for x in range(0, 128, 24):
        inside = left - 12 < x < right
        boxes(canvas, [(x, _BOTTOM, x + 12, base)] if inside else [(x, 0, x + 12, base)], stripe)
    _draw_window_frame(canvas, light, left, right)
    _draw_picture(canvas, light, 64 + side * stream.uniform(44, 48), stream.uniform(20, 26))
    floor(canvas, base, light((206, 150, 94)))
    canvas.rect(0, base - 5, UNITS, base, light((252, 246, 234)))
    for k in (-2, -1, 0, 1, 2):
        canvas.line([(64 + k * 30, base), (64 + k * 56, UNITS)], light((176, 122, 74)), 1.8)
    rug, middle = stream.choice(_CARPETS), stream.uniform(58, 70)
    for r, color in ((1.0, rug), (0.86, lighter(rug, 0.5)), (0.66, rug)):
        canvas.ellipse(middle, 114, 60 * r, 15 * r, light(color))


def _draw_view(canvas: Canvas, scene: Scene, left: float, right: float) -> None:
    """What lies outside the window, below the sky: a hill, and the snow that falls."""
    light = Light(scene.sky, scene.snowy)
    xs = np.linspace(left, right, 9)
    ys = _BOTTOM - 8 - 2.5 * np.sin(np.linspace(0, 5, 9))
    canvas.polygon([*zip(xs, ys, strict=True), (right, _BOTTOM + 1), (left, _BOTTOM + 1)], light.ground((112, 186, 90)))
    if scene.snowy:
        with canvas.part("snow"):
            for fx, fy, r in flakes(scene)[::2]:
                x, y = left + fx * (right - left) / UNITS, _TOP + fy * (_BOTTOM - _TOP) / UNITS
                if y > 32 or abs(x - (left if left < 64 else right)) > 30:  # the sun stands in the corner
                    canvas.ellipse(x, y, r * 0.8, r * 0.8, SNOW)


def _draw_window_frame(canvas: Canvas, light: Light, left: float, right: float) -> None:
    """A white frame with a low bar, a sill, and a curtain on the side away from the sun."""
    wood, cloth = light((254, 250, 242)), light((214, 84, 80))
    canvas.line([(left, _TOP), (right, _TOP), (right, _BOTTOM), (left, _BOTTOM), (left, _TOP - 1.5)], wood, 4)
    canvas.rect(left - 4, _BOTTOM, right + 4, _BOTTOM + 5, wood)
    x, s = (right, -1) if left < 64 else (left, 1)
    canvas.polygon([(x - 6 * s, _TOP - 2), (x + 9 * s, _TOP - 2), (x + 6 * s, _TOP + 18), (x + 1 * s, _BOTTOM + 2),
                    (x - 6 * s, _BOTTOM + 2)], cloth)
    canvas.rect(left - 4, 0, right + 4, 4, light((142, 96, 60)))


def _draw_picture(canvas: Canvas, light: Light, x: float, y: float) -> None:
    """A framed landscape on the wall."""
    canvas.rect(x - 14, y - 12, x + 14, y + 12, light((178, 120, 60)))
    canvas.rect(x - 11, y - 9, x + 11, y + 9, light((206, 232, 246)))
    canvas.polygon([(x - 11, y + 9), (x - 11, y + 2), (x - 4, y - 4), (x + 4, y + 3), (x + 11, y - 1), (x + 11, y + 9)],
                   light((94, 158, 102)))
