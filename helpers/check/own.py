"""The check of the open exercise of lessons 1 to 3: an edit of the reader's own, judged and measured."""

from __future__ import annotations

from typing import Any

from PIL import Image

from helpers.check.values import kind_of, number
from helpers.check.verdict import UNANSWERED, Verdict, is_unanswered
from helpers.measure import BEST_PSNR, distance, outside, score
from helpers.picturebook.edits import Edit
from helpers.picturebook.judge import Judge

SAME = 1e-6  # distance of two pictures that are the same


def own_edit(result: Image.Image, edit: Edit, judge: Judge, *, least: float = 18.0, changes: int = 1) -> Verdict:
    """Does a picture obey an edit of the reader's own fully, as the judge reads it, and keep at least `least` dB?

    changes: how many attributes the edit must change. Neither I nor the true I* may be handed in.
    """
    if is_unanswered(result) or is_unanswered(edit):
        return UNANSWERED
    if message := wrong_edit(edit, changes) or wrong_picture(result, edit, judge) or wrong_number(least):
        return Verdict(False, message)
    if result.size != edit.picture.size:
        result = result.resize(edit.picture.size)
    if distance(result, edit.target_picture) < SAME:
        return Verdict(False, "That is the true I*, which the drawing program made. Make one with a model.")
    if distance(result, edit.picture) < SAME:
        return Verdict(False, f"That is I itself: it keeps {BEST_PSNR:.0f} dB and obeys nothing. Edit it.")
    found = score(result, edit, judge)
    if found.obeyed < 1:
        return Verdict(False, f"It keeps {found.kept:.1f} dB, but {misread(result, edit, judge)}. More strength, "
                              "another seed, or an edit that the model can do?")
    if found.kept < least:
        return Verdict(False, f"It obeys, but keeps {found.kept:.1f} dB; asked are {least:g}. Where does it change "
                              "what nobody asked to change? Less strength, another seed, or a mask where you have one.")
    return Verdict(True, f"{edit.target_prompt!r}: obeyed, and kept {found.kept:.1f} dB, {found.kept - least:.1f} dB "
                         f"more than asked. The distance to the true I* is {found.distance:.3f}. Is it realistic, too? "
                         "That you must say yourself.")


def wrong_edit(edit: Any, changes: int) -> str:
    """What is wrong with the edit itself; an empty text if nothing is."""
    if not isinstance(edit, Edit):
        return f"The second argument is {kind_of(edit)}; expected your edit, Edit(scene, scene.but(...))."
    if "character" in edit.changed:
        return "Your edit changes the character, which the judge cannot tell from others: change another attribute."
    changed = [name for name in edit.changed if edit.target.has(name)]
    if len(changed) < changes:
        told = f"only {', '.join(changed)}" if changed else "nothing that can be seen"
        return f"Your edit changes {told}; asked {'is one attribute' if changes == 1 else f'are {changes} attributes'}."
    if not outside(edit.mask).any():
        return "Your edit changes the whole picture, so that nothing is left to keep. Choose one that leaves a part."
    return ""


def wrong_picture(result: Any, edit: Edit, judge: Any) -> str:
    """What is wrong with the kind of the result or the judge; an empty text if nothing is."""
    if isinstance(result, Edit):
        return "The first argument is the edit; expected the picture that you made: check.own_edit(picture, edit, ...)."
    if not isinstance(result, Image.Image):
        alone = " Take one picture out of the list." if isinstance(result, (list, tuple)) else ""
        return f"The first argument is {kind_of(result)}; expected the picture that you made.{alone}"
    if not isinstance(judge, Judge):
        return f"The third argument is {kind_of(judge)}; expected the judge, Judge.load()."
    return ""


def wrong_number(least: Any) -> str:
    """What is wrong with the decibels that are asked; an empty text if nothing is."""
    return "" if number(least) is not None else f"least is {kind_of(least)}; expected a number of decibels."


def misread(result: Image.Image, edit: Edit, judge: Judge) -> str:
    """In words, what the judge reads in the place of what is asked."""
    reading = judge.read([result])[0]
    wrong = [name for name in edit.changed if edit.target.has(name) and not reading.agrees(edit.target, name)]
    told = [f"{getattr(reading, 'attributes', {}).get(name, 'something else')!r} for {name}, not "
            f"{getattr(edit.target, name)!r}" for name in wrong]
    return f"the judge reads {', and '.join(told)}"
