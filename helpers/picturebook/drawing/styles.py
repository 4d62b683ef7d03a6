"""The styles of the world: what a picture looks like, whatever is in it.

Every style draws the same display list. The vector styles (pencil, crayon, watercolor) first let the outlines waver in
a smooth field, so that neighbouring shapes stay together; then paper, wax and pigment are textures laid over the
pixels. Textures are computed once per size and shifted from picture to picture.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import aggdraw
import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from ..canvas import UNITS, Canvas, Color, Shape, render
from ..scene import Scene
from .palette import darker

PAPER: Color = (252, 250, 244)
BACKGROUND = ("place", "sky", "clouds", "rainbow", "crowd", "snow")  # the parts behind the main thing
BLEED = 6.0  #: what touches the border is drawn this far over it, so that a wavering edge never shows there
CELL = 3  #: a pixel-art cell's width and height, in picture units: smaller than sunglasses
INKS = 32  #: how many colours a pixel-art picture has


def apply(scene: Scene, canvas: Canvas, size: int) -> Image.Image:
    """The picture in the scene's style, `size` x `size` pixels, mode RGB."""
    if scene.style == "plain" or not canvas.shapes:
        return render(canvas, size)
    return _STYLES[scene.style](canvas.shapes, size, scene.stream("style"))


# --- outlines that waver -------------------------------------------------------------------------------------------

def _subdivided(shapes: Sequence[Shape], longest: float = 7.0) -> tuple[np.ndarray, list[int]]:
    """All points of all shapes, with no edge longer than `longest` units: (n, 2), and how many each shape has."""
    counts = np.array([len(s.points) for s in shapes])
    points = np.concatenate([s.points for s in shapes]).astype(np.float32)
    ends = np.cumsum(counts)
    following = np.concatenate([points[1:], points[:1]])
    following[ends - 1] = points[ends - counts]  # a shape's last edge leads back to its first point
    strokes = np.array([s.width > 0 for s in shapes])
    edges = following - points
    edges[ends[strokes] - 1] = 0  # ... but a stroke is open
    pieces = np.ceil(np.abs(edges).max(axis=1).clip(1, 2 * UNITS) / longest).astype(int)
    first = np.cumsum(pieces) - pieces
    owner = np.repeat(np.arange(len(points)), pieces)
    step = ((np.arange(len(owner)) - first[owner]) / pieces[owner]).astype(np.float32)
    totals = np.add.reduceat(pieces, ends - counts)
    return points[owner] + edges[owner] * step[:, None], totals.tolist()


def _field(points: np.ndarray, stream: random.Random, waves: Sequence[tuple[float, float]]) -> np.ndarray:
    """A smooth random displacement at `points` (n, 2): a sum of waves of (length, height), all in picture units."""
    shift = np.zeros_like(points)
    for length, height in waves:
        for axis in (0, 1):
            angle = stream.uniform(-0.5, 0.5) + axis * math.pi / 2
            along, across = math.sin(angle) * 2 * math.pi / length, math.cos(angle) * 2 * math.pi / length
            phase = points[:, 0] * along + points[:, 1] * across + stream.uniform(0, 2 * math.pi)
            shift[:, axis] += height * np.sin(phase)
    return shift


def _paths(shapes: Sequence[Shape], size: int, *shifts: Callable[[np.ndarray], np.ndarray]) -> list[list[list[float]]]:
    """For each displacement, every shape's points in pixels, as aggdraw wants them."""
    points, counts = _subdivided(shapes)
    points += np.float32(BLEED) * ((points > UNITS - 0.5).astype(np.float32) - (points < 0.5))
    result = []
    for shift in shifts:
        flat = ((points + shift(points)) * (size / UNITS)).ravel().tolist()
        paths, start = [], 0
        for count in counts:
            paths.append(flat[start : start + 2 * count])
            start += 2 * count
        result.append(paths)
    return result


# --- textures ------------------------------------------------------------------------------------------------------

