"""What people pass, right and wrong, by the name of the argument: strategies for tests of every public function.

The contract gives one thing one name, so one strategy serves wherever a name occurs. A call gets at most two strange
ones, for it must often get as far as the work.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image

from helpers.core.interface import CLEAN, Text

FOLDER = tempfile.TemporaryDirectory(prefix="strange-values-")  # gone with the process
ROOT = Path(FOLDER.name)


class Values(NamedTuple):
    """What is passed for one argument."""

    good: st.SearchStrategy
    strange: st.SearchStrategy


def of(*values: Any) -> st.SearchStrategy:
    """One of these; made anew each time where it is a function without arguments."""
    return st.sampled_from(range(len(values))).map(lambda i: values[i]() if callable(values[i]) else values[i])


def other_kinds(*but: type) -> st.SearchStrategy:
    """Things of every kind, except of those kinds."""
    things = [None, True, 0, -1, 3, 2**70, 0.5, float("nan"), float("inf"), -float("inf"), 1e30, "", "3", "a cat", b"x",
              "\ud800", "a\x00b", "x" * 5000, (), [], {}, {3}, {"a": 1}, [None], ["a cat", 3], 1j, Decimal("0.5"),
              Fraction(1, 3), object, np.float32(0.5), np.int64(2), np.array(0.5), np.array([1, 2]), np.str_("a cat"),
              np.array([None]), Path("nothing/there"), Path("x" * 300), range(3), slice(2)]
    tensors = [lambda: torch.tensor(0.5), lambda: torch.tensor([1, 2]), lambda: torch.ones(2, dtype=torch.bfloat16),
               lambda: torch.ones((), device="meta"), lambda: iter([1, 2]), lambda: (lambda: 3)]
    kept = [thing for thing in things if not isinstance(thing, but)] if but else things
    made = [make for make in tensors if not isinstance(make(), but)] if but else tensors
    return st.one_of(st.sampled_from(range(len(kept))).map(lambda i: kept[i]), of(*made))


def numbers(*good: float) -> Values:
    """These numbers as Python's, numpy's and torch's, and what is none of them."""
    wrap = st.sampled_from([lambda x: x, np.float32, np.float64, np.asarray, torch.tensor,
                            lambda x: np.int64(x) if isinstance(x, int) else x])
    return Values(st.builds(lambda f, x: f(x), wrap, st.sampled_from(good)), other_kinds())


def picture(mode: str = "RGB", size: tuple[int, int] = (16, 16)) -> Image.Image:
    """A picture with something on it."""
    array = np.add.outer(np.arange(size[1]), np.arange(size[0])).astype(np.uint8) * 7
    return Image.fromarray(array).convert(mode)


def png(name: str = "a.png") -> Path:
    """A picture file."""
    if not (ROOT / name).exists():
        picture().save(ROOT / name, "PNG")
    return ROOT / name


def broken(name: str, content: bytes) -> Path:
    """A file that is no picture."""
    (ROOT / name).write_bytes(content)
    return ROOT / name


def folder(name: str) -> str:
    """A folder that the calls share, so that one finds what another has left in it."""
    (ROOT / name).mkdir(exist_ok=True)
    return str(ROOT / name)


GOOD_PICTURES = of(picture, lambda: picture("L"), lambda: picture("RGBA"), lambda: picture("P"),
                   lambda: picture(size=(24, 12)), lambda: np.zeros((16, 16, 3), np.uint8),
                   lambda: np.full((16, 12, 3), 0.5), lambda: torch.rand(3, 16, 16), png, lambda: str(png()))
