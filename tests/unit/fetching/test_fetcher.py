"""The FHIR server fills what the prefetch leaves open: in parallel, under one deadline, nowhere else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.codes import LOINC, Coding
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits, in_parts
from cds_service.fetching.prefetch import resources_in
from cds_service.hooks.discovery import services
from cds_service.hooks.requests import HookRequest, parse
from cds_service.model import Availability, Query, QueryResult
from tests.support.bundles import bundle

CODES = dict.fromkeys((Query.RESULTS, Query.TUMOUR_RESULTS), (Coding(LOINC, "84413-4"),))
SERVICES = {service.id: service for service in services(CODES)}
PATIENT = {"resourceType": "Patient", "id": "p1"}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
KEYS = [query.value for query in Query]


def medication_request(reference, identifier="rx-1"):
    return {"resourceType": "MedicationRequest", "id": identifier, "medicationReference": {"reference": reference}}


def wait_for_requests(server: HTTPServer, count: int) -> None:
    """Handlers that outlast their test would be counted in the next one."""
    until = time.monotonic() + 5
    while len(server.log) < count and time.monotonic() < until:
        time.sleep(0.01)


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    fetcher = Fetcher(Limits(largest_bytes=20_000, most_pages=3))
    yield fetcher
    fetcher.close()


def asked(
    server: HTTPServer | None,
    *missing: str,
    hook="order-sign",
    draft=None,
    dispatched="MedicationRequest/rx-9",
    **prefetch,
) -> HookRequest:
    """A request whose prefetch is empty but for the keys `missing` and what `prefetch` says."""
    context = {"patientId": "p1", "draftOrders": bundle(*([draft] if draft else []))}
    if hook == "order-dispatch":
        context |= {"dispatchedOrders": [dispatched]}
    body = {
        "hook": hook,
        "hookInstance": "i",
        "context": context,
        "prefetch": {key: None for key in KEYS if key not in missing} | prefetch,
    }
    if server:
        body |= {"fhirServer": server.url_for("/fhir"), "fhirAuthorization": {"access_token": "s3cret"}}
    return parse(body, SERVICES[hook])


def resolved(fetcher: Fetcher, request: HookRequest, query: Query, seconds=3.0) -> QueryResult:
    return fetcher.resolve(request, Deadline.after(seconds))[query]


def test_without_a_server_what_is_missing_stays_missing(fetcher):
    results = fetcher.resolve(asked(None, "results"), Deadline.after(1))
    assert results[Query.RESULTS].availability is Availability.MISSING
    assert {r.availability for q, r in results.items() if q is not Query.RESULTS} == {Availability.COMPLETE}


def test_missing_keys_are_read_with_the_token(fetcher, httpserver):
    with_token = {"Authorization": "Bearer s3cret"}
    httpserver.expect_request("/fhir/Patient/p1", headers=with_token).respond_with_json(PATIENT)
    httpserver.expect_request(
        "/fhir/Observation", query_string={"patient": "p1", "code": "http://loinc.org|84413-4"}, headers=with_token
    ).respond_with_json(bundle({"resourceType": "Observation", "id": "o1"}))
    results = fetcher.resolve(asked(httpserver, "patient", "results"), Deadline.after(3))
    assert results[Query.PATIENT] == QueryResult(Availability.COMPLETE, (PATIENT,))
    assert [r["id"] for r in resources_in(results[Query.RESULTS].resources)] == ["o1"]
    assert len(httpserver.log) == 2


def parts_of_results(server: HTTPServer, answers: list) -> QueryResult:
    """Results asked for in as many parts as there are answers: a bundle, or the status of a refusal."""
    codes = [f"8{n}-1" for n in range(len(answers))]
    offered = services({Query.RESULTS: [Coding(LOINC, code) for code in codes]})
    service = next(s for s in offered if s.id == "order-sign")
    for code, answer in zip(codes, answers, strict=True):
        expected = server.expect_request(
            "/fhir/Observation", query_string={"patient": "p1", "code": f"{LOINC}|{code}"}
        )
        if isinstance(answer, int):
            expected.respond_with_data("", status=answer)
        else:
            expected.respond_with_json(answer)
    fetcher = Fetcher(Limits(longest_search=60))
    try:
        return resolved(fetcher, replace(asked(server, "results"), service=service), Query.RESULTS)
    finally:
        fetcher.close()


def test_a_search_that_servers_might_refuse_for_its_length_is_asked_in_parts(httpserver):
    ids = ["o1", "o2", "o3"]
    result = parts_of_results(httpserver, [bundle({"resourceType": "Observation", "id": i}) for i in ids])
    assert result.availability is Availability.COMPLETE
    assert [r["id"] for r in resources_in(result.resources)] == ids
    assert len(httpserver.log) == 3


@pytest.mark.parametrize(
    ("answers", "availability", "reason"),
    [
        ([EMPTY, 403], Availability.PARTIAL, "refused"),
        ([404, EMPTY], Availability.PARTIAL, "not_found"),
        ([EMPTY, bundle(total=5)], Availability.PARTIAL, "fewer_than_total"),
        ([404, 403], Availability.FAILED, "not_found"),
    ],
)
def test_a_part_that_does_not_come_leaves_the_results_incomplete(httpserver, answers, availability, reason):
    result = parts_of_results(httpserver, answers)
    assert (result.availability, result.reason) == (availability, reason)


def test_parts_share_out_the_values_and_none_is_lost_or_too_long():
    codes = [f"http://loinc.org|{n}-{n % 10}" for n in range(500)]
    parts = in_parts(f"Observation?patient=p1&code={','.join(codes)}", 2000)
    assert [code for part in parts for code in part.rpartition("=")[2].split(",")] == codes
    assert {part.rpartition("=")[0] for part in parts} == {"Observation?patient=p1&code"}
    assert max(len(part.replace("|", "%7C")) for part in parts) <= 2000
    assert len(parts) == 7


def test_a_value_that_is_too_long_by_itself_is_asked_alone():
    assert in_parts("Observation?code=long,short", 20) == ("Observation?code=long", "Observation?code=short")


def test_what_the_client_sent_is_not_asked_again(fetcher, httpserver):
    refused = {"resourceType": "OperationOutcome", "issue": []}
    fetcher.resolve(asked(httpserver, results=refused, family=EMPTY), Deadline.after(3))
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "not_accepted"),
        (401, "token_refused"),
        (403, "refused"),
        (404, "not_found"),
        (429, "busy"),
        (500, "server_error"),
        (302, "redirected"),
    ],
)
def test_a_refusal_is_a_failure_with_its_reason(fetcher, httpserver, status, reason):
    httpserver.expect_request("/fhir/Patient/p1").respond_with_data(
        "{}", status=status, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    assert resolved(fetcher, asked(httpserver, "patient"), Query.PATIENT) == QueryResult(
        Availability.FAILED, (), reason
    )
    assert [request.path for request, _ in httpserver.log] == ["/fhir/Patient/p1"]


@pytest.mark.parametrize(("body", "reason"), [("<html>", "not_json"), ("[" + "1," * 20_000 + "1]", "too_large")])
def test_what_cannot_be_read_is_a_failure(fetcher, httpserver, body, reason):
    httpserver.expect_request("/fhir/Patient/p1").respond_with_data(body)
    assert resolved(fetcher, asked(httpserver, "patient"), Query.PATIENT).reason == reason


def test_another_patient_is_not_taken_for_this_one(fetcher, httpserver):
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT | {"id": "p2"})
    assert resolved(fetcher, asked(httpserver, "patient"), Query.PATIENT) == QueryResult(
        Availability.FAILED, (), "wrong_patient"
    )


def test_an_unreachable_server_is_a_failure(fetcher):
    request = asked(None, "patient")
    body_server = "http://127.0.0.1:1/fhir"
    request = HookRequest(
        request.service, request.hook_instance, request.question, request.prefetch, body_server, "s3cret"
    )
    assert resolved(fetcher, request, Query.PATIENT).reason == "unreachable"


def test_one_slow_answer_is_late_and_the_others_are_there(fetcher, httpserver):
    def slow(_request: Request) -> Response:
        time.sleep(0.6)
        return Response("{}")

    httpserver.expect_request("/fhir/Observation").respond_with_handler(slow)
    httpserver.expect_request("/fhir/Condition").respond_with_json(EMPTY)
    started = time.monotonic()
    results = fetcher.resolve(asked(httpserver, "results", "conditions"), Deadline.after(0.25))
    assert time.monotonic() - started < 0.5
    assert results[Query.RESULTS] == QueryResult(Availability.FAILED, (), "late")
    assert results[Query.CONDITIONS].availability is Availability.COMPLETE
    wait_for_requests(httpserver, 2)


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "12"}], ids=["chunked", "of known length"])
def test_a_trickling_answer_keeps_no_one_waiting(fetcher, httpserver, headers):
    """Each piece arrives within the timeout of a read; the deadline still holds."""

    def trickle(_request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            for _ in range(12):
                time.sleep(0.05)
                yield b" "

        return Response(pieces(), content_type="application/json", headers=headers)

    httpserver.expect_request("/fhir/Observation").respond_with_handler(trickle)
    started = time.monotonic()
    assert resolved(fetcher, asked(httpserver, "results"), Query.RESULTS, 0.2).reason == "late"
    assert time.monotonic() - started < 0.4
    wait_for_requests(httpserver, 1)
    time.sleep(0.5)


def test_pages_are_followed_within_the_server(fetcher, httpserver):
    following = [{"relation": "next", "url": httpserver.url_for("/fhir?page=2")}]
    httpserver.expect_request("/fhir/Observation").respond_with_json(
        bundle({"resourceType": "Observation", "id": "o1"}, link=following)
    )
    httpserver.expect_request("/fhir", query_string="page=2").respond_with_json(
        bundle({"resourceType": "Observation", "id": "o2"})
    )
    result = resolved(fetcher, asked(httpserver, "results"), Query.RESULTS)
    assert result.availability is Availability.COMPLETE
    assert [r["id"] for r in resources_in(result.resources)] == ["o1", "o2"]


def test_a_page_of_the_prefetch_is_followed_too(fetcher, httpserver):
    first = bundle(
        {"resourceType": "Observation", "id": "o1"},
        link=[{"relation": "next", "url": httpserver.url_for("/fhir/Observation?page=2")}],
    )
    httpserver.expect_request("/fhir/Observation").respond_with_json(
        bundle({"resourceType": "Observation", "id": "o2"})
    )
    result = resolved(fetcher, asked(httpserver, results=first), Query.RESULTS)
    assert result.availability is Availability.COMPLETE
    assert len(list(resources_in(result.resources))) == 2


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/fhir?page=2",
        "https://elsewhere.example.org/fhir?page=2",
        "/other?page=2",
        "/fhirx?page=2",
        "/fhir/../admin",
        "/fhir/%2e%2e/admin",
        "http://[broken",
    ],
)
def test_a_link_that_leaves_the_server_is_not_followed(fetcher, httpserver, link):
    httpserver.expect_request("/fhir/Observation").respond_with_json(
        bundle({"resourceType": "Observation", "id": "o1"}, link=[{"relation": "next", "url": link}])
    )
    result = resolved(fetcher, asked(httpserver, "results"), Query.RESULTS)
    assert (result.availability, result.reason) == (Availability.PARTIAL, "foreign_link")
    assert len(httpserver.log) == 1


def test_pages_without_end_stop(fetcher, httpserver):
    def endless(_request: Request) -> Response:
        following = httpserver.url_for(f"/fhir/Observation?page={len(httpserver.log)}")
        return Response(json.dumps(bundle(link=[{"relation": "next", "url": following}])))

    httpserver.expect_request("/fhir/Observation").respond_with_handler(endless)
    result = resolved(fetcher, asked(httpserver, "results"), Query.RESULTS)
    assert (result.availability, result.reason) == (Availability.PARTIAL, "more_pages")
    assert len(httpserver.log) == 4


def test_a_page_that_leads_to_itself_is_followed_once(fetcher, httpserver):
    looping = bundle(link=[{"relation": "next", "url": httpserver.url_for("/fhir/Observation")}])
    httpserver.expect_request("/fhir/Observation").respond_with_json(looping)
    result = resolved(fetcher, asked(httpserver, "results"), Query.RESULTS)
    assert (result.availability, result.reason) == (Availability.PARTIAL, "more_pages")
    assert len(httpserver.log) == 2


@pytest.mark.parametrize("absolute", [False, True])
def test_a_medication_that_a_draft_refers_to_is_read(fetcher, httpserver, absolute):
    medication = {"resourceType": "Medication", "id": "m1"}
    httpserver.expect_request("/fhir/Medication/m1").respond_with_json(medication)
    reference = httpserver.url_for("/fhir/Medication/m1") if absolute else "Medication/m1"
    result = resolved(fetcher, asked(httpserver, draft=medication_request(reference)), Query.MEDICATIONS)
    assert result == QueryResult(Availability.COMPLETE, (medication,))


def test_a_medication_that_a_fetched_order_refers_to_is_read(fetcher, httpserver):
    medication = {"resourceType": "Medication", "id": "m1"}
    httpserver.expect_request("/fhir/MedicationRequest").respond_with_json(
        bundle(medication_request("Medication/m1"))
    )
    httpserver.expect_request("/fhir/Medication/m1").respond_with_json(medication)
    result = resolved(fetcher, asked(httpserver, "medications"), Query.MEDICATIONS)
    assert [r["resourceType"] for r in resources_in(result.resources)] == ["MedicationRequest", "Medication"]


@pytest.mark.parametrize(
    "reference",
    ["#m1", "urn:uuid:1", "Medication/..", "Medication/a/b", "https://elsewhere.example.org/fhir/Medication/m1", ""],
)
def test_no_other_medication_is_read(fetcher, httpserver, reference):
    resolved(fetcher, asked(httpserver, draft=medication_request(reference)), Query.MEDICATIONS)
    assert httpserver.log == []


def test_a_medication_that_came_along_is_not_read_again(fetcher, httpserver):
    medications = bundle(medication_request("Medication/m1"), {"resourceType": "Medication", "id": "m1"})
    resolved(fetcher, asked(httpserver, medications=medications), Query.MEDICATIONS)
    assert httpserver.log == []


def test_a_dispatched_order_is_read(fetcher, httpserver):
    order = {"resourceType": "MedicationRequest", "id": "rx-9"}
    httpserver.expect_request("/fhir/MedicationRequest/rx-9").respond_with_json(order)
    result = resolved(fetcher, asked(httpserver, hook="order-dispatch"), Query.MEDICATIONS)
    assert result.resources == (order,)


def test_a_dispatched_order_is_read_by_its_address_on_the_server(fetcher, httpserver):
    order = {"resourceType": "MedicationRequest", "id": "rx-9"}
    httpserver.expect_request("/fhir/MedicationRequest/rx-9").respond_with_json(order)
    address = httpserver.url_for("/fhir/MedicationRequest/rx-9/_history/2")
    request = asked(httpserver, hook="order-dispatch", dispatched=address)
    assert resolved(fetcher, request, Query.MEDICATIONS).resources == (order,)


def test_a_dispatched_order_of_another_server_is_not_ours(fetcher, httpserver):
    address = "http://other.example.org/fhir/MedicationRequest/rx-9"
    resolved(fetcher, asked(httpserver, hook="order-dispatch", dispatched=address), Query.MEDICATIONS)
    assert httpserver.log == []


def test_a_server_that_is_not_allowed_is_not_read(httpserver):
    fetcher = Fetcher(Limits(servers=frozenset({"https://ehr.example.org/fhir"})))
    result = resolved(fetcher, asked(httpserver, "results"), Query.RESULTS)
    fetcher.close()
    assert result == QueryResult(Availability.MISSING, (), "server_not_allowed")
    assert httpserver.log == []


def test_sessions_are_bounded_and_keep_no_cookies(httpserver):
    fetcher = Fetcher(Limits(sessions=1))
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT, headers={"Set-Cookie": "a=b; Path=/"})
    for _ in range(2):
        resolved(fetcher, asked(httpserver, "patient"), Query.PATIENT)
    fetcher.close()
    assert all("Cookie" not in request.headers for request, _ in httpserver.log)
    assert len(httpserver.log) == 2
