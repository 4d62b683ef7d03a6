"""Trying the reader's function at several inputs: what it returns, and the slips that any function may have.

    found = run(answer, [(x, 0.3), (y, 1.0)])       its values, or a Verdict about why there are none
    of_formula(answer, [...], right, slips, ...)    the verdict, for a function that gives numbers or tensors
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from helpers.check.values import is_number, kind_of, number, numbers, same, shape_of, untouched
from helpers.check.verdict import UNANSWERED, Verdict, is_unanswered
from helpers.core.shapes import Array

Slips = Mapping[str, Callable[..., Any]]  # what to say -> the wrong formula it is said about
Inputs = Sequence[tuple[Any, ...]]  # the arguments of each trial
DIFFER = "The form is right, but the values differ from the formula's. Compare it term by term."


def run(answer: Callable[..., Any], inputs: Inputs, kept: str = "", none: bool = False) -> list[Any] | Verdict:
    """What the reader's function returns for copies of each of the inputs, or a Verdict about why it gives nothing.

    kept: what to say if it changes what it was given; none: whether None is a value to return.
    """
    if is_unanswered(answer):
        return UNANSWERED
    if not callable(answer):
        return Verdict(False, "Give the function itself, without parentheses: check.name(my_function).")
    values = []
    for given in inputs:
        copies = deepcopy(given)
        try:
            found = answer(*copies)
        except Exception as error:  # the reader's code may fail in any way
            at = described(answer, given)
            return Verdict(False, f"Your function stopped with {type(error).__name__}: {error}{at and f' (for {at})'}")
        if is_unanswered(found):
            return UNANSWERED
        if found is None and not none:
            return Verdict(False, "Your function returns None: is there a `return`?")
        for name, before, after in zip(names_of(answer, given), given, copies, strict=True):
            if not untouched(before, after):
                return Verdict(False, kept or f"Your function changes {name}, which it was given, and whoever "
                                              "uses that later gets another value. Work on a copy, or make a new one.")
        values.append(found)
    return values


def names_of(answer: Callable[..., Any], given: tuple[Any, ...]) -> list[str]:
    """The reader's own names of the arguments."""
    try:
        names = [f"`{name}`" for name, one in inspect.signature(answer).parameters.items()
                 if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):  # some functions written in C tell nothing
        names = []
    return names if len(names) == len(given) else [f"argument {i}" for i, _ in enumerate(given, 1)]


def described(answer: Callable[..., Any], given: tuple[Any, ...]) -> str:
    """The numbers among the arguments, "w = 0, a = 0.3"; an empty text if there is none."""
    named = zip(names_of(answer, given), given, strict=True)
    return ", ".join(f"{name.strip('`')} = {value:g}" for name, value in named
                     if name.startswith("`") and is_number(value) and not shape_of(value))


def of_formula(answer: Callable[..., Any], inputs: Inputs, right: Callable[..., Any], slips: Slips, praise: str, *,
               expected: str = "", hint: str = DIFFER, kept: str = "") -> Verdict:
    """Does `answer` give what `right` gives, for each of the inputs? If not, which of `slips` does?

    Of formulas that give a number or a tensor. A slip that stops with an error is not the reader's.
    """
    found = run(answer, inputs, kept)
    if isinstance(found, Verdict):
        return found
    wanted = [right(*given) for given in inputs]
    for value, one in zip(found, wanted, strict=True):
        if wrong := wrong_form(value, one, expected):
            return Verdict(False, wrong)
    found = [value if number(value) is None else number(value) for value in found]
    if agree(found, wanted):
        return Verdict(True, praise)
    return Verdict(False, what_is_wrong(answer, found, inputs, wanted, slips, hint))


def what_is_wrong(answer: Callable[..., Any], found: Sequence[Any], inputs: Inputs, wanted: Sequence[Any],
                  slips: Slips, hint: str) -> str:
    """What to say about wrong values of the right form: one of `slips`, a usual one, or where it fails, and the hint.

    The exercise's own slips come first: they say more.
    """
    slip = slip_of(found, inputs, slips) or usual_slip(answer, found, inputs, wanted)
    return slip or partly(answer, found, inputs, wanted) + hint


