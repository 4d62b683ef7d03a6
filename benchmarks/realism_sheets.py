"""Sheets to look at: pictures with the counts read from them, and a blind test of pairs.

    python -m benchmarks.realism_sheets --folder SHEETS [--model FOLDER]

The answers lie in files of their own (counts.json, blind-key.json): look first. What was seen goes to
results/realism_by_hand.json (python -m benchmarks.realism_by_hand).
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.realism_details import DETAILS
from benchmarks.realism_pictures import autoencoded, generated, scenes
from benchmarks.realism_reader import Reader, number
from helpers import load
from helpers.picturebook.caption import describe

SHOWN = 256  # pixels of a picture on a sheet


def page(pictures: Sequence[np.ndarray], texts: Sequence[str], columns: int) -> Image.Image:
    """Pictures enlarged, a line of text under each."""
    line = 18
    rows = -(-len(pictures) // columns)
    out = Image.new("RGB", (columns * (SHOWN + 8), rows * (SHOWN + line + 6)), "white")
    draw = ImageDraw.Draw(out)
    for i, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        x, y = i % columns * (SHOWN + 8), i // columns * (SHOWN + line + 6)
        out.paste(Image.fromarray(picture).resize((SHOWN, SHOWN), Image.Resampling.BICUBIC), (x, y))
        draw.text((x + 4, y + SHOWN + 2), text, fill="black", font_size=14)
    return out


def count_sheets(pictures: np.ndarray, folder: Path, bare: bool, columns: int = 5, rows: int = 4) -> None:
    """Pictures with the counts that the detector reads, and the counts as JSON."""
    read = [number(found) for found in Reader.load().find(pictures)]
    texts = [f"{i}: " + " ".join(f"{name} {n[name]}" for name in DETAILS if not bare) for i, n in enumerate(read)]
    step = columns * rows
    for k in range(0, len(pictures), step):
        page(pictures[k:k + step], texts[k:k + step], columns).save(folder / f"counts-{k // step}.png")
    (folder / "counts.json").write_text(json.dumps(read))


def blind_sheets(real: np.ndarray, made: np.ndarray, captions: Sequence[str], folder: Path, seed: int,
                 a_page: int = 10) -> None:
    """Pairs of the same caption, left and right by chance; the key says where the generated picture is."""
    rng = random.Random(seed)
    key = ["left" if rng.random() < 0.5 else "right" for _ in captions]
    pairs = [(m, r) if side == "left" else (r, m) for m, r, side in zip(made, real, key, strict=True)]
    for k in range(0, len(pairs), a_page):
        some = pairs[k:k + a_page]
        texts = [t for i in range(k, k + len(some)) for t in (f"{i}: {captions[i][:34]}", captions[i][34:70])]
        page([p for pair in some for p in pair], texts, 4).save(folder / f"blind-{k // a_page}.png")
    (folder / "blind-key.json").write_text(json.dumps({"generated is": key, "seed": seed}))


def main() -> None:
    """Writes both kinds of sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=100, help="pictures with their counts")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--bare", action="store_true", help="without what the detector reads")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    made = generated(scenes(max(args.count, args.pairs)), args.model)
    count_sheets(made[:args.count], args.folder, args.bare)
    of = scenes(args.pairs)
    blind_sheets(autoencoded(of, load(args.model or "picturebook")), made[:args.pairs],
                 [describe(s, s.seed).text for s in of], args.folder, args.seed)


if __name__ == "__main__":
    main()
