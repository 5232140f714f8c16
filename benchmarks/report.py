"""The results as tables, printed and put between the marks of docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.scaling import WHOLE, Scaling, growth
from benchmarks.servers import PROJECT, THREADS, WORKERS
from benchmarks.throughput import BARE, EVERYTHING, PLAIN, SIGNED, Result

PAGE = PROJECT / "docs" / "performance.md"


def put(block: str, lines: Iterable[str]) -> None:
    """Replace the block on the page."""
    PAGE.write_text(replaced(PAGE.read_text("utf-8"), block, lines), "utf-8")


def replaced(page: str, block: str, lines: Iterable[str]) -> str:
    """The page with the lines between `<!-- BLOCK -->` and `<!-- /BLOCK -->`. Raises SystemExit where it has none."""
    marks = re.compile(rf"(<!-- {block} -->\n).*?(<!-- /{block} -->)", re.DOTALL)
    if not marks.search(page):
        raise SystemExit(f"{PAGE.name} has no marks of the block {block}")
    content = "\n".join(lines).strip()
    return marks.sub(lambda found: f"{found[1]}\n{content}\n\n{found[2]}", page)


def circumstances(driver: str) -> list[str]:
    """When, of which commit, on what, by what."""
    told = (
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC at commit {commit()}: Python {platform.python_version()}, "
        f"{os.cpu_count()} cores shared by server and driver, gunicorn with {WORKERS} workers of {THREADS} threads, "
        f"driven by {driver}. Load of the machine in the minute before: {os.getloadavg()[0]:.1f}."
    )
    return [told, ""]


def commit() -> str:
    """The commit, and whether the service has been changed since."""
    changed = _git("--no-optional-locks", "status", "--porcelain", "--", "cds_service", "cards")
    return f"{_git('rev-parse', '--short', 'HEAD') or 'unknown'}{' and changes since' if changed else ''}"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    try:
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows), ""]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def handlers(results: Mapping[str, Result]) -> list[str]:
    return table(
        ("handler", "calls/s", "p50 ms", "p99 ms", "CPU ms a call", "failed", "RSS MB a worker", "PSS MB a worker"),
        [
            (name, f"{r.per_second:.0f}", f"{r.p50_ms:.1f}", f"{r.p99_ms:.1f}", f"{r.cpu_ms:.2f}", str(r.failed),
             f"{r.rss_mb:.0f}", f"{r.pss_mb:.0f}")
            for name, r in results.items()
        ],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Goal:
    """Of issue 5, and what was found."""

    name: str
    found: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """By what was found, not by what is shown of it."""
        return self.found >= self.at_least if self.at_least is not None else self.found <= (self.at_most or 0)

    def row(self) -> tuple[str, ...]:
        wanted = f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"
        return self.name, wanted, f"{self.found:.2f}", "met" if self.is_met else "**missed**"


def goals(results: Mapping[str, Result], scaling: Scaling, ready_s: float) -> list[Goal]:
    """Each goal of the project with what was found."""
    plain, signed, of_bare = results[PLAIN], results[SIGNED], results[BARE]
    return [
        Goal("throughput to bare Flask", throughput_ratio(results), at_least=0.6),
        Goal("throughput to `fhir.resources`", plain.per_second / results[EVERYTHING].per_second, at_least=5),
        Goal("p99 to bare Flask", plain.p99_ms / of_bare.p99_ms, at_most=3),
        Goal("CPU of a call to bare Flask", plain.cpu_ms / of_bare.cpu_ms, at_most=2),
        Goal("throughput with ES384 and replay protection to bare Flask",
             signed.per_second / of_bare.per_second, at_least=0.3),
        Goal("500 prefetch entries to 5", growth(scaling.entries, 5, 500), at_most=10),
        Goal("20 orders to 1", growth(scaling.orders, 1, 20), at_most=12),
        Goal("ten times the knowledge to once", growth(scaling.knowledge, 1, 10), at_most=1.05),
        Goal("ready, seconds", ready_s, at_most=2),
        Goal("memory of a worker, MB", max(plain.rss_mb, signed.rss_mb), at_most=150),
        Goal("calls that failed", plain.failed + signed.failed, at_most=0),
    ]  # fmt: skip


def goal_table(found: Iterable[Goal]) -> list[str]:
    return table(("goal", "wanted", "found", ""), [goal.row() for goal in found])


def throughput_ratio(results: Mapping[str, Result]) -> float:
    return results[PLAIN].per_second / results[BARE].per_second


def costs(scaling: Scaling) -> list[str]:
    """CPU time of a call against what it holds."""
    rows = [
        *((f"{n} prefetch entries", ms) for n, ms in scaling.entries.items()),
        *((f"{n} draft order{'s' if n > 1 else ''}", ms) for n, ms in scaling.orders.items()),
        *((f"knowledge × {n}", ms) for n, ms in scaling.knowledge.items()),
        *((f"patients: {name}", ms) for name, ms in scaling.patients.items()),
    ]
    return table(("CPU time of a call in one process", "ms"), [(name, f"{ms:.2f}") for name, ms in rows])


def steps(scaling: Scaling) -> list[str]:
    """What the steps of the answer cost, and what is around them."""
    whole_ms = scaling.steps[WHOLE]
    parts = {name: ms for name, ms in scaling.steps.items() if name != WHOLE}
    parts["Flask, limits, log line, issued cards"] = whole_ms - sum(parts.values())
    rows = [(name, f"{ms:.2f}", f"{ms / whole_ms:.0%}") for name, ms in {**parts, WHOLE: whole_ms}.items()]
    return table(("step", "ms", "share"), rows)


def shares(found: Mapping[str, tuple[float, float]]) -> list[str]:
    """Packages that take a hundredth at least: each with all that it calls for itself, and its own lines."""
    rows = [
        (f"`{name}`" if " " not in name else name, f"{whole:.0%}", f"{own:.0%}")
        for name, (whole, own) in found.items()
        if max(whole, own) >= 0.01
    ]
    return table(("package", "with what it calls", "its own lines"), rows)


def sizes(found: Mapping[tuple[int, int], Result]) -> list[str]:
    """Ours by workers and threads."""
    rows = [
        (str(workers), str(threads), f"{r.per_second:.0f}", f"{r.p50_ms:.1f}", f"{r.p99_ms:.1f}", f"{r.cpu_ms:.2f}")
        for (workers, threads), r in found.items()
    ]
    return table(("workers", "threads of each", "calls/s", "p50 ms", "p99 ms", "CPU ms a call"), rows)
