"""`with attention(model, edit):` tells the layers what to do before each call of the network, and collects after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Annotated, Any

import torch

from helpers.attention.edits import Edit, model_tokens
from helpers.attention.kernel import Plan, planned
from helpers.attention.maps import AttentionStore, Site, below
from helpers.attention.processor import Layer, chosen_layers
from helpers.attention.recording import Recording
from helpers.core.interface import Model
from helpers.core.shapes import Embeddings, Latents
from helpers.core.values import Kind, Steps, WrongKind, entrance, shown, texts
from helpers.core.warn import heard
from helpers.core.words import Tokens


def listed_of(name: str, value: Any, kind: type, expected: str) -> list[Any]:
    """One thing of a kind, or several, as a list."""
    several = [value] if isinstance(value, kind) else [] if value is None else value
    if not isinstance(several, list | tuple) or not all(isinstance(one, kind) for one in several):
        raise WrongKind(f"{name} is {shown(value)}; expected {expected}, or a list of them.")
    return list(several)


def some_texts(name: str, value: Any) -> list[str]:
    """Texts, perhaps none."""
    return [] if isinstance(value, list | tuple) and not value else texts(name, value)


Edits = Annotated[Edit | Sequence[Edit] | None, Kind(listed_of, Edit, "an edit of helpers.attention")]
Stores = Annotated[AttentionStore | Sequence[AttentionStore], Kind(listed_of, AttentionStore, "an AttentionStore")]
Some = Annotated[str | Sequence[str], Kind(some_texts)]


@contextmanager
@entrance
def attention(
    model: Model,
    edit: Edits = None,
    *,
    store: Stores = (),
    prompts: Some = (),
    layers: Some | None = None,
    steps: Steps | None = None,
    record: Recording | None = None,
    recording: Recording | None = None,
) -> Iterator[AttentionStore]:
    """Edit and watch the model's attention inside the `with`; gives the (first) store.

    edit: one, or one for each target. The batch must end with the source prompt's row and the targets' rows.
    store: which maps to watch. prompts: of the batch's last rows if there is no edit; the source's if no edit has it.
    layers: starts of the names of layers to edit ("up_blocks"); all unless given.
    steps: N that the sampler's times are made with; the model's own unless given.
    record: filled with the queries and keys of the batch's last row. recording: one such, instead of the source.

    Raises ValueError for a model without cross-attention, an unknown layer, a word that is not there, a time that is
    none of the N steps', or a batch that does not end with the prompts; RuntimeError if a layer is not called exactly
    once in a call of the model. The layers' own processors are back afterwards, whatever happened and in whatever order
    several of these end. Another thread that asks the model meanwhile waits (`model.exclusive`).
    """
    edits, stores = listed_of("edit", edit, Edit, "edits"), listed_of("store", store, AttentionStore, "stores")
    with ExitStack() as stack:
        stack.enter_context(model.exclusive() if hasattr(model, "exclusive") else nullcontext())
        control = Control(model, edits, stores, prompts, layers, steps, record, recording)
        for layer in control.layers:
            stack.callback(layer.leave)
            layer.module.set_processor(layer)
        unet: Any = getattr(model, "unet", None)  # there is one: else `Control` has raised
        hooks = (unet.register_forward_pre_hook(control.before, with_kwargs=True),
                 unet.register_forward_hook(control.after, with_kwargs=True))
        for hook in hooks:
            stack.callback(hook.remove)
        yield stores[0] if stores else AttentionStore([])


class Control:
    """Tells the layers before each call of the network what to do, and collects from them after it."""

    def __init__(self, model: Any, edits: Sequence[Edit], stores: Sequence[AttentionStore],
                 prompts: str | Sequence[str], layers: str | Sequence[str] | None, steps: int | None,
                 record: Recording | None, recording: Recording | None) -> None:
        self.edits, self.stores, self.record, self.recording = edits, stores, record, recording
        self.prompts = prompts_of(model, edits, prompts, recording)
        self.steps = model.steps if steps is None else steps
        self.step_at = {t: i for i, t in enumerate(model.times(self.steps)[:-1])}
        edited = chosen_layers(model, layers)
        self.layers = [layer for layer in chosen_layers(model, None) if self._needs(layer, edited)]
        self.edited = {layer.name for layer in edited}
        self.shrinks = 2 ** (len(model.unet.config.block_out_channels) - 1)  # the latent's side by the smallest grid's
        self.count = len(self.prompts) - (recording is not None)  # rows of the batch that are theirs
        self.expected = embedded(model, self.prompts[len(self.prompts) - self.count :]) if self.count else None
        self.plans: dict[tuple[int, ...], Plan] = {}
        weight = next(model.unet.parameters())
        for one in stores:
            chosen_layers(model, one.layers)
            one.begin(self.prompts)
        self.words = tuple((one, one.values.to(weight.device)) for one in stores)
        asked = [its.up_to for one in edits for piece in one.self_edits for its in piece]
        if recording and max(asked, default=0) > recording.up_to:
            raise ValueError(f"The source's self-attention was recorded on grids up to {recording.up_to} only: record "
                             "it with a larger up_to, or inject less.")

    def _needs(self, layer: Layer, edited: Sequence[Layer]) -> bool:
        if layer.cross:
            by_edit = any(edit.A.any() or (edit.b != 1).any() for edit in self.edits)
            looked = any(one.layers is None or any(below(layer.name, start) for start in one.layers)
                         for one in self.stores)
        else:
            by_edit, looked = any(any(edit.self_edits) for edit in self.edits), False
        return self.record is not None or looked or (by_edit and layer.name in {one.name for one in edited})

    def before(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before a call of the network: the step from its time, the plan from the step."""
        x, t = (args[i] if len(args) > i else kwargs[name] for i, name in ((0, "sample"), (1, "timestep")))
        text = args[2] if len(args) > 2 else kwargs["encoder_hidden_states"]
        self._check_batch(text)
        self.latent, self.step = tuple(x.shape[-2:]), self._step(int(t))
        if self.recording is not None:
            self.recording.check(self.latent, self.steps, self.step, int(t))
        if self.record is not None:
            self.record.begin_call(self.latent, self.steps, self.step, int(t))
        plan = self._plan(x) if self.edits else None
        for layer in self.layers:
            layer.start()
            layer.coarsest = -(-min(self.latent) // self.shrinks)
            layer.latent, layer.count, layer.stores = self.latent, self.count, self.words if layer.cross else ()
            layer.plan = plan if layer.name in self.edited else None
            layer.replays = self.recording is not None
            layer.source = self.recording.kept.get((layer.name, self.step)) if self.recording else None
            layer.up_to = None if self.record is None else self.record.up_to
            layer.record_values = self.record is not None and self.record.values

    def after(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """After a call of the network: every layer was called, and what it saw is kept."""
        if missed := [layer.name for layer in self.layers if not layer.called]:
            raise RuntimeError("These layers were not called by the model, or an edit inside this took their place: "
                               f"{', '.join(missed)}.")
        for layer in self.layers:
            for one, maps in zip(self.stores, layer.maps, strict=False):
                if maps is not None:
                    one.add(Site(layer.name, layer.grid, self.step), maps)
            if layer.recorded is not None and self.record is not None:
                self.record.add(layer.name, layer.cross, self.step, *layer.recorded)
            layer.maps, layer.recorded = (), None
        for one in self.stores:
            if not one.sums:
                grids = sorted({layer.grid for layer in self.layers if layer.cross}, reverse=True)
                raise ValueError(f"No layer has maps of {one.grids}; for these pictures there are: {grids}.")

    def _step(self, t: int) -> int:
        if t not in self.step_at:
            raise ValueError(f"The model is asked about time {t}, which is none of the times of {self.steps} steps: "
                             "tell `attention(..., steps=...)` how many steps the sampler makes.")
        return self.step_at[t]

    def _plan(self, x: Latents) -> Plan:
        pieces = tuple(edit.piece(self.step, self.steps) for edit in self.edits)
        if pieces not in self.plans:
            self.plans[pieces] = planned(self.edits, pieces, x)
        return self.plans[pieces]

    def _check_batch(self, text: Embeddings) -> None:
        """The batch ends with the prompts of the edits; at every call, for a sampler may change its batch."""
        if self.expected is None:
            return
        self.expected = wanted = self.expected.to(text)  # moved at the first call only
        found = text[max(0, len(text) - self.count) :]
        near = found.shape == wanted.shape and (found - wanted).abs().mean() < 0.02 * wanted.abs().mean()
        if not near:
            listed = ", ".join(repr(tokens.prompt) for tokens in self.prompts[len(self.prompts) - self.count :])
            raise ValueError(f"The batch does not end with the prompts {listed}: give the model the source's prompt, "
                             "then the targets', in one batch. (`generate` makes large pictures one after the other.)")


def prompts_of(model: Any, edits: Sequence[Edit], prompts: str | Sequence[str],
               recording: Recording | None) -> tuple[Tokens, ...]:
    """The prompts that the edits are about, the source first; else the recorded one and those that were named."""
    named = [model_tokens(model, prompt) for prompt in ([prompts] if isinstance(prompts, str) else prompts)]
    if not edits:
        return (*([recording.tokens] if recording else ()), *named)
    found = [edit.source for edit in edits if edit.source] + ([recording.tokens] if recording else [])
    sources = list(dict.fromkeys(found))
    if len(sources) > 1:
        listed = ", ".join(repr(tokens.prompt) for tokens in sources)
        raise ValueError(f"The edits have different sources, {listed}; in one batch there can be one source only.")
    return (*(sources or named[:1]), *(edit.target for edit in edits))


def embedded(model: Any, prompts: Sequence[Tokens]) -> Embeddings:
    """The prompts' embeddings, without the model's remarks about them, which come when they are used."""
    with heard(), torch.no_grad():
        found: Embeddings = model.embed([tokens.prompt for tokens in prompts]).embeddings
        return found
