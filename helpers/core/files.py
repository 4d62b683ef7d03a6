"""Files of ours: written whole or not at all, and checked for kind, version and checksum before anything is used.

Every file is a safetensors file. Its header says what kind of thing it holds (`KINDS`), which version of the format it
has, and a checksum of everything else; files written before there was a checksum are read, too.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from helpers.core.shapes import Weight
from helpers.core.values import path as as_path

VERSION = 1
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # how a system says that there is no room
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)  # and that something may not be written to
KINDS = {"source": "a saved Source", "weights": "saved Weights", "imagic": "a saved Fitted",
         "fit": "the checkpoint of a fit"}
HEADER = "helpers"  # the key under which a file of ours says its kind, version and checksum


class DamagedFile(ValueError):
    """A file is not what it should be, or not whole; nothing of it was used."""


def save_tensors(file: str | os.PathLike[str], kind: str, tensors: Mapping[str, Weight],
                 metadata: Mapping[str, Any]) -> Path:
    """Write a file of one of `KINDS`, whole or not at all; `metadata` is what can be written as JSON."""
    from safetensors.torch import save_file

    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = to_json(metadata)
    about = {"kind": kind, "version": VERSION, "checksum": checksum(whole, text)}
    header = {kind: text, HEADER: json.dumps(about), "format": "pt"}
    return written(as_path("file", file), lambda new: save_file(whole, new, metadata=header))


def load_tensors(file: str | Path, kind: str) -> tuple[dict[str, Weight], dict[str, Any]]:
    """The tensors and the metadata of a file that `save_tensors` wrote, as it wrote them.

    Raises FileNotFoundError, and DamagedFile for a file of another kind, of a newer version, or with a changed bit.
    """
    file = existing(file)
    tensors, header = read_header(file)
    if kind not in header:
        there = next((KINDS[other] for other in KINDS if other in header), "something else")
        raise DamagedFile(f"{str(file)!r} holds {there}; expected {KINDS[kind]}.")
    try:
        about, metadata = json.loads(header.get(HEADER, "{}")), json.loads(header[kind])
        version = about.get("version", 0)
    except (ValueError, AttributeError) as error:
        raise damaged(file, "its header cannot be read") from error
    if not isinstance(version, int) or version > VERSION:
        raise DamagedFile(f"{str(file)!r} was written by a newer version of this package ({version}): update it.")
    if about and about.get("checksum") != checksum(tensors, header[kind]):
        raise damaged(file, "its checksum differs")
    if not isinstance(metadata, dict):
        raise damaged(file, "its header holds no names")
    return tensors, metadata


def existing(file: str | os.PathLike[str]) -> Path:
    """The path of a file that is there; FileNotFoundError says from where it was looked for."""
    path = as_path("file", file)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r} (looked from {str(Path.cwd())!r}).")
    return path


def read_header(file: Path) -> tuple[dict[str, Weight], dict[str, str]]:
    """The tensors and the header of any safetensors file."""
    from safetensors import safe_open

    try:
        with safe_open(file, "pt") as f:
            return {name: f.get_tensor(name) for name in f.keys()}, dict(f.metadata() or {})  # noqa: SIM118 (not a dict)
    except PermissionError:
        raise
    except Exception as error:  # safetensors has its own errors, for a broken header also torch's
        raise damaged(file, "it is no whole safetensors file") from error


def damaged(file: Path, why: str) -> DamagedFile:
    """What to say of a file that cannot be used."""
    return DamagedFile(f"{str(file)!r} is damaged or was not written by this package ({why}): make it again, or give "
                       "another file.")


def required(file: str | Path, metadata: Mapping[str, Any], **kinds: type | tuple[type, ...]) -> None:
    """DamagedFile unless `metadata` has these names with values of these kinds."""
    for name, kind in kinds.items():
        if name not in metadata or not isinstance(metadata[name], kind):
            raise damaged(Path(file), f"{name} is missing or of a wrong kind")


def checksum(tensors: Mapping[str, Weight], text: str) -> int:
    """A number that changes with any bit of the tensors, their names, dtypes and shapes, and of `text`."""
    crc = zlib.crc32(text.encode())
    for name in sorted(tensors):
        value = tensors[name]
        crc = zlib.crc32(f"{name} {value.dtype} {tuple(value.shape)}".encode(), crc)
        crc = zlib.crc32(value.contiguous().reshape(-1).view(torch.uint8).numpy().data, crc)
    return crc


def to_json(value: object) -> str:
    """JSON, with numbers and paths of other libraries as plain ones."""
    return json.dumps(value, default=plain)


def plain(value: Any) -> Any:
    """A numpy or torch number as Python's, a path as text."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if callable(item := getattr(value, "item", None)):
        return item()
    raise TypeError(f"{value!r} cannot be written to a file.")


