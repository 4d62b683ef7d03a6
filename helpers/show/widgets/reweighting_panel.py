"""A slider for each word, and the picture follows: made by the kernel when a slider is let go.

    panel = show.reweighting_live(model, "a cat with fluffy fur in a crowded street", ["fluffy", "crowded"], seed=7)
    panel                      # move a slider; in a later cell:
    panel.picture, panel.weights

Everything used of ipywidgets is in version 7.7 as well as in 8. While a picture is made, which is in the background,
whoever else asks the model waits until it is done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import RLock
from typing import Annotated, Any

import ipywidgets as widgets
from IPython.display import HTML, display
from PIL import Image

from helpers.attention.control import Some
from helpers.attention.edits import model_tokens
from helpers.core.interface import Model, Progress
from helpers.core.values import Kind, Prompt, entrance, listed, number, shown
from helpers.core.words import tokens_of, words_of
from helpers.methods.prompt_to_prompt import Recorded, prompt_to_prompt, recorded
from helpers.methods.source import Source
from helpers.show.markup import ROW, captioned, own_name
from helpers.show.widgets.reweighting import LOOKS, prompt_of, told
from helpers.show.widgets.running import Form, Knob, Run
from helpers.show.widgets.studios import button, slider, status_html

LIMITS = (-2.0, 2.0)  # of the paper's c
STEP = 0.25
WIDTH = 224  # CSS pixels


class Weighing(Form):
    """A form whose knobs are called like words, "watch" perhaps, so that they cannot be a function's arguments."""

    def call(self, run: Run) -> Image.Image:
        """The picture of these weights."""
        made: Image.Image = self.function(run)
        return made


