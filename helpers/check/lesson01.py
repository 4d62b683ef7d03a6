"""The checks of lesson 1, what editing is."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from helpers.check.verdict import UNANSWERED, Verdict, is_number, is_unanswered, same, shape_of, tried
from helpers.measure import psnr
from helpers.picturebook.edits import Edit
from helpers.picturebook.scene import Scene

Array = np.ndarray

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


def two_pictures() -> tuple[Array, Array]:
    """Two arrays (4, 5, 3) of bytes that differ in the ways on which masks go wrong."""
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


def true_mask(answer: Callable[[Array, Array], Array]) -> Verdict:
    """Is `answer(first, second)` True where two arrays (H, W, 3) of bytes differ by more than 12 in some channel?"""
    first, second = two_pictures()
    found = tried(answer, first, second)
    if isinstance(found, Verdict):
        return found
    found = np.asarray(found)
    if found.shape == first.shape:
        return Verdict(False, "Your mask has a value for every colour channel; expected one for each pixel. Join the "
                              "last axis, with .any(-1) or .max(-1).")
    if found.shape != first.shape[:2]:
        return Verdict(False, f"Your mask has the shape {found.shape}; expected {first.shape[:2]}, one value a pixel.")
    if found.dtype != bool:
        return Verdict(False, f"Your mask holds {found.dtype}; expected True and False: compare with 12 at the end.")
    slip = slip_of_mask(found)
    return Verdict(False, slip) if slip else Verdict(True, "True wherever a channel differs by more than 12.")


def slip_of_mask(found: Array) -> str:
    """What is wrong with a mask (4, 5) of `two_pictures`; an empty text if nothing is."""
    first, second = (picture.astype(int) for picture in two_pictures())
    if same(found, ~(abs(first - second) > 12).any(-1)):
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


def kept_example() -> tuple[Array, Array, Array]:
    """(result, picture, mask): (8, 8, 3) in [0, 1] twice, and (8, 8) booleans; wrong much inside, a little outside."""
    rng = np.random.default_rng(0)
    picture = rng.random((8, 8, 3))
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:7] = True
    off = np.where(mask[..., None], 0.5, 0.02) * rng.standard_normal(picture.shape)
    return np.clip(picture + off, 0, 1), picture, mask


def slips_of_kept(result: Array, picture: Array, mask: Array) -> dict[str, float]:
    """What to say -> the wrong number it is said about."""
    error = float(np.square(result - picture)[~mask].mean())
    absolute = float(np.abs(result - picture)[~mask].mean())
    return {
        "That is the PSNR inside the mask. Kept looks outside it: picture[~mask].": psnr(result[mask], picture[mask]),
        "That is the PSNR of the whole picture. Only the pixels outside the mask count: picture[~mask].":
            psnr(result, picture),
        "The sign is turned: it is -10 log10(error), so that less error gives more dB.": 10 * np.log10(error),
        "That is the natural logarithm; decibels need np.log10.": -10 * np.log(error),
        "20 belongs to the root of the mean squared error; with the squared error itself it is 10.":
            -20 * np.log10(error),
        "That is the mean squared error; -10 * np.log10(error) turns it into decibels.": error,
        "The difference is not squared: PSNR starts from the mean of the squared error.": -10 * np.log10(absolute),
        "That is the mean absolute error; PSNR starts from the mean of the squared error.": absolute,
    }


def kept_db(answer: Callable[[Array, Array, Array], float]) -> Verdict:
    """Is `answer(result, picture, mask)` the PSNR in dB of the pixels outside the mask?"""
    found = tried(answer, *kept_example())
    if isinstance(found, Verdict):
        return found
    if not is_number(found):
        what = f"an array of the shape {shape_of(found)}" if shape_of(found) else f"a {type(found).__name__}"
        return Verdict(False, f"Your function returns {what}; expected one number: take the mean of the squared error.")
    example = kept_example()  # anew: the answer may have changed the first in place
    result, picture, mask = example
    for message, value in slips_of_kept(*example).items():
        if same(found, value):
            return Verdict(False, message)
    wanted = psnr(result[~mask], picture[~mask])
    if not same(found, wanted):
        return Verdict(False, f"It gives {float(found):.2f} for a picture where {wanted:.2f} dB is right.")
    return Verdict(True, f"{wanted:.1f} dB for the example. Less error outside the mask gives more dB.")


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


def paste(answer: Callable[[Array, Array, Array], Array]) -> Verdict:
    """Is `answer(result, picture, mask)` the result inside the mask and the picture outside it?"""
    rng = np.random.default_rng(1)
    result, picture = rng.random((2, 6, 6, 3))
    mask = np.zeros((6, 6), bool)
    mask[1:4, 2:5] = True
    before = result.copy(), picture.copy()
    found = tried(answer, result, picture, mask.copy())
    if isinstance(found, Verdict):
        return found
    if not (same(result, before[0]) and same(picture, before[1])):
        return Verdict(False, "It changes the picture it was given: copy it first, or use np.where.")
    inside, (result, picture) = mask[..., None], before
    slips = {
        "The two are swapped: inside the mask the result shows, outside it the picture.":
            np.where(inside, picture, result),
        "Outside the mask it is black; the picture is to be seen there.": result * inside,
        "That is the mean of the two everywhere: use the mask.": (result + picture) / 2,
        "Inside the mask the two are added: there the picture's part has to go.": result * inside + picture,
    }
    if np.shape(found) != picture.shape:
        return Verdict(False, f"It returns the shape {np.shape(found)}; expected a picture, {picture.shape}.")
    for message, value in slips.items():
        if same(found, value):
            return Verdict(False, message)
    if not same(found, np.where(inside, result, picture)):
        return Verdict(False, "Some pixels are neither the result's inside the mask nor the picture's outside it.")
    return Verdict(True, "Outside the mask every pixel is kept to the last bit.")
