"""Drawing a scene: back to front, every part on one canvas."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from PIL import Image

from ...core.values import Kind, Number, OneOf, WrongKind, entrance, shown
from ..canvas import Canvas, labels
from ..scene import Scene
from ..vocabulary import ABSENT, CREATURES
from . import animals, outfits, places, props, rides, sky, styles, things

#: what a pixel can belong to; the index is the label in a label map
PARTS = ("place", "sky", "clouds", "rainbow", "crowd", "snow", "thing", "topping", "ride", "wearing", "holding",
         "beside", "prop")


def as_scene(name: str, value: Any) -> Scene:
    """The scene that is to be drawn."""
    if not isinstance(value, Scene):
        raise WrongKind(f"{name} is {shown(value)}; expected a scene: Scene(thing='cat').")
    return value


AScene = Annotated[Scene, Kind(as_scene)]
Side = Annotated[int, Number(8, 2048, whole=True, hint="pixels")]


def compose(scene: Scene) -> Canvas:
    """Every shape of the picture, in painting order."""
    canvas = Canvas()
    sky.draw_sky(canvas, scene)
    places.draw_place(canvas, scene)
    if scene.thing in CREATURES:
        body = animals.pose(scene)
        rides.draw_behind(canvas, scene, body)
        props.draw_behind(canvas, scene, body)
        outfits.draw_behind(canvas, scene, body)
        animals.draw(canvas, scene, body)
        outfits.draw_front(canvas, scene, body)
        rides.draw_front(canvas, scene, body)
        props.draw_front(canvas, scene, body)
    elif scene.thing != ABSENT:
        things.draw_main(canvas, scene)
    if scene.beside != ABSENT:  # nearest to us: a ride or the water would hide it otherwise
        things.draw_beside(canvas, scene)
    sky.draw_weather(canvas, scene)
    return canvas


@entrance
def draw(scene: AScene, size: Side = 128) -> Image.Image:
    """The picture of a scene, `size` x `size` pixels, mode RGB."""
    return styles.apply(scene, compose(scene), size)


@entrance
def part_labels(scene: AScene, size: Side = 128) -> np.ndarray:
    """Which part each pixel of the picture shows: (size, size) uint8, indices into `PARTS`."""
    return labels(compose(scene), PARTS, size)


@entrance
def part_mask(scene: AScene, part: Annotated[str, OneOf(*PARTS)], size: Side = 128) -> Image.Image:
    """Where a part is seen: mode "L", white on it."""
    return Image.fromarray(np.where(part_labels(scene, size) == PARTS.index(part), 255, 0).astype(np.uint8))


__all__ = ["PARTS", "compose", "draw", "part_labels", "part_mask"]
