"""Try the server for a class: students at once, each of whom runs a notebook from top to bottom; memory and minutes.

    .venv/bin/python classroom/trial.py                       4 students, notebook 04
    .venv/bin/python classroom/trial.py --students 1 --notebook 01_what_is_editing.ipynb
    ... --record                                              note it in results/classroom.json

Starts JupyterHub on the loopback address with jupyterhub_config.py as it is, and ends it. The students come over HTTP
and websockets, as a browser does. Needs what classroom/requirements.txt names, and Linux: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

COURSE = Path(__file__).resolve().parents[1]
LONGEST = 1800  # seconds for one cell
CLASS = 30  # students for whom the memory is reckoned
GREEDY = "bytearray(64 * 10**9)"  # more than any student may have


class Hub:
    """A hub that runs inside the with-block."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.token = folder, secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"

    def __enter__(self) -> Hub:
        environment = {**os.environ, "COURSE_PASSWORD": secrets.token_hex(8), "COURSE_ADDRESS": self.address,
                       "COURSE_STUDENTS": str(self.folder / "students"), "COURSE_TRIAL_TOKEN": self.token}
        command = [str(Path(sys.executable).with_name("jupyterhub")), "-f",
                   str(COURSE / "classroom" / "jupyterhub_config.py")]
        self.log = (self.folder / "hub.log").open("wb")
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=self.log, stderr=self.log)
        for _ in range(240):
            try:
                self.ask("GET", "/hub/api/")
                return self
            except (OSError, ValueError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.5)
        self.end()
        raise RuntimeError(f"The hub did not start: {(self.folder / 'hub.log').read_text('utf-8', 'replace')[-2000:]}")

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End the hub and all servers."""
        self.process.terminate()
        self.process.wait(60)
        self.log.close()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what the hub, or a student's server, answers."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class Student:
    """One student: a server, a kernel, a notebook from top to bottom."""

    def __init__(self, hub: Hub, name: str, notebook: str) -> None:
        self.hub, self.name, self.notebook = hub, name, notebook

    def work(self) -> dict[str, Any]:
        """Return seconds until the server was there, seconds of the notebook, cells, memory in MB, and an error."""
        begin = time.perf_counter()
        self.enter()
        waited = time.perf_counter() - begin
        kernel = self.hub.ask("POST", f"/user/{self.name}/api/kernels", {"path": f"notebooks/{self.notebook}"})
        begin = time.perf_counter()
        done, error, held = self.run(kernel["id"])
        took = time.perf_counter() - begin
        return {"student": self.name, "server_seconds": round(waited, 1), "seconds": round(took, 1), "cells": done,
                "error": error, "limit_held": held, **used(self.hub.folder / "students" / self.name)}

    def enter(self) -> None:
        """Log in and wait for the server."""
        self.hub.ask("POST", f"/hub/api/users/{self.name}")
        self.hub.ask("POST", f"/hub/api/users/{self.name}/server", {})
        for _ in range(600):
            found = self.hub.ask("GET", f"/hub/api/users/{self.name}")["servers"].get("", {})
            if found.get("ready"):
                return
            time.sleep(0.5)
        raise RuntimeError(f"{self.name} got no server.")

    def run(self, kernel: str) -> tuple[int, str, bool]:
        """Run the student's copy of the notebook; return how many cells went through, the error of the next, and
        whether more memory than a student may have was refused afterwards, with an error that the student sees.
        """
        import websocket  # comes with jupyter_server

        file = self.hub.folder / "students" / self.name / "notebooks" / self.notebook
        cells = [cell for cell in json.loads(file.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
        address = f"{self.hub.address.replace('http', 'ws')}/user/{self.name}/api/kernels/{kernel}/channels"
        line = websocket.create_connection(address, timeout=LONGEST, header=[f"Authorization: token {self.hub.token}"])
        try:
            for done, cell in enumerate(cells):
                error = execute(line, "".join(cell["source"]))
                if error and "raises-exception" not in cell["metadata"].get("tags", []):
                    return done, error, False
            return len(cells), "", execute(line, GREEDY).startswith("MemoryError")
        finally:
            line.close()


def execute(line: Any, code: str) -> str:
    """Run one cell over a websocket; return its error, "" if it went through."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "trial", "username": "trial",
              "version": "5.3", "date": datetime.datetime.now(datetime.UTC).isoformat()}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    line.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                          "channel": "shell", "buffers": []}))
    while True:
        text = line.recv()
        if not isinstance(text, str):  # a widget's picture
            continue
        answer = json.loads(text)
        if answer["parent_header"].get("msg_id") == header["msg_id"] and answer["msg_type"] == "execute_reply":
            content = answer["content"]
            return "" if content["status"] == "ok" else f"{content.get('ename')}: {content.get('evalue')}"


def used(home: Path) -> dict[str, float]:
    """Return what the processes of a student's folder took: memory in MB, at most, and the kernel's processor time."""
    found = {"kernel_mb": 0.0, "server_mb": 0.0, "cpu_seconds": 0.0}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            status = (process / "status").read_text(encoding="utf-8")
            ticks = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
            if not os.readlink(process / "cwd").startswith(str(home)):
                continue
        except OSError:
            continue
        kind = "kernel_mb" if "ipykernel_launcher" in command else "server_mb" if "singleuser" in command else ""
        most = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
        if kind:
            found[kind] = max(found[kind], round(int(most) / 1024, 1))
        if kind == "kernel_mb":
            found["cpu_seconds"] += round(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), 1)
    return found


def trial(students: int, notebook: str) -> dict[str, Any]:
    """Return how a class of so many went, and what that means for a class of 30."""
    folder = Path(tempfile.mkdtemp(prefix="classroom-"))
    begin = time.perf_counter()
    with Hub(folder) as hub, ThreadPoolExecutor(students) as room:
        seats = [Student(hub, f"student{number}", notebook) for number in range(1, students + 1)]
        rows = list(room.map(Student.work, seats))
    shutil.rmtree(folder, ignore_errors=True)
    each = max(row["kernel_mb"] + row["server_mb"] for row in rows)
    processor = max(row["cpu_seconds"] for row in rows) / 60
    return {"date": datetime.date.today().isoformat(), "students": students, "notebook": notebook,
            "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(), "minutes": round((time.perf_counter() - begin) / 60, 1),
            "mb_each": round(each), "core_minutes_each": round(processor, 1), "rows": rows,
            "by_arithmetic": {"students": CLASS, "gb": round(each * CLASS / 1000, 1),
                              "core_minutes": round(processor * CLASS)}}


def main() -> int:
    """Try it as the command line says; return 1 if a student's notebook did not go through."""
    parser = argparse.ArgumentParser(description="Try the server for a class.")
    parser.add_argument("--students", type=int, default=4)
    parser.add_argument("--notebook", default="04_prompt_to_prompt.ipynb")
    parser.add_argument("--record", action="store_true", help="note it in results/classroom.json")
    asked = parser.parse_args()
    found = trial(asked.students, asked.notebook)
    print(json.dumps(found, indent=1))
    if asked.record:
        file = COURSE / "results" / "classroom.json"
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(any(row["error"] for row in found["rows"]))


if __name__ == "__main__":
    sys.exit(main())
