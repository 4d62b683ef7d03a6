"""Points along an arc."""

from __future__ import annotations

import numpy as np

from ..canvas import Point


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 17) -> list[Point]:
    """Points of an ellipse around (x, y) from angle `start` to `end`, in degrees clockwise from the right."""
    a = np.radians(np.linspace(start, end, count))
    return list(zip(x + rx * np.cos(a), y + ry * np.sin(a), strict=True))
