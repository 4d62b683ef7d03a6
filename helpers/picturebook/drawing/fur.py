"""How a creature looks: its colours, the choices its seed makes for it, and fur that can be fluffy.

Outlines are (n, 2) arrays of points around a closed shape, in whatever frame the canvas has when they are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..canvas import Canvas, Color, Point, smooth
from ..scene import Scene
from ..vocabulary import ABSENT
from .palette import darker, lighter, mix, tint

INK: Color = (36, 30, 42)
SNOW: Color = (252, 251, 248)
BLUSH: Color = (240, 128, 140)
BEAK: Color = (246, 164, 44)

_TURN = np.linspace(0, 2 * math.pi, 40, endpoint=False)
_CAP = np.stack([f(np.linspace(-math.pi / 2, math.pi / 2, 7)) for f in (np.cos, np.sin)], axis=1)

#: kind -> the markings it can have; a kind that is not here has only those that all of its kind have
MARKINGS: dict[str, tuple[str, ...]] = {
    "cat": ("none", "patches", "stripes", "stripes", "socks", "blaze"), "dog": ("none", "patches", "socks", "blaze"),
    "bunny": ("none", "patches", "socks", "blaze"), "bear": ("none", "belly", "socks"),
    "pig": ("none", "belly", "patches", "spots"), "frog": ("none", "spots", "stripes", "spots"),
    "elephant": ("none", "belly", "blaze", "spots"),
}
EYES = ("bead", "white", "iris", "tall")
#: character -> its first and second coat colour; no word of the colour vocabulary names them
COATS: dict[str, tuple[Color, Color]] = {
    "pim": ((22, 160, 152), (248, 132, 38)), "bo": ((186, 152, 226), (176, 220, 60)),
    "zuzu": ((250, 122, 104), (44, 58, 120)),
}


@dataclass(frozen=True)
class Look:
    """One creature's colours and the choices its seed made."""

    kind: str
    fur: Color
    second: Color  # a character's other coat colour; else the shade that markings have
    dark: Color  # limbs, ears
    pale: Color  # belly, muzzle
    rim: Color  # a thin edge that sets the creature off from its background
    character: str
    fluffy: float
    asleep: bool
    marking: str
    eyes: str
    eye_size: float
    ears: int  # 0..3, an ear shape of its kind
    ear_size: float  # about 1; more on a fluffy head, so that its fur does not hide them
    build: float  # trunk width, about 1
    tail: int  # 0..3
    arm: int  # 0..3, what the arm that holds nothing does
    blush: bool
    turn: int  # -1 where the picture is mirrored: a character's coat is not
    jitter: np.ndarray  # (64,) in [0, 1], for tufts

    def side(self, side: int, color: Color) -> Color:
        """A limb's or ear's colour: `color`, but a two-coloured character has its second coat on side +1."""
        return darker(self.second, 0.12) if self.character == "zuzu" and side * self.turn > 0 else color

    @property
    def ink(self) -> Color:
        """A line colour that can be seen on the fur."""
        return lighter(self.fur, 0.65) if luminance(self.fur) < 70 else INK


