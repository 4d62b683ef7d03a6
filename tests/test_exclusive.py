"""One model, many hands: whoever asks second waits, and everybody gets the picture they would get alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from copy import copy
from typing import Any

import pytest
import torch

from helpers.core.randomness import noise
from helpers.models.analytic import AnalyticModel
from helpers.models.diffusers_model import DiffusersModel


@contextmanager
def foreign(model: DiffusersModel, value: float = 0.5) -> Any:
    """The model with other weights, as a fit or an edit has it for a while."""
    name, weight = next((f"unet.{name}", part) for name, part in model.unet.named_parameters())
    with model.changed({name: torch.full_like(weight, value)}, words=["zog"]):
        yield


def started(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """A running thread and where its result (or its error) will be."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


def calls(model: DiffusersModel) -> dict[str, Callable[[], torch.Tensor]]:
    """Each thing a model is asked for, as a number that foreign weights would change."""
    x, text, picture = noise(0, model.shape(1)), model.embed("a cat"), model.generate("cat", steps=1)[0]

    def eps() -> torch.Tensor:
        with torch.no_grad():
            return model.eps(x, 500, text)

    return {
        "eps": eps,
        "embed": lambda: model.embed("a cat").embeddings,
        "encode": lambda: model.encode(picture),
        "decode": lambda: torch.tensor(list(model.decode(x)[0].tobytes())),
        "generate": lambda: torch.tensor(list(model.generate("a cat", steps=2, progress=False)[0].tobytes())),
        "fingerprint": lambda: torch.tensor(int(model.fingerprint, 16)),
        "tokens": lambda: torch.tensor(len(model.tokens("a cat").texts)),
    }


@pytest.mark.parametrize("what", ["eps", "embed", "encode", "decode", "generate", "fingerprint", "tokens"])
def test_whoever_asks_during_somebody_else_s_edit_waits_and_gets_the_plain_answer(
    models: dict[str, DiffusersModel], what: str
) -> None:
    model = models["sd"]
    ask = calls(copy(model))[what]  # another object, the same pipeline
    alone = ask()
    with foreign(model):
        thread, results = started(ask)
        thread.join(0.15)
        assert thread.is_alive() and not results
        model.eps(noise(0, model.shape(1)), 500, model.embed("cat"))  # the owner goes on
    thread.join(60)
    assert torch.equal(results[0], alone)


def test_two_models_of_one_pipeline_share_the_lock_and_others_do_not(models: dict[str, DiffusersModel]) -> None:
    twin, other = DiffusersModel(models["sd"].pipeline), models["v"]
    with models["sd"].exclusive():
        held, _ = started(lambda: twin.embed("cat"))
        free, answer = started(lambda: other.embed("cat"))
        free.join(60)
        assert held.is_alive() and answer
    held.join(60)
    assert not held.is_alive()


def test_threads_in_any_mix_give_the_pictures_of_one_alone(models: dict[str, DiffusersModel]) -> None:
    model = models["sd"]

    def plain(seed: int) -> bytes:
        return model.generate("a cat", seed=seed, steps=2 + seed % 3, progress=False)[0].tobytes()

    def changed(seed: int) -> bytes:
        with foreign(model, 0.01 * seed):
            return plain(seed)

    work = [(what, seed) for seed in range(4) for what in (plain, changed)]
    alone = [what(seed) for what, seed in work]
    before = {name: value for name, value in model.unet.named_parameters()}
    threads = [started(lambda what=what, seed=seed: what(seed)) for what, seed in work]
    for thread, _ in threads:
        thread.join(120)
    assert [results[0] for _, results in threads] == alone
    assert all(value is before[name] for name, value in model.unet.named_parameters())


def test_an_error_inside_sets_the_model_free(models: dict[str, DiffusersModel]) -> None:
    model = models["sd"]
    with pytest.raises(KeyError, match="mine"), foreign(model):
        raise KeyError("mine")
    with pytest.raises(ValueError, match="no weight"), model.changed({"nothing.here": torch.zeros(1)}):
        pass
    thread, results = started(lambda: model.fingerprint)
    thread.join(60)
    assert results == [model.fingerprint]


def test_times_changes_nothing_that_another_thread_sees(models: dict[str, DiffusersModel]) -> None:
    model = models["sd"]
    expected = {steps: model.times(steps) for steps in range(1, 40)}
    before = model.scheduler.timesteps
    with model.exclusive():  # and waits for nobody
        threads = [started(lambda: [model.times(s) == expected[s] for s in expected]) for _ in range(4)]
        for thread, _ in threads:
            thread.join(60)
    assert all(all(results[0]) for _, results in threads) and model.scheduler.timesteps is before


def test_the_exact_model_keeps_nobody_waiting() -> None:
    model = AnalyticModel()
    with model.exclusive():
        thread, results = started(lambda: model.encode([0.0, 1.0], size=1))
        thread.join(60)
    assert results[0].shape == (1, 2, 1, 1)
