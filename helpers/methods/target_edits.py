"""The edit of attention that each target of Prompt-to-Prompt gets, from the knobs of `prompt_to_prompt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from helpers.attention.edits import Edit, during, inject_self, mixed, reweight
from helpers.core.interface import Model
from helpers.core.values import WrongKind, number, shown

Portion = float | Mapping[str, float]  # of the steps; for all words, or by word: {"default": 0.8, "car": 0.4}
Weights = Mapping[str, float]
Targets = str | Edit | Sequence[str | Edit]


def edits_of(model: Model, source: str, target: Targets, cross_replace_steps: Portion | Sequence[Portion],
             self_replace_steps: float | Sequence[float], weights: Weights | Sequence[Weights] | None) -> list[Edit]:
    """The edit of each target: cross- and self-attention injected for their shares of the steps, then the weights."""
    target = as_list(target)
    targets: list[str | Edit] = [*target] if isinstance(target, (list, tuple)) else [target]  # type: ignore[list-item]
    if not targets:
        raise ValueError("There is no target: give a prompt to follow.")
    crosses = each(cross_replace_steps, targets, "cross_replace_steps")
    selves, all_weights = each(self_replace_steps, targets, "self_replace_steps"), each(weights, targets, "weights")
    return [P_star if isinstance(P_star, Edit) else edit_of(model, source, P_star, cross, alone, c)
            for P_star, cross, alone, c in zip(targets, crosses, selves, all_weights, strict=True)]


def edit_of(model: Model, source: str, P_star: str, cross: Portion, alone: float, weights: Weights | None) -> Edit:
    """The edit of one target."""
    if not isinstance(weights, Mapping | None):
        raise WrongKind(f"weights is {shown(weights)}; expected {{'word': weight}}.")
    alone = number("self_replace_steps", alone, 0, 1)
    edit = during(mixed(model, source, P_star), 0, cross) @ during(inject_self(model, source, P_star), 0, alone)
    for word, c in (weights or {}).items():
        edit = edit @ reweight(model, P_star, word, c)
    return edit


def each(knob: Any, targets: Sequence[Any], name: str) -> list[Any]:
    """One value of a knob for each target."""
    knob = as_list(knob)
    if not isinstance(knob, (list, tuple)):
        return [knob] * len(targets)
    if len(knob) != len(targets):
        raise ValueError(f"{name} has {len(knob)} values for {len(targets)} targets: give one, or one for each target.")
    return list(knob)


def as_list(value: Any) -> Any:
    """A list of what stands in an array or a tensor; anything else as it is."""
    return value.tolist() if isinstance(value, np.ndarray | Tensor) and value.ndim == 1 else value
