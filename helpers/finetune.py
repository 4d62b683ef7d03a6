"""What Imagic, DreamBooth and textual inversion share: the loss, the weights they fit, and the fit itself.

    weights = fit_dreambooth(model, pictures, "a sks cat", ...)      a small value
    with weights.on(model):                                          the model's own weights come back afterwards
        model.generate("a sks cat at the temple", seed=0)
    weights.save("sks.safetensors")

Ho et al., "Denoising Diffusion Probabilistic Models", arXiv:2006.11239, equation 14 (the loss).
Hu et al., "LoRA", arXiv:2106.09685 (W + alpha / r B A).

    paper     here       what                                        shape or range
    x_0       x0         clean latents                               (B, C, h, w)
    eps       noise      the noise that is added                     (B, C, h, w)
    t         t          the time of each latent                     (B,), 0 ... 999
    c         text       the prompts                                 B rows, or one for all
    r         rank       of a LoRA                                   1 ... the layer's width
    alpha     alpha      how much a LoRA counts: alpha / r           r unless given

A fit draws the random numbers of step k from (seed, k) alone. So a fit that is killed and goes on from its checkpoint
gives the same weights, bit for bit on a CPU, as one that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite, isnan
from numbers import Integral
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from helpers.catalogue import explained_memory
from helpers.diffusion import Model, Text, Watch, add_noise, ignore, signal

CHECKPOINT = "checkpoint.safetensors"
LORA_A, LORA_B, ALPHA, ROWS, VALUES = ".lora_A.weight", ".lora_B.weight", ".alpha", ".rows", ".values"
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj")  # its linear layers
TEXT_ENCODERS = ("text_encoder", "text_encoder_2")
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam remembers of each variable
LARGEST_GRADIENT = 1.0  # norm; a longer gradient is shortened to it
FIT_LESS = "fit a LoRA (rank=4) instead of all weights, or take a smaller batch"  # where memory is short
PORTION = 2**22  # numbers whose gradients are float32 at the same time
FIRST_SCALE = 2.0**12  # of the loss in float16, whose smallest gradients would vanish otherwise


class FitWarning(UserWarning):
    """A fit goes on, but something about it should be known."""


class Trainable(Model, Protocol):
    """A model with weights: what fine-tuning must know besides `Model`. `helpers.model.DiffusersModel` is one."""

    prediction: str
    networks: dict[str, nn.Module]

    def changed(
        self, weights: Mapping[str, Tensor], words: Collection[str] = (), thrifty: bool = False
    ) -> AbstractContextManager[None]:
        """The model with other weights inside the with-block."""

    def token_rows(self, word: str) -> list[tuple[str, list[int]]]:
        """The rows of the text encoders' token tables that make up a word."""


# ----------------------------------------------------------------------------------------------------------- the loss


def denoising_loss(model: Model, x0: Tensor, text: Text, t: int | Tensor, noise: Tensor) -> Tensor:
    """E || eps - eps_theta(x_t, t, c) ||^2 of each latent, (B,), on the scale the network was trained on.

    t: one time for all latents, or one for each, (B,). Gradients flow to the text, the weights and x0.
    """
    x_t = add_noise(model, x0, noise, t)
    error = model.eps(x_t, t, text) - noise.to(x_t)
    return (scale_of(model, t) * error.square()).flatten(1).mean(1)


def scale_of(model: Model, t: int | Tensor) -> Any:
    """What turns the noise's squared error into that of the network's own output (see `diffusion.noise_of`).

    1 where it predicts the noise; 1 / alpha_bar where it predicts v, (1 - alpha_bar) / alpha_bar for the clean latent.
    """
    prediction, alpha_bar = getattr(model, "prediction", "epsilon"), signal(model, t)
    if prediction == "v_prediction":
        return 1 / alpha_bar
    return (1 - alpha_bar) / alpha_bar if prediction == "sample" else 1.0


