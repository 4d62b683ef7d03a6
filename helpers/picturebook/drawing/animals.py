"""Animals and dolls: how they stand, sit, swim and sleep. Heads are in heads.py, colours and fur in fur.py.

Everything is drawn in the creature's frame: (0, 0) between its feet (sitting: its seat), one unit 1/100 of its height,
y down, the holding hand at x > 0; the canvas mirrors it where the body says so.
"""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, Color, Point
from ..scene import Scene
from ..vocabulary import ABSENT
from .body import Body
from .face import SIDES
from .fur import BEAK, INK, SNOW, Look, fill_band, fill_fur, limb, look_of, oval, paint_coat
from .heads import bib_color, draw_head, stitches
from .palette import darker, mix

#: doing -> lowest and highest unit, lowest and highest y of the feet, y of the head, y of the hand (in units)
_POSES: dict[str, tuple[float, float, float, float, float, float]] = {
    "standing": (0.62, 0.84, 104, 120, -74, -42),
    "riding": (0.46, 0.56, 84, 92, -68, -37),
    "swimming": (0.66, 0.82, 114, 122, -74, -58),
    "in a doghouse": (0.58, 0.70, 106, 114, -74, -42),
    "in a bucket": (0.58, 0.70, 106, 114, -74, -50),
    "getting a haircut": (0.58, 0.68, 92, 98, -68, -37),
    "sleeping": (0.60, 0.70, 102, 112, -22, -8),
}
_SEATED = ("riding", "getting a haircut")
_TUCKED = ("in a doghouse", "in a bucket")  # only the upper half looks out
_HEAD_RADIUS = 24
#: kind -> how wide its trunk is
_WIDTHS = {"cat": 18, "dog": 19, "bunny": 18, "bear": 22, "fox": 17.5, "pig": 22, "frog": 19, "owl": 22, "penguin": 22,
           "elephant": 23, "teddy bear": 20, "bunny doll": 16}


