"""Examines the shipped Picturebook: its judge, its autoencoder, and the pictures it makes for held-out prompts.

    python -m benchmarks.examine_picturebook --prompts 1000

Writes results/picturebook.json, the figures of the model card (helpers/picturebook/weights/README.md) and the card.
Half of the prompts are combinations of words that training never saw. The network computes in bfloat16 where the
processor does so quickly, for time; the autoencoder is measured in float32.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.record import ROOT, interval, record
from helpers import load
from helpers.core.interface import Model
from helpers.finetuning.fit import fast_dtype
from helpers.measure import psnr
from helpers.picturebook.caption import Caption, describe
from helpers.picturebook.drawing import draw
from helpers.picturebook.judge import Judge, Reading
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import CLASSES, GRADED

CARD = ROOT / "helpers" / "picturebook" / "weights"
SECOND_THINGS = ("ride", "wearing", "holding", "beside")
STEPS = 25


def held_out(count: int, first: int = 0) -> list[Scene]:
    """Half of combinations seen in training, half not."""
    return [s for new in (False, True) for s in islice(held_out_scenes(new, first), count // 2)]


def examine_judge(judge: Judge, model: Model, count: int) -> dict[str, object]:
    """What the judge reads right from drawings, as they are and through the autoencoder; what it mixes up."""
    scenes = held_out(count, first=1_000_000)
    drawn = [draw(s) for s in scenes]
    back = [p for i in range(0, count, 32) for p in model.decode(model.encode(drawn[i:i + 32]))]
    quality = [psnr(*(np.asarray(p, dtype=float) / 255 for p in pair)) for pair in zip(drawn, back, strict=True)]
    out: dict[str, object] = {"drawings": count, "autoencoder PSNR (dB)": round(float(np.mean(quality)), 2)}
    for name, pictures in (("drawn", drawn), ("through the autoencoder", back)):
        readings = judge.read(pictures)
        out[name] = {a: share([r.agrees(s, a) for r, s in zip(readings, scenes, strict=True) if s.has(a)])
                     for a in CLASSES}
        out[f"{name}, mean error of amounts"] = {
            g: round(float(np.mean([abs(r.amounts[g] - getattr(s, g))
                                    for r, s in zip(readings, scenes, strict=True)])), 4) for g in GRADED}
        out[f"{name}, mixed up"] = mixed_up(scenes, readings)
    return out


def mixed_up(scenes: list[Scene], readings: list[Reading], most: int = 12) -> dict[str, int]:
    """The commonest errors: "color: purple read as blue" and how often."""
    errors = Counter(f"{a}: {getattr(s, a)} read as {r.attributes[a]}" for s, r in zip(scenes, readings, strict=True)
                     for a in CLASSES if s.has(a) and not r.agrees(s, a))
    return dict(errors.most_common(most))


def share(right: list[bool]) -> dict[str, object]:
    """A share with its 95 % interval and the number of cases."""
    return {"right": round(float(np.mean(right)), 4) if right else None, "of": len(right),
            "interval": interval(sum(right), len(right))}


def examine_pictures(scenes: list[Scene], captions: list[Caption], readings: list[Reading]) -> dict[str, object]:
    """What the prompts asked for and the pictures show, per attribute; two at once; all at once."""
    cases = list(zip(scenes, captions, readings, strict=True))
    out: dict[str, object] = {a: share([r.agrees(s, a) for s, c, r in cases if a in c.said])
                              for a in (*CLASSES, *GRADED)}
    out["second thing"] = share([r.agrees(s, a) for s, c, r in cases for a in SECOND_THINGS if a in c.said])
    out["its color"] = share([r.agrees(s, f"{a}_color") for s, c, r in cases for a in SECOND_THINGS
                              if f"{a}_color" in c.said])
    out["everything at once"] = share([all(r.agrees(s, a) for a in c.said) for s, c, r in cases])
    return out


def graded_words(scenes: list[Scene], captions: list[Caption], readings: list[Reading]) -> dict[str, object]:
    """The amount in the pictures with a graded word in the prompt and without; its spread against the drawings'."""
    out: dict[str, object] = {}
    cases = list(zip(scenes, captions, readings, strict=True))
    for g in GRADED:
        told = [(r.amounts[g], getattr(s, g)) for s, c, r in cases if g in c.said and getattr(s, g) > 0]
        untold = [r.amounts[g] for s, c, r in cases if getattr(s, g) == 0 and s.has(g)]
        made, drawn = np.array(told).T
        out[g] = {"with": round(float(made.mean()), 3), "without": round(float(np.mean(untold)), 3),
                  "spread": round(float(made.std()), 3), "spread drawn": round(float(drawn.std()), 3), "of": len(told)}
    return out


