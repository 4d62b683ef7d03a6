"""Where the details that a reader counts stand in a drawing: the main thing, sun or moon, eyes, wheels.

    details(scene)      [Detail("eye", 61.2, 48.0, 1.0), Detail("eye", 70.9, 47.6, 1.0), Detail("lamp", ...), ...]
    counts(scene)       {"main": {1}, "lamp": {1}, "eye": {2}, "wheel": {0}}: what the drawing shows
    asked(scene)        the same, but whatever drawings of these words show, however they are laid out

A detail of which less than half is seen (CLEAR) may be counted or not; one nearly hidden (HIDDEN) is not there. Shapes
say themselves what detail they are a piece of (`Canvas.detail`); a main thing is known by its head, or is an object.
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
from helpers.picturebook.drawing import compose, heads, things
from helpers.picturebook.scene import Scene

DETAILS = ("main", "lamp", "eye", "wheel")
CLEAR, HIDDEN = 0.5, 0.12  # visible share from which a detail surely counts, and below which it is not there
LAYOUTS, OFTEN = 12, 2  # `asked`: so many layouts are drawn, and a count must occur in so many of them
CALLED = {"eye": "eye", "wheel": "wheel", "sun": "lamp", "moon": "lamp"}  # what the canvas calls them
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


def watch(draw: Callable[..., object], tags: Callable[[Canvas, list[int]], list[Tag]],
          found: list[Tag]) -> Callable[..., object]:
    """The same drawing function, but what it draws is added to the tags found."""
    def drawing(canvas: Canvas, *args: object, **named: object) -> object:
        before = len(canvas.shapes)
        result = draw(canvas, *args, **named)
        found.extend(tags(canvas, list(range(before, len(canvas.shapes)))))
        return result
    return drawing


@contextmanager
def watched(found: list[Tag]) -> Iterator[None]:
    """Inside, drawing a head or an object adds a main thing to the tags found."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(heads.HEADS, {k: watch(d, head, found) for k, d in heads.HEADS.items()}))
        stack.enter_context(mock.patch.object(things, "draw_main", watch(things.draw_main, whole("main"), found)))
        yield


def tagged(scene: Scene) -> tuple[list[Shape], list[Tag]]:
    """The shapes of a drawing, and which of them make which detail."""
    found: list[Tag] = []
    with watched(found):
        shapes = compose(scene).shapes
    for nth in sorted({s.nth for s in shapes} - {0}):
        own = tuple(i for i, s in enumerate(shapes) if s.nth == nth)
        if shapes[own[0]].detail in CALLED:
            found.append(Tag(CALLED[shapes[own[0]].detail], *middle(shapes[own[0]].points), own))
    return shapes, found


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
    shapes, found = tagged(scene)
    seen: dict[int, int] = {}
    for main in (True, False):  # eyes lie on the head, so heads have a map of their own
        values = [0] * len(shapes)
        for k, tag in enumerate(found):
            if (tag.name == "main") == main:
                for i in tag.shapes:
                    values[i] = k + 1
        map_of = np.bincount(painted(shapes, values).ravel(), minlength=len(found) + 1)
        seen |= {k: int(map_of[k + 1]) for k, tag in enumerate(found) if (tag.name == "main") == main}
    out = []
    for k, tag in enumerate(found):
        alone = [shapes[i] for i in tag.shapes]
        inside = np.mean([((s.points >= 0) & (s.points <= UNITS)).all(1).mean() for s in alone])
        full = np.count_nonzero(painted(alone, [255] * len(alone)))
        out.append(Detail(tag.name, tag.x, tag.y, float(seen[k] / full * inside) if full else 0.0))
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
