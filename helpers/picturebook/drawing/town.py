"""Places in a town: city, street with its crowd, wall, temple. Windows and bricks are few and large."""

from __future__ import annotations

import random

from ..canvas import UNITS, Canvas, Color
from ..scene import Scene
from .body import free_side
from .crowd import draw_crowd
from .light import SNOW, Box, Light, boxes, floor, hills, off_middle, tree
from .palette import darker, lighter, mix

_TOWERS: tuple[Color, ...] = ((84, 102, 140), (118, 130, 158), (66, 84, 122), (138, 144, 164))


def draw_city(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Six skyscrapers, the tallest with a spire; a square of slabs."""
    stream, side = scene.stream("city"), free_side(scene)
    foot = horizon + 6
    far = [p for i in range(7) for h in [horizon - stream.uniform(14, 26)] for p in ((i * 19, h), (i * 19 + 19, h))]
    canvas.polygon([*far, (133, foot), (0, foot)], light((166, 184, 212)))
    for i in range(6):
        x = 64 + side * (62 - 24 * i)
        tall = i == 1
        top = stream.uniform(16, 20) if tall else stream.uniform(38, 46) if i > 3 else stream.uniform(28, 42)
        half = stream.uniform(10, 11.5)
        _draw_skyscraper(canvas, light, (x - half, top, x + half, foot), _TOWERS[(i + stream.randrange(2)) % 4], tall)
    floor(canvas, horizon + 5, light.ground((142, 146, 156)))
    canvas.rect(0, horizon + 5, UNITS, horizon + 9, light.ground((180, 182, 190)))
    joint = light.ground((122, 126, 138))
    for x in (-30, 17, 64, 111, 158):  # big slabs, seen in perspective
        canvas.line([(64 + (x - 64) * 0.7, horizon + 9), (64 + (x - 64) * 1.8, UNITS)], joint, 1.8)
    canvas.line([(0, horizon + 26), (UNITS, horizon + 26)], joint, 1.8)


def _draw_skyscraper(canvas: Canvas, light: Light, box: Box, color: Color, landmark: bool) -> None:
    """A skyscraper filling `box` with two columns of big windows; the landmark has a step and a spire on top."""
    x0, y0, x1, y1 = box
    middle, body = (x0 + x1) / 2, light(color)
    canvas.rect(x0, y0, x1, y1, body)
    canvas.rect(x1 - 3, y0, x1, y1, light(darker(color, 0.3)))
    if landmark:
        canvas.polygon([(x0 + 4, y0), (x0 + 4, y0 - 5), (middle - 2, y0 - 7), (middle, y0 - 16), (middle + 2, y0 - 7),
                        (x1 - 4, y0 - 5), (x1 - 4, y0)], body)
    elif light.snowy:
        canvas.rect(x0, y0 - 2, x1, y0 + 1, light(SNOW), round(255 * light.snowy**0.5))
    windows = [(x, y, x + 5.5, y + 5.5) for k in range(6) for y in [y0 + 4 + 10 * k] if y < y1 - 8
               for x in (x0 + 3, x1 - 9.5)]
    boxes(canvas, windows, light.glow((206, 228, 246), (255, 222, 110)))


_FACADES: tuple[Color, ...] = ((240, 200, 136), (218, 116, 92), (140, 190, 176), (246, 226, 186), (206, 150, 180),
                               (164, 182, 220))
_AWNINGS: tuple[Color, ...] = ((214, 52, 56), (36, 140, 100), (44, 100, 186), (146, 66, 150))


def draw_street(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Four town houses with shops, the pavement with its crowd, the road, a lamp."""
    stream, side = scene.stream("street"), free_side(scene)
    base = horizon + 12
    facades, awnings = stream.sample(_FACADES, 4), stream.sample(_AWNINGS, 4)
    for i, (wall, awning) in enumerate(zip(facades, awnings, strict=True)):
        x = 64 + side * (60 - 38 * i)
        _draw_shop(canvas, light, (x - 19, stream.uniform(37, 43) if i > 2 else stream.uniform(26, 38), x + 19, base),
                   wall, awning)
    floor(canvas, base, light.ground((214, 204, 190)))
    kerb = base + 22
    canvas.rect(0, kerb, UNITS, kerb + 3, light.ground((240, 236, 228)))
    floor(canvas, kerb + 3, light.ground((90, 92, 104), 0.85))
    shift, y = stream.uniform(0, 40), kerb + 3 + (UNITS - kerb) * 0.4
    boxes(canvas, [(k * 40 - shift, y, k * 40 - shift + 22, y + 4) for k in range(5)], light((250, 242, 218)))
    _draw_lamp(canvas, light, off_middle(stream, side, 50, 56), base + 12)
    with canvas.part("crowd"):
        draw_crowd(canvas, scene, light, base)


def _draw_shop(canvas: Canvas, light: Light, box: Box, wall: Color, awning: Color) -> None:
    """A town house filling `box`: two windows above, a shop with a striped awning below."""
    x0, y0, x1, y1 = box
    canvas.rect(x0, y0, x1, y1, light(wall))
    canvas.rect(x0 - 1, y0 - 4, x1 + 1, y0, light.ground(darker(wall, 0.35), 0.9))
    glass = light.glow((112, 170, 212), (255, 220, 120))
    high = min(y0 + 17, y1 - 27)
    for x in (x0 + 6, x1 - 16):
        canvas.rect(x - 1.5, y0 + 3.5, x + 11.5, high + 1.5, light((252, 246, 236)))
        canvas.rect(x, y0 + 5, x + 10, high, glass)
    canvas.rect(x0 + 4, y1 - 16, x1 - 15, y1 - 3, glass)
    canvas.rect(x1 - 12, y1 - 16, x1 - 4, y1, light(darker(awning, 0.35)))
    width = (x1 - x0 - 2) / 5
    for k in range(5):
        canvas.rect(x0 + 1 + k * width, y1 - 24, x0 + 1 + (k + 1) * width, y1 - 14,
                    light((254, 248, 238)) if k % 2 else light.ground(awning, 0.5))


def _draw_lamp(canvas: Canvas, light: Light, x: float, base: float) -> None:
    """A street lamp, lit unless it is day."""
    iron = light((40, 48, 58))
    if light.sky != "day":
        canvas.ellipse(x, base - 46, 14, 14, (255, 226, 140), opacity=70)
    canvas.line([(x, base), (x, base - 42)], iron, 3.4)
    canvas.polygon([(x - 4, base - 40), (x + 4, base - 40), (x + 6, base - 51), (x - 6, base - 51)],
                   light.glow((250, 248, 232), (255, 232, 140)))
    canvas.polygon([(x - 7, base - 51), (x + 7, base - 51), (x, base - 57)], iron)


_BRICKS: tuple[Color, ...] = ((190, 86, 62), (172, 76, 60), (204, 110, 74))


def draw_wall(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A big brick wall with bricks of 24 x 12 units and pale joints, ivy on one side, a path."""
    stream, side = scene.stream("wall"), free_side(scene)
    brick, foot, top = stream.choice(_BRICKS), horizon + 26, 40.0
    rows = round((foot - top) / 12)
    shift = stream.uniform(0, 24)
    canvas.rect(0, top, UNITS, foot, light(mix(brick, (228, 208, 188), 0.5)))
    shades: tuple[list[Box], ...] = ([], [], [])
    for r in range(rows):
        y = foot - 12 * (r + 1)
        for k in range(-1, 6):
            x = 24 * k + shift + r % 2 * 12
            shades[(0, 0, 0, 1, 2)[stream.randrange(5)]].append((x - 12, y + 0.9, x + 10.2, y + 12))
    for paint, bricks in zip((brick, darker(brick, 0.1), lighter(brick, 0.1)), shades, strict=True):
        boxes(canvas, bricks, light(paint))
    canvas.rect(0, top - 4, UNITS, top + 3, light.ground((204, 186, 170)))
    floor(canvas, foot, light.ground((198, 190, 178)))
    canvas.rect(0, foot - 2, UNITS, foot + 6, light.ground((100, 164, 72), 0.8))
    _draw_ivy(canvas, light, stream, side, (top, foot))


def _draw_ivy(canvas: Canvas, light: Light, stream: random.Random, side: int, span: tuple[float, float]) -> None:
    """Big leaves at one edge of the wall, from its top to its foot."""
    top, foot = span
    for i in range(6):
        y = top + (i + 0.3) * (foot - top) / 6
        x = 64 + side * (62 - 5 * (i % 2))
        canvas.ellipse(x, y, 8.5, 7, light.ground(((52, 132, 64), (76, 158, 78))[i % 2], 0.3), stream.uniform(-20, 20))


def draw_temple(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A Greek temple on its rock, so broad that it is seen on both sides of what stands before it."""
    stream, side = scene.stream("temple"), free_side(scene)
    x, base = 64 + side * stream.uniform(2, 8), horizon + 18
    hills(canvas, horizon + 4, 12, 2.4, stream.uniform(0, 6), light.ground((156, 178, 144), 0.6))
    canvas.polygon([(x - 76, base + 12), (x - 60, base - 1), (x + 60, base - 1), (x + 76, base + 12)],
                   light.ground((196, 174, 136), 0.7))
    _draw_temple_house(canvas, light, x, base)
    floor(canvas, base + 9, light.ground((224, 204, 146)))
    for s in (-1, 1):
        tree(canvas, light, off_middle(stream, s, 54, 60), base + 14, stream.uniform(28, 32), (118, 158, 84))


def _draw_temple_house(canvas: Canvas, light: Light, x: float, base: float) -> None:
    """The temple, 108 units wide, its lowest step at height `base`."""
    marble, shade = light((252, 242, 220)), light((206, 188, 160))
    top = base - 40
    canvas.rect(x - 46, top, x + 46, base, light((122, 104, 104)))
    for column in (-51, -34, -17, 0, 17, 34, 51):
        canvas.rect(x + column - 5, top, x + column + 5, base - 6, marble)
        canvas.rect(x + column + 2, top, x + column + 5, base - 6, shade)
    canvas.rect(x - 60, base - 4, x + 60, base, shade)
    canvas.rect(x - 57, base - 8, x + 57, base - 4, marble)
    canvas.rect(x - 57, top - 6, x + 57, top + 1, marble)
    canvas.line([(x - 57, top + 1), (x + 57, top + 1)], shade, 2)
    canvas.polygon([(x - 60, top - 6), (x + 60, top - 6), (x, top - 28)], light.ground((252, 242, 220), 0.9))
    canvas.polygon([(x - 40, top - 9), (x + 40, top - 9), (x, top - 23)], shade)
