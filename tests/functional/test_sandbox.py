"""What the public Sandbox sends beyond the requests in `sandbox/`: keys that look like "no data", orders to echo."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.answer import answer
from tests.support import fixtures

FOLDER = Path(__file__).parent / "sandbox"
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
FINDINGS = "org.cds-service.findings"

Json = dict[str, Any]


@pytest.fixture
def sandbox(client_with: Any) -> FlaskClient:
    """The service as `make run` serves it, on the day of the fixtures."""
    return client_with(lambda request, results, service, _: answer(request, results, service, fixtures.TODAY))


def sent(name: str) -> Json:
    body: Json = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return copy.deepcopy(body)


def cards(sandbox: FlaskClient, body: Json) -> list[Json]:
    response = sandbox.post(f"/cds-services/{body['hook']}", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    found: list[Json] = response.get_json()["cards"]
    return found


def entries(body: Json) -> list[Json]:
    found: list[Json] = body["context"]["draftOrders"]["entry"]
    return found


def test_an_imaging_order_beside_the_drug_is_never_echoed(sandbox: FlaskClient) -> None:
    """Its `code.coding` is `[{}]`: sent back in a suggestion it would break the rule of no empties."""
    body = sent("4-order-sign")
    alone = cards(sandbox, body)
    imaging = copy.deepcopy(entries(sent("5-order-select-imaging"))[0])
    assert imaging["resource"]["code"] == {"coding": [{}]}
    imaging["resource"]["id"] = "request-124"
    entries(body).append(imaging)
    beside = cards(sandbox, body)
    assert [card["summary"] for card in beside] == [card["summary"] for card in alone]
    actions = [action for card in beside for s in card["suggestions"] for action in s["actions"]]
    assert "request-124" not in {action.get("resource", {}).get("id") for action in actions}
    assert "{}" not in json.dumps(beside)


def test_a_key_that_was_left_out_and_one_that_came_empty_are_told_apart(sandbox: FlaskClient) -> None:
    """A token that the Sandbox does not know is sent as it stands and comes back as an empty Bundle."""
    left_out, empty = sent("3-order-select-form-filled"), sent("3-order-select-form-filled")
    left_out["prefetch"].pop("results", None)
    empty["prefetch"]["results"] = EMPTY
    (without,), (with_empty,) = cards(sandbox, left_out), cards(sandbox, empty)
    assert without["extension"][FINDINGS][0]["kind"] == "not_assessed"
    assert without["extension"][FINDINGS][0]["markers"][0]["knowledge"] == "Unavailable"
    assert with_empty["extension"][FINDINGS][0]["kind"] == "test_would_change"
    assert with_empty["extension"][FINDINGS][0]["markers"][0]["knowledge"] == "NotTested"


def test_a_bundle_of_another_resource_is_not_taken_for_no_data(sandbox: FlaskClient) -> None:
    body = sent("3-order-select-form-filled")
    body["prefetch"]["results"] = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Coverage"}}]}
    (card,) = cards(sandbox, body)
    assert card["extension"][FINDINGS][0]["kind"] == "not_assessed"


@pytest.mark.parametrize("dropped", ["intent", "status", "category", "reasonCode", "subject"])
def test_whatever_the_form_leaves_out_the_drug_is_looked_at(sandbox: FlaskClient, dropped: str) -> None:
    body = sent("3-order-select-form-filled")
    body["prefetch"].pop("results", None)
    entries(body)[0]["resource"].pop(dropped, None)
    (card,) = cards(sandbox, body)
    assert card["extension"][FINDINGS][0]["order"] == "MedicationRequest/request-123"


@pytest.mark.parametrize("selections", [[], ["MedicationRequest/unknown"], None])
def test_selections_that_lead_nowhere_hide_no_order(sandbox: FlaskClient, selections: list[str] | None) -> None:
    body = sent("3-order-select-form-filled")
    body["context"]["selections"] = selections
    assert cards(sandbox, body)
