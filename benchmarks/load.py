"""Load: the highest rate without errors, slow clients behind nginx, SIGTERM under load, and a long run.

    python -m benchmarks.load [highest] [slow] [stop] [soak] [--minutes 30] [--seconds 60] [--write]
    python -m benchmarks.load --table

Without a name all four run. Each writes build/load/NAME.json; `--write` puts what is there into docs/performance.md
after each of them, `--table` without running any. Loopback only; every process that is started here is ended here.
The exit code is 1 where something is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import report
from benchmarks.loads import Extent, Figures, Part
from benchmarks.loads.highest import HIGHEST
from benchmarks.loads.slow import SLOW
from benchmarks.loads.soak import SOAK
from benchmarks.loads.stop import STOP
from benchmarks.servers import LOAD, ended_by_signal

PARTS = {"highest": HIGHEST, "slow": SLOW, "stop": STOP, "soak": SOAK}


def main() -> None:
    chosen = _chosen()
    names = [] if chosen.table else chosen.names or list(PARTS)
    for name in names:
        PARTS[name].need()
    ended_by_signal()
    LOAD.mkdir(parents=True, exist_ok=True)
    missed = False
    for name in names:
        figures = _run(name, Extent(chosen.seconds, chosen.minutes))
        missed |= not PARTS[name].is_met(figures)
        print(*_row(PARTS[name], figures), sep=" | ", flush=True)
        if chosen.write:
            report.put("load", lines(_kept()))
    if chosen.table:
        report.put("load", lines(_kept()))
    sys.exit(missed)


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *PARTS], metavar="NAME", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=float, default=30.0, help="of the long run")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the highest rate")
    parser.add_argument("--write", action="store_true", help="put what is there into docs/performance.md")
    parser.add_argument("--table", action="store_true", help="do that, and run nothing")
    return parser.parse_args()


def _run(name: str, extent: Extent) -> Figures:
    """The figures, also in the file of that name. The commit is that of the beginning."""
    stamp = {"commit": report.commit(), "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}
    with TemporaryDirectory() as folder:
        figures = PARTS[name].measure(Path(folder), extent) | stamp
    (LOAD / f"{name}.json").write_text(json.dumps(figures, indent=1))
    return figures


def _kept() -> Iterator[tuple[Part, Figures]]:
    """What the last runs found, of each part that ever ran here."""
    for name, part in PARTS.items():
        path = LOAD / f"{name}.json"
        if path.is_file():
            yield part, json.loads(path.read_bytes())


def lines(found: Iterator[tuple[Part, Figures]]) -> list[str]:
    """The table for the page."""
    return report.table(("load", "found", "", "commit", "begun"), [_row(part, figures) for part, figures in found])


def _row(part: Part, figures: Figures) -> tuple[str, ...]:
    verdict = "met" if part.is_met(figures) else "**missed**"
    return part.title, part.told.format_map(figures), verdict, str(figures["commit"]), str(figures["at"])


if __name__ == "__main__":
    main()
