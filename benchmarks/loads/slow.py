"""500 clients that send a byte a second hold nginx's connections, and none of gunicorn's threads."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.body import another, content
from benchmarks.calls import HOST, PATH, fault
from benchmarks.driver import percentile
from benchmarks.loads import Extent, Figures, Part
from benchmarks.nginx import nginx, program
from benchmarks.servers import service

CLIENTS = 500
_SECONDS = 20
_ORDINARY = 5
"""Calls of others in each of these seconds."""
_FINISH_S = 60.0
_HEALTHY_MS = 100.0


def _measure(folder: Path, _extent: Extent) -> Figures:
    body = content()
    with service(folder) as server, nginx(folder, server.port) as port:
        slow = [_started(port, body) for _ in range(CLIENTS)]
        health, calls = Health(port), [*_ordinary(port, body)]
        for position in range(_SECONDS):
            for client in slow:
                with suppress(OSError):
                    client.send(body[position : position + 1])
            health.ask(for_s=0.9)
            calls += _ordinary(port, body)
        answered = _finish(slow, body[_SECONDS:])
    times_ms = [time_ms for time_ms, wrong in calls if not wrong]
    return health.summary() | {
        "slow_clients": CLIENTS, "slow_clients_answered_at_last": answered, "other_calls": len(calls),
        "other_calls_failed": len(calls) - len(times_ms), "other_calls_max_ms": round(max(times_ms, default=0.0), 1),
    }  # fmt: skip


@dataclass(slots=True)
class Health:
    """Asks for `/healthz` through a port, again and again."""

    port: int
    times_ms: list[float] = field(default_factory=list)
    failed: int = 0

    def ask(self, for_s: float) -> None:
        """For some seconds, each time over a new connection."""
        until_s = time.monotonic() + for_s
        while time.monotonic() < until_s:
            began_s = time.monotonic()
            self.failed += not self._is_well()
            self.times_ms.append((time.monotonic() - began_s) * 1000)
            time.sleep(0.02)

    def _is_well(self) -> bool:
        connection = HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def summary(self) -> Figures:
        """For people and for JSON."""
        return {
            "health_asked": len(self.times_ms),
            "health_failed": self.failed,
            "health_p99_ms": round(percentile(self.times_ms, 99), 1),
            "health_max_ms": round(max(self.times_ms, default=0.0), 1),
        }


def _started(port: int, body: bytes) -> socket.socket:
    """A call whose headers are sent, and nothing of its body."""
    client = socket.create_connection((HOST, port), timeout=2)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
    return client


def _ordinary(port: int, body: bytes) -> Iterator[tuple[float, str]]:
    """Milliseconds and fault of ordinary calls beside the slow ones."""
    for number in range(_ORDINARY):
        connection = HTTPConnection(HOST, port, timeout=10)
        began_s = time.monotonic()
        wrong = fault(connection, another(body, number))
        yield (time.monotonic() - began_s) * 1000, wrong
        connection.close()


def _finish(slow: list[socket.socket], rest: bytes) -> int:
    """How many of the slow clients are answered once they send the rest."""
    for client in slow:
        with suppress(OSError):
            client.sendall(rest)
    until_s = time.monotonic() + _FINISH_S
    answered = 0
    for client in slow:
        with suppress(OSError):
            client.settimeout(max(0.01, until_s - time.monotonic()))
            answered += client.recv(64).startswith(b"HTTP/1.1 200")
        client.close()
    return answered


def _is_met(found: Figures) -> bool:
    all_answered = found["slow_clients_answered_at_last"] == found["slow_clients"]
    none_failed = not found["health_failed"] and not found["other_calls_failed"]
    return bool(all_answered and none_failed and found["health_max_ms"] < _HEALTHY_MS)


SLOW = Part(
    f"{CLIENTS} slow clients through nginx",
    _measure,
    "health asked {health_asked} times, {health_failed} failed, p99 {health_p99_ms} ms, longest {health_max_ms} ms; "
    "{other_calls} other calls, {other_calls_failed} failed; {slow_clients_answered_at_last} of the slow clients "
    "answered once their body was there",
    _is_met,
    program,
)
