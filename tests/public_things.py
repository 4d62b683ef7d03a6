"""What is called on a thing of ours: methods of models and of classes, files, attention, checks, widgets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from public_functions import FILES, OWN, SCENES, Functions, V, arguments, functions_of
from robustness import Argument
from strange_values import ROOT, Values, latents, of, other_kinds, picture, texts

from helpers import check
from helpers.attention import AttentionStore, Edit, attention, mixed
from helpers.finetuning.log import Diary
from helpers.finetuning.weights import Weights, lora
from helpers.measure import Score
from helpers.methods.imagic import Fitted, fit_imagic
from helpers.methods.magicmix import magicmix
from helpers.methods.prompt_to_prompt import recorded
from helpers.methods.sdedit import sdedit
from helpers.methods.source import Source, generated
from helpers.models.analytic import AnalyticModel
from helpers.picturebook import Edit as SceneEdit
from helpers.picturebook import Scene
from helpers.picturebook.judge import Judge
from helpers.picturebook.subjects import SUBJECTS, Recognizer
from helpers.show.attention_figures import attended
from helpers.show.picture_figures import pictures as figure_of
from helpers.show.plots import plane
from helpers.show.recording import Recording
from helpers.show.widgets.painting import painter
from helpers.show.widgets.reweighting import reweighted
from helpers.show.widgets.reweighting_panel import reweighting_live
from helpers.show.widgets.studios import studio

METHODS_OF_THE_MODEL = ("generate", "embed", "encode", "decode", "eps", "times", "tokens", "token_rows", "shape",
                        "add_noise", "step", "predict_clean", "from_folder")
METHODS_OF_THE_EXACT_MODEL = ("generate", "embed", "encode", "decode", "eps", "times", "shape", "step")
QUIET: dict[str, Any] = {"progress": False}


def one_of(*things: Any) -> Values:
    """One of these things, or anything else."""
    return Values(of(*[lambda thing=thing: thing for thing in things]), other_kinds())


class Things:
    """One of each kind of thing, made with a small model, and what is passed where such a thing is asked for."""

    def __init__(self, model: Any) -> None:
        self.model, self.exact, self.judge = model, AnalyticModel(), Judge.load()
        self.source = generated(model, "a cat", **QUIET)
        self.recorded = recorded(model, self.source, **QUIET)
        self.weights = lora(model, 1)
        self.fitted = fit_imagic(model, picture(), "a cat", rank=1, embedding_steps=1, model_steps=1, **QUIET)
        self.figure = figure_of([picture()], alt="a cat")
        self.seen = attended(model, "a cat", "a dog", **QUIET)
        self.reweighted = reweighted(model, "a cat", {"cat": [0, 1]}, **QUIET)
        self.recording = Recording(model)
        model.generate("a cat", watch=self.recording, **QUIET)
        self.scene_edit = SceneEdit(Scene(), Scene(color="red"))
        self.here, self.there = (Path(ROOT, name) for name in ("read", "written"))
        for folder in (self.here, self.there):
            folder.mkdir(exist_ok=True)
        for name in ("source", "weights", "fitted"):
            getattr(self, name).save(self.here / f"{name}.safetensors")
        whole = (self.here / "source.safetensors").read_bytes()
        (self.here / "cut.safetensors").write_bytes(whole[:-9])
        (self.here / "broken.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    def edit(self) -> Edit:
        """An edit of attention."""
        return mixed(self.model, "a cat", "a dog")

    # ------------------------------------------------------------------------------------------------ what is passed

    def own(self) -> dict[str, dict[str, Values]]:
        """What is passed where a thing must be made first, by the place of the function, or of its module."""
        model, shape = self.model, self.model.shape(1)
        latent, text = latents(shape), texts(lambda: model.embed("a cat"))
        edit = Values(of(self.edit), other_kinds())
        source = Values(st.one_of(V["prompt"].good, one_of(self.source, self.recorded).good), V["prompt"].strange)
        formulas = dict.fromkeys(("x", "x0", "noise", "eps", "eps_u", "eps_c", "latents"), latent) | {"text": text}
        store = Values(of(None, lambda: AttentionStore("cat")), other_kinds())
        judged = {"edit": one_of(self.scene_edit), "judge": one_of(self.judge)}
        made = {
            "core.diffusion": formulas | {"times": Values(of([500, 0, -1], [3, -1]), other_kinds())},
            "core.masks.blend": {"inside": latent, "outside": latent, "m": latents((1, 1, *shape[2:]))},
            "core.masks.to_latents": {"x0": latent}, "core.masks.from_latents": {"m": latents((1, 1, 4, 4))},
            "methods.inversion.reconstruct": {"source": one_of(self.source)},
            "methods.imagic.fit_model": {"e_opt": text}, "methods.imagic.interpolate": {"e_tgt": text, "e_opt": text},
            "methods.imagic.imagic": {"fitted": one_of(self.fitted)},
            "methods.prompt_to_prompt.prompt_to_prompt": {"source": source, "store": store, "target": Values(
                st.one_of(V["prompt"].good, of(self.edit, ["a cat", "a dog"])), V["prompt"].strange)},
            "methods.prompt_to_prompt.recorded": {"source": source}, "attention.during": {"edit": edit},
            "show.edit_matrix.matrix": {"edit": edit}, "measure.score": judged, "measure.obeyed": judged,
            "measure.outside": {"mask": V["mask"]}, "finetuning.loss.denoising_loss": formulas,
            "show.attention_figures.attended": {"source": source},
            "show.attention_figures.attention_maps": {"seen": one_of(self.seen)},
            "show.widgets.exploring.explorer": {"seen": one_of(self.seen)},
            "show.widgets.reweighting.reweighter": {"made": one_of(self.reweighted)},
            "show.picture_figures.trajectory": {"recording": one_of(self.recording)},
            "model": formulas | {
                "model": Values(one_of(model).good, st.one_of(other_kinds(), of(
                    lambda: self.exact, lambda: model.pipeline, lambda: type(model), lambda: model.unet))),
                "folder": Values(of("source.safetensors"), FILES.strange)},
            "exact": {**dict.fromkeys(("x", "eps", "latents"), latents((1, 2, 1, 1))),
                      "text": texts(lambda: self.exact.embed("left")),
                      "prompts": Values(of("left", ["right", ""]), V["prompts"].strange),
                      "images": Values(of([0, 1], [[0.5, 1.0]]), V["picture"].strange)},
        }
        return {where: {**OWN.get(where, {}), **values} for where, values in made.items()} | self.of_things(edit, store)

    def of_things(self, edit: Values, store: Values) -> dict[str, dict[str, Values]]:
        """The same for what `called` lists."""
        scenes = {"source": SCENES, "target": SCENES}
        return {
            "picturebook.Edit": scenes, "imagic": {"fitted": one_of(self.fitted)},
            "Weights.on": {"model": one_of(self.model)}, "attention": {"edit": edit, "store": store},
            "Recognizer": {"subject": one_of(SUBJECTS["pim"]), "judge": one_of(self.judge),
                           "count": Values(of(3), other_kinds())},
            "AttentionStore.of": {"word": Values(of("cat", "dog"), V["word"].strange), "before": V["flag"],
                                  "prompt": Values(of(0, 1, -1), other_kinds()),
                                  "step": Values(of(None), other_kinds()),
                                  "grid": Values(of((8, 8), (4, 4)), other_kinds())},
            "Diary": {"every": Values(of(1, 2), other_kinds()), "steps": V["steps"]},
            "painter.strokes": {
                "tool": Values(of("paint", "erase", "clear"), other_kinds()),
                "color": Values(of("#ff0000"), other_kinds()), "size": Values(of(3, 0.5), other_kinds()),
                "points": Values(of([1, 2], [0.5, 1, 2, 3]), st.one_of(other_kinds(), of([1], [float("nan"), 1])))},
            "model.swapped": {"value": Values(of(0.0, 0.5), other_kinds())},
            "show.studio": {"methods": Values(of(lambda: sdedit, lambda: [sdedit, magicmix]), other_kinds()),
                            "pictures": Values(of(picture, lambda: {"a": picture()}), V["picture"].strange),
                            "prompt": Values(of("a cat", {"prompt": "a cat"}), other_kinds()),
                            "ranges": Values(of(None, {"strength": (0, 1, 0.1)}), st.one_of(other_kinds(), of(
                                {"strength": 3}, {"strength": (1, 0, 0)}, {"strength": ("a", "b", "c")})))},
            "show.reweighting_live": OWN["show.widgets.reweighting.reweighted"], "show.plane": OWN["show.plane"],
        }

    # ------------------------------------------------------------------------------------------------ what is called

    def called(self) -> dict[str, Callable[..., Any]]:
        """What is called, by its name."""
        pim = SUBJECTS["pim"]
        return {
            "picturebook.Edit": made_edit, "Scene.but": Scene_but,
            "Source.save": at(self.there, self.source.save), "Source.load": at(self.here, Source.load),
            "Weights.save": at(self.there, self.weights.save), "Weights.load": at(self.here, Weights.load),
            "Fitted.save": at(self.there, self.fitted.save), "Fitted.load": at(self.here, Fitted.load),
            "Figure.save": at(self.there, self.figure.save), "Weights.scaled": self.weights.scaled,
            "Weights.on": self.with_weights, "Subject.pictures": pim.pictures, "Subject.prompt": pim.prompt,
            "Subject.scene": pim.scene, "Judge.read": self.judge.read, "Judge.find": self.judge.find,
            "Judge.describe": self.judge.describe, "Judge.load": at(self.here, Judge.load), "Recognizer": recognizer,
            "AttentionStore.of": self.map_of, "attention": self.in_attention, "Diary": self.diary,
            "painter.strokes": painted, "model.swapped": self.swapped, "show.studio": self.a_studio,
            "show.reweighting_live": self.a_panel, "show.plane": wraps(plane)(partial(plane, self.exact)),
            "AttentionStore": a_store,
        }

    def with_weights(self, model: Any, prompt: Any) -> Any:
        with self.weights.on(model):
            return self.model.generate(prompt, **QUIET)

    def swapped(self, value: Any) -> Any:
        name, weight = next(iter(self.model.unet.named_parameters()))
        new = torch.full_like(weight, value) if type(value) is float and np.isfinite(value) else value
        with self.model.changed({f"unet.{name}": new}):
            return self.model.generate("a cat", **QUIET)

    def map_of(self, word: Any, grid: Any, prompt: Any = -1, before: Any = False, step: Any = None) -> Any:
        store = AttentionStore(["cat", "dog"])
        with attention(self.model, self.edit(), store=store):
            self.model.generate(["a cat", "a dog"], seed=[1, 1], **QUIET)
        return store.of(word, grid, prompt=prompt, before=before, step=step)

    def in_attention(self, edit: Any, store: Any = (), prompts: Any = (), layers: Any = None, steps: Any = 2) -> Any:
        with attention(self.model, edit, store=store, prompts=prompts, layers=layers, steps=steps):
            return self.model.generate(["a cat", "a dog"], seed=[1, 1], **QUIET)

    def diary(self, prompt: Any, every: Any = 1, seed: Any = 0, steps: Any = 2) -> Any:
        diary = Diary(self.model, prompt, every, seed, steps=steps)
        for step in (1, 2):
            diary(step, 0.5, self.weights)
        return diary.samples

    def a_studio(self, methods: Any, pictures: Any, prompt: Any = "", ranges: Any = None) -> Any:
        lab = studio(self.model, methods, pictures, prompt=prompt, ranges=ranges)
        try:
            return lab.start().wait(60).status
        finally:
            lab.close()

    def a_panel(self, source: Any, words: Any, target: Any = None, limits: Any = (-2, 2), steps: Any = 2) -> Any:
        panel = reweighting_live(self.model, source, words, target=target, limits=limits, steps=steps, **QUIET)
        try:
            return panel.wait(60).picture
        finally:
            panel.close()

    def table(self) -> Functions:
        """Every function by its name, with its arguments."""
        own = self.own()
        found = functions_of(own)
        for name, function in self.called().items():
            but = ("model",) if name == "show.plane" else ()
            found[name] = function, arguments(function, name, own.get(name), but)
        for thing, names in (("model", METHODS_OF_THE_MODEL), ("exact", METHODS_OF_THE_EXACT_MODEL)):
            for name in names:
                function = getattr(getattr(self, thing), name)
                found[f"{thing}.{name}"] = function, arguments(function, f"{thing}.{name}", own[thing])
        for name in check.__all__:
            found[f"check.{name}"] = verdict_of(name), {"answer": Argument(ANSWERS, True)}
        return found


def at(folder: Path, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called in a folder."""
    @wraps(function)
    def called(**values: Any) -> Any:
        with contextlib.chdir(folder):
            return function(**values)
    return called


