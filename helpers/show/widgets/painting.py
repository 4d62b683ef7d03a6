"""Paint a mask or a colour scribble on a picture, with mouse, finger or keyboard.

    brush = show.painter(picture)                     # paint in the notebook, then, in a later cell:
    brush.mask                                        # mode "L", white where painted

    brush = show.painter(picture, mode="scribble")
    brush.result                                      # the picture with the scribble on it, RGB

What is painted is a list of strokes; `layer` draws them and needs no browser. A stroke is a dictionary:

    key       what                                        range
    tool      "paint", "erase" or "clear"
    color     of the paint, "#rrggbb"
    size      width of the brush, in pixels of the picture     (0, 1000]
    points    [x0, y0, x1, y1, ...], pixels of the picture     finite
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Annotated, Any

import anywidget
import numpy as np
import traitlets
from IPython.display import HTML, display
from PIL import Image, ImageDraw

from helpers.core.interface import Picture
from helpers.core.pictures import as_picture, no_strip
from helpers.core.values import Number, OneOf, Prompt, Width, choice, entrance, listed, number, shown
from helpers.show.markup import data_url, image, own_name, static
from helpers.show.palette import COLORS

MODES = ("mask", "scribble")
TOOLS = ("paint", "erase", "clear")
PAPER = {"white": "#FFFFFF", "grey": "#8A8A8A", "brown": "#7A4A21"}  # beside the palette of the figures
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
LARGEST_BRUSH = 1000  # pixels
FARTHEST = 100_000  # pixels from the picture that a stroke may go
NOTHING = (0, 0, 0, 0)


def layer(strokes: Sequence[Mapping[str, Any]], size: tuple[int, int], start: Image.Image | None = None) -> Image.Image:
    """What is painted: RGBA of `size` (width, height), opaque where there is paint. `start` is painted already.

    Raises ValueError for a stroke that is none.
    """
    painted = Image.new("RGBA", size, NOTHING) if start is None else start.copy()
    for stroke in strokes:
        tool, color, width, points = checked_stroke(stroke)
        if tool == "clear":
            painted.paste(NOTHING, (0, 0, *size))
        else:
            draw_stroke(painted, points, width, NOTHING if tool == "erase" else color)
    return painted


def draw_stroke(painted: Image.Image, points: list[tuple[float, float]], width: float, color: Any) -> None:
    """One line with round ends through `points`, replacing what is there."""
    pen, radius = ImageDraw.Draw(painted), max(width, 1) / 2
    # Pixel i covers i ... i + 1; the pen's coordinates are those of pixel centres.
    centres = [(x - 0.5, y - 0.5) for x, y in points]
    pen.line(centres, fill=color, width=max(1, round(width)))
    for x, y in centres:
        pen.ellipse((x - radius + 0.5, y - radius + 0.5, x + radius - 0.5, y + radius - 0.5), fill=color)


def checked_stroke(stroke: Mapping[str, Any]) -> tuple[str, str, float, list[tuple[float, float]]]:
    """(tool, color, size, points) of a stroke, which comes from a browser; ValueError if something is wrong with it."""
    tool, color = choice("A stroke's tool", stroke.get("tool"), TOOLS), stroke.get("color", "#000000")
    flat = listed("A stroke's points", stroke.get("points", []), "numbers: x, y, x, y ...", empty=True)
    flat = [number("A stroke's point", one, -FARTHEST, FARTHEST, hint="pixels") for one in flat]
    if not isinstance(color, str) or not COLOR.fullmatch(color):
        raise ValueError(f"A stroke's color is {shown(color)}; expected '#rrggbb'.")
    size = number("A stroke's size", stroke.get("size", 1), 0, LARGEST_BRUSH, above=True)
    if len(flat) % 2 or (tool != "clear" and not flat):
        raise ValueError(f"A stroke's points are {flat[:6]}; expected x, y, x, y, ... in pixels, one point at least.")
    return tool, color, float(size), list(zip(flat[::2], flat[1::2], strict=True))


def starting_layer(start: Any, picture: Image.Image, mode: str, color: str) -> Image.Image:
    """What is painted before the reader begins, RGBA: a mask's white part, or where a scribble differs."""
    if start is None:
        return Image.new("RGBA", picture.size, NOTHING)
    given = as_picture(start)
    if given.size != picture.size:
        sizes = f"{given.width} x {given.height}, the picture {picture.width} x {picture.height}"
        raise ValueError(f"`start` is {sizes}: bring it to the picture's size with as_picture(start, size).")
    if mode == "mask":
        opaque, paint = np.asarray(given.convert("L")) >= 128, Image.new("RGB", picture.size, color)
    else:
        opaque, paint = (np.asarray(given) != np.asarray(picture)).any(-1), given
    painted = Image.new("RGBA", picture.size, NOTHING)
    painted.paste(paint, mask=Image.fromarray(np.where(opaque, 255, 0).astype(np.uint8)))
    return painted


def white_where_painted(painted: Image.Image) -> Image.Image:
    """White where the layer has paint, mode "L"."""
    return painted.getchannel("A").point(lambda alpha: 255 if alpha >= 128 else 0)


def seen_at(picture: Image.Image, width: int) -> Image.Image:
    """The picture no wider than `width`: all that a page of that width shows of it."""
    if picture.width <= width:
        return picture
    return picture.resize((width, max(1, round(width * picture.height / picture.width))), Image.Resampling.LANCZOS)


