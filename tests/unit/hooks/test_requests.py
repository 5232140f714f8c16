"""Requests are read tolerantly, and what cannot be used is named with its place."""

from __future__ import annotations

import pytest

from cds_service.errors import RequestError
from cds_service.hooks.discovery import services
from cds_service.hooks.requests import parse
from tests.support.bundles import bundle

SERVICES = {service.id: service for service in services({})}
DRAFT = {"resourceType": "MedicationRequest", "id": "rx-1", "status": "draft"}
OTHER = {"resourceType": "MedicationRequest", "id": "rx-2", "status": "draft"}


def request(hook="order-sign", **context):
    if hook in ("order-sign", "order-select"):
        context = {"draftOrders": bundle(DRAFT)} | context
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1"} | context,
    }


def parsed(body):
    return parse(body, SERVICES[body["hook"]])


def refused(body, hook="order-sign"):
    with pytest.raises(RequestError) as caught:
        parse(body, SERVICES[hook])
    return caught.value


def test_order_sign_asks_about_every_draft_of_a_bundle_without_type():
    question = parsed(request(draftOrders=bundle(DRAFT, OTHER))).question
    assert (question.hook, question.patient_id, question.active) == ("order-sign", "p1", False)
    assert question.selections is None
    assert question.resources == (bundle(DRAFT, OTHER),)


def test_order_select_asks_about_the_selected_drafts():
    body = request("order-select", draftOrders=bundle(DRAFT, OTHER), selections=["MedicationRequest/rx-2"])
    assert parsed(body).question.selections == frozenset({"MedicationRequest/rx-2"})


@pytest.mark.parametrize(
    "selection", ["https://ehr.example.org/fhir/MedicationRequest/rx-1", "MedicationRequest/rx-1/_history/2"]
)
def test_selections_may_be_absolute_or_versioned(selection):
    body = request("order-select", selections=[selection])
    assert parsed(body).question.selections == frozenset({"MedicationRequest/rx-1"})


def test_a_selection_by_full_url_means_the_resource_of_that_entry():
    drafts = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:7", "resource": DRAFT}]}
    question = parsed(request("order-select", draftOrders=drafts, selections=["urn:uuid:7"])).question
    assert question.selections == frozenset({"MedicationRequest/rx-1"})
    assert question.gaps == ()


@pytest.mark.parametrize("selections", [None, []])
def test_without_selections_every_draft_is_in_question(selections):
    assert parsed(request("order-select", selections=selections)).question.selections is None


def test_selections_that_name_no_draft_leave_no_order_unlooked_at():
    question = parsed(request("order-select", selections=["MedicationRequest/zzz"])).question
    assert question.selections is None
    assert [(gap.about, gap.reason) for gap in question.gaps] == [("MedicationRequest/zzz", "not_in_draft_orders")]


def test_patient_view_asks_about_active_medicines():
    question = parsed(request("patient-view")).question
    assert question.active
    assert question.resources == ()


def test_refill_asks_about_its_medications_and_not_about_all_that_are_taken():
    question = parsed(request("medication-refill", medications=bundle(DRAFT))).question
    assert not question.active
    assert question.resources == (bundle(DRAFT),)


def test_dispatch_names_references_and_has_no_user():
    body = request("order-dispatch", dispatchedOrders=["MedicationRequest/rx-1"], performer="Organization/1")
    del body["context"]["userId"]
    assert parsed(body).question.wanted == ("MedicationRequest/rx-1",)


def test_a_dispatched_order_of_another_server_keeps_its_address():
    address = "http://other.example.org/fhir/MedicationRequest/7"
    question = parsed(request("order-dispatch", dispatchedOrders=[f"{address}/_history/2"])).question
    assert question.wanted == (address,)


def test_the_question_knows_the_server_of_the_record():
    body = request("order-sign", draftOrders=bundle(DRAFT)) | {"fhirServer": "https://ehr.example.org/fhir/"}
    assert parsed(body).question.server == "https://ehr.example.org/fhir"


def test_dispatch_before_1_1_named_one_order():
    assert parsed(request("order-dispatch", order="MedicationRequest/rx-1")).question.wanted == (
        "MedicationRequest/rx-1",
    )


def test_unknown_fields_and_extensions_are_ignored():
    body = request(unknown=1) | {"extension": {"org.example": {}}, "surplus": []}
    assert parsed(body) == parsed(request())


@pytest.mark.parametrize(
    ("change", "status", "expression"),
    [
        ({"hook": "order-select"}, 400, "hook"),
        ({"hook": None}, 400, "hook"),
        ({"hookInstance": None}, 400, "hookInstance"),
        ({"hookInstance": 7}, 400, "hookInstance"),
        ({"context": None}, 400, "context"),
        ({"context": []}, 400, "context"),
        ({"prefetch": []}, 400, "prefetch"),
        ({"fhirServer": "ftp://ehr.example.org"}, 400, "fhirServer"),
        ({"fhirServer": "https://user:secret@ehr.example.org"}, 400, "fhirServer"),
        ({"fhirServer": "https://user@ehr.example.org"}, 400, "fhirServer"),
        ({"fhirServer": "https://:secret@ehr.example.org"}, 400, "fhirServer"),
        ({"fhirServer": "https://ehr.example.org?patient=1"}, 400, "fhirServer"),
        ({"fhirServer": "https://ehr.example.org#part"}, 400, "fhirServer"),
        ({"fhirServer": "https://ehr.example.org:99999"}, 400, "fhirServer"),
        ({"fhirAuthorization": {"access_token": "a\r\nHost: x"}}, 400, "fhirAuthorization.access_token"),
    ],
)
def test_a_fault_of_the_request_names_its_place(change, status, expression):
    fault = refused(request() | change)
    assert (fault.status, fault.expression) == (status, expression)


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"patientId": None}, "context.patientId"),
        ({"patientId": "../Patient"}, "context.patientId"),
        ({"patientId": ".."}, "context.patientId"),
        ({"patientId": "p1&_count=0"}, "context.patientId"),
        ({"draftOrders": None}, "context.draftOrders"),
        ({"draftOrders": [DRAFT]}, "context.draftOrders"),
        ({"draftOrders": DRAFT}, "context.draftOrders.resourceType"),
        ({"draftOrders": {"resourceType": "Bundle", "entry": {}}}, "context.draftOrders.entry"),
    ],
)
def test_a_fault_of_the_context_names_its_place(change, expression):
    fault = refused(request(**change))
    assert (fault.status, fault.expression) == (400, expression)


@pytest.mark.parametrize("given", [None, "MedicationRequest/1", [""], [7]])
def test_dispatch_without_references_is_refused(given):
    assert refused(request("order-dispatch", dispatchedOrders=given), "order-dispatch").status == 400


def test_a_body_that_is_no_object_is_refused():
    assert refused([]).status == 400


def test_the_token_is_kept_out_of_representations():
    body = request() | {
        "fhirServer": "https://ehr.example.org/fhir/",
        "fhirAuthorization": {"access_token": "s3cret"},
    }
    read = parsed(body)
    assert (read.fhir_server, read.access_token) == ("https://ehr.example.org/fhir", "s3cret")
    assert "s3cret" not in repr(read)
