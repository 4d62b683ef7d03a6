"""A second process that computes gradients: two of one thread each are a fifth faster than one of two threads.

Both have the same weights, in shared memory. For each step the partner takes as many other pictures as this process and
leaves its gradients in shared memory; this process adds them to its own and takes the step while the partner waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError

import torch
from torch import Tensor

#: what a partner computes: from the number of the step to the parameters that have their gradients, in one order
Gradients = Callable[[int], Sequence[Tensor]]
PATIENCE = 1200.0  # seconds one waits for the other: compiling takes minutes


class Partner:
    """A process with `prepare()`'s gradients; `prepare` is given the weights to compute with, and can be pickled."""

    def __init__(self, prepare: Callable[[Sequence[Tensor]], Gradients], weights: Sequence[Tensor]) -> None:
        for weight in weights:
            weight.data.share_memory_()
        self.gradients = [torch.zeros_like(w, requires_grad=False).share_memory_() for w in weights]
        self.step = torch.zeros((), dtype=torch.int64).share_memory_()
        spawn = get_context("spawn")
        self.gate = spawn.Barrier(2, timeout=PATIENCE)
        shared = [w.data for w in weights]
        spawn.Process(target=work, args=(prepare, shared, self.gradients, self.step, self.gate), daemon=True).start()

    def begin(self, step: int) -> None:
        """The weights are those of `step`: the partner may start."""
        self.step.fill_(step)
        self.gate.wait()

    def finish(self, weights: Sequence[Tensor]) -> None:
        """Makes the gradients of `weights` the mean of both processes'."""
        self.gate.wait()
        with torch.no_grad():
            torch._foreach_lerp_([w.grad for w in weights], self.gradients, 0.5)


def work(prepare: Callable[[Sequence[Tensor]], Gradients], weights: Sequence[Tensor], gradients: Sequence[Tensor],
         step: Tensor, gate: Barrier) -> None:
    """The partner's life: it ends when the other has gone."""
    torch.set_num_threads(1)
    compute = prepare(weights)
    try:
        while True:
            gate.wait()
            for into, weight in zip(gradients, compute(int(step)), strict=True):
                into.copy_(weight.grad)
                weight.grad = None
            gate.wait()
    except BrokenBarrierError:
        return
