"""Calls every public function with right and wrong values: each must give a result or a sentence, and change nothing.

    python tests/robustness.py --calls 100000      the long run; writes results/robustness.json

An error is *clear* if one of our own lines raised it, as a ValueError, TypeError or OSError: somebody thought of the
case. Every other is *raw*: an error that came up from torch, numpy or Python itself, or an AttributeError of ours.
After each call the process and the model must be as before: weights, processors, hooks, dtypes, gradients, the global
random states, warning filters, log levels, the working folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
OURS = str(ROOT / "helpers") + os.sep
CLEAR = (ValueError, TypeError, OSError, ArithmeticError, MemoryError)
SLOW = 10.0  # seconds; no call with values as small as these may take longer


class Outcome(NamedTuple):
    """What a call did: "result", "clear", "raw", "changed" or "slow", and the details."""

    kind: str
    text: str = ""


def outcome(call: Callable[[], Any], state: Callable[[], Any]) -> Outcome:
    """Make one call and say what came of it."""
    before, begun = state(), time.perf_counter()
    found = Outcome("result")
    try:
        call()
    except Exception as error:
        found = judged(error)
    after = state()
    if changed := [name for name in before if before[name] != after[name]]:
        return Outcome("changed", ", ".join(changed))
    if time.perf_counter() - begun > SLOW:
        return Outcome("slow", f"{time.perf_counter() - begun:.0f} s")
    return found


def judged(error: Exception) -> Outcome:
    """Whether somebody thought of this error."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    raised = last.filename.startswith(OURS) and (last.line or "").lstrip().startswith(("raise", "f\"", "\"", "f'"))
    if isinstance(error, CLEAR) and raised and len(str(error)) > 15:
        return Outcome("clear", str(error))
    return Outcome("raw", f"{type(error).__name__}: {str(error)[:100]} ({Path(last.filename).name}:{last.lineno})")


MOST_STRANGE = 2  # strange values in one call


class Argument(NamedTuple):
    """What is passed for one argument, and whether it must be given."""

    values: Any  # strange_values.Values
    required: bool


@st.composite
def calls_of(draw: st.DrawFn, arguments: dict[str, Argument], most_strange: int = MOST_STRANGE) -> dict[str, Any]:
    """The arguments of one call, with at most `most_strange` strange values."""
    names = sorted(arguments)
    strange = draw(st.sets(st.sampled_from(names), max_size=most_strange)) if names else set()
    drawn = {}
    for name in names:
        values, required = arguments[name]
        if required or name in strange or draw(st.booleans()):
            drawn[name] = draw(values.strange if name in strange else values.good)
    return drawn


def run(name: str, function: Callable[..., Any], arguments: dict[str, Argument], state: Callable[[], Any],
        calls: int, start: int = 0) -> tuple[Counter[str], Counter[str]]:
    """Call one function `calls` times: how many of each kind of outcome, and the details of the bad ones."""
    counts: Counter[str] = Counter()
    bad: Counter[str] = Counter()

    @seed(start)
    @settings(max_examples=calls, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(calls_of(arguments))
    def one(values: dict[str, Any]) -> None:
        found = outcome(lambda: function(**values), state)
        counts[found.kind] += 1
        if found.kind not in ("result", "clear"):
            bad[f"{name}: {found.kind}: {found.text}"] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one()
    return counts, bad


def main() -> int:
    """The long run."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from public_functions import small_model
    from public_things import Things
    from world_state import model_state, process_state

    from benchmarks.record import record

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="functions whose names hold this")
    args = parser.parse_args()
    model = small_model()
    functions = Things(model).table()

    def state() -> dict[str, Any]:
        return process_state() | model_state(model)

    functions = {name: its for name, its in functions.items() if args.only in name}
    counts: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    begun = time.perf_counter()
    for name, (function, arguments) in functions.items():
        its, its_bad = run(name, function, arguments, state, -(-args.calls // len(functions)), args.seed)
        counts += its
        bad += its_bad
        print(f"{name:30} {dict(its)} {time.perf_counter() - begun:.0f} s", flush=True)
    for text, count in bad.most_common(80):
        print(count, text)
    if not args.only:
        record("robustness", {"calls": sum(counts.values()), "functions": len(functions), "seed": args.seed,
                             "outcomes": dict(counts), "bad": dict(bad), "seconds": time.perf_counter() - begun})
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