STRANGE_PICTURES = of(
    lambda: picture("1"), lambda: picture("CMYK"), lambda: picture("I"), lambda: picture("F"), lambda: picture("LAB"),
    lambda: picture(size=(1, 5000)), lambda: picture(size=(1, 1)), lambda: Image.new("RGB", (0, 0)),
    lambda: np.full((16, 16, 3), np.nan), lambda: np.full((16, 16, 3), np.inf), lambda: np.zeros((0, 16, 3)),
    lambda: np.zeros((16, 16, 5)), lambda: np.zeros((2, 16, 16, 3)), lambda: np.zeros((16, 16), object),
    lambda: np.zeros((16, 16, 3), complex), lambda: np.zeros((16, 16, 3), "U3"), lambda: np.full((16, 16, 3), 300),
    lambda: torch.rand(3, 16, 16, dtype=torch.bfloat16), lambda: torch.rand(3, 16, 16, device="meta"),
    lambda: torch.full((3, 16, 16), float("nan")), lambda: broken("b.png", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
    lambda: broken("c.png", b""), lambda: broken("d.jpg", b"\xff\xd8\xff"), lambda: ROOT, "https://example.org/a.png",
    lambda: [picture()], lambda: [])

MASKS = of(lambda: Image.fromarray(np.pad(np.full((8, 8), 255, np.uint8), 4)),
           lambda: np.pad(np.ones((8, 8), bool), 4), lambda: Image.new("L", (16, 16), 255),
           lambda: Image.new("L", (32, 32), 255), lambda: np.ones((16, 16)))
STRANGE_MASKS = of(lambda: Image.new("L", (16, 16), 0), lambda: Image.new("RGB", (16, 16), "red"), picture,
                   lambda: np.full((16, 16), np.nan), lambda: np.zeros((3, 3, 3, 3)), lambda: np.full((16, 16), 0.5),
                   lambda: Image.new("L", (5, 90), 255), lambda: torch.ones(16, 16), lambda: np.full((16, 16), -1))

PROMPTS = st.sampled_from(
    ["a cat", "a red cat", "a cat on a mat", "a dog", "a red dog on a mat", "", "café", "cafe\u0301"])
STRANGE_PROMPTS = st.one_of(st.text(max_size=20), st.sampled_from(
    ["\ud800", "a\x00b", "cat " * 100, "\u202ea cat", "<b>a cat</b>", "a  cat\n", "🐱", "CAT", "cat,", "a" * 3000,
     "a cat, " * 600]))

VALUES: dict[str, Values] = {
    "picture": Values(GOOD_PICTURES, st.one_of(STRANGE_PICTURES, other_kinds())),
    "mask": Values(MASKS, st.one_of(STRANGE_MASKS, STRANGE_PICTURES, other_kinds())),
    "prompt": Values(PROMPTS, st.one_of(STRANGE_PROMPTS, other_kinds())),
    "prompts": Values(st.one_of(PROMPTS, st.lists(PROMPTS, min_size=1, max_size=2)), other_kinds()),
    "word": Values(st.sampled_from(["cat", "red", "a cat"]), st.one_of(STRANGE_PROMPTS, other_kinds())),
    "share": numbers(0, 0.5, 1, 0.3, 0.8),
    "amount": numbers(1, 0, 2.0, -1, 0.5),
    "count": numbers(1, 2, 3),
    "steps": numbers(1, 2, 3),
    "guidance": Values(st.one_of(st.none(), numbers(1, 0, 4.0, 7.5).good), other_kinds()),
    "seed": Values(st.one_of(st.integers(-5, 5), st.sampled_from([np.int64(3), 2**63, [1], [1, 2]])),
                   st.one_of(other_kinds(), of([1, "x"], [1, None], 2**64 - 1, [0.5], [[1]]))),
    "size": Values(st.sampled_from([None, 16, (16, 16), (16, 24), np.int64(16)]),
                   st.one_of(st.sampled_from([0, -16, 7, 10**9, (16,), (16, 16, 16), 16.0, "16"]), other_kinds())),
    "flag": Values(st.booleans(), other_kinds()),
    "folder": Values(of(None, lambda: folder("one"), lambda: folder("two"), lambda: tempfile.mkdtemp(dir=ROOT)),
                     of("", "a\x00b", "x" * 5000, 3, 0.5, b"x", [], lambda: png(), "/dev/null/x", "/proc/x")),
    "watch": Values(of(lambda: ignored, lambda: print_nothing), other_kinds(type, FunctionType)),
    "progress": Values(of(False, lambda: ignored, 0), other_kinds(type, FunctionType)),
    "time": Values(of(0, 1, 500, 999, CLEAN, np.int64(3), lambda: torch.tensor(7)),
                   st.one_of(other_kinds(), of(1000, 10**6, -2, -1000, 0.5))),
}


def ignored(*_: Any, **__: Any) -> None:
    """Watches, and does nothing."""


def print_nothing(x: Any = None, t: Any = None, eps: Any = None, **told: Any) -> None:
    """Looks at what it is told."""
    assert x is None or x.shape[0] >= 1, (t, eps, told)


def latents(shape: tuple[int, ...]) -> Values:
    """Latents of a shape, and what is none."""
    good = of(lambda: torch.rand(shape), lambda: torch.zeros(shape), lambda: torch.rand(shape).requires_grad_(),
              lambda: torch.rand(shape).double())
    count, channels, h, w = shape
    return Values(good, st.one_of(other_kinds(), of(
        lambda: np.zeros(shape, np.float32), lambda: torch.rand(count, channels + 1, h, w), lambda: torch.rand(h),
        lambda: torch.zeros(shape, dtype=torch.long), lambda: torch.full(shape, float("nan")),
        lambda: torch.rand(0, channels, h, w), lambda: torch.rand(shape, device="meta"),
        lambda: torch.rand(shape).half(), lambda: torch.rand(shape).to_sparse(),
        lambda: torch.rand(shape, dtype=torch.cfloat), lambda: [torch.rand(shape)],
        lambda: torch.rand(3, channels, h, w), lambda: torch.rand(count, channels, 2 * h, w),
        lambda: torch.rand(shape)[:, :, :0])))


def texts(good: Callable[[], Text]) -> Values:
    """A text as a model embeds it, and what is none."""
    return Values(of(good), st.one_of(other_kinds(), of(
        lambda: Text(torch.rand(1, 3, 5)), lambda: Text(torch.rand(2, 2)), lambda: good().embeddings,
        lambda: Text(torch.full_like(good().embeddings, float("nan"))), lambda: [good()])))
