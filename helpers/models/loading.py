"""One text-to-image model: embed, encode, decode, predict noise. The only file that imports diffusers.

`load()` gives Picturebook, the model shipped with the package; `load("stable-diffusion-v1-5")` the real thing. Methods
see only the interface `helpers.core.interface.Model`.
"""

from __future__ import annotations

from pathlib import Path

import torch

from helpers.models import catalogue
from helpers.models.devices import check_memory, place
from helpers.models.diffusers_model import DiffusersModel
from helpers.models.hub import causes, fetch, unanswered
from helpers.models.pipelines import PIPELINES, pipeline_class, precision, read_folder, settled
from helpers.models.quiet import quiet, untouched_random_state

EMBEDDED_FOLDER = Path(__file__).parents[1] / "picturebook" / "weights" / "pipeline"


def load(
    name: str | Path = catalogue.EMBEDDED.name,
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
    check_memory(entry, device)
    folder, variant = fetch(entry, dtype)
    return DiffusersModel(settled(read_folder(folder, dtype, variant), device, dtype), entry.steps, entry.guidance)


def as_path(name: str | Path) -> Path | None:
    """The folder or file meant by `name`; None if it means none, an error if it means one that is not there."""
    path = Path(name).expanduser()
    meant = isinstance(name, Path) or name[:1] in ("/", "~", ".")
    if path.exists() or path.suffix in (".safetensors", ".ckpt", ".pt", ".pth", ".bin"):
        return path if str(name) else None
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
    kind, config = kind_of_file(path), path.with_suffix("")
    config = str(config) if (config / "model_index.json").is_file() else None
    try:
        with quiet(bars=config is None), untouched_random_state():
            pipeline = pipeline_class(kind).from_single_file(
                str(path), config=config, local_files_only=config is not None, **precision(dtype)
            )
    except OSError as error:
        if config is None and any(map(unanswered, causes(error))):
            raise catalogue.no_configuration(str(path)) from error
        raise
    return DiffusersModel(settled(pipeline, device, dtype))


def kind_of_file(path: Path) -> str:
    """The pipeline class a single file is for: only SDXL has a second text encoder."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as weights:
            names = list(weights.keys())
    except Exception as error:
        raise ValueError(f"{str(path)!r} is not a readable safetensors file ({error}); download it again.") from error
    if not any(name.startswith("model.diffusion_model.") for name in names):
        raise ValueError(f"{str(path)!r} is not a whole Stable Diffusion model (a LoRA or a part of one, perhaps).")
    return PIPELINES[any(name.startswith("conditioner.embedders.1.") for name in names)]
