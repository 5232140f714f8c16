"""One circuit for each thing that others run, a FHIR server or the database: after failures in a row it is left alone
for a while.

A circuit is closed (ask), open (do not ask) or half-open: when its rest is over, one call may try; the others follow
when that one was answered. A call that tried and told nothing costs one more rest.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from threading import Lock

Clock = Callable[[], float]


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Circuit:
    """Shared by threads. `clock` gives seconds."""

    def __init__(self, failures_in_a_row: int, rest_s: float, clock: Clock = time.monotonic) -> None:
        self._most_failures = failures_in_a_row
        self._rest_s = rest_s
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._circumstances: dict[int, set[str]] = {}
        """Of the failures in a row: the different ones of each kind."""
        self._rests_until_s = 0.0

    @property
    def state(self) -> State:
        with self._lock:
            return self._state()

    def admits(self) -> bool:
        """Whether the server may be asked now. Where it is half-open, whoever asks first is the one who tries."""
        with self._lock:
            state = self._state()
            if state is State.HALF_OPEN:
                self._rests_until_s = self._clock() + self._rest_s
            return state is not State.OPEN

    def succeeded(self) -> None:
        """The server answered, be it with a refusal."""
        with self._lock:
            self._failures = 0
            self._circumstances.clear()

    def failed(self, *circumstances: str) -> None:
        """The server did not answer, or with a fault of its own. `circumstances` are those of the call, such as the
        patient and the token (empty: none): where all failures have one in common it may be to blame, and they
        count as one. Calls that were on their way when the circuit opened make the rest no longer.
        """
        with self._lock:
            before = self._count()
            self._failures += 1
            for kind, circumstance in enumerate(circumstances):
                seen = self._circumstances.setdefault(kind, set())
                if circumstance and len(seen) < self._most_failures:
                    seen.add(circumstance)
            if before < self._most_failures <= self._count():
                self._rests_until_s = self._clock() + self._rest_s

    def _count(self) -> int:
        """The failures in a row that have nothing in common."""
        return min([self._failures, *(len(seen) for seen in self._circumstances.values() if seen)])

    def _state(self) -> State:
        if self._count() < self._most_failures:
            return State.CLOSED
        return State.OPEN if self._clock() < self._rests_until_s else State.HALF_OPEN


class Circuits:
    """Those of the servers asked of late; the one unused longest makes room for a new one."""

    def __init__(self, failures_in_a_row: int, rest_s: float, most: int, clock: Clock = time.monotonic) -> None:
        self._failures_in_a_row = failures_in_a_row
        self._rest_s = rest_s
        self._clock = clock
        self._most = most
        self._lock = Lock()
        self._by_server: OrderedDict[str, Circuit] = OrderedDict()

    def of(self, server: str) -> Circuit:
        """The circuit of this server."""
        with self._lock:
            known = self._by_server.pop(server, None)
            circuit = known or Circuit(self._failures_in_a_row, self._rest_s, self._clock)
            self._by_server[server] = circuit
            if len(self._by_server) > self._most:
                self._by_server.popitem(last=False)
            return circuit
