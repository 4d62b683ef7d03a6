"""The entrance: what people pass becomes plain Python values, or an error that says what was wrong and what to do.

    number("strength", np.float32(0.5), 0, 1)     0.5: any number of Python, numpy or torch, also a 0-d array
    number("steps", 2.5, 1, whole=True)           ValueError: steps is 2.5; expected a whole number from 1 on.

A function says what it takes in its annotations, and `@entrance` turns its arguments into that:

    @entrance
    def widened(mask: Any, pixels: Count) -> Image.Image: ...

    annotation                        what comes out
    Share, Real, Count, Positive ...  a float or an int in range; `Annotated[float, Number(0, 5)]` for another range
    Prompt, Prompts                   text in Unicode's composed form (NFC); a list of such texts
    Seed, Seeds                       an int; an int or a list of ints
    File                              a `pathlib.Path` with "~" resolved
    Flag                              True or False
    Numbers                           float64, of any shape; nan is a gap
    OneOf("a", "b") inside Annotated  one of these texts
    Latents, Same, Time, Times        see helpers.core.tensors
    Source, Edit, Text, Model ...     one of that class of ours (`known`)
    X | None                          None passes as it is
"""

from __future__ import annotations

import math
import os
import types
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import cache, wraps
from inspect import Parameter, signature
from numbers import Integral, Rational
from numbers import Real as RealNumber
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from torch import Tensor

from helpers.core.shapes import Array
from helpers.core.surroundings import are_usual, defaults

MOST_LETTERS = 20_000  # of a prompt; text encoders read some 300
MOST_VALUES = 100_000  # of a list of seeds, prompts or numbers
MOST_SHOWN = 80  # letters of a wrong value in an error
LARGEST = 1e6  # what no knob of ours goes beyond
MAPS = 1000  # noises to average over; each is two rows through the network

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")

# ------------------------------------------------------------------------------------------------------ single values


class WrongKind(TypeError, ValueError):
    """A value of another kind than expected: a text for a number, say. Whoever catches either error is served."""


def shown(value: Any) -> str:
    """A wrong value for an error: short, whatever it is, and without the numbers of an array."""
    if isinstance(value, (np.ndarray, Tensor)) and (value.ndim or masked(value)):
        return f"{_a(value)} of shape {tuple(value.shape)}"
    try:
        told = ascii(value) if isinstance(value, str) and not _encodable(value) else repr(value)
    except Exception:  # somebody's own class
        told = _a(value)
    return told if len(told) <= MOST_SHOWN else f"{told[:MOST_SHOWN]}..."


def masked(value: Any) -> bool:
    """Whether numpy's mask hides it, or some of it."""
    return isinstance(value, np.ma.MaskedArray) and bool(np.ma.is_masked(value))


def plain(value: Any) -> Any:
    """The Python value of a numpy or torch scalar or 0-d array; anything else as it is."""
    if isinstance(value, np.str_):
        return str(value)
    if masked(value) or (isinstance(value, Tensor) and not value.ndim and (value.is_meta or value.is_quantized)):
        return value  # nothing is in there
    if isinstance(value, (np.generic, np.ndarray, Tensor)) and not value.ndim:
        return value.item()
    return value


def number(name: str, value: Any, low: float = -LARGEST, high: float = LARGEST, *, whole: bool = False,
           above: bool = False, below: bool = False, hint: str = "") -> Any:
    """`value` as a Python float, or int where `whole`; in [low, high], without low if `above`, without high if `below`.

    WrongKind for what is no (whole) number, ValueError for one that is not finite or out of range. hint: what the
    ends mean or what to do, for the reader.
    """
    found = plain(value)
    wanted = "a whole number" if whole else "a number"
    expected = f"expected {wanted}{_span(low, high, above, below)}"
    wrong = f"{name} is {shown(value)}; {expected}{hint and ': ' + hint}."
    if isinstance(found, bool) or not isinstance(found, RealNumber):
        raise WrongKind(wrong)
    try:
        made = int(found) if isinstance(found, Integral) and whole else float(found)
    except OverflowError:
        raise ValueError(wrong) from None
    if not math.isfinite(made):
        raise ValueError(wrong.replace("expected a number", "expected a finite number"))
    if whole and made != int(made):
        raise WrongKind(wrong)
    made = int(made) if whole else made
    exact: Any = found if isinstance(found, Rational) else made
    if not low <= exact <= high or (above and exact == low) or (below and exact == high):
        beyond = abs(exact) > LARGEST  # then the ends that go without saying are said
        raise ValueError(wrong.replace(expected, f"expected {wanted} from {low:g} to {high:g}") if beyond else wrong)
    return made


def _span(low: float, high: float, above: bool, below: bool) -> str:
    """The range in words."""
    start = f"above {low:g}" if above else f"from {low:.15g}"
    if high >= LARGEST:
        return "" if low <= -LARGEST else f" {start} on" if not above else f" {start}"
    if low <= -LARGEST:
        return f" up to {high:.15g}"
    return f" {start} {'to below' if below else 'to' if not above else 'and at most'} {high:.15g}"


