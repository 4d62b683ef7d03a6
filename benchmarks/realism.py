"""How real do generated pictures look, beside drawings and what the autoencoder makes of drawings?

    python -m benchmarks.realism --count 1000                        the shipped weights; writes results/realism.json
    python -m benchmarks.realism --model FOLDER --count 300 --to FILE       other weights

    distances     kernel and Frechet distance to other drawings, in a second reader's features  realism_distances.py
    told apart    a classifier's accuracy, generated against autoencoded                        realism_classifier.py
    counts        one sun or moon, two eyes, the ride's wheels, one main thing                  realism_details.py
    realistic     the score of single pictures                                                  realism_score.py

Held-out captions, half of combinations that training never saw; all compared at 128 x 128. The sheets for the eye are
made by realism_sheets.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.realism_classifier import accuracy
from benchmarks.realism_details import DETAILS, asked, counts
from benchmarks.realism_distances import Space, frechet_distance, kernel_distance
from benchmarks.realism_pictures import FIRST_OTHER, STEPS, autoencoded, drawn, generated, scenes, weights_of
from benchmarks.realism_reader import WEIGHTS, Reader, number
from benchmarks.realism_score import Realism
from benchmarks.record import circumstances, interval, record
from helpers import load
from helpers.picturebook.scene import Scene

KINDS = ("drawn", "autoencoded", "generated")
Counts = Sequence[dict[str, set[int]]]


def distances(pictures: dict[str, np.ndarray], reference: np.ndarray, reader: Reader) -> dict[str, object]:
    """Both distances of every kind of pictures to other drawings."""
    features = reader.describe(reference)
    space = Space.of(features)
    standard = space.standard(features)
    out: dict[str, object] = {}
    for kind, own in pictures.items():
        x = space.standard(reader.describe(own))
        out[kind] = {"kernel": kernel_distance(x, standard),
                     "frechet": frechet_distance(x @ space.axes, standard @ space.axes)}
    return out


def share(right: Sequence[bool]) -> dict[str, object]:
    """A share with its 95 % interval and the number of cases."""
    return {"right": round(float(np.mean(right)), 4) if len(right) else None, "of": len(right),
            "interval": interval(int(np.sum(right)), len(right))}


def counted(read: Sequence[dict[str, int]], expected: Counts) -> dict[str, object]:
    """The share of pictures with the right number of each detail, also where there should be some; of all at once."""
    cases = list(zip(read, expected, strict=True))
    out: dict[str, object] = {}
    for name in DETAILS:
        out[name] = share([r[name] in e[name] for r, e in cases])
        out[f"{name}, where there is one"] = share([r[name] in e[name] for r, e in cases if min(e[name]) > 0])
    out["all"] = share([all(r[name] in e[name] for name in DETAILS) for r, e in cases])
    return out


def all_counts(pictures: dict[str, np.ndarray], of: Sequence[Scene], reader: Reader) -> dict[str, object]:
    """Against what the words ask for; and for drawings against what is in that drawing, which tests the detector."""
    read = {kind: [number(found) for found in reader.find(own)] for kind, own in pictures.items()}
    words = [asked(s) for s in of]
    layout = [counts(s) for s in of]
    return {kind: counted(r, words) for kind, r in read.items()} | {
        f"detector: {kind}": counted(read[kind], layout) for kind in ("drawn", "autoencoded")}


def scores(pictures: dict[str, np.ndarray], size: int) -> dict[str, object]:
    """The mean score of each kind; and how often a generated picture has the lower score of a pair."""
    realism = Realism.load(size)
    own = {kind: realism.of_arrays(p) for kind, p in pictures.items()}
    lower = own["generated"] < own["autoencoded"]
    return {kind: {"mean": round(float(s.mean()), 3), "median": round(float(np.median(s)), 3)}
            for kind, s in own.items()} | {"generated lower": share(lower)}


def measure(folder: Path | None, count: int, classifier_steps: int) -> dict[str, object]:
    """Everything, for the weights in `folder` (None: the shipped ones)."""
    model, of = load(folder or "picturebook"), scenes(count)
    size = model.size[0]
    pictures = {"drawn": drawn(of, size), "autoencoded": autoencoded(of, model), "generated": generated(of, folder)}
    reader = Reader.load()
    numbers: dict[str, object] = {
        "captions": count, "steps": STEPS, "guidance": model.guidance, "size": size, "pipeline": weights_of(folder),
        "reader": weights_of(WEIGHTS.parent), "distances": distances(pictures, drawn(scenes(count, FIRST_OTHER), size),
                                                                    reader)}
    print(json.dumps(numbers["distances"], indent=1), flush=True)
    numbers["counts"] = all_counts(pictures, of, reader)
    print(json.dumps(numbers["counts"], indent=1), flush=True)
    numbers["realistic"] = scores(pictures, size)
    print(json.dumps(numbers["realistic"], indent=1), flush=True)
    real, made = pictures["autoencoded"], pictures["generated"]
    numbers["told apart"] = {"fresh": accuracy(real, made, None, classifier_steps),
                             "from the reader": accuracy(real, made, Reader.load(), classifier_steps)}
    print(json.dumps(numbers["told apart"], indent=1), flush=True)
    return numbers


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a pipeline folder; the shipped weights unless given")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--classifier-steps", type=int, default=400, help="of training for each classifier")
    parser.add_argument("--to", type=Path, help="another file than results/realism.json")
    args = parser.parse_args()
    if args.model and not args.to:
        parser.error("results/realism.json is for the shipped weights: give --to with --model.")
    torch.set_num_threads(1)
    numbers = measure(args.model, args.count, args.classifier_steps)
    if args.to:
        args.to.write_text(json.dumps({"measured": circumstances()} | numbers, indent=1) + "\n")
    print(args.to or record("realism", numbers))


if __name__ == "__main__":
    main()
