"""Drag through the steps of a generation.

    show.scrubber(pictures, [f"t = {t}" for t in times], alt="noise becomes a cat - notice when its colour appears")

Shows a strip of all pictures. Where scripts run, it becomes one large picture with a slider; no kernel is needed.
"""

from __future__ import annotations

from helpers.core.pictures import Several, as_picture
from helpers.core.values import Width, entrance
from helpers.show.figure import Labels, checked
from helpers.show.markup import Html, captioned, framed, name_of

THUMBNAIL = 96  # CSS pixels


@entrance
def scrubber(
    pictures: Several,
    labels: Labels | None = None,
    *,
    alt: str,
    width: Width = 288,
) -> Html:
    """A slider over `pictures`, the first at its left end.

    pictures: in any form `as_picture` takes; kept as WebP, since pictures full of noise are large otherwise.
    labels: what to say about each picture; "step 0", "step 1", ... unless given.
    alt: what the pictures show - what to notice. width: of the large picture, in CSS pixels.
    Raises TypeError for one picture alone, ValueError for none or for another number of labels than pictures.
    """
    alt = checked(alt)
    labels = [f"step {i}" for i in range(len(pictures))] if labels is None else labels
    if not pictures:
        raise ValueError("There are no pictures to scrub through: give at least one.")
    if len(labels) != len(pictures):
        raise ValueError(f"{len(labels)} labels for {len(pictures)} pictures: give one for each.")
    alts = [f"{alt}: {label} ({i} of {len(labels)})" for i, label in enumerate(labels, 1)]
    thumbnails = zip(map(as_picture, pictures), alts, labels, strict=True)
    strip = "".join(captioned(*thumbnail, THUMBNAIL, "webp") for thumbnail in thumbnails)
    name = f"{name_of('scrubber', alt, labels, width)}-{width}"
    return Html(framed("scrubber", name, strip, alt), f"<scrubber: {alt}, {len(labels)} pictures>")
