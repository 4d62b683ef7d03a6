"""Trains the denoiser: a UNet with cross-attention at 16 x 16, 8 x 8 and 4 x 4, conditioned on captions.

    python -m training.unet --minutes 90

Predicts v (Salimans & Ho 2022, arXiv 2202.00512) under a cosine schedule, loss weighted by min-SNR (Hang et al. 2023,
arXiv 2303.09556). Since the world is drawn, we know which pixels every word of a caption speaks of; a second, small
loss asks the cross-attention at 16 x 16 to look there. It makes the words find their things early, and the maps
readable.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from helpers.picturebook.drawing import PARTS
from helpers.picturebook.judge import Judge
from helpers.picturebook.sampling import held_out_scenes
from helpers.picturebook.scene import Scene

from .autoencoder import LATENT_CHANNELS, to_pixels
from .judge import RUN as JUDGE_RUN
from .judge import load_autoencoder
from .latents import LatentPool
from .loop import Log, Trainee, batches, device, fast, one_cycle, save_half, sheet, started
from .pool import GRID
from .words import WIDTH, draw_captions, encode_captions, load_text_encoder

RUN = Path("runs/unet")
BATCH = 32
WIDTHS, HEADS = (128, 192, 256), (4, 6, 8)
UNTOLD = 0.1  #: the share of pictures trained without their caption, for guidance
LOOK = 0.02  #: weight of the attention loss
DETAIL = 8.0  #: how much more the cells of a thing count than those of the background, over the root of their number
DETAILS = torch.tensor([PARTS.index(p) for p in ("thing", "ride", "wearing", "holding", "beside", "topping")])


def build() -> UNet2DConditionModel:
    """The untrained network. diffusers reads `attention_head_dim` as the number of heads."""
    torch.manual_seed(0)
    down, up = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
    return UNet2DConditionModel(
        sample_size=GRID, in_channels=LATENT_CHANNELS, out_channels=LATENT_CHANNELS, layers_per_block=1,
        block_out_channels=WIDTHS, down_block_types=(down,) * 3, up_block_types=(up,) * 3, cross_attention_dim=WIDTH,
        attention_head_dim=HEADS)


def build_scheduler() -> DDIMScheduler:
    """The noise schedule: cosine, v-prediction; sampling starts at pure noise and ends at the clean picture."""
    return DDIMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=False,
                         timestep_spacing="trailing", set_alpha_to_one=True, steps_offset=1)


class WatchedAttention:
    """Attention with its map formed (in bfloat16 faster here than the fused kernel), kept where text meets 16 x 16."""

    def __init__(self, maps: list[Tensor]) -> None:
        self.maps = maps

    def __call__(self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
                 attention_mask: Tensor | None = None, temb: Tensor | None = None) -> Tensor:
        """(B, pixels, width) -> the same."""
        text = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (layer(x).unflatten(-1, (attn.heads, -1)).transpose(1, 2) for layer, x in
                   ((attn.to_q, hidden_states), (attn.to_k, text), (attn.to_v, text)))
        probabilities = ((q * attn.scale) @ k.transpose(-1, -2)).softmax(-1)
        if encoder_hidden_states is not None and q.shape[2] == GRID * GRID:
            self.maps.append(probabilities.mean(1))
        return attn.to_out[0]((probabilities @ v).transpose(1, 2).flatten(2))


def looking_loss(maps: Sequence[Tensor], word_parts: Tensor, cell_parts: Tensor, weight: Tensor) -> Tensor:
    """How little the cells of each part look at the words that speak of it.

    maps: (B, cells, tokens) each; word_parts (B, tokens), -1: of none; cell_parts (B, cells); weight (B,).
    """
    speaks = (word_parts[:, None, :] == cell_parts[:, :, None]).float()  # (B, cells, tokens)
    told = speaks.any(-1).float()
    size = (cell_parts[:, :, None] == cell_parts[:, None, :]).sum(-1)  # cells of the same part: small things count more
    share = told * weight[:, None] / size.sqrt()
    losses = [-((m.float() * speaks).sum(-1) + 1e-3).log() for m in maps]
    return (torch.stack(losses).mean(0) * share).sum() / share.sum().clamp(min=1e-6)


def cell_weights(cell_parts: Tensor) -> Tensor:
    """How much each cell counts, 1 on average: things more than the background, small ones most.

    cell_parts (B, 16, 16) -> (B, 1, 16, 16). Without it a hat of four cells is 1.5 % of the loss, and comes last.
    """
    flat = cell_parts.flatten(1).long()
    size = (flat[:, :, None] == flat[:, None, :]).sum(-1)
    weight = 1 + torch.isin(flat, DETAILS.to(flat.device)) * DETAIL / size.sqrt()
    return (weight / weight.mean(1, keepdim=True)).view(len(flat), 1, *cell_parts.shape[1:])


def draw_times(rng: np.random.Generator, count: int) -> Tensor:
    """Timesteps, more of them in the middle, where it is decided what the picture shows."""
    middle = 1 / (1 + np.exp(-rng.normal(0.2, 1.0, count)))
    share = np.where(rng.random(count) < 0.75, middle, rng.random(count))
    return torch.from_numpy((share * 1000).astype(np.int64).clip(0, 999))


@torch.no_grad()
def sample(unet: nn.Module, states: Tensor, empty: Tensor, steps: int = 25, guidance: float = 4.0) -> Tensor:
    """DDIM from noise; states (B, tokens, width) -> latents (B, 16, 16, 16)."""
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps)
    noise = torch.randn((len(states), LATENT_CHANNELS, GRID, GRID), generator=torch.Generator().manual_seed(0))
    x = noise.to(states.device)
    both = torch.cat([empty.expand_as(states), states])
    for t in scheduler.timesteps:
        v0, v1 = unet(torch.cat([x, x]).to(both.dtype), t, both).sample.float().chunk(2)
        x = scheduler.step(v0 + guidance * (v1 - v0), t, x).prev_sample
    return x


class Examiner:
    """Draws a sample sheet and lets the judge score it, whenever the training pauses."""

    def __init__(self, tokenizer: object, encoder: nn.Module, count: int = 64) -> None:
        self.scenes: list[Scene] = [s for new in (False, True) for s, _ in
                                    zip(held_out_scenes(new), range(count // 2), strict=False)]
        self.captions = draw_captions(self.scenes, np.random.default_rng(0))
        ids, _ = encode_captions(tokenizer, [c.text for c in self.captions], self.scenes)
        none, _ = encode_captions(tokenizer, [""], self.scenes[:1])
        with torch.no_grad():
            self.states, self.empty = (encoder(x).last_hidden_state.to(fast()) for x in (ids, none))

    def examine(self, unet: nn.Module) -> str:
        """Writes `sheet.png`, gives the scores in words."""
        vae = load_autoencoder()
        with torch.no_grad():
            z = sample(unet.to(fast()), self.states.to(device()), self.empty.to(device())).to(fast())
            pictures = np.concatenate([to_pixels(vae.decode(b).sample) for b in z.split(16)])
        sheet(pictures, 8, RUN / "sheet.png")
        file = JUDGE_RUN / "judge.safetensors"
        if not file.exists():
            return "no judge yet"
        from PIL import Image
        readings = Judge.load(file).read([Image.fromarray(p) for p in pictures])
        lines = []
        for name in ("place", "thing", "color", "doing", "ride", "ride_color", "style"):
            right = [r.agrees(s, name) for r, s, c in zip(readings, self.scenes, self.captions, strict=True)
                     if name in c.said]
            lines.append(f"{name} {np.mean(right):.0%}")
        return ", ".join(lines)


def main() -> None:
    """Trains for `--minutes` in all, or goes on until then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--peak", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.25, help="share of the time over which the rate falls to 0")
    parser.add_argument("--look-every", type=float, default=8, help="minutes between two checkpoints and sample sheets")
    parser.add_argument("--start", type=Path, help="weights to start from where there is no checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    pool, log = LatentPool(), Log(RUN)
    tokenizer, encoder = load_text_encoder()
    examiner = Examiner(tokenizer, encoder)
    unet, maps = started(build(), args.start), []
    unet.set_attn_processor(WatchedAttention(maps))
    trainee = Trainee({"unet": unet}, ema=0.999, betas=(0.9, 0.99))
    trainee.start_from(args.start)
    encoder = encoder.to(device(), fast())
    alpha_bar = build_scheduler().alphas_cumprod
    none = encode_captions(tokenizer, [""], [pool.scene(0)])[0][0]

    def look() -> None:
        averaged = build().to(device())
        averaged.load_state_dict(trainee.averaged()["unet"])
        save_half(averaged.state_dict(), RUN / "unet.safetensors", trainee.clock)
        averaged.set_attn_processor(WatchedAttention(scratch := []))
        line = examiner.examine(averaged)
        scratch.clear()
        print(f"{trainee.seconds / 60:.1f} min: {line}", flush=True)
        with (RUN / "scores.txt").open("a") as f:
            f.write(f"{trainee.step_count} steps, {trainee.seconds / 60:.1f} min: {line}\n")

    for rng in batches(trainee, RUN, args.minutes, seed=4, every=60 * args.look_every, on_pause=look):
        indices = pool.draw(rng, args.batch)
        scenes = [pool.scene(int(i)) for i in indices]
        ids, word_parts = encode_captions(tokenizer, [c.text for c in draw_captions(scenes, rng)], scenes)
        untold = torch.from_numpy(rng.random(args.batch) < UNTOLD)
        ids[untold], word_parts[untold] = none, -1
        with torch.no_grad():
            states = encoder(ids.to(device())).last_hidden_state
        x0 = pool.latents[indices].float().to(device())
        noise = torch.from_numpy(rng.standard_normal(x0.shape, np.float32)).to(device())
        t = draw_times(rng, args.batch)
        a = alpha_bar[t].to(device())[:, None, None, None]
        x, v = a.sqrt() * x0 + (1 - a).sqrt() * noise, a.sqrt() * noise - (1 - a).sqrt() * x0
        maps.clear()
        predicted = unet(x.to(fast()), t.to(device()), states).sample.float()
        snr = (a / (1 - a)).flatten()
        weight = snr.clamp(max=5) / (snr + 1) * 2
        cells = pool.parts[indices].to(device())
        error = ((predicted - v).square() * cell_weights(cells)).mean((1, 2, 3))
        looking = looking_loss(maps, word_parts.to(device()), cells.flatten(1).long(), a.flatten().sqrt())
        ((weight * error).mean() + LOOK * looking).backward()
        lr = one_cycle(trainee, args.minutes, args.peak, decay=args.decay)
        log.add(trainee, error=error.mean(), looking=looking, norm=trainee.step(lr), lr=lr)


if __name__ == "__main__":
    main()
