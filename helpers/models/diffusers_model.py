"""A Stable Diffusion (XL) pipeline behind the interface `helpers.core.interface.Model`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from helpers.core.diffusion import VariancePreserving, alpha_bar_at, denoise, last_part, noise_of
from helpers.core.interface import Picture, Progress, Text, Watch, ignore
from helpers.core.pictures import Size, as_picture, as_size, to_pictures, to_tensor
from helpers.core.randomness import noise, seeds_of
from helpers.core.shapes import Weight
from helpers.core.surroundings import defaults, surroundings
from helpers.core.tensors import Latents, RowTimes, check_steps
from helpers.core.values import Count, File, Guidance, Prompt, Prompts, Seeds, Share, Steps, entrance, text
from helpers.core.words import Tokens
from helpers.models import catalogue
from helpers.models.altered import checkpointed, swapped
from helpers.models.as_it_is import adapters_of, check_in_place, check_unadapted, kind_of, networks_of
from helpers.models.devices import place
from helpers.models.exclusive import exclusive, one_at_a_time
from helpers.models.fingerprint import Numbers, fingerprint_of, numbers_of
from helpers.models.inputs import check_finite, check_latents, check_state, check_text, check_weights
from helpers.models.pipelines import read_folder, read_known_words, settled
from helpers.models.prompts import as_prompts, cut_off, remark
from helpers.models.quiet import quiet, usual_torch
from helpers.models.recognise import Kind

NO_SIGNAL = 2.0**-24  # stands for an alpha_bar of exactly 0, from which no picture could be predicted
LATENTS_AT_ONCE = 16384  # latent pixels in one batch: 64 Picturebook pictures, 4 of 512 px, 1 of 1024 px


class DiffusersModel(VariancePreserving):
    """A Stable Diffusion or Stable Diffusion XL pipeline as a `helpers.core.interface.Model`.

    kind: what it is, as a text: which methods work with it.
    pipeline: the diffusers pipeline, for whatever needs it; used as it is, nothing in it is changed.
    size: (width, height) of its pictures in pixels; latents are `pipeline.vae_scale_factor` times smaller.
    alpha_bar: (1000,) float32 on the CPU, from the pipeline's scheduler, whose prediction_type and times are used too.
    final_alpha_bar: share of signal after the last step; as the scheduler says (`set_alpha_to_one`).

    States and predictions are float32; the network runs in its own dtype, the autoencoder as it was loaded.
    """

    def __init__(
        self,
        pipeline: Any,
        steps: int | None = None,
        guidance: float | None = None,
        known_words: frozenset[str] | None = None,
        kind: Kind | None = None,
    ) -> None:
        """Wrap a loaded pipeline; with `known_words`, prompts with other words give a PromptWarning.

        steps, guidance: what to use where the reader does not say; what the pipeline is made for unless given. kind:
        what it is, where that is known already. Raises ValueError for a pipeline that these methods cannot use.
        """
        from diffusers import DDIMScheduler

        self.pipeline, self.kind = pipeline, kind_of(pipeline) if kind is None else kind
        self.known_words = None if known_words is None else frozenset(text("known_words", word) for word in known_words)
        self.steps = self.kind.steps if steps is None else steps
        self.guidance = self.kind.guidance if guidance is None else guidance
        self._read: Numbers = {}  # of bfloat16 weights, to know them again; and what they were in their file
        self._stored: Numbers = {}
        with usual_torch():
            self.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
        self.alpha_bar = self.scheduler.alphas_cumprod.float().clamp(min=NO_SIGNAL)
        self.final_alpha_bar = float(self.scheduler.final_alpha_cumprod)
        side = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
        self.size = (side, side)

    @classmethod
    @entrance
    def from_folder(cls, folder: File, device: str | torch.device | None = None, dtype: torch.dtype | None = None,
                    **knobs: Any) -> DiffusersModel:
        """The model in a diffusers pipeline folder; `knobs` as in `DiffusersModel(...)`."""
        device, dtype = place(device, dtype)
        pipeline, kind = read_folder(Path(folder), dtype)
        return cls.settled(pipeline, device, dtype,
                           **{"known_words": read_known_words(Path(folder)), "kind": kind, **knobs})

    @classmethod
    def settled(cls, pipeline: Any, device: torch.device, dtype: torch.dtype, **knobs: Any) -> DiffusersModel:
        """The model of a pipeline that was just read, which is ours: it is moved, cast and frozen."""
        stored = numbers_of(networks_of(pipeline)) if dtype == torch.bfloat16 else {}
        model = cls(settled(pipeline, device, dtype), **knobs)
        if stored:
            model._read, model._stored = numbers_of(networks_of(pipeline)), stored
        return model

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

    @one_at_a_time
    @entrance
    def token_rows(self, word: Prompt) -> list[tuple[str, list[int]]]:
        """The rows of the text encoders' token tables that make up a word: (name of the table, its rows)."""
        networks = networks_of(self.pipeline)
        tables = {name: next(f"{name}.{path}.weight" for path, part in networks[name].named_modules()
                             if path.endswith("token_embedding")) for name in networks if name != "unet"}
        tokenizers = {"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2"}
        return [(table, getattr(self.pipeline, tokenizers[name])(word, add_special_tokens=False).input_ids)
                for name, table in tables.items()]

    @property
    @one_at_a_time
    def fingerprint(self) -> str:
        """Eight hexadecimal digits, the same in every precision; other weights, texts or adapters have others."""
        return fingerprint_of(networks_of(self.pipeline), self._read, self._stored)

    def __repr__(self) -> str:
        """What it is and where."""
        width, height = self.size
        kind = type(self.pipeline).__name__
        return f"DiffusersModel({kind}, {width} x {height}, {self.unet.dtype} on {self.device})"

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

    @one_at_a_time
    @defaults()
    def embed(self, prompts: str | Sequence[str]) -> Text:
        """Prompts as (B, n, d) embeddings, with their empty prompts; float32.

        Gives a PromptWarning for a prompt too long for the text encoder, and for words a small model never saw.
        """
        prompts = as_prompts(prompts)
        with quiet():
            found = [cut_off(self.pipeline.tokenizer, prompt) for prompt in prompts]
            text = self._encode_prompts(prompts)
        for prompt, cut in zip(prompts, found, strict=True):
            remark(prompt, cut, self.pipeline.tokenizer.model_max_length - 2, self.known_words)
        return text

    def _encode_prompts(self, prompts: list[str]) -> Text:
        with torch.device("cpu"):  # where the tokenizers' numbers begin
            encoded = self.pipeline.encode_prompt(
                prompt=prompts, device=self.device, num_images_per_prompt=1, do_classifier_free_guidance=True
            )
        words, nothing, pooled, pooled_nothing = (*(part.float() for part in encoded), None, None)[:4]
        blank = torch.tensor([not prompt for prompt in prompts], device=words.device)
        words = torch.where(blank[:, None, None], nothing, words)  # SDXL has zeros where the prompt is empty
        if pooled is not None:
            pooled = torch.where(blank[:, None], pooled_nothing, pooled)
        return Text(words, pooled, Text(nothing, pooled_nothing))

    @one_at_a_time
    @entrance
    def tokens(self, prompt: Prompt) -> Tokens:
        """The prompt as the tokenizer cuts it; SDXL's two tokenizers cut alike."""
        tokenizer = self.pipeline.tokenizer
        with quiet():
            cut = tokenizer(prompt, return_offsets_mapping=True)
        spans = tuple((int(start), int(end)) for start, end in cut.offset_mapping)
        texts = tuple(tokenizer.convert_ids_to_tokens(cut.input_ids))
        return Tokens(prompt, texts, spans, tokenizer.model_max_length)

    @one_at_a_time
    @surroundings(grad=False)
    def encode(self, images: Picture | Sequence[Picture], size: int | tuple[int, int] | None = None) -> Latents:
        """One picture or a list of them as latents: float32, scaled as the network expects them.

        Pictures come in any form and size `as_picture` takes; they are resized to cover `size` (the model's own unless
        given) and what sticks out is cut off. Takes the mean of the encoder's distribution: no randomness.
        """
        several: list[Any] = [*images] if isinstance(images, (list, tuple)) else [images]
        if not several:
            raise ValueError("There is no picture: the list is empty.")
        pictures = [as_picture(image, self._frame(size)) for image in several]
        vae = self.pipeline.vae
        with catalogue.explained_memory(self):
            coded = [vae.encode(to_tensor([picture]).to(self.device, vae.dtype)) for picture in pictures]
        latents = [code.latent_dist.mode() if hasattr(code, "latent_dist") else code.latents for code in coded]
        scaled: Latents = (torch.cat(latents).float() - self._shift) * vae.config.scaling_factor
        return scaled

    @one_at_a_time
    @surroundings(grad=False)
    @entrance
    def decode(self, latents: Latents) -> list[Image.Image]:
        """Latents as pictures, one at a time: the memory of one, and no influence on each other."""
        check_latents("latents", latents, self.unet.config.in_channels)
        check_finite("latents", latents)
        vae = self.pipeline.vae
        latents = (latents / vae.config.scaling_factor + self._shift).to(self.device, vae.dtype)
        with catalogue.explained_memory(self):
            return [to_pictures(vae.decode(latent).sample)[0] for latent in latents.split(1)]

    @property
    def _shift(self) -> float:
        shift: float | None = getattr(self.pipeline.vae.config, "shift_factor", None)
        return shift or 0.0

    @one_at_a_time
    @entrance
    def eps(self, x: Latents, t: RowTimes, text: Text) -> Latents:
        """Noise predicted in `x` at time t (CLEAN is taken for 0), whatever the network predicts.

        t: one time, or one for each row.
        """
        t = t if isinstance(t, Tensor) else max(t, 0)
        text, alpha_bar = text.rows(len(x)), alpha_bar_at(self, t)
        check_state(x, t, self.device)
        check_latents("x", x, self.unet.config.in_channels)
        check_text(text, self.unet.config.cross_attention_dim, "XL" in type(self.pipeline).__name__)
        with catalogue.explained_memory(self):
            output = self.unet(
                x.to(self.unet.dtype),
                t.to(self.device) if isinstance(t, Tensor) else t,
                encoder_hidden_states=text.embeddings.to(self.unet.dtype),
                added_cond_kwargs=self._conditions(x, text),
                return_dict=False,
            )[0]
        return noise_of(output.float(), x, alpha_bar, self.scheduler.config.prediction_type)

    def _conditions(self, x: Latents, text: Text) -> dict[str, Weight] | None:
        """What SDXL wants besides: the pooled text, and the picture's size (before and after a crop that was none)."""
        if text.pooled is None:
            return None
        height, width = (side * self.pipeline.vae_scale_factor for side in x.shape[-2:])
        sizes = torch.tensor([height, width, 0, 0, height, width], device=x.device).expand(len(x), -1)
        return {"text_embeds": text.pooled.to(self.unet.dtype), "time_ids": sizes.to(self.unet.dtype)}

    @entrance
    def shape(self, count: Count, size: Size | None = None) -> tuple[int, int, int, int]:
        """(B, C, h, w) of the latents of `count` pictures."""
        width, height = self._frame(size)
        factor = self.pipeline.vae_scale_factor
        return count, self.unet.config.in_channels, height // factor, width // factor

    def _frame(self, size: int | tuple[int, int] | None) -> tuple[int, int]:
        """(width, height) to work at; both must be multiples of the autoencoder's factor."""
        width, height = self.size if size is None else as_size(size)
        factor = self.pipeline.vae_scale_factor
        if width % factor or height % factor:
            raise ValueError(f"size is {width} x {height}; this model needs multiples of {factor}.")
        return width, height

    @one_at_a_time
    @surroundings(grad=False)
    @entrance
    def generate(
        self,
        prompts: Prompts,
        seed: Seeds = 0,
        steps: Steps | None = None,
        guidance: Guidance | None = None,
        size: Size | None = None,
        progress: Progress = True,
        watch: Watch = ignore,
    ) -> list[Image.Image]:
        """A picture for each prompt, the same ones every time.

        seed: picture i is made from seed + i, or from the i-th seed of a list; `[7, 7]` gives two prompts the same
            noise. With one prompt and a list of seeds: that prompt once for each seed.
        steps, guidance, size: the model's own unless given; size is one number or (width, height).
        The picture of a seed is the same whatever pictures it is made together with, to rounding: a batch computes in
        another order, and may change single pixels by 1 level of 255.
        """
        several = list(prompts) * (1 if isinstance(seed, int) or len(prompts) > 1 else len(seed))
        seeds, text = seeds_of(seed, len(several)), self.embed(several)
        guidance = self.guidance if guidance is None else guidance
        times = self.times(self.steps if steps is None else steps)
        _, channels, h, w = self.shape(1, size)
        pictures: list[Image.Image] = []
        for rows in batches(len(several), max(1, LATENTS_AT_ONCE // (h * w))):
            x = noise(seeds[rows], (len(seeds[rows]), channels, h, w)).to(self.device)
            pictures += self.decode(denoise(self, x, text[rows], times, guidance, watch, progress))
        return pictures


def batches(count: int, most: int) -> list[slice]:
    """`count` rows in slices of at most `most`."""
    return [slice(start, min(start + most, count)) for start in range(0, count, most)]
