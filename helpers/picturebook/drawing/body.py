"""Where a creature stands and where other parts attach to it: what animals, outfits, rides and props agree on."""

from __future__ import annotations

from typing import NamedTuple

from ..canvas import Point


class Body(NamedTuple):
    """A creature's anchors in picture units. Angles and sides are as the viewer sees them; it faces the viewer.

    All anchors come from the seed and `doing` alone, never from the kind of creature, its colour or its outfit: so a
    cat changed into a dog keeps its hat, its drink and its bicycle where they were.
    """

    unit: float  # picture units per 1/100 of the creature's standing height: 0.62 means it is 62 units tall
    feet: Point  # the middle between the feet (sitting: the seat; sleeping: the middle of its underside)
    head: Point  # the middle of the head
    head_radius: float
    neck: Point  # where head and trunk meet
    hand: Point  # the free hand (to the viewer's right unless mirrored), where things are held
    mirrored: bool  # True: hand and tail change sides
    lying: bool  # True: asleep on its side, the head to the left (to the right if mirrored)
