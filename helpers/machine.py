"""What machine is this, and what does that mean for the course?

    from helpers.machine import this_machine

    this_machine()
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from helpers.models.catalogue import CATALOGUE

LIBRARIES = ("torch", "diffusers", "transformers")
LITTLE_MEMORY = 3.0  # GB; below it the course and a browser do not fit side by side
LARGE = CATALOGUE["stable-diffusion-v1-5"]


@dataclass(frozen=True)
class Machine:
    """One computer, as far as the course cares. Sizes are in GB; None where the system does not say."""

    system: str
    python: str
    cores: int
    memory: float | None
    gpu: str | None  # its name; None without one
    gpu_memory: float | None
    libraries: dict[str, str]  # name -> version

    @property
    def meaning(self) -> str:
        """What that means for the course, in a sentence."""
        if self.gpu is None:
            text = "No GPU, and none is needed: Picturebook runs on the CPU. Stable Diffusion would be slow here."
        elif self.gpu_memory is None or self.gpu_memory >= LARGE.gpu_gb:
            text = "Picturebook and Stable Diffusion both run on the GPU here."
        else:
            text = f"Picturebook runs on the GPU here. Stable Diffusion wants one with {LARGE.gpu_gb:g} GB."
        if self.memory is not None and self.memory < LITTLE_MEMORY:
            text += " There is little memory: close other programs before you start."
        return text

    def __repr__(self) -> str:
        rows = {
            "system": self.system,
            "Python": self.python,
            "CPU cores": str(self.cores),
            "memory": in_gb(self.memory),
            "GPU": f"{self.gpu}, {in_gb(self.gpu_memory)}" if self.gpu else "none",
            **self.libraries,
        }
        return "\n".join(f"{name:<14}{value}" for name, value in rows.items()) + f"\n\n{self.meaning}"


def this_machine() -> Machine:
    """The machine this runs on."""
    name, size = gpu()
    libraries = {library: version(library) for library in LIBRARIES}
    system = f"{platform.system()} {platform.machine()}"
    return Machine(system, platform.python_version(), cores(), memory(), name, size, libraries)


def cores() -> int:
    """CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> float | None:
    """Memory in GB that programs may use: the machine's, or less where a container sets a limit."""
    sizes = [size for size in (machine_bytes(), container_bytes()) if size]
    return min(sizes) / 1e9 if sizes else None


def machine_bytes() -> int | None:
    """The machine's memory."""
    if os.name == "nt":
        return windows_bytes()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def windows_bytes() -> int | None:
    """The machine's memory, as Windows says it."""
    if sys.platform != "win32":
        return None
    import ctypes

    size = ctypes.c_ulonglong()
    found = ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(size))  # in kB
    return size.value * 1024 if found else None


def container_bytes() -> int | None:
    """The limit of the Linux container this runs in; None without one."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such file, or "max"
        return None


def gpu() -> tuple[str | None, float | None]:
    """The GPU's name and memory in GB; (None, None) without one."""
    import torch

    if torch.cuda.is_available():
        found = torch.cuda.get_device_properties(0)
        return found.name, found.total_memory / 1e9
    if torch.backends.mps.is_available():
        return "Apple GPU (memory shared with the CPU)", None
    return None, None


def in_gb(size: float | None) -> str:
    """A size in words."""
    return "unknown" if size is None else f"{size:.0f} GB"