def look_of(scene: Scene, mirrored: bool) -> Look:
    """What the creature of a scene looks like; `mirrored` as in its body."""
    known = scene.character != ABSENT  # a character looks the same in every picture
    fur = COATS[scene.character][0] if known else tint(scene.color, scene.stream("color"))
    light = luminance(fur)
    shade = lighter(fur, 0.22) if light < 70 else darker(fur, 0.3)
    chance = scene.stream("creature")  # every scene draws all of these, so no choice depends on another
    tail, arm, eyes, eye_size, ears, ear_size, build, blush, marking = (chance.random() for _ in range(9))
    jitter = np.array([chance.random() for _ in range(64)])
    if known:
        eyes, eye_size, ears, ear_size, build, blush, marking = 0.3, 0.4, 0.0, 0.5, 0.4, 0.0, 0.0
    markings = MARKINGS.get(scene.thing, ("none",))
    return Look(
        kind=scene.thing, fur=fur, second=COATS[scene.character][1] if known else shade,
        dark=lighter(fur, 0.14) if light < 70 else darker(fur, 0.16), pale=_pale(fur),
        rim=lighter(fur, 0.3) if light < 70 else darker(fur, 0.26), character=scene.character, fluffy=scene.fluffy,
        asleep=scene.doing == "sleeping", marking=markings[int(marking * len(markings))], eyes=EYES[int(4 * eyes)],
        eye_size=0.9 + 0.35 * eye_size, ears=int(4 * ears), ear_size=0.88 + 0.27 * ear_size + 0.2 * scene.fluffy,
        build=0.88 + 0.28 * build, tail=int(4 * tail), arm=int(4 * arm), blush=blush < 0.5,
        turn=-1 if mirrored else 1, jitter=jitter,
    )


def luminance(color: Color) -> float:
    """How light a colour looks, 0..255."""
    return 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2]


def _pale(fur: Color) -> Color:
    """The belly's colour: lighter than the fur, or peach where the fur is white already."""
    light = luminance(fur)
    if light > 220:
        return mix(fur, (246, 198, 176), 0.5)
    return lighter(fur, 0.5 if light < 70 else 0.6)


def oval(x: float, y: float, rx: float, ry: float, pear: float = 0.0) -> np.ndarray:
    """An ellipse's outline (40, 2); `pear` > 0 makes it wider below than above."""
    wide = rx * (1 - pear * np.cos(_TURN))
    return np.stack([x + wide * np.sin(_TURN), y - ry * np.cos(_TURN)], axis=1)


def limb(spine: Sequence[Point], start: float, end: float, belly: float = 0.0) -> np.ndarray:
    """The outline of a rounded limb along a smooth `spine`: half-width `start`, then `end`, `belly` more midway."""
    line = smooth(np.asarray(spine, dtype=float), closed=False, pieces=4)
    step = np.empty_like(line)
    step[1:-1] = line[2:] - line[:-2]
    step[0], step[-1] = line[1] - line[0], line[-1] - line[-2]
    step /= np.sqrt((step * step).sum(axis=1, keepdims=True)) + 1e-9
    normal = step[:, ::-1] * (-1.0, 1.0)
    t = np.arange(len(line))[:, None] / (len(line) - 1)
    off = normal * (start + (end - start) * t + belly * np.sin(math.pi * t) ** 2)
    tip = line[-1] + end * (_CAP[:, :1] * step[-1] - _CAP[:, 1:] * normal[-1])
    root = line[0] - start * (_CAP[:, :1] * step[0] - _CAP[:, 1:] * normal[0])
    return np.concatenate([line + off, tip, (line - off)[::-1], root])


def clipped(outline: np.ndarray, axis: int, low: float, high: float) -> np.ndarray:
    """The part of an outline with coordinate `axis` between `low` and `high`; (0, 2) where there is none."""
    for sign, line in ((1, low), (-1, high)):
        inside = sign * (outline[:, axis] - line)
        following, after = np.roll(outline, -1, axis=0), np.roll(inside, -1)
        crossing = inside * after < 0
        t = np.where(crossing, inside / np.where(crossing, inside - after, 1.0), 0.0)[:, None]
        both = np.stack([outline, outline + t * (following - outline)], axis=1)  # (n, 2, 2): the point, the crossing
        outline = both[np.stack([inside >= 0, crossing], axis=1)]
    return outline


def fill_band(canvas: Canvas, outline: np.ndarray, axis: int, low: float, high: float, color: Color) -> None:
    """Fill what lies between two lines across an outline."""
    part = clipped(outline, axis, low, high)
    if len(part) > 2:
        canvas.polygon(part, color)


