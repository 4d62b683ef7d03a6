"""The heads of all creatures. Each is drawn in a frame of its own: (0, 0) its middle, 1 its radius.

Eyes sit near (+-0.38, -0.05) on every head, so that the same sunglasses fit all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..canvas import Canvas, Color, smooth
from ..vocabulary import ABSENT
from .face import (
    SIDES,
    UNIT,
    draw_blush,
    draw_eyes,
    draw_mouth,
    draw_nose,
    draw_triangle,
    draw_whiskers,
    inner_ear_of,
    iris_of,
)
from .fur import BEAK, BLUSH, INK, SNOW, Look, fill_fur, limb, luminance, oval, paint_coat
from .palette import darker, lighter, mix


def draw_head(canvas: Canvas, look: Look) -> None:
    """The head with ears, face, tufts and whatever a character wears on it."""
    HEADS[look.kind](canvas, look)
    if look.character != ABSENT:
        _EXTRAS[look.character](canvas, look)


def _skull(canvas: Canvas, look: Look, outline: np.ndarray) -> None:
    """The head's shape with its markings."""
    outline = fill_fur(canvas, look, outline, look.fur, UNIT)
    if look.character != ABSENT:
        paint_coat(canvas, look, outline)
    elif look.marking == "patches":
        canvas.ellipse(0.42, -0.1, 0.36, 0.4, look.second, 12)
    elif look.marking == "stripes" and look.kind != "frog":
        for x in (-0.32, 0.0, 0.32):
            top = -0.86 + 0.5 * x * x
            canvas.polygon([(x - 0.1, top), (x + 0.1, top), (x * 0.85, top + 0.42)], look.second)
    elif look.marking == "spots":
        down = 0.3 if look.kind == "frog" else 0.0
        for x, y, r in ((-0.5, -0.52, 0.12), (-0.1, -0.7, 0.09), (0.4, -0.6, 0.13), (0.7, 0.16, 0.1), (-0.7, 0.1, 0.1)):
            canvas.ellipse(x, y + down, r, r, look.second)
    elif look.marking == "blaze":
        canvas.blob([(0, -0.86), (0.16, -0.4), (0.1, 0.3), (-0.1, 0.3), (-0.16, -0.4)], look.pale)
    if look.fluffy:
        _forelock(canvas, look)


def _forelock(canvas: Canvas, look: Look) -> None:
    """A tuft of hair over the forehead, longer the fluffier."""
    up = 0.12 + 0.42 * look.fluffy
    points = [(-0.34, -0.78), (-0.3, -0.8 - up), (-0.12, -0.86), (0.04, -0.92 - 1.15 * up), (0.12, -0.86),
              (0.36, -0.8 - up), (0.34, -0.76), (0.12, -0.7 + 0.5 * up), (0.0, -0.72), (-0.14, -0.7 + 0.55 * up)]
    canvas.polygon(points, look.dark)


def _cat(canvas: Canvas, look: Look) -> None:
    out, up = (0.0, 0.1, -0.08, 0.2)[look.ears], 1.42 * look.ear_size
    for side in SIDES:
        draw_triangle(canvas, side, [(1.02, -0.1), (0.84 + out, -up), (0.7 + out, -up + 0.02), (0.05, -0.8)],
                  look.side(side, look.dark))
        draw_triangle(canvas, side, [(0.82, -0.45), (0.75 + out, -up + 0.26), (0.3, -0.8)], inner_ear_of(look))
    _skull(canvas, look, oval(0, 0.03, 1.06, 0.93, 0.06))
    for side in SIDES:
        canvas.ellipse(side * 0.17, 0.42, 0.25, 0.2, look.pale)
    draw_whiskers(canvas, look)
    draw_eyes(canvas, look)
    draw_nose(canvas, 0.3, 0.12, (232, 104, 126))
    draw_mouth(canvas, 0.46)
    draw_blush(canvas, look)


