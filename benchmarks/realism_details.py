"""Where the details that a reader counts stand in a drawing: the main thing, sun or moon, eyes, wheels.

    details(scene)      [Detail("eye", 61.2, 48.0, 1.0), Detail("eye", 70.9, 47.6, 1.0), Detail("lamp", ...), ...]
    counts(scene)       {"main": {1}, "lamp": {1}, "eye": {2}, "wheel": {0}}: what the drawing shows
    asked(scene)        the same, but whatever drawings of these words show, however they are laid out

A detail hidden by more than half (CLEAR) may be counted or not; one nearly hidden (HIDDEN) is not there. The world's
code does not say which shape is an eye, so the shapes that the drawing functions put on the canvas are watched here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from unittest import mock

import numpy as np
from PIL import Image, ImageDraw

from helpers.picturebook.canvas import UNITS, Canvas, Shape
from helpers.picturebook.drawing import compose, heads, places, rides, things
from helpers.picturebook.scene import Scene

DETAILS = ("main", "lamp", "eye", "wheel")
CLEAR, HIDDEN = 0.5, 0.12  # visible share from which a detail surely counts, and below which it is not there
LAYOUTS, OFTEN = 12, 2  # `asked`: so many layouts are drawn, and a count must occur in so many of them
FINE = 2  # pixels of the visibility map per picture unit


class Detail(NamedTuple):
    """One detail of a drawing."""

    name: str
    x: float  # its middle, in picture units
    y: float
    visible: float  # the share of it that is seen, in [0, 1]


class Tag(NamedTuple):
    """The shapes that make one detail."""

    name: str
    x: float
    y: float
    shapes: tuple[int, ...]  # indices into the canvas's shapes


def middle(points: np.ndarray) -> tuple[float, float]:
    """The middle of a shape's bounding box."""
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return float(x0 + x1) / 2, float(y0 + y1) / 2


def whole(name: str) -> Callable[[Canvas, list[int]], list[Tag]]:
    """All new shapes are one detail; its middle is that of them all."""
    def tags(canvas: Canvas, new: list[int]) -> list[Tag]:
        solid = [i for i in new if canvas.shapes[i].opacity > 100]
        return [Tag(name, *middle(np.concatenate([canvas.shapes[i].points for i in solid])), tuple(new))]
    return tags


def head(canvas: Canvas, new: list[int]) -> list[Tag]:
    """The main thing of a creature is known by its head; called in the head's own frame."""
    return [Tag("main", *canvas.where(0, 0), tuple(new))]


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


@contextmanager
def watched(found: list[Tag]) -> Iterator[None]:
    """Inside, the drawing functions say which of their shapes make a detail."""
    def watch(draw: Callable[..., object], tags: Callable[[Canvas, list[int]], list[Tag]]) -> Callable[..., object]:
        def drawing(canvas: Canvas, *args: object, **named: object) -> object:
            before = len(canvas.shapes)
            result = draw(canvas, *args, **named)
            found.extend(tags(canvas, list(range(before, len(canvas.shapes)))))
            return result
        return drawing

    def in_table(table: dict[str, Callable[..., object]], changed: dict[str, Callable[..., object]]) -> object:
        return mock.patch.dict(table, {k: watch(table[k], tags) for k, tags in changed.items()})

    with ExitStack() as stack:
        for module, name, tags in ((heads, "_eyes", eyes), (heads, "_owl_eyes", eyes), (heads, "_buttons", eyes),
                                   (rides, "_wheel", whole("wheel")), (things, "draw_main", whole("main"))):
            stack.enter_context(mock.patch.object(module, name, watch(getattr(module, name), tags)))
        stack.enter_context(in_table(heads.HEADS, {"frog": frog_eyes}))
        stack.enter_context(in_table(heads.HEADS, dict.fromkeys(heads.HEADS, head)))
        stack.enter_context(in_table(places._LAMPS, dict.fromkeys(places._LAMPS, lamp)))
        stack.enter_context(in_table(rides.BEHIND, {"bicycle": bicycle_wheels}))
        stack.enter_context(in_table(rides.FRONT, {"airplane": airplane_wheels}))
        yield


def painted(shapes: Sequence[Shape], values: Sequence[int]) -> np.ndarray:
    """The value of the topmost shape of each pixel; veils hide nothing."""
    image = Image.new("L", (UNITS * FINE, UNITS * FINE), 0)
    draw = ImageDraw.Draw(image)
    for shape, value in zip(shapes, values, strict=True):
        flat = (shape.points * FINE).ravel().tolist()
        if shape.width:
            draw.line(flat, value, max(1, round(shape.width * FINE)))
        elif shape.opacity > 100:
            draw.polygon(flat, value)
    return np.asarray(image)


def details(scene: Scene) -> list[Detail]:
    """Every detail of the scene's drawing, with the share of it that is seen."""
    found: list[Tag] = []
    with watched(found):
        shapes = compose(scene).shapes
    out = []
    for tag in found:
        own = set(tag.shapes)
        if tag.name == "main":  # eyes and nose are part of the head; what a tag draws over itself hides nothing
            own |= set(range(min(own), max(own) + 1))
        seen = (painted(shapes, [255 if i in own else 0 for i in range(len(shapes))]) > 0).sum()
        alone = [shapes[i] for i in sorted(own)]
        inside = np.mean([((s.points >= 0) & (s.points <= UNITS)).all(1).mean() for s in alone])
        full = (painted(alone, [255] * len(alone)) > 0).sum()
        out.append(Detail(tag.name, tag.x, tag.y, float(seen / full * inside) if full else 0.0))
    return out


def counts(scene: Scene) -> dict[str, set[int]]:
    """How many of each detail the drawing shows; several numbers where one is half hidden."""
    seen = details(scene)
    return {name: set(range(sum(d.name == name and d.visible >= CLEAR for d in seen),
                            sum(d.name == name and d.visible > HIDDEN for d in seen) + 1)) for name in DETAILS}


def asked(scene: Scene) -> dict[str, set[int]]:
    """The counts that drawings of the same words show: a number is right that occurs in two of twelve layouts."""
    often = {name: Counter[int]() for name in DETAILS}
    for i in range(LAYOUTS):
        for name, numbers in counts(scene.but(seed=scene.seed + 1_000_003 * i)).items():
            often[name].update(numbers)
    return {name: {n for n, times in numbers.items() if times >= OFTEN} for name, numbers in often.items()}
