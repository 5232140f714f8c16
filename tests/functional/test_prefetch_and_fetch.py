"""Prefetch and fetch agree: the same record gives the same answer, whoever brings it."""

from __future__ import annotations

import time

from pytest_httpserver import HTTPServer

from cds_service.model import Query
from tests.support.bundles import searchset
from tests.support.fault_server import serving

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01", "gender": "female"}
DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "rx-1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationReference": {"reference": "Medication/m1"},
}
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "codeine 30 mg tablet"}}
PAROXETINE = {
    "resourceType": "MedicationRequest",
    "id": "rx-0",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "paroxetine 20 mg tablet"},
}
PATHS = {
    Query.RESULTS: "Observation",
    Query.TUMOUR_RESULTS: "Observation",
    Query.CONDITIONS: "Condition",
    Query.ALLERGIES: "AllergyIntolerance",
    Query.REQUESTS: "ServiceRequest",
    Query.FAMILY: "FamilyMemberHistory",
}


def test_prefetch_and_fetch_give_the_same_answer(client_with, httpserver: HTTPServer):
    httpserver.expect_request("/fhir/Patient/p1").respond_with_json(PATIENT)
    httpserver.expect_request("/fhir/Medication/m1").respond_with_json(MEDICATION)
    httpserver.expect_request("/fhir/MedicationRequest").respond_with_json(searchset(PAROXETINE))
    for path in PATHS.values():
        httpserver.expect_request(f"/fhir/{path}").respond_with_json(searchset())
    request = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": searchset(DRAFT)},
    }
    prefetch = dict.fromkeys((query.value for query in PATHS), None) | {
        "patient": PATIENT,
        "medications": searchset(PAROXETINE, MEDICATION),
    }
    client = client_with(development=True, answer_budget_ms=5000)
    prefetched = client.post("/cds-services/order-sign", json=request | {"prefetch": prefetch})
    fetched = client.post("/cds-services/order-sign", json=request | {"fhirServer": httpserver.url_for("/fhir")})
    assert prefetched.status_code == 200
    assert prefetched.get_json()["cards"], "codeine with paroxetine is no silence"
    assert fetched.get_json() == prefetched.get_json()


def test_a_server_that_never_answers_does_not_keep_the_clinician_waiting(client_with):
    """The whole answer keeps its budget of 450 ms (and 250 ms for a busy machine), and says what is missing."""
    draft = DRAFT | {"medicationCodeableConcept": {"text": "codeine 30 mg tablet"}}
    del draft["medicationReference"]
    request = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": searchset(draft)},
    }
    client = client_with(development=True)
    with serving(lambda exchange: exchange.trickle(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 900, 0.01)) as server:
        started_s = time.monotonic()
        response = client.post("/cds-services/order-sign", json=request | {"fhirServer": server.base_url})
        assert time.monotonic() - started_s < 0.45 + 0.25
    (card,) = response.get_json()["cards"]
    gaps = {gap["about"]: gap.get("detail") for gap in card["extension"]["org.cds-service.basis"]["gaps"]}
    assert {query.value: gaps.get(query.value) for query in Query} == {query.value: "late" for query in Query}