def _dog(canvas: Canvas, look: Look) -> None:
    _skull(canvas, look, oval(0, 0, 0.96, 0.98, 0.04))
    long = 0.62 * look.ear_size
    for side in SIDES:
        x, y, rx, angle = ((0.95, 0.12, 0.3, -12), (1.0, 0.05, 0.36, -22), (0.92, 0.22, 0.28, -4),
                           (1.02, -0.02, 0.32, -34))[look.ears]
        canvas.ellipse(side * x, y, rx, long, look.side(side, look.rim), side * angle)
        canvas.ellipse(side * x, y, rx - 0.05, long - 0.05, look.side(side, look.second), side * angle)
    canvas.ellipse(0, 0.42, 0.5, 0.4, look.pale)
    draw_eyes(canvas, look)
    canvas.polygon([(-0.13, 0.58), (0.13, 0.58), (0.12, 0.82), (0, 0.9), (-0.12, 0.82)], (232, 92, 108))
    canvas.curve([(-0.3, 0.5), (-0.12, 0.62), (0, 0.54), (0.12, 0.62), (0.3, 0.5)], INK, 0.06)
    canvas.ellipse(0, 0.26, 0.24, 0.17, INK)
    canvas.ellipse(0.06, 0.2, 0.07, 0.04, SNOW)


def _bunny(canvas: Canvas, look: Look) -> None:
    up = 1.05 * look.ear_size
    for side in SIDES:
        lean = (0.1, 0.28, 0.42, 0.2)[look.ears]
        if look.ears == 3 and side > 0:  # one ear folded over
            spine = [(0.38, -0.6), (0.5, -0.8 - 0.6 * up), (0.85, -0.7 - 0.75 * up), (1.1, -0.5 - 0.45 * up)]
        else:
            spine = [(side * 0.38, -0.6), (side * (0.4 + lean / 2), -0.7 - 0.6 * up),
                     (side * (0.42 + lean), -0.8 - up)]
        canvas.polygon(limb(spine, 0.26, 0.22, 0.06), look.side(side, look.dark))
        canvas.polygon(limb(spine, 0.13, 0.1, 0.05), inner_ear_of(look))
    _skull(canvas, look, oval(0, 0.04, 0.98, 0.92, 0.08))
    for side in SIDES:
        canvas.ellipse(side * 0.2, 0.45, 0.27, 0.21, look.pale)
    canvas.rect(-0.12, 0.52, 0.12, 0.76, SNOW)
    canvas.line([(0, 0.54), (0, 0.76)], (190, 184, 190), 0.04)
    draw_eyes(canvas, look)
    draw_nose(canvas, 0.3, 0.11, (236, 110, 140))
    draw_mouth(canvas, 0.46)
    draw_blush(canvas, look)


def _round_ears(canvas: Canvas, look: Look, r: float) -> None:
    """A bear's ears; they stand out farther from a fluffy head."""
    x, y = 0.78 + 0.2 * look.fluffy, -0.74 - 0.2 * look.fluffy
    for side in SIDES:
        canvas.ellipse(side * x, y, r, r, look.rim)
        canvas.ellipse(side * x, y, r - 0.05, r - 0.05, look.fur)
        canvas.ellipse(side * (x - 0.02), y + 0.04, r * 0.56, r * 0.56, look.pale)


def _bear(canvas: Canvas, look: Look) -> None:
    _round_ears(canvas, look, (0.34, 0.38, 0.31, 0.42)[look.ears])
    _skull(canvas, look, oval(0, 0.02, 1.08, 0.96, 0.03))
    canvas.ellipse(0, 0.42, 0.46, 0.36, look.pale)
    draw_eyes(canvas, look, size=0.14)
    canvas.ellipse(0, 0.26, 0.22, 0.15, INK)
    canvas.line([(0, 0.3), (0, 0.52)], INK, 0.055)
    canvas.curve([(-0.2, 0.52), (0, 0.6), (0.2, 0.52)], INK, 0.06)
    draw_blush(canvas, look, 0.74)


def _fox(canvas: Canvas, look: Look) -> None:
    out, up = (0.0, 0.12, 0.22, -0.06)[look.ears], 1.5 * look.ear_size
    for side in SIDES:
        draw_triangle(canvas, side, [(1.06, -0.1), (0.86 + out, -up), (0.1, -0.76)], look.fur)
        tip = [(0.955 + out / 2, -0.5 - up / 3), (0.86 + out, -up), (0.48 + out / 2, -0.51 - up / 3)]
        draw_triangle(canvas, side, tip, mix(look.fur, INK, 0.75))
        draw_triangle(canvas, side, [(0.84, -0.4), (0.76 + out * 0.7, -0.35 - up / 2), (0.36, -0.7)], look.pale)
    face = [(0, -0.86), (0.6, -0.74), (1.0, -0.22), (1.28, 0.38), (0.7, 0.66), (0.2, 1.0), (0, 1.08)]
    half = np.array(face)
    outline = smooth(np.concatenate([half, half[-2:0:-1] * (-1, 1)]), closed=True, pieces=4)
    _skull(canvas, look, outline)
    for side in SIDES:
        cheek = ((1.2, 0.38), (0.62, 0.2), (0.16, 0.36), (0.02, 0.98), (0.22, 0.94), (0.7, 0.62))
        canvas.polygon(smooth(np.array(cheek) * (side, 1), closed=True, pieces=3), look.pale)
    draw_eyes(canvas, look)
    canvas.ellipse(0, 0.78, 0.17, 0.13, INK)
    canvas.ellipse(0.05, 0.74, 0.05, 0.03, SNOW)


