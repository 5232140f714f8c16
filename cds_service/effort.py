"""How much work one request may cause: the CPU time of the thread that answers it. Waiting for others counts for
nothing, so that a busy machine refuses nobody for what others cost.

What a request costs goes by how its parts refer to each other as much as by its size. So whatever is done once for
each of many parts asks here whether to go on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cds_service.errors import RequestError

_ends_s: ContextVar[tuple[float, float]] = ContextVar("ends_s", default=(math.inf, math.inf))
"""By the clock, which is looked at quickly, and by the CPU time, which is never more."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What is done within, in this thread, is given up where it takes longer."""
    before = _ends_s.set((time.monotonic() + seconds, time.thread_time() + seconds))
    try:
        yield
    finally:
        _ends_s.reset(before)


def go_on() -> None:
    """Raise RequestError 413 where the work has taken too long. Without `at_most` it may take any time."""
    by_clock_s, by_work_s = _ends_s.get()
    if time.monotonic() > by_clock_s and time.thread_time() > by_work_s:
        told = (
            "what was sent or read takes too long to judge; nothing was assessed: send fewer orders, or less of each"
        )
        raise RequestError(413, "too-costly", told)
