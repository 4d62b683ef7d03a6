"""Scores a denoiser while it learns: a sample sheet, what the judge reads, the kernel distance to drawings.

    python -m training.examine --count 256 --unet runs/unet/unet.safetensors
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from helpers.picturebook.drawing import draw
from helpers.picturebook.judge import Judge
from helpers.picturebook.sampling import held_out_scenes

from .autoencoder import LATENT_CHANNELS, load_autoencoder, to_pixels
from .judge import RUN as JUDGE_RUN
from .loop import device, fast, sheet
from .pool import GRID, SIZE
from .unet import build, build_scheduler, watch
from .words import draw_captions, encode_captions, load_text_encoder


@torch.no_grad()
def sample(unet: nn.Module, states: Tensor, empty: Tensor, steps: int = 25, guidance: float = 4.0) -> Tensor:
    """DDIM from noise; states (B, tokens, width) -> latents (B, channels, 16, 16)."""
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps)
    noise = torch.randn((len(states), LATENT_CHANNELS, GRID, GRID), generator=torch.Generator().manual_seed(0))
    out = []
    for x, asked in zip(noise.to(states.device).split(64), states.split(64), strict=True):
        both = torch.cat([empty.expand_as(asked), asked])
        for t in scheduler.timesteps:
            v0, v1 = unet(torch.cat([x, x]).to(both.dtype), t, both).sample.float().chunk(2)
            x = scheduler.step(v0 + guidance * (v1 - v0), t, x).prev_sample
        out.append(x)
    return torch.cat(out)


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """Unbiased squared MMD with the cubic kernel (Binkowski et al. 2018), features standardised on `y`, drawings."""
    mean, deviation = y.mean(0), y.std(0) + 1e-3
    x, y = (((t - mean) / deviation).double() for t in (x, y))
    kxx, kyy, kxy = ((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = sum((k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kxx, kyy))
    return float(within - 2 * kxy.mean())


class Examiner:
    """Held-out captions, half of them of new combinations; other drawings to compare with."""

    def __init__(self, count: int = 64) -> None:
        self.scenes = [s for new in (False, True) for s, _ in
                       zip(held_out_scenes(new), range(count // 2), strict=False)]
        self.captions = draw_captions(self.scenes, np.random.default_rng(0))
        tokenizer, encoder = load_text_encoder()
        ids, _ = encode_captions(tokenizer, [c.text for c in self.captions], self.scenes)
        none, _ = encode_captions(tokenizer, [""], self.scenes[:1])
        with torch.no_grad():
            self.states, self.empty = (encoder(x).last_hidden_state.to(device(), fast()) for x in (ids, none))
        file = JUDGE_RUN / "judge.safetensors"
        self.judge = Judge.load(file) if file.exists() else None
        others = [s for new in (False, True) for s, _ in zip(held_out_scenes(new, 100_000), range(128), strict=False)]
        if self.judge is not None:
            self.drawn = self.judge.describe([draw(s) for s in others])

    def examine(self, unet: nn.Module, file: Path) -> dict[str, float]:
        """Writes a sheet to `file`; gives the shares right, of what each caption says, and the kernel distance."""
        vae = load_autoencoder()
        with torch.no_grad():
            z = sample(unet, self.states, self.empty).to(fast())
            arrays = np.concatenate([to_pixels(vae.decode(b).sample) for b in z.split(16)])
        sheet([a[::2, ::2] if SIZE > 128 else a for a in arrays[:64]], 8, file.with_suffix(".small.png"))
        sheet(arrays[::max(1, len(arrays) // 24)][:24], 6, file)
        if self.judge is None:
            return {}
        pictures = [Image.fromarray(a).resize((128, 128), Image.Resampling.BOX) for a in arrays]
        readings = self.judge.read(pictures)
        scores = {"distance": kernel_distance(self.judge.describe(pictures), self.drawn)}
        for name in ("place", "thing", "color", "doing", "ride", "ride_color", "wearing", "holding", "beside", "style"):
            right = [r.agrees(s, name) for r, s, c in zip(readings, self.scenes, self.captions, strict=True)
                     if name in c.said]
            if right:
                scores[name] = float(np.mean(right))
        return scores


def main() -> None:
    """Scores one file of weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--unet", type=Path, default=Path("runs/unet/unet.safetensors"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    unet = build()
    unet.load_state_dict({k: v.float() for k, v in load_file(args.unet).items()})
    watch(unet.to(device(), fast()).to(memory_format=torch.channels_last), None)
    print(json.dumps(Examiner(args.count).examine(unet, args.unet.with_name("examined.png"))))


if __name__ == "__main__":
    main()
