"""What every editing method takes, and the one place where what is left out is filled in.

    @method
    def sdedit(model, image, prompt, *, strength: Share = 0.6, ...): ...

    order   name                          what
    1       model                         a `helpers.core.interface.Model`
    2       image, source or fitted       what is edited: a picture, its trajectory, or what a fit made of it
    3       prompt ...                    what it shall show; then what else the method cannot do without: texts, masks
    4       *, the paper's knobs          by name only, with the range in the annotation
    5       seed                          of all noise; the same seed gives the same picture
    6       steps, guidance, size         the source's own, or the model's, unless given
    7       progress                      True for a bar, False for none, or a function of (steps done, steps in all)
    8       watch                         called after each call of the model with x= (the state), t= (its time), eps=;
                                          some methods tell more: losses=, mask=

Whoever is watching may raise, `KeyboardInterrupt` and an error of its own alike: that ends the method, and the model,
its weights, grad mode and random state are as before. A method draws no number from the global random state.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from helpers.core.surroundings import surroundings
from helpers.core.values import entrance

P = ParamSpec("P")
R = TypeVar("R")
OWN: Any = None  # the default of what is the source's own, or the model's, unless given: a method sees the number
DEFAULTS = ("steps", "guidance")  # the source's own, or the model's, where a method's are None
ORDER = ("seed", "steps", "lr", "batch", "guidance", "size", "folder", "progress", "watch")  # after the paper's knobs


def method(function: Callable[P, R]) -> Callable[P, R]:
    """`function(model, ...)` under the contract above: values checked, defaults filled in, gradients off."""
    entered, taken = entrance(function), signature(function).parameters
    asked = [name for name in DEFAULTS if name in taken and taken[name].default is None]

    @wraps(function)
    def edited(*arguments: P.args, **knobs: P.kwargs) -> R:
        given: dict[str, Any] = {**dict(zip(taken, arguments, strict=False)), **knobs}
        start, model = given.get([*taken][1]), given.get("model")
        own = {name: getattr(start if hasattr(start, name) else model, name, None) for name in asked
               if "model" in given and given.get(name) is None}
        filled: Callable[..., R] = entered
        with surroundings(grad=False):
            return filled(*arguments, **{**knobs, **own})

    return edited


def fitting(function: Callable[P, R]) -> Callable[P, R]:
    """`function(model, ...)` that learns: as `method`, with gradients on; its steps are its own."""
    entered = entrance(function)

    @wraps(function)
    def fitted(*arguments: P.args, **knobs: P.kwargs) -> R:
        with surroundings(grad=True):
            return entered(*arguments, **knobs)

    return fitted
