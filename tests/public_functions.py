"""Every public function with a strategy for each of its arguments, found by the arguments' names.

A new method has to be named below (tests/test_contract.py says so); an argument whose name is not known here fails a
test, so that nothing is left out in silence. `public_things.py` has what needs a thing of ours to begin with: files,
widgets ...
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import random_pipelines
import torch
from hypothesis import strategies as st
from robustness import Argument
from strange_values import GOOD_PICTURES, VALUES, Values, of, other_kinds, picture

from helpers.picturebook import Scene
from helpers.picturebook.vocabulary import CLASSES, CREATURES, GRADED
from helpers.show.comic import read_script

#: module -> its public functions; a method takes the model first
FUNCTIONS = {
    "helpers.core.pictures": ("as_picture",),
    "helpers.core.masks": ("as_mask", "inverted", "widened", "fitted", "paste", "blend", "to_latents", "from_latents"),
    "helpers.core.words": ("words_of", "align"),
    "helpers.core.randomness": ("noise",),
    "helpers.core.diffusion": ("add_noise", "predict_clean", "ddim_step", "ddim_sigma", "alpha_bar_at", "cfg",
                               "denoise", "guide"),
    "helpers.methods.sdedit": ("sdedit",),
    "helpers.methods.magicmix": ("magicmix",),
    "helpers.methods.blended": ("blended_diffusion", "scribble"),
    "helpers.methods.diffedit": ("find_mask", "diffedit", "difference"),
    "helpers.methods.word_mask": ("word_mask", "attended"),
    "helpers.methods.inversion": ("ddim", "direct", "negative_prompt", "null_text", "edit_friendly", "reconstruct"),
    "helpers.methods.source": ("generated",),
    "helpers.methods.prompt_to_prompt": ("prompt_to_prompt", "sweep", "recorded"),
    "helpers.methods.imagic": ("fit_imagic", "fit_embedding", "fit_model", "imagic", "interpolate"),
    "helpers.methods.dreambooth": ("prior_pictures", "fit_dreambooth", "subject_pictures"),
    "helpers.methods.textual_inversion": ("fit_textual_inversion",),
    "helpers.attention": ("replace", "refine", "mixed", "reweight", "inject_self", "during", "self_attention",
                          "SelfEdit"),
    "helpers.measure": ("kept", "distance", "iou", "seam", "psnr", "score", "obeyed", "outside"),
    "helpers.finetuning.weights": ("lora", "full", "parameters", "token_rows"),
    "helpers.finetuning.loss": ("denoising_loss", "draw"),
    "helpers.models.loading": ("load",),
    "helpers.models.catalogue": ("find",),
    "helpers.models.devices": ("place",),
    "helpers.models.analytic": ("AnalyticModel",),
    "helpers.show.picture_figures": ("pictures", "pair", "mask", "difference", "sweep", "trajectory"),
    "helpers.show.widgets.scrubbing": ("scrubber",),
    "helpers.show.widgets.comparing": ("compare",),
    "helpers.show.plots": ("curve", "scatter"),
    "helpers.show.comic": ("read_script", "draw_comic"),
    "helpers.show.attention_figures": ("attended", "attention_maps"),
    "helpers.show.edit_matrix": ("matrix",),
    "helpers.show.widgets.exploring": ("explorer",),
    "helpers.show.widgets.reweighting": ("reweighted", "reweighter"),
    "helpers.show.widgets.painting": ("painter",),
    "helpers.show.errors": ("calm_errors", "usual_errors"),
    "helpers.picturebook": ("Scene", "random_edit", "draw", "part_mask"),
    "helpers.picturebook.sampling": ("random_scene",),
    "helpers.picturebook.caption": ("describe",),
    "helpers.machine": ("this_machine",),
}
V = VALUES
WITH_ONE_STRANGE = V["picture"].strange.map(lambda one: [picture(), one])
#: the name of an argument -> what is passed for it
ARGUMENTS: dict[str, Values] = {
    **dict.fromkeys(("image", "images", "picture", "drawing", "truth", "result", "inside", "outside", "a", "b", "x"),
                    V["picture"]),
    **dict.fromkeys(("mask", "found", "true"), V["mask"]),
    **dict.fromkeys(("prompt", "source", "target", "class_prompt", "P", "source_prompt", "target_prompt", "text",
                     "reference", "source_text", "target_text"), V["prompt"]),
    "prompts": V["prompts"], "word": V["word"], "like": V["word"],
    **dict.fromkeys(("strength", "nu", "k_min", "k_max", "skip", "eta", "threshold", "encode_ratio", "noise_strength",
                     "mask_strength", "start", "end", "cross_replace_steps", "self_replace_steps", "share"),
                    V["share"]),
    **dict.fromkeys(("c", "prior_weight", "rate", "tolerance", "clip", "every"), V["amount"]),
    **dict.fromkeys(("steps", "embedding_steps", "model_steps", "inner"), V["steps"]),
    **dict.fromkeys(("count", "maps", "batch", "pixels", "up_to", "side", "width", "step"), V["count"]),
    "rank": Values(of(1, 2, 1, None), other_kinds()), **dict.fromkeys(("t", "s"), V["time"]),
    **dict.fromkeys(("lr", "embedding_lr", "model_lr"), Values(of(None, 1e-3, 1e-2), other_kinds())),
    "guidance": V["guidance"], "seed": V["seed"], "size": V["size"], "frame": Values(of((16, 16)), V["size"].strange),
    **dict.fromkeys(("exact", "text_encoder", "thin"), V["flag"]), "by_layer": Values(of(None, True), other_kinds()),
    "fit": Values(of("cover", "contain", "stretch"), other_kinds()),
    "shape": Values(of((1, 2, 3, 3), [2, 1, 1, 1]), other_kinds()),
    "pictures": Values(st.lists(GOOD_PICTURES, min_size=1, max_size=2),
                       st.one_of(V["picture"].strange, other_kinds(), WITH_ONE_STRANGE)),
    "prior": Values(of((), lambda: [picture()]), st.one_of(other_kinds(), WITH_ONE_STRANGE)),
    "folder": V["folder"], "watch": V["watch"], "progress": V["progress"],
    "weights": Values(of(None, {"cat": 2.0}, {"cat": 0}),
                      st.one_of(of({"dog": 1}, {"cat": "x"}, {"cat": float("nan")}, [{}]), other_kinds())),
    **dict.fromkeys(("blend", "words", "layers"), Values(of((), "cat", ["cat"]), other_kinds())),
    "grids": Values(of(None, [(8, 8)]), st.one_of(other_kinds(), of([8], [(3, 3)], [(0, 0)]))),
    "keep_separate": Values(of((), "step", ["layer"]), other_kinds()),
    "store": Values(of(None), other_kinds()), "alt": Values(of("a cat", "03.white_ball"), st.one_of(
        other_kinds(), of(" ", "99.x"))),
    **dict.fromkeys(("q", "k", "v"), Values(of("source", "target"), other_kinds())),
    "mode": Values(of("mask", "scribble"), other_kinds()), "brush": Values(of(None, 3, 0.5), other_kinds()),
}
LABELS = Values(of((), ["one"], ["one", "two"], ("1", 2)), other_kinds())
NUMBERS = Values(of([1, 2], (0.5, 1.0), lambda: np.array([1.0, 2.0]), lambda: torch.tensor([1, 2]), [0, float("nan")]),
                 st.one_of(other_kinds(), of([1e300, -1e300], [float("inf"), 1], [], [[1, 2], [3, 4]], [[1], [2, 3]])))
SERIES = Values(of({"one": [1, 2]}, lambda: {"one": np.array([1, 2]), "two": (0.5, 1)}),
                st.one_of(other_kinds(), of({"$one_": [1, 2]}, {1: [1, 2]}, {"\ud800": [1, 2]}, {"one": "x"},
                                            {"one": [float("inf"), 1]}, {"one": [[1, 2], [3, 4]]}, {"one": 3},
                                            {"one": [1e300, -1e300]}, {"x" * 300: [1, 2]})))
SCENES = Values(of(*(Scene(seed=i, thing=thing) for i, thing in enumerate(("cat", "cake", "none")))), other_kinds())
SCRIPT = "# A title\n\n[a cat]\nOne day.\nPim: Hello!\n\n[a red cat]\nPim (left): I am red."
FILES = Values(of("a.safetensors", lambda: Path("b.safetensors"), "source.safetensors", "weights.safetensors",
                  "fitted.safetensors", "c.png", "d.jpg"),
               st.one_of(other_kinds(), of(".", "/", "..", "no/folder/a.png", "a[.png", "**", "a*?.safetensors",
                                           "x.xyz", "c.png/a.png", "~nobody/a.png", "broken.safetensors",
                                           "cut.safetensors")))
SAME = Values(of(picture, lambda: np.full((16, 16, 3), 0.5), lambda: picture("RGBA")), V["picture"].strange)
WIDTHS = Values(of(64, np.int64(100)), other_kinds())
ARGUMENTS |= {
    **dict.fromkeys(("labels", "columns", "rows"), LABELS), "line": Values(of((), ["one"]), other_kinds()),
    "titles": Values(of(["before", "after"]), other_kinds()),
    **dict.fromkeys(("caption", "name", "xlabel", "ylabel", "notice"), V["prompt"]),
    **dict.fromkeys(("before", "after", "first", "second"), V["picture"]),
    "most": Values(of(None, 0.5, 1), other_kinds()), "values": NUMBERS, "series": SERIES, "points": SERIES,
    "scores": Values(st.one_of(st.none(), SERIES.good), SERIES.strange),
    "errors": Values(st.one_of(st.none(), SERIES.good), SERIES.strange), "scene": SCENES,
    "kind": Values(of("thing", "color", "ride"), other_kinds()), "number": V["count"],
    "wording": Values(of(None, 0, 3), other_kinds()), "part": Values(of("thing", "sky"), other_kinds()),
    "story": Values(of(lambda: read_script(SCRIPT)), other_kinds()), "file": FILES, "path": FILES,
    "alpha": Values(of(None, 1.0, 2), other_kinds()),
    "dtype": Values(of(None, torch.float16), st.one_of(other_kinds(), of(torch.int8, torch.complex64))),
    "device": Values(of(None, "cpu", torch.device("cpu")), st.one_of(
        other_kinds(), of("cuda", "meta", "cpu:9", "tpu"))),
    "context": Values(of(None, "temple", "bicycle"), other_kinds()), "known": V["flag"],
    "networks": Values(of(("unet",), ["unet", "text_encoder"], "unet"), other_kinds()),
    **{name: Values(st.sampled_from(values), other_kinds()) for name, values in CLASSES.items()},
    **dict.fromkeys(GRADED, V["share"]), "character": Values(of("none", "pim"), other_kinds()),
    "tell": Values(of((), ("color",)), other_kinds()), "thing": Values(st.sampled_from(CREATURES), other_kinds()),
}
#: what is passed for arguments that mean something else in one function than elsewhere
OWN: dict[str, dict[str, Values]] = {
    "methods.prompt_to_prompt.sweep": {
        "cross_replace_steps": Values(of([0, 1], (0.5,), lambda: np.array([0.2, 0.8])), st.one_of(
            other_kinds(), of([2], [None], ["x"], [float("nan")]))),
        "self_replace_steps": Values(of(0.4, [0.5], np.float32(1)), other_kinds())},
    "methods.textual_inversion.fit_textual_inversion": {
        "prompt": Values(of("a red cat", "red"), V["prompt"].strange), "word": Values(of("red"), V["word"].strange),
        "like": Values(of("cat", "dog"), V["word"].strange)},
    "finetuning.weights.token_rows": {"word": Values(of("red"), V["word"].strange)},
    "measure.kept": {"picture": SAME, "result": SAME}, "measure.seam": {"picture": SAME},
    "methods.blended.scribble": {"drawing": SAME, "image": SAME},
    "finetuning.weights.full": {"networks": Values(of(("unet",), ["unet", "text_encoder"]), other_kinds())},
    **{f"{kind}.load": {"file": Values(of(f"{kind.lower()}.safetensors"), FILES.strange)}
       for kind in ("Source", "Weights", "Fitted")},
    "Figure.save": {"path": Values(of("a.png", "b.jpg", lambda: Path("new/c.webp")), FILES.strange)},
    "show.picture_figures.pictures": {"side": Values(of(None, 64), other_kinds())},
    "show.picture_figures.mask": {"mask": V["picture"]},
    "show.picture_figures.pair": {"prompts": Values(of(("a cat", "a dog"), ["", ""]), other_kinds())},
    "show.picture_figures.difference": {"labels": Values(of(["a", "b"], ("1", 2)), other_kinds())},
    "show.picture_figures.sweep": {"pictures": Values(st.lists(GOOD_PICTURES, min_size=2, max_size=2),
                                               st.one_of(other_kinds(), WITH_ONE_STRANGE))},
    "show.picture_figures.trajectory": {"most": V["count"]},
    "show.widgets.scrubbing.scrubber": {"width": WIDTHS}, "show.widgets.exploring.explorer": {"width": WIDTHS},
    "show.widgets.reweighting.reweighter": {"width": WIDTHS},
    "show.widgets.painting.painter": {"width": WIDTHS, "start": V["picture"]},
    "show.attention_figures.attention_maps": {
        "most": V["count"], "by": Values(of("step", "grid", "view"), other_kinds()),
        "view": Values(of(None, "source", "after"), other_kinds()), "grid": Values(of(None, (8, 8)), other_kinds())},
    "show.attention_figures.attended": {"words": Values(of(None, "cat", ["cat"]), other_kinds())},
    "show.widgets.reweighting.reweighted": {
        "weights": Values(of("cat", ["cat"], {"cat": [0, 1]}), st.one_of(other_kinds(), of(
            {"cat": [float("nan")]}, {"cat": 3}, {"cat": ["x"]}, {"cat": range(10**6)}))),
        "words": Values(of("cat", ["cat"]), other_kinds()), "target": Values(of(None, "a cat"), V["prompt"].strange),
        "source": Values(of("a cat", "a red cat"), V["prompt"].strange),
        "limits": Values(of((-2, 2), (0, 1.5)), st.one_of(other_kinds(), of((1, 1), (float("nan"), 2), ("a", "b"))))},
    "show.plane": {"points": Values(of(None, {"a": [0, 1]}), SERIES.strange),
                         "paths": Values(of(None, {"a": [[0, 1], [1, 1]]}), SERIES.strange)},
    "show.widgets.comparing.compare": {"labels": Values(of(("a", "b"), ["", 3]), other_kinds()), "width": WIDTHS,
                               "before": SAME, "after": SAME},
    "show.plots.curve": {"x": NUMBERS},
    "show.comic.read_script": {"text": Values(of(SCRIPT, "[a cat]"), st.one_of(
        V["prompt"].strange, of("[a cat", "[]", "[" + "cat " * 500 + "]", "[a cat]\nPim: " + "x" * 100,
                                "# only a title", "[a cat]\n[a dog]", "Pim: hello")))},
    "show.comic.draw_comic": {"pictures": Values(st.lists(GOOD_PICTURES, min_size=2, max_size=2), st.one_of(
        other_kinds(), V["picture"].strange.map(lambda one: [one, one])))},
    "picturebook.draw": {"size": Values(of(16, 32, np.int64(16)), other_kinds())},
    "picturebook.part_mask": {"size": Values(of(16, 32), other_kinds())},
    "picturebook.sampling.random_scene": {"seed": V["count"]}, "picturebook.caption.describe": {"seed": V["count"]},
    "models.loading.load": {"name": Values(of("picturebook"), st.one_of(
        V["prompt"].strange, FILES.strange, of(Path("no/where"), "./no", "a.ckpt", "stable-diffusion-v1-6", "")))},
    "models.catalogue.find": {"name": Values(of("sdxl-turbo", "me/model"), V["prompt"].strange)},
    "models.analytic.AnalyticModel": {
        "means": Values(of(None, {"a": (0, 1), "b": (1, 1)}), st.one_of(other_kinds(), of(
            {"a": 3}, {"a": (1, 2, 3)}, {"a": (float("nan"), 0)}, {"a": (0, 1), "b": "x"}, {3: (0, 1)}))),
        "spreads": Values(of(0.3, 1), st.one_of(other_kinds(), of([0.1, 0.2, 0.3, 0.4], -1, 0))),
        "weights": Values(of(None), st.one_of(other_kinds(), of([1, 2, 3], [0, 0, 0], [-1, 1, 1], ["a"] * 3)))},
    "finetuning.loss.draw": {"shape": Values(of((2, 1, 3, 3)), other_kinds())},
    "attention.during": {"end": Values(of(1.0, 0.5, {"default": 0.8}), st.one_of(other_kinds(), of(
        {"cat": "x"}, {"zebra": 0.5}, {3: 0.5})))},
}
ALWAYS_GIVEN = {"steps", "embedding_steps", "model_steps", "count", "batch", "inner", "maps"}  # else they are large


def arguments(function: Callable[..., Any], where: str = "", own: dict[str, Values] | None = None,
              but: tuple[str, ...] = ()) -> dict[str, Argument]:
    """Every argument of a function, which stands `where`, but some; KeyError for a name that nobody thought of."""
    found: dict[str, Argument] = {}
    known = ARGUMENTS | OWN.get(where, {}) | (own or {})
    for name, parameter in inspect.signature(function).parameters.items():
        if name in but or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        required = parameter.default is inspect.Parameter.empty or name in ALWAYS_GIVEN or name == "progress"
        found[name] = Argument(known[name], required)
    return found


def small_model(kind: str = "v") -> Any:
    """One of the small random pipelines as a model; "v" knows its words."""
    from helpers.models.diffusers_model import DiffusersModel

    with tempfile.TemporaryDirectory() as place:
        folder = random_pipelines.save_all(Path(place))[kind]
        words = frozenset({"a", "cat", "red"}) if kind == "v" else None
        return DiffusersModel.from_folder(folder, "cpu", steps=2, guidance=2.0, known_words=words)


Functions = dict[str, tuple[Callable[..., Any], dict[str, Argument]]]


def functions_of(own: dict[str, dict[str, Values]]) -> Functions:
    """Every function of `FUNCTIONS` by its name, with its arguments; own: what is passed where a model must make it."""
    found: Functions = {}
    for module, names in FUNCTIONS.items():
        for name in names:
            function, where = getattr(import_module(module), name), f"{module.removeprefix('helpers.')}.{name}"
            its = own.get(where) or own.get(where.rpartition(".")[0], {})
            found[where] = function, arguments(function, where, {"model": own["model"]["model"], **its})
    return found
