"""`with attention(model, edit):` tells the layers what to do before each call of the network, and collects after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from helpers.attention.edits import Edit, model_tokens
from helpers.attention.kernel import Plan, planned
from helpers.attention.maps import AttentionStore, Site, below
from helpers.attention.processor import Layer, chosen_layers
from helpers.attention.recording import Recording
from helpers.core.interface import Model
from helpers.core.words import Tokens


@contextmanager
def attention(
    model: Model,
    edit: Edit | Sequence[Edit] | None = None,
    *,
    look: AttentionStore | Sequence[AttentionStore] = (),
    prompts: str | Sequence[str] = (),
    layers: str | Sequence[str] | None = None,
    steps: int | None = None,
    record: Recording | None = None,
    source: Recording | None = None,
) -> Iterator[AttentionStore]:
    """Edit and watch the model's attention inside the `with`; gives the (first) look.

    edit: one, or one for each target. The batch must end with the source prompt's row and the targets' rows.
    look: which maps to watch. prompts: of the batch's last rows where there is no edit; the source's if no edit has it.
    layers: starts of the names of layers to edit ("up_blocks"); all unless given.
    steps: N that the sampler's times are made with; the model's own unless given.
    record: filled with the queries and keys of the batch's last row. source: one such, instead of the source's row.

    Raises ValueError for a model without cross-attention, an unknown layer, a word that is not there, a time that is
    none of the N steps', or a batch that does not end with the prompts; RuntimeError if a layer is not called exactly
    once in a call of the model. The layers' own processors are back afterwards, whatever happened.
    """
    edits = [edit] if isinstance(edit, Edit) else list(edit or ())
    looks = [look] if isinstance(look, AttentionStore) else list(look)
    control = Control(model, edits, looks, prompts, layers, steps, record, source)
    with ExitStack() as stack:
        for layer in control.layers:
            stack.callback(layer.module.set_processor, layer.own)
            layer.module.set_processor(layer)
        hooks = (model.unet.register_forward_pre_hook(control.before, with_kwargs=True),
                 model.unet.register_forward_hook(control.after, with_kwargs=True))
        for hook in hooks:
            stack.callback(hook.remove)
        yield looks[0] if looks else AttentionStore([])


class Control:
    """Tells the layers before each call of the network what to do, and collects from them after it."""

    def __init__(self, model: Any, edits: Sequence[Edit], looks: Sequence[AttentionStore], prompts: str | Sequence[str],
                 layers: str | Sequence[str] | None, steps: int | None, record: Recording | None,
                 source: Recording | None) -> None:
        self.edits, self.looks, self.record, self.source = edits, looks, record, source
        self.prompts = prompts_of(model, edits, prompts, source)
        self.steps = model.steps if steps is None else steps
        self.step_at = {t: i for i, t in enumerate(model.times(self.steps)[:-1])}
        edited = chosen_layers(model, layers)
        self.layers = [layer for layer in chosen_layers(model, None) if self._needs(layer, edited)]
        self.edited = {layer.name for layer in edited}
        self.shrinks = 2 ** (len(model.unet.config.block_out_channels) - 1)  # the latent's side by the smallest grid's
        self.count = len(self.prompts) - (source is not None)  # rows of the batch that are theirs
        self.expected = embedded(model, self.prompts[-self.count :]) if self.count else None
        self.plans: dict[tuple[int, ...], Plan] = {}
        weight = next(model.unet.parameters())
        for one in looks:
            chosen_layers(model, one.layers)
            one.begin(self.prompts)
        self.words = tuple((one, one.values.to(weight.device)) for one in looks)
        if edits and source and max(max(one.selves) for one in edits) > source.up_to:
            raise ValueError(f"The source's self-attention was recorded on grids up to {source.up_to} only: record it "
                             "with a larger up_to, or inject less.")

    def _needs(self, layer: Layer, edited: Sequence[Layer]) -> bool:
        if layer.cross:
            by_edit = any(edit.A.any() or (edit.b != 1).any() for edit in self.edits)
            looked = any(one.layers is None or any(below(layer.name, start) for start in one.layers)
                         for one in self.looks)
        else:
            by_edit, looked = any(any(edit.selves) for edit in self.edits), False
        return self.record is not None or looked or (by_edit and layer.name in {one.name for one in edited})

    def before(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before a call of the network: the step from its time, the plan from the step."""
        x, t = (args[i] if len(args) > i else kwargs[name] for i, name in ((0, "sample"), (1, "timestep")))
        text = args[2] if len(args) > 2 else kwargs["encoder_hidden_states"]
        self._check_batch(text)
        self.latent, self.step = tuple(x.shape[-2:]), self._step(int(t))
        plan = self._plan(x) if self.edits else None
        for layer in self.layers:
            layer.start()
            layer.coarsest = -(-min(self.latent) // self.shrinks)
            layer.latent, layer.count, layer.looks = self.latent, self.count, self.words if layer.cross else ()
            layer.plan = plan if layer.name in self.edited else None
            layer.source = self._recorded(layer)
            layer.up_to = None if self.record is None else self.record.up_to

    def after(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """After a call of the network: every layer was called, and what it saw is kept."""
        if missed := [layer.name for layer in self.layers if not layer.called]:
            raise RuntimeError("These layers were not called by the model, or an edit inside this took their place: "
                               f"{', '.join(missed)}.")
        for layer in self.layers:
            for one, maps in zip(self.looks, layer.maps, strict=False):
                if maps is not None:
                    one.add(Site(layer.name, True, layer.grid, self.step), maps)
            if layer.recorded is not None:
                self.record.grid = self.latent
                self.record.add(layer.name, layer.cross, self.step, *layer.recorded)
            layer.maps, layer.recorded = (), None
        for one in self.looks:
            if not one.sums:
                grids = sorted({layer.grid for layer in self.layers if layer.cross}, reverse=True)
                raise ValueError(f"No layer has maps of {one.grids}; for these pictures there are: {grids}.")

    def _step(self, t: int) -> int:
        if t not in self.step_at:
            raise ValueError(f"The model is asked about time {t}, which is none of the times of {self.steps} steps: "
                             "tell `attention(..., steps=...)` how many steps the sampler makes.")
        return self.step_at[t]

    def _plan(self, x: Tensor) -> Plan:
        pieces = tuple(edit.piece(self.step, self.steps) for edit in self.edits)
        if pieces not in self.plans:
            self.plans[pieces] = planned(self.edits, pieces, x)
        return self.plans[pieces]

    def _recorded(self, layer: Layer) -> tuple[Tensor, Tensor] | None:
        if self.source is None:
            return None
        if self.source.grid != self.latent:
            raise ValueError(f"The source was recorded with latents of {self.source.grid}, not {self.latent}.")
        return self.source.at(layer.name, self.step) if (layer.name, self.step) in self.source.kept or layer.cross \
            else None

    def _check_batch(self, text: Tensor) -> None:
        """At the first call only: the batch ends with the prompts of the edits."""
        if self.expected is None:
            return
        wanted, self.expected = self.expected.to(text), None
        found = text[-self.count :]
        near = found.shape == wanted.shape and (found - wanted).abs().mean() < 0.02 * wanted.abs().mean()
        if not near:
            listed = ", ".join(repr(tokens.prompt) for tokens in self.prompts[-self.count :])
            raise ValueError(f"The batch does not end with the prompts {listed}: give the model the source's prompt, "
                             "then the targets', in one batch. (`generate` makes large pictures one after the other.)")


def prompts_of(model: Any, edits: Sequence[Edit], prompts: str | Sequence[str],
               source: Recording | None) -> tuple[Tokens, ...]:
    """The prompts that the edits are about, the source first; else those that were named."""
    named = [model_tokens(model, prompt) for prompt in ([prompts] if isinstance(prompts, str) else prompts)]
    if not edits:
        return tuple(named)
    sources = list(dict.fromkeys([edit.source for edit in edits if edit.source] + ([source.tokens] if source else [])))
    if len(sources) > 1:
        listed = ", ".join(repr(tokens.prompt) for tokens in sources)
        raise ValueError(f"The edits have different sources, {listed}; in one batch there can be one source only.")
    return (*(sources or named[:1]), *(edit.target for edit in edits))


def embedded(model: Any, prompts: Sequence[Tokens]) -> Tensor:
    """(prompts, n, d), without the model's remarks about them, which come when they are used."""
    import warnings

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return model.embed([tokens.prompt for tokens in prompts]).embeddings
