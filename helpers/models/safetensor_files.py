"""Whether a .safetensors file is whole, from its first bytes and its length: before anything of it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class NotWhole(ValueError):
    """A file of weights is damaged, cut off, or no file of weights at all."""

    def __init__(self, file: Path, says: str) -> None:
        self.file, self.told = file, f"{str(file)!r} is not a readable file of a model ({says})"
        super().__init__(f"{self.told}; download it again.")


@contextmanager
def of_the_package(what: str) -> Iterator[None]:
    """NotWhole with another remedy: what is shipped with the package comes with the package."""
    try:
        yield
    except NotWhole as error:
        raise ValueError(f"{what} is damaged: {error.told}. Install the package again; in a checkout, "
                         "`git checkout -- helpers/picturebook/weights`.") from error


def check_safetensors(file: Path) -> dict[str, Any]:
    """The header of the file: name -> dtype, shape and place; NotWhole if it is damaged or shorter than it says."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= length <= min(size - 8, 100_000_000):
            raise NotWhole(file, what_else(file))
        raw = opened.read(length)
    try:
        header: dict[str, Any] = json.loads(raw)
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        whole = 8 + length + max(ends, default=0)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise NotWhole(file, what_else(file)) from None
    if whole != size:
        raise NotWhole(file, f"it has {size:,} bytes of {whole:,}")
    return header


def what_else(file: Path) -> str:
    """What a file is that is no safetensors file, by how it begins."""
    with file.open("rb") as opened:
        start = opened.read(200)
    for begins, says in ((b"version https://git-lfs", "it is a pointer of git-lfs, without the weights"),
                         (b"GGUF", "it is a GGUF file"), (b"PK", "it is a pickled file"), (b"\x80", "it is pickled")):
        if start.startswith(begins):
            return says
    if start.lstrip()[:1] == b"<":
        return "it is a web page, a login perhaps"
    return "it is damaged" if start else "it is empty"
