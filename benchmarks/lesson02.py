"""Lesson 2 in numbers: how strength trades obeyed for kept, what MagicMix mixes, and what both cost.

    python benchmarks/lesson02.py             measures everything, writes results/lesson02.json and the lesson's table
    python benchmarks/lesson02.py --count 2   a quick run with 2 edits, written nowhere
    python benchmarks/lesson02.py --text      measures nothing: the lesson's table from the results, and its figures

Needs the embedded model and its judge. About 1 s of two cores for each full-length picture.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from statistics import fmean, median, stdev
from time import perf_counter
from typing import Any

import torch
from record import RESULTS, ROOT, record

from helpers import AnalyticModel, load, show
from helpers.diffusion import add_noise, denoise, join, noise
from helpers.magicmix import magicmix
from helpers.measure import Score, psnr, score
from helpers.model import DiffusersModel, quiet
from helpers.picturebook.edits import KINDS, Edit, random_edit
from helpers.picturebook.judge import Judge, pixels
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import CLASSES
from helpers.pictures import to_tensor
from helpers.sdedit import sdedit

LESSON = ROOT / "lessons" / "02_noise_and_denoise.md"
FIGURES = LESSON.parent / "figures"
STRENGTHS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
NUS = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0)
K_MIN, K_MAX = 0.4, 0.8  # Picturebook's schedule holds less noise at a time than Stable Diffusion's
OVERHEAD = {"strength": 0.6, "steps": 25, "guidance": 4.0}


# ------------------------------------------------------------------------------------------------------ the strength


def edits(count: int) -> list[tuple[str, Edit]]:
    """`count` edits with known answers, the kinds in turn."""
    kinds = list(KINDS)
    return [(kinds[i % len(kinds)], random_edit(kinds[i % len(kinds)], i // len(kinds))) for i in range(count)]


def strength_curve(model: DiffusersModel, judge: Judge, count: int) -> dict[str, Any]:
    """Obeyed, kept and distance of SDEdit at each strength, over `count` edits, and obeyed for each kind of edit."""
    chosen, rows, by_kind = edits(count), {}, {}
    for strength in STRENGTHS:
        scores = [
            score(sdedit(model, edit.picture, edit.target_prompt, strength=strength, seed=i, progress=False), edit,
                  judge)
            for i, (_, edit) in enumerate(chosen)
        ]
        rows[str(strength)] = summary(scores)
        by_kind[str(strength)] = {kind: round(fmean(s.obeyed for s, (k, _) in zip(scores, chosen, strict=True)
                                                    if k == kind), 3) for kind in {k for k, _ in chosen}}
        print(strength, rows[str(strength)], flush=True)
    return {"edits": count, "steps": model.steps, "guidance": model.guidance, "at": rows, "obeyed_by_kind": by_kind}


def summary(scores: list[Score]) -> dict[str, float]:
    """Each number's mean and the half-width of its 95 % interval."""
    found = {}
    for name in Score._fields:
        found |= mean_and_half_width(name, [getattr(s, name) for s in scores])
    return found


def mean_and_half_width(name: str, values: list[float]) -> dict[str, float]:
    """The mean under `name`, and 1.96 standard errors of it under "name +-"."""
    spread = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return {name: round(fmean(values), 3), f"{name} +-": round(spread, 3)}


# --------------------------------------------------------------------------------------------------------- MagicMix


def mixing_curve(model: DiffusersModel, judge: Judge, count: int) -> dict[str, Any]:
    """What the judge sees in mixes of two animals at each nu: the layout's or the prompt's; how near the layout is."""
    chosen, rows = [random_edit("thing", i) for i in range(count)], {}
    for nu in NUS:
        mixes = [
            magicmix(model, edit.picture, f"a {edit.target.thing}", k_min=K_MIN, k_max=K_MAX, nu=nu, seed=i,
                     progress=False)
            for i, edit in enumerate(chosen)
        ]
        pairs = list(zip(mixes, chosen, strict=True))
        layout = [belief(judge, picture, edit.source.thing) for picture, edit in pairs]
        content = [belief(judge, picture, edit.target.thing) for picture, edit in pairs]
        near = [psnr_of(picture, edit.picture) for picture, edit in pairs]
        rows[str(nu)] = (mean_and_half_width("layout_thing", layout) | mean_and_half_width("prompt_thing", content)
                         | mean_and_half_width("like_the_layout", near))
        print(nu, rows[str(nu)], flush=True)
    return {"mixes": count, "k_min": K_MIN, "k_max": K_MAX, "at": rows}


