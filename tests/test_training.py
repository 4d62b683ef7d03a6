"""Training Picturebook: what is shipped stays whole, and pictures go where the network is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from helpers.picturebook.judge import Judge
from training import pack
from training.autoencoder import build
from training.judge import spoil
from training.loop import fast

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
        (weights / name).write_text("shipped", encoding="utf-8")
    for name in ("autoencoder/vae", "words/text_encoder", "unet/unet", "judge/judge"):
        file = tmp_path / "runs" / f"{name}.safetensors"
        file.parent.mkdir(parents=True)
        save_file({"text_model.w": torch.ones(2)}, file, metadata={"clock": "[7, 60.0, 0]"})
    (tmp_path / "runs" / "unet" / "scores.txt").write_text("7 place 90%\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pack, "WEIGHTS", weights)
    monkeypatch.setattr(pack, "FOLDER", weights / "pipeline")
    monkeypatch.setattr(pack, "write_fingerprint", lambda folder: None)  # it loads the text encoder
    return weights


@pytest.mark.parametrize("missing", ["unet/unet.safetensors", "unet/scores.txt", "autoencoder/vae.safetensors",
                                     "words/text_encoder.safetensors", "judge/judge.safetensors"])
def test_if_a_part_is_missing_the_shipped_folder_is_untouched(shipped: Path, missing: str) -> None:
    before = contents(shipped)
    Path("runs", missing).unlink()
    with pytest.raises(FileNotFoundError):
        pack.main()
    assert contents(shipped) == before and not Path("results").exists()


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
            assert spoil(x, np.random.default_rng(0), network).is_meta


def test_the_judge_takes_pictures_to_its_network_and_brings_home_what_it_reads() -> None:
    judge, pictures = Judge().eval().to("meta"), [Image.new("RGB", (128, 128))] * 2
    with OneDevice():
        assert len(judge.read(pictures)) == 2
        assert judge.find(pictures[0], "thing").size == (128, 128)
        assert judge.describe(pictures).device.type == "cpu"
