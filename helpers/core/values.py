"""Checks of what readers pass: an error that says what was wrong and what to do."""

from __future__ import annotations

from math import isfinite
from numbers import Integral, Real


def check_prompt(prompt: str) -> None:
    """An error unless `prompt` is one text."""
    if not isinstance(prompt, str):
        raise TypeError(f"The prompt is {prompt!r}; expected one text.")


def check_finite(name: str, value: float) -> None:
    """An error unless `value` is a finite number: not a text, and none of the values that make black pictures."""
    if not isinstance(value, Real) or not isfinite(value):
        raise ValueError(f"{name} is {value!r}; expected a finite number.")


def check_steps(steps: int, most: int) -> int:
    """`steps` if it is a whole number from 1 to `most`, else an error."""
    if not isinstance(steps, Integral) or not 1 <= steps <= most:
        raise ValueError(f"steps is {steps!r}; expected a whole number from 1 to {most}.")
    return int(steps)
