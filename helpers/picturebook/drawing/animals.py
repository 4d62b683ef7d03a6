"""Animals and dolls: how they stand, sit, swim and sleep. Heads are in heads.py, tails and feet in tails.py.

Everything is drawn in the creature's frame: (0, 0) between its feet (sitting: its seat), one unit 1/100 of its height,
y down, the holding hand at x > 0; the canvas mirrors it where the body says so. The head is half of the height.
"""

from __future__ import annotations

import numpy as np

from ..canvas import UNITS, Canvas, Point
from ..scene import Scene
from ..vocabulary import ABSENT
from .body import Body, free_side
from .characters import neck_mark, paint_coat, trunk_mark
from .face import SIDES
from .fur import Look, fill_band, fill_fur, limb, look_of, oval
from .heads import bib_color, draw_head
from .palette import mix, rim_of
from .tails import WIDTHS, draw_foot, draw_tail, paw_color

#: doing -> smallest and largest unit, lowest and highest y of the feet, y of the head, y of the hand (in units)
_POSES: dict[str, tuple[float, float, float, float, float, float]] = {
    "standing": (0.81, 0.91, 116, 121, -72, -34),
    "riding": (0.66, 0.72, 84, 86, -62, -26),
    "swimming": (0.84, 0.93, 122, 128, -72, -50),
    "in a doghouse": (0.72, 0.78, 114, 119, -70, -34),
    "in a bucket": (0.78, 0.86, 114, 120, -78, -50),
    "getting a haircut": (0.74, 0.80, 96, 99, -62, -26),
    "sleeping": (0.84, 0.92, 107, 112, -27, -8),
}
_SEATED = ("riding", "getting a haircut")
_TUCKED = ("in a doghouse", "in a bucket")  # only the upper half looks out
_HEAD_RADIUS = 27
_SPREAD = {"standing": 24, "swimming": 24, "in a bucket": 20}  # how far from left to right it can stand


def pose(scene: Scene) -> Body:
    """Where the creature of a scene is, and where other things attach to it."""
    small, big, high, low, head_y, hand_y = _POSES[scene.doing]
    position, arms = scene.stream("position"), scene.stream("arms")
    lying = scene.doing == "sleeping"
    unit = small + (big - small) * scene.stream("size").random()
    x = UNITS / 2 + (position.random() - 0.5) * _SPREAD.get(scene.doing, 8)
    y = position.uniform(high, low)
    mirrored = free_side(scene) < 0  # the hand, and what it holds, where there is more room
    side = -unit if mirrored else unit
    hand = (-4, hand_y) if lying else (arms.uniform(34, 37), hand_y + arms.uniform(-5, 3))
    head_x = -24 if lying else 0
    return Body(unit=unit, feet=(x, y), head=(x + side * head_x, y + unit * head_y), head_radius=unit * _HEAD_RADIUS,
                neck=(x + side * (-6 if lying else 0), y + unit * (-12 if lying else head_y + 28)),
                hand=(x + side * hand[0], y + unit * hand[1]), mirrored=mirrored, lying=lying)


def draw(canvas: Canvas, scene: Scene, body: Body) -> None:
    """The creature of a scene, as part "thing"."""
    look = look_of(scene, body.mirrored)
    with canvas.part("thing"), canvas.at(*body.feet, scale=body.unit, flip=body.mirrored):
        if body.lying:
            _draw_lying(canvas, look, body)
        else:
            _draw_upright(canvas, look, body, scene.doing)


def _own(body: Body, point: Point) -> Point:
    """A point of the picture in the creature's frame."""
    side = -body.unit if body.mirrored else body.unit
    return (point[0] - body.feet[0]) / side, (point[1] - body.feet[1]) / body.unit


def _draw_upright(canvas: Canvas, look: Look, body: Body, doing: str) -> None:
    head = _own(body, body.head)
    width = WIDTHS[look.kind] * look.build
    seated, tucked = doing in _SEATED, doing in _TUCKED
    if not tucked:
        draw_tail(canvas, look)
    low = 4 if seated else -4
    _trunk(canvas, look, oval(0, (head[1] + 16 + low) / 2, width, (low - head[1] - 16) / 2, 0.12))
    if not tucked:
        for side in SIDES:
            with canvas.at(side * (17 if seated else 13), 3 if seated else -6):
                draw_foot(canvas, look, side)
    shoulder = (width * 0.62, head[1] + 33)
    _arm(canvas, look, 1, shoulder, _own(body, body.hand))
    _arm(canvas, look, -1, shoulder, (-36.0, head[1] + 24) if doing == "swimming" else _free_hand(look, head[1] + 72))
    with canvas.at(*head, scale=_HEAD_RADIUS):
        draw_head(canvas, look)
        neck_mark(canvas, look)


def _free_hand(look: Look, down: float) -> Point:
    x, y = ((-32, -20), (-36, -30), (-36, -42), (-33, -24))[look.arm]
    return x, y + down


