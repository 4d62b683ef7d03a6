"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shape_checks

shape_checks.install()  # before anything of the package is imported

import random_pipelines  # noqa: E402
from browser import chromium  # noqa: E402

from helpers.models.diffusers_model import DiffusersModel  # noqa: E402
from helpers.models.quiet import quiet  # noqa: E402


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of small random pipelines: "sd", "v" (v-prediction, AutoencoderTiny) and "xl"."""
    with quiet():
        return random_pipelines.save_all(tmp_path_factory.mktemp("pipelines"))


@pytest.fixture(scope="session")
def models(folders: dict[str, Path]) -> dict[str, DiffusersModel]:
    """The small random pipelines as models."""
    return {name: DiffusersModel.from_folder(folder, "cpu") for name, folder in folders.items()}


@pytest.fixture(scope="session", params=["sd", "v", "xl"])
def model(request: pytest.FixtureRequest, models: dict[str, DiffusersModel]) -> DiffusersModel:
    """Each of the small random models in turn."""
    return models[request.param]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium that reaches no other machine. One for all tests: playwright starts but once in a process."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium.find(), args=flags)
        yield opened
        opened.close()
