"""A change of a model's weights: small, saved as safetensors, applied with `with weights.on(model):`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import torch

from helpers.core.files import damaged, load_tensors, required, save_tensors
from helpers.core.shapes import Weight
from helpers.core.values import (
    File,
    Kind,
    Positive,
    Prompt,
    Prompts,
    Rank,
    Real,
    Seed,
    WrongKind,
    entrance,
    known,
    listed,
    shown,
)
from helpers.core.warn import FitWarning, warn
from helpers.finetuning.loss import Trainable


def half_or_more(name: str, value: Any) -> torch.dtype:
    """A dtype that weights can be written in."""
    if not isinstance(value, torch.dtype) or value not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise WrongKind(f"{name} is {shown(value)}; expected torch.float16, or None for the weights as they are.")
    found: torch.dtype = value
    return found


LORA_A, LORA_B, ALPHA, ROWS, VALUES = ".lora_A.weight", ".lora_B.weight", ".alpha", ".rows", ".values"
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj")  # its linear layers
TEXT_ENCODERS = ("text_encoder", "text_encoder_2")


@known("weights, as a fit returns them, `lora` and `full` make them, or `Weights.load` reads them")
@dataclass(frozen=True, eq=False)
class Weights:
    """A change of a model's weights: small, saved as safetensors, applied with `with weights.on(model):`.

    tensors: by name. A weight W is replaced as a whole ("unet.conv_in.weight": W'), or changed by a LoRA,
        W + alpha / r B A ("unet. ... .to_q.lora_A.weight": (r, in), ".lora_B.weight": (out, r), ".alpha": ()), or only
        some rows of it are replaced (".rows": (k,), ".values": (k, d)).
    words: words the changed model knows and the model itself does not.
    metadata: what it was fitted to, for the reader.
    """

    tensors: dict[str, Weight]
    words: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """What it is, without the numbers."""
        numbers = sum(value.numel() for value in trained(self.tensors).values())
        kind = "LoRA" if any(name.endswith(LORA_A) for name in self.tensors) else "weights"
        prompt = f", {self.metadata['prompt']!r}" if "prompt" in self.metadata else ""
        return f"Weights({kind}, {numbers:,} numbers{prompt})"

    @contextmanager
    def on(self, model: Trainable) -> Iterator[None]:
        """`model` with these weights, inside the with-block; nothing in it is written to."""
        with torch.no_grad():
            changed = changed_weights(model, self.tensors)
        with model.changed(changed, self.words):
            yield

    @entrance
    def scaled(self, strength: Real) -> Weights:
        """A LoRA that counts `strength` times as much; 0 is the model as it was."""
        if not any(name.endswith(LORA_A) for name in self.tensors):
            raise ValueError("Only a LoRA can be scaled: these weights replace the model's own.")
        grown = {k: v * strength if k.endswith(LORA_B) else v for k, v in self.tensors.items()}
        return replace(self, tensors=grown)

    @entrance
    def save(self, file: File, dtype: Annotated[torch.dtype, Kind(half_or_more)] | None = None) -> Path:
        """Writes a .safetensors file, whole or not at all; diffusers' `load_lora_weights` reads a LoRA's.

        dtype: torch.float16 makes it half as large; exact unless given.
        """
        tensors = folded(self.tensors)
        if dtype is not None:
            tensors = {k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()}
        return save_tensors(file, "weights", tensors, {"words": self.words, "told": self.metadata})

    @classmethod
    def load(cls, file: str | Path) -> Weights:
        """Reads what `save` wrote; ValueError if the file is something else."""
        tensors, metadata = load_tensors(file, "weights")
        required(file, metadata, words=list, told=dict)
        if not all(isinstance(word, str) for word in metadata["words"]):
            raise damaged(Path(file), "its words are no texts")
        check_parts(file, tensors)
        floats = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
        return cls(floats, tuple(metadata["words"]), metadata["told"])


def check_parts(file: str | Path, tensors: Mapping[str, Weight]) -> None:
    """DamagedFile where a LoRA or some rows are there by half, or do not fit each other."""
    for name, value in tensors.items():
        stem = name
        for one, other in ((LORA_A, LORA_B), (LORA_B, LORA_A), (ROWS, VALUES), (VALUES, ROWS)):
            if name.endswith(one):
                stem = name.removesuffix(one)
                if stem + other not in tensors:
                    raise damaged(Path(file), f"{stem + other} is missing")
        whole = name.endswith(ROWS)
        if whole == value.is_floating_point() or (not whole and not value.isfinite().all()):
            raise damaged(Path(file), f"{name} is of a wrong dtype or holds numbers that are not finite")
        if name.endswith(ALPHA) and (value.ndim or name.removesuffix(ALPHA) + LORA_A not in tensors):
            raise damaged(Path(file), f"{name} belongs to no LoRA")
        if name.endswith(LORA_A) and (value.ndim != 2 or not len(value) or
                                      tensors[stem + LORA_B].shape[1:] != value.shape[:1]):
            raise damaged(Path(file), f"the LoRA of {stem} does not fit itself")
        if whole and (value.dtype != torch.int64 or value.shape != tensors[stem + VALUES].shape[:1] or
                      not (value >= 0).all()):
            raise damaged(Path(file), f"the rows of {stem} do not fit their values")


@entrance
def full(model: Trainable, networks: Prompts = ("unet",)) -> Weights:
    """All weights of these networks as they are: where a full fine-tuning starts. They lie in main memory."""
    return Weights({name: value.detach().cpu() for name, value in parameters(model, networks).items()})


@entrance
def lora(model: Trainable, rank: Rank = 4, alpha: Positive | None = None, networks: Prompts = ("unet",),
         seed: Seed = 0) -> Weights:
    """A LoRA of the attention's linear layers that changes nothing yet: A is random, B is zero."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Weight] = {}
    for name, value in parameters(model, networks).items():
        stem = name.removesuffix(".weight")
        if value.ndim == 2 and stem.endswith(ATTENTION):
            wide, deep = value.shape
            tensors |= {stem + LORA_A: torch.randn(rank, deep, generator=generator, dtype=torch.float32) / rank,
                        stem + LORA_B: torch.zeros(wide, rank, dtype=torch.float32),
                        stem + ALPHA: torch.tensor(float(rank if alpha is None else alpha), dtype=torch.float32)}
    if not tensors:
        raise ValueError(f"There is no attention with linear layers in {', '.join(networks)}.")
    return Weights(tensors)


@entrance
def token_rows(model: Trainable, word: Prompt, like: Prompt) -> Weights:
    """The rows of the token tables that spell `word`, each set to the row of `like`: where textual inversion starts."""
    tensors: dict[str, Weight] = {}
    parameters(model, ())  # an error for a model without weights
    for (table, rows), (_, source) in zip(model.token_rows(word), model.token_rows(like), strict=True):
        if not rows or not source:
            raise ValueError(f"{(word if source else like)!r} is no token to this model: take another word.")
        if set(rows) & set(source):
            raise ValueError(f"{word!r} and {like!r} share tokens: take a word like 'sks' that means nothing.")
        if len(rows) > 1 and (others := spelled_alike(model, word, rows)):
            warn(f"{word!r} is {len(rows)} tokens to this model, and {others} are spelled with them, too, and change "
                 "with it. A word of one token changes nothing but itself.", FitWarning)
        values = parameters(model, [table.partition(".")[0]])[table][source[-1]].detach().float()
        tensors |= {table + ROWS: torch.tensor(rows), table + VALUES: values.repeat(len(rows), 1)}
    return Weights(tensors)


def spelled_alike(model: Trainable, word: str, rows: Sequence[int]) -> str:
    """The words of the model's own that have one of these tokens: "other words ('s')"; "" if there are none."""
    known: frozenset[str] | None = getattr(model, "known_words", None)
    if known is None:  # it has seen words that nobody listed
        return "other words"
    alike = [other for other in sorted(known) if other != word.lower()
             and any(set(rows) & set(its) for _, its in model.token_rows(other))]
    return f"other words ({', '.join(map(repr, alike[:3]))})" if alike else ""


def parameters(model: Trainable, networks: Sequence[str]) -> dict[str, Weight]:
    """The weights of these networks by name, "unet.conv_in.weight" say."""
    own = getattr(model, "networks", None)
    if not isinstance(own, Mapping):
        raise WrongKind(f"model is {shown(model)}, which has no weights that could be fitted; expected one that has: "
                        "load().")
    networks = listed("networks", networks, "a list of names: ['unet']", empty=True)
    missing = [name for name in map(str, networks) if name not in own]
    if missing:
        raise ValueError(f"This model has no {', '.join(missing)}; it has {', '.join(own)}.")
    return {f"{name}.{path}": value for name in networks for path, value in own[name].named_parameters()}


def changed_weights(
    model: Trainable, tensors: Mapping[str, Weight], dtype: torch.dtype | None = None
) -> dict[str, Weight]:
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
            if value.numel() and int(value.max()) >= len(base):
                raise ValueError(f"These weights were made for another model: {target!r} has {len(base)} rows here.")
            value = base.detach().float().index_copy(0, value.to(here), tensors[stem + VALUES].to(here))
        if value.shape != base.shape:
            raise ValueError(f"These weights were made for another model: {target!r} is {tuple(base.shape)} here, "
                             f"{tuple(value.shape)} there.")
        changed[target] = value.to(here, dtype or base.dtype)
    return changed


@contextmanager
def offloaded(model: Trainable, names: Sequence[str]) -> Iterator[None]:
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


def folded(tensors: Mapping[str, Weight]) -> dict[str, Weight]:
    """A LoRA with alpha / r taken into B, as it is saved: no reader can get it wrong."""
    out = {name: value for name, value in tensors.items() if not name.endswith(ALPHA)}
    for name, value in tensors.items():
        if name.endswith(ALPHA):
            stem = name.removesuffix(ALPHA)
            out[stem + LORA_B] = out[stem + LORA_B] * (value.item() / len(out[stem + LORA_A]))
    return out


def trained(tensors: Mapping[str, Weight]) -> dict[str, Weight]:
    """Those of a `Weights`' tensors that are fitted."""
    return {k: v for k, v in tensors.items() if v.is_floating_point() and not k.endswith(ALPHA)}