def _trunk(canvas: Canvas, look: Look, outline: np.ndarray) -> None:
    """The trunk with its belly and markings."""
    outline = fill_fur(canvas, look, outline, look.fur)
    (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
    x, y, rx, ry = (x0 + x1) / 2, y1 - 0.4 * (y1 - y0), 0.32 * (x1 - x0), 0.34 * (y1 - y0)
    paint_coat(canvas, look, outline)
    if look.marking == "stripes":
        for top in (y - 5, y + 8):
            fill_band(canvas, outline, 1, top, top + 6.5, look.second)
    elif look.marking in ("patches", "spots"):
        canvas.ellipse(x + 0.9 * rx, y + 5, 8, 9, look.second)
    if look.kind == "penguin":
        canvas.ellipse(x, y - 2, rx * 1.25, ry * 1.25, bib_color(look))
    elif look.character == ABSENT:
        canvas.ellipse(x, y, rx, ry, look.pale)
    with canvas.at(x, y + 24):
        _TRUNK_MARKS.get(look.kind, _nothing)(canvas, look)
        trunk_mark(canvas, look)
    if look.fluffy:
        _bib(canvas, look, (x, y - 1.1 * ry))


def _bib(canvas: Canvas, look: Look, top: Point) -> None:
    """Tufts on the chest, longer the fluffier."""
    x, y = top
    points: list[Point] = [(x - 15, y)]
    for i in range(3):
        left = x - 15 + 10 * i
        points += [(left + 5, y + 8 + 13 * look.fluffy), (left + 10, y + 2)]
    canvas.polygon(points, mix(look.fur, look.rim, 0.16))


def _arm(canvas: Canvas, look: Look, side: int, shoulder: Point, hand: Point) -> None:
    """An arm, wing or flipper from a shoulder (given for the right side) to a hand."""
    x, y = side * shoulder[0], shoulder[1]
    middle = (0.5 * (x + hand[0]) + side * 2, 0.5 * (y + hand[1]) + 3)
    color = look.side(side, look.dark)
    if look.kind in ("owl", "penguin"):
        canvas.piece(limb([(x, y), middle, hand], 7, 4, 3.5), color, look.rim)
        return
    thick = {"frog": 5.6, "elephant": 8.0, "bear": 7.8}.get(look.kind, 7.0)
    outline = limb([(x, y), middle, hand], thick, thick)
    if look.fluffy:
        fill_fur(canvas, look, outline, color, 0.55)
    else:
        canvas.piece(outline, color, look.rim)
    canvas.ellipse(*hand, thick, thick, paw_color(look, side))


def _nothing(canvas: Canvas, look: Look) -> None:
    """Nothing on the tummy."""


def _owl_marks(canvas: Canvas, look: Look) -> None:
    """Two rows of big feathers."""
    for y, xs in ((-30, (-9, 9)), (-18, (0,))):
        for x in xs:
            canvas.line([(x - 6, y), (x, y + 6), (x + 6, y)], look.second, 3.6)


def _teddy_marks(canvas: Canvas, look: Look) -> None:
    """A patch of another cloth on the tummy, and a bow tie under the chin."""
    with canvas.at(7, -18, angle=10):
        canvas.piece([(-8, -7), (8, -7), (8, 7), (-8, 7)], (96, 164, 200) if look.fur[2] < 150 else (244, 170, 70),
                     look.rim)
    for side in SIDES:
        canvas.piece([(0, -40), (side * 15, -47), (side * 15, -32)], *_red(look))


def _red(look: Look) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """A red that is seen on the fur, and its outline."""
    color = (226, 48, 72) if look.fur[0] < 200 or look.fur[1] > 120 else (255, 250, 244)
    return color, rim_of(color)


def _doll_marks(canvas: Canvas, look: Look) -> None:
    """A big heart on the tummy."""
    heart = [(0, -9), (-14, -24), (-11, -34), (-4, -34), (0, -29), (4, -34), (11, -34), (14, -24)]
    canvas.piece(heart, *_red(look))


_TRUNK_MARKS = {"owl": _owl_marks, "teddy bear": _teddy_marks, "bunny doll": _doll_marks}


def _draw_lying(canvas: Canvas, look: Look, body: Body) -> None:
    """Asleep on its side: the trunk along the ground, the head on its paws."""
    with canvas.at(58, -4):
        draw_tail(canvas, look)
    high = 17 + 4 * (look.build * WIDTHS[look.kind] / 22)
    _trunk(canvas, look, oval(22, -high, 32, high))
    with canvas.at(44, -5):
        draw_foot(canvas, look, 1)
    _arm(canvas, look, 1, (6, -14), _own(body, body.hand))
    with canvas.at(*_own(body, body.head), scale=_HEAD_RADIUS, angle=-12):
        draw_head(canvas, look)
        neck_mark(canvas, look)
    _snore(canvas, body)


def _snore(canvas: Canvas, body: Body) -> None:
    """Two z, larger as they rise, readable by day and by night."""
    for x, y, size in ((14, -54, 6), (32, -72, 8.5)):
        with canvas.at(x, y, scale=size, flip=body.mirrored):  # a z is no z in the mirror
            z = [(-0.8, -1), (0.8, -1), (-0.8, 1), (0.8, 1)]
            canvas.line(z, (60, 60, 100), 0.9)
            canvas.line(z, (255, 252, 248), 0.45)