@torch.no_grad()
def belief(judge: Judge, picture: Any, thing: str) -> float:
    """The probability that the judge gives to `thing` as the main thing of the picture."""
    logits, _ = judge(pixels([picture]))
    return float(logits["thing"].softmax(1)[0, CLASSES["thing"].index(thing)])


def psnr_of(a: Any, b: Any) -> float:
    """PSNR in dB of two pictures, over all pixels."""
    first, second = ((to_tensor([p]).numpy() + 1) / 2 for p in (a, b))
    return float(psnr(first, second))


# ----------------------------------------------------------------------------------------------------- what it costs


@contextmanager
def counted(model: DiffusersModel) -> Iterator[list[int]]:
    """Rows of each call of the network."""
    rows: list[int] = []
    hook = model.unet.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    try:
        yield rows
    finally:
        hook.remove()


def costs(model: DiffusersModel, repeats: int) -> dict[str, Any]:
    """Seconds and network calls of sdedit, magicmix and diffusers' img2img, against the bare calls they make."""
    edit = random_edit("color", 0)
    knobs = {"seed": 0, "steps": OVERHEAD["steps"], "guidance": OVERHEAD["guidance"]}
    strength, picture, prompt = OVERHEAD["strength"], edit.picture, edit.target_prompt
    pipeline = img2img(model)
    runs: dict[str, Callable[[], Any]] = {
        "bare_network": lambda: bare_network(model, prompt, strength),
        "bare_network_and_autoencoder": lambda: bare_all(model, picture, prompt, strength),
        "sdedit": lambda: sdedit(model, picture, prompt, strength=strength, progress=False, **knobs),
        "magicmix": lambda: magicmix(model, picture, prompt, k_max=strength, progress=False, **knobs),
        "diffusers_img2img": lambda: pipeline(prompt=prompt, image=picture, strength=strength,
                                              num_inference_steps=knobs["steps"], guidance_scale=knobs["guidance"],
                                              generator=torch.Generator().manual_seed(0)),
    }
    calls = {name: calls_of(model, run) for name, run in runs.items()}
    seconds = interleaved(runs, repeats)
    bare, whole = seconds["bare_network"], seconds["bare_network_and_autoencoder"]
    return OVERHEAD | {
        "repeats": repeats,
        "calls": calls,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "against_bare_network": {name: round(value / bare, 3) for name, value in seconds.items()},
        "against_network_and_autoencoder": {name: round(value / whole, 3) for name, value in seconds.items()},
    }


def calls_of(model: DiffusersModel, run: Callable[[], Any]) -> int:
    """Network calls of one run; it warms up what the timing uses, too."""
    with counted(model) as rows:
        run()
    return len(rows)


