"""Fit a subject into Stable Diffusion, on one GPU, on several, or on the CPU: one command for all.

    python tools/finetune.py pictures/ --prompt "a sks dog" --class-prompt "a dog" --out dog.safetensors
    torchrun --nproc_per_node 2 tools/finetune.py ...          the same arguments, on two GPUs
    accelerate launch --multi_gpu tools/finetune.py ...        the same

Interrupt it at any moment and give the same command again: it goes on from the checkpoint in its --folder. The file it
writes is applied with `with Weights.load("dog.safetensors").on(model):`; diffusers' `load_lora_weights` reads it too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers import load  # noqa: E402
from helpers.core.warn import FitWarning  # noqa: E402
from helpers.finetuning.loss import processes  # noqa: E402
from helpers.methods.dreambooth import fit_dreambooth, prior_pictures, subject_pictures  # noqa: E402

RATES = {"full": 5e-6, "lora": 1e-4}  # for Stable Diffusion (diffusers' examples/dreambooth/README.md)


def arguments(line: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Fit a subject into a text-to-image model (DreamBooth).")
    parser.add_argument("pictures", type=Path, help="a folder with 3 to 6 pictures of the subject")
    parser.add_argument("--prompt", required=True, help='with a word for the subject: "a sks dog"')
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--model", default="stable-diffusion-v1-5", help="a name, folder or file as for helpers.load")
    parser.add_argument("--class-prompt", help='what the model must not forget: "a dog"; naive fine-tuning without it')
    parser.add_argument("--prior", type=int, default=100, help="pictures of the class")
    parser.add_argument("--prior-weight", type=float, default=1.0)
    parser.add_argument("--full", action="store_true", help="fit all weights instead of a LoRA")
    parser.add_argument("--rank", type=int, default=4, help="of the LoRA")
    parser.add_argument("--text-encoder", action="store_true", help="fit the text encoder, too")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--lr", type=float, help="learning rate; 1e-4 for a LoRA and 5e-6 for all weights unless given")
    parser.add_argument("--batch", type=int, help="pictures in a step, of all processes together; 1 each unless given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="checkpoints and prior pictures; beside --out unless given")
    parser.add_argument("--device", help="cpu, cuda; a GPU if there is one unless given")
    return parser.parse_args(line)


def together(device: str | None) -> str | None:
    """Joins the processes that were started together, if any; the device of this one."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return device
    on_gpu = device != "cpu" and torch.cuda.is_available()
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo")
    if not on_gpu:
        return "cpu"
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return f"cuda:{os.environ['LOCAL_RANK']}"


def run(args: argparse.Namespace) -> Path:
    """The fit, from the pictures to the file."""
    device = together(args.device)
    rank, world = processes()
    pictures = subject_pictures(args.pictures)  # errors before a model is loaded
    model = load(args.model, device)
    folder = args.folder or args.out.with_suffix("")
    if rank != 0:
        torch.distributed.barrier()  # the first process makes the prior pictures, the others read them
    prior = prior_pictures(model, args.class_prompt, args.prior, seed=args.seed + 1_000_000, folder=folder / "prior",
                           progress=rank == 0) if args.class_prompt else ()
    if rank == 0 and world > 1:
        torch.distributed.barrier()
    weights = fit_dreambooth(
        model, pictures, args.prompt, args.class_prompt, prior, prior_weight=args.prior_weight,
        rank=None if args.full else args.rank, text_encoder=args.text_encoder, steps=args.steps,
        lr=args.lr or RATES["full" if args.full else "lora"], batch=args.batch or world, seed=args.seed, folder=folder,
        watch=Report(args.steps) if rank == 0 else ignore,
    )
    if rank == 0:
        print("written:", weights.save(args.out, torch.float16 if args.full else None))
    return args.out


def ignore(**_: Any) -> None:
    """Says nothing."""


class Report:
    """Prints the mean loss now and then."""

    def __init__(self, steps: int) -> None:
        self.steps, self.losses = steps, []

    def __call__(self, step: int, loss: float, **_: Any) -> None:
        """One step is done."""
        self.losses.append(loss)
        if step % 50 == 0 or step == self.steps:
            print(f"step {step} of {self.steps}, loss {sum(self.losses) / len(self.losses):.4f}", flush=True)
            self.losses = []


def main() -> int:
    """Runs it; the reader's mistakes are told in a sentence."""
    try:
        run(arguments())
    except (ValueError, OSError, FitWarning) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
