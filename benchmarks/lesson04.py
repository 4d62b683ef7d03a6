"""Lesson 4 in numbers: what injection trades, what weights do, how well maps point.

    python -m benchmarks.lesson04                          200 edits of each kind: over an hour on one core
    python -m benchmarks.lesson04 --edits 2 --steps 4      to see that it works; what it writes is of no use
    python -m benchmarks.lesson04 --text                   measures nothing: the lesson's tables and figures anew

Writes results/lesson04.json, and with it the tables and figures of lessons/04_prompt_to_prompt.md. All scenes and
captions are held out from training. Pictures have STEPS steps, fewer than the model's own, and the network computes in
bfloat16 where the processor does so quickly, both for time.

    kinds         obeyed and kept against injection length for word swaps, added phrases and re-weighting; share 0 is
                  the same noise without control; SDEdit on the same pictures at several strengths
    reweighting   the amount of "fluffy" and "crowded" that the judge reads, against the word's weight
    pointing      how often the peak of a noun's map lies inside of what the judge sees as that thing

The source I is the picture that the model itself makes of P, since Prompt-to-Prompt starts there. So there is no true
I*, and:

    obeyed   the judge reads the changed attribute of I* as P* asks; for a weight: the amount it reads moved by at least
             MOVED in the direction asked for
    kept     PSNR in dB to I outside of where the judge finds the changed part in I or in I* (and 4 pixels around it).
             Where I* has the part all over, nothing is left; such pictures do not count in the mean, but in `covered`
    sweet    of the settings that obey at least NEARLY as often as the best one of the same method, the one that keeps
             most; SDEdit's best strength is chosen by the same rule
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageChops

from benchmarks.record import RESULTS, ROOT, interval, record
from benchmarks.texts import markdown, write_lesson
from helpers import load, measure, show
from helpers.attention.control import attention
from helpers.attention.maps import AttentionStore
from helpers.core.words import align
from helpers.finetuning.fit import fast_dtype
from helpers.methods.prompt_to_prompt import Recorded, prompt_to_prompt, recorded, sweep
from helpers.methods.sdedit import sdedit
from helpers.models.diffusers_model import DiffusersModel
from helpers.picturebook.caption import NOUNS, describe
from helpers.picturebook.edits import Edit, random_edit
from helpers.picturebook.judge import LOOK_AT, Judge, Reading
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import ABSENT

(LESSON,) = (ROOT / "lessons").rglob("04_prompt_to_prompt.md")
STEPS = 12
POINTING_PICTURES = 300
#: kind of edit -> shares of the steps with the source's maps (self-attention for half of them), strengths of SDEdit
SETTINGS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "word swap": ((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.7, 0.8, 0.9)),
    "phrase added": ((0.0, 0.4, 0.8, 1.0), (0.8, 0.9)),
    "re-weighting": ((0.0, 0.4, 0.8), ()),  # SDEdit has no word to turn
}
SWAPPED = ("thing", "color", "ride", "ride color", "topping", "wearing", "holding", "beside")  # kinds of random_edit
ADDED = ("wearing", "holding", "beside", "rainbow", "topping")
WEIGHTS = (-2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
GRADED_WORDS = ("fluffy", "crowded")
UP, DOWN, MOVED = 2.0, -1.0, 0.05  # the weights of the kind "re-weighting"; amounts are in [0, 1]
NEARLY = 0.9
GRID = (16, 16)  # of the maps and of the judge's cells
POINTED = ("thing", "ride", "wearing", "holding", "beside", "topping")
RIDE, RIDES = "a cat riding a bicycle on the street", ("a motorcycle", "a car", "an airplane", "a train")
SEED_OF_RIDE = 13  # a noise that gives a whole cat on a bicycle; the notebook's


# ---------------------------------------------------------------------------------------------------- the edits


class Asked(NamedTuple):
    """One edit: its prompts, which attribute changes, how to see that it obeyed, and the weights of its words."""

    prompt: str
    target: str
    attribute: str
    obeys: Callable[[Reading, Reading], bool]  # of what the judge reads in I and in I*
    weights: Mapping[str, float] = {}


def swaps(kinds: Sequence[str] = SWAPPED) -> Iterator[Asked]:
    """Edits in which every word has a counterpart, and some are other words; the kinds in turn."""
    return (told(edit) for edit in in_turn(kinds) if is_swap(edit))


def additions(kinds: Sequence[str] = ADDED) -> Iterator[Asked]:
    """Edits whose target has all words of the source, and some more."""
    return (told(edit) for edit in in_turn(kinds) if is_addition(edit))


def in_turn(kinds: Sequence[str]) -> Iterator[Edit]:
    """Edits of these kinds in turn, for ever the same ones."""
    number = 0
    while True:
        yield random_edit(kinds[number % len(kinds)], number // len(kinds))
        number += 1


def is_swap(edit: Edit) -> bool:
    """Whether the prompts differ in swapped words alone."""
    pairs = align(edit.prompt, edit.target_prompt)
    return bool(pairs.swapped) and not pairs.new and not pairs.gone


def is_addition(edit: Edit) -> bool:
    """Whether the target only adds words."""
    pairs = align(edit.prompt, edit.target_prompt)
    return bool(pairs.new) and not pairs.swapped and not pairs.gone


def told(edit: Edit) -> Asked:
    """An edit of scenes as an edit of prompts; of several changed attributes the first one is judged."""
    name = edit.changed[0]
    return Asked(edit.prompt, edit.target_prompt, name, lambda _, after: after.agrees(edit.target, name))


def reweightings() -> Iterator[Asked]:
    """Prompts with a graded word, the word turned up and down in turn."""
    for number, (word, prompt) in enumerate(zip(_cycle(GRADED_WORDS), graded_prompts(), strict=False)):
        prompt = prompt[word]
        up = number // len(GRADED_WORDS) % 2 == 0
        yield Asked(prompt, prompt, word, moved(word, 1 if up else -1), {word: UP if up else DOWN})


def moved(word: str, sign: int) -> Callable[[Reading, Reading], bool]:
    """Whether the word's amount moved by at least MOVED in this direction."""
    return lambda before, after: sign * (after.amounts[word] - before.amounts[word]) >= MOVED


