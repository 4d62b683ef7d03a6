"""Calls in any order on one model, in several threads at once, and in a world that somebody has changed.

`in_order`    strange and good calls one after the other; after each the model and the process are as before, and at
              the end the model makes the picture that it made at first
`together`    good calls in three threads; each gives what it gives alone
`in_a_world`  good calls under another default dtype, device, grad mode ...; each gives what it gives without

    python tests/call_sequences.py --count 20      so many sequences of each; says what was not as it must be
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from public_functions import Functions
from robustness import MOST_STRANGE, ROOT, Outcome, calls_of, judged, outcome
from world_state import model_state, process_state, sums_of, threads

MOST_CALLS, THREADS, PATIENCE = 6, 3, 120.0  # calls of a sequence; seconds
Call = tuple[str, dict[str, Any]]
#: what draws from no model, or whose result is a widget with a number of its own
NO_PICTURE = ("core.", "check.", "measure.", "show.", "picturebook.", "Figure.", "Subject.", "Judge.", "machine.",
              "painter.", "models.", "exact.", "Scene.", "Recognizer", "AttentionStore", "Source.", "Weights.s",
              "Weights.load", "Fitted.", "model.from_folder", "attention.SelfEdit")
WORLDS: dict[str, Callable[[], Any]] = {
    "no gradients": torch.no_grad, "inference mode": torch.inference_mode, "autocast": lambda: torch.autocast("cpu"),
    "float64": lambda: dtype_by_default(torch.float64), "bfloat16": lambda: dtype_by_default(torch.bfloat16),
    "another device": lambda: torch.device("meta"), "a strict numpy": lambda: np.errstate(all="raise"),
}


@contextmanager
def dtype_by_default(dtype: torch.dtype) -> Iterator[None]:
    """Another dtype where none is named."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def digest(value: Any) -> Any:
    """What a call gave, so that it can be compared; where it lies in memory does not count."""
    if isinstance(value, Image.Image):
        return value.mode, value.size, value.tobytes()
    if isinstance(value, (torch.Tensor, np.ndarray)):
        array = value.detach().float().cpu().numpy() if isinstance(value, torch.Tensor) else value
        return tuple(array.shape), array.tobytes()
    if is_dataclass(value):
        return [digest(getattr(value, one.name)) for one in fields(value)]
    if isinstance(value, Mapping):
        return [(digest(key), digest(each)) for key, each in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [digest(each) for each in value]
    return re.sub(r" at 0x\w+", "", repr(value))


def tried(call: Callable[[], Any]) -> Any:
    """What a call gives, or its error."""
    try:
        return digest(call())
    except Exception as error:
        return judged(error)


def with_a_picture(functions: Functions) -> list[str]:
    """The functions that ask the model."""
    return [name for name in functions if not name.startswith(NO_PICTURE)]


@st.composite
def sequences(draw: st.DrawFn, functions: Functions, names: list[str], most: int, strange: bool) -> list[Call]:
    """Calls in an order; folders, which one call leaves for the next, only where strange values are allowed."""
    found = []
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=most)):
        its = {key: one for key, one in functions[name][1].items() if strange or key != "folder"}
        found.append((name, draw(calls_of(its, MOST_STRANGE if strange else 0))))
    return found


class Sequences:
    """Draws and makes calls on the model of `things`, and counts what came of them."""

    def __init__(self, model: Any, functions: Functions) -> None:
        """Remembers what the model makes before anything is called."""
        self.model, self.functions = model, functions
        self.counts: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.first = self.probe()

    def probe(self) -> Any:
        """What the model is: its picture, its fingerprint, all its weights."""
        return digest([self.model.generate("a red cat", seed=5, steps=2, progress=False), self.model.fingerprint,
                       sums_of(self.model)])

    def state(self) -> dict[str, Any]:
        """What no call may change."""
        return process_state() | model_state(self.model)

    def note(self, what: str, found: Outcome) -> None:
        """One call's outcome."""
        self.counts[found.kind] += 1
        if found.kind not in ("result", "clear"):
            self.bad[f"{what}: {found.kind}: {found.text}"] += 1

    def check(self, told: str, before: dict[str, Any]) -> None:
        """After a sequence all is as it was."""
        after = self.state() | {"threads": threads()}
        changed = [name for name in before if before[name] != after[name]]
        if self.probe() != self.first:
            changed.append("the model's picture")
        if changed:
            self.note(told, Outcome("changed", ", ".join(changed)))

    def run(self, one: Callable[[list[Call]], None], names: list[str], count: int, start: int, most: int,
            strange: bool) -> None:
        """`count` sequences, each handed to `one`."""

        @seed(start)
        @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(sequences(self.functions, names, most, strange))
        def each(calls: list[Call]) -> None:
            before = self.state() | {"threads": threads()}
            one(calls)
            self.check(" then ".join(name for name, _ in calls), before)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            each()

    def call(self, call: Call) -> Callable[[], Any]:
        """A call that is yet to be made."""
        name, values = call
        return lambda: self.functions[name][0](**values)

    # ------------------------------------------------------------------------------------------------ three properties

    def in_order(self, count: int, start: int = 0) -> None:
        """Strange and good calls one after the other."""

        def one(calls: list[Call]) -> None:
            for call in calls:
                self.note(call[0], outcome(self.call(call), self.state))

        self.run(one, list(self.functions), count, start, MOST_CALLS, strange=True)

    def together(self, count: int, start: int = 0) -> None:
        """Good calls in several threads at once give what each gives alone."""

        def one(calls: list[Call]) -> None:
            alone = [tried(self.call(call)) for call in calls]
            found: list[Any] = [None] * len(calls)

            def work(first: int) -> None:
                for i in range(first, len(calls), THREADS):
                    found[i] = tried(self.call(calls[i]))

            workers = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(THREADS)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join(PATIENCE)
            for call, mine, theirs in zip(calls, alone, found, strict=True):
                same = mine == theirs
                self.note(f"{call[0]} in threads", Outcome("result") if same else Outcome("changed", "result"))

        self.run(one, with_a_picture(self.functions), count, start, MOST_CALLS, strange=False)

    def in_a_world(self, count: int, start: int = 0) -> None:
        """Good calls give the same whatever somebody has set in torch and numpy."""

        def one(calls: list[Call]) -> None:
            for i, call in enumerate(calls):
                world = [*WORLDS][(i + start + len(call[0])) % len(WORLDS)]
                plain = tried(self.call(call))
                with WORLDS.get(world, nullcontext)():
                    found = tried(self.call(call))
                self.note(f"{call[0]} under {world}", Outcome("result") if plain == found else Outcome(
                    "changed", found.text if isinstance(found, Outcome) else "result"))

        self.run(one, with_a_picture(self.functions), count, start, MOST_CALLS, strange=False)


def main() -> int:
    """All three; the number of kinds of calls that were not as they must be."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from public_functions import small_model
    from public_things import Things

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20, help="sequences of each kind")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    model = small_model()
    made = Sequences(model, Things(model).table())
    for one in (made.in_order, made.together, made.in_a_world):
        one(args.count, args.seed)
        print(one.__name__, dict(made.counts), flush=True)
    for text, count in made.bad.most_common(40):
        print(count, text)
    return len(made.bad)


if __name__ == "__main__":
    sys.exit(bool(main()))
