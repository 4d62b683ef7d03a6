"""Measure and make everything anew that depends on Picturebook's weights, in the right order.

    python tools/remake.py                        all steps: hours on two cores
    python tools/remake.py --list                 says what the steps are and runs nothing
    python tools/remake.py --stale                without what was measured with these very weights already
    python tools/remake.py --only speed lesson02  these steps alone, in the order of the list
    python tools/remake.py --from lesson02        this step and all after it, for example after one has failed

Run it after new weights. Every step is a script of its own that writes what it makes; `STAGES` is the list of them. The
steps of a stage do not need each other and run side by side, `--jobs` at a time, a thread each; what they print goes to
runs/remake/. The first step that fails ends the run, since those after it would use what it did not write.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.record import weights  # noqa: E402

#: What to run: stage after stage, in this order. A step is a script below ROOT with its arguments; with "*" it stands
#: for all scripts of that pattern that no other step names, in the order of their names, and for none where there is
#: none. A stage of one step has the machine to itself.
STAGES = (
    ("benchmarks/speed.py",),
    (  # the longest first
        "benchmarks/lesson07.py",
        "benchmarks/lesson04.py",
        "benchmarks/lesson0[1356].py",
        "benchmarks/examine_picturebook.py",  # results/picturebook.json, samples.png
        "benchmarks/attention*.py",
    ),
    (
        "benchmarks/model_card.py",
        "benchmarks/lesson02.py",  # takes from lesson 1 what that has measured
        "tools/make_front_picture.py",
        "tools/draw_lesson*.py",  # figures and tables of lessons
    ),
    ("tools/fill_lessons.py",),
    ("tools/build_notebooks.py --time",),  # quotes all the above
)


def found(root: Path = ROOT) -> list[dict[str, list[str]]]:
    """Return the stages, each with its steps: a name, such as "lesson02", and the script below `root` with arguments.

    Raises FileNotFoundError for a script that is named in STAGES and is not there.
    """
    named = {step.split()[0] for stage in STAGES for step in stage if not set("*[") & set(step)}
    stages: list[dict[str, list[str]]] = []
    for stage in STAGES:
        stages.append({})
        for step in stage:
            script, *arguments = step.split()
            paths = sorted(str(path.relative_to(root)) for path in root.glob(script))
            if script in named and not paths:
                raise FileNotFoundError(f"tools/remake.py names {script}, which is not there: correct STAGES.")
            paths = [path for path in paths if script in named or path not in named]
            stages[-1] |= {Path(path).stem: [path, *arguments] for path in paths}
    return stages


def chosen(names: Sequence[str], only: Sequence[str] = (), first: str = "") -> list[str]:
    """Return those of `names` that are in `only`, or that come from `first` on; all where neither is given.

    Raises ValueError for a step that is not there.
    """
    unknown = [name for name in (*only, *filter(None, [first])) if name not in names]
    if unknown:
        raise ValueError(f"There is no step {', '.join(map(repr, unknown))}; the steps are: {', '.join(names)}.")
    after = list(names)[list(names).index(first) if first else 0 :]
    return [name for name in after if not only or name in only]


def measured_already(script: str, root: Path = ROOT) -> bool:
    """Whether all that a script records was measured with the weights that are shipped now."""
    recorded = re.findall(r'\brecord\("(\w+)"', (root / script).read_text(encoding="utf-8"))
    files = [root / "results" / f"{name}.json" for name in recorded]
    if not files or not all(file.is_file() for file in files):
        return False
    results = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return all(result["measured"].get("weights") == weights() for result in results)


def run(name: str, command: Sequence[str], threads: int = 0, root: Path = ROOT) -> tuple[int, float]:
    """Run a script below `root` with its arguments; return its exit status and how many seconds it took.

    What it prints goes to runs/remake/NAME.log. threads: how many it may use; 0: as many as it likes.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(
        [str(root), *filter(None, [os.environ.get("PYTHONPATH")])])}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    log = root / "runs" / "remake" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"--- {name}: {' '.join(command)}", flush=True)
    start = time.perf_counter()
    with log.open("wb") as file:
        status = subprocess.run([sys.executable, *command], cwd=root, env=environment, stdout=file,
                                stderr=subprocess.STDOUT).returncode
    seconds = time.perf_counter() - start
    print(f"--- {name}: {clock(seconds)}", flush=True)
    if status:
        print(log.read_text(encoding="utf-8", errors="replace")[-2000:])
        print(f"{name} failed ({status}). When it is mended: python tools/remake.py --from {name}", flush=True)
    return status, seconds


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds: "12:05"."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def remake(stages: Sequence[Mapping[str, list[str]]], names: Collection[str], jobs: int = 1, root: Path = ROOT) -> int:
    """Run the steps called `names` and print how long each took; return the status of one that failed, else 0."""
    start = time.perf_counter()
    took: dict[str, float] = {}
    for stage in stages:
        steps = {name: command for name, command in stage.items() if name in names}
        alone = jobs == 1 or len(stage) == 1
        with ThreadPoolExecutor(1 if alone else jobs) as workers:
            failed = False

            def one(name: str, command: Sequence[str], threads: int = 0 if alone else 1) -> int:
                nonlocal failed
                if failed:
                    return 0
                status, took[name] = run(name, command, threads, root)
                failed = failed or bool(status)
                return status

            statuses = list(workers.map(one, steps, steps.values()))
        if any(statuses):
            return next(filter(None, statuses))
    print("\n".join(f"{clock(seconds):>7}  {name}" for name, seconds in took.items()))
    print(f"{clock(time.perf_counter() - start):>7}  in all")
    return 0


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Measure and make everything anew that depends on the weights.")
    parser.add_argument("--only", nargs="+", default=[], metavar="STEP", help="these steps alone")
    parser.add_argument("--from", dest="first", default="", metavar="STEP", help="this step and all after it")
    parser.add_argument("--stale", action="store_true", help="without what was measured with these weights already")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="steps at a time (one a core)")
    parser.add_argument("--list", action="store_true", help="say what the steps are; run nothing")
    arguments = parser.parse_args()
    stages = found()
    steps = {name: command for stage in stages for name, command in stage.items()}
    try:
        names = chosen(list(steps), arguments.only, arguments.first)
    except ValueError as error:
        parser.error(str(error))
    names = [name for name in names if not (arguments.stale and measured_already(steps[name][0]))]
    if arguments.list:
        print("\n".join(f"{name:<20} python {' '.join(steps[name])}" for name in names))
        return 0
    return remake(stages, names, max(1, arguments.jobs))


if __name__ == "__main__":
    sys.exit(main())
