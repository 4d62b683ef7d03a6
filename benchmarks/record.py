"""Writes measured numbers to `results/NAME.json`, with date, machine, commit and weights."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
WEIGHTS = ROOT / "helpers" / "picturebook" / "weights"


def record(name: str, numbers: dict[str, object]) -> Path:
    """Writes `numbers` to `results/name.json`; texts that quote them are compared with it by a test."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps({"measured": circumstances()} | numbers, indent=1) + "\n", encoding="utf-8")
    rows_file(name).unlink(missing_ok=True)
    return file


def rows_file(name: str) -> Path:
    """Where a long measurement keeps its rows until it is recorded; other weights have another file."""
    folder = ROOT / "runs" / "rows"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}-{weights()}.jsonl"


def weights() -> str:
    """Eight hexadecimal digits of all shipped weights, the judge's too."""
    digest = hashlib.sha256()
    for file in sorted(WEIGHTS.rglob("*.safetensors")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def circumstances() -> dict[str, object]:
    """When, where and on which code."""
    run = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*run, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {"date": datetime.date.today().isoformat(), "commit": commit, "weights": weights(),
            "cores": os.cpu_count(),
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            "libraries": {name: version(name) for name in ("torch", "diffusers", "transformers")}}


def interval(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), each end in [0, 1]."""
    if of == 0:
        return (0.0, 1.0)
    z, share = 1.96, right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * (share * (1 - share) / of + z * z / (4 * of * of)) ** 0.5
    return (round(middle - half, 4), round(middle + half, 4))
