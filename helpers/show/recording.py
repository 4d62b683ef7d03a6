"""Keeps what a model does step by step, for figures that show it."""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from helpers.core.interface import CLEAN, Model
from helpers.core.shapes import Latent, Latents
from helpers.core.surroundings import surroundings
from helpers.core.values import entrance, known, number


class Moment(NamedTuple):
    """One moment of a generation, as pictures."""

    t: int  # the time; CLEAN at the end
    noisy: Any  # the state x_t
    clean: Any  # the clean picture that the model predicts from it


@known("a recording of a generation: show.Recording(model)")
class Recording:
    """Watches a generation: `model.generate(prompt, watch=recording)`.

    Of a batch only the first picture is kept, as latents on the CPU. `moments` decodes those it returns.
    """

    @entrance
    def __init__(self, model: Model) -> None:
        """A recording for this model; empty until it has watched."""
        self.model = model
        self.states: list[tuple[int, Latent, Latent]] = []  # (t, x, eps)

    def __call__(self, *, x: Latents, t: int, eps: Float[Tensor, "_ C h w"], **_: object) -> None:
        """Keep one step: `x` is the state at time `t`, `eps` the noise predicted on the way there.

        Where `eps` has fewer rows than `x` (an edit of a known source), they are those of the last rows, the targets.
        """
        x = x[-len(eps):]
        self.states.append((t, x[:1].detach().cpu(), eps[:1].detach().cpu()))

    def __len__(self) -> int:
        """Steps watched."""
        return len(self.states)

    def moments(self, most: int) -> list[Moment]:
        """At most `most` of the moments, evenly spread, the last one included."""
        most = number("most", most, 1, 1000, whole=True, hint="moments to show")
        if not self.states:
            raise ValueError("The recording is empty: pass it on first, model.generate(prompt, watch=recording).")
        count = min(most, len(self.states))
        last = len(self.states) - 1
        with surroundings(grad=False):
            return [self._moment(round(i * last / max(1, count - 1)) if count > 1 else last) for i in range(count)]

    def _moment(self, index: int) -> Moment:
        t, x, eps = self.states[index]
        clean = x if t == CLEAN else self.model.predict_clean(x, eps, t)
        return Moment(t, self.model.decode(x)[0], self.model.decode(clean)[0])
