"""City, street with its crowd, wall, temple and room."""

from __future__ import annotations

import random

import numpy as np

from ..canvas import UNITS, Canvas, Color
from ..scene import Scene
from .light import SNOW, Box, Light, draw_boxes, draw_dot, draw_floor, draw_hills, draw_tree, left_or_right
from .palette import darker, lighter
from .sky import WINDOW_HEIGHT, WINDOW_SCALE, WINDOW_TOP, WINDOW_WIDTH, flakes_of

_TOWERS: tuple[Color, ...] = ((86, 98, 124), (108, 116, 138), (70, 82, 108), (124, 126, 142), (96, 104, 120))


def draw_city(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Towers, one of them a landmark."""
    stream = scene.stream("city")
    far = [p for i in range(12) for h in [horizon - stream.uniform(20, 42)] for p in ((i * 11, h), (i * 11 + 11, h))]
    canvas.polygon([*far, (132, horizon + 4), (0, horizon + 4)], light((158, 174, 198)))
    tall = stream.randrange(1, 7)
    x = -4.0
    for i in range(9):
        width = stream.uniform(12, 19)
        height = stream.uniform(24, 46) if i != tall else stream.uniform(50, 56)
        _draw_tower(canvas, light, stream, (x, horizon + 6 - height, x + width, horizon + 6), i == tall)
        x += width + stream.uniform(-0.5, 1.5)
    draw_floor(canvas, horizon + 5, light.ground((128, 130, 138)))
    canvas.rect(0, horizon + 5, UNITS, horizon + 8, light.ground((164, 164, 168)))
    joint = light.ground((112, 114, 124))
    for x in range(-60, 200, 26):  # slabs, seen in perspective
        canvas.line([(64 + (x - 64) * 0.62, horizon + 8), (64 + (x - 64) * 2.1, UNITS)], joint, 0.9)
    for share in (0.12, 0.34, 0.66):
        y = horizon + 8 + (UNITS - horizon) * share
        canvas.line([(0, y), (UNITS, y)], joint, 0.9)


def _draw_tower(canvas: Canvas, light: Light, stream: random.Random, box: Box, landmark: bool) -> None:
    """A skyscraper filling `box`; the landmark has steps and a spire on top."""
    x0, y0, x1, y1 = box
    color, middle = stream.choice(_TOWERS), (x0 + x1) / 2
    body = light(color)
    canvas.rect(x0, y0, x1, y1, body)
    canvas.rect(x1 - 2.2, y0, x1, y1, light(darker(color, 0.25)))
    if landmark:
        left = [(x0 + 2.5, y0), (x0 + 2.5, y0 - 4), (x0 + 5, y0 - 4), (middle - 0.6, y0 - 9), (middle - 0.4, y0 - 15)]
        canvas.polygon([*left, *((x0 + x1 - x, y) for x, y in left[::-1])], body)
    elif light.snowy:
        canvas.rect(x0, y0 - 1.2, x1, y0 + 0.6, light(SNOW), round(255 * light.snowy**0.5))
    columns = 3 if x1 - x0 > 14 else 2
    step = (x1 - x0 - 3.2) / columns
    windows = [(x0 + 1.4 + c * step, y, x0 + 1.4 + c * step + step * 0.58, y + 2.4)
               for r in range(14) for y in [y0 + 3 + 4.4 * r] if y < y1 - 6
               for c in range(columns) if stream.random() < 0.8]
    draw_boxes(canvas, windows, light.glow((214, 228, 242), (255, 222, 120)))


_FACADES: tuple[Color, ...] = ((232, 196, 140), (206, 116, 92), (146, 182, 170), (238, 220, 188), (198, 150, 168),
                               (168, 178, 208), (222, 164, 96))
_AWNINGS: tuple[Color, ...] = ((206, 56, 58), (40, 128, 96), (48, 96, 170), (222, 150, 40), (142, 70, 140))


def draw_street(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """Shops, a lamp, and people where it is crowded."""
    stream = scene.stream("street")
    base, x = horizon + 9, -stream.uniform(2, 14)
    facades, awnings = stream.sample(_FACADES, 5), stream.sample(_AWNINGS, 5)
    for wall, awning in zip(facades, awnings, strict=True):
        width = stream.uniform(29, 33)
        _draw_shop(canvas, light, (x, stream.uniform(22, 34), x + width, base), wall, awning)
        x += width
    kerb = base + 21
    draw_floor(canvas, base, light.ground((206, 196, 182)))
    canvas.line([(0, base + 8), (UNITS, base + 8)], light.ground((184, 174, 162)), 0.9)
    canvas.rect(0, kerb, UNITS, kerb + 2.2, light.ground((232, 228, 220)))
    draw_floor(canvas, kerb + 2.2, light.ground((84, 86, 96), 0.85))
    shift, y = stream.uniform(0, 28), kerb + 2.2 + (UNITS - kerb) * 0.42
    draw_boxes(canvas, [(k * 28 - shift, y, k * 28 - shift + 16, y + 2.4) for k in range(6)], light((246, 238, 214)))
    for s in (-1, 1):
        _draw_lamp(canvas, light, 64 + s * stream.uniform(40, 46), base + 17)
        draw_tree(canvas, light, 64 + s * stream.uniform(56, 62), base + 12, 40, (84, 150, 74))
    with canvas.part("crowd"):
        _draw_crowd(canvas, scene, light, base)


def _draw_shop(canvas: Canvas, light: Light, box: Box, wall: Color, awning: Color) -> None:
    """A narrow town house filling `box`: windows above, a shop with an awning below."""
    x0, y0, x1, y1 = box
    canvas.rect(x0, y0, x1, y1, light(wall))
    canvas.rect(x0 - 0.6, y0 - 2.4, x1 + 0.6, y0 + 0.4, light.ground(darker(wall, 0.3), 0.9))
    glass = light.glow((120, 164, 196), (255, 220, 128))
    columns = [x0 + (x1 - x0) * f for f in (0.12, 0.42, 0.72)]
    floors = [y for y in (y0 + 4, y0 + 15) if y < y1 - 30]
    draw_boxes(canvas, [(x - 0.8, y - 0.8, x + 6.0, y + 7.8) for y in floors for x in columns], light((250, 244, 232)))
    draw_boxes(canvas, [(x, y, x + 5.2, y + 7) for y in floors for x in columns], glass)
    canvas.rect(x0 + 2, y1 - 15, x1 - 10, y1 - 2.5, glass)
    canvas.rect(x1 - 8.5, y1 - 15, x1 - 2.5, y1, light(darker(awning, 0.35)))
    top, edge, width = y1 - 20, y1 - 13, x1 - x0 - 2
    canvas.polygon([(x0 + 2, top), (x1 - 2, top), (x1, edge), (x0, edge)], light.ground(awning, 0.7))
    stripes = [(x0 + 1 + width * k / 8, top, x0 + 1 + width * (k + 1) / 8, edge + 1.6) for k in (1, 3, 5, 7)]
    draw_boxes(canvas, stripes, light((252, 246, 236)))


def _draw_lamp(canvas: Canvas, light: Light, x: float, base: float) -> None:
    """An old street lamp, lit unless it is day."""
    iron = light((44, 52, 58))
    if light.sky != "day":
        canvas.ellipse(x, base - 42, 9, 9, (255, 226, 140), opacity=70)
    canvas.line([(x, base), (x, base - 38)], iron, 1.6)
    canvas.polygon([(x - 2, base - 38), (x + 2, base - 38), (x + 3.2, base - 45), (x - 3.2, base - 45)],
                   light.glow((240, 238, 220), (255, 232, 150)))
    canvas.polygon([(x - 4, base - 45), (x + 4, base - 45), (x, base - 49)], iron)


_CLOTHES: tuple[Color, ...] = ((220, 70, 70), (60, 120, 200), (250, 196, 64), (90, 170, 100), (160, 92, 180),
                               (240, 140, 90), (70, 74, 96), (244, 244, 240), (238, 130, 170), (64, 164, 170))
_SKINS: tuple[Color, ...] = ((252, 216, 184), (240, 190, 150), (206, 148, 104), (150, 98, 66), (108, 70, 50))
_HAIRS: tuple[Color, ...] = ((52, 38, 32), (110, 70, 40), (222, 178, 90), (176, 80, 40), (150, 148, 150))
_PEOPLE = 26  # how many a street with crowded = 1 holds


def _draw_crowd(canvas: Canvas, scene: Scene, light: Light, base: float) -> None:
    """People on the pavement below height `base`; person i stands at the same spot however many there are."""
    if not scene.crowded:
        return
    stream = scene.stream("crowd")
    shift = stream.random()
    people = []
    for i in range(max(2, round(_PEOPLE * scene.crowded))):
        x = (shift + 0.618034 * i + stream.uniform(-0.015, 0.015)) % 1 * 124 + 2  # spread out, however many come
        people.append((base + stream.uniform(3, 19), x, stream.uniform(20, 25), stream.sample(_CLOTHES, 2),
                       stream.choice(_SKINS), stream.choice(_HAIRS), stream.random() < 0.4))
    for y, x, height, (top, bottom), skin, hair, dress in sorted(people):
        with canvas.at(x, y, height / 24):
            _draw_person(canvas, light(top), light(bottom), light(skin), light(hair), dress)


def _draw_person(canvas: Canvas, top: Color, bottom: Color, skin: Color, hair: Color, dress: bool) -> None:
    """A figure 24 units tall, its feet at (0, 0)."""
    if dress:
        draw_boxes(canvas, [(-2.2, -5, -0.6, 0), (0.6, -5, 2.2, 0)], skin)
        canvas.polygon([(-2.6, -15.5), (2.6, -15.5), (5, -4), (-5, -4)], top)
    else:
        canvas.polygon([(-3.2, -9), (3.2, -9), (3, 0), (0.5, 0), (0, -6), (-0.5, 0), (-3, 0)], bottom)
        canvas.polygon([(-3.4, -15.5), (3.4, -15.5), (4.8, -9), (3.4, -7.6), (-3.4, -7.6), (-4.8, -9)], top)
    draw_dot(canvas, 0, -19.8, 4.0, hair)
    draw_dot(canvas, 0, -18.9, 3.2, skin)
    if dress:
        draw_boxes(canvas, [(-4, -20, -2.8, -15), (2.8, -20, 4, -15)], hair)
    canvas.line([(-1.3, -18), (0, -17.2), (1.3, -18)], darker(skin, 0.55), 0.6)


_BRICKS: tuple[Color, ...] = ((176, 84, 62), (158, 72, 58), (190, 104, 72), (150, 84, 70))


def draw_wall(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A wall of bricks."""
    stream = scene.stream("wall")
    brick, foot, top = stream.choice(_BRICKS), horizon + 20, 30.0
    canvas.rect(0, top, UNITS, foot, light(brick))
    rows = round((foot - top) / 7.5)
    high, wide, shift = (foot - top) / rows, 17.0, stream.uniform(0, 17)
    odd = [(x, y, x + wide, y + high) for _ in range(12) for r in [stream.randrange(rows)]
           for x, y in [(stream.randrange(-1, 8) * wide + shift + r % 2 * wide / 2, top + r * high)]]
    draw_boxes(canvas, odd[::2], light(darker(brick, 0.16)))
    draw_boxes(canvas, odd[1::2], light(lighter(brick, 0.14)))
    mortar = light((222, 204, 186))
    for r in range(rows):
        y = top + r * high
        joints = [x + shift + r % 2 * wide / 2 for x in np.arange(-2 * wide, UNITS + wide, wide)]
        # one stroke for all the joints of a row: down here, up there
        canvas.line([p for k, x in enumerate(joints) for p in ((x, y + high * (k % 2)), (x, y + high * (1 - k % 2)))],
                    mortar, 0.9)
        canvas.line([(0, y), (UNITS, y)], mortar, 0.9)
    canvas.rect(0, top - 3.5, UNITS, top + 1, light.ground((196, 176, 160)))
    _draw_wall_foot(canvas, light, stream, foot, top)


def _draw_wall_foot(canvas: Canvas, light: Light, stream: random.Random, foot: float, top: float) -> None:
    """The path along the wall, the grass at its foot, ivy on one side."""
    draw_floor(canvas, foot, light.ground((186, 178, 168)))
    blades = [(x, foot - (4.5 if k % 2 else 1) - stream.uniform(0, 1.5)) for k, x in enumerate(range(-2, 134, 4))]
    canvas.polygon([*blades, (130, foot + 4), (-2, foot + 4)], light.ground((96, 148, 70), 0.8))
    side = left_or_right(stream)
    for i in range(11):
        x, y = 64 + side * (64 - stream.random() ** 1.6 * (14 if i > 5 else 20)), top + i * (foot - top) / 11
        r, green = stream.uniform(3.5, 6), stream.choice(((52, 122, 62), (74, 146, 74), (44, 104, 58)))
        draw_dot(canvas, x, y, r, light.ground(green, 0.3))


def draw_temple(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A temple on its rock."""
    stream = scene.stream("temple")
    x, base, side = stream.uniform(58, 70), horizon * 0.5 + 20, left_or_right(stream)
    rock = (186, 166, 132)
    draw_hills(canvas, horizon + 2, 10, 2.4, stream.uniform(0, 6), light.ground((150, 168, 140), 0.6))
    crest = [(x - 70, horizon + 8), (x - 54, horizon - 3), (x - 50, base + 6), (x - 45, base), (x + 45, base),
             (x + 51, base + 5), (x + 56, horizon - 4), (x + 72, horizon + 8)]
    canvas.polygon(crest, light.ground(rock, 0.7))
    for dx, w in ((-44, 8), (-30, 6), (-12, 9), (6, 6), (20, 8), (36, 9)):  # crags
        y = base + stream.uniform(1, 4)
        canvas.polygon([(x + dx, y), (x + dx + w, y + 1), (x + dx + w * 0.8, horizon + 6), (x + dx + w * 0.3, horizon)],
                       light.ground(darker(rock, 0.2), 0.5))
    _draw_temple_house(canvas, light, x, base + 1)
    draw_hills(canvas, horizon + 8, 4, 2.2, stream.uniform(0, 6), light.ground((206, 190, 128)))
    for s, dx in ((side, 55), (-side, 58), (side, 43)):
        tree_x, foot = 64 + s * (dx + stream.uniform(-3, 3)), horizon + stream.uniform(9, 15)
        draw_tree(canvas, light, tree_x, foot, stream.uniform(19, 24), (128, 148, 92))
    draw_floor(canvas, horizon + 27, light.ground((218, 202, 146)))
    for _ in range(6):
        sx, sy = 64 + left_or_right(stream) * stream.uniform(30, 62), stream.uniform(horizon + 16, 124)
        canvas.polygon([(sx - 4, sy), (sx - 2, sy - 3), (sx + 2, sy - 3.4), (sx + 4, sy)],
                       light.ground((168, 152, 124), 0.7))


def _draw_temple_house(canvas: Canvas, light: Light, x: float, base: float) -> None:
    """A Greek temple 76 units wide whose lowest step lies at height `base`."""
    marble, shade = light((248, 238, 214)), light((208, 192, 164))
    canvas.rect(x - 32, base - 26, x + 32, base - 3, light((112, 96, 92)))
    canvas.rect(x - 38, base - 3, x + 38, base, shade)
    canvas.rect(x - 35.5, base - 5.5, x + 35.5, base - 2.5, marble)
    columns = [x - 34 + 12.4 * k for k in range(6)]
    draw_boxes(canvas, [(c, base - 26, c + 6, base - 5) for c in columns], marble)
    draw_boxes(canvas, [(c + 4, base - 24, c + 5.6, base - 5) for c in columns], shade)
    draw_boxes(canvas, [(c - 1, base - 26.5, c + 7, base - 24.3) for c in columns], marble)
    canvas.rect(x - 37, base - 31.5, x + 37, base - 26.5, marble)
    canvas.line([(x - 37, base - 26.8), (x + 37, base - 26.8)], shade, 1.0)
    canvas.polygon([(x - 40, base - 31), (x + 40, base - 31), (x, base - 45)], light.ground((248, 238, 214), 0.9))
    canvas.polygon([(x - 29, base - 33), (x + 29, base - 33), (x, base - 42.6)], shade)



_WALLPAPERS: tuple[Color, ...] = ((244, 214, 196), (206, 224, 206), (222, 208, 232), (250, 230, 184), (196, 216, 230))
_CARPETS: tuple[Color, ...] = ((190, 84, 84), (84, 124, 170), (122, 152, 96), (168, 110, 156))


def draw_room(canvas: Canvas, scene: Scene, light: Light, horizon: float) -> None:
    """A room with its window, pictures and carpet."""
    light = Light(scene.sky, 0.0)  # it does not snow in here
    stream = scene.stream("room")
    left = stream.uniform(14, 52)
    right, top, bottom = left + WINDOW_WIDTH, WINDOW_TOP, WINDOW_TOP + WINDOW_HEIGHT
    _draw_view(canvas, scene, left, right, bottom)
    paper, floor = stream.choice(_WALLPAPERS), horizon + 14
    for x0, y0, x1, y1 in ((0, 0, UNITS, top), (0, bottom, UNITS, floor), (0, top, left, bottom),
                           (right, top, UNITS, bottom)):
        canvas.rect(x0, y0, x1, y1, light(paper))
    stripe = light(darker(paper, 0.09))
    for x in range(4, 128, 13):
        inside = left - 4 < x < right
        parts = [(x, 0, x + 4, top), (x, bottom, x + 4, floor)] if inside else [(x, 0, x + 4, floor)]
        draw_boxes(canvas, parts, stripe)
    _draw_window_frame(canvas, light, left, right)
    _draw_picture(canvas, light, stream, 12 if left > 34 else 114)
    draw_floor(canvas, floor, light((196, 146, 96)))
    canvas.rect(0, floor - 4, UNITS, floor, light((250, 244, 232)))
    for k in range(-6, 7):
        canvas.line([(64 + k * 14, floor), (64 + k * 27, UNITS)], light((168, 120, 76)), 0.9)
    rug, middle = stream.choice(_CARPETS), stream.uniform(54, 74)
    for r, color in ((1.0, rug), (0.86, lighter(rug, 0.45)), (0.74, rug)):
        canvas.ellipse(middle, 112, 52 * r, 13 * r, light(color))


def _draw_view(canvas: Canvas, scene: Scene, left: float, right: float, bottom: float) -> None:
    """What lies outside the window, below the sky: a hill, and the snow that falls."""
    light = Light(scene.sky, scene.snowy)
    x = np.linspace(left, right, 9)
    y = bottom - 6 - 2.5 * np.sin(np.linspace(0, 5, 9))
    canvas.polygon([*zip(x, y, strict=True), (right, bottom + 1), (left, bottom + 1)], light.ground((110, 176, 90)))
    if scene.snowy:
        with canvas.part("snow"):
            for fx, fy, r in flakes_of(scene)[::2]:
                draw_dot(canvas, left + fx * WINDOW_SCALE, WINDOW_TOP + fy / UNITS * WINDOW_HEIGHT, r * 0.65, SNOW)


def _draw_window_frame(canvas: Canvas, light: Light, left: float, right: float) -> None:
    """White bars, a sill, and a curtain on either side."""
    top, bottom, middle = WINDOW_TOP, WINDOW_TOP + WINDOW_HEIGHT, (left + right) / 2
    wood, cloth = light((252, 248, 240)), light((206, 92, 84))
    canvas.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top - 1.2)], wood, 2.6)
    canvas.line([(middle, top), (middle, bottom)], wood, 1.6)
    canvas.rect(left - 4, bottom, right + 4, bottom + 3, wood)
    for x, s in ((left, 1), (right, -1)):
        canvas.polygon([(x - 5 * s, top - 2), (x + 9 * s, top - 2), (x + 6 * s, top + 16), (x, top + 27),
                        (x + 2 * s, bottom + 1), (x - 5 * s, bottom + 1)], cloth)
    canvas.rect(left - 8, top - 3.4, right + 8, top - 1.6, light((132, 92, 60)))


def _draw_picture(canvas: Canvas, light: Light, stream: random.Random, x: float) -> None:
    """A small framed landscape on the wall."""
    y = stream.uniform(30, 42)
    canvas.rect(x - 9, y - 8, x + 9, y + 8, light((168, 116, 62)))
    canvas.rect(x - 7, y - 6, x + 7, y + 6, light((206, 228, 240)))
    ridge = [(x - 7, y + 2), (x - 2, y - 2), (x + 2, y + 2), (x + 4, y), (x + 7, y + 3)]
    canvas.polygon([(x - 7, y + 6), *ridge, (x + 7, y + 6)], light((94, 142, 102)))
