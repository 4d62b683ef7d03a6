"""How many suns, moons, eyes, wheels and mouths a drawing shows: what a made picture is counted against.

Every detail is drawn inside of `with canvas.detail("eye"):`. What something in front of it hides does not count: eyes
behind sunglasses are none, and closed ones neither. The sun or the moon counts outdoors and in the room's window.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ..canvas import UNITS, Canvas
from ..scene import Scene
from . import compose

DETAILS = ("sun", "moon", "eye", "wheel", "mouth")
_SEEN = 0.35  #: the share of a detail that must be seen for it to count


def detail_labels(scene: Scene, size: int = UNITS) -> np.ndarray:
    """Which detail each pixel shows: (size, size) uint8; 0 none, else 1 + its index in `DETAILS`."""
    canvas = compose(scene)
    kinds = np.zeros(256, np.uint8)
    for shape in canvas.shapes:
        if shape.detail in DETAILS:
            kinds[shape.nth] = 1 + DETAILS.index(shape.detail)
    found: np.ndarray = kinds[_numbers(canvas, size)]
    return found


def count_details(scene: Scene) -> dict[str, int]:
    """How many of each of `DETAILS` can be seen in the drawing."""
    canvas = compose(scene)
    numbers = _numbers(canvas, 2 * UNITS)
    counts = dict.fromkeys(DETAILS, 0)
    for nth, seen in visible(canvas, numbers).items():
        name = next(s.detail for s in canvas.shapes if s.nth == nth)
        if name in counts and seen >= _SEEN:
            counts[name] += 1
    return counts


def visible(canvas: Canvas, numbers: np.ndarray | None = None) -> dict[int, float]:
    """The number of every detail -> the share of it that nothing hides."""
    numbers = _numbers(canvas, 2 * UNITS) if numbers is None else numbers
    shares = {}
    for nth in sorted({s.nth for s in canvas.shapes} - {0}):
        alone = Canvas()
        alone.shapes = [s for s in canvas.shapes if s.nth == nth]
        whole = int((_numbers(alone, len(numbers)) == nth).sum())
        shares[nth] = int((numbers == nth).sum()) / max(whole, 1)
    return shares


def _numbers(canvas: Canvas, size: int) -> np.ndarray:
    """The number (`Shape.nth`) of the detail that each pixel shows: (size, size) uint8, 0 for none."""
    image = Image.new("L", (size, size), 0)
    draw, k = ImageDraw.Draw(image), size / UNITS
    for shape in canvas.shapes:
        flat = (shape.points * k).ravel().tolist()
        if shape.width:
            draw.line(flat, shape.nth, max(1, round(shape.width * k)))
        elif shape.opacity > 100:  # a veil hides nothing
            draw.polygon(flat, shape.nth)
    return np.asarray(image)
