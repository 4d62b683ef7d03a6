"""Lesson 5 in numbers: how well each inversion brings a picture back, how well it lets it be edited, and what it costs.

    python -m benchmarks.lesson05                         104 edits: 20 minutes of one core
    python -m benchmarks.lesson05 --edits 2 --steps 3     a quick run; under 50 edits nothing is written

Writes results/lesson05.json:

    plane         the analytic model: how far DDIM inversion is from the exact inverse, and its round trip, at each N
    rebuilt       PSNR in dB of reconstructions at each number of steps and guidance: to the picture, and to what the
                  autoencoder alone makes of it (60: no difference at all); the autoencoder's own is "autoencoder"
    edited        obeyed, kept and distance under P*, by editor: "rebuild" walks the inverted noise under P*,
                  "prompt_to_prompt" with the attention of P; with half the width of the 95 % interval (_pm)
    edited_few    the same over the first NULL_TEXT_EDITS edits only, null-text among them: it is too slow for all
    costs         calls and rows of the network, and seconds (median, of one core), of inverting and of each editor

The edits have STEPS steps, fewer than the model's own, and are made in bfloat16 where the processor computes in it
quickly, both for time; "rebuilt" is of float32. The pictures are drawn: the model never saw them.
Direct inversion differs from DDIM inversion in the source row alone, so that under P* `reconstruct` makes
the same of both.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from statistics import fmean, median
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.calls import counted
from benchmarks.lesson01 import summary
from benchmarks.record import record
from helpers import AnalyticModel, load
from helpers.core.diffusion import alpha_bar_at
from helpers.finetuning.fit import fast_dtype
from helpers.measure import Score, psnr, score
from helpers.methods.inversion import ddim, direct, edit_friendly, negative_prompt, null_text, reconstruct
from helpers.methods.prompt_to_prompt import prompt_to_prompt
from helpers.methods.source import Source
from helpers.models.diffusers_model import DiffusersModel
from helpers.picturebook.edits import KINDS, Edit, random_edit
from helpers.picturebook.judge import Judge

STEPS = 12
NULL_TEXT_EDITS = 4
PICTURES = 4  # rebuilt at each number of steps and guidance; null-text: 1
QUIET = {"progress": False}
CLOCK = time.perf_counter if torch.cuda.is_available() else time.process_time  # others' work does not count
METHODS: dict[str, Callable[..., Source]] = {
    "ddim": ddim,
    "direct": direct,
    "negative_prompt": negative_prompt,
    "edit_friendly": edit_friendly,
    "null_text": null_text,
}


# ------------------------------------------------------------------------------------------------------- the plane


def plane() -> dict[str, dict[str, float]]:
    """On one Gaussian, at each number of steps: the distance to the exact noise, and that of the round trip."""
    model, point, mean, spread = AnalyticModel({"here": (1.0, -1.0)}, spreads=0.5), [0.0, 2.0], [1.0, -1.0], 0.5
    rows = {}
    for steps in (10, 20, 50, 100, 200, 500, 1000):
        source = ddim(model, point, "here", steps=steps, guidance=1, **QUIET)
        found, back = (source.trajectory[i].flatten().numpy() for i in (0, -1))
        pivot = direct(model, point, "here", steps=steps, **QUIET).trajectory[0].flatten().numpy()
        a = alpha_bar_at(model, source.times[0])
        offset = np.subtract(point, mean) / spread * (a * spread**2 + 1 - a) ** 0.5
        exact = a**0.5 * np.array(mean) + offset
        assert np.array_equal(found, pivot)
        rows[str(steps)] = {
            "inverse": round(float(np.linalg.norm(found - exact)), 4),
            "round_trip": round(float(np.linalg.norm(back - point)), 4),
        }
    return rows


# ---------------------------------------------------------------------------------------------------------- rebuilt


def rebuilt(model: DiffusersModel, edits: list[Edit], counts: tuple[int, ...]) -> dict[str, Any]:
    """PSNR of reconstructions: each method by "steps, guidance"."""
    values: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))

    def measure(method: str, steps: int, guidance: float, edit: Edit, picture: Image.Image) -> None:
        through = model.decode(model.encode(edit.picture))[0]
        values[method][f"{steps}, {guidance:g}"].append(
            (apart(picture, edit.picture), apart(picture, through))
        )

    for number, edit in enumerate(edits[:PICTURES]):
        for steps in counts:
            source = ddim(model, edit.picture, edit.prompt, steps=steps, guidance=1, **QUIET)
            for guidance in (1.0, 2.0, 4.0, 7.5):
                again = (
                    reconstruct(model, source, guidance=guidance, **QUIET) if guidance != 1 else end_of(model, source)
                )
                measure("ddim", steps, guidance, edit, again)
            if steps == counts[-1] and len(counts) > 2:
                continue
            for method in ("direct", "edit_friendly", "negative_prompt"):
                source = METHODS[method](model, edit.picture, edit.prompt, steps=steps, **QUIET)
                measure(method, steps, source.guidance, edit, reconstruct(model, source, **QUIET))
            if number < 1 and steps > counts[0]:
                source = null_text(model, edit.picture, edit.prompt, steps=steps, **QUIET)
                measure("null_text", steps, source.guidance, edit, reconstruct(model, source, **QUIET))
        print(f"rebuilt {number + 1} of {len(edits[:PICTURES])}", flush=True)
    ceiling = [apart(model.decode(model.encode(edit.picture))[0], edit.picture) for edit in edits[:PICTURES]]
    found: dict[str, Any] = {
        method: {
            at: {
                "n": len(pairs),
                "to_the_picture": round(fmean(p[0] for p in pairs), 2),
                "to_the_autoencoder": round(fmean(p[1] for p in pairs), 2),
            }
            for at, pairs in rows.items()
        }
        for method, rows in values.items()
    }
    return found | {"autoencoder": round(fmean(ceiling), 2)}


def end_of(model: DiffusersModel, source: Source) -> Image.Image:
    """The picture in which the source's trajectory ends."""
    return model.decode(source.trajectory[-1:])[0]


