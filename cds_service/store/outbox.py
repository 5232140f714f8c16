"""Issued cards on their way to the store: a thread writes those of many answers in one transaction, a moment after
the clinicians have them. No answer waits for the store, and answers do not wait for each other's transactions.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from sqlalchemy.exc import OperationalError

from cds_service.store.faults import named
from cds_service.store.store import Issued, Store, StoreError

GATHER_S = 0.05
"""How long rows wait for others. Those of this time are lost where a process is killed."""
WAIT, NOT_KEPT = "issued_cards_wait", "issued_cards_not_kept"

_TRY_AGAIN_S = 1.0
_MOST_WAITING = 10_000
_LAST_TRY_S = 5.0

Tell = Callable[[str, int, str], None]
"""Is told `WAIT` or `NOT_KEPT`, of how many answers, and why."""


class Outbox:
    """Shared by the threads of a worker. The writing thread begins with the first card, so that a process may fork
    before.
    """

    def __init__(self, store: Store, tell: Tell) -> None:
        self._store = store
        self._tell = tell
        self._arriving: SimpleQueue[Issued | None] = SimpleQueue()
        self._waiting: list[Issued] = []
        """Taken out of the queue and not written yet; the writing thread's own."""
        self._closing = Event()
        self._thread: Thread | None = None
        self._lock = Lock()

    def put(self, issued: Issued) -> None:
        """Keep the cards of an answer, soon."""
        if not issued.cards:
            return
        if self._closing.is_set():
            self._tell(NOT_KEPT, 1, "closed")
        elif self._arriving.qsize() >= _MOST_WAITING:
            self._tell(NOT_KEPT, 1, "too_many_waiting")
        else:
            self._arriving.put(issued)
            self._start()

    def close(self) -> None:
        """Write what is waiting. After that nothing is kept."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        self._arriving.put(None)
        if self._thread is not None:
            self._thread.join(_LAST_TRY_S)
            if self._thread.is_alive():
                queued = max(self._arriving.qsize() - 1, 0)  # less the None
                self._tell(NOT_KEPT, len(self._waiting) + queued, "not_in_time")
            atexit.unregister(self.close)

    def _start(self) -> None:
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                atexit.register(self.close)  # a worker that is asked to end
                self._thread = Thread(target=self._write_on, name="outbox", daemon=True)
                self._thread.start()

    def _write_on(self) -> None:
        is_last = False
        while not is_last:
            arrived = self._arrived(_TRY_AGAIN_S if self._waiting else None)
            is_last = None in arrived
            self._waiting += [issued for issued in arrived if issued is not None]
            self._waiting = self._left_of(self._waiting, is_last=is_last)

    def _arrived(self, longest_s: float | None) -> list[Issued | None]:
        """What came, once something has and others had a moment to join it; nothing where the time is over. None is
        the last to come.
        """
        try:
            arrived = [self._arriving.get(timeout=longest_s)]
        except Empty:
            return []
        self._closing.wait(GATHER_S)
        while not self._arriving.empty():
            arrived.append(self._arriving.get())
        return arrived

    def _left_of(self, waiting: Sequence[Issued], *, is_last: bool) -> list[Issued]:
        """Write them. What is left for another try, where the database does not answer."""
        try:
            self._store.keep_issued(waiting)
        except OperationalError as fault:
            left = [] if is_last else [*waiting[-_MOST_WAITING:]]
            self._tell_of(WAIT, len(left), fault)
            self._tell_of(NOT_KEPT, len(waiting) - len(left), fault)
            return left
        except StoreError as fault:
            self._write_singly(waiting, fault)
        return []

    def _write_singly(self, waiting: Sequence[Issued], fault: StoreError) -> None:
        """Rows that the database refuses take no others with them."""
        if len(waiting) == 1:
            self._tell_of(NOT_KEPT, 1, fault)
            return
        for issued in waiting:
            self._left_of([issued], is_last=True)

    def _tell_of(self, event: str, answers: int, fault: StoreError) -> None:
        if answers:
            self._tell(event, answers, named(fault))
