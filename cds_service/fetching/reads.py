"""The reads of one FHIR server: its connections, and threads of its own, so that a server or a name that is slow
takes none from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import TypeVar

import requests

from cds_service.fetching.client import FetchError
from cds_service.fetching.deadline import Deadline
from cds_service.model import Shortfall

K = TypeVar("K")
V = TypeVar("V")


class Reads:
    """Shared by threads. A read has its deadline, but looking up a name has none: where half of the threads hang in
    reads whose time is over, nothing more is asked until some come back. What nobody refers to any longer ends its
    threads by itself.
    """

    def __init__(self, session: requests.Session, threads: int) -> None:
        self.session = session
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fetch")
        self._most_hanging = max(1, threads // 2)
        self._hanging = 0
        self._lock = Lock()

    def close(self) -> None:
        """Let go of connections and threads; reads on their way are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.session.close()

    def in_parallel(self, reads: Mapping[K, Callable[[], V]], deadline: Deadline) -> dict[K, V | FetchError]:
        """Each read's answer or fault. At the deadline it is `late`, whatever its thread does."""
        if self._hanging >= self._most_hanging:
            return {key: FetchError(Shortfall.READS_HANG) for key in reads}
        futures = {key: self._pool.submit(_attempt, read) for key, read in reads.items()}
        wait(futures.values(), timeout=deadline.remaining_s())
        return {key: future.result() if future.done() else self._late(future) for key, future in futures.items()}

    def _late(self, future: Future[V | FetchError]) -> FetchError:
        if not future.cancel():
            self._count(1)
            future.add_done_callback(lambda _: self._count(-1))
        return FetchError(Shortfall.LATE)

    def _count(self, change: int) -> None:
        with self._lock:
            self._hanging += change


def _attempt(read: Callable[[], V]) -> V | FetchError:
    try:
        return read()
    except FetchError as fault:
        return fault
