"""Imagic: fit the prompt to one picture, then the model, then go part of the way to the prompt that is wanted.

Kawar et al., CVPR 2023, arXiv:2210.09276, section 3.2.
Differs from the paper: latents instead of Imagen's cascade; the model may be fitted by a LoRA.

    paper      here      what                                                   shape or range
    x          image     the picture to edit                                    any picture; latent (1, C, h, w)
    e_tgt      e_tgt     the prompt that is wanted, embedded                    (1, n, d)
    e_opt      e_opt     the embedding that fits the picture                    (1, n, d)
    theta'     weights   the model fitted to the picture under e_opt            `finetune.Weights`
    eta        eta       how far from the picture to the prompt                 0: the picture; 1: the prompt
    e_bar      e         eta e_tgt + (1 - eta) e_opt                            (1, n, d)
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch

from helpers.core.diffusion import denoise, encode_one
from helpers.core.files import damaged, digest, load_tensors, required, save_tensors
from helpers.core.interface import Made, Picture, Progress, Text, Watch, ignore
from helpers.core.pictures import as_picture
from helpers.core.randomness import noise
from helpers.core.shapes import Loss, Weight
from helpers.core.tensors import fit_each_other
from helpers.core.values import (
    Batch,
    File,
    FitSteps,
    Guidance,
    Number,
    Prompt,
    Rank,
    Rate,
    Seed,
    Steps,
    entrance,
    known,
    path,
)
from helpers.finetuning.fit import fast_dtype, fit, fit_weights
from helpers.finetuning.loss import Trainable, denoising_loss, rows
from helpers.finetuning.weights import Weights, folded, full, lora, parameters
from helpers.methods.contract import OWN, fitting, method

Way = Annotated[float, Number(-10, 10, hint="0 is the picture, 1 the prompt")]


@known("what `fit_imagic` returns, or `Fitted.load` reads")
@dataclass(frozen=True, eq=False)
class Fitted:
    """What Imagic learns from one picture: e_tgt, e_opt and theta'. Saved as safetensors.

    prompt: the one that is wanted. shape: of the picture's latent, (1, C, h, w).
    """

    prompt: str
    e_tgt: Text
    e_opt: Text
    weights: Weights
    shape: tuple[int, ...]

    def save(self, file: str | Path) -> Path:
        """Writes a .safetensors file."""
        texts = {"e_tgt": self.e_tgt, "e_opt": self.e_opt, "empty": self.e_tgt.unconditional()}
        tensors = {f"text/{k}/{part}": v for k, text in texts.items() for part, v in parts(text).items()}
        tensors |= folded(self.weights.tensors)
        metadata = {"prompt": self.prompt, "shape": self.shape, "told": self.weights.metadata}
        return save_tensors(path("file", file), "imagic", {k: v.clone() for k, v in tensors.items()}, metadata)

    @classmethod
    def load(cls, file: str | Path) -> Fitted:
        """Reads what `save` wrote; ValueError if the file is something else."""
        file = path("file", file)
        tensors, metadata = load_tensors(file, "imagic")
        required(file, metadata, prompt=str, shape=list, told=dict)
        if missing := [k for k in ("empty", "e_tgt", "e_opt") if f"text/{k}/embeddings" not in tensors]:
            raise damaged(file, f"{missing[0]} is missing")
        empty, e_tgt, e_opt = (
            Text(tensors.pop(f"text/{k}/embeddings"), tensors.pop(f"text/{k}/pooled", None))
            for k in ("empty", "e_tgt", "e_opt")
        )
        return cls(metadata["prompt"], replace(e_tgt, empty=empty), replace(e_opt, empty=empty),
                   Weights(tensors, metadata=metadata["told"]), tuple(metadata["shape"]))


@fitting
def fit_embedding(model: Trainable, image: Picture, prompt: Prompt, *, seed: Seed = 0, steps: FitSteps = 100,
                  lr: Rate = 5e-3, batch: Batch = 4, folder: File | None = None, progress: Progress = True,
                  watch: Watch = ignore) -> Text:
    """Step 1: e_opt, from e_tgt on, theta frozen; the embedding under which the model makes `image` best."""
    x0, e_tgt = encode_one(model, image), model.embed(prompt)
    variables = {name: value.detach().float().clone() for name, value in parts(e_tgt).items()}
    weighty = bool(getattr(model, "networks", {}))  # the exact model has no weights
    dtype = fast_dtype(model.device) if weighty else torch.float32
    frozen = {k: v.detach().to(dtype) for k, v in parameters(model, ["unet"]).items()} if weighty else {}

    def loss(step: int) -> Loss:
        x, t, eps = rows(model, x0, batch, seed, step)
        text = Text(variables["embeddings"], variables.get("pooled"))
        return denoising_loss(model, x, text, t, eps).mean()

    metadata = {"method": "imagic, embedding", "prompt": prompt, "seed": seed, "batch": batch,
                "model": model.fingerprint, "picture": seen(model, image)}
    sparing = model.device.type != "cpu"  # SDXL's activations are 20 GB, where they are not computed again
    inside = (lambda: model.changed(frozen, gradient_checkpointing=sparing)) if weighty else nullcontext
    fit(variables, loss, inside=inside, dtype=dtype, steps=steps, lr=lr, folder=folder, metadata=metadata, watch=watch,
        progress=progress)
    return Text(**{k: v.detach() for k, v in variables.items()}, empty=e_tgt.empty)


@fitting
def fit_model(model: Trainable, image: Picture, e_opt: Text, *, rank: Rank | None = None, seed: Seed = 0,
              steps: FitSteps = 100, lr: Rate | None = None, batch: Batch = 4, folder: File | None = None,
              progress: Progress = True, watch: Watch = ignore) -> Weights:
    """Step 2: theta', by the same loss, e_opt frozen. rank: of a LoRA; None fits all weights."""
    x0 = encode_one(model, image)

    def loss(step: int) -> Loss:
        x, t, eps = rows(model, x0, batch, seed, step)
        return denoising_loss(model, x, e_opt, t, eps).mean()

    start = full(model) if rank is None else lora(model, rank, seed=seed)
    metadata = {"method": "imagic, model", "rank": rank, "seed": seed, "batch": batch, "picture": seen(model, image),
                "e_opt": digest([value.detach().float().cpu().numpy() for value in parts(e_opt).values()])}
    lr = lr if lr is not None else 5e-5 if rank is None else 1e-3
    return fit_weights(model, replace(start, metadata=metadata), loss, steps=steps, lr=lr, folder=folder, watch=watch,
                       progress=progress)


