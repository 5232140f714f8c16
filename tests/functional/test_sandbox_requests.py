"""The requests of the public CDS Hooks Sandbox, written from how it was seen to behave, and their right answers.

It asks OPTIONS first, signs with a key that everybody knows, leaves out the type of its Bundle, sends objects where
FHIR has lists, and fires at once with an order that has no drug yet. Keys that it cannot fill are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.answer import answer
from tests.support import fixtures

FILES = sorted((Path(__file__).parent / "sandbox").glob("*.json"))
REQUESTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
ORIGIN = "https://sandbox.cds-hooks.org"
SIGNED = {"Origin": ORIGIN, "Authorization": "Bearer eyJhbGciOiJFUzM4NCJ9.e30.c2lnbmF0dXJl"}


@pytest.fixture
def sandbox(client_with: Any) -> FlaskClient:
    """The service as `make run` serves it, on the day of the fixtures."""

    def answer_then(request: Any, results: Any, service: Any, _today: Any) -> Any:
        return answer(request, results, service, fixtures.TODAY)

    return client_with(answer_then, development=True)


def call(sandbox: FlaskClient, name: str) -> Any:
    body = REQUESTS[name]
    path = f"/cds-services/{body['hook']}"
    asked = {"Access-Control-Request-Headers": "authorization,content-type", "Access-Control-Request-Method": "POST"}
    preflight = sandbox.options(path, headers={"Origin": ORIGIN, **asked})
    assert preflight.status_code in (200, 204)
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "content-type"} <= {header.strip() for header in allowed.split(",")}
    response = sandbox.post(path, json=body, headers=SIGNED)
    assert response.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN)
    return response


def cards(sandbox: FlaskClient, name: str) -> list[Any]:
    response = call(sandbox, name)
    assert response.status_code == 200, response.get_data(as_text=True)
    body = response.get_json()
    parts = [*body["cards"], *(value for key, value in body.items() if key != "cards")]  # `cards` alone may be empty
    assert [found for part in parts for found in empties(part)] == []
    return body["cards"]


def empties(value: Any) -> Any:
    """Every value that CDS Hooks forbids: null, empty text, empty list, empty object."""
    if value in (None, "", [], {}):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from empties(inner)


def kinds(card: Any) -> list[tuple[str, str]]:
    return [(f["kind"], f["order"]) for f in card["extension"]["org.cds-service.findings"]]


def test_every_request_is_answered_here() -> None:
    assert sorted(name[0] for name in REQUESTS) == list("1234567")


def test_an_order_without_a_drug_gets_silence(sandbox: FlaskClient) -> None:
    assert cards(sandbox, "1-order-select-empty-order") == []


def test_results_that_the_sandbox_left_out_are_not_taken_for_normal(sandbox: FlaskClient) -> None:
    """The drug is chosen and no result was sent: the card says what is not known."""
    (card,) = cards(sandbox, "2-order-select-drug-chosen")
    assert kinds(card) == [("not_assessed", "MedicationRequest/request-123")]


@pytest.mark.parametrize("name", ["3-order-select-form-filled", "4-order-sign"])
def test_objects_in_place_of_lists_are_read(sandbox: FlaskClient, name: str) -> None:
    """The reason stands as an object: without it the population, and so the advice, would be another."""
    (card,) = cards(sandbox, name)
    assert card["indicator"] == "warning"
    assert card["uuid"]
    assert ("change_now", "MedicationRequest/request-123") in kinds(card)
    swapped = [a for s in card["suggestions"] for a in s["actions"] if a["type"] == "update"]
    assert {a["resource"]["id"] for a in swapped} == {"request-123"}
    assert all("category" not in a["resource"] or a["resource"]["category"] for a in swapped)


def test_select_and_sign_say_the_same(sandbox: FlaskClient) -> None:
    select, sign = cards(sandbox, "3-order-select-form-filled"), cards(sandbox, "4-order-sign")
    assert [c["summary"] for c in select] == [c["summary"] for c in sign]


def test_an_imaging_order_gets_silence_and_no_empty_coding_back(sandbox: FlaskClient) -> None:
    assert cards(sandbox, "5-order-select-imaging") == []


def test_patient_view_without_medicines_is_412(sandbox: FlaskClient) -> None:
    response = call(sandbox, "6-patient-view-without-medications")
    assert response.status_code == 412
    assert response.get_json(force=True)["resourceType"] == "OperationOutcome"


def test_patient_view_with_no_medicines_is_silent(sandbox: FlaskClient) -> None:
    assert cards(sandbox, "7-patient-view") == []