def text(name: str, value: Any, *, most: int = MOST_LETTERS) -> str:
    """`value` as text in Unicode's composed form (NFC), so that the same words are the same characters."""
    found = plain(value)
    if not isinstance(found, str):
        raise WrongKind(f"{name} is {shown(value)}; expected one text.")
    if len(found) > most:
        raise ValueError(f"{name} has {len(found):,} characters; expected at most {most:,}. Shorten it.")
    if not _encodable(found) or "\0" in found:
        raise ValueError(f"{name} is {ascii(found[:MOST_SHOWN])}, which holds half a character or a NUL: it was cut or "
                         "decoded wrongly. Type it anew.")
    return unicodedata.normalize("NFC", found)


def texts(name: str, value: Any) -> list[str]:
    """One text, or several, as a list of at least one."""
    if isinstance(plain(value), str):
        return [text(name, value)]
    return [text(f"{name}[{i}]", each) for i, each in enumerate(listed(name, value, "a text or a list of texts"))]


def listed(name: str, value: Any, expected: str, *, empty: bool = False) -> list[Any]:
    """A list of what stands in a list, tuple, range or array; a WrongKind for sets, texts and what may be endless."""
    value = value.tolist() if isinstance(value, np.ndarray) and value.ndim else value
    if isinstance(value, Tensor) and value.ndim and not value.is_meta:
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray)):
        raise WrongKind(f"{name} is {shown(value)}; expected {expected}.")
    if len(value) > MOST_VALUES:
        raise ValueError(f"{name} has {len(value):,} values; expected at most {MOST_VALUES:,}.")
    if not len(value) and not empty:
        raise ValueError(f"{name} is empty; expected {expected}.")
    return list(value)


def numbers(name: str, value: Any) -> Array:
    """A list of numbers to draw, as float64 of any shape; nan is a gap."""
    try:
        return np.atleast_1d(np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=np.float64))
    except Exception:
        raise WrongKind(f"{name} is {shown(value)}; expected numbers, in lists of one length.") from None


def path(name: str, value: Any) -> Path:
    """`value` as a Path with "~" resolved; a ValueError for one that no file system takes."""
    found = plain(value)
    if not isinstance(found, (str, os.PathLike)) or not isinstance(os.fspath(found), str):
        raise WrongKind(f"{name} is {shown(value)}; expected a path: a text or a pathlib.Path.")
    told = os.fspath(found)
    if not told.strip():
        raise ValueError(f"{name} is empty; expected a path. '.' is the folder you are in.")
    if "\0" in told or not _encodable(told, "surrogateescape"):
        raise ValueError(f"{name} is {ascii(told[:MOST_SHOWN])}, which no file can be called: it holds a NUL or half a "
                         "character.")
    if len(told) > 4000 or any(len(os.fsencode(part)) > 255 for part in Path(told).parts):
        raise ValueError(f"{name} is {shown(told)}, {len(told):,} characters long: no file can be called so; shorten "
                         "it.")
    try:
        return Path(told).expanduser()
    except RuntimeError:
        raise ValueError(f"{name} is {shown(told)}, and there is no such user here: write the folder out.") from None


def choice(name: str, value: Any, options: Iterable[str]) -> str:
    """`value` if it is one of the `options`."""
    found, options = plain(value), tuple(options)
    if not isinstance(found, str) or found not in options:
        *first, last = map(repr, options)
        told = f"{', '.join(first)} or {last}" if first else last
        raise ValueError(f"{name} is {shown(value)}; expected {told}.")
    return str(found)


def flag(name: str, value: Any) -> bool:
    """`value` as True or False."""
    found = plain(value)
    if not isinstance(found, bool) and (not isinstance(found, int) or found not in (0, 1)):
        raise WrongKind(f"{name} is {shown(value)}; expected True or False.")
    return bool(found)


def seed(name: str, value: Any) -> int:
    """One seed as a whole number that a generator takes."""
    made: int = number(name, value, -(2**63), 2**64 - 1, whole=True)
    return made


def seeds(name: str, value: Any) -> int | list[int]:
    """One seed or a list of them; a set has no order and a generator no end, so they are none."""
    if isinstance(plain(value), RealNumber) and not isinstance(value, bool):
        return seed(name, value)
    return seed_list(name, value)


def seed_list(name: str, value: Any) -> list[int]:
    """Several seeds as whole numbers that a generator takes."""
    several = listed(name, value, "a whole number, or a list of them")
    return [seed(f"{name}[{i}]", each) for i, each in enumerate(several)]


def _encodable(value: str, errors: str = "strict") -> bool:
    try:
        value.encode("utf-8", errors)
    except UnicodeEncodeError:
        return False
    return True