def seen(model: Trainable, image: Picture) -> str:
    """Eight hexadecimal digits that tell what is fitted to; the exact model has points, the others pictures."""
    images = image if isinstance(image, (list, tuple)) else [image]
    pictures = getattr(model, "networks", {})
    return digest([as_picture(each) for each in images] if pictures else [np.asarray(image, np.float32)])


@entrance
def interpolate(e_tgt: Text, e_opt: Text, eta: Way) -> Text:
    """Step 3: e_bar = eta e_tgt + (1 - eta) e_opt, with the empty prompt of e_tgt."""
    fit_each_other(e_tgt=e_tgt.embeddings, e_opt=e_opt.embeddings.to(e_tgt.embeddings))
    mixed = {
        k: eta * target + (1 - eta) * fitted.to(target)
        for (k, target), fitted in zip(parts(e_tgt).items(), parts(e_opt).values(), strict=True)
    }
    return Text(**mixed, empty=e_tgt.empty)


@fitting
def fit_imagic(model: Trainable, image: Picture, prompt: Prompt, *, rank: Rank | None = None,
               embedding_steps: FitSteps = 100, model_steps: FitSteps = 100, embedding_lr: Rate = 5e-3,
               model_lr: Rate | None = None, seed: Seed = 0, folder: File | None = None, progress: Progress = True,
               watch: Watch = ignore) -> Fitted:
    """Steps 1 and 2: what `imagic` needs to edit `image` towards `prompt`.

    The numbers suit Picturebook. The paper's for Stable Diffusion: 1000 steps at 2e-3, then 1500 at 5e-7.
    folder: checkpoints; a fit that was interrupted goes on from them.
    """
    folders = (None, None) if folder is None else (Path(folder) / "embedding", Path(folder) / "model")
    knobs: dict[str, Any] = {"seed": seed, "watch": watch, "progress": progress}
    e_opt = fit_embedding(model, image, prompt, steps=embedding_steps, lr=embedding_lr, folder=folders[0], **knobs)
    weights = fit_model(model, image, e_opt, rank=rank, steps=model_steps, lr=model_lr, folder=folders[1], **knobs)
    with torch.no_grad():
        return Fitted(prompt, model.embed(prompt), e_opt, weights, tuple(model.encode(image).shape))


@method
def imagic(model: Trainable[Made], fitted: Fitted, *, eta: Way = 0.7, seed: Seed = 0, steps: Steps = OWN,
           guidance: Guidance = OWN, progress: Progress = True, watch: Watch = ignore) -> Made:
    """Step 3: the picture that the fitted model makes of e_bar.

    eta: 0 makes the picture it was fitted to again, 1 follows the prompt; the paper finds 0.6 to 0.8 best. Beyond 1 is
        allowed.
    seed: of the noise; the paper makes 8 and takes the best.
    """
    e = on_device(interpolate(fitted.e_tgt, fitted.e_opt, eta), model.device)
    z = noise(seed, fitted.shape).to(model.device)
    with fitted.weights.on(model):
        return model.decode(denoise(model, z, e, model.times(steps), guidance, watch, progress))[0]


def parts(text: Text) -> dict[str, Weight]:
    """The tensors of a text that Imagic fits and mixes: its embeddings, and SDXL's pooled ones."""
    return {"embeddings": text.embeddings} | ({} if text.pooled is None else {"pooled": text.pooled})


def on_device(text: Text, device: torch.device) -> Text:
    """The same text elsewhere."""
    empty = None if text.empty is None else on_device(text.empty, device)
    return Text(**{k: v.to(device) for k, v in parts(text).items()}, empty=empty)