def graded_prompts() -> Iterator[dict[str, str]]:
    """For each graded word a held-out prompt with it."""
    streams = {word: prompts_with(word) for word in GRADED_WORDS}
    while True:
        yield {word: next(stream) for word, stream in streams.items()}


def prompts_with(word: str) -> Iterator[str]:
    """Plain captions of held-out scenes that hold the word."""
    for scene in held_out_scenes(new_combinations=False):
        if getattr(scene, word) > 0 and scene.has(word) and scene.style == "plain":
            yield describe(scene).text


def _cycle(values: Sequence[str]) -> Iterator[str]:
    while True:
        yield from values


# -------------------------------------------------------------------------------------------- obeyed and kept


def measured_kind(model: DiffusersModel, judge: Judge, kind: str, asked: Iterator[Asked], count: int) -> dict[str, Any]:
    """Obeyed and kept of `count` edits at each share of injection, and of SDEdit at each strength (`SETTINGS`)."""
    shares, strengths = SETTINGS[kind]
    rows: dict[tuple[str, float], list[tuple[float, float]]] = {}
    for seed, edit in zip(range(count), asked, strict=False):
        source = recorded(model, edit.prompt, seed=seed, progress=False)
        picture, *edited = injected(model, source, edit, shares)
        strokes = [sdedit(model, picture, edit.target, strength=s, seed=seed, progress=False) for s in strengths]
        before, *after = judge.read([picture, *edited, *strokes])
        names = [*(("at", s) for s in shares), *(("sdedit", s) for s in strengths)]
        for name, result, reading in zip(names, [*edited, *strokes], after, strict=True):
            pair = (float(edit.obeys(before, reading)), kept_outside(picture, result, edit.attribute, judge))
            rows.setdefault(name, []).append(pair)
        print(f"{seed + 1} of {count}: {edit.prompt!r} -> {edit.target!r} {dict(edit.weights)}", flush=True)
    tables: dict[str, Any] = {"n": count, "at": {}, "sdedit": {}}
    for (method, value), found in rows.items():
        tables[method][f"{value:g}"] = summary(np.array(found))
    if strengths:
        tables["sdedit"] |= best_of(tables["sdedit"])
    return tables | {"sweet": sweet(tables["at"])}


