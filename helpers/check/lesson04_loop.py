"""The checks of lesson 4's loop: Algorithm 1 of Prompt-to-Prompt on a toy model, and which steps are injected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import torch
from torch import Tensor

from helpers.check.trial import Slips, agree, run
from helpers.check.values import is_number, kind_of, number, same, shape_of
from helpers.check.verdict import UNANSWERED, Verdict, is_unanswered
from helpers.core.randomness import noise
from helpers.core.shapes import Same

# -------------------------------------------------------------------------------------------------------- Algorithm 1

P, P_STAR = "P", "P*"
START = noise(5, (1, 1, 2, 2))
KEYS, MEANINGS = {P: 0.7, P_STAR: -1.3}, {P: 2.0, P_STAR: -1.0}
Step = Callable[..., tuple[Tensor, Tensor]]


def toy_step(z: Same, prompt: str, t: int, maps: Same | None = None) -> tuple[Same, Same]:
    """DM(z, prompt, t): the next state, and the map that the model made (`maps` takes its place in the state)."""
    own = torch.sigmoid(KEYS[prompt] * z + t / 4)
    return 0.8 * z + 0.2 * MEANINGS[prompt] * (own if maps is None else maps), own


def toy_edit(M: Same, M_star: Same, t: int) -> Same:
    """Edit(M, M*, t): the source's map early, a mix of both later."""
    return M if t > 2 else 0.3 * M + 0.7 * M_star


def algorithm_1(DM: Step, Edit: Callable[..., Tensor], P: str, P_star: str, z: Same, T: int
                ) -> tuple[Same, Same]:
    """The paper's Algorithm 1, from line 3 on."""
    z_star = z
    for t in range(T, 0, -1):
        z, M = DM(z, P, t)
        _, M_star = DM(z_star, P_star, t)
        M_hat = Edit(M, M_star, t)
        z_star, _ = DM(z_star, P_star, t, M_hat)
    return z, z_star


def loop_with(change: Callable[..., tuple[Tensor, Tensor]], times: Callable[[int], Any] = lambda T: range(T, 0, -1)
              ) -> Callable[..., tuple[Tensor, Tensor]]:
    """Algorithm 1 with other insides, `change(DM, Edit, P, P_star, z, z_star, t)`, or at other times."""

    def loop(DM: Step, Edit: Any, P: str, P_star: str, z: Same, T: int) -> tuple[Same, Same]:
        z_star = z
        for t in times(T):
            z, z_star = change(DM, Edit, P, P_star, z, z_star, t)
        return z, z_star

    return loop


def one_step(DM: Step, Edit: Any, P: str, P_star: str, z: Same, z_star: Same, t: int, *, slip: str = ""
             ) -> tuple[Same, Same]:
    """Lines 5 to 8 with one slip."""
    z_next, M = DM(z, P, t)
    M = DM(z_next, P, t)[1] if slip == "late" else M
    ahead, M_star = DM(z if slip == "seen at z" else z_star, P_star, t)
    M_hat = Edit(M_star, M, t) if slip == "swapped" else Edit(M, M_star, t)
    if slip == "source too":
        z_next, _ = DM(z, P, t, M_hat)
    start = {"twice": ahead, "from z": z}.get(slip, z_star)
    z_star, _ = DM(start, P if slip == "under P" else P_star, t, {"own": None, "source": M}.get(slip, M_hat))
    return z_next, z_star


def slipping(slip: str) -> Callable[..., tuple[Tensor, Tensor]]:
    """Algorithm 1 with one slip in its lines."""
    return loop_with(lambda *state: one_step(*state, slip=slip))


