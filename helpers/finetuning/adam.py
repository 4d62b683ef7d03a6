"""Variables and their Adam, in little memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from math import isfinite, isnan

import torch

from helpers.core.shapes import Loss, Weight
from helpers.finetuning.loss import processes

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam remembers of each variable
LARGEST_GRADIENT = 1.0  # norm; a longer gradient is shortened to it
PORTION = 2**22  # numbers whose gradients are float32 at the same time
FIRST_SCALE = 2.0**12  # of the loss in float16, whose smallest gradients would vanish otherwise


class Training:
    """Variables, their Adam, the step and the losses so far.

    Memory is what limits a fit. So a gradient is kept in the dtype it was computed in, and cast to float32 only for
    Adam's step, which is made for a portion of the variables at a time.
    """

    def __init__(self, variables: Mapping[str, Weight], lr: float, dtype: torch.dtype = torch.float32,
                 cast: Collection[str] = ()) -> None:
        self.variables = {name: value.requires_grad_(True) for name, value in variables.items()}
        self.portions = {names: torch.optim.Adam([variables[name] for name in names], lr=lr, fused=True)
                         for names in portions(variables)}
        self.losses: list[float] = []
        self.scale, self.whole = FIRST_SCALE if dtype == torch.float16 else 1.0, True
        self.gradients: dict[str, Weight] = {}
        short = dtype if processes()[1] == 1 else torch.float32  # what several processes add up needs all digits
        self.hooks = [value.register_post_accumulate_grad_hook(
            partial(self._keep, name, short if name in cast else value.dtype)) for name, value in variables.items()]

    def _keep(self, name: str, dtype: torch.dtype, value: Weight) -> None:
        """Lays a gradient that has just been computed aside."""
        gradient, value.grad = value.grad, None
        if gradient is not None:
            self.gradients[name] = gradient.to(dtype)

    def close(self) -> None:
        """Leaves the variables as other code expects them."""
        for hook in self.hooks:
            hook.remove()

    @property
    def step(self) -> int:
        """How many steps are done."""
        return len(self.losses)

    def descend(self, loss: Loss) -> None:
        """The gradients of `loss`, averaged over the processes that fit together."""
        self.gradients.clear()
        (loss * self.scale).backward()
        _, world = processes()
        mean = loss.detach().float()
        if world > 1:
            for value in (mean, *self.gradients.values()):
                torch.distributed.all_reduce(value.div_(world))
        self.loss = float(mean)

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

    def moments(self, name: str) -> dict[str, Weight]:
        """What Adam remembers of a variable; nothing before its first step."""
        adam = next(adam for names, adam in self.portions.items() if name in names)
        moments: dict[str, Weight] = adam.state[self.variables[name]]
        return moments

    def tensors(self) -> dict[str, Weight]:
        """All a checkpoint holds."""
        out = {"losses": torch.tensor(self.losses, dtype=torch.float64), "scale": torch.tensor(self.scale)}
        for name, p in self.variables.items():
            out["variable/" + name] = p.detach()
            out |= {f"{key}/{name}": value for key, value in self.moments(name).items()}
        return out

    @torch.no_grad()
    def take(self, tensors: Mapping[str, Weight]) -> None:
        """Goes on from a checkpoint."""
        self.losses, self.scale = tensors["losses"].tolist(), float(tensors["scale"])
        for name, p in self.variables.items():
            p.copy_(tensors["variable/" + name])
            self.moments(name).update({key: tensors[f"{key}/{name}"].to(p.device) for key in MOMENTS
                                  if f"{key}/{name}" in tensors})


def portions(variables: Mapping[str, Weight]) -> list[tuple[str, ...]]:
    """The variables' names in groups; a group is full with `PORTION` numbers."""
    count = 0
    groups: dict[int, list[str]] = {}
    for name, value in variables.items():
        groups.setdefault(count // PORTION, []).append(name)
        count += value.numel()
    return [tuple(names) for names in groups.values()]
