"""Requests that nobody should send, by the ten thousand: does the service always answer, and validly?

    python -m tools.fuzz [--seed 1] [--mutations 50000] [--schema 10000] [--only N]

`--mutations` changes the fixtures, with results of the shape cases among them (`tests/support/mutations.py`);
`--schema` draws requests from the OpenAPI document with schemathesis, which the optional dependency `fuzz` brings.
Everything runs in this process; no FHIR server can be reached. Prints the counts, and each kind of fault once with
the request that showed it; exits with 1 where there was one. `--only` sends one mutation again, by its number, and
shows it.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from flask.testing import FlaskClient

from cds_service.app import close, create_app
from cds_service.settings import Settings
from cds_service.web.pages import openapi
from tests.support.logs import logging_restored
from tests.support.mutations import UNREADABLE, Pool, corrupted, fixture_bodies, mutated, shapes, with_shapes
from tests.unit.writing.writing_samples import RESPONSE_SCHEMA

_NO_SERVER = "http://127.0.0.1:9/fhir"
_CORRUPTED_SHARE = 0.05
_FEEDBACK_SHARE = 0.03
_SHAPES_SHARE = 0.5
_OF_A_PAGE = 5
_FEEDBACK = {
    "feedback": [
        {
            "card": "3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d11",
            "outcome": "overridden",
            "outcomeTimestamp": "2026-11-25T10:00:00Z",
            "overrideReason": {"reason": {"code": "c", "system": "s"}, "userComment": "none"},
        },
        {
            "card": "3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d12",
            "outcome": "accepted",
            "outcomeTimestamp": "2026-11-25T10:00:00+01:00",
            "acceptedSuggestions": [{"id": "3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d13"}],
        },
    ]
}


@dataclass(slots=True)
class Report:
    """What became of the requests. `faults` holds the first example of each kind."""

    statuses: Counter[int] = field(default_factory=Counter)
    with_cards: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    fault_count: int = 0

    def fault(self, kind: str, example: str) -> None:
        self.fault_count += 1
        self.faults.setdefault(kind, example)

    def lines(self, title: str, seconds: float) -> Iterator[str]:
        total = sum(self.statuses.values())
        told = ", ".join(f"{n} x {status}" for status, n in sorted(self.statuses.items()))
        yield f"{title}: {total} requests in {seconds:.0f} s: {told}; {self.with_cards} with cards"
        yield f"  faults: {self.fault_count}"
        yield from (f"  {kind}\n    {example}" for kind, example in self.faults.items())


class Checks:
    """Is an answer one that this service gives?"""

    def __init__(self) -> None:
        defined = openapi()["components"]["schemas"]
        self._answer = jsonschema.Draft202012Validator(RESPONSE_SCHEMA)
        outcome = {"components": {"schemas": defined}, **defined["OperationOutcome"]}
        self._outcome = jsonschema.Draft202012Validator(outcome)

    def fault(self, status: int, content: bytes) -> str:
        """What is wrong; empty when nothing is."""
        if status == 204:
            return "" if not content else "204 with a body"
        if status >= 500:
            return f"status {status}"
        if status != 200 and not 400 <= status < 500:
            return f"status {status}"
        validator = self._answer if status == 200 else self._outcome
        found = next(validator.iter_errors(json.loads(content)), None)
        return f"{status} breaks the schema: {found.message[:200]} at {found.json_path}" if found else ""


class Crashes(logging.Handler):
    """Remembers where the last crash came from."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        line = json.loads(record.getMessage())
        where = " < ".join(reversed(line.get("places", [])[-3:]))
        self.last = f"{line['event']} {line.get('fault', '')} {line.get('message', '')} at {where}"


@contextmanager
def service() -> Iterator[tuple[FlaskClient, Crashes]]:
    """The application, with nothing to reach outside and a store that is thrown away."""
    with tempfile.TemporaryDirectory() as folder, logging_restored() as logger:
        settings = Settings(
            development=True,
            database_url=f"sqlite:///{Path(folder) / 'store.sqlite'}",
            log_level="ERROR",
            fhir_servers=(_NO_SERVER,),
        )
        app = create_app(settings)
        crashes = Crashes()
        logger.handlers[:] = [crashes]
        try:
            yield app.test_client(), crashes
        finally:
            close(app)


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    content: bytes
    told: str