LOOP_SLIPS: Slips = {
    "z* steps with its own map: hand the edited map to the third call, DM(z_star, P_star, t, M_hat).": slipping("own"),
    "z* steps twice a round: the call that looks at M* must not move z*. Keep its map and drop its state (`_`).":
        slipping("twice"),
    "The source steps with the edited map as well. It must walk as if nobody edited: only z* gets M^.":
        slipping("source too"),
    "M* is looked at from z: it is the target's map, so from z_star.": slipping("seen at z"),
    "z* steps from z: then it starts from the source anew in each round. Step from z_star.": slipping("from z"),
    "z* steps under the source's prompt: the values come from P*, only the map from the edit.": slipping("under P"),
    "The arguments of Edit are swapped: the source's map comes first.": slipping("swapped"),
    "Edit is not asked: you hand on the source's map at every step.": slipping("source"),
    "Nothing is run: what you return is z as it was. T rounds of the loop lead from it to both states.":
        lambda DM, Edit, P, P_star, z, T: (z, z),
    "Only z is run; z_star stays as it was. It steps in each round, with the edited map.":
        lambda *given: (algorithm_1(*given)[0], given[4]),
    "z and z_star are one and the same at the end: z_star is the target's, so it needs a name of its own.":
        lambda *given: 2 * algorithm_1(*given)[:1],
    "The prompts are swapped: z walks under P, z_star under P*.":
        lambda DM, Edit, P, P_star, z, T: algorithm_1(DM, Edit, P_star, P, z, T),
    "One round too many: t goes down to 1, not to 0.": loop_with(one_step, lambda T: range(T, -1, -1)),
    "z has moved on when M is looked at: M belongs to the call that moved it, at the same t.":
        loop_with(lambda *state: one_step(*state, slip="late")),
    "Time runs upwards: noise is at T, so the loop goes T, T - 1, ..., 1.":
        loop_with(one_step, lambda T: range(1, T + 1)),
    "The last step is missing: t goes down to 1.": loop_with(one_step, lambda T: range(T, 1, -1)),
    "t goes from T down to 1; yours starts at T - 1 and ends at 0.":
        loop_with(one_step, lambda T: range(T - 1, -1, -1)),
}


INPUTS = [(toy_step, toy_edit, P, P_STAR, START, 4), (toy_step, toy_edit, P_STAR, P, noise([6, 7], (2, 1, 3, 2)), 5),
          (toy_step, lambda M, M_star, t: M_star - 0.2 * M, P, P_STAR, START, 3),
          (toy_step, toy_edit, P, P_STAR, START, 1)]


def algorithm(answer: Callable[..., tuple[Tensor, Tensor]]) -> Verdict:
    """Is `answer(DM, Edit, P, P_star, z, T)` Algorithm 1 from line 3 on, giving (z_0, z*_0)? Runs on a toy model."""
    found = run(answer, INPUTS)
    if isinstance(found, Verdict):
        return found
    for pair, given in zip(found, INPUTS, strict=True):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or any(shape_of(z) is None for z in pair):
            return Verdict(False, f"Your function returns {kind_of(pair)}. Return both states, `return z, z_star`: the "
                                  "picture and its edit.")
        if any(shape_of(z) != given[4].shape for z in pair):
            return Verdict(False, "Both states keep the shape of z: return z and z_star, not the maps.")

    def agrees(loop: Callable[..., Any], *, turned: bool = False) -> bool:
        return all(agree(pair[::-1] if turned else pair, loop(*given)) for pair, given in zip(found, INPUTS,
                                                                                              strict=True))

    if agrees(algorithm_1):
        return Verdict(True, "Line for line. `prompt_to_prompt` makes the three calls in one, since attention can be "
                             "looked at and replaced inside the network.")
    if agrees(algorithm_1, turned=True):
        return Verdict(False, "Both states are right, in the wrong order: return z first, then z_star.")
    slip = next((message for message, loop in LOOP_SLIPS.items() if agrees(loop)), "")
    return Verdict(False, slip or "The states differ from the algorithm's. Go through its lines one by one: which "
                                  "state, which prompt and which map does each call get?")


# --------------------------------------------------------------------------------------------------- the schedule

def right_steps(tau: float, N: int) -> list[int]:
    """The first round(tau N) steps, the noisiest ones."""
    return list(range(round(tau * N)))


