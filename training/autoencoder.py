"""Trains the autoencoder: 256 x 256 pictures <-> 16 x 16 latents of 16 channels (AutoencoderTiny's architecture).

    python -m training.autoencoder --start helpers/picturebook/weights/pipeline/vae/diffusion_pytorch_model.safetensors
    python -m training.autoencoder --decoder --adversary 0.05 --start runs/autoencoder/vae.safetensors

The second command, which writes to runs/decoder/, gives the decoder a block at full resolution and an adversary; the
latents stay what they are.

Learns on crops, mostly around the things in the picture, since backgrounds are easy and the network is convolutional.
Latents are pulled to mean 0 and deviation 1 per channel; noise of any strength up to `LATENT_NOISE` is put on them, so
that the denoiser's errors make small errors in the picture. `--moved` shrinks and turns latents, which must then decode
to the picture shrunk and turned (EQ-VAE, arXiv 2502.09509): see results/training_choices.json for what it gave.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.picturebook.drawing import PARTS, draw
from helpers.picturebook.judge import WEIGHTS, Judge
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.vocabulary import STYLES

from .adversary import Adversary
from .loop import Log, Trainee, batches, device, fast, level, save_half, sheet
from .pool import LABEL_SIZE, SIZE, Pool

RUN = Path("runs/autoencoder")
SHARP_RUN = Path("runs/decoder")  #: the later phases, of the decoder alone
LATENT_CHANNELS = 16
LATENT_NOISE = 0.1  #: largest deviation of the noise on latents in training
STRIDE = 16  #: pixels of a cell, in both directions
STEPS = 6000
FEATURES = 0.1  #: weight of the loss on the features of a network
DETAILS = [PARTS.index(p) for p in ("thing", "ride", "wearing", "holding", "beside", "prop", "topping", "crowd")]


def build(last: int = 1) -> AutoencoderTiny:
    """The untrained network: cheap at full resolution, where the encoder has no block and the decoder `last`.

    The block costs more than all the rest, so the encoder is trained without it.
    """
    torch.manual_seed(0)
    return AutoencoderTiny(
        encoder_block_out_channels=(64,) * 5, num_encoder_blocks=(0, 0, 1, 2, 3),
        decoder_block_out_channels=(64,) * 5, num_decoder_blocks=(4, 3, 2, 1, last),
        latent_channels=LATENT_CHANNELS, scaling_factor=1.0)


def grown(vae: AutoencoderTiny, file: Path | None) -> AutoencoderTiny:
    """`vae` with the weights of a file, be it with or without the last block, or of four stages for 128 x 128."""
    if file is None:
        return vae
    old = {k: v.float() for k, v in load_file(file).items()}
    new = vae.state_dict()
    if "encoder.layers.11.weight" not in old:
        old = with_another_stage(old, new)
    if "decoder.layers.20.weight" in old:  # no last block: the layer at its place is the last one
        old = {k.replace("decoder.layers.20.", "decoder.layers.21."): v for k, v in old.items()}
    old = {k: v for k, v in new.items() if k.startswith(("decoder.layers.17.", "decoder.layers.20.conv"))} | old
    if "decoder.layers.20.weight" in new:
        old = {k.replace("decoder.layers.21.", "decoder.layers.20."): v for k, v in old.items()
               if not k.startswith("decoder.layers.20.")}
    vae.load_state_dict(old)
    return vae


def last_phase() -> tuple[Path, int]:
    """The file of the last phase that there is, and how many blocks its decoder has at full resolution.

    Raises FileNotFoundError where none was trained.
    """
    for file in (SHARP_RUN / "vae.safetensors", RUN / "vae.safetensors"):
        if file.exists():
            return file, int("decoder.layers.21.weight" in load_file(file))
    raise FileNotFoundError("No trained autoencoder: run python -m training.autoencoder first.")


def load_autoencoder() -> AutoencoderTiny | None:
    """The autoencoder as it is trained by now, if there is one: the last phase that there is of it."""
    try:
        file, last = last_phase()
    except FileNotFoundError:
        return None
    vae = grown(build(last), file)
    return vae.to(device(), fast()).to(memory_format=torch.channels_last).requires_grad_(False)


def with_another_stage(old: dict[str, Tensor], new: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a network for 128 x 128 with a stage for 256 x 256 put around them that halves and doubles."""
    new = {k: v.clone() for k, v in new.items() if not k.startswith("decoder.layers.2") or k[16] == "."}
    nn.init.dirac_(new["decoder.layers.19.weight"])
    read, bias, step = (new[f"encoder.layers.{k}"] for k in ("0.weight", "0.bias", "1.weight"))
    bias.zero_()
    bias[27], read[:28], step[:, :28] = 1, 0, 0
    step[:, 27, 1, 1] = old["encoder.layers.0.bias"]
    for tap in range(9):  # the first layer holds the nine neighbours, so that the next one reads every second pixel
        i, j = divmod(tap, 3)
        for color in range(3):
            read[3 * tap + color, color, i, j] = 1
        step[:, 3 * tap:3 * tap + 3, i, j] = old["encoder.layers.0.weight"][:, :, i, j]
    for k, v in old.items():
        part, _, depth, rest = k.split(".", 3)
        depth = int(depth) + (part == "encoder") + 4 * (part == "decoder" and depth == "17")
        if part == "decoder" or depth > 1:
            new[f"{part}.layers.{depth}.{rest}"] = v
    return new


