"""Calls as many as a server takes over some connections: by wrk where it is there, else by threads of this process.

Every call has a patient and a hookInstance of its own, and a token of its own where tokens are given.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from math import ceil
from pathlib import Path

from benchmarks.body import another
from benchmarks.calls import HOST, PATH, fault

CONNECTIONS = 8

_SCRIPT = Path(__file__).with_name("post.lua")
_RUNS = count(1)
"""The upper part of each call's number, so that no patient comes twice in a benchmark."""
_SUMMARY = re.compile(r"SUMMARY (\d+) (\d+) (\d+) (\d+) (\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """What came of some seconds of calls."""

    calls: int
    seconds: float
    failed: int
    """Calls that were not answered, or not with 200 and a card."""
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def named() -> str:
    """What drives, for people."""
    return "wrk" if has_wrk() else f"{CONNECTIONS} threads of Python, since wrk is missing (apt-get install wrk)"


def drive(
    port: int,
    body: Path,
    seconds: float,
    *,
    tokens: Path | None = None,
    connections: int = CONNECTIONS,
    with_wrk: bool | None = None,
) -> Load:
    """Call for some seconds, each connection again as soon as it is answered. `tokens` has one token a line."""
    if has_wrk() if with_wrk is None else with_wrk:
        return _by_wrk(port, body, seconds, tokens, connections)
    return _by_threads(port, body, seconds, tokens, connections)


def _by_wrk(port: int, body: Path, seconds: float, tokens: Path | None, connections: int) -> Load:
    whole_s, threads = max(1, round(seconds)), min(2, connections)
    command = [
        "wrk", f"-t{threads}", f"-c{connections}", f"-d{whole_s}s", "--timeout", "10s", "-s", str(_SCRIPT),
        f"http://{HOST}:{port}{PATH}", "--", str(body), str(next(_RUNS)), str(threads), str(tokens or ""),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=whole_s + 60)
    return summary(ended.stdout + ended.stderr)


def summary(told: str) -> Load:
    """The last line of post.lua: calls, microseconds, failed calls, and the percentiles in microseconds."""
    found = _SUMMARY.search(told)
    if found is None:
        raise SystemExit(f"wrk did not say what it found:\n{told}")
    calls, lasted_us, failed, p50_us, p99_us = (int(group) for group in found.groups())
    return Load(calls, lasted_us / 1e6, failed, p50_us / 1e3, p99_us / 1e3)


@dataclass(slots=True)
class _Shared:
    """What the threads of one run share."""

    port: int
    content: bytes
    until_s: float
    numbers: Iterator[int]
    tokens: Iterator[str] | None
    lock: threading.Lock = field(default_factory=threading.Lock)
    times_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def next_call(self) -> tuple[int, dict[str, str]] | None:
        """Number and headers; None when time is up or the tokens are spent."""
        if time.perf_counter() >= self.until_s:
            return None
        with self.lock:
            number = next(self.numbers)
            if self.tokens is None:
                return number, {}
            token = next(self.tokens, None)
        return (number, {"Authorization": f"Bearer {token}"}) if token else None

    def call_on(self) -> None:
        connection = HTTPConnection(HOST, self.port, timeout=10)
        while (coming := self.next_call()) is not None:
            number, headers = coming
            content = another(self.content, number)
            began_s = time.perf_counter()
            wrong = fault(connection, content, headers)
            self.times_ms.append((time.perf_counter() - began_s) * 1000)
            if wrong:
                self.faults.append(wrong)
        connection.close()


def _by_threads(port: int, body: Path, seconds: float, tokens: Path | None, connections: int) -> Load:
    began_s = time.perf_counter()
    given = iter(tokens.read_text().split()) if tokens else None
    shared = _Shared(port, body.read_bytes(), began_s + seconds, count(next(_RUNS) << 32), given)
    in_threads(shared.call_on, connections)
    times_ms = shared.times_ms
    lasted_s = time.perf_counter() - began_s
    return Load(len(times_ms), lasted_s, len(shared.faults), percentile(times_ms, 50), percentile(times_ms, 99))


def in_threads(call: Callable[[], object], number: int) -> None:
    """Run it in so many threads, and wait for all of them; whoever ends this process need not."""
    threads = [threading.Thread(target=call, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def percentile(found: Sequence[float], share: float) -> float:
    """The value that `share` of a hundred do not exceed; 0 for none.

    >>> percentile([3, 1, 2, 4], 50)
    2
    """
    if not found:
        return 0.0
    ordered = sorted(found)
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)]
