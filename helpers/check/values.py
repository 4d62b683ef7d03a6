"""What people return, turned into what a check means: one place that knows all forms of a number or an array."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from helpers.core.shapes import Array

TOLERANCE = 1e-4


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of an array or a tensor; None for anything else, a model too, whose `shape` is a method."""
    shape = getattr(value, "shape", None)
    return tuple(shape) if isinstance(shape, tuple) else None


def number(value: Any) -> int | float | None:
    """One number as Python has it, from Python's, numpy's or torch's (0-d); None for all else, True and False too."""
    if shape_of(value) == () and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**300 else math.inf  # as numpy has it
    return float(value)


def is_number(value: Any) -> bool:
    """Whether it is one number, in any of the forms that `number` knows."""
    return number(value) is not None


def kind_of(value: Any) -> str:
    """In words what was handed over: "a text", "an array of the shape (3,)", "a dict"."""
    if isinstance(value, (bool, np.bool_)) or (shape_of(value) == () and "bool" in str(value.dtype)):
        return "True or False"
    if shape_of(value) is not None:
        return f"an array of the shape {shape_of(value)}"
    name = type(value).__name__
    return "a text" if isinstance(value, str) else f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def advice(value: Any) -> str:
    """How to make one number of something that is none; an empty text if that is not obvious."""
    if isinstance(value, str):
        return " Leave the quotes away."
    one = isinstance(value, (list, tuple, set)) or (shape_of(value) or ())[:1] != ()
    return " Give the number alone, without a list or an array around it." if one else ""


def numbers(value: Any) -> Array:
    """A number, an array or a tensor as an array; complex, since numpy would drop an imaginary part."""
    if hasattr(value, "detach"):  # a tensor that may require a gradient, or be of a kind that numpy does not know
        value = value.detach().cpu()
        value = value if value.is_complex() else value.double()
    return np.asarray(value).astype(complex)


def same(found: Any, wanted: Any) -> bool:
    """Whether two numbers, arrays or tensors have one shape and nearly the same values."""
    found, wanted = numbers(found), numbers(wanted)
    return found.shape == wanted.shape and bool(np.allclose(found, wanted, atol=TOLERANCE))


def untouched(before: Any, after: Any) -> bool:
    """Whether what was handed to a function is as it was: arrays, tensors, and what lists and dictionaries hold."""
    if shape_of(before) is not None:
        return shape_of(after) == shape_of(before) and bool((numbers(before) == numbers(after)).all())
    if isinstance(before, Mapping):
        return list(before) == list(after) and all(untouched(before[key], after[key]) for key in before)
    if isinstance(before, Sequence) and not isinstance(before, str):
        return len(before) == len(after) and all(map(untouched, before, after))
    return callable(before) or not isinstance(before, (int, float, str)) or before == after
