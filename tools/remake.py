"""Measure and make everything anew that depends on Picturebook's weights, in the right order.

    python tools/remake.py                        all steps: hours on two cores
    python tools/remake.py --list                 says what the steps are and runs nothing
    python tools/remake.py --only speed lesson02  these steps alone, in the order of the list
    python tools/remake.py --from lesson02        this step and all after it, for example after one has failed

Run it after new weights. Every step is a script of its own that writes what it makes; `STEPS` is the list of them. The
first step that fails ends the run, since those after it would use what it did not write.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: What to run, in this order. A step is a script below ROOT with its arguments; with "*" it stands for all scripts of
#: that pattern that no other step names, in the order of their names, and for none where there is none.
STEPS = (
    "benchmarks/speed.py",
    "benchmarks/examine_picturebook.py",  # results/picturebook.json, samples.png
    "benchmarks/model_card.py",
    "benchmarks/lesson01.py",
    "benchmarks/lesson02.py",  # takes from lesson 1 what that has measured; writes its lesson's tables and figures
    "benchmarks/lesson*.py",
    "benchmarks/attention*.py",
    "tools/make_front_picture.py",
    "tools/draw_lesson*.py",  # figures and tables of lessons
    "tools/build_notebooks.py --time",  # quotes all the above
)


def found(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the steps that there are, in their order: a name, such as "lesson02", and the script's path below `root`.

    Raises FileNotFoundError for a script that is named in STEPS and is not there.
    """
    named = {step.split()[0] for step in STEPS if "*" not in step}
    steps: dict[str, list[str]] = {}
    for step in STEPS:
        script, *arguments = step.split()
        paths = sorted(str(path.relative_to(root)) for path in root.glob(script))
        if not paths and "*" not in script:
            raise FileNotFoundError(f"tools/remake.py names {script}, which is not there: correct STEPS.")
        for path in paths:
            if "*" not in script or path not in named:
                steps[Path(path).stem] = [path, *arguments]
    return steps


def chosen(names: Sequence[str], only: Sequence[str] = (), first: str = "") -> list[str]:
    """Return those of `names` that are in `only`, or that come from `first` on; all where neither is given.

    Raises ValueError for a step that is not there.
    """
    unknown = [name for name in (*only, *filter(None, [first])) if name not in names]
    if unknown:
        raise ValueError(f"There is no step {', '.join(map(repr, unknown))}; the steps are: {', '.join(names)}.")
    after = list(names)[list(names).index(first) if first else 0 :]
    return [name for name in after if not only or name in only]


def run(command: Sequence[str], root: Path = ROOT) -> tuple[int, float]:
    """Run a script below `root` with its arguments; return its exit status and how many seconds it took."""
    paths = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *command], cwd=root, env={**os.environ, "PYTHONPATH": paths})
    return done.returncode, time.perf_counter() - start


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds: "12:05"."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def remake(steps: dict[str, list[str]], names: Sequence[str], root: Path = ROOT) -> int:
    """Run the steps called `names` and print how long each took; return the status of the one that failed, else 0."""
    took: dict[str, float] = {}
    for name in names:
        print(f"--- {name}: {' '.join(steps[name])}", flush=True)
        status, took[name] = run(steps[name], root)
        print(f"--- {name}: {clock(took[name])}", flush=True)
        if status:
            print(f"{name} failed ({status}). When it is mended: python tools/remake.py --from {name}", flush=True)
            return status
    print("\n".join(f"{clock(seconds):>7}  {name}" for name, seconds in took.items()))
    print(f"{clock(sum(took.values())):>7}  in all")
    return 0


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Measure and make everything anew that depends on the weights.")
    parser.add_argument("--only", nargs="+", default=[], metavar="STEP", help="these steps alone")
    parser.add_argument("--from", dest="first", default="", metavar="STEP", help="this step and all after it")
    parser.add_argument("--list", action="store_true", help="say what the steps are; run nothing")
    arguments = parser.parse_args()
    steps = found()
    try:
        names = chosen(list(steps), arguments.only, arguments.first)
    except ValueError as error:
        parser.error(str(error))
    if arguments.list:
        print("\n".join(f"{name:<20} python {' '.join(steps[name])}" for name in names))
        return 0
    return remake(steps, names)


if __name__ == "__main__":
    sys.exit(main())
