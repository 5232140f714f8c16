"""nginx in front of a server, with the shipped configuration (docker/nginx.conf) moved to loopback ports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.calls import HOST
from benchmarks.servers import PROJECT, end, free_port

_SHIPPED = PROJECT / "docker" / "nginx.conf"


def program() -> str:
    """Its path. Raises SystemExit that says what to install where it is missing."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise SystemExit("nginx is needed for the slow clients: on Debian and Ubuntu, apt-get install nginx-light")
    return found


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[int]:
    """Its port; ended on leaving. `folder` takes its files."""
    found = program()
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_moved(_SHIPPED.read_text("utf-8"), folder, port, upstream), "utf-8")
    command = [found, "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")]
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        _wait(port)
        yield port
    finally:
        end(process)


def _moved(shipped: str, folder: Path, port: int, upstream: int) -> str:
    """The shipped text with other places; what is not found in it any more stops the run."""
    moves = (
        (r"listen 8080;", f"listen {HOST}:{port};"),
        (r"server unix:/run/cds-service/http\.sock", f"server {HOST}:{upstream}"),
        (r"/run/nginx\b", str(folder)),
        (r"/dev/stderr", str(folder / "error.log")),
        (r"/dev/stdout", str(folder / "access.log")),
        (r"include /etc/nginx/tls/\*\.conf;", ""),
    )
    for pattern, place in moves:
        shipped, times = re.subn(pattern, place, shipped)
        if not times:
            raise SystemExit(f"{_SHIPPED.name} no longer has {pattern}: put benchmarks/nginx.py right")
    # The workers of a root process would not be let into the folder.
    return f"user root;\n{shipped}" if os.geteuid() == 0 else shipped


def _wait(port: int) -> None:
    until_s = time.monotonic() + 10
    while time.monotonic() < until_s:
        connection = HTTPConnection(HOST, port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise SystemExit("nginx did not come up")
