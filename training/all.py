"""The whole recipe, a piece at a time: does what comes next, as long as there is time, and resumes where it was.

    python -m training.all --minutes 9            in calls of ten minutes, on a GPU or a CPU, until it says: all done
    python -m training.all --pictures 1500000     the whole, in one call

Goes on from the shipped weights: the autoencoder keeps its latents' meaning, so that the denoiser can do so too.
`--from-nothing` trains all anew, the text encoder included. The denoiser has a partner where there are two cores and no
GPU: a run that is to go on elsewhere goes on by hand, with the same pictures a step.

Every piece is a command of its own (`python -m training.unet --help`); this only knows their order and when each is
done. Needs nothing but the repository: also the pictures are drawn here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from helpers.picturebook.judge import WEIGHTS as JUDGE

from . import autoencoder, judge, latents, pool, unet, words
from .loop import read_clock

_PIPELINE = JUDGE.parent / "pipeline"
SHIPPED = {"autoencoder": _PIPELINE / "vae" / "diffusion_pytorch_model.safetensors", "judge": JUDGE,
           "unet": _PIPELINE / "unet" / "diffusion_pytorch_model.safetensors"}


class Piece(NamedTuple):
    """One command, and how to see how much of it is done."""

    command: Sequence[str]
    wanted: float
    files: str  # a pattern: so many files; a checkpoint: its steps
    takes_minutes: bool = True  # whether it can be told how long it may take; the others resume by what is there

    def done(self) -> float:
        """How many files or steps there are."""
        if "*" in self.files:
            return len(list(Path().glob(self.files)))
        return read_clock(Path(self.files))[0] if Path(self.files).exists() else 0


def recipe(pictures: int, falling: int, shards: int, anew: bool) -> dict[str, Piece]:
    """All pieces in their order."""
    drawn, judged = shards // 3, shards // 3
    vae, sharp = autoencoder.RUN, autoencoder.SHARP_RUN
    pair = not torch.cuda.is_available() and (os.cpu_count() or 1) > 1
    start = {name: [] if anew else ["--start", str(file)] for name, file in SHIPPED.items()}
    pieces = {
        "drawings": Piece(["pool", "--shards", f"{drawn}"], drawn, f"{pool.POOL}/*.seeds.npy", False),
        "drawings for the judge": Piece(["pool", "--all-combinations", "--shards", f"{judged}"], judged,
                                        f"{pool.JUDGE_POOL}/*.seeds.npy", False),
        "words": Piece(["words"], words.STEPS, f"{words.RUN}/checkpoint.safetensors"),
        "autoencoder": Piece(["autoencoder", *start["autoencoder"]], autoencoder.STEPS,
                             f"{vae}/checkpoint.safetensors"),
        "decoder": Piece(["autoencoder", "--decoder", "--adversary", "0.05", "--start", f"{vae}/vae.safetensors"],
                         autoencoder.STEPS, f"{sharp}/checkpoint.safetensors"),
        "judge": Piece(["judge", *start["judge"]], judge.STEPS, f"{judge.RUN}/checkpoint.safetensors"),
        "latents": Piece(["latents", "--shards", f"{shards}"], shards, f"{latents.LATENTS}/*.latents.npy", False),
        "denoiser": Piece(["unet", "--pictures", f"{pictures}", "--falling", f"{falling}", *start["unet"],
                           *(["--partner"] if pair else [])],
                          pictures // unet.pictures_a_step(pair), f"{unet.RUN}/checkpoint.safetensors"),
    }
    return pieces if anew else {name: piece for name, piece in pieces.items() if name != "words"}


def main() -> None:
    """Runs the pieces that are not done; one that has no more time goes on in the next call."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="until this call ends")
    parser.add_argument("--pictures", type=int, default=1_500_000, help="that the denoiser sees in all")
    parser.add_argument("--falling", type=int, default=300_000, help="over the last how many of them the rate falls")
    parser.add_argument("--shards", type=int, default=24, help="of 4,096 scenes each")
    parser.add_argument("--from-nothing", action="store_true", help="not from the shipped weights")
    args = parser.parse_args()
    began = time.monotonic()
    pieces = recipe(args.pictures, args.falling, args.shards, args.from_nothing)
    for name, piece in pieces.items():
        left = args.minutes - (time.monotonic() - began) / 60
        if piece.done() >= piece.wanted:
            continue
        if left < 1:
            print(f"next: {name}, {piece.done():,.0f} of {piece.wanted:,.0f}", flush=True)
            return
        print(f"{name}: {piece.done():,.0f} of {piece.wanted:,.0f}", flush=True)
        until = ["--this-call", f"{left - 0.5}"] if piece.takes_minutes and left < float("inf") else []
        try:
            subprocess.run([sys.executable, "-m", f"{__package__}.{piece.command[0]}", *piece.command[1:], *until],
                           check=True, timeout=None if left == float("inf") else 60 * left + 30)
        except subprocess.TimeoutExpired:
            print(f"{name}: stopped, goes on in the next call", flush=True)
            return
    if all(piece.done() >= piece.wanted for piece in pieces.values()):
        print("all done; ship it with python -m training.pack")


if __name__ == "__main__":
    main()
