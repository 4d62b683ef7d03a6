"""Lesson 3 in numbers: what a mask keeps, what DiffEdit's mask is worth, whether a seam can be seen, what it costs.

    python -m benchmarks.lesson03              100 edits with known answers, writes results/lesson03.json
    python -m benchmarks.lesson03 --quick      only the costs and the masks of words; the rest of the results stays
    python -m benchmarks.lesson03 --edits 4    a quick look, written nowhere
    python -m benchmarks.lesson03 --edits 4 --out FOLDER     written to FOLDER/lesson03.json

Needs the embedded model and its judge. About 6 s of one core for each edit, and two minutes for the rest.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks import record as recording
from benchmarks.calls import counted
from benchmarks.timing import interleaved, ratios, rounded
from helpers import load
from helpers.core.interface import join
from helpers.core.masks import from_latents, inverted, paste, to_latents, widened
from helpers.measure import Score, iou, score, seam
from helpers.methods.blended import blended_diffusion
from helpers.methods.diffedit import diffedit, difference
from helpers.methods.sdedit import sdedit
from helpers.methods.word_mask import word_mask
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet
from helpers.picturebook.caption import NOUNS
from helpers.picturebook.drawing import PARTS, part_labels
from helpers.picturebook.edits import Edit
from helpers.picturebook.judge import Judge
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import ABSENT, ACCENTS, COLORS, PLACES

KINDS = ("add", "remove", "background", "recolor")
STRENGTH = 0.75  # of every method, so that they can be compared
PAINTED = 4  # pixels by which a mask is painted wider than what changes
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
MASK_STRENGTHS = (0.3, 0.5, 0.7)
MAPS = (1, 3, 10)
KNOBS = {"strength": STRENGTH, "progress": False}
SPEED = {"strength": 0.8, "guidance": 4.0}


# ------------------------------------------------------------------------------------------------------ the edits


def edits(count: int) -> list[tuple[str, Edit]]:
    """`count` edits of held-out scenes, the kinds in turn."""
    streams = {kind: edits_of(kind) for kind in KINDS}
    return [(kind, next(streams[kind])) for kind in (KINDS[i % len(KINDS)] for i in range(count))]


def edits_of(kind: str) -> Iterator[Edit]:
    """Edits of one kind, always the same ones, whose plain pictures really change."""
    for scene in held_out_scenes(new_combinations=False):
        change = change_of(kind, scene) if scene.style == "plain" else None
        if change is not None and (edit := Edit(scene, scene.but(**change))).mask.getbbox():
            yield edit


def change_of(kind: str, scene: Scene) -> dict[str, str] | None:
    """What to change in a scene for an edit of this kind; None where it has nothing to change."""
    rng = scene.stream(f"lesson 3, {kind}")
    alone = scene.thing != ABSENT and scene.beside == ABSENT
    if kind == "add" and alone:
        return {"beside": rng.choice(["ball", "bowl of water"]), "beside_color": rng.choice(ACCENTS)}
    if kind == "remove" and scene.beside != ABSENT:
        return {"beside": ABSENT}
    if kind == "background" and alone and not scene.crowded:
        return {"place": rng.choice([place for place in PLACES if place != scene.place])}
    if kind == "recolor" and scene.has("color"):
        return {"color": rng.choice([color for color in COLORS if color != scene.color])}
    return None


def painted_mask(kind: str, edit: Edit) -> Image.Image:
    """What a reader paints: a little more than what changes; for a background, all but the thing in front of it."""
    if kind == "background":
        front = part_labels(edit.source) >= PARTS.index("thing")
        return inverted(front)
    return widened(edit.mask, PAINTED)


# ------------------------------------------------------------------------------------------------- obeyed and kept


def masked_edits(model: DiffusersModel, judge: Judge, chosen: list[tuple[str, Edit]]) -> dict[str, Any]:
    """Every method on every edit: scores, what is left outside the mask, seams, and the found masks."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for i, (kind, edit) in enumerate(chosen):
        for method, row in one_edit(model, judge, kind, edit, seed=i).items():
            rows.setdefault(method, []).append({"kind": kind} | row)
        print(f"edit {i + 1} of {len(chosen)}: {kind}, {edit.target_prompt!r}", flush=True)
    return {method: summary(found) for method, found in rows.items()}


