"""A method as a form to fill in, and a run of it that can be watched and stopped between two calls of the model.

No widgets here: `studios.py` puts buttons on it.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from PIL import Image

from helpers.core.interface import Picture
from helpers.core.pictures import as_picture
from helpers.core.warn import heard

Pictures = Picture | Sequence[Picture] | Mapping[str, Picture]  # one, several, or by name
#: what a knob of this name can be set to: lowest, highest, step
RANGES: dict[str, tuple[float, float, float]] = {
    **dict.fromkeys(("strength", "nu", "k_min", "k_max", "eta", "tau", "threshold"), (0.0, 1.0, 0.05)),
    "guidance": (0.0, 15.0, 0.5),
    "steps": (1, 100, 1),
    "seed": (0, 9999, 1),
}
#: where a knob starts in the studio, if not at its default: on Picturebook MagicMix's paper values change little
STARTS: dict[str, dict[str, float]] = {"magicmix": {"k_min": 0.2, "k_max": 0.9, "nu": 0.9}}
PICTURES = ("image", "picture", "guide")
NOT_ASKED = ("progress", "watch")


class Knob(NamedTuple):
    """A number to choose."""

    name: str
    low: float
    high: float
    step: float
    start: float

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense."""
        return all(isinstance(number, int) for number in self[1:])


@dataclass(frozen=True)
class Form:
    """What a method asks for: at most one picture, prompts, knobs. Made from its signature by `form_of`."""

    name: str
    function: Callable[..., Any]
    picture: str | None  # the parameter that takes the picture
    prompts: tuple[str, ...]  # the parameters that take prompts
    knobs: tuple[Knob, ...]

    @property
    def mask(self) -> Any:
        """A mask that was given beforehand: functools.partial(method, mask=...)."""
        return getattr(self.function, "keywords", {}).get("mask")

    def call(self, run: Run) -> Image.Image:
        """Run the method as `run` says, and let it watch; of several results the first."""
        given: dict[str, Any] = {self.picture: run.picture} if self.picture else {}
        given |= {name: run.prompts[name] for name in self.prompts}
        given |= {knob.name: run.knobs[knob.name] for knob in self.knobs}
        watching = {"progress": run.progress, "watch": run.watch}
        given |= {name: watching[name] for name in inspect.signature(self.function).parameters if name in watching}
        result = self.function(run.model, **given)
        return as_picture(result[0] if isinstance(result, (list, tuple)) else result)


def form_of(method: Callable[..., Any], model: Any,
            ranges: Mapping[str, tuple[float, float, float]] | None = None) -> Form:
    """The form of `method(model, image, prompt, ..., *, knobs)`.

    A parameter called image is the picture, one with "prompt" in its name a prompt, one with a range a knob; `ranges`
    adds to RANGES. Knobs without a number of their own start at the model's. The rest keeps its default.
    Raises ValueError for a parameter that is none of these and has no default.
    """
    name = method.func.__name__ if isinstance(method, partial) else method.__name__
    given = method.keywords if isinstance(method, partial) else {}
    ranges = {**RANGES, **(ranges or {})}
    parameters = list(inspect.signature(method).parameters.values())[1:]  # the first is the model
    asked = [p for p in parameters if p.name not in (*NOT_ASKED, *given)]
    picture = next((p.name for p in asked if p.name in PICTURES), None)
    prompts = tuple(p.name for p in asked if "prompt" in p.name)
    starts = STARTS.get(name, {})
    knobs = tuple(knob_of(p, ranges[p.name], model, name, starts.get(p.name)) for p in asked if p.name in ranges)
    known = {picture, *prompts, *ranges}
    for parameter in asked:
        if parameter.name not in known and parameter.default is parameter.empty:
            raise ValueError(f"{name} needs {parameter.name!r}, which the studio cannot ask for. Give it beforehand: "
                             f"functools.partial({name}, {parameter.name}=...).")
    return Form(name, method, picture, prompts, knobs)


def knob_of(parameter: inspect.Parameter, limits: tuple[float, float, float], model: Any, method: str,
            start: float | None = None) -> Knob:
    """A knob at `start`, or the parameter's default, the model's own value, its lowest; the limits widen to hold it."""
    low, high, step = limits
    start = parameter.default if start is None else start
    if start is None or start is parameter.empty:
        start = getattr(model, parameter.name, low)
    if isinstance(start, bool) or not isinstance(start, (int, float)):
        raise ValueError(f"{method} has {parameter.name}={start!r}; expected a number.")
    return Knob(parameter.name, min(low, start), max(high, start), step, start)


class Cancelled(Exception):  # noqa: N818  (nothing went wrong)
    """The reader pressed cancel."""


