"""Hover or tab over the words of the prompts and see where they look; no kernel is needed.

    seen = show.attended(model, P, P_star, seed=7)
    show.explorer(seen, alt="the words of both prompts and where they look - notice the car")

Shows the pictures and the map of every word. Where scripts run, it becomes the explorer: words to choose, a slider
over the steps, a list of grids and layers, the source and the target before and after the edit side by side.

The maps travel as bytes. With top the largest share in size, zero and span (0, 255), or (128, 127) where a negative
weight made shares negative:  share = sign(u) u^2 top  with  u = (byte - zero) / span.
Its error is largest at the top: 0.4 % of it (0.8 % where there are negative shares).
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode

import numpy as np

from helpers.core.shapes import Array
from helpers.core.values import Width, entrance
from helpers.core.words import align, answers, words_and_marks, words_of
from helpers.show.attention_figures import (
    OPACITY,
    Attended,
    over,
    percent,
    view_name,
)
from helpers.show.figure import checked
from helpers.show.markup import Html, captioned, framed, name_of
from helpers.show.palette import AMOUNT

Piece = list[str | int | None]  # text, word, and the word that answers it

THUMBNAIL = 96  # CSS pixels
NARROWEST = 336  # CSS pixels; of the explorer of one picture
MOST_BYTES = 450_000  # of packed maps; neighbouring steps are averaged until they fit
COLOR_STOPS = 17


@entrance
def explorer(seen: Attended, *, alt: str, width: Width = 224) -> Html:
    """The words of one prompt or of two, and where they look.

    alt: what is seen - what to notice. width: of one picture, in CSS pixels.
    At most 600 kB of maps: neighbouring steps are averaged until they fit, and the explorer says so.
    """
    alt = checked(alt)
    whole = zip(seen.pictures, seen.prompts, ("source", "target"), strict=False)
    plain = "".join(captioned(picture, f"{alt}: {role}", prompt, width, "webp") for picture, prompt, role in whole)
    for view in [view for view in seen.views if view != "before"]:
        plain += f'<div style="flex-basis:100%">where the words look: {view_name(view)}</div>'
        plain += "".join(thumbnail(seen, view, word) for word in seen.words(view))
    total = max(NARROWEST, len(seen.views) * (width + 12) - 12)
    name = f"{name_of('explorer', alt, seen.prompts, seen.rows, width)}-{total}"
    inside = f'{plain}<script type="application/json">{data(seen, width)}</script>'
    return Html(framed("explorer", name, inside, alt), f"<explorer: {' | '.join(seen.prompts)}>")


def thumbnail(seen: Attended, view: str, word: str) -> str:
    """The picture with a word's map over it, the mean over all steps."""
    shares = seen.of(word, view=view)
    caption = f"{word}, up to {percent(float(shares.max()))}"
    about = f'map of "{word}", {view_name(view)}: the share is {percent(float(shares.mean()))} in the mean'
    return captioned(over(seen.picture(view), shares, THUMBNAIL), about, caption, THUMBNAIL, "webp")


def data(seen: Attended, width: int) -> str:
    """Everything the script needs, as JSON that may stand inside HTML. width: of one picture, in CSS pixels."""
    words = seen.words()
    groups, packed, scale = fitted(seen)
    told = {
        "prompts": pieces(seen),
        "rows": [[seen.views.index(view), words.index(word)] for view, word in seen.rows],
        "words": words,
        "views": [view_name(view) for view in seen.views],
        "parts": [[part_name(part.layer), *part.grid] for part in seen.parts],
        "start": [part.grid for part in seen.parts].index(seen.common_grid),
        "steps": [[group[0] + 1, group[-1] + 1] for group in groups],
        **scale,
        "colors": colors(),
        "opacity": OPACITY,
        "width": width,
        "maps": b64encode(packed).decode(),
    }
    return json.dumps(told, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")


def fitted(seen: Attended) -> tuple[list[list[int]], bytes, dict[str, float]]:
    """The steps in groups of neighbours, their maps packed into at most MOST_BYTES, and what a byte means.

    Raises ValueError where even the mean over all steps is too much.
    """
    for size in range(1, seen.steps + 1):
        groups = [list(range(i, min(i + size, seen.steps))) for i in range(0, seen.steps, size)]
        maps = [np.stack([part.maps[:, group].mean(1) for group in groups], 1) for part in seen.parts]
        raw, scale = as_bytes(maps)
        packed = zlib.compress(raw, 9)
        if len(packed) <= MOST_BYTES:
            return groups, packed, scale
    raise ValueError("The maps are too large for a page: watch fewer words, coarser grids, or not layer by layer.")


def as_bytes(maps: list[Array]) -> tuple[bytes, dict[str, float]]:
    """All maps one after the other, and what their bytes mean: top, zero, span."""
    top = max(max(float(np.abs(part).max()) for part in maps), 1e-9)
    zero, span = (128, 127) if any((part < 0).any() for part in maps) else (0, 255)
    levels = [zero + span * np.sign(part) * np.sqrt(np.abs(part) / top) for part in maps]
    raw = b"".join(level.round().astype(np.uint8).tobytes() for level in levels)
    return raw, {"top": top, "zero": zero, "span": span}


def pieces(seen: Attended) -> list[list[Piece]]:
    """Each prompt cut in pieces [text, word, the word that answers it in the other prompt]; numbers, None for none."""
    words = seen.words()
    cut: list[list[Piece]] = []
    for i, prompt in enumerate(seen.prompts):
        end, other = 0, answering(seen.prompts, i)
        found: list[Piece] = []
        for word in words_and_marks(prompt):
            found += [[prompt[end : word.start], None, None], [prompt[word.start : word.end],
                      watched(words, word.text), watched(words, other.get(word.start))]]
            end = word.end
        found.append([prompt[end:], None, None])
        cut.append([piece for piece in found if piece[0]])
    return cut


def watched(words: list[str], text: str | None) -> int | None:
    """The number of the watched word that `text` is, "cat" for "cat's"; None if it is not watched."""
    return next((i for i, word in enumerate(words) if text and any(answers(word, found) for found in
                                                                  words_and_marks(text))), None)


def answering(prompts: tuple[str, ...], own: int) -> dict[int, str]:
    """Where each word of one prompt starts, and the word of the other prompt that answers it.

    Of swapped words the last answer each other, then those before: the car of "shiny car" answers "bicycle".
    """
    if len(prompts) == 1:
        return {}
    pairs = align(*prompts)
    met = list(pairs.same)
    for swapped in pairs.swapped:
        old, new = ([word for word in words if words_of(word.text)][::-1] for words in swapped)
        if old and new:
            met += [(old[min(k, len(old) - 1)], new[min(k, len(new) - 1)]) for k in range(max(len(old), len(new)))]
    return {pair[own].start: pair[1 - own].text for pair in reversed(met)}


def part_name(layer: str | None) -> str:
    """A layer's name without what all have: "up_blocks.1.attentions.0"; `Attended.of` takes it."""
    return (layer or "").removesuffix(".attn2").removesuffix(".transformer_blocks.0")


def colors() -> list[list[int]]:
    """Evenly spaced colours of the colour map of amounts, from nothing to most."""
    from matplotlib import colormaps

    shades = colormaps[AMOUNT](np.linspace(0, 1, COLOR_STOPS))[:, :3] * 255
    stops: list[list[int]] = shades.round().astype(int).tolist()
    return stops
