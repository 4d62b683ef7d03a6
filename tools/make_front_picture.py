"""Make docs/edits.png, the picture at the top of the README: a few edits, with their prompts and the right answers.

    python tools/make_front_picture.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from helpers import load, show  # noqa: E402
from helpers.picturebook.edits import Edit  # noqa: E402
from helpers.picturebook.scene import Scene  # noqa: E402
from helpers.sdedit import sdedit  # noqa: E402

TARGET = ROOT / "docs" / "edits.png"
ALT = (
    "Four edits of picture-book scenes, each with the picture that is given, the edited picture and the right answer, "
    "prompts below - notice what changes and what stays"
)


class Shown(NamedTuple):
    """One edit of the picture, and SDEdit's knobs for it."""

    scene: Scene
    change: dict[str, str]
    strength: float
    seed: int

    @property
    def edit(self) -> Edit:
        """The edit itself."""
        return Edit(self.scene, self.scene.but(**self.change))


EDITS = (
    Shown(Scene(seed=4, thing="cat", color="orange", ride="bicycle", doing="riding"), {"color": "blue"}, 0.8, 7),
    Shown(Scene(seed=3, thing="dog", color="white", place="beach"), {"thing": "fox"}, 0.8, 7),
    Shown(Scene(seed=6, thing="bunny", color="gray", place="river"), {"sky": "night"}, 0.9, 7),
    Shown(Scene(seed=2, thing="bear", color="brown", place="forest"), {"wearing": "hat"}, 0.8, 7),
)


def main() -> None:
    """Make the edits and write the picture: two edits a row."""
    model = load()
    blocks, labels = [], []
    for shown in EDITS:
        edit = shown.edit
        result = sdedit(model, edit.picture, edit.target_prompt, strength=shown.strength, seed=shown.seed)
        blocks.append([edit.picture, result, edit.target_picture])
        labels.append([edit.prompt, edit.target_prompt, ""])
    rows = [blocks[i] + blocks[i + 1] for i in range(0, len(blocks), 2)]
    texts = [text for block in labels for text in block]
    columns = ["given", "edited (SDEdit)", "the right answer"] * 2
    print(show.pictures(rows, columns=columns, labels=texts, alt=ALT).save(TARGET).relative_to(ROOT))


if __name__ == "__main__":
    main()
