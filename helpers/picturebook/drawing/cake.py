"""The cake and its toppings: few and large pieces, so that each is seen. Its frame is that of things.py."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np

from ..canvas import Canvas, Color, Point, smooth
from ..scene import Scene
from ..vocabulary import ABSENT
from .arcs import arc
from .palette import COLOR_VALUES, darker, lighter, mix, rim_of, tint

Tier = tuple[float, float, float, float]  # half width, flatness of its ellipses, y of its bottom, y of its top


def draw_cake(canvas: Canvas, scene: Scene, stream: random.Random) -> None:
    """A cake of one or two tiers on a plate, with its topping."""
    tiers: list[Tier] = [(47, 11, -8, -40), (31, 8, -40, -70)] if stream.random() < 0.6 else [(47, 13, -8, -56)]
    color = tint(scene.color, scene.stream("color"))
    canvas.oval_piece(0, -6, 54, 13, (238, 243, 250), (120, 130, 150))
    for tier in tiers:
        _draw_tier(canvas, tier, color)
    if scene.topping != ABSENT:
        with canvas.part("topping"):
            _TOPPINGS[scene.topping](canvas, tiers, scene.stream(scene.topping))


def _draw_tier(canvas: Canvas, tier: Tier, color: Color) -> None:
    """A round cake: its side, and icing that runs down from the top in big drops."""
    half, flat, bottom, top = tier
    rim = rim_of(color)
    canvas.piece([(-half, top), *arc(0, bottom, half, flat, 180, 0), *arc(0, top, half, flat, 360, 180)],
                 darker(color, 0.08), rim)
    icing = lighter(color, 0.42) if sum(color) < 640 else mix(color, (246, 190, 200), 0.45)
    drops = (3.0, 12.0) * 4 + (3.0,)
    drips = [(x, top + flat * math.sqrt(max(0, 1 - (x / half) ** 2)) + drop)
             for x, drop in zip(np.linspace(half, -half, 9), drops, strict=True)]
    canvas.polygon(smooth(np.array([*drips, *arc(0, top, half, flat, 180, 360, 9)]), closed=True, pieces=4), icing)
    canvas.ellipse(0, top, half * 0.92, flat * 0.84, lighter(icing, 0.4))


def _rim(tier: Tier, count: int, shrink: float = 0.8) -> list[Point]:
    """`count` places around a tier's top, the far ones first."""
    half, flat, _, top = tier
    return sorted(arc(0, top, half * shrink, flat * shrink, 90, 90 + 360 * (1 - 1 / count), count), key=lambda p: p[1])


_STAR = [(math.sin(a) * r, -math.cos(a) * r) for a, r in
         zip(np.linspace(0, 2 * math.pi, 10, endpoint=False), [1.0, 0.48] * 5, strict=True)]


def _draw_decorations(canvas: Canvas, tiers: list[Tier], stream: random.Random) -> None:
    """Cream along the foot, big stars on the sides, cherries on cream on top."""
    cream, shade = (255, 248, 236), (214, 190, 160)
    for half, flat, bottom, top in tiers:
        for x, y in arc(0, bottom, half * 0.97, flat, 168, 12, 7):
            canvas.oval_piece(x, y - 2, 7.5, 5.5, cream, shade, width=1.0)
        for k, angle in enumerate((132, 90, 48)):
            x, y = arc(0, (bottom + top) / 2 + 3, half * 0.9, flat, angle, angle, 1)[0]
            with canvas.at(x, y, 8.5):
                canvas.piece(_STAR, ((255, 216, 50), (255, 255, 255))[k % 2], (150, 90, 40), 1.0)
    for x, y in _rim(tiers[-1], 5):
        canvas.oval_piece(x, y - 3, 9, 6.5, cream, shade, width=1.0)
        canvas.oval_piece(x, y - 11, 5.5, 5.5, (220, 24, 48), (110, 10, 30), width=1.0)


_BEANS = tuple(COLOR_VALUES[c] for c in ("red", "orange", "yellow", "green", "blue", "purple", "pink"))


def _draw_jelly_beans(canvas: Canvas, tiers: list[Tier], stream: random.Random) -> None:
    """Big beans in every colour, on the tops and on the sides."""
    first = stream.randrange(7)
    for half, flat, bottom, top in tiers:
        count = round(half / 6)
        spots = [(half * 0.78 * r * math.cos(a), top - 3 + flat * 0.78 * r * math.sin(a))
                 for k in range(count) for r in [math.sqrt((k + 0.5) / count)] for a in [k * 2.4]]
        spots += [(half * 0.94 * math.cos(a), (top + bottom) / 2 + 5 + (6, -5)[k % 2] + flat * math.sin(a))
                  for k in range(5) for a in [math.radians(22 + 34 * k)]]
        for k, (x, y) in enumerate(sorted(spots, key=lambda p: p[1])):
            color = _BEANS[(first + 3 * k) % 7]
            canvas.oval_piece(x, y, 7, 4.6, color, darker(color, 0.5), stream.uniform(-40, 40), 1.0)


def _draw_candles(canvas: Canvas, tiers: list[Tier], stream: random.Random) -> None:
    """Five thick candles, lit."""
    colors = stream.sample(((230, 60, 70), (60, 124, 226), (252, 204, 50), (80, 186, 96), (176, 96, 210)), 5)
    for (x, y), color in zip(_rim(tiers[-1], 5, 0.74), colors, strict=True):
        canvas.piece([(x - 3.8, y - 24), (x + 3.8, y - 24), (x + 3.8, y), (x - 3.8, y)], color, darker(color, 0.5), 1.0)
        canvas.rect(x - 3.8, y - 15, x + 3.8, y - 9, (255, 252, 244))
        canvas.blob([(x, y - 43), (x + 5.5, y - 32), (x, y - 25), (x - 5.5, y - 32)], (255, 146, 36))
        canvas.ellipse(x, y - 31, 2.8, 4.2, (255, 240, 140))


_TOPPINGS: dict[str, Callable[[Canvas, list[Tier], random.Random], None]] = {
    "decorations": _draw_decorations, "jelly beans": _draw_jelly_beans, "candles": _draw_candles,
}