def one_edit(model: DiffusersModel, judge: Judge, kind: str, edit: Edit, seed: int) -> dict[str, dict[str, float]]:
    """What each method makes of one edit, in numbers."""
    picture, prompt, mask = edit.picture, edit.target_prompt, painted_mask(kind, edit)
    latent_only = blended_diffusion(model, picture, prompt, mask, exact=False, seed=seed, **KNOBS)
    everywhere = sdedit(model, picture, prompt, seed=seed, **KNOBS)
    pictures = {
        "every_step": paste(latent_only, picture, mask),  # what `exact=True` gives
        "latent_only": latent_only,
        "only_at_the_end": paste(everywhere, picture, mask),
        "sdedit": everywhere,
        "the_autoencoder": model.decode(model.encode(picture))[0],
        "the_truth": edit.target_picture,
    }
    if kind == "remove":
        pictures["empty_prompt"] = blended_diffusion(model, picture, "", mask, seed=seed, guidance=0, **KNOBS)
    rows = {name: measured(result, edit, mask, judge) for name, result in pictures.items()}
    d = difference(model, picture, edit.prompt, prompt, seed=seed, progress=False)
    found = from_latents(d > 0.5, model.size)
    given = {"mask": found, "exact": False, "seed": seed} | KNOBS
    inexact = diffedit(model, picture, edit.prompt, prompt, **given)
    rows["diffedit_latent_only"] = measured(inexact, edit, found, judge)
    rows["diffedit"] = measured(paste(inexact, picture, found), edit, found, judge)
    at = {f"iou_at_{t}": iou(from_latents(d > t, model.size), edit.mask) for t in THRESHOLDS}
    rows["found_mask"] = at | {"iou_at_best": max(at.values()), "iou_of_latents": iou_of_latents(model, edit),
                               "share_of_true_mask": share(edit.mask), "share_of_found_mask": share(found)}
    return rows


def measured(result: Image.Image, edit: Edit, mask: Image.Image, judge: Judge) -> dict[str, float]:
    """Obeyed, kept, distance; the error outside the mask, in levels of 255; the seam, if the mask has a border."""
    outside = np.asarray(mask) == 0
    error = np.abs(np.asarray(result, dtype=int) - np.asarray(edit.picture, dtype=int)).max(-1)[outside]
    bordered = outside.any() and not outside.all()
    return score(result, edit, judge)._asdict() | {
        "outside_mean": float(error.mean()) if error.size else math.nan,
        "outside_most": float(error.max()) if error.size else math.nan,
        "seam": seam(result, mask) if bordered else math.nan,
    }


def iou_of_latents(model: DiffusersModel, edit: Edit) -> float:
    """What a mask made of whole latents reaches: of those at least half white, or of all that are touched."""
    latents = torch.zeros(model.shape(1))
    small = edit.mask.resize(latents.shape[:1:-1], Image.Resampling.BOX)  # (width, height)
    half = from_latents(torch.from_numpy(np.asarray(small) >= 128), model.size)
    touched = from_latents(to_latents(edit.mask, latents)[0, 0], model.size)
    return max(iou(half, edit.mask), iou(touched, edit.mask))


def share(mask: Image.Image) -> float:
    """How much of the picture is white."""
    return float(np.asarray(mask).mean() / 255)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Each number's mean and 95 % half-width over all edits, and obeyed, kept and IoU for each kind."""
    told: dict[str, Any] = {"edits": len(rows)}
    for name in [key for key in rows[0] if key != "kind"]:
        told |= mean_and_half_width(name, [row[name] for row in rows if not math.isnan(row[name])] or [0.0])
    names = [name for name in (*Score._fields, "seam", "iou_at_0.5") if name in rows[0]]
    told["by_kind"] = {
        kind: {name: round(fmean(values), 3) for name in names
               if (values := [r[name] for r in rows if r["kind"] == kind and not math.isnan(r[name])])}
        for kind in sorted({row["kind"] for row in rows})
    }
    return told


def mean_and_half_width(name: str, values: list[float]) -> dict[str, float]:
    """The mean under `name`, and 1.96 standard errors of it under "name +-"."""
    spread = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return {name: round(fmean(values), 4), f"{name} +-": round(spread, 4)}


# ------------------------------------------------------------------------------------------------ the found mask


