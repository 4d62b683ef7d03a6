"""Write the tables of docs/places.md and its neighbours from results/: what was run in each place, on what, and when.

    python tools/fill_places.py

A table stands between <!-- table: NAME --> and <!-- end -->; `TABLES` makes each from the file of results that the
place's own script writes. What was not run yet is called so.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
TEXTS = ("docs/places.md", "docs/big_models.md", "docs/classroom.md")
MARK = re.compile(r"(?ms)(^<!-- table: (\w+) -->\n).*?(^<!-- end -->$)")
Rows = Sequence[Sequence[object]]


def read(name: str) -> dict[str, Any]:
    """Return results/name.json; nothing where it is not there."""
    file = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def table(head: Sequence[str], rows: Rows) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def colab() -> str:
    """The notebooks in the simulated runtime of Colab."""
    done = read("colab").get("notebooks", {})
    rows = []
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        row = done.get(path.stem[:2])
        if row is None:
            rows.append([path.stem, "not run yet", "", "", ""])
            continue
        says = row["error"] or ("went through" if not row["changed"] else f"changed {', '.join(row['changed'])}")
        versions = row["run"]["versions"]
        rows.append([path.stem, f"{says}, {row['cells']} of {row['of']} cells", f"{row['seconds'] / 60:.1f}",
                     f"Python {row['run']['python']}, torch {versions['torch']}, diffusers {versions['diffusers']}, "
                     f"transformers {versions['transformers']}", row["run"]["date"]])
    return table(["notebook", "how it went", "minutes", "versions", "date"], rows)


def classroom() -> str:
    """The trial of the server for a class."""
    found = read("classroom")
    if not found:
        return "Not run yet.\n"
    rows = [[row["student"], row["error"] or f"{row['cells']} cells", f"{row['seconds'] / 60:.1f}",
             f"{row['cpu_seconds'] / 60:.1f}", f"{row['kernel_mb'] + row['server_mb']:.0f}",
             "yes" if row["limit_held"] else "no"] for row in found["rows"]]
    by = found["by_arithmetic"]
    return (f"{found['students']} at once, notebook {found['notebook']}, {found['cores']} cores, {found['system']}, "
            f"Python {found['python']}, {found['date']}:\n\n"
            + table(["student", "went through", "minutes", "processor minutes", "MB at most", "limit of memory held"],
                    rows)
            + f"\nBy arithmetic, {by['students']} students take {by['gb']} GB and {by['core_minutes']} processor "
              "minutes: divided by the number of cores, that is how long the notebook takes where all press *Run All* "
              "in the same moment.\n")


def kit() -> str:
    """The kit: how large, and how it was tried."""
    found = read("kit")
    if not found:
        return "Not made yet.\n"
    sizes = found["megabytes"]
    rows = [["zip", f"{sizes['zip']:.0f}"], [f"{found['packages']} packages (wheels/)", f"{sizes['wheels']:.0f}"],
            ["weights of Picturebook", f"{sizes['weights']:.0f}"], ["notebooks", f"{sizes['notebooks']:.0f}"],
            ["the site", f"{sizes['site']:.0f}"]]
    tried = found.get("tried", {})
    says = [f"- {how}: set up in {row['minutes']:.1f} minutes, the second time in {row['again_seconds']:.1f} s, "
            f"{row['gb']:.1f} GB on the disk; {row['notebook']}, {row['date']}.\n" for how, row in tried.items()]
    return (f"Made on {found['system']}, Python {found['python']}, {found['date']}:\n\n" + table(["what", "MB"], rows)
            + ("\nTried without any network:\n\n" + "".join(says) if says else "\nNot tried yet.\n"))


def resolved() -> str:
    """What the index has of the tested versions, for each system and Python."""
    found = read("resolved")
    if not found:
        return "Not asked yet.\n"
    pythons = list(next(iter(found["packages"].values())))
    rows = [[system, *(row[python] or "no answer" for python in pythons)] for system, row in found["packages"].items()]
    return f"Asked on {found['date']}:\n\n" + table(["packages for", *(f"Python {one}" for one in pythons)], rows)


def release() -> str:
    """What is shipped, and how it was tried."""
    found = read("release")
    if not found:
        return "Not built yet.\n"
    sizes = found["megabytes"]
    rows = [["wheel", f"{sizes['wheel']} MB, {found['files']} files"], ["sdist", f"{sizes['sdist']} MB"],
            ["of it weights", f"{sizes['weights']} MB"], ["licence", found["licence"]], ["Python", found["python"]],
            ["tried", f"{', '.join(found['trials'])}: each in a fresh environment with packages that were "
                      f"{'there' if found['dependencies'] != 'fresh' else 'freshly installed'}, without the "
                      f"repository; {found['tried on']}, {found['date']}"]]
    return table([f"version {found['version']}", "what"], rows)


def methods() -> str:
    """Rows, memory and minutes of each method on large models."""
    found = read("big_models")
    names = list(found["sizes"])
    rows = [[f"`{method}`", row["rows"], *(f"{row['gb'][name]:.1f}" for name in names),
             *(f"{row['t4_minutes_estimated'][name]:.1f}" for name in names)]
            for method, row in found["methods"].items()]
    short = ["SD 1.5", "SDXL"]
    return table(["method", "rows (counted)", *(f"{one}, GB (counted)" for one in short),
                  *(f"{one}, minutes on a T4 (estimated)" for one in short)], rows)


def sizes() -> str:
    """Memory of each kind of run on large models."""
    found = read("big_models")["sizes"]
    kinds = {"weights_gb": "weights alone", "picture_gb": "a picture", "edit_gb": "edits, at most 10 rows at once",
             "embedding_gb": "null-text, `fit_embedding`", "lora_gb": "fit of a LoRA, batch 4",
             "all_gb": "fit of all weights, batch 4"}
    columns = [(name, precision) for name in found for precision in ("half", "single")]
    rows = [[says, *(f"{found[name][precision][kind]:.1f}" for name, precision in columns)]
            for kind, says in kinds.items()]
    head = [f"{'SDXL' if 'xl' in name else 'SD 1.5'}, {precision}" for name, precision in columns]
    return table(["GB (counted)", *head], rows)


def ran() -> str:
    """One step of methods on Stable Diffusion's real classes, on a processor."""
    found = read("big_models").get("ran")
    if not found:
        return "Not run yet.\n"
    run = found["run"]
    rows = [[f"`{row['what']}`", row.get("rows", ""), f"{row['seconds']:.0f}", f"{row['gb']:.1f}"]
            for row in found["rows"]]
    return (f"{found['model']}, {found['dtype'].removeprefix('torch.')}, random weights, {found['threads']} thread, "
            f"{run['machine']}, torch {run['libraries']['torch']}, {run['date']}:\n\n"
            + table(["one step of", "rows", "seconds (measured)", "GB of the process at most (measured)"], rows))


TABLES: dict[str, Callable[[], str]] = {
    "colab": colab, "classroom": classroom, "kit": kit, "resolved": resolved, "release": release, "methods": methods,
    "sizes": sizes, "ran": ran}


def with_tables(text: str) -> str:
    """Return a text with its tables made from what results/ holds now."""
    return MARK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text)


def main() -> int:
    """Write the texts anew; return 0."""
    for name in TEXTS:
        file = ROOT / name
        file.write_text(with_tables(file.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