def _pig(canvas: Canvas, look: Look) -> None:
    _skull(canvas, look, oval(0, 0.02, 1.08, 0.97, 0.05))
    x, y = ((1.06, -0.5), (1.2, -0.62), (1.12, -0.3), (1.24, -0.42))[look.ears]
    for side in SIDES:  # flaps that fold forward
        flap = [(side * u, v) for u, v in ((0.3, -0.86), (0.62, -1.12), (x, -1.04), (x + 0.06, y), (0.78, -0.56))]
        canvas.blob(flap, look.rim)
        fold = [(0.42, -0.84), (0.66, -0.98), (x - 0.06, -0.92), (x - 0.02, y - 0.1), (0.76, -0.62)]
        canvas.blob([(side * u, v) for u, v in fold], mix(look.dark, BLUSH, 0.35))
    snout = mix(look.pale, BLUSH, 0.55)
    canvas.curve([(-0.26, 0.72), (0, 0.82), (0.26, 0.72)], look.ink, 0.07)
    canvas.ellipse(0, 0.36, 0.46, 0.33, darker(snout, 0.25))
    canvas.ellipse(0, 0.34, 0.42, 0.29, snout)
    for side in SIDES:
        canvas.ellipse(side * 0.16, 0.35, 0.075, 0.13, darker(snout, 0.65))
    draw_eyes(canvas, look, y=-0.12, size=0.14)
    draw_blush(canvas, look, 0.74, 0.36)


def _frog(canvas: Canvas, look: Look) -> None:
    r = 0.46 * look.ear_size
    for side in SIDES:
        canvas.ellipse(side * 0.52, -0.36, r, r, look.rim)
        canvas.ellipse(side * 0.52, -0.36, r - 0.05, r - 0.05, look.fur)
    _skull(canvas, look, oval(0, 0.28, 1.24, 0.7, 0.06))
    canvas.blob([(-1.0, 0.5), (-0.5, 0.62), (0, 0.66), (0.5, 0.62), (1.0, 0.5), (0.55, 0.9), (0, 0.96), (-0.55, 0.9)],
                look.pale)
    canvas.curve([(-1.02, 0.36), (-0.6, 0.54), (0, 0.6), (0.6, 0.54), (1.02, 0.36)], look.ink, 0.085)
    for side in SIDES:
        canvas.ellipse(side * 0.52, -0.34, r * 0.74, r * 0.74, look.fur if look.asleep else SNOW)
        canvas.ellipse(side * 0.1, 0.24, 0.045, 0.035, look.ink)
    if look.asleep:
        draw_eyes(canvas, look, 0.5, -0.34)
    else:
        for side in SIDES:
            canvas.ellipse(side * 0.48, -0.3, 0.2, 0.14 if look.eyes in ("bead", "iris") else 0.22, INK)
            canvas.ellipse(side * 0.48 + 0.06, -0.36, 0.055, 0.055, SNOW)
    draw_blush(canvas, look, 0.86, 0.3)


def _owl(canvas: Canvas, look: Look) -> None:
    out, up = (0.0, 0.12, 0.24, -0.1)[look.ears], 1.2 * look.ear_size
    for side in SIDES:
        draw_triangle(canvas, side, [(1.0, -0.15), (0.94 + out, -up), (0.15, -0.8)], look.second)
    _skull(canvas, look, oval(0, 0.02, 1.06, 0.95, 0.08))
    disc = look.pale if luminance(look.fur) < 225 else lighter(look.pale, 0.2)
    for side in SIDES:
        canvas.ellipse(side * 0.42, 0.0, 0.5, 0.52, darker(disc, 0.12))
        canvas.ellipse(side * 0.42, 0.0, 0.44, 0.46, disc)
    if look.asleep:
        draw_eyes(canvas, look, 0.42, 0.02)
    else:
        _owl_eyes(canvas, look)
    canvas.polygon([(-0.17, 0.18), (0, 0.08), (0.17, 0.18), (0, 0.56)], BEAK)
    canvas.polygon([(0, 0.08), (0.17, 0.18), (0, 0.56)], darker(BEAK, 0.2))


