"""DreamBooth: teach a model one subject from a few pictures, and keep its idea of the subject's class.

Ruiz et al., CVPR 2023, arXiv:2208.12242, equations 1 and 2.
Differs from the paper: the error is that of the network's own output (see `finetune.denoising_loss`).

    paper          here           what                                               shape or range
    x              x0             latents of the pictures of the subject             (n, C, h, w)
    c              prompt         a prompt with a word for the subject               "a sks cat"
    x_pr           x_pr           latents of the frozen model's pictures of c_pr     (m, C, h, w)
    c_pr           class_prompt   the same prompt without the word                   "a cat"
    lambda         prior_weight   weight of the prior-preservation loss              0: plain fine-tuning
    eps, eps'      noise          the noise of the rows of both                      (B, C, h, w)
    -              rank           fit a LoRA of this rank; None: all weights         1 ... the layers' width

Naive fine-tuning, without the prior, forgets: "a cat" comes to mean the subject (language drift), and the pictures come
to be alike (reduced diversity).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from helpers.core.files import DamagedFile, check_folder, digest, read_our_json, to_json, write_json
from helpers.core.interface import Generator, Picture, Progress, Text, Watch, ignore, join
from helpers.core.picture_files import keep, kept
from helpers.core.pictures import as_picture, listed_pictures
from helpers.core.shapes import Latents, Loss
from helpers.core.values import Batch, File, FitSteps, Flag, Number, Prompt, Rank, Rate, Seed
from helpers.core.warn import FitWarning, heard, warn
from helpers.core.words import unknown_words, words_of
from helpers.finetuning.fit import fit_weights
from helpers.finetuning.loss import Trainable, denoising_loss, rows
from helpers.finetuning.weights import TEXT_ENCODERS, Weights, full, lora, parameters
from helpers.methods.contract import fitting, method

PRIOR = "prior.json"  # how the pictures of a folder were made
PriorWeight = Annotated[float, Number(0, 1000, hint="0 is no prior, 1 is usual")]
HowMany = Annotated[int, Number(0, 100_000, whole=True)]


@method
def prior_pictures(model: Generator, class_prompt: Prompt, count: HowMany = 100, *, seed: Seed = 0,
                   folder: File | None = None, progress: Progress = True, **knobs: Any) -> list[Image.Image]:
    """x_pr: `count` pictures that the model makes of its class, before it is fine-tuned.

    folder: where they are kept as PNG files; those already there are not made again.
    knobs: steps, guidance and size as for `model.generate`.
    Raises ValueError for a folder with other pictures, or with those of another model, class or other knobs.
    """
    if folder is None:
        made: list[Image.Image] = model.generate(class_prompt, seed=list(range(seed, seed + count)), progress=progress,
                                                 **knobs)
        return made
    folder = Path(folder)
    check_folder(folder)
    own = {"model": model.fingerprint, "steps": model.steps, "guidance": model.guidance, "size": model.size}
    check_metadata(folder, {"class_prompt": class_prompt} | own | knobs)
    files = {i: folder / f"{seed + i:05}.png" for i in range(count)}
    missing = [i for i, file in files.items() if not file.is_file()]
    for some in (missing[i : i + 16] for i in range(0, len(missing), 16)):
        made = model.generate(class_prompt, seed=[seed + i for i in some], progress=progress, **knobs)
        for i, picture in zip(some, made, strict=True):
            keep(picture, files[i], kind="prior", seed=seed + i)
    return [kept(file, kind="prior", seed=seed + i) for i, file in files.items()]


def check_metadata(folder: Path, metadata: dict[str, Any]) -> None:
    """An error if the folder's pictures were made in another way than `metadata`; notes it where there are none yet."""
    file, metadata = folder / PRIOR, json.loads(to_json(metadata))
    if not any(folder.glob("*.png")):
        write_json(file, "prior", metadata)
    if not file.is_file():
        raise ValueError(f"{str(folder)!r} holds pictures that were not made here: give a folder of its own.")
    try:
        there = read_our_json(file, "prior")
    except DamagedFile as error:
        raise DamagedFile(f"{error} Nobody knows how the pictures beside it were made: give another folder.") from error
    other = sorted(key for key in there.keys() | metadata.keys() if there.get(key) != metadata.get(key))
    if other:
        raise ValueError(f"{str(folder)!r} holds pictures that differ in {', '.join(other)}: give another folder.")


