"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
import random_pipelines

from helpers.model import DiffusersModel, quiet


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
