"""A stream of medication orders of made-up patients, and how often the service speaks on it (docs/order-stream.md).

    python -m tools.order_stream [ORDERS] [--seed SEED] [--processes N]

Every order is an `order-sign` request in memory, answered as over HTTP: read, evaluated and written. Exit code 1
where the goals of the default policy are missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache

from cds_service.answer import answer
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Finding, Gap, Patient
from tests.support.build import hook_request
from tests.support.world import TODAY, definition, drug_codes, service
from tools.stream_data import StreamData, load_stream_data
from tools.stream_patients import made_order

URGENT = ("warning", "critical")
URGENT_PER_1000 = 10
CARDS_PER_1000 = 40
GAP_SHARE = 0.02
LISTED = 25
CHUNK = 250


@dataclass
class Tally:
    """Counts over orders; tallies of several processes are added."""

    orders: int = 0
    orders_with_gap: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.orders += other.orders
        self.orders_with_gap += other.orders_with_gap
        self.counts += other.counts

    def of(self, group: str) -> Counter[str]:
        """The counts of one group: `card`, `kind`, `drug`, `table`, `urgent table`, `gap`, `stream`."""
        return Counter({name: n for (kind, name), n in self.counts.items() if kind == group})

    def per_1000(self, count: float) -> float:
        return 1000 * count / self.orders

    @property
    def cards(self) -> float:
        """Cards for 1,000 orders."""
        return self.per_1000(self.of("card").total())

    @property
    def urgent(self) -> float:
        """Warnings and criticals for 1,000 orders."""
        return self.per_1000(sum(self.of("card")[indicator] for indicator in URGENT))

    @property
    def gap_share(self) -> float:
        """Share of orders about which something was not read, not recognised or not obtained."""
        return self.orders_with_gap / self.orders


def run(orders: int, seed: int = 1, processes: int = 2) -> Tally:
    """The tally of the first `orders` orders of the seed, the same for any number of processes."""
    chunks = [(first, min(first + CHUNK, orders), seed) for first in range(0, orders, CHUNK)]
    if processes == 1:
        return _sum(map(tally_of, chunks))
    with ProcessPoolExecutor(processes) as pool:
        return _sum(pool.map(tally_of, chunks))


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def tally_of(chunk: tuple[int, int, int]) -> Tally:
    """The tally of the orders from `first` to before `last` of a seed."""
    first, last, seed = chunk
    total = Tally()
    for number in range(first, last):
        _count(number, seed, total)
    return total


@cache
def _data() -> StreamData:
    return load_stream_data(service().knowledge)


def _count(number: int, seed: int, total: Tally) -> None:
    case = made_order(number, seed, _data(), service().knowledge)
    body = hook_request(case, drug_codes(), TODAY)
    request = parse(body, definition(body["hook"]))
    result = answer(request, prefetched_results(request.prefetch), service(), TODAY)
    shown = [f for f in result.findings if not f.silent]
    gaps = list(_gaps(result.patient, shown))
    total.orders += 1
    total.orders_with_gap += bool(gaps)
    cards = result.body["cards"]
    indicators = [str(card["indicator"]) for card in cards] if isinstance(cards, list) else []
    total.counts.update(_counted(case["stream"], indicators, shown, gaps))


def _gaps(patient: Patient, shown: list[Finding]) -> Iterator[Gap]:
    """What was not read, not recognised or not obtained, of the order and of the whole record."""
    yield from patient.gaps
    yield from (gap for finding in shown for gap in finding.gaps)


def _counted(
    stream: dict[str, object], indicators: list[str], shown: list[Finding], gaps: list[Gap]
) -> Iterator[tuple[str, str]]:
    yield from (("card", indicator) for indicator in indicators)
    yield from (("drug", str(stream["drug"])) for _ in indicators)
    yield from (("urgent drug", str(stream["drug"])) for i in indicators if i in URGENT)
    for finding in shown:
        yield "kind", finding.kind.value
        yield "table", f"{finding.table or '(none)'} {finding.kind.value}"
        if finding.indicator.value in URGENT:
            yield "urgent table", f"{finding.table or '(none)'} {finding.row or finding.kind.value}"
    yield from (("gap", f"{gap.reason} {gap.about}") for gap in set(gaps))
    yield from (("stream", name) for name in ("top", "renewal") if stream[name])


def report(tally: Tally) -> Iterator[str]:
    """The lines of the report."""
    stream = tally.of("stream")
    top, renewals = stream["top"] / tally.orders, stream["renewal"] / tally.orders
    yield f"{tally.orders:,} orders; {top:.1%} of the 200 most prescribed drugs; {renewals:.1%} renewals"
    yield f"cards per 1,000 orders: {tally.cards:.1f} (goal: at most {CARDS_PER_1000})"
    yield f"warnings and criticals per 1,000 orders: {tally.urgent:.1f} (goal: at most {URGENT_PER_1000})"
    yield f"orders with a gap: {tally.gap_share:.2%} (goal: under {GAP_SHARE:.0%})"
    for title, group in (
        ("cards by indicator", "card"),
        ("findings shown by kind", "kind"),
        ("cards by drug ordered", "drug"),
        ("warnings and criticals by drug ordered", "urgent drug"),
        ("findings shown by table and kind", "table"),
        ("warnings and criticals by table and row", "urgent table"),
        ("gaps", "gap"),
    ):
        yield ""
        yield f"{title}, for 1,000 orders"
        yield from (f"{tally.per_1000(n):8.2f}  {name}" for name, n in tally.of(group).most_common(LISTED))


def meets_goals(tally: Tally) -> bool:
    """Whether the default policy keeps to the goals on this stream."""
    return tally.urgent <= URGENT_PER_1000 and tally.cards <= CARDS_PER_1000 and tally.gap_share < GAP_SHARE


def main() -> int:
    parser = argparse.ArgumentParser(description="How often the service speaks on a stream of made-up orders.")
    parser.add_argument("orders", nargs="?", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    started = time.perf_counter()
    tally = run(given.orders, given.seed, given.processes)
    sys.stdout.write("\n".join(report(tally)) + "\n")
    sys.stdout.write(f"\nin {time.perf_counter() - started:.0f} seconds with {given.processes} processes\n")
    return 0 if meets_goals(tally) else 1


if __name__ == "__main__":
    raise SystemExit(main())
