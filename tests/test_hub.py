"""The hub, over HTTP on the loopback address: each failure has its own sentence with the one thing to do."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub_server import Hub

from helpers.models import catalogue, hub, hub_errors
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.loading import load

NAME = "me/model"


@pytest.fixture
def loopback(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the small pipeline, asked instead of huggingface.co; an empty cache; nobody waits for long."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils import _http

    shutil.copytree(folders["sd"], tmp_path / "repository")
    with Hub({NAME: tmp_path / "repository"}) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE",
                            server.address + "/{repo_id}/resolve/{revision}/{filename}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(HfApi, "__init__", lambda self, init=HfApi.__init__, **k: init(self, **{"endpoint":
                            server.address, **k}))
        for name in ("HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"):
            monkeypatch.setattr(constants, name, 0.4)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)  # what is written at once
        monkeypatch.setattr(hub, "ANSWER_WITHIN", 0.4)
        monkeypatch.setattr(_http.time, "sleep", lambda _: None)  # between the library's own repetitions
        yield server


def repository(server: Hub) -> Path:
    """The folder of the repository."""
    return server.repositories[NAME]


def renamed(folder: Path, new: str) -> None:
    """All weights in `folder` as another variant's."""
    for file in list(folder.rglob("*.safetensors")):
        file.rename(file.with_name(file.name.replace(".safetensors", f"{new}.safetensors")))


def test_a_model_is_fetched_once_and_is_the_one_of_its_folder(
    loopback: Hub, models: dict[str, DiffusersModel]
) -> None:
    assert load(NAME, "cpu").fingerprint == models["sd"].fingerprint
    loopback.asked.clear()
    assert load(NAME, "cpu").fingerprint == models["sd"].fingerprint and not loopback.asked
    loopback.stop()
    assert load(NAME, "cpu").steps == 50


@pytest.mark.parametrize(("trouble", "error", "words"), [
    ({"api/": "gated"}, hub_errors.HubRefusal, "accept it there.*hf auth login"),
    ({"api/": "403"}, hub_errors.HubRefusal, "403.*ask for it"),
    ({"api/": "429"}, hub_errors.HubBusy, "too many requests.*Wait some minutes"),
    ({"api/": "500"}, hub_errors.HubBusy, "trouble of its own.*500.*again"),
    ({"unet/diff": "503"}, hub_errors.HubBusy, "trouble of its own.*503"),
    ({"unet/diff": "429"}, hub_errors.HubBusy, "too many requests"),
    ({"unet/diff": "gated"}, hub_errors.HubRefusal, "hf auth login"),
    ({"api/": "stall"}, hub_errors.HubBusy, "stopped answering.*again"),
    ({"api/": "html"}, hub_errors.HubBusy, "login page"),
    ({"model_index": "html"}, hub_errors.HubBusy, "login page"),
])
def test_each_failure_has_its_own_sentence(loopback: Hub, trouble: dict, error: type, words: str) -> None:
    loopback.trouble = trouble
    with pytest.raises(error, match=words) as caught:
        load(NAME, "cpu")
    assert "load()" in str(caught.value) or "Download" in str(caught.value) or "download" in str(caught.value)
    loopback.trouble = {}
    assert load(NAME, "cpu").size == (32, 32)  # and afterwards it works


@pytest.mark.parametrize(("kind", "told", "words"), [
    ("ConnectError", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "certificate.*SSL_CERT_FILE"),
    ("ProxyError", "407 Proxy Authentication Required", "proxy lets nothing through.*407.*HTTPS_PROXY"),
    ("UnsupportedProtocol", "Request URL is missing a protocol", "HF_ENDPOINT"), ("InvalidURL", "x", "HF_ENDPOINT"),
])
def test_what_stands_between_here_and_the_hub_is_not_called_no_network(kind: str, told: str, words: str) -> None:
    import httpx

    error = hub_errors.explained(catalogue.find(NAME), [getattr(httpx, kind)(told)])
    assert isinstance(error, hub_errors.HubBusy) and not isinstance(error, catalogue.HubOutOfReach)
    assert re.search(words, str(error)) and "load()" in str(error)


def test_a_wrong_id_is_a_matter_of_spelling_and_no_network_is_not(loopback: Hub) -> None:
    with pytest.raises(ValueError, match="has no model 'me/mo'.*spelling"):
        load("me/mo", "cpu")
    for name in ("me/m x", "a--b/..c"):
        with pytest.raises(ValueError, match="has no model.*spelling"):
            load(name, "cpu")
    loopback.stop()
    with pytest.raises(catalogue.HubOutOfReach, match="out of reach .tried me/model.*Connect"):
        load(NAME, "cpu")


