"""Trains the denoiser: a UNet with cross-attention at 16 x 16, 8 x 8 and 4 x 4, conditioned on captions.

    python -m training.unet                              goes on, at a level rate, as long as it is let
    python -m training.unet --this-call 9                for nine minutes
    python -m training.unet --partner                    on two cores and no GPU: two processes, 128 pictures a step
    python -m training.unet --pictures 1500000 --falling 300000      the rate falls over the last 300,000 pictures

Predicts v (Salimans & Ho 2022, arXiv 2202.00512) under a cosine schedule, loss weighted by min-SNR (Hang et al. 2023,
arXiv 2303.09556). Since the world is drawn, we know which pixels every word of a caption speaks of; a second, small
loss asks the cross-attention at 16 x 16 to look there. It makes the words find their things early, and the maps
readable. A third asks the features to name what every cell shows (truth.py).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from helpers.picturebook.drawing import PARTS
from helpers.picturebook.scene import Scene

from .autoencoder import LATENT_CHANNELS
from .latents import LatentPool
from .loop import Log, Trainee, batches, device, fast, level, save_half, started
from .partner import Gradients, Partner
from .pool import GRID
from .truth import CellReader, truth
from .words import WIDTH, draw_captions, encode_captions, load_text_encoder

RUN = Path("runs/unet")
BATCH, SEED = 64, 4
WIDTHS, HEADS = (128, 192, 256), (4, 6, 8)
RATE = 1e-3
EMA = 0.999
UNTOLD = 0.1  #: the share of pictures trained without their caption, for guidance
LOOK = 0.02  #: weight of the attention loss
NAME = 0.05  #: weight of the loss of naming cells
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


def pictures_a_step(partner: bool, batch: int = BATCH) -> int:
    """How many pictures a step sees: a partner takes as many again."""
    return 2 * batch if partner else batch


class WatchedAttention:
    """Attention with its map formed (in bfloat16 faster here than the fused kernel), kept where text meets 16 x 16."""

    def __init__(self, maps: list[Tensor] | None) -> None:
        self.maps = maps

    def __call__(self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
                 attention_mask: Tensor | None = None, temb: Tensor | None = None) -> Tensor:
        """(B, pixels, width) -> the same."""
        text = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (layer(x).unflatten(-1, (attn.heads, -1)).transpose(1, 2) for layer, x in
                   ((attn.to_q, hidden_states), (attn.to_k, text), (attn.to_v, text)))
        probabilities = ((q * attn.scale) @ k.transpose(-1, -2)).softmax(-1)
        if self.maps is not None and encoder_hidden_states is not None and q.shape[2] == GRID * GRID:
            self.maps.append(probabilities.mean(1))
        return attn.to_out[0]((probabilities @ v).transpose(1, 2).flatten(2))


def watch(unet: UNet2DConditionModel, maps: list[Tensor] | None) -> UNet2DConditionModel:
    """Gives `unet` the attention that is fast here; the maps go to the list."""
    unet.set_attn_processor(WatchedAttention(maps))
    return unet


class Student(nn.Module):
    """The denoiser as it is trained: with its attention maps, and the features that come to its last level."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet, self.maps, self.features = unet, [], []
        watch(unet, self.maps)
        unet.up_blocks[-2].register_forward_hook(lambda _block, _given, out: self.features.append(out))

    def forward(self, x: Tensor, t: Tensor, states: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
        """What it predicts, the maps (B, cells, tokens) and the features (B, width, 16, 16)."""
        self.maps.clear(), self.features.clear()
        predicted = self.unet(x, t, states).sample
        return predicted, list(self.maps), self.features[0]


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


class Lesson:
    """What one step asks of the student: pictures, captions, noise, and the three losses."""

    def __init__(self, unet: UNet2DConditionModel, name: float, full: float) -> None:
        self.pool, self.name, self.full = LatentPool(), name, full
        self.unet, self.reader = unet, CellReader(WIDTHS[1])
        self.student: nn.Module = Student(unet)
        self.tokenizer, encoder = load_text_encoder()
        self.encoder = encoder.to(device(), fast())
        self.alpha_bar = build_scheduler().alphas_cumprod
        self.none = encode_captions(self.tokenizer, [""], [self.pool.scene(0)])[0][0]

    def captions(self, scenes: Sequence[Scene], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """The text encoder's states (B, tokens, width), and the part each token speaks of; some captions are empty."""
        texts = [c.text for c in draw_captions(scenes, rng, self.full)]
        ids, word_parts = encode_captions(self.tokenizer, texts, scenes)
        untold = torch.from_numpy(rng.random(len(scenes)) < UNTOLD)
        ids[untold], word_parts[untold] = self.none, -1
        with torch.no_grad():
            return self.encoder(ids.to(device())).last_hidden_state, word_parts.to(device())

    def use(self, weights: Sequence[Tensor]) -> None:
        """Computes with these weights, those of another process, from now on."""
        self.unet.to(fast()), self.reader.to(fast())
        for own, weight in zip(self.weights(), weights, strict=True):
            own.data = weight

    def weights(self) -> list[Tensor]:
        """All that is trained."""
        return [*self.unet.parameters(), *self.reader.parameters()]

    def losses(self, rng: np.random.Generator, batch: int) -> dict[str, Tensor]:
        """The total, and what it is made of."""
        indices = self.pool.draw(rng, batch)
        scenes = [self.pool.scene(int(i)) for i in indices]
        states, word_parts = self.captions(scenes, rng)
        x0, cells = self.pool.latents[indices].float().to(device()), self.pool.parts[indices].to(device())
        noise = torch.from_numpy(rng.standard_normal(x0.shape, np.float32)).to(device())
        t = draw_times(rng, batch)
        a = self.alpha_bar[t].to(device())[:, None, None, None]
        x, v = a.sqrt() * x0 + (1 - a).sqrt() * noise, a.sqrt() * noise - (1 - a).sqrt() * x0
        x = x.to(fast()).contiguous(memory_format=torch.channels_last)
        predicted, maps, features = self.student(x, t.to(device()), states)
        snr = (a / (1 - a)).flatten()
        weight = snr.clamp(max=5) / (snr + 1) * 2
        error = ((predicted.float() - v).square() * cell_weights(cells)).mean((1, 2, 3))
        looking = looking_loss(maps, word_parts, cells.flatten(1).long(), a.flatten().sqrt())
        naming = self.reader.loss(features, *truth(scenes, cells)) if self.name else torch.zeros(())
        return {"total": (weight * error).mean() + LOOK * looking + self.name * naming,
                "error": error.mean(), "looking": looking, "naming": naming}


def partner(args: argparse.Namespace, weights: Sequence[Tensor]) -> Gradients:
    """What the second process computes: the same lesson with other pictures."""
    lesson = Lesson(build(), args.name, args.full)
    lesson.use(weights)
    if args.compile:
        lesson.student = torch.compile(lesson.student)

    def gradients(step: int) -> list[Tensor]:
        lesson.losses(np.random.default_rng([SEED, step, 1]), args.batch)["total"].backward()
        return lesson.weights()

    return gradients


def options() -> argparse.Namespace:
    """What can be asked for; the defaults are the recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--this-call", type=float, default=math.inf, help="minutes until this call ends")
    parser.add_argument("--pictures", type=float, default=math.inf, help="how many to see in all")
    parser.add_argument("--falling", type=float, default=0, help="over the last how many of them the rate falls to 0")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--partner", action="store_true", help="two processes of one thread, twice the batch a step")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--peak", type=float, default=RATE)
    parser.add_argument("--name", type=float, default=NAME, help="weight of naming what every cell shows")
    parser.add_argument("--full", type=float, default=0.5, help="share of the captions that tell all there is")
    parser.add_argument("--muon", action=argparse.BooleanOptionalAction, default=True,
                        help="for the matrices, or AdamW")
    parser.add_argument("--compile", action="store_true", help="two minutes at the start; then a quarter faster")
    parser.add_argument("--look-every", type=float, default=20, help="minutes between two sample sheets")
    parser.add_argument("--count", type=int, default=64, help="pictures by which it is scored")
    parser.add_argument("--run", type=Path, default=RUN)
    parser.add_argument("--start", type=Path, help="weights to start from where there is no checkpoint")
    return parser.parse_args()


def main() -> None:
    """Trains until there were `--pictures` in all, from the last checkpoint on, in one call or many."""
    args = options()
    torch.set_num_threads(1 if args.partner else args.threads)
    from .examine import Examiner  # which samples, and so needs this file
    unet, log, examiner = started(build(), args.start), Log(args.run), Examiner(args.count)
    lesson = Lesson(unet, args.name, args.full)
    trainee = Trainee({"unet": unet, "reader": lesson.reader}, ema=EMA, muon=("unet",) if args.muon else ())
    unet.to(memory_format=torch.channels_last)
    if args.compile:
        lesson.student = torch.compile(lesson.student)
    second = Partner(partial(partner, args), trainee.working) if args.partner else None
    batch = pictures_a_step(args.partner, args.batch)

    def look() -> None:
        averaged = build().to(device())
        averaged.load_state_dict(trainee.averaged()["unet"])
        save_half(averaged.state_dict(), args.run / "unet.safetensors", trainee.clock)
        watch(averaged.to(fast()).to(memory_format=torch.channels_last), None)
        scores = examiner.examine(averaged, args.run / "sheet.png")
        log.score(trainee, scores, pictures=trainee.step_count * batch)

    steps, falling = args.pictures / batch, args.falling / batch
    for rng in batches(trainee, args.run, steps, seed=SEED, every=60 * args.look_every, on_pause=look,
                       this_call=args.this_call):
        if second is not None:
            second.begin(trainee.step_count)
        losses = lesson.losses(rng, args.batch)
        losses.pop("total").backward()
        if second is not None:
            second.finish(trainee.working)
        lr = level(trainee, args.peak, steps, falling)
        log.add(trainee, **losses, norm=trainee.step(lr, threads=args.threads), lr=lr)


if __name__ == "__main__":
    main()
