"""The heads of all creatures. Each is drawn in a frame of its own: (0, 0) its middle, 1 its radius."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..canvas import Canvas, smooth
from ..vocabulary import ABSENT
from .characters import head_mark
from .face import NOSE, SIDES, both, buttons, cheeks, eyes, inner_ear, laugh, nose, skull, smile
from .fur import BEAK, BLUSH, INK, SNOW, Look, limb, luminance, oval
from .palette import darker, lighter, mix


def draw_head(canvas: Canvas, look: Look) -> None:
    """The head with ears, face, tufts and whatever a character wears on it."""
    HEADS[look.kind](canvas, look)
    if look.character != ABSENT:
        head_mark(canvas, look)


def _cat(canvas: Canvas, look: Look) -> None:
    out, up = (0.0, 0.08, -0.08, 0.14)[look.ears], 1.36 * look.ear_size
    for side in SIDES:
        canvas.piece(both([(1.08, -0.1), (0.92 + out, -up), (0.1, -0.8)], side), look.side(side, look.dark), look.rim)
        canvas.polygon(both([(0.88, -0.5), (0.84 + out, -up + 0.3), (0.4, -0.8)], side), inner_ear(look))
    skull(canvas, look, oval(0, 0.04, 1.14, 0.92, 0.06))
    whisker = lighter(look.fur, 0.7) if luminance(look.fur) < 115 else darker(look.fur, 0.6)
    for side in SIDES:
        for y, end in ((0.36, 0.24), (0.54, 0.62)):
            canvas.line([(side * 0.66, y), (side * 1.4, end)], whisker, 0.08)
    canvas.ellipse(0, 0.52, 0.52, 0.32, look.pale)
    eyes(canvas, look)
    nose(canvas, 0.36, 0.2, NOSE)
    smile(canvas, 0.55)


def _dog(canvas: Canvas, look: Look) -> None:
    skull(canvas, look, oval(0, 0, 1.04, 0.98, 0.04))
    long = 0.66 * look.ear_size
    x, y, rx, angle = ((1.0, 0.02, 0.36, -10), (1.08, -0.04, 0.4, -22), (0.98, 0.12, 0.34, -4),
                       (1.1, -0.12, 0.38, -34))[look.ears]
    for side in SIDES:
        canvas.oval_piece(side * x, y, rx, long, look.side(side, look.second), look.rim, side * angle)
    canvas.ellipse(0, 0.5, 0.58, 0.42, look.pale)
    eyes(canvas, look, y=-0.08)
    laugh(canvas, 0.55, 0.34, 0.36)
    canvas.ellipse(0, 0.34, 0.29, 0.2, INK)


def _bunny(canvas: Canvas, look: Look) -> None:
    up = 0.78 * look.ear_size
    lean = (0.06, 0.2, 0.34, 0.14)[look.ears]
    for side in SIDES:
        if look.ears == 3 and side > 0:  # one ear folded over
            spine = [(0.42, -0.6), (0.5, -0.8 - 0.6 * up), (0.85, -0.8 - 0.8 * up), (1.2, -0.6 - 0.45 * up)]
        else:
            spine = [(side * 0.44, -0.6), (side * (0.46 + lean / 2), -0.7 - 0.5 * up),
                     (side * (0.48 + lean), -0.8 - up)]
        canvas.piece(limb(spine, 0.31, 0.28, 0.05), look.side(side, look.dark), look.rim)
        canvas.polygon(limb(spine, 0.14, 0.14, 0.04), inner_ear(look))
    skull(canvas, look, oval(0, 0.04, 1.04, 0.93, 0.08))
    cheeks(canvas, look)
    canvas.ellipse(0, 0.52, 0.48, 0.32, look.pale)
    with canvas.detail("mouth"):
        canvas.curve([(-0.34, 0.52), (-0.18, 0.62), (0, 0.65), (0.18, 0.62), (0.34, 0.52)], INK, 0.1)
        canvas.rect(-0.2, 0.62, 0.2, 0.94, INK)
        canvas.rect(-0.15, 0.66, 0.15, 0.89, SNOW)
    eyes(canvas, look)
    nose(canvas, 0.38, 0.19, NOSE)


def _round_ears(canvas: Canvas, look: Look, r: float) -> None:
    """A bear's ears; they stand out farther from a fluffy head."""
    x, y = 0.82 + 0.16 * look.fluffy, -0.72 - 0.16 * look.fluffy
    for side in SIDES:
        canvas.oval_piece(side * x, y, r, r, look.fur, look.rim)
        canvas.ellipse(side * (x - 0.02), y + 0.04, r * 0.56, r * 0.56, look.pale)