def slip_of(found: Sequence[Any], inputs: Inputs, slips: Slips) -> str:
    """Which of `slips` gives all that was found; an empty text if none does."""
    for message, slip in slips.items():
        try:
            with np.errstate(all="ignore"):  # a slip may divide by 0: that is nobody's business
                if agree(found, [slip(*deepcopy(given)) for given in inputs]):
                    return message
        except Exception:  # this slip cannot give values, so it is not the reader's
            continue
    return ""


def agree(found: Sequence[Any], wanted: Sequence[Any]) -> bool:
    """Whether all the values are the same."""
    return all(map(same, found, wanted))


def wrong_form(value: Any, wanted: Any, expected: str = "") -> str:
    """What is wrong with the kind or the shape of a value; an empty text if nothing is."""
    if is_number(wanted):
        return "" if is_number(value) else f"Your function returns {kind_of(value)}; expected {expected or 'a number'}."
    shape, right = shape_of(value), shape_of(wanted)
    if shape is None:
        return f"Your function returns {kind_of(value)}; expected {expected or 'a tensor'}."
    if shape == right:
        return ""
    turned = " Is it transposed?" if right is not None and shape == right[::-1] else ""
    found = f"the shape {shape}" if shape else "one number"
    return f"Your function returns {found}; expected a tensor of shape {right}.{turned}"


def usual_slip(answer: Callable[..., Any], found: Sequence[Any], inputs: Inputs, wanted: Sequence[Any]) -> str:
    """The slip of values of the right form that needs no knowledge of the formula; an empty text if none fits."""
    for i, name in enumerate(names_of(answer, inputs[0])):
        if all(is_value(given[i]) and same(value, given[i]) for value, given in zip(found, inputs, strict=True)):
            return f"Your function returns {name} as it was given: nothing was done to it."
    found, wanted = [numbers(value) for value in found], [numbers(value) for value in wanted]
    if not all(np.isfinite(value).all() for value in found):
        return "Some values are nan or inf: is something divided by 0, or the root or log of a negative number taken?"
    if all(same(found[0], value) for value in found) and not all(same(wanted[0], value) for value in wanted):
        return "Your function returns the same for every input: use what it is given, not the numbers of one example."
    for words, change in CHANGES.items():
        if agree(found, [change(value.real) for value in wanted]):
            return words
    if factor := factor_of(found, wanted):
        return f"Every value is {factor:.3g} times what it should be: which factor is too much, or missing?"
    return ""


CHANGES: Slips = {
    "The sign is turned: every value is the negative of what is asked.": lambda value: -value,
    "The values are transposed: rows and columns are swapped.":
        lambda value: value.swapaxes(-1, -2) if value.ndim > 1 else value,
    "The values are cut off to whole numbers: is there an int(...), a // or a dtype of whole numbers?": np.trunc,
    "The values are rounded to whole numbers: keep what is behind the point.": np.round,
    "The values are rounded to one place behind the point: return them as they are.": lambda value: value.round(1),
    "The values are rounded to two places behind the point: return them as they are.": lambda value: value.round(2),
    "The sizes are right, but not the signs: is there an abs or a square too much?": np.abs,
    "The values are squared: take the root.": np.square,
    "One is added to every value.": lambda value: value + 1,
    "One is subtracted from every value.": lambda value: value - 1,
}


def is_value(given: Any) -> bool:
    """Whether an argument is a number, an array or a tensor."""
    return is_number(given) or shape_of(given) is not None


def factor_of(found: Sequence[Array], wanted: Sequence[Array]) -> float:
    """By how much all values are too large, if it is the same everywhere; else 0."""
    f, w = (np.concatenate([value.ravel() for value in values]).real for values in (found, wanted))
    factor = float(f @ w / max(float(w @ w), 1e-12))
    return factor if abs(factor) > 1e-3 and np.allclose(f, factor * w, rtol=1e-4, atol=1e-5) else 0.0


def partly(answer: Callable[..., Any], found: Sequence[Any], inputs: Inputs, wanted: Sequence[Any]) -> str:
    """For which input the values are right and for which they are not; an empty text if it is none of them."""
    fits = [same(*pair) for pair in zip(found, wanted, strict=True)]
    if not any(fits):
        return ""
    good, bad = fits.index(True), fits.index(False)
    told = [described(answer, inputs[i]) for i in (good, bad)]
    if not all(told) or told[0] == told[1]:
        told = [f"input {i + 1} of {len(fits)}" for i in (good, bad)]
    return f"Right for {told[0]}, but not for {told[1]}. "
