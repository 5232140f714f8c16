"""How long those who ask the database wait for it, whatever it and its driver do.

The database's own limits are the usual ones. Here is the last: of a server that stands still, a network that swallows
what is sent or a name that is not looked up, the driver may say nothing at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree

from cds_service.circuits import Circuit

T = TypeVar("T")

_THREADS = 8
_FAILURES_IN_A_ROW = 3
_REST_S = 2.0


class Unanswered(OperationalError):
    """The database did not answer in time, is left alone because it did not of late, or is no longer there."""

    def __init__(self, why: str) -> None:
        super().__init__("", None, ConnectionError(why))


class Patience:
    """Shared by the threads of a process; its own threads begin with the first call, so that a process may fork
    before. After failures in a row nobody waits: one call tries again, the others are refused at once, so that the
    threads of the web server are there for what needs no database.
    """

    def __init__(self, longest_s: float | None, give_up: Callable[[], None] = lambda: None) -> None:
        """`longest_s` None: the database keeps its own limits, and is asked in the caller's thread. `give_up` is
        called when nobody waits any longer for a call that still runs.
        """
        self._longest_s = longest_s
        self._give_up = give_up
        self._circuit = Circuit(_FAILURES_IN_A_ROW, _REST_S)
        self._lock = Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def call(self, work: Callable[[], T]) -> T:
        """What `work` gives. Raises what it raises, and Unanswered."""
        if not self._circuit.admits():
            raise Unanswered("the database did not answer of late; it is tried again in a moment")
        try:
            result = self._done(work)
        except (OperationalError, NoneFree):
            self._circuit.failed()
            raise
        self._circuit.succeeded()
        return result

    def close(self) -> None:
        """Let go of the threads; calls on their way are not waited for."""
        with self._lock:
            if self._pool is not None and self._process == os.getpid():
                self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _done(self, work: Callable[[], T]) -> T:
        if self._longest_s is None:
            return work()
        return self._awaited(self._threads().submit(work), self._longest_s)

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None or self._process != os.getpid():
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
                self._process = os.getpid()
            return self._pool

    def _awaited(self, future: Future[T], longest_s: float) -> T:
        try:
            return future.result(longest_s)
        except TimeoutError:
            if future.done() and not future.cancelled():
                return future.result()
            future.cancel()
            self._give_up()
            raise Unanswered(f"no answer of the database within {longest_s:g} s") from None