@fitting
def fit_dreambooth(model: Trainable, pictures: Sequence[Picture] | str | Path, prompt: Prompt,
                   class_prompt: Prompt | None = None, prior: Sequence[Picture] = (), *,
                   prior_weight: PriorWeight = 1.0, rank: Rank | None = None, text_encoder: Flag = False,
                   seed: Seed = 0, steps: FitSteps = 150, lr: Rate | None = None, batch: Batch = 4,
                   folder: File | None = None, progress: Progress = True, watch: Watch = ignore) -> Weights:
    """The weights with which `prompt` ("a sks cat") means the subject of `pictures`; apply them with `.on(model)`.

    pictures: of the subject, 3 to 6 are usual; a folder, or a list of pictures in any form and size.
    class_prompt, prior: "a cat" and pictures of it (see `prior_pictures`); without them it is naive fine-tuning.
    text_encoder: fit the text encoders, too.
    lr: 1e-4 for all weights and 1e-3 for a LoRA unless given, which suits Picturebook; Stable Diffusion wants 5e-6
        and 1e-4, and 400 to 800 steps.
    batch: pictures of the subject in a step; with a prior, as many of its pictures besides.
    folder, watch: as in `finetuning.fit`; a fit that was interrupted goes on from its folder.
    Raises ValueError for pictures that cannot be read, which are all named.
    """
    has_prior = not isinstance(prior, Sequence) or bool(prior)
    if has_prior != (class_prompt is not None):
        raise ValueError("The prior wants both: class_prompt='a cat', say, and prior=prior_pictures(model, 'a cat').")
    subject, others = subject_pictures(pictures), subject_pictures(prior) if has_prior else []
    prompts = [prompt, class_prompt] if class_prompt is not None and others and prior_weight else [prompt]
    parameters(model, ())  # an error for a model without weights
    networks = ["unet", *(name for name in TEXT_ENCODERS if text_encoder and name in model.networks)]
    words = subject_words(model, prompt, class_prompt)
    with torch.no_grad(), model.changed({}, words):  # here every other word is checked, once
        text = model.embed(prompts)
    x0, x_pr = model.encode(subject), model.encode(others) if len(prompts) == 2 else None  # once, not at each step
    metadata = {"method": "dreambooth", "prompt": prompt, "class_prompt": class_prompt, "seed": seed, "batch": batch,
                "rank": rank, "networks": networks, "prior_weight": prior_weight, "pictures": digest(subject),
                "prior": digest(others)}
    start = full(model, networks) if rank is None else lora(model, rank, networks=networks, seed=seed)
    given = (lambda: embedded(model, prompts)) if text_encoder else (lambda: text)
    loss = losses(model, x0, x_pr, given, prior_weight, batch, seed)
    lr = lr if lr is not None else 1e-4 if rank is None else 1e-3
    return fit_weights(model, replace(start, words=words, metadata=metadata), loss, steps=steps, lr=lr, folder=folder,
                       watch=watch, progress=progress)


def losses(model: Trainable, x0: Latents, x_pr: Float[Tensor, "B_pr C h w"] | None, prompts: Callable[[], Text],
           prior_weight: float, batch: int, seed: int) -> Callable[[int], Loss]:
    """Equation 2 as a function of the step; equation 1 where there are no latents x_pr of the prior."""

    def loss(step: int) -> Loss:
        c = prompts()
        x, t, noise = rows(model, x0, batch, seed, step)
        if x_pr is None:
            return denoising_loss(model, x, c, t, noise).mean()
        both = zip((x, t, noise), rows(model, x_pr, batch, f"{seed}, prior", step), strict=True)
        x, t, noise = (torch.cat(pair) for pair in both)  # one call of the network for both terms
        c = join(c[[0] * (len(x) // 2)], c[[1] * (len(x) // 2)])
        error, error_pr = denoising_loss(model, x, c, t, noise).chunk(2)
        return error.mean() + prior_weight * error_pr.mean()

    return loss


def subject_words(model: Trainable, prompt: str, class_prompt: str | None) -> tuple[str, ...]:
    """The words that are to mean the subject: those that the class prompt has not, else the first unknown one."""
    words = words_of(prompt)
    if class_prompt is not None:
        return tuple(word for word in words if word not in words_of(class_prompt))
    known = getattr(model, "known_words", None) or frozenset()
    return tuple(unknown_words(prompt, known)[:1]) if known else tuple(words)


def embedded(model: Trainable, prompts: str | Sequence[str]) -> Text:
    """The prompts at every step of a fit, without the warnings that were given before the first."""
    with heard():
        return model.embed(prompts)


def subject_pictures(pictures: Sequence[Picture] | str | Path) -> list[Image.Image]:
    """The pictures of a folder or a list, RGB; a ValueError that names every one that cannot be read.

    Pictures that are the same are taken, with a FitWarning: they count as often as they are there. So are the files of
    a folder that are left out, since they are photos in a format that is not read.
    """
    found, broken = [], []
    for name, picture in listed_pictures(pictures, lambda told: warn(told, FitWarning)):
        try:
            found.append(as_picture(picture))
        except (ValueError, TypeError, OSError) as error:
            broken.append(f"{name}: {error}")
    if broken:
        raise ValueError("Some pictures cannot be used; leave them out or save them again. " + " | ".join(broken))
    if not found:
        raise ValueError("There are no pictures: give 3 to 6 of the subject, as a list or a folder of picture files.")
    same = len(found) - len({(picture.size, picture.tobytes()) for picture in found})
    if same:
        warn(f"{same} of the {len(found)} pictures are there more than once and count more than the others: leave the "
             "copies out.", FitWarning)
    return found
