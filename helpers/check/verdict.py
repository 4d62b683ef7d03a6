"""What a check says: right or not yet, and why.

    Verdict(True, "The squares of the two factors sum to 1.")      shown as "Right. The squares ..."
    Verdict(False, "The noise is missing: add it.")                shown as "Not yet. The noise ..."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def same(found: Any, wanted: Any) -> bool:
    """Whether two numbers or arrays have one shape and nearly the same values."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    return found.shape == wanted.shape and bool(np.allclose(found.astype(float), wanted.astype(float), atol=TOLERANCE))


def of_formula(
    answer: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    right: Callable[..., Any],
    slips: Slips,
    praise: str,
) -> Verdict:
    """Does `answer` give what `right` gives, for each tuple of `arguments`? If not, which of `slips` does?

    Formulas of tensors that give a tensor.
    """
    found = [tried(answer, *each) for each in arguments]
    for value, each in zip(found, arguments, strict=True):
        if isinstance(value, Verdict):
            return value
        wanted = right(*each)
        if not hasattr(value, "shape"):
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
