"""Whether the image serves as docker/compose.yaml runs it: read-only, without rights, and ending cleanly.

    python -m tools.check_container IMAGE

Starts one container without a network and asks it from inside. Prints each thing that held; exits with 1 at the first
that did not. The container and its volume are removed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from tests.support import fixtures

_DRAWS_A_CARD = "02-codeine-on-paroxetine"
_PORT = 8000
_READY_WITHIN_S = 30
_AS_COMPOSE_DOES = (
    "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--ulimit", "core=0",  # noqa: S108
    "--security-opt", "no-new-privileges:true", "--env", "CDS_DEVELOPMENT=true",
    "--tmpfs", "/run/cds-service:uid=10001,mode=0755",
)  # fmt: skip
_SOCKET = "/run/cds-service/http.sock"
_ASK = (
    "import sys, urllib.request as u;"
    "path, body = sys.argv[1], sys.stdin.buffer.read() or None;"
    f"asked = u.Request(f'http://127.0.0.1:{_PORT}' + path, body, {{'Content-Type': 'application/json'}});"
    "direct = u.build_opener(u.ProxyHandler({}));"
    "sys.stdout.write(direct.open(asked, timeout=5).read().decode())"
)
_STORED = (
    "import sqlite3;"
    "store = sqlite3.connect('/data/cds-service.sqlite');"
    "print(store.execute('SELECT count(*) FROM issued_card').fetchone()[0])"
)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tools.check_container IMAGE\n")
        return 2
    with _running(arguments[0]) as container:
        checks = (
            ("ready", _is_ready),
            ("not root", lambda c: _inside(c, "id", "-u").strip() != "0"),
            ("nothing but /data and /tmp can be written", lambda c: not _works(c, "touch", "/opt/x")),
            ("no core dumps", lambda c: _inside(c, "sh", "-c", "ulimit -c").strip() == "0"),
            ("the proxy's socket is there", lambda c: _works(c, "test", "-S", _SOCKET)),
            ("PostgreSQL's driver is there", lambda c: _works(c, "python", "-c", "import psycopg")),
            ("an order draws a card, and its row is kept", _answers),
            ("ends cleanly within 20 s", _ends_cleanly),
        )
        for told, holds in checks:
            if not holds(container):
                sys.stderr.write(f"did not hold: {told}\n{_docker('logs', '--tail', '20', container, check=False)}")
                return 1
            sys.stdout.write(f"held: {told}\n")
    return 0


@contextmanager
def _running(image: str) -> Iterator[str]:
    volume = f"cds-service-test-{uuid4()}"
    serve = ("serve", "--host", "127.0.0.1", "--port", str(_PORT), "--socket", _SOCKET)
    container = _docker("run", "--detach", *_AS_COMPOSE_DOES, "--volume", f"{volume}:/data", image, *serve).strip()
    try:
        yield container
    finally:
        _docker("rm", "--force", container)
        _docker("volume", "rm", "--force", volume)


def _is_ready(container: str) -> bool:
    until_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until_s:
        if '"ready"' in _ask(container, "/readyz"):
            return True
        time.sleep(0.5)
    return False


def _answers(container: str) -> bool:
    request = fixtures.read("requests", _DRAWS_A_CARD)
    answer = _ask(container, f"/cds-services/{request['hook']}", json.dumps(request).encode())
    return '"summary"' in answer and _kept(container)


def _kept(container: str) -> bool:
    """Rows are written once the answer has gone out."""
    until_s = time.monotonic() + 5
    while time.monotonic() < until_s:
        if _inside(container, "python", "-c", _STORED).strip() not in ("", "0"):
            return True
    return False


def _ends_cleanly(container: str) -> bool:
    _docker("stop", "--time", "20", container)
    return _docker("inspect", "--format", "{{.State.ExitCode}}", container).strip() == "0"


def _ask(container: str, path: str, body: bytes = b"") -> str:
    return _docker("exec", "--interactive", container, "python", "-c", _ASK, path, check=False, given=body)


def _inside(container: str, *command: str) -> str:
    return _docker("exec", container, *command, check=False)


def _works(container: str, *command: str) -> bool:
    return _run("exec", container, *command).returncode == 0


def _docker(*arguments: str, check: bool = True, given: bytes = b"") -> str:
    done = _run(*arguments, given=given)
    if check and done.returncode:
        raise SystemExit(f"docker {arguments[0]}: {done.stderr.decode()}")
    return done.stdout.decode()


def _run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [shutil.which("docker") or "docker", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=120)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
