"""The checks of the exercises: each says what is right about an answer, or names the likely slip.

    from helpers import check

    check.true_mask(my_true_mask)

A check returns a verdict, which a notebook shows as a sentence: "Right. ..." or "Not yet. ...". It never raises,
whatever the answer is.
"""

from difflib import get_close_matches
from importlib import import_module

#: module -> its checks; those of a lesson's loop stand in a file of their own
_LESSONS = {
    "lesson01": ("changed_scene", "true_mask", "kept_db", "unbeaten", "paste"),
    "lesson02": ("noising", "guidance", "mixing", "calls_of_magicmix", "choice_of_strength", "better_edit"),
    "lesson02_loop": ("starting_time",),
    "lesson03": ("blending", "found_mask", "choice_of_threshold", "guided_difference", "estimates_of_diffedit"),
    "lesson03_loop": ("same_time",),
    "lesson04": ("alignment", "swap_matrix", "edited_map", "on_values", "weight_vector", "mask_of_words",
                 "rows_of_edits"),
    "lesson04_loop": ("algorithm", "injected_steps", "shortest_injection"),
    "lesson05": ("inversion_step", "order_of_error", "which_guidance", "calls_of_null_text", "put_back",
                 "missing_noise"),
    "lesson06": ("loss_of_picture", "frozen", "embedding_fit", "interpolation", "cost_of_imagic"),
    "lesson06_choice": ("choice_of_eta",),
    "lesson07": ("prior_loss", "prior_prompt", "mean_distance", "which_sheet", "choice_of_steps", "lora_numbers",
                 "rows_of_a_fit"),
}
HOME = {name: lesson for lesson, names in _LESSONS.items() for name in names}

__all__ = [
    "algorithm", "alignment", "better_edit", "blending", "calls_of_magicmix", "calls_of_null_text", "changed_scene",
    "choice_of_eta", "choice_of_steps", "choice_of_strength", "choice_of_threshold", "cost_of_imagic", "edited_map",
    "embedding_fit", "estimates_of_diffedit", "found_mask", "frozen", "guidance", "guided_difference",
    "injected_steps", "interpolation", "inversion_step", "kept_db", "lora_numbers", "loss_of_picture",
    "mask_of_words", "mean_distance", "missing_noise", "mixing", "noising", "on_values", "order_of_error", "paste",
    "prior_loss", "prior_prompt", "put_back", "rows_of_a_fit", "rows_of_edits", "same_time", "shortest_injection",
    "starting_time", "swap_matrix", "true_mask", "unbeaten", "weight_vector", "which_guidance", "which_sheet",
]


def __getattr__(name: str) -> object:
    """The check `name`, from the lesson that defines it, imported when it is first asked for (PEP 562)."""
    if name not in HOME:
        meant = get_close_matches(name, HOME, n=1) or sorted(HOME)
        raise AttributeError(f"module 'helpers.check' has no check {name!r}; did you mean {', '.join(meant)}?")
    from helpers.check.verdict import safe  # here: it imports numpy

    return safe(getattr(import_module(f"helpers.check.{HOME[name]}"), name))


def __dir__() -> list[str]:
    """Names for tab completion."""
    return sorted([*globals(), *HOME])
