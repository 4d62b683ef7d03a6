"""The styles of the world: what a picture looks like, whatever is in it.

Every style draws the same display list, so layout and label map are those of the plain picture. A style is a look that
a model can predict: outlines, fills, paper and regular patterns that are the same in every picture. None has a texture
of random grains, which no model of this size could learn, and which would hide what the picture shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import aggdraw
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ..canvas import UNITS, Canvas, Color, Shape, render
from ..scene import Scene
from .palette import darker, lighter, mix

BACKGROUND = ("place", "sky", "clouds", "rainbow", "crowd", "snow")  # the parts behind the main thing
CELL = 4  #: a pixel-art cell's width and height, in picture units
PATCH = 8  #: what one latent cell shows, in picture units: strokes that repeat with it look alike in every cell
INKS = 24  #: how many colours a pixel-art picture has
_PENCIL_PAPER: Color = (252, 251, 247)
_CREAM: Color = (255, 244, 214)


def apply(scene: Scene, canvas: Canvas, size: int) -> Image.Image:
    """The picture in the scene's style, `size` x `size` pixels, mode RGB."""
    if scene.style == "plain" or not canvas.shapes:
        return render(canvas, size)
    return _STYLES[scene.style](canvas.shapes, size)


def _is_rim(shape: Shape) -> bool:
    """Whether a stroke is the outline of the polygon after it (`Canvas.piece`)."""
    points = shape.points
    return shape.width > 0 and len(points) > 4 and bool((points[0] == points[-2]).all())


def _rooms(shapes: Sequence[Shape]) -> list[float]:
    """How large each shape is, as far as an outline goes: 0 for strokes, veils and the bands of the sky."""
    starts = np.cumsum([0, *(len(s.points) for s in shapes)])[:-1]
    points = np.concatenate([s.points for s in shapes])
    extents = (np.maximum.reduceat(points, starts) - np.minimum.reduceat(points, starts)).min(axis=1).tolist()
    return [0.0 if s.width or s.opacity < 200 or s.part == "sky" and not s.detail else room
            for s, room in zip(shapes, extents, strict=True)]


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel's middle, in picture units: two (size, size) arrays."""
    y, x = (np.mgrid[:size, :size].astype(np.float32) + 0.5) * (UNITS / size)
    return x, y


@lru_cache(maxsize=16)
def _hatching(size: int, period: float, width: float, falling: bool) -> np.ndarray:
    """Even diagonal strokes: (size, size, 1) float32, 1 on a stroke `width` units wide, 0 between two."""
    x, y = _grid(size)
    across = ((x + y if falling else x - y) / math.sqrt(2)) % period
    off = np.abs(across - period / 2) - width / 2
    strokes: np.ndarray = (0.5 - off * size / UNITS).clip(0, 1)[..., None]
    return strokes


def _on_paper(picture: np.ndarray, paper: Color, margin: float, wave: float) -> np.ndarray:
    """The picture (size, size, 3) with a rim of paper, `margin` units wide and wavy by `wave`."""
    amount = _inside(len(picture), margin, wave)
    framed: np.ndarray = picture * amount + np.array(paper, np.float32) * (1 - amount)
    return framed


@lru_cache(maxsize=8)
def _inside(size: int, margin: float, wave: float) -> np.ndarray:
    """1 inside of the painted area, 0 on the paper's rim: (size, size, 1)."""
    x, y = _grid(size)
    side = np.minimum(np.minimum(x, UNITS - x) + wave * np.sin(y / 7.0),
                      np.minimum(y, UNITS - y) + wave * np.sin(x / 8.0))
    inside: np.ndarray = ((side - margin) * size / UNITS / 2 + 0.5).clip(0, 1)[..., None]
    return inside


