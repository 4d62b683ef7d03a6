"""JupyterHub for one class: each student has a server of their own, a copy of the notebooks, and limits.

    python start.py setup
    .venv/bin/python -m pip install -r classroom/requirements.txt
    npm install --prefix classroom configurable-http-proxy
    COURSE_PASSWORD=... .venv/bin/jupyterhub -f classroom/jupyterhub_config.py

Settings, all of them variables of the environment:

    COURSE_PASSWORD    what students type beside a name of their choice, at least 8 characters; there is no default
    COURSE_ADDRESS     where it listens; http://127.0.0.1:8000, this machine alone, unless given
    COURSE_STUDENTS    folder of the students' files; classroom/students unless given
    COURSE_MEMORY_GB   limit of each process of a student; 3 unless given
    COURSE_SEATS       students at once; 30 unless given

All students' processes run as the user who starts this: who means harm can read the others' files. For a class in one
room that is enough. For a server that stands open, take the same notebooks and limits with a spawner that separates
its users (docs/classroom.md).
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner

COURSE = Path(__file__).resolve().parents[1]
STUDENTS = Path(os.environ.get("COURSE_STUDENTS") or COURSE / "classroom" / "students").resolve()
MEMORY_GB = float(os.environ.get("COURSE_MEMORY_GB") or 3)
SEATS = int(os.environ.get("COURSE_SEATS") or 30)
FOLDERS = ("notebooks", "docs", "lessons")  # what a student gets a copy of
c: Any = get_config()  # noqa: F821  JupyterHub puts it here


class Seat(SimpleLocalProcessSpawner):
    """A student's server, whose processes get so much memory and no more, and give way to the hub."""

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Return what the new process does before anything else."""
        enter = super().make_preexec_fn(name)

        def limited() -> None:
            import resource

            enter()
            most = int(MEMORY_GB * 1e9)
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
            os.nice(5)

        return limited


def give_notebooks(spawner: Any) -> None:
    """Copy the course into the student's folder; what is there already stays, since it is the student's work."""
    home = Path(spawner.home_dir)
    for folder in FOLDERS:
        for source in sorted((COURSE / folder).rglob("*")):
            target = home / folder / source.relative_to(COURSE / folder)
            if source.is_file() and source.suffix != ".py" and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)


password = os.environ.get("COURSE_PASSWORD", "")
if len(password) < 8:
    sys.exit("Set COURSE_PASSWORD, at least 8 characters: students type it beside a name of their choice.")
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z][a-z0-9_-]{0,30}"  # it becomes the name of a folder

c.JupyterHub.bind_url = os.environ.get("COURSE_ADDRESS") or "http://127.0.0.1:8000"
c.JupyterHub.cookie_secret = secrets.token_bytes(32)
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.active_server_limit = SEATS
c.JupyterHub.concurrent_spawn_limit = 10
c.JupyterHub.cleanup_servers = True
proxy = COURSE / "classroom" / "node_modules" / ".bin" / "configurable-http-proxy"
if proxy.exists():
    c.ConfigurableHTTPProxy.command = [str(proxy)]

STUDENTS.mkdir(parents=True, exist_ok=True)
c.JupyterHub.spawner_class = Seat
c.SimpleLocalProcessSpawner.home_dir_template = str(STUDENTS / "{username}")
c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 120
c.Spawner.pre_spawn_hook = give_notebooks
c.Spawner.mem_limit = int(MEMORY_GB * 1e9)  # for spawners that enforce it themselves, in a container say
c.Spawner.cpu_limit = 1.0
c.Spawner.environment = {
    "OMP_NUM_THREADS": "1",  # else each student's notebook takes all cores
    "OMP_WAIT_POLICY": "PASSIVE",  # and keeps them while it waits
    "PYTHONPATH": str(COURSE),
}
c.Spawner.args += [
    "--MappingKernelManager.cull_idle_timeout=3600",  # seconds; a kernel that nobody uses goes
    "--ServerApp.shutdown_no_activity_timeout=7200",
]

if token := os.environ.get("COURSE_TRIAL_TOKEN"):  # classroom/trial.py plays the students
    c.JupyterHub.services = [{"name": "trial", "api_token": token}]
    c.JupyterHub.load_roles = [{"name": "trial", "services": ["trial"],
                                "scopes": ["admin:users", "admin:servers", "access:servers"]}]
