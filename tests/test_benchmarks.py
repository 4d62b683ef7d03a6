"""Every benchmark runs from its command line, every function of it: small counts, a small network, a folder of its own.

What they measure here is of no use. They run on Picturebook with a network of few, random weights, and read and write
copies of results/ and lessons/.
"""

from __future__ import annotations

import inspect
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import torch

from benchmarks import attention, busy, lesson04, lesson06, lesson07
from benchmarks import record as recording
from helpers import load
from helpers.methods.imagic import fit_imagic, fit_model
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.quiet import quiet

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "benchmarks").glob("[!_]*.py"))
MODULES = {file.stem: import_module(f"benchmarks.{file.stem}") for file in FILES}
#: what the others are made of: passed through by this one of them
PARTS = {"calls": "lesson02", "texts": "several", "explicit": "attention", "timing": "several", "record": "lesson04",
         "big_networks": "big_models"}


@pytest.fixture(scope="module")
def small() -> Callable[..., DiffusersModel]:
    """`load` of Picturebook with another network: as many layers, few weights."""
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel

    whole = load("picturebook", "cpu")
    blocks = len(whole.unet.config.block_out_channels)
    config = dict(whole.unet.config) | {"block_out_channels": (32,) * blocks, "layers_per_block": 1}

    def loaded(name: str = "", device: str = "cpu", dtype: torch.dtype = torch.float32) -> DiffusersModel:
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(0)
            unet = UNet2DConditionModel.from_config(config).eval().requires_grad_(False)
            parts = {part: value for part, value in whole.pipeline.components.items() if part != "unet"}
            pipeline = StableDiffusionPipeline(**parts, unet=unet, requires_safety_checker=False)
        return DiffusersModel(pipeline, steps=3, guidance=2.0, known_words=whole.known_words)

    return loaded


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Callable[..., DiffusersModel]) -> Iterator[Path]:
    """Copies of what is read and written, the small model in every benchmark, and the threads as they were."""
    threads = torch.get_num_threads()
    for folder in ("results", "lessons"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.setattr(recording, "ROOT", tmp_path)
    for module in MODULES.values():
        for name in ("RESULTS", "LESSON", "CARD"):
            if hasattr(module, name):
                there = tmp_path / getattr(module, name).relative_to(ROOT)
                there.parent.mkdir(parents=True, exist_ok=True)
                monkeypatch.setattr(module, name, there)
        if hasattr(module, "load"):
            monkeypatch.setattr(module, "load", small)
    yield tmp_path
    torch.set_num_threads(threads)


def functions(code: CodeType) -> Iterator[tuple[str, int]]:
    """The functions of some code, also those in classes and in functions: name and first line."""
    for inner in (one for one in code.co_consts if isinstance(one, CodeType)):
        if inner.co_flags & inspect.CO_OPTIMIZED and not inner.co_name.endswith(("expr>", "comp>")):
            yield inner.co_qualname, inner.co_firstlineno
        yield from functions(inner)


@contextmanager
def passed_through(*names: str) -> Iterator[None]:
    """Every function of these benchmarks is called inside the with-block, or this fails."""
    files = {str(ROOT / "benchmarks" / f"{name}.py") for name in names}
    seen: set[tuple[str, str, int]] = set()

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (code := frame.f_code).co_filename in files:
            seen.add((code.co_filename, code.co_qualname, code.co_firstlineno))

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
    there = {(file, *one) for file in files for one in functions(compile(Path(file).read_text("utf-8"), file, "exec"))}
    left = sorted(f"{Path(file).name}, line {line}: {name}" for file, name, line in there - seen)
    assert not left


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a benchmark as its command line does."""
    def called(name: str, *arguments: str) -> None:
        monkeypatch.setattr("sys.argv", [name, *arguments])
        MODULES[name].main()
    return called


def parts_of(name: str) -> list[str]:
    return [name, *(part for part, user in PARTS.items() if user == name)]


Run = Callable[..., None]


def test_lesson_1(run: Run) -> None:
    with passed_through("lesson01"):
        run("lesson01", "--count", "2")


def test_lesson_2(run: Run) -> None:
    with passed_through(*parts_of("lesson02")):
        run("lesson02", "--count", "2", "--steps", "2")
    run("lesson02", "--costs")
    run("lesson02", "--text")


def test_lesson_3(run: Run, tmp_path: Path) -> None:
    with passed_through("lesson03"):
        run("lesson03", "--edits", "4", "--out", str(tmp_path / "out"))
    run("lesson03", "--edits", "1", "--quick")


def test_lesson_4(run: Run) -> None:
    with passed_through(*parts_of("lesson04")):
        run("lesson04", "--edits", "2", "--steps", "2")
    run("lesson04", "--text")


def test_lesson_5(run: Run) -> None:
    with passed_through("lesson05"):
        run("lesson05", "--edits", "1", "--steps", "2")


def test_lesson_6(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"embedding_steps": 2, "model_steps": 2}
    monkeypatch.setattr(lesson06, "WAYS", {way: few for way in lesson06.WAYS})
    monkeypatch.setattr(lesson06, "fit_imagic", lambda *given, **knobs: fit_imagic(*given, **(few | knobs)))
    monkeypatch.setattr(lesson06, "fit_model", partial(fit_model, steps=2))
    with passed_through("lesson06"):
        run("lesson06", "--count", "1")
    run("lesson06", "--quick")
    run("lesson06", "--text")


def test_lesson_7(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson07, "fit_gb", lambda rank: 1.0)  # test_the_memory_of_a_fit_on_a_gpu
    monkeypatch.setattr(lesson07, "pictured", partial(lesson07.pictured, steps=2))
    with passed_through("lesson07"):
        run("lesson07", "--quick")
        run("lesson07", "--text")


def test_attention(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "BLOCKS", ((16, 64), (8, 64)))
    monkeypatch.setattr(attention, "LATENT", 16)
    with passed_through(*parts_of("attention")):
        run("attention", "--steps", "2", "--rounds", "1")


def test_the_memory_of_a_fit_on_a_gpu(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with passed_through("alive"):
        run("alive")


@pytest.mark.filterwarnings("ignore:'sks' is")
def test_large_models(run: Run) -> None:
    with passed_through(*parts_of("big_models")):
        run("big_models", "--models", "small", "--steps", "4")
        run("big_models", "--models", "small", "--run")


def test_speed(run: Run) -> None:
    with passed_through("speed"):
        run("speed", "--runs", "1", "--steps", "2", "--scenes", "2")


def test_a_busy_machine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy, "SETTINGS", {"as torch comes": {}})
    with passed_through("busy"):
        run("busy", "--rounds", "1")


def test_the_examination_of_picturebook_and_its_card(run: Run) -> None:
    with passed_through("examine_picturebook", "model_card"):
        run("examine_picturebook", "--prompts", "60", "--drawings", "4", "--threads", "1")
        run("model_card")


def test_every_benchmark_is_run_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert not [name for name in MODULES if f'run("{name}"' not in text and name not in PARTS]


def test_nothing_is_written_where_the_repository_is(elsewhere: Path) -> None:
    for module in MODULES.values():
        for name in ("RESULTS", "LESSON", "CARD"):
            assert not hasattr(module, name) or getattr(module, name).is_relative_to(elsewhere)
    assert recording.rows_file("x").is_relative_to(elsewhere)


# --- small counts that were errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("edits", [2, 4, 7])
def test_few_edits_of_lesson_4_measure_weights_on_two_prompts_at_least(
    edits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(lesson04, "pointing_game", lambda *_: {})
    monkeypatch.setattr(lesson04, "measured_kind", lambda *_: {})
    monkeypatch.setattr(lesson04, "amounts", lambda model, judge, word, count: asked.append(count) or {})
    lesson04.measured(load(), None, edits)
    assert asked == [2, 2]
