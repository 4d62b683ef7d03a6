"""Times runs against each other, also on a machine that does other work; and the memory they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter, process_time

import torch


def interleaved(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each run in the best of its rounds: the one that other work disturbed least.

    The runs take turns, and another one begins each round; a first round does not count. Without a GPU these are
    seconds of computing (of all threads), in which the processor's time for other programs does not count.
    """
    clock = perf_counter if torch.cuda.is_available() else process_time
    best = dict.fromkeys(runs, float("inf"))
    names = list(runs)
    for i in range(rounds + 1):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            start = clock()
            runs[name]()
            finish()
            if i:
                best[name] = min(best[name], clock() - start)
    return best


def finish() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def ratios(seconds: Mapping[str, float], base: str) -> dict[str, float]:
    """Each run's time over that of `base`."""
    return {name: round(own / seconds[base], 3) for name, own in seconds.items() if name != base}


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """The seconds to the millisecond."""
    return {name: round(value, 3) for name, value in seconds.items()}


def peak_mb(run: Callable[[], object]) -> float:
    """Memory that a run takes at most beyond what was there before, in MB."""
    if torch.cuda.is_available():
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return round(most / 2**20, 1)
