"""Writes Picturebook's model card, helpers/picturebook/weights/README.md, from results/picturebook.json.

    python benchmarks/model_card.py
"""

from __future__ import annotations

import json

from record import RESULTS, ROOT

CARD = ROOT / "helpers" / "picturebook" / "weights" / "README.md"

TEXT = """# Picturebook

A small text-to-image model of a picture-book world. It is a genuine diffusers `StableDiffusionPipeline` folder
(`pipeline/`), with the judge that reads its pictures (`judge.safetensors`). Half precision, safetensors.

![Pictures for 48 held-out prompts in six rows of eight - the first three rows are combinations of words that occur in
training, the last three are not](samples.png)

The prompts of these pictures, in order, are in [samples.txt](samples.txt).

## What it is made of

| part | what | trained for |
|---|---|---|
| autoencoder | `AutoencoderTiny`, 16 x 16 latents of 16 channels | {autoencoder_minutes} minutes |
| text encoder | `CLIPTextModel`, 3 layers, 256 wide, {window} tokens | {words_minutes} minutes |
| denoiser | `UNet2DConditionModel`, {widths} wide | {unet_minutes} minutes, {unet_pictures} pictures seen |
| judge | finds the parts of a picture, then reads each attribute from its part | {judge_minutes} minutes |

Trained on two CPU cores, the parts partly side by side. The recipe is `helpers/picturebook/training/`, at commit
`{commit}`; each file says how to run it. Every known word is one token. The text encoder is trained first, to
understand captions, and then kept as it is. The denoiser predicts v under a cosine schedule, with cross-attention at
16 x 16, 8 x 8 and 4 x 4. While it learns, a second small loss asks the cross-attention of a word to look at what the
word speaks of; in other models that comes about by itself.

## Data

Scenes drawn by `helpers/picturebook/drawing/`. Training draws scene numbers below 10,000,000. Two things are held out:
scene numbers above it, and one in twelve pairs of words (thing and color, thing and ride, thing and place, ride and
its color, thing and what it wears, what it holds and its color), which never occur together in training.

## How good it is

{prompts} held-out prompts, {steps} steps, guidance {guidance}, read by the judge. Shares right, with 95 % intervals.

| asked for | all | known combinations | new combinations |
|---|---|---|---|
{pictures}

Graded words count as shown from an amount of 0.1 on. Pictures of one caption and several seeds differ by {diversity} of
what drawings of that caption differ (mean distance of the judge's features).

## How good the judge is

{drawings} held-out drawings, as drawn and as they come out of the autoencoder (PSNR {psnr} dB).

| attribute | drawn | through the autoencoder |
|---|---|---|
{judge}

Its commonest errors on drawings: {mixed_drawn}.

Through the autoencoder: {mixed_back}.

Measured on {date}, {machine}, commit `{measured_commit}`.
"""


def percent(share: dict[str, object], interval: bool = True) -> str:
    """"93.1 % (91.0-94.8)"."""
    if share["right"] is None:
        return "-"
    low, high = share["interval"]
    return f"{100 * share['right']:.1f} %" + (f" ({100 * low:.0f}-{100 * high:.0f})" if interval else "")


def card() -> str:
    """The card's text."""
    r = json.loads((RESULTS / "picturebook.json").read_text())
    training = json.loads((RESULTS / "training.json").read_text())
    judge = r["judge"]
    names = [n for n in r["pictures"] if r["pictures"][n]["right"] is not None]
    groups = ("pictures", "pictures of known combinations", "pictures of new combinations")
    pictures = "\n".join(f"| {n.replace('_', ' ')} | " + " | ".join(percent(r[group][n]) for group in groups) + " |"
                         for n in names)
    rows = "\n".join(f"| {n.replace('_', ' ')} | {percent(judge['drawn'][n], False)} | "
                     f"{percent(judge['through the autoencoder'][n], False)} |" for n in judge["drawn"])
    rows += "\n" + "\n".join(
        f"| {n}: mean error of the amount | {judge['drawn, mean error of amounts'][n]:.3f} | "
        f"{judge['through the autoencoder, mean error of amounts'][n]:.3f} |"
        for n in judge["drawn, mean error of amounts"])
    mixed = {k: "; ".join(f"{e} ({n} times)" for e, n in judge[f"{k}, mixed up"].items())
             for k in ("drawn", "through the autoencoder")}
    measured = r["measured"]
    return TEXT.format(
        **training, prompts=r["prompts"], steps=r["steps"], guidance=r["guidance"], pictures=pictures, judge=rows,
        diversity=f"{100 * r['diversity']['ratio']:.0f} %", drawings=judge["drawings"],
        psnr=judge["autoencoder PSNR (dB)"], mixed_drawn=mixed["drawn"], mixed_back=mixed["through the autoencoder"],
        date=measured["date"], machine=measured["machine"], measured_commit=measured["commit"])


if __name__ == "__main__":
    CARD.write_text(card())
    print(CARD)
