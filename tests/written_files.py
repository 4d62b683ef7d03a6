"""Every kind of file that we write: how it is written, how it is read, and what a reader makes of it.

    python tests/written_files.py FOLDER      kills itself in the middle of each kind's write and says what is left

A disk that is full is the process's limit on the size of files: the system itself refuses the next byte, whoever
writes it. A process that is killed at a byte is the same limit with the signal that goes with it left as it is.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
MOMENT = 30.0  # seconds that a child may take

from toy_network import ToyModel  # noqa: E402

from helpers.core.interface import CLEAN, Text  # noqa: E402
from helpers.finetuning.checkpoint import CHECKPOINT  # noqa: E402
from helpers.finetuning.fit import fit_weights  # noqa: E402
from helpers.finetuning.weights import Weights, full  # noqa: E402
from helpers.methods.dreambooth import PRIOR, prior_pictures  # noqa: E402
from helpers.methods.imagic import Fitted  # noqa: E402
from helpers.methods.source import Source  # noqa: E402
from helpers.show.figure import Figure  # noqa: E402


class Kind(NamedTuple):
    """A kind of file: its name in a folder, what writes it there (version 0 or 1), and what reads it."""

    file: str
    write: Callable[[Path, int], Any]
    read: Callable[[Path], Any]


class Painter:
    """A model whose pictures are one colour each: enough for the prior of DreamBooth."""

    steps, guidance, size = 1, 1.0, (64, 64)
    fingerprint = "12345678"

    def eps(self) -> None:
        """Never called."""

    def generate(self, prompt: str, seed: list[int], **_: Any) -> list[Image.Image]:
        """A picture for each seed."""
        return [noise(one) for one in seed]


def noise(seed: int) -> Image.Image:
    """A picture that no format makes small."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8))


def source(folder: Path, version: int) -> None:
    Source(f"a cat {version}", 2, 4.0, (9, 4, CLEAN), torch.full((3, 4, 8, 8), float(version)), "0").save(
        folder / "source.safetensors")


def lora(version: int) -> dict[str, torch.Tensor]:
    return {"unet.to_q.lora_A.weight": torch.full((2, 300), float(version)),
            "unet.to_q.lora_B.weight": torch.ones(4, 2)}


def weights(folder: Path, version: int) -> None:
    Weights(lora(version), ("sks",), {"prompt": "a sks cat"}).save(folder / "weights.safetensors")


def fitted(folder: Path, version: int) -> None:
    text = Text(torch.full((1, 3, 40), float(version)), None, Text(torch.ones(1, 3, 40)))
    Fitted("a cat", text, text, Weights(lora(version)), (1, 1, 2, 2)).save(folder / "fitted.safetensors")


def fit(folder: Path, version: int, steps: int | None = None) -> Weights:
    model = ToyModel()
    start = full(model)

    def loss(step: int) -> torch.Tensor:
        return sum(value.square().sum() for value in model.networks["unet"].parameters())

    return fit_weights(model, start, loss, steps=steps or 2 + version, lr=0.1, folder=folder, progress=False)


def prior(folder: Path, version: int) -> list[Image.Image]:
    return prior_pictures(Painter(), "a cat", 2 + version, folder=folder, progress=False)


def figure(folder: Path, version: int) -> None:
    Figure(noise(40 + version), "noise").save(folder / "figure.png")


def seen(value: Any) -> str:
    """What a reader makes of it, to be compared."""
    if isinstance(value, (Source, Weights, Fitted, Text)):
        return seen(vars(value))
    if isinstance(value, torch.Tensor):
        return str(value.tolist())
    if isinstance(value, Image.Image):
        return value.tobytes().hex()
    if isinstance(value, dict):
        return str({key: seen(each) for key, each in value.items()})
    return str([seen(each) for each in value]) if isinstance(value, (list, tuple)) else repr(value)


KINDS = {
    "Source": Kind("source.safetensors", source, lambda folder: Source.load(folder / "source.safetensors")),
    "Weights": Kind("weights.safetensors", weights, lambda folder: Weights.load(folder / "weights.safetensors")),
    "Fitted": Kind("fitted.safetensors", fitted, lambda folder: Fitted.load(folder / "fitted.safetensors")),
    "checkpoint": Kind(CHECKPOINT, fit, lambda folder: fit(folder, 0, steps=4)),
    "prior.json": Kind(PRIOR, prior, lambda folder: prior(folder, 0)),
    "prior picture": Kind("00001.png", prior, lambda folder: prior(folder, 0)),
    "Figure": Kind("figure.png", figure, lambda folder: Image.open(folder / "figure.png").copy()),
}


@contextmanager
def no_room(size: int) -> Iterator[None]:
    """A disk on which no file can grow beyond `size` bytes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def killed_at(byte: int, write: Callable[[], Any]) -> int:
    """A child of this process writes and is killed when a file has grown to `byte`; the signal that ended it."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, so that it is an error
        with no_room(byte):
            write()
        os._exit(0)
    end = time.monotonic() + MOMENT
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def killed(name: str, folder: Path) -> dict[str, Any]:
    """What is left of a kind of file after kills in the middle of its second write, and after a whole one."""
    kind = KINDS[name]
    kind.write(folder, 0)
    before, signals, whole = (folder / kind.file).read_bytes(), [], True
    for byte in sorted({0, 1, 9, len(before) // 3, len(before) // 2, len(before) - 1}):
        again(name, folder)
        signals.append(killed_at(byte, lambda: kind.write(folder, 1)))
        whole = whole and (not (folder / kind.file).exists() or (folder / kind.file).read_bytes() == before)
    left = left_in(folder)
    kind.write(folder, 1)
    kind.read(folder)
    return {"signals": signals, "as before": whole, "left by the kills": left, "left at the end": left_in(folder)}


def on_a_full_disk(name: str, folder: Path) -> dict[str, Any]:
    """What is left, and what is said, when the disk is full in the middle of a kind's second write."""
    kind = KINDS[name]
    kind.write(folder, 0)
    before, said, whole = (folder / kind.file).read_bytes(), [], True
    for byte in sorted({0, 9, len(before) // 2, len(before) - 1}):
        again(name, folder)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                with no_room(byte):
                    kind.write(folder, 1)
            except Exception as error:
                said.append(f"{type(error).__name__}: {error}")
        said += [f"{one.category.__name__}: {one.message}" for one in warned]
        whole = whole and (not (folder / kind.file).exists() or (folder / kind.file).read_bytes() == before)
    return {"said": said, "as before": whole, "left": left_in(folder)}


def again(name: str, folder: Path) -> None:
    """Make room for a write: pictures of the prior are made but once, and prior.json before the first of them."""
    for file in folder.glob("*.png") if name == "prior.json" else [folder / "00001.png"]:
        file.unlink(missing_ok=True)


def left_in(folder: Path) -> list[str]:
    """What somebody who was writing has left."""
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".new"))


def main(folder: Path) -> None:
    """All kinds, as JSON."""
    torch.set_num_threads(1)
    found = {}
    for name in KINDS:
        (folder / name / "full").mkdir(parents=True)
        found[name] = killed(name, folder / name) | {"on a full disk": on_a_full_disk(name, folder / name / "full")}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