def pose(scene: Scene) -> Body:
    """Where the creature of a scene is, and where other things attach to it."""
    small, big, high, low, head_y, hand_y = _POSES[scene.doing]
    position, arms = scene.stream("position"), scene.stream("arms")
    lying = scene.doing == "sleeping"
    unit = small + (big - small) * scene.stream("size").random()
    x, y = position.uniform(52, 76) if lying else position.uniform(42, 86), position.uniform(high, low)
    mirrored = scene.stream("mirrored").random() < 0.5
    side = -unit if mirrored else unit
    hand = (-4, hand_y) if lying else (arms.uniform(30, 35), hand_y + arms.uniform(-5, 4))
    head_x = -30 if lying else 0
    return Body(unit=unit, feet=(x, y), head=(x + side * head_x, y + unit * head_y), head_radius=unit * _HEAD_RADIUS,
                neck=(x + side * (-14 if lying else 0), y + unit * (-18 if lying else head_y + 22)),
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
    width = _WIDTHS[look.kind] * look.build
    seated, tucked = doing in _SEATED, doing in _TUCKED
    with canvas.at(0, 6 if seated else -10 if tucked else 0):  # seated: lower by what the legs are shorter
        if not tucked:
            _TAILS.get(look.kind, _nothing)(canvas, look)
        if doing == "standing":
            _legs(canvas, look)
        _trunk(canvas, look, oval(0, -30, width, 27, 0.14), (0, -26), (width * 0.66, 19))
    if not tucked:
        (_dangling_feet if seated else _feet)(canvas, look)
    shoulder = (width * 0.72, head[1] + 30)
    _arm(canvas, look, 1, shoulder, _own(body, body.hand))
    _arm(canvas, look, -1, shoulder, (-30.0, head[1] + 14) if doing == "swimming" else _free_hand(look, head[1] + 74))
    with canvas.at(*head, scale=_HEAD_RADIUS):
        draw_head(canvas, look)


def _free_hand(look: Look, down: float) -> Point:
    x, y = ((-27, -22), (-31, -34), (-31, -50), (-9, -26))[look.arm]
    return x, y + down


def _trunk(canvas: Canvas, look: Look, outline: np.ndarray, belly: Point, radii: Point) -> None:
    """The trunk with its belly and markings."""
    outline = fill_fur(canvas, look, outline, look.fur)
    paint_coat(canvas, look, outline)
    if look.marking == "stripes":
        for y in (-44, -31, -18):
            fill_band(canvas, outline, 1, y, y + 5.5, look.second)
    elif look.marking in ("patches", "spots"):
        canvas.ellipse(belly[0] + radii[0] * 1.05, belly[1] + 9, 5, 6, look.second)
        canvas.ellipse(belly[0] - radii[0] * 0.85, belly[1] - 5, 7, 9, look.second)
    if look.kind == "penguin":
        canvas.ellipse(belly[0], belly[1] - 2, radii[0] * 1.16, radii[1] * 1.15, bib_color(look))
    elif look.character == ABSENT and (look.marking != "none" or look.kind != "bear"):
        canvas.ellipse(*belly, *radii, look.pale)
    _TRUNK_MARKS.get(look.kind, _nothing)(canvas, look)
    if look.fluffy:
        _bib(canvas, look, belly)


def _bib(canvas: Canvas, look: Look, belly: Point) -> None:
    """Tufts on the chest, longer the fluffier."""
    x, y = belly[0], belly[1] - 20
    for row in (0, 1):
        points: list[Point] = [(x - 13, y + 9 * row)]
        for i in range(4):
            left = x - 13 + 6.5 * i
            points += [(left + 3.25, y + 9 * row + 3 + 11 * look.fluffy), (left + 6.5, y + 9 * row + 1)]
        canvas.polygon(points, mix(look.fur, look.pale, 0.4) if row else look.fur)


def _arm(canvas: Canvas, look: Look, side: int, shoulder: Point, hand: Point) -> None:
    """An arm, wing or flipper from a shoulder (given for the right side) to a hand."""
    x, y = side * shoulder[0], shoulder[1]
    middle = (0.5 * (x + hand[0]) + side * 2, 0.5 * (y + hand[1]) + 4)
    color = look.side(side, look.dark)
    if look.kind in ("owl", "penguin"):
        return _wing(canvas, look, np.array([x, y]), np.array(hand), side)
    thin = {"frog": 4.0, "bunny doll": 4.2, "elephant": 6.5, "bear": 6.3}.get(look.kind, 5.3)
    outline = limb([(x, y), middle, hand], thin, thin)
    if look.fluffy:
        fill_fur(canvas, look, outline, color, 0.55, rim=False)
    else:
        canvas.polygon(outline, color)
    canvas.ellipse(*hand, thin + 0.6, thin + 0.4, _paw_color(look, side))
    return None


def _wing(canvas: Canvas, look: Look, shoulder: np.ndarray, tip: np.ndarray, side: int) -> None:
    """A flipper; an owl's has two feathers marked on it."""
    along = tip - shoulder
    below = np.array([-along[1], along[0]]) / np.hypot(*along) * side
    edge = [shoulder - 5 * below, shoulder + 0.5 * along - 5.5 * below, tip, shoulder + 0.8 * along + 6 * below,
            shoulder + 0.4 * along + 8.5 * below, shoulder + 5 * below]
    canvas.blob(edge, look.dark)
    if look.kind == "owl":
        for far, near in ((4.5, 0.45), (0.0, 0.55)):
            start, end = shoulder + near * along + far * below, shoulder + 0.95 * along + (far * 0.8) * below
            canvas.line([tuple(start), tuple(end)], look.rim, 1.4)


def _paw_color(look: Look, side: int = -1) -> Color:
    if look.kind == "fox":
        return mix(look.fur, INK, 0.72)
    if look.kind == "pig":
        return darker(look.fur, 0.5)
    if look.character != ABSENT:
        return look.side(side, look.second)
    if look.marking == "socks" or look.kind in ("teddy bear", "bunny doll"):
        return look.pale
    return darker(look.dark, 0.08)


def _legs(canvas: Canvas, look: Look) -> None:
    thick = 9 if look.kind in ("elephant", "bear", "teddy bear") else 4.5 if look.kind == "frog" else 7
    for side in SIDES:
        canvas.ellipse(side * 10.5, -12, thick, 11, look.side(side, look.dark))


def _feet(canvas: Canvas, look: Look) -> None:
    for side in SIDES:
        with canvas.at(side * 12, -4):
            _FEET.get(look.kind, _paw)(canvas, look, side)


def _dangling_feet(canvas: Canvas, look: Look) -> None:
    """Short legs over the edge of the seat."""
    for side in SIDES:
        canvas.polygon(limb([(side * 9, -5), (side * 14, 3)], 7, 6.5), look.side(side, look.dark))
        with canvas.at(side * 15, 6):
            _FEET.get(look.kind, _paw)(canvas, look, side)


def _paw(canvas: Canvas, look: Look, side: int) -> None:
    canvas.ellipse(0, 0, 10, 5.6, look.side(side, look.rim))
    canvas.ellipse(0, -0.2, 9, 4.8, _paw_color(look, side))


def _claws(canvas: Canvas, look: Look, side: int) -> None:
    """A bird's foot."""
    for x in (-6, 0, 6):
        canvas.ellipse(x, 1, 3.6, 4.2, BEAK if x else darker(BEAK, 0.12))


def _webbed(canvas: Canvas, look: Look, side: int) -> None:
    canvas.polygon([(-3, -4), (3, -4), (side * 13 + 4, 2), (9, 5), (3, 3), (0, 5), (-3, 3), (-9, 5),
                    (side * 13 - 4, 2)], look.dark)
    for x in (-8, 0, 8):
        canvas.ellipse(x + side * 3, 2.5, 3.6, 3.2, look.dark)


def _toenails(canvas: Canvas, look: Look, side: int) -> None:
    canvas.ellipse(0, -1, 10.5, 6.5, look.dark)
    for x in (-5.5, 0, 5.5):
        canvas.ellipse(x, 2.6, 2.4, 2, SNOW)


def _toy_foot(canvas: Canvas, look: Look, side: int) -> None:
    """A sole towards the viewer."""
    canvas.ellipse(0, -2, 9, 8, look.rim)
    canvas.ellipse(0, -2, 8, 7, look.fur)
    canvas.ellipse(0, -1.5, 5, 4.4, look.pale)


def _nothing(canvas: Canvas, look: Look) -> None:
    """Nothing to see from the front."""


def _cat_tail(canvas: Canvas, look: Look) -> None:
    spine = (
        [(-10, -8), (-30, -5), (-39, -22), (-36, -44)],
        [(-10, -8), (-32, -6), (-40, -24), (-31, -36), (-40, -52)],
        [(-10, -8), (-30, -4), (-44, -12), (-44, -28), (-33, -30)],
        [(-10, -6), (-30, -3), (-44, -12), (-52, -26)],
    )[look.tail]
    outline = fill_fur(canvas, look, limb(spine, 4.8, 4), look.dark)
    if look.marking == "stripes" or look.character != ABSENT:
        for y in (-26, -38):
            fill_band(canvas, outline, 1, y, y + 5, look.second)
    canvas.ellipse(*spine[-1], 4.6, 4.6, _paw_color(look))


def _dog_tail(canvas: Canvas, look: Look) -> None:
    tip = ((-34, -40), (-40, -30), (-30, -44), (-42, -20))[look.tail]
    spine = [(-12, -12), (-25, -15), (0.7 * tip[0] - 10, 0.5 * tip[1] - 8), tip]
    fill_fur(canvas, look, limb(spine, 5.5, 2.8), look.dark)


def _puff(canvas: Canvas, look: Look) -> None:
    size = 8 + 0.8 * look.tail
    fill_fur(canvas, look, oval(-_WIDTHS[look.kind] * look.build - 1, -11, size, size), look.pale)


def _stub(canvas: Canvas, look: Look) -> None:
    canvas.ellipse(-_WIDTHS[look.kind] * look.build - 1, -12, 6, 6, look.dark)


def _fox_tail(canvas: Canvas, look: Look) -> None:
    tip = ((-36, -54), (-46, -46), (-52, -34), (-30, -60))[look.tail]
    spine = np.array([(-8, -8), (-28, -6), (0.55 * tip[0] - 18, 0.45 * tip[1] - 4), tip])
    outline = fill_fur(canvas, look, limb([tuple(p) for p in spine], 4, 3, 8.5), look.fur)
    fill_band(canvas, outline, 1, tip[1] - 20, tip[1] * 0.66 - 4, look.pale)


def _pig_tail(canvas: Canvas, look: Look) -> None:
    x = -_WIDTHS["pig"] * look.build
    flat = 1 if look.tail % 2 else 0.8
    points = [(x + 4, -14), (x - 6, -13), (x - 9, -20 * flat), (x - 4, -23 * flat), (x - 3, -17), (x - 10, -15),
              (x - 15, -22 * flat)]
    canvas.curve(points, look.second, 3.6)


def _elephant_tail(canvas: Canvas, look: Look) -> None:
    tip = ((-38, -22), (-36, -6), (-40, -32), (-34, -12))[look.tail]
    canvas.curve([(-18, -26), (-30, -26), tip], look.second, 3.4)
    canvas.ellipse(*tip, 4, 5, darker(look.second, 0.35))


def _bird_tail(canvas: Canvas, look: Look) -> None:
    wide = 11 + 2 * look.tail
    canvas.polygon([(-6, -14), (6, -14), (wide, 1), (wide / 2, -2), (0, 2), (-wide / 2, -2), (-wide, 1)], look.second)


def _feathers(canvas: Canvas, look: Look) -> None:
    """Rows of small feathers on an owl's chest."""
    for y, xs in ((-36, (-8, 0, 8)), (-27, (-5, 5)), (-18, (-8, 0, 8))):
        for x in xs:
            canvas.line([(x - 3, y), (x, y + 3.5), (x + 3, y)], look.second, 1.8)


def _teddy_marks(canvas: Canvas, look: Look) -> None:
    """A seam down the tummy, and a patch."""
    stitches(canvas, (0, -44), (0, -8), 4, 3, look.rim)
    _patch(canvas, 10, -25, look)


def _patch(canvas: Canvas, x: float, y: float, look: Look) -> None:
    """A piece of another cloth, sewn on."""
    with canvas.at(x, y, angle=14):
        canvas.rect(-6, -6, 6, 6, SNOW)
        canvas.rect(-5, -5, 5, 5, (96, 164, 190) if look.fur[2] < 150 else (232, 160, 80))
        canvas.line([(-5, 0), (5, 0)], SNOW, 1.2)
        canvas.line([(0, -5), (0, 5)], SNOW, 1.2)


def _doll_marks(canvas: Canvas, look: Look) -> None:
    """A heart on the tummy."""
    heart = [(0, -18), (-9, -27), (-7, -33), (-2.5, -33), (0, -30), (2.5, -33), (7, -33), (9, -27)]
    canvas.polygon(heart, (226, 60, 84) if look.fur[0] < 200 or look.fur[1] > 120 else SNOW)
    stitches(canvas, (-9, -11), (9, -11), 4, 2.4, look.rim)


_TAILS = {"cat": _cat_tail, "dog": _dog_tail, "bunny": _puff, "bunny doll": _puff, "bear": _stub, "teddy bear": _stub,
          "fox": _fox_tail, "pig": _pig_tail, "elephant": _elephant_tail, "owl": _bird_tail, "penguin": _bird_tail}
_FEET = {"owl": _claws, "penguin": _claws, "frog": _webbed, "elephant": _toenails, "teddy bear": _toy_foot,
         "bunny doll": _toy_foot}
_TRUNK_MARKS = {"owl": _feathers, "teddy bear": _teddy_marks, "bunny doll": _doll_marks}


def _draw_lying(canvas: Canvas, look: Look, body: Body) -> None:
    """Asleep on its side: the trunk along the ground, the head on its paws."""
    with canvas.at(62, -4):
        _TAILS.get(look.kind, _nothing)(canvas, look)
    high = 13 + 4 * (look.build * _WIDTHS[look.kind] / 20)
    _trunk(canvas, look, oval(14, -high, 36, high), (16, -high * 0.62), (24, high * 0.5))
    for x in (38, 26):
        with canvas.at(x, -4):
            _FEET.get(look.kind, _paw)(canvas, look, 1)
    _arm(canvas, look, 1, (2, -14), _own(body, body.hand))
    with canvas.at(*_own(body, body.head), scale=_HEAD_RADIUS, angle=-16):
        draw_head(canvas, look)
    _snore(canvas, body)


def _snore(canvas: Canvas, body: Body) -> None:
    """Three z, larger as they rise, readable by day and by night."""
    for x, y, size in ((0, -42, 4), (9, -54, 5), (20, -68, 6.5)):
        with canvas.at(x, y, scale=size, flip=body.mirrored):  # a z is no z in the mirror
            z = [(-0.8, -1), (0.8, -1), (-0.8, 1), (0.8, 1)]
            canvas.line(z, (60, 60, 100), 0.8)
            canvas.line(z, SNOW, 0.4)
