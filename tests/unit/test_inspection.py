"""What `inspect` shows beside readings: recommendations, withdrawn entries, hooks that are not served, counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.commands.pretty import inspection_line
from cds_service.errors import RequestError
from tests.support.bundles import bundle
from tests.support.world import inspected

Json = dict[str, Any]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def told(document: object, kind: str) -> list[Any]:
    return [entry[kind] for entry in inspected(document) if kind in entry]


def medicine(name: str = "m", patient: str = "ada", **fields: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "32968"}]},
        **fields,
    }


def test_a_recommendation_is_shown_as_the_laboratorys() -> None:
    task = {
        "resourceType": "Task",
        "id": "t",
        "status": "requested",
        "code": {"coding": [{"system": "http://loinc.org", "code": "LA26421-0"}]},
        "description": "another medicine than clopidogrel",
    }
    (found,) = told(task, "recommendation")
    assert (found["reference"], found["drugs"]) == ("Task/t", ["clopidogrel"])
    assert told(task, "finding") == []


def test_what_was_withdrawn_is_counted() -> None:
    record = bundle(medicine(status="entered-in-error"), medicine("n"))
    assert told(record, "withdrawn") == [{"reference": "MedicationRequest/m"}]
    (count,) = told(record, "count")
    assert (count["withdrawn"], count["medications"]) == (1, 1)


def test_gaps_are_counted_by_reason() -> None:
    unknown = medicine(medicationCodeableConcept={"text": "zzyzxamab"})
    (count,) = told(bundle(unknown), "count")
    assert count["gaps"]["not_recognised"] == 2


@pytest.mark.parametrize("patients", [("ada", "bob"), ("bob", "ada")])
def test_of_several_patients_the_first_is_the_patient(patients: tuple[str, str]) -> None:
    people = [{"resourceType": "Patient", "id": name} for name in patients]
    record = bundle(*people, medicine("own", patients[0]), medicine("other", patients[1]))
    assert [m["reference"] for m in told(record, "medication")] == ["MedicationRequest/own"]
    refused = {gap["about"] for gap in told(record, "gap") if gap["reason"] == "wrong_patient"}
    assert refused == {"MedicationRequest/other"}


def test_a_hook_that_is_not_served_is_named_and_its_resources_read() -> None:
    context = {"patientId": "ada", "medications": bundle(medicine(status="draft"))}
    request = {"hook": "medication-prescribe", "context": context, "prefetch": {"item": [medicine("taken")]}}
    entries = inspected(request)
    assert entries[0] == {"not_served": {"hook": "medication-prescribe"}}
    assert [order["reference"] for order in told(request, "order")] == ["MedicationRequest/m"]
    assert [m["reference"] for m in told(request, "medication")] == ["MedicationRequest/taken"]
    json.dumps(entries)


def test_a_hook_that_is_not_served_without_a_context_may_carry_resources() -> None:
    request = {"hook": "something-else", "prefetch": {"item": medicine("taken")}}
    assert [m["reference"] for m in told(request, "medication")] == ["MedicationRequest/taken"]


def test_a_hook_that_is_not_served_and_carries_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="not a request of a hook that is served"):
        inspected({"hook": "something-else", "context": {"patientId": "ada"}})


def test_of_a_result_alone_both_keys_of_results_are_there() -> None:
    value = {"value": 5, "unit": "mmol/L"}
    observation = {"resourceType": "Observation", "id": "o", "code": {"text": "potassium"}, "valueQuantity": value}
    (availability,) = told(observation, "availability")
    assert (availability["results"], availability["tumour_results"]) == ("complete", "complete")
    assert availability["conditions"] == "missing"


def test_a_reading_in_a_line_shows_its_notes() -> None:
    value = {"value": 5, "unit": "mmol/L"}
    code = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}
    observation = {"resourceType": "Observation", "id": "o", "code": code, "valueQuantity": value}
    (line,) = [inspection_line(entry) for entry in inspected(observation) if "reading" in entry]
    assert "lab:potassium  Quantity 5.0 mmol/L" in line
    assert line.endswith("final, clinical, status_unknown, Observation/o")
