"""A steady rate for long, by patients whose days, values and ids are their own, so that whatever remembers fills up.
The memory of the workers is noted every five seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.body import stranger
from benchmarks.loads import Extent, Figures, Part
from benchmarks.pace import paced
from benchmarks.servers import Server, service

PER_SECOND = 50.0
_NOTE_EVERY_S = 5.0
_MOST_GROWTH_MB = 2.0
"""From the second fifth to the last: what the memory of a quiet process moves by itself."""
_POINTS = 60


def _measure(folder: Path, extent: Extent) -> Figures:
    memory: list[tuple[float, float]] = []
    with service(folder) as server:
        ended = threading.Event()
        noting = threading.Thread(target=_note_memory, args=(server, memory, ended))
        noting.start()
        try:
            found = paced(server.port, stranger, PER_SECOND, extent.soak_minutes * 60)
        finally:
            ended.set()
            noting.join()
    points = memory[:: max(1, len(memory) // _POINTS)]
    return {
        **found.summary(), "minutes": extent.soak_minutes, **growth([rss for _, rss in memory]),
        "rss_mb": [[round(at_s), round(rss, 1)] for at_s, rss in points],
    }  # fmt: skip


def growth(rss_mb: Sequence[float]) -> Figures:
    """The median of the second fifth, in which memories have filled, and of the last."""
    fifth = max(1, len(rss_mb) // 5)
    early, late = median(rss_mb[fifth : 2 * fifth] or rss_mb), median(rss_mb[-fifth:])
    return {
        "rss_mb_at_first": round(rss_mb[0], 1), "rss_mb_second_fifth": round(early, 1),
        "rss_mb_last_fifth": round(late, 1), "growth_mb": round(late - early, 1),
    }  # fmt: skip


def _note_memory(server: Server, memory: list[tuple[float, float]], ended: threading.Event) -> None:
    began_s = time.monotonic()
    has_ended = False
    while not has_ended:
        memory.append((time.monotonic() - began_s, server.resident_mb()["rss"]))
        has_ended = ended.wait(_NOTE_EVERY_S)


def is_met(found: Figures) -> bool:
    """No fault, the rate kept, the memory too."""
    on_time = found["per_second"] >= 0.97 * found["wanted_per_second"]
    return bool(not found["faults"] and on_time and found["growth_mb"] <= _MOST_GROWTH_MB)


SOAK = Part(
    "steady load",
    _measure,
    "{minutes:g} minutes at {wanted_per_second:g} calls/s: {answered} answered, {faults} faults, p99 {p99_ms} ms; "
    "memory of the largest worker {rss_mb_second_fifth} MB in the second fifth, {rss_mb_last_fifth} MB in the last",
    is_met,
)