class Reweighting:
    """Made by `reweighting_live`. `picture` is the newest picture, `weights` are its weights."""

    def __init__(self, model: Model, known: Recorded, prompt: str, words: Sequence[str], limits: tuple[float, float],
                 knobs: dict[str, Any]) -> None:
        """A panel over a recorded source; knobs go to `prompt_to_prompt`."""

        def reweight(run: Run) -> Image.Image:
            watching: dict[str, Any] = {"progress": run.progress, "watch": run.watch}
            made: list[Image.Image] = prompt_to_prompt(run.model, known, prompt, weights=dict(run.knobs), **watching,
                                                       **knobs)
            return made[1]

        low, high = map(float, limits)
        asked = tuple(Knob(word, low, high, STEP, min(max(1.0, low), high)) for word in words)
        self.model, self.prompt = model, prompt
        self.form = Weighing("reweight", reweight, None, (), asked)
        self.source: Image.Image = model.decode(known.source.trajectory[-1:].to(model.device))[0]
        self.picture, self.weights = self.source, {knob.name: knob.start for knob in asked}
        self.run: Run | None = None
        self.closed = False
        self._lock = RLock()
        self._build(asked)
        if prompt != known.source.prompt or any(knob.start != 1 for knob in asked):
            self.start()

    def _build(self, asked: Sequence[Knob]) -> None:
        self.sliders = {knob.name: slider(knob) for knob in asked}
        for control in self.sliders.values():
            control.style = {"description_width": "120px"}
            control.observe(self._moved, names="value")
        self.reset_button = button("reset", "put all weights back", self.reset)
        self.before, self.after, self.status = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.name = own_name(self, "reweighting", self.prompt, list(self.sliders))
        style = widgets.HTML(f'<style>[data-show="{self.name}"]{{display:none}}</style>')  # the plain picture
        pair = widgets.HBox([self.before, self.after], layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([style, pair, *self.sliders.values(), self.reset_button, self.status])
        self.box.add_class("picturebook-reweighting")
        self.before.value = captioned(self.source, "without an edit", "without an edit", WIDTH, "webp")
        self._show()

    @property
    def wanted(self) -> dict[str, float]:
        """The weights that the sliders are at."""
        return {word: control.value for word, control in self.sliders.items()}

    def _moved(self, *_: Any) -> None:
        """A slider was moved: what is being made is given up, and the picture of the new weights begun."""
        with self._lock:
            if self.run and not self.run.over:
                self.run.cancel()
            else:
                self.start()

    def reset(self, *_: Any) -> None:
        """Put every weight back to where it was at first."""
        for knob in self.form.knobs:
            self.sliders[knob.name].value = knob.start

    def start(self) -> None:
        """Begin to make the picture of the sliders' weights, in the background."""
        with self._lock:
            self.run = Run(self.form, self.model, None, {}, self.wanted, changed=self._changed)
            self._show()
            self.run.start()

    def _changed(self, run: Run) -> None:
        """Called by a run after each step and at its end, from its thread."""
        with self._lock:
            if run is not self.run:
                return  # it was over when a slider was moved
            if run.status == "done":
                self.picture, self.weights = run.result, dict(run.knobs)
            if run.over and not self.closed and dict(run.knobs) != self.wanted:
                self.start()
            elif not self.closed:
                self._show()

    def _show(self) -> None:
        mix = told(self.weights)
        self.after.value = captioned(self.picture, f"with {mix}", mix, WIDTH, "webp")
        self.status.value = status_html(self.run) if self.run else "Ready: move a slider."

    def wait(self, seconds: float = 600) -> Reweighting:
        """Wait until the picture is that of the sliders, or nothing more is being made."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self._lock:
                run = self.run
            if run is None or (run.wait(max(0.0, end - time.monotonic())).over and run is self.run):
                break
        return self

    def close(self) -> None:
        """Stop what is being made and take the panel off the page; the picture stays readable."""
        self.closed = True
        if self.run:
            self.run.cancel()
        self.box.close()

    def _ipython_display_(self, **_: Any) -> None:
        display(HTML(self.plain_html()))
        if not self.closed:
            display(self.box)

    def plain_html(self) -> str:
        """What is shown where nothing runs; hidden beside the live panel."""
        pair = captioned(self.source, "without an edit", self.prompt, WIDTH, "webp")
        pair += captioned(self.picture, f"with {told(self.weights)}", told(self.weights), WIDTH, "webp")
        return (f'<div data-show="{self.name}"><div style="{ROW}">{pair}</div>'
                "<p>Run this cell in Jupyter to move the weights.</p></div>")

    def __repr__(self) -> str:
        return f"<reweighting: {self.prompt}; {', '.join(self.sliders)}>"


def smallest_and_largest(name: str, value: Any) -> tuple[float, float]:
    """The limits of weights, one below the other."""
    ends = [number(name, one, -100, 100) for one in listed(name, value, "the smallest and the largest weight: (-2, 2)")]
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise ValueError(f"limits are {shown(value)}; expected the smallest weight, then a larger one.")
    return ends[0], ends[1]


@entrance
def reweighting_live(
    model: Model,
    source: str | Source | Recorded,
    words: Some,
    *,
    target: Prompt | None = None,
    limits: Annotated[tuple[float, float], Kind(smallest_and_largest)] = LIMITS,
    progress: Progress = True,
    **knobs: Any,
) -> Reweighting:
    """A panel with a slider for each of `words`; moving one makes the picture anew in the background.

    The source runs once, here; a picture then costs the target's half only. target: the prompt of the words; the
    source's own unless given. limits: the smallest and the largest weight. knobs: as in `reweighted`.
    Raises ValueError for no words, a word that is not in the prompt, and limits that are none.
    """
    words = list(dict.fromkeys(" ".join(words_of(word)) for word in words))
    if not words or not all(words):
        raise ValueError("There is nothing to weigh: name at least one word.")
    prompt = target or prompt_of(source)
    for word in words:
        tokens_of(model_tokens(model, prompt), word)
    looks = {name: knobs.pop(name) for name in LOOKS if name in knobs}
    known = source if isinstance(source, Recorded) else recorded(model, source, progress=progress, **looks)
    return Reweighting(model, known, prompt, words, limits, knobs)
