"""A PostgreSQL of our own on loopback, in a folder that goes away with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.fault_server import HOST, closed_port

_STARTS_WITHIN_S = 30.0


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    port: int
    pid: int
    _names: Iterator[int] = field(default_factory=count)

    def new_database(self, driver: str) -> str:
        """The URL of an empty database."""
        name = f"cds{next(self._names)}"
        self.run(f"CREATE DATABASE {name}")
        return f"postgresql+{driver}://cds@{HOST}:{self.port}/{name}"

    def run(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement)

    def connect(self, database: str = "postgres") -> Any:
        """A connection that commits each statement."""
        import psycopg  # noqa: PLC0415  only `make test-postgres` installs it

        return psycopg.connect(host=HOST, port=self.port, user="cds", dbname=database, autocommit=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server and all of its processes stand still."""
        family = [self.pid, *self._children()]
        for process in family:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in family:
                os.kill(process, signal.SIGCONT)

    def _children(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@contextmanager
def running() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        _run("initdb", "--pgdata", folder / "data", "--username=cds", "--auth=trust", "--encoding=UTF8", "--no-sync")
        port = closed_port()
        server = _started("-D", folder / "data", "-p", str(port), "-h", HOST, "-k", folder, "-F")
        try:
            cluster = Cluster(port, server.pid)
            _wait_for(cluster, server)
            yield cluster
        finally:
            server.send_signal(signal.SIGINT)  # ends the sessions too
            server.wait(30)


def _started(*arguments: object) -> subprocess.Popen[bytes]:
    command: list[Any] = [_program("postgres"), *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **_as_whom())


def _wait_for(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    import psycopg  # noqa: PLC0415

    until_s = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            cluster.connect().close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until_s:
                raise
            time.sleep(0.1)
        else:
            return


def _program(name: str) -> str:
    """Debian keeps PostgreSQL's programs in a folder for each version."""
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found and not places:
        raise FileNotFoundError(f"{name} is not installed: apt-get install postgresql")
    return found or str(places[-1])


def _run(name: str, *arguments: object) -> None:
    command: list[Any] = [_program(name), *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd="/", **_as_whom())


def _as_whom() -> dict[str, Any]:
    """PostgreSQL does not run as root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