def guidance_sweep(judge: Judge, model: Model, count: int) -> dict[str, object]:
    """What guidance does: thing and colour right, and the share of burnt pixels (a colour channel at its end)."""
    scenes = held_out(count, first=2_000_000)
    captions = [describe(s, s.seed) for s in scenes]
    out: dict[str, object] = {"prompts": count, "burnt drawn": round(burnt([draw(s) for s in scenes]), 4)}
    for w in (1, 2, 4, 7, 10):
        pictures = model.generate([c.text for c in captions], seed=0, steps=STEPS, guidance=w, progress=False)
        readings = judge.read(pictures)
        right = {a: round(float(np.mean([r.agrees(s, a) for s, c, r in zip(scenes, captions, readings, strict=True)
                                         if a in c.said])), 3) for a in ("place", "thing", "color")}
        out[str(w)] = right | {"burnt": round(burnt(pictures), 4)}
    return out


def burnt(pictures: list[Image.Image]) -> float:
    """The share of pixels with a channel within 2 of 0 or of 255."""
    values = np.stack([np.asarray(p) for p in pictures])
    return float(((values <= 2) | (values >= 253)).any(-1).mean())


def diversity(judge: Judge, model: Model, count: int) -> dict[str, float]:
    """Distance between pictures of the same caption and other seeds, generated against drawn."""
    drawn, made = [], []
    for scene in islice(held_out_scenes(False, first=3_000_000), count):
        caption = describe(scene, None).text
        drawn.append(spread(judge, [draw(scene.but(seed=s)) for s in range(4)]))
        made.append(spread(judge, model.generate([caption] * 4, seed=0, steps=STEPS, progress=False)))
    return {"drawn": round(float(np.mean(drawn)), 3), "generated": round(float(np.mean(made)), 3),
            "ratio": round(float(np.mean(made) / np.mean(drawn)), 3)}


def spread(judge: Judge, pictures: list[Image.Image]) -> float:
    """The mean distance of the judge's features between all pairs."""
    return float(torch.pdist(judge.describe(pictures)).mean())


def sheet(pictures: list[Image.Image], columns: int, file: Path) -> None:
    """Pictures side by side in one PNG."""
    w, h = pictures[0].size
    page = Image.new("RGB", (columns * w, -(-len(pictures) // columns) * h), "white")
    for i, picture in enumerate(pictures):
        page.paste(picture, (i % columns * w, i // columns * h))
    page.quantize(128).save(file, optimize=True)


def main() -> None:
    """Measures and writes everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--drawings", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    model, judge = load(), Judge.load()
    quick = load(dtype=fast_dtype(model.device))
    scenes = held_out(args.prompts)
    captions = [describe(s, s.seed) for s in scenes]
    pictures = []
    for i in range(0, len(scenes), 50):
        pictures += quick.generate([c.text for c in captions[i:i + 50]], seed=i, steps=STEPS, progress=False)
        print(f"{len(pictures)} pictures", flush=True)
    readings = judge.read(pictures)
    half = len(scenes) // 2
    numbers = {
        "prompts": len(scenes), "steps": STEPS, "guidance": model.guidance,
        "computed in": str(quick.unet.dtype).removeprefix("torch."),
        "pictures": examine_pictures(scenes, captions, readings),
        "pictures of known combinations": examine_pictures(scenes[:half], captions[:half], readings[:half]),
        "pictures of new combinations": examine_pictures(scenes[half:], captions[half:], readings[half:]),
        "judge": examine_judge(judge, model, args.drawings),
        "graded words": graded_words(scenes, captions, readings),
        "diversity": diversity(judge, quick, 16),
        "by guidance": guidance_sweep(judge, quick, 32),
    }
    print(record("picturebook", numbers))
    missed = [(i, wrong) for i, (s, c, r) in enumerate(zip(scenes, captions, readings, strict=True))
              if (wrong := [f"{a} read as {r.attributes[a]}" for a in c.said if a in CLASSES and not r.agrees(s, a)])]
    missed = missed[::max(1, len(missed) // 16)][:16]  # from all over, known and new combinations
    sheet([pictures[i] for i, _ in missed], 8, CARD / "failures.png")
    failures = "".join(f"{captions[i].text}: {', '.join(w)}\n" for i, w in missed)
    (CARD / "failures.txt").write_text(failures, encoding="utf-8")
    chosen = [*range(24), *range(half, half + 24)]
    sheet([pictures[i] for i in chosen], 8, CARD / "samples.png")
    (CARD / "samples.txt").write_text("".join(f"{captions[i].text}\n" for i in chosen), encoding="utf-8")


if __name__ == "__main__":
    main()
