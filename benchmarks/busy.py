"""A picture on a machine that has other work to do: what torch's waiting threads cost, and what stops that.

    python -m benchmarks.busy          writes results/busy.json; the machine must have nothing else to do

A thread that waits for the others spins, by default, on a core that somebody else wants. `OMP_WAIT_POLICY=PASSIVE`
makes it sleep. Each time a fresh process makes a picture, without neighbours and beside one busy loop for
each core; the settings take turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .record import ROOT, record

ROUNDS, STEPS = 5, 25
SETTINGS: dict[str, dict[str, str]] = {"as torch comes": {}, "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
                                       "one thread": {"OMP_NUM_THREADS": "1"}}
PICTURE = f"""
import time
from helpers import load
model = load()
model.generate("a red cat", seed=0, steps=2, progress=False)
begun = time.perf_counter()
model.generate("a red cat", seed=0, steps={STEPS}, progress=False)
print(time.perf_counter() - begun)
"""


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that compute without end."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


def seconds(setting: dict[str, str]) -> float:
    """How long a picture takes in a fresh process."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    made = subprocess.run([sys.executable, "-c", PICTURE], cwd=ROOT, env={**plain, "PYTHONPATH": str(ROOT), **setting},
                          capture_output=True, encoding="utf-8", check=True)
    return float(made.stdout.splitlines()[-1])


def measured(rounds: int) -> list[dict[str, object]]:
    """A row for each setting, alone and beside neighbours: median, least and most seconds."""
    rows: list[dict[str, object]] = []
    for beside in (0, os.cpu_count() or 1):
        with neighbours(beside):
            times = [{name: seconds(setting) for name, setting in SETTINGS.items()} for _ in range(rounds)]
        for name in SETTINGS:
            its = [one[name] for one in times]
            rows.append({"threads": name, "busy neighbours": beside, "n": rounds,
                         "seconds": round(statistics.median(its), 2), "least": round(min(its), 2),
                         "most": round(max(its), 2)})
    return rows


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rows = measured(parser.parse_args().rounds)
    print(record("busy", {"steps": STEPS, "rows": rows}).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
