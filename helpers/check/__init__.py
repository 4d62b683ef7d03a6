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
    "lesson00": ("steps_run", "mean_change"),
    "lesson01": ("changed_scene", "true_mask", "kept_db", "unbeaten", "paste"),
    "lesson01_measures": ("obeyed_share", "half_interval", "unbeaten_of", "forgiving_psnr"),
    "own": ("own_edit",),
    "lesson02": ("noising", "guidance", "mixing", "rows_of_magicmix", "choice_of_strength", "better_edit"),
    "lesson02_loop": ("starting_time",),
    "lesson02_places": ("noisy_step", "magicmix_loop", "strength_of_places"),
    "lesson03": ("blending", "found_mask", "choice_of_threshold", "guided_difference", "rows_of_diffedit"),
    "lesson03_loop": ("same_time",),
    "lesson03_masks": ("masked_decoding", "border_step", "repaired_mask"),
    "lesson04": ("alignment", "swap_matrix", "edited_map", "on_values", "weight_vector", "mask_of_words",
                 "rows_of_edits"),
    "lesson04_loop": ("algorithm", "injected_steps", "shortest_injection"),
    "lesson04_edits": ("composed", "scheduled"),
    "own_made": ("own_prompt_edit", "own_subject"),
    "lesson05": ("inversion_step", "order_of_error", "which_guidance", "calls_of_null_text", "put_back",
                 "missing_noise"),
    "lesson05_loop": ("inversion_loop", "needed_null", "choice_of_inversion"),
    "lesson06": ("loss_of_picture", "frozen", "embedding_fit", "interpolation", "lora_merged", "cost_of_imagic"),
    "lesson06_choice": ("choice_of_eta", "fair_difference"),
    "lesson07": ("prior_loss", "prior_prompt", "mean_distance", "which_sheet", "choice_of_steps", "lora_numbers",
                 "rows_of_a_fit"),
    "lesson07_measures": ("balanced_accuracy", "true_share", "low_rank"),
}
HOME = {name: lesson for lesson, names in _LESSONS.items() for name in names}

__all__ = [
    "algorithm", "alignment", "balanced_accuracy", "better_edit", "blending", "border_step", "calls_of_null_text",
    "changed_scene", "choice_of_eta", "choice_of_inversion", "choice_of_steps", "choice_of_strength",
    "choice_of_threshold", "composed", "cost_of_imagic", "edited_map", "embedding_fit", "fair_difference",
    "forgiving_psnr", "found_mask", "frozen", "guidance", "guided_difference", "half_interval", "injected_steps",
    "interpolation", "inversion_loop", "inversion_step", "kept_db", "lora_merged", "lora_numbers",
    "loss_of_picture", "low_rank", "magicmix_loop", "mask_of_words", "masked_decoding", "mean_change",
    "mean_distance", "missing_noise", "mixing", "needed_null", "noising", "noisy_step", "obeyed_share", "on_values",
    "order_of_error", "own_edit", "own_prompt_edit", "own_subject", "paste", "prior_loss", "prior_prompt",
    "put_back", "repaired_mask", "rows_of_a_fit", "rows_of_diffedit", "rows_of_edits", "rows_of_magicmix",
    "same_time", "scheduled", "shortest_injection", "starting_time", "steps_run", "strength_of_places",
    "swap_matrix", "true_mask", "true_share", "unbeaten", "unbeaten_of", "weight_vector", "which_guidance",
    "which_sheet",
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
