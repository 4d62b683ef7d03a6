"""Tensors and times at the entrance: states of pictures, and where they are in the schedule.

    annotation   what comes out
    Same         a tensor of floating-point numbers, of any shape; all of one
    Latents      such a tensor of shape (B, C, h, w), with at least one row; OneState: one row may stand for all
    LatentMask   one of shape (B, 1, h, w)
    Time         a time of a schedule or CLEAN, as an int; RowTimes: or one for each row, (B,)
    Times        a list of them
    Shape        a tensor's shape, as a tuple of whole numbers
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from helpers.core import shapes
from helpers.core.interface import CLEAN
from helpers.core.values import Kind, WrongKind, listed, number, shown

MOST_NUMBERS = 10**9  # of a tensor that is asked for by its shape
LAST_TIME = 10**6  # beyond every schedule; `check_time` knows the model's own


def floats(name: str, value: Any, expected: str = "a tensor of floating-point numbers") -> shapes.Same:
    """`value` if it is a tensor that can be computed with."""
    if not isinstance(value, Tensor) or not value.is_floating_point() or value.layout != torch.strided:
        raise WrongKind(f"{name} is {shown(value)}; expected {expected}.")
    return value


def latents(name: str, value: Any) -> shapes.Latents:
    """`value` if it is the states of some pictures."""
    expected = "latents (B, C, h, w): a tensor of floating-point numbers, as model.encode gives them"
    if floats(name, value, expected).ndim != 4 or not value.numel():
        raise WrongKind(f"{name} is {shown(value)}; expected {expected}.")
    found: Tensor = value
    return found


def time(name: str, value: Any) -> int | shapes.Times:
    """One time as an int, or a tensor with one for each row."""
    if type(value) is int and CLEAN <= value <= LAST_TIME:  # at every step
        return value
    if isinstance(value, Tensor) and value.ndim:
        if value.ndim != 1 or value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
            raise WrongKind(f"{name} is {shown(value)}; expected a time, or whole numbers of shape (B,).")
        return value
    made: int = number(name, value, CLEAN, LAST_TIME, whole=True, hint="a time of the schedule, -1 is CLEAN")
    return made


def one_time(name: str, value: Any) -> int:
    """One time, of all rows."""
    found = time(name, value)
    if isinstance(found, Tensor):
        raise WrongKind(f"{name} is {shown(value)}; expected one time, for all rows.")
    return found


def times(name: str, value: Any) -> list[int]:
    """Times in an order; at least one."""
    several = listed(name, value, "a list of times, as model.times gives them")
    return [number(f"{name}[{i}]", each, CLEAN, LAST_TIME, whole=True) for i, each in enumerate(several)]


def shape(name: str, value: Any) -> tuple[int, ...]:
    """The shape of a tensor, such as (B, C, h, w): whole numbers from 1 on."""
    given = listed(name, value, "a tensor's shape: (B, C, h, w)")
    sides = tuple(number(f"{name}[{i}]", side, 1, MOST_NUMBERS, whole=True) for i, side in enumerate(given))
    if math.prod(sides) > MOST_NUMBERS:
        raise ValueError(f"{name} is {shown(sides)}, {math.prod(sides):,} numbers; expected at most {MOST_NUMBERS:,}.")
    return sides


def check_steps(steps: int, most: int) -> int:
    """`steps` if it is a whole number from 1 to `most`, else an error."""
    made: int = number("steps", steps, 1, most, whole=True)
    return made


Same = Annotated[shapes.Same, Kind(floats)]
Latents = Annotated[shapes.Latents, Kind(latents)]
OneState = Annotated[Float[Tensor, "#B C h w"], Kind(latents)]
LatentMask = Annotated[shapes.LatentMask, Kind(floats)]
Time = Annotated[int, Kind(one_time)]
RowTimes = Annotated[int | Integer[Tensor, " B"], Kind(time)]
Times = Annotated[list[int], Kind(times)]
Shape = Annotated[Sequence[int], Kind(shape)]


def fit_each_other(**tensors: shapes.Weight) -> None:
    """A ValueError that tells the shapes, or the devices, unless these tensors can be computed with together."""
    first, *others = tensors.values()
    if all(other.shape == first.shape and other.device == first.device for other in others):
        return
    told = ", ".join(f"{name} {tuple(one.shape)}" for name, one in tensors.items())
    try:
        torch.broadcast_shapes(*(one.shape for one in tensors.values()))
    except RuntimeError:
        raise ValueError(f"The shapes do not fit each other: {told}. Give tensors of one shape.") from None
    if len({one.device for one in tensors.values() if one.ndim or one.is_meta}) > 1:
        told = ", ".join(f"{name} on {one.device}" for name, one in tensors.items())
        raise ValueError(f"The tensors are not in one place: {told}. Move them with .to(model.device).")
