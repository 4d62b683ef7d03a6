"""What Prompt-to-Prompt costs in time and memory: applied to the values, and on explicit maps.

    python -m benchmarks.attention             measures, and writes results/attention.json
    python -m benchmarks.attention --steps 2 --rounds 1 --dry     a quick run, written nowhere

The runs take turns, and the best of their rounds are compared: the machine may be busy. Picturebook is run whole. Of
Stable Diffusion 1.5 the attention layers are run alone, with their real shapes at 64 x 64 latents and random weights:
one transformer block's two layers on each of its four grids, four rows (two prompts and their empty prompts). On a busy
core that takes some minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from benchmarks.explicit import explicit_maps
from benchmarks.record import record
from benchmarks.timing import interleaved, peak_mb, ratios
from helpers import load
from helpers.attention.control import attention
from helpers.attention.edits import Edit, during, inject_self, replace
from helpers.attention.recording import Recording
from helpers.core.diffusion import cfg
from helpers.core.interface import Text, join
from helpers.core.randomness import noise
from helpers.core.words import Tokens
from helpers.methods.prompt_to_prompt import prompt_to_prompt, recorded
from helpers.models.diffusers_model import DiffusersModel

P, P_STAR = "a cat riding a bicycle on the beach", "a cat riding a motorcycle on the beach"
BLOCKS = ((64, 320), (32, 640), (16, 1280), (8, 1280))  # grid and channels of Stable Diffusion 1.5's blocks
LATENT = 64  # side of the latents: that of the first block's grid
WINDOW, TEXT_WIDTH, HEADS = 77, 768, 8
TOLERANCE = 1e-3  # of the largest value; float32 sums in another order


def full_edit(model: Any) -> Edit:
    """Word swap for 80 % of the steps, self-attention for 40 %."""
    return during(replace(model, P, P_STAR), 0, 0.8) @ during(inject_self(model, P, P_STAR), 0, 0.4)


# ------------------------------------------------------------------------------------------------------ Picturebook


def picturebook(steps: int, rounds: int) -> dict[str, Any]:
    """Two prompts plainly, under an edit, a further edit of a known source, and the same on explicit maps."""
    model = load()
    known = recorded(model, P, seed=7, steps=steps, progress=False)
    knobs = {"seed": 7, "steps": steps, "progress": False}

    def plain() -> list[Any]:
        return model.generate([P, P_STAR], **{**knobs, "seed": [7, 7]})

    def explicit() -> list[Any]:
        with explicit_maps(model, [full_edit(model)], steps):
            return plain()

    runs = {"plain": plain, "edited": lambda: prompt_to_prompt(model, P, P_STAR, **knobs), "explicit": explicit,
            "further edit": lambda: prompt_to_prompt(model, known, P_STAR, progress=False)}
    seconds = interleaved(runs, rounds)
    return {"steps": steps, "seconds (plain)": round(seconds["plain"], 3), "time over plain":
            ratios(seconds, "plain"), "peak MB": {name: peak_mb(run) for name, run in one_step(model).items()},
            "recording MB": round(known.recording.nbytes / 2**20, 1),
            "largest difference from explicit maps": difference(model)}


def one_step(model: DiffusersModel) -> dict[str, Callable[[], Tensor]]:
    """The first of 25 steps, plainly, under the edit, and on explicit maps."""
    edit, t, text = full_edit(model), model.times(25)[0], model.embed([P, P_STAR])
    x = noise([7, 7], model.shape(2)).to(model.device)

    def run(manager: Any) -> Tensor:
        with manager, torch.no_grad():
            return cfg(model, x, t, text, 4.0)

    return {"plain": lambda: run(nullcontext()), "edited": lambda: run(attention(model, edit, steps=25)),
            "explicit": lambda: run(explicit_maps(model, [edit], 25))}


def difference(model: DiffusersModel) -> float:
    """Largest difference of the two forms' noise at the first step; an error if it is more than rounding."""
    runs = one_step(model)
    return compared(runs["edited"](), runs["explicit"](), runs["plain"]())


def compared(fused: Tensor, explicit: Tensor, plain: Tensor) -> float:
    """Largest difference of two results that must be equal, while the plain one must differ."""
    gap, effect = ((fused - other).abs().max().item() for other in (explicit, plain))
    scale = plain.abs().max().item()
    if gap > TOLERANCE * scale or effect <= gap:
        raise ArithmeticError(f"The two forms differ by {gap:.2g} of {scale:.2g}; the edit's effect is {effect:.2g}.")
    return float(f"{gap:.2g}")


# --------------------------------------------------------------------------------- Stable Diffusion's attention layers


