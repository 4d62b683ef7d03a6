"""Trains the autoencoder: 128 x 128 pictures <-> 16 x 16 latents of 16 channels (AutoencoderTiny's architecture).

    python -m training.autoencoder --minutes 30
    python -m training.autoencoder --minutes 60 --decoder-only    (the latents stay what they are)

Learns on crops, mostly around the things in the picture, since backgrounds are easy and the network is convolutional.
Latents are pulled to mean 0 and deviation 1 per channel and blurred with a little noise, so that the denoiser's small
errors make small errors in the picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional as F

from helpers.picturebook.drawing import PARTS, draw
from helpers.picturebook.sampling import held_out_scenes

from .loop import Log, Trainee, batches, device, fast, one_cycle, save_half, sheet, started
from .pool import LABEL_SIZE, SIZE, Pool

RUN = Path("runs/autoencoder")
LATENT_CHANNELS = 16
LATENT_NOISE = 0.08  # deviation of the noise on latents in training
DETAILS = [PARTS.index(p) for p in ("thing", "ride", "wearing", "holding", "beside", "prop", "topping", "crowd")]


def build() -> AutoencoderTiny:
    """The untrained network. No block at full resolution: it would cost half the time and buys little."""
    torch.manual_seed(0)
    return AutoencoderTiny(
        encoder_block_out_channels=(64,) * 4, num_encoder_blocks=(0, 1, 2, 3),
        decoder_block_out_channels=(64,) * 4, num_decoder_blocks=(4, 3, 2, 0),
        latent_channels=LATENT_CHANNELS, scaling_factor=1.0)


def crops(pool: Pool, rng: np.random.Generator, count: int, size: int) -> Tensor:
    """(count, 3, size, size) in [-1, 1]; three of four crops are around a thing."""
    indices = rng.integers(len(pool), size=count)
    pictures, parts = pool.pictures(indices), pool.parts(indices)
    k = SIZE // LABEL_SIZE
    out = np.empty((count, size, size, 3), np.uint8)
    for i in range(count):
        y, x = rng.integers(SIZE, size=2)
        if rng.random() < 0.75:
            ys, xs = np.nonzero(np.isin(parts[i], DETAILS))
            if len(ys):
                j = rng.integers(len(ys))
                y, x = ys[j] * k, xs[j] * k
        y0, x0 = (int(np.clip(v - size // 2 + rng.integers(-8, 9), 0, SIZE - size)) for v in (y, x))
        out[i] = pictures[i, y0:y0 + size, x0:x0 + size]
    return to_tensor(out)


def to_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 (B, H, W, 3) -> (B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(pictures).to(device()).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(x: Tensor) -> np.ndarray:
    """(B, 3, H, W) in [-1, 1] -> uint8 (B, H, W, 3)."""
    return ((x.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def picture_loss(y: Tensor, x: Tensor) -> Tensor:
    """Absolute and squared error, and that of edges and of colours.

    Without the last two the network learns outlines late and tells purple from blue later still.
    """
    error = y - x
    edges = sum(error.diff(dim=d).abs().mean() for d in (2, 3))
    tones = F.avg_pool2d(error - error.mean(1, keepdim=True), 4).abs().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * edges + 3 * tones


def latent_penalty(z: Tensor) -> Tensor:
    """How far the latents' channels are from mean 0, deviation 1 and being uncorrelated."""
    flat = z.float().transpose(0, 1).flatten(1)
    covariance = torch.cov(flat)
    return flat.mean(1).square().mean() + (covariance - torch.eye(len(flat), device=z.device)).square().mean()


def psnr(vae: AutoencoderTiny, count: int = 64) -> tuple[float, np.ndarray]:
    """Mean PSNR in dB over held-out drawings, and a sheet of drawings and what comes back."""
    scenes = [s for s, _ in zip(held_out_scenes(False), range(count), strict=False)]
    drawn = np.stack([np.asarray(draw(s)) for s in scenes])
    with torch.no_grad():
        dtype = next(vae.parameters()).dtype
        back = [to_pixels(vae.decode(vae.encode(to_tensor(b).to(dtype)).latents).sample) for b in np.split(drawn, 8)]
    back = np.concatenate(back)
    error = (drawn.astype(float) - back).__pow__(2).mean((1, 2, 3))
    rows = [np.concatenate([drawn[i], back[i]]) for i in range(32)]
    return float((10 * np.log10(255**2 / error)).mean()), rows


def main() -> None:
    """Trains for `--minutes` in all, or goes on until then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--peak", type=float, default=2e-3)
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--start", type=Path, help="weights to start from where there is no checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    vae, pool, log = started(build(), args.start).to(memory_format=torch.channels_last), Pool(), Log(RUN)
    trainee = Trainee({"vae": vae}, ema=0.998, weight_decay=0.0)
    trainee.start_from(args.start)
    if args.decoder_only:
        vae.encoder.requires_grad_(False)

    def look() -> None:
        averaged = build().to(device())
        averaged.load_state_dict(trainee.averaged()["vae"])
        quality, rows = psnr(averaged)
        print(f"held-out PSNR {quality:.2f} dB", flush=True)
        sheet(rows, 8, RUN / "sheet.png")
        save_half(averaged.state_dict(), RUN / "vae.safetensors", trainee.clock)

    for rng in batches(trainee, RUN, args.minutes, seed=1, every=180, on_pause=look):
        x = crops(pool, rng, args.batch, args.crop).contiguous(memory_format=torch.channels_last)
        z = vae.encode(x.to(fast())).latents
        noise = torch.from_numpy(rng.standard_normal(z.shape, np.float32)).to(z)
        y = vae.decode(z + LATENT_NOISE * noise).sample.float()
        fit, penalty = picture_loss(y, x), latent_penalty(z)
        (fit + 0.02 * penalty).backward()
        lr = one_cycle(trainee, args.minutes, args.peak)
        log.add(trainee, fit=fit, penalty=penalty, norm=trainee.step(lr), lr=lr)


if __name__ == "__main__":
    main()