class Painter(anywidget.AnyWidget):
    """A picture to paint on. `mask` and `result` give what is painted; made by `painter`."""

    _esm = static("painter.js")
    picture = traitlets.Unicode().tag(sync=True)  # the three pictures are data: addresses
    painted_before = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    mode = traitlets.Enum(MODES).tag(sync=True)
    size: traitlets.List[int] = traitlets.List().tag(sync=True)  # [width, height] of the picture in pixels
    shown = traitlets.Int().tag(sync=True)  # its width on the page, CSS pixels
    brush = traitlets.Float().tag(sync=True)  # pixels of the picture
    largest = traitlets.Int(LARGEST_BRUSH).tag(sync=True)  # of the brush, in pixels of the picture
    given = traitlets.Bool().tag(sync=True)  # whether something is painted before the reader begins
    palette = traitlets.Dict().tag(sync=True)  # name to "#rrggbb"
    strokes: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)

    def __init__(self, image: Image.Image, start: Image.Image, **traits: Any) -> None:
        """Over the RGB picture `image`, with the RGBA layer `start` painted already."""
        self._image, self._start, self._closed = image, start, False
        most = 2 * traits.get("shown", 384)  # sharp on any screen
        super().__init__(picture=data_url(seen_at(image, most)), painted_before=data_url(seen_at(start, most)),
                         given=start.getbbox() is not None, size=list(image.size), **traits)

    @property
    def painted(self) -> Image.Image:
        """The paint alone: RGBA, opaque where painted. ValueError while nothing is painted."""
        painted = layer(self.strokes, self._image.size, self._start)
        if painted.getchannel("A").getbbox() is None:
            raise ValueError(self._nothing_painted())
        return painted

    def _nothing_painted(self) -> str:
        if self._closed:
            return "The painter was closed before anything was painted. Run its cell again, paint, then run this one."
        return "Nothing is painted yet. Paint on the picture above, then run this cell again."

    @property
    def mask(self) -> Image.Image:
        """Mode "L", white where painted, of the picture's size. ValueError while nothing is painted."""
        return white_where_painted(self.painted)

    @property
    def result(self) -> Image.Image:
        """The mask, or in mode "scribble" the picture with the scribble on it (RGB)."""
        if self.mode == "mask":
            return self.mask
        return Image.alpha_composite(self._image.convert("RGBA"), self.painted).convert("RGB")

    def undo(self) -> None:
        """Take the last stroke back."""
        self.strokes = self.strokes[:-1]

    def clear(self) -> None:
        """Remove all paint; `undo` brings it back."""
        self.strokes = [*self.strokes, {"tool": "clear"}]

    def close(self) -> None:
        """Take the painter off the page; what was painted stays readable."""
        self._closed = True
        super().close()
        self.__dict__.pop("_ipython_display_", None)  # ipywidgets 7 hides it; a closed painter still shows its picture

    def static_html(self) -> str:
        """The picture and what is painted, for where nothing runs; hidden beside the live painter."""
        painted = layer(self.strokes, self._image.size, self._start)
        ink = np.asarray(painted).copy()
        ink[..., 3] = ink[..., 3] * (0.6 if self.mode == "mask" else 1)
        seen = Image.alpha_composite(self._image.convert("RGBA"), Image.fromarray(ink)).convert("RGB")
        told = f"{escape(self.alt)}. Run this cell in Jupyter to paint on it."
        return (f'<figure data-show="{self.name}" style="margin:0">{image(seen, self.alt, self.shown)}'
                f"<figcaption>{told}</figcaption></figure>")

    def __repr__(self) -> str:
        return f"<painter: {self.alt}, {self.mode}, {self._image.width} x {self._image.height}>"

    def _ipython_display_(self, **_: Any) -> None:
        display(HTML(self.static_html()))
        if not self._closed:
            data, told = self._repr_mimebundle_() or ({}, {})
            display({**data, "text/plain": repr(self)}, raw=True, told=told)


@entrance
def painter(
    picture: Picture,
    *,
    mode: Annotated[str, OneOf(*MODES)] = "mask",
    start: Picture | None = None,
    brush: Annotated[float, Number(0, LARGEST_BRUSH, above=True, hint="pixels of the picture")] | None = None,
    size: int | tuple[int, int] | None = None,
    alt: Prompt = "a picture to paint on",
    width: Width = 384,
) -> Painter:
    """A painter over `picture`, which comes in any form `as_picture` takes.

    mode: "mask" (one colour, seen through) or "scribble" (a palette of opaque colours).
    start: painted already: a mask (white = painted) or, in mode "scribble", the picture with a scribble on it.
    brush: its first width, in pixels of the picture; a twelfth of the picture unless given.
    size: to bring the picture to, as in `as_picture`. alt: what it shows. width: on the page, in CSS pixels.
    """
    picture = no_strip(as_picture(picture, size))
    brush = min(picture.width / 12, LARGEST_BRUSH) if brush is None else brush
    palette = COLORS | PAPER if mode == "scribble" else {"paint": COLORS["vermilion"]}
    layer_before = starting_layer(start, picture, mode, COLORS["vermilion"])
    made = Painter(picture, layer_before, mode=mode, brush=round(brush, 1), palette=palette, alt=alt, shown=width)
    made.name = own_name(made, "painter", alt, mode, picture.size, width)
    return made
