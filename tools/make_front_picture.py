"""Make docs/edits.png, the picture at the top of the README: a few edits, with their prompts and the right answers.

    python tools/make_front_picture.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from helpers import load, show  # noqa: E402
from helpers.core.interface import Model  # noqa: E402
from helpers.core.masks import widened  # noqa: E402
from helpers.methods.blended import blended_diffusion  # noqa: E402
from helpers.methods.diffedit import diffedit  # noqa: E402
from helpers.methods.inversion import edit_friendly, reconstruct  # noqa: E402
from helpers.methods.sdedit import sdedit  # noqa: E402
from helpers.picturebook.edits import Edit  # noqa: E402
from helpers.picturebook.scene import Scene  # noqa: E402

TARGET = ROOT / "docs" / "edits.png"
ALT = (
    "Four edits of picture-book scenes by four methods, each with the picture that is given, the edited picture and "
    "the right answer, prompts below - notice what changes and what stays"
)


class Shown(NamedTuple):
    """One edit of the picture, and the method that makes it."""

    method: str
    scene: Scene
    change: dict[str, str]
    made: Callable[[Model, Edit], Any]

    @property
    def edit(self) -> Edit:
        """The edit itself."""
        return Edit(self.scene, self.scene.but(**self.change))


CYCLIST = Scene(seed=4, thing="cat", color="orange", ride="bicycle", doing="riding")
EDITS = (
    Shown("SDEdit", Scene(seed=3, thing="dog", color="white", place="beach"), {"thing": "fox"},
          lambda model, e: sdedit(model, e.picture, e.target_prompt, strength=0.8, seed=7)),
    Shown("Blended Diffusion", Scene(seed=8, thing="pig", color="pink", place="city"), {"beside": "ball"},
          lambda model, e: blended_diffusion(model, e.picture, e.target_prompt, widened(e.mask, 3), strength=0.9,
                                             seed=7)),
    Shown("DiffEdit", CYCLIST, {"ride": "motorcycle"},
          lambda model, e: diffedit(model, e.picture, e.prompt, e.target_prompt)),
    Shown("Edit-friendly inversion", CYCLIST, {"color": "gray"},
          lambda model, e: reconstruct(model, edit_friendly(model, e.picture, e.prompt, seed=3), e.target_prompt)),
)


def main() -> None:
    """Make the edits and write the picture: two edits a row."""
    model = load()
    blocks, labels = [], []
    for shown in EDITS:
        edit = shown.edit
        blocks.append([edit.picture, shown.made(model, edit), edit.target_picture])
        labels.append([edit.prompt, f"{edit.target_prompt}\n({shown.method})", ""])
    rows = [blocks[i] + blocks[i + 1] for i in range(0, len(blocks), 2)]
    texts = [text for block in labels for text in block]
    columns = ["given", "edited", "the right answer"] * 2
    show.pictures(rows, columns=columns, labels=texts, alt=ALT).save(TARGET)
    in_few_colours(TARGET)
    print(TARGET.relative_to(ROOT))


def in_few_colours(file: Path) -> None:
    """Write a PNG again with 256 colours: a third of the size, since notebook 0 holds it in its text."""
    few = Image.open(file).convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


if __name__ == "__main__":
    main()