def apart(a: Image.Image, b: Image.Image) -> float:
    """PSNR in dB over all pixels."""
    return float(psnr(*(np.asarray(p.convert("RGB"), dtype=np.float32) / 255 for p in (a, b))))


# ----------------------------------------------------------------------------------------------------------- edited


class Ledger:
    """Scores by editor and method, and what each run costs."""

    def __init__(self, model: DiffusersModel) -> None:
        self.model = model
        self.scores: dict[str, dict[int, Score]] = defaultdict(dict)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.rows: dict[str, list[int]] = {}

    def timed(self, name: str, run: Callable[[], Any]) -> Any:
        """What `run` gives; its seconds and the rows of its calls are noted under `name`."""
        with counted(self.model) as rows:
            start = CLOCK()
            result = run()
            self.seconds[name].append(CLOCK() - start)
        self.rows[name] = rows
        return result

    def costs(self) -> dict[str, dict[str, float]]:
        """Calls and rows of the last run, and the median of the seconds, by name."""
        return {
            name: {"calls": len(rows), "rows": sum(rows), "seconds": round(median(self.seconds[name]), 3)}
            for name, rows in self.rows.items()
        }

    def tables(self, numbers: range) -> dict[str, dict[str, float]]:
        """Means over the edits `numbers`, of what was run on all of them."""
        return {
            name: summary(np.array([found[i] for i in numbers]))
            for name, found in self.scores.items()
            if all(i in found for i in numbers)
        }


def edited(model: DiffusersModel, judge: Judge, edits: list[Edit], steps: int) -> Ledger:
    """Every inversion with every editor on every edit; null-text on the first ones only."""
    ledger = Ledger(model)
    for i, edit in enumerate(edits):
        ledger.scores["nothing"][i] = score(edit.picture, edit, judge)
        ledger.scores["truth"][i] = score(model.decode(model.encode(edit.target_picture))[0], edit, judge)
        for method, invert in METHODS.items():
            if method == "null_text" and i >= NULL_TEXT_EDITS:
                continue
            source = ledger.timed(method, partial(invert, model, edit.picture, edit.prompt, steps=steps, **QUIET))
            for editor, run in editors(model, source, edit.target_prompt, method).items():
                picture = ledger.timed(f"{editor} {method}", run)
                ledger.scores[f"{editor} {method}"][i] = score(picture, edit, judge)
        print(f"edited {i + 1} of {len(edits)}", flush=True)
    return ledger


def editors(model: DiffusersModel, source: Source, target: str, method: str) -> dict[str, Callable[[], Image.Image]]:
    """The editors of a source by name."""
    found = {"prompt_to_prompt": lambda: prompt_to_prompt(model, source, target, **QUIET)[1]}
    if method != "direct":  # under another prompt the same as ddim
        found["rebuild"] = lambda: reconstruct(model, source, target, **QUIET)
    return found


def main() -> None:
    """Measure, and record where there are enough edits."""
    parser = argparse.ArgumentParser(description="Measure lesson 5.")
    parser.add_argument("--edits", type=int, default=104, help="how many edits (104); under 50 nothing is written")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"steps of the edits ({STEPS})")
    count, steps = (arguments := parser.parse_args()).edits, arguments.steps
    start, kinds = time.perf_counter(), list(KINDS)
    torch.set_num_threads(1)
    model, judge = load(), Judge.load()
    edits = [random_edit(kinds[i % len(kinds)], i // len(kinds)) for i in range(count)]
    quick = load(dtype=fast_dtype(model.device))
    numbers: dict[str, Any] = {
        "model": model.fingerprint,
        "guidance": model.guidance,
        "plane": plane(),
        "edits computed in": str(quick.unet.dtype).removeprefix("torch."),
    }
    ledger = edited(quick, judge, edits, steps)
    few = range(min(NULL_TEXT_EDITS, count))
    counts = (5, 10, 25, 50) if count >= 50 else (steps, 2 * steps)
    numbers |= {
        "edits": count,
        "steps": steps,
        "edited": ledger.tables(range(count)),
        "edited_few": ledger.tables(few),
        "costs": ledger.costs(),
        "rebuilt": rebuilt(model, edits, counts),
    }
    numbers["minutes"] = round((time.perf_counter() - start) / 60, 1)
    print(numbers if count < 50 else record("lesson05", numbers).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
