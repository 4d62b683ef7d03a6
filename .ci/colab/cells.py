"""Run all code cells of a notebook in a kernel in which google.colab is imported, as in Colab's; print how it went.

    python cells.py NOTEBOOK.ipynb

Started by run.py with the Python of the runtime, in the folder of the notebook. The notebook is read, not written.
The last line printed is JSON: {"cells", "seconds", "setup_seconds", "setup", "error", "at"}.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_client import KernelManager

LONGEST = 1800  # seconds a cell may take
KERNEL = "import google.colab; from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"


def run(client: Any, code: str) -> tuple[str, str]:
    """Run one cell; return what it printed, and its error ("" if it went through)."""
    printed: list[str] = []

    def take(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, store_history=True, allow_stdin=False, timeout=LONGEST, output_hook=take)
    content = reply["content"]
    failed = content["status"] != "ok"
    return "".join(printed), f"{content.get('ename')}: {content.get('evalue')}" if failed else ""


def told(printed: str) -> str:
    """Return the last line of what the set-up cell printed that is not pip's."""
    lines = [line for line in printed.splitlines() if line.strip() and not line.startswith(("WARNING", "[notice"))]
    return lines[-1] if lines else ""


def main() -> int:
    """Run the notebook that the command line names; return 1 if a cell failed that is not there to fail."""
    cells = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    manager = KernelManager()
    manager.kernel_spec.argv = [sys.executable, "-c", KERNEL, "-f", "{connection_file}"]
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    found: dict[str, Any] = {"cells": 0, "error": ""}
    try:
        client.wait_for_ready(timeout=120)
        start = time.perf_counter()
        for cell in code:
            printed, error = run(client, "".join(cell["source"]))
            if not found["cells"]:
                found |= {"setup": told(printed), "setup_seconds": round(time.perf_counter() - start, 1)}
            if error and "raises-exception" not in cell["metadata"].get("tags", []):
                found |= {"error": error, "at": "".join(cell["source"])[:200]}
                break
            found["cells"] += 1
        found |= {"of": len(code), "seconds": round(time.perf_counter() - start, 1)}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(json.dumps(found))
    return int(bool(found["error"]))


if __name__ == "__main__":
    sys.exit(main())
