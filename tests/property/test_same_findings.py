"""Whoever brings the record, and in whatever order: the fixtures get the same findings.

Prefetch and fetch agree, the order of entries means nothing, an entry sent twice counts once, and what has nothing to
do with the question changes nothing.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.answer import evaluate
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Finding, QueryResult
from tests.support import fixtures
from tests.support.fixtures import Json
from tests.support.world import definition, service

NAMES = [name for name in fixtures.names() if fixtures.read("requests", name).get("prefetch")]
UNRELATED: list[Json] = [
    {
        "resourceType": "Observation",
        "id": "unrelated-height",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2", "display": "Body height"}]},
        "effectiveDateTime": "2026-11-01",
        "valueQuantity": {"value": 170, "unit": "cm"},
    },
    {
        "resourceType": "Observation",
        "id": "unrelated-question",
        "status": "final",
        "code": {"text": "Preferred language of letters"},
        "valueString": "English",
    },
]


def findings(body: Json, results: dict[Any, QueryResult] | None = None) -> list[Finding]:
    request = parse(body, definition(body["hook"]))
    found = results if results is not None else prefetched_results(request.prefetch)
    return sorted(evaluate(request.question, found, service(), fixtures.TODAY)[1], key=repr)


def bundles(body: Json) -> Iterator[list[Json]]:
    """The entries of each Bundle of the prefetch."""
    for value in body["prefetch"].values():
        if isinstance(value, dict) and value.get("entry"):
            yield value["entry"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**16))
def test_order_duplicates_and_unrelated_resources_change_nothing(name: str, seed: int) -> None:
    body = fixtures.read("requests", name)
    changed = copy.deepcopy(body)
    chance = random.Random(seed)
    for entries in bundles(changed):
        entries.extend(copy.deepcopy(chance.choices(entries, k=2)))
        chance.shuffle(entries)
    subject = {"reference": f"Patient/{body['context']['patientId']}"}
    results = changed["prefetch"]["results"]
    results["entry"] = [*results.get("entry", []), *({"resource": r | {"subject": subject}} for r in UNRELATED)]
    results.pop("total", None)
    chance.shuffle(results["entry"])
    assert findings(changed) == findings(body)


class Server:
    """A FHIR server that holds what the prefetch of one request holds, searched by patient, status and code."""

    def __init__(self, body: Json) -> None:
        values = [value for value in body["prefetch"].values() if isinstance(value, dict)]
        held = [value for value in values if value["resourceType"] != "Bundle"]
        held += [entry["resource"] for value in values for entry in value.get("entry", [])]
        self.resources: list[Json] = held

    def answer(self, request: Request) -> Response:
        kind, _, bare = request.path.removeprefix("/fhir/").partition("/")
        of_kind = [resource for resource in self.resources if resource["resourceType"] == kind]
        if bare:
            found = next((resource for resource in of_kind if resource["id"] == bare), None)
            return _json(found or {}, 200 if found else 404)
        wanted = {name: set(values[0].split(",")) for name, values in parse_qs(request.query_string.decode()).items()}
        matches = [resource for resource in of_kind if _matches(resource, wanted)]
        entries = [{"resource": resource} for resource in matches]
        return _json({"resourceType": "Bundle", "type": "searchset", "total": len(matches), "entry": entries}, 200)


def _matches(resource: Json, wanted: dict[str, set[str]]) -> bool:
    subject = resource.get("subject", resource.get("patient"))["reference"].rpartition("/")[2]
    codes = {f"{c.get('system')}|{c['code']}" for c in resource.get("code", {}).get("coding", []) if "code" in c}
    codes |= {code.partition("|")[2] for code in codes}
    return (
        subject in wanted["patient"]
        and ("status" not in wanted or resource["status"] in wanted["status"])
        and ("code" not in wanted or bool(codes & wanted["code"]))
    )


def _json(body: Json, status: int) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/fhir+json")


@pytest.mark.parametrize("name", NAMES)
def test_prefetch_and_fetch_give_the_same_findings(httpserver: HTTPServer, name: str) -> None:
    body = fixtures.read("requests", name)
    httpserver.expect_request(re.compile("/fhir/.+")).respond_with_handler(Server(body).answer)
    bare = {key: value for key, value in body.items() if key != "prefetch"}
    bare["fhirServer"] = httpserver.url_for("/fhir")
    fetcher = Fetcher(Limits())
    try:
        results = fetcher.resolve(parse(bare, definition(body["hook"])), Deadline.after(10))
    finally:
        fetcher.close()
    assert {query: found.reason for query, found in results.items() if found.reason} == {}
    assert findings(bare, dict(results)) == findings(body)
