"""The entrance: whatever is passed becomes a plain Python value, or an error that says what was wrong."""

from __future__ import annotations

import io
import itertools
import math
import struct
import threading
import time
import unicodedata
import warnings
import zlib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_pictures import stripes

import helpers
from helpers import AnalyticModel, measure, show
from helpers.core import pictures, values, words
from helpers.core.masks import as_mask, widened
from helpers.core.pictures import as_picture
from helpers.core.randomness import noise
from helpers.core.values import Number, Prompt, Seed, Share, entrance
from helpers.core.warn import MaskWarning, heard, warn
from helpers.methods.blended import blended_diffusion
from helpers.methods.diffedit import find_mask
from helpers.methods.dreambooth import fit_dreambooth, subject_pictures
from helpers.methods.imagic import interpolate
from helpers.methods.inversion import edit_friendly, null_text
from helpers.methods.magicmix import magicmix
from helpers.methods.sdedit import sdedit
from helpers.models.diffusers_model import DiffusersModel

PLANE = AnalyticModel()
NAN, HUGE = float("nan"), 1e30


class Rude:
    """A class whose values cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("not now")


NO_NUMBERS = [
    "0.5",
    b"1",
    None,
    [0.5],
    {0.5},
    1j,
    np.array([0.5]),
    torch.tensor([0.5, 0.5]),
    torch.zeros((), device="meta"),
    Decimal("0.5"),
    Rude(),
    object,
    np.array("0.5"),
    np.datetime64("2020"),
    True,
]

# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        1,
        1.0,
        True + 0,
        np.float32(1),
        np.float16(1),
        np.int8(1),
        np.array(1.0),
        torch.tensor(1),
        torch.tensor(1.0, dtype=torch.bfloat16),
        torch.tensor(1.0, requires_grad=True),
        Fraction(1),
    ],
)
def test_numbers_of_any_kind_become_pythons(given: Any) -> None:
    number, whole = values.number("n", given, 0, 1), values.number("n", given, 0, 1, whole=True)
    assert (type(number), type(whole), number, whole) == (float, int, 1.0, 1)


def test_a_number_beyond_the_ends_that_go_without_saying_is_told_the_ends() -> None:
    with pytest.raises(ValueError, match=r"^c is 1e\+30; expected a number from -1e\+06 to 1e\+06\.$"):
        values.number("c", 1e30)
    with pytest.raises(ValueError, match=r"^c is 1e\+30; expected a number from 0 to 1e\+06: small\.$"):
        values.number("c", 1e30, 0, hint="small")


@pytest.mark.parametrize("given", [np.ma.masked, np.ma.array(0.5, mask=True), np.ma.array([1], mask=[True])[0]])
def test_what_is_masked_is_no_number(given: Any) -> None:
    for read in (partial(values.number, whole=True), values.number, values.seed, values.flag):
        with pytest.raises(TypeError, match="^x is .*; expected"):
            read("x", given)
    assert values.number("x", np.ma.array(0.5)) == 0.5


@pytest.mark.parametrize("given", NO_NUMBERS)
def test_what_is_no_number_is_named_and_shown(given: Any) -> None:
    with pytest.raises(TypeError, match="strength is .*; expected a number from 0 to 1"):
        values.number("strength", given, 0, 1)


@pytest.mark.parametrize(
    "given",
    [
        NAN,
        math.inf,
        -math.inf,
        np.float32("nan"),
        torch.tensor(math.inf),
        10**400,
        1e30,
        -1e-9,
        1.0000001,
        Fraction(10**40 + 1, 10**40),
    ],
)
def test_numbers_that_are_not_finite_or_out_of_range_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="strength is .*; expected a (finite )?number from 0 to 1"):
        values.number("strength", given, 0, 1)


def test_open_ends_and_whole_numbers_are_told() -> None:
    for knobs, told in [
        ({"low": 0, "above": True}, "a number above 0."),
        ({"low": 1, "whole": True}, "whole number from 1 on."),
        ({"low": 0, "high": 1, "above": True, "below": True}, "a number above 0 to below 1."),
        ({"high": 3}, "a number up to 3."),
        ({"low": 0, "high": 1, "hint": "half is usual"}, "to 1: half is"),
    ]:
        with pytest.raises(ValueError, match=told):
            values.number("n", "x", **knobs)
    with pytest.raises(ValueError, match="steps is 2.5; expected a whole number"):
        values.number("steps", 2.5, whole=True)
    assert values.number("seed", 2**63 + 1, 0, 2**64 - 1, whole=True) == 2**63 + 1  # no digit is lost


def test_a_wrong_value_is_shown_in_a_line() -> None:
    for huge in ("x" * 10**6, list(range(10**5)), np.zeros((500, 500)), torch.zeros(500, 500)):
        with pytest.raises(ValueError) as caught:
            values.number("n", huge)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda v: sdedit(PLANE, [0, 0], "left", strength=v), "strength"),
        (lambda v: sdedit(PLANE, [0, 0], "left", guidance=v), "guidance"),
        (lambda v: magicmix(PLANE, [0, 0], "left", nu=v), "nu"),
        (lambda v: blended_diffusion(PLANE, [0, 0], "left", np.ones((1, 1)), strength=v), "strength"),
        (lambda v: find_mask(PLANE, [0, 0], "left", "right", threshold=v), "threshold"),
        (lambda v: find_mask(PLANE, [0, 0], "left", "right", maps=v), "maps"),
        (lambda v: edit_friendly(PLANE, [0, 0], "left", eta=v), "eta"),
        (lambda v: edit_friendly(PLANE, [0, 0], "left", skip=v), "skip"),
        (lambda v: null_text(PLANE, [0, 0], "left", guidance=3, rate=v), "rate"),
        (lambda v: interpolate(None, None, v), "eta"),
        (lambda v: fit_dreambooth(None, [], "a cat", prior_weight=v), "prior_weight"),
        (lambda v: widened(np.ones((4, 4)), v), "pixels"),
    ],
)
@pytest.mark.parametrize("value", [NAN, math.inf, HUGE, "0.5", (1, 2), torch.zeros(3)], ids=repr)
def test_every_method_names_the_number_it_cannot_take(call: Callable, named: str, value: Any) -> None:
    if named == "pixels" and value is HUGE:
        pytest.skip("a mask may be widened by any number of pixels")
    with pytest.raises((ValueError, TypeError), match=f"^{named} is "):
        call(value)


def test_what_would_take_without_end_is_refused_at_once() -> None:
    begin = time.perf_counter()
    for call in (
        lambda: find_mask(PLANE, [0, 0], "left", "right", maps=10**7),
        lambda: sdedit(PLANE, [0, 0], "x" * 10**6),
        lambda: noise(range(10**12), (1, 2, 1, 1)),
        lambda: noise(itertools.count(), (1, 2, 1, 1)),
        lambda: as_picture(stripes(), 10**6),
        lambda: values.texts("prompts", ["a"] * 10**6),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()
    assert time.perf_counter() - begin < 2


# --- seeds, flags, choices --------------------------------------------------------------------------------------------


def test_seeds_are_whole_numbers_or_a_list_in_an_order() -> None:
    for seed in (
        3,
        np.int64(3),
        torch.tensor(3),
        np.array(3),
        [3],
        (3,),
        range(3, 4),
        np.array([3]),
        torch.tensor([3]),
    ):
        assert torch.equal(noise(seed, (1, 2, 1, 1)), noise(3, (1, 2, 1, 1)))
    for wrong in ({3}, {3: 1}, "3", iter([3]), (s for s in [3]), 3.5, [3.5], True, [[3]], torch.Generator(), None):
        with pytest.raises(TypeError, match="^seed"):
            noise(wrong, (1, 2, 1, 1))


def test_flags_and_choices() -> None:
    assert [values.flag("f", v) for v in (True, np.bool_(False), 1, torch.tensor(True))] == [True, False, True, True]
    for wrong in ("yes", None, 2, 0.5, []):
        with pytest.raises(TypeError, match="exact is .*; expected True or False"):
            values.flag("exact", wrong)
    with pytest.raises(ValueError, match="fit is 'fill'; expected 'cover', 'contain' or 'stretch'"):
        as_picture(stripes(), 8, "fill")


# --- text -------------------------------------------------------------------------------------------------------------


def test_texts_are_normalised_before_words_are_told_apart() -> None:
    composed, taken_apart = "a café", unicodedata.normalize("NFD", "a café")
    assert values.text("prompt", taken_apart) == composed and values.text("prompt", np.str_(composed)) == composed
    assert words.words_of(taken_apart) == ["a", "café"]
    assert len(words.align(composed, taken_apart).same) == 2


def test_words_that_a_model_is_given_are_normalised_too(models: dict[str, DiffusersModel]) -> None:
    taken_apart = unicodedata.normalize("NFD", "café")
    assert AnalyticModel({taken_apart: (0, 0), " top ": (0, 1)}).words == ("café", "top")
    for wrong in ({"": (0, 0)}, {" ": (0, 0)}, {"a": (0, 0), "a ": (0, 1)}, {taken_apart: (0, 0), "café": (0, 1)}):
        with pytest.raises(ValueError, match="expected words that differ"):
            AnalyticModel(wrong)
    model = DiffusersModel(models["sd"].pipeline, known_words=frozenset([taken_apart, "a"]))
    with warnings.catch_warnings(), model.changed({}, [unicodedata.normalize("NFD", "été")]):
        warnings.simplefilter("error")
        model.embed(["a café", f"a {taken_apart}", "a été"])


@pytest.mark.parametrize("wrong", [b"cat", 3, None, ["a cat"], "a cat \ud83d", "a\0cat", "x" * 10**6, Rude()])
def test_what_is_no_prompt_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="^prompt (is|has)") as caught:
        sdedit(PLANE, [0, 0], wrong)
    str(caught.value).encode()


# --- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    ["", "  ", "a\0b", "x" * 5000, "/".join(["x" * 300]), b"folder", 3, None, "~nobody-here/x", ["folder"], "a\ud83d"],
)
def test_what_is_no_path_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="^folder is "):
        values.path("folder", wrong)


def test_an_empty_folder_never_means_the_one_we_are_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="folder is empty; expected a path"):
        fit_dreambooth(None, [stripes()], "a cat", folder="")
    assert not list(tmp_path.iterdir())


# --- pictures ---------------------------------------------------------------------------------------------------------

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "given",
    [
        torch.from_numpy(PIXELS),
        torch.from_numpy(PIXELS).permute(2, 0, 1),
        torch.from_numpy(PIXELS)[None],
        PIXELS[:, ::-1][:, ::-1],
        torch.from_numpy(PIXELS / 255),
        np.ma.masked_array(PIXELS),
        PIXELS.astype(np.int64),
        torch.from_numpy(PIXELS / 255).requires_grad_(),
    ],
)
def test_pictures_come_as_arrays_and_tensors_of_any_kind(given: Any) -> None:
    assert (np.asarray(as_picture(given)) == PIXELS).all()


def test_half_precision_is_a_picture() -> None:
    half = torch.from_numpy(PIXELS / 255).to(torch.bfloat16)
    assert np.abs(np.asarray(as_picture(half), int) - PIXELS).max() <= 1
    assert as_mask(half[..., 0] > 0.5).mode == "L"


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(4, 4, device="meta"),
        torch.zeros(4, 4).to_sparse(),
        torch.zeros(4, 4, dtype=torch.complex64),
        np.zeros((4, 4), object),
        np.zeros((4, 4), complex),
        np.full((4, 4), "x"),
        np.zeros((4, 4), "datetime64[s]"),
        np.full((4, 4), NAN),
        np.full((4, 4), -1),
        np.zeros((0, 4)),
        np.zeros((2, 2, 2, 2, 2)),
        np.float64(0.5),
        3,
        None,
        {},
        Rude(),
        Image.fromarray(np.full((4, 4), NAN, np.float32)),
        torch.full((4, 4), math.inf),
    ],
    ids=lambda wrong: type(wrong).__name__,
)
def test_what_is_no_picture_is_refused(wrong: Any) -> None:
    for take in (as_picture, as_mask):
        with pytest.raises((ValueError, TypeError), match="picture|array|mask"):
            take(wrong)


def test_a_point_that_is_not_finite_is_no_picture() -> None:
    with pytest.raises(ValueError, match="not finite"):
        sdedit(PLANE, [NAN, 0], "left")


def test_an_address_has_a_sentence_of_its_own() -> None:
    for address in ("https://example.org/cat.png", "HTTP://x", "data:image/png;base64,AAAA", "ftp://x/cat.png",
                    "file:///tmp/cat.png", "s3://cats/cat.png", "www.example.org/cat.png", Path("https://x.org/cat.png")):
        with pytest.raises(ValueError, match="is an address: nothing is downloaded here. Save the picture"):
            as_picture(address)


def png(*chunks: tuple[bytes, bytes], size: tuple[int, int] = (1, 1)) -> bytes:
    head = (b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    parts = [head, *chunks, (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize(
    "data",
    [
        EPS,
        b"",
        b"text",
        png((b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8)))),
        png(size=(60_000, 60_000)),
        png(size=(10_000, 10_000)),
        png()[:40],
        b"GIF89a",
        b"BM1234567890",
    ],
)
def test_files_are_opened_only_in_formats_of_a_list_and_bombs_get_a_sentence(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.Popen", None)  # Ghostscript would be started with it
    (tmp_path / "cat.png").write_bytes(data)
    with warnings.catch_warnings(), pytest.raises(ValueError, match="cat.png.*save it as PNG or JPEG"):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        as_picture(tmp_path / "cat.png")


def test_a_picture_that_is_a_program_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    with pytest.raises(ValueError, match="EPS file, which is a program"):
        as_picture(Image.open(io.BytesIO(EPS)))


def test_photos_that_are_left_out_of_a_folder_are_named(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.jfif", "c.png"):
        stripes().save(tmp_path / name, "PNG" if name == "c.png" else "JPEG")
    for name in ("d.HEIC", "e.tif", "f.avif", "._a.JPG", "notes.txt"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7")
    with heard() as told:
        found = subject_pictures(tmp_path)
    assert len(found) == 3
    assert all(name in told[0] for name in ("d.HEIC", "e.tif", "f.avif", "._a.JPG")) and "notes.txt" not in told[0]


def test_a_strip_is_not_shown_but_can_be_cut() -> None:
    strip = np.zeros((5000, 1), np.uint8)
    assert as_picture(strip, 8).size == (8, 8)
    for call in (
        lambda: show.pictures([strip], alt="a"),
        lambda: show.scrubber([strip], alt="a"),
        lambda: show.painter(strip),
    ):
        with pytest.raises(ValueError, match="a strip of 1 x 5000 pixels"):
            call()


@pytest.mark.parametrize("wrong", ["abc", ["a"], [[1], [1, 2]], [object()]])
def test_what_cannot_be_drawn_is_refused_by_name(wrong: Any) -> None:
    axes = {"xlabel": "x", "ylabel": "y", "alt": "a"}
    for call in (
        lambda: show.curve([1], {"kept": wrong}, **axes),
        lambda: show.scatter({"kept": wrong}, **axes),
        lambda: show.sweep([stripes()], wrong, name="nu", alt="a"),
    ):
        with pytest.raises(ValueError, match="(kept|values) is .*; expected numbers"):
            call()


def test_measures_take_pictures_in_any_form(tmp_path: Path) -> None:
    stripes().save(tmp_path / "a.png")
    array, mask = np.asarray(stripes()), np.zeros(stripes().size[::-1], bool)
    mask[:4] = True
    assert measure.distance(array, tmp_path / "a.png") == 0 == measure.distance(stripes(), torch.tensor(array))
    assert measure.kept(array, str(tmp_path / "a.png"), mask) == 60
    assert measure.iou(mask, torch.from_numpy(mask)) == 1
    assert isinstance(measure.seam(array, mask), float)
    with pytest.raises((ValueError, TypeError), match="picture"):
        measure.distance(3, array)


# --- the mechanism ----------------------------------------------------------------------------------------------------


@entrance
def takes(
    model: Any,
    prompt: Prompt,
    *rest: Any,
    strength: Share = 0.5,
    seed: Seed | None = None,
    size: Annotated[int, Number(1, 9, whole=True)] = 3,
    **knobs: Any,
) -> tuple:
    """A function with every kind of parameter."""
    return prompt, rest, strength, seed, size, knobs


def test_an_entrance_turns_every_argument_into_what_is_meant() -> None:
    assert takes(None, np.str_("a"), 1, strength=np.float32(0.5), seed=None, other=2) == (
        "a",
        (1,),
        0.5,
        None,
        3,
        {"other": 2},
    )
    with pytest.raises(TypeError, match="strength is None"):
        takes(None, "a", strength=None)
    with pytest.raises(TypeError, match="missing"):
        takes(None)
    assert takes.__doc__ == "A function with every kind of parameter." and takes.__name__ == "takes"


def test_the_entrance_costs_next_to_nothing() -> None:
    takes(None, "a")
    begin = time.perf_counter()
    for _ in range(1000):
        takes(None, "a cat", strength=0.5, seed=3, size=2)
    assert (time.perf_counter() - begin) / 1000 < 3e-4  # a step of the smallest model takes a hundred times that


# --- warnings ---------------------------------------------------------------------------------------------------------


def test_suggestions_are_slips_of_the_pen_or_none() -> None:
    known = {"drawing", "decorations", "train", "grey", "cat", "bicycle", "house"}
    assert words.nearest("dragon", known) == []
    assert words.never_seen("dragon", known) == "This model has never seen the word 'dragon'."
    assert words.nearest("gray", known) == ["grey"] and words.nearest("bycicle", known) == ["bicycle"]
    assert "did you mean 'cat'?" in words.never_seen("catt", known)


def test_warnings_are_told_to_who_listens_in_this_thread_alone() -> None:
    with heard() as told, warnings.catch_warnings():
        warnings.simplefilter("error")
        warn("the mask is resized", MaskWarning)
        warn("the mask is resized", MaskWarning)
        other = threading.Thread(target=lambda: warnings.simplefilter("ignore") or warn("elsewhere", MaskWarning))
        other.start()
        other.join()
    assert told == ["the mask is resized"]


def test_importing_helpers_needs_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, helpers; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(helpers.__file__).parents[1])
    assert pictures.FORMATS and "EPS" not in pictures.FORMATS
