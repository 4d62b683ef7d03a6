"""Files that are written whole or not at all, and read with a clear sentence where they are broken."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor


def check_folder(folder: Path) -> None:
    """Makes the folder, and an OSError that says what to do if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".can-write-{os.getpid()}"
        probe.write_bytes(b"yes")
        probe.unlink()
    except OSError as error:
        raise type(error)(error.errno, f"Nothing can be written to the folder {str(folder)!r} ({error.strerror}): "
                                       "give another folder.") from error


def written(file: Path, write: Callable[[Path], None]) -> Path:
    """`file` as `write` writes it, whole or not at all: a kill or a full disk leaves what was there before."""
    file = file.expanduser()
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        write(new)
        with new.open("rb+") as f:
            os.fsync(f.fileno())
        new.chmod(0o644)  # safetensors writes files that only their owner can read
        os.replace(new, file)
    except Exception as error:
        new.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise
        raise OSError(f"{str(file)!r} could not be written: {error}") from error  # safetensors has its own errors
    return file


def read_safetensors(file: Path, key: str) -> tuple[dict[str, Tensor], Any]:
    """The tensors of a file and what is told under `key` beside them; ValueError if it is something else."""
    from safetensors import safe_open

    file = file.expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {str(file)!r} (looked from {str(Path.cwd())!r}).")
    try:
        with safe_open(file, "pt") as f:
            metadata = json.loads((f.metadata() or {})[key])
            return {name: f.get_tensor(name) for name in f.keys()}, metadata  # noqa: SIM118 (not a dict)
    except Exception as error:
        raise ValueError(f"{str(file)!r} is not what was expected, or is broken ({error}): delete it or give "
                         "another.") from error


def digest(values: Sequence[Any]) -> str:
    """Eight hexadecimal digits that tell two lists of pictures or arrays apart."""
    return hashlib.sha256(b"".join(value.tobytes() for value in values)).hexdigest()[:8]
