"""Models from huggingface.co: what is on this machine first, and nothing heavy before it is known to be of use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from helpers.models import catalogue
from helpers.models.half_downloads import goes_on
from helpers.models.hub_errors import WrongModel, explained
from helpers.models.pipelines import checked_folder
from helpers.models.recognise import (
    INDEX,
    NETWORKS,
    check_configs,
    check_index,
    no_weights,
    parts_of,
    read_json,
    weights_of,
)
from helpers.models.safetensor_files import NotWhole

ANSWER_WITHIN = 10.0  # seconds for the hub's first answer
SMALL = (".json", ".txt", ".model")


def fetch(entry: catalogue.Entry, dtype: torch.dtype) -> Path:
    """The folder of an entry, whole: from this machine, else from the hub. What was begun there is gone on with."""
    damaged: list[NotWhole] = []
    for source in entry.sources:
        try:
            if (folder := on_this_machine(*source, dtype)) is not None:
                return folder
        except NotWhole as error:
            damaged.append(error)
    errors: list[Exception] = []
    for source in entry.sources:
        try:
            return downloaded(*source, dtype)
        except WrongModel:
            raise
        except Exception as error:  # from the network, the hub, the disk: told apart in one place
            errors.append(error)
    raise explained(entry, errors, damaged) from None  # the chain of what was tried again and again is long


def on_this_machine(repository: str, revision: str, dtype: torch.dtype) -> Path | None:
    """The folder of a download that is whole, in whichever precision; None if it is not; NotWhole if it is damaged."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repository, INDEX, revision=revision)
    except HFValidationError:  # no name that a repository can have
        return None
    if not isinstance(found, str):
        return None
    try:
        checked_folder(Path(found).parent, dtype, repr(repository))
    except NotWhole:
        raise
    except FileNotFoundError:
        return None  # half a download
    except ValueError as error:
        if "again" in str(error):  # a small file is damaged
            return None
        raise WrongModel(str(error)) from error
    return Path(found).parent


def downloaded(repository: str, revision: str, dtype: torch.dtype) -> Path:
    """The folder of a pipeline after a download: first its small files, then, if it is one of ours, its weights."""
    files = listed(repository, revision)
    what = repr(repository)
    if INDEX not in files:
        raise WrongModel(no_pipeline(files, what))
    folder = get(repository, revision, INDEX).parent
    index = fresh_json(repository, revision, INDEX)
    try:
        small_files(repository, revision, files, index)
        for file in (f"{part}/config.json" for part in parts_of(index) if f"{part}/config.json" in files):
            fresh_json(repository, revision, file)
        check_configs(folder, index, what)
        weights = []
        for part in (part for part in parts_of(index) if part in NETWORKS):
            found = weights_of(files, part, "fp16" if dtype == torch.float16 else None)
            if found is None:
                raise WrongModel(no_weights(files, part, what))
            weights += found[0]
    except ValueError as error:
        raise error if isinstance(error, WrongModel) else WrongModel(str(error)) from error
    for file in weights:
        goes_on(repository, revision, file)
        get(repository, revision, file)
    try:
        return whole(repository, revision, folder, dtype)
    except NotWhole:
        raise
    except ValueError as error:  # an index of weights that names other files
        raise WrongModel(str(error)) from error


def small_files(repository: str, revision: str, files: set[str], index: dict[str, Any]) -> None:
    """Configurations and vocabularies of a pipeline whose parts are known ones."""
    check_index(index, repr(repository))
    for file in sorted(files):
        if file.split("/")[0] in parts_of(index) and file.endswith(SMALL) and ".index." not in file:
            get(repository, revision, file)


def whole(repository: str, revision: str, folder: Path, dtype: torch.dtype) -> Path:
    """The folder, after files that are damaged on this machine were fetched once more."""
    for _ in range(8):
        try:
            checked_folder(folder, dtype, repr(repository))
            return folder
        except NotWhole as error:
            get(repository, revision, error.file.relative_to(folder).as_posix(), again=True)
    checked_folder(folder, dtype, repr(repository))
    return folder


def listed(repository: str, revision: str) -> set[str]:
    """The names of the files that the hub has of a repository."""
    from huggingface_hub import HfApi

    found = HfApi().model_info(repository, revision=revision, timeout=ANSWER_WITHIN)
    return {file.rfilename for file in found.siblings or ()}


def get(repository: str, revision: str, file: str, again: bool = False) -> Path:
    """One file of a repository, from the cache if it is there."""
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(repository, file, revision=revision, force_download=again))


def fresh_json(repository: str, revision: str, file: str) -> dict[str, Any]:
    """A small file's settings; it is fetched once more if it is damaged on this machine."""
    try:
        return read_json(get(repository, revision, file))
    except ValueError:
        return read_json(get(repository, revision, file, again=True))


def no_pipeline(files: set[str], what: str) -> str:
    """The sentence for a repository that is no pipeline: what it is instead."""
    kinds = {"config.json": "one network, a ControlNet or an adapter perhaps", ".gguf": "GGUF, for another program",
             ".onnx": "ONNX, for another program", ".safetensors": "files of weights: download the one you want, and "
             "give its path to load()", ".ckpt": "pickled weights, which can run programs", ".bin": "pickled weights, "
             "which can run programs"}
    holds = next((says for ending, says in kinds.items() if any(file.endswith(ending) for file in files)), "no model")
    return f"{what} is no diffusers pipeline: it holds no {INDEX}, but {holds}. {catalogue.WITHOUT_IT}"


def fetch_configuration(repository: str, path: str) -> Path:
    """The folder of a pipeline's small files alone, for the single file at `path`."""
    try:
        files = listed(repository, "main")
        folder = get(repository, "main", INDEX).parent
        index = read_json(folder / INDEX)
        small_files(repository, "main", files, index)
        return folder
    except ValueError:
        raise
    except Exception as error:
        raise catalogue.no_configuration(path) from error
