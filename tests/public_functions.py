"""Every public function with a strategy for each of its arguments, found by the arguments' names.

A new function of the rooms below is taken up by itself; an argument whose name is not known here fails a test, so that
nothing is left out in silence.
"""

from __future__ import annotations

import importlib
import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import random_pipelines
from hypothesis import strategies as st
from robustness import Argument, model_state, process_state
from strange_values import GOOD_PICTURES, VALUES, Values, of, other_kinds, picture

#: module -> its public functions; a method takes the model first
FUNCTIONS = {
    "helpers.core.pictures": ("as_picture",),
    "helpers.core.masks": ("as_mask", "inverted", "widened", "fitted", "paste"),
    "helpers.core.words": ("words_of", "align"),
    "helpers.core.randomness": ("noise",),
    "helpers.methods.sdedit": ("sdedit",),
    "helpers.methods.magicmix": ("magicmix",),
    "helpers.methods.blended": ("blended_diffusion", "scribble"),
    "helpers.methods.diffedit": ("find_mask", "diffedit"),
    "helpers.methods.word_mask": ("word_mask",),
    "helpers.methods.inversion": ("ddim", "direct", "negative_prompt", "null_text", "edit_friendly"),
    "helpers.methods.source": ("generated",),
    "helpers.methods.prompt_to_prompt": ("prompt_to_prompt", "sweep", "recorded"),
    "helpers.methods.imagic": ("fit_imagic",),
    "helpers.methods.dreambooth": ("prior_pictures", "fit_dreambooth"),
    "helpers.methods.textual_inversion": ("fit_textual_inversion",),
    "helpers.attention": ("replace", "refine", "mixed", "reweight", "inject_self"),
    "helpers.measure": ("kept", "distance", "iou", "seam", "psnr"),
}
METHODS_OF_THE_MODEL = ("generate", "embed", "encode", "times", "tokens")
V = VALUES
#: the name of an argument -> what is passed for it
ARGUMENTS: dict[str, Values] = {
    **dict.fromkeys(("image", "images", "picture", "drawing", "truth", "result", "x", "inside", "outside", "a", "b"),
                    V["picture"]),
    **dict.fromkeys(("mask", "found", "true"), V["mask"]),
    **dict.fromkeys(("prompt", "source", "target", "class_prompt", "P", "source_prompt", "target_prompt", "text",
                     "reference", "source_text", "target_text"), V["prompt"]),
    "prompts": V["prompts"], "word": V["word"], "like": V["word"],
    **dict.fromkeys(("strength", "nu", "k_min", "k_max", "skip", "eta", "threshold", "encode_ratio", "noise_strength",
                     "mask_strength", "start", "end", "cross_replace_steps", "self_replace_steps"), V["share"]),
    **dict.fromkeys(("c", "prior_weight", "rate", "tolerance", "clip", "every"), V["amount"]),
    **dict.fromkeys(("steps", "embedding_steps", "model_steps", "inner"), V["steps"]),
    **dict.fromkeys(("count", "maps", "batch", "pixels", "up_to", "side", "width"), V["count"]),
    "rank": Values(of(1, 2, 1, None), other_kinds()),
    **dict.fromkeys(("lr", "embedding_lr", "model_lr"), Values(of(None, 1e-3, 1e-2), other_kinds())),
    "guidance": V["guidance"], "seed": V["seed"], "size": V["size"], "frame": Values(of((16, 16)), V["size"].strange),
    **dict.fromkeys(("exact", "text_encoder", "thin"), V["flag"]),
    "fit": Values(of("cover", "contain", "stretch"), other_kinds()),
    "shape": Values(of((1, 2, 3, 3), [2, 1, 1, 1]), other_kinds()),
    "pictures": Values(st.lists(GOOD_PICTURES, min_size=1, max_size=2), st.one_of(V["picture"].strange, other_kinds())),
    "prior": Values(of((), lambda: [picture()]), other_kinds()),
    "folder": Values(of(None, lambda: tempfile.mkdtemp()), of("", "a\x00b", "x" * 5000, 3, 0.5, b"x", [])),
    "weights": Values(of(None, {"cat": 2.0}, {"cat": 0}),
                      of({"dog": 1}, {"cat": "x"}, {"cat": float("nan")}, 3, "cat", [{}])),
    "blend": Values(of((), "cat", ["cat"]), other_kinds()),
}
ALWAYS_GIVEN = {"steps", "embedding_steps", "model_steps", "count", "batch", "inner", "maps"}  # else they are large
LEFT_OUT = {"model", "self", "watch", "judge", "look", "store", "knobs", "recording"}
QUIET = Values(st.just(False), st.just(False))


def arguments(function: Callable[..., Any]) -> dict[str, Argument]:
    """Every argument of a function but the model; KeyError for a name that nobody thought of."""
    found: dict[str, Argument] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "progress":
            found[name] = Argument(QUIET, True)
        elif name not in LEFT_OUT and parameter.kind != parameter.VAR_KEYWORD:
            required = parameter.default is inspect.Parameter.empty or name in ALWAYS_GIVEN
            found[name] = Argument(ARGUMENTS[name], required)
    return found


def table() -> tuple[dict[str, tuple[Callable[..., Any], dict[str, Argument]]], Callable[[], dict[str, Any]]]:
    """Every function by its name, with its arguments; and what tells the state of the process and the model."""
    from helpers.models.diffusers_model import DiffusersModel

    folder = random_pipelines.save_all(Path(tempfile.mkdtemp()))["v"]
    model = DiffusersModel.from_folder(folder, "cpu", steps=2, guidance=2.0, known_words=frozenset({"a", "cat", "red"}))
    functions: dict[str, tuple[Callable[..., Any], dict[str, Argument]]] = {}
    for module, names in FUNCTIONS.items():
        for name in names:
            function = getattr(importlib.import_module(module), name)
            takes_model = next(iter(inspect.signature(function).parameters)) == "model"
            bound = bind(function, model) if takes_model else function
            functions[f"{module.removeprefix('helpers.')}.{name}"] = bound, arguments(function)
    for name in METHODS_OF_THE_MODEL:
        functions[f"model.{name}"] = getattr(model, name), arguments(getattr(model, name))
    return functions, lambda: process_state() | model_state(model)


def bind(function: Callable[..., Any], model: Any) -> Callable[..., Any]:
    """The function with its model."""
    return lambda **values: function(model, **values)
