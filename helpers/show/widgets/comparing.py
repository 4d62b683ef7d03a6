"""A picture before and after, with a line to drag between the two.

    show.compare(picture, edited, (prompt, target_prompt), alt="a cat before and after - notice the same background")

Shows the two side by side. Where scripts run, they lie on top of each other with a slider; no kernel is needed.
"""

from __future__ import annotations

from helpers.core.pictures import Read
from helpers.core.values import Width, entrance
from helpers.show.figure import Labels, check_titles, checked
from helpers.show.markup import Html, captioned, framed, name_of


@entrance
def compare(
    before: Read,
    after: Read,
    labels: Labels = ("before", "after"),
    *,
    alt: str,
    width: Width = 288,
) -> Html:
    """`before` on the left of the line and `after` on its right; both in any form `as_picture` takes, of one size.

    labels: a few words on each, a prompt for example. alt: what they show - what to notice.
    width: of the picture, in CSS pixels. Raises ValueError for two sizes.
    """
    alt, first, second = checked(alt), before, after
    check_titles("labels", labels, 2)
    if first.size != second.size:
        sizes = " and ".join(f"{p.width} x {p.height}" for p in (first, second))
        raise ValueError(f"The two pictures are {sizes}: bring them to one size with as_picture(picture, size).")
    left, right = labels
    pair = captioned(first, f"{alt}: {left}", left, width) + captioned(second, f"{alt}: {right}", right, width)
    name = f"{name_of('compare', alt, left, right, width)}-{width}"
    return Html(framed("compare", name, pair, alt), f"<compare: {left} | {right}>")
