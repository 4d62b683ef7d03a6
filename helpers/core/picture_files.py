"""Pictures of ours in PNG files that say what they are: the kind, the version, a checksum, and what they show.

    keep(picture, file, kind="prior", seed=3)
    kept(file, kind="prior", seed=3)         the picture; DamagedFile if it is another one, or a bit has changed
"""

from __future__ import annotations

import json
import zlib
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from helpers.core.files import HEADER, VERSION, DamagedFile, written
from helpers.core.pictures import as_picture, read


def keep(picture: Image.Image, file: Path, **told: Any) -> Path:
    """Write the picture with what is told of it, whole or not at all."""
    about = PngInfo()
    about.add_text(HEADER, json.dumps({**told, "version": VERSION, "checksum": zlib.crc32(picture.tobytes())}))
    return written(file, partial(picture.save, format="PNG", pnginfo=about))


def kept(file: Path, **told: Any) -> Image.Image:
    """The picture that `keep` wrote; pictures from before there were checksums are read, too."""
    try:
        picture = read(file)
    except ValueError as error:
        raise damaged_picture(file) from error
    if HEADER not in picture.info:
        return as_picture(picture)
    try:
        about = json.loads(picture.info[HEADER])
        other = [name for name, value in told.items() if about.get(name) != value]
    except (ValueError, TypeError, AttributeError, RecursionError):
        other = ["what stands in it"]
    if other or about.get("checksum") != zlib.crc32(picture.tobytes()):
        raise damaged_picture(file)
    return as_picture(picture)


def damaged_picture(file: Path) -> DamagedFile:
    """What to say of a picture that is not the one that was kept."""
    return DamagedFile(f"{str(file)!r} is damaged, or another picture stands in its place: move it away, and the one "
                       "that belongs there is made again.")
