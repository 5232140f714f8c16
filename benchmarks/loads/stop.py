"""SIGTERM under load: each call that was sent is answered; who comes later is refused before sending anything."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.body import another, content
from benchmarks.calls import HOST, PATH, fault_of
from benchmarks.loads import Extent, Figures, Part
from benchmarks.servers import service

TIMES = 3
_KEEPING, _CLOSING = 8, 8
"""Clients that keep their connections, and clients that take one for each call."""
_BEFORE_S, _LONGEST_S = 3.0, 60.0


@dataclass(slots=True)
class Told:
    """What became of the calls of one run."""

    until_s: float
    counts: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    """Calls that were sent and came to nothing, by fault."""


def _measure(folder: Path, _extent: Extent) -> Figures:
    runs = []
    for number in range(TIMES):
        own = folder / str(number)
        own.mkdir()
        runs.append(_stopped(own))
    return {
        "connections": _KEEPING + _CLOSING, "times": TIMES,
        **{name: sum(run[name] for run in runs) for name in ("answered_before", "answered_after", "lost", "refused")},
        "ended_after_s": max(run["ended_after_s"] for run in runs),
        "exit_codes": [run["exit_code"] for run in runs], "runs": runs,
    }  # fmt: skip


def _stopped(folder: Path) -> Figures:
    with service(folder) as server:
        told = Told(time.monotonic() + _LONGEST_S)
        callers = [_caller(server.port, told, keeps=number < _KEEPING) for number in range(_KEEPING + _CLOSING)]
        time.sleep(_BEFORE_S)
        before = told.counts["answered"]
        server.process.send_signal(signal.SIGTERM)
        began_s = time.monotonic()
        for caller in callers:
            caller.join()
        exit_code = server.process.wait(timeout=_LONGEST_S)
        ended_after_s = time.monotonic() - began_s
    return {
        "answered_before": before, "answered_after": told.counts["answered"] - before, "lost": told.lost.total(),
        "faults": dict(told.lost), "refused": told.counts["refused"], "ended_after_s": round(ended_after_s, 2),
        "exit_code": exit_code,
    }  # fmt: skip


def _caller(port: int, told: Told, *, keeps: bool) -> threading.Thread:
    thread = threading.Thread(target=_until_closed, args=(port, told), kwargs={"keeps": keeps}, daemon=True)
    thread.start()
    return thread


def _until_closed(port: int, told: Told, *, keeps: bool) -> None:
    """Call until the server takes no other connection; keep one until the server says that it closes it."""
    number = 0
    while time.monotonic() < told.until_s:
        connection = HTTPConnection(HOST, port, timeout=30)
        try:
            connection.connect()
        except OSError:
            told.counts["refused"] += 1
            return
        number = _called_until_closed(connection, told, number, keeps=keeps)
        connection.close()


def _called_until_closed(connection: HTTPConnection, told: Told, number: int, *, keeps: bool) -> int:
    """How many calls were made so far."""
    headers = {"Content-Type": "application/json"} | ({} if keeps else {"Connection": "close"})
    closes = False
    while not closes and time.monotonic() < told.until_s:
        number += 1
        try:
            connection.request("POST", PATH, another(content(), number), headers)
            response = connection.getresponse()
            wrong = fault_of(response.status, response.read())
            closes = response.will_close
        except (OSError, HTTPException) as broken:
            wrong, closes = type(broken).__name__, True
        if wrong:
            told.lost[wrong] += 1
        else:
            told.counts["answered"] += 1
    return number


def _is_met(found: Figures) -> bool:
    return not found["lost"] and found["answered_after"] > 0 and set(found["exit_codes"]) == {0}


STOP = Part(
    f"SIGTERM under load, {TIMES} times",
    _measure,
    "{connections} clients: {answered_after} calls answered after the signal, {lost} lost, {refused} connections "
    "refused; ended after {ended_after_s} s at most",
    _is_met,
)
