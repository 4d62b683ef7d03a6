"""A small hub on the loopback address that speaks the hub's HTTP: model info, HEAD and GET of files, ranges, ETags.

    with Hub({"me/model": folder}) as hub:
        hub.trouble = {"unet/": "cut"}      # what goes wrong, by a part of the path
        ...
        hub.asked                           # [(method, path, bytes sent)]
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from huggingface_hub import close_session

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 2000  # bytes; a file is cut in the middle from here on


class Hub(ThreadingHTTPServer):
    """Repositories by their names, each a folder; `trouble`: part of a path -> what goes wrong there."""

    daemon_threads = True

    def __init__(self, repositories: Mapping[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.repositories = dict(repositories)
        self.trouble: dict[str, str] = {}
        self.asked: list[tuple[str, str, int]] = []
        self.stopped = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def weights_sent(self) -> int:
        """Bytes of weights that left."""
        return sum(sent for method, path, sent in self.asked if method == "GET" and path.endswith(".safetensors"))

    def __enter__(self) -> Hub:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """From now on nobody answers here, not even on a connection that stands."""
        self.stopped = True
        self.shutdown()
        self.server_close()
        close_session()

    def __exit__(self, *_: Any) -> None:
        if not self.stopped:
            self.stop()


class Answer(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = unquote(self.path.split("?")[0])
        if self.server.stopped:
            self.close_connection = True
            return
        trouble = next((what for part, what in self.server.trouble.items() if part in path), "")
        try:
            if trouble == "stall":
                time.sleep(3)
                return
            if trouble.isdigit():
                return self.send(int(trouble), b"{}", body)
            if trouble == "gated":
                return self.send(401, b"{}", body, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access denied"})
            if trouble == "html":
                return self.send(200, b"<!DOCTYPE html><html>Log in</html>", body, {"Content-Type": "text/html"})
            self.serve(path, body, trouble)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def serve(self, path: str, body: bool, trouble: str) -> None:
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            name, kind = "/".join(parts[2:4]), parts[4:5]
            folder = self.server.repositories.get(name)
            if folder is None:
                return self.send(401, b"{}", body, {"X-Error-Code": "RepoNotFound"})
            files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
            if kind == ["tree"]:
                found: Any = [{"type": "file", "path": file, "size": (folder / file).stat().st_size, "oid": "0"}
                              for file in files]
            else:
                found = {"id": name, "modelId": name, "sha": COMMIT, "private": False, "tags": [], "downloads": 0,
                         "siblings": [{"rfilename": file} for file in files]}
            return self.send(200, json.dumps(found).encode(), body, {"Content-Type": "application/json"})
        name, file = "/".join(parts[:2]), "/".join(parts[4:])
        folder = self.server.repositories.get(name)
        if folder is None or parts[2:3] != ["resolve"]:
            return self.send(401, b"{}", body, {"X-Error-Code": "RepoNotFound"})
        if not (folder / file).is_file():
            return self.send(404, b"{}", body, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        self.give((folder / file).read_bytes(), body, trouble)

    def give(self, data: bytes, body: bool, trouble: str) -> None:
        """A file or the rest of it; "cut" breaks off in the middle, "slow" stops sending there."""
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0] or 0)
        code = 206 if start else 200
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        stop = max(len(data) // 2, start) if trouble in ("cut", "slow") and len(data) > LARGE else None
        self.send(code, data[start:], body, headers, None if stop is None else stop - start)
        if stop is not None and body:
            if trouble == "slow":
                time.sleep(3)
            self.close_connection = True

    def send(self, code: int, data: bytes, body: bool, headers: Mapping[str, str] | None = None,
             stop: int | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        sent = data[:stop] if body else b""
        self.server.asked.append((self.command, unquote(self.path.split("?")[0]), len(sent)))
        self.wfile.write(sent)
        self.wfile.flush()
