"""The studio: choose a method, a picture, prompts and knobs, press run, watch, cancel, compare with what came before.

    lab = show.studio(model, [sdedit, magicmix], {"cat": picture}, prompt="a blue cat in a meadow")
    lab.result                 # the newest picture
    lab.history                # all runs that were finished: picture, prompts, knobs

`status_html`, `history_html` and `overview_html` draw; they need no browser. The widget only holds the choices.
Everything used of ipywidgets is in version 7.7 as well as in 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Annotated, Any

import ipywidgets as widgets
import numpy as np
from IPython.display import HTML, display
from PIL import Image

from helpers.core.interface import Model
from helpers.core.pictures import as_picture
from helpers.core.silence import silent
from helpers.core.values import Kind, WrongKind, entrance, listed, number, shown, text
from helpers.show.markup import ROW, captioned, own_name
from helpers.show.picture_figures import paled
from helpers.show.widgets.running import Form, Knob, Pictures, Run, form_of, named, settings, story

THUMBNAIL = 160  # CSS pixels
LETTERS = 110  # of a prompt under a thumbnail; more makes a tower, and the whole of it is the picture's alt text
MOST_SHOWN = 12  # runs in the strip; the rest is in `history`
MARKS = {"done": "\u2713", "failed": "\u2717", "stopped": "\u25a0"}  # a state is never told by a colour alone


def status_html(run: Run | None) -> str:
    """What is going on, as a line that a screen reader reads when it changes."""
    mark = MARKS.get(run.status, "") if run else ""
    return f'<div role="status" aria-live="polite" style="line-height:1.4">{mark} {escape(story(run))}</div>'


def history_html(runs: Sequence[Run]) -> str:
    """A strip of the finished runs, the newest first."""
    shown = list(enumerate(runs, 1))[: -MOST_SHOWN - 1 : -1]
    return f'<div role="list" aria-label="history" style="{ROW}">{"".join(taken(i, run) for i, run in shown)}</div>'


def taken(number: int, run: Run) -> str:
    """One run of the strip: its picture, and under it what was asked."""
    asked, chosen = " / ".join(map(quoted, run.prompts.values())), settings(run)
    caption = f"{number}. {shortened(asked)} ({chosen})"
    about = f"result {number}. {asked} ({chosen})"
    seen = captioned(run.made, about, caption, THUMBNAIL, "webp")
    return f'<div role="listitem" title="{escape(about)}">{seen}</div>'


def shortened(told: str, most: int = LETTERS) -> str:
    """A text of at most `most` letters."""
    return told if len(told) <= most else f"{told[: most - 3].rstrip()}..."


def masked_html(picture: Image.Image | None, mask: Any) -> str:
    """Where the method may change the picture: the rest of it is pale. Nothing where there is no mask."""
    if mask is None or picture is None:
        return ""
    inside = np.asarray(as_picture(mask, picture.size, "stretch").convert("L")) > 127
    return captioned(Image.fromarray(paled(picture, inside)), "where it may change, in colour", "where it may change",
                     THUMBNAIL, "webp")


def quoted(prompt: str) -> str:
    """A prompt in quotation marks."""
    return f'"{prompt}"'


def overview_html(forms: Sequence[Form], pictures: Mapping[str, Image.Image], name: str) -> str:
    """What the studio offers, for where nothing runs; hidden beside the live studio."""
    methods = "; ".join(f"{form.name} ({', '.join([*form.prompts, *(k.name for k in form.knobs)])})" for form in forms)
    row = "".join(captioned(picture, f"to edit: {key}", key, THUMBNAIL, "webp") for key, picture in pictures.items())
    told = f"<p>Methods: {escape(methods)}. Run this cell in Jupyter to try them.</p>"
    return f'<div data-show="{name}"><div style="{ROW}">{row}</div>{told}</div>'


class Studio:
    """Made by `studio`. `result` is the newest picture, `history` all finished runs."""

    def __init__(self, model: Any, forms: Sequence[Form], pictures: Mapping[str, Image.Image],
                 prompts: Mapping[str, str]) -> None:
        """A studio over these forms and pictures; `prompts` are the first texts, by the parameter's name."""
        self.model, self.forms, self.pictures = model, {form.name: form for form in forms}, dict(pictures)
        self.history: list[Run] = []
        self.run: Run | None = None
        self.closed = False
        self.name = own_name(self, "studio", list(self.forms), list(pictures))
        self._build(prompts)
        self._choose()

    def _build(self, prompts: Mapping[str, str]) -> None:
        self.method = choice("method", list(self.forms), self._choose)
        self.picture = choice("picture", list(self.pictures), self._show_picture)
        asked = {name for form in self.forms.values() for name in form.prompts}
        self.prompts = {name: text_box(name, prompts.get(name, ""), self._entered) for name in sorted(asked)}
        self.knobs = {form.name: {knob.name: slider(knob) for knob in form.knobs} for form in self.forms.values()}
        self.run_button = button("run", "run the method with these choices, as Enter does", self.start)
        self.cancel_button = button("cancel", "stop after the step that is under way", self.cancel)
        self.bar = widgets.IntProgress(value=0, min=0, max=1, layout=widgets.Layout(width="200px"))
        self.status, self.strip = widgets.HTML(), widgets.HTML()
        self.source, self.masked, self.newest = (widgets.HTML(layout=slot()) for _ in range(3))
        self.questions = widgets.VBox([])
        style = f'<style>[data-show="{self.name}"]{{display:none}}</style>'  # the overview
        buttons = widgets.HBox([self.run_button, self.cancel_button, self.bar])
        left = widgets.VBox([self.method, self.picture, self.questions, buttons, self.status],
                            layout=widgets.Layout(width="460px", max_width="100%", flex="0 1 auto"))
        seen = widgets.HBox([self.source, self.newest, self.masked], layout=widgets.Layout(flex_flow="row wrap"))
        top = widgets.HBox([left, seen], layout=widgets.Layout(flex_flow="row wrap"))
        self.box = widgets.VBox([widgets.HTML(style), top, self.strip])
        self.box.add_class("picturebook-studio")

    def _choose(self, *_: Any) -> None:
        """Show the questions of the chosen method."""
        form = self.forms[self.method.value]
        asked = [self.prompts[name] for name in form.prompts] + list(self.knobs[form.name].values())
        self.questions.children = tuple(asked)
        self.picture.disabled = form.picture is None
        self._show_picture()
        self._show()

    def _show_picture(self, *_: Any) -> None:
        used = self.forms[self.method.value].picture is not None
        picture = self.pictures[self.picture.value]
        self.source.value = captioned(picture, f"to edit: {self.picture.value}", "before", THUMBNAIL) if used else ""

    def _entered(self, *_: Any) -> None:
        """Enter was pressed in a prompt."""
        if not self.closed and not (self.run and not self.run.over):
            self.start()

    def start(self, *_: Any) -> Run:
        """Run the chosen method in the background; what the run button does. RuntimeError while one is running."""
        if self.closed:
            raise RuntimeError("The studio was closed. Run its cell again to open a new one.")
        if self.run and not self.run.over:
            raise RuntimeError("A run is under way: wait for it, or press cancel.")
        form = self.forms[self.method.value]
        prompts = {name: self.prompts[name].value for name in form.prompts}
        knobs = {name: knob.value for name, knob in self.knobs[form.name].items()}
        picture = self.picture.value
        self.run = Run(form, self.model, self.pictures[picture], prompts, knobs, picture, self._changed)
        self._show()
        return self.run.start()

    def cancel(self, *_: Any) -> None:
        """Stop the run before its next step; what the cancel button does."""
        if self.run:
            self.run.cancel()
            self._show()

    def _changed(self, run: Run) -> None:
        """Called by a run after each step and at its end, from its thread."""
        if run.status == "done":
            self.history.append(run)
        if not self.closed:
            self._show()

    def _show(self) -> None:
        run = self.run
        busy, done = run is not None and not run.over, run is not None and run.status == "done"
        self.run_button.disabled = busy
        self.cancel_button.disabled = run is None or run.over or run.stopping.is_set()
        self.bar.max, self.bar.value = (run.steps, run.step) if run and run.steps else (1, int(done))
        self.status.value = status_html(run)
        self.strip.value = history_html(self.history) if self.history else ""
        if self.history:
            self.newest.value = captioned(self.history[-1].made, "the newest result", "after", THUMBNAIL)
        form = self.forms[self.method.value]
        mask = run.given_mask if run and run.form is form else form.mask
        self.masked.value = masked_html(self.pictures[self.picture.value] if form.picture else None, mask)

    @property
    def result(self) -> Image.Image:
        """The newest picture. ValueError while there is none."""
        if self.history:
            return self.history[-1].made
        if self.closed:
            raise ValueError("The studio was closed before it made a picture. Run its cell again, then press run.")
        if self.run and not self.run.over:
            raise ValueError("The first picture is not finished yet: wait for it, then run this cell again.")
        raise ValueError("Nothing was made yet. Press run in the studio above, then run this cell again.")

    def close(self) -> None:
        """Stop what is running and take the studio off the page; the history stays readable, all else is let go."""
        if self.closed:
            return
        self.closed = True
        if self.run:
            self.run.cancel()
        for widget in [*every_widget(self.box), *self.prompts.values(), *(k for ks in self.knobs.values() for k in
                                                                          ks.values())]:
            widget.unobserve_all()
            widget.close()
        for run in self.history:
            run.model = None
        self.model, self.pictures, self.knobs, self.prompts = None, {}, {}, {}

    def _ipython_display_(self, **_: Any) -> None:
        if self.closed:
            print(repr(self))
            return
        display(HTML(overview_html(list(self.forms.values()), self.pictures, self.name)))
        display(self.box)

    def __repr__(self) -> str:
        return f"<studio: {', '.join(self.forms)}; {len(self.pictures)} pictures>"


