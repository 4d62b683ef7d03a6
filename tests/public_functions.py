"""Every public function with a strategy for each of its arguments, found by the arguments' names.

A new function of the rooms below is taken up by itself; an argument whose name is not known here fails a test, so that
nothing is left out in silence.
"""

from __future__ import annotations

import importlib
import inspect
import os
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import random_pipelines
import torch
from hypothesis import strategies as st
from robustness import Argument, model_state, process_state
from strange_values import GOOD_PICTURES, VALUES, Values, of, other_kinds, picture

from helpers.picturebook import Scene
from helpers.picturebook.vocabulary import CLASSES, CREATURES, GRADED
from helpers.show.comic import read_script

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
    "helpers.finetuning.weights": ("lora", "full"),
    "helpers.show.figures": ("pictures", "pair", "mask", "difference", "sweep"),
    "helpers.show.scrubbing": ("scrubber",),
    "helpers.show.comparing": ("compare",),
    "helpers.show.plots": ("curve", "scatter"),
    "helpers.show.comic": ("read_script", "draw_comic"),
    "helpers.picturebook": ("Scene", "random_edit", "draw", "part_mask"),
}
#: what needs a thing of ours to begin with: methods of classes, files; made by `things`
THINGS = ("picturebook.Edit", "Source.save", "Source.load", "Weights.save", "Weights.load", "Weights.scaled",
          "Fitted.load", "Figure.save", "imagic", "Subject.pictures", "Subject.prompt", "Subject.scene", "Judge.read",
          "Judge.find")
METHODS_OF_THE_MODEL = ("generate", "embed", "encode", "times", "tokens")
V = VALUES
WITH_ONE_STRANGE = V["picture"].strange.map(lambda one: [picture(), one])
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
    "pictures": Values(st.lists(GOOD_PICTURES, min_size=1, max_size=2),
                       st.one_of(V["picture"].strange, other_kinds(), WITH_ONE_STRANGE)),
    "prior": Values(of((), lambda: [picture()]), st.one_of(other_kinds(), WITH_ONE_STRANGE)),
    "folder": Values(of(None, lambda: tempfile.mkdtemp()), of("", "a\x00b", "x" * 5000, 3, 0.5, b"x", [])),
    "weights": Values(of(None, {"cat": 2.0}, {"cat": 0}),
                      of({"dog": 1}, {"cat": "x"}, {"cat": float("nan")}, 3, "cat", [{}])),
    "blend": Values(of((), "cat", ["cat"]), other_kinds()),
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
#: function -> what is passed for arguments that mean something else there than elsewhere
OWN: dict[str, dict[str, Values]] = {
    "methods.prompt_to_prompt.sweep": {
        "cross_replace_steps": Values(of([0, 1], (0.5,), lambda: np.array([0.2, 0.8])), st.one_of(
            other_kinds(), of([2], [None], ["x"], [float("nan")]))),
        "self_replace_steps": Values(of(0.4, [0.5], np.float32(1)), other_kinds())},
    "methods.textual_inversion.fit_textual_inversion": {
        "prompt": Values(of("a red cat", "red"), V["prompt"].strange), "word": Values(of("red"), V["word"].strange),
        "like": Values(of("cat", "dog"), V["word"].strange)},
    "measure.kept": {"picture": SAME, "result": SAME}, "measure.seam": {"picture": SAME},
    "methods.blended.scribble": {"drawing": SAME, "image": SAME},
    "finetuning.weights.full": {"networks": Values(of(("unet",), ["unet", "text_encoder"]), other_kinds())},
    **{f"{kind}.load": {"file": Values(of(f"{kind.lower()}.safetensors"), FILES.strange)}
       for kind in ("Source", "Weights", "Fitted")},
    "Figure.save": {"path": Values(of("a.png", "b.jpg", lambda: Path("new/c.webp")), FILES.strange)},
    "show.figures.pictures": {"side": Values(of(None, 64), other_kinds())},
    "show.figures.mask": {"mask": V["picture"]},
    "show.figures.pair": {"prompts": Values(of(("a cat", "a dog"), ["", ""]), other_kinds())},
    "show.figures.difference": {"labels": Values(of(["a", "b"], ("1", 2)), other_kinds())},
    "show.figures.sweep": {"pictures": Values(st.lists(GOOD_PICTURES, min_size=2, max_size=2),
                                               st.one_of(other_kinds(), WITH_ONE_STRANGE))},
    "show.scrubbing.scrubber": {"width": WIDTHS},
    "show.comparing.compare": {"labels": Values(of(("a", "b"), ["", 3]), other_kinds()), "width": WIDTHS,
                               "before": SAME, "after": SAME},
    "show.plots.curve": {"x": NUMBERS},
    "show.comic.read_script": {"text": Values(of(SCRIPT, "[a cat]"), st.one_of(
        V["prompt"].strange, of("[a cat", "[]", "[" + "cat " * 500 + "]", "[a cat]\nPim: " + "x" * 100,
                                "# only a title", "[a cat]\n[a dog]", "Pim: hello")))},
    "show.comic.draw_comic": {"pictures": Values(st.lists(GOOD_PICTURES, min_size=2, max_size=2), st.one_of(
        other_kinds(), V["picture"].strange.map(lambda one: [one, one])))},
    "picturebook.Scene": {
        **{name: Values(of(*values), other_kinds()) for name, values in CLASSES.items()},
        **dict.fromkeys(GRADED, V["share"]), "thing": Values(of(*CREATURES), other_kinds()),
        "doing": Values(of("standing", "sleeping"), other_kinds()), "character": Values(of("none"), of("pim", "x", 3)),
        **dict.fromkeys(("ride", "topping"), Values(of("none"), st.one_of(of("car", "candles"), other_kinds()))),
        "crowded": Values(of(0), V["share"].strange)},
    "picturebook.Edit": {"source": SCENES, "target": SCENES},
    "picturebook.draw": {"size": Values(of(16, 32, np.int64(16)), other_kinds())},
    "picturebook.part_mask": {"size": Values(of(16, 32), other_kinds())},
}
ARGUMENTS |= {
    "alt": Values(of("a cat", "03.white_ball"), st.one_of(other_kinds(), of(" ", "99.x"))),
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
    "alpha": Values(of(None, 1.0, 2), other_kinds()), "dtype": Values(of(None, torch.float16), of(None)),
    "context": Values(of(None, "temple", "bicycle"), other_kinds()), "known": V["flag"],
    "networks": Values(of(("unet",), ["unet", "text_encoder"], "unet"), other_kinds()),
}
ALWAYS_GIVEN = {"steps", "embedding_steps", "model_steps", "count", "batch", "inner", "maps"}  # else they are large
LEFT_OUT = {"model", "self", "watch", "judge", "look", "store", "knobs", "recording"}
QUIET = Values(st.just(False), st.just(False))