def _owl_eyes(canvas: Canvas, look: Look) -> None:
    color = iris_of(look) if look.eyes in ("iris", "tall") else SNOW
    for side in SIDES:
        canvas.ellipse(side * 0.42, -0.02, 0.33, 0.33, color)
        canvas.ellipse(side * 0.4, -0.02, 0.17 * look.eye_size, 0.17 * look.eye_size, INK)
        canvas.ellipse(side * 0.4 + 0.06, -0.1, 0.06, 0.06, SNOW)


def _penguin(canvas: Canvas, look: Look) -> None:
    _skull(canvas, look, oval(0, 0, 0.98, 0.98, 0.03))
    face = bib_color(look)
    for side in SIDES:
        canvas.ellipse(side * 0.36, 0.0, 0.44, 0.5, face, side * 10)
    canvas.ellipse(0, 0.42, 0.66, 0.46, face)
    draw_eyes(canvas, look, 0.38, -0.02, 0.14)
    canvas.polygon([(-0.24, 0.26), (0, 0.14), (0.24, 0.26), (0, 0.6)], BEAK)
    canvas.polygon([(-0.24, 0.26), (0.24, 0.26), (0, 0.6)], darker(BEAK, 0.18))
    for side in SIDES:
        canvas.ellipse(side * 0.52, 0.42, 0.15, 0.1, BLUSH, opacity=150)


def bib_color(look: Look) -> Color:
    """A penguin's face and belly: white, but grey-blue where the coat is white."""
    return (196, 208, 224) if luminance(look.fur) > 220 else SNOW


def _elephant(canvas: Canvas, look: Look) -> None:
    rx, ry, y = ((0.62, 0.78, -0.08), (0.7, 0.7, -0.2), (0.56, 0.86, 0.05), (0.66, 0.8, -0.25))[look.ears]
    for side in SIDES:
        canvas.ellipse(side * 1.16, y, rx, ry, look.rim, side * -10)
        canvas.ellipse(side * 1.16, y, rx - 0.06, ry - 0.06, look.dark, side * -10)
        canvas.ellipse(side * 1.18, y + 0.04, rx * 0.66, ry * 0.66, inner_ear_of(look), side * -10)
    _skull(canvas, look, oval(0, 0, 0.96, 0.95, -0.04))
    for side in SIDES:
        canvas.polygon(limb([(side * 0.34, 0.6), (side * 0.48, 0.84), (side * 0.66, 0.96)], 0.1, 0.04), SNOW)
    tip = 0.55 if look.tail % 2 else -0.55
    spine = [(0, 0.2), (0.0, 0.7), (tip * 0.1, 1.15), (tip * 0.55, 1.42), (tip, 1.28)]
    canvas.polygon(limb(spine, 0.3, 0.15), look.rim)
    canvas.polygon(limb(spine, 0.25, 0.1), look.dark)
    for i, y in enumerate((0.45, 0.68, 0.9)):
        canvas.line([(-0.18 + 0.02 * i, y), (0.18 - 0.02 * i, y)], look.rim, 0.05)
    draw_eyes(canvas, look, 0.42, -0.08, 0.13)
    draw_blush(canvas, look, 0.6, 0.3)


def _buttons(canvas: Canvas, look: Look) -> None:
    """A doll's eyes: sewn-on buttons, or stitched lids."""
    if look.asleep:
        return draw_eyes(canvas, look)
    color = ((44, 40, 54), (120, 66, 40), (40, 74, 128), (44, 40, 54))[look.ears]
    r = 0.19 * look.eye_size
    for side in SIDES:
        canvas.ellipse(side * 0.38, -0.05, r + 0.05, r + 0.05, look.pale)
        canvas.ellipse(side * 0.38, -0.05, r, r, color)
        for d in SIDES:
            canvas.line([(side * 0.38 - 0.09, -0.05 - 0.09 * d), (side * 0.38 + 0.09, -0.05 + 0.09 * d)], SNOW, 0.05)
    return None


def stitches(canvas: Canvas, start: tuple[float, float], end: tuple[float, float], count: int, size: float,
             color: Color) -> None:
    """Short threads across a seam."""
    (x0, y0), (x1, y1) = start, end
    canvas.line([start, end], color, size * 0.3)
    for i in range(count):
        t = (i + 0.5) / count
        x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
        canvas.line([(x - (y1 - y0 > x1 - x0) * size, y - (y1 - y0 <= x1 - x0) * size),
                     (x + (y1 - y0 > x1 - x0) * size, y + (y1 - y0 <= x1 - x0) * size)], color, size * 0.4)


