"""Does it fit? What a run of a large model needs of a GPU's memory, what this GPU has, and what to do.

    from helpers import budget

    budget("stable-diffusion-v1-5")      # before anything is downloaded: a line for each kind of run
    budget(model)                        # of a model that is loaded

`load` refuses a model that does not fit, and a fit refuses to begin. The gigabytes are counted, not measured: on
tensors without contents, at real size, with the classes that compute (benchmarks/big_models.py); Apple's GPUs compute
in single precision here, NVIDIA's in half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from helpers.models import catalogue, devices

DRIVER = 0.5  # GB that a GPU's driver and its libraries take for themselves
LARGE = 500_000_000  # numbers in the network of a model that these gigabytes are for; smaller ones fit anywhere
KINDS = {
    "picture_gb": ("pictures", "take a smaller model, or run it slowly on the processor: load(..., device='cpu')"),
    "edit_gb": ("edits", "take a smaller model, or run it slowly on the processor: load(..., device='cpu')"),
    "embedding_gb": ("null-text, fit_embedding", "take inversion.direct, or a smaller model"),
    "lora_gb": ("fits of a LoRA, batch 4", "take batch=1, or a smaller model"),
    "all_gb": ("fits of all weights, batch 4", "fit a LoRA: rank=4"),
}
#: GB on the GPU at most, weights included, by family and precision; those of results/big_models.json
COUNTED: dict[str, dict[str, dict[str, float]]] = {
    "Stable Diffusion": {
        "half": {"weights_gb": 2.3, "picture_gb": 3.11, "edit_gb": 3.11, "embedding_gb": 3.2, "lora_gb": 3.42,
                 "all_gb": 14.84},
        "single": {"weights_gb": 4.26, "picture_gb": 5.07, "edit_gb": 5.07, "embedding_gb": 6.07, "lora_gb": 6.5,
                   "all_gb": 15.59},
    },
    "Stable Diffusion XL": {
        "half": {"weights_gb": 7.1, "picture_gb": 10.32, "edit_gb": 10.32, "embedding_gb": 9.3, "lora_gb": 11.88,
                 "all_gb": 44.41},
        "single": {"weights_gb": 13.88, "picture_gb": 17.1, "edit_gb": 17.1, "embedding_gb": 18.27, "lora_gb": 23.36,
                   "all_gb": 47.41},
    },
}


@dataclass(frozen=True)
class Budget:
    """What a model needs on a device, in GB by kind of run, and what there is.

    needs: {kind: GB}, those of `KINDS`; has: GB, infinite on a processor, whose memory is not checked.
    """

    name: str
    device: str
    has: float
    needs: dict[str, float]

    def fits(self, kind: str) -> bool:
        """Whether a kind of run fits: "picture_gb", "edit_gb", "embedding_gb", "lora_gb" or "all_gb"."""
        return self.needs[kind] <= self.has

    def __repr__(self) -> str:
        """A line for each kind of run."""
        if self.has == float("inf"):
            return f"{self.name} on the processor: it runs in the computer's memory, slowly."
        rows = [f"{self.name} on {self.device}: {self.has:.1f} GB are free"]
        for kind, (what, remedy) in KINDS.items():
            says = "fits" if self.fits(kind) else f"does not fit: {remedy}"
            rows.append(f"  {what:<30}needs {self.needs[kind]:4.1f} GB   {says}")
        return "\n".join(rows)


def budget(model: Any = "stable-diffusion-v1-5", device: str | torch.device | None = None) -> Budget:
    """What a model needs, and what the device has: for a name of the table, or a model that is loaded.

    device: where it is to run; a GPU if there is one. A loaded model says itself, and what it occupies counts as free.
    """
    if isinstance(model, str):
        entry = catalogue.find(model)
        here, dtype = devices.place(device, None)
        needs = of_entry(entry, dtype)
        return Budget(entry.name, str(here), devices.free_gb(here), needs)
    needs = of_model(model)
    return Budget(repr(model), str(model.device), devices.free_gb(model.device) + occupied(model), needs)


def of_entry(entry: catalogue.Entry, dtype: torch.dtype) -> dict[str, float]:
    """{kind: GB} for an entry of the table: its own figure for pictures, the rest as counted for its family."""
    family = "Stable Diffusion XL" if "xl" in entry.name else "Stable Diffusion"
    counted = COUNTED[family][precision(dtype)]
    if entry is catalogue.EMBEDDED:
        return dict.fromkeys(KINDS, entry.gpu_gb)
    picture = entry.gpu_gb * counted["picture_gb"] / COUNTED[family]["half"]["picture_gb"]
    return {kind: picture + counted[kind] - counted["picture_gb"] for kind in KINDS}


def of_model(model: Any) -> dict[str, float]:
    """{kind: GB} for a loaded model; nothing to speak of for a small one."""
    if not is_large(model):
        return dict.fromkeys(KINDS, catalogue.EMBEDDED.gpu_gb)
    return {kind: COUNTED[model.kind.family][precision(model.unet.dtype)][kind] + DRIVER for kind in KINDS}


def precision(dtype: torch.dtype) -> str:
    """The name that the table has for a dtype."""
    return "half" if dtype.itemsize == 2 else "single"


def is_large(model: Any) -> bool:
    """Whether a model is one that these gigabytes are for."""
    network = getattr(model, "unet", None)
    return network is not None and sum(value.numel() for value in network.parameters()) >= LARGE


def occupied(model: Any) -> float:
    """GB that a loaded model's networks occupy on its device."""
    if not is_large(model):
        return 0.0
    return COUNTED[model.kind.family][precision(model.unet.dtype)]["weights_gb"] + DRIVER


def check_memory(entry: catalogue.Entry, device: torch.device, dtype: torch.dtype) -> None:
    """Refuse before anything is downloaded if the model will not fit."""
    needed, free = of_entry(entry, dtype)["picture_gb"], devices.free_gb(device)
    if free < needed:
        raise catalogue.too_little_memory(entry.name, needed, free)


def check_fit_memory(model: Any, kind: str) -> None:
    """Refuse a fit before it begins if it will not fit beside the model: "lora_gb" or "all_gb"."""
    if not is_large(model):
        return
    here = budget(model)
    if not here.fits(kind):
        what, remedy = KINDS[kind]
        raise catalogue.TooLittleMemory(
            f"The GPU has too little free memory: {what} need about {here.needs[kind]:.0f} GB with the model, and "
            f"{here.has:.1f} GB are there. Close other notebooks (Kernel > Shut down), or {remedy}.")