SCHEDULES = [(0.8, 25), (0.1, 18), (1.0, 10), (0.0, 10), (0.2, 12)]
STEP_SLIPS: dict[str, Callable[[float, int], list[int]]] = {
    "These are the last steps. The paper prints t < tau, but its t counts down: the injection is early, where the "
    "layout is decided.": lambda tau, N: list(range(N - round(tau * N), N)),
    "These are the steps after the injection: the target is on its own there.":
        lambda tau, N: list(range(round(tau * N), N)),
    "One step too many: range(n) has n entries, and `tau` 0 must give none.":
        lambda tau, N: list(range(round(tau * N) + 1)),
    "Rounded down: 0.1 of 18 steps are 1.8, which is nearer to 2. Use round(...).":
        lambda tau, N: list(range(int(tau * N))),
    "Rounded up: 0.2 of 12 steps are 2.4, which is nearer to 2. Use round(...).":
        lambda tau, N: list(range(ceil(tau * N))),
    "One step too few: the first n steps are range(n), which ends at n - 1 by itself.":
        lambda tau, N: list(range(max(round(tau * N) - 1, 0))),
    "These are all the steps: the share tau is not used.": lambda tau, N: list(range(N)),
    "You count from 1; step 0 is the noisiest.": lambda tau, N: list(range(1, round(tau * N) + 1)),
}


def injected_steps(answer: Callable[[float, int], Sequence[int]]) -> Verdict:
    """Is `answer(tau, N)` the list of steps with the source's maps? Step 0 of N is the noisiest."""
    found = run(answer, SCHEDULES)
    if isinstance(found, Verdict):
        return found
    lists = [each.tolist() if hasattr(each, "tolist") else each for each in found]
    for each in lists:
        if not isinstance(each, (list, tuple, range)) or any(number(step) is None for step in each):
            return Verdict(False, f"Your function returns {kind_of(each)}; expected a list of steps.")
    lists = [[number(step) for step in each] for each in lists]
    wanted = [right_steps(*each) for each in SCHEDULES]
    if lists == wanted:
        return Verdict(True, "The noisiest steps, which decide the layout; none for 0, all for 1.")
    if all(sorted(each) == right for each, right in zip(lists, wanted, strict=True)):
        return Verdict(False, "These are the right steps, in another order: step 0, the noisiest, comes first.")
    for message, slip in STEP_SLIPS.items():
        if lists == [slip(*each) for each in SCHEDULES]:
            return Verdict(False, message)
    if all(each == lists[0] for each in lists):
        return Verdict(False, "Your function returns the same for every input: use tau and N.")
    i = next(i for i, each in enumerate(lists) if each != wanted[i])
    tau, N = SCHEDULES[i]
    return Verdict(False, f"For tau = {tau} and N = {N} you give {lists[i]}: there should be {round(tau * N)} steps, "
                          "the noisiest ones.")


NEAR = 1.0  # dB


def enough_injection(shares: Sequence[float], kept: Sequence[float]) -> float:
    """The shortest injection from which on the rest is kept within NEAR of what the longest one keeps."""
    good = [share for i, share in enumerate(shares) if min(kept[i:]) >= kept[-1] - NEAR]
    return good[0]


def shortest_injection(guess: float, shares: Sequence[float], kept: Sequence[float]) -> Verdict:
    """Does `guess` name the shortest injection that keeps the layout? shares: growing; kept: dB at each share."""
    if is_unanswered(guess):
        return UNANSWERED
    near = [share for share in shares if is_number(guess) and same(guess, share)]
    if not near:
        return Verdict(False, f"Choose one of the shares that were tried: {', '.join(f'{s:g}' for s in shares)}.")
    guess = near[0]
    measured, found = dict(zip(shares, kept, strict=True)), enough_injection(shares, kept)
    told = f"{guess:g} keeps {measured[guess]:.1f} dB, the longest injection {kept[-1]:.1f} dB"
    if guess < found:
        return Verdict(False, f"Too short: {told}. Within {NEAR:g} dB of it, and staying there, comes later.")
    if guess > found:
        return Verdict(False, f"It keeps the layout, but longer than needed: {told}, and {found:g} already keeps "
                              f"{measured[found]:.1f} dB. What is not injected is free to follow the prompt.")
    return Verdict(True, f"{told}. Injecting longer only ties the new thing to the old one's shape.")
