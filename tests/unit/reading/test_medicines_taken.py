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
