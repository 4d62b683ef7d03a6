"""Pictures and scripts as HTML that needs nothing else: no kernel, no network, no other file.

Every figure with a script is plain HTML first: pictures, captions, inline styles. A reader that removes scripts (an
untrusted notebook, a preview on a web page, paper) shows that. Where scripts run, the script turns it into the widget.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files
from itertools import count
from weakref import WeakValueDictionary

from PIL import Image

from helpers.core.pictures import no_strip
from helpers.show.figure import encoded

_living: WeakValueDictionary[str, object] = WeakValueDictionary()  # widgets by their names
ROW = "display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start"


class Html:
    """A piece of HTML that a notebook shows."""

    def __init__(self, html: str, summary: str) -> None:
        """`html` is shown where HTML can be, `summary` where only text can."""
        self.html, self.summary = html, summary

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.summary


def data_url(picture: Image.Image, kind: str = "png") -> str:
    """The picture inside an address: "png" keeps every pixel, "webp" is several times smaller for noisy pictures."""
    knobs = {"quality": 88} if kind == "webp" else {"optimize": True}
    return f"data:image/{kind};base64,{b64encode(encoded(picture, kind.upper(), **knobs)).decode()}"


def image(picture: Image.Image, alt: str, width: int, kind: str = "png") -> str:
    """An <img> that is `width` CSS pixels wide, or narrower on a narrow page; `alt` says what it shows."""
    no_strip(picture)
    style = f"width:{width}px;max-width:100%;height:auto;margin:0;display:block"
    return f'<img src="{data_url(picture, kind)}" alt="{escape(alt)}" style="{style}">'


def captioned(picture: Image.Image, alt: str, caption: str, width: int, kind: str = "png") -> str:
    """A <figure> of one picture with a caption, which is shown as text whatever it holds."""
    style = f"margin:0;width:{width}px;max-width:100%"
    caption = f'<figcaption style="overflow-wrap:anywhere;line-height:1.4">{escape(caption)}</figcaption>'
    return f'<figure style="{style}">{image(picture, alt, width, kind)}{caption}</figure>'


def name_of(kind: str, *parts: object) -> str:
    """A name for a figure, made from its words: the same in every run and, unlike its pixels, on every machine."""
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:10]}"


def own_name(owner: object, kind: str, *parts: object) -> str:
    """A name that no other living widget has, since styles hold for the whole page; the second is numbered."""
    plain = name_of(kind, *parts)
    name = next(name for i in count(1) if (name := plain if i == 1 else f"{plain}-{i}") not in _living)
    _living[name] = owner
    return name


def framed(kind: str, name: str, inside: str, alt: str) -> str:
    """The plain HTML `inside` as a figure called `name`, with the script of `kind` that brings it to life."""
    frame = f'<div data-show="{name}" role="group" aria-label="{escape(alt)}"><div style="{ROW}">{inside}</div></div>'
    return f'{frame}<script>{static("framed.js")}("{name}", {static(kind + ".js")});</script>'


@cache
def static(file: str) -> str:
    """The text of a file of helpers/show/static."""
    return files("helpers.show").joinpath("static", file).read_text(encoding="utf-8").strip()
