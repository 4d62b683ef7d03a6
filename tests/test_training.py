"""Training Picturebook: what is shipped stays whole, and pictures go where the network is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from helpers.picturebook.drawing import PARTS
from helpers.picturebook.judge import Judge
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import COLORS
from training import all as all_pieces
from training import pack
from training.autoencoder import build, grown, moved
from training.judge import spoil
from training.loop import Trainee, batches, fast, level, read_clock
from training.muon import orthogonalised
from training.partner import Gradients, Partner
from training.truth import KINDS, truth
from training.words import draw_captions

# ------------------------------------------------------------------------------------------------------------- packing


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights as they are shipped, among which those of the package are not; trained parts in runs/."""
    weights = tmp_path / "weights"
    (weights / "pipeline" / "unet").mkdir(parents=True)
    for name in ("judge.safetensors", "pipeline/model_index.json", "pipeline/unet/old.safetensors"):
        (weights / name).write_text("shipped")
    for name in ("decoder/vae", "words/text_encoder", "unet/unet", "judge/judge"):
        file = tmp_path / "runs" / f"{name}.safetensors"
        file.parent.mkdir(parents=True)
        save_file({"text_model.w": torch.ones(2)}, file, metadata={"clock": "[7, 60.0]"})
    (tmp_path / "runs" / "unet" / "scores.jsonl").write_text('{"pictures": 448, "place": 0.9}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pack, "WEIGHTS", weights)
    monkeypatch.setattr(pack, "FOLDER", weights / "pipeline")
    monkeypatch.setattr(pack, "write_fingerprint", lambda folder: None)  # it loads the text encoder
    return weights


@pytest.mark.parametrize("missing", ["unet/unet.safetensors", "unet/scores.jsonl", "decoder/vae.safetensors",
                                     "judge/judge.safetensors"])
def test_if_a_part_is_missing_the_shipped_folder_is_untouched(shipped: Path, missing: str) -> None:
    before = contents(shipped)
    Path("runs", missing).unlink()
    with pytest.raises(FileNotFoundError):
        pack.main()
    assert contents(shipped) == before and not Path("results").exists()


def test_the_autoencoder_s_last_phase_is_shipped_and_the_pictures_seen_are_those_of_the_log(shipped: Path) -> None:
    first = Path("runs", "autoencoder", "vae.safetensors")
    first.parent.mkdir()
    Path("results").mkdir()
    save_file({"first": torch.ones(1)}, first, metadata={"clock": "[5, 120.0]"})
    vae = shipped / "pipeline" / "vae" / "diffusion_pytorch_model.safetensors"
    pack.main()
    assert set(load_file(vae)) == {"text_model.w"}
    Path("runs", "decoder", "vae.safetensors").unlink()
    pack.main()
    assert set(load_file(vae)) == {"first"}
    training, curve = (json.loads(Path("results", f"{n}.json").read_text()) for n in ("training", "training_curve"))
    assert (training["autoencoder_minutes"], training["unet_pictures"]) == (2, "448")
    assert curve["curve"] == [{"pictures": 448, "place": 90}]


def test_packing_replaces_the_folder_and_the_judge_and_leaves_nothing_else(shipped: Path) -> None:
    (shipped / "pipeline.new").mkdir()
    (shipped / "pipeline.new" / "left over").touch()
    Path("results").mkdir()
    pack.main()
    assert {f.name for f in shipped.iterdir()} == {"checksums.json", "judge.safetensors", "pipeline"}
    packed = {f.name for f in shipped.rglob("*")}
    assert not packed & {"old.safetensors", "left over"}
    assert {"model_index.json", "known_words.json", "merges.txt", "scheduler_config.json"} < packed
    assert load_file(shipped / "judge.safetensors")["text_model.w"].tolist() == [1, 1]
    assert load_file(shipped / "pipeline" / "unet" / "diffusion_pytorch_model.safetensors")
    assert {f.name for f in Path("results").iterdir()} == {"training.json", "training_curve.json"}


# ------------------------------------------------------------------------------------------------------------- the loop


def trainee_of(width: int = 6) -> Trainee:
    """A small network that both optimizers have a part of."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, width, 3), torch.nn.Flatten(), torch.nn.Linear(4 * width, 2))
    return Trainee({"network": network}, muon=("network",))


def train(trainee: Trainee, folder: Path, until: int, **how: float) -> None:
    for rng in batches(trainee, folder, until, seed=0, **how):
        x = torch.from_numpy(rng.standard_normal((5, 3, 4, 4), np.float32)).to(fast())
        trainee.modules["network"](x).float().square().mean().backward()
        trainee.step(level(trainee, 0.01, steps=12, falling=6, warmup_steps=2))


def test_a_run_in_two_calls_gives_the_weights_of_one_run(tmp_path: Path) -> None:
    whole, first, second = trainee_of(), trainee_of(), trainee_of()
    train(whole, tmp_path / "whole", 8)
    train(first, tmp_path / "parts", 3)
    train(second, tmp_path / "parts", 8)
    assert second.step_count == 8
    for a, b in zip(whole.master + whole.average, second.master + second.average, strict=True):
        assert torch.equal(a, b)


def test_a_call_ends_when_its_minutes_are_over_and_keeps_what_it_has(tmp_path: Path) -> None:
    trainee = trainee_of()
    train(trainee, tmp_path, 10**9, this_call=0.002)
    assert 0 < trainee.step_count < 10**9 and read_clock(tmp_path / "checkpoint.safetensors")[0] == trainee.step_count


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    trainee = trainee_of()
    rates = []
    for trainee.step_count in range(13):
        rates.append(level(trainee, 1.0, steps=12, falling=4, warmup_steps=2))
    assert rates == [0.5, *[1.0] * 8, 0.75, 0.5, 0.25, 0.0]


def test_a_step_is_the_same_however_gradients_lie_in_memory() -> None:
    plain, turned = trainee_of(), trainee_of()
    turned.modules["network"].to(memory_format=torch.channels_last)
    for trainee in (plain, turned):
        for step in range(3):
            x = torch.from_numpy(np.random.default_rng(step).standard_normal((5, 3, 4, 4), np.float32)).to(fast())
            trainee.modules["network"](x).float().square().mean().backward()
            trainee.step(0.01)
    for a, b in zip(plain.master, turned.master, strict=True):
        assert torch.allclose(a, b, atol=3e-3)  # the two layouts round differently; a mix-up moves weights by 0.03


def gradients_of(weights: Sequence[torch.Tensor], step: int) -> Sequence[torch.Tensor]:
    """A partner's gradients, which tell what it was given: the weights times the step."""
    for weight in weights:
        weight.grad = weight.detach() * step
    return weights


def prepared(weights: Sequence[torch.Tensor]) -> Gradients:
    """Gradients that depend on the weights and the step."""
    return partial(gradients_of, [weight.requires_grad_() for weight in weights])


def test_a_partner_sees_the_weights_as_they_are_and_gives_half_of_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    partner = Partner(prepared, [weight])
    for step in (1, 2):
        with torch.no_grad():
            weight.fill_(10.0 * step)
        partner.begin(step)
        weight.grad = torch.full((3,), 2.0)
        partner.finish([weight])
        assert weight.grad.tolist() == [(2 + 10 * step * step) / 2] * 3


@pytest.mark.parametrize("shape", [(4, 8, 32), (3, 16, 16)])
def test_muon_makes_all_singular_values_about_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalised(torch.randn(shape), torch.float32))
    assert 0.5 < values.min() and values.max() < 1.3


