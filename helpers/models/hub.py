"""Files from huggingface.co, and what to do where they cannot be had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from socket import gaierror

import torch

from helpers.models import catalogue
from helpers.models.quiet import quiet


def fetch(entry: catalogue.Entry, dtype: torch.dtype) -> tuple[Path, str | None]:
    """The folder and variant of files ("fp16" or None) of an entry: from this machine, else from the hub."""
    variants = ("fp16", None) if dtype == torch.float16 else (None,)
    errors: list[Exception] = []
    for local_only in (True, False):
        errors.clear()
        for repository, revision in entry.sources:
            for variant in variants:
                try:
                    return download(repository, revision, variant, local_only), variant
                except (OSError, ValueError) as error:
                    errors.append(error)
    raise explained(entry, errors) from errors[-1]


def download(repository: str, revision: str, variant: str | None, local_only: bool) -> Path:
    """The files of a pipeline, as safetensors only; the safety checker stays where it is."""
    with quiet(bars=not local_only):
        from diffusers import DiffusionPipeline

        folder = DiffusionPipeline.download(
            repository,
            revision=revision,
            variant=variant,
            use_safetensors=True,
            local_files_only=local_only,
            safety_checker=None,
            feature_extractor=None,
        )
    return Path(folder)


def explained(entry: catalogue.Entry, errors: Sequence[Exception]) -> Exception:
    """The hub's errors in our words: it did not answer, or it has no such model."""
    chain = [cause for error in errors for cause in causes(error)]
    return (catalogue.out_of_reach if any(map(unanswered, chain)) else catalogue.not_there)(entry, errors)


def unanswered(error: BaseException) -> bool:
    """Whether the error comes from the network rather than from the hub."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    network = (ConnectionError, TimeoutError, gaierror, LocalEntryNotFoundError)
    return isinstance(error, network) or type(error).__module__.startswith(("httpx", "httpcore", "requests"))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and the errors it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