class Layers(torch.nn.Module):
    """The attention layers of Stable Diffusion 1.5 alone, one block on each grid, on random input."""

    def __init__(self, rows: int) -> None:
        from diffusers.models.attention_processor import Attention

        super().__init__()
        shared = {"heads": HEADS, "bias": False}
        self.blocks = torch.nn.ModuleList(torch.nn.ModuleDict({
            "attn1": Attention(query_dim=width, dim_head=width // HEADS, **shared),
            "attn2": Attention(query_dim=width, cross_attention_dim=TEXT_WIDTH, dim_head=width // HEADS, **shared),
        }) for _, width in BLOCKS)
        self.config = SimpleNamespace(block_out_channels=[width for _, width in BLOCKS])
        self.inputs = [torch.randn(rows, side * side, width) for side, width in BLOCKS]

    @property
    def attn_processors(self) -> dict[str, Any]:
        """Each layer's processor, as diffusers names them."""
        return {f"{name}.processor": part.processor for name, part in self.named_modules() if hasattr(part, "to_q")}

    def set_attn_processor(self, processors: dict[str, Any]) -> None:
        """Put these in."""
        for name, part in self.named_modules():
            if hasattr(part, "to_q"):
                part.set_processor(processors[f"{name}.processor"])

    def forward(self, sample: Tensor, timestep: int, encoder_hidden_states: Tensor) -> Tensor:
        """All outputs in one row each."""
        rows = len(sample)
        outputs = []
        for block, x in zip(self.blocks, self.inputs, strict=True):
            outputs.append(block["attn1"](x[-rows:]).flatten(1))
            outputs.append(block["attn2"](x[-rows:], encoder_hidden_states).flatten(1))
        return torch.cat(outputs, 1)


class LayersModel:
    """What `attention` asks of a model, around the layers; tokens are those of Picturebook in a window of 77."""

    def __init__(self, model: DiffusersModel, rows: int = 4) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.unet = Layers(rows).to(model.device, model.unet.dtype).requires_grad_(False)
            self.unet.inputs = [x.to(model.device, model.unet.dtype) for x in self.unet.inputs]
        self.model, self.steps, self.device = model, 50, model.device

    def tokens(self, prompt: str) -> Tokens:
        """The prompt's tokens."""
        return dataclasses.replace(self.model.tokens(prompt), window=WINDOW)

    def times(self, steps: int) -> list[int]:
        """Picturebook's."""
        return self.model.times(steps)

    def embed(self, prompts: list[str]) -> Text:
        """Random text of the right shape, the same for the same prompt."""
        def rows(texts: list[str]) -> Tensor:
            return torch.stack([noise(sum(map(ord, text)), (1, 1, WINDOW, TEXT_WIDTH))[0, 0] for text in texts])

        return Text(rows(prompts).to(self.device), empty=Text(rows([""] * len(prompts)).to(self.device)))


def stable_diffusion_layers(rounds: int) -> dict[str, Any]:
    """The attention layers of Stable Diffusion 1.5: plain, edited, explicit, and a further edit of a known source."""
    model = LayersModel(load())
    edit, text, t = full_edit(model), model.embed([P, P_STAR]), model.times(50)[0]
    both = join(text.unconditional(), text).embeddings.to(model.unet.inputs[0])
    latent = torch.zeros(4, 4, LATENT, LATENT, device=model.device)

    def run(manager: Any, rows: list[int] | slice = slice(None)) -> Tensor:
        with manager, torch.no_grad():
            return model.unet(latent[rows], t, encoder_hidden_states=both[rows])

    known = Recording(model.tokens(P), up_to=16)
    run(attention(model, prompts=P, record=known), [2])
    runs = {"plain": lambda: run(nullcontext()), "edited": lambda: run(attention(model, edit)),
            "explicit": lambda: run(explicit_maps(model, [edit], 50)),
            "further edit": lambda: run(attention(model, edit, recording=known), [1, 3])}
    plain, fused, explicit = (runs[name]().float() for name in ("plain", "edited", "explicit"))
    gap = compared(fused, explicit, plain)
    del plain, fused, explicit
    seconds = interleaved(runs, rounds)
    return {"seconds (plain)": round(seconds["plain"], 3), "time over plain": ratios(seconds, "plain"),
            "explicit over edited": ratios(seconds, "edited")["explicit"],
            "peak MB": {name: peak_mb(run) for name, run in runs.items()},
            "largest difference from explicit maps": gap}


def main() -> None:
    """Measures and writes results/attention.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    knobs = parser.parse_args()
    numbers: dict[str, object] = {"device": str(load().device), "threads": torch.get_num_threads(),
                                  "rounds": knobs.rounds}
    numbers["Picturebook"] = picturebook(knobs.steps, knobs.rounds)
    print(numbers, flush=True)
    numbers["Stable Diffusion 1.5, attention layers"] = stable_diffusion_layers(knobs.rounds)
    print(numbers)
    if not knobs.dry:
        print(record("attention", numbers))


if __name__ == "__main__":
    main()
