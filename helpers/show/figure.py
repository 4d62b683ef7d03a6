"""What every figure is made of: a page measured in pixels, and the finished picture with its alt text."""

from __future__ import annotations

import io
import json
import os
import re
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image

from helpers.core.files import check_folder, written
from helpers.core.interface import Picture
from helpers.core.pictures import as_picture
from helpers.core.silence import silent
from helpers.core.values import Kind, choice, listed, text
from helpers.core.values import path as as_path
from helpers.show.palette import FAINT, INK

DPI = 100
TEXT = 9  # points
LINE = 16  # pixels from one line of text to the next
PAD = 6  # pixels of white around everything
LETTER = 7.0  # pixels a letter takes on average
MOST_LINES = 6  # of a prompt; what is longer ends in "..."
KINDS = {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".bmp": "BMP", ".pdf": "PDF"}
LARGEST_PNG = 40_000  # bytes; a larger figure is sent to the notebook as WebP, which is a fifth of that
LARGEST_WEBP = 90_000  # bytes; noise, which no format can make small, is sent more coarsely


@dataclass(frozen=True, eq=False)
class Figure:
    """A finished figure. A notebook shows it as a picture with alt text; `save` writes it to a file."""

    picture: Image.Image
    alt: str
    caption: str = ""

    def __repr__(self) -> str:
        """The same on every run, and of use where no picture can be shown."""
        return f"Figure: {self.alt}"

    @cached_property
    def uri(self) -> str:
        """The picture as a data: address, so that it needs no file beside the page."""
        kind, data = compact(self.picture)
        return f"data:image/{kind};base64,{b64encode(data).decode()}"

    def _repr_html_(self) -> str:
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        look = f'width="{self.picture.width}" style="max-width:100%;height:auto"'
        return f'<figure style="margin:0"><img src="{self.uri}" alt="{escape(self.alt)}" {look}>{caption}</figure>'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure to a file; its ending says in which format (.png, .webp, .jpg). Returns the path."""
        path = as_path("path", path)
        kind = KINDS[choice("The ending of the file's name", path.suffix.lower(), KINDS)]
        check_folder(path.parent)
        return written(path, lambda new: self.picture.save(new, kind))


def encoded(picture: Image.Image, kind: str, **knobs: Any) -> bytes:
    """The bytes of a picture file."""
    stream = io.BytesIO()
    picture.save(stream, kind, **knobs)
    return stream.getvalue()


def compact(picture: Image.Image) -> tuple[str, bytes]:
    """("png" or "webp", the bytes): exact where that is small, else as good as fits."""
    data = encoded(picture, "PNG", optimize=True)
    if len(data) <= LARGEST_PNG:
        return "png", data
    for quality in (88, 75, 50, 25, 5):
        data = encoded(picture, "WEBP", quality=quality)
        if len(data) <= LARGEST_WEBP:
            break
    return "webp", data


def labelled(name: str, value: Any) -> list[str]:
    """Labels as texts: of what stands in a list, numbers, too."""
    several = listed(name, value, "a list of texts", empty=True)
    return [text(f"{name}[{i}]", str(each)) for i, each in enumerate(several)]


Labels = Annotated[Sequence[Any], Kind(labelled)]


@cache
def texts() -> dict[str, dict[str, str]]:
    """The alt texts of the notebooks' figures, by notebook and name, so that code cells stay short: texts.json."""
    told = files("helpers.show").joinpath("texts.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(told)
    return found


def checked(alt: str) -> str:
    """`alt` if it says something, or the text it names ("03.white_ball"); else an error that says what to write."""
    notebook, _, name = alt.partition(".") if isinstance(alt, str) else ("", "", "")
    if re.fullmatch(r"\d\d\.\w+", str(alt)):
        if name not in texts().get(notebook, {}):
            raise ValueError(f"There is no alt text {alt!r} in helpers/show/texts.json.")
        alt = texts()[notebook][name]
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(
            "The figure has no alt text, so a reader who cannot see it gets nothing. Say what it shows and what to "
            'notice: alt="an orange cat on a bicycle, before and after - notice that only the fur changed colour".'
        )
    return " ".join(alt.split())


def check_titles(name: str, titles: Sequence[str], count: int) -> None:
    """ValueError unless there are as many as pictures."""
    if len(titles) != count:
        raise ValueError(f"{len(titles)} {name} for {count} pictures: give one for each.")


def lines(text: object, width: float) -> list[str]:
    """`text` in lines that fit into `width` pixels, MOST_LINES at most; nothing for an empty text."""
    return textwrap.wrap(str(text), max(6, int(width / LETTER)), max_lines=MOST_LINES, placeholder=" ...")


class Page:
    """A white page of a matplotlib figure, measured in pixels from its top left corner (within a rim of PAD)."""

    def __init__(self, width: float, height: float) -> None:
        """An empty page of this size in pixels."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Drawing

        self.width, self.height = round(width) + 2 * PAD, round(height) + 2 * PAD
        self.drawing = Drawing(figsize=(self.width / DPI, self.height / DPI), dpi=DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.drawing)

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """New matplotlib axes, without the upper and right rim."""
        corner = self._at(left, top + height)
        axes = self.drawing.add_axes((*corner, width / self.width, height / self.height))
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=TEXT, colors=INK)
        axes.grid(color=FAINT, alpha=0.25, linewidth=0.8)
        axes.set_axisbelow(True)
        return axes

    def place(self, picture: Picture, left: float, top: float, size: tuple[int, int]) -> Any:
        """A picture at `size` (width, height), every pixel on a pixel of the page; returns its axes."""
        axes = self.axes(left, top, *size)
        axes.set_axis_off()
        axes.grid(False)
        axes.imshow(
            np.asarray(as_picture(picture, size, "contain")),
            interpolation="nearest",
            aspect="auto",
            extent=(0, size[0], size[1], 0),
        )
        return axes

    def words(self, text: list[str] | str, x: float, y: float, *, align: str = "center", **look: Any) -> None:
        """Lines of text, the first one's top at (x, y); "$" and the like are shown as they are."""
        style: dict[str, Any] = {"fontsize": TEXT, "color": INK} | look
        for i, line in enumerate([text] if isinstance(text, str) else text):
            self.drawing.text(*self._at(x, y + i * LINE), line, ha=align, va="top", parse_math=False, **style)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """A place in pixels as matplotlib's shares of the page, counted from the bottom left."""
        return (x + PAD) / self.width, 1 - (y + PAD) / self.height

    def finish(self, alt: str, caption: str = "") -> Figure:
        """The page as a figure."""
        with silent("Glyph .* missing"):  # a box stands for it; alt text is whole
            self.canvas.draw()
        return Figure(Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB"), alt, caption)
