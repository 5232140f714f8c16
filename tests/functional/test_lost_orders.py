"""An order or a medicine that was asked about and lost is said: silence would read as "no risk"."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model import Query
from tests.support.bundles import searchset

Json = dict[str, Any]
ELSEWHERE = "http://other.example.org/fhir"


def medicine(name: str = "7", **fields: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/pat-77"},
        "medicationCodeableConcept": {"text": "paracetamol 500 mg tablet"},
    } | fields


OF_ANOTHER = medicine(subject={"reference": "Patient/other"})
OF_ANOTHER_SERVER = medicine(subject={"reference": f"{ELSEWHERE}/Patient/pat-77"})
R5 = medicine(medicationCodeableConcept=None, medication={"concept": {"text": "codeine"}})
NAMELESS = medicine(medicationCodeableConcept=None, medicationReference={"reference": ""})
AN_ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
NEXT = {"link": [{"relation": "next", "url": f"{ELSEWHERE}/MedicationRequest?page=2"}]}
LOST = {
    "the page after an empty one": searchset(**NEXT),
    "all of it, by its total": searchset(total=3),
    "an error among the matches": searchset(AN_ERROR),
    "another patient's": searchset(OF_ANOTHER),
    "the same id on another server": searchset(OF_ANOTHER_SERVER),
    "another version's": searchset(R5),
    "entries without resources": {"resourceType": "Bundle", "entry": [{"fullUrl": "x"}]},
    "a medicine without a name": searchset(NAMELESS),
}


def asked(client_with: Any, hook: str, medications: Json, **context: Any) -> Any:
    about = {"userId": "Practitioner/1", "patientId": "pat-77"} | context
    body = {"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": about}
    prefetch = {query.value: None for query in Query} | {"medications": medications}
    server = {"fhirServer": "https://ehr.example.org/fhir"}
    client = client_with(development=True, fhir_servers=("https://own.example.org/fhir",))
    return client.post(f"/cds-services/{hook}", json=body | server | {"prefetch": prefetch})


@pytest.mark.parametrize("medications", LOST.values(), ids=LOST)
def test_a_list_of_which_nothing_is_left_is_412(client_with: Any, medications: Json) -> None:
    response = asked(client_with, "patient-view", medications)
    assert response.status_code == 412
    assert response.get_json(force=True)["issue"][0]["expression"] == ["prefetch.medications"]


@pytest.mark.parametrize("medications", LOST.values(), ids=LOST)
def test_a_list_of_which_some_is_left_is_said_to_be_incomplete(client_with: Any, medications: Json) -> None:
    kept = {"resource": medicine("kept")}
    (card,) = asked(client_with, "patient-view", medications | {"entry": [*medications["entry"], kept]}).json["cards"]
    assert card["summary"] == "The list of current medicines is incomplete; what is missing could not be checked"
    assert "no warning here does not mean no risk" in card["detail"]
    assert "This order" not in card["detail"]


def test_an_incomplete_list_stands_beside_the_medicines_that_speak(client_with: Any) -> None:
    codeine = medicine("kept", medicationCodeableConcept={"text": "codeine 30 mg tablet"})
    (card,) = asked(client_with, "patient-view", searchset(codeine, total=2)).json["cards"]
    assert card["summary"].startswith("1 of 1 current medicines to review")
    assert "The list of current medicines is incomplete" in card["detail"]


def test_a_whole_list_is_not_said_to_be_incomplete(client_with: Any) -> None:
    assert asked(client_with, "patient-view", searchset(medicine())).json["cards"] == []


@pytest.mark.parametrize("medications", [searchset(OF_ANOTHER), searchset(R5), searchset(OF_ANOTHER_SERVER)])
def test_a_dispatched_order_that_is_not_ours_to_read_is_said(client_with: Any, medications: Json) -> None:
    named = {"dispatchedOrders": ["MedicationRequest/7"]}
    (card,) = asked(client_with, "order-dispatch", medications, **named).json["cards"]
    assert card["summary"].startswith("This order could not be checked")
    gaps = [gap for gap in card["extension"]["org.cds-service.basis"]["gaps"] if "query" not in gap]
    assert [gap["about"] for gap in gaps] == ["MedicationRequest/7"]


def test_an_order_dispatched_on_another_server_is_said_and_not_our_own(client_with: Any) -> None:
    named = {"dispatchedOrders": [f"{ELSEWHERE}/MedicationRequest/7"]}
    codeine = medicine(medicationCodeableConcept={"text": "codeine 30 mg tablet"})
    (card,) = asked(client_with, "order-dispatch", searchset(codeine), **named).json["cards"]
    assert card["summary"] == "This order could not be checked: not available to this service"


@pytest.mark.parametrize(
    "named", ["urn:uuid:5e9b1b5a-9d52-4a0a-8d8d-0d8d9f3c8d11", "7", "medicationrequest/7", "rx 7"]
)
def test_a_dispatched_order_of_which_nobody_knows_what_it_is_is_said(client_with: Any, named: str) -> None:
    (card,) = asked(client_with, "order-dispatch", searchset(), dispatchedOrders=[named]).json["cards"]
    assert card["summary"] == "This order could not be checked: not available to this service"


@pytest.mark.parametrize("named", ["ServiceRequest/7", f"{ELSEWHERE}/DeviceRequest/7"])
def test_a_dispatched_order_of_something_else_is_none_of_ours(client_with: Any, named: str) -> None:
    assert asked(client_with, "order-dispatch", searchset(), dispatchedOrders=[named]).json["cards"] == []


def test_blanks_around_a_dispatched_order_change_nothing(client_with: Any) -> None:
    codeine = medicine(medicationCodeableConcept={"text": "codeine 30 mg tablet"})
    named = {"dispatchedOrders": [" MedicationRequest/7 "]}
    (card,) = asked(client_with, "order-dispatch", searchset(codeine), **named).json["cards"]
    assert card["summary"].startswith("Codeine")


def test_the_order_hooks_do_not_speak_of_the_list(client_with: Any) -> None:
    drafts = searchset(medicine("draft", status="draft"))
    assert asked(client_with, "order-sign", searchset(OF_ANOTHER), draftOrders=drafts).json["cards"] == []


def nameless(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name != "id"}


OTHER_KINDS = (
    "MedicationDispense",
    "MedicationStatement",
    "MedicationAdministration",
    "medicationRequest",
    "MedicationPrescription",
)
UNREAD = {
    "another patient's": (OF_ANOTHER, "belongs to another patient"),
    "another version's": (R5, "FHIR version not supported"),
    "of DSTU2": (medicine(resourceType="MedicationOrder"), "FHIR version not supported"),
    "a status that FHIR does not have": (medicine(status="pended"), "its status is not known"),
    "one without a drug": (medicine(medicationCodeableConcept={"coding": [{}]}), "it names no drug"),
    **{kind: (medicine(resourceType=kind), "not a MedicationRequest") for kind in OTHER_KINDS},
}


@pytest.mark.parametrize(("draft", "why"), UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("named", [True, False], ids=["with an id", "without an id"])
def test_a_draft_that_cannot_be_read_is_said(client_with: Any, draft: Json, why: str, named: bool) -> None:
    drafts = searchset(draft if named else nameless(draft))
    (card,) = asked(client_with, "order-sign", searchset(), draftOrders=drafts).json["cards"]
    assert card["summary"] == f"This order could not be checked: {why}"


@pytest.mark.parametrize("status", ["cancelled", "stopped", "completed"])
def test_a_draft_that_is_not_in_force_is_not_asked_about(client_with: Any, status: str) -> None:
    drafts = searchset(medicine(status=status, medicationCodeableConcept={"text": "codeine 30 mg tablet"}))
    assert asked(client_with, "order-sign", searchset(), draftOrders=drafts).json["cards"] == []


def test_a_medication_beside_the_drafts_is_no_order(client_with: Any) -> None:
    drafts = searchset({"resourceType": "Medication", "id": "m", "code": {"text": "codeine"}})
    assert asked(client_with, "order-sign", searchset(), draftOrders=drafts).json["cards"] == []


def test_while_the_medicines_fail_the_drafts_that_hang_on_them_share_one_card(client_with: Any) -> None:
    """Each order is in the card's findings, what is known of another has a card of its own, and cetirizine none."""
    named = ("simvastatin 40 mg", "sertraline 50 mg", "morphine 10 mg", "cetirizine 10 mg", "abacavir 300 mg")
    drafts = [
        medicine(f"rx-{n}", status="draft", medicationCodeableConcept={"text": f"{name} tablet"})
        for n, name in enumerate(named)
    ]
    shared, own = asked(client_with, "order-sign", AN_ERROR, draftOrders=searchset(*drafts)).json["cards"][::-1]
    assert shared["summary"] == (
        "Simvastatin, sertraline and morphine could not be checked: other medicines (could not be obtained)"
    )
    told = {finding["order"] for finding in shared["extension"]["org.cds-service.findings"]}
    assert told == {f"MedicationRequest/rx-{n}" for n in range(3)}
    assert own["summary"].startswith("Abacavir: ")
