"""Medicines of the record: which are read, by what name, and since when."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.model import Availability, Patient, Query, QueryResult, Question, Span, When
from cds_service.reading import read

from .small import (
    KNOWLEDGE,
    PATIENT,
    TODAY,
    SmallIndex,
    gap_reasons,
    order,
    read_all,
    statement,
)


def test_an_active_medicine() -> None:
    found = read_all(order("m", status="active", authoredOn="2024-02-03")).patient.medications[0]
    assert (found.reference, found.ingredients, found.started) == (
        "MedicationRequest/m",
        ("clopidogrel",),
        date(2024, 2, 3),
    )
    assert found.stopped is None


def test_a_statement_with_its_dosage() -> None:
    found = read_all(
        statement(effectivePeriod={"start": "2020-01-01"}, dosage=[{"text": "5 mg daily", "route": {"text": "oral"}}])
    ).patient.medications[0]
    assert (found.started, found.route) == (date(2020, 1, 1), "oral")
    assert found.dose is not None
    assert found.dose.daily == 5.0


def test_medicines_that_ended() -> None:
    ended = statement(status="completed", effectivePeriod={"start": "2020-01-01", "end": "2026-11-20"})
    bounds = {"timing": {"repeat": {"boundsPeriod": {"end": "2026-11-01"}}}}
    course = order("m", status="active", dosageInstruction=[bounds])
    assert read_all(ended).patient.medications[0].stopped == date(2026, 11, 20)
    assert read_all(course).patient.medications[0].stopped == date(2026, 11, 1)
    assert not read_all(course).patient.medications[0].may_have_ended


@pytest.mark.parametrize(
    ("end", "stopped", "may_have_ended"),
    [
        ("2026-10", Span(date(2026, 10, 1), date(2026, 10, 31)), False),
        ("2026-11", None, True),
        ("2026", None, True),
        ("2026-11-25", None, False),
        ("2026-12", None, False),
    ],
)
def test_an_active_medicine_has_ended_only_where_that_is_certain(
    end: str, stopped: When | None, may_have_ended: bool
) -> None:
    (found,) = read_all(statement(effectivePeriod={"end": end})).patient.medications
    assert (found.stopped, found.may_have_ended) == (stopped, may_have_ended)


def test_an_ended_medicine_whose_last_day_is_told_roughly_is_kept() -> None:
    (found,) = read_all(statement(status="completed", effectivePeriod={"end": "2026-11"})).patient.medications
    assert found.stopped == Span(date(2026, 11, 1), date(2026, 11, 30))
    assert not found.may_have_ended
    assert read_all(statement(status="completed", effectivePeriod={"end": "2026-12"})).patient.medications == ()


@pytest.mark.parametrize(
    "resource",
    [
        order("m", status="stopped"),
        order("m", status="cancelled"),
        order("m", status="draft"),
        order("m", status="active", intent="proposal"),
        order("m", status="active", doNotPerform=True),
        statement(status="not-taken"),
        statement(status="entered-in-error"),
    ],
)
def test_what_the_patient_does_not_take(resource: dict[str, object]) -> None:
    assert read_all(resource).patient.medications == ()


def test_a_medicine_without_a_name_is_a_gap() -> None:
    result = read_all(statement(medicationCodeableConcept={}))
    assert (result.patient.medications, gap_reasons(result)) == ((), ["unreadable"])


MEDICINES_NOT_SENT = [
    {"reference": "https://elsewhere.example.org/fhir/Medication/m1"},
    {"reference": "#gone"},
    {"reference": "urn:uuid:11111111-1111-1111-1111-111111111111"},
    {"reference": "Medication/gone"},
    {},
]


def with_medicines(*medicines: dict[str, object], drafts: tuple[dict[str, object], ...] = ()) -> Patient:
    answered = dict.fromkeys(Query, QueryResult(Availability.COMPLETE))
    answered[Query.MEDICATIONS] = QueryResult(Availability.COMPLETE, medicines)
    return read(Question("order-sign", PATIENT, drafts), answered, SmallIndex(), KNOWLEDGE, TODAY).patient


def referring(pointer: dict[str, str], **fields: object) -> dict[str, object]:
    return order("m", medicationCodeableConcept=None, medicationReference=pointer, **fields)


@pytest.mark.parametrize("pointer", MEDICINES_NOT_SENT, ids=str)
def test_a_medicine_taken_that_was_not_sent_is_missing_from_the_answer(pointer: dict[str, str]) -> None:
    found = with_medicines(statement(), referring(pointer, status="active"))
    assert found.availability[Query.MEDICATIONS] is Availability.PARTIAL
    assert [gap.query for gap in found.gaps] == [Query.MEDICATIONS]


def test_a_draft_or_an_ended_medicine_that_was_not_sent_leaves_the_answer_whole() -> None:
    until = [{"timing": {"repeat": {"boundsPeriod": {"end": "2026-11-01"}}}}]
    gone = {"reference": "#gone"}
    for ended in (referring(gone, status="stopped"), referring(gone, status="stopped", dosageInstruction=until)):
        found = with_medicines(statement(), ended, drafts=(referring(gone, status="draft"),))
        assert found.availability[Query.MEDICATIONS] is Availability.COMPLETE


def test_a_display_names_a_medicine_that_was_not_sent() -> None:
    pointer = {"reference": "#gone", "display": "warfarin 5 mg tablet"}
    found = with_medicines(referring(pointer, status="active"))
    assert found.availability[Query.MEDICATIONS] is Availability.COMPLETE


def test_a_statement_that_repeats_a_request_counts_once() -> None:
    request = order("m", status="active", medicationCodeableConcept={"text": "warfarin"})
    result = read_all(request, statement(basedOn=[{"reference": "MedicationRequest/m"}]))
    assert [m.reference for m in result.patient.medications] == ["MedicationRequest/m"]
