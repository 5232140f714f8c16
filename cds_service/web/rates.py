"""How often a client may call: a token bucket for each, in the memory of each worker process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cds_service.errors import RequestError

_BURST_S = 2.0


class RateError(RequestError):
    """Too many calls; after `retry_after_s` seconds the next one is allowed."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(429, "throttled", f"too many calls; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Rates:
    """Each client may call `calls_per_second` times, and twice that at once after a pause."""

    def __init__(self, calls_per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._calls_per_second = calls_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        """Client -> calls left, and when that was so."""

    def take(self, client: str, own_calls_per_second: int | None) -> None:
        """Count one call. Raises RateError."""
        rate = own_calls_per_second or self._calls_per_second
        now_s = self._clock()
        with self._lock:
            left, at_s = self._buckets.get(client, (rate * _BURST_S, now_s))
            left = min(rate * _BURST_S, left + (now_s - at_s) * rate)
            self._buckets[client] = (max(0.0, left - 1), now_s) if left >= 1 else (left, now_s)
        if left < 1:
            raise RateError(max(1, round((1 - left) / rate)))