def _bear(canvas: Canvas, look: Look) -> None:
    _round_ears(canvas, look, (0.38, 0.42, 0.36, 0.45)[look.ears])
    skull(canvas, look, oval(0, 0.03, 1.12, 0.95, 0.03))
    canvas.ellipse(0, 0.5, 0.54, 0.39, look.pale)
    eyes(canvas, look, size=0.24, y=-0.06)
    canvas.ellipse(0, 0.32, 0.28, 0.19, INK)
    smile(canvas, 0.62)


def _fox(canvas: Canvas, look: Look) -> None:
    out, up = (0.0, 0.1, 0.18, -0.06)[look.ears], 1.42 * look.ear_size
    tip = mix(look.fur, INK, 0.78)
    for side in SIDES:
        canvas.piece(both([(1.1, -0.1), (0.92 + out, -up), (0.1, -0.76)], side), look.fur, look.rim)
        canvas.polygon(both([(1.0 + out / 2, -0.42 - up / 3), (0.92 + out, -up), (0.5 + out / 2, -0.45 - up / 3)],
                            side), tip)
    face = np.array([(0, -0.86), (0.62, -0.76), (1.06, -0.22), (1.3, 0.36), (0.76, 0.7), (0.24, 1.0), (0, 1.06)])
    skull(canvas, look, smooth(np.concatenate([face, face[-2:0:-1] * (-1, 1)]), closed=True, pieces=4))
    for side in SIDES:
        cheek = ((1.22, 0.36), (0.62, 0.22), (0.14, 0.44), (0.02, 0.98), (0.26, 0.94), (0.76, 0.64))
        canvas.polygon(smooth(np.array(cheek) * (side, 1), closed=True, pieces=3), look.pale)
    eyes(canvas, look, y=-0.04)
    smile(canvas, 0.74, 0.26)
    canvas.ellipse(0, 0.56, 0.22, 0.17, INK)


def _pig(canvas: Canvas, look: Look) -> None:
    skull(canvas, look, oval(0, 0.03, 1.12, 0.95, 0.05))
    x, y = ((1.08, -0.46), (1.2, -0.58), (1.12, -0.3), (1.22, -0.4))[look.ears]
    for side in SIDES:  # flaps that fold forward
        flap = [(0.26, -0.84), (0.62, -1.16), (x, -1.06), (x + 0.04, y), (0.78, -0.54)]
        canvas.piece(smooth(np.array(both(flap, side)), closed=True, pieces=4), mix(look.dark, BLUSH, 0.35), look.rim)
    snout = mix(look.pale, BLUSH, 0.6)
    with canvas.detail("mouth"):
        canvas.curve([(-0.34, 0.76), (0, 0.88), (0.34, 0.76)], look.ink, 0.1)
    canvas.oval_piece(0, 0.42, 0.5, 0.34, snout, darker(snout, 0.5))
    for side in SIDES:
        canvas.ellipse(side * 0.19, 0.42, 0.11, 0.17, darker(snout, 0.65))
    eyes(canvas, look, 0.44, -0.14, 0.25)


def _frog(canvas: Canvas, look: Look) -> None:
    r = 0.46
    for side in SIDES:
        canvas.oval_piece(side * 0.54, -0.26, r, r, look.fur, look.rim)
    skull(canvas, look, oval(0, 0.32, 1.26, 0.64, 0.06))
    for side in SIDES:
        canvas.ellipse(side * 0.54, -0.22, r - 0.02, r - 0.02, look.fur)
    with canvas.detail("mouth"):
        canvas.blob([(-0.92, 0.34), (-0.4, 0.46), (0.4, 0.46), (0.92, 0.34), (0.5, 0.78), (0, 0.86), (-0.5, 0.78)],
                    (120, 34, 48))
        canvas.ellipse(0, 0.72, 0.34, 0.12, (236, 88, 104))
    cheeks(canvas, look, 1.0, 0.14)
    eyes(canvas, look, 0.52, -0.24, 0.31)


def _owl(canvas: Canvas, look: Look) -> None:
    out, up = (0.0, 0.1, 0.2, -0.08)[look.ears], 1.2 * look.ear_size
    for side in SIDES:
        canvas.piece(both([(1.06, -0.1), (0.98 + out, -up), (0.12, -0.8)], side), look.second, look.rim)
    skull(canvas, look, oval(0, 0.02, 1.1, 0.95, 0.08))
    disc = look.pale if luminance(look.fur) < 225 else darker(look.pale, 0.12)
    for side in SIDES:
        canvas.ellipse(side * 0.47, 0.0, 0.54, 0.56, disc)
    eyes(canvas, look, 0.45, 0.0, 0.36)
    with canvas.detail("mouth"):
        canvas.piece([(-0.24, 0.28), (0, 0.16), (0.24, 0.28), (0, 0.78)], BEAK, (150, 84, 16))


