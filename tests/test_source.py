"""A source is a picture's way through noise: it can be walked again, saved, and is refused where it does not fit."""

import os
from dataclasses import replace

import pytest
import torch
from random_pipelines import stable_diffusion

from helpers import AnalyticModel, DiffusersModel
from helpers.core.interface import CLEAN
from helpers.methods.source import Source, check_source, generated


@pytest.fixture(scope="module")
def model():
    return DiffusersModel(stable_diffusion(), steps=4, guidance=3.0)


@pytest.fixture(scope="module")
def source(model):
    return generated(model, "a cat", seed=5, progress=False)


def test_a_generated_source_ends_in_the_picture_that_generate_makes(model, source):
    picture = model.generate("a cat", seed=5, progress=False)[0]
    assert model.decode(source.trajectory[-1:])[0].tobytes() == picture.tobytes()


def test_a_source_holds_a_state_for_each_time(model, source):
    assert source.times == tuple(model.times(4)) and source.times[-1] == CLEAN
    assert source.trajectory.shape == (5, *model.shape(1)[1:])
    assert source.trajectory.dtype == torch.float32


def test_saving_and_loading_gives_the_same_source(source, tmp_path):
    file = tmp_path / "cat.safetensors"
    more = {"uncond_embeddings": torch.randn(4, 3, 8), "variance_noise": torch.randn(4, *source.trajectory.shape[1:])}
    whole = Source(**vars(source) | more)
    for one in (source, whole):
        one.save(file)
        back = Source.load(file)
        for name, value in vars(one).items():
            found = getattr(back, name)
            assert torch.equal(found, value) if isinstance(value, torch.Tensor) else found == value


def test_a_saved_source_can_be_read_by_everybody_and_is_whole_or_not_there(source, tmp_path, monkeypatch):
    file = tmp_path / "cat.safetensors"
    source.save(file)
    assert file.stat().st_mode & 0o777 == 0o644

    def killed(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(OSError, match="full"):
        replace(source, prompt="a dog").save(file)
    assert Source.load(file).prompt == "a cat" and list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_no_source_is_refused(tmp_path):
    file = tmp_path / "other.safetensors"
    with pytest.raises(FileNotFoundError, match="no file"):
        Source.load(file)
    file.write_bytes(b"not tensors")
    with pytest.raises(ValueError, match="is damaged or was not written"):
        Source.load(file)


def test_a_source_of_another_model_is_refused(source):
    with pytest.raises(ValueError, match="another model"):
        check_source(source, AnalyticModel())


def test_a_source_is_refused_once_the_weights_have_changed(model, source):
    weight = next(model.unet.parameters())
    before = weight.detach().clone()
    with torch.no_grad():
        weight += 1
    try:
        with pytest.raises(ValueError, match="weights have changed"):
            check_source(source, model)
    finally:
        with torch.no_grad():
            weight.copy_(before)
    check_source(source, model)


def test_other_steps_and_another_size_are_named(model, source):
    check_source(source, model, steps=4)
    with pytest.raises(ValueError, match="steps is 7, and the source was made with 4"):
        check_source(source, model, steps=7)
    width, height = model.size
    with pytest.raises(ValueError, match="size"):
        check_source(source, model, size=(2 * width, height))
