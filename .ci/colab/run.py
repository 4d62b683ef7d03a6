"""Run the notebooks as Google Colab does: each alone in an empty folder, with Colab's versions, unmodified and uncut.

    python .ci/colab/run.py                 all notebooks
    python .ci/colab/run.py 01 04           those whose names start so
    python .ci/colab/run.py --torch 2.13.0  where the torch of versions.txt cannot be had for this Python

What the course is cloned from is this repository as it is committed, in the place of its address on the web. Before
each notebook the course and all that Colab does not ship are taken out again: for a notebook, every runtime is new.
Fails if a cell fails, and if a version that Colab ships was changed. Times go to results/colab.json.
Needs nothing but Python; what Colab ships is installed into build/colab.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENV = ROOT / "build" / "colab"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
RESULTS = ROOT / "results" / "colab.json"
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
SITE = "https://github.com/"


def versions(torch: str | None = None) -> list[str]:
    """Return the lines "name==version" of what Colab ships, with another torch if one is named."""
    lines = (HERE / "versions.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    return [f"torch=={torch}" if torch and pin.startswith("torch==") else pin for pin in pins]


def make_runtime(wanted: list[str]) -> None:
    """Make an environment with what Colab ships, unless it is there."""
    stamp = VENV / "versions.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8").split() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    source = ["--extra-index-url", CPU_TORCH] if os.environ.get("CI") else []
    subprocess.run([str(PYTHON), "-m", "pip", "install", "-q", *source, *wanted], check=True)
    stamp.write_text("\n".join(wanted), encoding="utf-8")


def frozen() -> dict[str, str]:
    """Return {package: version} of all that is installed in the runtime."""
    listed = subprocess.run([str(PYTHON), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
                            check=True, capture_output=True, text=True)
    return {package["name"]: package["version"] for package in json.loads(listed.stdout)}


def make_repository(folder: Path) -> dict[str, str]:
    """Clone what is committed here; return the environment in which git takes it for the repository on the web."""
    sys.path[:0] = [str(ROOT / "tools")]
    from repository import ref, repository

    bare = folder / "repository.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), str(bare)], check=True)
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    kind = "heads" if ref() == "main" else "tags"
    subprocess.run(["git", "-C", str(bare), "update-ref", f"refs/{kind}/{ref()}", head.stdout.strip()], check=True)
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{bare.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": SITE + repository(), "PYTHONPATH": str(HERE), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(notebook: Path, shipped: dict[str, str], environment: dict[str, str]) -> dict[str, Any]:
    """Run one notebook in a runtime that is as new; return how it went: cells, seconds, error, what it installed."""
    strange = sorted(set(frozen()) - set(shipped))
    if strange:
        subprocess.run([str(PYTHON), "-m", "pip", "uninstall", "-q", "-y", *strange], check=True)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(notebook, folder)
        command = [str(PYTHON), str(HERE / "cells.py"), notebook.name]
        ran = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True,
                             encoding="utf-8")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1]) if ran.stdout.strip() else {"error": "no answer"}
    now = frozen()
    changed = {name: f"{shipped[name]} -> {now.get(name)}" for name in shipped if now.get(name) != shipped[name]}
    return found | {"changed": changed, "installed": sorted(set(now) - set(shipped))}


def record(found: dict[str, Any], wanted: list[str]) -> None:
    """Write down when, on what and how each notebook ran; other notebooks keep what is known of them."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    circumstances = {
        "date": datetime.date.today().isoformat(), "commit": commit.stdout.strip(), "cores": os.cpu_count(),
        "python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}",
        "versions": dict(pin.split("==") for pin in wanted),
    }
    rows = {name: row | {"run": circumstances} for name, row in found.items()}
    everything = dict(sorted((known.get("notebooks", {}) | rows).items()))
    RESULTS.write_text(json.dumps({"notebooks": everything}, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run the notebooks that the command line names; return 1 if one of them did not go through."""
    parser = argparse.ArgumentParser(description="Run the notebooks as Google Colab does.")
    parser.add_argument("names", nargs="*", help="the start of a notebook's name, such as 01; all if left out")
    parser.add_argument("--torch", metavar="VERSION", help="in the place of the torch that Colab ships")
    asked = parser.parse_args()
    wanted = versions(asked.torch)
    make_runtime(wanted)
    shipped = {name: version for name, version in frozen().items() if name not in ("editing-in-text2img", "aggdraw")}
    notebooks = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
                 if not asked.names or path.name.startswith(tuple(asked.names))]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = make_repository(Path(folder))
        for notebook in notebooks:
            row = found[notebook.stem[:2]] = run(notebook, shipped, environment)
            print(f"{notebook.name}: {row}", flush=True)
    record(found, wanted)
    return int(not found or any(row.get("error") or row["changed"] for row in found.values()))


if __name__ == "__main__":
    sys.exit(main())
