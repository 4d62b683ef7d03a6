"""A JupyterLab on the loopback address with one notebook of all widgets, run in Debian's Chromium."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jupytext
import nbformat
import pytest

import start

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
QUIET = [
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
RUN_ALL = """async () => {
  const app = window.jupyterapp; await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready; await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info;
  await app.commands.execute('notebook:run-all-cells');
}"""
# JupyterLab gives the focus to the notebook some time after the last cell has run: keys pressed before would get lost.
SETTLED = """async () => {
  let last = null, since = performance.now();
  while (performance.now() - since < 1500) {
    if (document.activeElement !== last) { last = document.activeElement; since = performance.now(); }
    await new Promise((done) => setTimeout(done, 50));
  }
}"""
ASK = """async (expression) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const request = { code: '', user_expressions: { value: expression }, silent: false, store_history: false };
  const answer = (await kernel.requestExecute(request).done).content.user_expressions.value;
  return answer.status === 'ok' ? answer.data['text/plain'] : `${answer.ename}: ${answer.evalue}`;
}"""


def free_port() -> int:
    """Return a port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lab:
    """A page of JupyterLab in a browser; remembers every address the browser asked for."""

    def __init__(self, browser: Any, address: str, folder: Path) -> None:
        self.context = browser.new_context(viewport={"width": 1300, "height": 950}, has_touch=True)
        self.context.set_default_timeout(60_000)
        self.address, self.folder = address, folder
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page = self.new_page()

    def new_page(self) -> Any:
        """Return one more page of the same browser."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def open(self, notebook: str) -> None:
        """Open a notebook of the folder."""
        self.page.goto(f"{self.address}/lab/tree/{notebook}?reset")
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context")

    def run_all(self) -> None:
        """Run all cells; wait for the last one, and until the focus stays where it is."""
        self.page.evaluate(RUN_ALL)
        self.page.evaluate(SETTLED)

    def ask(self, expression: str) -> str:
        """Return what the notebook's Python says an expression is, as text; an error's name and message otherwise."""
        return self.page.evaluate(ASK, expression)

    def until(self, expression: str, wanted: str, seconds: float = 15) -> None:
        """Wait until the notebook's Python says that `expression` is `wanted`."""
        end = time.monotonic() + seconds
        while (found := self.ask(expression)) != wanted:
            assert time.monotonic() < end, f"{expression} is {found}, not {wanted}"
            time.sleep(0.2)

    def strangers(self) -> list[str]:
        """Return the addresses asked for that are not on this machine."""
        return [a for a in self.asked if urlsplit(a).scheme in ("http", "https", "ws", "wss")
                and urlsplit(a).hostname != "127.0.0.1"]

    def picture(self, name: str) -> None:
        """Save what the page looks like where BROWSER_PICTURES names a folder, to be looked at."""
        if folder := os.environ.get("BROWSER_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the notebook, not yet run."""
    folder = tmp_path_factory.mktemp("notebooks")
    notebook = jupytext.read(HERE / "widgets_notebook.py", fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    nbformat.write(notebook, folder / "widgets.ipynb")
    return folder


@pytest.fixture(scope="session")
def server(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that knows nothing of this machine's settings."""
    home, port = tmp_path_factory.mktemp("jupyter"), free_port()
    places = {f"JUPYTER_{what}_DIR": str(home / what.lower()) for what in ("CONFIG", "DATA", "RUNTIME")}
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**start.lab_environment(), **places, "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": paths}
    environment.pop("TQDM_DISABLE", None)  # a bar is looked for
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
               "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={notebooks}", *QUIET]
    with (home / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status", process, home / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(f"http://127.0.0.1:{port}", process)


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    """Return once the server at `address` answers."""
    for _ in range(120):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(log.read_text(encoding="utf-8"))


def stop(address: str, process: subprocess.Popen) -> None:
    """End the kernels, then the server."""
    try:
        for kernel in json.load(urllib.request.urlopen(f"{address}/api/kernels", timeout=5)):
            request = urllib.request.Request(f"{address}/api/kernels/{kernel['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=10).close()
    except OSError:
        pass
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()


@pytest.fixture(scope="session")
def lab(browser: Any, server: str, notebooks: Path) -> Lab:
    """JupyterLab with the notebook open and run."""
    opened = Lab(browser, server, notebooks)
    opened.open("widgets.ipynb")
    opened.run_all()
    return opened
