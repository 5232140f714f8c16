"""Start FHIR servers that others wrote, on the loopback address, and end them again.

What they need is installed by package name into `build/fhir-servers`, once. Installing and starting have limits in
time; only the processes started here are ended.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "fhir-servers"
INSTALL_LIMIT_S = 900


@dataclass(frozen=True)
class Recipe:
    """`install` puts what is needed into a folder; `command` starts the server there on a port."""

    path: str
    ready: str
    start_limit_s: int
    sources: tuple[str, ...]
    install: Callable[[Path], None]
    command: Callable[[Path, int], list[str]]


def _install_medplum(folder: Path) -> None:
    for name in ("package.json", "package-lock.json", "server.mjs"):
        shutil.copy(HERE / "medplum" / name, folder / name)
    _run(["npm", "ci", "--no-audit", "--no-fund"], folder)


def _install_hapi(folder: Path) -> None:
    shutil.copy(HERE / "hapi" / "pom.xml", folder / "pom.xml")
    shutil.copy(HERE / "hapi" / "HapiServer.java", folder / "HapiServer.java")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'lib'}"]
    _run(["mvn", "--batch-mode", "--quiet", *goal], folder)


RECIPES = {
    "medplum": Recipe(
        path="/fhir/R4",
        ready="/Patient",
        start_limit_s=60,
        sources=("medplum/package.json", "medplum/package-lock.json", "medplum/server.mjs"),
        install=_install_medplum,
        command=lambda folder, port: ["node", str(folder / "server.mjs"), str(port)],
    ),
    "hapi": Recipe(
        path="/fhir",
        ready="/metadata",
        start_limit_s=300,
        sources=("hapi/pom.xml", "hapi/HapiServer.java"),
        install=_install_hapi,
        command=lambda folder, port: [
            "java", "-Xmx1500m", "-cp", str(folder / "lib" / "*"), str(folder / "HapiServer.java"), str(port),
        ],
    ),
}  # fmt: skip


@contextmanager
def running(name: str) -> Iterator[str]:
    """The base URL of a fresh server, which ends with the block."""
    recipe = RECIPES[name]
    folder = _installed(name, recipe)
    port = _free_port()
    log = BUILD / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(recipe.command(folder, port), stdout=output, stderr=output, cwd=folder)
        try:
            url = f"http://127.0.0.1:{port}{recipe.path}"
            _await(process, url + recipe.ready, recipe.start_limit_s, log)
            yield url
        finally:
            _end(process)


def _installed(name: str, recipe: Recipe) -> Path:
    """The server's folder, made anew when what it is made from has changed."""
    folder, stamp = BUILD / name, BUILD / f"{name}.stamp"
    wanted = hashlib.sha256(b"".join((HERE / source).read_bytes() for source in recipe.sources)).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        recipe.install(folder)
        stamp.write_text(wanted)
    return folder


def _run(command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise RuntimeError(f"'{command[0]}' is needed for this FHIR server and is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], url: str, limit_s: int, log: Path) -> None:
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{_tail(log)}")
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                response.read()
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise RuntimeError(f"the server did not answer within {limit_s} s:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=20)
