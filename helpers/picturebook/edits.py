"""Edits with known answers: a scene, the scene it should become, and what follows from the two.

    scene = Scene(thing="cat", ride="bicycle", doing="riding")
    edit = Edit(scene, scene.but(ride="car"))
    edit.prompt, edit.target_prompt        P and P*
    edit.picture, edit.target_picture      I and the true I*
    edit.mask                              where the two differ
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Annotated

import numpy as np
from PIL import Image

from ..core.values import Number, OneOf, Seed, entrance, known
from ..core.values import seed as as_seed
from .caption import describe
from .drawing import as_scene, draw
from .sampling import FIRST_HELD_OUT_SEED, is_held_out, random_scene
from .scene import Scene
from .vocabulary import ABSENT, ANIMALS, CLASSES, GRADED

#: a difference in a colour channel, of 255, that counts: below it is the dither of a style's palette
NOTICEABLE = 12

MOST = 1_000_000  # edits of a kind; their scenes are numbered

#: kind of edit -> the attribute it changes
KINDS = {"thing": "thing", "color": "color", "ride": "ride", "ride color": "ride_color", "place": "place", "sky": "sky",
         "style": "style", "wearing": "wearing", "holding": "holding", "beside": "beside", "rainbow": "rainbow",
         "topping": "topping", "doing": "doing"}


@known("an edit with a known answer: random_edit('color', 0), or Edit(scene, scene.but(color='red'))")
@dataclass(frozen=True)
class Edit:
    """From `source` to `target`: two scenes with the same layout that differ in a few attributes."""

    source: Scene
    target: Scene
    wording: int | None = None  # the captions' seed; None is the plain wording

    def __post_init__(self) -> None:
        as_scene("source", self.source)
        as_scene("target", self.target)
        object.__setattr__(self, "wording", None if self.wording is None else as_seed("wording", self.wording))

    @property
    def changed(self) -> tuple[str, ...]:
        """The attributes in which the two scenes differ, in the vocabulary's order."""
        names = (*CLASSES, *GRADED, "character")
        return tuple(n for n in names if getattr(self.source, n) != getattr(self.target, n))

    @property
    def prompt(self) -> str:
        """P: what the picture shows, the changed attributes told."""
        return describe(self.source, self.wording, tell=self.changed).text

    @property
    def target_prompt(self) -> str:
        """P*: the same sentence with the words of the change."""
        return describe(self.target, self.wording, tell=self.changed).text

    @cached_property
    def picture(self) -> Image.Image:
        """I, 128 x 128."""
        return draw(self.source)

    @cached_property
    def target_picture(self) -> Image.Image:
        """The true I*: the changed scene, drawn with the same layout."""
        return draw(self.target)

    @cached_property
    def mask(self) -> Image.Image:
        """White where I and I* differ noticeably, mode "L"."""
        a, b = (np.asarray(p, dtype=int) for p in (self.picture, self.target_picture))
        return Image.fromarray(np.where((abs(a - b) > NOTICEABLE).any(-1), 255, 0).astype(np.uint8))


@entrance
def random_edit(kind: Annotated[str, OneOf(*KINDS)], number: Annotated[int, Number(0, MOST, whole=True)],
                wording: Seed | None = None) -> Edit:
    """Edit `number` of a kind (`KINDS`), always the same one; its scenes are held out from training.

    A removed thing (a hat taken off) is an edit of its kind too.
    """
    attribute = KINDS[kind]
    for attempt in count(FIRST_HELD_OUT_SEED + 1000 * number):
        source = random_scene(attempt)
        target = next(_changes(source, attribute), None)
        if target is not None and not is_held_out(source) and not is_held_out(target):
            return Edit(source, target, wording)
    raise AssertionError("unreachable")


def _changes(source: Scene, attribute: str) -> Iterator[Scene]:
    """The scenes that differ from `source` in one attribute, in random order; none where it means nothing."""
    if not source.has(attribute):
        return
    if attribute == "thing" and source.thing not in ANIMALS:
        return
    if attribute == "ride" and source.ride == ABSENT:
        return
    values = list(ANIMALS if attribute == "thing" else CLASSES[attribute])
    source.stream(f"edit {attribute}").shuffle(values)
    for value in values:
        if value == getattr(source, attribute) or (attribute == "ride" and value == ABSENT):
            continue
        try:
            yield source.but(**{attribute: value})
        except ValueError:  # cannot be drawn
            continue
