"""Files of ours: whole or not at all, and never used where a bit of them has changed."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_finetune import ToyModel, toy_fit

from helpers.core.files import DamagedFile, check_folder, load_tensors, save_tensors, written
from helpers.core.interface import CLEAN, Text
from helpers.finetuning.checkpoint import CHECKPOINT
from helpers.finetuning.weights import Weights
from helpers.methods.imagic import Fitted
from helpers.methods.source import Source

LORA = {"unet.to_q.lora_A.weight": torch.ones(2, 3), "unet.to_q.lora_B.weight": torch.ones(4, 2)}


def a_source(file: Path) -> Callable[[], Any]:
    """Writes a Source; how it is read."""
    Source("a cat", 2, 4.0, (9, 4, CLEAN), torch.rand(3, 1, 2, 2), "0").save(file)
    return lambda: Source.load(file).trajectory


def a_lora(file: Path) -> Callable[[], Any]:
    """Writes Weights; how they are read."""
    Weights(LORA, ("sks",), {"prompt": "a sks cat"}).save(file)
    return lambda: Weights.load(file).tensors


def an_imagic(file: Path) -> Callable[[], Any]:
    """Writes a Fitted; how it is read."""
    text = Text(torch.rand(1, 3, 4), None, Text(torch.rand(1, 3, 4)))
    Fitted("a cat", text, text, Weights(LORA), (1, 1, 2, 2)).save(file)
    return lambda: Fitted.load(file).e_opt


def a_checkpoint(file: Path) -> Callable[[], Any]:
    """Fits three steps with a checkpoint; how the fit goes on."""
    toy_fit(ToyModel(), steps=3, folder=file.parent)
    (file.parent / CHECKPOINT).rename(file)

    def go_on() -> Any:
        folder = file.parent / "again"
        folder.mkdir(exist_ok=True)
        (folder / CHECKPOINT).write_bytes(file.read_bytes())
        return toy_fit(ToyModel(), steps=3, folder=folder)

    return go_on


KINDS = [a_source, a_lora, an_imagic, a_checkpoint]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_any_changed_bit_is_refused_in_one_sentence(kind: Callable, tmp_path: Path) -> None:
    read = kind(tmp_path / "x.safetensors")
    whole, rng, refused = (tmp_path / "x.safetensors").read_bytes(), random.Random(0), 0
    before = repr(read())
    for _ in range(40):
        bits = bytearray(whole)
        bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
        (tmp_path / "x.safetensors").write_bytes(bits)
        try:
            assert repr(read()) == before  # a bit that means nothing: a space at the end of the header
        except DamagedFile as error:
            assert "safetensors' is damaged" in str(error) or "holds" in str(error) or "newer version" in str(error)
            refused += 1
    assert refused >= 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_short_anywhere_is_refused(kind: Callable, tmp_path: Path) -> None:
    read = kind(tmp_path / "x.safetensors")
    whole = (tmp_path / "x.safetensors").read_bytes()
    for length in (0, 1, 7, 8, 9, 60, len(whole) // 2, len(whole) - 1):
        (tmp_path / "x.safetensors").write_bytes(whole[:length])
        with pytest.raises(DamagedFile, match="damaged"):
            read()


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    a_lora(tmp_path / "x.safetensors")
    with pytest.raises(DamagedFile, match="holds saved Weights; expected a saved Source"):
        Source.load(tmp_path / "x.safetensors")
    save_file({"a": torch.ones(1)}, tmp_path / "x.safetensors")
    with pytest.raises(DamagedFile, match="holds something else; expected saved Weights"):
        Weights.load(tmp_path / "x.safetensors")


def test_a_file_of_a_newer_version_says_to_update(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(1)}, file, metadata={"weights": "{}", "helpers": json.dumps({"version": 99})})
    with pytest.raises(DamagedFile, match="newer version of this package .99.: update it"):
        Weights.load(file)


def test_files_from_before_there_were_checksums_are_read(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_file(LORA, file, metadata={"weights": json.dumps({"words": ["sks"], "told": {"prompt": "a sks cat"}})})
    assert Weights.load(file).words == ("sks",)
    told = {"prompt": "a cat", "steps": 2, "guidance": 4.0, "times": [9, 4, CLEAN], "fingerprint": "0", "eta": 0.0,
            "pinned": False}
    tensors = {"trajectory": torch.rand(3, 1, 2, 2), "noises": torch.rand(2, 1, 2, 2), "empties": torch.rand(1, 2, 3)}
    save_file(tensors, file, metadata={"source": json.dumps(told)})
    source = Source.load(file)
    assert torch.equal(source.variance_noise, tensors["noises"])
    assert torch.equal(source.uncond_embeddings, tensors["empties"])


@pytest.mark.parametrize(("changes", "why"), [
    ({"variable/w": torch.zeros(1)}, "variable w is missing or of a wrong shape"),
    ({"variable/w": None}, "variable w is missing"),
    ({"exp_avg/w": torch.zeros(1)}, "memory of w is of a wrong shape"),
    ({"exp_avg/w": None}, "memory of w is incomplete"),
    ({"exp_avg/w": None, "exp_avg_sq/w": None, "step/w": None}, "memory is missing"),
    ({"losses": None}, "losses is missing"),
    ({"scale": torch.ones(2)}, "scale is missing or of a wrong shape"),
    ({"variable/v": torch.ones(2)}, "which is no part of this fit"),
    ({"exp_avg/w": torch.zeros(5, dtype=torch.float16)}, "memory of w is of a wrong dtype"),
    ({"exp_avg_sq/w": torch.zeros(5, dtype=torch.float64)}, "memory of w is of a wrong dtype"),
    ({"step/w": torch.tensor(2)}, "memory of w is of a wrong dtype"),
    ({"step/w": torch.tensor(-1.0)}, "memory of w holds numbers that it never has"),
    ({"step/w": torch.tensor(math.nan)}, "memory of w holds numbers that it never has"),
    ({"exp_avg/w": torch.full((5,), math.inf)}, "memory of w holds numbers that it never has"),
    ({"exp_avg_sq/w": -torch.ones(5)}, "memory of w holds numbers that it never has"),
    ({"variable/w": torch.full((5,), math.nan)}, "variable w holds numbers that are not finite"),
    ({"scale": torch.tensor(0.0)}, "scale is no number"), ({"scale": torch.tensor(math.nan)}, "scale is no number"),
])
def test_a_checkpoint_that_does_not_fit_never_reaches_adam(changes: dict, why: str, tmp_path: Path) -> None:
    from helpers.finetuning.fit import fit

    def one(steps: int) -> None:
        w = torch.ones(5)
        fit({"w": w}, lambda step: w.square().sum(), steps=steps, lr=0.1, folder=tmp_path, progress=False)

    one(2)
    tensors, metadata = load_tensors(tmp_path / CHECKPOINT, "fit")
    tensors = {name: value for name, value in (tensors | changes).items() if value is not None}
    save_tensors(tmp_path / CHECKPOINT, "fit", tensors, metadata)
    with pytest.raises(DamagedFile, match=why):
        one(4)


@pytest.mark.parametrize("left_out", sorted(LORA))
def test_half_a_lora_is_refused(left_out: str, tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_tensors(file, "weights", {k: v for k, v in LORA.items() if k != left_out}, {"words": [], "told": {}})
    with pytest.raises(DamagedFile, match="lora_[AB].weight is missing"):
        Weights.load(file)


A, B = ("unet.w.lora_A.weight", "unet.w.lora_B.weight")
PAIR = {A: torch.ones(2, 3), B: torch.ones(4, 2)}


@pytest.mark.parametrize("tensors", [
    {"unet.w": torch.ones(2, dtype=torch.int64)}, {"unet.w": torch.tensor([math.nan])},
    {name: value.long() for name, value in PAIR.items()}, {A: torch.ones(0, 3), B: torch.ones(4, 0)},
    {**PAIR, "unet.w.alpha": torch.ones(3)}, {"unet.w.alpha": torch.tensor(1.0)},
    {"t.x.rows": torch.tensor([-5]), "t.x.values": torch.ones(1, 3)},
    {"t.x.rows": torch.tensor([True]), "t.x.values": torch.ones(1, 3)},
    {"t.x.rows": torch.tensor([[1]]), "t.x.values": torch.ones(1, 3)},
])
def test_weights_of_another_dtype_shape_or_range_are_refused(tensors: dict, tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_tensors(file, "weights", PAIR, {"words": [], "told": {}})
    assert Weights.load(file).tensors.keys() == PAIR.keys()
    save_tensors(file, "weights", tensors, {"words": [], "told": {}})
    with pytest.raises(DamagedFile, match="x.safetensors' is damaged"):
        Weights.load(file)
    save_tensors(file, "weights", PAIR, {"words": [3], "told": {}})
    with pytest.raises(DamagedFile, match="its words are no texts"):
        Weights.load(file)


@pytest.mark.parametrize("changes", [
    {"steps": -1}, {"steps": True}, {"steps": 1}, {"guidance": math.nan}, {"guidance": 1e30}, {"eta": 5},
    {"eta": math.inf}, {"times": ["a", "b", "c"]}, {"times": [9.5, 4, -1]}, {"times": [[9], 4, -1]},
    {"times": [4, 9, -1]}, {"times": [9, 9, -1]}, {"times": [10**9, 4, -1]}, {"prompt": chr(0xD800)},
])
def test_a_source_that_says_what_none_can_say_is_refused(changes: dict, tmp_path: Path) -> None:
    file, states = tmp_path / "x.safetensors", {"trajectory": torch.ones(3, 1, 2, 2)}
    told = {"prompt": "a cat", "steps": 2, "guidance": 4, "times": [9, 4, CLEAN], "fingerprint": "0", "eta": 0,
            "pinned": False}
    save_tensors(file, "source", states, told)
    assert Source.load(file).times == (9, 4, CLEAN)
    save_tensors(file, "source", states, told | changes)
    with pytest.raises(DamagedFile, match="x.safetensors' is damaged"):
        Source.load(file)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_a_source_of_another_dtype_is_refused_and_half_precision_becomes_single(
    dtype: torch.dtype, tmp_path: Path
) -> None:
    file = tmp_path / "x.safetensors"
    told = {"prompt": "a cat", "steps": 2, "guidance": 4.0, "times": [9, 4, CLEAN], "fingerprint": "0", "eta": 0.0,
            "pinned": False}
    save_tensors(file, "source", {"trajectory": torch.ones(3, 1, 2, 2, dtype=torch.float16)}, told)
    assert Source.load(file).trajectory.dtype == torch.float32
    save_tensors(file, "source", {"trajectory": torch.ones(3, 1, 2, 2).to(dtype)}, told)
    with pytest.raises(DamagedFile, match="trajectory is of a wrong dtype"):
        Source.load(file)


def test_numbers_of_other_libraries_are_written_as_plain_ones(tmp_path: Path) -> None:
    numbers = {"lr": np.float32(0.5), "n": np.int64(3), "t": torch.tensor(2.0), "folder": tmp_path}
    save_tensors(tmp_path / "x.safetensors", "weights", {}, numbers)
    _, metadata = load_tensors(tmp_path / "x.safetensors", "weights")
    assert metadata == {"lr": 0.5, "n": 3, "t": 2.0, "folder": str(tmp_path)}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_what_ends_the_writing_leaves_nothing_behind_and_the_file_as_it_was(error: type, tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("before", encoding="utf-8")

    def fails(new: Path) -> None:
        new.write_text("half", encoding="utf-8")
        raise error("stop")

    with pytest.raises((KeyboardInterrupt, OSError)):
        written(file, fails)
    assert file.read_text(encoding="utf-8") == "before" and [*tmp_path.iterdir()] == [file]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, ours = (tmp_path / f".x.txt.{number}.new" for number in (dead.pid, os.getppid()))
    left.touch()
    ours.touch()
    written(tmp_path / "x.txt", lambda new: new.write_text("now", encoding="utf-8"))
    assert not left.exists() and ours.exists()


def test_where_the_clean_up_fails_too_the_first_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(OSError, match="Nothing can be written to the folder.*Read-only.*give another folder"):
        check_folder(tmp_path)


def test_what_is_written_is_what_a_reader_without_this_package_reads(tmp_path: Path) -> None:
    a_lora(tmp_path / "x.safetensors")
    assert torch.equal(load_file(tmp_path / "x.safetensors")["unet.to_q.lora_A.weight"], torch.ones(2, 3))
