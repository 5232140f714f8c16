"""Calls at a rate, whether or not earlier ones are answered: what waits for a thread counts as waiting time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection

from benchmarks.calls import HOST, fault
from benchmarks.driver import in_threads, percentile

_THREADS = 16
_LATEST_S = 30.0
"""How far behind the run may fall before what is left of it is given up."""


@dataclass(slots=True)
class Paced:
    """What came of it; times in milliseconds from when each call was due."""

    wanted_per_second: float
    total: int
    seconds: float = 0.0
    times_ms: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def note(self, wrong: str, time_ms: float) -> None:
        """One call: a fault counts as such, and never among the times."""
        if wrong:
            self.faults[wrong] += 1
        else:
            self.times_ms.append(time_ms)

    @property
    def per_second(self) -> float:
        """Calls that were answered well."""
        return len(self.times_ms) / self.seconds if self.seconds else 0.0

    def summary(self) -> dict[str, object]:
        """For people and for JSON."""
        return {
            "wanted_per_second": round(self.wanted_per_second, 1),
            "per_second": round(self.per_second, 1),
            "seconds": round(self.seconds, 1),
            "answered": len(self.times_ms),
            "faults": sum(self.faults.values()),
            "kinds_of_fault": dict(self.faults),
            "p50_ms": round(percentile(self.times_ms, 50), 1),
            "p99_ms": round(percentile(self.times_ms, 99), 1),
            "max_ms": round(max(self.times_ms, default=0.0), 1),
        }


def due_s(began_s: float, number: int, per_second: float) -> float:
    """When the call of that number, from 0, is to be made."""
    return began_s + number / per_second


def paced(port: int, body: Callable[[int], bytes], per_second: float, seconds: float) -> Paced:
    """Call for some seconds with the body of each call's number. Each thread keeps its connection. Calls that the
    server left no time for are faults, "not made".
    """
    found = Paced(per_second, int(per_second * seconds))
    lock, numbers = threading.Lock(), iter(range(found.total))
    began_s = time.monotonic()
    until_s = began_s + seconds + _LATEST_S

    def call() -> None:
        connection = HTTPConnection(HOST, port, timeout=10)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            content, due = body(number), due_s(began_s, number, per_second)
            time.sleep(max(0.0, due - time.monotonic()))
            wrong = fault(connection, content) if time.monotonic() < until_s else "not made"
            found.note(wrong, (time.monotonic() - due) * 1000)
        connection.close()

    in_threads(call, _THREADS)
    found.seconds = time.monotonic() - began_s
    return found
