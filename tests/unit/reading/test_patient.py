"""The patient: birth, sex, weight, whose resources count, and what is read beside one another."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.errors import RequestError
from cds_service.model import Availability, Query, QueryResult, Question, Span
from cds_service.reading import read
from tests.support.reading import read_record

from .small import (
    KNOWLEDGE,
    PATIENT,
    TODAY,
    SmallIndex,
    concept,
    gap_reasons,
    genotype,
    observation,
    order,
    read_all,
    subject,
)

ADA = {"resourceType": "Patient", "id": PATIENT, "birthDate": "1980-05", "gender": "female"}


def test_birth_date_and_sex() -> None:
    found = read_all(ADA).patient
    assert (found.id, found.birth_date, found.sex) == (PATIENT, Span(date(1980, 5, 1), date(1980, 5, 31)), "female")


def test_a_patient_id_may_come_as_a_reference() -> None:
    results = {Query.PATIENT: QueryResult(Availability.COMPLETE, (ADA,))}
    assert read(Question("x", f"Patient/{PATIENT}"), results, SmallIndex(), KNOWLEDGE, TODAY).patient.sex == "female"


@pytest.mark.parametrize("gender", ["other", "unknown", "", None, 7])
def test_a_sex_that_is_not_known_is_empty(gender: object) -> None:
    assert read_all({**ADA, "gender": gender}).patient.sex == ""


def test_the_newest_weight_counts() -> None:
    def weight(name: str, value: object, unit: str, on: str) -> dict[str, object]:
        quantity = {"value": value, "unit": unit}
        return observation(name, code=concept("29463-7"), valueQuantity=quantity, effectiveDateTime=on)

    old, new = weight("a", 70, "kg", "2020-01-01"), weight("b", 100, "[lb_av]", "2024-01-01")
    odd = weight("c", 12, "stone", "2025-01-01")
    assert read_all(old, new, odd).patient.weight_kg == pytest.approx(45.359)
    assert read_all(odd).patient.weight_kg is None
    assert (gap_reasons(read_all(odd)), gap_reasons(read_all(old))) == (["no_number"], [])
    evening = weight("a", 71, "kg", "2024-01-01T20:00:00+01:00")
    assert read_all(weight("z", 80, "kg", "2024-01-01T18:00:00Z"), evening).patient.weight_kg == 71
    of_one_day = read_all(weight("a", 80, "kg", "2024-01-01"), weight("b", 71, "kg", "2024-01-01")).patient
    assert (of_one_day.weight_kg, of_one_day.weights_kg) == (None, (71, 80))
    same = read_all(weight("a", 80, "kg", "2024-01-01"), weight("b", 80, "kg", "2024-01-01")).patient
    assert (same.weight_kg, same.weights_kg) == (80, ())
    future = weight("d", 7, "kg", "2046-01-01")
    assert read_all(new, future).patient.weight_kg == pytest.approx(45.359)


@pytest.mark.parametrize(
    ("said", "kilograms"),
    [
        ({"valueString": "71,5 kg"}, 71.5),
        ({"valueCodeableConcept": {"text": "71.5\u00a0KG"}}, 71.5),
        ({"valueQuantity": {"value": "71.5", "unit": "kg"}}, 71.5),
        ({"valueQuantity": {"value": 71.5, "code": "kg"}, "dataAbsentReason": {"text": "error"}}, None),
        ({"valueQuantity": {"value": 250, "comparator": ">", "code": "kg"}}, None),
        ({"valueString": "> 250 kg"}, None),
        ({"valueQuantity": {"value": 0, "code": "kg"}}, None),
    ],
)
def test_a_weight_is_read_as_any_other_value_is(said: dict[str, object], kilograms: float | None) -> None:
    assert read_all(observation("a", code=concept("29463-7"), **said)).patient.weight_kg == kilograms
    bare = {"coding": [{"code": "29463-7", "display": "Body weight"}]}
    assert read_all(observation("a", code=bare, **said)).patient.weight_kg == kilograms
    panel = {"code": {"text": "Vital signs"}, "component": [{"code": concept("29463-7"), **said}]}
    assert read_all(observation("a", **panel)).patient.weight_kg == kilograms


def test_another_patient_in_the_prefetch_is_refused() -> None:
    results = {Query.PATIENT: QueryResult(Availability.COMPLETE, ({**ADA, "id": "bob"},))}
    with pytest.raises(RequestError) as refused:
        read(Question("order-sign", PATIENT), results, SmallIndex(), KNOWLEDGE, TODAY)
    assert (refused.value.code, refused.value.expression) == ("invalid", "prefetch.patient")


def test_availability_is_kept() -> None:
    results = {
        Query.PATIENT: QueryResult(Availability.COMPLETE, (ADA,)),
        Query.FAMILY: QueryResult(Availability.PARTIAL),
    }
    found = read(Question("order-sign", PATIENT), results, SmallIndex(), KNOWLEDGE, TODAY).patient
    assert found.availability[Query.PATIENT] is Availability.COMPLETE
    assert found.availability[Query.RESULTS] is Availability.MISSING
    assert {(g.about, g.reason) for g in found.gaps} >= {("family", "incomplete"), ("results", "not_available")}


@pytest.mark.parametrize(
    "address",
    ["Patient/ada", "https://ehr.example/fhir/Patient/ada", "Patient/ada/_history/3", "urn:uuid:ada", "ada"],
)
def test_every_form_of_reference_to_the_patient(address: str) -> None:
    assert len(read_all(genotype("CYP2C19", "*1/*2", subject={"reference": address})).patient.readings) == 1


@pytest.mark.parametrize("address", ["Patient/bob", "urn:uuid:bob", "Group/ada", "Device/ada"])
def test_another_subject_is_refused(address: str) -> None:
    result = read_all(genotype("CYP2C19", "*1/*2", subject={"reference": address}))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["wrong_patient"])


def test_a_missing_subject_is_taken_to_be_the_patient() -> None:
    assert len(read_all(genotype("CYP2C19", "*1/*2", subject=None)).patient.readings) == 1


def test_a_full_url_leads_to_the_patient() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:1-2-3", "resource": ADA},
            {
                "fullUrl": "urn:uuid:4-5-6",
                "resource": genotype("CYP2C19", "*1/*2", subject={"reference": "urn:uuid:1-2-3"}),
            },
            {"fullUrl": "urn:uuid:7-8-9"},
        ],
    }
    result = read_all(bundle)
    assert len(result.patient.readings) == 1
    assert gap_reasons(result) == ["unreadable"]


def test_the_patient_and_every_result_of_a_bundle_are_read() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": ADA}, {"resource": genotype("CYP2C19", "*1/*2")}]}
    found = read_record([bundle], SmallIndex(), KNOWLEDGE, TODAY, patient_id=PATIENT)
    assert (found.patient.id, len(found.patient.readings), found.patient.gaps) == (PATIENT, 1, ())


def test_a_result_of_another_patient_is_refused() -> None:
    found = read_record([genotype("CYP2C19", "*1/*2")], SmallIndex(), KNOWLEDGE, TODAY, patient_id="bob")
    assert (found.patient.readings, [g.reason for g in found.patient.gaps]) == ((), ["wrong_patient"])


def test_where_nobody_is_said_to_be_the_patient_subjects_are_not_checked() -> None:
    other = genotype("CYP2C19", "*1/*1", "other", subject=subject("bob"))
    found = read_record([genotype("CYP2C19", "*1/*2"), other], SmallIndex(), KNOWLEDGE, TODAY)
    assert (found.patient.id, len(found.patient.readings)) == ("", 2)


def test_medicines_taken_are_the_orders_where_those_are_asked_about() -> None:
    found = read_record([order("m", status="active")], SmallIndex(), KNOWLEDGE, TODAY)
    assert [(o.reference, o.active) for o in found.orders] == [("MedicationRequest/m", True)]


def test_parameters_are_unpacked() -> None:
    parts = [{"name": "genotype", "resource": genotype("CYP2C19", "*1/*2")}, {"name": "geneItem", "valueString": "x"}]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "haplotypes", "part": parts}]}
    assert len(read_record([parameters], SmallIndex(), KNOWLEDGE, TODAY).patient.readings) == 1


def test_bundles_without_end_are_refused() -> None:
    nested: dict[str, object] = genotype("CYP2C19", "*1/*2")
    for _ in range(6):
        nested = {"resourceType": "Bundle", "entry": [{"resource": nested}]}
    found = read_record([nested], SmallIndex(), KNOWLEDGE, TODAY)
    assert (found.patient.readings, [g.reason for g in found.patient.gaps]) == ((), ["unreadable"])


# --- sex ---

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


def extension(name: str, **value: object) -> dict[str, object]:
    return {"url": f"{US_CORE}{name}", **value}


BORN_FEMALE = extension("us-core-birthsex", valueCode="F")
BORN_MALE = extension("us-core-birthsex", valueCode="M")
FOR_CLINICAL_USE = {
    "url": "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse",
    "extension": [
        {"url": "value", "valueCodeableConcept": concept("female-typical")},
        {"url": "comment", "valueString": "male"},
    ],
}


@pytest.mark.parametrize(
    ("gender", "extensions", "sex"),
    [
        ("female", [], "female"),
        (None, [BORN_FEMALE], "female"),
        ("unknown", [BORN_MALE], "male"),
        ("other", BORN_FEMALE, "female"),
        (None, [extension("us-core-sex", valueCode="248152002")], "female"),
        (None, [extension("us-core-individual-sex", valueCoding={"code": "male"})], "male"),
        (None, [FOR_CLINICAL_USE], "female"),
        ("female", [BORN_FEMALE, FOR_CLINICAL_USE], "female"),
        ("male", [extension("us-core-birthsex", valueCode="UNK")], "male"),
        ("male", [extension("us-core-genderIdentity", valueCode="F")], "male"),
        (None, [extension("us-core-birthsex", valueCode="UNK")], ""),
        (None, "F", ""),
    ],
)
def test_what_tells_the_sex(gender: str | None, extensions: object, sex: str) -> None:
    found = read_all({**ADA, "gender": gender, "extension": extensions})
    assert (found.patient.sex, gap_reasons(found)) == (sex, [])


@pytest.mark.parametrize(
    ("gender", "extensions"), [("male", [BORN_FEMALE]), ("female", [BORN_MALE]), ("other", [BORN_MALE, BORN_FEMALE])]
)
def test_a_sex_that_is_recorded_in_two_ways_is_open_and_told(gender: str, extensions: object) -> None:
    found = read_all({**ADA, "gender": gender, "extension": extensions})
    assert (found.patient.sex, gap_reasons(found)) == ("", ["sex_differs"])