# ------------------------------------------------------------------------------------------------------- the truth


def test_cells_are_named_by_what_they_show() -> None:
    scene = Scene(thing="cat", color="red", doing="riding", ride="car", ride_color="blue", place="beach")
    cells = torch.full((1, 16, 16), PARTS.index("place"))
    cells[0, 3, 4], cells[0, 5, 6], cells[0, 0] = PARTS.index("thing"), PARTS.index("ride"), PARTS.index("sky")
    kinds, colors = truth([scene], cells)
    names = list(KINDS)
    assert [names[kinds[0, y, x]] for y, x in ((3, 4), (5, 6), (0, 0), (9, 9))] == [
        ("thing", "cat"), ("ride", "car"), ("sky", "day"), ("place", "beach")]
    assert [colors[0, y, x].item() for y, x in ((3, 4), (5, 6), (9, 9))] == [
        COLORS.index("red"), COLORS.index("blue"), -100]


def test_half_of_the_captions_tell_everything() -> None:
    scenes = [Scene(seed=i, thing="cat", color="red", sky="night", place="beach", cloudy=0.5) for i in range(40)]
    for caption in draw_captions(scenes, np.random.default_rng(0), full=1.0):
        assert {"color", "sky", "place", "cloudy"} <= caption.said


# --------------------------------------------------------------------------------------------------- the autoencoder


