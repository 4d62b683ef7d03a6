"""A diffusers network that denoises: its schedule and times, its weights, its fingerprint, and the lock around it.

What models of latents (`helpers.models.diffusers_model`) and of pixels (`helpers.models.pixels`) have in common.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from typing import Any

import torch

from helpers.core.diffusion import VariancePreserving, last_part
from helpers.core.shapes import Weight
from helpers.core.tensors import check_steps
from helpers.core.values import Share, Steps, entrance, text
from helpers.models.altered import checkpointed, swapped
from helpers.models.as_it_is import adapters_of, check_in_place, check_unadapted, networks_of
from helpers.models.exclusive import exclusive, one_at_a_time
from helpers.models.fingerprint import Numbers, fingerprint_of
from helpers.models.inputs import check_weights
from helpers.models.quiet import usual_torch

NO_SIGNAL = 2.0**-24  # stands for an alpha_bar of exactly 0, from which no picture could be predicted


class Denoiser(VariancePreserving):
    """The network, the schedule and the text encoders of a pipeline.

    pipeline: diffusers' own; used as it is, nothing in it is changed.
    steps, guidance: what to use where the reader does not say.
    alpha_bar: (1000,) float32 on the CPU, from the pipeline's scheduler, whose prediction_type and times are used too.
    final_alpha_bar: share of signal after the last step; as the scheduler says (`set_alpha_to_one`).
    """

    def __init__(self, pipeline: Any, steps: int, guidance: float, known_words: frozenset[str] | None = None) -> None:
        """The denoiser of a loaded pipeline; known_words: those it was trained on, if it was on few."""
        from diffusers import DDIMScheduler

        self.pipeline, self.steps, self.guidance = pipeline, steps, guidance
        self.known_words = None if known_words is None else frozenset(text("known_words", word) for word in known_words)
        self._read: Numbers = {}  # of bfloat16 weights, to know them again; and what they were in their file
        self._stored: Numbers = {}
        with usual_torch():
            self.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
        alpha_bar = self.scheduler.alphas_cumprod.float()
        self.alpha_bar = torch.where(alpha_bar == 0, NO_SIGNAL, alpha_bar)
        self.final_alpha_bar = float(self.scheduler.final_alpha_cumprod)

    @property
    def unet(self) -> Any:
        """The network that predicts noise."""
        return self.pipeline.unet

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        here: torch.device = self.unet.device
        return here

    @property
    def prediction(self) -> str:
        """What the network predicts: "epsilon", "v_prediction" or "sample"."""
        prediction: str = self.scheduler.config.prediction_type
        return prediction

    @property
    def networks(self) -> dict[str, torch.nn.Module]:
        """What fine-tuning may change, by diffusers' names: the denoiser ("unet") and the text encoders.

        Raises ValueError where a LoRA sits on them, and says how to get rid of it.
        """
        networks = networks_of(self.pipeline)
        check_unadapted(networks)
        return networks

    @property
    def adapters(self) -> list[str]:
        """The names of the LoRAs and other adapters that were loaded into the pipeline."""
        return adapters_of(networks_of(self.pipeline))

    def exclusive(self) -> AbstractContextManager[None]:
        """Nobody else uses the model inside the with-block: a second thread waits, the same one does not.

        All models that wrap one network share one lock. Every call of the model takes it; take it yourself around
        several calls that belong together.
        """
        check_in_place(self.pipeline)
        return exclusive(self.unet)

    @contextmanager
    def changed(
        self, weights: Mapping[str, Weight], words: Collection[str] = (), gradient_checkpointing: bool = False
    ) -> Iterator[None]:
        """The model with other weights inside the with-block; its own are never written to, and come back.

        weights: by name, "unet.conv_in.weight" say; gradients flow to them. words: words it knows now, too.
        gradient_checkpointing: keep few activations for the backward pass and compute the others again.
        Nobody else uses the model meanwhile.
        """
        networks = self.networks if weights else {}
        check_weights(networks, weights)
        with self.exclusive(), swapped(networks, weights), checkpointed(self.unet, gradient_checkpointing):
            known = self.known_words
            self.known_words = None if known is None else known | {text("words", word) for word in words}
            try:
                yield
            finally:
                self.known_words = known

    @property
    @one_at_a_time
    def fingerprint(self) -> str:
        """Eight hexadecimal digits, the same in every precision; other weights, texts or adapters have others."""
        return fingerprint_of(networks_of(self.pipeline), self._read, self._stored)

    @entrance
    def times(self, steps: Steps, strength: Share = 1.0) -> list[int]:
        """The scheduler's times from noisy to CLEAN: the last round(strength * steps) of them, and CLEAN."""
        config = self.scheduler.config
        # beyond half of them "leading" spacing would begin in the middle of the schedule, at the wrong noise
        most = len(self.alpha_bar) // (2 if config.timestep_spacing == "leading" else 1)
        scheduler = copy(self.scheduler)  # this call's own: asking for times changes nothing that others see
        with torch.device("cpu"):
            scheduler.set_timesteps(check_steps(steps, most))
        # "trailing" spacing rounds: for 61 steps and some others it gives a 62nd time, -1
        return last_part(scheduler.timesteps.tolist()[:steps], strength)
