"""Servers under test: started on a free loopback port, measured from /proc, ended by their own process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.calls import HOST

PROJECT = Path(__file__).parents[1]
BENCH, LOAD = PROJECT / "build" / "bench", PROJECT / "build" / "load"
"""Where figures, logs and stores are put."""
WORKERS, THREADS = 2, 4

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    port: int
    process: subprocess.Popen[bytes]
    ready_s: float
    """From the start of the process to its first answer of readiness."""

    def workers(self) -> list[int]:
        """Process ids of gunicorn's workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def cpu_s(self) -> float:
        """CPU time so far of the server and its workers, those that ended included."""
        own = _stat(self.process.pid)
        return (sum(own) + sum(sum(_stat(worker)[:2]) for worker in self.workers())) / _TICKS

    def resident_mb(self) -> dict[str, float]:
        """Of the largest worker: all its resident memory (`rss`), and its share of what workers share (`pss`)."""
        return {
            "rss": max(_memory(worker, "status", "VmRSS:") for worker in self.workers()),
            "pss": max(_memory(worker, "smaps_rollup", "Pss:") for worker in self.workers()),
        }


def _stat(process: int) -> list[int]:
    """Ticks: own user and system time, and those of ended children."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]


def _memory(process: int, file: str, label: str) -> float:
    lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(label)) / 1024


def bare(name: str) -> list[str]:
    """The command of one of the handlers beside this file, under the same gunicorn settings as ours: gunicorn's
    threaded worker, of which ours is a kind.
    """
    return [
        "-m", "gunicorn", "--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS),
        "--keep-alive", "30", "--log-level", "warning", "--no-control-socket", "--bind", f"{HOST}:{{port}}",
        f"benchmarks.{name}:application",
    ]  # fmt: skip


def ours(workers: int = WORKERS, threads: int = THREADS) -> list[str]:
    """The command by which the service is served."""
    return [
        "-m", "cds_service.cli", "serve", "--host", HOST, "--port", "{port}", "--workers", str(workers),
        "--threads", str(threads),
    ]  # fmt: skip


def store_in(folder: Path, name: str = "store") -> dict[str, str]:
    """Settings: a store of its own in the folder."""
    return {"CDS_DATABASE_URL": f"sqlite:///{folder}/{name}.sqlite"}


UNSIGNED = {"CDS_DEVELOPMENT": "true"}
"""Callers need no token. Store, issued cards, log lines and the check of what is sent are as in production."""


@contextmanager
def service(folder: Path) -> Iterator[Server]:
    """Ours as the loads find it, its store in the folder."""
    with running("ours", ours(), UNSIGNED | store_in(folder), LOAD / "service.log") as server:
        yield server


@contextmanager
def running(name: str, command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """The server, ready; ended on leaving."""
    _need_linux()
    port = free_port()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("CDS_")}
    with log.open("ab") as stream:
        began_s = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *(part.format(port=port) for part in command)],
            cwd=PROJECT,
            env={**inherited, "PYTHONPATH": str(PROJECT), **environment},
            stdout=stream,
            stderr=stream,
        )
    try:
        _wait(port, process, log)
        yield Server(name, port, process, time.monotonic() - began_s)
    finally:
        end(process)


def ended_by_signal() -> None:
    """From here on a SIGTERM ends this process as an error would: what it started is ended on the way out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _need_linux() -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        raise SystemExit("the benchmarks read CPU time and memory from /proc: they need Linux")


def end(process: subprocess.Popen[bytes]) -> None:
    """Asked to end, and made to end where it does not within ten seconds."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        return int(chosen.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], log: Path, limit_s: float = 30.0) -> None:
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        if process.poll() is not None:
            last = log.read_text("utf-8").splitlines()[-3:]
            raise SystemExit("\n".join([f"the server ended with {process.returncode}:", *last]))
        connection = HTTPConnection(HOST, port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise SystemExit(f"the server was not ready within {limit_s:.0f} s")
