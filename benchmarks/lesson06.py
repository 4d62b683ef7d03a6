"""Lesson 6 in numbers: Imagic over eta, and what it costs.

    python benchmarks/lesson06.py                measures everything and writes results/lesson06.json
    python benchmarks/lesson06.py --rows FILE    the same; goes on from the rows in FILE if it was interrupted
    python benchmarks/lesson06.py --quick        one edit with a few steps, written nowhere

Every edit has a known answer. The sweet spot is the eta whose pictures are nearest to it; how much is obeyed and kept
there is told beside it. SDEdit, which fits nothing, is measured on the same edits.

Pictures are made in STEPS steps, fewer than the model's own, for time. Needs the embedded model and its judge. About
half an hour of one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from statistics import fmean, stdev
from time import process_time
from typing import Any

from record import record

from helpers import load
from helpers.imagic import fit_imagic, imagic
from helpers.measure import Score, score
from helpers.model import DiffusersModel, quiet
from helpers.picturebook.edits import Edit, random_edit
from helpers.picturebook.judge import Judge
from helpers.sdedit import sdedit

STEPS = 12  # of sampling
ETAS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)
STRENGTHS = (0.4, 0.6, 0.8)
KINDS = ("color", "thing", "doing", "wearing", "place", "ride")
WAYS: dict[str, dict[str, Any]] = {
    "all weights": {},
    "lora": {"rank": 8},
    "embedding alone": {"model_steps": 1},
    "model alone": {"embedding_steps": 1},
}
ABLATED = 6  # edits that the ways beyond the first are measured on


def edits(count: int) -> list[tuple[str, Edit]]:
    """`count` edits with known answers, the kinds in turn."""
    return [(KINDS[i % len(KINDS)], random_edit(KINDS[i % len(KINDS)], 100 + i // len(KINDS))) for i in range(count)]


def imagic_rows(model: DiffusersModel, judge: Judge, number: int, kind: str, edit: Edit, way: str,
                quick: bool) -> list[dict[str, Any]]:
    """One fit, and its pictures at every eta."""
    losses: list[float] = []
    start = process_time()
    knobs = WAYS[way] | ({"embedding_steps": 2, "model_steps": 2} if quick else {})
    fitted = fit_imagic(model, edit.picture, edit.target_prompt, seed=number, progress=False,
                        watch=lambda loss, **_: losses.append(loss), **knobs)
    seconds = process_time() - start
    steps = {"steps": 3 if quick else STEPS}
    rows = []
    for eta in ETAS[::4] if quick else ETAS:
        picture = imagic(model, fitted, eta=eta, seed=number, progress=False, **steps)
        rows.append({"edit": number, "kind": kind, "way": way, "at": eta} | told(score(picture, edit, judge)))
    part = knobs.get("embedding_steps", 100)
    fall = {"embedding": (losses[:part][:20], losses[:part][-20:]), "model": (losses[part:][:20], losses[part:][-20:])}
    rows[0] |= {"seconds": round(seconds, 1)} | {f"{name} loss, {when}": round(fmean(values), 4) for name, both in
                                                 fall.items() for when, values in zip(("first", "last"), both,
                                                                                     strict=True)}
    return rows


def sdedit_rows(model: DiffusersModel, judge: Judge, number: int, kind: str, edit: Edit,
                quick: bool) -> list[dict[str, Any]]:
    """SDEdit on the same edit."""
    steps = {"steps": 3 if quick else STEPS}
    return [{"edit": number, "kind": kind, "way": "sdedit", "at": s}
            | told(score(sdedit(model, edit.picture, edit.target_prompt, strength=s, seed=number, progress=False,
                                **steps), edit, judge)) for s in STRENGTHS]


def told(found: Score) -> dict[str, float | None]:
    """A score as numbers; None where there is nothing to keep."""
    return {name: None if isnan(value) else round(float(value), 4) for name, value in found._asdict().items()}


def all_rows(model: DiffusersModel, judge: Judge, count: int, file: Path | None, quick: bool) -> list[dict[str, Any]]:
    """Every edit in every way; what is in the file is not measured again."""
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file and file.exists() else []
    done = {(row["edit"], row["way"]) for row in rows}
    for way in ("sdedit", "all weights", "lora") if quick else ("sdedit", *WAYS):
        for number, (kind, edit) in enumerate(edits(count if way in ("sdedit", "all weights") else ABLATED)[:count]):
            if (number, way) in done:
                continue
            new = (sdedit_rows(model, judge, number, kind, edit, quick) if way == "sdedit" else
                   imagic_rows(model, judge, number, kind, edit, way, quick))
            rows += new
            print(way, number, new[0], flush=True)
            if file:
                with file.open("a") as f:
                    f.writelines(json.dumps(row) + "\n" for row in new)
    return rows


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """way -> eta or strength -> each number's mean and 1.96 standard errors of it; the sweet spot of each way."""
    out: dict[str, Any] = {}
    for way in dict.fromkeys(row["way"] for row in rows):
        own = [row for row in rows if row["way"] == way]
        at = {str(x): means([row for row in own if row["at"] == x]) for x in dict.fromkeys(row["at"] for row in own)}
        best = min(at, key=lambda x: at[x]["distance"])
        kinds = {kind: min(at, key=lambda x: means([r for r in own if str(r["at"]) == x and r["kind"] == kind])
                           ["distance"]) for kind in dict.fromkeys(row["kind"] for row in own)}
        out[way] = {"at": at, "sweet_spot": best, "sweet_spot_by_kind": kinds}
    return out


def means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The mean of every number, and 1.96 standard errors of it under "name +-"."""
    out: dict[str, float] = {"edits": len(rows)}
    for name in dict.fromkeys(n for row in rows for n in row if n not in ("edit", "kind", "way", "at")):
        values = [row[name] for row in rows if row.get(name) is not None]
        if values:
            spread = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
            out |= {name: round(fmean(values), 3), f"{name} +-": round(spread, 3)}
    return out


def main() -> None:
    """Measure and write, as the command line says."""
    parser = argparse.ArgumentParser(description="Measure lesson 6.")
    parser.add_argument("--quick", action="store_true", help="one edit with a few steps, written nowhere")
    parser.add_argument("--rows", type=Path, help="a file for the rows measured so far")
    parser.add_argument("--count", type=int, default=12, help="edits (12)")
    arguments = parser.parse_args()
    with quiet():
        model, judge = load(device="cpu"), Judge.load()
    count = 1 if arguments.quick else arguments.count
    rows = all_rows(model, judge, count, arguments.rows, arguments.quick)
    found = {"edits": count, "steps": STEPS, "guidance": model.guidance, "ways": summary(rows), "rows": rows}
    if arguments.quick:
        print(json.dumps(found["ways"], indent=1))
    else:
        print(record("lesson06", found))


if __name__ == "__main__":
    main()