def arguments(function: Callable[..., Any], where: str = "") -> dict[str, Argument]:
    """Every argument of a function, which stands `where`, but the model; KeyError for a name that nobody thought of."""
    found: dict[str, Argument] = {}
    known = ARGUMENTS | OWN.get(where, {})
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "progress":
            found[name] = Argument(QUIET, True)
        elif name not in LEFT_OUT and parameter.kind != parameter.VAR_KEYWORD:
            required = parameter.default is inspect.Parameter.empty or name in ALWAYS_GIVEN
            found[name] = Argument(known[name], required)
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
            where = f"{module.removeprefix('helpers.')}.{name}"
            functions[where] = bound, arguments(function, where)
    for name, function in things(model).items():
        functions[name] = function, arguments(function, name)
    for name in METHODS_OF_THE_MODEL:
        functions[f"model.{name}"] = getattr(model, name), arguments(getattr(model, name))
    return functions, lambda: process_state() | model_state(model)


def things(model: Any) -> dict[str, Callable[..., Any]]:
    """What is done with things of ours, a source say; files are written to a folder of their own."""
    from helpers.finetuning.weights import Weights, lora
    from helpers.methods.imagic import Fitted, fit_imagic, imagic
    from helpers.methods.source import Source, generated
    from helpers.picturebook import Edit
    from helpers.picturebook.judge import Judge
    from helpers.picturebook.subjects import SUBJECTS
    from helpers.show.figures import pictures

    pim, judge = SUBJECTS["pim"], Judge.load()
    folder, other = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())  # read from, written to
    source, weights = generated(model, "a cat", progress=False), lora(model, 1)
    figure = pictures([picture()], alt="a cat")
    fitted = fit_imagic(model, picture(), "a cat", rank=1, embedding_steps=1, model_steps=1, progress=False)
    for name, thing in {"source": source, "weights": weights, "fitted": fitted}.items():
        thing.save(folder / f"{name}.safetensors")
    whole = (folder / "source.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[:-9])
    (folder / "broken.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    def there(function: Callable[..., Any], folder: Path = folder) -> Callable[..., Any]:
        """The function, called in the folder."""
        @wraps(function)
        def called(**values: Any) -> Any:
            before = os.getcwd()
            os.chdir(folder)
            try:
                return function(**values)
            finally:
                os.chdir(before)
        return called

    def edit(source: Any, target: Any, wording: Any = None) -> Any:
        made = Edit(source, target, wording)
        return made.prompt, made.target_prompt, made.changed, made.mask

    def on_the_fitted(eta: Any = 0.7, seed: Any = 0, steps: Any = None, guidance: Any = None) -> Any:
        return imagic(model, fitted, eta=eta, seed=seed, steps=steps, guidance=guidance, progress=False)

    return {"picturebook.Edit": edit, "Source.save": there(source.save, other), "Source.load": there(Source.load),
            "Weights.save": there(weights.save, other), "Weights.load": there(Weights.load),
            "Weights.scaled": weights.scaled, "Fitted.load": there(Fitted.load),
            "Figure.save": there(figure.save, other), "imagic": on_the_fitted,
            "Subject.pictures": pim.pictures, "Subject.prompt": pim.prompt, "Subject.scene": pim.scene,
            "Judge.read": judge.read, "Judge.find": judge.find}


def bind(function: Callable[..., Any], model: Any) -> Callable[..., Any]:
    """The function with its model."""
    return lambda **values: function(model, **values)