def _a(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeioAEIO' else 'a'} {kind}"


# -------------------------------------------------------------------------------------- values as a function's types


class Kind:
    """What an annotation asks for; `read` is one of the functions above and takes (name, value)."""

    def __init__(self, read: Callable[..., Any], *limits: Any, **knobs: Any) -> None:
        """Reads with `read(name, value, *limits, **knobs)`."""
        self.read, self.limits, self.knobs = read, limits, knobs

    def __call__(self, name: str, value: Any) -> Any:
        """The value as it is meant."""
        return self.read(name, value, *self.limits, **self.knobs)


class Number(Kind):
    """A number in a range; see `number`. Widgets read `low`, `high` and `whole`."""

    def __init__(self, low: float = -LARGEST, high: float = LARGEST, **knobs: Any) -> None:
        """In [low, high]; knobs: whole, above, below, hint."""
        super().__init__(number, low, high, **knobs)
        self.low, self.high, self.whole = low, high, knobs.get("whole", False)


class OneOf(Kind):
    """One of these texts."""

    def __init__(self, *options: str) -> None:
        """Of `options`."""
        super().__init__(choice, options)


CLASSES: dict[type, Kind] = {}  # a class of ours -> what its name in an annotation asks for; see `known`
Real = Annotated[float, Number()]
Share = Annotated[float, Number(0, 1)]
Positive = Annotated[float, Number(0, above=True)]
Count = Annotated[int, Number(0, 10**12, whole=True)]
AtLeastOne = Annotated[int, Number(1, 10**12, whole=True)]
Guidance = Annotated[float, Number(-1000, 1000, hint="0 is unconditional, 1 conditional, 3 to 15 are usual")]
Steps = Annotated[int, Number(1, 1000, whole=True)]
Rate = Annotated[float, Number(0, 10, above=True, below=True, hint="a learning rate, 1e-4 say")]
FitSteps = Annotated[int, Number(1, 10_000_000, whole=True)]
Batch = Annotated[int, Number(1, 65_536, whole=True)]
Rank = Annotated[int, Number(1, 65_536, whole=True, hint="of a LoRA, 4 is usual")]
Width = Annotated[int, Number(16, 4096, whole=True, hint="CSS pixels")]
Seed = Annotated[int, Kind(seed)]
Seeds = Annotated[int | Sequence[int], Kind(seeds)]
Prompt = Annotated[str, Kind(text)]
Prompts = Annotated[str | Sequence[str], Kind(texts)]
File = Annotated[str | os.PathLike[str], Kind(path)]
Flag = Annotated[bool, Kind(flag)]
Numbers = Annotated[Any, Kind(numbers)]


def known(hint: str) -> Callable[[type[C]], type[C]]:
    """A class of ours whose name in an annotation asks for one of it; hint: how to get one, for the reader."""

    def register(class_: type[C]) -> type[C]:
        def read(name: str, value: Any) -> Any:
            if not isinstance(value, class_):
                raise WrongKind(f"{name} is {shown(value)}; expected {hint}.")
            return value

        CLASSES[class_] = Kind(read)
        return class_

    return register


def kind_of(annotation: Any) -> Kind | None:
    """What an annotation asks for; of `X | None` what X does; None where it asks for nothing."""
    if get_origin(annotation) is Annotated:
        return next((mark for mark in get_args(annotation)[1:] if isinstance(mark, Kind)), None)
    if get_origin(annotation) in (Union, types.UnionType):
        several = [one for one in get_args(annotation) if one is not type(None)]
        return next(filter(None, (kind_of(one) for one in several if len(several) == 1 or not isinstance(one, type))),
                    None)
    bare = get_origin(annotation) or annotation  # `Model` of `Model[Made]`
    return CLASSES.get(bare) if isinstance(bare, type) else None


@cache
def kinds_of(function: Callable[..., Any]) -> dict[str, Kind]:
    """What each parameter of a function asks for, by name; things of ours last. Without those that ask for none."""
    function = getattr(function, "__wrapped__", function)
    found = {name: kind_of(hint) for name, hint in get_type_hints(function, include_extras=True).items()}
    asked = [(name, kind) for name, kind in found.items() if kind and name != "return"]
    return dict(sorted(asked, key=lambda one: one[1] in CLASSES.values()))


def entrance(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, called with what its annotations ask for (see above), under torch's own default dtype and device.

    Costs some 20 microseconds a call.
    """
    parameters = signature(function).parameters
    names = [name for name, one in parameters.items() if one.kind is not Parameter.KEYWORD_ONLY]

    @wraps(function)
    def entered(*arguments: P.args, **knobs: P.kwargs) -> R:
        given: dict[str, Any] = {**dict(zip(names, arguments, strict=False)), **knobs}
        for name, kind in kinds_of(function).items():
            if name in given and (given[name] is not None or parameters[name].default is not None):  # its own default
                given[name] = kind(name, given[name])
        read = [given[name] for name in names[: len(arguments)]]
        taking: Callable[..., R] = function
        with nullcontext() if are_usual() else defaults():
            return taking(*read, *arguments[len(read):], **{name: given[name] for name in knobs})

    return entered