def interleaved(runs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The median seconds of each run; the runs take turns, so that a busy machine slows all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = perf_counter()
            run()
            seconds[name].append(perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}


@torch.no_grad()
def bare_network(model: DiffusersModel, prompt: str, strength: float) -> None:
    """The network alone, called as often and with as many rows as SDEdit calls it."""
    text = model.embed(prompt)
    both = join(text.unconditional(), text).embeddings.to(model.unet.dtype)
    x = torch.zeros(model.shape(2), dtype=model.unet.dtype, device=model.device)
    for t, _ in pairwise(model.times(OVERHEAD["steps"], strength)):
        model.unet(x, t, encoder_hidden_states=both, return_dict=False)


def bare_all(model: DiffusersModel, picture: Any, prompt: str, strength: float) -> None:
    """The network as above, and the autoencoder once each way."""
    latent = model.encode(picture)
    bare_network(model, prompt, strength)
    model.decode(latent)


def img2img(model: DiffusersModel) -> Any:
    """diffusers' own pipeline on the same weights."""
    from diffusers import StableDiffusionImg2ImgPipeline

    with quiet():
        pipeline = StableDiffusionImg2ImgPipeline(**model.pipeline.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


# ------------------------------------------------------------------------------------------------- the lesson's table


def table(results: dict[str, Any]) -> str:
    """The lesson's table of strength against obeyed, kept and distance, as Markdown."""
    head = "| strength | obeyed (%) | kept (dB) | distance (%) |\n|---:|---:|---:|---:|\n"
    return head + "\n".join(
        f"| {float(strength):g} | {100 * row['obeyed']:.0f} | {row['kept']:.1f} | {100 * row['distance']:.1f} |"
        for strength, row in results["strength"]["at"].items()
    )


def with_table(text: str, results: dict[str, Any]) -> str:
    """The lesson's text with the table between its two marks."""
    block = f"<!-- table: strength -->\n{table(results)}\n<!-- end of table -->"
    return re.sub(r"(?s)<!-- table: strength -->.*?<!-- end of table -->", lambda _: block, text)


def write_text(model: DiffusersModel) -> None:
    """The table of results/lesson02.json into the lesson, and the lesson's figures."""
    results = json.loads((RESULTS / "lesson02.json").read_text())
    LESSON.write_text(with_table(LESSON.read_text(encoding="utf-8"), results), encoding="utf-8")
    for name, figure in figures(model).items():
        print(figure.save(FIGURES / f"{name}.webp"))


def figures(model: DiffusersModel) -> dict[str, show.Figure]:
    """The lesson's figures by file name."""
    cat = Scene(seed=2, thing="cat", color="orange", place="beach")
    edit = Edit(cat, cat.but(color="blue"))
    strengths, nus, knobs = [0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 0.6, 0.8, 0.9, 1.0], {"seed": 7, "progress": False}
    edited = [sdedit(model, edit.picture, edit.target_prompt, strength=s, **knobs) for s in strengths]
    mixed = [magicmix(model, edit.picture, "a train", k_min=K_MIN, k_max=K_MAX, nu=nu, **knobs) for nu in nus]
    return {
        "02_plane": plane_figure(),
        "02_strength": show.sweep(edited, strengths, name="strength", alt="SDEdit at five strengths"),
        "02_nu": show.sweep(mixed, nus, name="nu", alt="MagicMix at five values of nu"),
    }


def plane_figure() -> show.Figure:
    """SDEdit's paths in the plane of the analytic model, from one guide under the prompt "left"."""
    model, guide = AnalyticModel(), [1.2, -1.2]
    return show.plane(model, points={"the guide": guide}, alt="paths of SDEdit at two strengths",
                      paths={f"strength {s}": paths(model, guide, "left", s) for s in (0.2, 0.6)})


def paths(model: AnalyticModel, guide: list[float], prompt: str, strength: float) -> Any:
    """SDEdit's states for six seeds, (6, states, 2)."""
    start, times = model.encode([guide] * 6), model.times(50, strength)
    states = [start, add_noise(model, start, noise(7, start.shape), times[0])]
    denoise(model, states[1], model.embed(prompt), times, 1.0, lambda x, **_: states.append(x), progress=False)
    return torch.stack(states, 1)[..., 0, 0].numpy()


def main() -> None:
    """Measure and write, as the command line says."""
    parser = argparse.ArgumentParser(description="Measure lesson 2.")
    parser.add_argument("--count", type=int, default=104, help="edits; under 100 nothing is written")
    parser.add_argument("--text", action="store_true", help="only write the lesson's table and figures")
    arguments = parser.parse_args()
    model = load()
    if not arguments.text:
        results = measured(model, Judge.load(), arguments.count)
        print(json.dumps(results["costs"], indent=1))
    if arguments.count < 100:
        return
    if not arguments.text:
        print(record("lesson02", results))
    write_text(model)


def measured(model: DiffusersModel, judge: Judge, count: int) -> dict[str, Any]:
    """All the numbers."""
    return {
        "costs": costs(model, repeats=9 if count >= 100 else 3),
        "mixing": mixing_curve(model, judge, max(2, count // 2)),
        "strength": strength_curve(model, judge, count),
    }


if __name__ == "__main__":
    main()