@pytest.mark.parametrize("trouble", ["cut", "slow"])
def test_a_download_that_was_broken_off_goes_on_where_it_stopped(loopback: Hub, trouble: str) -> None:
    loopback.trouble = {"unet/diffusion": trouble}
    size = (repository(loopback) / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size
    with pytest.raises(hub_errors.HubBusy, match="again: what has arrived is kept"):
        load(NAME, "cpu")
    loopback.trouble = {}
    loopback.asked.clear()
    load(NAME, "cpu")
    again = sum(sent for method, path, sent in loopback.asked if method == "GET" and "unet/diffusion" in path)
    assert 0 < again < size


@pytest.mark.parametrize("part", ["unet/diffusion_pytorch_model.safetensors", "unet/config.json", "model_index.json"])
def test_a_damaged_file_of_the_cache_is_fetched_again_or_named(loopback: Hub, part: str) -> None:
    load(NAME, "cpu")
    file = next(Path(hub.get(NAME, "main", part)).parents[part.count("/")].glob(part)).resolve()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    loopback.asked.clear()
    assert load(NAME, "cpu").size == (32, 32) and loopback.asked
    file.write_bytes(whole[: len(whole) // 2])
    loopback.stop()
    with pytest.raises(catalogue.HubOutOfReach, match="out of reach"):
        load(NAME, "cpu")


@pytest.mark.parametrize(("there", "wanted"), [(".fp16", torch.float32), ("", torch.float16)])
def test_what_is_there_in_another_precision_is_used_and_cast(loopback: Hub, there: str, wanted: torch.dtype) -> None:
    renamed(repository(loopback), there)
    assert load(NAME, "cpu", wanted).unet.dtype == wanted
    loopback.stop()
    assert load(NAME, "cpu", torch.float32).unet.dtype == torch.float32


@pytest.mark.parametrize(("index", "words"), [
    ({"_class_name": "FluxPipeline"}, "FluxPipeline, which is a flow model"),
    ({"_class_name": "QwenImageEditPipeline"}, "QwenImageEditPipeline"),
    ({"_class_name": "StableDiffusionInstructPix2PixPipeline"}, "edits by instruction"),
    ({"_class_name": ["mine", "MyPipeline"]}, "would run programs"),
    ({"unet": ["evil", "Model"]}, "Only known classes"),
    ({"text_encoder": [None, None]}, "refiner"),
])
def test_other_families_are_refused_before_a_byte_of_weights(loopback: Hub, index: dict, words: str) -> None:
    file = repository(loopback) / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | index), encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        load(NAME, "cpu")
    assert loopback.weights_sent() == 0


def test_an_inpainting_network_is_refused_before_a_byte_of_weights(loopback: Hub) -> None:
    file = repository(loopback) / "unet" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"in_channels": 9}), encoding="utf-8")
    with pytest.raises(ValueError, match="inpainting"):
        load(NAME, "cpu")
    assert loopback.weights_sent() == 0


@pytest.mark.parametrize(("file", "words"), [("config.json", "ControlNet"), ("model.gguf", "GGUF"),
                                             ("model.onnx", "ONNX"), ("model.ckpt", "pickled"),
                                             ("README.md", "no model")])
def test_a_repository_that_is_no_pipeline_is_said_to_be_none(loopback: Hub, file: str, words: str) -> None:
    shutil.rmtree(repository(loopback))
    repository(loopback).mkdir()
    (repository(loopback) / file).write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=f"no diffusers pipeline.*{words}"):
        load(NAME, "cpu")


def test_pickled_weights_are_not_fetched(loopback: Hub) -> None:
    weights = repository(loopback) / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ValueError, match="pickled weights.*unet"):
        load(NAME, "cpu")
    assert loopback.weights_sent() == 0


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full.*HF_HOME"), (errno.EROFS, "HF_HOME")])
def test_a_full_or_closed_disk_is_said_to_be_one(
    loopback: Hub, number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    with pytest.raises(hub_errors.DiskTrouble, match=words):
        load(NAME, "cpu")


def test_without_leave_to_fetch_that_is_said(loopback: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(catalogue.HubOutOfReach, match="out of reach|HF_HUB_OFFLINE"):
        load(NAME, "cpu")


def test_mirrors_are_tried_in_order(loopback: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = catalogue.CATALOGUE["stable-diffusion-v1-5"]
    loopback.repositories[entry.sources[1][0]] = repository(loopback)
    monkeypatch.setattr("helpers.models.loading.check_memory", lambda *_: None)
    assert load("stable-diffusion-v1-5", "cpu").steps == 50
    asked = [path for _, path, _ in loopback.asked if path.startswith("/api")]
    assert entry.sources[0][0] in asked[0] and entry.sources[1][0] in asked[1]
