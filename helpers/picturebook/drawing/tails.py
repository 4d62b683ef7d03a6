"""The tails and the feet of all creatures, in the creature's frame (animals.py)."""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, Color
from ..vocabulary import ABSENT
from .fur import BEAK, INK, SNOW, Look, fill_band, fill_fur, limb, oval
from .palette import darker, mix

#: kind -> how wide its trunk is
WIDTHS = {"cat": 21, "dog": 22, "bunny": 21, "bear": 25, "fox": 20, "pig": 25, "frog": 22, "owl": 25, "penguin": 25,
          "elephant": 25, "teddy bear": 23, "bunny doll": 19}


def draw_tail(canvas: Canvas, look: Look) -> None:
    """The tail, if one is seen from the front."""
    if look.kind in _TAILS:
        _TAILS[look.kind](canvas, look)


def draw_foot(canvas: Canvas, look: Look, side: int) -> None:
    """A foot around (0, 0)."""
    _FEET.get(look.kind, _paw)(canvas, look, side)


def paw_color(look: Look, side: int = -1) -> Color:
    """Hands' and feet's colour."""
    if look.kind == "fox":
        return mix(look.fur, INK, 0.72)
    if look.character != ABSENT:
        return look.side(side, look.second)
    if look.marking == "socks" or look.kind in ("teddy bear", "bunny doll"):
        return look.pale
    return look.dark


def _paw(canvas: Canvas, look: Look, side: int) -> None:
    canvas.oval_piece(0, -1, 12, 7.5, paw_color(look, side), look.rim)


def _bird_foot(canvas: Canvas, look: Look, side: int) -> None:
    canvas.oval_piece(0, 0, 11, 6.5, BEAK, (150, 84, 16))


def _webbed(canvas: Canvas, look: Look, side: int) -> None:
    canvas.oval_piece(side * 3, 0, 14, 6.5, look.dark, look.rim)


def _hoof(canvas: Canvas, look: Look, side: int) -> None:
    canvas.oval_piece(0, -2, 12, 8.5, look.dark, look.rim)
    for x in (-6, 6):
        canvas.ellipse(x, 3, 4.4, 3.2, SNOW)


def _toy_foot(canvas: Canvas, look: Look, side: int) -> None:
    """A sole towards the viewer."""
    canvas.oval_piece(0, -3, 11, 10, look.fur, look.rim)
    canvas.ellipse(0, -2.6, 7, 6.4, look.pale)


def _cat_tail(canvas: Canvas, look: Look) -> None:
    spine = (
        [(-10, -8), (-34, -5), (-42, -20), (-38, -40)],
        [(-10, -8), (-36, -6), (-42, -22), (-44, -46)],
        [(-10, -8), (-34, -4), (-47, -14), (-44, -32)],
        [(-10, -6), (-32, -3), (-44, -12), (-50, -28)],
    )[look.tail]
    outline = fill_fur(canvas, look, limb(spine, 6.5, 5.5), look.dark)
    if look.marking == "stripes" or look.character != ABSENT:
        fill_band(canvas, outline, 1, -60, -25, look.second)


def _dog_tail(canvas: Canvas, look: Look) -> None:
    tip = ((-37, -40), (-43, -32), (-34, -44), (-44, -24))[look.tail]
    spine = [(-12, -10), (-27, -13), (0.7 * tip[0] - 12, 0.5 * tip[1] - 6), tip]
    fill_fur(canvas, look, limb(spine, 7, 4.5), look.second if look.character != ABSENT else look.dark)


def _puff(canvas: Canvas, look: Look) -> None:
    size = 10 + 0.8 * look.tail
    fill_fur(canvas, look, oval(-WIDTHS[look.kind] * look.build - 2, -12, size, size), look.pale)


def _fox_tail(canvas: Canvas, look: Look) -> None:
    tip = ((-38, -50), (-46, -44), (-50, -34), (-36, -54))[look.tail]
    spine = [(-8, -8), (-30, -6), (0.55 * tip[0] - 20, 0.45 * tip[1] - 4), tip]
    outline = fill_fur(canvas, look, limb(spine, 6, 5, 9), look.fur)
    fill_band(canvas, outline, 1, tip[1] - 20, tip[1] * 0.62 - 4, look.pale)


def _pig_tail(canvas: Canvas, look: Look) -> None:
    x = -WIDTHS["pig"] * look.build
    canvas.ring(x - 6, -16, 6, look.rim, 7)
    canvas.ring(x - 6, -16, 6, look.second, 4)


def _elephant_tail(canvas: Canvas, look: Look) -> None:
    tip = ((-40, -24), (-40, -10), (-42, -32), (-38, -16))[look.tail]
    canvas.piece(limb([(-18, -26), (-32, -26), tip], 3, 3), look.second, look.rim)
    canvas.ellipse(*tip, 6, 6, look.rim)


def _bird_tail(canvas: Canvas, look: Look) -> None:
    wide = 14 + 2 * look.tail
    canvas.piece(np.array([(-6, -14), (6, -14), (wide, 1), (-wide, 1)]), darker(look.fur, 0.3), look.rim)


_TAILS = {"cat": _cat_tail, "dog": _dog_tail, "bunny": _puff, "bunny doll": _puff, "fox": _fox_tail, "pig": _pig_tail,
          "elephant": _elephant_tail, "owl": _bird_tail, "penguin": _bird_tail}
_FEET = {"owl": _bird_foot, "penguin": _bird_foot, "frog": _webbed, "elephant": _hoof, "teddy bear": _toy_foot,
         "bunny doll": _toy_foot}
