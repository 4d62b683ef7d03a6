"""The figures of lesson 3 and its tables, from the embedded model and results/lesson03.json.

    python tools/draw_lesson03.py            figures and tables
    python tools/draw_lesson03.py --tables   only the tables, which need no model

Run it after benchmarks/lesson03.py. Each figure's alt text is the lesson's.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.texts import markdown, write_lesson  # noqa: E402
from helpers import load, show  # noqa: E402
from helpers.core.diffusion import add_noise, cfg, ddim_step  # noqa: E402
from helpers.core.masks import blend, inverted, paste, to_latents, widened  # noqa: E402
from helpers.core.randomness import noise  # noqa: E402
from helpers.methods.blended import blended_diffusion  # noqa: E402
from helpers.methods.diffedit import find_mask  # noqa: E402
from helpers.methods.sdedit import sdedit  # noqa: E402
from helpers.models.diffusers_model import DiffusersModel  # noqa: E402
from helpers.picturebook.drawing import part_mask  # noqa: E402
from helpers.picturebook.edits import Edit  # noqa: E402
from helpers.picturebook.scene import Scene  # noqa: E402

LESSON = ROOT / "lessons" / "03_masking.md"
RESULTS = ROOT / "results" / "lesson03.json"
SCENE = Scene(seed=4, thing="cat", color="orange", place="beach")  # the notebook's
BALL = Edit(SCENE, SCENE.but(beside="ball", beside_color="white"))
SEED, STRENGTH = 1, 0.75
METHODS = {
    "sdedit": "SDEdit, no mask",
    "only_at_the_end": "SDEdit, pasted at the end",
    "latent_only": "blended, latents alone",
    "every_step": "blended, exact",
    "diffedit_latent_only": "DiffEdit, latents alone",
    "diffedit": "DiffEdit, exact",
    "the_autoencoder": "the autoencoder alone",
    "the_truth": "the true I*",
}


# ----------------------------------------------------------------------------------------------------------- tables


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The lesson's tables by name, as Markdown."""
    return {"methods": methods_table(results), "masks": masks_table(results)}


def methods_table(results: dict[str, Any]) -> str:
    """What each method obeys and keeps, and what it leaves at the mask's border."""
    rows = ((label, results["methods"][name]) for name, label in METHODS.items())
    return markdown(["", "obeyed (%)", "kept (dB)", "distance (%)", "outside", "seam"], [
        [label, f"{100 * row['obeyed']:.0f} ± {100 * row['obeyed +-']:.0f}",
         f"{row['kept']:.1f} ± {row['kept +-']:.1f}",
         f"{100 * row['distance']:.1f}", f"{row['outside_mean']:.1f}", f"{row['seam']:.3f}"] for label, row in rows])


def masks_table(results: dict[str, Any]) -> str:
    """The IoU of the found mask over the threshold, for each strength of the noise and number of maps."""
    rows = results["masks"]["at"]
    thresholds = [key for key in next(iter(rows.values())) if "+-" not in key]
    return markdown(["threshold", *thresholds], [
        [name.replace(" 1 maps", " 1 map"), *(f"{row[t]:.2f}" for t in thresholds)] for name, row in rows.items()])


# ---------------------------------------------------------------------------------------------------------- figures


def figures(model: DiffusersModel, alts: dict[str, str]) -> dict[str, show.Figure]:
    """The lesson's figures by file name."""
    return {
        "03_blend": show.trajectory(recorded(model), alt=alts["03_blend"]),
        "03_seam": seam_figure(model, alts["03_seam"]),
        "03_masks": masks_figure(model, alts["03_masks"]),
    }


def spot() -> Image.Image:
    """The mask of the notebook: a round spot at the cat's right."""
    mask = Image.new("L", BALL.picture.size)
    ImageDraw.Draw(mask).ellipse((82, 86, 126, 127), fill=255)
    return mask


@torch.no_grad()
def recorded(model: DiffusersModel) -> show.Recording:
    """Every step of blended diffusion, adding the ball inside the spot."""
    recording, x0 = show.Recording(model), model.encode(BALL.picture)
    times, text = model.times(model.steps, STRENGTH), model.embed(BALL.target_prompt)
    z, m = noise(SEED, x0.shape), to_latents(spot(), x0)
    x = add_noise(model, x0, z, times[0])
    for t, s in pairwise(times):
        eps = cfg(model, x, t, text, model.guidance)
        x = blend(ddim_step(model, x, eps, t, s), add_noise(model, x0, z, s), m)
        recording(x=x, t=s, eps=eps)
    return recording


def seam_figure(model: DiffusersModel, alt: str) -> show.Figure:
    """Three ways to use the same mask, and the right answer."""
    knobs = {"strength": STRENGTH, "seed": SEED, "progress": False}
    everywhere = sdedit(model, BALL.picture, BALL.target_prompt, **knobs)
    latents = blended_diffusion(model, BALL.picture, BALL.target_prompt, spot(), exact=False, **knobs)
    pasted = [paste(result, BALL.picture, spot()) for result in (everywhere, latents)]
    labels = ["pasted at the end", "blended, latents alone", "blended, exact", "the true I*"]
    return show.pictures([pasted[0], latents, pasted[1], BALL.target_picture], labels=labels, side=224, alt=alt)


def masks_figure(model: DiffusersModel, alt: str) -> show.Figure:
    """True, given and found: the masks of three edits."""
    cat = part_mask(SCENE, "thing")
    hands = {"add": (BALL, spot()), "recolour": (Edit(SCENE, SCENE.but(color="blue")), widened(cat, 2)),
             "background": (Edit(SCENE, SCENE.but(place="wall")), inverted(cat))}
    found = [find_mask(model, edit.picture, edit.prompt, edit.target_prompt, seed=SEED, progress=False)
             for edit, _ in hands.values()]
    grid = [[edit.target_picture, edit.mask, hand, mask] for (edit, hand), mask in zip(hands.values(), found,
                                                                                       strict=True)]
    return show.pictures(grid, rows=list(hands), columns=["the true I*", "true", "given", "found"], side=144, alt=alt)


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description="Write lesson 3's figures and tables.")
    parser.add_argument("--tables", action="store_true", help="only the tables")
    only_tables = parser.parse_args().tables
    made = tables(json.loads(RESULTS.read_text(encoding="utf-8")))
    write_lesson(LESSON, made, lambda alts: {} if only_tables else figures(load(), alts))


if __name__ == "__main__":
    main()
