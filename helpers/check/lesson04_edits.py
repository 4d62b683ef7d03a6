"""The checks of lesson 4's edits of edits: two in a row as one, and one that is switched off in time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from helpers.check.trial import Slips, of_formula
from helpers.check.verdict import Verdict
from helpers.core.randomness import noise

Matrix = Float[Tensor, "n n"]  # an edit's A
Weights = Float[Tensor, " n"]  # its b
Maps = Float[Tensor, "pixels n"]

n = 4
FIRST, SECOND = (noise(seed, (1, n, n))[0].softmax(-1) for seed in (11, 12))  # two matrices A
ONE, TWO = torch.tensor([0.0, 1.0, 2.5, -1.0]), torch.tensor([1.0, 0.5, 0.0, 3.0])  # two vectors b
WIDE = (*(noise(seed, (1, 5, 5))[0].softmax(-1) for seed in (13, 14)), torch.tensor([1.0, 0.0, -2.0, 0.5, 3.0]),
        torch.tensor([0.5, 2.0, 1.0, -1.0, 0.0]))
ZERO, IDENTITY = torch.zeros(n, n), torch.eye(n)

# ------------------------------------------------------------------------------------------------- two edits in a row


def both(A1: Matrix, b1: Weights, A2: Matrix, b2: Weights) -> Matrix:
    """A of the one edit that does what (A1, b1) and then (A2, b2) do."""
    return A2 + A1 * b2


COMPOSED_SLIPS: Slips = {
    "The order is turned: that is the second edit first. The second edit weighs what the first one made.":
        lambda A1, b1, A2, b2: A1 + A2 * b1,
    "The two matrices are not multiplied. The second edit re-arranges the source's map M again, not the first's "
    "result; only b2 touches that.": lambda A1, b1, A2, b2: A1 @ A2,
    "That is the product in the other order, and neither is right: the second edit re-arranges M itself.":
        lambda A1, b1, A2, b2: A2 @ A1,
    "b2 weighs target tokens, the columns of A1. You multiply its rows.":
        lambda A1, b1, A2, b2: A2 + b2[:, None] * A1,
    "b2 is missing: the first edit's result is weighed by it before the second adds M A2.":
        lambda A1, b1, A2, b2: A1 + A2,
    "M A2 is missing: the second edit adds it to what is left of the first.": lambda A1, b1, A2, b2: A1 * b2,
    "The first edit is lost: what it took from M is still there, weighed by b2.": lambda A1, b1, A2, b2: A2,
    "b1 weighs M*, not M: it belongs to the new b alone, which is b1 * b2.":
        lambda A1, b1, A2, b2: A2 + A1 * (b1 * b2),
    "You weigh A1 by its own b. It is the second edit's b2 that weighs what the first made.":
        lambda A1, b1, A2, b2: A2 + A1 * b1,
    "b2 weighs the first edit's part alone; you weigh the sum.": lambda A1, b1, A2, b2: (A1 + A2) * b2,
}


def composed(answer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Is `answer(A1, b1, A2, b2)` the A (n, n) of the two edits in a row, the second on what the first made?"""
    inputs = [(FIRST, ONE, SECOND, TWO), (SECOND, TWO, FIRST, ONE), (FIRST, ONE, ZERO, TWO),
              (IDENTITY, ONE, SECOND, TWO), (WIDE[0], WIDE[2], WIDE[1], WIDE[3])]
    return of_formula(answer, inputs, both, COMPOSED_SLIPS,
                      "M (A2 + A1 diag(b2)) + M* diag(b1 b2): two edits are one edit again, so any number of them are. "
                      "This is `first @ second` of helpers.attention.",
                      hint="Put M A1 + M* diag(b1) in the place of M* in M A2 + M* diag(b2). What stands behind M?")


# ------------------------------------------------------------------------------------------------------- the schedule

M, M_STAR = (noise(seed, (1, 6, n))[0].softmax(-1) for seed in (15, 16))


def on_time(M: Maps, M_star: Maps, A: Matrix, b: Weights, step: int, steps: int, tau: float) -> Maps:
    """M^ at a step: the edit in the first round(tau * steps) steps, the target's own map after them."""
    return M @ A + M_star * b if step < round(tau * steps) else M_star


SCHEDULE_SLIPS: Slips = {
    "The edit is on at every step: from round(tau * steps) on the target's own map is used as it is.":
        lambda M, N, A, b, i, k, tau: M @ A + N * b,
    "The edit is on in the last steps. It belongs to the first ones, where the layout is decided.":
        lambda M, N, A, b, i, k, tau: M @ A + N * b if i >= round(tau * k) else N,
    "One step too many: the steps 0 to round(tau * steps) - 1 are edited, so it is <, not <=.":
        lambda M, N, A, b, i, k, tau: M @ A + N * b if i <= round(tau * k) else N,
    "After the injection you still use the source's map: the target is on its own then, M_star.":
        lambda M, N, A, b, i, k, tau: M @ A + N * b if i < round(tau * k) else M,
    "After the injection b is still on: then A = 0 and b = 1, which is M_star.":
        lambda M, N, A, b, i, k, tau: M @ A + N * b if i < round(tau * k) else N * b,
    "In the edited steps b is missing: M @ A + M_star * b.":
        lambda M, N, A, b, i, k, tau: M @ A if i < round(tau * k) else N,
    "You compare the step with tau itself: it is a share of the steps, round(tau * steps).":
        lambda M, N, A, b, i, k, tau: M @ A + N * b if i < tau else N,
    "Rounded down: of 18 steps a tau of 0.1 is 1.8, which is nearer to 2. Use round(...).":
        lambda M, N, A, b, i, k, tau: M @ A + N * b if i < int(tau * k) else N,
    "The edit is never on: at step 0 it is, unless round(tau * steps) is 0.": lambda M, N, A, b, i, k, tau: N,
}


def scheduled(answer: Callable[..., Tensor]) -> Verdict:
    """Is `answer(M, M_star, A, b, step, steps, tau)` the edited map at this step? Step 0 is the noisiest."""
    times = [(0, 10, 0.5), (4, 10, 0.5), (5, 10, 0.5), (9, 10, 0.5), (1, 18, 0.1), (2, 18, 0.1), (0, 10, 0.0),
             (9, 10, 1.0), (3, 4, 0.75)]
    return of_formula(answer, [(M, M_STAR, FIRST, TWO, *time) for time in times], on_time, SCHEDULE_SLIPS,
                      "The edit early, the target on its own late. This is `during(edit, 0, tau)`.")