def choice(name: str, options: list[str], changed: Callable[..., None]) -> widgets.Dropdown:
    """A list to choose one of."""
    made = widgets.Dropdown(options=options, description=name, layout=widgets.Layout(width="320px"))
    made.observe(changed, names="value")
    return made


def every_widget(widget: widgets.Widget) -> list[widgets.Widget]:
    """A widget and all that it is made of, its layout and style included."""
    inside = [part for child in getattr(widget, "children", ()) for part in every_widget(child)]
    looks = [getattr(widget, name) for name in ("layout", "style") if getattr(widget, name, None) is not None]
    return [*inside, *(look for look in looks if isinstance(look, widgets.Widget)), widget]


def slot() -> widgets.Layout:
    """Room for one picture, kept free before there is one, so that nothing jumps when it comes."""
    return widgets.Layout(width=f"{THUMBNAIL + 12}px", min_height=f"{THUMBNAIL + 24}px", flex="0 0 auto")


def text_box(name: str, text: str, entered: Callable[..., None]) -> widgets.Text:
    """A line for a prompt; `entered` is called when Enter is pressed in it."""
    wide = widgets.Layout(width="420px", max_width="100%")
    label = name.replace("_", " ")
    made = widgets.Text(value=text, description=label, placeholder=label, layout=wide,
                        style={"description_width": "initial"})
    with silent(".*on_submit"):  # is deprecated, but observing the value runs on every blur
        made.on_submit(entered)
    return made


