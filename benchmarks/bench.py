"""The benchmark: `make bench` (a few minutes), `make bench-full` (the heavy matrix).

    python -m benchmarks.bench [--full] [--quick] [--write]

`--write` puts the tables into docs/performance.md; build/bench/result.json holds the figures. The last line is the
throughput as a ratio to that of the bare Flask handler.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks import report, scaling, shares, throughput
from benchmarks.driver import CONNECTIONS, named
from benchmarks.servers import BENCH, ended_by_signal

_CONNECTIONS = (1, 8, 32, 128)
"""Connections at once, in the heavy matrix."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    rounds: int
    seconds: float
    turns: int
    """Of the calls in this process."""
    looking_s: float


_QUICK, _USUAL, _FULL = Extent(1, 2.0, 2, 3.0), Extent(5, 8.0, 15, 10.0), Extent(5, 12.0, 25, 20.0)

Blocks = dict[str, list[str]]
"""Of the page, by name."""
Figures = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="longer rounds, several numbers of connections")
    parser.add_argument("--quick", action="store_true", help="so short that the figures mean little")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    chosen = parser.parse_args()
    extent = _QUICK if chosen.quick else _FULL if chosen.full else _USUAL
    ended_by_signal()
    shutil.rmtree(BENCH, ignore_errors=True)
    BENCH.mkdir(parents=True)
    circumstances = report.circumstances(named())
    results = throughput.measure(BENCH, rounds=extent.rounds, seconds=extent.seconds)
    blocks, figures = _measured(results, extent)
    _tell({**blocks, "bench": [*circumstances, *blocks["bench"]]}, figures, write=chosen.write)
    if chosen.full:
        more, more_figures = _matrix(extent, circumstances)
        _tell(more, figures | more_figures, write=chosen.write)
    print(f"throughput ratio to bare Flask: {report.throughput_ratio(results):.2f}")


def _tell(blocks: Mapping[str, list[str]], figures: Figures, *, write: bool) -> None:
    (BENCH / "result.json").write_text(json.dumps(figures, indent=1))
    for block, lines in blocks.items():
        print(*lines, sep="\n", flush=True)
        if write:
            report.put(block, lines)


def _measured(results: Mapping[str, throughput.Result], extent: Extent) -> tuple[Blocks, Figures]:
    """Blocks of the page, and the figures as JSON."""
    ready_s = median(throughput.starts(BENCH, 3))
    grown = scaling.measure(BENCH, extent.turns)
    seen = shares.measure(BENCH, extent.looking_s)
    goals = report.goals(results, grown, ready_s)
    blocks = {
        "bench": [*report.goal_table(goals), *report.handlers(results)],
        "costs": report.costs(grown),
        "time": [*report.steps(grown), *report.shares(seen)],
    }
    figures: Figures = {
        "handlers": throughput.as_json(results), "scaling": asdict(grown), "ready_s": ready_s, "shares": seen,
        "goals": [asdict(goal) | {"is_met": goal.is_met} for goal in goals],
    }  # fmt: skip
    return blocks, figures


def _matrix(extent: Extent, circumstances: list[str]) -> tuple[Blocks, Figures]:
    """All handlers under other numbers of connections, and ours with other numbers of workers and threads."""
    matrix = {
        f"{number} connection{'s' if number > 1 else ''}": throughput.measure(
            BENCH, rounds=3, seconds=extent.seconds, connections=number
        )
        for number in _CONNECTIONS
    }
    by_python = f"{CONNECTIONS} connections, driven by threads of Python"
    matrix[by_python] = throughput.measure(BENCH, rounds=3, seconds=extent.seconds, with_wrk=False)
    sizes = throughput.sizes(BENCH, extent.seconds)
    lines = [line for title, found in matrix.items() for line in (f"{title}:", "", *report.handlers(found))]
    told = {title: throughput.as_json(found) for title, found in matrix.items()}
    as_json = {"{}x{}".format(*size): asdict(load) for size, load in sizes.items()}
    blocks = {"sizes": [*circumstances, *report.sizes(sizes)], "matrix": [*circumstances, *lines]}
    return blocks, {"connections": told, "sizes": as_json}


if __name__ == "__main__":
    main()