def grown(outline: np.ndarray, by: float) -> np.ndarray:
    """The outline moved outwards by about `by`."""
    middle = outline.mean(axis=0)
    off = outline - middle
    moved: np.ndarray = middle + off * (1 + by / (np.linalg.norm(off, axis=1, keepdims=True) + 1e-9))
    return moved


def tufted(outline: np.ndarray, length: float, spacing: float, jitter: np.ndarray) -> np.ndarray:
    """The outline with tufts of fur `length` long about every `spacing`; `jitter` in [0, 1] makes them uneven."""
    loop = np.concatenate([outline, outline[:1]])
    edge = np.diff(loop, axis=0)
    arc = np.concatenate([[0.0], np.cumsum(np.sqrt((edge * edge).sum(axis=1)))])
    count = max(6, round(arc[-1] / spacing))
    uneven = np.resize(jitter, count)
    where = (np.arange(count)[:, None] + np.array([0.0, 0.3, 0.62]) + 0.2 * uneven[:, None]).ravel() / count * arc[-1]
    points = np.stack([np.interp(where % arc[-1], arc, loop[:, i]) for i in (0, 1)], axis=1)
    ring = np.concatenate([points[-1:], points, points[:1]])
    along = ring[2:] - ring[:-2]
    along /= np.sqrt((along * along).sum(axis=1, keepdims=True)) + 1e-9
    area = loop[:-1, 0] @ loop[1:, 1] - loop[:-1, 1] @ loop[1:, 0]  # its sign: which way round the outline goes
    out = along[:, ::-1] * ((1.0, -1.0) if area > 0 else (-1.0, 1.0))
    reach = length * (np.array([0.0, 0.62, 1.0]) * (0.7 + 0.6 * uneven[:, None])).ravel()[:, None]
    tufts: np.ndarray = points + out * reach + reach * np.array([0.0, 0.22])
    return tufts


def fill_fur(canvas: Canvas, look: Look, outline: np.ndarray, color: Color, scale: float = 1.0,
             rim: bool = True) -> np.ndarray:
    """Fill an outline as fur, tufted as much as the creature is fluffy; gives back the outline that was filled.

    `scale` is how long one unit of the creature's frame (1/100 of its height) is in the canvas's frame.
    """
    if not look.fluffy:
        if rim:
            canvas.polygon(grown(outline, 1.3 * scale), look.rim)
        canvas.polygon(outline, color)
        return outline
    length, spacing = scale * (1.5 + 9.5 * look.fluffy), scale * (10.5 - 2.5 * look.fluffy)
    if rim:
        canvas.polygon(tufted(outline, length * 1.1 + 1.3 * scale, spacing, look.jitter[::-1]), look.rim)
    outline = tufted(outline, length, spacing, look.jitter)
    canvas.polygon(outline, color)
    return outline


def paint_coat(canvas: Canvas, look: Look, outline: np.ndarray) -> None:
    """A character's coat pattern, inside an outline."""
    (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
    w, h = x1 - x0, y1 - y0
    if look.character == "pim":
        for x, y, r in ((0.2, 0.3, 0.1), (0.5, 0.12, 0.08), (0.82, 0.34, 0.1), (0.17, 0.68, 0.09), (0.8, 0.72, 0.11),
                        (0.52, 0.9, 0.07)):
            canvas.ellipse(x0 + x * w, y0 + y * h, r * w, r * w, look.second)
    elif look.character == "bo":
        for i in range(4):
            band = clipped(outline, 1, y0 + i * h / 4, y0 + (i + 1) * h / 4)
            for j in (0, 1):
                left = x0 + (2 * j + i % 2) * w / 4
                fill_band(canvas, band, 0, left, left + w / 4, look.second)
    elif look.character == "zuzu":
        middle = x0 + w / 2
        fill_band(canvas, outline, 0, *((middle, x1) if look.turn > 0 else (x0, middle)), look.second)
