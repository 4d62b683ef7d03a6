"""How well do the first editors of the course edit? Obeyed, kept and distance over many edits with known answers.

    python -m benchmarks.lesson01                  108 edits: under 15 minutes on one core
    python -m benchmarks.lesson01 --count 240      more of them

Writes results/lesson01.json. The editors:

    nothing     the picture itself: keeps everything, obeys nothing
    anew        a new picture for P*, made without looking at I
    sdedit      SDEdit at several strengths
    truth       the true I* through the autoencoder: what an editor could reach at best
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from benchmarks.record import record
from helpers import load
from helpers.measure import Score, score
from helpers.methods.sdedit import sdedit
from helpers.models.diffusers_model import DiffusersModel
from helpers.picturebook.edits import KINDS, Edit, random_edit
from helpers.picturebook.judge import Judge

#: kinds of edit that leave something to keep: with a new style, every pixel is to change
MEASURED_KINDS = tuple(kind for kind in KINDS if kind != "style")
STRENGTHS = (0.3, 0.6, 0.8, 0.9)
Editor = Callable[[Edit, int], Image.Image]  # (edit, seed) -> edited picture


def editors(model: DiffusersModel) -> dict[str, Editor]:
    """The editors by name; "sdedit 0.6" is SDEdit at that strength."""
    found: dict[str, Editor] = {
        "nothing": lambda edit, seed: edit.picture,
        "anew": lambda edit, seed: model.generate(edit.target_prompt, seed=seed, progress=False)[0],
        "truth": lambda edit, seed: model.decode(model.encode(edit.target_picture))[0],
    }
    for strength in STRENGTHS:
        found[f"sdedit {strength}"] = sdedit_at(model, strength)
    return found


def sdedit_at(model: DiffusersModel, strength: float) -> Editor:
    """SDEdit at one strength as an editor."""
    return lambda edit, seed: sdedit(
        model, edit.picture, edit.target_prompt, strength=strength, seed=seed, progress=False
    )


def summary(rows: np.ndarray) -> dict[str, float]:
    """Means of `rows` (n, 3), and half the width of the 95 % interval of each mean.

    Kept is nan where an edit leaves nothing to keep; such edits do not count in its mean.
    """
    numbers: dict[str, float] = {"n": len(rows)}
    for name, column in zip(("obeyed", "kept", "distance"), rows.T, strict=True):
        there = column[~np.isnan(column)]
        numbers[name] = round(float(there.mean()), 4)
        numbers[f"{name}_pm"] = round(float(1.96 * there.std(ddof=1) / len(there) ** 0.5), 4)
    return numbers


def nested(flat: dict[str, dict[str, float]]) -> dict[str, object]:
    """{"sdedit 0.6": x} as {"sdedit": {"0.6": x}}."""
    found: dict[str, object] = {}
    for name, numbers in flat.items():
        method, _, knob = name.partition(" ")
        if knob:
            found.setdefault(method, {})[knob] = numbers  # type: ignore[index]
        else:
            found[method] = numbers
    return found


def measure(count: int) -> dict[str, object]:
    """Score every editor on `count` edits, the kinds in turn."""
    model, judge = load(), Judge.load()
    made = editors(model)
    rows: dict[str, list[Score]] = {name: [] for name in made}
    kinds = [MEASURED_KINDS[i % len(MEASURED_KINDS)] for i in range(count)]
    for i, kind in enumerate(kinds):
        edit = random_edit(kind, i // len(MEASURED_KINDS))
        for name, editor in made.items():
            rows[name].append(score(editor(edit, i), edit, judge))
    tables = {name: np.array(found) for name, found in rows.items()}  # name -> (count, 3)
    by_kind = {kind: round(float(tables["sdedit 0.8"][[k == kind for k in kinds], 0].mean()), 3)
               for kind in dict.fromkeys(kinds)}
    return {"n": count, "model": model.fingerprint, "kinds": len(set(kinds)), "steps": model.steps,
            "guidance": model.guidance,
            **nested({name: summary(table) for name, table in tables.items()}), "sdedit_0.8_obeyed_by_kind": by_kind}


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description="Score the editors of lesson 1 on edits with known answers.")
    parser.add_argument("--count", type=int, default=108, help="how many edits (108)")
    start = time.perf_counter()
    numbers = measure(parser.parse_args().count)
    numbers["minutes"] = round((time.perf_counter() - start) / 60, 1)
    print(record("lesson01", numbers).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
