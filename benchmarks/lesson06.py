"""Lesson 6 in numbers: Imagic over eta, and what it costs.

    python -m benchmarks.lesson06            measures all, writes results/lesson06.json; goes on if interrupted
    python -m benchmarks.lesson06 --quick    one edit with a few steps, written nowhere
    python -m benchmarks.lesson06 --text     measures nothing: the lesson's tables and figures anew

With the results it writes the tables and figures of lessons/06_imagic.md; the figures need two more fits.

Every edit has a known answer. The sweet spot is the eta whose pictures are nearest to it; how much is obeyed and kept
there is told beside it. SDEdit, which fits nothing, is measured on the same edits.

Pictures are made in STEPS steps, fewer than the model's own, for time. Needs the embedded model and its judge. About
half an hour of one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import isnan
from pathlib import Path
from statistics import fmean, stdev
from time import process_time
from typing import Any

from benchmarks.record import RESULTS, ROOT, record, rows_file
from benchmarks.texts import markdown, write_lesson
from helpers import load, show
from helpers.finetuning.weights import Weights
from helpers.measure import Score, score
from helpers.methods.imagic import fit_imagic, fit_model, imagic
from helpers.methods.sdedit import sdedit
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet
from helpers.picturebook.edits import Edit, random_edit
from helpers.picturebook.judge import Judge

LESSON = ROOT / "lessons" / "06_imagic.md"
STEPS = 12  # of sampling
ETAS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)
STRENGTHS = (0.4, 0.6, 0.8)
KINDS = ("color", "thing", "doing", "wearing", "place", "ride")
WAYS: dict[str, dict[str, Any]] = {
    "all weights": {},
    "embedding alone": {"model_steps": 1},
    "model alone": {"embedding_steps": 1},
}
ABLATED = 3  # edits that the ways beyond the first are measured on
NAMES = {"all weights": "both fits", "embedding alone": "embedding alone", "model alone": "model alone",
         "sdedit": "SDEdit"}  # as the tables tell them
SHOWN, SEED = ("doing", 103), 1  # the notebook's edit and seed, for the figures
SHOWN_ETAS = (0.0, 0.4, 0.6, 0.8, 1.0)
TRADED = ("0.0", "0.4", "0.6", "0.8", "1.0", "1.2")  # the etas in the figure of obeyed and kept


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
    lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {(row["edit"], row["way"]) for row in rows}
    for way in ("sdedit", "all weights") if quick else ("sdedit", *WAYS):
        for number, (kind, edit) in enumerate(edits(count if way in ("sdedit", "all weights") else ABLATED)[:count]):
            if (number, way) in done:
                continue
            new = (sdedit_rows(model, judge, number, kind, edit, quick) if way == "sdedit" else
                   imagic_rows(model, judge, number, kind, edit, way, quick))
            rows += new
            print(way, number, new[0], flush=True)
            if file:
                with file.open("a", encoding="utf-8") as f:
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


# --------------------------------------------------------------------------------------- the lesson's tables, figures


def tables(results: Mapping[str, Any]) -> dict[str, str]:
    """The lesson's tables by name, as Markdown."""
    ways = results["ways"]
    return {"eta": eta_table(ways["all weights"], ways["sdedit"]), "ways": ways_table(results["rows"]),
            "kinds": kinds_table(results["rows"]), "fits": fits_table(ways)}


def eta_table(way: Mapping[str, Any], sdedit: Mapping[str, Any]) -> str:
    """Each eta, the sweet spot marked, then SDEdit at each strength."""
    marked = [(f"{x} (sweet spot)" if x == way["sweet_spot"] else x, row) for x, row in way["at"].items()]
    return markdown(["eta", "obeyed (%)", "kept (dB)", "distance (%)"], [
        [name, *scores(row)] for name, row in [*marked, *((f"SDEdit {s}", row) for s, row in sdedit["at"].items())]])


def ways_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Each way at its sweet spot, all on the edits that every way was measured on."""
    common = set.intersection(*({row["edit"] for row in rows if row["way"] == way} for way in NAMES))
    found = summary([row for row in rows if row["edit"] in common])
    return markdown(["way", "edits", "sweet spot", "obeyed (%)", "kept (dB)", "distance (%)"], [
        [name, str(len(common)), found[way]["sweet_spot"], *scores(found[way]["at"][found[way]["sweet_spot"]])]
        for way, name in NAMES.items()])


def kinds_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """For each kind of edit Imagic at its sweet spot, and SDEdit's smallest distance."""
    made = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        found = summary([row for row in rows if row["kind"] == kind and row["way"] in ("all weights", "sdedit")])
        ours, theirs = ((way["sweet_spot"], way["at"][way["sweet_spot"]])
                        for way in (found["all weights"], found["sdedit"]))
        made.append([kind, str(ours[1]["edits"]), ours[0], f"{100 * ours[1]['obeyed']:.0f}",
                     f"{100 * ours[1]['distance']:.1f}", f"{100 * theirs[1]['distance']:.1f}"])
    return markdown(["kind", "edits", "sweet spot", "obeyed (%)", "distance (%)", "SDEdit's distance (%)"], made)


