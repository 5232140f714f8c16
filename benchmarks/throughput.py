"""Our service, a bare Flask handler and a handler that makes `fhir.resources` objects of everything, under the same
gunicorn settings, in turn, for several rounds: their ratios are those of one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.body import FILE
from benchmarks.driver import CONNECTIONS, Load, drive
from benchmarks.servers import UNSIGNED, Server, bare, ours, running, store_in
from benchmarks.tokens import Caller, caller

BARE, EVERYTHING, PLAIN, SIGNED = "bare Flask", "fhir.resources", "ours", "ours, ES384"
SIZES = ((1, 1), (1, 4), (2, 1), (2, 2), (2, 4), (2, 8), (4, 4))
"""Workers, and threads of each."""
_EXPECTED_PER_SECOND = 1000.0
_SPARE = 3.0
"""Tokens made for each call that is expected: the machine may do less beside it in the next round."""


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over the rounds; memory is of the largest worker after them, start-up of several starts."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    failed: int
    rss_mb: float
    pss_mb: float
    ready_s: float


def measure(
    folder: Path, *, rounds: int, seconds: float, connections: int = CONNECTIONS, with_wrk: bool | None = None
) -> dict[str, Result]:
    """Each handler's result."""
    way = _Way(folder, caller(folder), connections, with_wrk)
    with ExitStack() as stack:
        servers = [stack.enter_context(running(*_how(name, folder, way.signer))) for name in _NAMES]
        warmed = {server.name: way.drive(server, 2.0, _EXPECTED_PER_SECOND)[0].per_second for server in servers}
        expected = max(rate for name, rate in warmed.items() if name in _OURS)
        found: dict[str, list[tuple[Load, float]]] = {server.name: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                driven = way.drive(server, seconds, expected)
                found[server.name].append(driven)
                if server.name in _OURS:
                    expected = max(expected, driven[0].per_second)
        return {server.name: _result(server, found[server.name]) for server in servers}


_NAMES = (BARE, EVERYTHING, PLAIN, SIGNED)
_OURS = (PLAIN, SIGNED)
_HANDLERS = {BARE: "bare", EVERYTHING: "everything"}


def _how(name: str, folder: Path, signer: Caller) -> tuple[str, list[str], Mapping[str, str], Path]:
    """What `running` is given."""
    log = folder / f"{name.replace(' ', '-')}.log"
    if name in _HANDLERS:
        return name, bare(_HANDLERS[name]), {}, log
    callers = signer.environment() if name == SIGNED else UNSIGNED
    return name, ours(), store_in(folder, log.stem) | callers, log


@dataclass(frozen=True, slots=True)
class _Way:
    """How all servers of a run are driven."""

    folder: Path
    signer: Caller
    connections: int
    with_wrk: bool | None

    def drive(self, server: Server, seconds: float, expected_per_second: float) -> tuple[Load, float]:
        """The load, and the CPU time of a call in milliseconds."""
        tokens = None
        if server.name == SIGNED:
            count = int(expected_per_second * seconds * _SPARE) + 200
            tokens = self.signer.tokens(count, self.folder / "tokens.txt")
        before_s = server.cpu_s()
        load = drive(server.port, FILE, seconds, tokens=tokens, connections=self.connections, with_wrk=self.with_wrk)
        return load, (server.cpu_s() - before_s) / max(1, load.calls) * 1000


def _result(server: Server, driven: list[tuple[Load, float]]) -> Result:
    loads = [load for load, _ in driven]
    memory = server.resident_mb()
    return Result(
        per_second=median(load.per_second for load in loads),
        p50_ms=median(load.p50_ms for load in loads),
        p99_ms=median(load.p99_ms for load in loads),
        cpu_ms=median(cpu_ms for _, cpu_ms in driven),
        failed=sum(load.failed for load in loads),
        rss_mb=memory["rss"],
        pss_mb=memory["pss"],
        ready_s=server.ready_s,
    )


def starts(folder: Path, times: int) -> list[float]:
    """Seconds from the start of our server to its first answer of readiness, each time anew."""
    found = []
    for number in range(times):
        with running("start", ours(), UNSIGNED | store_in(folder, f"start-{number}"), folder / "start.log") as server:
            found.append(server.ready_s)
    return found


def sizes(folder: Path, seconds: float) -> dict[tuple[int, int], Result]:
    """Ours with several numbers of workers and of threads in each, one after the other."""
    way = _Way(folder, caller(folder), CONNECTIONS, with_wrk=None)
    found = {}
    for size in SIZES:
        name = "size-{}-{}".format(*size)
        with running(name, ours(*size), UNSIGNED | store_in(folder, name), folder / f"{name}.log") as server:
            way.drive(server, 2.0, _EXPECTED_PER_SECOND)
            found[size] = _result(server, [way.drive(server, seconds, _EXPECTED_PER_SECOND)])
    return found


def as_json(results: Mapping[str, Result]) -> dict[str, dict[str, float]]:
    return {name: asdict(result) for name, result in results.items()}
