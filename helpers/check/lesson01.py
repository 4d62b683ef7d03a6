"""The checks of lesson 1, what editing is."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from jaxtyping import Bool, Shaped

from helpers.check.trial import Slips, of_formula, run, what_is_wrong
from helpers.check.values import kind_of, same, shape_of
from helpers.check.verdict import UNANSWERED, Verdict, is_unanswered
from helpers.core.shapes import Array
from helpers.picturebook.edits import Edit
from helpers.picturebook.scene import Scene

Colors = Shaped[np.ndarray, "H W 3"]
Mask = Bool[np.ndarray, "H W"]

# ------------------------------------------------------------------------------------------------- change the scene

START = Scene(seed=4, thing="cat", color="orange", place="meadow")  # the notebook begins with the same
WANTED = {"sky": "night", "wearing": "hat", "wearing_color": "red"}


def changed_scene(answer: Scene) -> Verdict:
    """Is `answer` the scene START at night and with a red hat, everything else as it was?"""
    if is_unanswered(answer):
        return UNANSWERED
    if isinstance(answer, Edit):
        return Verdict(False, "That is the whole edit; hand over the changed scene alone.")
    if not isinstance(answer, Scene):
        return Verdict(False, f"That is a {type(answer).__name__}; expected a Scene.")
    if answer.seed != START.seed:
        return Verdict(False, "The layout changed too: your scene has another seed. scene.but(...) keeps it.")
    missing = [name for name, value in WANTED.items() if getattr(answer, name) != value]
    if missing:
        return Verdict(False, f"P* asks for {' and '.join(f'{name}={WANTED[name]!r}' for name in missing)} as well.")
    extra = [name for name in Edit(START, answer).changed if name not in WANTED]
    if extra:
        return Verdict(False, f"P* says nothing about {', '.join(extra)}: leave that as it was.")
    return Verdict(True, f"P* is {Edit(START, answer).target_prompt!r}, and the layout is the old one.")


# --------------------------------------------------------------------------------------------------- the true mask


def two_pictures() -> tuple[Colors, Colors]:
    """Two arrays of bytes that differ in the ways on which masks go wrong."""
    first = np.full((4, 5, 3), 100, np.uint8)
    second = first.copy()
    second[0, 0] = 160  # brighter
    second[1, 1] = 40  # darker
    second[2, 2, 2] = 124  # in the blue channel alone: the mean over the channels is 8
    second[2, 3] = 113  # just enough
    second[2, 4] = 112  # just not
    second[3, 3] = 105  # too little to see, brighter
    second[3, 4] = 95  # and darker
    return first, second


def pairs_of_pictures() -> list[tuple[Array, Array]]:
    """`two_pictures`, the same the other way around, black against white, two that agree, and a tall random pair."""
    first, second = two_pictures()
    grey = np.full((2, 3, 3), 90, np.uint8)
    rng = np.random.default_rng(0)
    tall = rng.integers(0, 256, (7, 2, 3), np.uint8)
    near = (tall + rng.integers(-14, 15, tall.shape)).clip(0, 255).astype(np.uint8)
    return [(first, second), (second, first), (0 * grey, 0 * grey + 255), (grey, grey.copy()), (tall, near)]


def right_mask(first: Colors, second: Colors) -> Mask:
    """True where some channel differs by more than 12."""
    differs: Mask = (abs(first.astype(int) - second.astype(int)) > 12).any(-1)
    return differs


MASK_SLIPS: Slips = {
    "int8 holds -128 to 127 alone, and bytes go up to 255: convert to int.":
        lambda first, second: (abs(first.astype(np.int8) - second.astype(np.int8)) > 12).any(-1),
}


def true_mask(answer: Callable[[Colors, Colors], Mask]) -> Verdict:
    """Is `answer(first, second)` True where two arrays (H, W, 3) of bytes differ by more than 12 in some channel?"""
    pairs = pairs_of_pictures()
    masks = run(answer, pairs)
    if isinstance(masks, Verdict):
        return masks
    if odd := [found for found in masks if shape_of(found) is None and not isinstance(found, (list, tuple))]:
        return Verdict(False, f"Your function returns {kind_of(odd[0])}; expected a mask, an array (H, W) of booleans.")
    masks = [np.asarray(found) for found in masks]
    for found, (first, _) in zip(masks, pairs, strict=True):
        if wrong := wrong_form_of_mask(found, first.shape):
            return Verdict(False, wrong)
    wanted = [right_mask(*pair) for pair in pairs]
    if all(map(same, masks, wanted)):
        return Verdict(True, "True wherever a channel differs by more than 12.")
    return Verdict(False, slip_of_mask(masks[0]) or what_is_wrong(
        answer, masks, pairs, wanted, MASK_SLIPS, "For some pictures it is True elsewhere: take the size of the "
        "difference of whole numbers, and compare that with 12."))


def wrong_form_of_mask(found: Array, shape: tuple[int, ...]) -> str:
    """What is wrong with the shape or kind of a mask for pictures of this shape; an empty text if nothing is."""
    if found.shape == shape:
        return ("Your mask has a value for every colour channel; expected one for each pixel. Join the last axis, with "
                ".any(-1) or .max(-1).")
    if found.shape != shape[:2] and found.shape in (shape[1:], (shape[0], shape[2])):
        return f"Your mask has the shape {found.shape}: another axis was joined. The channels are the last one, -1."
    if found.shape != shape[:2]:
        return f"Your mask has the shape {found.shape}; expected {shape[:2]}, one value a pixel."
    if found.dtype != bool:
        return f"Your mask holds {found.dtype}; expected True and False: compare with 12 at the end."
    return ""


def slip_of_mask(found: Array) -> str:
    """What is wrong with a mask (4, 5) of `two_pictures`; an empty text if nothing is."""
    if same(found, ~right_mask(*two_pictures())):
        return "It is True where the pictures agree. True is where they differ: there the picture may change."
    if found[3, 3] != found[3, 4]:
        return "Subtract whole numbers: bytes wrap around, 95 - 100 gives 251. Use .astype(int)."
    if found[3, 3]:
        return "It is True for a difference of 5, which nobody sees. Count more than 12 alone."
    if not found[1, 1] or not found[0, 0]:
        return "It misses pixels that became darker, or brighter: take the absolute difference."
    if not found[2, 2]:
        return ("It misses a pixel that changed in one channel alone: a mean or .all over the channels hides it. Use "
                ".any(-1).")
    if found[2, 4] or not found[2, 3]:
        return "The threshold is another one: a difference of 13 in some channel counts, one of 12 does not."
    return "It is True where nothing changed." if found.sum() > 4 else ""


# ---------------------------------------------------------------------------------------------------------- kept


def kept_examples() -> list[tuple[Array, Array, Array]]:
    """(result, picture, mask) thrice: (H, W, 3) in [0, 1] twice, (H, W) booleans; wrong much inside, a little outside.

    Masks in the middle, at the rim of a wide picture, and of a single pixel.
    """
    rng = np.random.default_rng(0)
    examples = []
    for shape, rows, columns, size in (((8, 8), (2, 6), (2, 7), 0.02), ((4, 9), (0, 2), (5, 9), 0.1),
                                       ((5, 3), (4, 5), (1, 2), 0.05)):
        picture, mask = rng.random((*shape, 3)), np.zeros(shape, bool)
        mask[slice(*rows), slice(*columns)] = True
        off = np.where(mask[..., None], 0.5, size) * rng.standard_normal(picture.shape)
        examples.append((np.clip(picture + off, 0, 1), picture, mask))
    return examples


def error(result: Colors, picture: Colors, where: Mask) -> float:
    """The mean squared error of the pixels `where` is True."""
    return float(np.square(result - picture)[where].mean())


def decibels(error: float) -> float:
    """PSNR of values in [0, 1] from their mean squared error."""
    return float(-10 * np.log10(error))


KEPT_SLIPS: Slips = {
    "That is the PSNR inside the mask. Kept looks outside it: picture[~mask].":
        lambda r, p, m: decibels(error(r, p, m)),
    "That is the PSNR of the whole picture. Only the pixels outside the mask count: picture[~mask].":
        lambda r, p, m: decibels(np.square(r - p).mean()),
    "The inside is set to 0 but still counted in the mean: the error is spread over all pixels. Choose them, "
    "picture[~mask], before you take the mean.": lambda r, p, m: decibels((np.square(r - p) * ~m[..., None]).mean()),
    "The sign is turned: it is -10 log10(error), so that less error gives more dB.":
        lambda r, p, m: -decibels(error(r, p, ~m)),
    "That is the natural logarithm; decibels need np.log10.": lambda r, p, m: -10 * np.log(error(r, p, ~m)),
    "20 belongs to the root of the mean squared error; with the squared error itself it is 10.":
        lambda r, p, m: 2 * decibels(error(r, p, ~m)),
    "The root is taken, and then 10 is not enough: it is -10 log10 of the squared error, or -20 log10 of its root.":
        lambda r, p, m: decibels(error(r, p, ~m)) / 2,
    "The factor 10 is missing: that is in bel, a tenth of it is a decibel.":
        lambda r, p, m: decibels(error(r, p, ~m)) / 10,
    "That is the mean squared error; -10 * np.log10(error) turns it into decibels.":
        lambda r, p, m: error(r, p, ~m),
    "The largest value is 1 here, not 255: nothing is divided by 255, and nothing is multiplied by it.":
        lambda r, p, m: decibels(error(r, p, ~m) / 255**2),
    "The largest value is 1 here, not 255: there is a 255 too much.":
        lambda r, p, m: decibels(error(r, p, ~m) * 255**2),
    "The largest value is 1 here, not 255: 255 (without its square) stands before the error.":
        lambda r, p, m: decibels(error(r, p, ~m) / 255),
    "The squared errors are summed: take their mean, or a larger picture would keep less.":
        lambda r, p, m: decibels(np.square(r - p)[~m].sum()),
    "The difference is not squared: PSNR starts from the mean of the squared error.":
        lambda r, p, m: decibels(np.abs(r - p)[~m].mean()),
    "That is the mean absolute error; PSNR starts from the mean of the squared error.":
        lambda r, p, m: np.abs(r - p)[~m].mean(),
    "You square the mean. The other way around: square each difference, then take the mean.":
        lambda r, p, m: decibels((r - p)[~m].mean() ** 2),
}


def kept_db(answer: Callable[[Colors, Colors, Mask], float]) -> Verdict:
    """Is `answer(result, picture, mask)` the PSNR in dB of the pixels outside the mask?"""
    hint = ("Pixels outside the mask, their squared differences, the mean of those, then -10 log10: compare step by "
            "step.")
    return of_formula(answer, kept_examples(), lambda r, p, m: decibels(error(r, p, ~m)), KEPT_SLIPS,
                      "Less error outside the mask gives more dB.", expected="one number", hint=hint)


# ------------------------------------------------------------------------------------------------------- the unbeaten

#: editor -> (obeyed, kept in dB)
EDITORS = {"A": (0.0, 60.0), "B": (0.3, 30.0), "C": (0.5, 28.0), "D": (0.4, 24.0), "E": (0.9, 15.0), "F": (0.9, 12.0)}


def unbeaten(answer: Collection[str]) -> Verdict:
    """Are these the names of the EDITORS that no other one beats, being as good in both and better in one?"""
    if is_unanswered(answer) or (isinstance(answer, Collection) and any(map(is_unanswered, answer))):
        return UNANSWERED
    if not isinstance(answer, Collection) or not all(name in tuple(EDITORS) for name in answer):
        return Verdict(False, f"Expected a set of names out of {', '.join(EDITORS)}, such as {{'A', 'B'}}.")
    found, wanted = set(answer), {"A", "B", "C", "E"}
    if "F" in found:
        return Verdict(False, "F obeys as well as E, but E keeps more: nobody would choose F.")
    if "D" in found:
        return Verdict(False, "C obeys more than D and keeps more than D: nobody would choose D.")
    if "A" not in found:
        return Verdict(False, "A does nothing. Still no other editor keeps as much, so none beats it in both.")
    if found != wanted:
        return Verdict(False, f"What about {' and '.join(sorted(wanted - found))}? Which editor is as good in both?")
    return Verdict(True, "Whoever obeys more of these four keeps less. Which one to use depends on what you need.")


# ---------------------------------------------------------------------------------------------------------- paste

PASTE_SLIPS: Slips = {
    "The two are swapped: inside the mask the result shows, outside it the picture.":
        lambda r, p, m: np.where(m[..., None], p, r),
    "Outside the mask it is black; the picture is to be seen there.": lambda r, p, m: r * m[..., None],
    "Inside the mask it is black; the result is to be seen there.": lambda r, p, m: p * ~m[..., None],
    "That is the mean of the two everywhere: use the mask.": lambda r, p, m: (r + p) / 2,
    "Inside the mask the two are added: there the picture's part has to go.": lambda r, p, m: r * m[..., None] + p,
    "Outside the mask the two are added: there the result's part has to go.": lambda r, p, m: r + p * ~m[..., None],
    "That is the result alone, neither pasted nor kept: use the mask.": lambda r, p, m: r,
    "That is the picture alone: inside the mask the result is to be seen.": lambda r, p, m: p,
}


def pictures_to_paste() -> list[tuple[Array, Array, Array]]:
    """(result, picture, mask): square, wide and tall, with a mask in the middle, at the rim, everywhere and nowhere."""
    rng = np.random.default_rng(1)
    given = []
    for shape, rows, columns in (((6, 6), (1, 4), (2, 5)), ((3, 7), (0, 2), (4, 7)), ((4, 2), (0, 4), (0, 2)),
                                 ((5, 4), (0, 0), (0, 0))):
        mask = np.zeros(shape, bool)
        mask[slice(*rows), slice(*columns)] = True
        given.append((*rng.random((2, *shape, 3)), mask))
    return given


def paste(answer: Callable[[Colors, Colors, Mask], Colors]) -> Verdict:
    """Is `answer(result, picture, mask)` the result inside the mask and the picture outside it?"""
    return of_formula(answer, pictures_to_paste(), lambda r, p, m: np.where(m[..., None], r, p), PASTE_SLIPS,
                      "Outside the mask every pixel is kept to the last bit.", expected="a picture, an array (H, W, 3)",
                      kept="It changes what it was given, the picture or the result: copy it first, or use np.where.",
                      hint="Some pixels are neither the result's inside the mask nor the picture's outside it.")
