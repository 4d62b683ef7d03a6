"""Silence and the state of torch are the calling thread's own, and nothing is left behind."""

from __future__ import annotations

import logging
import threading
import warnings
from pathlib import Path

import pytest
import torch

from helpers.models.diffusers_model import DiffusersModel
from helpers.models.loading import load
from helpers.models.quiet import LIBRARIES, quiet, silently_imported, untouched_random_state
from helpers.picturebook.judge import Judge


def world() -> tuple:
    """What silence must leave alone."""
    libraries = [silently_imported(name) for name in LIBRARIES]
    seen = [(one.get_verbosity(), one.is_progress_bar_enabled()) for one in libraries]
    handlers = [list(handler.filters) for name in LIBRARIES for handler in logging.getLogger(name).handlers]
    return list(warnings.filters), seen, handlers


def test_two_quiet_threads_in_any_order_leave_nothing_behind() -> None:
    before, inside, leave = world(), threading.Barrier(2), threading.Event()

    def first() -> None:
        with quiet():
            inside.wait(30)
            leave.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    with quiet():
        inside.wait(30)
    leave.set()  # the one that came first goes last, or the other way round
    thread.join(30)
    assert world() == before


def test_another_thread_hears_its_own_warnings_and_log_lines_meanwhile() -> None:
    logger, heard = logging.getLogger("diffusers.test"), []
    handler = logging.getLogger("diffusers").handlers[0]

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear()
    logging.getLogger("diffusers").addHandler(ear)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with quiet():
                warnings.warn("mine", UserWarning, stacklevel=1)
                logger.warning("mine")

                def speak() -> None:
                    warnings.warn("the other's", UserWarning, stacklevel=1)
                    logger.warning("the other's")

                other = threading.Thread(target=speak)
                other.start()
                other.join(30)
    finally:
        logging.getLogger("diffusers").removeHandler(ear)
    assert [str(one.message) for one in caught] == ["the other's"] and heard == ["the other's"]
    assert not handler.filters or "Unheard" not in repr(handler.filters)


def test_silence_nests_and_ends_with_an_error() -> None:
    before = world()
    with pytest.raises(KeyError), quiet():
        with quiet(bars=True):
            pass
        raise KeyError
    assert world() == before


def test_loading_models_and_the_judge_leaves_the_random_state_alone(folders: dict[str, Path]) -> None:
    before = torch.get_rng_state()
    load(folders["sd"], "cpu")
    judge = Judge.load()
    assert torch.equal(before, torch.get_rng_state())
    assert not any(part.is_meta for part in (*judge.parameters(), *judge.buffers()))
    with untouched_random_state():
        torch.rand(3)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("leak", ["dtype", "device", "grad"])
def test_what_the_reader_has_set_in_torch_does_not_change_a_picture(
    leak: str, folders: dict[str, Path], models: dict[str, DiffusersModel]
) -> None:
    for name in ("sd", "xl"):
        plain = models[name].generate("a cat", steps=2, progress=False)[0].tobytes()
        own, times = models[name].fingerprint, models[name].times(7)
        try:
            if leak == "dtype":
                torch.set_default_dtype(torch.float64)
            elif leak == "device":
                torch.set_default_device("meta")
            else:
                torch.set_grad_enabled(False)
            model = load(folders[name], "cpu")
            assert model.generate("a cat", steps=2, progress=False)[0].tobytes() == plain
            assert model.alpha_bar.dtype == torch.float32 and model.alpha_bar.device.type == "cpu"
            assert (model.fingerprint, model.times(7)) == (own, times)
            assert model.encode(model.decode(torch.zeros(model.shape(1), device="cpu"))).dtype == torch.float32
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_default_device(None)
            torch.set_grad_enabled(True)
