"""`cds-service serve` as an operator starts it: gunicorn, two workers, a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    database = f"sqlite:///{tmp_path / 'store.sqlite'}"
    return kept | {"PYTHONPATH": str(ROOT), "CDS_DATABASE_URL": database, "CDS_DEVELOPMENT": "true"}


@pytest.fixture
def served(environment, tmp_path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port), "--workers", "2"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=log)
        yield f"http://127.0.0.1:{port}", process
        process.kill()
        process.wait()


def wait_until_ready(base: str) -> requests.Response:
    until = time.monotonic() + 30
    while True:
        try:
            return requests.get(f"{base}/readyz", timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < until, "the service did not start"
            time.sleep(0.1)


def test_it_serves_and_ends_cleanly(served):
    base, process = served
    assert wait_until_ready(base).json()["status"] == "ready"
    with requests.post(f"{base}/cds-services/order-sign", json={}, timeout=5) as refused:
        assert refused.status_code == 400
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_wrong_settings_stop_the_start_with_every_fault(environment):
    command = [sys.executable, "-m", "cds_service.cli", "serve"]
    faulty = environment | {"CDS_LOG_LEVEL": "loud", "CDS_DEVELOPMENT": "maybe"}
    ended = subprocess.run(command, env=faulty, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "CDS_LOG_LEVEL" in ended.stderr
    assert "CDS_DEVELOPMENT" in ended.stderr
    assert "Traceback" not in ended.stderr
