"""Prefetch keys that a client never fills: told once to the operators of the site, and not on each card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from threading import Lock

REQUESTS_BEFORE_TOLD = 50
"""Requests without a key, and none with it, after which chance is ruled out."""


class UnfilledKeys:
    """Counts for each client of this process; shared by its threads."""

    def __init__(self, requests_before_told: int = REQUESTS_BEFORE_TOLD) -> None:
        self._requests_before_told = requests_before_told
        self._lock = Lock()
        self._filled: set[tuple[str, str]] = set()
        self._missing: Counter[tuple[str, str]] = Counter()

    def count(self, client: str, asked_for: Collection[str], sent: Collection[str]) -> Mapping[str, int]:
        """Take note of one request. The keys to be told now, with the number of requests that lacked them."""
        told = {}
        with self._lock:
            for key in asked_for:
                if key in sent:
                    self._filled.add((client, key))
                    self._missing.pop((client, key), None)
                elif (client, key) not in self._filled:
                    self._missing[client, key] += 1
                    if self._missing[client, key] == self._requests_before_told:
                        told[key] = self._requests_before_told
        return told

    def clients_by_key(self) -> Mapping[str, int]:
        """The keys that were told, with the number of clients that still never filled them."""
        with self._lock:
            long_missing = [key for (_, key), n in self._missing.items() if n >= self._requests_before_told]
        return Counter(sorted(long_missing))
