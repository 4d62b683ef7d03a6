"""Draw the figures of lesson 5 in the plane of the analytic model, as notebook 5 does, with the lesson's alt texts.

    python tools/draw_lesson05.py
"""

import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.texts import write_lesson  # noqa: E402
from helpers import AnalyticModel, show  # noqa: E402
from helpers.methods.inversion import ddim, direct  # noqa: E402

LESSON = ROOT / "lessons" / "05_real_pictures.md"
START = [-1.6, 0.4]  # the "picture"
COUNTS = (10, 20, 50, 100, 200)  # steps
GUIDANCES = (1, 2, 4)


def down(model: AnalyticModel, steps: int, guidance: float = 1) -> torch.Tensor:
    """The states of the way up from START and down again: (steps + 1, 1, 2) of the way down."""
    return ddim(model, START, "left", steps=steps, guidance=guidance, progress=False).trajectory[:, :, 0, 0]


def missed(model: AnalyticModel, steps: int, guidance: float) -> float:
    """How far from START the way down ends."""
    return (down(model, steps, guidance)[-1].flatten() - torch.tensor(START)).norm().item()


def figures(alts: dict[str, str]) -> dict[str, show.Figure]:
    """The figures by file name."""
    model = AnalyticModel()
    paths = {}
    for steps in (8, 50):
        up = direct(model, START, "left", steps=steps, progress=False).trajectory.flip(0)
        paths |= {f"up, {steps} steps": up[:, :, 0, 0], f"down, {steps} steps": down(model, steps)}
    errors = {f"guidance {w}": [missed(model, steps, w) for steps in COUNTS] for w in GUIDANCES}
    return {"05_plane": show.plane(model, points={"the picture": START}, paths=paths, alt=alts["05_plane"]),
            "05_error": show.curve(COUNTS, errors, xlabel="steps", ylabel="distance to the picture",
                                   alt=alts["05_error"])}


if __name__ == "__main__":
    write_lesson(LESSON, {}, figures)