def crops(pool: Pool, rng: np.random.Generator, count: int, size: int) -> Tensor:
    """(count, 3, size, size) in [-1, 1]; three of four crops are around a thing."""
    indices = rng.integers(len(pool), size=count)
    parts = pool.parts(indices)
    k = SIZE // LABEL_SIZE
    out = np.empty((count, size, size, 3), np.uint8)
    for i, index in enumerate(indices):
        y, x = rng.integers(SIZE, size=2)
        if rng.random() < 0.75:
            ys, xs = np.nonzero(np.isin(parts[i], DETAILS))
            if len(ys):
                j = rng.integers(len(ys))
                y, x = ys[j] * k, xs[j] * k
        y0, x0 = (int(np.clip(v - size // 2 + rng.integers(-16, 17), 0, SIZE - size)) for v in (y, x))
        out[i] = pool.picture(index)[y0:y0 + size, x0:x0 + size]
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
    tones = F.avg_pool2d(error - error.mean(1, keepdim=True), 8).abs().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * edges + 3 * tones


class Features(nn.Module):
    """How far two pictures are from each other in the maps of the shipped judge, which only learned what is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = Judge().stages
        weights = {k.removeprefix("stages."): v for k, v in load_file(WEIGHTS).items() if k.startswith("stages.")}
        self.stages.load_state_dict(weights)
        self.to(device(), fast()).to(memory_format=torch.channels_last)

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        """The mean relative difference of the maps, at the pictures' size and at half of it."""
        total = torch.zeros((), device=x.device)
        for scale, depth in ((1, 2), (2, 4)):
            a, b = (F.avg_pool2d(p, scale).to(fast()).contiguous(memory_format=torch.channels_last) for p in (y, x))
            for stage in self.stages[:depth]:
                a, b = stage(a), stage(b)
                total = total + (a - b).abs().float().mean() / (b.float().abs().mean() + 1e-3) / 6
        return total


def latent_penalty(z: Tensor) -> Tensor:
    """How far the latents' channels are from mean 0, deviation 1 and being uncorrelated."""
    flat = z.float().transpose(0, 1).flatten(1)
    covariance = torch.cov(flat)
    return flat.mean(1).square().mean() + (covariance - torch.eye(len(flat), device=z.device)).square().mean()


def moved(z: Tensor, x: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Latents and picture shrunk alike and turned alike by quarters, each half of the time."""
    n = z.shape[-1]
    if rng.random() < 0.5:
        cells = int(rng.integers(n // 2, n))
        z, x = (F.interpolate(t.float(), size=(side, side), mode="bilinear", antialias=True).to(t.dtype)
                for t, side in ((z, cells), (x, cells * STRIDE)))
    if rng.random() < 0.5:
        quarters = int(rng.integers(1, 4))
        z, x = (t.rot90(quarters, (2, 3)) for t in (z, x))
    return z, x


class Examiner:
    """Measures an autoencoder on held-out drawings: as they come, and sixteen of every style."""

    def __init__(self) -> None:
        scenes = [s for s, _ in zip(held_out_scenes(False), range(64), strict=False)]
        self.groups = {"all": scenes} | {style: [s.but(style=style) for s in scenes[:16]] for style in STYLES}
        self.drawn = {name: np.stack([np.asarray(draw(s, SIZE)) for s in group]) for name, group in self.groups.items()}

    @torch.no_grad()
    def examine(self, vae: AutoencoderTiny) -> tuple[dict[str, float], list[np.ndarray]]:
        """Mean PSNR in dB at 128 x 128 and, as "sharp", at 256 x 256; and drawings above what comes back."""
        quality, rows = {}, []
        for name, drawn in self.drawn.items():
            x = torch.cat([to_tensor(b) for b in np.split(drawn, 8)])
            z = torch.cat([vae.encode(b).latents for b in x.to(fast()).split(8)])  # vae(x) would round them to bytes
            y = torch.cat([vae.decode(b).sample for b in z.split(8)]).float().clamp(-1, 1)
            halves = (F.avg_pool2d(y, 2) - F.avg_pool2d(x, 2)).square().mean((1, 2, 3)) / 4
            quality[name] = float(-10 * halves.log10().mean())
            if name == "all":
                quality["sharp"] = float(-10 * ((y - x).square().mean((1, 2, 3)) / 4).log10().mean())
            rows += [np.concatenate([a, b]) for a, b in zip(drawn[:6], to_pixels(y[:6]), strict=True)]
        return quality, rows


def losses(vae: AutoencoderTiny, x: Tensor, rng: np.random.Generator, noise: float, turned: float,
           features: Features) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What the pictures `x` cost as they come back; and these two, shrunk or turned where that was done."""
    x = x.contiguous(memory_format=torch.channels_last)
    z = vae.encode(x.to(fast())).latents
    penalty = latent_penalty(z)
    if rng.random() < turned:
        z, x = (m.contiguous(memory_format=torch.channels_last) for m in moved(z, x, rng))
    strength = torch.from_numpy(noise * rng.random((len(z), 1, 1, 1), np.float32)).to(z)
    z = z + strength * torch.from_numpy(rng.standard_normal(z.shape, np.float32)).to(z)
    y = vae.decode(z).sample.float()
    fit, seen = picture_loss(y, x), features(y, x)
    return {"total": fit + FEATURES * seen + 0.02 * penalty, "fit": fit, "seen": seen, "penalty": penalty}, y, x


def options() -> argparse.Namespace:
    """What can be asked for; the defaults are the recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS, help="in all")
    parser.add_argument("--this-call", type=float, default=math.inf, help="minutes until this call ends")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--peak", type=float, default=1e-3)
    parser.add_argument("--noise", type=float, default=LATENT_NOISE)
    parser.add_argument("--moved", type=float, default=0.0, help="share of the steps that shrink or turn the latents")
    parser.add_argument("--decoder", action="store_true", help="it alone, with its last block; the latents stay")
    parser.add_argument("--adversary", type=float, default=0.0, help="weight of the adversarial loss")
    parser.add_argument("--run", type=Path, help="where it writes")
    parser.add_argument("--start", type=Path, help="weights to start from where there is no checkpoint")
    args = parser.parse_args()
    args.run = args.run or (SHARP_RUN if args.decoder else RUN)
    return args


def main() -> None:
    """Trains until `--steps` are done, in one call or many."""
    args = options()
    torch.set_num_threads(args.threads)
    last = int(args.decoder)
    vae, pool, log = grown(build(last), args.start).to(memory_format=torch.channels_last), Pool(), Log(args.run)
    trainee = Trainee({"vae": vae}, ema=0.998, weight_decay=0.0)
    if args.decoder:
        vae.encoder.requires_grad_(False)
    features, examiner = Features().requires_grad_(False).eval(), Examiner()
    adversary = Adversary(args.run) if args.adversary else None

    def look() -> None:
        averaged = build(last).to(device())
        averaged.load_state_dict(trainee.averaged()["vae"])
        quality, rows = examiner.examine(averaged.to(fast()).to(memory_format=torch.channels_last))
        log.score(trainee, quality)
        sheet(rows, 6, args.run / "sheet.png")
        save_half(trainee.averaged()["vae"], args.run / "vae.safetensors", trainee.clock)
        if adversary is not None:
            adversary.save()

    for rng in batches(trainee, args.run, args.steps, seed=1, every=240, on_pause=look, this_call=args.this_call):
        x = crops(pool, rng, args.batch, args.crop)
        numbers, y, x = losses(vae, x, rng, args.noise, args.moved, features)
        total = numbers.pop("total")
        if adversary is not None:
            numbers["fooled"] = adversary.judge(y, x)
            total = total + args.adversary * numbers["fooled"]
        total.backward()
        lr = level(trainee, args.peak, args.steps, 0.4 * args.steps, 100)
        log.add(trainee, **numbers, norm=trainee.step(lr), lr=lr)


if __name__ == "__main__":
    main()