class Mutations:
    """The n-th mutated request of a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._bodies = fixture_bodies()
        self._names = sorted(self._bodies)
        self._shapes = shapes()
        self._pool = Pool([*(self._bodies[name] for name in self._names), *map(json.loads, self._shapes)])

    def request(self, number: int) -> Request:
        chance = random.Random(f"{self._seed}:{number}")  # noqa: S311  no secret
        if chance.random() < _FEEDBACK_SHARE:
            name, path, body = "feedback", "/cds-services/order-sign/feedback", _FEEDBACK
        else:
            name = chance.choice(self._names)
            body = self._bodies[name]
            path = f"/cds-services/{body['hook']}"
            if chance.random() < _SHAPES_SHARE:
                body = with_shapes(body, self._shapes, chance)
        changed, changes = mutated(body, self._pool, chance)
        content = json.dumps(changed, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        if chance.random() < _CORRUPTED_SHARE:
            content, changes = corrupted(content, chance), (*changes, "corrupted")
        return Request(path, content, f"--seed {self._seed} --only {number} ({name}: {', '.join(changes)})")


def run_mutations(client: FlaskClient, crashes: Crashes, seed: int, numbers: range) -> Report:
    """Send mutations and, at the start, every body that is no JSON of ours."""
    report, checks, mutations = Report(), Checks(), Mutations(seed)
    for name, content in UNREADABLE.items():
        status = _send(client, crashes, Request("/cds-services/order-sign", content, name), checks, report)
        if not 400 <= status < 500:
            report.fault(f"{status} for what cannot be read", name)
    for number in numbers:
        _send(client, crashes, mutations.request(number), checks, report)
    return report


def _send(client: FlaskClient, crashes: Crashes, request: Request, checks: Checks, report: Report) -> int:
    crashes.last = ""
    response = client.post(request.path, data=request.content, content_type="application/json")
    content = response.get_data()
    response.close()
    report.statuses[response.status_code] += 1
    report.with_cards += response.status_code == 200 and not content.startswith(b'{"cards":[]')
    fault = checks.fault(response.status_code, content)
    if fault or crashes.last:
        report.fault(f"{fault} {crashes.last}".strip(), request.told)
    return response.status_code


def run_schema(client: FlaskClient, crashes: Crashes, seed: int, count: int) -> Report:
    """Draw requests from the OpenAPI document: two thirds as it says, one third not."""
    import schemathesis  # noqa: PLC0415  an optional dependency
    from schemathesis import GenerationMode  # noqa: PLC0415

    report = Report()
    schema = schemathesis.openapi.from_wsgi("/openapi.json", client.application)
    operations = [found.ok() for found in schema.get_all_operations()]
    posted = [operation for operation in operations if operation.method.upper() == "POST"]
    each = -(-count // (3 * len(posted)))
    for operation in operations:
        most = 2 * each if operation in posted else _OF_A_PAGE
        _draw(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), seed, most, crashes, report)
    for operation in posted:
        _draw(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), seed, each, crashes, report)
    return report


def _draw(cases: Any, seed: int, most: int, crashes: Crashes, report: Report) -> None:
    """Send up to `most` cases of a strategy. That odd input is answered is no fault: the service reads tolerantly."""
    import hypothesis  # noqa: PLC0415  of the optional dependency
    from schemathesis import checks  # noqa: PLC0415
    from schemathesis.specs.openapi import checks as of_the_document  # noqa: PLC0415

    held_against = [
        checks.not_a_server_error,
        of_the_document.status_code_conformance,
        of_the_document.content_type_conformance,
        of_the_document.response_headers_conformance,
        of_the_document.response_schema_conformance,
    ]

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=cases)
    def send(case: Any) -> None:
        crashes.last = ""
        response = case.call()
        report.statuses[response.status_code] += 1
        report.with_cards += response.status_code == 200 and b'"indicator"' in response.content
        for fault in _faults_of(case, response, held_against):
            report.fault(f"{fault} {crashes.last}".strip(), f"{case.method} {case.path} {str(case.body)[:500]}")

    send()


def _faults_of(case: Any, response: Any, held_against: list[Any]) -> list[str]:
    from schemathesis.core import failures  # noqa: PLC0415  of the optional dependency

    try:
        case.validate_response(response, checks=held_against)
    except failures.Failure as fault:
        return [f"{type(fault).__name__}: {str(fault)[:300]}"]
    except failures.FailureGroup as group:
        return [f"{type(fault).__name__}: {str(fault)[:300]}" for fault in group.exceptions]
    return []


def _show(mutations: Mutations, number: int, client: FlaskClient, crashes: Crashes) -> None:
    request = mutations.request(number)
    response = client.post(request.path, data=request.content, content_type="application/json")
    told = (request.told, request.content.decode("utf-8", "backslashreplace"))
    print(*told, response.status_code, response.get_data(as_text=True), crashes.last, sep="\n")  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutations", type=int, default=50_000)
    parser.add_argument("--schema", type=int, default=10_000)
    parser.add_argument("--only", type=int, help="the number of one mutation, to be sent again and shown")
    asked = parser.parse_args()
    failed = False
    with service() as (client, crashes):
        if asked.only is not None:
            _show(Mutations(asked.seed), asked.only, client, crashes)
            return 0
        runs = (
            ("mutated requests", lambda: run_mutations(client, crashes, asked.seed, range(asked.mutations))),
            ("drawn from the OpenAPI document", lambda: run_schema(client, crashes, asked.seed, asked.schema)),
        )
        for (title, run), count in zip(runs, (asked.mutations, asked.schema), strict=True):
            if count:
                began_s = time.monotonic()
                report = run()
                lines = report.lines(f"seed {asked.seed}, {title}", time.monotonic() - began_s)
                print(*lines, sep="\n", flush=True)  # noqa: T201  a command line prints
                failed = failed or bool(report.fault_count)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