def write_json(file: Path, kind: str, metadata: Mapping[str, Any]) -> Path:
    """Write settings, with the kind, the version and a checksum of them."""
    about = {"kind": kind, "version": VERSION, "checksum": zlib.crc32(to_json(metadata).encode())}
    return written(file, lambda new: new.write_text(to_json({**metadata, HEADER: about}) + "\n", encoding="utf-8"))


def read_our_json(file: Path, kind: str) -> dict[str, Any]:
    """What `write_json` wrote, without what it added; DamagedFile for anything else."""
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
        about = metadata.pop(HEADER, {"kind": kind})  # files from before there were checksums have none
        fits = about["kind"] == kind and about.get("checksum") in (None, zlib.crc32(to_json(metadata).encode()))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        fits = False
    if not fits or not isinstance(metadata, dict):
        raise damaged(file, "it is not as it was written")
    return metadata


# ------------------------------------------------------------------------------------------------- whole or not at all


def written(file: Path, write: Callable[[Path], object]) -> Path:
    """`file` as `write` writes it, whole or not at all: a kill or a full disk leaves what was there before."""
    file = file.expanduser()
    if not file.name or file.is_dir():
        raise IsADirectoryError(f"{str(file)!r} is a folder; expected the name of a file to write.")
    if not file.parent.is_dir():
        raise FileNotFoundError(f"{str(file)!r} cannot be written: there is no folder {str(file.parent)!r}. Make it.")
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    remove_leftovers(file)
    try:
        write(new)
        with new.open("rb+") as f:
            os.fsync(f.fileno())
        with suppress(OSError):  # Google Drive and USB sticks know no such rights
            new.chmod(0o644)  # safetensors writes files that only their owner can read
        os.replace(new, file)
    except BaseException as error:
        with suppress(OSError):  # on a disk that can only be read, the error above is the one to tell
            new.unlink(missing_ok=True)
        if not isinstance(error, Exception):
            raise
        raise unwritten(file, error) from error
    return file


def unwritten(file: Path, error: Exception) -> OSError:
    """The error for a file that could not be written, with the one thing to do. safetensors has errors of its own."""
    told = re.search(r"os error (\d+)", str(error))
    number = getattr(error, "errno", None) or (int(told[1]) if told else None)
    if number in FULL:
        return OSError(number, f"{str(file)!r} could not be written, for there is no room: make room on the disk, or "
                               "give a file on another one")
    if number in CLOSED:
        return PermissionError(number, f"{str(file)!r} could not be written, for that is not allowed there: give a "
                                       "file in a folder of your own")
    return OSError(f"{str(file)!r} could not be written: {error}")


def remove_leftovers(file: Path) -> None:
    """Remove what processes that were killed while they wrote `file` have left beside it."""
    with suppress(OSError):
        for left in file.parent.glob(f".{glob.escape(file.name)}.*.new"):
            number = left.name.removesuffix(".new").rpartition(".")[2]
            if number.isdecimal() and not alive(int(number)):
                left.unlink(missing_ok=True)


def alive(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    if os.name == "nt":  # there os.kill(pid, 0) ends the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def check_folder(folder: Path) -> None:
    """Make the folder, and an OSError that says what to do if nothing can be written there."""
    probe = folder / f".can-write.{os.getpid()}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder / "can-write")
        probe.write_bytes(b"yes")
    except OSError as error:
        raise type(error)(error.errno, f"Nothing can be written to the folder {str(folder)!r} ({error.strerror}): "
                                       "give another folder.") from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def digest(values: Sequence[Any]) -> str:
    """Eight hexadecimal digits that tell two lists of pictures or arrays apart."""
    return hashlib.sha256(b"".join(value.tobytes() for value in values)).hexdigest()[:8]
