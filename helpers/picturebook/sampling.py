"""Random scenes, and what is kept out of training.

Two things are held out. *Scenes*: training draws scene numbers below `FIRST_HELD_OUT_SEED`, tests above it.
*Combinations*: one in twelve pairs of words (a red fox, a pig on a train) never occurs in training at all.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from typing import Any

from ..core.values import Seed, entrance
from .scene import Scene
from .vocabulary import (
    ABSENT,
    ACCENTS,
    BESIDES,
    COLORS,
    CREATURES,
    DOINGS,
    HOLDABLES,
    PLACES,
    RIDES,
    STYLES,
    TOPPINGS,
    WEARABLES,
)

FIRST_HELD_OUT_SEED = 10_000_000

#: the pairs of attributes of which some combinations are never trained on
HELD_OUT_PAIRS = (("thing", "color"), ("thing", "ride"), ("thing", "place"), ("ride", "ride_color"),
                  ("thing", "wearing"), ("holding", "holding_color"))
ONE_IN = 12

#: what the lecture's slides ask for is trained on, whatever the draw says
ALWAYS_TRAINED = frozenset({
    ("thing", "cat", "ride", "bicycle"), ("thing", "cat", "ride", "motorcycle"), ("thing", "cat", "ride", "car"),
    ("thing", "cat", "ride", "airplane"), ("thing", "cat", "ride", "train"),
    ("thing", "teddy bear", "wearing", "sunglasses"), ("holding", "drink", "holding_color", "red"),
    ("thing", "house", "place", "river"), ("thing", "castle", "place", "river"), ("thing", "ball", "color", "white"),
})


def is_held_out(scene: Scene) -> bool:
    """Whether a scene holds a combination that training never sees."""
    return any(is_held_out_pair(scene, a, b) for a, b in HELD_OUT_PAIRS)


def is_held_out_pair(scene: Scene, a: str, b: str) -> bool:
    """Whether training never sees this scene's values of the attributes `a` and `b` together."""
    if not (scene.has(a) and scene.has(b)):
        return False
    x, y = getattr(scene, a), getattr(scene, b)
    if ABSENT in (x, y) or (a, x, b, y) in ALWAYS_TRAINED:
        return False
    return zlib.crc32(f"{a}={x}, {b}={y}".encode()) % ONE_IN == 0


@entrance
def random_scene(seed: Seed) -> Scene:
    """One scene of the world, the same for the same seed; any combination can come."""
    rng = random.Random(f"{seed}/what is in the picture")
    words: dict[str, Any] = dict(
        seed=seed, place=rng.choice(PLACES), sky=_draw(rng, day=70, sunset=12, night=18),
        rainbow=_draw(rng, no=92, yes=8),
        style=_draw(rng, **dict.fromkeys(STYLES, 7.5) | {"plain": 70}), color=rng.choice(COLORS),
        cloudy=_amount(rng, 0.18), snowy=_amount(rng, 0.08))
    kind = rng.random()
    if kind < 0.74:
        words |= dict(thing=rng.choice(CREATURES), fluffy=_amount(rng, 0.14)) | _extras(rng)
    elif kind < 0.92:
        words |= dict(thing=_draw(rng, cake=7, castle=4, house=4, ball=3, **{"bowl of water": 3}))
        if words["thing"] == "cake":
            words |= dict(topping=rng.choice(TOPPINGS))
    else:
        words |= dict(thing=ABSENT)
    if words["thing"] != ABSENT and rng.random() < 0.12:
        words |= dict(beside=rng.choice(BESIDES[:-1]), beside_color=rng.choice(ACCENTS))
    if words["place"] == "street":
        words |= dict(crowded=_amount(rng, 0.5))
    return Scene(**words)


def _extras(rng: random.Random) -> dict[str, object]:
    """What a creature does, wears and holds."""
    doing = rng.choices(DOINGS, weights=(50, 26, 5, 5, 5, 5, 5))[0]
    extras: dict[str, object] = dict(doing=doing)
    if doing == "riding":
        extras |= dict(ride=rng.choice(RIDES[:-1]), ride_color=rng.choice(ACCENTS))
    if rng.random() < 0.24:
        extras |= dict(wearing=rng.choice(WEARABLES[:-1]), wearing_color=rng.choice(ACCENTS))
    if rng.random() < 0.18 and doing in ("standing", "riding", "in a bucket"):
        extras |= dict(holding=rng.choice(HOLDABLES[:-1]), holding_color=rng.choice(ACCENTS))
    return extras


def _draw(rng: random.Random, **weights: float) -> str:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _amount(rng: random.Random, chance: float) -> float:
    """0 mostly; with `chance` an amount spread evenly over [0.2, 1]."""
    present, amount = rng.random() < chance, rng.uniform(0.2, 1.0)
    return amount if present else 0.0


def training_scenes(first: int = 0) -> Iterator[Scene]:
    """The scenes training sees, one after the other, from scene number `first` on."""
    for seed in range(first, FIRST_HELD_OUT_SEED):
        scene = random_scene(seed)
        if not is_held_out(scene):
            yield scene


def held_out_scenes(new_combinations: bool, first: int = 0) -> Iterator[Scene]:
    """Scenes training never sees: of combinations it never sees either, or of those it does."""
    seed = FIRST_HELD_OUT_SEED + first
    while True:
        scene = random_scene(seed)
        if is_held_out(scene) == new_combinations:
            yield scene
        seed += 1
