"""Picturebook: a small world drawn by code, and the text-to-image model trained on it.

    from helpers.picturebook import Scene, draw
    draw(Scene(thing="cat", ride="bicycle", doing="riding"))

scene.py says what is in a picture, caption.py what people type for it, drawing/ draws it, edits.py makes edits with
known answers, judge.py reads a picture. The folder `training/` of the repository trains the model.
"""

from .drawing import draw, part_mask
from .edits import Edit, random_edit
from .scene import Scene

__all__ = ["Edit", "Scene", "draw", "part_mask", "random_edit"]
