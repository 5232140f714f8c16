"""Prefetch and fetch agree, however a server cuts the record into pages and whichever keys are left to it.

The server of `test_same_findings` answers in one page; this one pages, shuffles, repeats entries on several pages,
includes what nobody asked for and keeps Medications apart, as real servers do.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.answer import evaluate
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.fetching.prefetch import RESOURCE_TYPES, prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Availability, Finding, Query, QueryResult
from tests.support import fixtures
from tests.support.fixtures import Json
from tests.support.keys import key_of
from tests.support.world import definition, service

PATIENCE_S = 10.0
PAGE_SIZE = 2
NAMES = [name for name in fixtures.names() if fixtures.read("requests", name).get("prefetch")]
KEYS_BY_TYPE = {kind: query.value for query, kinds in RESOURCE_TYPES.items() for kind in kinds}
INCLUDED = {"resource": {"resourceType": "Practitioner", "id": "made-up-includer"}, "search": {"mode": "include"}}
REMARK = {
    "resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]},
    "search": {"mode": "outcome"},
}


@pytest.fixture(scope="module")
def make_httpserver() -> Iterator[HTTPServer]:
    """One that answers several requests at once."""
    server = HTTPServer("127.0.0.1", 0, threaded=True)
    server.start()
    yield server
    server.clear()
    server.stop()


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    fetcher = Fetcher(Limits(most_pages=50))
    yield fetcher
    fetcher.close()


class PagingServer:
    """Holds what the prefetch of a request holds. Each page has its matches in another order, one of them again,
    and beside them an included resource and a remark.
    """

    def __init__(self, prefetch: Mapping[str, Any], server: HTTPServer, seed: int) -> None:
        self.held: dict[str, list[Json]] = {key: resources_of(value) for key, value in prefetch.items()}
        self._address = server
        self._chance = random.Random(seed)
        server.expect_request(re.compile("/fhir.*")).respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        kind, _, identifier = request.path.removeprefix("/fhir").removeprefix("/").partition("/")
        if identifier:
            return self._single(kind, identifier)
        asked = {name: values[0] for name, values in parse_qs(request.query_string.decode()).items()}
        key = KEYS_BY_TYPE.get(kind, "")
        if kind == "Observation" and "code" in asked:
            code = asked["code"].split(",")[0].rpartition("|")[2]
            key = key_of({"code": {"coding": [{"code": code}]}})
        return self._page(asked.get("key", key), int(asked.get("page", 0)))

    def _single(self, kind: str, identifier: str) -> Response:
        named = (r for held in self.held.values() for r in held if (r["resourceType"], r["id"]) == (kind, identifier))
        found = next(named, None)
        return Response(json.dumps(found or {}), status=200 if found else 404, mimetype="application/fhir+json")

    def _page(self, key: str, number: int) -> Response:
        matches = [r for r in self.held.get(key, []) if r["resourceType"] != "Medication"]
        shown = matches[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        again = self._chance.choices(matches, k=1) if matches else []
        entries = [{"resource": resource, "search": {"mode": "match"}} for resource in (*shown, *again)]
        entries += [INCLUDED, REMARK]
        self._chance.shuffle(entries)
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(matches), "entry": entries}
        if (number + 1) * PAGE_SIZE < len(matches):
            address = self._address.url_for(f"/fhir?key={key}&page={number + 1}")
            bundle["link"] = [{"relation": "self", "url": "urn:x"}, {"relation": "next", "url": address}]
        return Response(json.dumps(bundle), mimetype="application/fhir+json")


def resources_of(value: Any) -> list[Json]:
    if not isinstance(value, dict):
        return []
    return [e["resource"] for e in value.get("entry", [])] if value["resourceType"] == "Bundle" else [value]


def findings(body: Json, results: Mapping[Query, QueryResult] | None = None) -> list[Finding]:
    request = parse(body, definition(body["hook"]))
    found = results or prefetched_results(request.prefetch, request.question.patient_id)
    return sorted(evaluate(request.question, found, service(), fixtures.TODAY)[1], key=repr)


def fetched(body: Json, server: HTTPServer, fetcher: Fetcher) -> Mapping[Query, QueryResult]:
    asked = body | {"fhirServer": server.url_for("/fhir")}
    return fetcher.resolve(parse(asked, definition(body["hook"])), Deadline.after(PATIENCE_S))


def without(body: Json, *keys: str) -> Json:
    return body | {"prefetch": {key: value for key, value in body["prefetch"].items() if key not in keys}}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_pages_in_any_order_give_the_findings_of_the_prefetch(
    httpserver: HTTPServer, fetcher: Fetcher, name: str, seed: int
) -> None:
    body = fixtures.read("requests", name)
    PagingServer(body["prefetch"], httpserver, seed)
    results = fetched(without(body, *body["prefetch"]), httpserver, fetcher)
    assert {(q, r.availability, r.reason) for q, r in results.items()} == {
        (q, Availability.COMPLETE, "") for q in Query
    }
    assert findings(body, results) == findings(body)


@pytest.mark.parametrize("name", NAMES)
def test_each_key_may_be_left_to_the_server(httpserver: HTTPServer, fetcher: Fetcher, name: str) -> None:
    body = fixtures.read("requests", name)
    PagingServer(body["prefetch"], httpserver, 3)
    for query in Query:
        assert findings(body, fetched(without(body, query.value), httpserver, fetcher)) == findings(body), query


@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
@pytest.mark.parametrize("name", NAMES)
def test_medications_that_stand_apart(httpserver: HTTPServer, fetcher: Fetcher, name: str, absolute: bool) -> None:
    """The drugs of the current medicines stand in Medications, which are read one by one."""
    body = fixtures.read("requests", name)
    apart = copy.deepcopy(body)
    base = httpserver.url_for("/fhir/") if absolute else ""
    kept: list[Json] = []
    for order in resources_of(apart["prefetch"].get("medications")):
        concept = order.pop("medicationCodeableConcept", None)
        if concept:
            kept.append({"resourceType": "Medication", "id": f"of-{order['id']}", "code": concept})
            order["medicationReference"] = {"reference": f"{base}Medication/of-{order['id']}"}
    apart["prefetch"]["singles"] = {"resourceType": "Bundle", "entry": [{"resource": one} for one in kept]}
    PagingServer(apart["prefetch"], httpserver, 4)
    results = fetched(without(apart, *apart["prefetch"]), httpserver, fetcher)
    assert told(findings(body | {"fhirServer": httpserver.url_for("/fhir")}, results)) == told(findings(body))


def told(found: list[Finding]) -> list[tuple[object, ...]]:
    """A finding but for the codes of its order, which now stand in another resource."""
    return sorted((f.kind, f.order.reference, f.drug, f.table, f.row, f.silent, f.resulting) for f in found)


@pytest.mark.parametrize("name", NAMES)
def test_another_patients_result_is_a_gap_whoever_brings_it(
    httpserver: HTTPServer, fetcher: Fetcher, name: str
) -> None:
    body = copy.deepcopy(fixtures.read("requests", name))
    stranger = {
        "resourceType": "Observation",
        "id": "of-a-stranger",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "84413-4"}]},
        "subject": {"reference": "Patient/made-up-stranger"},
        "valueCodeableConcept": {"text": "*1/*1"},
    }
    results = body["prefetch"]["results"]
    results["entry"] = [*results.get("entry", []), {"resource": stranger}]
    results.pop("total", None)
    PagingServer(body["prefetch"], httpserver, 5)
    by_prefetch = fetched(body, httpserver, fetcher)
    by_fetch = fetched(without(body, *body["prefetch"]), httpserver, fetcher)
    for found in (by_prefetch, by_fetch):
        assert (found[Query.RESULTS].availability, found[Query.RESULTS].reason) == (
            Availability.PARTIAL,
            "wrong_patient",
        )
    assert findings(body, by_prefetch) == findings(body, by_fetch) == findings(body)
