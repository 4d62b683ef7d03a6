"""One text-to-image model: embed, encode, decode, predict noise. The only file that imports diffusers.

`load()` gives Picturebook, the model shipped with the package; `load("stable-diffusion-v1-5")` the real thing. Methods
see only the interface `helpers.diffusion.Model`.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import gaierror
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from helpers import catalogue
from helpers.diffusion import (
    Model,
    Text,
    Watch,
    as_seeds,
    check_steps,
    denoise,
    ignore,
    last_part,
    noise,
    noise_of,
    seeds_of,
    signal,
)
from helpers.pictures import as_picture, as_size, to_pictures, to_tensor
from helpers.words import Tokens, nearest, unknown_words

__all__ = ["DiffusersModel", "Model", "PromptWarning", "Text", "load", "quiet"]

EMBEDDED_FOLDER = Path(__file__).parent / "picturebook" / "weights" / "pipeline"
PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
NO_SIGNAL = 2.0**-24  # stands for an alpha_bar of exactly 0, from which no picture could be predicted
LATENTS_AT_ONCE = 16384  # latent pixels in one batch: 64 Picturebook pictures, 4 of 512 px, 1 of 1024 px


class PromptWarning(UserWarning):
    """The prompt will not be understood as it was written."""


class DiffusersModel:
    """A Stable Diffusion or Stable Diffusion XL pipeline as a `helpers.diffusion.Model`.

    pipeline: the diffusers pipeline, for whatever needs it; used as it is, nothing in it is changed.
    size: (width, height) of its pictures in pixels; latents are `pipeline.vae_scale_factor` times smaller.
    alpha_bar: (1000,) float32 on the CPU, from the pipeline's scheduler, whose prediction_type and times are used too.
    final_alpha_bar: share of signal after the last step; as the scheduler says (`set_alpha_to_one`).

    States and predictions are float32; the network runs in its own dtype, the autoencoder as it was loaded.
    """

    def __init__(
        self, pipeline: Any, steps: int = 50, guidance: float = 7.5, known_words: frozenset[str] | None = None
    ) -> None:
        """Wrap a loaded pipeline; with `known_words`, prompts with other words give a PromptWarning."""
        from diffusers import DDIMScheduler

        self.pipeline = pipeline
        self.steps, self.guidance, self.known_words = steps, guidance, known_words
        self.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
        self.alpha_bar = self.scheduler.alphas_cumprod.float().clamp(min=NO_SIGNAL)
        self.final_alpha_bar = float(self.scheduler.final_alpha_cumprod)
        side = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
        self.size = (side, side)

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
        **knobs: Any,
    ) -> DiffusersModel:
        """The model in a diffusers pipeline folder; `knobs` as in `DiffusersModel(...)`."""
        device, dtype = place(device, dtype)
        pipeline = read_folder(Path(folder), dtype)
        return cls(settled(pipeline, device, dtype), **{"known_words": read_known_words(Path(folder)), **knobs})

    @property
    def unet(self) -> Any:
        """The network that predicts noise."""
        return self.pipeline.unet

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.unet.device

    @property
    def prediction(self) -> str:
        """What the network predicts: "epsilon", "v_prediction" or "sample"."""
        return self.scheduler.config.prediction_type

    @property
    def networks(self) -> dict[str, torch.nn.Module]:
        """What fine-tuning may change, by diffusers' names: the denoiser ("unet") and the text encoders."""
        parts = {name: getattr(self.pipeline, name, None) for name in ("unet", "text_encoder", "text_encoder_2")}
        return {name: part for name, part in parts.items() if part is not None}

    @contextmanager
    def changed(
        self, weights: Mapping[str, Tensor], words: Collection[str] = (), thrifty: bool = False
    ) -> Iterator[None]:
        """The model with other weights inside the with-block; its own are never written to, and come back.

        weights: by name, "unet.conv_in.weight" say; gradients flow to them. words: words it knows now, too.
        thrifty: keep few activations for the backward pass and compute the others again (gradient checkpointing).
        """
        before, known, was_thrifty = [], self.known_words, self.unet.is_gradient_checkpointing
        try:
            for name, value in weights.items():
                network, _, path = name.partition(".")
                module = self.networks[network].get_submodule(path.rpartition(".")[0])._parameters
                key = path.rpartition(".")[2]
                before.append((module, key, module[key]))
                module[key] = value
            self.known_words = None if known is None else known | set(words)
            if thrifty and not was_thrifty:
                self.unet.enable_gradient_checkpointing()
            yield
        finally:
            for module, key, value in reversed(before):
                module[key] = value
            self.known_words = known
            if thrifty and not was_thrifty:
                self.unet.disable_gradient_checkpointing()

    def token_rows(self, word: str) -> list[tuple[str, list[int]]]:
        """The rows of the text encoders' token tables that make up a word: (name of the table, its rows)."""
        networks = self.networks
        tables = {name: next(f"{name}.{path}.weight" for path, part in networks[name].named_modules()
                             if path.endswith("token_embedding")) for name in networks if name != "unet"}
        tokenizers = {"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2"}
        return [(table, getattr(self.pipeline, tokenizers[name])(word, add_special_tokens=False).input_ids)
                for name, table in tables.items()]

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits: of one number of every tensor of the denoiser, and of all of the text encoders.

        A fitted word changes a few rows of a text encoder's table, which one number would miss. Sums of bits are the
        same on every machine; sums of floats are not.
        """
        first = torch.stack([weight.detach().flatten()[0].float() for weight in self.unet.parameters()]).cpu()
        texts = [part for name, part in self.networks.items() if name != "unet"]
        sums = [weight.detach().float().view(torch.int32).sum(dtype=torch.int64).item()
                for part in texts for weight in part.parameters()]
        return hashlib.sha256(first.numpy().tobytes() + repr(sums).encode()).hexdigest()[:8]

    def __repr__(self) -> str:
        """What it is and where."""
        width, height = self.size
        kind = type(self.pipeline).__name__
        return f"DiffusersModel({kind}, {width} x {height}, {self.unet.dtype} on {self.device})"

    def times(self, steps: int, strength: float = 1.0) -> list[int]:
        """The scheduler's times from noisy to CLEAN: the last round(strength * steps) of them, and CLEAN."""
        config = self.scheduler.config
        # beyond half of them "leading" spacing would begin in the middle of the schedule, at the wrong noise
        most = len(self.alpha_bar) // (2 if config.timestep_spacing == "leading" else 1)
        self.scheduler.set_timesteps(check_steps(steps, most))
        # "trailing" spacing rounds: for 61 steps and some others it gives a 62nd time, -1
        return last_part(self.scheduler.timesteps.tolist()[:steps], strength)

    def embed(self, prompts: str | Sequence[str]) -> Text:
        """Prompts as (B, n, d) embeddings, with their empty prompts; float32.

        Gives a PromptWarning for a prompt too long for the text encoder, and for words a small model never saw.
        """
        prompts = as_prompts(prompts)
        with quiet():
            found = [self._cut_off(prompt) for prompt in prompts]
            text = self._encode_prompts(prompts)
        for prompt, cut in zip(prompts, found, strict=True):
            self._warn(prompt, cut)
        return text

    def _encode_prompts(self, prompts: list[str]) -> Text:
        encoded = self.pipeline.encode_prompt(
            prompt=prompts, device=self.device, num_images_per_prompt=1, do_classifier_free_guidance=True
        )
        words, nothing, pooled, pooled_nothing = (*(part.float() for part in encoded), None, None)[:4]
        blank = torch.tensor([not prompt for prompt in prompts], device=words.device)
        words = torch.where(blank[:, None, None], nothing, words)  # SDXL has zeros where the prompt is empty
        if pooled is not None:
            pooled = torch.where(blank[:, None], pooled_nothing, pooled)
        return Text(words, pooled, Text(nothing, pooled_nothing))

    def _cut_off(self, prompt: str) -> str:
        """The end of the prompt for which the text encoder has no room; "" if all fits."""
        tokenizer = self.pipeline.tokenizer
        spans = tokenizer(prompt, return_offsets_mapping=True).offset_mapping
        room = tokenizer.model_max_length
        return prompt[spans[room - 1][0] :].strip() if len(spans) > room else ""

    def tokens(self, prompt: str) -> Tokens:
        """The prompt as the tokenizer cuts it; SDXL's two tokenizers cut alike."""
        tokenizer = self.pipeline.tokenizer
        with quiet():
            cut = tokenizer(prompt, return_offsets_mapping=True)
        spans = tuple((int(start), int(end)) for start, end in cut.offset_mapping)
        texts = tuple(tokenizer.convert_ids_to_tokens(cut.input_ids))
        return Tokens(prompt, texts, spans, tokenizer.model_max_length)

    def _warn(self, prompt: str, cut: str) -> None:
        """Tell the reader what of the prompt will not be understood."""
        if cut:
            room = self.pipeline.tokenizer.model_max_length - 2
            tell(f"The prompt is too long (there is room for {room} tokens); this part is not seen: {cut!r}.")
        for word in unknown_words(prompt, self.known_words) if self.known_words else ():
            similar = ", ".join(nearest(word, self.known_words)) or "none"
            tell(f"This model has never seen the word {word!r}; words like it that it knows: {similar}.")

    @torch.no_grad()
    def encode(self, images: Any, size: int | tuple[int, int] | None = None) -> Tensor:
        """One picture or a list of them as latents (B, C, h, w): float32, scaled as the network expects them.

        Pictures come in any form and size `as_picture` takes; they are resized to cover `size` (the model's own unless
        given) and what sticks out is cut off. Takes the mean of the encoder's distribution: no randomness.
        """
        images = images if isinstance(images, (list, tuple)) else [images]
        if not images:
            raise ValueError("There is no picture: the list is empty.")
        pictures = [as_picture(image, self._frame(size)) for image in images]
        vae = self.pipeline.vae
        with catalogue.explained_memory(self):
            coded = [vae.encode(to_tensor([picture]).to(self.device, vae.dtype)) for picture in pictures]
        latents = [code.latent_dist.mode() if hasattr(code, "latent_dist") else code.latents for code in coded]
        return (torch.cat(latents).float() - self._shift) * vae.config.scaling_factor

    @torch.no_grad()
    def decode(self, latents: Tensor) -> list[Image.Image]:
        """Latents (B, C, h, w) as B pictures, one at a time: the memory of one, and no influence on each other."""
        vae = self.pipeline.vae
        latents = (latents / vae.config.scaling_factor + self._shift).to(self.device, vae.dtype)
        with catalogue.explained_memory(self):
            return [to_pictures(vae.decode(latent).sample)[0] for latent in latents.split(1)]

    @property
    def _shift(self) -> float:
        return getattr(self.pipeline.vae.config, "shift_factor", None) or 0.0

    def eps(self, x: Tensor, t: int | Tensor, text: Text) -> Tensor:
        """Noise predicted in `x` (B, C, h, w) at time t (CLEAN is taken for 0), whatever the network predicts.

        t: one time, or one for each row, (B,).
        """
        t = t.to(self.device) if isinstance(t, Tensor) else max(t, 0)
        text = text.rows(len(x))
        with catalogue.explained_memory(self):
            output = self.unet(
                x.to(self.unet.dtype),
                t,
                encoder_hidden_states=text.embeddings.to(self.unet.dtype),
                added_cond_kwargs=self._conditions(x, text),
                return_dict=False,
            )[0]
        return noise_of(output.float(), x, signal(self, t), self.scheduler.config.prediction_type)

    def _conditions(self, x: Tensor, text: Text) -> dict[str, Tensor] | None:
        """What SDXL wants besides: the pooled text, and the picture's size (before and after a crop that was none)."""
        if text.pooled is None:
            return None
        height, width = (side * self.pipeline.vae_scale_factor for side in x.shape[-2:])
        sizes = torch.tensor([height, width, 0, 0, height, width], device=x.device).expand(len(x), -1)
        return {"text_embeds": text.pooled.to(self.unet.dtype), "time_ids": sizes.to(self.unet.dtype)}

    def shape(self, count: int, size: int | tuple[int, int] | None = None) -> tuple[int, int, int, int]:
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

    @torch.no_grad()
    def generate(
        self,
        prompts: str | Sequence[str],
        seed: int | Sequence[int] = 0,
        steps: int | None = None,
        guidance: float | None = None,
        size: int | tuple[int, int] | None = None,
        progress: bool = True,
        watch: Watch = ignore,
    ) -> list[Image.Image]:
        """A picture for each prompt, the same ones every time.

        seed: picture i is made from seed + i, or from the i-th seed of a list; `[7, 7]` gives two prompts the same
            noise. With one prompt and a list of seeds: that prompt once for each seed.
        steps, guidance, size: the model's own unless given; size is one number or (width, height).
        The picture of a seed does not depend on the pictures it is made together with.
        """
        prompts = as_prompts(prompts)
        seed = as_seeds(seed)
        if len(prompts) == 1 and not isinstance(seed, int):
            prompts = prompts * len(seed)
        seeds, text = seeds_of(seed, len(prompts)), self.embed(prompts)
        guidance = self.guidance if guidance is None else guidance
        times = self.times(self.steps if steps is None else steps)
        _, channels, h, w = self.shape(1, size)
        pictures: list[Image.Image] = []
        for rows in batches(len(prompts), max(1, LATENTS_AT_ONCE // (h * w))):
            x = noise(seeds[rows], (len(seeds[rows]), channels, h, w)).to(self.device)
            pictures += self.decode(denoise(self, x, text[rows], times, guidance, watch, progress))
        return pictures


def as_prompts(prompts: str | Sequence[str]) -> list[str]:
    """One prompt or several as a list; an error for anything else."""
    prompts = [prompts] if isinstance(prompts, str) else prompts
    if not isinstance(prompts, Sequence) or not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise TypeError(f"The prompts are {prompts!r}; expected a text or a list of texts.")
    return list(prompts)


def batches(count: int, most: int) -> list[slice]:
    """`count` rows in slices of at most `most`."""
    return [slice(start, min(start + most, count)) for start in range(0, count, most)]


def tell(message: str) -> None:
    """Warn the reader about a prompt, at the reader's own line."""
    ours = (str(Path(__file__).parent), str(Path(torch.__file__).parent))
    depth = 1
    while sys._getframe(depth).f_back and sys._getframe(depth).f_code.co_filename.startswith(ours):
        depth += 1
    warnings.warn(message, PromptWarning, stacklevel=depth + 1)


# ---------------------------------------------------------------------------------------------------- loading


def load(
    name: str | Path = catalogue.EMBEDDED.name,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> DiffusersModel:
    """A text-to-image model: Picturebook, which is shipped with the package, unless another is named.

    name: a name of `helpers.catalogue.CATALOGUE`, a pipeline folder, a .safetensors file, or "owner/name" on
        huggingface.co. What is not yet on this machine is downloaded once.
    device: a GPU if there is one. dtype: float16 on an NVIDIA GPU, float32 elsewhere.

    Raises ValueError for an unknown name, FileNotFoundError for a missing file, HubOutOfReach without network and
    TooLittleMemory where the GPU is too small.
    """
    if name == catalogue.EMBEDDED.name:
        return load_embedded(device, dtype)
    if name not in catalogue.CATALOGUE and (path := as_path(name)):
        return (DiffusersModel.from_folder if path.is_dir() else load_file)(path, device, dtype)
    entry = catalogue.find(str(name))
    device, dtype = place(device, dtype)
    check_memory(entry, device)
    folder, variant = fetch(entry, dtype)
    return DiffusersModel(settled(read_folder(folder, dtype, variant), device, dtype), entry.steps, entry.guidance)


def as_path(name: str | Path) -> Path | None:
    """The folder or file meant by `name`; None if it means none, an error if it means one that is not there."""
    path = Path(name).expanduser()
    meant = isinstance(name, Path) or name[:1] in ("/", "~", ".")
    if path.exists() or path.suffix in (".safetensors", ".ckpt", ".pt", ".pth", ".bin"):
        return path if str(name) else None
    if meant:
        raise FileNotFoundError(f"There is no folder {str(path)!r} (looked from {str(Path.cwd())!r}).")
    return None


def load_embedded(device: str | torch.device | None, dtype: torch.dtype | None) -> DiffusersModel:
    """Picturebook."""
    if not (EMBEDDED_FOLDER / "model_index.json").is_file():
        raise FileNotFoundError(
            f"The embedded model's weights are missing: there is no pipeline in {str(EMBEDDED_FOLDER)!r}. "
            "Install the package again; in a checkout, fetch the weights or train them."
        )
    entry = catalogue.EMBEDDED
    return DiffusersModel.from_folder(EMBEDDED_FOLDER, device, dtype, steps=entry.steps, guidance=entry.guidance)


def load_file(path: Path, device: str | torch.device | None, dtype: torch.dtype | None) -> DiffusersModel:
    """A single .safetensors file of Stable Diffusion (XL), as it is shared on model sites.

    Such a file holds weights only. Configuration and tokenizer come from a pipeline folder of the same name beside it
    ("my/model" for "my/model.safetensors", weights not needed), else from the hub, where diffusers knows its kind.
    """
    if path.suffix != ".safetensors":
        raise ValueError(f"{str(path)!r}: only .safetensors files are loaded; files of other kinds can run programs.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r} (looked from {str(Path.cwd())!r}).")
    device, dtype = place(device, dtype)
    kind, config = kind_of_file(path), path.with_suffix("")
    config = str(config) if (config / "model_index.json").is_file() else None
    try:
        with quiet(bars=config is None), untouched_random_state():
            pipeline = pipeline_class(kind).from_single_file(
                str(path), config=config, local_files_only=config is not None, **precision(dtype)
            )
    except OSError as error:
        if config is None and any(map(unanswered, causes(error))):
            raise catalogue.no_configuration(str(path)) from error
        raise
    return DiffusersModel(settled(pipeline, device, dtype))


def kind_of_file(path: Path) -> str:
    """The pipeline class a single file is for: only SDXL has a second text encoder."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as weights:
            names = list(weights.keys())
    except Exception as error:
        raise ValueError(f"{str(path)!r} is not a readable safetensors file ({error}); download it again.") from error
    if not any(name.startswith("model.diffusion_model.") for name in names):
        raise ValueError(f"{str(path)!r} is not a whole Stable Diffusion model (a LoRA or a part of one, perhaps).")
    return PIPELINES[any(name.startswith("conditioner.embedders.1.") for name in names)]


def fetch(entry: catalogue.Entry, dtype: torch.dtype) -> tuple[Path, str | None]:
    """The folder and variant of files ("fp16" or None) of an entry: from this machine, else from the hub."""
    variants = ("fp16", None) if dtype == torch.float16 else (None,)
    errors: list[Exception] = []
    for local_only in (True, False):
        errors.clear()
        for repository, revision in entry.sources:
            for variant in variants:
                try:
                    return download(repository, revision, variant, local_only), variant
                except (OSError, ValueError) as error:
                    errors.append(error)
    raise explained(entry, errors) from errors[-1]


def download(repository: str, revision: str, variant: str | None, local_only: bool) -> Path:
    """The files of a pipeline, as safetensors only; the safety checker stays where it is."""
    with quiet(bars=not local_only):
        from diffusers import DiffusionPipeline

        folder = DiffusionPipeline.download(
            repository,
            revision=revision,
            variant=variant,
            use_safetensors=True,
            local_files_only=local_only,
            safety_checker=None,
            feature_extractor=None,
        )
    return Path(folder)


def explained(entry: catalogue.Entry, errors: Sequence[Exception]) -> Exception:
    """The hub's errors in our words: it did not answer, or it has no such model."""
    chain = [cause for error in errors for cause in causes(error)]
    return (catalogue.out_of_reach if any(map(unanswered, chain)) else catalogue.not_there)(entry, errors)


def unanswered(error: BaseException) -> bool:
    """Whether the error comes from the network rather than from the hub."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    network = (ConnectionError, TimeoutError, gaierror, LocalEntryNotFoundError)
    return isinstance(error, network) or type(error).__module__.startswith(("httpx", "httpcore", "requests"))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and the errors it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def read_folder(folder: Path, dtype: torch.dtype, variant: str | None = None) -> Any:
    """The pipeline in a folder, without a safety checker; nothing is fetched, unpickled or run from it."""
    index = folder / "model_index.json"
    if not index.is_file():
        raise FileNotFoundError(f"{str(folder)!r} is no diffusers pipeline: it has no model_index.json.")
    kind = json.loads(index.read_text(encoding="utf-8")).get("_class_name")
    checker = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    with quiet(), untouched_random_state():
        return pipeline_class(kind).from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            variant=variant,
            **(checker if kind == PIPELINES[0] else {}),
            **precision(dtype),
        )


def read_known_words(folder: Path) -> frozenset[str] | None:
    """The words a small model was trained on, from `known_words.json` (a list); None where there is no such file."""
    file = folder / "known_words.json"
    return frozenset(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def pipeline_class(kind: str) -> Any:
    """The diffusers class of that name, if it is one of ours."""
    if kind not in PIPELINES:
        raise ValueError(f"This is a {kind}; expected a {' or '.join(PIPELINES)}.")
    import diffusers

    return getattr(diffusers, kind)


def precision(dtype: torch.dtype) -> dict[str, torch.dtype]:
    """How to tell this version of diffusers the dtype (`dtype=` is silently ignored before 0.40)."""
    import diffusers

    major, minor = (int(part) for part in diffusers.__version__.split(".")[:2])
    return {"dtype" if (major, minor) >= (0, 40) else "torch_dtype": dtype}


def settled(pipeline: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline on its device, frozen; the autoencoder in float32, since float16 gives some black pictures.

    The pipeline's own call hands the autoencoder latents in half precision, so its parts take them as they come.
    """
    with quiet(), catalogue.explained_memory(type(pipeline).__name__):
        pipeline.to(device, dtype)
        pipeline.vae.to(torch.float32)
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False).eval()
    for name in ("encoder", "post_quant_conv", "decoder"):
        if isinstance(part := getattr(pipeline.vae, name, None), torch.nn.Module):
            part.register_forward_pre_hook(in_its_dtype)
    return pipeline


def in_its_dtype(part: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs of a part of the autoencoder, the first of them in the dtype of the part's weights."""
    return inputs[0].to(next(part.parameters()).dtype), *inputs[1:]


def place(device: str | torch.device | None, dtype: torch.dtype | None) -> tuple[torch.device, torch.dtype]:
    """Where and how precisely to compute: a GPU if there is one; float16 on NVIDIA's, else float32."""
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(device)
    except RuntimeError:
        raise ValueError(f"device is {device!r}; expected 'cpu', 'cuda' or 'mps'.") from None
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}.get(device.type, lambda: True)()
    if not there:
        raise ValueError(f"There is no {device.type} device that this torch can use: leave device out, or write "
                         "device='cpu'.")
    if not isinstance(dtype, torch.dtype | None):
        raise TypeError(f"dtype is {dtype!r}; expected one of torch's, torch.float16 say.")
    return device, dtype or (torch.float16 if device.type == "cuda" else torch.float32)


def free_gb(device: torch.device) -> float:
    """Free memory of a GPU in GB, infinite on other devices."""
    return torch.cuda.mem_get_info(device)[0] / 1e9 if device.type == "cuda" else float("inf")


def check_memory(entry: catalogue.Entry, device: torch.device) -> None:
    """Refuse before anything is downloaded if the model will not fit."""
    free = free_gb(device)
    if free < entry.gpu_gb:
        raise catalogue.too_little_memory(entry.name, entry.gpu_gb, free)


@contextmanager
def untouched_random_state() -> Iterator[None]:
    """The global random state as before: building a network may draw from it."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield


@contextmanager
def quiet(bars: bool = False) -> Iterator[None]:
    """Keep diffusers and transformers from talking (warnings, log lines, progress bars unless `bars`).

    The reader's own settings come back afterwards, also where the libraries are imported here for the first time.
    """
    libraries = [silently_imported("transformers"), silently_imported("diffusers")]
    before = [(library.get_verbosity(), library.is_progress_bar_enabled()) for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        if not bars:
            library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for library, (level, shown) in zip(libraries, before, strict=True):
            library.set_verbosity(level)
            if shown:
                library.enable_progress_bar()


def silently_imported(name: str) -> Any:
    """The library's logging module; a first import prints nothing and leaves the usual level."""
    switch = f"{name.upper()}_VERBOSITY"
    if name in sys.modules or switch in os.environ:
        return importlib.import_module(f"{name}.utils.logging")
    os.environ[switch] = "error"
    try:
        module = importlib.import_module(f"{name}.utils.logging")
    finally:
        del os.environ[switch]
    module.set_verbosity_warning()
    return module
