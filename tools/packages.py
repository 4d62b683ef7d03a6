"""What start.py installs into .venv: which packages, from where, how large, and how. The standard library alone.

The steps (`steps`) are installed one after the other, the largest packages first, so that a set-up which is interrupted
goes on with the step that it was in. uv does it where it is there, since it is faster; where it fails, pip does. A
folder wheels/ beside start.py (tools/make_kit.py) stands for the network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHEELS = ROOT / "wheels"
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
# Gigabytes to download and on the disk, measured on Linux without a GPU; torch's GPU libraries are an estimate.
SIZES = {"course": (0.35, 1.6), "course,test,site": (0.45, 1.9)}
GPU_LIBRARIES = (3, 6)
LARGEST = ("torch", "jupyterlab")  # steps of their own, in this order
# Settings that say where packages come from. All others (PIP_USER, PIP_TARGET ...) would install elsewhere.
KEPT_OF_PIP = {f"PIP_{name}" for name in (
    "CACHE_DIR CERT CLIENT_CERT CONFIG_FILE DEFAULT_TIMEOUT EXTRA_INDEX_URL FIND_LINKS INDEX_URL KEYRING_PROVIDER LOG "
    "NO_CACHE_DIR NO_INDEX PROGRESS_BAR PROXY RETRIES TIMEOUT TRUSTED_HOST").split()}  # fmt: skip
KEPT_OF_UV = {f"UV_{name}" for name in (
    "CACHE_DIR CONFIG_FILE DEFAULT_INDEX EXTRA_INDEX_URL FIND_LINKS HTTP_RETRIES HTTP_TIMEOUT INDEX INDEX_URL "
    "INSECURE_HOST KEYRING_PROVIDER LINK_MODE NATIVE_TLS NO_CACHE NO_PROGRESS OFFLINE SYSTEM_CERTS"
).split()}  # fmt: skip
OF_PIP_FOR_UV = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX", "PIP_CERT": "SSL_CERT_FILE",
                 "PIP_FIND_LINKS": "UV_FIND_LINKS", "PIP_PROXY": "ALL_PROXY", "PIP_TRUSTED_HOST": "UV_INSECURE_HOST"}
ELSEWHERE = {"PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__"}  # would make pip see packages of elsewhere
FETCHED = re.compile(r"\s*Downloading (\S+) \(([\d.]+) ([kMG]?B)\)")
UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def asked_for(extras: str) -> list[str]:
    """Return the requirements that pyproject.toml has for the package and its `extras` (comma-separated)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(line for extra in extras.split(",") for line in
                                        project["optional-dependencies"][extra])]  # fmt: skip


def steps(extras: str) -> list[list[str]]:
    """Return what is to be installed one after the other; the last step is the course itself."""
    large = [line for name in LARGEST for line in asked_for(extras) if re.match(rf"{name}\b", line)]
    return [*([line] for line in large), ["-e", f".[{extras}]"]]


def tell(extras: str, fresh: bool, gpu: bool) -> None:
    """Say what will be downloaded, how much, and how much of the disk it fills; stop if the disk has no room for it."""
    download, disk = SIZES[extras]
    if not fresh:
        download, disk = download - SIZES["course"][0], disk - SIZES["course"][1]
    already = set(asked_for("course")) if not fresh else set()
    names = [re.split(r"[<>=!~ ;]", line)[0] for line in asked_for(extras) if line not in already]
    more = " With torch's libraries for a GPU it is about {} GB and {} GB more.".format(*GPU_LIBRARIES)
    from_where = "nothing" if WHEELS.is_dir() else f"about {download:.2g} GB"
    print(f"Installing into .venv: {', '.join(names)}, and what these need: {from_where} to download, {disk:.2g} GB on "
          f"the disk.{more if fresh and gpu else ''} The first time this takes a few minutes.", flush=True)
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < disk:
        sys.exit(f"This disk has {free:.2g} GB left. Make room for {disk:.2g} GB, then run the same command again.")


