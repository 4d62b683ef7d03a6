"""Which shapes are eyes, wheels, sun and moon in the first world, whose canvas does not say it; gone with that world.

What the drawing functions put on the canvas is watched.
"""

from __future__ import annotations

from contextlib import ExitStack
from unittest import mock

import numpy as np

from benchmarks.realism_details import Tag, middle, watch, watched, whole
from helpers.picturebook.canvas import Canvas, Shape
from helpers.picturebook.drawing import compose, heads, places, rides
from helpers.picturebook.scene import Scene


def lamp(canvas: Canvas, new: list[int]) -> list[Tag]:
    """The disc of sun or moon: the last full ellipse."""
    disc = [i for i in new if len(canvas.shapes[i].points) == 36 and canvas.shapes[i].opacity == 255][-1:]
    rest = [i for i in new if i > disc[0]]
    return [Tag("lamp", *middle(canvas.shapes[disc[0]].points), (*disc, *rest))]


def eyes(canvas: Canvas, new: list[int]) -> list[Tag]:
    """Shapes left and right of the head's middle line are one eye each; closed lids (strokes) are none."""
    return sided(canvas, [i for i in new if not canvas.shapes[i].width])


def frog_eyes(canvas: Canvas, new: list[int]) -> list[Tag]:
    """What lies around a frog's eyeballs, of the shapes of its whole head."""
    places_of = [np.array(canvas.where(s * 0.5, -0.33)) for s in (-1, 1)]
    near = [i for i in new if min(np.linalg.norm(middle(canvas.shapes[i].points) - p) for p in places_of)
            < 0.16 * canvas.scale and np.ptp(canvas.shapes[i].points[:, 0]) < 0.75 * canvas.scale]
    pale = [i for i in near if canvas.shapes[i].color == heads.SNOW or canvas.shapes[i].color == heads.INK]
    return sided(canvas, pale)


def sided(canvas: Canvas, new: list[int]) -> list[Tag]:
    """One eye from the shapes on each side of the head."""
    inverse = np.linalg.inv(canvas._turn)
    side = {i: float((inverse @ (np.array(middle(canvas.shapes[i].points)) - canvas._shift))[0]) > 0 for i in new}
    groups = [tuple(i for i in new if side[i] == right) for right in (False, True)]
    return [Tag("eye", *middle(canvas.shapes[g[0]].points), g) for g in groups if g]


def bicycle_wheels(canvas: Canvas, new: list[int]) -> list[Tag]:
    """The two rings with their spokes; the shapes before and after are shadow and pedal."""
    rings = [i for i in new if canvas.shapes[i].width > 1.5 and len(canvas.shapes[i].points) == 37]
    return [Tag("wheel", *middle(canvas.shapes[i].points), (i,)) for i in rings]


def airplane_wheels(canvas: Canvas, new: list[int]) -> list[Tag]:
    """The two small tyres under the fuselage."""
    tyres = [i for i in new if canvas.shapes[i].color == rides.RUBBER and len(canvas.shapes[i].points) == 36]
    return [Tag("wheel", *middle(canvas.shapes[i].points), (i,)) for i in tyres]


def tagged(scene: Scene) -> tuple[list[Shape], list[Tag]]:
    """The shapes of a drawing, and which of them make which detail."""
    found: list[Tag] = []
    lamps = dict.fromkeys(places._LAMPS, lamp)
    tables = ((heads.HEADS, {"frog": frog_eyes}), (places._LAMPS, lamps),
              (rides.BEHIND, {"bicycle": bicycle_wheels}), (rides.FRONT, {"airplane": airplane_wheels}))
    with ExitStack() as stack:
        for module, name, tags in ((heads, "_eyes", eyes), (heads, "_owl_eyes", eyes), (heads, "_buttons", eyes),
                                   (rides, "_wheel", whole("wheel"))):
            stack.enter_context(mock.patch.object(module, name, watch(getattr(module, name), tags, found)))
        for table, tags in tables:
            stack.enter_context(mock.patch.dict(table, {k: watch(table[k], t, found) for k, t in tags.items()}))
        stack.enter_context(watched(found))
        shapes = compose(scene).shapes
    return shapes, found