@dataclass(eq=False)
class Run:
    """One run of a method in a thread of its own, so that cancel can be pressed meanwhile.

    It watches the method as anybody may (helpers.methods.contract) and cancels it by raising.

    status: "running", "stopping", then "done", "stopped" or "failed". changed: called with the run after each step
    and at the end, from the run's thread; what goes wrong there ends nothing and is in `notes`.
    part, step, steps: a method walks once or several times (DiffEdit seeks a mask, then up, then down); which walk it
    is, the steps done of it, and how many it has.
    mask: where the method says that the picture may change, if it does.
    """

    form: Form
    model: Any
    picture: Picture | None
    prompts: Mapping[str, str]
    knobs: Mapping[str, float]
    picture_name: str = ""
    changed: Callable[[Run], None] = lambda run: None
    status: str = "running"
    part: int = 0
    step: int = 0
    steps: int = 0
    error: str = ""
    notes: list[str] = field(default_factory=list)
    result: Image.Image | None = None
    mask: Picture | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    thread: threading.Thread | None = None

    @property
    def made(self) -> Image.Image:
        """The picture of a run that is done; ValueError for any other."""
        if self.result is None:
            raise ValueError(f"The run has made no picture: it is {self.status}.")
        return self.result

    def start(self) -> Run:
        """Begin; returns at once."""
        self.thread = threading.Thread(target=self.work, name=f"run of {self.form.name}", daemon=True)
        self.thread.start()
        return self

    def work(self) -> None:
        """Run the method to its end, whatever the end is."""
        try:
            with heard() as self.notes:
                self.check()
                result = self.form.call(self)
                self.check()  # a method may have swallowed it
            self.result = result
            self.end("done")
        except Cancelled:
            self.end("stopped")
        except Exception as error:  # shown to the reader, whatever it is
            self.end("failed", f"{type(error).__name__}: {error}")

    def end(self, status: str, error: str = "") -> None:
        """It is over, in this way."""
        with self.lock:
            self.status, self.error = status, error
        self.tell()

    def cancel(self) -> None:
        """Stop after the step that is under way; nothing happens to a run that is over."""
        with self.lock:
            if self.status == "running":
                self.status = "stopping"
        self.stopping.set()

    def wait(self, seconds: float | None = None) -> Run:
        """Wait for the end, or for some seconds."""
        if self.thread:
            self.thread.join(seconds)
        return self

    @property
    def given_mask(self) -> Any:
        """The mask that the method was given beforehand, or told of, or None."""
        return self.form.mask if self.mask is None else self.mask

    @property
    def over(self) -> bool:
        """Whether it came to an end of any kind."""
        return self.status in ("done", "stopped", "failed")

    def check(self) -> None:
        """Cancelled, if it was cancelled."""
        if self.stopping.is_set():
            raise Cancelled

    def progress(self, done: int, total: int) -> None:
        """What the method is given as `progress`: it has done `done` of `total` steps of a walk."""
        self.check()
        if done == 0:
            self.part += 1
        self.step, self.steps = done, total
        if done:
            self.tell()

    def watch(self, mask: Any = None, **_: Any) -> None:
        """What the method is given as `watch`: called once a step, it cancels and keeps the mask."""
        self.check()
        self.mask = self.mask if mask is None else mask

    def tell(self) -> None:
        """Tell `changed`, whatever comes of it: an error while showing never ends what is computed."""
        try:
            self.changed(self)
        except Exception as error:
            told = f"It could not be shown ({type(error).__name__}: {error})."
            self.notes += [told] if told not in self.notes else []


def settings(run: Run) -> str:
    """What was chosen, in one line of text."""
    parts = [f"{name} {value:g}" for name, value in run.knobs.items()]
    return ", ".join(filter(None, [run.form.name, run.picture_name if run.form.picture else "", *parts]))


def story(run: Run | None) -> str:
    """What there is to say about a run, as plain text: not yet HTML."""
    if run is None:
        return "Ready: choose, then press run."
    part = f"Part {run.part}, step" if run.part > 1 else "Step"
    parts = f" in {run.part} parts" if run.part > 1 else ""
    told = {
        "running": f"{part} {run.step} of {run.steps} ..." if run.steps else "Starting ...",
        "stopping": "Stopping after this step ...",
        "done": f"Done{parts}.",
        "stopped": "Stopped; nothing was kept.",
        "failed": f"{run.form.name} could not run. {run.error}",
    }[run.status]
    return " ".join([told, *run.notes])


def named(pictures: Pictures) -> dict[str, Image.Image]:
    """One picture, several, or a dictionary of them, as a dictionary with names. ValueError if there is none."""
    if not isinstance(pictures, Mapping):
        one = isinstance(pictures, str) or not isinstance(pictures, Sequence)
        several: Any = [pictures] if one else pictures
        pictures = {f"picture {i}": picture for i, picture in enumerate(several, 1)}
    if not pictures:
        raise ValueError("There are no pictures to choose from: give at least one.")
    return {str(name): as_picture(picture) for name, picture in pictures.items()}
