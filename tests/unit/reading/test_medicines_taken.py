"""Which medicines count as taken: steps of a dose, plans that the patient reports, and what is told of the rest."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.model import Availability, Query, QueryResult, Question, Span
from cds_service.reading import Read, read
from tests.unit.reading.small import KNOWLEDGE, PATIENT, TODAY, SmallIndex, order, subject


def read_medicines(*resources: Any, **question: Any) -> Read:
    """Read as the answer of the medications query."""
    results = {query: QueryResult(Availability.COMPLETE) for query in Query}
    results[Query.MEDICATIONS] = QueryResult(Availability.COMPLETE, resources)
    return read(Question("patient-view", PATIENT, active=True, **question), results, SmallIndex(), KNOWLEDGE, TODAY)


def step(start: str = "", end: str = "") -> dict[str, Any]:
    bounds = {name: day for name, day in (("start", start), ("end", end)) if day}
    return {"text": "daily", "timing": {"repeat": {"boundsPeriod": bounds}}}


FIRST = step("2020-01-01", "2020-01-14")
RUNNING = step("2020-01-15", "2096-01-01")


@pytest.mark.parametrize(
    "instructions",
    [
        [FIRST, RUNNING],
        [RUNNING, FIRST],
        [FIRST, step("2020-01-15")],
        [FIRST, {"text": "as needed"}],
        [FIRST, step(end="2096")],
        [],
        None,
    ],
)
def test_a_medicine_goes_on_while_one_of_its_steps_does(instructions: Any) -> None:
    result = read_medicines(order("m", status="active", dosageInstruction=instructions))
    assert [m.stopped for m in result.patient.medications] == [None]


@pytest.mark.parametrize(
    "instructions",
    [[FIRST], FIRST, [FIRST, step("2020-01-15", "2020-02-10")], [step("2020-01-15", "2020-02-10"), FIRST]],
)
def test_a_medicine_has_ended_when_every_step_has(instructions: Any) -> None:
    (found,) = read_medicines(order("m", status="active", dosageInstruction=instructions)).patient.medications
    last = "2020-02-10" if isinstance(instructions, list) and instructions[1:] else "2020-01-14"
    assert str(found.stopped) == last


def test_a_step_that_ends_with_its_month_is_the_later_one() -> None:
    steps = [step(end="2020-02-10"), step(end="2020-02")]
    (found,) = read_medicines(order("m", status="active", dosageInstruction=steps)).patient.medications
    assert found.stopped == Span(date(2020, 2, 1), date(2020, 2, 29))


@pytest.mark.parametrize(
    "fields",
    [
        {"reportedBoolean": True},
        {"reportedReference": {"reference": "RelatedPerson/1"}},
        {"requester": subject()},
        {"requester": {"reference": f"https://ehr.example/fhir/Patient/{PATIENT}"}},
    ],
)
def test_a_plan_that_is_reported_is_a_medicine_taken(fields: dict[str, Any]) -> None:
    result = read_medicines(order("m", status="active", intent="plan", **fields))
    assert [m.reference for m in result.patient.medications] == ["MedicationRequest/m"]
    assert [o.reference for o in result.orders] == ["MedicationRequest/m"]
    assert result.patient.gaps == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"intent": "plan"},
        {"intent": "plan", "reportedBoolean": False},
        {"intent": "plan", "requester": {"reference": "Practitioner/1"}},
        {"intent": "proposal", "reportedBoolean": True},
        {"intent": "option"},
    ],
)
def test_another_plan_or_proposal_is_told_and_not_counted(fields: dict[str, Any]) -> None:
    result = read_medicines(order("m", status="active", **fields))
    assert (result.patient.medications, result.orders) == ((), ())
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("MedicationRequest/m", "not_an_order")]
    assert result.patient.availability[Query.MEDICATIONS] is Availability.COMPLETE


def test_a_status_that_fhir_does_not_have_leaves_the_list_incomplete() -> None:
    result = read_medicines(order("m", status="pended"))
    assert result.patient.medications == ()
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("MedicationRequest/m", "unknown_status")]
    assert result.patient.availability[Query.MEDICATIONS] is Availability.PARTIAL


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "cancelled"},
        {"status": "draft"},
        {"status": "stopped"},
        {"status": "completed"},
        {"status": "on-hold", "intent": "plan"},
        {"status": "pended", "doNotPerform": True},
    ],
)
def test_what_is_plainly_not_taken_goes_without_a_word(fields: dict[str, Any]) -> None:
    result = read_medicines(order("m", **fields))
    assert (result.patient.medications, result.patient.gaps) == ((), ())


def given(kind: str, **fields: Any) -> dict[str, Any]:
    """A dispense or an administration of clopidogrel."""
    body = {"resourceType": f"Medication{kind}", "id": "g", "status": "completed", **fields}
    return {**order("g", intent=None), **body}


def taken_of(*resources: Any) -> list[tuple[str, str, bool]]:
    """(reference, day on which it ended, may have ended) of each medicine."""
    found = read_medicines(*resources)
    assert found.patient.gaps == ()
    return [(m.reference, str(m.stopped or ""), m.may_have_ended) for m in found.patient.medications]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("", True)),
        ({"status": "in-progress"}, ("", True)),
        ({"status": "preparation"}, ("", True)),
        ({"status": "unknown"}, ("", True)),
        ({"whenHandedOver": "2026-11-01"}, ("", True)),
        ({"whenHandedOver": "2026-11-01", "daysSupply": {"value": 30, "unit": "days", "code": "d"}}, ("", False)),
        ({"whenHandedOver": "2026-11-01", "daysSupply": {"value": 24}}, ("", False)),
        ({"whenHandedOver": "2026-11-01", "daysSupply": {"value": 23, "unit": "Days"}}, ("2026-11-24", False)),
        ({"whenPrepared": "2026-11-01", "daysSupply": {"value": 10, "code": "d"}}, ("2026-11-11", False)),
        ({"whenHandedOver": "2026-11-01", "daysSupply": {"value": 10, "code": "wk"}}, ("", False)),
        ({"whenHandedOver": "2026-11-01", "daysSupply": {"value": 10, "code": "min"}}, ("", True)),
        ({"whenHandedOver": "2026-11-01", "daysSupply": {"value": 1e300}}, ("", True)),
        ({"daysSupply": {"value": 10}}, ("", True)),
        ({"whenHandedOver": "9999-12-30", "daysSupply": {"value": 10}}, ("", True)),
        ({"whenHandedOver": "2026-11", "daysSupply": {"value": 10}}, ("", True)),
    ],
)
def test_what_was_dispensed_is_taken_until_its_supply_ends(fields: dict[str, Any], expected: Any) -> None:
    assert taken_of(given("Dispense", **fields)) == [("MedicationDispense/g", *expected)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"effectiveDateTime": "2026-11-25T08:00:00Z"}, ("", False)),
        ({"status": "in-progress", "effectivePeriod": {"start": "2026-11-25"}}, ("", False)),
        ({}, ("", True)),
        ({"effectiveDateTime": "2026-11-24T20:00:00Z"}, ("", True)),
        ({"effectiveDateTime": "2026-11-23"}, ("2026-11-23", False)),
        ({"status": "stopped", "effectiveDateTime": "2026-11-20"}, ("2026-11-20", False)),
        ({"status": "in-progress", "effectivePeriod": {"end": "2026-11-20"}}, ("2026-11-20", False)),
        ({"effectivePeriod": {"start": "2026-11-19", "end": "2026-11-25"}}, ("", False)),
        ({"effectiveDateTime": "2026-11"}, ("", True)),
    ],
)
def test_what_was_administered_is_taken_on_that_day(fields: dict[str, Any], expected: Any) -> None:
    assert taken_of(given("Administration", **fields)) == [("MedicationAdministration/g", *expected)]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Dispense", "cancelled"),
        ("Dispense", "declined"),
        ("Dispense", "stopped"),
        ("Dispense", "entered-in-error"),
        ("Administration", "not-done"),
        ("Administration", "stopped"),
        ("Administration", "entered-in-error"),
    ],
)
def test_what_was_not_given_goes_without_a_word(kind: str, status: str) -> None:
    assert taken_of(given(kind, status=status)) == []


def test_a_dispense_of_an_unknown_status_leaves_the_list_incomplete() -> None:
    result = read_medicines(given("Dispense", status="pended"))
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("MedicationDispense/g", "unknown_status")]
    assert result.patient.availability[Query.MEDICATIONS] is Availability.PARTIAL


@pytest.mark.parametrize(
    ("kind", "source"),
    [("Dispense", "authorizingPrescription"), ("Administration", "request"), ("Statement", "basedOn")],
)
def test_what_repeats_a_request_counts_only_where_the_request_is_used_up(kind: str, source: str) -> None:
    repeats = given(kind, status="active", **{source: [{"reference": "MedicationRequest/m"}]})
    assert [m[0] for m in taken_of(order("m", status="active"), repeats)] == ["MedicationRequest/m"]
    assert taken_of(order("m", status="stopped"), repeats) == []
    assert [m[0] for m in taken_of(order("m", status="completed"), repeats)] == [f"Medication{kind}/g"]


def test_what_was_given_is_a_medicine_in_question_where_the_hook_asks_about_those() -> None:
    found = read_medicines(given("Dispense"), given("Administration", effectiveDateTime="2026-11-20"))
    assert [o.reference for o in found.orders] == ["MedicationDispense/g"]


def test_what_was_handed_out_several_times_is_asked_about_once() -> None:
    twice = [{**given("Dispense"), "id": name} for name in ("h", "g")]
    assert [o.reference for o in read_medicines(*twice).orders] == ["MedicationDispense/g"]
    found = read_medicines(order("m", status="active"), *twice)
    assert [o.reference for o in found.orders] == ["MedicationRequest/m"]
    assert len(found.patient.medications) == 3


@pytest.mark.parametrize("kind", ["Dispense", "Administration"])
def test_what_was_given_in_the_shape_of_another_version_is_told(kind: str) -> None:
    body = given(kind, medicationCodeableConcept=None, medication={"concept": {"text": "clopidogrel"}})
    found = read_medicines({name: value for name, value in body.items() if value is not None})
    assert [g.reason for g in found.patient.gaps] == ["unsupported_version"]


def test_only_somebodys_order_is_prescribed() -> None:
    plan = order("plan", status="active", intent="plan", reportedBoolean=True)
    found = read_medicines(order("m", status="active"), plan, given("Dispense")).patient.medications
    assert {m.reference: m.is_prescribed for m in found} == {
        "MedicationRequest/m": True,
        "MedicationRequest/plan": False,
        "MedicationDispense/g": False,
    }
