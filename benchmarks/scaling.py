"""CPU time of one call of the whole application in this process: by entries, orders and knowledge, for strangers, and
by step.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import Timer
from typing import Any

import orjson
from flask import Flask

from benchmarks.body import Json, another, content, order_sign, stranger, with_entries, with_orders
from benchmarks.calls import PATH, fault_of
from benchmarks.servers import PROJECT
from cds_service import reading, reasoning, writing
from cds_service.answer import Service, load_service
from cds_service.app import close, create_app
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.hooks.responses import checked
from cds_service.offered import offered_by
from cds_service.settings import Settings

TODAY = date(2026, 11, 25)
ENTRIES = (5, 50, 200, 500)
ORDERS = (1, 2, 5, 10, 20)
KNOWLEDGE = (1, 10)

WHOLE = "the whole call"

_HOOK = "order-sign"
_CALLS_A_ROUND_S = 0.15
_STRANGERS = 100
_LONGEST_S = 300.0


@dataclass(frozen=True, slots=True)
class Scaling:
    """Milliseconds of CPU time a call, by what was varied; `steps` are those of the answer itself."""

    entries: Mapping[int, float]
    orders: Mapping[int, float]
    knowledge: Mapping[int, float]
    patients: Mapping[str, float]
    """Of one history, and with days, values and ids of each call's own."""
    steps: Mapping[str, float]
    """With `WHOLE`, the call that they are part of."""


def measure(folder: Path, rounds: int) -> Scaling:
    """All of it. `folder` takes the larger knowledge, and a store."""
    loaded = load_service()
    with called(folder, loaded) as call:
        entries = _least({n: repeated(call, with_entries(n)) for n in ENTRIES}, rounds)
        orders = _least({n: repeated(call, with_orders(n)) for n in ORDERS}, rounds)
        patients = _by_patients(call, rounds)
        steps = _least({WHOLE: repeated(call, order_sign()), **steps_of(loaded)}, rounds)
    return Scaling(entries, orders, _by_knowledge(folder, rounds), patients, steps)


def _by_patients(call: Callable[[bytes], None], rounds: int) -> dict[str, float]:
    """In turn; the bodies are made before the clock runs."""
    makers: Mapping[str, Callable[[int], bytes]] = {
        "one history": partial(another, content()),
        "days, values and ids of each call's own": stranger,
    }
    found: dict[str, list[float]] = {name: [] for name in makers}
    for turn in range(rounds):
        numbers = range(turn * _STRANGERS, (turn + 1) * _STRANGERS)
        for name, make in makers.items():
            found[name].append(_of_bodies(call, [make(number) for number in numbers]))
    return {name: min(each) for name, each in found.items()}


def _by_knowledge(folder: Path, rounds: int) -> dict[int, float]:
    """Each in a process of its own, in turn: what one holds in memory would slow the other down."""
    with ExitStack() as stack:
        asked = {times: stack.enter_context(_process(times, folder)) for times in KNOWLEDGE}
        found: dict[int, list[float]] = {times: [] for times in KNOWLEDGE}
        for _ in range(rounds):
            for times, ask in asked.items():
                found[times].append(ask())
        return {times: min(each) for times, each in found.items()}


@contextmanager
def _process(times: int, folder: Path) -> Iterator[Callable[[], float]]:
    """Asks a process of `benchmarks.knowledge` for one turn. A process that takes minutes is ended."""
    command = [sys.executable, "-m", "benchmarks.knowledge", str(times), str(folder)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True, bufsize=1)
    limit = Timer(_LONGEST_S, process.kill)
    limit.start()
    try:
        yield partial(_turn, process)
    finally:
        limit.cancel()
        process.kill()
        process.wait()


def _turn(process: subprocess.Popen[str]) -> float:
    if process.stdin is None or process.stdout is None:
        raise SystemExit("a process without pipes cannot be asked")
    process.stdin.write("\n")
    told = process.stdout.readline()
    if not told:
        raise SystemExit("the process with the larger knowledge ended; what it wrote above says why")
    return float(told)