def _teddy(canvas: Canvas, look: Look) -> None:
    _round_ears(canvas, look, 0.38 * look.ear_size)
    _skull(canvas, look, oval(0, 0, 1.06, 0.97))
    stitches(canvas, (0, -0.94), (0, 0.06), 4, 0.12, look.rim)
    canvas.ellipse(0, 0.42, 0.52, 0.42, look.rim)
    canvas.ellipse(0, 0.42, 0.47, 0.37, look.pale)
    _buttons(canvas, look)
    draw_nose(canvas, 0.28, 0.2, (86, 52, 44))
    canvas.line([(0, 0.36), (0, 0.56)], (86, 52, 44), 0.06)
    draw_mouth(canvas, 0.54, 0.24, (86, 52, 44))


def _bunny_doll(canvas: Canvas, look: Look) -> None:
    drop = (0.55, 0.75, 0.35, 0.65)[look.ears] * look.ear_size
    for side in SIDES:
        spine = [(side * 0.3, -0.7), (side * 0.62, -1.25), (side * 1.12, -1.1), (side * 1.3, -0.3), (side * 1.26, drop)]
        canvas.polygon(limb(spine, 0.22, 0.28), look.rim)
        canvas.polygon(limb(spine, 0.17, 0.23), look.fur)
        canvas.polygon(limb([(side * 1.29, -0.35), (side * 1.27, drop)], 0.09, 0.14), inner_ear_of(look))
    _skull(canvas, look, oval(0, 0.02, 0.96, 0.93, 0.06))
    stitches(canvas, (0, -0.9), (0, -0.3), 3, 0.12, look.rim)
    _buttons(canvas, look)
    for side in SIDES:
        canvas.ellipse(side * 0.64, 0.34, 0.17, 0.14, BLUSH, opacity=200)
        canvas.line([(side * -0.16, 0.32), (side * 0.16, 0.62)], look.ink, 0.08)


def _pim_extra(canvas: Canvas, look: Look) -> None:
    """A striped horn, and eyes of two colours."""
    canvas.polygon([(-0.22, -0.72), (0.22, -0.72), (0.16, -1.6)], (255, 226, 110))
    for y, half in ((-0.92, 0.17), (-1.14, 0.12), (-1.34, 0.07)):
        x = 0.02 - (y + 0.72) * 0.14
        canvas.line([(x - half, y + 0.04), (x + half, y - 0.06)], (222, 120, 190), 0.08)
    if not look.asleep:
        for side, color in ((-1, (255, 222, 60)), (1, (214, 60, 170))):
            x = side * look.turn * 0.38
            canvas.ellipse(x, -0.05, 0.27, 0.3, SNOW)
            canvas.ellipse(x, -0.05, 0.22, 0.25, color)
            canvas.ellipse(x, -0.05, 0.1, 0.18, INK)


def _bo_extra(canvas: Canvas, look: Look) -> None:
    """Eyebrows like brushes."""
    for side in SIDES:
        brow = [(0.1, -0.3), (0.2, -0.62), (0.42, -0.54), (0.62, -0.7), (0.74, -0.36), (0.4, -0.34)]
        draw_triangle(canvas, side, brow, (70, 34, 96))


def _zuzu_extra(canvas: Canvas, look: Look) -> None:
    """An antenna with a ball on its tip."""
    canvas.curve([(0, -0.85), (0.06, -1.3), (-0.08, -1.7)], (60, 60, 70), 0.09)
    canvas.ellipse(-0.1, -1.82, 0.24, 0.24, (255, 216, 60))
    canvas.ellipse(-0.17, -1.88, 0.08, 0.08, SNOW)


HEADS: dict[str, Callable[[Canvas, Look], None]] = {
    "cat": _cat, "dog": _dog, "bunny": _bunny, "bear": _bear, "fox": _fox, "pig": _pig, "frog": _frog, "owl": _owl,
    "penguin": _penguin, "elephant": _elephant, "teddy bear": _teddy, "bunny doll": _bunny_doll,
}
_EXTRAS: dict[str, Callable[[Canvas, Look], None]] = {"pim": _pim_extra, "bo": _bo_extra, "zuzu": _zuzu_extra}
