"""How long things take: run it on an idle machine.

    python -m benchmarks.speed
    python -m benchmarks.speed --runs 1 --steps 2 --scenes 3     to see that it works; what it writes is of no use

Writes results/speed.json. Imports are timed in fresh processes, everything else as the best of several runs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.record import ROOT, record
from helpers import load
from helpers.picturebook.drawing import draw
from helpers.picturebook.sampling import random_scene


def fresh(code: str, runs: int) -> float:
    """Seconds a line of Python takes in a process of its own, the start of Python left out; the median."""
    timed = f"import time; start = time.perf_counter(); {code}; print(time.perf_counter() - start)"
    command = [sys.executable, "-c", timed]
    runs_of_it = [subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True) for _ in range(runs)]
    return statistics.median(float(run.stdout.split()[-1]) for run in runs_of_it)


def best(run: Callable[[], object], runs: int) -> float:
    """Seconds of the fastest of several runs, after one that does not count."""
    run()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measures everything and writes it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="of everything (3)")
    parser.add_argument("--steps", type=int, default=25, help="of the pictures (25)")
    parser.add_argument("--scenes", type=int, default=300, help="that are drawn (300)")
    asked = parser.parse_args()
    runs, knobs, model = asked.runs, {"steps": asked.steps, "progress": False}, load()
    scenes = [random_scene(i) for i in range(asked.scenes)]
    weights = ROOT / "helpers" / "picturebook" / "weights"
    prompt = "a cat riding a bicycle on the beach"
    numbers = {
        "import helpers (s)": fresh("import helpers", runs),
        "load() with all imports (s)": fresh("import helpers; helpers.load()", runs),
        f"one picture, {asked.steps} steps, guidance (s)": best(lambda: model.generate(prompt, **knobs), runs),
        "eight pictures in a batch (s)": best(lambda: model.generate([prompt] * 8, **knobs), runs),
        "one scene drawn (ms)": 1000 * best(lambda: [draw(s) for s in scenes], runs) / len(scenes),
        "weights (MB)": sum(f.stat().st_size for f in weights.rglob("*.safetensors")) / 2**20,
    }
    numbers = {name: round(value, 3) for name, value in numbers.items()}
    print(numbers)
    print(record("speed", numbers))


if __name__ == "__main__":
    main()