@contextmanager
def called(folder: Path, loaded: Service, name: str = "scaling") -> Iterator[Callable[[bytes], None]]:
    """Calls the whole application with a body: store, issued cards, log lines and all; only no socket is between."""
    settings = Settings(development=True, database_url=f"sqlite:///{folder}/{name}.sqlite")
    with (folder / f"{name}.log").open("w") as log, redirect_stderr(log):
        app = create_app(settings, loaded)
        try:
            yield partial(_call, app)
        finally:
            close(app)


def _call(app: Flask, content: bytes) -> None:
    environment = {
        "REQUEST_METHOD": "POST", "PATH_INFO": PATH, "SERVER_NAME": "localhost", "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": BytesIO(content),
        "CONTENT_LENGTH": str(len(content)), "CONTENT_TYPE": "application/json", "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    told: list[str] = []
    application: Any = app
    answered = application.wsgi_app(environment, lambda status, _headers, _fault=None: told.append(status))
    answer = b"".join(answered)
    answered.close()
    wrong = fault_of(int(told[0][:3]), answer)
    if wrong:
        raise SystemExit(f"a call came to nothing: {wrong}")


def repeated(call: Callable[[bytes], None], body: Json) -> Callable[[], None]:
    """A call with the body, each time for another patient."""
    content, numbers = orjson.dumps(body), count()
    return lambda: call(another(content, next(numbers)))


def _of_bodies(call: Callable[[bytes], None], bodies: Sequence[bytes]) -> float:
    """Milliseconds of a call."""
    used_s = time.process_time()
    for body in bodies:
        call(body)
    return (time.process_time() - used_s) / len(bodies) * 1000


def steps_of(loaded: Service) -> dict[str, Callable[[], object]]:
    """Each step of the answer to the one body, by itself."""
    definition = offered_by(loaded)[_HOOK]
    request = parse(orjson.loads(content()), definition)
    results = prefetched_results(request.prefetch, request.question.patient_id)
    knowledge, policy = loaded.knowledge, loaded.policy

    def read() -> reading.Read:
        return reading.read(request.question, results, loaded.index, knowledge, TODAY, catalogue=policy.catalogue)

    found = read()
    findings = reasoning.evaluate(found.orders, found.patient, knowledge, policy, TODAY)

    def write() -> dict[str, Any]:
        return writing.write(findings, found.patient, found.drafts, knowledge, policy, loaded.wording, TODAY, _HOOK)

    body = write()
    return {
        "decode and parse": lambda: prefetched_results(
            parse(orjson.loads(content()), definition).prefetch, request.question.patient_id
        ),
        "read": read,
        "evaluate": lambda: reasoning.evaluate(found.orders, found.patient, knowledge, policy, TODAY),
        "write": write,
        "check and encode": lambda: orjson.dumps(checked(body)),
    }


def _least(calls: Mapping[Any, Callable[[], object]], rounds: int) -> dict[Any, float]:
    """Milliseconds of each call, the least of rounds in which every call has its turn: what else the machine does can
    only add to it.
    """
    for call in calls.values():
        warm(call)
    found: dict[Any, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            found[name].append(milliseconds(call))
    return {name: min(each) for name, each in found.items()}


def warm(call: Callable[[], object]) -> None:
    """Fill what is remembered."""
    for _ in range(5):
        call()


def milliseconds(call: Callable[[], object]) -> float:
    """CPU time of a call, over the calls of a fraction of a second."""
    began_s, used_s, calls = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began_s < _CALLS_A_ROUND_S:
        call()
        calls += 1
    return (time.process_time() - used_s) / calls * 1000


def growth(found: Mapping[int, float], few: int, many: int) -> float:
    """How many times as much `many` cost as `few`."""
    return found[many] / found[few]