def fits_table(ways: Mapping[str, Any]) -> str:
    """What each fit does to the loss, and the seconds of one core that both take."""
    row = next(iter(ways["all weights"]["at"].values()))
    falls = [f"{row[f'{name} loss, first']:.3f} to {row[f'{name} loss, last']:.3f}" for name in ("embedding", "model")]
    return markdown(["edits", "loss, embedding moves", "loss, model moves", "seconds of one core"],
                    [[str(row["edits"]), *falls, f"{row['seconds']:.0f}"]])


def scores(row: Mapping[str, float]) -> list[str]:
    """Obeyed, kept and distance as a table tells them."""
    return [f"{100 * row['obeyed']:.0f} ± {100 * row['obeyed +-']:.0f}", f"{row['kept']:.1f} ± {row['kept +-']:.1f}",
            f"{100 * row['distance']:.1f}"]


def figures(model: DiffusersModel, results: Mapping[str, Any], alts: Mapping[str, str]) -> dict[str, show.Figure]:
    """The lesson's figures by file name; their alt texts are the lesson's."""
    edit, knobs = random_edit(*SHOWN), {"seed": SEED, "progress": False}
    both = fit_imagic(model, edit.picture, edit.target_prompt, **knobs)
    alone = fit_model(model, edit.picture, both.e_tgt, **knobs)
    fitted = {"both fits": both, "embedding alone": replace(both, weights=Weights({})),
              "model alone": replace(both, e_opt=both.e_tgt, weights=alone)}
    grid = [[imagic(model, each, eta=eta, steps=STEPS, **knobs) for eta in SHOWN_ETAS] for each in fitted.values()]
    columns = [f"eta {eta:g}" for eta in SHOWN_ETAS]
    ends = [edit.picture, *grid[0], edit.target_picture]
    return {
        "06_eta": show.pictures([ends], columns=["I", *columns, "the true I*"], alt=alts["06_eta"]),
        "06_ways": show.pictures(grid, rows=list(fitted), columns=columns, alt=alts["06_ways"]),
        "06_trade": trade(results["ways"], alts["06_trade"]),
    }


def trade(ways: Mapping[str, Any], alt: str) -> show.Figure:
    """Obeyed against kept: some etas, connected, and SDEdit's strengths."""
    etas, strengths = ({f"{name} {float(x):g}": (ways[way]["at"][x]["obeyed"], ways[way]["at"][x]["kept"]) for x in at}
                       for way, name, at in (("all weights", "eta", TRADED), ("sdedit", "SDEdit", map(str, STRENGTHS))))
    return show.scatter(etas | strengths, line=list(etas), xlabel="obeyed", ylabel="kept (dB)", alt=alt)


def write_text(model: DiffusersModel) -> None:
    """The tables of results/lesson06.json into the lesson, and the lesson's figures."""
    results = json.loads((RESULTS / "lesson06.json").read_text(encoding="utf-8"))
    write_lesson(LESSON, tables(results), partial(figures, model, results))


def main() -> None:
    """Measure and write, as the command line says."""
    parser = argparse.ArgumentParser(description="Measure lesson 6.")
    parser.add_argument("--quick", action="store_true", help="one edit with a few steps, written nowhere")
    parser.add_argument("--count", type=int, default=12, help="edits (12)")
    parser.add_argument("--text", action="store_true", help="only write the lesson's tables and figures")
    arguments = parser.parse_args()
    with quiet():
        model, judge = load(device="cpu"), Judge.load()
    if arguments.text:
        write_text(model)
        return
    count = 1 if arguments.quick else arguments.count
    rows = all_rows(model, judge, count, None if arguments.quick else rows_file("lesson06"), arguments.quick)
    found = {"edits": count, "steps": STEPS, "guidance": model.guidance, "ways": summary(rows), "rows": rows}
    if arguments.quick:
        print(json.dumps(found["ways"], indent=1))
    else:
        print(record("lesson06", found))
        write_text(model)


if __name__ == "__main__":
    main()
