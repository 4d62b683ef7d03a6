"""The people of a crowded street: few enough and large enough that each can be seen."""

from __future__ import annotations

from ..canvas import Canvas, Color
from ..scene import Scene
from .light import Light, boxes
from .palette import mix

_CLOTHES: tuple[Color, ...] = ((228, 62, 66), (52, 120, 214), (252, 200, 56), (84, 176, 98), (164, 86, 190),
                               (246, 140, 80), (64, 70, 98), (244, 130, 176), (56, 170, 178))
_SKINS: tuple[Color, ...] = ((252, 216, 184), (240, 190, 150), (206, 148, 104), (150, 98, 66), (108, 70, 50))
_HAIRS: tuple[Color, ...] = ((52, 38, 32), (116, 70, 38), (230, 184, 90), (186, 80, 36))
_PEOPLE = 16  # how many a street with crowded = 1 holds


def draw_crowd(canvas: Canvas, scene: Scene, light: Light, base: float) -> None:
    """People on the pavement below height `base`; person i stands at the same spot however many there are."""
    if not scene.crowded:
        return
    stream = scene.stream("crowd")
    shift = stream.random()
    people = []
    for i in range(max(2, round(_PEOPLE * scene.crowded))):
        x = (shift + 0.618034 * i + stream.uniform(-0.015, 0.015)) % 1 * 122 + 3  # spread out, however many come
        people.append((base + stream.uniform(8, 22), x, stream.uniform(34, 38), stream.sample(_CLOTHES, 2),
                       stream.choice(_SKINS), stream.choice(_HAIRS), stream.random() < 0.45))
    for y, x, height, clothes, skin, hair, dress in sorted(people):
        with canvas.at(x, y, height / 34):
            # by night they are lit by the shops: as dark as the houses, nobody would be seen
            top, bottom, skin, hair = (mix(light(c), c, 0.55) for c in (*clothes, skin, hair))
            _draw_person(canvas, top, bottom, skin, hair, dress)


def _draw_person(canvas: Canvas, top: Color, bottom: Color, skin: Color, hair: Color, dress: bool) -> None:
    """A figure 34 units tall with a head 10 units wide, its feet at (0, 0)."""
    if dress:
        boxes(canvas, [(-3.4, -6, -0.8, 0), (0.8, -6, 3.4, 0)], skin)
        canvas.polygon([(-3.4, -22), (3.4, -22), (7.5, -5), (-7.5, -5)], top)
        canvas.ellipse(0, -27, 6.4, 7.2, hair)
    else:
        boxes(canvas, [(-4.4, -11, -0.5, 0), (0.5, -11, 4.4, 0)], bottom)
        canvas.blob([(-4, -22), (4, -22), (6.6, -10), (-6.6, -10)], top)
        canvas.ellipse(0, -28.4, 5.8, 5.6, hair)
    canvas.ellipse(0, -26.6, 5, 5, skin)