def test_an_autoencoder_without_its_last_block_grows_it_and_loses_it(tmp_path: Path) -> None:
    small = build(last=0)
    save_file(small.state_dict(), tmp_path / "small.safetensors")
    large = grown(build(last=1), tmp_path / "small.safetensors")
    save_file(large.state_dict(), tmp_path / "large.safetensors")
    again = grown(build(last=0), tmp_path / "large.safetensors").state_dict()
    assert all(torch.equal(v, again[k]) for k, v in small.state_dict().items())


@torch.no_grad()
def test_latents_are_shrunk_and_turned_as_their_picture_is() -> None:
    x = torch.randn(2, 3, 128, 128)
    for seed in range(8):
        z, y = moved(F.avg_pool2d(x, 16), x, np.random.default_rng(seed))
        assert y.shape[-1] == 16 * z.shape[-1]
        if z.shape[-1] == 8:
            assert torch.allclose(F.avg_pool2d(y, 16), z, atol=1e-6)


# ----------------------------------------------------------------------------------------------------- one command


def test_the_whole_recipe_starts_with_what_is_not_done_and_stops_in_time(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    started: list[str] = []
    monkeypatch.setattr(all_pieces.subprocess, "run", lambda command, **_: started.append(command[2]))
    monkeypatch.setattr("sys.argv", ["all", "--minutes", "0.5"])
    all_pieces.main()
    assert not started and "next: drawings" in capsys.readouterr().out
    Path("runs/pool").mkdir(parents=True)
    for i in range(8):
        Path(f"runs/pool/{i:03d}.seeds.npy").touch()
    monkeypatch.setattr("sys.argv", ["all", "--minutes", "9"])
    all_pieces.main()
    rest = ["autoencoder", "autoencoder", "judge", "latents", "unet"]
    assert started == [f"training.{name}" for name in ("pool", *rest)]
    started.clear()
    monkeypatch.setattr("sys.argv", ["all", "--from-nothing", "--minutes", "9"])
    all_pieces.main()
    assert started == [f"training.{name}" for name in ("pool", "words", *rest)]


# ------------------------------------------------------------------------------------------------------ another device


class OneDevice(TorchFunctionMode):
    """Refuses what a GPU refuses: to compute with tensors of two devices. `cpu` of a meta tensor, which is the GPU
    here and holds no numbers, gives zeros.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [a for a in tree_leaves((args, kwargs)) if isinstance(a, torch.Tensor)]
        if func is torch.Tensor.cpu and tensors[0].is_meta:
            return torch.zeros_like(tensors[0], device="cpu")
        moves = func in (torch.Tensor.to, torch.Tensor.cpu)
        assert moves or len({tensor.device for tensor in tensors}) <= 1, f"{func} of tensors of two devices"
        return func(*args, **(kwargs or {}))


def test_pictures_are_spoilt_on_the_device_they_are_on() -> None:
    x = torch.zeros(16, 3, 64, 64, device="meta")
    vae = build().to("meta", fast())
    with OneDevice(), torch.no_grad():
        for network in (None, vae):
            assert spoil(x.clone(), np.random.default_rng(0), network).is_meta


def test_the_judge_takes_pictures_to_its_network_and_brings_home_what_it_reads() -> None:
    judge, pictures = Judge().eval().to("meta"), [Image.new("RGB", (128, 128))] * 2
    with OneDevice():
        assert len(judge.read(pictures)) == 2
        assert judge.find(pictures[0], "thing").size == (128, 128)
        assert judge.describe(pictures).device.type == "cpu"
