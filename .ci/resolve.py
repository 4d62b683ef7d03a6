"""For each system and Python: do the tested versions fit together there, and is there a wheel of each? Needs uv.

    python .ci/resolve.py            asks the package index; installs nothing; writes results/resolved.json

This is what can be known of Windows and macOS on a machine that is neither. It ends with 1 if one has no answer.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "resolved.json"
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = {  # as uv calls them
    "Linux, x86-64": "x86_64-manylinux_2_28",
    "Linux, ARM": "aarch64-manylinux_2_28",
    "Windows": "x86_64-pc-windows-msvc",
    "macOS 14, M processor": "aarch64-apple-darwin",
}


def resolved(uv: str, system: str, python: str) -> tuple[int, str]:
    """Return how many packages the course and its tests need there, and what uv says if there is no answer."""
    extras = [word for extra in ("course", "test", "site") for word in ("--extra", extra)]
    command = [uv, "pip", "compile", "-q", "--python-version", python, "--python-platform", system, "--only-binary",
               ":all:", "--index-strategy", "unsafe-best-match", "-c", "requirements-tested.txt", *extras,
               "pyproject.toml"]
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8")
    return (sum("==" in line for line in ran.stdout.splitlines()), "") if not ran.returncode else (0, ran.stderr)


def main() -> int:
    """Ask for each system and Python; return 1 if one has no answer."""
    uv = shutil.which("uv")
    if not uv:
        sys.exit("This needs uv: pip install uv")
    found: dict[str, dict[str, int]] = {}
    failed = False
    for name, system in SYSTEMS.items():
        for python in PYTHONS:
            packages, error = resolved(uv, system, python)
            found.setdefault(name, {})[python] = packages
            failed |= bool(error)
            print(f"{name}, Python {python}: {error or f'{packages} packages'}", flush=True)
    about = {"date": datetime.date.today().isoformat(), "packages": found}
    RESULTS.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
