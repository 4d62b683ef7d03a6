"""Checksums of a folder of files, for those that have none of their own: what is shipped with the package.

    write_checksums(folder)      writes checksums.json
    check_files(folder)          an error if a file is not as it was then; nothing where nothing was written
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from helpers.models.safetensor_files import NotWhole

CHECKSUMS = "checksums.json"
AT_ONCE = 2**20  # bytes


def checksum(file: Path) -> int:
    """A number that changes with any bit of the file."""
    crc = 0
    with file.open("rb") as opened:
        while piece := opened.read(AT_ONCE):
            crc = zlib.crc32(piece, crc)
    return crc


def files_below(folder: Path) -> Iterator[str]:
    """The files of a folder and of the folders in it that a model is made of, with "/"."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in (".json", ".safetensors", ".txt") and file.name != CHECKSUMS:
            yield file.relative_to(folder).as_posix()


def write_checksums(folder: Path, names: Iterable[str] | None = None) -> Path:
    """checksums.json of these files of a folder, of all unless named; it stands in the folder."""
    chosen = files_below(folder) if names is None else names
    text = json.dumps({name: checksum(folder / name) for name in chosen}, indent=1)
    (folder / CHECKSUMS).write_text(text + "\n", encoding="utf-8")
    return folder / CHECKSUMS


def checksums_of(folder: Path) -> dict[str, Any]:
    """What checksums.json says, by the files' names; nothing where there is none."""
    file = folder / CHECKSUMS
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotWhole(file, "it holds no checksums")
    return found


def check_files(folder: Path) -> None:
    """NotWhole if a file is not the one whose checksum was written; of files that are missing others speak."""
    for name, told in checksums_of(folder).items():
        if (folder / name).is_file() and told != checksum(folder / name):
            raise NotWhole(folder / name, "its checksum differs")