def _image(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


# --- pencil sketch ---------------------------------------------------------------------------------------------------

_GRAPHITE: Color = (58, 58, 66)
#: luminance -> gray left of it on the main thing, and behind it
_TONES = ((0, 45, 75, 110, 255), (48, 62, 116, 176, 255)), ((0, 60, 255), (168, 196, 255))


def _pencil(shapes: Sequence[Shape], size: int) -> Image.Image:
    """Clean dark outlines on white paper, light gray fills with a trace of colour, dark ones hatched evenly."""
    image = Image.new("RGB", (size, size), _PENCIL_PAPER)
    draw, k = aggdraw.Draw(image), size / UNITS
    line, thin = aggdraw.Pen(_GRAPHITE, 1.7 * k), aggdraw.Pen((140, 140, 148), 1.3 * k)
    rimmed = False
    for shape, room in zip(shapes, _rooms(shapes), strict=True):
        behind = shape.part in BACKGROUND
        flat = (shape.points * k).ravel().tolist()
        if shape.width:
            rimmed = _is_rim(shape)
            tone = _GRAPHITE if rimmed else _penciled(shape.color, behind)
            draw.line(flat, aggdraw.Pen(tone, shape.width * k, shape.opacity))
            continue
        pen = None if rimmed or room < 7 or shape.detail == "eye" else thin if behind else line
        draw.polygon(flat, pen, aggdraw.Brush(_penciled(shape.color, behind), shape.opacity))
        rimmed = False
    draw.flush()
    picture = np.asarray(image, np.float32)
    strokes = _hatching(size, PATCH / math.sqrt(2), 2.2, True)
    green = picture[..., 1:2]
    hatched = strokes * ((232 - green) / 40).clip(0, 1) * ((green - 120) / 30).clip(0, 1)
    return _image(_on_paper(picture - 24 * hatched, _PENCIL_PAPER, 3.0, 0.0))


def _penciled(color: Color, behind: bool) -> Color:
    """A colour as a pencil leaves it: gray, with a trace of its hue."""
    gray = 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2]
    tone = float(np.interp(gray, *_TONES[behind]))
    trace = 0.12 if behind else 0.26
    r, g, b = (min(max(round(tone + trace * (c - gray)), 0), 255) for c in color)
    return r, g, b


# --- watercolor ------------------------------------------------------------------------------------------------------

def _watercolor(shapes: Sequence[Shape], size: int) -> Image.Image:
    """A pale wash: soft edges, pigment gathered along them, smooth light and shade, a rim of white paper."""
    image = Image.new("RGB", (size, size), (255, 255, 255))
    draw, k = aggdraw.Draw(image), size / UNITS
    for shape in shapes:
        flat = (shape.points * k).ravel().tolist()
        if not shape.width:
            draw.polygon(flat, None, aggdraw.Brush(shape.color, shape.opacity))
        elif _is_rim(shape):  # instead of an outline, the colour's own darker edge
            draw.line(flat, aggdraw.Pen(mix(shape.color, (255, 255, 255), 0.4), shape.width * k, shape.opacity))
        else:
            draw.line(flat, aggdraw.Pen(shape.color, shape.width * k, shape.opacity))
    draw.flush()
    wet = image.filter(ImageFilter.GaussianBlur(0.5 * k))
    tone = np.asarray(wet, np.float32)
    around = np.asarray(image.filter(ImageFilter.BoxBlur(3.5 * k)), np.float32)
    x, y = _grid(size)
    wash = 0.74 + 0.12 * np.sin(x / 19 + 0.6) * np.cos(y / 23) + 0.1 * np.sin((x + y) / 31)
    pale = 255 - (255 - tone) * wash[..., None] - 0.35 * (around - tone).clip(0, 90)
    return _image(_on_paper(pale, (255, 255, 252), 7.0, 1.6))


# --- children drawing ------------------------------------------------------------------------------------------------

_OFF = (1.6, -1.2)  # how far the fills are off their outlines, in picture units


def _wavering(points: np.ndarray) -> np.ndarray:
    """Points as a child's hand sets them: the same gentle waves in every picture."""
    x, y = points[:, 0], points[:, 1]
    return points + np.stack([0.9 * np.sin(y / 7.3 + x / 31), 0.9 * np.sin(x / 8.1 - y / 29)], axis=1)


def _crayon(shapes: Sequence[Shape], size: int) -> Image.Image:
    """Thick coloured outlines, bright flat fills a little off, cream paper between even strokes behind."""
    image = Image.new("RGB", (size, size), _CREAM)
    k, rooms = size / UNITS, _rooms(shapes)
    first = next((i for i, s in enumerate(shapes) if s.part not in BACKGROUND), len(shapes))
    _crayon_shapes(image, shapes[:first], rooms[:first], k)
    picture: np.ndarray = np.asarray(image, np.float32)
    gaps = 0.24 * _hatching(size, 2 * PATCH / math.sqrt(2), 2.4, False)
    picture = picture + (np.array(_CREAM, np.float32) - picture) * gaps
    image = _image(_on_paper(picture, _CREAM, 4.5, 1.2))
    _crayon_shapes(image, shapes[first:], rooms[first:], k)
    return image


