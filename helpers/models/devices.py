"""Where to compute, how precisely, and how much memory is free there."""

from __future__ import annotations

from collections.abc import Callable

import torch

from helpers.core.values import shown


def place(device: str | torch.device | None, dtype: torch.dtype | None) -> tuple[torch.device, torch.dtype]:
    """Where and how precisely to compute: a GPU if there is one; float16 on NVIDIA's, else float32."""
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        raise ValueError(f"device is {shown(device)}; expected 'cpu', 'cuda' or 'mps'.") from None
    asked: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if not asked.get(device.type, lambda: True)():
        raise ValueError(f"There is no {device.type} device that this torch can use: leave device out, or write "
                         "device='cpu'.")
    if device.type == "meta":
        raise ValueError("device is 'meta', which holds no numbers; expected 'cpu', 'cuda' or 'mps'.")
    if not isinstance(dtype, torch.dtype | None) or (dtype is not None and not dtype.is_floating_point):
        raise TypeError(f"dtype is {shown(dtype)}; expected one of torch's: torch.float32, torch.float16 or "
                        "torch.bfloat16.")
    return device, dtype or (torch.float16 if device.type == "cuda" else torch.float32)


def free_gb(device: torch.device) -> float:
    """Free memory of a GPU in GB, Apple's included; infinite on other devices."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / 1e9
    if device.type == "mps":
        return (torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()) / 1e9
    return float("inf")
