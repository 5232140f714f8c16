"""Missing, empty, failed and partial are four things."""

from __future__ import annotations

import pytest

from cds_service.fetching.prefetch import page, prefetched, resources_in
from cds_service.model import Availability, Query
from tests.support.bundles import bundle

OBSERVATION = {"resourceType": "Observation", "id": "o1"}
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}


def meaning(value, query=Query.RESULTS):
    result = page(value, query).result
    return result.availability, result.reason, tuple(resources_in(result.resources))


def test_a_missing_key_is_not_an_empty_one():
    assert prefetched({}, Query.RESULTS).result.availability is Availability.MISSING
    assert prefetched({"results": None}, Query.RESULTS).result.availability is Availability.COMPLETE


@pytest.mark.parametrize(
    "value", [None, bundle(), {"resourceType": "Bundle", "total": 0}, {"resourceType": "Bundle", "type": "searchset"}]
)
def test_known_empty(value):
    assert meaning(value) == (Availability.COMPLETE, "", ())


def test_a_bundle_has_its_resources():
    assert meaning(bundle(OBSERVATION, total=1)) == (Availability.COMPLETE, "", (OBSERVATION,))


def test_the_addresses_of_entries_go_on():
    whole = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1", "resource": OBSERVATION}]}
    assert page(whole, Query.RESULTS).result.resources == (whole,)


def test_an_outcome_means_tried_and_failed():
    assert meaning(ERROR) == (Availability.FAILED, "refused", ())


@pytest.mark.parametrize("value", ["text", 7, [OBSERVATION], {}, {"resourceType": "Patient"}, {"entry": []}])
def test_what_is_no_answer_to_the_query_is_unreadable(value):
    assert meaning(value) == (Availability.FAILED, "unreadable", ())


def test_entries_that_are_no_list_are_unreadable():
    assert meaning({"resourceType": "Bundle", "entry": {}})[0] is Availability.FAILED


def test_a_next_link_means_that_there_is_more():
    links = [{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}]
    found = page(bundle(OBSERVATION, link=links), Query.RESULTS)
    assert (found.result.availability, found.result.reason) == (Availability.PARTIAL, "more_pages")
    assert found.next_url == "b"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (bundle(OBSERVATION, total=2), "fewer_than_total"),
        (bundle(OBSERVATION, ERROR, total=1), "refused"),
        ({"resourceType": "Bundle", "entry": [{"resource": OBSERVATION}, {}]}, "unreadable"),
        ({"resourceType": "Bundle", "entry": [{"resource": OBSERVATION}, None]}, "unreadable"),
        (bundle(OBSERVATION, total="2"), "fewer_than_total"),
        (bundle(OBSERVATION, total=2.0), "fewer_than_total"),
        (bundle(OBSERVATION, OBSERVATION, total=2), "fewer_than_total"),
        (bundle(OBSERVATION, link=[{"relation": "next"}]), "unreadable"),
        (bundle(OBSERVATION, link=[{"relation": "next", "url": ""}]), "unreadable"),
        (bundle(OBSERVATION, link=[{"relation": "next", "url": 7}]), "unreadable"),
        (bundle(OBSERVATION, link=[{"relation": ["next"], "url": "b"}]), "unreadable"),
        (bundle(OBSERVATION, link={"relation": "next", "url": "b"}), "unreadable"),
        (bundle(OBSERVATION, link=["b"]), "unreadable"),
        (bundle(OBSERVATION, {"resourceType": "OperationOutcome"}), "refused"),
        (bundle(OBSERVATION, {"resourceType": "OperationOutcome", "issue": []}), "refused"),
        (bundle(OBSERVATION, {"resourceType": "OperationOutcome", "issue": ["x"]}), "refused"),
    ],
)
def test_what_is_left_out_makes_it_partial(value, reason):
    availability, why, resources = meaning(value)
    assert (availability, why) == (Availability.PARTIAL, reason)
    assert OBSERVATION in resources


def test_a_remark_among_the_entries_changes_nothing():
    assert meaning(bundle(OBSERVATION, WARNING, total=1))[0] is Availability.COMPLETE


@pytest.mark.parametrize(
    "other",
    [
        {"resourceType": "Patient", "id": "p1"},
        {"resourceType": "Medication", "id": "m1"},
        {"resourceType": "OperationOutcome"},
    ],
)
def test_what_only_stands_beside_results_is_no_empty_answer(other):
    assert meaning(bundle(other))[0] is Availability.PARTIAL


@pytest.mark.parametrize(("mode", "is_whole"), [("include", True), ("match", False), (None, False)])
def test_what_a_server_includes_may_stand_without_a_match(mode, is_whole):
    entry = {"resource": {"resourceType": "Patient", "id": "p1"}, "search": {"mode": mode}}
    found = meaning({"resourceType": "Bundle", "entry": [entry]})[0]
    assert (found is Availability.COMPLETE) == is_whole


def test_resources_of_two_types_may_have_one_name():
    taken = ({"resourceType": kind, "id": "1"} for kind in ("MedicationRequest", "MedicationStatement"))
    assert meaning(bundle(*taken, total=2), Query.MEDICATIONS)[0] is Availability.COMPLETE


def test_resources_without_a_name_are_counted_each():
    unnamed = {name: value for name, value in OBSERVATION.items() if name != "id"}
    assert meaning(bundle(unnamed, unnamed, total=2))[0] is Availability.COMPLETE


@pytest.mark.parametrize("total", [True, "two", "²", "-5", None])
def test_a_total_that_is_no_number_says_nothing(total):
    assert meaning(bundle(OBSERVATION, total=total))[0] is Availability.COMPLETE


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationDispense", "MedicationAdministration"])
def test_what_tells_of_a_medicine_taken_answers_the_query_for_medicines(kind):
    found = bundle({"resourceType": kind, "id": "m1"}, total=1)
    assert meaning(found, Query.MEDICATIONS)[0] is Availability.COMPLETE


def test_one_resource_of_the_type_asked_for_is_an_answer():
    patient = {"resourceType": "Patient", "id": "p1"}
    assert meaning(patient, Query.PATIENT) == (Availability.COMPLETE, "", (patient,))
