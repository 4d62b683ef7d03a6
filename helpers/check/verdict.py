"""What a check says: right or not yet, and why.

    Verdict(True, "The squares of the two factors sum to 1.")      shown as "Right. The squares ..."
    Verdict(False, "The noise is missing: add it.")                shown as "Not yet. The noise ..."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple

from helpers.check.values import advice, kind_of, number, same
from helpers.core.surroundings import defaults


class Verdict(NamedTuple):
    """What a check found; true if the answer is right. A notebook shows it as a sentence."""

    right: bool
    message: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}. {self.message}"


UNANSWERED = Verdict(False, "The three dots are still there: put your answer in their place, then run the cell again.")

Answers = Mapping[float, tuple[bool, str]]  # a number -> whether it is right, and what to say about it


def is_unanswered(answer: Any) -> bool:
    """Whether the answer is still the template's three dots."""
    return answer is Ellipsis


def safe(check: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """The check, with a verdict where it would raise: nobody foresees every answer."""

    @wraps(check)
    def checked(*arguments: Any, **named: Any) -> Verdict:
        try:
            with defaults():
                return check(*arguments, **named)
        except Exception as error:  # not KeyboardInterrupt: the reader may stop a long answer
            return Verdict(False, f"That cannot be read as an answer ({type(error).__name__}: {error}).")

    return checked


def of_number(answer: Any, known: Answers, hint: str, what: str = "a number") -> Verdict:
    """What is said about an answer that is one number: what is known about it, else the hint."""
    if is_unanswered(answer):
        return UNANSWERED
    value = number(answer)
    if value is None:
        return Verdict(False, f"Expected {what}, not {kind_of(answer)}.{advice(answer)}")
    return next((Verdict(*told) for key, told in known.items() if same(value, key)), Verdict(False, hint))