def injected(model: DiffusersModel, source: Recorded, edit: Asked, shares: Sequence[float]) -> list[Image.Image]:
    """I, and I* at each share, in one batch."""
    return sweep(
        model,
        source,
        edit.target,
        cross_replace_steps=list(shares),
        self_replace_steps=[share / 2 for share in shares],
        weights=edit.weights,
        progress=False,
    )


def kept_outside(picture: Image.Image, result: Image.Image, attribute: str, judge: Judge) -> float:
    """Kept, as the docstring of this file says; nan where nothing is left."""
    part = LOOK_AT.get(attribute, "place")
    where = ImageChops.lighter(judge.find(picture, part), judge.find(result, part))
    return measure.kept(result, picture, where) if measure.outside(where).any() else float("nan")


def summary(rows: np.ndarray) -> dict[str, float]:
    """Means of obeyed and kept (n, 2), half the width of their 95 % intervals, and the share that is covered."""
    numbers: dict[str, float] = {}
    for name, column in zip(("obeyed", "kept"), rows.T, strict=True):
        there = column[~np.isnan(column)]
        spread = there.std(ddof=1) if len(there) > 1 else 0.0
        numbers[name] = round(float(there.mean()), 4) if len(there) else 0.0
        numbers[f"{name}_pm"] = round(float(1.96 * spread / max(1, len(there)) ** 0.5), 4)
    return numbers | {"covered": round(float(np.isnan(rows[:, 1]).mean()), 4)}


def sweet(table: Mapping[str, Mapping[str, float]]) -> str:
    """Of the settings that obey nearly as often as the best, the one that keeps most."""
    most = max(row["obeyed"] for row in table.values())
    return max(
        (value for value, row in table.items() if row["obeyed"] >= NEARLY * most),
        key=lambda value: table[value]["kept"],
    )


