"""What fits is said before a run: needs are those that were counted; a run that does not fit is refused."""

from __future__ import annotations

import json
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks.big_models import METHODS, T4, calls, minutes, tflop_row
from benchmarks.big_networks import LARGE, PARAMETERS, networks
from benchmarks.record import RESULTS
from helpers import budget
from helpers.models import catalogue, devices
from helpers.models.catalogue import CATALOGUE, TooLittleMemory
from helpers.models.recognise import Kind

MODULE = import_module("helpers.models.budget")  # it has the function's name
COUNTED = json.loads((RESULTS / "big_models.json").read_text(encoding="utf-8"))
FAMILIES = dict(zip(LARGE, ("Stable Diffusion", "Stable Diffusion XL"), strict=True))


def gpu(monkeypatch: pytest.MonkeyPatch, kind: str, free: float) -> None:
    """Let this machine have a GPU with so much free memory."""
    dtype = torch.float16 if kind == "cuda" else torch.float32
    monkeypatch.setattr(devices, "place", lambda device, _: (torch.device(device or kind), dtype))
    monkeypatch.setattr(devices, "free_gb", lambda device: free if device.type == kind else float("inf"))


def large(dtype: torch.dtype = torch.float16, family: str = "Stable Diffusion") -> Any:
    """Something that looks like a loaded large model on a GPU."""
    network = SimpleNamespace(parameters=lambda: [torch.empty(800_000_000, device="meta")], dtype=dtype)
    return SimpleNamespace(unet=network, kind=Kind(family), device=torch.device("cuda"))


def test_the_table_is_what_was_counted() -> None:
    for name, family in FAMILIES.items():
        for precision in ("half", "single"):
            assert MODULE.COUNTED[family][precision] == COUNTED["sizes"][name][precision]


@pytest.mark.parametrize("name", LARGE)
def test_the_catalogue_asks_for_what_was_counted_and_some_for_the_driver(name: str) -> None:
    counted = COUNTED["sizes"][name]["half"]["picture_gb"]
    assert counted + MODULE.DRIVER <= CATALOGUE[name].gpu_gb <= counted + 2


@pytest.mark.parametrize("name", LARGE)
def test_what_is_counted_has_the_real_size(name: str) -> None:
    made = {part: sum(value.numel() for value in network.parameters()) for part, network in
            networks(name, "meta").items()}
    assert made == PARAMETERS[name]


def test_the_operations_of_a_row_are_counted_again_the_same() -> None:
    assert tflop_row(LARGE[0]) == COUNTED["sizes"][LARGE[0]]["tflop_row"]


@pytest.mark.slow
def test_every_method_is_counted_and_its_calls_are_those_of_now() -> None:
    assert set(COUNTED["methods"]) == set(METHODS)
    for method, row in calls().items():
        told = COUNTED["methods"][method]
        if method == "inversion.null_text":  # ends its updates when they are good enough, which rounding may shift
            assert told["rows"] == pytest.approx(row.pop("rows"), rel=0.1)
        assert {key: told[key] for key in row} == row


def test_minutes_are_operations_by_the_assumed_speed() -> None:
    size = {"tflop_row": T4["peak_tflops"] * T4["share"], "tflop_decode": 0.0}
    assert minutes(60, False, size) == 1.0 and minutes(60, True, size) == 4.0


@pytest.mark.parametrize(("kind", "free", "fits"), [("cuda", 15.0, 4), ("cuda", 3.0, 0), ("mps", 8.5, 4)])
def test_a_reader_sees_what_it_needs_what_there_is_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, kind: str, free: float, fits: int
) -> None:
    gpu(monkeypatch, kind, free)
    said = repr(budget("stable-diffusion-v1-5")).splitlines()
    assert f"{free:.1f} GB are free" in said[0] and len(said) == 6
    assert sum(line.endswith(" fits") for line in said) == fits
    assert "rank=4" in said[-1] and "does not fit" in said[-1]


def test_on_a_mac_single_precision_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, "mps", 13.0)
    with pytest.raises(TooLittleMemory, match=r"needs about 18 GB of GPU memory; 13.0 GB are free"):
        MODULE.check_memory(CATALOGUE[LARGE[1]], torch.device("mps"), torch.float32)
    gpu(monkeypatch, "cuda", 13.0)
    MODULE.check_memory(CATALOGUE[LARGE[1]], torch.device("cuda"), torch.float16)


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert "on the processor" in repr(budget())
    MODULE.check_memory(catalogue.find("sdxl-turbo"), torch.device("cpu"), torch.float32)


def test_a_fit_that_does_not_fit_is_refused_before_it_begins_and_a_smaller_one_is_not(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu(monkeypatch, "cuda", 6.0)
    with pytest.raises(TooLittleMemory, match=r"fits of all weights, batch 4 need about 15 GB .* fit a LoRA: rank=4"):
        MODULE.check_fit_memory(large(), "all_gb")
    MODULE.check_fit_memory(large(), "lora_gb")
    with pytest.raises(TooLittleMemory, match="batch=1"):
        MODULE.check_fit_memory(large(family="Stable Diffusion XL", dtype=torch.float32), "lora_gb")


def test_picturebook_fits_anywhere(monkeypatch: pytest.MonkeyPatch, models: dict[str, Any]) -> None:
    gpu(monkeypatch, "cuda", 1.5)
    assert all(budget("picturebook").fits(kind) for kind in MODULE.KINDS)
    assert all(budget(models["sd"]).fits(kind) for kind in MODULE.KINDS)
    MODULE.check_fit_memory(models["sd"], "all_gb")


@pytest.mark.parametrize("name", sorted(name for name in CATALOGUE if "turbo" in name))
def test_few_step_models_have_few_steps_and_no_guidance_by_name_and_by_their_files(name: str) -> None:
    entry, kind = CATALOGUE[name], Kind("Stable Diffusion XL", distilled=True)
    assert (entry.steps, entry.guidance) == (kind.steps, kind.guidance) == (4, 1.0)


@pytest.mark.slow
def test_every_method_runs_at_the_defaults_of_a_few_step_model_or_says_why_not(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="guidance is 1, where the empty prompt has no say"):
        calls(steps=4, guidance=1.0)
    monkeypatch.delitem(METHODS, "inversion.null_text")  # which needs guidance
    rows = calls(steps=4, guidance=1.0)
    assert set(rows) == set(METHODS) and all(row["rows"] for row in rows.values())
