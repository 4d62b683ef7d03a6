"""How long does each notebook compute, from its first cell to its last?

    python benchmarks/notebooks.py            all notebooks
    python benchmarks/notebooks.py 00 01      those whose names start so; what is known of others stays

Writes results/notebooks.json: seconds, and whole minutes rounded up, which the notebooks' own tables quote.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import build_notebooks  # noqa: E402
from benchmarks.record import RESULTS, record  # noqa: E402


def known() -> dict[str, object]:
    """What was measured before."""
    file = RESULTS / "notebooks.json"
    numbers = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {name: found for name, found in numbers.items() if name != "measured"}


def seconds(source: Path) -> float:
    """How long the cells of one notebook take, the start of its kernel included."""
    notebook = build_notebooks.read_source(source)
    start = time.perf_counter()
    build_notebooks.run(notebook)
    return time.perf_counter() - start


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description="Measure how long the notebooks compute.")
    parser.add_argument("names", nargs="*", help="the start of a notebook's name, such as 00; all if left out")
    sources = build_notebooks.sources(parser.parse_args().names)
    numbers = known()
    # A notebook quotes its own time, which must be there before it can be read; 0 is written over at once.
    record("notebooks", {source.stem[:2]: {"seconds": 0, "minutes": 0} for source in sources} | numbers)
    for source in sources:
        took = seconds(source)
        numbers[source.stem[:2]] = {"seconds": round(took, 1), "minutes": math.ceil(took / 60)}
        print(f"{source.stem}: {took:.0f} s", flush=True)
    record("notebooks", numbers)


if __name__ == "__main__":
    main()
