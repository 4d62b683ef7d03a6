"""A small picture to edit, and how far two pictures are apart."""

from __future__ import annotations

import numpy as np
from PIL import Image


def stripes(size: int = 32) -> Image.Image:
    """A picture to edit."""
    levels = np.indices((size, size)).sum(0) * 8 % 256
    return Image.fromarray(np.stack([levels, levels.T, 255 - levels], -1).astype(np.uint8))


def distance(a: Image.Image, b: Image.Image) -> int:
    """Largest difference of two pictures' levels."""
    return int(np.abs(np.asarray(a, dtype=int) - np.asarray(b, dtype=int)).max())