def rows(model: Model, x0: Tensor, batch: int, seed: int | str, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """What one step sees: latents (B, C, h, w), all of `x0` in turn, their times (B,) and noise (B, C, h, w).

    B is `batch`, or this process' share of it where several fit together.
    """
    mine = share(batch)
    t, noise = draw(model, seed, step, (batch, *x0.shape[1:]))
    return x0[in_turn(step, batch, len(x0))[mine]], t[mine], noise[mine]


def in_turn(step: int, batch: int, count: int) -> list[int]:
    """Which of `count` pictures a step sees: all of them in turn."""
    return [(step * batch + i) % count for i in range(batch)]


def draw(model: Model, seed: int | str, step: int, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Times (B,) and noise (B, C, h, w) of one step, on the CPU; the same for the same seed and step.

    Each time is uniform. Together they are spread over the whole range, one in each B-th of it, in random order.
    """
    generator = torch.Generator().manual_seed(random.Random(f"{seed}/{step}").getrandbits(63))
    count, most = shape[0], len(model.alpha_bar)
    spread = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return (spread * most).long().clamp(max=most - 1), torch.randn(*shape, generator=generator)


def share(count: int) -> slice:
    """The rows of a batch of `count` that this process computes: all of them unless several processes fit together."""
    rank, world = processes()
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"batch is {count!r}; expected a whole number from 1 on.")
    if count % world:
        raise ValueError(f"The batch of {count} cannot be shared by {world} processes: make it a multiple of {world}.")
    return slice(rank, None, world)


def processes() -> tuple[int, int]:
    """(number of this process, how many fit together); (0, 1) unless `torch.distributed` was started."""
    distributed = torch.distributed
    on = distributed.is_available() and distributed.is_initialized()
    return (distributed.get_rank(), distributed.get_world_size()) if on else (0, 1)


# -------------------------------------------------------------------------------------------------------- the weights


@dataclass(frozen=True)
class Weights:
    """A change of a model's weights: small, saved as safetensors, applied with `with weights.on(model):`.

    tensors: by name. A weight W is replaced as a whole ("unet.conv_in.weight": W'), or changed by a LoRA,
        W + alpha / r B A ("unet. ... .to_q.lora_A.weight": (r, in), ".lora_B.weight": (out, r), ".alpha": ()), or only
        some rows of it are replaced (".rows": (k,), ".values": (k, d)).
    words: words the changed model knows and the model itself does not.
    told: what it was fitted to, for the reader.
    """

    tensors: dict[str, Tensor]
    words: tuple[str, ...] = ()
    told: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """What it is, without the numbers."""
        numbers = sum(value.numel() for value in trained(self.tensors).values())
        kind = "LoRA" if any(name.endswith(LORA_A) for name in self.tensors) else "weights"
        prompt = f", {self.told['prompt']!r}" if "prompt" in self.told else ""
        return f"Weights({kind}, {numbers:,} numbers{prompt})"

    @contextmanager
    def on(self, model: Trainable) -> Iterator[None]:
        """`model` with these weights, inside the with-block; nothing in it is written to."""
        with torch.no_grad():
            changed = changed_weights(model, self.tensors)
        with model.changed(changed, self.words):
            yield

    def scaled(self, strength: float) -> Weights:
        """A LoRA that counts `strength` times as much; 0 is the model as it was."""
        if not any(name.endswith(LORA_A) for name in self.tensors):
            raise ValueError("Only a LoRA can be scaled: these weights replace the model's own.")
        grown = {k: v * strength if k.endswith(LORA_B) else v for k, v in self.tensors.items()}
        return replace(self, tensors=grown)

    def save(self, file: str | Path, dtype: torch.dtype | None = None) -> Path:
        """Writes a .safetensors file, whole or not at all; diffusers' `load_lora_weights` reads a LoRA's.

        dtype: torch.float16 makes it half as large; exact unless given.
        """
        from safetensors.torch import save_file

        tensors = {k: v.detach().cpu().contiguous() for k, v in folded(self.tensors).items()}
        if dtype is not None:
            tensors = {k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()}
        told = {"weights": json.dumps({"words": self.words, "told": self.told}), "format": "pt"}
        return written(Path(file), lambda new: save_file(tensors, new, metadata=told))

    @classmethod
    def load(cls, file: str | Path) -> Weights:
        """Reads what `save` wrote; ValueError if the file is something else."""
        tensors, told = read_safetensors(Path(file), "weights")
        floats = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
        return cls(floats, tuple(told["words"]), told["told"])


def full(model: Trainable, networks: Sequence[str] = ("unet",)) -> Weights:
    """All weights of these networks as they are: where a full fine-tuning starts. They lie in main memory."""
    return Weights({name: value.detach().cpu() for name, value in parameters(model, networks).items()})


def lora(
    model: Trainable, rank: int = 4, alpha: float | None = None, networks: Sequence[str] = ("unet",), seed: int = 0
) -> Weights:
    """A LoRA of the attention's linear layers that changes nothing yet: A is random, B is zero."""
    if not isinstance(rank, int) or rank < 1:
        raise ValueError(f"rank is {rank!r}; expected a whole number from 1 on (4 is usual).")
    generator, tensors = torch.Generator().manual_seed(seed), {}
    for name, value in parameters(model, networks).items():
        stem = name.removesuffix(".weight")
        if value.ndim == 2 and stem.endswith(ATTENTION):
            wide, deep = value.shape
            tensors |= {stem + LORA_A: torch.randn(rank, deep, generator=generator) / rank,
                        stem + LORA_B: torch.zeros(wide, rank),
                        stem + ALPHA: torch.tensor(float(rank if alpha is None else alpha))}
    if not tensors:
        raise ValueError(f"There is no attention with linear layers in {', '.join(networks)}.")
    return Weights(tensors)


def token_rows(model: Trainable, word: str, like: str) -> Weights:
    """The rows of the token tables that spell `word`, each set to the row of `like`: where textual inversion starts."""
    tensors: dict[str, Tensor] = {}
    for (table, rows), (_, source) in zip(model.token_rows(word), model.token_rows(like), strict=True):
        if set(rows) & set(source):
            raise ValueError(f"{word!r} and {like!r} share tokens: take a word like 'sks' that means nothing.")
        values = parameters(model, [table.partition(".")[0]])[table][source[-1]].detach().float()
        tensors |= {table + ROWS: torch.tensor(rows), table + VALUES: values.repeat(len(rows), 1)}
    return Weights(tensors)


def parameters(model: Trainable, networks: Sequence[str]) -> dict[str, Tensor]:
    """The weights of these networks by name, "unet.conv_in.weight" say."""
    missing = [name for name in networks if name not in model.networks]
    if missing:
        raise ValueError(f"This model has no {', '.join(missing)}; it has {', '.join(model.networks)}.")
    return {f"{name}.{path}": value for name in networks for path, value in model.networks[name].named_parameters()}


def changed_weights(
    model: Trainable, tensors: Mapping[str, Tensor], dtype: torch.dtype | None = None
) -> dict[str, Tensor]:
    """W' of every weight that `tensors` (see `Weights`) change, in the model's own dtype unless given.

    Gradients flow back to `tensors`. Raises ValueError where they do not fit the model.
    """
    own, here = parameters(model, list(dict.fromkeys(name.partition(".")[0] for name in tensors))), model.device
    changed = {}
    for name, value in tensors.items():
        if name.endswith((LORA_B, ALPHA, VALUES)):
            continue  # used with LORA_A or ROWS
        stem = name.removesuffix(LORA_A).removesuffix(ROWS)
        target = stem + ".weight" if name.endswith(LORA_A) else stem
        if target not in own:
            raise ValueError(f"These weights were made for another model: there is no {target!r} here.")
        base = own[target]
        if name.endswith(LORA_A):
            if (len(tensors[stem + LORA_B]), value.shape[1]) != tuple(base.shape):
                raise ValueError(f"These weights were made for another model: {target!r} is {tuple(base.shape)} here.")
            scale = tensors[stem + ALPHA] / len(value) if stem + ALPHA in tensors else 1.0
            value = base.detach().float() + scale * (tensors[stem + LORA_B].to(here) @ value.to(here))
        elif name.endswith(ROWS):
            value = base.detach().float().index_copy(0, value.to(here), tensors[stem + VALUES].to(here))
        if value.shape != base.shape:
            raise ValueError(f"These weights were made for another model: {target!r} is {tuple(base.shape)} here, "
                             f"{tuple(value.shape)} there.")
        changed[target] = value.to(here, dtype or base.dtype)
    return changed


@contextmanager
def parked(model: Trainable, names: Sequence[str]) -> Iterator[None]:
    """These of the model's own weights in main memory inside the with-block: on a GPU a fit needs their room.

    They come back bit for bit. The first of each network stays where it is: it tells where the network is.
    """
    networks = list(dict.fromkeys(name.partition(".")[0] for name in names))
    first = {next(iter(parameters(model, [network]))) for network in networks}
    own, here = parameters(model, networks), model.device
    moved = [own[name] for name in names if name not in first]
    try:
        for value in moved:
            value.data = value.data.cpu()
        yield
    finally:
        for value in moved:
            value.data = value.data.to(here)


def folded(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A LoRA with alpha / r taken into B, as it is saved: no reader can get it wrong."""
    out = {name: value for name, value in tensors.items() if not name.endswith(ALPHA)}
    for name, value in tensors.items():
        if name.endswith(ALPHA):
            stem = name.removesuffix(ALPHA)
            out[stem + LORA_B] = out[stem + LORA_B] * (value.item() / len(out[stem + LORA_A]))
    return out


# ------------------------------------------------------------------------------------------------------------ the fit


def fit_weights(
    model: Trainable,
    start: Weights,
    loss: Callable[[int], Tensor],
    *,
    dtype: torch.dtype | None = None,
    thrifty: bool | None = None,
    watch: Watch = ignore,
    **knobs: Any,
) -> Weights:
    """The weights that `loss`, a function of the step, leads to from `start`; the model is left as it was.

    dtype: to compute in; the fitted weights are float32 all the same. Chosen for the machine unless given.
    thrifty: gradient checkpointing; on a GPU unless given.
    watch: called after each step with step=, loss= and weights=, the weights so far, to try them out with `.on(model)`;
        the next step changes them.
    knobs: as in `fit`.
    """
    here = model.device
    dtype = dtype or fast_dtype(here)
    thrifty = here.type == "cuda" if thrifty is None else thrifty
    own = parameters(model, list(dict.fromkeys(["unet", *(name.partition(".")[0] for name in start.tensors)])))
    rest = {name: value.detach().to(dtype) for name, value in own.items() if name not in start.tensors}
    tensors = {name: value.to(here, torch.float32 if value.is_floating_point() else None, copy=True)
               for name, value in start.tensors.items()}
    whole = [name for name in tensors if name in own]

    def inside() -> AbstractContextManager[None]:
        return model.changed(rest | changed_weights(model, tensors, dtype), start.words, thrifty)

    def look(**seen: Any) -> None:
        watch(weights=replace(start, tensors=tensors), **seen)

    told = {"model": model.fingerprint} | start.told
    with parked(model, whole):
        fit(trained(tensors), loss, inside=inside, watch=look, dtype=dtype, cast=whole, told=told, **knobs)
    return replace(start, tensors={name: value.detach() for name, value in tensors.items()})


def trained(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of a `Weights`' tensors that are fitted."""
    return {k: v for k, v in tensors.items() if v.is_floating_point() and not k.endswith(ALPHA)}


def fit(
    variables: Mapping[str, Tensor],
    loss: Callable[[int], Tensor],
    *,
    steps: int,
    lr: float,
    inside: Callable[[], AbstractContextManager[None]] = nullcontext,
    dtype: torch.dtype = torch.float32,
    cast: Collection[str] = (),
    folder: str | Path | None = None,
    every: float = 30.0,
    told: Mapping[str, Any] | None = None,
    watch: Watch = ignore,
    progress: bool = True,
) -> None:
    """Adam on `loss`, a function of the step, over `variables` (float32), which are changed in place.

    lr: learning rate. inside: a with-block for each step's forward and backward pass. dtype: the pass is in.
    cast: those variables that are only cast to `dtype` in the pass; their gradients need no more digits than that has.
    folder: where a checkpoint is written every `every` seconds and when the fit is interrupted; a fit with the same
        folder goes on from it. `told` is what must be the same for that.
    watch: called after each step with step= (1 is the first) and loss=.
    Raises ValueError for numbers out of range or a folder with another fit, OSError for one that cannot be written to,
    FloatingPointError where the loss is no longer a number, TooLittleMemory where a GPU is too small.
    """
    check_fit(steps, lr)
    training = _Training(variables, lr, dtype, cast)
    book = _Book(folder, {**(told or {}), "lr": lr}, every)
    book.resume(training, steps)
    with closing(training):
        for _ in _bar(training, steps, progress):
            with book.kept(training), explained_memory("this fit", FIT_LESS):
                with inside():
                    training.descend(loss(training.step))
                training.update()
                watch(step=training.step, loss=training.losses[-1])
        book.save(training)


def check_fit(steps: int, lr: float) -> None:
    """An error that names the number which is out of range."""
    if isinstance(steps, bool) or not isinstance(steps, Integral) or steps < 1:
        raise ValueError(f"steps is {steps!r}; expected a whole number from 1 on.")
    if not 0 < lr < 10:
        raise ValueError(f"lr is {lr!r}; expected a learning rate above 0, 1e-4 say.")


def fast_dtype(device: torch.device) -> torch.dtype:
    """What a fit computes in: bfloat16 where that is fast, float16 on older GPUs, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    able = getattr(torch.cpu, "get_capabilities", dict)() if device.type == "cpu" else {}
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


class _Training:
    """Variables, their Adam, the step and the losses so far.

    Memory is what limits a fit: a gradient waits in the digits it was computed in, and is float32 only while Adam, who
    takes the variables in portions, makes its step.
    """

    def __init__(self, variables: Mapping[str, Tensor], lr: float, dtype: torch.dtype = torch.float32,
                 cast: Collection[str] = ()) -> None:
        self.variables = {name: value.requires_grad_(True) for name, value in variables.items()}
        self.portions = {names: torch.optim.Adam([variables[name] for name in names], lr=lr, fused=True)
                         for names in portions(variables)}
        self.losses: list[float] = []
        self.scale, self.whole = FIRST_SCALE if dtype == torch.float16 else 1.0, True
        self.gradients: dict[str, Tensor] = {}
        short = dtype if processes()[1] == 1 else torch.float32  # what several processes add up needs all digits
        self.hooks = [value.register_post_accumulate_grad_hook(
            partial(self._keep, name, short if name in cast else value.dtype)) for name, value in variables.items()]

    def _keep(self, name: str, dtype: torch.dtype, value: Tensor) -> None:
        """Lays a gradient that has just been computed aside."""
        self.gradients[name], value.grad = value.grad.to(dtype), None

    def close(self) -> None:
        """Leaves the variables as other code expects them."""
        for hook in self.hooks:
            hook.remove()

    @property
    def step(self) -> int:
        """How many steps are done."""
        return len(self.losses)

    def descend(self, loss: Tensor) -> None:
        """The gradients of `loss`, averaged over the processes that fit together."""
        self.gradients.clear()
        (loss * self.scale).backward()
        _, world = processes()
        self.loss = loss.detach().float()
        if world > 1:
            for value in (self.loss, *self.gradients.values()):
                torch.distributed.all_reduce(value.div_(world))
        self.loss = float(self.loss)

    def update(self) -> None:
        """One step of Adam. In float16 a step whose gradients overflow is left out, and the next is scaled less."""
        norms = [torch.linalg.vector_norm(value, dtype=torch.float32) for value in self.gradients.values()]
        norm = float(torch.linalg.vector_norm(torch.stack(norms))) / self.scale if norms else 0.0
        overflow = not (isfinite(norm) and isfinite(self.loss))
        if overflow and (self.scale == 1.0 or isnan(self.loss)):
            raise FloatingPointError(f"The loss is {self.loss} at step {self.step + 1} and the fit cannot go on: take "
                                     "a smaller learning rate (a tenth, say).")
        self.whole = False  # an interrupt in here leaves some variables a step ahead of others
        if overflow:
            self.scale = max(1.0, self.scale / 2)
        else:
            self._move(min(1.0, LARGEST_GRADIENT / (norm + 1e-6)) / self.scale)
        self.losses.append(self.loss)
        self.whole = True
        self.gradients.clear()

    def _move(self, factor: float) -> None:
        """Adam's step, with the gradients times `factor`."""
        for names, optimizer in self.portions.items():
            for name in names:
                if name in self.gradients:
                    self.variables[name].grad = self.gradients.pop(name).float().mul_(factor)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def moments(self, name: str) -> dict[str, Tensor]:
        """What Adam remembers of a variable; nothing before its first step."""
        return next(adam.state for names, adam in self.portions.items() if name in names)[self.variables[name]]

    def tensors(self) -> dict[str, Tensor]:
        """All a checkpoint holds."""
        out = {"losses": torch.tensor(self.losses, dtype=torch.float64), "scale": torch.tensor(self.scale)}
        for name, p in self.variables.items():
            out["variable/" + name] = p.detach()
            out |= {f"{key}/{name}": value for key, value in self.moments(name).items()}
        return out

    @torch.no_grad()
    def take(self, tensors: Mapping[str, Tensor]) -> None:
        """Goes on from a checkpoint."""
        self.losses, self.scale = tensors["losses"].tolist(), float(tensors["scale"])
        for name, p in self.variables.items():
            p.copy_(tensors["variable/" + name])
            self.moments(name).update({key: tensors[f"{key}/{name}"].to(p.device) for key in MOMENTS
                                  if f"{key}/{name}" in tensors})


def portions(variables: Mapping[str, Tensor]) -> list[tuple[str, ...]]:
    """The variables' names in groups; a group is full with `PORTION` numbers."""
    count, groups = 0, {}
    for name, value in variables.items():
        groups.setdefault(count // PORTION, []).append(name)
        count += value.numel()
    return [tuple(names) for names in groups.values()]


class _Book:
    """The checkpoint of one fit: one file, replaced as a whole; nothing at all without a folder."""

    def __init__(self, folder: str | Path | None, told: Mapping[str, Any], every: float) -> None:
        self.folder = None if folder is None else Path(folder).expanduser()
        self.told, self.every, self.last = json.loads(json.dumps(told)), every, time.monotonic()
        if self.folder is not None:
            check_folder(self.folder)

    @property
    def file(self) -> Path | None:
        """The checkpoint."""
        return None if self.folder is None else self.folder / CHECKPOINT

    def resume(self, training: _Training, steps: int) -> None:
        """Goes on from the checkpoint, if there is one of the same fit."""
        if self.file is None or not self.file.exists():
            return
        tensors, told = read_safetensors(self.file, "fit")
        other = sorted(k for k in told.keys() | self.told.keys() if told.get(k) != self.told.get(k))
        if other:
            raise ValueError(f"{str(self.folder)!r} holds a fit that differs in {', '.join(other)}: give another "
                             "folder, or delete it to start again.")
        if len(tensors["losses"]) > steps:
            raise ValueError(f"The fit in {str(self.folder)!r} has done {len(tensors['losses'])} steps already, more "
                             f"than the {steps} asked for: give another folder.")
        training.take(tensors)

    @contextmanager
    def kept(self, training: _Training) -> Iterator[None]:
        """One step: a checkpoint afterwards if it is time, and at once if the reader interrupts or something fails."""
        try:
            yield
        except BaseException:
            if training.whole:
                self.save(training)
            raise
        if time.monotonic() - self.last > self.every:
            self.save(training)

    def save(self, training: _Training) -> None:
        """Writes the checkpoint; where that fails, says so and keeps the one before."""
        from safetensors.torch import save_file

        self.last = time.monotonic()
        if self.file is None or processes()[0] != 0 or not training.whole:
            return
        tensors = {k: v.contiguous().cpu() for k, v in training.tensors().items()}
        try:
            written(self.file, lambda new: save_file(tensors, new, metadata={"fit": json.dumps(self.told)}))
        except OSError as error:
            warnings.warn(f"No checkpoint could be written ({error}). The fit goes on, and the checkpoint before is "
                          "kept; make room on the disk, for an interrupt would lose what comes after it.", FitWarning,
                          stacklevel=2)


def _bar(training: _Training, steps: int, progress: bool) -> Iterator[int]:
    """The steps that are left, with a progress bar that tells the mean of the last losses."""
    from tqdm.auto import tqdm

    silent = not progress or bool(os.environ.get("TQDM_DISABLE")) or processes()[0] != 0
    with tqdm(total=steps, initial=training.step, delay=1, disable=silent, leave=False, unit="step") as bar:
        while training.step < steps:
            yield training.step
            last = training.losses[-20:]
            bar.set_postfix_str(f"loss {sum(last) / len(last):.4f}", refresh=False)
            bar.update()


# ---------------------------------------------------------------------------------------------------------- the files


def check_folder(folder: Path) -> None:
    """Makes the folder, and an OSError that says what to do if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".can-write-{os.getpid()}"
        probe.write_bytes(b"yes")
        probe.unlink()
    except OSError as error:
        raise type(error)(error.errno, f"Nothing can be written to the folder {str(folder)!r} ({error.strerror}): "
                                       "give another folder.") from error


def written(file: Path, write: Callable[[Path], None]) -> Path:
    """`file` as `write` writes it, whole or not at all: a kill or a full disk leaves what was there before."""
    file = file.expanduser()
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        write(new)
        with new.open("rb+") as f:
            os.fsync(f.fileno())
        new.chmod(0o644)  # safetensors writes files that only their owner can read
        os.replace(new, file)
    except Exception as error:
        new.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise
        raise OSError(f"{str(file)!r} could not be written: {error}") from error  # safetensors has its own errors
    return file


def read_safetensors(file: Path, key: str) -> tuple[dict[str, Tensor], Any]:
    """The tensors of a file and what is told under `key` beside them; ValueError if it is something else."""
    from safetensors import safe_open

    file = file.expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {str(file)!r} (looked from {str(Path.cwd())!r}).")
    try:
        with safe_open(file, "pt") as f:
            told = json.loads((f.metadata() or {})[key])
            return {name: f.get_tensor(name) for name in f.keys()}, told  # noqa: SIM118 (not a dict)
    except Exception as error:
        raise ValueError(f"{str(file)!r} is not what was expected, or is broken ({error}): delete it or give "
                         "another.") from error


def digest(values: Sequence[Any]) -> str:
    """Eight hexadecimal digits that tell two lists of pictures or arrays apart."""
    return hashlib.sha256(b"".join(value.tobytes() for value in values)).hexdigest()[:8]


# ------------------------------------------------------------------------------------------------------ watching a fit


class Diary:
    """Watches a fit: the losses, and pictures of what the model makes meanwhile.

        diary = Diary(model, "a sks cat at the temple", every=50)
        fit_dreambooth(..., watch=diary)
        diary.losses, diary.samples

    every: steps from one picture to the next. show: called with the diary after each picture, to draw it anew.
    """

    def __init__(self, model: Any, prompt: str, every: int = 50, seed: int = 0, show: Callable[[Diary], None] = ignore,
                 **knobs: Any) -> None:
        """Pictures of `prompt` from `seed`; `knobs` (steps, guidance) as for `model.generate`."""
        self.model, self.prompt, self.every, self.seed, self.show, self.knobs = model, prompt, every, seed, show, knobs
        self.losses: list[float] = []
        self.samples: dict[int, Any] = {}

    def __call__(self, step: int, loss: float, weights: Weights | None = None, **_: Any) -> None:
        """One step is done."""
        self.losses.append(loss)
        if weights is not None and step % self.every == 0:
            with weights.on(self.model):
                picture = self.model.generate(self.prompt, seed=self.seed, progress=False, **self.knobs)[0]
            self.samples[step] = picture
            self.show(self)
