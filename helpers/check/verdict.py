"""What a check says: right or not yet, and why.

    Verdict(True, "The squares of the two factors sum to 1.")      shown as "Right. The squares ..."
    Verdict(False, "The noise is missing: add it.")                shown as "Not yet. The noise ..."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

Slips = Mapping[str, Callable[..., Any]]  # what to say -> the wrong formula it is said about
TOLERANCE = 1e-4


class Verdict(NamedTuple):
    """What a check found; true if the answer is right. A notebook shows it as a sentence."""

    right: bool
    message: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}. {self.message}"


UNANSWERED = Verdict(False, "The three dots are still there: put your answer in their place, then run the cell again.")


def is_unanswered(answer: Any) -> bool:
    """Whether the answer is still the template's three dots."""
    return answer is Ellipsis


def tried(answer: Callable[..., Any], *arguments: Any) -> Any:
    """What the reader's function returns, or a Verdict about why there is nothing to look at."""
    if is_unanswered(answer):
        return UNANSWERED
    if not callable(answer):
        return Verdict(False, "Give the function itself, without parentheses: check.name(my_function).")
    try:
        found = answer(*arguments)
    except Exception as error:  # the reader's code may fail in any way
        return Verdict(False, f"Your function stopped with {type(error).__name__}: {error}")
    if found is None:
        return Verdict(False, "Your function returns None: is there a `return`?")
    return UNANSWERED if is_unanswered(found) else found


def safe(check: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """The check, with a verdict where it would raise: nobody foresees every answer."""

    @wraps(check)
    def checked(*arguments: Any, **named: Any) -> Verdict:
        try:
            return check(*arguments, **named)
        except Exception as error:  # not KeyboardInterrupt: the reader may stop a long answer
            return Verdict(False, f"That cannot be read as an answer ({type(error).__name__}: {error}).")

    return checked


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of an array or a tensor; None for anything else, a model too, whose `shape` is a method."""
    shape = getattr(value, "shape", None)
    return tuple(shape) if isinstance(shape, tuple) else None


def is_number(value: Any) -> bool:
    """Whether it is one number, an array or a tensor of one too; True and False are none."""
    return shape_of(value) == () or (isinstance(value, (int, float)) and not isinstance(value, bool))


def numbers(value: Any) -> np.ndarray:
    """A number, an array or a tensor as an array; complex, since numpy would drop an imaginary part."""
    if hasattr(value, "detach"):  # a tensor that may require a gradient, or be of a kind that numpy does not know
        value = value.detach().cpu()
        value = value if value.is_complex() else value.float()
    return np.asarray(value).astype(complex)


def same(found: Any, wanted: Any) -> bool:
    """Whether two numbers, arrays or tensors have one shape and nearly the same values."""
    found, wanted = numbers(found), numbers(wanted)
    return found.shape == wanted.shape and bool(np.allclose(found, wanted, atol=TOLERANCE))


def of_formula(
    answer: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    right: Callable[..., Any],
    slips: Slips,
    praise: str,
) -> Verdict:
    """Does `answer` give what `right` gives, for each tuple of `arguments`? If not, which of `slips` does?

    Formulas of tensors that give a tensor. The answer gets copies: one that works in place would change what every
    later answer is compared with. (Copies of functions are the functions themselves.)
    """
    found = [tried(answer, *map(deepcopy, each)) for each in arguments]
    for value, each in zip(found, arguments, strict=True):
        if isinstance(value, Verdict):
            return value
        wanted = right(*each)
        if shape_of(value) is None:
            return Verdict(False, f"Your function returns a {type(value).__name__}; expected a tensor.")
        if value.shape != wanted.shape:
            return Verdict(False, f"Your function returns the shape {tuple(value.shape)}; expected a tensor of shape "
                                  f"{tuple(wanted.shape)}.")
    if all(same(value, right(*each)) for value, each in zip(found, arguments, strict=True)):
        return Verdict(True, praise)
    for message, slip in slips.items():
        if all(same(value, slip(*each)) for value, each in zip(found, arguments, strict=True)):
            return Verdict(False, message)
    return Verdict(False, "The shape is right, but the values differ from the formula's. Compare it term by term.")
