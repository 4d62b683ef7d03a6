"""Lesson 2 in numbers: how strength trades obeyed for kept, what MagicMix's knobs do, and what both cost.

    python -m benchmarks.lesson02                       108 edits, 30 mixes: under 20 minutes on one core
    python -m benchmarks.lesson02 --count 2 --steps 8   to see that it works; what it writes is of no use
    python -m benchmarks.lesson02 --costs               only the costs; the rest of the results stays
    python -m benchmarks.lesson02 --text                measures nothing: the lesson's tables and figures anew

Writes results/lesson02.json, and with it the tables and figures of lessons/02_noise_and_denoise.md. The edits are those
of lesson 1; strengths that results/lesson01.json has for these edits and this model are taken from there.

    strength    SDEdit at each strength: obeyed, kept and distance, with half the width of the 95 % interval (_pm)
    mixing      MagicMix turning one animal into another, one knob turned at a time around the middle MIDDLE; beside
                the same numbers the share of mixes which the judge takes for the old animal, and for neither
    costs       seconds and network calls of both methods and of their peers, all in one run
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks.calls import counted
from benchmarks.lesson01 import MEASURED_KINDS, summary
from benchmarks.record import RESULTS, ROOT, record
from benchmarks.texts import write_lesson
from benchmarks.timing import interleaved, ratios, rounded
from helpers import AnalyticModel, load, show
from helpers.core.diffusion import add_noise, denoise
from helpers.core.interface import Text, join
from helpers.core.randomness import noise
from helpers.measure import score
from helpers.methods.magicmix import magicmix
from helpers.methods.sdedit import sdedit
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet
from helpers.picturebook.edits import Edit, random_edit
from helpers.picturebook.judge import Judge
from helpers.picturebook.scene import Scene

LESSON = ROOT / "lessons" / "02_noise_and_denoise.md"
STRENGTHS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SOURCE = Scene(seed=2, thing="cat", color="orange", place="beach")  # the cat of the lesson and its notebook
MIX_PROMPT = "a castle on the beach"
OVERHEAD = {"strength": 0.6, "steps": 25, "guidance": 4.0}


class Knobs(NamedTuple):
    """MagicMix's knobs."""

    k_min: float
    k_max: float
    nu: float


#: Picturebook's schedule holds less noise at a time than Stable Diffusion's, so all knobs are higher than the paper's
MIDDLE = Knobs(k_min=0.5, k_max=0.9, nu=0.7)
TURNED = {"nu": (0.0, 0.3, 0.5, 0.7, 0.9, 1.0), "k_min": (0.3, 0.5, 0.7), "k_max": (0.7, 0.9, 1.0)}


# ------------------------------------------------------------------------------------------------------ the strength