def made_edit(source: Any, target: Any, wording: Any = None) -> Any:
    made = SceneEdit(source, target, wording)
    return made.prompt, made.target_prompt, made.changed, made.mask


def Scene_but(color: Any, fluffy: Any = 0, seed: Any = 0) -> Any:  # noqa: N802 (the method of a class)
    return Scene().but(color=color, fluffy=fluffy, seed=seed)


def a_store(words: Any, grids: Any = None, layers: Any = None, keep_separate: Any = ()) -> Any:
    return AttentionStore(words, grids, layers, keep_separate)


def recognizer(subject: Any, judge: Any, count: Any, pictures: Any) -> Any:
    return Recognizer(subject, judge, count).of(pictures)


def painted(tool: Any, color: Any, size: Any, points: Any) -> Any:
    brush = painter(picture())
    try:
        brush.strokes = [{"tool": tool, "color": color, "size": size, "points": points}]
        return brush.mask
    finally:
        brush.close()


# ----------------------------------------------------------------------------------------------------------- the checks


def raising(error: BaseException) -> Callable[..., Any]:
    """An answer that fails."""
    def answer(*_: Any, **__: Any) -> Any:
        raise error
    return answer


RETURNED = st.one_of(other_kinds(), latents((1, 2, 1, 1)).strange, V["picture"].strange, of(
    lambda: torch.rand(3, 3), lambda: np.ones((2, 2)), lambda: [0.5, [1]], "right", lambda: {"A": ...}))
ANSWERS = Values(RETURNED, st.one_of(
    RETURNED.map(lambda one: lambda *_, **__: one), of(
        lambda: raising(ValueError("mine")), lambda: raising(RecursionError()), lambda: max, lambda: print,
        lambda: dict, lambda: lambda: 3, lambda: lambda *a, **k: a[0] if a else k, lambda: torch.relu,
        lambda: len, lambda: iter)))


#: what two checks are told besides the answer
TOLD: dict[str, tuple[Any, ...]] = {
    "better_edit": ([Score(1.0, 20.0, 0.1)],), "shortest_injection": ((0.2, 0.8), (20.0, 25.0))}


def verdict_of(name: str) -> Callable[..., Any]:
    """A check, which answers whatever it is given with a verdict and a sentence."""
    def checked(answer: Any) -> Any:
        verdict = getattr(check, name)(answer, *TOLD.get(name, ()))
        if not isinstance(verdict.right, bool) or len(verdict.message) < 10:
            raise AssertionError(f"{name}: {verdict}")
        return verdict
    return checked
