"""Muon (Jordan et al. 2024): momentum whose singular values are all made one, for the matrices of a network.

A convolution counts as a matrix of its output channels by everything else. Rates are those of AdamW: an update's root
mean square is `SIZE` times the rate (Liu et al. 2025, arXiv 2502.16982, take 0.2). torch.optim.Muon does one matrix at
a time and refuses convolutions; here matrices of one size are done together, which is what makes it cheap on a CPU. A
step of the denoiser takes a fifth longer with it than with AdamW, and is worth two of AdamW's: see
results/training_choices.json.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

SIZE = 0.4
_STEPS = ((3.4445, -4.7750, 2.0315),) * 5  # the quintic that pulls singular values near to 1 fastest


def orthogonalised(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """(n, rows, columns), rows <= columns: the same singular vectors, all singular values about 1."""
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    x = x.to(dtype)
    for a, b, c in _STEPS:
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x


class Muon:
    """Updates `matrices` in place; `momentum` is its state, one tensor for each."""

    def __init__(self, matrices: Sequence[Tensor], weight_decay: float, dtype: torch.dtype, beta: float = 0.95) -> None:
        self.matrices, self.weight_decay, self.dtype, self.beta = list(matrices), weight_decay, dtype, beta
        self.momentum = [torch.zeros_like(p) for p in self.matrices]
        self.alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for i, p in enumerate(self.matrices):
            self.alike[tuple(sorted(p.flatten(1).shape))].append(i)

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """One update from the gradients in `grad`."""
        gradients = [p.grad for p in self.matrices]
        torch._foreach_lerp_(self.momentum, gradients, 1 - self.beta)
        ahead = torch._foreach_lerp(gradients, self.momentum, self.beta)  # Nesterov's look ahead
        torch._foreach_mul_(self.matrices, 1 - lr * self.weight_decay)
        for (_, longest), indices in self.alike.items():
            flat = [ahead[i].flatten(1) for i in indices]
            upright = [m.mT if m.shape[0] > m.shape[1] else m for m in flat]
            for i, m, new in zip(indices, flat, orthogonalised(torch.stack(upright), self.dtype), strict=True):
                new = (new.mT if m.shape[0] > m.shape[1] else new).to(m.dtype).reshape(ahead[i].shape)
                self.matrices[i].add_(new, alpha=-lr * SIZE * longest**0.5)
