"""Results about someone else: the type of a donor or a fetus is not the patient's."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model import Availability, Query
from cds_service.reading.records import references_of, unpack
from cds_service.reading.screening import apart
from tests.unit.reading.small import PATIENT, genotype, read_all, subject

DONOR = {"reference": "Patient/donor"}
OWN = subject()


def told(*resources: Any, **question: Any) -> tuple[list[str], list[tuple[str, str, tuple[str, ...]]]]:
    patient = read_all(*resources, **question).patient
    assert patient.availability[Query.RESULTS] is Availability.COMPLETE
    return [r.observable for r in patient.readings], [(g.about, g.reason, g.observables) for g in patient.gaps]


@pytest.mark.parametrize(
    "focus",
    [
        [DONOR],
        DONOR,
        [OWN, DONOR],
        [{"reference": "RelatedPerson/mother"}],
        [{"reference": f"http://other.example.org/fhir/Patient/{PATIENT}"}],
        [{"reference": "urn:uuid:6f3a5b2e-8a53-4a0a-9d52-0d8d9f3c8d11"}],
        [{"identifier": {"value": "7"}}],
        [{"display": "fetus"}],
        [{"type": "Patient", "identifier": {"value": "7"}}],
    ],
)
def test_a_result_whose_focus_is_someone_else_is_not_the_patients(focus: Any) -> None:
    readings, gaps = told(genotype("CYP2D6", "*1/*1", focus=focus), server="https://ehr.example/fhir")
    assert (readings, gaps) == ([], [("Observation/obs", "about_another", ("gene:CYP2D6",))])


@pytest.mark.parametrize(
    "focus",
    [
        [],
        [{}],
        [OWN],
        [{"reference": "Specimen/s"}],
        [{"reference": "#drug"}],
        [{"type": "Condition", "identifier": {"value": "7"}}],
    ],
)
def test_a_focus_that_is_the_patients_own_changes_nothing(focus: Any) -> None:
    drug = {"resourceType": "Medication", "id": "drug"}
    assert told(genotype("CYP2D6", "*1/*1", focus=focus, contained=[drug])) == (["gene:CYP2D6"], [])


@pytest.mark.parametrize(
    ("whose", "own"), [(DONOR, False), (OWN, True), (None, True), ({"reference": "Device/d"}, True)]
)
def test_a_specimen_tells_whose_result_it_is(whose: Any, own: bool) -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "subject": whose}
    result = genotype("CYP2D6", "*1/*1", contained=[specimen], specimen={"reference": "#s"})
    readings, gaps = told(result)
    assert readings == (["gene:CYP2D6"] if own else [])
    assert [gap[1] for gap in gaps] == ([] if own else ["about_another"])


@pytest.mark.parametrize(
    "specimen", [{"reference": "Specimen/gone"}, {"display": "blood"}, {"reference": f"Patient/{PATIENT}"}]
)
def test_a_specimen_that_is_not_there_tells_nothing(specimen: dict[str, str]) -> None:
    person = {"resourceType": "Patient", "id": PATIENT}
    assert told(person, genotype("CYP2D6", "*1/*1", specimen=specimen)) == (["gene:CYP2D6"], [])


def test_a_report_on_someone_elses_specimen_is_not_the_patients() -> None:
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": OWN,
              "conclusion": "CYP2D6 *1/*1", "specimen": [{"reference": "#s"}],
              "contained": [{"resourceType": "Specimen", "id": "s", "subject": DONOR}]}  # fmt: skip
    assert told(report) == ([], [("DiagnosticReport/r", "about_another", ("gene:CYP2D6",))])


def test_without_a_patient_nobody_is_someone_else() -> None:
    """Inspection of single resources does not check subjects either."""
    records = unpack([genotype("CYP2D6", "*1/*1", focus=[DONOR])]).records
    assert apart(records, "", references_of(records)) == (tuple(records), ())