def mask_sweep(model: DiffusersModel, chosen: list[tuple[str, Edit]]) -> dict[str, Any]:
    """IoU of DiffEdit's mask with the true one over the strength of the noise and the number of maps."""
    knobs = [(strength, 10) for strength in MASK_STRENGTHS] + [(0.5, maps) for maps in MAPS if maps != 10]
    told = {}
    for strength, maps in knobs:
        found = [
            difference(model, edit.picture, edit.prompt, edit.target_prompt, strength=strength, maps=maps, seed=i,
                       progress=False)
            for i, (_, edit) in enumerate(chosen)
        ]
        told[f"strength {strength}, {maps} maps"] = ious(model, found, chosen)
    return {"edits": len(chosen), "at": told}


def ious(model: DiffusersModel, found: list[Tensor], chosen: list[tuple[str, Edit]]) -> dict[str, float]:
    """IoU at each threshold, the mean over the edits and its 95 % half-width."""
    told = {}
    for threshold in THRESHOLDS:
        values = [iou(from_latents(d > threshold, model.size), edit.mask)
                  for d, (_, edit) in zip(found, chosen, strict=True)]
        told |= mean_and_half_width(str(threshold), values)
    return told


def word_masks(model: DiffusersModel, chosen: list[tuple[str, Edit]]) -> dict[str, float]:
    """IoU of the mask that a word's attention gives: of what is recoloured, and of all but it for a background."""
    values: dict[str, list[float]] = {"recolor": [], "background": []}
    for kind, edit in chosen:
        word = NOUNS.get(edit.source.thing, [edit.source.thing])[0]
        if kind in values and word in edit.prompt:
            mask = word_mask(model, edit.picture, edit.prompt, word)
            values[kind].append(iou(mask if kind == "recolor" else inverted(mask), edit.mask))
    return {key: value for kind, found in values.items() for key, value in
            ({f"{kind} edits": len(found)} | (mean_and_half_width(kind, found) if found else {})).items()}


# ----------------------------------------------------------------------------------------------------- what it costs


def costs(model: DiffusersModel, steps: int, repeats: int) -> dict[str, Any]:
    """Seconds and network rows of our methods against the bare calls they make, on the embedded model.

    The methods also encode and decode a picture, which the bare calls leave out.
    """
    kind, edit = next((kind, edit) for kind, edit in edits(4) if kind == "recolor")
    mask, picture, prompt = painted_mask(kind, edit), edit.picture, edit.target_prompt
    knobs = SPEED | {"steps": steps, "progress": False}
    n = len(model.times(steps, SPEED["strength"])) - 1
    return SPEED | {"steps": steps} | compared(model, repeats, {
        "bare calls of blended_diffusion": lambda: bare(model, [2] * n),
        "blended_diffusion": lambda: blended_diffusion(model, picture, prompt, mask, **knobs),
        "bare calls of diffedit": lambda: bare(model, [20] + [1] * n + [2] * n),
        "diffedit": lambda: diffedit(model, picture, edit.prompt, prompt, **knobs),
    }, {"blended_diffusion": "bare calls of blended_diffusion", "diffedit": "bare calls of diffedit"})


def peers(model: DiffusersModel, steps: int, repeats: int) -> dict[str, Any]:
    """Ours against diffusers' inpaint and (deprecated) DiffEdit pipelines, on one 4-channel network.

    Both want latents of 4 channels, so they run on a network of Picturebook's size with random weights.
    """
    from diffusers import DDIMInverseScheduler, StableDiffusionDiffEditPipeline, StableDiffusionInpaintPipeline

    ours = four_channels(model)
    with quiet():
        components = ours.pipeline.components
        inpaint = StableDiffusionInpaintPipeline(**components, requires_safety_checker=False)
        inverse = DDIMInverseScheduler.from_config(ours.scheduler.config)
        components = {name: part for name, part in components.items() if name != "image_encoder"}
        theirs = StableDiffusionDiffEditPipeline(**components, inverse_scheduler=inverse, requires_safety_checker=False)
    for pipeline in (inpaint, theirs):
        pipeline.set_progress_bar_config(disable=True)
    _, edit = edits(1)[0]
    picture, mask, old, new = edit.picture, painted_mask("add", edit), edit.prompt, edit.target_prompt
    knobs = SPEED | {"steps": steps, "progress": False}
    told = {"num_inference_steps": steps, "guidance_scale": SPEED["guidance"]}

    def their_diffedit() -> None:
        generator = torch.Generator().manual_seed(0)
        found = theirs.generate_mask(picture, target_prompt=new, source_prompt=old, generator=generator, **told)
        latents = theirs.invert(prompt="", image=picture, inpaint_strength=SPEED["strength"], generator=generator,
                                **told).latents
        theirs(prompt=new, mask_image=np.maximum(found, 0), image_latents=latents, generator=generator,
               inpaint_strength=SPEED["strength"], **told)

    with quiet():
        return SPEED | {"steps": steps} | compared(ours, repeats, {
            "diffusers inpaint": lambda: inpaint(
                prompt=new, image=picture, mask_image=mask, height=128, width=128, strength=SPEED["strength"],
                generator=torch.Generator().manual_seed(0), **told),
            "blended_diffusion": lambda: blended_diffusion(ours, picture, new, mask, **knobs),
            "diffusers DiffEdit": their_diffedit,
            "diffedit": lambda: diffedit(ours, picture, old, new, **knobs),
        }, {"blended_diffusion": "diffusers inpaint", "diffedit": "diffusers DiffEdit"})


