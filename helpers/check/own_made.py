"""The checks of the open exercises of lessons 4 and 7, where no true I* is known: the judge looks, kept is measured."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
from PIL import Image, ImageChops

from helpers.check.values import kind_of, number
from helpers.check.verdict import UNANSWERED, Verdict, is_unanswered
from helpers.measure import kept, outside, psnr
from helpers.picturebook.judge import LOOK_AT, Judge
from helpers.picturebook.subjects import CONTEXTS, Recognizer, obeyed
from helpers.picturebook.vocabulary import CLASSES

Made = Sequence[Image.Image]
SIZE = (128, 128)  # of the judge


def own_prompt_edit(made: Made, changed: tuple[str, str], judge: Judge, *, least: float = 20.0) -> Verdict:
    """Does I* of `made` = [I, I*] show what is asked, and keep at least `least` dB of I outside of the changed part?

    changed: the attribute and the value that I* is to show and I does not, ("ride", "car").
    """
    if is_unanswered(made) or is_unanswered(changed):
        return UNANSWERED
    if message := (wrong_pictures(made, 2, "[I, I*], as prompt_to_prompt returns them") or wrong_change(changed)
                   or wrong_helper(judge, Judge, "the judge, Judge.load()") or wrong_number(least)):
        return Verdict(False, message)
    (before, after), (attribute, value) = (picture.convert("RGB").resize(SIZE) for picture in made), changed
    if ImageChops.difference(before, after).getbbox() is None:
        return Verdict(False, "The two pictures are the same: nothing was edited.")
    first, last = (reading.attributes[attribute] for reading in judge.read([before, after]))
    if first == value:
        return Verdict(False, f"The judge reads {value!r} for {attribute} in I already: ask for something that I has "
                              "not, or take another seed.")
    if last != value:
        return Verdict(False, f"The judge reads {last!r} for {attribute} in I*, not {value!r}. A shorter injection, "
                              "another seed, or an edit that the model can do?")
    part = ImageChops.lighter(*(judge.find(picture, LOOK_AT.get(attribute, "place")) for picture in (before, after)))
    if not outside(part).any():
        return Verdict(False, f"The changed part covers the whole picture, so nothing is left to keep: {attribute} is "
                              "no good choice here.")
    found = kept(after, before, part)
    if found < least:
        return Verdict(False, f"It obeys, but keeps {found:.1f} dB; asked are {least:g}. A longer injection, or local "
                              "blending?")
    return Verdict(True, f"{value!r} for {first!r}: obeyed, and kept {found:.1f} dB, {found - least:.1f} dB more than "
                         "asked. Is it a picture that you would show? That you must say yourself.")


def own_subject(picture: Image.Image, context: str, cats: tuple[Made, Made], recognizer: Recognizer, *,
                least: float = 12.0) -> Verdict:
    """Does a picture show the subject in a context, by a fit that leaves the class as it was, by at least `least` dB?

    cats: pictures of the class by the model before the fit, and by the fitted one from the same seeds.
    """
    if any(map(is_unanswered, (picture, context, cats))):
        return UNANSWERED
    if message := (wrong_pictures([picture], 1, "the picture that you made") or wrong_cats(cats)
                   or wrong_helper(recognizer, Recognizer, "the recognizer") or wrong_number(least)):
        return Verdict(False, message)
    if not isinstance(context, str) or context not in CONTEXTS:
        return Verdict(False, f"There is no context {context!r}; there are: {', '.join(CONTEXTS)}.")
    subject, (reading,) = recognizer.subject, recognizer.judge.read([picture])
    wrong = [name for name in obeyed(context) if not reading.agrees(subject.scene(context), name)]
    if wrong:
        told = ", ".join(f"{reading.attributes[name]!r} for {name}" for name in wrong)
        return Verdict(False, f"The judge reads {told}: the scene is not there. Fewer steps, or another seed?")
    if (sure := recognizer.of([picture])[0]) <= 0.5:
        return Verdict(False, f"The scene is there, but it is not taken for {subject.name.capitalize()} (how sure: "
                              f"{sure:.2f}). More steps of the fit?")
    if drifted := sum(p > 0.5 for p in recognizer.of(cats[1])):
        return Verdict(False, f"{drifted} of {len(cats[1])} pictures of the class show {subject.name.capitalize()}: "
                              "language drift. Remind the model of the class, or fit fewer steps.")
    found = fmean(psnr(*(np.asarray(cat.convert("RGB"), dtype=float) / 255 for cat in pair))
                  for pair in zip(*cats, strict=True))
    if found < least:
        return Verdict(False, f"The subject is there, but the class is not what it was: it keeps {found:.1f} dB, asked "
                              f"are {least:g}. More prior pictures, fewer steps, or a method that fits less?")
    return Verdict(True, f"{subject.name.capitalize()} {context!r}, no drift, and the class kept {found:.1f} dB. Do "
                         "you see it, too? A recognizer looks at less than you.")


def wrong_pictures(made: Any, count: int, what: str) -> str:
    """What is wrong with pictures that were handed in; an empty text if nothing is."""
    if not isinstance(made, (list, tuple)):
        return f"The first argument is {kind_of(made)}; expected {what}."
    if any(not isinstance(one, Image.Image) for one in made):
        return f"There is {kind_of(next(x for x in made if not isinstance(x, Image.Image)))} in it; expected {what}."
    return "" if len(made) == count else f"You give {len(made)} pictures; expected {what}."


def wrong_change(changed: Any) -> str:
    """What is wrong with the attribute and its value; an empty text if nothing is."""
    if not isinstance(changed, (tuple, list)) or len(changed) != 2 or not all(isinstance(x, str) for x in changed):
        return 'The second argument says what changes, an attribute and its value: ("ride", "car").'
    if changed[0] not in CLASSES:
        return f"There is no attribute {changed[0]!r}; there are: {', '.join(CLASSES)}."
    if changed[1] not in CLASSES[changed[0]]:
        return f"{changed[0]} cannot be {changed[1]!r}; it can be: {', '.join(CLASSES[changed[0]])}."
    return ""


def wrong_cats(cats: Any) -> str:
    """What is wrong with the pictures of the class; an empty text if nothing is."""
    if not isinstance(cats, (tuple, list)) or len(cats) != 2 or not all(isinstance(x, (tuple, list)) for x in cats):
        return "Give the class twice, (before, after): pictures without the fit, and with it from the same seeds."
    if len(cats[0]) != len(cats[1]) or len(cats[0]) < 4:
        return f"{len(cats[0])} pictures of the class before and {len(cats[1])} after; expected as many, four at least."
    if any(not isinstance(one, Image.Image) for some in cats for one in some):
        return "The pictures of the class must be pictures, as model.generate returns them."
    if any(a.size != b.size for a, b in zip(*cats, strict=True)):
        return "The pictures of the class before and after differ in size."
    return ""


def wrong_helper(given: Any, kind: type, what: str) -> str:
    """What is wrong with the judge or the recognizer; an empty text if nothing is."""
    return "" if isinstance(given, kind) else f"The last argument is {kind_of(given)}; expected {what}."


def wrong_number(least: Any) -> str:
    """What is wrong with the decibels that are asked; an empty text if nothing is."""
    return "" if number(least) is not None else f"least is {kind_of(least)}; expected a number of decibels."
