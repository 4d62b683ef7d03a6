"""Shapes are checked in tests: jaxtyping's import hook puts `checked` around every function of the package.

Only shapes are. Whether a value is of the right kind is the type checker's business, and for what readers pass the
entrance's, which answers with a sentence (`helpers.core.values`); a checker of everything would speak first.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import jaxtyping
import numpy as np
from jaxtyping import AbstractArray, install_import_hook
from torch import Tensor

HELPERS = Path(__file__).resolve().parents[1] / "helpers"


def modules() -> list[str]:
    """The modules that state a shape; not the entrance, whose arrays are of any shape, and which must be quick."""
    files = (file for file in HELPERS.rglob("*.py") if re.search("jaxtyping|core.shapes", file.read_text("utf-8")))
    names = (".".join(file.relative_to(HELPERS.parent).with_suffix("").parts) for file in files)
    return sorted(set(names) - {"helpers.core.shapes", "helpers.core.values"})


def install() -> None:
    """Check every call of what is imported from now on; warnings point past the checks, too."""
    install_import_hook(modules(), "shape_checks.checked")
    from helpers.core import warn

    warn.OURS += (str(Path(jaxtyping.__file__).parent), __file__)


def states_shape(hint: Any) -> bool:
    """Whether a shape stands somewhere in a hint, and not only among what a function that is passed shall take."""
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return get_origin(hint) is not Callable and any(map(states_shape, get_args(hint)))


def fits(value: Any, hint: Any) -> bool:
    """Whether the tensors and arrays in a value have the shapes that its hint states; the rest may be anything."""
    origin, inside = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return isinstance(value, hint)
    if origin is Annotated:
        return fits(value, inside[0])
    if origin in (Union, types.UnionType):
        stated = [one for one in inside if states_shape(one)]
        others = not isinstance(value, (Tensor, np.ndarray)) and len(stated) < len(inside)
        return others or any(fits(value, one) for one in stated)
    if origin is tuple and isinstance(value, tuple) and inside[-1] is not Ellipsis:
        return len(value) == len(inside) and all(map(fits, value, inside))
    if isinstance(value, Mapping):
        return all(fits(one, inside[-1]) for one in value.values()) if inside else True
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(fits(one, inside[0]) for one in value) if inside else True
    return True


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which raises a TypeError for an argument or a result of another shape than its annotations state."""
    stated = {name: hint for name, hint in function.__annotations__.items() if states_shape(hint)}
    if not stated:
        return function
    wanted = signature(function)
    kinds = {name: one.kind for name, one in wanted.parameters.items()}

    @wraps(function)
    def called(*arguments: Any, **knobs: Any) -> Any:
        result = function(*arguments, **knobs)
        given = {**wanted.bind(*arguments, **knobs).arguments, "return": result}
        for name, hint in stated.items():
            values = [given[name]] if name in given else []
            if kinds.get(name) is Parameter.VAR_POSITIONAL:  # *tensors
                values = given.get(name, ())
            elif kinds.get(name) is Parameter.VAR_KEYWORD:  # **tensors
                values = given.get(name, {}).values()
            if not all(fits(value, hint) for value in values):
                raise TypeError(f"{name} has not the shape {hint}")
        return result

    return called
