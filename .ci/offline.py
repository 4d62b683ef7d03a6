"""Try a kit without any network: unpack it, set it up, set it up again, run a notebook; note it in results/kit.json.

    python .ci/offline.py build/kit/NAME.zip            with pip
    python .ci/offline.py build/kit/NAME.zip --with uv  with uv, which is in the path

Needs Linux, root and unshare: everything runs in a network namespace of its own, which has no network at all.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "kit.json"
NOTEBOOK = "notebooks/01_what_is_editing.ipynb"


def alone(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Run a command where there is no network but the loopback address; return its seconds."""
    shell = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *command]
    start = time.perf_counter()
    subprocess.run(shell, cwd=folder, env=environment, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Try the kit that the command line names; return 0, or stop with what fails."""
    parser = argparse.ArgumentParser(description="Try a kit without any network.")
    parser.add_argument("kit", type=Path)
    parser.add_argument("--with", dest="installer", default="pip", choices=["pip", "uv"])
    asked = parser.parse_args()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    uv = shutil.which("uv")
    if asked.installer == "pip" and uv:
        environment["PATH"] = os.pathsep.join(part for part in environment["PATH"].split(os.pathsep)
                                              if Path(part) != Path(uv).parent)
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(asked.kit).extractall(folder)
        (course,) = Path(folder).iterdir()
        first = alone([sys.executable, "start.py", "setup"], course, environment)
        again = alone([sys.executable, "start.py", "setup"], course, environment)
        size = sum(path.lstat().st_size for path in (course / ".venv").rglob("*") if path.is_file()) / 1e9
        run = [".venv/bin/python", "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", folder, NOTEBOOK]
        took = alone(run, course, environment)
    row = {"date": datetime.date.today().isoformat(), "minutes": round(first / 60, 1), "again_seconds": round(again, 1),
           "gb": round(size, 2), "notebook": f"notebook 01 ran in {took / 60:.1f} minutes"}
    known = json.loads(RESULTS.read_text(encoding="utf-8"))
    known.setdefault("tried", {})[f"with {asked.installer}"] = row
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
