"""Textual inversion: find the word for a subject; nothing but the word's own vectors is learnt.

Gal et al., "An Image is Worth One Word", ICLR 2023, arXiv:2208.01618, equation 2.
Differs from the paper: a word of several tokens gets a vector for each; prompts are given, not drawn from a list.

    paper    here      what                                          shape or range
    S_*      word      the word that shall stand for the subject     a word that means nothing yet
    v_*      weights   its vectors, all that is fitted               (tokens of the word, d)
    y        prompt    a prompt with the word in it                  a text
    -        like      a word to start from                          a word for what the subject is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from helpers.core.files import digest
from helpers.core.interface import Picture, Progress, Watch, ignore
from helpers.core.shapes import Loss
from helpers.core.values import Batch, File, FitSteps, Prompt, Rate, Seed
from helpers.core.words import words_of
from helpers.finetuning.fit import fit_weights
from helpers.finetuning.loss import Trainable, denoising_loss, rows
from helpers.finetuning.weights import Weights, token_rows
from helpers.methods.contract import fitting
from helpers.methods.dreambooth import subject_pictures


@fitting
def fit_textual_inversion(model: Trainable, pictures: Sequence[Picture] | str | Path, prompt: Prompt, word: Prompt,
                          like: Prompt, *, seed: Seed = 0, steps: FitSteps = 300, lr: Rate = 5e-3, batch: Batch = 4,
                          folder: File | None = None, progress: Progress = True, watch: Watch = ignore) -> Weights:
    """Vectors for `word`, so that `prompt` ("a sks cat") means the subject of `pictures`; a few kB.

    The other arguments and errors are those of `fit_dreambooth`; ValueError if the word is not in the prompt.
    """
    if word.lower() not in words_of(prompt):
        there = ", ".join(words_of(prompt))
        raise ValueError(f"The word {word!r} is not in the prompt {prompt!r}; its words are {there}.")
    chosen = subject_pictures(pictures)
    x0 = model.encode(chosen)
    metadata = {"method": "textual inversion", "prompt": prompt, "seed": seed, "batch": batch,
                "pictures": digest(chosen), "word": word, "like": like}
    start = replace(token_rows(model, word, like), words=(word.lower(),), metadata=metadata)

    def loss(step: int) -> Loss:
        x, t, noise = rows(model, x0, batch, seed, step)
        return denoising_loss(model, x, model.embed(prompt), t, noise).mean()

    return fit_weights(model, start, loss, steps=steps, lr=lr, folder=folder, watch=watch, progress=progress)
