"""A scene says what is in a picture; its seed says how everything is laid out.

Every part of the layout draws from a random stream of its own (`scene.stream("horizon")`), named by the seed and the
part alone. So two scenes that differ in one attribute differ in nothing else when they are drawn.
"""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from typing import Any

from ..core.values import choice, known, number
from ..core.values import seed as as_seed
from .vocabulary import ABSENT, CHARACTERS, CLASSES, CREATURES, GRADED


@known("a scene: Scene(thing='cat')")
@dataclass(frozen=True)
class Scene:
    """What is in one picture.

    Classes are words of vocabulary.py (`ABSENT` where a part is not there); graded amounts are in [0, 1], 0: not there.
    """

    seed: int = 0
    place: str = "meadow"
    sky: str = "day"
    rainbow: str = "no"
    style: str = "plain"
    thing: str = "cat"
    color: str = "orange"
    doing: str = "standing"
    topping: str = ABSENT
    ride: str = ABSENT
    ride_color: str = "red"
    wearing: str = ABSENT
    wearing_color: str = "red"
    holding: str = ABSENT
    holding_color: str = "red"
    beside: str = ABSENT
    beside_color: str = "red"
    fluffy: float = 0.0
    crowded: float = 0.0
    cloudy: float = 0.0
    snowy: float = 0.0
    character: str = ABSENT

    def __post_init__(self) -> None:
        for name, values in (*CLASSES.items(), ("character", (*CHARACTERS, ABSENT))):
            object.__setattr__(self, name, choice(name, getattr(self, name), values))
        for name in GRADED:
            object.__setattr__(self, name, number(name, getattr(self, name), 0, 1, hint="an amount"))
        object.__setattr__(self, "seed", as_seed("seed", self.seed))
        self._check_it_can_be_drawn()

    def _check_it_can_be_drawn(self) -> None:
        if (self.ride != ABSENT) != (self.doing == "riding"):
            raise ValueError("A scene with a ride has doing='riding', and one without has not.")
        extras = [n for n in ("ride", "wearing", "holding") if getattr(self, n) != ABSENT]
        extras += ["doing"] * (self.doing != "standing") + ["fluffy"] * (self.fluffy > 0)
        if self.thing not in CREATURES and extras:
            raise ValueError(f"Only animals and dolls can have {', '.join(extras)}; the thing here is {self.thing!r}.")
        if self.topping != ABSENT and self.thing != "cake":
            raise ValueError(f"Only a cake has a topping; the thing here is {self.thing!r}.")
        if self.crowded and self.place != "street":
            raise ValueError(f"Only a street can be crowded; the place here is {self.place!r}.")
        if self.character != ABSENT and self.thing != CHARACTERS[self.character]:
            raise ValueError(f"Only a {CHARACTERS[self.character]} can be {self.character}; "
                             f"the thing here is {self.thing!r}.")
        if self.thing == ABSENT and self.beside != ABSENT:
            raise ValueError("Nothing can stand beside a thing that is not there.")

    def stream(self, part: str) -> random.Random:
        """The random numbers of one part of the layout: the same for every scene with this seed."""
        return random.Random(f"{self.seed}/{part}")

    def but(self, **changes: Any) -> Scene:
        """The same scene, laid out the same way, with some attributes changed.

        Changing `ride` sets `doing` along with it.
        """
        if strangers := changes.keys() - {one.name for one in dataclasses.fields(self)}:
            raise TypeError(f"A scene has no {', '.join(sorted(strangers))}; it has: "
                            f"{', '.join(one.name for one in dataclasses.fields(self))}.")
        if "ride" in changes and "doing" not in changes:
            changes["doing"] = "standing" if changes["ride"] == ABSENT else "riding"
        return dataclasses.replace(self, **changes)

    def has(self, attribute: str) -> bool:
        """Whether an attribute means anything here: an absent hat has no colour, a landscape's main thing neither."""
        if attribute == "color":
            return self.thing not in (ABSENT, "castle", "house")
        if attribute.endswith("_color"):
            return bool(getattr(self, attribute.removesuffix("_color")) != ABSENT)
        if attribute in ("doing", "wearing", "holding", "fluffy"):
            return self.thing in CREATURES
        if attribute == "character":
            return self.character != ABSENT
        if attribute == "topping":
            return self.thing == "cake"
        if attribute == "crowded":
            return self.place == "street"
        return True
