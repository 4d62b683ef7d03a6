"""Behind and below the main thing: the sky (sky.py), the eleven places (nature.py, town.py, room.py), falling snow."""

from __future__ import annotations

from collections.abc import Callable

from ..canvas import Canvas
from ..scene import Scene
from . import nature, town
from .light import Light, horizon_of
from .room import draw_room
from .sky import draw_sky, draw_weather

PLACES: dict[str, Callable[[Canvas, Scene, Light, float], None]] = {
    "beach": nature.draw_beach, "forest": nature.draw_forest, "desert": nature.draw_desert,
    "meadow": nature.draw_meadow, "mountain": nature.draw_mountain, "river": nature.draw_river,
    "city": town.draw_city, "street": town.draw_street, "wall": town.draw_wall, "temple": town.draw_temple,
    "room": draw_room,
}


def draw_place(canvas: Canvas, scene: Scene) -> None:
    """The land, or the room, with everything that makes it this place; nothing in it reaches far into the middle."""
    with canvas.part("place"):
        PLACES[scene.place](canvas, scene, Light(scene.sky, scene.snowy), horizon_of(scene))


__all__ = ["PLACES", "draw_place", "draw_sky", "draw_weather"]