@lru_cache(maxsize=64)
def _noise(size: int, wavelength: tuple[float, float], angle: float = 0.0, number: int = 0) -> np.ndarray:
    """Smooth noise for a picture of `size` pixels: (2 size, 2 size) float32, mean 0.5, evenly spread over [0, 1].

    Its wavelengths, along and across, are in picture units; `angle` turns it, in degrees.
    """
    extent = 3 * UNITS  # larger than the result, so that turning leaves no empty corners
    grid = [max(2, round(extent / w)) for w in wavelength]
    raw = np.random.default_rng(number).random((grid[1], grid[0]), dtype=np.float32)
    pixels = 3 * size
    image = Image.fromarray(raw).resize((pixels, pixels), Image.Resampling.BICUBIC)
    image = image.rotate(angle, Image.Resampling.BILINEAR)
    values = np.asarray(image)[size // 2 : size // 2 + 2 * size, size // 2 : size // 2 + 2 * size]
    ranks = np.searchsorted(np.sort(values.ravel()[:: 7]), values)
    even: np.ndarray = (ranks / ranks.max()).astype(np.float32)
    return even


@lru_cache(maxsize=8)
def _hatching(size: int) -> np.ndarray:
    """Parallel pencil strokes, not quite even: (2 size, 2 size) float32, 0 on a stroke, 1 between two."""
    y, x = np.mgrid[: 2 * size, : 2 * size].astype(np.float32) * (UNITS / size)
    phase = (x + 1.25 * y) / 4.6 + 1.1 * _noise(size, (30.0, 30.0), 0.0, 6)
    pressure = _noise(size, (26.0, 2.2), 141.0, 7)
    strokes: np.ndarray = (0.5 + 0.42 * np.sin(2 * math.pi * phase) + 0.5 * (pressure - 0.5)).clip(0, 1)
    return strokes


def _somewhere(texture: np.ndarray, size: int, stream: random.Random) -> np.ndarray:
    """A `size` x `size` window of a texture."""
    x, y = int(stream.random() * size), int(stream.random() * size)
    return texture[y : y + size, x : x + size]


def _blend(image: Image.Image, color: Color, amount: np.ndarray) -> Image.Image:
    """`color` laid over the image by `amount` in [0, 1], (size, size)."""
    mask = Image.fromarray((amount * 255).clip(0, 255).astype(np.uint8))
    return Image.composite(Image.new("RGB", image.size, color), image, mask)


# --- pencil --------------------------------------------------------------------------------------------------------

_PENCIL_WAVES = (((40, 0.4), (13, 0.2)), ((24, 0.9),))  # of the first and the second line


def _pencil(shapes: Sequence[Shape], size: int, stream: random.Random) -> Image.Image:
    """Graphite outlines on white paper; the colours pale, the shadows hatched."""
    image = Image.new("RGB", (size, size), (255, 255, 255))
    k = size / UNITS
    paths, again = _paths(shapes, size, *(partial(_field, stream=stream, waves=w) for w in _PENCIL_WAVES))
    draw = aggdraw.Draw(image)
    graphite, thin = aggdraw.Pen((66, 66, 72), 0.8 * k), aggdraw.Pen((74, 74, 82), 0.55 * k, 205)
    rooms, colors = _outline_rooms(shapes), _penciled(shapes)
    for shape, path, second, room, pale in zip(shapes, paths, again, rooms, colors, strict=True):
        behind = shape.part in BACKGROUND
        if shape.width:
            draw.line(path, aggdraw.Pen(pale, max(shape.width, 0.8) * k, shape.opacity))
            continue
        pen = None if room < (4 if behind else 3) else thin if behind or room < 9 else graphite
        draw.polygon(path, pen, aggdraw.Brush(pale, shape.opacity))
        if pen is graphite and room > 13:
            draw.line(second + second[:2], thin)
    draw.flush()
    brightest = ImageChops.lighter(ImageChops.lighter(*image.split()[:2]), image.getchannel("B"))
    tone = ImageChops.blend(brightest, image.convert("L"), 0.3)  # so vivid colours are hatched less than dark ones
    darkness = 1 - np.asarray(tone, dtype=np.float32) / 255
    hatch = _somewhere(_hatching(size), size, stream)
    tooth = _somewhere(_noise(size, (1.2, 1.2), 0.0, 2), size, stream)
    image = _blend(image, (255, 255, 255), (hatch + tooth * 0.6 - 0.4) * 0.45)
    light = 255 * (1 - ((darkness * 1.4 - hatch) * 1.1).clip(0, 0.42))
    return ImageChops.multiply(image, Image.fromarray(light.astype(np.uint8)).convert("RGB"))


def _penciled(shapes: Sequence[Shape]) -> list[tuple[int, ...]]:
    """The shapes' colours as coloured pencils leave them: grayer, and nearer to white, most of all behind."""
    colors = np.array([s.color for s in shapes], dtype=np.float32)
    paleness = np.array([0.7 if s.part in BACKGROUND else 0.22 for s in shapes], dtype=np.float32)[:, None]
    gray = colors @ np.array([[0.3], [0.6], [0.1]], dtype=np.float32)
    colors += (gray - colors) * paleness / 2
    return [tuple(c) for c in (colors + (255 - colors) * paleness).astype(int).tolist()]


def _outline_rooms(shapes: Sequence[Shape]) -> list[float]:
    """How large each shape is, as far as an outline goes: 0 for strokes, veils, bands of the sky, and tufts of fur."""
    starts = np.cumsum([0, *(len(s.points) for s in shapes)])[:-1]
    points = np.concatenate([s.points for s in shapes])
    extents = np.maximum.reduceat(points, starts) - np.minimum.reduceat(points, starts)
    rooms = []
    before = None
    for shape, (width, height) in zip(shapes, extents.tolist(), strict=True):
        room = min(width, height)
        band = shape.part == "sky" and width > UNITS / 2
        tuft = shape.color == before and room < 9
        rooms.append(0.0 if shape.width or shape.opacity < 200 or band or tuft else room)
        before = shape.color
    return rooms


# --- crayon --------------------------------------------------------------------------------------------------------

_CRAYON_WAVES = ((46, 0.9), (17, 0.5))


def _crayon(shapes: Sequence[Shape], size: int, stream: random.Random) -> Image.Image:
    """Wax crayons in a child's hand: wavering shapes, thick dark outlines, paper between the strokes."""
    image = Image.new("RGB", (size, size), PAPER)
    (paths,) = _paths(shapes, size, lambda p: _field(p, stream, _CRAYON_WAVES))
    first = next((i for i, s in enumerate(shapes) if s.part not in BACKGROUND), len(shapes))
    wax = _somewhere(_noise(size, (20.0, 1.7), -35.0, 1), size, stream)
    grain = _somewhere(_noise(size, (1.2, 1.2), 0.0, 2), size, stream)
    widths = [min(1.0, 0.08 * room) if i < first else min(1.7, 0.13 * room)
              for i, room in enumerate(_outline_rooms(shapes))]
    _crayon_shapes(image, shapes[:first], paths[:first], widths[:first])
    image = _waxed(image, wax * 1.5 + grain * 0.45 - 0.9, 0.9)
    _crayon_shapes(image, shapes[first:], paths[first:], widths[first:])
    return _waxed(image, wax.T * 0.5 + grain * 0.9 - 0.75, 0.6)


def _waxed(image: Image.Image, gaps: np.ndarray, most: float) -> Image.Image:
    """Paper showing through `gaps` (size, size) in the wax, by `most` at most and less through dark colours."""
    tone = np.asarray(image.convert("L"), dtype=np.float32) / 255
    return _blend(image, PAPER, gaps.clip(0, most) * (0.15 + 0.8 * tone))


def _crayon_shapes(image: Image.Image, shapes: Sequence[Shape], paths: Sequence[list[float]],
                   widths: Sequence[float]) -> None:
    """Shapes with outlines of these widths (picture units) in a dark shade of their colour."""
    draw = aggdraw.Draw(image)
    k = image.width / UNITS
    for shape, path, width in zip(shapes, paths, widths, strict=True):
        if shape.width:
            draw.line(path, aggdraw.Pen(shape.color, max(shape.width * 1.15, 1.2) * k, shape.opacity))
            continue
        pen = aggdraw.Pen(darker(shape.color, 0.65), width * k) if width > 0.4 else None
        draw.polygon(path, pen, aggdraw.Brush(shape.color, shape.opacity))
    draw.flush()


# --- watercolor ----------------------------------------------------------------------------------------------------

_BRUSH_WAVES = ((30, 0.7), (9, 0.35))


@lru_cache(maxsize=1)
def _pigment() -> np.ndarray:
    """What light is left of each value under each amount of pigment: (256 amounts, 256 values) uint8."""
    light = np.arange(256, dtype=np.float32) / 255
    amount = np.arange(256, dtype=np.float32)[:, None] / 128  # 128: as much as in the plain picture
    return np.round(255 * light.clip(0.02) ** amount).astype(np.uint8)


def _watercolor(shapes: Sequence[Shape], size: int, stream: random.Random) -> Image.Image:
    """Pigment in water: soft edges with darker rims, uneven washes, paper grain, a ragged white margin."""
    image = Image.new("RGB", (size, size), (255, 255, 255))
    draw = aggdraw.Draw(image)
    k = size / UNITS
    (paths,) = _paths(shapes, size, lambda p: _field(p, stream, _BRUSH_WAVES))
    for shape, path in zip(shapes, paths, strict=True):
        if shape.width:
            draw.line(path, aggdraw.Pen(shape.color, shape.width * k, shape.opacity))
        else:
            draw.polygon(path, None, aggdraw.Brush(shape.color, shape.opacity))
    draw.flush()
    wet = image.filter(ImageFilter.GaussianBlur(0.55 * k))
    tone = np.asarray(wet.convert("L"), dtype=np.float32)
    around = np.asarray(wet.convert("L").filter(ImageFilter.BoxBlur(2.5 * k)), dtype=np.float32)
    wash = _somewhere(_noise(size, (26.0, 26.0), 0.0, 3), size, stream)
    bloom = _somewhere(_noise(size, (7.0, 7.0), 0.0, 4), size, stream)
    grain = _somewhere(_noise(size, (1.6, 1.6), 0.0, 5), size, stream)
    amount = 30 + 75 * wash + 22 * bloom + 22 * grain + (1.5 * (around - tone)).clip(-14, 70)
    amount = amount.clip(0, 255) * _inside(size, bloom)
    values = _pigment()[amount.astype(np.uint8)[:, :, None], np.asarray(wet)]
    return Image.fromarray(values)


def _inside(size: int, ragged: np.ndarray) -> np.ndarray:
    """1 inside the painted area, 0 on the margin: (size, size)."""
    edge = (np.arange(size) + 0.5) * UNITS / size
    edge = np.minimum(edge, UNITS - edge)
    return (np.minimum(edge[:, None], edge[None, :]) - 1.5 - 4.5 * ragged).clip(0, 1)


# --- pixel art -----------------------------------------------------------------------------------------------------

def _pixels(shapes: Sequence[Shape], size: int, stream: random.Random) -> Image.Image:
    """Large square cells in few colours; every cell shows what is at its middle, so no two colours mix."""
    cells = -(-UNITS // CELL)
    fine = cells * CELL  # pixels of one picture unit
    image = Image.new("RGB", (fine, fine), (255, 255, 255))
    draw = ImageDraw.Draw(image, "RGBA")
    for shape in shapes:
        flat = shape.points.ravel().tolist()
        if not shape.width:
            draw.polygon(flat, (*shape.color, shape.opacity))
        elif shape.width > 0.8:  # a hair thinner than that is no cell of its own
            draw.line(flat, (*shape.color, shape.opacity), max(CELL - 1, round(shape.width)))
    image = image.resize((cells, cells), Image.Resampling.NEAREST)
    image = image.quantize(INKS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).convert("RGB")
    box = (0, 0, UNITS / CELL, UNITS / CELL)  # the last row and column of cells may reach over the border
    return image.resize((size, size), Image.Resampling.NEAREST, box=box)


_STYLES = {"pencil sketch": _pencil, "watercolor": _watercolor, "children drawing": _crayon, "pixel art": _pixels}