def source() -> list[str]:
    """Return the options that say where packages come from: the folder wheels/, else as `torch_source` says."""
    return ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else torch_source()


def torch_source() -> list[str]:
    """Return pip's options for a torch without CUDA, on a Linux machine that has no NVIDIA GPU.

    There the default torch brings gigabytes of GPU libraries. Where the page of CPU builds is out of reach, nothing
    is added and pip takes the torch of its usual index.
    """
    if sys.platform != "linux" or shutil.which("nvidia-smi"):
        return []
    try:
        urllib.request.urlopen(CPU_TORCH + "/torch/", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return []
    return ["--extra-index-url", CPU_TORCH]


def install(python: str, extras: str, versions: str, options: list[str]) -> None:
    """Install all steps into the environment of `python`; stop with a sentence if it fails."""
    for number, packages in enumerate(steps(extras), 1):
        name = packages[-1] if len(packages) == 1 else "the course and all others"
        print(f"Step {number} of {len(steps(extras))}: {name}", flush=True)
        wanted = [*options, "-c", versions, *packages]
        if not with_uv(python, wanted) and with_pip(python, wanted):
            sys.exit("The packages could not be installed; pip says why above. Once online, run the same command "
                     "again: it goes on with this step.")


def with_uv(python: str, wanted: list[str]) -> bool:
    """Install with uv, if it is here; return whether that was done. Of several indexes, the best version is taken."""
    uv = shutil.which("uv")
    if not uv:
        return False
    command = [uv, "pip", "install", "--python", python, "--index-strategy", "unsafe-best-match", *wanted]
    if subprocess.run(command, cwd=ROOT, env=uv_environment(), stdin=subprocess.DEVNULL).returncode == 0:
        return True
    print("uv could not do it; now pip tries.", flush=True)
    return False


def with_pip(python: str, wanted: list[str]) -> int:
    """Install with pip; return its exit status. Without a terminal, what it fetches is told line by line."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "install", "--no-user", *wanted]
    if sys.stdout.isatty():
        return subprocess.run(command, cwd=ROOT, env=pip_environment(), stdin=subprocess.DEVNULL).returncode
    process = subprocess.Popen(command, cwd=ROOT, env=pip_environment(), stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, encoding="utf-8", errors="replace")
    megabytes = 0.0
    with process:
        for line in process.stdout or ():
            if found := FETCHED.match(line):
                megabytes += float(found[2]) * UNITS[found[3]]
                print(f"  {megabytes:6.0f} MB: {found[1].rpartition('/')[2]}", flush=True)
            elif line.startswith("Installing collected packages"):
                print(f"  unpacking {line.count(',') + 1} packages", flush=True)
    return process.returncode


def forget_unfinished(venv: Path) -> None:
    """Take out the packages that a set-up was stopped in the middle of: what says INSTALLER is written at the end."""
    for place in ("lib/python*/site-packages/*.dist-info", "Lib/site-packages/*.dist-info"):
        for about in venv.glob(place):
            if not (about / "INSTALLER").is_file():
                shutil.rmtree(about, ignore_errors=True)


def pip_environment() -> dict[str, str]:
    """Return this process's environment without what would make pip install elsewhere, or see packages of elsewhere."""
    def kept(name: str) -> bool:
        return name not in ELSEWHERE and (not name.startswith("PIP_") or name in KEPT_OF_PIP)

    return {name: value for name, value in os.environ.items() if kept(name.upper())}


def uv_environment() -> dict[str, str]:
    """Return the same for uv, which does not read pip's settings: where packages come from is told it as its own."""
    def kept(name: str) -> bool:
        return name not in ELSEWHERE and (not name.startswith("UV_") or name in KEPT_OF_UV)

    found = {name: value for name, value in os.environ.items() if kept(name.upper())}
    for name, its in OF_PIP_FOR_UV.items():
        if name in found and its not in found:
            found[its] = ",".join(found[name].split()) if its == "UV_FIND_LINKS" else found[name]
    return found