def _crayon_shapes(image: Image.Image, shapes: Sequence[Shape], rooms: Sequence[float], k: float) -> None:
    """Bright fills, and over each the outline of its shape."""
    draw, rimmed = aggdraw.Draw(image), False
    for shape, room in zip(shapes, rooms, strict=True):
        points = _wavering(shape.points)
        if shape.width:
            rimmed = _is_rim(shape)
            if not rimmed:
                draw.line((points * k).ravel().tolist(), aggdraw.Pen(shape.color, max(shape.width, 1.6) * k,
                                                                     shape.opacity))
            continue
        off = _OFF if rimmed or room > 12 else (0.0, 0.0)
        draw.polygon(((points + off) * k).ravel().tolist(), None, aggdraw.Brush(_bright(shape.color), shape.opacity))
        if (rimmed or room > 9) and shape.detail != "eye":
            shade = 0.3 if shape.part in BACKGROUND else 0.5
            edge = lighter(shape.color, 0.45) if sum(shape.color) < 200 else darker(shape.color, shade)
            draw.polygon((points * k).ravel().tolist(), aggdraw.Pen(edge, (3.0 if rimmed else 1.8) * k), None)
        rimmed = False
    draw.flush()


def _bright(color: Color) -> Color:
    """A colour as a wax crayon has it: more vivid."""
    gray = sum(color) / 3
    r, g, b = (min(max(round(gray + 1.25 * (c - gray) + 8), 0), 255) for c in color)
    return r, g, b


# --- pixel art -------------------------------------------------------------------------------------------------------

def _pixels(shapes: Sequence[Shape], size: int) -> Image.Image:
    """32 x 32 square cells in few colours; every cell shows what is at its middle. Things have a dark outline."""
    image, owner = Image.new("RGB", (UNITS, UNITS), (255, 255, 255)), Image.new("1", (UNITS, UNITS), 0)
    draw, own = ImageDraw.Draw(image, "RGBA"), ImageDraw.Draw(owner)
    eye = 0
    for shape in shapes:
        if shape.detail == "eye":  # what its shapes leave in the cells' middles would be no eye
            if shape.nth != eye:
                _pixel_eye(draw, shape)
            eye = shape.nth
            continue
        if _is_rim(shape):  # thinner than a cell; the outline below takes its place
            continue
        flat, front = shape.points.ravel().tolist(), shape.part not in BACKGROUND
        if not shape.width:
            draw.polygon(flat, (*shape.color, shape.opacity))
            if front and shape.opacity > 100:
                own.polygon(flat, 1)
        elif shape.width > 1.5:
            draw.line(flat, (*shape.color, shape.opacity), max(CELL, round(shape.width)))
            if front:
                own.line(flat, 1, max(CELL, round(shape.width)))
    cells = np.asarray(image)[CELL // 2 :: CELL, CELL // 2 :: CELL]
    small = Image.fromarray(_outlined(cells, np.asarray(owner)[CELL // 2 :: CELL, CELL // 2 :: CELL]))
    small = small.quantize(INKS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).convert("RGB")
    return small.resize((size, size), Image.Resampling.NEAREST)


def _pixel_eye(draw: ImageDraw.ImageDraw, shape: Shape) -> None:
    """A white block of whole cells with a dark one in it, where an eye's first shape is."""
    low, high = shape.points.min(axis=0), shape.points.max(axis=0)
    count = 3 if high[0] - low[0] > 9.5 else 2
    x, y = (int(round(float(c) / CELL - count / 2)) * CELL for c in (low + high) / 2)
    draw.rectangle((x, y, x + count * CELL - 1, y + count * CELL - 1), (255, 255, 255))
    draw.rectangle((x + CELL, y + (count - 2) * CELL, x + count * CELL - 1, y + count * CELL - 1), (30, 24, 36))


def _outlined(cells: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Cells (32, 32, 3) with those beside the things darkened, or lightened where it is dark."""
    wide = np.pad(front, 1)
    beside = (wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]) & ~front
    dark = cells.mean(axis=2, keepdims=True) < 80
    edge = np.where(dark, cells * 0.55 + 90, cells * 0.32)
    return np.where(beside[..., None], edge, cells).astype(np.uint8)


_STYLES = {"pencil sketch": _pencil, "watercolor": _watercolor, "children drawing": _crayon, "pixel art": _pixels}
