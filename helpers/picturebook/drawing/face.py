"""What the heads of creatures have in common: eyes, nose, mouth, the inside of an ear."""

from __future__ import annotations

from ..canvas import Canvas, Color
from ..vocabulary import ABSENT
from .fur import BLUSH, INK, SNOW, Look, luminance
from .palette import darker, lighter, mix

SIDES = (-1, 1)
UNIT = 1 / 24  # a unit of the creature's frame, in head radii
_IRISES: tuple[Color, ...] = ((120, 190, 70), (245, 190, 50), (90, 170, 220))


def draw_triangle(canvas: Canvas, side: int, points: list[tuple[float, float]], color: Color) -> None:
    """A polygon given for the right side, on the side asked for."""
    canvas.polygon([(side * x, y) for x, y in points], color)


def inner_ear_of(look: Look) -> Color:
    """The colour inside of an ear."""
    return mix(look.pale, BLUSH, 0.45)


def draw_eyes(canvas: Canvas, look: Look, spread: float = 0.38, y: float = -0.05, size: float = 0.16) -> None:
    """Two eyes, or two closed lids."""
    size *= look.eye_size
    for side in SIDES:
        x = side * spread
        if look.asleep:
            canvas.curve([(x - 0.17, y), (x, y + 0.12), (x + 0.17, y)], look.ink, 0.075)
        else:
            _eye(canvas, look, x, y, size)


def _eye(canvas: Canvas, look: Look, x: float, y: float, size: float) -> None:
    tall = 1.3 if look.eyes == "tall" else 1.1
    dim = luminance(look.fur) < 115 or look.character != ABSENT
    if look.eyes in ("white", "iris") or dim:
        canvas.ellipse(x, y, size * 1.42, size * 1.42 * tall, SNOW if look.eyes != "iris" else iris_of(look))
    canvas.ellipse(x, y, size, size * tall, INK)
    canvas.ellipse(x + 0.3 * size, y - 0.4 * size, 0.36 * size, 0.36 * size, SNOW)


def iris_of(look: Look) -> Color:
    """The colour of the eyes."""
    return _IRISES[int(look.jitter[0] * 2.99)]


def draw_blush(canvas: Canvas, look: Look, x: float = 0.66, y: float = 0.32) -> None:
    """The cheeks."""
    if look.blush:
        for side in SIDES:
            canvas.ellipse(side * x, y, 0.16, 0.11, BLUSH, opacity=150)


def draw_mouth(canvas: Canvas, y: float, width: float = 0.2, color: Color = INK) -> None:
    """A smile like a rounded w, from a nose above."""
    canvas.curve([(-width, y), (-width * 0.5, y + 0.1), (0, y), (width * 0.5, y + 0.1), (width, y)], color, 0.055)


def draw_nose(canvas: Canvas, y: float, size: float, color: Color) -> None:
    """A nose, wide above and narrow below."""
    canvas.blob([(-size, y - 0.5 * size), (size, y - 0.5 * size), (0, y + 0.8 * size)], color)


def draw_whiskers(canvas: Canvas, look: Look) -> None:
    """Two hairs on each side."""
    color = lighter(look.fur, 0.6) if luminance(look.fur) < 115 else darker(look.fur, 0.6)
    for side in SIDES:
        for y, end in ((0.3, 0.18), (0.42, 0.46)):
            canvas.line([(side * 0.55, y), (side * 1.3, end)], color, 0.05)
