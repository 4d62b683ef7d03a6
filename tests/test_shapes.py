"""Every function says what shape of tensors it takes and returns, and calls with another shape are refused in tests."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import torch
from jaxtyping import AbstractArray, TypeCheckError
from shape_checks import fits, modules, states_shape
from torch import Tensor

import helpers
from helpers.attention.kernel import remixed
from helpers.core import as_mask, blend, guide
from helpers.core.diffusion import cfg
from helpers.core.interface import Text
from helpers.core.shapes import Latents, Loss, Times
from helpers.core.values import WrongKind
from helpers.finetuning.loss import denoising_loss
from helpers.models.analytic import AnalyticModel
from helpers.picturebook.judge import Judge

#: pictures are drawn of polygons there; no tensor of a model comes in or goes out
DRAWN = ("helpers.picturebook.drawing", "helpers.picturebook.canvas")
MODULES = [name for _, name, _ in pkgutil.walk_packages(helpers.__path__, "helpers.") if not name.startswith(DRAWN)]


def functions(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """All functions of a module, its classes' methods and fields, with what they are called."""
    for name, thing in vars(module).items():
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(thing):
            if is_dataclass(thing) or hasattr(thing, "_fields"):
                yield name, thing
            for inner, one in vars(thing).items():
                one = one.fget if isinstance(one, property) else getattr(one, "__func__", one)
                if inspect.isfunction(one):
                    yield f"{name}.{inner}", one
        elif inspect.isfunction(thing):
            yield name, thing


def bare(hint: Any) -> bool:
    """Whether a hint names a tensor or an array without its shape; what a function that is passed takes is its own."""
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return False
    if get_origin(hint) is np.ndarray or (isinstance(hint, type) and issubclass(hint, (Tensor, np.ndarray))):
        return True
    return get_origin(hint) is not Callable and any(map(bare, get_args(hint)))


@pytest.mark.parametrize("name", MODULES)
def test_every_function_with_a_tensor_states_its_shape(name: str) -> None:
    module = importlib.import_module(name)
    silent = {f"{name}.{one}: {parameter}" for one, function in functions(module)
              for parameter, hint in get_type_hints(function, include_extras=True).items() if bare(hint)}
    assert not silent


def particular(hint: Any) -> bool:
    """Whether a hint states a shape that not every tensor has."""
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return hint.dim_str != "..."
    return any(map(particular, get_args(hint)))


def test_every_module_that_states_a_shape_is_checked() -> None:
    stating = {name for name in MODULES for _, function in functions(importlib.import_module(name))
               if any(map(particular, get_type_hints(function, include_extras=True).values()))}
    assert stating <= set(modules())


def test_the_search_finds_what_is_bare() -> None:
    assert all(map(bare, (Tensor, np.ndarray, Tensor | None, list[Tensor], dict[str, tuple[int, Tensor]],
                          Annotated[Tensor, "x"], np.ndarray[Any, Any])))
    assert not any(map(bare, (Latents, Latents | None, dict[str, Latents], int, Callable[[Tensor], Tensor], Any)))


def test_the_public_methods_are_among_them() -> None:
    found = {one for name in MODULES for one, function in functions(importlib.import_module(name))
             if any(map(states_shape, get_type_hints(function, include_extras=True).values()))}
    assert {"blend", "cfg", "remixed", "to_latents", "denoising_loss", "sdedit", "Text", "Source", "Edit",
            "Model.eps", "Judge.forward", "AttentionStore.of", "ddim_invert", "DiffusersModel.decode"} <= found


# --- the checks -------------------------------------------------------------------------------------------------------

X, MASK = torch.zeros(2, 4, 6, 5), torch.zeros(1, 1, 6, 5)
MODEL = AnalyticModel()
TEXT = MODEL.embed("left")


@pytest.mark.parametrize("call", [
    lambda: blend(X, X[:, :, :5], MASK),  # another height
    lambda: blend(X, X, MASK[0]),  # no batch
    lambda: blend(X, X, torch.zeros(2, 4, 6, 5)),  # a mask for each channel
    lambda: blend(X, X.long(), MASK),  # whole numbers
    lambda: guide(X, X[:1], 2.0),  # would be broadcast in silence
    lambda: cfg(MODEL, torch.zeros(1, 3, 1, 1), 5, TEXT, 1.0),  # no point
    lambda: MODEL.step(torch.zeros(2, 2, 1, 1), torch.zeros(1, 2, 1, 1), 9, 5),
    lambda: denoising_loss(MODEL, torch.zeros(2, 2, 1, 1), TEXT, torch.tensor([1, 2, 3]), torch.zeros(2, 2, 1, 1)),
    lambda: Text(torch.zeros(3, 4)),
    lambda: Text(torch.zeros(2, 1, 4), torch.zeros(3, 5)),  # two prompts, and three
    lambda: Judge.load()(torch.zeros(1, 3, 64, 64)),
    lambda: remixed(torch.zeros(1, 2, 9, 4), torch.zeros(1, 2, 7, 4), torch.zeros(3, 2, 9, 4),
                    torch.zeros(3, 2, 7, 4), torch.zeros(3, 2, 7, 4), torch.zeros(3, 8, 8), None),
])
def test_a_wrong_shape_is_refused(call: Callable[[], Any]) -> None:
    with pytest.raises((TypeCheckError, WrongKind, ValueError)):  # the entrance, where there is one, speaks first
        call()


def test_a_result_of_a_wrong_shape_is_refused_too() -> None:
    class Flat(AnalyticModel):
        def eps(self, x: Any, t: Any, text: Any) -> Any:
            return x[0]

    with pytest.raises(TypeCheckError, match="return value"):
        cfg(Flat(), torch.zeros(1, 2, 1, 1), 5, TEXT, 1.0)


def test_right_shapes_pass_and_other_kinds_are_not_judged() -> None:
    assert blend(X, X, MASK).shape == X.shape
    with pytest.raises(TypeError, match="expected a path"):
        as_mask(3.0)  # no array at all: the function itself speaks


@pytest.mark.parametrize("value, hint, fit", [
    (torch.zeros(()), Loss, True), (torch.zeros(1), Loss, False),
    (5, int | Times, True), (torch.tensor([1, 2]), int | Times, True), (torch.zeros(2), int | Times, False),
    (None, Loss | None, True), ([torch.zeros(())], list[Loss], True), ([X], list[Loss], False),
    ({"a": X}, dict[str, Latents], True), ({"a": X, "b": X[0]}, dict[str, Latents], False),
    ((X, 3), tuple[Latents, int], True), ((3, X), tuple[int, Loss], False), ((X, X), tuple[Latents, ...], True),
    ((X[0],), tuple[Latents, ...], False), (X, Annotated[Latents, "x"], True), (X, Any, True)])
def test_shapes_inside_of_other_types_are_checked(value: Any, hint: Any, fit: bool) -> None:
    assert fits(value, hint) == fit


def test_readers_pay_nothing() -> None:
    code = ("import sys, helpers; assert not {'torch', 'jaxtyping'} & set(sys.modules)\n"
            "from helpers.core import blend; assert 'shape_checks' not in sys.modules\n"
            "assert 'beartype' not in sys.modules and 'jax' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)