def four_channels(model: DiffusersModel) -> DiffusersModel:
    """A model of Picturebook's size with latents of 4 channels, as Stable Diffusion's are; random weights."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(0)
        unet = UNet2DConditionModel.from_config(dict(model.unet.config) | {"in_channels": 4, "out_channels": 4})
        vae = AutoencoderKL(block_out_channels=(32, 32, 32, 32), down_block_types=["DownEncoderBlock2D"] * 4,
                            up_block_types=["UpDecoderBlock2D"] * 4, latent_channels=4, sample_size=128)
        scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
                                  set_alpha_to_one=False, steps_offset=1)
        parts = {"text_encoder": model.pipeline.text_encoder, "tokenizer": model.pipeline.tokenizer}
        pipeline = StableDiffusionPipeline(vae=vae.eval(), unet=unet.eval(), scheduler=scheduler, **parts,
                                           safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    return DiffusersModel(pipeline.to(model.device))


def compared(model: DiffusersModel, repeats: int, runs: dict[str, Callable[[], Any]],
             against: dict[str, str]) -> dict[str, Any]:
    """Calls and rows of the network and the seconds of each run, on one core; ratios of seconds."""
    torch.set_num_threads(1)
    calls = {}
    for name, run in runs.items():
        with counted(model) as rows:
            run()
        calls[name] = {"calls": len(rows), "rows": sum(rows)}
    seconds = interleaved(runs, repeats)
    return {"repeats": repeats, "network": calls, "seconds": rounded(seconds),
            "ratio": {f"{name} / {other}": ratios(seconds, other)[name] for name, other in against.items()}}


@torch.no_grad()
def bare(model: DiffusersModel, rows: list[int]) -> None:
    """The network alone, called with so many rows each time."""
    text = model.embed("a cat")
    for count in rows:
        words = join(text.rows(count), text)[slice(count)].embeddings.to(model.unet.dtype)
        x = torch.zeros(model.shape(count), dtype=model.unet.dtype, device=model.device)
        model.unet(x, 500, encoder_hidden_states=words, return_dict=False)


def main() -> None:
    """Measure and write, as the command line says."""
    parser = argparse.ArgumentParser(description="Measure lesson 3.")
    parser.add_argument("--edits", type=int, default=100, help="under 100 nothing is written, unless --out is given")
    parser.add_argument("--quick", action="store_true", help="only the costs and the masks of words, the rest stays")
    parser.add_argument("--out", type=Path, help="folder to write to instead of results/")
    arguments = parser.parse_args()
    count, model = arguments.edits, load()
    chosen, whole = edits(count), count >= 100
    results = {
        "edits": count, "strength": STRENGTH, "steps": model.steps, "guidance": model.guidance,
        "costs": costs(model, steps=25 if whole else 4, repeats=7 if whole else 1),
        "peers": peers(model, steps=50 if whole else 6, repeats=3 if whole else 1),
        "word_masks": word_masks(model, chosen),
    }
    if arguments.quick:
        known = json.loads((recording.RESULTS / "lesson03.json").read_text(encoding="utf-8"))
        results = {name: found for name, found in known.items() if name != "measured"} | results
    else:
        results |= {"masks": mask_sweep(model, chosen[: max(2, count // 4)]),
                    "methods": masked_edits(model, Judge.load(), chosen)}
    print(json.dumps(results, indent=1))
    if arguments.out:
        recording.RESULTS = arguments.out
    if arguments.out or whole:
        print(recording.record("lesson03", results))


if __name__ == "__main__":
    main()