def edits(count: int) -> list[Edit]:
    """The first `count` edits of lesson 1, the kinds in turn."""
    kinds = len(MEASURED_KINDS)
    return [random_edit(MEASURED_KINDS[i % kinds], i // kinds) for i in range(count)]


def strength_curve(model: DiffusersModel, judge: Judge, count: int) -> dict[str, Any]:
    """Obeyed, kept and distance of SDEdit at each strength, over `count` edits."""
    chosen, known, rows = edits(count), of_lesson_1(model, count), {}
    for strength in STRENGTHS:
        rows[str(strength)] = known.get(str(strength)) or summary(np.array([
            score(sdedit(model, edit.picture, edit.target_prompt, strength=strength, seed=i, progress=False), edit,
                  judge) for i, edit in enumerate(chosen)]))
        print("strength", strength, rows[str(strength)], flush=True)
    return {"n": count, "steps": model.steps, "guidance": model.guidance, "at": rows}


def of_lesson_1(model: DiffusersModel, count: int) -> dict[str, Any]:
    """What results/lesson01.json says of SDEdit at each strength, if it is about these edits and this model."""
    file = RESULTS / "lesson01.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    same = [found.get(key) for key in ("n", "model", "steps")] == [count, model.fingerprint, model.steps]
    return found["sdedit"] if same else {}


# --------------------------------------------------------------------------------------------------------- MagicMix


def settings() -> list[Knobs]:
    """The middle, and every value of every knob with the others in the middle; each once."""
    return list(dict.fromkeys(MIDDLE._replace(**{name: value}) for name, values in TURNED.items() for value in values))


def mixing_curves(model: DiffusersModel, judge: Judge, count: int) -> dict[str, Any]:
    """MagicMix from one animal to another over `count` edits: for each knob, its values and what came out at each."""
    chosen = [random_edit("thing", i) for i in range(count)]
    found = {}
    for knobs in settings():
        found[knobs] = mixed(model, judge, chosen, knobs)
        print(*knobs, found[knobs], flush=True)
    curves = {name: {f"{value:g}": found[MIDDLE._replace(**{name: value})] for value in values}
              for name, values in TURNED.items()}
    return {"n": count, "middle": MIDDLE._asdict(), **curves}


def mixed(model: DiffusersModel, judge: Judge, chosen: list[Edit], knobs: Knobs) -> dict[str, float]:
    """Obeyed, kept and distance, and the shares of mixes the judge takes for the old animal, or for neither."""
    pictures = [magicmix(model, edit.picture, edit.target_prompt, **knobs._asdict(), seed=i, progress=False)
                for i, edit in enumerate(chosen)]
    things = [reading.attributes["thing"] for reading in judge.read(pictures)]
    pairs = list(zip(things, chosen, strict=True))
    numbers = summary(np.array([score(p, edit, judge) for p, edit in zip(pictures, chosen, strict=True)]))
    return numbers | {
        "old": round(float(np.mean([thing == edit.source.thing for thing, edit in pairs])), 4),
        "neither": round(float(np.mean([thing not in (edit.source.thing, edit.target.thing)
                                        for thing, edit in pairs])), 4),
    }


# ----------------------------------------------------------------------------------------------------- what it costs


def costs(model: DiffusersModel, repeats: int) -> dict[str, Any]:
    """What sdedit, magicmix and diffusers' img2img cost, against the bare network calls that they make.

    calls, rows: of the network; two rows a call with guidance. seconds: of one core where the model is on the CPU, else
    on the clock, in the best of the rounds.
    """
    torch.set_num_threads(1)
    edit, text = random_edit("color", 0), model.embed("a cat")
    knobs = {"seed": 0, "steps": OVERHEAD["steps"], "guidance": OVERHEAD["guidance"], "progress": False}
    picture, prompt, strength, pipeline = edit.picture, edit.target_prompt, OVERHEAD["strength"], img2img(model)
    runs: dict[str, Callable[[], Any]] = {
        "network": lambda: network_alone(model, text, strength),
        "network and autoencoder": lambda: model.decode(model.encode(picture)) and network_alone(model, text, strength),
        "sdedit": lambda: sdedit(model, picture, prompt, strength=strength, **knobs),
        "magicmix": lambda: magicmix(model, picture, prompt, k_max=strength, **knobs),
        "diffusers img2img": lambda: pipeline(prompt, picture, strength, knobs["steps"],
                                              guidance_scale=knobs["guidance"],
                                              generator=torch.Generator().manual_seed(0)),
    }
    rows = {name: rows_of(model, run) for name, run in runs.items()}
    seconds = interleaved(runs, repeats)
    found = OVERHEAD | {
        "repeats": repeats,
        "calls": {name: len(each) for name, each in rows.items()},
        "rows": {name: sum(each) for name, each in rows.items()},
        "seconds": rounded(seconds),
    }
    # The community's MagicMix is not in diffusers' wheel; read in its code: two rows for each of int(k_max * steps).
    found["rows"]["community magicmix (from its code)"] = 2 * int(strength * knobs["steps"])
    for base in ("network", "network and autoencoder"):
        found[f"against the {base}"] = ratios(seconds, base)
    print(json.dumps(found, indent=1), flush=True)
    return found


def rows_of(model: DiffusersModel, run: Callable[[], Any]) -> list[int]:
    """Rows of each network call of one run."""
    with counted(model) as rows:
        run()
    return rows


@torch.no_grad()
def network_alone(model: DiffusersModel, text: Text, strength: float) -> None:
    """The network alone, called as often and with as many rows as SDEdit calls it."""
    both = join(text.unconditional(), text).embeddings.to(model.unet.dtype)
    x = torch.zeros(model.shape(2), dtype=model.unet.dtype, device=model.device)
    for t, _ in pairwise(model.times(OVERHEAD["steps"], strength)):
        x = model.unet(x, t, encoder_hidden_states=both, return_dict=False)[0]
    x.cpu()  # where there is a GPU, wait for it


def img2img(model: DiffusersModel) -> Any:
    """diffusers' own pipeline on the same weights."""
    from diffusers import StableDiffusionImg2ImgPipeline

    with quiet():
        pipeline = StableDiffusionImg2ImgPipeline(**model.pipeline.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


# ----------------------------------------------------------------------------------------- the lesson's tables, figures


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The lesson's tables by name, as Markdown."""
    columns = {"strength": results["strength"]["at"], **{name: results["mixing"][name] for name in TURNED}}
    shares = {"old": "taken for the old animal (%)", "neither": "for neither (%)"}
    return {name: table(f"`{name}`", rows, shares if name in TURNED else {}) for name, rows in columns.items()}


def table(name: str, rows: dict[str, dict[str, float]], more: dict[str, str]) -> str:
    """Obeyed, kept and distance at each value of a knob, and the shares in `more`, by their headings."""
    heads = [name, "obeyed (%)", "kept (dB)", "distance (%)", *more.values()]
    lines = [f"| {' | '.join(heads)} |", f"|{'---:|' * len(heads)}"]
    for value, row in rows.items():
        cells = [f"{float(value):g}", f"{100 * row['obeyed']:.0f} ± {100 * row['obeyed_pm']:.0f}",
                 f"{row['kept']:.1f} ± {row['kept_pm']:.1f}", f"{100 * row['distance']:.1f}",
                 *(f"{100 * row[key]:.0f}" for key in more)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def figures(model: DiffusersModel, alts: dict[str, str]) -> dict[str, show.Figure]:
    """The lesson's figures by file name; their alt texts are the lesson's."""
    edit = Edit(SOURCE, SOURCE.but(color="blue"))
    strengths, nus, knobs = (0.3, 0.5, 0.7, 0.8, 0.9, 1.0), TURNED["nu"], {"seed": 7, "progress": False}
    edited = [sdedit(model, edit.picture, edit.target_prompt, strength=s, **knobs) for s in strengths]
    mixes = [magicmix(model, edit.picture, MIX_PROMPT, **MIDDLE._replace(nu=nu)._asdict(), **knobs) for nu in nus]
    return {
        "02_plane": plane_figure(alts["02_plane"]),
        "02_strength": show.sweep(edited, strengths, name="strength", alt=alts["02_strength"]),
        "02_nu": show.sweep(mixes, nus, name="nu", alt=alts["02_nu"]),
    }


def plane_figure(alt: str) -> show.Figure:
    """SDEdit's paths in the plane of the analytic model, from one guide under the prompt "left"."""
    model, guide = AnalyticModel(), [1.2, -1.2]
    return show.plane(model, points={"the guide": guide}, alt=alt,
                      paths={f"strength {s}": paths(model, guide, "left", s) for s in (0.2, 0.6)})


def paths(model: AnalyticModel, guide: list[float], prompt: str, strength: float) -> Any:
    """SDEdit's states for six seeds, (6, states, 2)."""
    start, times = model.encode([guide] * 6), model.times(50, strength)
    states = [start, add_noise(model, start, noise(7, start.shape), times[0])]
    denoise(model, states[1], model.embed(prompt), times, 1.0, lambda x, **_: states.append(x), progress=False)
    return torch.stack(states, 1)[..., 0, 0].numpy()


def measured(model: DiffusersModel, judge: Judge, count: int, mixes: int) -> dict[str, Any]:
    """All the numbers."""
    start = time.perf_counter()
    found = {"model": model.fingerprint, "costs": costs(model, repeats=9 if count > 20 else 3)}
    found |= {"strength": strength_curve(model, judge, count), "mixing": mixing_curves(model, judge, mixes)}
    return found | {"minutes": round((time.perf_counter() - start) / 60, 1)}


def main() -> None:
    """Measure and write, as the command line says."""
    parser = argparse.ArgumentParser(description="Measure lesson 2.")
    parser.add_argument("--count", type=int, default=108, help="edits for the strength (108); mixes are fewer")
    parser.add_argument("--steps", type=int, help="of every edit; the model's own unless given")
    parser.add_argument("--text", action="store_true", help="only write the lesson's tables and figures")
    parser.add_argument("--costs", action="store_true", help="only measure the costs; the rest of the results stays")
    arguments = parser.parse_args()
    model = load()
    model.steps = arguments.steps or model.steps
    if arguments.costs:
        found = json.loads((RESULTS / "lesson02.json").read_text(encoding="utf-8")) | {"costs": costs(model, 9)}
        del found["measured"]
        print(record("lesson02", found))
    elif not arguments.text:
        mixes = max(2, round(arguments.count * 30 / 108))
        print(record("lesson02", measured(model, Judge.load(), arguments.count, mixes)))
    results = json.loads((RESULTS / "lesson02.json").read_text(encoding="utf-8"))
    write_lesson(LESSON, tables(results), partial(figures, model))


if __name__ == "__main__":
    main()
