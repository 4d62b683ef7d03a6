"""Behind and below the main thing: the eleven places."""

from __future__ import annotations

from collections.abc import Callable

from ..canvas import Canvas
from ..scene import Scene
from .light import Light, horizon_of
from .nature import draw_beach, draw_desert, draw_forest, draw_meadow, draw_mountain, draw_river
from .town import draw_city, draw_room, draw_street, draw_temple, draw_wall


def draw_place(canvas: Canvas, scene: Scene) -> None:
    """The land, or the room, with everything that makes it this place; nothing in it reaches far into the middle."""
    light = Light(scene.sky, scene.snowy)
    with canvas.part("place"):
        _PLACES[scene.place](canvas, scene, light, horizon_of(scene))


_PLACES: dict[str, Callable[[Canvas, Scene, Light, float], None]] = {
    "beach": draw_beach, "forest": draw_forest, "desert": draw_desert, "city": draw_city, "street": draw_street,
    "meadow": draw_meadow, "mountain": draw_mountain, "wall": draw_wall, "temple": draw_temple,
    "river": draw_river, "room": draw_room,
}
