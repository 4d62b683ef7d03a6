"""A method as a form to fill in, and a run of it that can be watched and stopped between two calls of the model.

No widgets here: `studios.py` puts buttons on it.
"""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from PIL import Image

from helpers.core.pictures import as_picture

#: what a knob of this name can be set to: lowest, highest, step
RANGES: dict[str, tuple[float, float, float]] = {
    **dict.fromkeys(("strength", "nu", "k_min", "k_max", "eta", "tau", "threshold"), (0.0, 1.0, 0.05)),
    "guidance": (0.0, 15.0, 0.5),
    "steps": (1, 100, 1),
    "seed": (0, 9999, 1),
}
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

    def call(self, model: Any, picture: Any, prompts: Mapping[str, str], knobs: Mapping[str, float]) -> Image.Image:
        """Run the method, without its own progress bar; of several results the first."""
        given: dict[str, Any] = {self.picture: picture} if self.picture else {}
        given |= {name: prompts[name] for name in self.prompts} | {knob.name: knobs[knob.name] for knob in self.knobs}
        if "progress" in inspect.signature(self.function).parameters:
            given["progress"] = False
        result = self.function(model, **given)
        return as_picture(result[0] if isinstance(result, (list, tuple)) else result)


def form_of(
    method: Callable[..., Any], model: Any, ranges: Mapping[str, tuple[float, float, float]] | None = None
) -> Form:
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
    knobs = tuple(knob_of(p, ranges[p.name], model, name) for p in asked if p.name in ranges)
    known = {picture, *prompts, *ranges}
    for parameter in asked:
        if parameter.name not in known and parameter.default is parameter.empty:
            raise ValueError(
                f"{name} needs {parameter.name!r}, which the studio cannot ask for. Give it beforehand: "
                f"functools.partial({name}, {parameter.name}=...)."
            )
    return Form(name, method, picture, prompts, knobs)


def knob_of(parameter: inspect.Parameter, limits: tuple[float, float, float], model: Any, method: str) -> Knob:
    """A knob with the parameter's default, or the model's own value, or its lowest; the limits widen to hold it."""
    low, high, step = limits
    start = parameter.default
    if start is None or start is parameter.empty:
        start = getattr(model, parameter.name, low)
    if isinstance(start, bool) or not isinstance(start, (int, float)):
        raise ValueError(f"{method} has {parameter.name}={start!r}; expected a number.")
    return Knob(parameter.name, min(low, start), max(high, start), step, start)


class Cancelled(Exception):  # noqa: N818  (nothing went wrong)
    """The reader pressed cancel."""


class Watched:
    """Put before a model's own class by `watched`: tells a run of the model's steps, and stops where it is asked to."""

    _run: Run

    def times(self, *arguments: Any, **knobs: Any) -> list[int]:
        """The model's times, which the run may be about to walk down."""
        times = super().times(*arguments, **knobs)
        self._run.ways.append(times[:-1])
        return times

    def embed(self, *arguments: Any, **knobs: Any) -> Any:
        """The model's prompts; what it warns of is told."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            text = super().embed(*arguments, **knobs)
        self._run.notes += [str(w.message) for w in caught if str(w.message) not in self._run.notes]
        return text

    def eps(self, x: Any, t: int, text: Any) -> Any:
        """The model's noise, unless the run is to stop. A new time is a new step."""
        if self._run.stopping.is_set():
            raise Cancelled
        if self._run.passed[-1:] != [t]:
            self._run.advance(t)
        return super().eps(x, t, text)


def watched(model: Any, run: Run) -> Any:
    """A twin of `model` that shares its network and tells `run` of its steps; the model itself stays as it is."""
    twin = copy(model)
    twin.__class__ = type(type(model).__name__, (Watched, type(model)), {})
    twin._run = run
    return twin


@dataclass
class Run:
    """One run of a method in a thread of its own, so that cancel can be pressed meanwhile.

    status: "running", "stopping", then "done", "stopped" or "failed". changed: called with the run after each step
    and at the end, from the run's thread.
    """

    form: Form
    model: Any
    picture: Any
    prompts: Mapping[str, str]
    knobs: Mapping[str, float]
    picture_name: str = ""
    changed: Callable[[Run], None] = lambda run: None
    status: str = "running"
    passed: list[int] = field(default_factory=list)  # the time of each step so far
    ways: list[list[int]] = field(default_factory=list)  # the times that the method asked the model for
    error: str = ""
    notes: list[str] = field(default_factory=list)
    result: Image.Image | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def start(self) -> Run:
        """Begin; returns at once."""
        self.thread = threading.Thread(target=self.work, name=f"run of {self.form.name}", daemon=True)
        self.thread.start()
        return self

    def work(self) -> None:
        """Run the method to its end, whatever the end is."""
        try:
            model = watched(self.model, self)
            self.result = self.form.call(model, self.picture, self.prompts, self.knobs)
            self.status = "done"
        except Cancelled:
            self.status = "stopped"
        except Exception as error:  # shown to the reader, whatever it is
            self.status, self.error = "failed", f"{type(error).__name__}: {error}"
        self.changed(self)

    def cancel(self) -> None:
        """Stop before the next call of the model; nothing happens to a run that is over."""
        if self.status == "running":
            self.status = "stopping"
        self.stopping.set()

    def wait(self, seconds: float | None = None) -> Run:
        """Wait for the end, or for some seconds."""
        if self.thread:
            self.thread.join(seconds)
        return self

    @property
    def over(self) -> bool:
        """Whether it came to an end of any kind."""
        return self.status in ("done", "stopped", "failed")

    @property
    def step(self) -> int:
        """Which step is under way, 0 before the first."""
        return len(self.passed)

    @property
    def steps(self) -> int:
        """How many steps the walk has; 0 unless the run has done nothing but walk down times it asked for.

        Not every time asked for is walked: MagicMix asks where to stop mixing, DiffEdit where to seek its mask, and
        that looks like a first step. So nothing is told before the second.
        """
        walked = (len(way) for way in self.ways if way[:self.step] == self.passed)
        return next(walked, 0) if self.step > 1 else 0

    def advance(self, t: int) -> None:
        """One step more has begun, at time t."""
        self.passed.append(t)
        self.changed(self)


def settings(run: Run) -> str:
    """What was chosen, in one line of text."""
    parts = [f"{name} {value:g}" for name, value in run.knobs.items()]
    return ", ".join(filter(None, [run.form.name, run.picture_name if run.form.picture else "", *parts]))


def story(run: Run | None) -> str:
    """What there is to say about a run, as plain text: not yet HTML."""
    if run is None:
        return "Ready: choose, then press run."
    total = f" of {run.steps}" if run.steps else ""
    told = {
        "running": f"Step {run.step}{total} ..." if run.step else "Starting ...",
        "stopping": "Stopping after this step ...",
        "done": f"Done after {run.step} steps.",
        "stopped": f"Stopped after {run.step} steps; nothing was kept.",
        "failed": f"{run.form.name} could not run. {run.error}",
    }[run.status]
    return " ".join([told, *run.notes])


def named(pictures: Any) -> dict[str, Image.Image]:
    """One picture, several, or a dictionary of them, as a dictionary with names. ValueError if there is none."""
    if not isinstance(pictures, Mapping):
        several = pictures if isinstance(pictures, Sequence) and not isinstance(pictures, str) else [pictures]
        pictures = {f"picture {i}": picture for i, picture in enumerate(several, 1)}
    if not pictures:
        raise ValueError("There are no pictures to choose from: give at least one.")
    return {str(name): as_picture(picture) for name, picture in pictures.items()}
