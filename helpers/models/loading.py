"""`load`: a model by its name, its folder, its file, or its address on the hub.

`load()` gives Picturebook, the model shipped with the package; `load("stable-diffusion-v1-5")` the real thing. Methods
see only the interface `helpers.core.interface.Model`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import torch

from helpers.core.values import Kind, entrance, plain, text
from helpers.core.values import path as checked_path
from helpers.models import catalogue
from helpers.models.budget import check_memory
from helpers.models.catalogue import TooLittleMemory
from helpers.models.devices import place
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.hub import fetch, fetch_configuration
from helpers.models.pipelines import building, pipeline_class, precision, read_folder
from helpers.models.recognise import CHANNELS, INDEX, INSTEAD, PIPELINES, check_configs, check_index, read_json
from helpers.models.safetensor_files import check_safetensors, of_the_package

FIRST_LAYER = "model.diffusion_model.input_blocks.0.0.weight"
EMBEDDED_FOLDER = Path(__file__).parents[1] / "picturebook" / "weights" / "pipeline"


def named(name: str, value: Any) -> str | Path:
    """A name, an address or a path, as it was given."""
    if isinstance(value, Path):
        return checked_path(name, value)
    told = text(name, plain(value))
    if told.strip():
        checked_path(name, told)
    return told


@entrance
def load(
    name: Annotated[str | Path, Kind(named)] = catalogue.EMBEDDED.name,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> DiffusersModel:
    """A text-to-image model: Picturebook, which is shipped with the package, unless another is named.

    name: a name of `helpers.models.catalogue.CATALOGUE`, a pipeline folder, a .safetensors file, or "owner/name" on
        huggingface.co. What is not yet on this machine is downloaded once.
    device: a GPU if there is one. dtype: float16 on an NVIDIA GPU, float32 elsewhere.

    Raises ValueError for an unknown name, FileNotFoundError for a missing file, HubOutOfReach without network and
    TooLittleMemory where the GPU is too small.
    """
    if name == catalogue.EMBEDDED.name:
        return load_embedded(device, dtype)
    if name not in catalogue.CATALOGUE and (path := as_path(name)):
        return (DiffusersModel.from_folder if path.is_dir() else load_file)(path, device, dtype)
    entry = catalogue.find(str(name))
    device, dtype = place(device, dtype)
    check_memory(entry, device, dtype)
    pipeline, kind = read_folder(fetch(entry, dtype), dtype, entry.name)
    own = {"steps": entry.steps, "guidance": entry.guidance} if entry.name in catalogue.CATALOGUE else {}
    return DiffusersModel.settled(pipeline, device, dtype, kind=kind, **own)


def as_path(name: str | Path) -> Path | None:
    """The folder or file meant by `name`; None if it means none, an error if it means one that is not there."""
    if not str(name).strip():
        return None
    path = checked_path("name", name)
    meant = isinstance(name, Path) or name[:1] in ("/", "~", ".")
    if path.exists() or path.suffix in (".safetensors", ".ckpt", ".pt", ".pth", ".bin"):
        return path
    if meant:
        raise FileNotFoundError(f"There is no folder {str(path)!r} (looked from {str(Path.cwd())!r}).")
    return None


def load_embedded(device: str | torch.device | None, dtype: torch.dtype | None) -> DiffusersModel:
    """Picturebook."""
    if not (EMBEDDED_FOLDER / "model_index.json").is_file():
        raise FileNotFoundError(
            f"The embedded model's weights are missing: there is no pipeline in {str(EMBEDDED_FOLDER)!r}. "
            "Install the package again; in a checkout, fetch the weights or train them."
        )
    entry = catalogue.EMBEDDED
    with of_the_package("The embedded model"):
        return DiffusersModel.from_folder(EMBEDDED_FOLDER, device, dtype, steps=entry.steps, guidance=entry.guidance)


def load_file(path: Path, device: str | torch.device | None, dtype: torch.dtype | None) -> DiffusersModel:
    """A single .safetensors file of Stable Diffusion (XL), as it is shared on model sites.

    Such a file holds weights only. Configuration and tokenizer come from a pipeline folder of the same name beside it
    ("my/model" for "my/model.safetensors", weights not needed), else from the hub, where diffusers knows its kind.
    """
    if path.suffix != ".safetensors":
        raise ValueError(f"{str(path)!r}: only .safetensors files are loaded; files of other kinds can run programs.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r} (looked from {str(Path.cwd())!r}).")
    device, dtype = place(device, dtype)
    kind, folder = kind_of_file(path), path.with_suffix("")
    if not (folder / INDEX).is_file():
        folder = configuration(path)
    what = repr(str(path))
    if check_index(index := read_json(folder / INDEX), what) != kind:
        raise ValueError(f"{what} is for a {kind}; the folder {str(folder)!r} is for a {index['_class_name']}.")
    of = check_configs(folder, index, what)
    try:
        with building(), catalogue.explained_memory(what):
            pipeline = pipeline_class(kind).from_single_file(str(path), config=str(folder), local_files_only=True,
                                                             **precision(dtype))
    except (TooLittleMemory, MemoryError):
        raise
    except Exception as error:  # whatever the library says, with what to do
        short = " ".join(str(error).split())[:200]
        raise ValueError(f"{what} does not fit the configuration in {str(folder)!r} ({type(error).__name__}: {short}): "
                         "give it that of a pipeline of its own kind.") from error
    return DiffusersModel.settled(pipeline, device, dtype, kind=of)


def configuration(path: Path) -> Path:
    """The folder of configurations from the hub for a single file, where diffusers knows its kind."""
    from diffusers.loaders.single_file_utils import fetch_diffusers_config
    from safetensors.torch import load_file as tensors_of

    repository = fetch_diffusers_config(tensors_of(path))["pretrained_model_name_or_path"]
    return fetch_configuration(repository, str(path))


def kind_of_file(path: Path) -> str:
    """The pipeline class a single file is for: only SDXL has a second text encoder."""
    header = check_safetensors(path)
    if not any(name.startswith("model.diffusion_model.") for name in header):
        raise ValueError(f"{str(path)!r} is not a whole Stable Diffusion model (a LoRA or a part of one, perhaps).")
    first = header.get(FIRST_LAYER, {}).get("shape", [0, 4])
    if len(first) > 1 and first[1] != 4:
        is_one = CHANNELS.get(first[1], "no model that these methods know")
        raise ValueError(f"{str(path)!r} is {is_one}. {INSTEAD}")
    if any(name.startswith(("double_blocks.", "model.diffusion_model.double_blocks.",
                            "model.diffusion_model.joint_blocks.")) for name in header):
        raise ValueError(f"{str(path)!r} is a flow model; expected a Stable Diffusion (XL). {INSTEAD}")
    return PIPELINES[any(name.startswith("conditioner.embedders.1.") for name in header)]