def best_of(table: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """SDEdit's best strength and its numbers."""
    value = sweet(table)
    return {"best": float(value), "best_obeyed": table[value]["obeyed"], "best_kept": table[value]["kept"]}


# ------------------------------------------------------------------------------------------------- re-weighting


def amounts(model: DiffusersModel, judge: Judge, word: str, count: int) -> dict[str, dict[str, float]]:
    """The amount of a word that the judge reads at each weight: mean, 95 % half-width, spread from prompt to prompt."""
    rows = []
    for seed, prompt in zip(range(count), prompts_with(word), strict=False):
        source = recorded(model, prompt, seed=seed, progress=False)
        made = prompt_to_prompt(
            model, source, [prompt] * len(WEIGHTS), weights=[{word: c} for c in WEIGHTS], progress=False
        )
        rows.append([reading.amounts[word] for reading in judge.read(made[1:])])
        print(f"{seed + 1} of {count}: {prompt!r} {np.round(rows[-1], 2)}", flush=True)
    table = np.array(rows)  # (count, weights)
    spread = table.std(0, ddof=1)
    return {
        f"{c:g}": {
            "amount": round(float(table[:, i].mean()), 4),
            "spread": round(float(spread[i]), 4),
            "amount_pm": round(float(1.96 * spread[i] / count**0.5), 4),
        }
        for i, c in enumerate(WEIGHTS)
    }


# ------------------------------------------------------------------------------------------------- the pointing game


def pointing_game(model: DiffusersModel, judge: Judge, count: int) -> dict[str, Any]:
    """How often the peak of a noun's map lies inside of the judge's region of that thing, over `count` pictures.

    Maps are means over the steps, heads and layers of GRID. Nouns whose thing the judge does not find in the picture
    do not count (`unseen`). chance: the mean share of the picture that the regions cover, what a random point hits.
    """
    found: dict[str, list[tuple[bool, float]]] = {}
    unseen, pictures = 0, 0
    for seed, (prompt, nouns) in zip(range(count), captions(), strict=False):
        look = AttentionStore(list(nouns.values()), [GRID])
        with attention(model, store=look, prompts=prompt):
            picture = model.generate(prompt, seed=seed, progress=False)[0]
        for part, noun in nouns.items():
            region = cells(judge.find(picture, part))
            if not region.any():
                unseen += 1
                continue
            peak = np.unravel_index(int(look.of(noun).argmax()), GRID)
            found.setdefault(part, []).append((bool(region[peak]), float(region.mean())))
        pictures += 1
    everything = [pair for pairs in found.values() for pair in pairs]
    return {
        "pictures": pictures,
        "unseen": unseen,
        "all": shares_of(everything),
        "by_part": {part: shares_of(pairs) for part, pairs in sorted(found.items())},
    }


def captions() -> Iterator[tuple[str, dict[str, str]]]:
    """Held-out captions, and the noun of each part that the picture should have."""
    for scene in held_out_scenes(new_combinations=False):
        if scene.thing != ABSENT and scene.style == "plain":
            yield describe(scene).text, nouns_of(scene)


def nouns_of(scene: Scene) -> dict[str, str]:
    """Part -> the noun that the plain caption has for it; a noun that two parts share is left out."""
    nouns = {name: NOUNS.get(value, [value])[0] for name in POINTED if (value := getattr(scene, name)) != ABSENT}
    words = " ".join(nouns.values()).split()
    return {part: noun for part, noun in nouns.items() if all(words.count(word) == 1 for word in noun.split())}


def cells(region: Image.Image) -> np.ndarray:
    """(16, 16) bool: the judge's cells that surely show the part."""
    return np.asarray(region.resize(GRID[::-1], Image.Resampling.BOX)) >= 128


def shares_of(pairs: Sequence[tuple[bool, float]]) -> dict[str, Any]:
    """The share of hits with its 95 % interval, and the share that chance would hit."""
    hits = sum(hit for hit, _ in pairs)
    return {
        "n": len(pairs),
        "hit": round(hits / max(1, len(pairs)), 4),
        "interval": interval(hits, len(pairs)),
        "chance": round(float(np.mean([share for _, share in pairs])) if pairs else 0.0, 4),
    }


# --------------------------------------------------------------------------------------- the lesson's tables, figures


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The lesson's tables by name, as Markdown."""
    made = {name: kind_table(kind) for name, kind in results["kinds"].items()}
    return made | {"weights": weight_table(results["reweighting"]), "pointing": pointing_table(results["pointing"])}


def kind_table(kind: dict[str, Any]) -> str:
    """Obeyed and kept at each share, then SDEdit at its best strength."""
    rows = [(f"{share}{' (sweet spot)' if share == kind['sweet'] else ''}", row) for share, row in kind["at"].items()]
    if kind["sdedit"]:
        best = f"{kind['sdedit']['best']:g}"
        rows.append((f"SDEdit {best}", kind["sdedit"][best]))
    return markdown(
        ["share injected", "obeyed (%)", "kept (dB)"],
        [
            [
                name,
                f"{100 * row['obeyed']:.0f} ± {100 * row['obeyed_pm']:.0f}",
                f"{row['kept']:.1f} ± {row['kept_pm']:.1f}",
            ]
            for name, row in rows
        ],
    )


def weight_table(words: dict[str, Any]) -> str:
    """The amounts read, a column for each word."""
    return markdown(
        ["weight", *(f"{word}, read (spread)" for word in GRADED_WORDS)],
        [
            [
                f"{c:g}".replace("-", "−"),
                *(
                    f"{row['amount']:.2f} ± {row['amount_pm']:.2f} ({row['spread']:.2f})"
                    for row in (words[word][f"{c:g}"] for word in GRADED_WORDS)
                ),
            ]
            for c in WEIGHTS
        ],
    )


def pointing_table(found: dict[str, Any]) -> str:
    """Hits by part."""
    rows = {**found["by_part"], "all": found["all"]}
    return markdown(
        ["map of", "n", "peak inside (%)", "by chance (%)"],
        [
            [
                part,
                str(row["n"]),
                f"{100 * row['hit']:.0f} ({100 * row['interval'][0]:.0f} to {100 * row['interval'][1]:.0f})",
                f"{100 * row['chance']:.0f}",
            ]
            for part, row in rows.items()
        ],
    )


def figures(model: DiffusersModel, alts: dict[str, str]) -> dict[str, show.Figure]:
    """The lesson's figures by file name; their alt texts are the lesson's."""
    from helpers.attention.edits import mixed

    seen = show.attended(model, RIDE, seed=SEED_OF_RIDE, words=["cat", "bicycle", "street"], progress=False)
    source = recorded(model, RIDE, seed=SEED_OF_RIDE, progress=False)
    shares = [0, 0.2, 0.4, 0.8, 1]
    grid = [
        sweep(
            model,
            source,
            RIDE.replace("a bicycle", ride),
            cross_replace_steps=shares,
            self_replace_steps=[s / 2 for s in shares],
            progress=False,
        )
        for ride in RIDES
    ]
    edit = mixed(model, "a cat and a dog on the beach", "a fluffy cat and a fox on the beach")
    return {
        "04_maps": show.attention_maps(seen, by="step", alt=alts["04_maps"]),
        "04_matrix": show.matrix(edit, alt=alts["04_matrix"]),
        "04_sweep": show.pictures(
            grid, rows=RIDES, columns=["I", *(f"share {s:g}" for s in shares)], alt=alts["04_sweep"]
        ),
    }


def measured(model: DiffusersModel, judge: Judge, count: int) -> dict[str, Any]:
    """All the numbers."""
    start = time.perf_counter()
    streams = {"word swap": swaps(), "phrase added": additions(), "re-weighting": reweightings()}
    found: dict[str, Any] = {
        "n": count,
        "steps": model.steps,
        "guidance": model.guidance,
        "computed in": str(model.unet.dtype).removeprefix("torch."),
    }
    found["pointing"] = pointing_game(model, judge, min(POINTING_PICTURES, 6 * count))
    prompts = max(2, count // 4)  # two at least: they have a spread
    found["reweighting"] = {"n": prompts} | {word: amounts(model, judge, word, prompts) for word in GRADED_WORDS}
    found["kinds"] = {name: measured_kind(model, judge, name, stream, count) for name, stream in streams.items()}
    return found | {"minutes": round((time.perf_counter() - start) / 60, 1)}


def main() -> None:
    """Measure and write, as the command line says."""
    parser = argparse.ArgumentParser(description="Measure lesson 4.")
    parser.add_argument("--edits", type=int, default=200, help="edits of each kind (200), at least 2")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of every picture ({STEPS})")
    parser.add_argument("--text", action="store_true", help="only write the lesson's tables and figures")
    arguments, model = parser.parse_args(), load()
    if not arguments.text:
        quick = load(dtype=fast_dtype(model.device))
        quick.steps = arguments.steps
        found = measured(quick, Judge.load(), max(2, arguments.edits))
        print(record("lesson04", {"model": model.fingerprint} | found))
    results = json.loads((RESULTS / "lesson04.json").read_text(encoding="utf-8"))
    write_lesson(LESSON, tables(results), partial(figures, model))


if __name__ == "__main__":
    main()