def _penguin(canvas: Canvas, look: Look) -> None:
    skull(canvas, look, oval(0, 0, 1.04, 0.98, 0.03))
    face = bib_color(look)
    for side in SIDES:
        canvas.ellipse(side * 0.4, 0.0, 0.46, 0.54, face, side * 10)
    canvas.ellipse(0, 0.46, 0.7, 0.44, face)
    eyes(canvas, look, 0.42, -0.06, 0.25)
    cheeks(canvas, look, 0.66, 0.42)
    with canvas.detail("mouth"):
        canvas.piece([(-0.34, 0.32), (0, 0.18), (0.34, 0.32), (0, 0.76)], BEAK, (150, 84, 16))


def bib_color(look: Look) -> tuple[int, int, int]:
    """A penguin's face and belly: white, but grey-blue where the coat is white."""
    return (186, 202, 224) if luminance(look.fur) > 220 else SNOW


def _elephant(canvas: Canvas, look: Look) -> None:
    rx, ry, y = ((0.64, 0.78, -0.06), (0.7, 0.72, -0.16), (0.6, 0.84, 0.0), (0.66, 0.78, -0.2))[look.ears]
    for side in SIDES:
        canvas.oval_piece(side * 1.2, y, rx, ry, look.dark, look.rim, side * -10)
        canvas.ellipse(side * 1.22, y + 0.04, rx * 0.64, ry * 0.64, inner_ear(look), side * -10)
    skull(canvas, look, oval(0, 0, 1.0, 0.96, -0.04))
    tip = 1 if look.tail % 2 else -1
    with canvas.detail("mouth"):
        canvas.curve([(-tip * 0.24, 0.62), (-tip * 0.46, 0.72), (-tip * 0.68, 0.54)], look.ink, 0.11)
    spine = [(0, 0.24), (0.0, 0.7), (tip * 0.12, 1.1), (tip * 0.5, 1.3), (tip * 0.8, 1.16)]
    canvas.piece(limb(spine, 0.3, 0.19), look.dark, look.rim)
    for y in (0.5, 0.8):
        canvas.line([(-0.26, y), (0.26, y)], look.rim, 0.07)
    eyes(canvas, look, 0.46, -0.1, 0.25)


def _teddy(canvas: Canvas, look: Look) -> None:
    _round_ears(canvas, look, 0.42)
    skull(canvas, look, oval(0, 0, 1.1, 0.97))
    canvas.line([(0, -0.9), (0, -0.3)], look.rim, 0.08)
    for y in (-0.76, -0.5):
        canvas.line([(-0.16, y), (0.16, y)], look.rim, 0.08)
    canvas.oval_piece(0, 0.48, 0.54, 0.4, look.pale, look.rim, width=1.0)
    buttons(canvas, look)
    nose(canvas, 0.34, 0.25, (86, 46, 40))
    smile(canvas, 0.58, 0.3, (86, 46, 40))


def _bunny_doll(canvas: Canvas, look: Look) -> None:
    drop = (0.5, 0.66, 0.36, 0.58)[look.ears]
    for side in SIDES:
        spine = [(side * 0.3, -0.66), (side * 0.64, -1.12), (side * 1.14, -0.98), (side * 1.32, -0.3),
                 (side * 1.28, drop)]
        canvas.piece(limb(spine, 0.22, 0.32), look.fur, look.rim)
        canvas.polygon(limb([(side * 1.31, -0.35), (side * 1.28, drop)], 0.13, 0.18), inner_ear(look))
    skull(canvas, look, oval(0, 0.03, 1.0, 0.93, 0.06))
    buttons(canvas, look)
    for side in SIDES:
        canvas.ellipse(side * 0.66, 0.42, 0.2, 0.16, BLUSH)
    with canvas.detail("mouth"):
        for side in SIDES:
            canvas.line([(side * -0.19, 0.36), (side * 0.19, 0.74)], look.ink, 0.12)


HEADS: dict[str, Callable[[Canvas, Look], None]] = {
    "cat": _cat, "dog": _dog, "bunny": _bunny, "bear": _bear, "fox": _fox, "pig": _pig, "frog": _frog, "owl": _owl,
    "penguin": _penguin, "elephant": _elephant, "teddy bear": _teddy, "bunny doll": _bunny_doll,
}