def slider(knob: Knob) -> widgets.Widget:
    """A slider with a number that can be typed as well."""
    kind, number = (widgets.IntSlider, int) if knob.whole else (widgets.FloatSlider, float)
    return kind(value=number(knob.start), min=number(knob.low), max=number(knob.high), step=number(knob.step),
                description=knob.name, continuous_update=False, style={"description_width": "80px"},
                layout=widgets.Layout(width="320px"))


def button(name: str, tooltip: str, pressed: Callable[..., Any]) -> widgets.Button:
    """A button."""
    made = widgets.Button(description=name, tooltip=tooltip, layout=widgets.Layout(width="90px"))
    made.on_click(pressed)
    return made


def several_methods(name: str, value: Any) -> list[Any]:
    """Functions, of one or of a list."""
    several = [value] if callable(value) else listed(name, value, "a method or a list of them: [sdedit]", empty=True)
    if strange := [one for one in several if not callable(one)]:
        raise WrongKind(f"{name} has {shown(strange[0])}; expected methods, functions such as sdedit.")
    return several


def first_texts(name: str, value: Any) -> Any:
    """A text for every prompt, or one for each by its parameter's name."""
    if isinstance(value, Mapping):
        return {text(f"A name in {name}", key): text(f"{name}[{key!r}]", one) for key, one in value.items()}
    return text(name, value)


def knobs_ranges(name: str, value: Any) -> dict[str, tuple[float, float, float]]:
    """(lowest, highest, step) of knobs by their names."""
    if not isinstance(value, Mapping):
        raise WrongKind(f"{name} is {shown(value)}; expected (lowest, highest, step) of knobs: {{'tau': (0, 1, 0.1)}}.")
    found = {}
    for knob, limits in value.items():
        told = f"{name}[{knob!r}]"
        ends = [number(told, one) for one in listed(told, limits, "lowest, highest and step")]
        if len(ends) != 3 or not ends[0] < ends[1] or not ends[2] > 0:
            raise ValueError(f"{told} is {shown(limits)}; expected lowest, highest and step: (0, 1, 0.05).")
        found[text(f"A name in {name}", knob)] = tuple(limits)
    return found


@entrance
def studio(
    model: Model,
    methods: Annotated[Any, Kind(several_methods)],
    pictures: Pictures,
    *,
    prompt: Annotated[str | Mapping[str, str], Kind(first_texts)] = "",
    ranges: Annotated[Mapping[str, tuple[float, float, float]], Kind(knobs_ranges)] | None = None,
) -> Studio:
    """A studio for `methods`, functions like `helpers.methods.sdedit.sdedit`, on `pictures` (one, several, or by name).

    prompt: the first text of every prompt, or of each by its parameter's name. ranges: (lowest, highest, step) of
    knobs that `running.RANGES` does not know. Raises ValueError for a method that asks for something else.
    """
    if not methods:
        raise ValueError("There are no methods to choose from: give at least one, for example [sdedit].")
    forms = [form_of(method, model, ranges) for method in methods]
    names = {name for form in forms for name in form.prompts}
    texts = prompt if isinstance(prompt, Mapping) else dict.fromkeys(names, prompt)
    return Studio(model, forms, named(pictures), texts)
